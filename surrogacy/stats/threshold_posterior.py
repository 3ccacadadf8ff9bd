"""Posterior distribution of the surrogate threshold effect of a Bayesian line.

With known parameters the threshold is the surrogate effect at which the upper limit of the prediction band is 0,

    t = -(intercept + z sqrt(sigma^2 + v)) / slope

where v is the sampling variance of the final effect of the new trial (0 for its true effect). It exists if the slope
is positive and t lies between the strongest effect of any trial and 0. Its posterior describes the threshold of an
infinitely large set of trials. The printed threshold is the weakest effect whose predictive probability of a benefit
is 0.975. It includes the uncertainty of the parameters and lies near the lower end of this posterior if there are few
trials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.results.estimate import ThresholdInterval
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.lines import FLATTEST, STRONGEST_HR
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.mixtures import mixture_cdf

METHOD = "posterior, known parameters"
STRONGEST = float(np.log(STRONGEST_HR))


@dataclass(frozen=True, eq=False)
class ThresholdDistribution:
    """Posterior distribution of the log threshold: a mixture of normal distributions and of lines without one.

    A threshold that does not exist because no effect is strong enough counts as stronger than any effect, and one above
    a hazard ratio of 1 as weaker than any.

    Parameters
    ----------
    weight, mean, sd : (n,) arrays
        Nodes with a positive slope. Given a node the intercept and therefore the threshold are normal.
    too_flat : float
        Probability of a slope that is not positive.
    """

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray
    too_flat: float

    @classmethod
    def of(cls, line: MixtureLine, level: float = LEVEL, n: float | None = None) -> ThresholdDistribution:
        """Distribution for the band of a line at a level and a new trial of ``n`` patients (default: as the line)."""
        z = ndtri(0.5 + confidence_level(level) / 2)
        positive = line.node_slope > FLATTEST
        weight, slope = line.weight[positive], line.node_slope[positive]
        upper = line.node_intercept[positive] + z * np.sqrt(line.scatter_variance(n)[positive])
        sd = np.maximum(np.sqrt(line.node_variance[positive]) / slope, 1e-100)
        return cls(weight, -upper / slope, sd, 1.0 - float(weight.sum()))

    def below(self, log_hr: float) -> float:
        """Probability of a threshold below a log hazard ratio, or of none because no effect is strong enough."""
        return self.too_flat + float(mixture_cdf(np.array(log_hr), self.weight, self.mean, self.sd))

    @property
    def without_surrogate_effect(self) -> float:
        """Probability that a benefit is predicted even at a surrogate hazard ratio of 1."""
        return float(mixture_cdf(np.zeros(()), self.weight, -self.mean, self.sd))

    @property
    def exists(self) -> float:
        """Probability that the threshold exists."""
        return self.below(0.0) - self.below(STRONGEST)

    def quantile(self, p: float) -> float:
        """Quantile of the log threshold: -inf or inf if it does not exist there."""
        if self.below(STRONGEST) >= p:
            return -np.inf
        if self.below(0.0) <= p:
            return np.inf
        return float(brentq(lambda x: self.below(x) - p, STRONGEST, 0.0, xtol=1e-7))


def threshold_posterior(line: MixtureLine, level: float = LEVEL, n: float | None = None) -> ThresholdInterval:
    """Equal-tailed posterior interval of the threshold, and the posterior probability that it exists.

    There are no limits if the threshold does not exist with a probability above ``(1 - level) / 2``.

    Parameters
    ----------
    line : MixtureLine
    level : float
        Level of the band and of the interval.
    n : float, optional
        Patients of the new trial; ``inf`` = its true effect. Default: that of the line.

    Raises
    ------
    UsageError
        If a size is stated and the sizes of the comparisons are unknown.

    Examples
    --------
    >>> unit = np.ones(1)
    >>> line = MixtureLine(0.0, 0.5, unit, 0 * unit, 0.02**2 * unit, unit / 2, unit / 10, 4.0, None, (-1.0, 0.0))
    >>> interval = threshold_posterior(line)
    >>> round(interval.low, 2), round(interval.high, 2), round(interval.exists, 2)
    (0.62, 0.73, 1.0)
    """
    level = confidence_level(level)
    tail = (1 - level) / 2
    distribution = ThresholdDistribution.of(line, level, n)
    exists, without = distribution.exists, distribution.without_surrogate_effect
    low, high = None, None
    if 1 - exists <= tail:
        low, high = (float(np.exp(distribution.quantile(p))) for p in (tail, 1 - tail))
    return ThresholdInterval(low, high, exists, without, level, METHOD)
