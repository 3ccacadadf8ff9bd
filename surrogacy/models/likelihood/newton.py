"""Newton's method for the likelihoods of many data sets, over the Cholesky factor of T.

The Hessian is exact, and its eigenvalues are made negative, so that a saddle repels the search. Steps that do not
increase the likelihood are shortened. Data sets leave the batch as they converge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.models.likelihood.batch_data import BatchLikelihood
from surrogacy.models.likelihood.batch_likelihood import BatchEvaluation, evaluate

MOST_STEPS = 200
# A search ends if the next step promises less log-likelihood.
LEAST_GAIN = 1e-13
# Largest step, in units of the SDs of the effects.
LARGEST_STEP = 1.0
# Loss of log-likelihood that is attributed to rounding.
ROUNDING = 1e-11


@dataclass(frozen=True, eq=False)
class SearchEnds:
    """Ends of searches: log-likelihood, Cholesky factor in units of the scale, and whether each converged."""

    value: FloatArray
    unit: FloatArray
    converged: BoolArray


def psi_of(factor: FloatArray) -> FloatArray:
    """(b, 3) elements (T11, T12, T22) from Cholesky factors (L11, L21, L22)."""
    a, b, c = factor.T
    return np.array([a * a, a * b, b * b + c * c]).T


def psi_jacobian(factor: FloatArray) -> FloatArray:
    """(b, 3, 3) derivatives of `psi_of`."""
    a, b, c = factor.T
    zero = np.zeros_like(a)
    rows = [[2 * a, zero, zero], [b, a, zero], [zero, 2 * b, 2 * c]]
    return np.array(rows).transpose(2, 0, 1)


def by_factor(at: BatchEvaluation, factor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradient (b, 3) and Hessian (b, 3, 3) with respect to the Cholesky factor."""
    jacobian = psi_jacobian(factor)
    gradient = np.einsum("bpf,bp->bf", jacobian, at.gradient)
    hessian = jacobian.swapaxes(1, 2) @ at.hessian @ jacobian
    g1, g12, g2 = at.gradient.T
    hessian[:, 0, 0] += 2 * g1
    hessian[:, 0, 1] += g12
    hessian[:, 1, 0] += g12
    hessian[:, 1, 1] += 2 * g2
    hessian[:, 2, 2] += 2 * g2
    return gradient, hessian


def climb(data: BatchLikelihood, start: FloatArray, free: FloatArray) -> SearchEnds:
    """Maximise by Newton's method from one start per data set.

    Parameters
    ----------
    data : BatchLikelihood
    start : (b, 3) array
        Cholesky factors in units of ``free``.
    free : (b, 3) array
        Scale of the elements; an element with a scale of 0 stays 0.
    """
    b = len(start)
    unit, value, converged = start * (free > 0), np.full(b, -np.inf), np.zeros(b, dtype=np.bool_)
    step, slope, share = np.zeros((b, 3)), np.zeros(b), np.ones(b)
    active, part = np.arange(b), data
    for _ in range(MOST_STEPS):
        trial = unit[active] + share[active, None] * step[active]
        factor = trial * free[active]
        at = evaluate(part, psi_of(factor))
        least = value[active] + 1e-4 * share[active] * slope[active] - ROUNDING * (1.0 + np.abs(at.log_likelihood))
        higher = at.log_likelihood >= least
        share[active[~higher]] *= 0.25
        moved = active[higher]
        unit[moved], value[moved], share[moved] = trial[higher], at.log_likelihood[higher], 1.0
        gradient, hessian = by_factor(at, factor)
        step[moved] = _newton_step((gradient * free[active])[higher], hessian[higher], free[moved])
        slope[moved] = np.einsum("bf,bf->b", step[moved], (gradient * free[active])[higher])
        converged[moved] = slope[moved] < LEAST_GAIN
        stays = ~converged[active] & (share[active] > 1e-12)
        if not stays.any():
            break
        if stays.sum() < 0.8 * len(active):
            part, active = part.take(np.flatnonzero(stays)), active[stays]
    return SearchEnds(value, unit, converged)


def _newton_step(gradient: FloatArray, hessian: FloatArray, free: FloatArray) -> FloatArray:
    """Step to the maximum of the quadratic approximation, with the absolute eigenvalues of the Hessian."""
    held = free == 0
    curvature = -hessian * free[:, :, None] * free[:, None, :]
    curvature[:, [0, 1, 2], [0, 1, 2]] += held
    values, vectors = np.linalg.eigh(curvature)
    size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max(axis=1, keepdims=True) + 1e-12)
    step = np.einsum("bij,bj->bi", vectors, np.einsum("bij,bi->bj", vectors, gradient) / size)
    length = np.sqrt((step**2).sum(axis=1, keepdims=True))
    return np.asarray(step * np.minimum(1.0, LARGEST_STEP / np.maximum(length, 1e-300)))
