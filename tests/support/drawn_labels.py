"""Faults of the labels that a figure draws, from its artists in display coordinates."""

from dataclasses import dataclass
from itertools import cycle, pairwise

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection

from surrogacy.figures.label_search import NEXT_TO
from surrogacy.figures.labels import HALO
from surrogacy.figures.symbols import IdentifiedSymbols

ROUNDING = 0.3  # points


def identified_symbols(axes):
    """Symbols with an identifier in the SVG, in the order in which they are drawn."""
    artists = [child for child in axes.get_children() if isinstance(child, IdentifiedSymbols)]
    return [symbol for artist in artists for symbol in artist.symbols]


@dataclass(frozen=True)
class Circle:
    """Circle around a symbol, and the radius of the circle within it; equal for a round symbol."""

    centre: tuple[float, float]
    radius: float
    inner: float


def circle(centre, size, path):
    """Circles around and within a symbol of a size in points squared, whose shape is a path."""
    round_ = len(path.vertices) > 10
    unit = path.get_extents().width / 2 if round_ else float(np.hypot(*path.vertices.T).max())
    inner = unit if round_ else distance_of_edges(path.vertices)
    return Circle(tuple(centre), unit * size**0.5, inner * size**0.5)


def drawn_circles(axes):
    """Circles around all symbols of the scatter plots, points."""
    scale = axes.figure.dpi / 72
    circles = []
    for collection in axes.collections:
        if isinstance(collection, PathCollection):
            offsets = axes.transData.transform(collection.get_offsets()) / scale
            sizes = np.broadcast_to(collection.get_sizes(), len(offsets))
            shapes = cycle(collection.get_paths())  # one for all symbols, or one for each
            circles += [circle(*entry) for entry in zip(offsets, sizes, shapes, strict=False)]
    return circles


def label_faults(axes, labels, symbols=()):
    """Sentences on labels that touch a symbol, a label or a leader, leave the axes, or lack their leader.

    ``labels`` maps names to the data coordinates of their symbols; ``symbols`` are circles that are no scatter plot.
    """
    scale = axes.figure.dpi / 72
    renderer = FigureCanvasAgg(axes.figure).get_renderer()  # of this resolution
    frame = axes.get_window_extent().extents / scale
    circles = [*drawn_circles(axes), *symbols]
    texts = {text.get_text().replace("\n", " "): text for text in axes.texts if text.get_gid() != HALO}
    boxes = {name: texts[name].get_window_extent(renderer).extents / scale for name in labels}
    fixed = {f"the text {name!r}": text.get_window_extent(renderer).extents / scale for name, text in texts.items()}
    leaders = {
        line.get_gid().removeprefix("leader:"): axes.transData.transform(line.get_xydata()) / scale
        for line in axes.lines
        if (line.get_gid() or "").startswith("leader:")
    }
    for name, box in boxes.items():
        if (box[:2] < frame[:2] - ROUNDING).any() or (box[2:] > frame[2:] + ROUNDING).any():
            yield f"{name} leaves the axes"
        for circle in circles:
            if distance(box, circle.centre) < circle.radius - ROUNDING:
                yield f"{name} touches the symbol at {circle.centre}"
        for other, rectangle in fixed.items():
            if other != f"the text {name!r}" and overlap(box, rectangle):
                yield f"{name} touches {other}"
        centre = axes.transData.transform(labels[name]) / scale
        at_centre = [circle for circle in circles if np.hypot(*(circle.centre - centre)) < 1e-6]
        outermost = max(at_centre, key=lambda circle: circle.radius)
        if distance(box, centre) - outermost.radius > NEXT_TO + 1 and name not in leaders:
            yield f"{name} has no leader"
        if name in leaders:
            start, end = leaders[name]
            rim = np.hypot(*(end - centre))
            if distance(box, start) > 1 or not outermost.inner - 1.5 < rim < outermost.radius + 1.5:
                yield f"the leader of {name} does not join it to its symbol"
    for name, leader in leaders.items():
        points = leader[0] + np.linspace(0, 1, 60)[:, None] * (leader[1] - leader[0])
        for other, box in boxes.items():
            if other != name and any(distance(box, point) == 0 for point in points):
                yield f"the leader of {name} crosses {other}"
        for other, (start, end) in leaders.items():
            if name < other and np.ptp(turns(*leader, start, end)) == 2 and np.ptp(turns(start, end, *leader)) == 2:
                yield f"the leaders of {name} and {other} cross"


def distance_of_edges(corners):
    """Distance of the edges of a polygon, whose first corner is its last, from the origin."""
    return min(
        abs(start[0] * end[1] - start[1] * end[0]) / np.hypot(*(end - start))
        for start, end in pairwise(corners)
        if np.hypot(*(end - start)) > 0
    )


def distance(box, point):
    return float(np.hypot(*(np.clip(point, box[:2], box[2:]) - point)))


def overlap(first, second):
    return bool((first[:2] < second[2:] - ROUNDING).all() and (second[:2] < first[2:] - ROUNDING).all())


def turns(start, end, *points):
    """Side of the line from start to end on which each point lies."""
    step = end - start
    return [np.sign(step[0] * (point - start)[1] - step[1] * (point - start)[0]) for point in points]
