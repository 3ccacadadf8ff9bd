"""Bubble plot of the two treatment effects of every comparison, with the surrogacy line and its bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from surrogacy.evaluation.new_trial import PredictedTrial
from surrogacy.evaluation.surrogate_only import SurrogateOnlyMark
from surrogacy.figures import _style as style
from surrogacy.figures.bubble_key import LARGEST_BUBBLE, draw_key, key_lines
from surrogacy.figures.labels import Label, Symbol, corner_text, place_labels, symbol_radius
from surrogacy.figures.predicted_marks import (
    draw_new_trial,
    draw_surrogate_only,
    key_of_marks,
)
from surrogacy.figures.symbols import MarkedSymbol, identify_symbols
from surrogacy.results.endpoint_names import final_name, surrogate_names
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import interval, number, percent
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result, SurrogacyLine

LABEL_ALL_UP_TO = 17  # comparisons: sixteen and a trial that the user adds
INTERVALS_UP_TO = 15
MOST_LABELS = 40  # more names would hide the symbols
RING: dict[str, Any] = {"facecolor": "none", "edgecolor": style.LINE_COLOUR, "linewidth": 1.3}
RING_GAP = 2.5  # points between a symbol and its ring


def bubble_data(result: Result) -> pd.DataFrame:
    """Return the data of the figure: the rows of `comparison_data` with both effects.

    Parameters
    ----------
    result : Result

    Returns
    -------
    DataFrame
    """
    return comparison_data(result).dropna(subset=["surrogate", "final"]).reset_index(drop=True)


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


def plot_bubble(
    result: Result,
    ax: Axes | None = None,
    *,
    focus: str | Sequence[str] | None = None,
    show_ci: bool | None = None,
    surrogate_only: Sequence[SurrogateOnlyMark] = (),
    new_trial: PredictedTrial | None = None,
) -> Axes:
    """Draw the bubble plot of a fitted model.

    Parameters
    ----------
    result : Result
        Without a line only the points are drawn.
    ax : Axes, optional
        Default: a new figure of two columns' width.
    focus : str or sequence of str, optional
        Trials or comparisons to highlight and label, by name.
    show_ci : bool, optional
        True for the 95 % intervals of both effects; default: up to 15 comparisons.
    surrogate_only : sequence of SurrogateOnlyMark
        Comparisons with a surrogate effect only: hollow symbols on the horizontal axis with predicted intervals.
    new_trial : PredictedTrial, optional
        New trial, at its predicted effect.

    Returns
    -------
    Axes
    """
    data = bubble_data(result)
    names = {focus} if isinstance(focus, str) else set(focus or ())
    data["focus"] = data["trial"].isin(names) | data["comparison"].isin(names)
    limited = data.dropna(subset=["surrogate_low", "final_low"])
    crosses = (len(data) <= INTERVALS_UP_TO if show_ci is None else show_ci) and len(limited) > 0
    limits = _limits(data, crosses, surrogate_only, new_trial)
    keys = [*_key_of_focus(data), *key_of_marks(surrogate_only, new_trial)]
    if ax is None:
        ax = _new_axes(*limits, keys=key_lines(result, data, keys))
    for which, (low, high) in zip("xy", limits, strict=True):
        style.hazard_ratio_axis(ax, which, low, high)
    ax.set_aspect("equal", adjustable="box", anchor="NW")
    ax.axhline(0, color="0.45", lw=0.6, zorder=0)
    ax.axvline(0, color="0.45", lw=0.6, zorder=0)
    ax.axline((0, 0), slope=1, color="0.6", lw=0.6, ls=":", zorder=0)
    if result.line is not None:
        _draw_line(ax, result.line)
        _draw_threshold(ax, result)
    if crosses:
        thin: dict[str, Any] = {"color": "0.6", "lw": 0.5, "zorder": 1.5}
        ax.hlines(limited["final"], limited["surrogate_low"], limited["surrogate_high"], **thin)
        ax.vlines(limited["surrogate"], limited["final_low"], limited["final_high"], **thin)
    symbols = draw_bubbles(ax, data)
    discs = zip(data["comparison"], symbols, strict=True)
    identify_symbols(ax, (MarkedSymbol(name, disc.x, disc.y, 2 * disc.radius) for name, disc in discs))
    marks = [draw_surrogate_only(ax, comparison) for comparison in surrogate_only]
    marks += [draw_new_trial(ax, new_trial)] if new_trial is not None else []
    _axis_labels(ax, result)
    symbols_of_marks = [label.symbol for label in marks]
    corner_text(ax, _summary(result), [*symbols, *symbols_of_marks])
    named = (len(data) <= LABEL_ALL_UP_TO) | data["outside"] | data["focus"]
    shown = data[named if named.sum() <= MOST_LABELS else data["focus"]]
    columns = shown.index, shown["label"], shown["focus"]
    labels = [Label(name, symbols[i], bold) for i, name, bold in zip(*columns, strict=True)]
    place_labels(ax, labels + marks, [*symbols, *symbols_of_marks])
    draw_key(ax, result, data, keys)
    return ax


def draw_bubbles(ax: Axes, data: pd.DataFrame) -> list[Symbol]:
    """Draw the comparisons, the largest first, with a ring around those in focus; return their circles."""
    for stage, group in data.sort_values("area", ascending=False).groupby("stage", sort=False):
        ax.scatter(
            group["surrogate"],
            group["final"],
            s=LARGEST_BUBBLE * group["area"],
            marker=style.STAGE_MARKERS.get(str(stage), "o"),
            facecolor=[style.CLASS_COLOURS.get(name, "#DDDDDD") for name in group["class"]],
            edgecolor=style.INK,
            linewidth=0.6,
            linestyle=["--" if unverified else "-" for unverified in group["unverified"]],
            alpha=0.72,
            zorder=3,
        )
    symbols = []
    for row in data.to_dict("records"):
        radius = symbol_radius(LARGEST_BUBBLE * row["area"], style.STAGE_MARKERS.get(row["stage"], "o"))
        if row["focus"]:
            radius += RING_GAP
            ax.scatter(row["surrogate"], row["final"], s=(2 * radius) ** 2, zorder=4, **RING)
            radius += RING["linewidth"] / 2
        symbols.append(Symbol(row["surrogate"], row["final"], radius))
    return symbols


def _key_of_focus(data: pd.DataFrame) -> list[Line2D]:
    if not data["focus"].any():
        return []
    return [Line2D([], [], lw=0, marker="o", mfc="none", mec=style.LINE_COLOUR, mew=1.3, ms=8, label="in focus")]


def _limits(
    data: pd.DataFrame, with_ci: bool, surrogate_only: Sequence[SurrogateOnlyMark], new_trial: PredictedTrial | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of the axes: the points, their intervals up to a maximum, and HR = 1."""
    pad = 0.09
    marks: list[SurrogateOnlyMark | PredictedTrial] = [*surrogate_only, *([new_trial] if new_trial is not None else [])]
    points = {"surrogate": [mark.log_hr for mark in marks], "final": [mark.predicted for mark in marks]}
    ends = {
        "surrogate": [end for mark in marks for end in (mark.low, mark.high)],
        "final": [
            *(end for mark in surrogate_only for end in (mark.predicted_low, mark.predicted_high)),
            *((new_trial.low_95, new_trial.high_95) if new_trial is not None else ()),
        ],
    }
    limits = []
    for name in ("surrogate", "final"):
        values = [*data[name], *points[name]]
        low, high = min(values), max(values)
        reach = 0.35 * max(high - low, 0.5)
        shown = [low, high, *ends[name]]
        if with_ci:
            shown += [data[f"{name}_low"].min(), data[f"{name}_high"].max()]
        low, high = max(min(shown), low - reach), min(max(shown), high + reach)
        limits.append((min(low, 0.0) - pad, max(high, 0.0) + pad + 0.04))
    return limits[0], limits[1]


