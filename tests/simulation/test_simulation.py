"""Scenarios, data sets, chunks and performance of the coverage simulations."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.models import BivariateRandomEffects
from surrogacy.simulation.chunks import TOPICS, simulate_chunk
from surrogacy.simulation.data_sets import draw_sets
from surrogacy.simulation.performance import Outcome, interval_outcome, summarise
from surrogacy.simulation.scenarios import NUMBERS_OF_TRIALS, SETTINGS_OF_TOPIC, scenarios
from surrogacy.stats.correlation import weighted_pearson

TYPICAL = scenarios("correlation")[2]


def test_scenarios_of_a_topic():
    assert set(SETTINGS_OF_TOPIC) == set(TOPICS)
    for topic, settings in SETTINGS_OF_TOPIC.items():
        chosen = scenarios(topic)
        assert {(s.name, s.k) for s in chosen} == {(name, k) for name in settings for k in NUMBERS_OF_TRIALS}
        assert all(scenario.topic == topic for scenario in chosen)
    with pytest.raises(UsageError, match="topic must be one of models, correlation"):
        scenarios("colour")


def test_line_of_the_true_effects():
    values = np.random.default_rng(1).multivariate_normal(TYPICAL.mean, TYPICAL.between, 400_000)
    slope, intercept = np.polyfit(*values.T, 1)
    assert (slope, intercept) == pytest.approx((TYPICAL.slope, TYPICAL.intercept), abs=2e-3)
    assert np.std(values[:, 1] - intercept - slope * values[:, 0]) == pytest.approx(TYPICAL.sigma, rel=5e-3)


def test_data_sets_resemble_the_curated_sets():
    """Moments of the estimates, of the sizes and of the standard errors that the scenario states."""
    sets = draw_sets(replace(TYPICAL, k=400), 1)
    errors = np.log(sets.se * np.sqrt(sets.n)[..., None])
    assert np.median(sets.n) == pytest.approx(400, rel=0.01)
    assert np.log(sets.n).std() == pytest.approx(0.55, rel=0.01)
    assert np.exp(2 * errors.mean(axis=(0, 1))) == pytest.approx([6.0, 7.0], rel=0.01)
    assert errors.std(axis=(0, 1)) == pytest.approx([0.1, 0.1], rel=0.01)
    assert sets.log_hr.mean(axis=(0, 1)) == pytest.approx(TYPICAL.mean, abs=3e-3)
    cross = TYPICAL.rho_within * sets.se.prod(axis=2).mean()
    expected = TYPICAL.between[0, 1] + cross
    centred = sets.log_hr - sets.log_hr.mean(axis=(0, 1))
    assert np.mean(centred[..., 0] * centred[..., 1]) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("name", ["typical", "equal sizes", "no sampling errors"])
def test_correlation_of_the_estimates_is_the_limit_of_the_weighted_correlation(name):
    scenario = next(scenario for scenario in scenarios("correlation") if scenario.name == name)
    sets = draw_sets(replace(scenario, k=4000, data_sets=100), 1)
    r = np.mean([weighted_pearson(*values.T, n) for values, n in zip(sets.log_hr, sets.n, strict=True)])
    assert r == pytest.approx(scenario.correlation_of_estimates, abs=4e-3)


def test_a_chunk_is_a_pure_function_of_scenario_and_seed():
    scenario = replace(TYPICAL, data_sets=20)
    first, again, second = (simulate_chunk(scenario, seed) for seed in (1, 1, 2))
    for outcome, repeated, further in zip(first, again, second, strict=True):
        assert np.array_equal(outcome.coverage, repeated.coverage, equal_nan=True)
        assert np.array_equal(outcome.width, repeated.width, equal_nan=True)
        assert (outcome.procedure, outcome.target) == (further.procedure, further.target)
    assert not np.array_equal(first[0].error, second[0].error)
    assert np.array_equal(draw_sets(scenario, 1).log_hr, draw_sets(replace(scenario, topic="threshold"), 1).log_hr)


def test_maxima_are_those_of_the_model():
    sets = draw_sets(replace(TYPICAL, data_sets=5), 3)
    for i in range(5):
        result = BivariateRandomEffects(interval="delta").fit(sets.effects(i))
        assert sets.maxima.log_likelihood[i] == pytest.approx(result["loglik"].value, abs=1e-6)
        assert np.sqrt(sets.maxima.psi[i, 0]) == pytest.approx(result["tau_surrogate"].value, abs=1e-4)


def test_performance_of_known_outcomes():
    coverage = np.array([1.0, 1.0, 0.0, 1.0, np.nan])
    width = np.array([1.0, 2.0, 3.0, np.inf, np.nan])
    outcome = Outcome("Wald", "slope", coverage, width, np.array([0.1, -0.1, 0.3, np.nan, np.nan]))
    (performance,) = summarise([[outcome], [outcome]])
    assert performance.data_sets == 10
    assert performance.coverage == pytest.approx(0.75)
    assert performance.coverage_error == pytest.approx(np.sqrt(0.75 * 0.25 / 7), rel=1e-12)
    assert (performance.median_width, performance.mean_width) == (2.5, np.inf)
    assert performance.bias == pytest.approx(0.1)
    assert performance.failures == pytest.approx(0.2)


def test_an_interval_of_nominal_coverage():
    """The z interval of a normal mean covers 95% within 3 Monte Carlo errors, and its width is known."""
    mean = np.random.default_rng(1).normal(2.0, 1.0, 20_000)
    (performance,) = summarise([[interval_outcome("z", "mean", (mean - 1.959964, mean + 1.959964), 2.0, mean)]])
    assert abs(performance.coverage - 0.95) < 3 * performance.coverage_error
    assert performance.coverage_error == pytest.approx(np.sqrt(0.95 * 0.05 / 20_000), rel=0.05)
    assert performance.mean_width == pytest.approx(2 * 1.959964)
    assert abs(performance.bias) < 3 * performance.bias_error
