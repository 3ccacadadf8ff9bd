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
    free, above_zero = coordinates.free, coordinates.above_zero
    at, slope, share = start.copy(), np.zeros(len(start)), np.ones(len(start))
    value, step, searching = (
        np.full(len(start), -np.inf),
        np.zeros((len(start), 3)),
        np.ones(len(start), dtype=np.bool_),
    )
    gradient, hessian = np.zeros_like(at), np.zeros((*at.shape, at.shape[1]))
    held, curvature = ~free, np.zeros((len(start), 3, 3))
    for _ in range(MOST_STEPS):
        trial = at.copy()
        trial[:, 1:] += share[:, None] * step * scale
        trial[:, 1:] = np.where(above_zero & (trial[:, 1:] < ZERO * scale), 0.0, trial[:, 1:])
        end = coordinates.evaluate(trial)
        least = value + 1e-4 * share * slope - ROUNDING * (1.0 + np.abs(end.log_likelihood))
        higher = searching & (end.log_likelihood >= least)
        at[higher], value[higher] = trial[higher], end.log_likelihood[higher]
        gradient[higher], hessian[higher] = end.gradient[higher], end.hessian[higher]
        share = np.where(higher, 1.0, 0.25 * share)
        by = gradient[:, 1:] * scale
        at_zero = above_zero & (at[:, 1:] <= 0.0)
        held = ~free | (at_zero & (by <= 0.0))
        curvature = -hessian[:, 1:, 1:] * scale[:, :, None] * scale[:, None, :]
        following, promise, outward = _bounded_step(by, curvature, held, at_zero)
        # at most as far as the point is from 0, and a unit more
        longest = 1.0 + np.sqrt(((at[:, 1:] / scale) ** 2).sum(axis=1))
        fraction = np.minimum(1.0, longest / np.maximum(np.sqrt((following**2).sum(axis=1)), 1e-300))
        room = np.where(above_zero & (following < 0.0), at[:, 1:] / scale / np.maximum(-following, 1e-300), 1.0)
        fraction = np.minimum(fraction, np.where(at_zero, 1.0, room).min(axis=1))
        step = np.where(higher[:, None], following * fraction[:, None], step)
        slope = np.where(higher, promise * fraction, slope)
        if sought is not None:
            searching &= ~(higher & ((value > sought) | (value + HOPE * promise < sought)))
        searching &= ~(higher & (promise < least_gain) & ~outward) & (share > 1e-12)
        if not searching.any():
            break
    path = np.zeros_like(at)
    path[:, 0] = 1.0
    path[:, 1:] = scale * _solve_free(curvature, hessian[:, 1:, 0] * scale, held)
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
    pull = (vectors.swapaxes(1, 2) @ (gradient * free)[..., None])[..., 0] / size
    return np.asarray((vectors @ pull[..., None])[..., 0] * free)


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
