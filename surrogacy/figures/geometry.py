"""Distances and intersections of boxes, circles and line segments in the plane, for the placement of labels.

A box is a row ``x0, y0, x1, y1``, a segment a row ``x0, y0, x1, y1`` of its ends. All lengths have one unit.
"""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray

PARALLEL = 1e-9  # replaces the length of a segment along an axis to which it is perpendicular


def nearest_points(boxes: FloatArray, points: FloatArray) -> FloatArray:
    """Return the point of each box that is nearest to a point.

    Parameters
    ----------
    boxes : (..., 4) array
    points : (..., 2) array
        Broadcast with the boxes.

    Returns
    -------
    (..., 2) array
    """
    return np.clip(points, boxes[..., :2], boxes[..., 2:])


def distances(boxes: FloatArray, points: FloatArray) -> FloatArray:
    """Return the distances of points from boxes, 0 inside; arguments as for `nearest_points`.

    Examples
    --------
    >>> distances(np.array([0.0, 0.0, 4.0, 2.0]), np.array([7.0, 6.0])).item()
    5.0
    """
    gap = nearest_points(boxes, points) - points
    return np.asarray(np.hypot(gap[..., 0], gap[..., 1]))


def padded(boxes: FloatArray, by: float) -> FloatArray:
    """Return boxes that extend further by a length on each side."""
    return np.asarray(boxes + np.array([-by, -by, by, by]))


def boxes_overlap(first: FloatArray, second: FloatArray) -> BoolArray:
    """Return whether boxes overlap, (m, n) for (m, 4) and (n, 4) boxes."""
    left, bottom, right, top = (side[:, None] for side in first.T)
    return np.asarray((left < second[:, 2]) & (second[:, 0] < right) & (bottom < second[:, 3]) & (second[:, 1] < top))


def segments_meet_boxes(segments: FloatArray, boxes: FloatArray) -> BoolArray:
    """Return whether segments have a point in the interior of boxes, (m, n) for (m, 4) and (n, 4) rows.

    A segment meets a box if the parts of the segment between the two vertical and between the two horizontal sides of
    the box overlap (Liang and Barsky, doi:10.1145/357332.357333).
    """
    enters, leaves = np.zeros((len(segments), len(boxes))), np.ones((len(segments), len(boxes)))
    for side in (0, 1):
        start, step = segments[:, side, None], (segments[:, side + 2] - segments[:, side])[:, None]
        step = np.where(np.abs(step) < PARALLEL, PARALLEL, step)
        low, high = (boxes[:, side] - start) / step, (boxes[:, side + 2] - start) / step
        np.maximum(enters, np.minimum(low, high), out=enters)
        np.minimum(leaves, np.maximum(low, high), out=leaves)
    return np.asarray(enters < leaves)


def segments_cross(first: FloatArray, second: FloatArray) -> BoolArray:
    """Return whether segments cross, (m, n) for (m, 4) and (n, 4) segments."""
    apart = _side(first[:, None], second[None, :, :2]) * _side(first[:, None], second[None, :, 2:]) < 0
    return np.asarray(apart & (_side(second[None], first[:, None, :2]) * _side(second[None], first[:, None, 2:]) < 0))


def distances_to_segments(segments: FloatArray, points: FloatArray) -> FloatArray:
    """Return the distances of points from segments, (m, n) for (m, 4) segments and (n, 2) points."""
    start, step = segments[:, None, :2], segments[:, None, 2:] - segments[:, None, :2]
    length = (step[..., 0] ** 2 + step[..., 1] ** 2).clip(min=PARALLEL)
    gap = points[None] - start
    share = ((gap[..., 0] * step[..., 0] + gap[..., 1] * step[..., 1]) / length).clip(0.0, 1.0)
    return np.asarray(np.hypot(gap[..., 0] - share * step[..., 0], gap[..., 1] - share * step[..., 1]))


def _side(segments: FloatArray, points: FloatArray) -> FloatArray:
    """Cross product: positive if a point lies to the left of the line of a segment."""
    x, y = segments[..., 0], segments[..., 1]
    return np.asarray((segments[..., 2] - x) * (points[..., 1] - y) - (segments[..., 3] - y) * (points[..., 0] - x))
