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

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from surrogacy.results.estimate import ThresholdInterval
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.lines import FLATTEST, STRONGEST_HR
from surrogacy.stats.mixture_line import MixtureLine

METHOD = "posterior, known parameters"


def threshold_posterior(line: MixtureLine, level: float = LEVEL, n: float | None = None) -> ThresholdInterval:
    """Equal-tailed posterior interval of the threshold, and the posterior probability that it exists.

    Given a node with a positive slope, the intercept and therefore the threshold are normal. A threshold that does not
    exist because no effect is strong enough counts as stronger than any effect, and one above a hazard ratio of 1 as
    weaker than any. There are no limits if the threshold does not exist with a probability above ``(1 - level) / 2``.

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
    positive = line.node_slope > FLATTEST
    weight, slope = line.weight[positive], line.node_slope[positive]
    upper = line.node_intercept[positive] + ndtri(1 - tail) * np.sqrt(line.scatter_variance(n)[positive])
    mean, sd = -upper / slope, np.maximum(np.sqrt(line.node_variance[positive]) / slope, 1e-100)
    too_flat = 1.0 - float(weight.sum())

    def below(log_hr: float, probability: float = 0.0) -> float:
        """Excess of the posterior probability of no threshold or one below ``log_hr`` over a probability."""
        return too_flat + float(ndtr((log_hr - mean) / sd) @ weight) - probability

    strongest = float(np.log(STRONGEST_HR))
    without = float(ndtr(mean / sd) @ weight)
    exists = below(0.0) - below(strongest)
    if 1 - exists > tail:
        return ThresholdInterval(None, None, exists, without, level, METHOD)
    low, high = (float(np.exp(brentq(below, strongest, 0.0, args=(p,), xtol=1e-7))) for p in (tail, 1 - tail))
    return ThresholdInterval(low, high, exists, without, level, METHOD)
