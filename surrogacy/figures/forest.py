"""Paired forest plot: both hazard ratios of every comparison side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from scipy.special import stdtrit

from surrogacy.figures import _style as style
from surrogacy.figures.bubble import bubble_data
from surrogacy.results.endpoint_names import endpoint_of, final_name, surrogate_names
from surrogacy.results.format import number
from surrogacy.results.labels import CLASSES
from surrogacy.results.result import Result

ROW = 3.7  # mm
ESTIMATES = ("surrogate", "final")


def forest_data(result: Result) -> pd.DataFrame:
    """Rows of the forest plot in drawing order: headings, comparisons, pooled effects.

    Parameters
    ----------
    result : Result

    Returns
    -------
    DataFrame
        Columns kind (heading, comparison, pooled, prediction), label, n, endpoint, and for surrogate and final:
        log HR, ``_low``, ``_high``; ``share`` = percent of the patients.
    """
    data = bubble_data(result)
    complete = np.flatnonzero(result.effects.complete)
    data["endpoint"] = [endpoint_of(result.effects, int(i), "surrogate") for i in complete]
    data["share"] = 100 * data["n"] / data["n"].sum()
    rows: list[dict[str, Any]] = []
    data["group"] = data["stage"] + data["class"]
    order = data.groupby("group")["surrogate"].transform("size")
    data = data.assign(order=-order).sort_values(["stage", "order", "group", "surrogate"])
    for (stage, class_), members in data.groupby(["stage", "class"], sort=False):
        if stage or class_:
            words = [str(stage).capitalize(), CLASSES[str(class_)] if class_ else ""]
            rows.append({"kind": "heading", "label": ", ".join(filter(None, words))})
        rows += [
            {"kind": "comparison"} | {str(name): value for name, value in row.items()}
            for row in members.to_dict("records")
        ]
    for kind in ("pooled", "prediction"):
        row = _pooled(result, kind)
        if row:
            rows.append(row)
    return pd.DataFrame(rows)


def _pooled(result: Result, kind: str) -> dict[str, Any] | None:
    """Mean effects of a bivariate model, or the prediction interval of a new trial's true effects."""
    if "mu_surrogate" not in result.estimates:
        return None
    if "loglik" not in result.estimates:  # a posterior: its own intervals, and no formula for a new trial
        limits = {
            f"{name}{side}": getattr(result[f"mu_{name}"], what)
            for name in ("surrogate", "final")
            for side, what in (("", "value"), ("_low", "low"), ("_high", "high"))
        }
        return {"kind": kind, "label": "Mean effect (95% interval)"} | limits if kind == "pooled" else None
    row: dict[str, Any] = {
        "kind": kind,
        "label": "Mean effect (95% CI)" if kind == "pooled" else "True effect of a new trial (95% PI)",
    }
    # a new trial: t with k - 2 degrees of freedom (Higgins, Thompson, Spiegelhalter 2009,
    # doi:10.1111/j.1467-985X.2008.00552.x)
    quantile = 1.959964 if kind == "pooled" else float(stdtrit(max(len(result.effects.trials) - 2, 1), 0.975))
    for name in ("surrogate", "final"):
        mean, spread = result[f"mu_{name}"], result[f"tau_{name}"].value
        se = mean.se if kind == "pooled" else np.hypot(mean.se, spread)
        row |= {name: mean.value, f"{name}_low": mean.value - quantile * se, f"{name}_high": mean.value + quantile * se}
    return row


