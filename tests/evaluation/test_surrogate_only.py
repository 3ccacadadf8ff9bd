"""Predictions for comparisons without a final effect: numbers, and their independence of the rest of a run."""

import math

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm

from surrogacy.effects import unit_variance
from surrogacy.evaluation.new_trial_prediction import predict_new
from surrogacy.evaluation.surrogate_only import main_predictions, predict_surrogate_only
from surrogacy.models import create
from surrogacy.stats.predictive import ObservedEffects
from surrogacy.trials import read_trials
from tests.support.pinned_tables import PINNED_TABLES

TABLE = (
    "trial,stage,n_exp,n_ctl,hr_pfs,pfs_low,pfs_high,hr_os\n"
    "My trial,intermediate,120,118,0.62,0.48,0.80,NR\n"
    "Extreme,intermediate,120,118,0.20,0.10,0.40,NR\n"
)
Z = float(ndtri(0.975))


@pytest.fixture(scope="module")
def intermediate(tmp_path_factory):
    path = tmp_path_factory.mktemp("added") / "mine.csv"
    path.write_text(TABLE)
    return read_trials(PINNED_TABLES, path).analysis_set_with_flow("intermediate")


@pytest.fixture(scope="module")
def bayes(intermediate):
    return create("bivariate-bayes").fit(intermediate.effects)


def predictions(analysis_set, results, label="My trial"):
    entries = predict_surrogate_only(analysis_set, results)
    return [entry.prediction for entry in entries if entry.comparison.label == label]


@pytest.mark.parametrize("model", ["weighted-regression", "bivariate-reml", "daniels-hughes"])
def test_predictions_are_those_for_a_new_trial(model, intermediate):
    result = create(model).fit(intermediate.effects)
    expected = predict_new([(intermediate.effects, [result])], (0.62, 0.48, 0.80), 0.5, 238)
    values = predictions(intermediate, [result])
    assert [entry.target for entry in values] == [entry.target for entry in expected]
    for prediction, same in zip(values, expected, strict=True):
        for name in ("predicted", "low_95", "high_95", "low_80", "high_80", "p_below_1", "hr_surrogate"):
            assert getattr(prediction, name) == pytest.approx(getattr(same, name), rel=1e-9)


def test_predictions_of_the_posterior_are_those_of_its_line(intermediate, bayes):
    main, observed = predictions(intermediate, [bayes])
    se = math.log(0.80 / 0.48) / (2 * Z)
    for prediction, se_final, n in (
        (main, 0.0, np.nan),
        (observed, math.sqrt(unit_variance(intermediate.effects) / 238), 238),
    ):
        law = bayes.line.predict_observed(ObservedEffects(math.log(0.62), se, np.nan, se_final, 0.5, n), joins=True)
        assert np.log([prediction.low_95, prediction.high_95]) == pytest.approx(law.interval(0.95), abs=1e-9)
        assert np.log([prediction.low_80, prediction.high_80]) == pytest.approx(law.interval(0.80), abs=1e-9)
        assert math.log(prediction.predicted) == pytest.approx(law.quantile(0.5), abs=1e-9)
    assert observed.high_95 / observed.low_95 > main.high_95 / main.low_95


def test_prediction_of_the_bivariate_model_in_closed_form(intermediate):
    result = create("bivariate-reml", prediction="plug-in").fit(intermediate.effects)
    prediction, _ = predictions(intermediate, [result])
    y, s = math.log(0.62), math.log(0.80 / 0.48) / (2 * Z)
    names = ("mu_surrogate", "mu_final", "tau_surrogate", "tau_final", "rho_between")
    mu, mu_final, tau, tau_final, rho = (result[name].value for name in names)
    shrinkage, slope = tau**2 / (tau**2 + s**2), rho * tau_final / tau
    mean = mu_final + slope * shrinkage * (y - mu)
    pull, d = slope * shrinkage, (y - mu) / (tau**2 + s**2)
    gradient = np.array([-pull, 1.0, -pull * d, d, 0.0])  # by mu_surrogate, mu_final, T11, T12, T22
    parameters = gradient @ result.line.true_effects.covariance[0] @ gradient
    sd = math.sqrt(slope**2 * shrinkage * s**2 + tau_final**2 * (1 - rho**2) + parameters)
    assert math.log(prediction.predicted) == pytest.approx(mean, abs=1e-6)
    width = math.log(prediction.high_95 / prediction.low_95)
    assert width == pytest.approx(2 * Z * sd, rel=1e-5)
    assert prediction.p_below_1 == pytest.approx(norm.cdf(-mean / sd), abs=1e-5)


