"""Faults of a figure on the page of a journal: size, texts, lines and colours of all that is drawn."""

from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from surrogacy.figures.labels import HALO
from tests.support.drawn_colours import colours_of, hues, key_entries
from tests.support.drawn_labels import ROUNDING, distance, drawn_circles

MM = 25.4
TALLEST = 247.0  # mm, of a page
SMALLEST, THINNEST = 6.0, 0.5  # points
MOST_HUES = 5
CENTRED = 1.0  # points between the centres of a symbol and of its number
DIGIT = 0.72  # height of a digit in the size of its type; the box of a text has room for descenders


def page_faults(figure, page):
    """Sentences on what a journal would return to the authors; none for a figure without fault."""
    yield from size_faults(figure, page)
    yield from text_faults(figure)  # draws the figure
    yield from line_faults(figure)
    yield from colour_faults(figure)


def size_faults(figure, page):
    """Sentences on a figure that is not of the width of the page, or higher than a page."""
    width, height = figure.get_size_inches() * MM
    if abs(width - page.width) > 0.1:
        yield f"{width:.1f} mm wide on a page of {page.width:.1f} mm"
    if height > TALLEST:
        yield f"{height:.0f} mm high"


def text_faults(figure):
    """Sentences on texts that are small, touch each other, leave the figure or cover a symbol."""
    texts = [(text, box) for text, box in drawn_texts(figure) if text.get_gid() != HALO]
    frame = figure.bbox.extents / (figure.dpi / 72)
    for text, box in texts:
        name = text.get_text()
        if text.get_fontsize() < SMALLEST - 1e-6:
            yield f"{name!r} has {text.get_fontsize():.1f} points"
        if (box[:2] < frame[:2] - ROUNDING).any() or (box[2:] > frame[2:] + ROUNDING).any():
            yield f"{name!r} leaves the figure"
    if not texts:
        return
    boxes = np.array([box for _, box in texts])
    for first, second in np.argwhere(np.triu(depths(boxes, boxes) > ROUNDING, 1)):
        yield f"{texts[first][0].get_text()!r} overlaps {texts[second][0].get_text()!r}"
    symbols = [symbol for axes in figure.axes for symbol in drawn_symbols(axes)]
    if not symbols:
        return
    centres, radii = np.array([centre for centre, _ in symbols]), np.array([radius for _, radius in symbols])
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    covered = np.linalg.norm(np.clip(centres, low, high) - centres, axis=-1) < radii - ROUNDING
    # a number within its symbol identifies it
    centred = np.linalg.norm((low + high) / 2 - centres, axis=-1) < CENTRED
    digits = DIGIT * np.array([text.get_fontsize() for text, _ in texts])
    within = np.hypot(boxes[:, 2] - boxes[:, 0], digits)[:, None] < 2 * radii + ROUNDING
    for text, symbol in np.argwhere(covered & ~(centred & within)):
        yield f"{texts[text][0].get_text()!r} covers the symbol at {np.round(centres[symbol])}"


def drawn_texts(figure):
    """Texts that a reader sees with their boxes in points; of the numbers of an axis those within its limits."""
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    scale = figure.dpi / 72
    hidden = set()
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        span = 1e-6 * (high - low)
        for tick in [*axis.majorTicks, *axis.minorTicks]:
            if not low - span <= tick.get_loc() <= high + span:
                hidden |= {tick.label1, tick.label2}
    for tick in figure.findobj(Tick):
        hidden |= {label for label in (tick.label1, tick.label2) if not tick.get_visible()}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in hidden:
            yield text, text.get_window_extent(renderer).extents / scale


def depths(first, second):
    """Depth to which each box of one list reaches into each box of another, negative if they are apart."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    return (np.minimum(first[:, None, 2:], second[None, :, 2:]) - low).min(axis=-1)


def drawn_symbols(axes):
    """Centres and radii of the symbols within axes, points, without the invisible discs of `identify_symbols`."""
    scale = axes.figure.dpi / 72
    frame = axes.get_window_extent().extents / scale
    symbols = [(np.array(circle.centre), circle.radius) for circle in drawn_circles(axes)]
    for line in axes.lines:
        if line.get_visible() and line.get_alpha() != 0 and line.get_marker() not in ("None", None, ""):
            places = line.get_transform().transform(np.column_stack(line.get_data())) / scale
            symbols += [(place, line.get_markersize() / 2) for place in places]
    return [(centre, radius) for centre, radius in symbols if distance(frame, centre) == 0]


def drawn_artists(artist):
    """Visible artists below an artist that themselves leave ink; not the texts, and not the halos behind them."""
    for child in artist.get_children():
        if child.get_visible() and child.get_gid() != HALO:
            yield child
            if not (isinstance(child, Axes) and not child.axison):
                yield from drawn_artists(child)


def line_faults(figure):
    """Sentences on lines and outlines that are thinner than half a point."""
    for artist in drawn_artists(figure):
        for width in line_widths(artist):
            if 0 < width < THINNEST - 1e-6:
                name = artist.get_label() or artist.get_gid() or ""
                yield f"{type(artist).__name__} {name} has a line of {width:.2f} points"
                break


def line_widths(artist):
    """Widths of the visible lines of an artist, points."""
    if isinstance(artist, Line2D):
        if artist.get_alpha() == 0 or not len(artist.get_xdata()):
            return
        if artist.get_linestyle() != "None":
            yield artist.get_linewidth()
        if artist.get_marker() not in ("None", None, "") and artist.get_markeredgecolor() != "none":
            yield artist.get_markeredgewidth()
    elif isinstance(artist, Collection):
        if len(artist.get_edgecolor()) and (artist.get_edgecolor()[:, 3] > 0).any():
            yield from artist.get_linewidth()
    elif isinstance(artist, Patch) and artist.get_edgecolor()[3] > 0:
        yield artist.get_linewidth()


def colour_faults(figure):
    """Sentences on too many hues, and on entries of a key that a deuteranope or a copy in grey does not distinguish."""
    colours = [colour for artist in drawn_artists(figure) for colour in colours_of(artist)]
    if (count := hues(colours)) > MOST_HUES:
        yield f"{count} hues"
    for legend in figure.findobj(Legend):
        for first, second in combinations(key_entries(legend), 2):
            if not first.differs(second):
                yield f"{first.label!r} looks like {second.label!r}"
