"""Estimated distribution of the true effects, and the prediction of a final effect from it.

With ``K = (T12 + r s1 s2) / (T11 + s1^2)`` an observed surrogate effect y1 with standard error s1 predicts

    E[y2 | y1]   = mu2 + K (y1 - mu1)
    Var(y2 | y1) = T22 + s2^2 - K^2 (T11 + s1^2) + g' Cov g

where Cov is the covariance of the estimates of (mu1, mu2, T11, T12, T22) and g the gradient of the mean,

    g = (-K, 1, -K d, d, 0),   d = (y1 - mu1) / (T11 + s1^2)

A surrogate effect known without error has s1 = 0, and a true final effect s2 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution, error_parts


@dataclass(frozen=True, eq=False)
class TrueEffects:
    """Bivariate normal distribution of the true effects, at several values of the residual variance.

    The nodes have the same means, T11 and slope, so that every prediction has the same mean at each of them.

    Parameters
    ----------
    mean : (2,) array
        Means of the true surrogate and final effects.
    surrogate_variance : float
        T11, above 0.
    slope : float
        T12 / T11.
    weight : (n,) array
        Weights of the nodes; sum to 1. An estimate has a single node.
    residual_variance : (n,) array
        Variance of the true final effects about the line, T22 - T12^2 / T11.
    covariance : (n, 5, 5) array
        Covariance of the estimates of (mu1, mu2, T11, T12, T22).

    Examples
    --------
    >>> zero = np.zeros((1, 5, 5))
    >>> effects = TrueEffects(np.array([-0.3, -0.1]), 0.09, 0.5, np.ones(1), np.array([0.01]), zero)
    >>> law = effects.predict_observed(ObservedEffects(-0.5, 0.0, np.nan, 0.0, 0.5, np.nan))
    >>> round(law.quantile(0.5), 3), round(law.variance, 3)
    (-0.2, 0.01)
    """

    mean: FloatArray
    surrogate_variance: float
    slope: float
    weight: FloatArray
    residual_variance: FloatArray
    covariance: FloatArray

    def parameter_variance(self, log_hr: npt.ArrayLike, s1: float = 0.0, covariance: float = 0.0) -> FloatArray:
        """Variance of the predicted mean due to the estimated parameters, by the delta method.

        Parameters
        ----------
        log_hr : array-like
            Surrogate log hazard ratios.
        s1 : float
            Their standard error.
        covariance : float
            Covariance of the sampling errors of both effects.

        Returns
        -------
        (..., n) array
        """
        total = self.surrogate_variance + s1**2
        pull = (self.slope * self.surrogate_variance + covariance) / total
        d = (np.asarray(log_hr, dtype=np.float64) - self.mean[0]) / total
        gradient = np.stack(np.broadcast_arrays(-pull, 1.0, -pull * d, d, 0.0), axis=-1)
        return np.asarray(np.einsum("...i,nij,...j->...n", gradient, self.covariance, gradient))

    def predict_observed(self, trial: ObservedEffects) -> PredictiveDistribution:
        """Predict the observed final effect of a trial from its observed surrogate effect.

        Parameters
        ----------
        trial : ObservedEffects
            Its final effect is not used.
        """
        both = trial.rho_within * trial.se * trial.se_final
        t11 = self.surrogate_variance
        pull = (self.slope * t11 + both) / (t11 + trial.se**2)
        return PredictiveDistribution.of_nodes(
            self.weight,
            np.full_like(self.weight, self.mean[1] + pull * (trial.log_hr - self.mean[0])),
            error_parts(np.array(self.slope), np.array(t11), trial),
            self.residual_variance,
            self.parameter_variance(trial.log_hr, trial.se, both),
        )
