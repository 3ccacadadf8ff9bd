"""Names beside symbols: no name touches a symbol, another name or a leader.

Libraries for this purpose move names as rectangles among rectangles or points; here each symbol is a circle with a
radius of its own, so `label_search` chooses the places.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from surrogacy.arrays import FloatArray
from surrogacy.figures import _style as style
from surrogacy.figures.geometry import boxes_overlap, distances, padded
from surrogacy.figures.label_search import CLEARANCE, Places, Surroundings, choose_places

LONGEST_LINE = 24  # characters; longer names are broken into lines
MOST_SEGMENTS = 24  # of a curve
GROUND = 1.5  # points of white around a text
CORNERS = (("right", "bottom"), ("left", "top"), ("left", "bottom"), ("right", "top"))  # in order of preference
LEADER: dict[str, Any] = {"color": "0.25", "lw": 0.5, "zorder": 5.5}


def widest(names: Sequence[str], *, bold: bool = False) -> float:
    """Return the width of the widest of some names in the small size of the style in force, mm."""
    figure, weight = style.new_figure(100, 100), "bold" if bold else "normal"
    texts = (figure.text(0, 0, name, fontsize="small", fontweight=weight) for name in names)
    widths = [text.get_window_extent().width for text in texts]
    return float(max(widths, default=0.0) / figure.dpi / style.MM)


@dataclass(frozen=True)
class Symbol:
    """Circle that encloses a symbol.

    Parameters
    ----------
    x, y : float
        Centre, in the coordinates of the axes.
    radius : float
        Points, with outline and ring.
    """

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Label:
    """Name of a symbol.

    Parameters
    ----------
    text : str
    symbol : Symbol
    bold : bool
    colour : str
    """

    text: str
    symbol: Symbol
    bold: bool = False
    colour: str = style.INK


def symbol_radius(area: float, marker: str = "o", outline: float = 0.6) -> float:
    """Return the radius of the circle that encloses a marker, points.

    Parameters
    ----------
    area : float
        Size of the marker for `Axes.scatter`, points squared.
    marker : {"o", "s", "D"}
    outline : float
        Width of the outline, points.

    Examples
    --------
    >>> symbol_radius(100, outline=0), round(symbol_radius(100, "s", outline=0), 2)
    (5.0, 7.07)
    """
    side = float(np.sqrt(area))
    return (side / 2 if marker == "o" else side / float(np.sqrt(2))) + outline / 2


def place_labels(axes: Axes, labels: Sequence[Label], symbols: Sequence[Symbol]) -> list[Text]:
    """Write names beside their symbols, with a leader to each symbol that is not next to its name.

    Call it after the limits of the axes are set and the lines, texts and legend within the axes are drawn: a name does
    not touch these texts, and it avoids the lines where there is room.

    Parameters
    ----------
    axes : Axes
    labels : sequence of Label
    symbols : sequence of Symbol
        All symbols of the axes; those of the labels are added if they are missing.

    Returns
    -------
    list of Text
        The names, in the order of the labels. A leader has the name as its ``gid``, with ``leader:`` before it.
    """
    if not labels:
        return []
    axes.apply_aspect()
    symbols = tuple(dict.fromkeys([*symbols, *(label.symbol for label in labels)]))
    surroundings = _surroundings(axes, symbols)
    texts = [_text(axes, label) for label in labels]
    places = []
    for label, text in zip(labels, texts, strict=True):
        size = np.asarray(text.get_window_extent().size) / _pixels(axes)
        places.append(Places.around(symbols.index(label.symbol), size, surroundings))
    for index, text, label, options in zip(choose_places(places), texts, labels, places, strict=True):
        _move(axes, text, label, options, index)
    return texts


def corner_text(axes: Axes, lines: Sequence[str], symbols: Sequence[Symbol]) -> Text:
    """Write lines into the corner of the axes in which they cover the fewest symbols, on a white ground below these.

    Parameters
    ----------
    axes : Axes
        With its limits set.
    lines : sequence of str
    symbols : sequence of Symbol
    """
    axes.apply_aspect()
    about = _surroundings(axes, symbols)
    ground = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": GROUND}
    text = axes.text(0, 0, "\n".join(lines), transform=axes.transAxes, fontsize="small", color=style.INK, bbox=ground)
    text.set_zorder(2.8)

    def move(corner: tuple[str, str]) -> None:
        horizontal, vertical = corner
        text.set(ha=horizontal, va=vertical, multialignment=horizontal)
        text.set_position((0.985 if horizontal == "right" else 0.015, 0.985 if vertical == "top" else 0.015))

    def covered(corner: tuple[str, str]) -> int:
        move(corner)
        box = np.asarray(text.get_window_extent().extents)[None] / _pixels(axes)
        symbols_within = distances(box, about.centres) < about.radii + CLEARANCE
        return int(symbols_within.sum() + boxes_overlap(box, about.boxes).sum())

    move(min(CORNERS, key=covered))
    return text


def _surroundings(axes: Axes, symbols: Sequence[Symbol]) -> Surroundings:
    """Frame, symbols, texts and lines of the axes, in points."""
    scale = _pixels(axes)
    legend = axes.get_legend()
    drawn = [*axes.texts, *([legend] if legend is not None else [])]
    boxes = np.array([artist.get_window_extent().extents for artist in drawn]).reshape(-1, 4) / scale
    centres = axes.transData.transform(np.array([(symbol.x, symbol.y) for symbol in symbols]).reshape(-1, 2))
    lines, widths = _segments(axes)
    return Surroundings(
        padded(np.asarray(axes.get_window_extent().extents) / scale, -CLEARANCE),
        centres / scale,
        np.array([symbol.radius for symbol in symbols]),
        padded(boxes, GROUND),
        lines / scale,
        widths,
    )


def _segments(axes: Axes) -> tuple[FloatArray, FloatArray]:
    """Segments of all lines of the axes, in pixels, and their widths, in points."""
    paths = [
        (line.get_path(), line.get_transform(), line.get_linewidth())
        for line in axes.lines
        if line.get_linestyle() != "None"
    ]
    for collection in axes.collections:
        if isinstance(collection, LineCollection):
            width = float(np.max(collection.get_linewidth()))
            paths += [(path, collection.get_transform(), width) for path in collection.get_paths()]
    pieces, widths = [np.zeros((0, 4))], [np.zeros(0)]
    for path, transform, width in paths:
        points = np.asarray(path.transformed(transform).vertices)
        points = points[np.isfinite(points).all(axis=1)]
        points = points[np.unique(np.linspace(0, len(points) - 1, MOST_SEGMENTS + 1).round().astype(int))]
        pieces.append(np.concatenate([points[:-1], points[1:]], axis=1))
        widths.append(np.full(len(points) - 1, width))
    return np.concatenate(pieces), np.concatenate(widths)


def _text(axes: Axes, label: Label) -> Text:
    return axes.text(
        label.symbol.x,
        label.symbol.y,
        textwrap.fill(label.text, LONGEST_LINE),
        fontsize="small",
        color=label.colour,
        fontweight="bold" if label.bold else "normal",
        ha="left",
        va="bottom",
        linespacing=1.0,
        zorder=6,
    )


def _move(axes: Axes, text: Text, label: Label, places: Places, chosen: int) -> None:
    """Move a name to its place, draw its leader, and put a white ground under it where it crosses a line."""
    scale, to_data = _pixels(axes), axes.transData.inverted()
    offset = places.boxes[chosen, :2] - np.asarray(text.get_window_extent().min) / scale
    anchor = axes.transData.transform((label.symbol.x, label.symbol.y)) + offset * scale
    text.set_position(tuple(to_data.transform(anchor)))
    if places.crossings[chosen]:
        text.set_bbox({"facecolor": "white", "alpha": 0.7, "lw": 0, "pad": 0.4})
    if places.has_leader[chosen]:
        ends = to_data.transform(places.leaders[chosen].reshape(2, 2) * scale)
        axes.plot(*ends.T, gid=f"leader:{label.text}", scalex=False, scaley=False, **LEADER)


def _pixels(axes: Axes) -> float:
    """Pixels per point."""
    figure = axes.get_figure(root=True)
    return figure.dpi / 72 if figure is not None else 1.0
