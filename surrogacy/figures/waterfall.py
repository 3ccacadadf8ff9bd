"""From the PFS effect of a trial to its OS effect: what each step adds to the log hazard ratio, with its interval."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.pps.decomposition import Decomposition
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import percent, share_with_interval, value_and_interval, with_interval

COLOURS = {"dilution": "#0072B2", "imbalance": "#E69F00", "residual": "#999999"}
STEPS = {
    "pfs": "{endpoint} effect",
    "dilution": "Dilution by the length of PPS",
    "imbalance": "Imbalance of PPS between arms",
    "residual": "Residual",
    "observed": "OS effect observed",
}
MOST = 4
REACH = (np.log(0.3), np.log(2.0))  # beyond these an interval is cut, with an arrow


def waterfall_data(decompositions: Decomposition | Sequence[Decomposition]) -> pd.DataFrame:
    """Data of the figure, a row per panel and step.

    Returns
    -------
    DataFrame
        ``panel``, ``step``, ``start``, ``end`` and ``low``, ``high`` on the log hazard ratio scale (the limits are of
        ``end`` with
        ``start`` as given), ``share``, ``share_low``, ``share_high`` of the gap (NaN where there is none), ``words``
        beside the step.
    """
    rows: list[dict[str, Any]] = []
    for panel, found in enumerate(_several(decompositions)):
        first = _on_log_scale(found.hazard_ratios["pfs"])
        rows.append({"panel": panel, "step": "pfs", "start": 0.0} | first)
        level = first["end"]
        for name, share in found.shares.items():
            value, low, high = (_number(limit) for limit in _limits(found.effects[name]))
            row = {
                "panel": panel,
                "step": name,
                "start": level,
                "end": level + value,
                "low": level + low,
                "high": level + high,
            }
            shares = (_number(limit) for limit in _limits(share))
            of_gap = "no gap" if share.value is None else share_with_interval(share)
            row["words"] = f"{with_interval(found.effects[name])}\n{of_gap}"
            rows.append(row | dict(zip(("share", "share_low", "share_high"), shares, strict=True)))
            level += value
        rows.append({"panel": panel, "step": "observed", "start": 0.0} | _on_log_scale(found.hazard_ratios["observed"]))
    return pd.DataFrame(rows)


def plot_waterfall(
    decompositions: Decomposition | Sequence[Decomposition], axes: Sequence[Axes] | None = None
) -> list[Axes]:
    """Draw one panel a decomposition, steps from top to bottom, hazard ratios on a log axis.

    Parameters
    ----------
    decompositions : Decomposition or sequence of Decomposition
        At most four, of one trial: scenarios or calibrations.
    axes : sequence of Axes, optional
        One a panel. Default: a new figure of two columns' width.

    Returns
    -------
    list of Axes
    """
    several = _several(decompositions)
    data = waterfall_data(several)
    if axes is None:
        height = 12.0 + 47.0 * len(several)
        figure = style.new_figure(174, height)
        panel = 1.0 / len(several)
        axes = [
            figure.add_axes((0.235, 1 - panel * (i + 1) + 12.5 / height, 0.50, panel - 19.0 / height))
            for i in range(len(several))
        ]
    if len(axes) != len(several):
        raise UsageError(f"{len(several)} decompositions need as many axes; got {len(axes)}")
    # the same stretch in all panels, so that bars can be compared
    low = max(REACH[0], min(data["low"].min(), data["end"].min()) - 0.06)
    high = min(REACH[1], max(0.06, data["high"].max(), data["end"].max()) + 0.06)
    for i, (ax, found) in enumerate(zip(axes, several, strict=True)):
        _panel(ax, found, data[data["panel"] == i], (low, high))
        if i == len(several) - 1:
            ax.set_xlabel("Hazard ratio   (← favours experimental)")
    return list(axes)


def _panel(ax: Axes, found: Decomposition, data: pd.DataFrame, limits: tuple[float, float]) -> None:
    style.hazard_ratio_axis(ax, "x", *limits)
    beside = blended_transform_factory(ax.transAxes, ax.transData)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    rows = data.to_dict("records")
    for y, row in enumerate(rows):
        total = row["step"] in ("pfs", "observed")
        colour = style.INK if total else COLOURS[row["step"]]
        if total:
            ax.plot(row["end"], y, "D", color=colour, ms=4.5, zorder=4)
        else:
            ax.barh(
                y, row["end"] - row["start"], left=row["start"], height=0.56, color=colour, alpha=0.85, lw=0, zorder=2
            )
        _whisker(ax, row, y, limits)
        if y + 1 < len(rows):
            ax.plot([row["end"]] * 2, [y, y + 1], color="0.45", lw=0.6, ls=(0, (2, 2)), zorder=1)
        ax.text(1.03, y, row["words"], transform=beside, va="center", ha="left", fontsize="small")
    names = [STEPS[row["step"]].format(endpoint=found.inputs.endpoint) for row in rows]
    ax.set_yticks(range(len(rows)), names)
    ax.set_ylim(len(rows) - 0.45, -0.6)
    ax.tick_params(axis="y", length=0)
    calibration = found.calibration
    title = (
        f"{found.inputs.name}: {found.inputs.endpoint} effect by {calibration.scenario}; "
        f"{calibration.words} ({calibration.name})"
    )
    ax.set_title(title, fontsize="medium", fontweight="bold", loc="left", x=-0.46)
    level = found.effects["gap"].level or 0.0
    head = f"HR; log HR and share of the gap\n({calibration.label}; {percent(level)} intervals)"
    ax.text(1.03, -0.62, head, transform=beside, va="bottom", ha="left", fontsize="small", color="0.35")
    if not found.identified:
        ax.text(
            1.03,
            -0.045,
            "The split is not identified.",
            transform=ax.transAxes,
            va="top",
            fontsize="small",
            color=style.LINE_COLOUR,
        )
    style.clear_spines(ax)
    ax.spines["left"].set_visible(False)


def _whisker(ax: Axes, row: Mapping[Hashable, Any], y: int, limits: tuple[float, float]) -> None:
    """Interval of where the step ends; an arrow where it runs out of the axis."""
    low, high = max(row["low"], limits[0]), min(row["high"], limits[1])
    ax.plot([low, high], [y, y], color=style.INK, lw=0.9, zorder=3)
    for end, cut, marker in ((low, row["low"] < limits[0], "<"), (high, row["high"] > limits[1], ">")):
        ax.plot(end, y, marker if cut else "|", color=style.INK, ms=3.5 if cut else 5, mew=0.9, zorder=3, clip_on=False)


def _several(decompositions: Decomposition | Sequence[Decomposition]) -> list[Decomposition]:
    several = [decompositions] if isinstance(decompositions, Decomposition) else list(decompositions)
    if not 1 <= len(several) <= MOST:
        raise UsageError(f"a waterfall has 1 to {MOST} panels; got {len(several)} decompositions")
    return several


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _on_log_scale(estimate: Estimate) -> dict[str, Any]:
    value, low, high = (float(np.log(_number(limit))) for limit in _limits(estimate))
    words = f"HR {value_and_interval(*np.exp([value, low, high]))}"
    return {
        "end": value,
        "low": low,
        "high": high,
        "share": np.nan,
        "share_low": np.nan,
        "share_high": np.nan,
        "words": words,
    }


def _limits(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high
