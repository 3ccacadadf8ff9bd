"""Random-effects meta-regression: between-trial variance, coefficients, and their covariance.

    y_i = x_i' b + u_i + e_i,   u_i ~ N(0, tau^2),   e_i ~ N(0, v_i),   w_i = 1 / (v_i + tau^2)

    b = (X'WX)^-1 X'W y,   P = W - W X (X'WX)^-1 X'W,   Q(tau^2) = y'P y = sum w e^2

Between-trial variance, each 0 if its equation has no positive root (p coefficients):

    reml    y'PP y = tr P, at the largest maximum of the restricted likelihood
    dl      (Q(0) - (k - p)) / tr P(0)          DerSimonian-Laird, generalised to covariates
    pm      Q(tau^2) = k - p                    Paule-Mandel

Covariance of b, and quantile of its intervals and predictions:

    z               (X'WX)^-1, normal
    knapp-hartung   s^2 (X'WX)^-1 with s^2 = Q(tau^2) / (k - p), t with k - p df
    ad-hoc          max(1, s^2) (X'WX)^-1, t with k - p df: never narrower than z

The variance of a prediction is ``x' Cov(b) x + tau^2``. These are the definitions of metafor (`rma` with ``test="z"``,
``"knha"`` and ``"adhoc"``). All functions accept batches: any number of leading axes before the comparisons.

References
----------
Viechtbauer (2010), doi:10.18637/jss.v036.i03. DerSimonian, Laird (1986), doi:10.1016/0197-2456(86)90046-2.
Paule, Mandel (1982), doi:10.6028/jres.087.022. Knapp, Hartung (2003), doi:10.1002/sim.1482; with the ad hoc correction
Röver, Knapp, Friede (2015), doi:10.1186/s12874-015-0091-1.
Viechtbauer (2007), doi:10.1002/sim.2514, for the Q-profile interval of tau^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, chdtri, ndtri, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.results.levels import LEVEL

VarianceEstimator = Literal["reml", "dl", "pm"]
IntervalMethod = Literal["ad-hoc", "knapp-hartung", "z"]
GRID = np.linspace(0.0, 1.0, 13) ** 2  # shares of the largest possible variance at which the likelihood is compared
STEPS = 100  # of Newton's method or bisection; about 8 are used
ACCURACY = 1e-11  # of a root, relative to the width of its bracket


@dataclass(frozen=True, eq=False)
class MetaRegressionData:
    """Independent estimates with known sampling variances, and their design.

    Parameters
    ----------
    y, variance : (..., k) arrays
    design : (..., k, p) array
    """

    y: FloatArray
    variance: FloatArray
    design: FloatArray

    @property
    def degrees_of_freedom(self) -> int:
        """Estimates minus coefficients."""
        return int(self.design.shape[-2] - self.design.shape[-1])


@dataclass(frozen=True, eq=False)
class WeightedFit:
    """Weighted least squares at one between-trial variance.

    Parameters
    ----------
    coefficients : (..., p) array
    inverse : (..., p, p) array
        ``(X'WX)^-1``.
    weights, residual : (..., k) arrays
    q : (...) array
        ``sum w e^2``.
    """

    coefficients: FloatArray
    inverse: FloatArray
    weights: FloatArray
    residual: FloatArray
    q: FloatArray


@dataclass(frozen=True)
class Heterogeneity:
    """Residual heterogeneity beyond sampling error.

    Parameters
    ----------
    q, p_value : float
        Cochran's Q about the fitted line, and its upper tail probability.
    degrees_of_freedom : int
    i2 : float
        Share of the unexplained variance that is between trials, ``tau^2 / (tau^2 + (k - p) / tr P(0))``.
    """

    q: float
    p_value: float
    degrees_of_freedom: int
    i2: float


def weighted_fit(data: MetaRegressionData, tau2: npt.ArrayLike) -> WeightedFit:
    """Fit by weighted least squares, given the between-trial variance.

    Examples
    --------
    >>> design = np.column_stack([np.ones(3), [0.0, 1.0, 2.0]])
    >>> data = MetaRegressionData(np.array([0.0, 1.0, 2.0]), np.ones(3), design)
    >>> weighted_fit(data, 0.0).coefficients.round(6) + 0.0
    array([0., 1.])
    """
    weights = 1.0 / (data.variance + np.asarray(tau2)[..., None])
    weighted = data.design * weights[..., None]
    inverse = np.linalg.inv(_transpose(weighted) @ data.design)
    coefficients = (inverse @ (_transpose(weighted) @ data.y[..., None]))[..., 0]
    residual = data.y - (data.design @ coefficients[..., None])[..., 0]
    return WeightedFit(coefficients, inverse, weights, residual, np.sum(weights * residual**2, axis=-1))


def between_trial_variance(data: MetaRegressionData, method: VarianceEstimator) -> FloatArray:
    """Estimate the between-trial variance.

    Parameters
    ----------
    data : MetaRegressionData
    method : {"reml", "dl", "pm"}

    Returns
    -------
    (...) array
        One variance per data set, at least 0.

    Examples
    --------
    >>> y, ones = np.array([-0.4, -0.1, 0.3, 0.0]), np.ones((4, 1))
    >>> data = MetaRegressionData(y, np.full(4, 0.01), ones)
    >>> [round(float(between_trial_variance(data, name)), 4) for name in ("reml", "dl", "pm")]
    [0.0733, 0.0733, 0.0733]
    """
    if method == "reml":
        return _restricted_maximum(data)
    if method == "pm":
        return _variance_at(data, float(data.degrees_of_freedom))
    at_zero = weighted_fit(data, np.zeros(data.y.shape[:-1]))
    return np.maximum((at_zero.q - data.degrees_of_freedom) / _trace(data, at_zero), 0.0)


def variance_limits(data: MetaRegressionData, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Q-profile limits of the between-trial variance: ``Q(tau^2)`` at the chi-square quantiles with k - p df.

    Examples
    --------
    >>> data = MetaRegressionData(np.array([-0.4, -0.1, 0.3, 0.0]), np.full(4, 0.01), np.ones((4, 1)))
    >>> [round(float(limit), 3) for limit in variance_limits(data)]
    [0.017, 1.149]
    """
    tail = (1.0 - level) / 2.0
    low, high = (_variance_at(data, float(chdtri(data.degrees_of_freedom, p))) for p in (tail, 1.0 - tail))
    return low, high


def coefficient_covariance(fit: WeightedFit, degrees_of_freedom: int, interval: IntervalMethod) -> FloatArray:
    """Covariance of the coefficients, with the factor of Knapp and Hartung if the method has it."""
    scale = fit.q / degrees_of_freedom
    factor = {"z": np.ones_like(scale), "knapp-hartung": scale, "ad-hoc": np.maximum(scale, 1.0)}[interval]
    return np.asarray(fit.inverse * factor[..., None, None])


def interval_quantile(interval: IntervalMethod, degrees_of_freedom: int, level: float = LEVEL) -> float:
    """Two-sided quantile of intervals and predictions."""
    upper = 0.5 + level / 2.0
    return float(ndtri(upper)) if interval == "z" else float(stdtrit(degrees_of_freedom, upper))


def heterogeneity(data: MetaRegressionData, tau2: float) -> Heterogeneity:
    """Residual heterogeneity of one data set.

    Examples
    --------
    >>> data = MetaRegressionData(np.array([-0.4, -0.1, 0.3, 0.0]), np.full(4, 0.01), np.ones((4, 1)))
    >>> round(heterogeneity(data, 0.0733).q, 1)
    25.0
    """
    at_zero, df = weighted_fit(data, 0.0), data.degrees_of_freedom
    typical = df / float(_trace(data, at_zero))
    return Heterogeneity(float(at_zero.q), float(chdtrc(df, at_zero.q)), df, tau2 / (tau2 + typical))


def explained_heterogeneity(data: MetaRegressionData, tau2: float, method: VarianceEstimator) -> float | None:
    """Share of the between-trial variance that the covariates explain, ``max(0, 1 - tau^2 / tau0^2)``.

    ``tau0^2`` is the variance without covariates, by the same method; the first column of the design is the intercept.

    Returns
    -------
    float or None
        None if the trials do not differ beyond chance even without covariates (``tau0^2 = 0``).

    Examples
    --------
    >>> design = np.column_stack([np.ones(4), [-0.4, -0.1, 0.3, 0.1]])
    >>> data = MetaRegressionData(np.array([-0.4, -0.1, 0.3, 0.0]), np.full(4, 0.01), design)
    >>> explained_heterogeneity(data, 0.0, "reml")
    1.0
    """
    constant = MetaRegressionData(data.y, data.variance, data.design[..., :1])
    without = float(between_trial_variance(constant, method))
    return None if without == 0.0 else max(0.0, 1.0 - tau2 / without)


def variance_of_reml(fit: WeightedFit, design: FloatArray) -> FloatArray:
    """Asymptotic variance ``2 / tr(PP)`` of a restricted maximum likelihood estimate of the between-trial variance."""
    return 2.0 / _squared_trace(design, fit)


def _transpose(matrix: FloatArray) -> FloatArray:
    return np.swapaxes(matrix, -1, -2)


def _moments(design: FloatArray, fit: WeightedFit, power: int) -> FloatArray:
    """``(X'WX)^-1 X'W^power X``."""
    return fit.inverse @ (_transpose(design * fit.weights[..., None] ** power) @ design)


def _trace(data: MetaRegressionData, fit: WeightedFit) -> FloatArray:
    """Trace of P."""
    return np.asarray(fit.weights.sum(axis=-1) - np.trace(_moments(data.design, fit, 2), axis1=-2, axis2=-1))


def _squared_trace(design: FloatArray, fit: WeightedFit) -> FloatArray:
    """Trace of PP."""
    second = _moments(design, fit, 2)
    within = np.trace(2.0 * _moments(design, fit, 3) - second @ second, axis1=-2, axis2=-1)
    return np.asarray(np.sum(fit.weights**2, axis=-1) - within)


def _variance_at(data: MetaRegressionData, target: float) -> FloatArray:
    """Variance at which Q, which decreases with it, equals a target; 0 if Q is below the target everywhere."""

    def excess(tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        fit = weighted_fit(data, tau2)
        return fit.q - target, -np.sum((fit.weights * fit.residual) ** 2, axis=-1)

    low = np.zeros(data.y.shape[:-1])
    return _root(excess, low, low, _sum_of_squares(data) / target)


def _restricted_maximum(data: MetaRegressionData) -> FloatArray:
    """Maximum of the restricted likelihood: the best point of a grid, then the root of the score next to it."""
    df = data.degrees_of_freedom
    mean_square = _sum_of_squares(data) / df
    # the score is negative where tau^4 > m (tau^2 + max v), m the mean square of the residuals
    largest = (mean_square + np.sqrt(mean_square**2 + 4.0 * mean_square * data.variance.max(axis=-1))) / 2.0
    grid = GRID.reshape(-1, *np.ones(largest.ndim, dtype=int)) * largest
    best = np.argmax(_restricted_likelihood(data, grid), axis=0)
    low, high = (np.take_along_axis(grid, np.clip(best + step, 0, len(GRID) - 1)[None], axis=0)[0] for step in (-1, 1))

    def score(tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        fit = weighted_fit(data, tau2)
        projected = fit.weights * fit.residual  # P y
        square, cross = _squared_trace(data.design, fit), _transpose(data.design) @ (fit.weights * projected)[..., None]
        cubic = np.sum(fit.weights * projected**2, axis=-1) - (_transpose(cross) @ fit.inverse @ cross)[..., 0, 0]
        slope = square - 2.0 * cubic  # the expected slope, -square, where the score increases
        return np.sum(projected**2, axis=-1) - _trace(data, fit), np.where(slope < 0, slope, -square)

    start = np.take_along_axis(grid, best[None], axis=0)[0]
    return _root(score, start, low, high)


def _restricted_likelihood(data: MetaRegressionData, tau2: FloatArray) -> FloatArray:
    """Restricted log likelihood up to a constant."""
    fit = weighted_fit(data, tau2)
    return np.asarray((np.log(fit.weights).sum(axis=-1) + np.linalg.slogdet(fit.inverse)[1] - fit.q) / 2.0)


def _sum_of_squares(data: MetaRegressionData) -> FloatArray:
    """Residual sum of squares of unweighted least squares."""
    return np.sum(weighted_fit(MetaRegressionData(data.y, np.ones_like(data.y), data.design), 0.0).residual ** 2, -1)


def _root(
    function: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Root of a decreasing function within brackets by Newton's method, with bisection where it leaves the bracket.

    Parameters
    ----------
    function : callable
        Value, and a negative slope (possibly an approximation).
    start, low, high : (...) arrays
        If the function is not positive at 0, the root is 0.
    """
    tolerance = ACCURACY * np.maximum(high, 1e-300)
    point = start
    for _ in range(STEPS):
        value, slope = function(point)
        low, high = np.where(value > 0, point, low), np.where(value > 0, high, point)
        newton = point - value / slope
        inside = (newton >= low) & (newton <= high)
        following = np.where(inside, newton, (low + high) / 2.0)
        moved, point = np.abs(following - point), following
        if np.all(moved <= tolerance):
            break
    return np.where(high <= tolerance, 0.0, point)
