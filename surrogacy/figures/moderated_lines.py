"""Surrogacy lines at a low, a median and a high value of a moderator; bubbles coloured by the moderator."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.lines import Line2D

from surrogacy.figures import _style as style
from surrogacy.figures.bubble import LABEL_ALL_UP_TO
from surrogacy.figures.bubble_key import LARGEST_BUBBLE
from surrogacy.figures.labels import Label, Symbol, corner_text, place_labels, symbol_radius
from surrogacy.figures.symbols import MarkedSymbol, identify_symbols
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import interval, number, percent, signed, with_interval
from surrogacy.results.labels import MODERATORS

if TYPE_CHECKING:
    from surrogacy.models.moderation import Moderation

QUANTILES = (0.1, 0.5, 0.9)
POINTS = 25  # of a line
REACH = 0.35  # share of the range of the points by which a band may extend the axis
# one hue on each side of grey, with dark ends: distinct for all common types of colour vision
COLOURS = LinearSegmentedColormap.from_list("moderator", ["#004C6D", "#3E8FB0", "#8A8A8A", "#E08A3C", "#8C2D04"])
KEY_WIDTH = 26  # characters of a heading


def moderated_lines_data(moderation: Moderation) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the data of the figure.

    Parameters
    ----------
    moderation : Moderation

    Returns
    -------
    bubbles : DataFrame
        One row per comparison: label, trial, comparison, surrogate and final log HR, n, area (share of the largest
        weight), value of the moderator.
    lines : DataFrame
        Points of the lines: place (quantile or level), value, label, surrogate, median, low and high (band of the
        line), prediction_low and prediction_high (true effect of a new trial).
    """
    effects = moderation.posterior.effects
    weight = (
        np.where(np.isfinite(effects.n), effects.n, np.nan)
        if np.isfinite(effects.n).any()
        else effects.se[:, 1] ** -2.0
    )
    bubbles = pd.DataFrame(
        {
            "label": effects.labels,
            "trial": effects.trial,
            "comparison": effects.comparison,
            "surrogate": effects.log_hr[:, 0],
            "final": effects.log_hr[:, 1],
            "n": effects.n,
            "area": np.nan_to_num(weight / np.nanmax(weight), nan=0.1),
            "value": moderation.moderator.values,
        }
    )
    rows = []
    for place, value in moderation.places(QUANTILES):
        line = moderation.line_at(value)
        x = np.linspace(*line.data_range, POINTS)
        median, low, high = line.predict(x, level=moderation.model.level, band="confidence")
        _, least, most = line.predict(x, n=np.inf, level=moderation.model.level)
        columns = {
            "surrogate": x,
            "median": median,
            "low": low,
            "high": high,
            "prediction_low": least,
            "prediction_high": most,
        }
        rows.append(
            pd.DataFrame({"place": place, "value": value, "label": moderation.moderator.label(value), **columns})
        )
    return bubbles, pd.concat(rows, ignore_index=True)


