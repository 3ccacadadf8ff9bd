"""Regression of the final on the surrogate effects with and without the sampling errors of the surrogate effects.

Errors ignored: the moderator is the observed surrogate effect y1, the sampling variance S22. The slope is that of the
observed effects: attenuated by the errors of y1, and inflated by a positive within-trial correlation.

Errors propagated (regression calibration): the true surrogate effects x have mean m and variance t over trials,
estimated from the surrogate effects alone. Given y1, with M = (t I + S11)^-1,

    E(x | y1)  = m + t M (y1 - m)                                      the moderator
    E(e2 | y1) = S21 M (y1 - m)                                        subtracted from y2
    Var        = S22 - S21 M S12 + b^2 t (I - t M) - b t (M S12 + S21 M) + tau^2 I

so that the variance of a comparison alone is ``tau^2 + s2^2 + b^2 k s1^2 - 2 b k r s1 s2 - r^2 s1^2 s2^2 / (t + s1^2)``
with the reliability ``k = t / (t + s1^2)``. It depends on the slope b, which is iterated. The slope is that of the true
effects, tau their residual SD.

Comparisons with a shared control arm form a group with correlated errors. Its covariance is diagonalised, so that the
methods for independent estimates apply (generalised least squares).

References
----------
Fibrinogen Studies Collaboration (2009), doi:10.1002/sim.3530 (regression calibration in a meta-analysis).
Guolo (2014), doi:10.1002/sim.6076 (corrections for errors in the covariate of a meta-regression).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.stats.meta_regression import (
    MetaRegressionData,
    VarianceEstimator,
    WeightedFit,
    between_trial_variance,
    variance_of_reml,
    weighted_fit,
)

ITERATIONS = 60  # about 10 are used
CONVERGED = 1e-11  # change of the slope, relative to the larger of 1 and the slope
STEP = 1e-4  # of the derivative with respect to mean and SD of the true surrogate effects, log hazard ratio


@dataclass(frozen=True, eq=False)
class CorrelatedEffects:
    """Groups of ``g`` comparisons whose sampling errors are correlated.

    Parameters
    ----------
    surrogate, final : (..., m, g) arrays
        Observed log hazard ratios of ``m`` groups.
    s11, s12, s22 : (..., m, g, g) arrays
        Covariances of the errors: among surrogate effects, of surrogate (rows) with final effects, among final effects.
    """

    surrogate: FloatArray
    final: FloatArray
    s11: FloatArray
    s12: FloatArray
    s22: FloatArray


@dataclass(frozen=True, eq=False)
class TrueSurrogateEffects:
    """Distribution of the true surrogate effects over trials, with the variances of its estimates.

    Parameters
    ----------
    mean, variance : (...) arrays
    mean_error, variance_error : (...) arrays
        Sampling variances of ``mean`` and ``variance``.
    """

    mean: FloatArray
    variance: FloatArray
    mean_error: FloatArray
    variance_error: FloatArray


@dataclass(frozen=True, eq=False)
class FittedMetaRegression:
    """Data of a meta-regression, its between-trial variance, and the fit.

    Parameters
    ----------
    data : MetaRegressionData
    tau2 : (...) array
    fit : WeightedFit
    first_stage : (..., 2, 2) array
        Covariance of the coefficients that is due to the distribution of the true surrogate effects; 0 if the errors of
        the surrogate effects are ignored.
    converged : (...) array of bool
        False if the slope, on which the variances depend, has not settled.
    """

    data: MetaRegressionData
    tau2: FloatArray
    fit: WeightedFit
    first_stage: FloatArray
    converged: BoolArray


def independent_effects(
    surrogate: FloatArray, final: FloatArray, se: FloatArray, rho_within: FloatArray
) -> CorrelatedEffects:
    """Comparisons without a shared control arm.

    Parameters
    ----------
    surrogate, final, rho_within : (..., k) arrays
    se : (..., k, 2) array
    """
    covariance = rho_within * se[..., 0] * se[..., 1]
    parts = (se[..., 0] ** 2, covariance, se[..., 1] ** 2)
    return CorrelatedEffects(surrogate[..., None], final[..., None], *(part[..., None, None] for part in parts))


def errors_ignored(groups: Sequence[CorrelatedEffects], method: VarianceEstimator) -> FittedMetaRegression:
    """Fit the regression on the observed surrogate effects.

    Examples
    --------
    >>> x, se = np.array([-0.6, -0.3, -0.1, 0.0]), np.full((4, 2), 0.1)
    >>> regression = errors_ignored([independent_effects(x, 0.5 * x, se, np.zeros(4))], "reml")
    >>> regression.fit.coefficients.round(6) + 0.0
    array([0. , 0.5])
    """
    data = _independent([_rotated(group.final, group.s22, group.surrogate) for group in groups])
    tau2 = between_trial_variance(data, method)
    return FittedMetaRegression(data, tau2, weighted_fit(data, tau2), np.zeros((2, 2)), np.ones(tau2.shape, dtype=bool))


def true_surrogate_effects(groups: Sequence[CorrelatedEffects], method: VarianceEstimator) -> TrueSurrogateEffects:
    """Random-effects meta-analysis of the surrogate effects."""
    data = _independent([_rotated(group.surrogate, group.s11) for group in groups])
    variance = between_trial_variance(data, method)
    fit = weighted_fit(data, variance)
    return TrueSurrogateEffects(
        fit.coefficients[..., 0], variance, fit.inverse[..., 0, 0], variance_of_reml(fit, data.design)
    )


def errors_propagated(
    groups: Sequence[CorrelatedEffects], true: TrueSurrogateEffects, method: VarianceEstimator
) -> FittedMetaRegression:
    """Fit the regression on the expected true surrogate effects.

    Parameters
    ----------
    groups : sequence of CorrelatedEffects
    true : TrueSurrogateEffects
        With variances above 0; otherwise the slope is not defined.
    method : {"reml", "dl", "pm"}

    Examples
    --------
    >>> x, se = np.array([-0.6, -0.3, -0.1, 0.0]), np.full((4, 2), 0.1)
    >>> groups = [independent_effects(x, 0.5 * x, se, np.zeros(4))]
    >>> regression = errors_propagated(groups, true_surrogate_effects(groups, "reml"), "reml")
    >>> regression.fit.coefficients.round(2)
    array([0.02, 0.58])
    """
    slope = errors_ignored(groups, "dl").fit.coefficients[..., 1]
    for _ in range(ITERATIONS):
        data = _calibrated(groups, true.mean, true.variance, slope)
        tau2 = between_trial_variance(data, method)
        fit = weighted_fit(data, tau2)
        moved, slope = np.abs(fit.coefficients[..., 1] - slope), fit.coefficients[..., 1]
        converged = moved < CONVERGED * np.maximum(np.abs(slope), 1.0)
        if converged.all():
            break

    def coefficients(mean: FloatArray, sd: FloatArray) -> FloatArray:
        return weighted_fit(_calibrated(groups, mean, sd**2, slope), tau2).coefficients

    sd = np.sqrt(true.variance)
    step = np.minimum(STEP, sd / 2)
    by_mean = (coefficients(true.mean + step, sd) - coefficients(true.mean - step, sd)) / (2 * step[..., None])
    by_sd = (coefficients(true.mean, sd + step) - coefficients(true.mean, sd - step)) / (2 * step[..., None])
    sd_error = true.variance_error / (4 * true.variance)
    covariance = _outer(by_mean) * true.mean_error[..., None, None] + _outer(by_sd) * sd_error[..., None, None]
    return FittedMetaRegression(data, tau2, fit, covariance, np.asarray(converged))


def _outer(vector: FloatArray) -> FloatArray:
    return np.asarray(vector[..., :, None] * vector[..., None, :])


def _calibrated(
    groups: Sequence[CorrelatedEffects], mean: FloatArray, variance: FloatArray, slope: FloatArray
) -> MetaRegressionData:
    """Data of the regression given the distribution of the true surrogate effects and a slope."""
    parts = []
    t, b = np.asarray(variance)[..., None, None, None], np.asarray(slope)[..., None, None, None]
    for group in groups:
        away = group.surrogate - np.asarray(mean)[..., None, None]
        identity = np.eye(away.shape[-1])
        precision = _inverse(t * identity + group.s11)
        s21 = np.swapaxes(group.s12, -1, -2)
        shared = s21 @ precision
        cross = t * b * (shared + np.swapaxes(shared, -1, -2))
        covariance = group.s22 - shared @ group.s12 + b**2 * t * (identity - t * precision) - cross
        scaled = (precision @ away[..., None])[..., 0]
        moderator = np.asarray(mean)[..., None, None] + t[..., 0] * scaled
        response = group.final - (s21 @ scaled[..., None])[..., 0]
        parts.append(_rotated(response, covariance, moderator))
    return _independent(parts)


def _rotated(response: FloatArray, covariance: FloatArray, *columns: FloatArray) -> MetaRegressionData:
    """Rotate each group so that its errors are independent."""
    design = np.stack([np.ones_like(response), *columns], axis=-1)
    if response.shape[-1] == 1:
        return MetaRegressionData(response[..., 0], covariance[..., 0, 0], design[..., 0, :])
    variance, vectors = np.linalg.eigh(covariance)
    rotation = np.swapaxes(vectors, -1, -2)
    y = (rotation @ response[..., None])[..., 0]
    width = design.shape[-1]
    flat = (*y.shape[:-2], -1)
    return MetaRegressionData(y.reshape(flat), variance.reshape(flat), (rotation @ design).reshape(*flat, width))


def _independent(parts: Sequence[MetaRegressionData]) -> MetaRegressionData:
    """Join the data of groups of different sizes."""
    y, variance = (np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in ("y", "variance"))
    return MetaRegressionData(y, variance, np.concatenate([part.design for part in parts], axis=-2))


def _inverse(matrix: FloatArray) -> FloatArray:
    return 1.0 / matrix if matrix.shape[-1] == 1 else np.linalg.inv(matrix)
