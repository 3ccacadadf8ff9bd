"""Polynomial interpolation between Gauss-Legendre nodes of [-1, 1]."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import legendre

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.box_quadrature import rule

FLOOR = 40.0  # log units below the maximum to which a log density is raised before it is interpolated
DROPPED = 2  # degrees that are left out to see whether a table is resolved


@cache
def _interpolant(n: int) -> FloatArray:
    """(n, n) matrix from values at n Gauss-Legendre nodes to the Legendre coefficients of their polynomial."""
    nodes, weights = rule(n)
    return np.asarray((np.arange(n) + 0.5)[:, None] * (legendre.legvander(nodes, n - 1) * weights[:, None]).T)


def interpolation(n: int, points: FloatArray) -> FloatArray:
    """(points, n) matrix from values at n Gauss-Legendre nodes to their polynomial at points of [-1, 1]."""
    return np.asarray(legendre.legvander(points, n - 1) @ _interpolant(n))


@cache
def to_nodes(n: int, m: int) -> FloatArray:
    """(m, n) matrix from values at n Gauss-Legendre nodes to their polynomial at m such nodes."""
    return interpolation(n, rule(m)[0])


@cache
def to_even(n: int, points: int, from_0: bool = False) -> FloatArray:
    """(points, n) matrix from values at n Gauss-Legendre nodes to their polynomial at even points, or their squares."""
    even = np.linspace(-1, 1, points)
    return interpolation(n, squared(even) if from_0 else even)


def squared(t: FloatArray) -> FloatArray:
    """Map [-1, 1] to itself such that the distance from the lower end is squared; the derivative is ``1 + t``.

    Even points, or Gauss-Legendre nodes, are then dense near the lower end. This end is tau = 0, near which the slope
    of the line is 0 or grows without limit.
    """
    return np.asarray((1 + t) ** 2 / 2 - 1)


def nodes_from(n: int, *, from_0: bool) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [-1, 1], denser near the lower end with ``from_0``."""
    nodes, weights = rule(n)
    return (squared(nodes), weights * (1 + nodes)) if from_0 else (nodes, weights)


def floored(log_density: FloatArray) -> FloatArray:
    """Log densities, (b, ...), raised to at least ``FLOOR`` below the maximum of each data set.

    At a correlation of -1 or 1 a log density may lie thousands below its maximum; the polynomial through such nodes
    would oscillate where the mass is.
    """
    axes = tuple(range(1, log_density.ndim))
    return np.maximum(log_density, log_density.max(axis=axes, keepdims=True) - FLOOR)


@cache
def _highest_degrees(n: int) -> FloatArray:
    """(n, n) matrix from values at n Gauss-Legendre nodes to the part of their polynomial of the highest degrees."""
    return np.asarray(legendre.legvander(rule(n)[0], n - 1)[:, -DROPPED:] @ _interpolant(n)[-DROPPED:])


def unresolved(log_density: FloatArray, weight: FloatArray) -> FloatArray:
    """Change of a density if the polynomial of its log loses the two highest degrees of an axis.

    Parameters
    ----------
    log_density : (b, n, ...) array
        At Gauss-Legendre nodes of every axis.
    weight : (b, n, ...) array
        Masses of the nodes; sum to 1.

    Returns
    -------
    (b,) array
        Mean relative change of the density along the axis on which it is largest.
    """
    values = floored(log_density)
    changes = []
    for axis in range(1, values.ndim):
        lost = np.moveaxis(np.tensordot(values, _highest_degrees(values.shape[axis]), axes=(axis, 1)), -1, axis)
        changes.append((weight * np.abs(np.expm1(np.minimum(lost, 3.0)))).reshape(len(values), -1).sum(axis=1))
    return np.max(changes, axis=0)
