"""Simulated prediction intervals against the lines of single fits."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.models import BivariateRandomEffects
from surrogacy.simulation import prediction_intervals
from surrogacy.simulation.data_sets import draw_sets
from surrogacy.simulation.scenarios import scenarios
from surrogacy.stats.predictive import ObservedEffects

SCENARIO = replace(next(s for s in scenarios("prediction") if (s.name, s.k) == ("typical", 9)), data_sets=40)
PLUG_IN, AVERAGED = "plug-in", "confidence distribution, residual variance above 0"


@pytest.fixture(scope="module")
def sets():
    return draw_sets(SCENARIO, 3)


@pytest.fixture(scope="module")
def outcomes(sets):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction_intervals, "BOOTSTRAPPED", 3)
        patch.setattr(prediction_intervals, "RESAMPLES", 39)
        return {(outcome.procedure, outcome.target): outcome for outcome in prediction_intervals.outcomes(sets)}


@pytest.mark.parametrize(("procedure", "prediction"), [(PLUG_IN, "plug-in"), (AVERAGED, "confidence-distribution")])
def test_coverage_of_a_true_effect_is_that_of_the_band(sets, outcomes, procedure, prediction):
    """Share of 40,000 new trials within the band of a single fit; four Monte Carlo errors."""
    outcome = outcomes[procedure, "true effect, 95%"]
    new = np.random.default_rng(1).multivariate_normal(SCENARIO.mean, SCENARIO.between, 40_000)
    for i in (0, 1, 2):
        line = BivariateRandomEffects(interval="delta", prediction=prediction).fit(sets.effects(i)).line
        knots = np.linspace(new[:, 0].min(), new[:, 0].max(), 400)
        _, low, high = line.predict(knots)
        inside = (np.interp(new[:, 0], knots, low) <= new[:, 1]) & (new[:, 1] <= np.interp(new[:, 0], knots, high))
        error = np.sqrt(inside.mean() * (1 - inside.mean()) / len(new)) + 1e-4
        assert outcome.coverage[i] == pytest.approx(inside.mean(), abs=4 * error)
        assert outcome.width[i] == pytest.approx((high - low) @ weights(knots), rel=2e-3)


def weights(x):
    """Weights of the distribution of the true surrogate effects on a grid."""
    density = np.exp(-((x - SCENARIO.mean[0]) ** 2) / 2 / SCENARIO.tau[0] ** 2)
    return density / density.sum()


def test_coverage_of_an_observed_effect_is_that_of_the_prediction(sets, outcomes):
    """Share of new trials whose observed effect lies within the prediction from their observed surrogate effect."""
    outcome = outcomes[AVERAGED, "observed effect, trial of median size, 95%"]
    s1, s2 = np.sqrt(np.array(SCENARIO.unit_variance) / SCENARIO.patients)
    cross = SCENARIO.rho_within * s1 * s2
    observed = SCENARIO.between + np.array([[s1**2, cross], [cross, s2**2]])
    new = np.random.default_rng(2).multivariate_normal(SCENARIO.mean, observed, 40_000)
    line = BivariateRandomEffects(interval="delta").fit(sets.effects(0)).line
    knots = np.linspace(new[:, 0].min(), new[:, 0].max(), 120)
    limits = [line.predict_observed(ObservedEffects(x, s1, np.nan, s2, 0.5, np.nan)).interval(0.95) for x in knots]
    low, high = (np.interp(new[:, 0], knots, limit) for limit in np.array(limits).T)
    share = np.mean((low <= new[:, 1]) & (new[:, 1] <= high))
    assert outcome.coverage[0] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(new)) + 1e-4)


def test_procedures_in_order_of_their_caution(outcomes):
    coverage = {name: np.nanmean(outcome.coverage) for (name, target), outcome in outcomes.items() if "95%" in target}
    assert coverage[PLUG_IN] < coverage["plug-in, t(k - 2)"]
    for level in ("95%", "80%"):
        target = f"true effect, {level}"
        censored = outcomes["confidence distribution, residual variance 0 allowed", target]
        assert np.nanmean(outcomes[PLUG_IN, target].coverage) < np.nanmean(censored.coverage)
        assert np.nanmean(censored.coverage) < np.nanmean(outcomes[AVERAGED, target].coverage)


def test_the_bootstrap_is_applied_to_the_first_sets(outcomes):
    for kind in ("percentiles", "studentised"):
        coverage = outcomes[f"parametric bootstrap, {kind}", "true effect, 95%"].coverage
        assert np.isfinite(coverage).sum() == 3
        assert np.nanmin(coverage) > 0
