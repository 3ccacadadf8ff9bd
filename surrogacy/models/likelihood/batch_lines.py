"""Surrogacy lines of many maximised bivariate likelihoods."""

from __future__ import annotations

import numpy as np

from surrogacy.models.likelihood.batch import BatchMaximum
from surrogacy.stats.line_batch import LineBatch


def lines_of(maxima: BatchMaximum) -> LineBatch:
    """Surrogacy line of every maximum; NaN without a maximum or if the SD of the true surrogate effects is 0.

    The covariance of intercept and slope is that of the delta method with the covariance of the means conditional on T,
    and on the boundary conditional on the boundary, as in `surrogacy.models.bivariate.BivariateRandomEffects`.

    Examples
    --------
    >>> from surrogacy.effects import Effects
    >>> from surrogacy.models.likelihood.batch import maximise_many
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4)
    >>> lines_of(maximise_many(effects, effects.log_hr[None])).slope.round(2)
    array([0.71])
    """
    t11, t12, t22 = np.where(maxima.psi[:, [0]] > 0, maxima.psi, np.nan).T
    mu_surrogate, mu_final = maxima.mu.T
    slope = t12 / t11
    by_slope = np.stack([-slope / t11, 1 / t11], axis=1)  # derivatives of the slope by T11 and T12
    slope_variance = np.einsum("bi,bij,bj->b", by_slope, maxima.psi_cov[:, :2, :2], by_slope)
    by_mu = np.stack([-slope, np.ones_like(slope)], axis=1)
    of_means = np.einsum("bi,bij,bj->b", by_mu, maxima.mu_cov, by_mu)
    terms = of_means + mu_surrogate**2 * slope_variance, -mu_surrogate * slope_variance, slope_variance
    residual = t22 - t12**2 / t11
    variance = np.where(residual > 1e-12 * t22, residual, 0.0)
    return LineBatch(mu_final - slope * mu_surrogate, slope, np.stack(terms, axis=1), variance)
