"""Surrogacy lines at a low, a median and a high value of a moderator, which a colour bar explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize

from surrogacy.figures import _style as style
from surrogacy.figures.bubble import LABEL_ALL_UP_TO
from surrogacy.figures.bubble_layout import LINE, RIGHT, axis_label, fill_corners, layout
from surrogacy.figures.bubble_text import surrogate_words
from surrogacy.figures.labels import Label, Symbol, place_labels, symbol_radius, widest
from surrogacy.figures.symbols import MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import capitalised, interval, number, percent, signed, with_interval
from surrogacy.results.labels import MODERATORS

if TYPE_CHECKING:
    from surrogacy.models.moderation import Moderation

QUANTILES = (0.1, 0.5, 0.9)
POINTS = 25  # of a line
REACH = 0.35  # share of the range of the points by which a band may extend the axis
# from dark blue to light ochre: distinct in grey and for all common types of colour vision
COLOURS = LinearSegmentedColormap.from_list("moderator", ["#00325A", "#3E6E9E", "#8A8A8A", "#C79A3A", "#E8B93A"])
BAR_HEADING, BAR, BELOW_BAR, BETWEEN_LABELS = 4.2, 2.4, 3.0, 1.5  # mm
LARGEST = {1: 100.0, 1.5: 180.0, 2: 260.0}  # points squared, by the number of columns


@dataclass(frozen=True)
class ScaleEntry:
    """Value of the moderator on the colour bar.

    Parameters
    ----------
    place : float
        From 0, the left end of the bar, to 1.
    value : float
    slope, threshold : str
        Of the line at this value, in words.
    """

    place: float
    value: float
    slope: str
    threshold: str


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


def plot_moderated_lines(moderation: Moderation, ax: Axes | None = None, *, page: PageStyle = DEFAULT_PAGE) -> Axes:
    """Draw the lines with their bands, the prediction band of a new trial at the median, and every comparison.

    Parameters
    ----------
    moderation : Moderation
    ax : Axes, optional
        Default: a new figure of the width of the page, as high as the data need.
    page : PageStyle
        Page for which the figure is laid out.
    """
    bubbles, lines = moderated_lines_data(moderation)
    least, most = bubbles["final"].min(), bubbles["final"].max()
    reach = REACH * max(most - least, 0.5)
    bands = lines[["low", "high"]].clip(lower=least - reach, upper=most + reach)
    x, y = _limits(bubbles["surrogate"]), _limits(pd.concat([bubbles["final"], bands["low"], bands["high"]]))
    effects, entries = moderation.posterior.effects, _scale(moderation, lines)
    label = axis_label(f"Hazard ratio for {surrogate_words(effects)}", "(< 1 favours experimental)", page)
    if ax is None:
        ax = _new_axes(x, y, page, label.count("\n") + 1, entries)
    for which, limits in (("x", x), ("y", y)):
        style.hazard_ratio_axis(ax, which, *limits)
    style.clear_spines(ax)
    for line in (ax.axhline, ax.axvline):
        line(0, color="0.62", lw=0.6, zorder=0)
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
    order = bubbles.assign(size=LARGEST[page.columns] * bubbles["area"].clip(lower=0.03)).sort_values(
        "area", ascending=False
    )
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
    ax.set_xlabel(label)
    ax.set_ylabel(f"Hazard ratio for {final_name(effects)}")
    symbols = [Symbol(row["surrogate"], row["final"], symbol_radius(row["size"])) for row in order.to_dict("records")]
    discs = zip(order["comparison"], symbols, strict=True)
    identify_symbols(ax, (MarkedSymbol(name, disc.x, disc.y, 2 * disc.radius) for name, disc in discs))
    fill_corners(ax, [], _summary(moderation), symbols, page)
    if len(order) <= LABEL_ALL_UP_TO:
        place_labels(ax, [Label(text, symbol) for text, symbol in zip(order["label"], symbols, strict=True)], symbols)
    _colour_bar(ax, moderation, entries, colour, page)
    return ax


def _limits(values: pd.Series) -> tuple[float, float]:
    """Limits of an axis: the values, and HR = 1."""
    return min(float(values.min()), 0.0) - 0.1, max(float(values.max()), 0.0) + 0.12


def _scale(moderation: Moderation, lines: pd.DataFrame) -> list[ScaleEntry]:
    """Return the places of the lines on the colour bar with their values, slopes and thresholds."""
    places = list(dict.fromkeys(lines["place"]))
    entries = []
    for place in places:
        row = lines[lines["place"] == place].iloc[0]
        value = float(row["value"])
        at = (value + 0.5) / len(places) if moderation.moderator.levels else float(place)
        slope = moderation.slope_at(value)
        name = str(row["label"])
        entries.append(ScaleEntry(at, value, f"{name}: slope {with_interval(slope)}", _threshold(moderation, value)))
    return entries


def _new_axes(
    x: tuple[float, float], y: tuple[float, float], page: PageStyle, label_lines: int, entries: Sequence[ScaleEntry]
) -> Axes:
    """Axes with room for the colour bar above them."""
    sizes = layout(x, y, (), page, label_lines)
    left, bottom, width, height = sizes.axes
    lines = max(words.count("\n") + 1 for words in _bar_labels(entries, width))
    whole = sizes.height + BAR_HEADING + BAR + lines * LINE * page.small_size * style.POINT + BELOW_BAR
    figure = style.new_figure(page.width, whole)
    return figure.add_axes((left / page.width, bottom / whole, width / page.width, height / whole))


def _bar_labels(entries: Sequence[ScaleEntry], width: float) -> list[str]:
    """Return the words at the colour bar, slope and threshold in a line each, in more lines if these are too wide."""
    labels = [f"{entry.slope}\n{entry.threshold}" for entry in entries]
    apart = width * min(second.place - first.place for first, second in pairwise(entries))
    beyond = 2 * (RIGHT + width * min(entries[0].place, 1 - entries[-1].place))
    room = min(apart, beyond) - BETWEEN_LABELS
    if widest([line for label in labels for line in label.split("\n")]) > room:
        labels = [label.replace(": ", "\n").replace(" (", "\n(") for label in labels]
    return labels


def _colours(moderation: Moderation) -> Any:
    """Colour of a value: grey in the centre, by ranks, so that an extreme value does not change the other colours."""
    values = np.sort(moderation.moderator.values)
    if moderation.moderator.levels:
        return lambda value: COLOURS(0.12 + 0.76 * float(value))
    ranks = Normalize(-0.5, len(values) - 0.5)
    return lambda value: COLOURS(ranks(np.interp(value, values, np.arange(len(values)))))


def _summary(moderation: Moderation) -> list[str]:
    """Return the change of the slope with the moderator, and the numbers of comparisons and trials."""
    effects, change = moderation.posterior.effects, moderation["slope_difference"]
    per = "per doubling" if moderation.moderator.logarithmic else "per unit"
    if moderation.moderator.levels:
        per = f"from {' to '.join(moderation.moderator.levels)}"
    unit = np.log(2.0) if moderation.moderator.logarithmic else 1.0
    value, low, high = (unit * limit for limit in (change.value, change.low, change.high))
    return [
        f"Change of the slope {per}: {signed(value)}",
        f"({percent(moderation.model.level)} interval {interval(low, high)})",
        f"{len(effects)} comparisons, {len(effects.trials)} trials",
    ]


def _colour_bar(ax: Axes, moderation: Moderation, entries: Sequence[ScaleEntry], colour: Any, page: PageStyle) -> None:
    """Draw the scale of the moderator above the axes, with the slope and the threshold of each line."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    height = figure.get_figheight() / style.MM
    place = ax.get_position()
    bottom = 1 - (BAR_HEADING + BAR) / height
    bar = figure.add_axes((place.x0, bottom, place.width, BAR / height))
    values = [entry.value for entry in entries] if moderation.moderator.levels else np.sort(moderation.moderator.values)
    bar.imshow(np.array([colour(value) for value in values])[None], aspect="auto", extent=(0, 1, 0, 1))
    bar.set(yticks=[], xticks=[entry.place for entry in entries])
    bar.set_xticklabels(_bar_labels(entries, place.width * page.width), linespacing=LINE)
    bar.tick_params(pad=2, length=2)
    bar.spines[:].set_linewidth(0.5)
    name = moderation.moderator.name
    label = MODERATORS.get(name, name)
    definition = moderation.moderator.definition
    heading = f"{capitalised(label)}{f' ({definition})' if definition else ''}"
    bar.set_title(heading, fontsize="small", fontweight="bold", loc="left", pad=3)


def _threshold(moderation: Moderation, value: float) -> str:
    threshold: ThresholdEffect = moderation.line_at(value).thresholds(moderation.model.level)["ste_prediction"]
    if threshold.hr is None:
        return threshold.value_words
    if threshold.status == "two-sided":
        return f"STE {interval(threshold.hr_other, threshold.hr)} only"
    return f"STE {number(threshold.hr)}" + (" (outside the data)" if threshold.status == "outside-data" else "")
