"""Coverage of the intervals of the threshold: procedures, true values and a pure function."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.models import WeightedRegression
from surrogacy.simulation import threshold_intervals
from surrogacy.simulation.chunks import simulate_chunk
from surrogacy.simulation.data_sets import draw_sets
from surrogacy.simulation.performance import summarise
from surrogacy.simulation.scenarios import scenarios
from surrogacy.simulation.threshold_intervals import MEAN_SIZE, OF_REGRESSION, TRUE_EFFECT

SCENARIO = next(scenario for scenario in scenarios("threshold") if scenario.k == 45 and scenario.name == "typical")


@pytest.fixture(scope="module")
def outcomes():
    return simulate_chunk(replace(SCENARIO, data_sets=40), 3)


def test_every_procedure_covers_in_most_data_sets(outcomes):
    """With 45 trials coverage is near 0.95; 0.8 is more than four Monte Carlo errors of 40 data sets lower."""
    procedures = {(outcome.procedure, outcome.target): outcome for outcome in outcomes}
    assert {target for _, target in procedures} == {TRUE_EFFECT, MEAN_SIZE, OF_REGRESSION}
    assert len(procedures) == len(outcomes) == 14
    for performance in summarise([outcomes]):
        assert performance.coverage > 0.8
        assert performance.failures == 0 or performance.procedure.endswith("as reported")


def test_a_chunk_is_a_pure_function(outcomes):
    again = simulate_chunk(replace(SCENARIO, data_sets=40), 3)
    for first, second in zip(outcomes, again, strict=True):
        np.testing.assert_array_equal(first.coverage, second.coverage)


def test_the_true_threshold_is_that_of_a_very_large_set(monkeypatch):
    """The regression of 200,000 trials has the threshold to which its estimates converge, within 0.01 on the log scale.

    That of the true effect is the root of the upper limit of the true line.
    """
    truths = {}
    monkeypatch.setattr(threshold_intervals, "RESAMPLES", 39)

    def keep(name, target, limits, truth, estimate=None):
        truths[target] = np.broadcast_to(truth, len(limits[0]))
        return interval(name, target, limits, truth, estimate)

    interval = threshold_intervals.interval_outcome
    monkeypatch.setattr(threshold_intervals, "interval_outcome", keep)
    sets = draw_sets(replace(SCENARIO, data_sets=2), 1)
    tuple(threshold_intervals.outcomes(sets))
    large = draw_sets(replace(SCENARIO, k=200_000, data_sets=1), 1).effects(0)
    line = WeightedRegression().fit(large).line
    for size, truth in zip(sets.n.mean(axis=1), truths[OF_REGRESSION], strict=True):
        assert truth == pytest.approx(np.log(line.threshold(new_n=size).hr), abs=0.01)
    limit = SCENARIO.intercept + SCENARIO.slope * truths[TRUE_EFFECT] + 1.959964 * SCENARIO.sigma
    np.testing.assert_allclose(limit, 0.0, atol=1e-6)
