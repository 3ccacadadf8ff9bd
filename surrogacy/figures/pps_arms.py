"""Median OS of every arm against its median PPS and its median PFS, and the correlations expected without a reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from surrogacy.figures import _style as style
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.results.format import with_interval

LARGEST = 60.0  # points squared
STAGE_COLOURS = {"intermediate": "#0072B2", "advanced": "#D55E00", "mixed": "#009E73"}
NULLS = {
    "unrelated PFS and PPS": ("#56B4E9", "expected if PFS and PPS were unrelated"),
    "no true variation": ("#CC79A7", "expected if arms differed by chance alone"),
}
JOINED: dict[str, Any] = {"color": "0.55", "lw": 0.5, "zorder": 1}
DEFINITIONS = {
    "reported": "as reported",
    "median-difference": "median OS − median {endpoint}",
    "model": "of the model",
    "area": "area between the curves",
}


def pps_arms_data(audit: CouplingAudit) -> pd.DataFrame:
    """Data of the figure, a row per arm.

    Parameters
    ----------
    audit : CouplingAudit

    Returns
    -------
    DataFrame
        One row an arm: trial, label, arm, stage, n, area (patients as a share of the largest arm), median_os,
        median_pps (by
        ``audit.definition``), median_pfs (months), endpoint, unverified.
    """
    rows = [
        {
            "trial": arm.trial,
            "label": arm.trial_label,
            "arm": arm.arm,
            "stage": arm.stage,
            "n": arm.n or np.nan,
            "median_os": arm.median_os.value,
            "median_pps": arm.pps(audit.definition).months,
            "median_pfs": arm.median_pfs.value,
            "endpoint": arm.pfs_endpoint,
            "unverified": arm.evidence == "unverified",
        }
        for arm in audit.arms
    ]
    frame = pd.DataFrame(rows)
    frame["area"] = (frame["n"] / frame["n"].max()).fillna(0.3)
    return frame


def plot_pps_arms(
    audit: CouplingAudit, ax: tuple[Axes, Axes, Axes, Axes] | None = None, *, focus: str | None = None
) -> tuple[Axes, Axes, Axes, Axes]:
    """Draw the arms, those of one trial joined, and below them the null distributions of either correlation.

    Axes are linear, of one scale in both panels, as the correlation is of months.

    Parameters
    ----------
    audit : CouplingAudit
    ax : four Axes, optional
        Arms by PPS, arms by PFS, and the strip below either. Default: a new figure of 173 by 122 mm.
    focus : str, optional
        Trial to draw strongly and name.

    Returns
    -------
    four Axes
    """
    data = pps_arms_data(audit)
    if ax is None:
        figure = style.new_figure(173, 126)
        by_pps, by_pfs, strip_pps, strip_pfs = (
            figure.add_axes((left, bottom, 0.425, height))
            for bottom, height in ((0.385, 0.565), (0.145, 0.125))
            for left in (0.07, 0.56)
        )
    else:
        by_pps, by_pfs, strip_pps, strip_pfs = ax
    endpoint = "PFS" if "PFS" in set(data["endpoint"]) else str(data["endpoint"].iloc[0])
    others = [name for name in data["endpoint"].unique() if name != endpoint]
    either = f"{endpoint}{' (or ' + ', '.join(others) + ')' if others else ''}"
    definition = DEFINITIONS[audit.definition].format(endpoint=endpoint)
    right = 1.06 * float(data[["median_pps", "median_pfs"]].to_numpy().max())
    top = 1.06 * float(data["median_os"].max())
    for axes, strip, column, estimate, label in (
        (by_pps, strip_pps, "median_pps", "r_os_pps", f"Median PPS, {definition} (months)"),
        (by_pfs, strip_pfs, "median_pfs", "r_os_pfs", f"Median {either} (months)"),
    ):
        axes.set(xlim=(0, right), ylim=(0, top), xlabel=label, ylabel="Median OS (months)")
        if audit.definition == "median-difference" or column == "median_pfs":
            axes.fill_between([0, top], [0, top], color="0.93", lw=0, zorder=0)
        _arms(axes, data, column, focus)
        style.clear_spines(axes)
        _strip(strip, audit, estimate)
    if audit.definition == "median-difference":
        words = f"no arm: median {endpoint} would be below 0"
        by_pps.text(0.98, 0.03, words, transform=by_pps.transAxes, ha="right", fontsize="small", color="0.35")
    _keys(by_pfs, strip_pps, audit, data, focus)
    _titles(by_pps, by_pfs, audit)
    return by_pps, by_pfs, strip_pps, strip_pfs


def _arms(axes: Axes, data: pd.DataFrame, column: str, focus: str | None) -> None:
    """Arms as circles, filled if experimental, each joined to the control arm of its trial."""
    for trial, arms in data.groupby("trial", sort=False):
        look: dict[str, Any] = {"color": style.LINE_COLOUR, "lw": 1.2, "zorder": 5} if trial == focus else JOINED
        controls = arms[arms["arm"] == "ctl"].to_dict("records")[:1]
        for control in controls:
            for own in arms[arms["arm"] == "exp"].to_dict("records"):
                axes.plot([control[column], own[column]], [control["median_os"], own["median_os"]], **look)
    for row in data.sort_values("area", ascending=False).to_dict("records"):
        colour = STAGE_COLOURS.get(row["stage"], style.INK)
        strong = row["trial"] == focus
        axes.scatter(
            row[column],
            row["median_os"],
            s=LARGEST * row["area"],
            facecolor=colour if row["arm"] == "exp" else "white",
            edgecolor=style.LINE_COLOUR if strong else colour if row["arm"] == "ctl" else "white",
            linewidth=1.2 if strong else 0.8 if row["arm"] == "ctl" else 0.4,
            linestyle="--" if row["unverified"] else "-",
            alpha=1.0 if strong else 0.85,
            zorder=6 if strong else 2,
        )
    marked = data[data["trial"] == focus]
    if len(marked):
        last = marked.sort_values("median_os").iloc[-1]
        axes.annotate(
            last["label"],
            (last[column], last["median_os"]),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontweight="bold",
            fontsize="small",
            color=style.LINE_COLOUR,
        )


def _strip(axes: Axes, audit: CouplingAudit, name: str) -> None:
    """Distributions of one correlation, and the one observed with its interval above them."""
    observed = audit[name]
    low = min(0.0, *(float(np.nanquantile(getattr(null, name), 0.002)) for null in audit.nulls), observed.low or 0.0)
    bins = np.linspace(max(-1.0, low), 1.0, 61)
    highest = 0.0
    for null in audit.nulls:
        values = getattr(null, name)
        heights, _ = np.histogram(values[np.isfinite(values)], bins, density=True)
        axes.stairs(heights, bins, color=NULLS[null.name][0], fill=True, alpha=0.45, lw=0)
        axes.stairs(heights, bins, color=NULLS[null.name][0], lw=0.8)
        highest = max(highest, float(heights.max()))
    y = 1.18 * (highest or 1.0)
    if observed.low is not None and observed.high is not None:
        axes.plot([observed.low, observed.high], [y, y], color=style.INK, lw=1.2, solid_capstyle="butt")
    axes.plot(float(observed.value or 0.0), y, "D", color=style.INK, ms=4)
    part = "PPS" if name == "r_os_pps" else "PFS"
    axes.set(
        xlim=(bins[0], 1.0),
        ylim=(0, 1.35 * (highest or 1.0)),
        yticks=[],
        xlabel=f"Correlation over arms, r(OS, {part})",
    )
    style.clear_spines(axes)
    axes.spines["left"].set_visible(False)


def _keys(panel: Axes, strip: Axes, audit: CouplingAudit, data: pd.DataFrame, focus: str | None) -> None:
    """Keys of the arms (in the right panel) and of the distributions (below the strips)."""
    look: dict[str, Any] = {"marker": "o", "lw": 0, "ms": 5}
    handles = [
        Line2D([], [], mfc=STAGE_COLOURS[name], mec="white", label=f"{name} stage", **look)
        for name in STAGE_COLOURS
        if name in set(data["stage"])
    ]
    handles += [
        Line2D([], [], mfc=style.INK, mec="white", label="experimental arm", **look),
        Line2D([], [], mfc="white", mec=style.INK, label="control arm", **look),
        Line2D([], [], color=JOINED["color"], lw=JOINED["lw"], label="arms of one trial"),
        Line2D([], [], lw=0, label="area: patients of the arm"),
    ]
    if data["unverified"].any():
        handles.append(Line2D([], [], mfc="none", mec=style.INK, ls="--", label="dashed: not verified", **look))
    panel.legend(handles=handles, loc="lower right", fontsize="small", handlelength=1.4)
    observed: list[Any] = [
        Line2D([], [], color=style.INK, marker="D", ms=4, lw=1.2, label="observed, 95% (bootstrap over trials)")
    ]
    observed += [Patch(facecolor=NULLS[null.name][0], alpha=0.6, label=NULLS[null.name][1]) for null in audit.nulls]
    figure = strip.get_figure(root=True)
    if figure is not None:
        figure.legend(
            handles=observed, loc="lower center", ncols=3, fontsize="small", handlelength=1.6, columnspacing=1.6
        )


def _titles(left: Axes, right: Axes, audit: CouplingAudit) -> None:
    weights = "weights n" if audit.weights == "n" else "unweighted"
    for axes, name in ((left, "r_os_pps"), (right, "r_os_pfs")):
        estimate = audit[name]
        axes.set_title(f"r = {with_interval(estimate)}", fontsize="medium", fontweight="bold", loc="left")
    note = f"{len(audit.arms)} arms, {len(audit.trials)} trials, {weights}; descriptive"
    right.set_title(note, fontsize="small", loc="right")
