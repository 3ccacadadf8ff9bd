"""Kish's effective number of trials, and the interval of a weighted correlation with it."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy import Effects
from surrogacy.errors import UsageError
from surrogacy.models import BivariateRandomEffects, WeightedPearson, WeightedRegression
from surrogacy.models.weights import counted_trials, usable_comparisons
from surrogacy.stats.correlation import fisher_interval, fisher_limits
from surrogacy.stats.trial_numbers import effective_number, trial_number
from tests.support.pinned_tables import pinned_trials

SIZES = (100, 1500, 300, 250, 400, 90)
LOG_HR = np.array([[-0.6, -0.4], [-0.3, -0.2], [-0.1, 0.1], [0.0, 0.05], [-0.5, -0.1], [-0.2, -0.3]])


@pytest.mark.parametrize(
    ("name", "comparisons", "trials", "effective"),
    [
        ("tactics-2022", 6, 6, 4.7),
        ("intermediate", 9, 8, 7.4),
        ("llovet-2019-pfs", 16, 16, 13.2),
        ("advanced", 45, 44, 35.6),
    ],
)
def test_effective_numbers_of_the_curated_sets(name, comparisons, trials, effective):
    """Values computed independently from the tables 2026.11, over comparisons with weights n."""
    effects, _ = usable_comparisons(pinned_trials().analysis_set(name), "n")
    assert (len(effects), len(effects.trials)) == (comparisons, trials)
    assert effective_number(effects.n) == pytest.approx(effective, abs=0.0501)
    number = trial_number(effects.n, effects.trial)
    assert number.words == f"{effective_number(effects.n):.1f} effective trials of {trials}"


def test_effective_number_is_that_of_a_mean_with_unequal_weights():
    """The variance of a weighted mean of independent values is the variance over the effective number."""
    weights = np.array([5.0, 3.0, 1.0, 1.0])
    values = np.random.default_rng(1).standard_normal((200_000, 4))
    means = values @ weights / weights.sum()
    assert 1 / means.var() == pytest.approx(effective_number(weights), rel=0.01)
    assert effective_number(7 * weights) == pytest.approx(effective_number(weights))
    # PracTools::deffK: 1 + relative variance of the weights
    assert 4 / effective_number(weights) == pytest.approx(1 + weights.var() / weights.mean() ** 2)


def test_rules():
    weights, trial = [900, 300, 300, 100, 100, 100], list("abcdef")
    assert trial_number(weights, trial, "trials").words == "6 trials"
    assert trial_number(weights, trial).counted == trial_number(weights, trial, "effective").counted
    nearly_equal = [110, 100, 100, 100, 100, 90]
    assert trial_number(nearly_equal, trial).words == "6 trials"
    assert trial_number(nearly_equal, trial, "effective").words == "6.0 effective trials of 6"
    with pytest.raises(UsageError, match="fisher must be one of automatic, effective, trials; got 'n'"):
        trial_number(weights, trial, "n")


def test_comparisons_of_one_trial_do_not_count_more_than_the_trial():
    assert trial_number([100] * 8, ["a", "b", "c", "d"] * 2, "effective").counted == 4.0
    assert trial_number([100] * 8, ["a", "b", "c", "d"] * 2).words == "4 trials"
    # Kish's number of comparisons, 6.6, exceeds the number of trials: the trials are counted
    number = trial_number([200, 200, 100, 100, 100, 100, 300, 100], ["a", "b", "c", "d"] * 2)
    assert (number.counted, number.words) == (4.0, "4 trials")


def test_limits_of_arrays_are_those_of_single_values():
    r, k = np.array([0.56, -0.3, 0.9, 1.0, np.nan]), np.array([4.7, 13.15, 3.0, 10.0, 10.0])
    low, high = fisher_limits(r, k)
    for i in range(2):
        assert fisher_interval(r[i], k[i]) == pytest.approx((low[i], high[i]), abs=1e-15)
    assert np.isnan(low[2:]).all()
    assert np.isnan(high[2:]).all()


@pytest.mark.parametrize("model", [WeightedPearson(bootstrap=0), WeightedRegression()])
def test_models_use_the_number_and_name_it(model):
    """Weights 100 to 1500: Kish's number is 2640^2 / 2580600 = 2.70 of 6, and Fisher z has no interval."""
    effects = Effects.from_arrays(LOG_HR, np.full((6, 2), 0.1), n=SIZES)
    name = "r" if isinstance(model, WeightedPearson) else "r2_trial"
    estimate = model.fit(effects)[name]
    assert (estimate.low, estimate.high) == (None, None)
    assert "no interval: Fisher z needs more than 3 trials; 2.7 effective trials of 6" in estimate.method
    plain = replace(model, fisher="trials").fit(effects)[name]
    assert "6 trials" in plain.method
    assert plain.low is not None
    equal = replace(model, weights="none").fit(effects)[name]
    assert "6 trials" in equal.method
    with pytest.raises(UsageError, match="fisher must be one of"):
        replace(model, fisher="kish")


def test_number_of_a_result():
    """A regression's own weights and rule; patients for a model without weights, and complete comparisons alone."""
    effects = Effects.from_arrays(LOG_HR, np.full((6, 2), 0.1), n=SIZES)
    assert counted_trials(WeightedRegression(weights="none").fit(effects)).counted == 6.0
    assert counted_trials(WeightedRegression(fisher="trials").fit(effects)).counted == 6.0
    expected = effective_number(SIZES)
    assert counted_trials(WeightedRegression().fit(effects)).counted == pytest.approx(expected)
    model = BivariateRandomEffects(interval="delta")
    assert counted_trials(model.fit(effects)).counted == pytest.approx(expected)
    log_hr = LOG_HR.copy()
    log_hr[1, 1] = np.nan
    partial = model.fit(Effects.from_arrays(log_hr, np.full((6, 2), 0.1), n=SIZES))
    assert counted_trials(partial).counted == pytest.approx(effective_number(np.delete(SIZES, 1)))


def test_interval_of_the_r2_of_a_regression():
    effects, _ = usable_comparisons(pinned_trials().analysis_set("llovet-2019-pfs"), "n")
    number, result = effective_number(effects.n), WeightedRegression().fit(effects)
    square = result["r2_trial"]
    half = 1.959963985 / np.sqrt(number - 3)
    expected = np.tanh(np.arctanh(np.sqrt(square.value)) + np.array([-half, half])) ** 2
    assert (square.low, square.high) == pytest.approx(expected, abs=1e-9)
    assert "Fisher z on r, 13.2 effective trials of 16" in square.method
