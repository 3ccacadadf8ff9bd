"""Layout of the bubble plot: limits and size of its axes, room for the table of names, texts in the corners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surrogacy.arrays import FloatArray
from surrogacy.evaluation.new_trial import PredictedTrial
from surrogacy.evaluation.surrogate_only import SurrogateOnlyMark
from surrogacy.figures import _style as style
from surrogacy.figures.geometry import boxes_overlap, distances, padded, segments_meet_boxes
from surrogacy.figures.labels import Symbol, obstacles, text_widths, with_halo
from surrogacy.output.page_style import PageStyle
from surrogacy.stats.far_values import lowest_if_far

LEFT, RIGHT, BOTTOM, TOP, GAP = 12.0, 3.0, 10.0, 2.0, 2.5  # mm around the axes, and between axes and table
LINE = 1.22  # height of a row of the table in sizes of type
# heights of the axes as shares of their width: of one column, beside or above a table, and without a table
NARROW_HEIGHTS, TABLE_HEIGHTS, WIDE_HEIGHTS = (0.78, 1.0), (0.56, 0.78), (0.56, 0.66)
PAD = 0.09  # log HR around the symbols
REACH, WHOLE = 0.35, 0.6  # shares of the range of the symbols by which cut and uncut intervals may exceed it
EDGE = 0.07  # distance of a symbol off the scale from all others as a share of their range
CORNER_HALO, GROUND = 3.0, 0.8  # points of white around a text, and opacity of the ground of a key
INSET = 4.0  # points between a text in a corner and the axes
FREE = 1.5  # points between such a text and a symbol
STEP, MOST_STEPS = 0.04, 16  # extensions of the vertical axis that make room for the corners
ON_THIN_LINE, ON_INTERVAL = 0.4, 1.5  # costs of a text on a thin line or on an interval, in steps
GUIDE = 0.9  # points: width that marks a line as an interval
CORNERS = ("upper left", "lower right", "lower left", "upper right")

type Limits = tuple[float, float]


@dataclass(frozen=True)
class NameTable:
    """Table of the numbered names, in millimetres from the lower left corner of the figure.

    Parameters
    ----------
    top : float
    row : float
        Height of a row.
    columns : tuple of float
        Left edges of the columns.
    rows : int
        Rows of a column.
    """

    top: float
    row: float
    columns: tuple[float, ...]
    rows: int


@dataclass(frozen=True)
class BubbleLayout:
    """Sizes of the bubble plot, mm.

    Parameters
    ----------
    height : float
        Of the figure.
    axes : tuple of float
        Left, bottom, width and height of the axes.
    table : NameTable or None
    """

    height: float
    axes: tuple[float, float, float, float]
    table: NameTable | None = None


def layout(x: Limits, y: Limits, cells: Sequence[float], page: PageStyle, label_lines: int = 1) -> BubbleLayout:
    """Return the layout for a page: a table stands beside the axes of two columns, else below them.

    Parameters
    ----------
    x, y : tuple of float
        Limits of the axes, log hazard ratio.
    cells : sequence of float
        Widths of the numbers with their names and the space behind them, mm; no table if there is none.
    page : PageStyle
    label_lines : int
        Lines of the label of the horizontal axis.
    """
    ratio = (y[1] - y[0]) / (x[1] - x[0])
    low, high = NARROW_HEIGHTS if page.is_narrow else TABLE_HEIGHTS if cells else WIDE_HEIGHTS
    row = LINE * page.small_size * style.POINT

    bottom = BOTTOM + (label_lines - 1) * LINE * page.type_size * style.POINT

    def height_of(width: float) -> float:
        return float(np.clip(ratio, low, high)) * width

    width = page.width - LEFT - RIGHT
    height = height_of(width)
    if not cells:
        return BubbleLayout(height + bottom + TOP, (LEFT, bottom, width, height))
    widths = [_column_widths(cells, number) for number in range(1, len(cells) + 1)]
    if page.columns < 2:
        columns = [option for option in widths if sum(option) <= page.width - 2 * GAP] or widths[:1]
        chosen = columns[-1]
        rows = ceil(len(cells) / len(chosen))
        below = rows * row + GAP
        space = (page.width - GAP - sum(chosen)) / len(chosen)
        table = NameTable(below, row, _edges(GAP, [width + space for width in chosen]), rows)
        return BubbleLayout(height + below + bottom + TOP, (LEFT, bottom + below, width, height), table)
    chosen = next(
        option
        for option in widths
        if ceil(len(cells) / len(option)) * row <= height_of(width - sum(option) - GAP) or sum(option) > width / 3
    )
    rows = ceil(len(cells) / len(chosen))
    width -= sum(chosen) + GAP
    height = max(height_of(width), rows * row)
    table = NameTable(bottom + height, row, _edges(LEFT + width + RIGHT + GAP, chosen), rows)
    return BubbleLayout(height + bottom + TOP, (LEFT, bottom, width, height), table)


def _column_widths(cells: Sequence[float], columns: int) -> list[float]:
    """Widths of the columns, each filled before the next."""
    rows = ceil(len(cells) / columns)
    return [max(cells[start : start + rows]) for start in range(0, len(cells), rows)]


def _edges(left: float, widths: Sequence[float]) -> tuple[float, ...]:
    return tuple(left + sum(widths[:place]) for place in range(len(widths)))


def axis_label(words: str, remark: str, page: PageStyle) -> str:
    """Return a label of the horizontal axis, in two lines if one does not fit."""
    line = f"{words} {remark}"
    (width,) = text_widths([line], ["normal"])
    room = page.width - LEFT - RIGHT
    return line if width * page.type_size / page.small_size < room else f"{words}\n{remark}"


def new_axes(sizes: BubbleLayout, page: PageStyle) -> Axes:
    """Return the axes of a new figure."""
    left, bottom, width, height = sizes.axes
    figure = style.new_figure(page.width, sizes.height)
    return figure.add_axes((left / page.width, bottom / sizes.height, width / page.width, height / sizes.height))


def axis_limits(
    data: pd.DataFrame,
    with_intervals: pd.DataFrame,
    surrogate_only: Sequence[SurrogateOnlyMark],
    new_trial: PredictedTrial | None,
) -> tuple[Limits, Limits]:
    """Return the limits of both axes: the points, the intervals that are drawn up to a maximum, and HR = 1."""
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
        values = [*data[f"{name}_place"], *points[name]]
        low, high = min(values), max(values)
        reach = REACH * max(high - low, 0.5)
        whole = reach * WHOLE / REACH
        shown = [low, high, *ends[name], *with_intervals[f"{name}_low"], *with_intervals[f"{name}_high"]]
        low = min(shown) if low - min(shown) <= whole else low - reach
        high = max(shown) if max(shown) - high <= whole else high + reach
        limits.append((min(low, 0.0) - PAD, max(high, 0.0) + PAD))
    return limits[0], limits[1]


def with_places(data: pd.DataFrame, *, crowded: bool) -> pd.DataFrame:
    """Return the data with the place of each symbol and the side on which it is off the scale.

    Among many comparisons, one that is far from all others would leave an empty region between them and press the
    others together. Its symbol is placed at the edge of the axes, unless it is in focus.

    Parameters
    ----------
    data : DataFrame
        Columns surrogate, final (log HR) and focus.
    crowded : bool

    Returns
    -------
    DataFrame
        Also surrogate_place and final_place (log HR), and off_scale: ``<``, ``>``, ``v``, ``^``, or nothing.
    """
    places = {name: data[name].to_numpy(copy=True) for name in ("surrogate", "final")}
    off_scale, in_focus = [""] * len(data), data["focus"].tolist()
    for name, sides in (("surrogate", "<>"), ("final", "v^")) if crowded else ():
        for side, sign in zip(sides, (1.0, -1.0), strict=True):
            along = sign * data[name].to_numpy()
            farthest = lowest_if_far(along)
            if farthest is not None and not in_focus[farthest]:
                others = np.append(np.delete(along, farthest), 0.0)
                places[name][farthest] = sign * float(others.min() - EDGE * np.ptp(others))
                off_scale[farthest] += side
    return data.assign(surrogate_place=places["surrogate"], final_place=places["final"], off_scale=off_scale)


def fill_corners(
    ax: Axes,
    handles: Sequence[Any],
    lines: Sequence[str],
    symbols: Sequence[Symbol],
    page: PageStyle,
    crossing: Sequence[FloatArray] = (),
    floor: float = INSET,
) -> None:
    """Draw a key and lines of text in two corners without symbols; the vertical axis is extended until there are two.

    Parameters
    ----------
    ax : Axes
        With its limits and the lines that the texts avoid.
    handles : sequence of artists
        Entries of the key; no key without an entry.
    lines : sequence of str
    symbols : sequence of Symbol
    page : PageStyle
    crossing : sequence of (2, 2) array
        Ends of intervals that are drawn later, a point per row, in the coordinates of the axes.
    floor : float
        Points between the horizontal axis and a text above it.
    """
    artists: list[Any] = []
    if handles:
        key = ax.legend(
            handles=handles,
            loc="upper left",
            borderaxespad=INSET / page.small_size,
            borderpad=0,
            handlelength=1.2,
            handletextpad=0.5,
            labelspacing=0.3,
            fontsize=page.small_size,
            frameon=True,
            framealpha=GROUND,
            edgecolor="none",
        )
        key.get_frame().set_linewidth(0)
        artists.append(key)
    text = ax.text(0, 0, "\n".join(lines), transform=ax.transAxes, fontsize=page.small_size, color=style.INK)
    artists.append(text)
    scale = style.pixels_per_point(ax)
    sizes = [np.asarray(artist.get_window_extent().size) / scale for artist in artists]
    limits = ax.get_ylim()
    guides = [ax.plot(*ends.T, lw=GUIDE, scalex=False, scaley=False)[0] for ends in crossing]
    choices: list[tuple[float, tuple[float, float], tuple[str, ...]]] = []
    for above, below in sorted(product(range(MOST_STEPS), repeat=2), key=sum):
        if choices and min(choice[0] for choice in choices) <= above + below:
            break  # further extensions cost more
        span = limits[1] - limits[0]
        extended = limits[0] - below * STEP * span, limits[1] + above * STEP * span
        ax.set_ylim(extended)
        cost, corners = _best_corners(ax, sizes, symbols, floor)
        choices.append((cost + above + below, extended, corners))
    for guide in guides:
        guide.remove()
    _, extended, corners = min(choices, key=lambda choice: choice[0])
    style.hazard_ratio_axis(ax, "y", *extended)
    vertical, horizontal = corners[-1].split()
    frame = np.asarray(ax.get_window_extent().size) / scale
    inset, raised = INSET / frame, floor / frame[1]
    if handles:
        key.set_loc(corners[0])
        key.set_bbox_to_anchor((0, raised - inset[1], 1, 1 - raised + inset[1]), ax.transAxes)
    text.set(ha=horizontal, va={"upper": "top", "lower": "bottom"}[vertical], multialignment=horizontal)
    text.set_position(
        (
            1 - inset[0] if horizontal == "right" else inset[0],
            1 - inset[1] if vertical == "upper" else raised,
        )
    )
    with_halo(ax, text, alignment=horizontal, width=CORNER_HALO)


def _best_corners(
    ax: Axes, sizes: Sequence[FloatArray], symbols: Sequence[Symbol], floor: float
) -> tuple[float, tuple[str, ...]]:
    """Corners of texts with the lowest cost: steps for symbols and the line that they cover, less for thin lines."""
    about = obstacles(ax, symbols)
    left, bottom, right, top = padded(about.frame, -INSET)

    def box(corner: str, size: FloatArray) -> FloatArray:
        x = left if corner.endswith("left") else right - size[0]
        y = bottom + floor - INSET if corner.startswith("lower") else top - size[1]
        return np.array([x, y, x + size[0], y + size[1]])

    def cost(corner: str, size: FloatArray) -> float:
        place = box(corner, size)
        covered = (distances(place, about.centres) < about.radii + FREE).sum()
        crossed = about.widths[segments_meet_boxes(about.lines, padded(place, FREE)[None])[:, 0]]
        lines = ON_INTERVAL * (crossed == GUIDE).any() + ON_THIN_LINE * (crossed > 0).any()
        return float(MOST_STEPS**2 * (covered + (crossed > 1).any()) + lines)

    costs = {(corner, place): cost(corner, size) for corner in CORNERS for place, size in enumerate(sizes)}
    options = []
    for corners in permutations(CORNERS, len(sizes)):
        places = np.array([box(corner, size) for corner, size in zip(corners, sizes, strict=True)])
        touching = boxes_overlap(padded(places, FREE), places).sum() - len(sizes)
        covered = sum(costs[corner, place] for place, corner in enumerate(corners))
        options.append((covered + float(MOST_STEPS**2 * touching), corners))
    return min(options, key=lambda option: option[0])
