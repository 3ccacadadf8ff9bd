"""Intervals of the difference of slopes between two sets: hierarchical model, and two independent posteriors.

The first set is that of the scenario. The second, larger set has the typical setting, so that the slopes are equal in
the typical setting of the first and differ in the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact.bivariate_posterior import posteriors
from surrogacy.models.exact.setting_pair import SLOPE, SettingPair
from surrogacy.models.exact.setting_table import SettingPriors, common_centre, tabulate
from surrogacy.simulation.data_sets import SimulatedSets, draw_sets
from surrogacy.simulation.performance import Outcome, interval_outcome
from surrogacy.simulation.scenarios import TYPICAL

SECOND = {6: 16, 9: 45, 16: 45, 45: 45}  # trials of the second set by those of the first
OTHER_SEED = 1_000_000  # added to the seed of the first set
QUANTILES = 200  # of each posterior: the error of a limit is about 0.5% of its SD
LIMITS = (0.025, 0.5, 0.975)
TARGET = "difference of slopes between two sets"


def outcomes(sets: SimulatedSets) -> Iterator[Outcome]:
    """Compare the interval of the hierarchical model with that of two independent posteriors."""
    second_scenario = replace(TYPICAL, topic=sets.scenario.topic, k=SECOND[sets.scenario.k])
    second = draw_sets(replace(second_scenario, data_sets=len(sets)), sets.seed + OTHER_SEED)
    pairs = [(sets.effects(i), _renamed(second.effects(i))) for i in range(len(sets))]
    truth = sets.scenario.slope - second_scenario.slope
    for name, quantiles in (
        ("hierarchical model", np.array([_hierarchical(*pair) for pair in pairs])),
        ("independent posteriors", _independent(pairs)),
    ):
        low, median, high = quantiles.T
        yield interval_outcome(name, TARGET, (low, high), truth, median)


def _renamed(effects: Effects) -> Effects:
    """Effects whose trials have other names than those of the first set."""
    return replace(effects, trial=tuple(f"second {name}" for name in effects.trial))


def _hierarchical(first: Effects, second: Effects) -> FloatArray:
    """Quantiles of the difference in the hierarchical model."""
    priors, centre = SettingPriors(), common_centre(first, second)
    pair = SettingPair((tabulate(first, priors, centre), tabulate(second, priors, centre)), priors)
    return pair.difference(SLOPE).quantiles(LIMITS)


def _independent(pairs: Sequence[tuple[Effects, Effects]]) -> FloatArray:
    """Quantiles of the difference of two independent posteriors, (b, 3)."""
    p, priors = (np.arange(QUANTILES) + 0.5) / QUANTILES, BivariateBayes().priors
    first, second = (
        [posterior.many_quantiles("slope", p) for posterior in posteriors(effects, priors)]
        for effects in zip(*pairs, strict=True)
    )
    return np.array([np.quantile(a[:, None] - b, LIMITS) for a, b in zip(first, second, strict=True)])
