"""Surrogacy lines with and without added trials, with their prediction bands and all comparisons."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from surrogacy.errors import UsageError
from surrogacy.figures import _style as style
from surrogacy.figures.bubble import LABEL_ALL_UP_TO, bubble_data, draw_bubbles
from surrogacy.figures.bubble_layout import BOTTOM, LEFT, RIGHT, axis_label, with_places
from surrogacy.figures.bubble_text import surrogate_words
from surrogacy.figures.labels import Label, place_labels
from surrogacy.figures.symbols import MarkedSymbol, identify_symbols
from surrogacy.output.page_style import DEFAULT_PAGE, PageStyle
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.format import with_interval
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

POINTS = 60  # of a line
PAD = 0.09  # log HR around the symbols
BEFORE = "0.35"
KEY_ENTRIES, KEY_LINE = 5, 1.55  # height of a line of the key in sizes of type
NARROW_HEIGHT, WIDE_HEIGHT = 0.9, 0.6  # of the axes as shares of their width
SHORT_DASHES, LONG_DASHES = (0, (4, 2)), (0, (6, 2))


def added_data(before: Result, after: Result) -> pd.DataFrame:
    """Return both lines with their prediction bands, over the surrogate effects of either set.

    Parameters
    ----------
    before, after : Result
        Fits of one model without and with the added trials.

    Returns
    -------
    DataFrame
        fit (``before`` or ``after``), surrogate, final, low, high: log hazard ratios.

    Raises
    ------
    UsageError
        If a fit has no line.

    Examples
    --------
    >>> import surrogacy
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> fits = [surrogacy.models.WeightedRegression().fit(data) for data in (effects.without_trial("reflect"), effects)]
    >>> sorted(set(added_data(*fits)["fit"]))
    ['after', 'before']
    """
    frames = []
    for name, result in (("before", before), ("after", after)):
        if result.line is None:
            raise UsageError(f"{result.model} has no line to draw")
        x = np.linspace(*result.line.data_range, POINTS)
        final, low, high = result.line.predict(x)
        frames.append(pd.DataFrame({"fit": name, "surrogate": x, "final": final, "low": low, "high": high}))
    return pd.concat(frames, ignore_index=True)


def plot_added(
    before: Result,
    after: Result,
    ax: Axes | None = None,
    *,
    added: Collection[str] = (),
    page: PageStyle = DEFAULT_PAGE,
) -> Axes:
    """Draw both lines with their prediction bands, and the comparisons with a ring around the added ones.

    Parameters
    ----------
    before, after : Result
        Fits of one model without and with the added trials.
    ax : Axes, optional
        Default: a new figure of the width of the page.
    added : collection of str
        Names of the added comparisons.
    page : PageStyle
        Page for which the figure is laid out.

    Raises
    ------
    UsageError
        If a fit has no line.
    """
    lines, data = added_data(before, after), bubble_data(after)
    label = axis_label(f"Hazard ratio for {surrogate_words(after.effects)}", "(< 1 favours experimental)", page)
    data = data.assign(focus=data["comparison"].isin(list(added)), stage="", **{"class": ""})
    data = with_places(data, crowded=False)
    if ax is None:
        ax = _new_axes(page, label.count("\n") + 1)
    x, y = ([*data[name], 0.0] for name in ("surrogate", "final"))
    style.hazard_ratio_axis(ax, "x", min(x) - PAD, max(x) + PAD)
    style.hazard_ratio_axis(ax, "y", *_vertical_limits(lines, y))
    ax.axhline(0, color="0.62", lw=0.6, zorder=0)
    ax.axvline(0, color="0.62", lw=0.6, zorder=0)
    fixed: dict[str, Any] = {"scalex": False, "scaley": False}
    for name, line in lines.groupby("fit"):
        earlier = name == "before"
        colour = BEFORE if earlier else style.LINE_COLOUR
        if not earlier:
            ax.fill_between(line["surrogate"], line["low"], line["high"], color=colour, alpha=0.11, lw=0, zorder=0.5)
        for edge in ("low", "high"):
            ax.plot(line["surrogate"], line[edge], color=colour, lw=0.7, ls=SHORT_DASHES, zorder=1, **fixed)
        look = LONG_DASHES if earlier else "-"
        ax.plot(line["surrogate"], line["final"], color=colour, lw=1.4, ls=look, zorder=2.2 if earlier else 2, **fixed)
    symbols = draw_bubbles(ax, data, page)
    discs = zip(data["comparison"], symbols, strict=True)
    identify_symbols(ax, (MarkedSymbol(name, disc.x, disc.y, 2 * disc.radius) for name, disc in discs))
    ax.set_xlabel(label)
    ax.set_ylabel(f"Hazard ratio for {final_name(after.effects)}")
    title = f"{set_label(after.effects.name) or 'Effects'}: {model_label(after.model)}"
    ax.legend(
        handles=_key(before, after),
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=_key_columns(page),
        fontsize="small",
        handlelength=2.2,
        title=title,
        title_fontproperties={"weight": "bold"},
        alignment="left",
    )
    shown = data if len(data) <= LABEL_ALL_UP_TO else data[data["focus"]]
    names = zip(shown.index, shown["label"], shown["focus"], strict=True)
    place_labels(ax, [Label(label, symbols[i], bold) for i, label, bold in names], symbols)
    style.clear_spines(ax)
    return ax


def _key_columns(page: PageStyle) -> int:
    return 1 if page.is_narrow else 2


def _new_axes(page: PageStyle, label_lines: int) -> Axes:
    """Axes of a new figure with room for the key above them."""
    line = KEY_LINE * page.small_size * style.POINT
    rows = ceil(KEY_ENTRIES / _key_columns(page)) + 1  # and the title
    bottom, width = BOTTOM + (label_lines - 1) * line, page.width - LEFT - RIGHT
    axes_height = (NARROW_HEIGHT if page.is_narrow else WIDE_HEIGHT) * width
    height = bottom + axes_height + (rows + 1) * line
    figure = style.new_figure(page.width, height)
    return figure.add_axes((LEFT / page.width, bottom / height, width / page.width, axes_height / height))


def _vertical_limits(lines: pd.DataFrame, final: list[float]) -> tuple[float, float]:
    """Limits that hold all symbols, and the bands up to half of the range of the symbols beyond them."""
    low, high = min(final), max(final)
    reach = 0.5 * max(high - low, 0.5)
    bottom, top = max(lines["low"].min(), low - reach), min(lines["high"].max(), high + reach)
    return min(bottom, low) - PAD, max(top, high) + PAD


def _key(before: Result, after: Result) -> list[Line2D | Patch]:
    """Entries of the key: both lines with their slopes, the bands, and the ring."""
    entries: list[Line2D | Patch] = []
    for result, name, colour, look in (
        (after, "with", style.LINE_COLOUR, "-"),
        (before, "without", BEFORE, LONG_DASHES),
    ):
        label = f"{name}: k = {len(result.effects)}, slope {with_interval(result.estimate('slope'))}"
        entries.append(Line2D([], [], color=colour, lw=1.4, ls=look, label=label))
    entries.append(Line2D([], [], lw=0, marker="o", mfc="none", mec=style.LINE_COLOUR, mew=1.3, ms=7, label="added"))
    entries.append(Patch(facecolor="#F7E3E6", edgecolor=style.LINE_COLOUR, lw=0.7, label="95% prediction band, with"))
    entries.append(Line2D([], [], color=BEFORE, lw=0.8, ls=SHORT_DASHES, label="95% prediction band, without"))
    return entries
