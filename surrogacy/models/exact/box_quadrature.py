"""Gauss-Legendre product rules over boxes that contain the mass of a density, for many data sets at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from surrogacy.arrays import FloatArray

COARSE = 9  # points per axis in the search for the box
DROP = 12.0  # log units below the maximum that the box must contain; the rest changes a mean by less than 1e-4 SD
SHRINKING = 0.7  # largest ratio of the new and the old width of an axis for which the search for the box goes on
EDGE = 8.0  # log units by which the outermost nodes must be below the maximum
MOST_WIDENINGS = 5  # of a box with mass at an edge


@cache
def rule(n: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    nodes, weights = legendre.leggauss(n)
    return nodes, weights


def find_box(
    log_density: Callable[[list[FloatArray]], FloatArray], low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Box that contains every point within ``DROP`` of the maximum, by repeated evaluation on a shrinking coarse grid.

    The box of a data set is settled when no axis shrinks to less than 70%. It does not depend on the other data sets.

    Parameters
    ----------
    log_density : callable
        Function of one (b, n) array of points per axis that returns (b, n, n, ...) log densities.
    low, high : (b, axes) arrays
        Ends of the domain.

    Returns
    -------
    low, high : (b, axes) arrays
        Ends of the box.
    """
    steps = np.linspace(0, 1, COARSE)
    b, axes = low.shape
    rows, settled = np.arange(b), np.zeros((b, 1), dtype=np.bool_)
    for _ in range(8):
        width = high - low
        points = [low[:, [a]] + width[:, [a]] * steps for a in range(axes)]
        values = log_density(points)
        limit = values.reshape(b, -1).max(axis=1) - DROP
        new_low, new_high = low.copy(), high.copy()
        for a in range(axes):
            profile = values.max(axis=_all_but(a, axes))
            inside = profile > limit[:, None]
            first, last = inside.argmax(axis=1), COARSE - 1 - inside[:, ::-1].argmax(axis=1)
            for outermost, edge, outwards in ((first, new_low, -1), (last, new_high, 1)):
                beyond = np.clip(outermost + outwards, 0, COARSE - 1)
                at, out = profile[rows, outermost], profile[rows, beyond]
                # linear interpolation of the limit plus a quarter of a cell, because the profile is concave
                share = np.where(np.isfinite(out) & (out < at), (at - limit) / np.maximum(at - out, 1e-12) + 0.25, 1.0)
                x = points[a]
                edge[:, a] = x[rows, outermost] + np.minimum(share, 1.0) * (x[rows, beyond] - x[rows, outermost])
        low, high = np.where(settled, low, new_low), np.where(settled, high, new_high)
        settled |= (high - low > SHRINKING * width).all(axis=1, keepdims=True)
        if settled.all():
            break
    return low, high


def _all_but(axis: int, axes: int) -> tuple[int, ...]:
    return tuple(1 + a for a in range(axes) if a != axis)


@dataclass(frozen=True, eq=False)
class Integral:
    """Density tabulated on Gauss-Legendre nodes of boxes.

    Parameters
    ----------
    low, high : (b, axes) arrays
    weight : (b, n, ...) array
        Mass of every node; sums to 1.
    log_density : (b, n, ...) array
        Normalised log density with every axis of the box mapped to [-1, 1].
    log_total : (b,) array
        Log of the integral.
    extra : Any
        Further values of ``evaluate`` at the nodes.
    """

    low: FloatArray
    high: FloatArray
    weight: FloatArray
    log_density: FloatArray
    log_total: FloatArray
    extra: Any


def integrate_box(
    evaluate: Callable[[list[FloatArray]], tuple[FloatArray, Any]],
    nodes: Sequence[int],
    box: tuple[FloatArray, FloatArray],
    domain: tuple[FloatArray, FloatArray],
) -> Integral:
    """Integrate over a box, which is widened if there is mass at an edge that is not an end of the domain.

    Parameters
    ----------
    evaluate : callable
        Function that returns the log density on a product grid, and further values to keep.
    nodes : sequence of int
        Number of nodes per axis.
    box, domain : pair of (b, axes) arrays
        Lower and upper ends.
    """
    low, high = box
    axes = low.shape[1]
    rules = [rule(n) for n in nodes]
    product = np.ones(1)
    for _, weights in rules:
        product = np.multiply.outer(product, weights)
    for widenings in range(1 + MOST_WIDENINGS):
        half = (high - low) / 2
        values, extra = evaluate([low[:, [a]] + half[:, [a]] * (1 + rules[a][0]) for a in range(axes)])
        top = values.reshape(len(low), -1).max(axis=1).reshape(-1, *[1] * axes)
        density = np.exp(values - top)
        at_edge = np.zeros((2, *low.shape), dtype=np.bool_)
        for a in range(axes):
            layer = density.max(axis=_all_but(a, axes))
            at_edge[0, :, a] = (layer[:, 0] > np.exp(-EDGE)) & (low[:, a] > domain[0][:, a])
            at_edge[1, :, a] = (layer[:, -1] > np.exp(-EDGE)) & (high[:, a] < domain[1][:, a])
        if not at_edge.any() or widenings == MOST_WIDENINGS:
            break
        low = np.where(at_edge[0], np.maximum(low - half / 2, domain[0]), low)
        high = np.where(at_edge[1], np.minimum(high + half / 2, domain[1]), high)
    weight = density * product
    total = weight.sum(axis=tuple(range(1, 1 + axes)), keepdims=True)
    log_total = (top + np.log(total)).reshape(-1)
    weight /= total
    return Integral(low, high, weight, values - top - np.log(total), log_total + np.log(half).sum(axis=1), extra)
