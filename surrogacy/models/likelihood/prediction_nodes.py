"""Distribution of the true effects over values of the residual variance, for prediction intervals.

At each node the residual variance is a quantile of its confidence distribution (`residual_distribution`), means, T11
and slope are the estimates, and their covariance is that of the expected information at this T
(`expected_information`). The prediction is the mixture over the nodes. Without sampling errors it is a t distribution
with k - 2 degrees of freedom.
"""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.likelihood.batch_data import BatchLikelihood
from surrogacy.models.likelihood.expected_information import expected_covariance
from surrogacy.models.likelihood.residual_distribution import Residuals, quadrature, residual_quantiles
from surrogacy.stats.true_effects import TrueEffects


def prediction_nodes(data: BatchLikelihood, psi: FloatArray, mean: FloatArray, residual: Residuals) -> TrueEffects:
    """Distribution of the true effects at the nodes of the residual variance.

    Parameters
    ----------
    data : BatchLikelihood
        One data set.
    psi : (3,) array
        Estimates of T11, T12 and T22; T11 above 0.
    mean : (2,) array
        Estimates of the means.
    residual : Residuals
        Residuals about the estimated slope, at least three.

    Returns
    -------
    TrueEffects
    """
    t11, slope = float(psi[0]), float(psi[1] / psi[0])
    probability, weight = quadrature()
    variance = residual_quantiles(residual, probability)
    at = np.column_stack([np.broadcast_to([t11, slope * t11], (len(variance), 2)), slope**2 * t11 + variance])
    return TrueEffects(mean, t11, slope, weight, variance, expected_covariance(data, at))
