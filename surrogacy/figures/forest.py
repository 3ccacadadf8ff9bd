"""Paired forest plot: both hazard ratios of every comparison side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.ticker import FixedFormatter, FixedLocator
from scipy.special import stdtrit

from surrogacy.effects import SIDES
from surrogacy.figures import _style as style
from surrogacy.figures.bubble import comparison_data
from surrogacy.figures.rows import (
    HEADING,
    MARGIN,
    Cell,
    Column,
    draw_interval,
    favours,
    lines_height,
    note_lines,
    row_axis,
    row_panels,
    rows_height,
    write_columns,
    write_notes,
)
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.class_order import class_pages
from surrogacy.results.endpoint_names import endpoint_of, final_name, surrogate_names
from surrogacy.results.format import number, percent
from surrogacy.results.labels import CLASSES
from surrogacy.results.result import Result
from surrogacy.stats.heterogeneity import i_squared

AXIS = 11.0  # mm for ticks and words below the panels
INDENT = 1.5  # mm
TICKS, FEW_TICKS = (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0), (0.3, 0.5, 1.0, 2.0)
ROOM_FOR_TICKS = 30.0  # mm
NORMAL = 1.959964
Kind = Literal["heading", "comparison", "pooled", "prediction"]


@dataclass(frozen=True)
class PlottedEffect:
    """Log hazard ratio with its 95 % limits; NaN if not known."""

    value: float = np.nan
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True)
class ForestRow:
    """Row of the forest plot.

    Parameters
    ----------
    kind : {"heading", "comparison", "pooled", "prediction"}
    label : str
    surrogate, final : PlottedEffect
        NaN if a comparison of the fit does not report the endpoint.
    trial, comparison, endpoint, stage, drug_class : str
        Of a comparison.
    n, area : float
        Patients, and the weight as a share of the largest.
    unverified : bool
        True if a hazard ratio was not verified in any source.
    """

    kind: Kind
    label: str
    surrogate: PlottedEffect = PlottedEffect()
    final: PlottedEffect = PlottedEffect()
    trial: str = ""
    comparison: str = ""
    endpoint: str = ""
    stage: str = ""
    drug_class: str = ""
    n: float = np.nan
    area: float = np.nan
    unverified: bool = False


def forest_data(result: Result, part: int | None = None) -> list[ForestRow]:
    """Return the rows of the forest plot in drawing order: headings, comparisons, pooled effects.

    Parameters
    ----------
    result : Result
    part : int, optional
        Page of `surrogacy.results.class_order.class_pages`, from 0; the last has the pooled effects. Default: all rows.

    Returns
    -------
    list of ForestRow

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> rows = forest_data(WeightedRegression().fit(surrogacy.read_trials().analysis_set("tactics-2022")))
    >>> [row.label for row in rows][:2]
    ['Intermediate, TACE combination', 'TACTICS']
    """
    effects, data, pages = result.effects, comparison_data(result), class_pages(result)
    data["endpoint"] = [endpoint_of(effects, i, "surrogate") for i in range(len(effects))]
    rows: list[ForestRow] = []
    for group in (group for page in (pages if part is None else pages[part : part + 1]) for group in page):
        members = data.loc[group].to_dict("records")
        stage, drug_class = members[0]["stage"], members[0]["class"]
        if stage or drug_class:
            words = [str(stage).capitalize(), CLASSES[str(drug_class)] if drug_class else ""]
            rows.append(ForestRow("heading", ", ".join(filter(None, words))))
        rows += [_comparison_row(row) for row in members]
    return [*rows, *_pooled_rows(result)] if part in (None, len(pages) - 1) else rows


def _comparison_row(row: Mapping[Hashable, Any]) -> ForestRow:
    return ForestRow(
        kind="comparison",
        label=row["label"],
        surrogate=PlottedEffect(row["surrogate"], row["surrogate_low"], row["surrogate_high"]),
        final=PlottedEffect(row["final"], row["final_low"], row["final_high"]),
        trial=row["trial"],
        comparison=row["comparison"],
        endpoint=row["endpoint"],
        stage=row["stage"],
        drug_class=row["class"],
        n=row["n"],
        area=row["area"],
        unverified=row["unverified"],
    )


def _pooled_rows(result: Result) -> list[ForestRow]:
    """Mean effects of a bivariate model, and the prediction interval of the true effects of a new trial."""
    if "mu_surrogate" not in result.estimates:
        return []
    if "loglik" not in result.estimates:  # a posterior has its own intervals, and no formula for a new trial
        means = (result.estimate(f"mu_{side}") for side in SIDES)
        surrogate, final = (PlottedEffect(*map(_or_nan, (mean.value, mean.low, mean.high))) for mean in means)
        return [ForestRow("pooled", "Mean effect", surrogate, final)]
    # a new trial: t with k - 2 degrees of freedom (Higgins, Thompson, Spiegelhalter 2009,
    # doi:10.1111/j.1467-985X.2008.00552.x)
    t = float(stdtrit(max(len(result.effects.trials) - 2, 1), 0.975))
    return [
        ForestRow("pooled", "Mean effect", *_mean_effects(result, NORMAL, with_scatter=False)),
        ForestRow("prediction", "Effect in a new trial", *_mean_effects(result, t, with_scatter=True)),
    ]


def _mean_effects(result: Result, quantile: float, *, with_scatter: bool) -> tuple[PlottedEffect, PlottedEffect]:
    """Mean effects with intervals of so many standard errors, to which the SD of the true effects may be added."""

    def interval(side: str) -> PlottedEffect:
        mean, spread = result.estimate(f"mu_{side}"), result.estimate(f"tau_{side}")
        value, se, sd = map(_or_nan, (mean.value, mean.se, spread.value if with_scatter else 0.0))
        half = quantile * float(np.hypot(se, sd))
        return PlottedEffect(value, value - half, value + half)

    return interval("surrogate"), interval("final")


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


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
        Page for which the figure is laid out. With one column, intervals and sizes are not written as numbers.

    Returns
    -------
    pair of Axes
        Surrogate and final endpoint.
    """
    rows, names = forest_data(result, part), frozenset([focus] if isinstance(focus, str) else focus or ())
    before = _columns_of_comparisons(rows, names, page)
    after = [
        [_hazard_ratios(rows, [row.surrogate for row in rows], names, page)],
        [_hazard_ratios(rows, [row.final for row in rows], names, page)],
    ]
    notes = note_lines(page, _notes(result, rows))
    if ax is None:
        below = AXIS + lines_height(page, notes) + MARGIN
        left, right = row_panels(page, rows_height(page, len(rows) + 1.4), (5.0, below), before, after)
    else:
        left, right = ax
    _panel(left, rows, [row.surrogate for row in rows], _surrogate(result, page), names)
    _panel(right, rows, [row.final for row in rows], final_name(result.effects), names)
    favours((left, right), shared=page.is_narrow)
    width = write_columns((left, right), before, after)
    write_notes(left, notes, width, AXIS)
    return left, right


