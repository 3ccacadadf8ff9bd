"""Paired forest plot: both hazard ratios of every comparison side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.ticker import FixedFormatter, FixedLocator

from surrogacy.arrays import FloatArray
from surrogacy.effects import SIDES
from surrogacy.figures import _style as style
from surrogacy.figures.bubble_text import surrogate_words
from surrogacy.figures.forest_rows import ForestRow, PlottedEffect, forest_data
from surrogacy.figures.labels import widest
from surrogacy.figures.rows import (
    HEADING,
    INDENT,
    MARGIN,
    NARROWEST_PANEL,
    Cell,
    Column,
    draw_intervals,
    favours,
    lines_height,
    note_lines,
    panel_width,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
    write_notes,
)
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.format import ABSENT, capitalised, number, percent, value_and_interval
from surrogacy.results.result import Result
from surrogacy.stats.heterogeneity import i_squared

AXIS = 9.4  # mm for ticks and words below the panels
BEFORE_POOLED = 0.5  # rows between the comparisons and the pooled effects
TICKS = (1.0, 0.5, 2.0, 0.3, 0.7, 1.5, 0.2, 3.0)  # in order of preference
BETWEEN_TICKS = 1.2  # mm between the numbers of two ticks
WIDEST = float(np.log(0.2)), float(np.log(3.0))  # limits of the axes
UNVERIFIED, SHARED_CONTROL = "†", "‡"
EQUALS = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"


def plot_forest(
    result: Result,
    ax: tuple[Axes, Axes] | None = None,
    *,
    focus: str | Sequence[str] | None = None,
    part: int | None = None,
    page: PageStyle = DEFAULT_PAGE,
) -> tuple[Axes, Axes]:
    """Draw the paired forest plot.

    Parameters
    ----------
    result : Result
        A bivariate model adds the pooled rows; other models give the comparisons alone.
    ax : pair of Axes, optional
        Default: a new figure of the width of the page, as high as the rows need.
    focus : str or sequence of str, optional
        Trials to highlight.
    part : int, optional
        Page of a set that is too long for one page; see `forest_data`.
    page : PageStyle
        Page for which the figure is laid out. Limits and sizes are written if there is room.

    Returns
    -------
    pair of Axes
        Surrogate and final endpoint.
    """
    every = forest_data(result)
    rows = every if part is None else forest_data(result, part)
    names = frozenset([focus] if isinstance(focus, str) else focus or ())
    limits, places = _limits(every), _places(rows)
    before, after, with_limits = _columns(rows, places, names, page)
    notes = note_lines(page, _notes(result, every, rows, with_sizes=len(before) > 1))
    if ax is None:
        below = AXIS + lines_height(page, notes) + MARGIN
        left, right = row_panels(page, rows_height(page, places[-1] + 2.4), (5.0, below), before, after)
    else:
        left, right = ax
    for axes, title, effects in (
        (left, surrogate_words(result.effects), [row.surrogate for row in rows]),
        (right, final_name(result.effects), [row.final for row in rows]),
    ):
        # one scale for both endpoints and all parts, so that effects can be compared by eye
        style.hazard_ratio_axis(axes, "x", *limits)
        _thin_ticks(axes)
        _panel(axes, rows, places, effects, names)
        axes.set_title(capitalised(title), fontsize="medium", fontweight="bold", pad=1)
    favours((left, right), shared=not with_limits)
    width = write_columns((left, right), before, after)
    write_notes(left, notes, width, AXIS)
    return left, right


def _limits(rows: Sequence[ForestRow]) -> tuple[float, float]:
    """Limits of the axes, which hold all effects and 1, and all intervals within the widest limits."""
    effects = [effect for row in rows for effect in (row.surrogate, row.final)]
    low = max(float(np.nanmin([(effect.low, effect.value) for effect in effects])), WIDEST[0])
    high = min(float(np.nanmax([(effect.high, effect.value) for effect in effects])), WIDEST[1])
    return min(low, 0.0) - 0.05, max(high, 0.0) + 0.05


def _places(rows: Sequence[ForestRow]) -> FloatArray:
    """Return the heights of the rows; the pooled effects are apart from the last class."""
    return np.array([y + BEFORE_POOLED * (row.kind in ("pooled", "prediction")) for y, row in enumerate(rows)])


def _columns(
    rows: Sequence[ForestRow], places: FloatArray, focus: frozenset[str], page: PageStyle
) -> tuple[list[Column], list[list[Column]], bool]:
    """Columns before and after the panels, and whether these include limits.

    The panels have a least width: otherwise the limits are omitted first, then the sizes.
    """
    for with_sizes, with_limits in ((True, True), (True, False), (False, False)):
        before = [_comparisons(rows, places, focus, with_sizes=with_sizes)]
        if with_sizes:
            before += _sizes(rows, places, focus)
        after = [
            [_hazard_ratios(rows, places, [row.surrogate for row in rows], focus, with_limits=with_limits)],
            [_hazard_ratios(rows, places, [row.final for row in rows], focus, with_limits=with_limits)],
        ]
        if panel_width(page, before, after) >= NARROWEST_PANEL:
            break
    return before, after, with_limits


def _comparisons(rows: Sequence[ForestRow], places: FloatArray, focus: frozenset[str], *, with_sizes: bool) -> Column:
    """Names of the comparisons, with endpoints other than the most frequent one."""
    endpoints = Counter(row.endpoint for row in rows if np.isfinite(row.surrogate.value) and row.trial)
    usual = endpoints.most_common(1)[0][0] if endpoints else ""
    cells = [Cell(HEADING, "Comparison", bold=True)]
    for y, row in zip(places, rows, strict=True):
        named = row.kind == "comparison" and row.endpoint != usual and np.isfinite(row.surrogate.value)
        endpoint = f" ({row.endpoint})" if named else ""
        marks = "".join([UNVERIFIED * row.unverified, SHARED_CONTROL * (row.shares_control and with_sizes)])
        words = f"{row.label}{endpoint}{' ' if marks else ''}{marks}"
        indent = INDENT if row.kind == "comparison" and rows[0].kind == "heading" else 0.0
        cells.append(Cell(y, words, _is_bold(row, focus), indent, spans=row.kind == "heading"))
    return Column(tuple(cells))


def _sizes(rows: Sequence[ForestRow], places: FloatArray, focus: frozenset[str]) -> list[Column]:
    """Numbers of patients; no column if none is known."""
    sizes = [
        Cell(y, f"{row.n:,.0f}", bold=_is_bold(row, focus))
        for y, row in zip(places, rows, strict=True)
        if np.isfinite(row.n)
    ]
    return [Column((Cell(HEADING, "n", bold=True), *sizes), "right")] if sizes else []


def _is_bold(row: ForestRow, focus: frozenset[str]) -> bool:
    return row.kind in ("heading", "pooled") or row.trial in focus


def _hazard_ratios(
    rows: Sequence[ForestRow],
    places: FloatArray,
    effects: Sequence[PlottedEffect],
    focus: frozenset[str],
    *,
    with_limits: bool,
) -> Column:
    """Hazard ratios of an endpoint."""
    cells = [Cell(HEADING, "HR (95% CI)" if with_limits else "HR", bold=True)]
    for y, row, effect in zip(places, rows, effects, strict=True):
        if row.kind != "heading":
            cells.append(Cell(y, _hazard_ratio(effect, with_limits=with_limits), bold=_is_bold(row, focus)))
    return Column(tuple(cells))


def _hazard_ratio(effect: PlottedEffect, *, with_limits: bool) -> str:
    if np.isnan(effect.value):
        return "not reported" if with_limits else ABSENT
    value, low, high = np.exp([effect.value, effect.low, effect.high])
    if not with_limits:
        return number(value)
    return value_and_interval(value, low, high) if np.isfinite(low) else f"{number(value)} (no interval)"


def _notes(result: Result, every: Sequence[ForestRow], rows: Sequence[ForestRow], *, with_sizes: bool) -> list[str]:
    """Heterogeneity in one line, and footnotes on endpoints, sizes and evidence."""
    effects, notes = result.effects, []
    if any(row.kind == "prediction" for row in rows):
        heterogeneity = []
        for side, name in zip(SIDES, (surrogate_words(effects), final_name(effects)), strict=True):
            tau = float(result[f"tau_{side}"].value)
            se = effects.se[:, SIDES.index(side)]
            share = percent(i_squared(tau, se[np.isfinite(se)]))
            heterogeneity.append(f"{name}, τ{EQUALS}{number(tau)}, I²{EQUALS}{share}")
        notes.append(f"Heterogeneity: {'; '.join(heterogeneity)}. Effect in a new trial: 95% prediction interval.")
    elif any(row.kind == "pooled" for row in every) and rows[-1].kind == "comparison":
        notes.append("The mean effects of all comparisons are in the last part.")
    endpoints = Counter(row.endpoint for row in rows if row.kind == "comparison")
    if len(endpoints) > 1:
        notes.append(f"{endpoints.most_common(1)[0][0]} unless another surrogate endpoint is named.")
    if with_sizes and any(row.shares_control for row in rows):
        total = ""
        if np.isfinite(effects.n_patients):
            parts = " over all parts" if len(every) > len(rows) else ""
            total = (
                f" and adds up to {effects.n.sum():,.0f}{parts}, but the trials have {effects.n_patients:,.0f} patients"
            )
        notes.append(
            f"{SHARED_CONTROL} Shares its control arm with another comparison; n counts the arm each time{total}."
        )
    if any(row.unverified for row in rows):
        notes.append(f"{UNVERIFIED} A hazard ratio or its limits were not verified in any source.")
    if not effects.has_standard_errors.any():
        notes.append("The standard errors are not known.")
    return notes


def _panel(
    axes: Axes,
    rows: Sequence[ForestRow],
    places: FloatArray,
    effects: Sequence[PlottedEffect],
    focus: frozenset[str],
) -> None:
    """Draw intervals, symbols of the comparisons and diamonds of pooled effects."""
    row_axis(axes, places[-1] + 1, first=-1.8)
    axes.vlines(0, -0.7, places[-1] + 0.6, color="0.4", lw=0.6, zorder=0)  # below the headings
    known = [entry for entry in zip(places, rows, effects, strict=True) if np.isfinite(entry[2].value)]
    for y, row, effect in known:
        if row.kind == "pooled":
            _draw_diamond(axes, y, effect)
    lines = [entry for entry in known if entry[1].kind != "pooled"]
    draw_intervals(
        axes,
        [y for y, _, _ in lines],
        [effect.low for _, _, effect in lines],
        [effect.high for _, _, effect in lines],
        colours=[_colour(row, focus) for _, row, _ in lines],
        width=0.8,
    )
    comparisons = [entry for entry in lines if entry[1].kind == "comparison"]
    colours = [_colour(row, focus) for _, row, _ in comparisons]
    fills = ["white" if row.unverified else colour for (_, row, _), colour in zip(comparisons, colours, strict=True)]
    axes.scatter(
        [effect.value for _, _, effect in comparisons],
        [y for y, _, _ in comparisons],
        s=[6 + 26 * row.area for _, row, _ in comparisons],
        marker="s",
        facecolor=fills,
        edgecolor=colours,
        linewidth=0.6,
        snap=False,  # whole pixels would change the areas
        zorder=3,
    )
    identify_symbols(
        axes, [MarkedSymbol(row.comparison, effect.value, y, SMALL_DISC) for y, row, effect in comparisons]
    )


def _colour(row: ForestRow, focus: frozenset[str]) -> str:
    return style.LINE_COLOUR if row.trial in focus else style.INK


def _draw_diamond(axes: Axes, y: float, effect: PlottedEffect) -> None:
    low, high = np.clip([effect.low, effect.high], *axes.get_xlim())
    shape = [(low, y), (effect.value, y - 0.32), (high, y), (effect.value, y + 0.32)]
    axes.add_patch(Polygon(shape, closed=True, facecolor=style.INK, lw=0, zorder=3))


def _thin_ticks(axes: Axes) -> None:
    """Keep the numbers of the ticks apart."""
    low, high = axes.get_xlim()
    width = axes.get_window_extent().width / axes.figure.dpi / style.MM
    apart = (widest(["0.5"]) + BETWEEN_TICKS) * (high - low) / width
    shown: list[float] = []
    for tick in TICKS:
        if low <= np.log(tick) <= high and all(abs(np.log(tick / other)) >= apart for other in shown):
            shown.append(tick)
    shown.sort()
    axes.xaxis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in shown]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in shown]))
