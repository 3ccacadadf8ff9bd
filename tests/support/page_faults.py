"""Faults of a figure at its final size, from its artists: small, overlapping or cut-off text, text over symbols."""

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from surrogacy.figures.labels import HALO
from surrogacy.output.page_style import SMALLEST
from tests.support.drawn_labels import ROUNDING, distance, drawn_circles, overlap


def page_faults(figure):
    """Sentences on text that is below 6 points, overlaps other text, leaves the figure or covers a symbol.

    A number may stand in the middle of its own symbol.
    """
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    scale = figure.dpi / 72
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    texts = [text for text in texts if text.get_gid() != HALO]
    boxes = [text.get_window_extent(renderer).extents / scale for text in texts]
    page = np.asarray(figure.bbox.extents) / scale
    circles = [circle for axes in figure.axes for circle in drawn_circles(axes)]
    for text, box in zip(texts, boxes, strict=True):
        name = text.get_text()
        if text.get_fontsize() < SMALLEST:
            yield f"{name!r} has {text.get_fontsize():.1f} points"
        if (box[:2] < page[:2] - ROUNDING).any() or (box[2:] > page[2:] + ROUNDING).any():
            yield f"{name!r} leaves the figure"
        for circle in circles:
            middle = (box[:2] + box[2:]) / 2
            its_own = text.get_gid() == "number" and np.hypot(*(middle - circle.centre)) < 2
            if not its_own and distance(box, circle.centre) < circle.radius - ROUNDING:
                yield f"{name!r} touches the symbol at {circle.centre}"
    for (first, box), (second, other) in combinations(zip(texts, boxes, strict=True), 2):
        if overlap(box, other):
            yield f"{first.get_text()!r} touches {second.get_text()!r}"