def plot_moderated_lines(moderation: Moderation, ax: Axes | None = None) -> Axes:
    """Draw the lines with their bands, the prediction band of a new trial at the median, and every comparison.

    Parameters
    ----------
    moderation : Moderation
    ax : Axes, optional
        Default: a new figure of 158 mm, as high as the data need.
    """
    bubbles, lines = moderated_lines_data(moderation)
    least, most = bubbles["final"].min(), bubbles["final"].max()
    reach = REACH * max(most - least, 0.5)
    bands = lines[["low", "high"]].clip(lower=least - reach, upper=most + reach)
    x, y = _limits(bubbles["surrogate"]), _limits(pd.concat([bubbles["final"], bands["low"], bands["high"]]))
    if ax is None:
        ax = _new_axes(x, y)
    for which, limits in (("x", x), ("y", y)):
        style.hazard_ratio_axis(ax, which, *limits)
    ax.set_aspect("equal", adjustable="box", anchor="NW")
    for line in (ax.axhline, ax.axvline):
        line(0, color="0.45", lw=0.6, zorder=0)
    ax.axline((0, 0), slope=1, color="0.6", lw=0.6, ls=":", zorder=0)
    colour = _colours(moderation)
    places = list(dict.fromkeys(lines["place"]))
    for place in places:
        points = lines[lines["place"] == place]
        shade = colour(float(points["value"].iloc[0]))
        if place != places[len(places) // 2] or len(places) < 3:
            ax.fill_between(
                points["surrogate"], points["low"], points["high"], color=shade, alpha=0.16, lw=0, zorder=0.6
            )
        else:
            ax.fill_between(
                points["surrogate"], points["low"], points["high"], color=shade, alpha=0.22, lw=0, zorder=0.5
            )
            for edge in ("prediction_low", "prediction_high"):
                ax.plot(
                    points["surrogate"],
                    points[edge],
                    color="0.45",
                    lw=0.7,
                    ls=(0, (4, 2)),
                    zorder=1,
                    scalex=False,
                    scaley=False,
                )
        ax.plot(points["surrogate"], points["median"], color=shade, lw=1.6, zorder=3.5, scalex=False, scaley=False)
    order = bubbles.assign(size=LARGEST_BUBBLE * bubbles["area"].clip(lower=0.03)).sort_values("area", ascending=False)
    ax.scatter(
        order["surrogate"],
        order["final"],
        s=order["size"],
        color=[colour(v) for v in order["value"]],
        edgecolor="white",
        linewidth=0.6,
        alpha=0.85,
        zorder=3,
    )
    names = dict.fromkeys(moderation.posterior.effects.covariates.get("surrogate", ())) or {"surrogate": None}
    ax.set_xlabel(f"Hazard ratio, {' / '.join(names)}   (← favours experimental)")
    ax.set_ylabel(
        f"Hazard ratio, {next(iter(moderation.posterior.effects.covariates.get('final', ())), 'final endpoint')}   "
        f"(← favours experimental)"
    )
    symbols = [Symbol(row["surrogate"], row["final"], symbol_radius(row["size"])) for row in order.to_dict("records")]
    discs = zip(order["comparison"], symbols, strict=True)
    identify_symbols(ax, (MarkedSymbol(name, disc.x, disc.y, 2 * disc.radius) for name, disc in discs))
    corner_text(ax, _summary(moderation), symbols)
    if len(order) <= LABEL_ALL_UP_TO:
        place_labels(ax, [Label(text, symbol) for text, symbol in zip(order["label"], symbols, strict=True)], symbols)
    _key(ax, moderation, bubbles, lines, colour)
    return ax


def _limits(values: pd.Series) -> tuple[float, float]:
    """Limits of an axis: the values, and HR = 1."""
    return min(float(values.min()), 0.0) - 0.1, max(float(values.max()), 0.0) + 0.12


def _new_axes(x: tuple[float, float], y: tuple[float, float]) -> Axes:
    """Axes with equal scales, with room for the key on the right."""
    left, width, key, bottom, top = 15.0, 100.0, 43.0, 12.0, 3.0  # mm
    height = min(width * (y[1] - y[0]) / (x[1] - x[0]), 140.0)
    whole, total = max(height, 84.0) + bottom + top, left + width + key
    figure = style.new_figure(total, whole)
    return figure.add_axes((left / total, 1 - (height + top) / whole, width / total, height / whole))


def _colours(moderation: Moderation) -> Any:
    """Colour of a value: grey in the centre, by ranks, so that an extreme value does not change the other colours."""
    values = np.sort(moderation.moderator.values)
    if moderation.moderator.levels:
        return lambda value: COLOURS(0.12 + 0.76 * float(value))
    ranks = Normalize(-0.5, len(values) - 0.5)
    return lambda value: COLOURS(ranks(np.interp(value, values, np.arange(len(values)))))


def _summary(moderation: Moderation) -> list[str]:
    """Return the numbers of comparisons and trials, and the change of the slope with the moderator."""
    effects, change = moderation.posterior.effects, moderation["slope_difference"]
    per = "per doubling of PPS / PFS" if moderation.moderator.logarithmic else "per unit"
    if moderation.moderator.levels:
        per = f"{moderation.moderator.levels[1]} less {moderation.moderator.levels[0]}"
    unit = np.log(2.0) if moderation.moderator.logarithmic else 1.0
    value, low, high = (unit * limit for limit in (change.value, change.low, change.high))
    below = moderation["p_slope_difference_negative"].value
    return [
        f"{effects.name or 'effects'}: {len(effects)} comparisons, {len(effects.trials)} trials",
        f"Slope {per}: {signed(value)}",
        f"({percent(moderation.model.level)} interval {interval(low, high)}); P(slope falls) = {number(below)}",
    ]


def _key(ax: Axes, moderation: Moderation, bubbles: pd.DataFrame, lines: pd.DataFrame, colour: Any) -> None:
    """Lines with their slopes and thresholds, sizes, and the definition of PPS."""

    def heading(text: str) -> Line2D:
        return Line2D([], [], lw=0, label=text)

    name = moderation.moderator.name
    definition = moderation.moderator.words.rpartition("definition: ")[2] if moderation.moderator.logarithmic else ""
    label = MODERATORS.get(name, name)
    handles = [heading(fill(f"{label[:1].upper()}{label[1:]}", KEY_WIDTH))]
    if definition:
        handles.append(Line2D([], [], lw=0, marker=" ", label=f"PPS by definition: {definition}"))
    for place in reversed(dict.fromkeys(lines["place"])):
        row = lines[lines["place"] == place].iloc[0]
        slope, threshold = moderation.slope_at(float(row["value"])), _threshold(moderation, float(row["value"]))
        rank = (
            ""
            if moderation.moderator.levels
            else f" ({percent(float(place))} of trials below)"
            if float(place) != 0.5
            else " (median)"
        )
        text = f"{row['label']}{rank}\nslope {with_interval(slope)}\n{threshold}"
        handles.append(
            Line2D(
                [], [], color=colour(float(row["value"])), lw=1.8, marker="o", ms=6, mec="white", mew=0.5, label=text
            )
        )
    handles += [heading(" "), heading(f"Bands ({percent(moderation.model.level)})")]
    handles.append(Line2D([], [], color="0.75", lw=6, label="confidence, each line"))
    at_median = "" if len(set(lines["place"])) < 3 else " at\nthe median, true effect"
    if at_median:
        handles.append(Line2D([], [], color="0.45", lw=0.7, ls=(0, (4, 2)), label=f"prediction, new trial{at_median}"))
    handles.append(Line2D([], [], color="0.6", lw=0.6, ls=":", label="equal effects"))
    known = bubbles["n"].dropna()
    if len(known):
        handles += [heading(" "), heading("Patients (area)")]
        for share in (0.1, 0.4, 1.0):
            size = np.sqrt(LARGEST_BUBBLE * share)
            label = f"{float(f'{share * known.max():.2g}'):,.0f}"
            handles.append(Line2D([], [], lw=0, marker="o", mfc="0.7", mec="white", mew=0.5, ms=size, label=label))
            if share > 0.25:  # a large symbol is higher than its line
                handles.append(heading(""))
    legend = ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.02, 1.02),
        borderaxespad=0,
        handlelength=1.6,
        labelspacing=0.55,
        handletextpad=0.7,
    )
    for entry, handle in zip(legend.get_texts(), handles, strict=True):
        if handle.get_linewidth() == 0 and handle.get_marker() == "None":
            entry.set_fontweight("bold")
            entry.set_x(-16)


def _threshold(moderation: Moderation, value: float) -> str:
    threshold: ThresholdEffect = moderation.line_at(value).thresholds(moderation.model.level)["ste_prediction"]
    if threshold.hr is None:
        return threshold.value_words
    if threshold.status == "two-sided":
        return f"STE {interval(threshold.hr_other, threshold.hr)} only"
    return f"STE {number(threshold.hr)}" + (" (outside the data)" if threshold.status == "outside-data" else "")
