"""Bootstrap over trials, and percentile intervals."""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats import correlation
from surrogacy.stats.correlation import Limits

PIECE = 2_000_000  # number of weights of resampled comparisons in memory at once


def resampled_r(effects: Effects, weights: FloatArray, resamples: int, generator: np.random.Generator) -> FloatArray:
    """Weighted Pearson correlation of bootstrap samples of whole trials.

    Parameters
    ----------
    effects : Effects
    weights : (k,) array
    resamples : int
        Number of samples.
    generator : numpy.random.Generator

    Returns
    -------
    (resamples,) array
        NaN for a sample with fewer than two distinct effects.

    Examples
    --------
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4)
    >>> resampled_r(effects, np.ones(4), 1000, np.random.default_rng(1)).shape
    (1000,)
    """
    place = {trial: i for i, trial in enumerate(effects.trials)}
    member = np.array([place[trial] for trial in effects.trial])
    shares = np.full(len(place), 1 / len(place))
    x, y = effects.log_hr.T
    step = PIECE // len(member) + 1
    sizes = [min(step, resamples - start) for start in range(0, resamples, step)]
    samples = (generator.multinomial(len(place), shares, size=size)[:, member] for size in sizes)
    return np.concatenate([correlation.weighted_pearson(x, y, weights * counts) for counts in samples])


def percentiles(sample: FloatArray, level: float = LEVEL) -> Limits:
    """Percentile interval of the finite values of a sample; (None, None) if there are none.

    Examples
    --------
    >>> percentiles(np.arange(101.0), 0.9)
    (4.999999999999999, 95.0)
    """
    level = confidence_level(level)
    finite = sample[np.isfinite(sample)]
    if not len(finite):
        return None, None
    low, high = np.quantile(finite, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