def _new_axes(x: tuple[float, float], y: tuple[float, float], keys: int) -> Axes:
    """Axes with equal scales, in a figure with room for the key on the right."""
    left, key, bottom, top = 15.0, 46.0, 12.0, 3.0  # mm
    width = 112.0
    height = width * (y[1] - y[0]) / (x[1] - x[0])
    if height > 150:
        width, height = width * 150 / height, 150.0
    whole = max(height, 3.6 * keys) + bottom + top
    total = left + width + key
    figure = style.new_figure(total, whole)
    return figure.add_axes((left / total, 1 - (height + top) / whole, width / total, height / whole))


def _draw_line(ax: Axes, line: SurrogacyLine) -> None:
    """Line over the range of the data, confidence band (dark) and prediction band (light, dashed edge)."""
    x = np.linspace(*line.data_range, 200)
    mean, low, high = line.predict(x)
    _, mean_low, mean_high = line.predict(x, band="confidence")
    colour = style.LINE_COLOUR
    ax.fill_between(x, low, high, color=colour, alpha=0.08, lw=0, zorder=0.5)
    for edge in (low, high):
        ax.plot(x, edge, color=colour, lw=0.7, ls=(0, (4, 2)), zorder=1, scalex=False, scaley=False)
    ax.fill_between(x, mean_low, mean_high, color=colour, alpha=0.22, lw=0, zorder=0.6)
    ax.plot(x, mean, color=colour, lw=1.3, zorder=2, scalex=False, scaley=False)