def plot_forest(result: Result, ax: tuple[Axes, Axes] | None = None, *, focus: str | None = None) -> tuple[Axes, Axes]:
    """Draw the paired forest plot.

    Parameters
    ----------
    result : Result
        Of a bivariate model for the pooled rows; any other gives the comparisons alone.
    ax : pair of Axes, optional
        Default: a new figure of 190 mm, as high as the rows need.
    focus : str, optional
        Trial to mark.

    Returns
    -------
    pair of Axes
        Surrogate and final endpoint.
    """
    rows = forest_data(result)
    if ax is None:
        height = ROW * (len(rows) + 2) + 23
        figure = style.new_figure(190, height)
        bottom, top = 16 / height, 1 - 5 / height
        ax = (
            figure.add_axes((0.335, bottom, 0.205, top - bottom)),
            figure.add_axes((0.675, bottom, 0.205, top - bottom)),
        )
    left, right = ax
    surrogates = surrogate_names(result.effects)
    for axes, name, title in (
        (left, "surrogate", " / ".join(surrogates)),
        (right, "final", final_name(result.effects)),
    ):
        _panel(axes, rows, name, title, focus)
    several = len(surrogates) > 1
    y_text = -1.2
    header: dict[str, Any] = {"va": "center", "fontweight": "bold", "fontsize": "small"}
    left.text(-1.58, y_text, "Comparison", transform=_row_transform(left), ha="left", **header)
    left.text(-0.03, y_text, "n (share)", transform=_row_transform(left), ha="right", **header)
    left.text(1.03, y_text, "HR (95% CI)", transform=_row_transform(left), ha="left", **header)
    right.text(1.03, y_text, "HR (95% CI)", transform=_row_transform(right), ha="left", **header)
    for y, row in enumerate(rows.to_dict("records")):
        bold = row["kind"] in ("heading", "pooled") or row.get("trial") == focus
        text: dict[str, Any] = {"va": "center", "fontsize": "small", "fontweight": "bold" if bold else "normal"}
        indent = 0.05 if row["kind"] == "comparison" else 0.0
        label = row["label"] + (" †" if row.get("unverified") is True else "")
        if several and row["kind"] == "comparison":
            label += f" ({row['endpoint']})"
        left.text(-1.58 + indent, y, label, transform=_row_transform(left), ha="left", **text)
        if row["kind"] == "heading":
            continue
        if row["kind"] == "comparison" and row["n"] == row["n"]:
            share = f"{row['share']:.0f}%" if row["share"] >= 0.5 else "<1%"
            size = f"{row['n']:,.0f} ({share})"
            left.text(-0.03, y, size, transform=_row_transform(left), ha="right", **text)
        for axes, name in ((left, "surrogate"), (right, "final")):
            low, high = (np.exp(row[f"{name}_{side}"]) for side in ("low", "high"))
            interval = f"({number(low)}–{number(high)})" if np.isfinite(low) else "(no interval)"
            value = f"{number(np.exp(row[name]))} {interval}"
            axes.text(1.03, y, value, transform=_row_transform(axes), ha="left", **text)
    known = result.effects.has_standard_errors
    note = (
        "95% intervals recomputed from the standard errors that were fitted."
        if known.any()
        else "Standard errors not known."
    )
    if "unverified" in rows and rows["unverified"].eq(True).any():
        note = f"† a hazard ratio or its limits not verified in any source. {note}"
    left.text(-1.58, len(rows) + 2.5, note, transform=_row_transform(left), va="center", fontsize="small")
    return left, right


def _row_transform(axes: Axes) -> Any:
    """X in parts of the panel, y in rows."""
    return axes.get_yaxis_transform()


def _panel(axes: Axes, rows: pd.DataFrame, name: str, title: str, focus: str | None) -> None:
    # one scale for both endpoints, so that effects can be compared by eye
    # an effect without an interval takes the room of its symbol
    low = max(float(np.nanmin(rows[["surrogate_low", "final_low", *ESTIMATES]].to_numpy(float))), float(np.log(0.2)))
    high = min(float(np.nanmax(rows[["surrogate_high", "final_high", *ESTIMATES]].to_numpy(float))), float(np.log(3.0)))
    style.hazard_ratio_axis(axes, "x", min(low, 0.0) - 0.05, max(high, 0.0) + 0.05)
    _thin_ticks(axes)
    axes.set_ylim(len(rows) - 0.4, -1.8)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.axvline(0, color="0.4", lw=0.6, zorder=0)
    axes.set_title(title, fontsize="medium", fontweight="bold", pad=1)
    axes.set_xlabel("Hazard ratio  (← favours experimental)", fontsize="small")
    drawn = rows.assign(y=np.arange(len(rows))).dropna(subset=[name])
    marked = (drawn["kind"] == "prediction") | (drawn.get("trial") == focus)
    colours = np.where(marked, style.LINE_COLOUR, style.INK)
    ends = np.clip(drawn[[f"{name}_low", f"{name}_high"]].to_numpy(float), *axes.get_xlim())
    pooled = (drawn["kind"] == "pooled").to_numpy()
    whiskers = ~pooled & np.isfinite(ends).all(axis=1)
    lows, highs = ends[whiskers].T
    axes.hlines(drawn["y"][whiskers], lows, highs, colors=list(colours[whiskers]), lw=0.8, zorder=2)
    for row, (low, high) in zip(drawn[pooled].to_dict("records"), ends[pooled], strict=True):
        y, mean = row["y"], row[name]
        shape = [(low, y), (mean, y - 0.32), (high, y), (mean, y + 0.32)]
        axes.add_patch(Polygon(shape, closed=True, facecolor=style.LINE_COLOUR, lw=0, zorder=3))
    points = drawn[drawn["kind"] == "comparison"].assign(edge=colours[(drawn["kind"] == "comparison").to_numpy()])
    for stage, group in points.groupby("stage"):
        faces = [
            "white" if unverified else style.CLASS_COLOURS.get(class_, "#DDDDDD")
            for unverified, class_ in zip(group["unverified"], group["class"], strict=True)
        ]
        axes.scatter(
            group[name],
            group["y"],
            s=6 + 26 * group["area"].astype(float),
            marker=style.STAGE_MARKERS.get(str(stage), "s"),
            facecolor=faces,
            edgecolor=list(group["edge"]),
            linewidth=0.6,
            zorder=3,
        )


def _thin_ticks(axes: Axes) -> None:
    """Keep the ticks of a narrow panel apart."""
    from matplotlib.ticker import FixedFormatter, FixedLocator

    low, high = axes.get_xlim()
    ticks = [tick for tick in (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0) if low <= np.log(tick) <= high]
    axes.xaxis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in ticks]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" if tick != 1 else "1" for tick in ticks]))
