"""Confidence distribution of the residual variance of the surrogacy line.

The residuals ``e_i = y2_i - b y1_i`` about the estimated slope ``b`` have variances ``sigma^2 + v_i`` with
``v_i = s2_i^2 + b^2 s1_i^2 - 2 b r_i s1_i s2_i``. The generalised Q statistic

    Q(sigma^2) = sum w_i (e_i - a)^2,   w_i = 1 / (v_i + sigma^2),   a = sum w_i e_i / sum w_i

decreases in sigma^2 and has at the true value nearly a chi-squared distribution with k - 2 degrees of freedom. Its
inversion gives the confidence distribution of sigma^2 (Viechtbauer 2007; used for prediction by Nagashima, Noma,
Furukawa 2019), taken conditional on sigma^2 > 0: with probabilities u uniform on (0, 1)

    Q(sigma^2(u)) = F^-1(u F(Q(0))),   F the distribution function of chi-squared with k - 2 degrees of freedom.

Without sampling errors ``sigma^2(u)`` is the residual sum of squares over a chi-squared variate, and a normal
distribution with this variance a t with k - 2 degrees of freedom. An estimate of 0 needs no special treatment.

References
----------
Viechtbauer (2007), doi:10.1002/sim.2514.
Nagashima, Noma, Furukawa (2019), doi:10.1177/0962280218773520.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.special import gammainc, gammaincinv

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects

NODES = 16  # the tail probability of a t with 1 to 200 degrees of freedom is then accurate to 0.02%
STEPS = 60  # steps of the search for a variance; the last ones halve the bracket
SMALLEST_PROBABILITY = 1e-200  # below it the chi-squared distribution function is a power
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Residuals:
    """Independent residuals about the line, after rotation within groups of comparisons that share a control arm.

    Parameters
    ----------
    value : (k,) array
        Residuals ``y2 - slope y1``.
    design : (k,) array
        Coefficients of the intercept; 1 for a comparison that shares no control arm.
    variance : (k,) array
        Variances of their sampling errors.
    """

    value: FloatArray
    design: FloatArray
    variance: FloatArray

    @property
    def degrees_of_freedom(self) -> int:
        """Number of complete comparisons less the two parameters of the line."""
        return len(self.value) - 2


def residuals(effects: Effects, slope: float) -> Residuals:
    """Residuals of the comparisons with both endpoints about a line with this slope.

    The covariance of the errors within a group that shares a control arm is diagonalised. Because the true effects of
    different comparisons are independent, their common variance is unchanged by the rotation.
    """
    complete = effects.complete
    groups = [group[complete[group]] for group in effects.dependent_groups()]
    alone = np.array([group[0] for group in groups if len(group) == 1], dtype=np.intp)
    residual = effects.log_hr[:, 1] - slope * effects.log_hr[:, 0]
    s1, s2 = effects.se[alone].T
    variance = [s2**2 + slope**2 * s1**2 - 2 * slope * effects.rho_within[alone] * s1 * s2]
    value, design = [residual[alone]], [np.ones(len(alone))]
    for members in groups:
        if len(members) > 1:
            contrast = np.kron(np.eye(len(members)), [-slope, 1.0])
            spread, rotation = np.linalg.eigh(contrast @ effects.sampling_covariance(members) @ contrast.T)
            value.append(rotation.T @ residual[members])
            design.append(rotation.sum(axis=0))
            variance.append(spread)
    return Residuals(np.concatenate(value), np.concatenate(design), np.concatenate(variance))


@cache
def quadrature() -> tuple[FloatArray, FloatArray]:
    """Probabilities u and weights of a Gauss-Legendre rule on (0, 1) that is denser at both ends."""
    at, weight = np.polynomial.legendre.leggauss(NODES)
    s = (at + 1.0) / 2.0
    return s * s * (3.0 - 2.0 * s), 3.0 * weight * s * (1.0 - s)


def residual_quantiles(residual: Residuals, probability: FloatArray) -> FloatArray:
    """Values of the residual variance at probabilities of its confidence distribution, the largest first.

    Parameters
    ----------
    residual : Residuals
        At least three.
    probability : (n,) array
        Probabilities u of the formula of the module, in (0, 1).

    Returns
    -------
    (n,) array

    Examples
    --------
    Without sampling errors the residual sum of squares over quantiles of chi-squared; 2 degrees of freedom:

    >>> value = np.array([-1.0, 1.0, 1.0, -1.0])
    >>> exact = Residuals(value, np.ones(4), np.zeros(4))
    >>> residual_quantiles(exact, np.array([0.5])).round(3), round(4 / (2 * float(np.log(2))), 3)
    (array([2.885]), 2.885)
    """
    half = residual.degrees_of_freedom / 2.0
    unweighted = replace(residual, variance=np.ones_like(residual.variance))
    squares = float(statistic(unweighted, np.zeros(1))[0][0])
    typical = float(residual.variance.mean())
    if squares <= TINY * typical:  # the limit as all residuals tend to 0
        return np.asarray(typical * (probability ** (-1.0 / half) - 1.0))
    kept = replace(residual, variance=np.maximum(residual.variance, TINY * squares))
    largest = statistic(kept, np.zeros(1))[0]
    below = gammainc(half, largest / 2.0)
    power = largest * probability ** (1.0 / half)
    target = np.where(below > SMALLEST_PROBABILITY, 2.0 * gammaincinv(half, probability * below), power)
    low, high = np.zeros_like(target), squares / target
    at = np.clip(high - typical, low, high)
    for _ in range(STEPS):
        value, derivative = statistic(kept, at)
        low, high = np.where(value > target, at, low), np.where(value > target, high, at)
        # Newton's step for 1 / Q, which is nearly linear
        following = at - (value - target) * value / np.minimum(target * derivative, -1e-300)
        following = np.where((following > low) & (following < high), following, (low + high) / 2.0)
        moved = np.abs(following - at)
        at = following
        if np.all(moved <= 1e-9 * (typical + at)):
            break
    return at


def statistic(residual: Residuals, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Q at several residual variances, and its derivative, (n,) each.

    Parameters
    ----------
    residual : Residuals
    variance : (n,) array
    """
    y, x = residual.value, residual.design
    w = 1.0 / (residual.variance + variance[:, None])
    away = y - x * ((w @ (x * y)) / (w @ x**2))[:, None]
    weighted = w * away**2
    return weighted.sum(axis=1), -(weighted * w).sum(axis=1)
