"""Surrogacy lines at a low, a median and a high value of a moderator, which a colour bar explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize

from surrogacy.figures import _style as style
from surrogacy.figures.bubble import LABEL_ALL_UP_TO
from surrogacy.figures.labels import Label, Symbol, corner_text, place_labels, symbol_radius
from surrogacy.figures.symbols import MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.endpoint_names import final_name, surrogate_names
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import interval, number, percent, signed, with_interval
from surrogacy.results.labels import MODERATORS

if TYPE_CHECKING:
    from surrogacy.models.moderation import Moderation

QUANTILES = (0.1, 0.5, 0.9)
POINTS = 25  # of a line
REACH = 0.35  # share of the range of the points by which a band may extend the axis
# from dark blue to light ochre: distinct in grey and for all common types of colour vision
COLOURS = LinearSegmentedColormap.from_list("moderator", ["#00325A", "#3E6E9E", "#8A8A8A", "#C79A3A", "#E8B93A"])
TALLEST = 140.0  # mm
KEY, BAR, BAR_HEIGHT, BAR_HEADING, WIDE_BAR = 52.0, 3.0, 22.0, 6.0, 45.0  # mm
LARGEST_BUBBLE = 260.0  # points squared


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
    if ax is None:
        ax = _new_axes(x, y, page)
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
    surrogates, final = surrogate_names(moderation.posterior.effects), final_name(moderation.posterior.effects)
    surrogate = surrogates[0] if len(surrogates) == 1 or not page.is_narrow else "surrogate"
    ax.set_xlabel(
        f"Hazard ratio, {' / '.join(surrogates) if not page.is_narrow else surrogate}   (← favours experimental)"
    )
    ax.set_ylabel(f"Hazard ratio, {final}   (← favours experimental)")
    symbols = [Symbol(row["surrogate"], row["final"], symbol_radius(row["size"])) for row in order.to_dict("records")]
    discs = zip(order["comparison"], symbols, strict=True)
    identify_symbols(ax, (MarkedSymbol(name, disc.x, disc.y, 2 * disc.radius) for name, disc in discs))
    if not page.is_narrow:
        corner_text(ax, _summary(moderation), symbols)
    if len(order) <= LABEL_ALL_UP_TO:
        place_labels(ax, [Label(text, symbol) for text, symbol in zip(order["label"], symbols, strict=True)], symbols)
    _colour_bar(ax, moderation, lines, colour, page)
    return ax


def _limits(values: pd.Series) -> tuple[float, float]:
    """Limits of an axis: the values, and HR = 1."""
    return min(float(values.min()), 0.0) - 0.1, max(float(values.max()), 0.0) + 0.12


def _new_axes(x: tuple[float, float], y: tuple[float, float], page: PageStyle) -> Axes:
    """Axes with equal scales, with room for the colour bar on the right, or with one column below."""
    left, bottom, top = 13.0, 11.0, 3.0  # mm
    width = page.width - left - (4.0 if page.is_narrow else KEY)
    height = min(width * (y[1] - y[0]) / (x[1] - x[0]), TALLEST)
    width = height * (x[1] - x[0]) / (y[1] - y[0])
    below = bottom + (BAR_HEIGHT + BAR_HEADING + 2.0 if page.is_narrow else 0.0)
    whole = height + below + top
    figure = style.new_figure(page.width, whole)
    return figure.add_axes((left / page.width, below / whole, width / page.width, height / whole))


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


def _colour_bar(ax: Axes, moderation: Moderation, lines: pd.DataFrame, colour: Any, page: PageStyle) -> None:
    """Draw the scale of the moderator, with the slope and the threshold at each line."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    height = figure.get_figheight() / style.MM
    place = ax.get_position()
    if page.is_narrow:
        left, bottom, tall = 3.0, 3.0, BAR_HEIGHT
    else:
        tall = min(WIDE_BAR, 0.7 * place.height * height)
        left, bottom = place.x1 * page.width + 6.0, place.y1 * height - BAR_HEADING - 2.0 - tall
    bar = figure.add_axes((left / page.width, bottom / height, BAR / page.width, tall / height))
    values = np.sort(moderation.moderator.values)
    places = list(dict.fromkeys(lines["place"]))
    rows = [lines[lines["place"] == place].iloc[0] for place in places]
    if moderation.moderator.levels:
        shades, at = [colour(float(row["value"])) for row in rows], [0.25, 0.75]
    else:
        shades, at = [colour(value) for value in values], [float(place) for place in places]
    bar.imshow(np.array(shades)[:, None, :], aspect="auto", origin="lower", extent=(0, 1, 0, 1))
    words = []
    for row in rows:
        value = float(row["value"])
        slope = f"slope {with_interval(moderation.slope_at(value))}"
        words.append(f"{row['label']}: {slope}\n{_threshold(moderation, value)}")
    bar.set(xticks=[], yticks=at, yticklabels=words)
    bar.yaxis.tick_right()
    name = moderation.moderator.name
    label = MODERATORS.get(name, name)
    definition = moderation.moderator.words.rpartition("definition: ")[2] if moderation.moderator.logarithmic else ""
    heading = f"{label[:1].upper()}{label[1:]}{f' (PPS: {definition})' if definition else ''}"
    bar.set_title(heading, fontsize="small", fontweight="bold", loc="left", pad=4)


def _threshold(moderation: Moderation, value: float) -> str:
    threshold: ThresholdEffect = moderation.line_at(value).thresholds(moderation.model.level)["ste_prediction"]
    if threshold.hr is None:
        return threshold.value_words
    if threshold.status == "two-sided":
        return f"STE {interval(threshold.hr_other, threshold.hr)} only"
    return f"STE {number(threshold.hr)}" + (" (outside the data)" if threshold.status == "outside-data" else "")
