"""Paired forest plot: both hazard ratios of every comparison side by side."""

from __future__ import annotations

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
from surrogacy.figures.symbols import SMALL_DISC, MarkedSymbol, identify_symbols
from surrogacy.results.endpoint_names import endpoint_of, final_name, surrogate_names
from surrogacy.results.format import number
from surrogacy.results.labels import CLASSES
from surrogacy.results.result import Result

ROW = 3.7  # mm
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
    n, share, area : float
        Patients, their percentage of all patients, and the weight as a share of the largest.
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
    share: float = np.nan
    area: float = np.nan
    unverified: bool = False


def forest_data(result: Result) -> list[ForestRow]:
    """Return the rows of the forest plot in drawing order: headings, comparisons, pooled effects.

    Parameters
    ----------
    result : Result

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
    effects, data = result.effects, comparison_data(result)
    data["endpoint"] = [endpoint_of(effects, i, "surrogate") for i in range(len(effects))]
    data = data[~data["comparison"].isin([entry.comparison for entry in result.left_out])]
    data = data.assign(share=100 * data["n"] / data["n"].sum(), group=data["stage"] + data["class"])
    order = data.groupby("group")["group"].transform("size")
    data = data.assign(order=-order).sort_values(["stage", "order", "group", "surrogate"])
    rows: list[ForestRow] = []
    for (stage, drug_class), members in data.groupby(["stage", "class"], sort=False):
        if stage or drug_class:
            words = [str(stage).capitalize(), CLASSES[str(drug_class)] if drug_class else ""]
            rows.append(ForestRow("heading", ", ".join(filter(None, words))))
        rows += [_comparison_row(row) for row in members.to_dict("records")]
    return [*rows, *_pooled_rows(result)]


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
        share=row["share"],
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
        return [ForestRow("pooled", "Mean effect (95% interval)", surrogate, final)]
    # a new trial: t with k - 2 degrees of freedom (Higgins, Thompson, Spiegelhalter 2009,
    # doi:10.1111/j.1467-985X.2008.00552.x)
    t = float(stdtrit(max(len(result.effects.trials) - 2, 1), 0.975))
    return [
        ForestRow("pooled", "Mean effect (95% CI)", *_mean_effects(result, NORMAL, with_scatter=False)),
        ForestRow("prediction", "True effect of a new trial (95% PI)", *_mean_effects(result, t, with_scatter=True)),
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
    result: Result, ax: tuple[Axes, Axes] | None = None, *, focus: str | Sequence[str] | None = None
) -> tuple[Axes, Axes]:
    """Draw the paired forest plot.

    Parameters
    ----------
    result : Result
        A bivariate model adds the pooled rows; other models give the comparisons alone.
    ax : pair of Axes, optional
        Default: a new figure of 190 mm, as high as the rows need.
    focus : str or sequence of str, optional
        Trials to highlight.

    Returns
    -------
    pair of Axes
        Surrogate and final endpoint.
    """
    rows, names = forest_data(result), frozenset([focus] if isinstance(focus, str) else focus or ())
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
    _panel(left, rows, [row.surrogate for row in rows], " / ".join(surrogates), names)
    _panel(right, rows, [row.final for row in rows], final_name(result.effects), names)
    _header(left, right)
    for y, row in enumerate(rows):
        _row_text(left, right, y, row, names, name_endpoint=len(surrogates) > 1)
    note = (
        "95% intervals recomputed from the standard errors that were fitted."
        if result.effects.has_standard_errors.any()
        else "Standard errors not known."
    )
    if any(row.unverified for row in rows):
        note = f"† a hazard ratio or its limits not verified in any source. {note}"
    left.text(-1.58, len(rows) + 2.5, note, transform=left.get_yaxis_transform(), va="center", fontsize="small")
    return left, right


def _header(left: Axes, right: Axes) -> None:
    for axes, x, text, side in (
        (left, -1.58, "Comparison", "left"),
        (left, -0.03, "n (share)", "right"),
        (left, 1.03, "HR (95% CI)", "left"),
        (right, 1.03, "HR (95% CI)", "left"),
    ):
        place = axes.get_yaxis_transform()
        axes.text(x, -1.2, text, transform=place, ha=side, va="center", fontweight="bold", fontsize="small")


def _row_text(left: Axes, right: Axes, y: int, row: ForestRow, focus: frozenset[str], *, name_endpoint: bool) -> None:
    """Label, size and hazard ratios of a row."""
    bold = row.kind in ("heading", "pooled") or row.trial in focus

    def write(axes: Axes, x: float, text: str, side: str) -> None:
        weight = "bold" if bold else "normal"
        place = axes.get_yaxis_transform()
        axes.text(x, y, text, transform=place, ha=side, va="center", fontsize="small", fontweight=weight)

    has_endpoint = name_endpoint and row.kind == "comparison" and np.isfinite(row.surrogate.value)
    endpoint = f" ({row.endpoint})" if has_endpoint else ""
    label = f"{row.label}{' †' if row.unverified else ''}{endpoint}"
    write(left, -1.53 if row.kind == "comparison" else -1.58, label, "left")
    if row.kind == "heading":
        return
    if np.isfinite(row.n):
        write(left, -0.03, f"{row.n:,.0f} ({f'{row.share:.0f}%' if row.share >= 0.5 else '<1%'})", "right")
    for axes, effect in ((left, row.surrogate), (right, row.final)):
        if not np.isfinite(effect.value):
            write(axes, 1.03, "not reported", "left")
            continue
        low, high = np.exp([effect.low, effect.high])
        interval = f"({number(low)}–{number(high)})" if np.isfinite(low) else "(no interval)"
        write(axes, 1.03, f"{number(np.exp(effect.value))} {interval}", "left")


def _panel(
    axes: Axes, rows: Sequence[ForestRow], effects: Sequence[PlottedEffect], title: str, focus: frozenset[str]
) -> None:
    # one scale for both endpoints, so that effects can be compared by eye
    every = [effect for row in rows for effect in (row.surrogate, row.final)]
    low = max(float(np.nanmin([(effect.low, effect.value) for effect in every])), float(np.log(0.2)))
    high = min(float(np.nanmax([(effect.high, effect.value) for effect in every])), float(np.log(3.0)))
    style.hazard_ratio_axis(axes, "x", min(low, 0.0) - 0.05, max(high, 0.0) + 0.05)
    _thin_ticks(axes)
    axes.set_ylim(len(rows) - 0.4, -1.8)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.vlines(0, -0.7, len(rows) - 0.4, color="0.4", lw=0.6, zorder=0)  # below the headings
    axes.set_title(title, fontsize="medium", fontweight="bold", pad=1)
    axes.set_xlabel("Hazard ratio  (← favours experimental)", fontsize="small")
    for y, (row, effect) in enumerate(zip(rows, effects, strict=True)):
        if np.isfinite(effect.value):
            if row.kind == "comparison":
                identify_symbols(axes, [MarkedSymbol(row.comparison, effect.value, y, SMALL_DISC)])
            marked = row.kind == "prediction" or row.trial in focus
            _draw_effect(axes, y, row, effect, style.LINE_COLOUR if marked else style.INK)


def _draw_effect(axes: Axes, y: int, row: ForestRow, effect: PlottedEffect, colour: str) -> None:
    """Diamond of a pooled effect; otherwise the interval, with a symbol for a comparison."""
    low, high = np.clip([effect.low, effect.high], *axes.get_xlim())
    if row.kind == "pooled":
        shape = [(low, y), (effect.value, y - 0.32), (high, y), (effect.value, y + 0.32)]
        axes.add_patch(Polygon(shape, closed=True, facecolor=style.LINE_COLOUR, lw=0, zorder=3))
        return
    if np.isfinite([low, high]).all():
        axes.hlines(y, low, high, colors=colour, lw=0.8, zorder=2)
    if row.kind == "comparison":
        axes.scatter(
            effect.value,
            y,
            s=6 + 26 * row.area,
            marker=style.STAGE_MARKERS.get(row.stage, "s"),
            facecolor="white" if row.unverified else style.CLASS_COLOURS.get(row.drug_class, "#DDDDDD"),
            edgecolor=colour,
            linewidth=0.6,
            zorder=3,
        )


def _thin_ticks(axes: Axes) -> None:
    """Keep the ticks of a narrow panel apart."""
    low, high = axes.get_xlim()
    ticks = [tick for tick in (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0) if low <= np.log(tick) <= high]
    axes.xaxis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in ticks]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" if tick != 1 else "1" for tick in ticks]))
