"""Names beside symbols: no name touches a symbol, another name or a leader.

Libraries for this purpose move names as rectangles among rectangles or points; here each symbol is a circle with a
radius of its own, so `label_search` chooses the places.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import Stroke
from matplotlib.text import Text

from surrogacy.arrays import FloatArray
from surrogacy.figures import _style as style
from surrogacy.figures.geometry import distances, padded
from surrogacy.figures.label_search import CLEARANCE, CONFLICT, Places, Surroundings, choose_places
from surrogacy.output.page_style import SMALLEST

LONGEST_LINE = 24  # characters; longer names are broken into lines
MOST_SEGMENTS = 24  # of a curve
GROUND = 1.5  # points of white around a text
HALO, HALO_WIDTH = "halo", 1.8  # identifier of the artists, and points
OUTLINE = 0.6  # points: width of the outline of a symbol
CAPITAL = 0.72  # height of a digit as a share of the size of the type
LEADER: dict[str, Any] = {"color": "0.25", "lw": 0.5, "zorder": 5.5}


def widest(names: Sequence[str], *, bold: bool = False) -> float:
    """Return the width of the widest of some names in the small size of the style in force, mm."""
    return max(text_widths(names, ["bold" if bold else "normal"] * len(names)), default=0.0)


def text_widths(names: Sequence[str], weights: Sequence[str]) -> list[float]:
    """Return the widths of names, each in its font weight, in the small size of the style in force, mm."""
    size = style.font_size_of("small")
    families = tuple(name for kind in mpl.rcParams["font.family"] for name in mpl.rcParams.get(f"font.{kind}", ()))
    return [_text_width(name, weight, size, families) for name, weight in zip(names, weights, strict=True)]


@lru_cache(maxsize=10_000)
def _text_width(text: str, weight: str, size: float, families: tuple[str, ...]) -> float:
    """Width of a text in the style in force, mm; the result is kept for each list of font families."""
    figure = _ruler()
    artist = figure.text(0, 0, text, fontsize=size, fontweight=weight)
    width = float(artist.get_window_extent().width / figure.dpi / style.MM)
    artist.remove()
    return width


@cache
def _ruler() -> Figure:
    """Return the figure on which texts are measured; a new figure for each text would take most of the time."""
    return style.new_figure(100, 100)


@dataclass(frozen=True)
class Symbol:
    """Circles that enclose a symbol and that it encloses.

    Parameters
    ----------
    x, y : float
        Centre, in the coordinates of the axes.
    radius : float
        Of the enclosing circle with outline and ring, points.
    inner : float
        Of the circle within the symbol, points; 0 if it is not known.
    ring : bool
        Whether a ring surrounds the symbol.
    """

    x: float
    y: float
    radius: float
    inner: float = 0.0
    ring: bool = False

    @property
    def rim(self) -> float:
        """Distance from the centre at which a leader ends: a leader to a triangle enters its enclosing circle."""
        return self.inner if self.inner and not self.ring else self.radius


@dataclass(frozen=True)
class Label:
    """Name of a symbol.

    Parameters
    ----------
    text : str
    symbol : Symbol
    bold : bool
    colour : str
    apart : bool
        Whether a leader joins the name to its symbol even where the name could stand next to it.
    """

    text: str
    symbol: Symbol
    bold: bool = False
    colour: str = style.INK
    apart: bool = False


def symbol_radius(area: float, marker: str = "o", outline: float = OUTLINE) -> float:
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
    surroundings = obstacles(axes, symbols)
    texts = [_text(axes, label) for label in labels]
    places = []
    for label, text in zip(labels, texts, strict=True):
        size = np.asarray(text.get_window_extent().size) / style.pixels_per_point(axes)
        around = Places.around(symbols.index(label.symbol), size, surroundings)
        next_to = CONFLICT * ~around.has_leader if label.apart else 0.0
        places.append(replace(around, costs=around.costs + next_to))
    for index, text, label, options in zip(choose_places(places), texts, labels, places, strict=True):
        _move(axes, text, label, options, index)
    return texts


def number_symbols(
    axes: Axes, numbers: Sequence[int], symbols: Sequence[Symbol], others: Sequence[Symbol]
) -> dict[int, str]:
    """Write numbers into the symbols that they fit, and return the other numbers by the place of their symbol.

    Parameters
    ----------
    axes : Axes
    numbers : sequence of int
    symbols : sequence of Symbol
        Of the numbers.
    others : sequence of Symbol
        All symbols of the axes; a number is not written where another symbol covers it.
    page : PageStyle
    """
    about = obstacles(axes, tuple(others))
    outside = {}
    for place, (number, symbol) in enumerate(zip(numbers, symbols, strict=True)):
        text = axes.text(
            symbol.x,
            symbol.y,
            str(number),
            fontsize=SMALLEST,
            color=style.INK,
            ha="center",
            va="center_baseline",
            zorder=6,
            gid="number",
        )
        box = np.asarray(text.get_window_extent().extents) / style.pixels_per_point(axes)
        own = others.index(symbol)
        covered = distances(box, about.centres) < about.radii
        width, height = box[2:] - box[:2]
        is_wide = np.hypot(width, CAPITAL * SMALLEST) > 2 * symbol.inner
        is_high = np.hypot(width, height) > 2 * symbol.radius - OUTLINE
        if is_wide or is_high or np.delete(covered, own).any():
            text.remove()
            outside[place] = str(number)
    return outside


def with_halo(
    axes: Axes, text: Text, *, linespacing: float = 1.2, alignment: str = "left", width: float = HALO_WIDTH
) -> None:
    """Draw a white outline below a text. The text itself stays text in an SVG or PDF, and can be edited."""
    halo = axes.text(
        *text.get_position(),
        text.get_text(),
        transform=text.get_transform(),
        fontproperties=text.get_fontproperties(),
        ha=text.get_horizontalalignment(),
        va=text.get_verticalalignment(),
        multialignment=alignment,
        linespacing=linespacing,
        zorder=text.get_zorder() - 0.1,
        gid=HALO,
    )
    halo.set_path_effects([Stroke(linewidth=width, foreground="white")])


def obstacles(axes: Axes, symbols: Sequence[Symbol]) -> Surroundings:
    """Return frame, symbols, texts and lines of the axes, in points."""
    scale = style.pixels_per_point(axes)
    legend = axes.get_legend()
    drawn = [*axes.texts, *([legend] if legend is not None else [])]
    boxes = np.array([artist.get_window_extent().extents for artist in drawn]).reshape(-1, 4) / scale
    centres = axes.transData.transform(np.array([(symbol.x, symbol.y) for symbol in symbols]).reshape(-1, 2))
    lines, widths = _segments(axes)
    return Surroundings(
        padded(np.asarray(axes.get_window_extent().extents) / scale, -CLEARANCE),
        centres / scale,
        np.array([symbol.radius for symbol in symbols]),
        np.array([symbol.rim for symbol in symbols]),
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
        "\n".join(textwrap.fill(line, LONGEST_LINE) for line in label.text.split("\n")),
        fontsize="small",
        color=label.colour,
        fontweight="bold" if label.bold else "normal",
        ha="left",
        va="bottom",
        linespacing=1.0,
        zorder=6,
    )


def _move(axes: Axes, text: Text, label: Label, places: Places, chosen: int) -> None:
    """Move a name to its place, draw its halo and its leader."""
    scale, to_data = style.pixels_per_point(axes), axes.transData.inverted()
    offset = places.boxes[chosen, :2] - np.asarray(text.get_window_extent().min) / scale
    anchor = axes.transData.transform((label.symbol.x, label.symbol.y)) + offset * scale
    text.set_position(tuple(to_data.transform(anchor)))
    with_halo(axes, text, linespacing=1.0)
    if places.has_leader[chosen]:
        ends = to_data.transform(places.leaders[chosen].reshape(2, 2) * scale)
        axes.plot(*ends.T, gid=f"leader:{label.text}", scalex=False, scaley=False, **LEADER)
