"""Bubble plot of the two treatment effects of every comparison, with the surrogacy line and its bands."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surrogacy.figures import _style as style
from surrogacy.figures.bubble_key import LARGEST_BUBBLE, draw_key, key_lines
from surrogacy.results.endpoint_names import final_name, surrogate_names
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import interval, number, percent
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result, SurrogacyLine

LABEL_ALL_UP_TO = 15
MOST_LABELS = 40  # more names would hide the symbols


def bubble_data(result: Result) -> pd.DataFrame:
    """Return the data of the figure.

    Parameters
    ----------
    result : Result

    Returns
    -------
    DataFrame
        One row per comparison: label, trial, surrogate and final log HR with 95 % limits (NaN without a standard
        error), n, area (weight as a share of the largest), class, stage, unverified, outside (beyond the prediction
        band for a trial of its size, or beyond the band drawn).
    """
    effects = result.effects
    k = len(effects)
    blank = ("",) * k
    weights = result.shown_weights.values
    frame = pd.DataFrame(
        {
            "label": effects.labels,
            "trial": effects.trial,
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
    return frame.dropna(subset=["surrogate", "final"]).reset_index(drop=True)


def plot_bubble(
    result: Result, ax: Axes | None = None, *, focus: str | None = None, show_ci: bool | None = None
) -> Axes:
    """Draw the bubble plot of a fitted model.

    Parameters
    ----------
    result : Result
        Without a line only the points are drawn.
    ax : Axes, optional
        Default: a new figure of two columns' width.
    focus : str, optional
        Trial to highlight and label.
    show_ci : bool, optional
        True for the 95 % intervals of both effects; default: up to 15 comparisons.

    Returns
    -------
    Axes
    """
    data = bubble_data(result)
    few = len(data) <= LABEL_ALL_UP_TO
    limited = data.dropna(subset=["surrogate_low", "final_low"])
    crosses = (few if show_ci is None else show_ci) and len(limited) > 0
    limits = _limits(data, crosses)
    if ax is None:
        ax = _new_axes(*limits, keys=key_lines(result, data, focus))
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
        ax.hlines(
            limited["final"], limited["surrogate_low"], limited["surrogate_high"], color="0.6", lw=0.4, zorder=1.5
        )
        ax.vlines(limited["surrogate"], limited["final_low"], limited["final_high"], color="0.6", lw=0.4, zorder=1.5)
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
    in_focus = data["trial"] == focus
    for row in data[in_focus].to_dict("records"):
        size = (np.sqrt(LARGEST_BUBBLE * row["area"]) + 7) ** 2
        ax.scatter(
            row["surrogate"],
            row["final"],
            s=size,
            facecolor="none",
            edgecolor=style.LINE_COLOUR,
            linewidth=1.3,
            zorder=4,
        )
    named = few | data["outside"] | in_focus
    _label(ax, data[named if named.sum() <= MOST_LABELS else in_focus], data, focus)
    _axis_labels(ax, result)
    _corner(ax, result)
    draw_key(ax, result, data, focus)
    return ax


def _limits(data: pd.DataFrame, with_ci: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of the axes: the points, their intervals up to a maximum, and HR = 1."""
    pad = 0.09
    limits = []
    for name in ("surrogate", "final"):
        low, high = data[name].min(), data[name].max()
        if with_ci:
            reach = 0.35 * max(high - low, 0.5)
            low = max(data[f"{name}_low"].min(), low - reach)
            high = min(data[f"{name}_high"].max(), high + reach)
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
    words = f"STE {number(threshold.hr)}" + (" (outside the data)" if threshold.status == "outside-data" else "")
    near_edge = at - left < 0.25 * (right - left)
    ax.text(
        at + (0.012 if near_edge else -0.012),
        0.02,
        words,
        color=style.LINE_COLOUR,
        fontsize="small",
        ha="left" if near_edge else "right",
        va="bottom",
        zorder=5,
    )


