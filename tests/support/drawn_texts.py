"""Faults of the texts of a figure, from its artists in display coordinates."""

from itertools import combinations

import numpy as np
from matplotlib.axis import Axis, Tick
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from tests.support.drawn_labels import distance, drawn_circles, overlap

SMALLEST = 6.0  # points
TOUCH = 0.5  # points by which the box of a text, which has room for descenders, may reach into a symbol


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


def text_faults(figure):
    """Sentences on texts that are small, touch each other, leave the figure or cover a symbol."""
    texts, frame = list(drawn_texts(figure)), figure.bbox.extents / (figure.dpi / 72)
    for text, box in texts:
        name = text.get_text()
        if text.get_fontsize() < SMALLEST - 1e-6:
            yield f"{name!r} has {text.get_fontsize():.1f} points"
        if (box[:2] < frame[:2] - TOUCH).any() or (box[2:] > frame[2:] + TOUCH).any():
            yield f"{name!r} leaves the figure"
    for (first, box), (second, other) in combinations(texts, 2):
        halo = first.get_text() == second.get_text() and np.allclose(box, other, atol=TOUCH)
        if overlap(box, other) and not halo:
            yield f"{first.get_text()!r} touches {second.get_text()!r}"
    symbols = [symbol for axes in figure.axes for symbol in drawn_symbols(axes)]
    for text, box in texts:
        for centre, radius in symbols:
            if distance(box, centre) < radius - TOUCH:
                yield f"{text.get_text()!r} covers the symbol at {np.round(centre)}"


def drawn_symbols(axes):
    """Centres and radii of the symbols of scatter plots and lines within the axes, points."""
    scale, frame = axes.figure.dpi / 72, axes.get_window_extent().extents / (axes.figure.dpi / 72)
    symbols = [(np.array(circle.centre), circle.radius) for circle in drawn_circles(axes)]
    for line in axes.lines:
        if line.get_marker() not in ("None", None, "") and len(line.get_xdata()):
            places = line.get_transform().transform(np.column_stack(line.get_data())) / scale
            symbols += [(place, line.get_markersize() / 2) for place in places]
    return [(centre, radius) for centre, radius in symbols if distance(frame, centre) == 0]
