"""Simulation of the difference of slopes between two sets."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.evaluation.posterior_differences import posterior_difference
from surrogacy.evaluation.setting_differences import compare_settings
from surrogacy.simulation.chunks import simulate_chunk
from surrogacy.simulation.data_sets import draw_sets
from surrogacy.simulation.scenarios import NUMBERS_OF_TRIALS, TYPICAL, scenarios
from surrogacy.simulation.setting_differences import OTHER_SEED, SECOND


def test_every_number_of_trials_has_a_second_set():
    assert set(SECOND) == set(NUMBERS_OF_TRIALS)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["typical", "weak correlation"])
def test_outcomes_are_those_of_the_comparison(name):
    """Width and error of the first data set, by the functions that compare two sets in a run."""
    scenario = next(each for each in scenarios("two-sets") if (each.name, each.k) == (name, 6))
    scenario = replace(scenario, data_sets=2)
    hierarchical, independent = simulate_chunk(scenario, seed=3)
    assert (hierarchical.procedure, independent.procedure) == ("hierarchical model", "independent posteriors")
    first = draw_sets(scenario, 3).effects(0)
    second = draw_sets(replace(TYPICAL, k=16, data_sets=2), 3 + OTHER_SEED).effects(0)
    second = replace(second, trial=tuple(f"second {trial}" for trial in second.trial))
    truth = scenario.slope - TYPICAL.slope
    assert truth == pytest.approx(0.0 if name == "typical" else -0.18)
    expected = compare_settings(first, second).contrasts["slope"].difference
    assert hierarchical.width[0] == pytest.approx(expected.high - expected.low, rel=1e-9)
    assert hierarchical.error[0] == pytest.approx(expected.value - truth, abs=1e-9)
    assert hierarchical.coverage[0] == float(expected.low <= truth <= expected.high)
    expected = posterior_difference(first, second)[0]["slope"].difference
    width = expected.high - expected.low  # from four times as many quantiles
    assert independent.width[0] == pytest.approx(width, rel=0.01)
    assert independent.error[0] == pytest.approx(expected.value - truth, abs=0.01 * width)
    assert np.all(hierarchical.width < independent.width)
