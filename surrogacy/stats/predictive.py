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
    """Observed effects of one comparison.

    Parameters
    ----------
    log_hr, se : float
        Log hazard ratio of the surrogate endpoint, and its standard error.
    log_hr_final, se_final : float
        The same of the final endpoint.
    rho_within : float
        Within-trial correlation of the two estimates.
    n : float
        Number of patients; NaN if not stated.
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
        Components of the mixture; a normal or t distribution has one.
    degrees_of_freedom : float or None
        Degrees of freedom of a t distribution, else None.
    components : mapping of str to float
        Components of the variance, as far as the model distinguishes them; they sum to it.

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

    @classmethod
    def of_nodes(
        cls,
        weight: FloatArray,
        mean: FloatArray,
        errors: Mapping[str, FloatArray],
        scatter: FloatArray,
        parameters: FloatArray,
    ) -> PredictiveDistribution:
        """Mixture over nodes, whose variance is the sum of sampling errors, scatter about the line and parameters."""
        sd = np.sqrt(sum(errors.values()) + scatter + parameters)
        components = {name: float(weight @ np.broadcast_to(value, weight.shape)) for name, value in errors.items()}
        spread = float(weight @ (mean - weight @ mean) ** 2)
        components |= {"parameters": float(weight @ parameters) + spread, "sigma_cond": float(weight @ scatter)}
        return cls(weight, mean, sd, None, components)

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
    true : Estimate
        True log hazard ratio.
    observed : Estimate or None
        Log hazard ratio that the trial will observe; None if its standard error is not stated.
    probability_below_1 : float
        Probability that the true hazard ratio is below 1.
    probability_observed_below_1 : float or None
        Probability that the observed hazard ratio is below 1.
    """

    true: Estimate
    observed: Estimate | None
    probability_below_1: float
    probability_observed_below_1: float | None


def mixture_estimate(
    weight: FloatArray, mean: FloatArray, sd: FloatArray, variance: FloatArray, level: float, method: str
) -> tuple[Estimate, float]:
    """Median, SD and equal-tailed interval of a mixture of normals, and its probability of a value below 0.

    Parameters
    ----------
    weight, mean, sd, variance : (n,) arrays
        ``variance`` is the square of ``sd``.
    level : float
    method : str
        Method of the estimate.

    Examples
    --------
    >>> one = np.ones(1)
    >>> estimate, below = mixture_estimate(one, 0 * one, one, one, 0.95, "normal")
    >>> round(estimate.high, 2), below
    (1.96, 0.5)
    """
    probabilities = (0.5, 0.5 - level / 2, 0.5 + level / 2)
    median, low, high = map(float, mixture_quantile(probabilities, weight, mean[None], sd[None])[0])
    total = float(np.sqrt(weight @ ((mean - weight @ mean) ** 2 + variance)))
    below = float(mixture_cdf(np.zeros(()), weight, mean, sd))
    return Estimate(median, total, low, high, level, method), below


def error_parts(slope: FloatArray, t11: FloatArray, trial: ObservedEffects) -> dict[str, FloatArray]:
    """Components of a predictive variance that are due to the sampling errors of the trial itself.

    Parameters
    ----------
    slope : array
    t11 : array
        Variance of the true surrogate effects; infinite if no distribution is assumed for them.
    trial : ObservedEffects

    Returns
    -------
    dict of str to array
        ``surrogate_error``, ``sampling`` and ``covariance``.
    """
    s1, s2, r = trial.se, trial.se_final, trial.rho_within
    share = 1.0 / (1.0 + s1**2 / np.maximum(t11, 1e-300))
    shrinkage = np.where(np.isinf(t11), 0.0, r**2 * s1**2 * s2**2 / (t11 + s1**2))
    return {
        "surrogate_error": slope**2 * share * s1**2,
        "sampling": np.asarray(s2**2),
        "covariance": -(2 * slope * share * r * s1 * s2 + shrinkage),
    }
