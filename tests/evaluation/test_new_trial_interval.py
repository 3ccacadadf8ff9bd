"""Predictions for a new trial account for the interval of its surrogate effect, by every model."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from surrogacy.evaluation.new_trial_prediction import TRUE_EFFECT, predict_by_line
from surrogacy.models import REGISTRY, MetaRegression, create
from surrogacy.models.prediction import predict_by_regression
from surrogacy.stats.predictive import ObservedEffects
from tests.support.effects import SAMPLED

NEW = ObservedEffects(np.log(0.6), 0.15, np.nan, np.nan, rho_within=0.5, n=400.0)
LINES = sorted(set(REGISTRY) - SAMPLED - {"weighted-pearson"})
MODELS = {name: create(name) for name in LINES} | {"errors propagated": MetaRegression(surrogate_errors="propagated")}


@pytest.fixture(scope="module")
def fits(trials):
    effects = trials.analysis_set("llovet-2019-pfs")
    return effects, {name: model.fit(effects) for name, model in MODELS.items()}


def widths(fits, name, se, **changes):
    effects, results = fits
    predictions = predict_by_line(effects, results[name], replace(NEW, se=se, **changes))
    return {entry.target: np.log(entry.high_95 / entry.low_95) for entry in predictions}


@pytest.mark.parametrize("name", MODELS)
def test_a_wider_interval_widens_every_prediction(fits, name):
    """Beyond ``s1 = r s2 / slope`` the variance of the observed effect increases; that of the true effect always.

    Below that value the correlated errors of the observed effects partly cancel. With ``r = 0`` there is no such range.
    """
    for changes, errors in (({"rho_within": 0.0}, (0.05, 0.1, 0.2, 0.4)), ({}, (0.25, 0.4, 0.6))):
        by_error = [widths(fits, name, se, **changes) for se in errors]
        for narrow, wide in pairwise(by_error):
            assert all(wide[target] > 1.003 * narrow[target] for target in narrow)
    if name != "weighted-regression":  # which predicts no true effect
        true = [widths(fits, name, se)[TRUE_EFFECT] for se in (0.05, 0.1, 0.2, 0.4)]
        assert true == sorted(true)


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"weighted-regression", "meta-regression", "bivariate-bayes"}))
def test_without_surrogate_error_the_prediction_of_a_true_effect_is_the_band(fits, name):
    _, results = fits
    band = np.ptp(results[name].line.predict(NEW.log_hr, n=np.inf)[1:])
    assert widths(fits, name, 1e-9)[TRUE_EFFECT] == pytest.approx(band, rel=1e-6)


def test_the_exact_posterior_learns_from_a_precise_surrogate_effect(fits):
    """The new surrogate effect joins the data, so that the interval is close to the band, but not equal to it."""
    _, results = fits
    band = np.ptp(results["bivariate-bayes"].line.predict(NEW.log_hr, n=np.inf)[1:])
    assert widths(fits, "bivariate-bayes", 1e-4)[TRUE_EFFECT] == pytest.approx(band, rel=0.05)


def test_a_regression_replaces_the_typical_errors_by_those_of_the_trial(fits):
    """A trial with the typical errors has the ordinary interval; without errors tau^2 loses the typical part.

    tau^2 of a regression on observed effects contains ``b^2 s1^2 - 2 b r s1 s2`` of the set. Adding the error of the
    new trial without subtracting this would count it twice (coverage in surrogacy/simulation/meta_regression.py).
    """
    effects, results = fits
    result = results["meta-regression"]
    line, (s1, s2), rho = result.line, effects.se.T, effects.rho_within
    weights = 1 / (s2**2 + line.sigma**2)
    typical = np.average(line.slope**2 * s1**2 - 2 * line.slope * rho * s1 * s2, weights=weights)
    exact = predict_by_regression(result, replace(NEW, se=0.0, se_final=0.0))
    ordinary = line.predict_observed(replace(NEW, se_final=0.0))
    assert exact.variance == pytest.approx(ordinary.variance - typical, rel=1e-12)
    # equal errors in all trials: the prediction for a further trial is that of metafor, tau^2 + s2^2 + x' Cov x
    equal = replace(effects, se=np.full((len(effects), 2), 0.08))
    alike = MetaRegression().fit(equal)
    assert alike["sigma_cond"].value > 0
    trial = replace(NEW, se=0.08, se_final=0.08)
    by_trial, of_set = predict_by_regression(alike, trial), alike.line.predict_observed(trial)
    assert by_trial.variance == pytest.approx(of_set.variance, rel=1e-12)
