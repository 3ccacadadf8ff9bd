"""Waterfall from the PFS effect of a trial to its OS effect: the parts of the gap with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.figures.rows import (
    MARGIN,
    Cell,
    Column,
    draw_intervals,
    favours,
    lines_height,
    note_lines,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
    write_notes,
)
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.pps.decomposition import Decomposition
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import percent, share_with_interval, value_and_interval, with_interval

# colours differ in lightness, and one part is hatched
COLOURS = {"dilution": ("#2B5C8A", ""), "imbalance": ("#E8B04A", ""), "residual": ("#E6E6E6", "////")}
STEPS = {
    "pfs": "{endpoint} effect",
    "dilution": "Dilution by the length of PPS",
    "imbalance": "Imbalance of PPS between arms",
    "residual": "Residual",
    "observed": "OS effect observed",
}
NARROW_STEPS = {
    "pfs": "{endpoint} effect",
    "dilution": "Dilution by PPS",
    "imbalance": "Imbalance of PPS",
    "residual": "Residual",
    "observed": "OS effect",
}
MOST = 4
HEIGHT, BETWEEN = 1.15, 0.5  # rows of text per step, and between decompositions
AXIS = 12.5  # mm for ticks, words and label below the panel
LABEL = 10.0  # points between ticks and label, for the words
REACH = (float(np.log(0.3)), float(np.log(2.0)))  # an interval beyond these limits is cut, with an arrow


@dataclass(frozen=True)
class Step:
    """Step of the waterfall.

    Parameters
    ----------
    name : {"pfs", "dilution", "imbalance", "residual", "observed"}
    start, end : float
        Log hazard ratios.
    low, high : float
        Limits of ``end``, with ``start`` fixed; NaN if not known.
    words : str
        Hazard ratio of a total, log hazard ratio of a part, with the interval.
    share : str
        Share of the gap with its interval; empty for a total.
    """

    name: str
    start: float
    end: float
    low: float
    high: float
    words: str
    share: str = ""


def waterfall_data(decomposition: Decomposition) -> list[Step]:
    """Return the steps from the PFS effect to the observed OS effect.

    Parameters
    ----------
    decomposition : Decomposition

    Returns
    -------
    list of Step
    """
    steps = [_total("pfs", decomposition.hazard_ratios["pfs"])]
    for name, share in decomposition.shares.items():
        effect, start = decomposition.effects[name], steps[-1].end
        of_gap = "no gap" if share.value is None else share_with_interval(share)
        value, low, high = _limits(effect)
        steps.append(Step(name, start, start + value, start + low, start + high, with_interval(effect), of_gap))
    return [*steps, _total("observed", decomposition.hazard_ratios["observed"])]


def _total(name: str, hazard_ratio: Estimate) -> Step:
    """Step from no effect to a hazard ratio."""
    value, low, high = (float(np.log(limit)) for limit in _limits(hazard_ratio))
    return Step(name, 0.0, value, low, high, f"HR {value_and_interval(*_limits(hazard_ratio))}")


def _limits(estimate: Estimate) -> tuple[float, float, float]:
    value, low, high = (
        float("nan") if limit is None else limit for limit in (estimate.value, estimate.low, estimate.high)
    )
    return value, low, high


def plot_waterfall(
    decompositions: Decomposition | Sequence[Decomposition],
    ax: Axes | None = None,
    *,
    page: PageStyle = DEFAULT_PAGE,
) -> Axes:
    """Draw the steps of one or several decompositions from top to bottom, on one axis of hazard ratios.

    Parameters
    ----------
    decompositions : Decomposition or sequence of Decomposition
        At most four, of one trial: scenarios or calibrations. Several have headings.
    ax : Axes, optional
        Default: a new figure of the width of the page.
    page : PageStyle
        Page for which the figure is laid out. With one column the shares of the gap are not written.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there is no decomposition, or more than four.
    """
    several = [decompositions] if isinstance(decompositions, Decomposition) else list(decompositions)
    if not 1 <= len(several) <= MOST:
        raise UsageError(f"a waterfall shows 1 to {MOST} decompositions; got {len(several)}")
    names = NARROW_STEPS if page.is_narrow else STEPS
    labels: list[Cell] = []
    drawn: list[tuple[float, Step]] = []
    y = 0.0
    for decomposition in several:
        if len(several) > 1:
            calibration = decomposition.calibration
            parts = [calibration.words, f"({calibration.scenario})"]
            for heading in parts if page.is_narrow else [" ".join(parts)]:
                labels.append(Cell(y, heading, bold=True, spans=True))
                y += 1
        for step in waterfall_data(decomposition):
            labels.append(Cell(y, names[step.name].format(endpoint=decomposition.inputs.endpoint)))
            drawn.append((y, step))
            y += 1
        y += BETWEEN
    level = percent(several[0].effects["gap"].level or 0.0)
    values = (Cell(-1.0, f"HR or log HR ({level})", bold=True), *(Cell(at, step.words) for at, step in drawn))
    shares = (Cell(-1.0, "Share of the gap", bold=True), *(Cell(at, step.share) for at, step in drawn if step.share))
    before, after = [Column(tuple(labels))], [[Column(values)] if page.is_narrow else [Column(values), Column(shares)]]
    notes = note_lines(page, _notes(several))
    if ax is None:
        margins = 4.0, AXIS + lines_height(page, notes) + MARGIN
        (ax,) = row_panels(page, rows_height(page, HEIGHT * (y - BETWEEN + 0.2)), margins, before, after)
    ends = [(step.low, step.end, step.high, 0.0) for _, step in drawn]
    limits = max(REACH[0], float(np.nanmin(ends)) - 0.06), min(REACH[1], float(np.nanmax(ends)) + 0.06)
    style.hazard_ratio_axis(ax, "x", *limits)
    row_axis(ax, y - BETWEEN)
    ax.axvline(0, color="0.4", lw=0.6, zorder=0)
    for (at, step), following in zip_longest(drawn, drawn[1:]):
        _draw_step(ax, at, step)
        if following is not None and step.name != "observed":
            ax.plot([step.end] * 2, [at, following[0]], color="0.45", lw=0.6, ls=(0, (2, 2)), zorder=1)
    favours([ax], shared=page.is_narrow)
    ax.set_xlabel("Hazard ratio", labelpad=LABEL)
    write_notes(ax, notes, write_columns([ax], before, after), AXIS)
    return ax


def _notes(decompositions: Sequence[Decomposition]) -> list[str]:
    """Return that a split is not identified."""
    unidentified = [decomposition for decomposition in decompositions if not decomposition.identified]
    if not unidentified:
        return []
    if len(unidentified) == len(decompositions):
        return ["The split is not identified by these data."]
    words = "; ".join(
        f"{decomposition.calibration.words} ({decomposition.calibration.scenario})" for decomposition in unidentified
    )
    return [f"The split is not identified: {words}."]


def _draw_step(ax: Axes, y: float, step: Step) -> None:
    """Draw a part of the gap as a bar, a total as a diamond, and the interval of its end."""
    if step.name in COLOURS:
        colour, hatch = COLOURS[step.name]
        bar: dict[str, Any] = {
            "height": 0.56,
            "facecolor": colour,
            "edgecolor": style.INK,
            "lw": 0.5,
            "hatch": hatch,
            "zorder": 2,
        }
        ax.barh(y, step.end - step.start, left=step.start, **bar)
    else:
        ax.plot(step.end, y, "D", color=style.INK, ms=4.5, zorder=4)
    draw_intervals(ax, y, step.low, step.high, colours=style.INK)
