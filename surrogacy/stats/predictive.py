"""Observed effects of a trial, and the predictive distribution of its final effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import confidence_level
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile


@dataclass(frozen=True, eq=False)
class ObservedEffects:
    """Effects of one comparison.

    Parameters
    ----------
    log_hr, se : float
        Of the surrogate.
    log_hr_final, se_final : float
    rho_within : float
    n : float
        Patients; NaN where not stated.
    """

    log_hr: float
    se: float
    log_hr_final: float
    se_final: float
    rho_within: float
    n: float


@dataclass(frozen=True, eq=False)
class PredictiveDistribution:
    """Predictive distribution of an observed final log hazard ratio: a normal, a t, or a mixture of normals.

    Parameters
    ----------
    weight, mean, sd : (n,) arrays
        One node for a normal or t.
    degrees_of_freedom : float or None
        Of the t.
    components : mapping of str to float
        Parts of the variance, those that the model knows; they sum to it.

    Examples
    --------
    >>> law = PredictiveDistribution(np.ones(1), np.array([-0.2]), np.array([0.1]), None, {"sampling": 0.01})
    >>> [round(limit, 2) for limit in law.interval(0.95)]
    [-0.4, -0.0]
    """

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray
    degrees_of_freedom: float | None
    components: Mapping[str, float]

    @property
    def variance(self) -> float:
        """Sum of the components."""
        return float(sum(self.components.values()))

    def quantile(self, p: float) -> float:
        """Quantile of the observed final log hazard ratio."""
        if self.degrees_of_freedom is not None:
            return float(self.mean[0] + stdtrit(self.degrees_of_freedom, p) * self.sd[0])
        if len(self.weight) == 1:
            return float(self.mean[0] + ndtri(p) * self.sd[0])
        return float(mixture_quantile((p,), self.weight, self.mean[None], self.sd[None])[0, 0])

    def probability_below(self, log_hr: float) -> float:
        """Probability that the observed final log hazard ratio lies below a value."""
        if self.degrees_of_freedom is not None:
            return float(stdtr(self.degrees_of_freedom, (log_hr - self.mean[0]) / self.sd[0]))
        if len(self.weight) == 1:
            return float(ndtr((log_hr - self.mean[0]) / self.sd[0]))
        return float(mixture_cdf(np.array(log_hr), self.weight, self.mean, self.sd))

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed prediction interval."""
        level = confidence_level(level)
        return self.quantile(0.5 - level / 2), self.quantile(0.5 + level / 2)


@dataclass(frozen=True)
class Prediction:
    """Expected final effect of a new trial whose surrogate effect was observed.

    Parameters
    ----------
    true, observed : Estimate
        Log hazard ratio: the true effect, and the estimate that the trial will see (None without its standard error).
    probability_below_1 : float
        Of the true hazard ratio.
    probability_observed_below_1 : float or None
    """

    true: Estimate
    observed: Estimate | None
    probability_below_1: float
    probability_observed_below_1: float | None


def error_parts(slope: FloatArray, t11: FloatArray, trial: ObservedEffects) -> dict[str, FloatArray]:
    """Parts of a predictive variance that the errors of the trial itself make.

    Parameters
    ----------
    slope : array
    t11 : array
        Variance of the true surrogate effects; infinite where nothing is assumed of them.
    trial : ObservedEffects
    """
    s1, s2, r = trial.se, trial.se_final, trial.rho_within
    share = 1.0 / (1.0 + s1**2 / np.maximum(t11, 1e-300))
    own = np.where(np.isinf(t11), 0.0, r**2 * s1**2 * s2**2 / (t11 + s1**2))
    return {
        "surrogate_error": slope**2 * share * s1**2,
        "sampling": np.asarray(s2**2),
        "covariance": -(2 * slope * share * r * s1 * s2 + own),
    }
