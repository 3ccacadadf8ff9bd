"""Bubble plot of the two treatment effects of every comparison, with the surrogacy line and its prediction band.

Up to 16 comparisons are named. More are numbered by their surrogate effect, and a table beside or below the axes lists
the names; the trial in focus, comparisons outside the prediction band and influential ones are named as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import IdentityTransform

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.new_trial import PredictedTrial
from surrogacy.evaluation.surrogate_only import SurrogateOnlyMark
from surrogacy.figures import _style as style
from surrogacy.figures.bubble_key import cell_widths, draw_numbered_names, key_of_groups, numbered_names
from surrogacy.figures.bubble_layout import (
    INSET,
    LINE,
    axis_label,
    axis_limits,
    fill_corners,
    layout,
    new_axes,
    with_places,
)
from surrogacy.figures.bubble_text import effect_words, equation, summary, surrogate_words, threshold_label
from surrogacy.figures.class_groups import group_of, inner_radius, marker_size
from surrogacy.figures.labels import Label, Symbol, number_symbols, place_labels, symbol_radius, text_widths
from surrogacy.figures.predicted_marks import (
    DIAMOND,
    MEDIAN,
    THIN,
    draw_interval,
    draw_new_trial,
    draw_surrogate_only,
    key_of_marks,
)
from surrogacy.figures.symbols import MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.result import Result, SurrogacyLine
from surrogacy.stats.cook import cook_distances

type Extra = Literal["confidence", "ste", "intervals", "equation"]
EXTRAS: tuple[str, ...] = get_args(Extra.__value__)

LABEL_ALL_UP_TO = 16  # comparisons; more are numbered
CORNER_SHARE = 0.62  # of the width of the axes: longest line in a corner
NUMBER_UP_TO = 80  # comparisons; more numbers would hide the symbols
MOST_INFLUENTIAL = 3
MOST_LABELS = 12  # names of outliers and influential comparisons beside the numbers
LARGEST = {1: 160.0, 1.5: 210.0, 2: 250.0}  # points squared, by the number of columns
SMALLEST_PAGE = 85.0  # mm; on a narrower page all areas are smaller
CROWDED = 40  # comparisons; with more, all areas are smaller
RING: dict[str, Any] = {"facecolor": "none", "edgecolor": style.LINE_COLOUR, "linewidth": 1.3}
RING_GAP = 2.0  # points between a symbol and its ring
BELOW = -10.0  # log HR below all axes
BAND, CONFIDENCE = "#EFEFEF", "#D9D9D9"


def bubble_data(result: Result) -> pd.DataFrame:
    """Return the data of the figure: the rows of `comparison_data` with both effects, and two columns more.

    Parameters
    ----------
    result : Result

    Returns
    -------
    DataFrame
        Also influential (one of the three largest Cook distances of the weighted regression, if above 4/k), and number
        (rank of the surrogate effect, from 1).
    """
    frame = comparison_data(result).dropna(subset=["surrogate", "final"]).reset_index(drop=True)
    distances = pd.Series(cook_distances(*(frame[name].to_numpy() for name in ("surrogate", "final", "area"))))
    frame["influential"] = (distances > 4 / len(frame)) & (distances.rank(ascending=False) <= MOST_INFLUENTIAL)
    frame["number"] = frame["surrogate"].rank(method="first").astype(int)
    return frame


def comparison_data(result: Result) -> pd.DataFrame:
    """Return the effects of every comparison.

    Parameters
    ----------
    result : Result

    Returns
    -------
    DataFrame
        One row per comparison, in the order of the effects: label, trial, comparison, surrogate and final log HR with
        95 % limits (NaN without an effect or a standard error), n, area (weight as a share of the largest), class,
        stage, unverified, outside (beyond the prediction band for a trial of its size, or beyond the band drawn).
    """
    effects = result.effects
    k = len(effects)
    blank = ("",) * k
    weights = result.shown_weights.values
    frame = pd.DataFrame(
        {
            "label": effects.labels,
            "trial": effects.trial,
            "comparison": effects.comparison,
            "surrogate": effects.log_hr[:, 0],
            "final": effects.log_hr[:, 1],
            "n": effects.n,
            "area": weights / weights.max(),
            "class": effects.covariates.get("class", blank),
            "stage": effects.covariates.get("stage", blank),
        }
    )
    frame["unverified"] = effects.unverified.any(axis=1)
    low, high = effects.limits
    for column, name in enumerate(("surrogate", "final")):
        frame[f"{name}_low"], frame[f"{name}_high"] = low[:, column], high[:, column]
    frame["outside"] = False
    if result.line is not None:
        bands = [
            result.line.predict(x, n=size if np.isfinite(size) and np.isfinite(result.line.trial_variance) else None)
            for x, size in zip(frame["surrogate"], effects.n, strict=True)
        ]
        drawn = result.line.predict(frame["surrogate"].to_numpy())
        frame["outside"] = [
            not (low <= y <= high and least <= y <= most)
            for (_, low, high), least, most, y in zip(bands, *drawn[1:], frame["final"], strict=True)
        ]
    return frame


@style.laid_out
def plot_bubble(
    result: Result,
    ax: Axes | None = None,
    *,
    focus: str | Sequence[str] | None = None,
    correlation: Estimate | None = None,
    show: Collection[str] = (),
    surrogate_only: Sequence[SurrogateOnlyMark] = (),
    new_trial: PredictedTrial | None = None,
    page: PageStyle = DEFAULT_PAGE,
) -> Axes:
    """Draw the bubble plot of a fitted model.

    Parameters
    ----------
    result : Result
        Without a line only the points are drawn.
    ax : Axes, optional
        Default: a new figure of the width of the page. Only a new figure has a table of the numbers.
    focus : str or sequence of str, optional
        Trials or comparisons to highlight, by name, with their 95 % intervals.
    correlation : Estimate, optional
        Correlation to print in a corner; default: that of the result, else its trial-level R².
    show : collection of {"confidence", "ste", "intervals", "equation"}
        Also the confidence band, the surrogate threshold effect, the intervals of all comparisons, the equation.
    surrogate_only : sequence of SurrogateOnlyMark
        Comparisons with a surrogate effect only: hollow symbols on the horizontal axis with predicted intervals.
    new_trial : PredictedTrial, optional
        New trial, at its predicted effect.
    page : PageStyle
        Page for which the figure is laid out.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If ``show`` contains another word.
    """
    if unknown := sorted(set(show) - set(EXTRAS)):
        raise UsageError(f"show {', '.join(unknown)}: choose from {', '.join(EXTRAS)}")
    data = with_focus(bubble_data(result), focus)
    data = with_places(data, crowded=len(data) > LABEL_ALL_UP_TO)
    new = ax is None
    numbered = new and LABEL_ALL_UP_TO < len(data) <= NUMBER_UP_TO
    with_intervals = data.dropna(subset=["surrogate_low", "final_low"])
    with_intervals = with_intervals if "intervals" in show else with_intervals[with_intervals["focus"]]
    limits = axis_limits(data, with_intervals, surrogate_only, new_trial)
    names = numbered_names(data) if numbered else ()
    label = axis_label(f"Hazard ratio for {surrogate_words(result.effects)}", "(< 1 favours experimental)", page)
    sizes = layout(*limits, cell_widths(names), page, label.count("\n") + 1)
    if ax is None:
        ax = new_axes(sizes, page)
    for which, (low, high) in zip("xy", limits, strict=True):
        style.hazard_ratio_axis(ax, which, low, high)
    style.clear_spines(ax)
    for line in (ax.axhline, ax.axvline):
        line(0, color="0.62", lw=0.6, zorder=0.8)
    if result.line is not None:
        _draw_line(ax, result.line, with_confidence="confidence" in show)
    symbols = draw_bubbles(ax, data, page)
    discs = zip(data["comparison"], symbols, strict=True)
    identify_symbols(ax, (MarkedSymbol(name, disc.x, disc.y, 2 * disc.radius) for name, disc in discs))
    groups = {group_of(name).label for name in data["class"]}
    lines = summary(result, correlation) + (equation(result) if "equation" in show else [])
    room = CORNER_SHARE * sizes.axes[2]
    lines = [part for line in lines for part in _fitted(line, room)]
    keys = [*(key_of_groups(data, page) if len(groups) > 1 else []), *key_of_marks(surrogate_only, new_trial)]
    crossing = _intervals(with_intervals[with_intervals["focus"]], surrogate_only, new_trial)
    predicted = [Symbol(new_trial.log_hr, new_trial.predicted, DIAMOND)] if new_trial is not None else []
    floor = 2 * INSET + LINE * page.small_size if surrogate_only else INSET
    fill_corners(ax, keys if len(keys) > 1 else [], lines, [*symbols, *predicted], page, crossing, floor)
    for row in with_intervals.to_dict("records"):
        colour = style.LINE_COLOUR if row["focus"] else "0.55"
        draw_interval(ax, "x", row["final"], row["surrogate_low"], row["surrogate_high"], colour, 0.6, zorder=2.6)
        draw_interval(ax, "y", row["surrogate"], row["final_low"], row["final_high"], colour, 0.6, zorder=2.6)
    marks = [draw_surrogate_only(ax, comparison) for comparison in surrogate_only]
    marks += [draw_new_trial(ax, new_trial)] if new_trial is not None else []
    if "ste" in show and result.line is not None:
        marks += _draw_threshold(ax, result)
    ax.set_xlabel(label)
    ax.set_ylabel(f"Hazard ratio for {final_name(result.effects)}")
    _draw_arrows(ax, data)
    medians = [Symbol(mark.log_hr, mark.predicted, MEDIAN) for mark in surrogate_only]
    every_symbol = [*symbols, *(label.symbol for label in marks), *medians]
    numbers = number_symbols(ax, data["number"].tolist(), symbols, every_symbol) if numbered else {}
    labels = _labels(data, result.effects, symbols, numbers, numbered=numbered)
    place_labels(ax, [*labels, *marks], every_symbol)
    if sizes.table is not None:
        draw_numbered_names(ax, names, sizes.table, page)
    return ax


def _intervals(
    rows: pd.DataFrame, surrogate_only: Sequence[SurrogateOnlyMark], new_trial: PredictedTrial | None
) -> list[FloatArray]:
    """Ends of the intervals that a text in a corner should avoid, a point per row, log HR."""
    ends: list[list[tuple[float, float]]] = []
    for row in rows.to_dict("records"):
        x, y = row["surrogate"], row["final"]
        ends += [
            [(row["surrogate_low"], y), (row["surrogate_high"], y)],
            [(x, row["final_low"]), (x, row["final_high"])],
        ]
    ends += [[(mark.log_hr, BELOW), (mark.log_hr, mark.predicted_high)] for mark in surrogate_only]
    if new_trial is not None:
        x, y = new_trial.log_hr, new_trial.predicted
        ends += [[(new_trial.low, y), (new_trial.high, y)], [(x, new_trial.low_95), (x, new_trial.high_95)]]
    return [np.array(pair) for pair in ends]


def _fitted(line: str, room: float) -> list[str]:
    """Break a line after its first comma if it is wider than some millimetres."""
    head, comma, tail = line.partition(", ")
    return [f"{head},", tail] if comma and text_widths([line], ["normal"])[0] > room else [line]


def with_focus(data: pd.DataFrame, focus: str | Sequence[str] | None) -> pd.DataFrame:
    """Return the data with a column for the trials or comparisons in focus."""
    chosen = {focus} if isinstance(focus, str) else set(focus or ())
    return data.assign(focus=data["trial"].isin(chosen) | data["comparison"].isin(chosen))


def draw_bubbles(ax: Axes, data: pd.DataFrame, page: PageStyle = DEFAULT_PAGE) -> list[Symbol]:
    """Draw the comparisons, the largest first, with a ring around those in focus; return their circles."""
    largest = LARGEST[page.columns] * min(1.0, CROWDED / len(data)) * min(1.0, page.width / SMALLEST_PAGE) ** 2
    rows = data.sort_values("area", ascending=False, kind="stable")
    groups = [group_of(name) for name in rows["class"]]
    sizes = [marker_size(largest * area, group.marker) for area, group in zip(rows["area"], groups, strict=True)]
    places = rows[["surrogate_place", "final_place"]].to_numpy()
    shapes = [MarkerStyle(group.marker) for group in groups]
    discs = PathCollection(
        [shape.get_path().transformed(shape.get_transform()) for shape in shapes],
        sizes,
        offsets=places,
        offset_transform=ax.transData,
        facecolors=[group.colour for group in groups],
        edgecolors=style.INK,
        linewidths=0.6,
        linestyles=["--" if unverified else "-" for unverified in rows["unverified"]],
        zorder=3,
    )
    discs.set_transform(IdentityTransform())  # sizes are in points
    ax.add_collection(discs, autolim=False)
    symbols = {}
    for index, (x, y), size, group, in_focus in zip(rows.index, places, sizes, groups, rows["focus"], strict=True):
        radius = symbol_radius(size, group.marker)
        if in_focus:
            radius += RING_GAP
            ax.scatter(x, y, s=(2 * radius) ** 2, zorder=4, **RING)
            radius += RING["linewidth"] / 2
        symbols[index] = Symbol(x, y, radius, inner_radius(size, group.marker), ring=in_focus)
    return [symbols[index] for index in data.index]


def _draw_arrows(ax: Axes, data: pd.DataFrame) -> None:
    """Draw an arrow from each symbol off the scale to the edge of the axes."""
    for row in data[data["off_scale"] != ""].to_dict("records"):
        x, y = row["surrogate_place"], row["final_place"]
        for side in row["off_scale"]:
            which, start, at = ("x", x, y) if side in "<>" else ("y", y, x)
            low, high = (-np.inf, start) if side in "<v" else (start, np.inf)
            draw_interval(ax, which, at, low, high, style.INK, 0.6, zorder=2.6)


def _labels(
    data: pd.DataFrame, effects: Effects, symbols: Sequence[Symbol], numbers: dict[int, str], *, numbered: bool
) -> list[Label]:
    """Names of the comparisons, with their hazard ratios if off the scale, and numbers that do not fit into symbols."""
    off_scale = data["off_scale"] != ""
    chosen = data["focus"] | data["outside"] | data["influential"] | off_scale
    if not numbered and len(data) <= LABEL_ALL_UP_TO:
        named = pd.Series(True, index=data.index)
    else:
        named = chosen if chosen.sum() <= MOST_LABELS else data["focus"] | off_scale
    labels = []
    for place, row in enumerate(data.to_dict("records")):
        words = [numbers.get(place, ""), row["label"] if named[place] else ""]
        if any(words):
            colour = style.LINE_COLOUR if row["focus"] else style.INK
            values = f"\n{effect_words(effects, row['comparison'])}" if off_scale[place] else ""
            labels.append(Label(" ".join(filter(None, words)) + values, symbols[place], row["focus"], colour))
    return labels


def _draw_line(ax: Axes, line: SurrogacyLine, *, with_confidence: bool) -> None:
    """Line and prediction band over the range of the data, and the confidence band."""
    x = np.linspace(*line.data_range, 200)
    mean, low, high = line.predict(x)
    ax.fill_between(x, low, high, color=BAND, lw=0, zorder=0.5)
    if with_confidence:
        _, mean_low, mean_high = line.predict(x, band="confidence")
        ax.fill_between(x, mean_low, mean_high, color=CONFIDENCE, lw=0, zorder=0.6)
    ax.plot(x, mean, color=style.INK, lw=1.3, zorder=2, scalex=False, scaley=False)


def _draw_threshold(ax: Axes, result: Result) -> list[Label]:
    """Tick at the surrogate threshold effect on the line of no final effect; its label, or why there is none."""
    threshold: ThresholdEffect = result["ste_prediction"]
    at = None if threshold.hr is None else float(np.log(threshold.hr))
    left, right = ax.get_xlim()
    if at is None or threshold.status == "two-sided" or not left < at < right:
        return [Label(threshold_label(threshold), Symbol(left + 0.2 * (right - left), 0.0, THIN / 2))]
    ax.plot(at, 0, "|", color=style.INK, ms=7, mew=1.4, zorder=2.5, scalex=False, scaley=False)
    return [Label(threshold_label(threshold), Symbol(at, 0.0, 3.5))]