@pytest.mark.slow
def test_predictions_of_the_posterior_by_simulation(intermediate, bayes):
    """Draws of the parameters, weighted by the likelihood of the surrogate effect; then true and observed effects."""
    main, observed = predictions(intermediate, [bayes])
    y, s = math.log(0.62), math.log(0.80 / 0.48) / (2 * Z)
    s_final, rho_within = math.sqrt(unit_variance(intermediate.effects) / 238), 0.5
    n, generator = 400_000, np.random.default_rng(1)
    draws = bayes.posterior.draw(n, seed=2)
    names = ("mu_surrogate", "mu_final", "tau_surrogate", "tau_final", "rho_between")
    mu, mu_final, tau, tau_final, rho = (draws[name] for name in names)
    total = tau**2 + s**2
    weight = norm.pdf(y, mu, np.sqrt(total))
    theta = generator.normal(mu + tau**2 / total * (y - mu), tau * s / np.sqrt(total))
    standardised = (theta - mu) / tau
    final = generator.normal(mu_final + rho * tau_final * standardised, tau_final * np.sqrt(1 - rho**2))
    error = rho_within * s_final / s * (y - theta)
    seen = final + generator.normal(error, s_final * math.sqrt(1 - rho_within**2))
    for prediction, values in ((main, final), (observed, seen)):
        order = np.argsort(values)
        share = np.cumsum(weight[order]) / weight.sum()
        low, low_80, median, high_80, high = np.exp(np.interp([0.025, 0.1, 0.5, 0.9, 0.975], share, values[order]))
        assert prediction.predicted == pytest.approx(median, abs=0.005)
        assert (prediction.low_80, prediction.high_80) == pytest.approx((low_80, high_80), abs=0.008)
        assert (prediction.low_95, prediction.high_95) == pytest.approx((low, high), abs=0.015)
        assert prediction.p_below_1 == pytest.approx(weight[values < 0].sum() / weight.sum(), abs=0.005)


def test_the_quoted_model_predicts(intermediate, bayes):
    regression = create("weighted-regression").fit(intermediate.effects)
    assert {entry.model for entry in predictions(intermediate, [regression, bayes])} == {"bivariate-bayes"}
    (alone,) = predictions(intermediate, [regression])
    assert (alone.model, alone.target) == ("weighted-regression", "n = 238")


def test_a_correlation_predicts_nothing(intermediate):
    assert predict_surrogate_only(intermediate, [create("weighted-pearson").fit(intermediate.effects)]) == []
    assert predict_surrogate_only(intermediate, []) == []


def test_an_effect_beyond_the_data_is_marked(intermediate, bayes):
    assert [entry.beyond_data for entry in predictions(intermediate, [bayes], "Extreme")] == [True, True]
    assert [entry.beyond_data for entry in predictions(intermediate, [bayes])] == [False, False]


def test_without_a_size_only_the_true_effect_is_predicted(intermediate, bayes):
    # the pinned tables do not state the patients of TALENTACE
    assert [entry.target for entry in predictions(intermediate, [bayes], "TALENTACE")] == ["true effect"]


def test_a_fit_does_not_depend_on_comparisons_without_a_final_effect(intermediate, trials):
    effects, curated = intermediate.effects, trials.analysis_set("intermediate")
    assert effects.comparison == curated.comparison
    assert effects.log_hr.tolist() == curated.log_hr.tolist()
    assert effects.caveats == curated.caveats
    assert effects.n_patients == curated.n_patients


def test_main_predictions_and_marks(intermediate, bayes):
    entries = main_predictions(predict_surrogate_only(intermediate, [bayes]))
    assert [entry.prediction.target for entry in entries] == ["true effect"] * 6
    entry = next(entry for entry in entries if entry.comparison.label == "My trial")
    assert entry.surrogate_limits == pytest.approx((0.48, 0.80), abs=1e-3)
    mark = entry.mark
    assert mark.in_focus
    assert (mark.log_hr, mark.predicted) == pytest.approx((math.log(0.62), math.log(entry.prediction.predicted)))
    assert mark.predicted_low < mark.predicted < mark.predicted_high
    assert entry.record["evidence"] == "as given"
    assert entry.record["low_95"] == entry.prediction.low_95
