"""Choice of the places of names beside symbols: candidates, their costs, and a search for the best combination.

A name has candidate places all around its symbol, next to it and further away. The places of all names together are
chosen by their cost: a conflict costs more than any distance. The search is deterministic. All lengths are points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.figures.geometry import (
    PARALLEL,
    boxes_overlap,
    distances,
    distances_to_segments,
    nearest_points,
    padded,
    segments_cross,
    segments_meet_boxes,
)

NEXT_TO = 3.0  # points: a name at a larger distance from its symbol has a leader
GAPS = (1.2, 2.0, 3.0, 5.0, 7.5, 10.5, 14.0, 18.0, 23.0, 29.0, 36.0, 44.0, 54.0, 66.0, 80.0)  # name to symbol, points
DIRECTIONS = 24
MOST_PLACES = 180  # of a name, without its worst ones
DISTINCT = 5.0  # points by which a name should be nearer to its own symbol than to any other
CLEARANCE = 0.8  # points between a name and any symbol, name or leader

# costs in points of distance: conflicts outweigh every distance, and crossing a line of the figure is a blemish
CONFLICT, OUTSIDE = 1000.0, 5000.0
LEADER_OVER_SYMBOL = 60.0  # or over a text
WITH_LEADER, AMBIGUOUS = 6.0, 10.0
ON_LINE, MOST_ON_LINES = 12.0, 30.0  # the first per point of line width
TO_THE_LEFT, BELOW = 1.5, 0.7
SWEEPS, STARTS, MOST_STARTS = 12, 3, 34  # further starts only while names conflict


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Obstacles that a name avoids, in points from the corner of the figure.

    Parameters
    ----------
    frame : (4,) array
        Box of the axes.
    centres : (k, 2) array
    radii : (k,) array
        Of the symbols.
    rims : (k,) array
        Distances from the centres at which leaders end.
    boxes : (m, 4) array
        Texts and the legend.
    lines : (n, 4) array
        Segments of the lines.
    widths : (n,) array
        Of the lines.
    """

    frame: FloatArray
    centres: FloatArray
    radii: FloatArray
    rims: FloatArray
    boxes: FloatArray
    lines: FloatArray
    widths: FloatArray


@dataclass(frozen=True, eq=False)
class Places:
    """Candidate places of a name.

    Parameters
    ----------
    boxes : (c, 4) array
    leaders : (c, 4) array
        From the name to the rim of the symbol.
    has_leader : (c,) array
    costs : (c,) array
        Cost of each place without the other names.
    crossings : (c,) array
        Total width of the lines of the figure that run through the name.
    """

    boxes: FloatArray
    leaders: FloatArray
    has_leader: BoolArray
    costs: FloatArray
    crossings: FloatArray

    @classmethod
    def around(cls, own: int, size: FloatArray, about: Surroundings) -> Places:
        """Return the places around a symbol for a name of a width and height."""
        centre, radius = about.centres[own], about.radii[own]
        boxes, angles = _boxes_around(centre, radius, size)
        gaps = distances(boxes, centre) - radius
        near = nearest_points(boxes, centre)
        away = near - centre
        rim = centre + about.rims[own] * away / np.hypot(*away.T).clip(min=1e-9)[:, None]
        leaders = np.concatenate([near, rim], axis=1)
        others = np.arange(len(about.centres)) != own
        centres, radii = about.centres[others], about.radii[others]
        rims = distances(boxes[:, None], centres[None]) - radii
        nearest = rims.min(axis=1, initial=np.inf)
        has_leader = (gaps > NEXT_TO) | (nearest < gaps)
        over_symbol = (distances_to_segments(leaders, centres) < radii).sum(axis=1)
        crossings = np.zeros(len(boxes))
        for width in np.unique(about.widths):
            lines, wider = about.lines[about.widths == width], padded(boxes, CLEARANCE + width / 2)
            crossings += width * segments_meet_boxes(lines, wider).sum(axis=0)
        outside = (about.frame[:2] - boxes[:, :2]).clip(min=0) + (boxes[:, 2:] - about.frame[2:]).clip(min=0)
        costs = (
            gaps
            + TO_THE_LEFT * (1 - np.cos(angles)) / 2
            + BELOW * (1 - np.sin(angles)) / 2
            + WITH_LEADER * has_leader
            + AMBIGUOUS * (1 - (nearest - gaps) / DISTINCT).clip(0, 1)
            + np.minimum(ON_LINE * crossings, MOST_ON_LINES)
            + LEADER_OVER_SYMBOL * has_leader * (over_symbol + segments_meet_boxes(leaders, about.boxes).sum(axis=1))
            + CONFLICT * ((CLEARANCE - rims).clip(min=0) + (rims < CLEARANCE)).sum(axis=1)
            + CONFLICT * boxes_overlap(boxes, padded(about.boxes, CLEARANCE)).sum(axis=1)
            + OUTSIDE * outside.sum(axis=1)
        )
        chosen = np.argsort(costs, kind="stable")[:MOST_PLACES]
        return cls(boxes[chosen], leaders[chosen], has_leader[chosen], costs[chosen], crossings[chosen])


