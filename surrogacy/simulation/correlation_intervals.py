"""Intervals of the correlation weighted by the number of patients, and of the difference of two such correlations.

The target is the correlation of the estimated effects, to which a weighted correlation converges.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.simulation.data_sets import SimulatedSets
from surrogacy.simulation.performance import Outcome, interval_outcome
from surrogacy.stats.correlation import fisher_limits, weighted_pearson
from surrogacy.stats.power import two_sided_quantile
from surrogacy.stats.trial_numbers import trial_number

TARGET = "correlation of the estimated effects"
RESAMPLES = 500


def outcomes(sets: SimulatedSets) -> Iterator[Outcome]:
    """Compare Fisher's interval with three numbers of trials, and the bootstrap over trials."""
    truth = sets.scenario.correlation_of_estimates
    k, trial = sets.scenario.k, [str(i) for i in range(sets.scenario.k)]
    r = np.array(
        [weighted_pearson(values[:, 0], values[:, 1], n) for values, n in zip(sets.log_hr, sets.n, strict=True)]
    )
    effective = np.array([trial_number(n, trial, "effective").counted for n in sets.n])
    automatic = np.array([trial_number(n, trial).counted for n in sets.n])
    numbers = {
        "Fisher, number of trials": np.full(len(sets), float(k)),
        "Fisher, effective number": effective,
        "Fisher, default rule": automatic,
        "Fisher, k - 3 divided by the design effect": (k - 3) * effective / k + 3,
    }
    for name, number in numbers.items():
        yield interval_outcome(name, TARGET, fisher_limits(r, number), truth, r)
    yield interval_outcome("bootstrap over trials, percentiles", TARGET, _bootstrap(sets), truth, r)
    for name, number in list(numbers.items())[:3]:
        yield _difference(name, r, number)


def _bootstrap(sets: SimulatedSets) -> tuple[FloatArray, FloatArray]:
    """Percentiles of the correlation in samples of trials; the samples are the same for every data set."""
    k = sets.scenario.k
    counts = sets.generator(1).multinomial(k, np.full(k, 1 / k), size=RESAMPLES)
    resampled = [
        weighted_pearson(values[:, 0], values[:, 1], n * counts) for values, n in zip(sets.log_hr, sets.n, strict=True)
    ]
    low, high = np.nanquantile(np.array(resampled), [0.025, 0.975], axis=1)
    return low, high


def _difference(name: str, r: FloatArray, number: FloatArray) -> Outcome:
    """Interval of the difference of Fisher's z between two sets of the same distribution: pairs of data sets."""
    half = len(r) // 2
    z, variance = np.arctanh(r), np.full(len(r), np.nan)
    variance[number > 3] = 1 / (number[number > 3] - 3)
    difference = z[:half] - z[half : 2 * half]
    error = two_sided_quantile(0.95) * np.sqrt(variance[:half] + variance[half : 2 * half])
    limits = difference - error, difference + error
    return interval_outcome(name, "difference of Fisher z between two sets", limits, 0.0, difference)