def _label(ax: Axes, named: pd.DataFrame, data: pd.DataFrame, focus: str | None) -> None:
    """Names without overlap, with a leader line to a name that had to move."""
    from adjustText import adjust_text

    if named.empty:
        return
    # adjustText avoids points: it is given the rim of every bubble, not only its centre
    low, high = ax.get_xlim()
    per_point = (high - low) / (ax.get_window_extent().width * 72 / ax.figure.dpi)
    data = data.assign(
        reach=per_point * (np.sqrt(LARGEST_BUBBLE * data["area"]) / 2 + np.where(data["trial"] == focus, 6, 1))
    )
    reach = data["reach"]
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    # a name starts on the side away from the nearest other bubble
    gap = data[["surrogate", "final"]].to_numpy()[:, None] - data[["surrogate", "final"]].to_numpy()[None]
    distance = np.hypot(gap[..., 0], gap[..., 1]) + np.diag(np.full(len(data), np.inf))
    away = (
        np.where(gap[np.arange(len(data)), distance.argmin(axis=1), 1] < 0, -1.5, 0.6)
        if len(data) > 1
        else np.full(1, 0.6)
    )
    texts = [
        ax.text(
            row["surrogate"] + row["reach"],
            row["final"] + row["away"] * row["reach"],
            row["label"],
            fontsize="small",
            color=style.INK,
            zorder=6,
            fontweight="bold" if row["trial"] == focus else "normal",
        )
        for row in data.assign(away=away).loc[named.index].to_dict("records")
    ]
    adjust_text(
        texts,
        x=(data["surrogate"].to_numpy()[:, None] + reach.to_numpy()[:, None] * np.cos(angles)).ravel(),
        y=(data["final"].to_numpy()[:, None] + reach.to_numpy()[:, None] * np.sin(angles)).ravel(),
        target_x=named["surrogate"].to_numpy(),
        target_y=named["final"].to_numpy(),
        ax=ax,
        expand=(1.1, 1.3),
        force_text=(0.2, 0.4),
        force_static=(0.1, 0.2),
        iter_lim=120,
    )
    for text, row in zip(texts, named.to_dict("records"), strict=True):
        box = text.get_window_extent().transformed(ax.transData.inverted())
        x, y = np.clip(row["surrogate"], box.x0, box.x1), np.clip(row["final"], box.y0, box.y1)
        rim = per_point * np.sqrt(LARGEST_BUBBLE * row["area"]) / 2
        if np.hypot(x - row["surrogate"], y - row["final"]) > rim + 6 * per_point:  # the name had to move
            ax.plot(
                [x, row["surrogate"]], [y, row["final"]], color="0.35", lw=0.4, zorder=2.9, scalex=False, scaley=False
            )


def _axis_labels(ax: Axes, result: Result) -> None:
    ax.set_xlabel(f"Hazard ratio, {' / '.join(surrogate_names(result.effects))}   (← favours experimental)")
    ax.set_ylabel(f"Hazard ratio, {final_name(result.effects)}   (← favours experimental)")


def _corner(ax: Axes, result: Result) -> None:
    """At most four lines: set and model, size, trial-level R², equation of the line."""
    effects = result.effects
    lines = [f"{effects.name or 'effects'}: {model_label(result.model)}"]
    patients = f", {effects.n_patients:,.0f} patients" if np.isfinite(effects.n_patients) else ""
    lines.append(f"{result.size} comparisons, {len(effects.trials)} trials{patients}")
    square = result.estimate("r2_trial")
    if square.value is not None:
        limits = "" if square.low is None else f" ({percent(square.level)} CI {interval(square.low, square.high)})"
        boundary = " – boundary solution" if result.on_boundary else ""
        lines.append(f"Trial-level R² {number(square.value)}{limits}{boundary}")
    elif result.on_boundary:
        lines.append("boundary solution")
    if result.line is not None:
        sign = "+" if result.line.slope >= 0 else "−"
        names = surrogate_names(effects)
        surrogate = names[0] if len(names) == 1 else "surrogate"
        term = f"{sign} {number(abs(result.line.slope))} log HR({surrogate})"
        lines.append(f"log HR({final_name(effects)}) = {number(result.line.intercept)} {term}")
    style.corner_text(ax, lines)