def _columns_of_comparisons(rows: Sequence[ForestRow], focus: frozenset[str], page: PageStyle) -> list[Column]:
    """Names of the comparisons, with endpoints other than the most frequent one, and their sizes."""
    endpoints = Counter(row.endpoint for row in rows if np.isfinite(row.surrogate.value) and row.trial)
    usual = endpoints.most_common(1)[0][0] if endpoints else ""
    cells = [Cell(HEADING, "Comparison", bold=True)]
    for y, row in enumerate(rows):
        named = row.kind == "comparison" and row.endpoint != usual and np.isfinite(row.surrogate.value)
        endpoint = f" ({row.endpoint})" if named else ""
        words = f"{row.label}{' †' if row.unverified else ''}{endpoint}"
        indent = INDENT if row.kind == "comparison" and rows[0].kind == "heading" else 0.0
        cells.append(Cell(y, words, _is_bold(row, focus), indent, spans=row.kind == "heading"))
    sizes = [Cell(y, f"{row.n:,.0f}", bold=_is_bold(row, focus)) for y, row in enumerate(rows) if np.isfinite(row.n)]
    columns = [Column(tuple(cells))]
    if sizes and not page.is_narrow:
        columns.append(Column((Cell(HEADING, "n", bold=True), *sizes), "right"))
    return columns


def _surrogate(result: Result, page: PageStyle) -> str:
    """Return the surrogate endpoints, or their role if several names do not fit."""
    names = surrogate_names(result.effects)
    return names[0] if len(names) == 1 else "Surrogate" if page.is_narrow else " / ".join(names)


def _is_bold(row: ForestRow, focus: frozenset[str]) -> bool:
    return row.kind in ("heading", "pooled") or row.trial in focus


def _hazard_ratios(
    rows: Sequence[ForestRow], effects: Sequence[PlottedEffect], focus: frozenset[str], page: PageStyle
) -> Column:
    """Hazard ratios of an endpoint, with their limits if the page has room."""
    cells = [Cell(HEADING, "HR" if page.is_narrow else "HR (95% CI)", bold=True)]
    for y, (row, effect) in enumerate(zip(rows, effects, strict=True)):
        if row.kind == "heading":
            continue
        reported = np.isfinite(effect.value)
        words = number(np.exp(effect.value)) if reported else "–" if page.is_narrow else "not reported"
        if reported and not page.is_narrow:
            low, high = np.exp([effect.low, effect.high])
            words += f" ({number(low)}–{number(high)})" if np.isfinite(low) else " (no interval)"
        cells.append(Cell(y, words, bold=_is_bold(row, focus)))
    return Column(tuple(cells))


