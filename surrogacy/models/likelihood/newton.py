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
# Second derivatives of T11, T12 and T22 by the elements of the factor.
CURVATURE = np.array([[2, 0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 2, 0, 0, 0, 2]])


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
    jacobian = np.zeros((len(factor), 3, 3))
    jacobian[:, 0, 0], jacobian[:, 1, 1], jacobian[:, 1, 0] = 2 * a, a, b
    jacobian[:, 2, 1], jacobian[:, 2, 2] = 2 * b, 2 * c
    return jacobian


def by_factor(at: BatchEvaluation, factor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradient (b, 3) and Hessian (b, 3, 3) with respect to the Cholesky factor."""
    jacobian = psi_jacobian(factor)
    gradient = (at.gradient[:, None] @ jacobian)[:, 0]
    hessian = jacobian.swapaxes(1, 2) @ at.hessian @ jacobian
    hessian += (at.gradient @ CURVATURE).reshape(-1, 3, 3)
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
    ends = SearchEnds(np.full(b, -np.inf), start * (free > 0), np.zeros(b, dtype=np.bool_))
    active, part = np.arange(b), data
    trial, unit, value, converged = ends.unit, ends.unit, ends.value, ends.converged
    share, slope, step = np.ones(b), np.zeros(b), np.zeros((b, 3))
    for _ in range(MOST_STEPS):
        at = evaluate(part, psi_of(trial * free))
        least = value + 1e-4 * share * slope - ROUNDING * (1.0 + np.abs(at.log_likelihood))
        higher = at.log_likelihood >= least
        gradient, hessian = by_factor(at, trial * free)
        gradient *= free
        # where the likelihood is not higher, the derivatives are not used; they may be infinite there
        gradient = np.where(higher[:, None], gradient, 0.0)
        hessian = np.where(higher[:, None, None], hessian, -np.eye(3))
        following = _newton_step(gradient, hessian, free)
        unit, step = np.where(higher[:, None], (trial, following), (unit, step))
        value, share = np.where(higher, (at.log_likelihood, np.ones_like(share)), (value, 0.25 * share))
        slope = np.where(higher, (following * gradient).sum(axis=1), slope)
        converged = converged | (higher & (slope < LEAST_GAIN))
        ends.value[active], ends.unit[active], ends.converged[active] = value, unit, converged
        stays = ~converged & (share > 1e-12)
        if not stays.any():
            break
        if stays.sum() < 0.8 * len(active):
            part, active = part.take(np.flatnonzero(stays)), active[stays]
            unit, step, free, value, share, slope, converged = (
                array[stays] for array in (unit, step, free, value, share, slope, converged)
            )
        trial = unit + share[:, None] * step
    return ends


def _newton_step(gradient: FloatArray, hessian: FloatArray, free: FloatArray) -> FloatArray:
    """Step to the maximum of the quadratic approximation, with the absolute eigenvalues of the Hessian."""
    held = free == 0
    curvature = -hessian * free[:, :, None] * free[:, None, :]
    curvature[:, [0, 1, 2], [0, 1, 2]] += held
    values, vectors = np.linalg.eigh(curvature)
    size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max(axis=1, keepdims=True) + 1e-12)
    pull = gradient[:, None] @ vectors / size[:, None]
    step = (pull @ vectors.swapaxes(1, 2))[:, 0]
    length = np.sqrt((step**2).sum(axis=1, keepdims=True))
    return np.asarray(step * np.minimum(1.0, LARGEST_STEP / np.maximum(length, 1e-300)))