def _draw_threshold(ax: Axes, result: Result) -> None:
    """Tick at the surrogate threshold effect, or the reason why there is none."""
    threshold: ThresholdEffect = result["ste_prediction"]
    left, right = ax.get_xlim()
    at = None if threshold.hr is None else float(np.log(threshold.hr))
    if at is None or threshold.status == "two-sided" or not left < at < right:
        ax.text(
            left + 0.01 * (right - left),
            0.012,
            threshold.value_words if at is None else f"STE {threshold.value_words}",
            color=style.LINE_COLOUR,
            fontsize="small",
            va="bottom",
        )
        return
    ax.axvspan(left, at, color="0.5", alpha=0.07, lw=0, zorder=0)
    ax.plot([at, at], [-0.035, 0.035], color=style.LINE_COLOUR, lw=1.6, zorder=2.5)
    limits = threshold.uncertainty
    interval_words = "" if limits is None or limits.low is None else f" ({interval(limits.low, limits.high)})"
    outside = ", outside the data" if threshold.status == "outside-data" else ""
    words = f"STE {number(threshold.hr)}{interval_words}{outside}"
    # left of the threshold and above HR 1 there is no band; the label may need two lines to stay within the axes
    ax.apply_aspect()
    room = (at - left) / (right - left) * ax.get_window_extent().width
    looks: dict[str, Any] = {"color": style.LINE_COLOUR, "fontsize": "small", "zorder": 5, "linespacing": 1.1}
    for lines in (words, words.replace(" (", "\n(", 1)):
        label = ax.text(at - 0.012, 0.02, lines, ha="right", va="bottom", multialignment="right", **looks)
        if label.get_window_extent().width < 0.92 * room:
            return
        label.remove()
    ax.text(at + 0.012, -0.02, words, ha="left", va="top", **looks)


def _axis_labels(ax: Axes, result: Result) -> None:
    ax.set_xlabel(f"Hazard ratio, {' / '.join(surrogate_names(result.effects))}   (← favours experimental)")
    ax.set_ylabel(f"Hazard ratio, {final_name(result.effects)}   (← favours experimental)")


def _summary(result: Result) -> list[str]:
    """At most four lines: set and model, size, trial-level R² or residual SD, equation of the line."""
    effects = result.effects
    lines = [f"{effects.name or 'effects'}: {model_label(result.model)}"]
    patients = f", {effects.n_patients:,.0f} patients" if np.isfinite(effects.n_patients) else ""
    lines.append(f"{result.size} comparisons, {len(effects.trials)} trials{patients}")
    shown = [("Trial-level R²", result.estimate("r2_trial")), ("Residual SD", result.estimate("sigma_cond"))]
    words, spread = next((pair for pair in shown if pair[1].value is not None), shown[0])
    if spread.value is not None:
        limits = "" if spread.low is None else f" ({percent(spread.level)} CI {interval(spread.low, spread.high)})"
        boundary = " – boundary solution" if result.on_boundary else ""
        lines.append(f"{words} {number(spread.value)}{limits}{boundary}")
    elif result.on_boundary:
        lines.append("boundary solution")
    if result.line is not None:
        sign = "+" if result.line.slope >= 0 else "−"
        names = surrogate_names(effects)
        surrogate = names[0] if len(names) == 1 else "surrogate"
        term = f"{sign} {number(abs(result.line.slope))} log HR({surrogate})"
        lines.append(f"log HR({final_name(effects)}) = {number(result.line.intercept)} {term}")
    return lines