def _notes(result: Result, rows: Sequence[ForestRow]) -> list[str]:
    """Heterogeneity in one line, and footnotes on endpoints, sizes and evidence."""
    effects, notes = result.effects, []
    if any(row.kind == "prediction" for row in rows):
        parts = []
        surrogates = surrogate_names(effects)
        for side, name in zip(
            SIDES, (surrogates[0] if len(surrogates) == 1 else "surrogate", final_name(effects)), strict=True
        ):
            tau = _or_nan(result.estimate(f"tau_{side}").value)
            se = effects.se[:, SIDES.index(side)]
            parts.append(f"{name} τ = {number(tau)}, I² = {percent(i_squared(tau, se[np.isfinite(se)]))}")
        notes.append(f"Heterogeneity: {'; '.join(parts)}. Effect in a new trial: 95% prediction interval.")
    endpoints = Counter(row.endpoint for row in rows if row.kind == "comparison")
    if len(endpoints) > 1:
        notes.append(f"{endpoints.most_common(1)[0][0]} unless another surrogate endpoint is named.")
    written, patients = float(effects.n.sum()), effects.n_patients
    if written > patients:
        notes.append(
            f"Comparisons with a shared control arm count it once each: n adds up to {written:,.0f}, "
            f"the trials have {patients:,.0f} patients."
        )
    if any(row.unverified for row in rows):
        notes.append("† A hazard ratio or its limits were not verified in any source.")
    if not effects.has_standard_errors.any():
        notes.append("The standard errors are not known.")
    return notes


def _panel(
    axes: Axes, rows: Sequence[ForestRow], effects: Sequence[PlottedEffect], title: str, focus: frozenset[str]
) -> None:
    # one scale for both endpoints, so that effects can be compared by eye
    every = [effect for row in rows for effect in (row.surrogate, row.final)]
    low = max(float(np.nanmin([(effect.low, effect.value) for effect in every])), float(np.log(0.2)))
    high = min(float(np.nanmax([(effect.high, effect.value) for effect in every])), float(np.log(3.0)))
    style.hazard_ratio_axis(axes, "x", min(low, 0.0) - 0.05, max(high, 0.0) + 0.05)
    _thin_ticks(axes)
    row_axis(axes, len(rows), first=-1.8)
    axes.vlines(0, -0.7, len(rows) - 0.4, color="0.4", lw=0.6, zorder=0)  # below the headings
    axes.set_title(title, fontsize="medium", fontweight="bold", pad=1)
    for y, (row, effect) in enumerate(zip(rows, effects, strict=True)):
        if np.isfinite(effect.value):
            if row.kind == "comparison":
                identify_symbols(axes, [MarkedSymbol(row.comparison, effect.value, y, SMALL_DISC)])
            _draw_effect(axes, y, row, effect, style.LINE_COLOUR if row.trial in focus else style.INK)


def _draw_effect(axes: Axes, y: int, row: ForestRow, effect: PlottedEffect, colour: str) -> None:
    """Diamond of a pooled effect; otherwise the interval, with a symbol for a comparison."""
    if row.kind == "pooled":
        low, high = np.clip([effect.low, effect.high], *axes.get_xlim())
        shape = [(low, y), (effect.value, y - 0.32), (high, y), (effect.value, y + 0.32)]
        axes.add_patch(Polygon(shape, closed=True, facecolor=style.INK, lw=0, zorder=3))
        return
    draw_interval(axes, y, effect.low, effect.high, colour=colour, width=0.8)
    if row.kind == "comparison":
        axes.scatter(
            effect.value,
            y,
            s=6 + 26 * row.area,
            marker="s",
            facecolor="white" if row.unverified else colour,
            edgecolor=colour,
            linewidth=0.6,
            zorder=3,
        )


def _thin_ticks(axes: Axes) -> None:
    """Keep the ticks of a narrow panel apart."""
    low, high = axes.get_xlim()
    few = axes.get_window_extent().width / axes.figure.dpi / style.MM < ROOM_FOR_TICKS
    ticks = [tick for tick in (FEW_TICKS if few else TICKS) if low <= np.log(tick) <= high]
    axes.xaxis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in ticks]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" if tick != 1 else "1" for tick in ticks]))
