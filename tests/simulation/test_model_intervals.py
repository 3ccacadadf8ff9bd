"""Topic "models": every model and interval of a run, each against its own target."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from surrogacy.cli.options import DEFAULT_MODELS, EXTRA_MODELS
from surrogacy.errors import FitError
from surrogacy.models import BivariateRandomEffects, DanielsHughes, MetaRegression, WeightedRegression, create
from surrogacy.results.estimate import Estimate
from surrogacy.simulation.chunks import simulate_chunk
from surrogacy.simulation.data_sets import draw_sets
from surrogacy.simulation.model_intervals import COMPARED, NEW_TRIAL, fit_each, true_values
from surrogacy.simulation.scenarios import SETTINGS, Scenario

SCENARIO = Scenario("models", "typical", 12, data_sets=4)
SLOPE = "slope of the true effects"


@pytest.fixture(scope="module")
def sets():
    return draw_sets(SCENARIO, 3)


@pytest.fixture(scope="module")
def outcomes():
    return {(outcome.procedure, outcome.target): outcome for outcome in simulate_chunk(SCENARIO, 3)}


def test_every_interval_of_a_run_is_compared(sets):
    """Estimates with an interval of every model that the command line fits; a prior has no true value."""
    for name in (*DEFAULT_MODELS, *EXTRA_MODELS):
        model = create(name, bootstrap=50)
        result = model.fit(sets.effects(0))
        names = {
            key for key, value in result.estimates.items() if isinstance(value, Estimate) and value.low is not None
        }
        compared = [each for each in COMPARED if each.model.name == name]
        targets = {
            key + suffix
            for each in compared
            for method in each.methods
            for key in method.targets
            for suffix in {"", method.suffix}
        }
        assert names - {"r2_trial_prior"} <= targets
        if result.line is not None and result.line.scatter_known:
            assert any(each.prediction for each in compared)


def test_every_procedure_has_one_outcome_per_target(outcomes):
    expected = [
        (method.name, target) for each in COMPARED for method in each.methods for target in method.targets.values()
    ]
    expected += [(each.prediction, NEW_TRIAL) for each in COMPARED if each.prediction]
    assert len(expected) == len(set(expected))
    assert set(outcomes) == set(expected)
    assert {target for _, target in expected} == {*true_values(SCENARIO), NEW_TRIAL}


@pytest.mark.parametrize(
    ("procedure", "model"),
    [
        ("weighted regression, t", WeightedRegression()),
        ("meta-regression, ad hoc", MetaRegression()),
        ("bivariate REML, profile likelihood", BivariateRandomEffects()),
        ("bivariate REML, delta method", BivariateRandomEffects(interval="delta")),
        ("bivariate ML, profile likelihood", BivariateRandomEffects("ml")),
        ("Daniels-Hughes, exact posterior", DanielsHughes()),
    ],
)
def test_intervals_are_those_of_the_models(sets, outcomes, procedure, model):
    outcome, truth = outcomes[procedure, SLOPE], true_values(SCENARIO)[SLOPE]
    for i in range(len(sets)):
        estimate = model.fit(sets.effects(i))["slope"]
        assert outcome.error[i] == pytest.approx(estimate.value - truth, abs=1e-6)
        width = np.inf if estimate.unbounded else np.nan if estimate.low is None else estimate.high - estimate.low
        assert outcome.width[i] == pytest.approx(width, rel=1e-5, nan_ok=True)


def test_coverage_of_a_prediction_is_the_share_of_new_trials_within_the_interval(sets, outcomes):
    """Share of 40,000 new trials within the interval of a single fit; four Monte Carlo errors."""
    outcome = outcomes["meta-regression, ad hoc", NEW_TRIAL]
    x, y = np.random.default_rng(1).multivariate_normal(SCENARIO.mean, SCENARIO.between, 40_000).T
    for i in range(len(sets)):
        _, low, high = MetaRegression().fit(sets.effects(i)).line.predict(x)
        inside = (low <= y) & (y <= high)
        error = np.sqrt(inside.mean() * (1 - inside.mean()) / len(x)) + 2e-4
        assert outcome.coverage[i] == pytest.approx(inside.mean(), abs=4 * error)
        assert outcome.width[i] == pytest.approx(np.mean(high - low), rel=0.01)


def test_a_data_set_that_cannot_be_fitted_has_no_result(sets):
    class Fragile:
        def fit(self, effects):
            if effects.log_hr[0, 0] == sets.log_hr[1, 0, 0]:
                raise FitError("no")
            return effects

        def fit_many(self, data):
            return [self.fit(effects) for effects in data]

    data = [sets.effects(i) for i in range(3)]
    results = fit_each(Fragile(), data)
    assert [result is None for result in results] == [False, True, False]
    assert results[0] is data[0]


@pytest.mark.parametrize("name", ["typical", "weak correlation", "no sampling errors"])
def test_rank_correlation_of_the_estimates(name):
    """Spearman correlation in sets of 100,000 comparisons; four Monte Carlo errors of the mean of four sets."""
    scenario = next(each for each in SETTINGS if each.name == name)
    sets = draw_sets(replace(scenario, k=100_000, data_sets=4), 1)
    ranks = [spearmanr(*values.T).statistic for values in sets.log_hr]
    assert np.mean(ranks) == pytest.approx(scenario.rank_correlation_of_estimates, abs=4 * 0.0015 / 2)


def test_rank_correlation_of_normal_estimates():
    """Pearson correlation r of a bivariate normal distribution: 6 / pi asin(r / 2)."""
    scenario = Scenario("models", "equal", 9, size_spread=0.0, se_spread=0.0)
    r = scenario.correlation_of_estimates
    assert scenario.rank_correlation_of_estimates == pytest.approx(6 / np.pi * np.arcsin(r / 2), abs=1e-12)