class _Search:
    """Places of all names in one list, and the numbers of conflicts of each with the chosen places.

    Parameters
    ----------
    places : sequence of Places
    """

    def __init__(self, places: Sequence[Places]) -> None:
        self._boxes = np.concatenate([options.boxes for options in places])
        self._roomy = padded(self._boxes, CLEARANCE)  # with the distance that other names keep
        self._leaders = np.concatenate([options.leaders for options in places])
        self._has_leader = np.concatenate([options.has_leader for options in places])
        self._costs = np.concatenate([options.costs for options in places])
        ends = np.cumsum([len(options.costs) for options in places])
        self._names = [slice(end - len(options.costs), end) for end, options in zip(ends, places, strict=True)]
        self._conflicts: dict[int, FloatArray] = {}

    def conflicts(self, name: int, place: int) -> FloatArray:
        """Return the numbers of conflicts of all places of the other names with a place of a name."""
        if place not in self._conflicts:
            this = slice(place, place + 1)
            number = boxes_overlap(self._roomy, self._boxes[this])[:, 0].astype(float)
            number += self._has_leader & segments_meet_boxes(self._leaders, self._roomy[this])[:, 0]
            if self._has_leader[place]:
                number += segments_meet_boxes(self._leaders[this], self._roomy)[0]
                number += self._has_leader & segments_cross(self._leaders, self._leaders[this])[:, 0]
            number[self._names[name]] = 0.0
            self._conflicts[place] = number
        return self._conflicts[place]

    def improve(self, order: Sequence[int]) -> tuple[list[int], float]:
        """Place the names one after the other, then move each to its best place until none moves; return the cost."""
        chosen = dict.fromkeys(range(len(self._names)), -1)
        number = np.zeros(len(self._costs))
        for _ in range(SWEEPS):
            before = dict(chosen)
            for name in order:
                places = self._names[name]
                best = places.start + int((self._costs[places] + CONFLICT * number[places]).argmin())
                if best != chosen[name]:
                    number += self.conflicts(name, best)
                    if chosen[name] >= 0:
                        number -= self.conflicts(name, chosen[name])
                    chosen[name] = best
            if chosen == before:
                break
        at = [chosen[name] for name in range(len(self._names))]
        cost = float(self._costs[at].sum() + CONFLICT * number[at].sum() / 2)
        return [place - names.start for place, names in zip(at, self._names, strict=True)], cost


def choose_places(places: Sequence[Places]) -> list[int]:
    """Return the index of the place of each name, with the lowest total cost among several searches."""
    search = _Search(places)
    crowded = np.argsort([-options.costs.min() for options in places], kind="stable")
    best, lowest = [int(options.costs.argmin()) for options in places], np.inf
    for start in range(min(MOST_STARTS, len(places))):
        order = np.roll(crowded, -start * max(1, len(places) // MOST_STARTS))
        chosen, cost = search.improve([int(name) for name in order])
        if cost < lowest:
            best, lowest = chosen, cost
        if lowest < CONFLICT and start + 1 >= STARTS:
            break
    return best


def _boxes_around(centre: FloatArray, radius: float, size: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Boxes of a size in all directions at all distances from the rim of a circle, and their directions, radians."""
    angles = np.linspace(0, 2 * np.pi, DIRECTIONS, endpoint=False)
    angle, gap = (grid.ravel() for grid in np.meshgrid(angles, GAPS, indexing="ij"))
    towards = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    half, away = size / 2, np.abs(towards).clip(min=PARALLEL).T
    beside, above = (radius + gap + half[:, None]) / away
    corner = half @ away  # the nearest point of the box is its corner: a quadratic equation
    corner = corner + np.sqrt((corner**2 - half @ half + (radius + gap) ** 2).clip(min=0.0))
    far = np.select([away[1] * beside <= half[1], away[0] * above <= half[0]], [beside, above], corner)
    centres = centre + towards * far[:, None]
    return np.concatenate([centres - size / 2, centres + size / 2], axis=1), angle
