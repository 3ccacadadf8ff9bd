"""Newton's method for a profile: the maximum over the other coordinates with the first one fixed.

The Hessian is exact, and its eigenvalues are made negative, so that a saddle repels the search. A step ends where a
coordinate reaches 0 that may not be negative; it leaves 0 if the likelihood increases with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray, IntArray
from surrogacy.models.likelihood.profile_coordinates import Coordinates

MOST_STEPS = 100
# A search ends if the next step promises less log-likelihood.
LEAST_GAIN = 1e-11
# A search for a certain log-likelihood ends if this many times the promise of the next step does not reach it.
HOPE = 10.0
# A coordinate below this, in its unit, is 0 if it may not be negative.
ZERO = 1e-12
# Loss of log-likelihood that is attributed to rounding.
ROUNDING = 1e-12
# Ratio of the smallest to the largest curvature below which the direction of the path is not used.
NEARLY_SINGULAR = 1e-8


@dataclass(frozen=True, eq=False)
class ProfilePoints:
    """Maxima of the likelihood at ``b`` values of the first coordinate.

    Parameters
    ----------
    at : (b, 4) array
        Coordinates.
    log_likelihood : (b,) array
    derivative : (b,) array
        Of the profile log-likelihood by the first coordinate.
    path : (b, 4) array
        Derivatives of the coordinates of the maximum by the first one.
    """

    at: FloatArray
    log_likelihood: FloatArray
    derivative: FloatArray
    path: FloatArray

    def take(self, points: IntArray) -> ProfilePoints:
        """Return some of the points."""
        return ProfilePoints(self.at[points], self.log_likelihood[points], self.derivative[points], self.path[points])


def climb(
    coordinates: Coordinates,
    start: FloatArray,
    scale: FloatArray,
    least_gain: float = LEAST_GAIN,
    sought: FloatArray | None = None,
) -> ProfilePoints:
    """Maximise over all coordinates except the first one.

    Parameters
    ----------
    coordinates : Coordinates
    start : (b, 4) array
    scale : (b, 3) array
        Units of the other coordinates.
    least_gain : float
        Gain of log-likelihood by the next step below which a search ends.
    sought : (b,) array, optional
        Log-likelihood at which a search ends, and it ends early if this is far above its maximum.
    """
    free, above_zero, units = coordinates.free, coordinates.above_zero, np.insert(scale, 0, 1.0, axis=1)
    products = units[:, :, None] * units[:, None, :]
    at, b = start.copy(), len(start)
    value, slope, share, searching = np.full(b, -np.inf), np.zeros(b), np.ones(b), np.ones(b, dtype=np.bool_)
    x = start[:, 1:] / scale  # gradient and Hessian are by x, too
    step, gradient, hessian = np.zeros_like(x), np.zeros_like(at), np.zeros_like(products)
    held = ~free
    for _ in range(MOST_STEPS):
        trial = x + share[:, None] * step
        trial = np.where(above_zero & (trial < ZERO), 0.0, trial)
        at[:, 1:] = trial * scale
        end = coordinates.evaluate(at)
        least = value + 1e-4 * share * slope - ROUNDING * (1.0 + np.abs(end.log_likelihood))
        higher = searching & (end.log_likelihood >= least)
        row = higher[:, None]
        x, value = np.where(row, trial, x), np.where(higher, end.log_likelihood, value)
        gradient = np.where(row, end.gradient * units, gradient)
        hessian = np.where(row[:, None], end.hessian * products, hessian)
        share = np.where(higher, 1.0, 0.25 * share)
        at_zero = above_zero & (x <= 0.0)
        held = ~free | (at_zero & (gradient[:, 1:] <= 0.0))
        following, promise, outward = _bounded_step(gradient[:, 1:], -hessian[:, 1:, 1:], held, at_zero)
        # at most as far as the point is from 0, and a unit more
        length = np.maximum(np.sqrt((following**2).sum(axis=1)), 1e-300)
        fraction = np.minimum((1.0 + np.sqrt((x**2).sum(axis=1))) / length, 1.0)
        falls = above_zero & (following < 0.0) & ~at_zero
        if falls.any():
            fraction = np.minimum(fraction, np.where(falls, x / np.where(falls, -following, 1.0), 1.0).min(axis=1))
        step, slope = np.where(row, following * fraction[:, None], step), np.where(higher, promise * fraction, slope)
        ended = (promise < least_gain) & ~outward
        if sought is not None:
            ended |= (value > sought) | (value + HOPE * promise < sought)
        searching &= ~(higher & ended) & (share > 1e-12)
        if not searching.any():
            break
    at[:, 1:] = x * scale
    path = np.ones_like(at)
    path[:, 1:] = scale * _solve_free(-hessian[:, 1:, 1:], hessian[:, 1:, 0], held)
    return ProfilePoints(at, value, gradient[:, 0], path)


def _bounded_step(
    gradient: FloatArray, curvature: FloatArray, held: BoolArray, at_zero: BoolArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Step within the bounds, the gain that it promises, and whether a coordinate was held at 0 for this step only."""
    step = _newton_step(gradient, curvature, held)
    outward = at_zero & ~held & (step < 0.0)
    if outward.any():
        step = _newton_step(gradient, curvature, held | outward)
        step = np.where(at_zero, np.maximum(step, 0.0), step)
    return step, (step * gradient).sum(axis=1), outward.any(axis=1)


def _newton_step(gradient: FloatArray, curvature: FloatArray, held: BoolArray) -> FloatArray:
    """Step to the maximum of the quadratic approximation, with the absolute eigenvalues of the Hessian."""
    free = ~held
    reduced = curvature * free[:, :, None] * free[:, None, :]
    values, vectors = np.linalg.eigh(reduced)
    size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max(axis=1, keepdims=True) + 1e-12)
    pull = (gradient * free)[:, None] @ vectors / size[:, None]
    return np.asarray((pull @ vectors.swapaxes(1, 2))[:, 0] * free)


def _solve_free(matrix: FloatArray, right: FloatArray, held: BoolArray) -> FloatArray:
    """Solution of ``matrix x = right`` for the coordinates that are not held; 0 if the matrix is nearly singular."""
    free = ~held
    reduced = matrix * free[:, :, None] * free[:, None, :]
    reduced[:, [0, 1, 2], [0, 1, 2]] += held
    values = np.linalg.eigvalsh(reduced)
    regular = values[:, 0] > NEARLY_SINGULAR * values[:, -1]
    solution = np.zeros_like(right)
    solution[regular] = np.linalg.solve(reduced[regular], (right * free)[regular][..., None])[..., 0]
    return solution
