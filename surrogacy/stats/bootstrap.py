"""Bootstrap over trials, and percentiles of what it gives."""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats import correlation

Limits = tuple[float | None, float | None]
PIECE = 2_000_000  # weights of resampled comparisons held at once


def resampled_r(effects: Effects, weights: FloatArray, resamples: int, generator: np.random.Generator) -> FloatArray:
    """Weighted Pearson r of sets of as many trials drawn with replacement; the comparisons of a trial go together.

    NaN where a sample holds fewer than two distinct effects.
    """
    place = {trial: i for i, trial in enumerate(effects.trials)}
    member = np.array([place[trial] for trial in effects.trial])
    shares = np.full(len(place), 1 / len(place))
    x, y = effects.log_hr.T
    pieces = [
        min(PIECE // len(member) + 1, resamples - start) for start in range(0, resamples, PIECE // len(member) + 1)
    ]
    samples = (generator.multinomial(len(place), shares, size=size)[:, member] for size in pieces)
    return np.concatenate([correlation.weighted_pearson(x, y, weights * counts) for counts in samples])


def percentiles(sample: FloatArray, level: float = LEVEL) -> Limits:
    """Percentile interval of the finite part of a sample; None where it is empty.

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
