"""Prediction of an observed final effect, and the place of TACTICS within the lines."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogacy.errors import UsageError
from surrogacy.evaluation.new_trial_prediction import predict_new
from surrogacy.evaluation.placement import focus_comparisons, place, placement_record, shown_placements
from surrogacy.evaluation.placement_text import in_words
from surrogacy.figures import placement_data, plot_placement
from surrogacy.fit import main
from surrogacy.models import (
    BivariateBayes,
    BivariateRandomEffects,
    DanielsHughes,
    WeightedPearson,
    WeightedRegression,
    create,
)
from surrogacy.models.prediction import predict_final
from surrogacy.stats.predictive import ObservedEffects
from tests.support.effects import simulated
from tests.support.pinned_tables import PINNED

MODELS = ("weighted-regression", "bivariate-reml", "bivariate-bayes", "daniels-hughes")
TRIAL = ObservedEffects(np.log(0.59), 0.19, np.log(0.861), 0.18, 0.5, 156.0)


@pytest.fixture(scope="module")
def fits():
    effects = simulated(20, seed=4)
    return {name: create(name).fit(effects) for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_parts_sum_to_the_variance_and_none_is_lost(fits, name):
    prediction = predict_final(fits[name], TRIAL)
    mean = prediction.weight @ prediction.mean
    total = prediction.weight @ (prediction.sd**2 + (prediction.mean - mean) ** 2)
    assert prediction.variance == pytest.approx(total)
    low, high = prediction.interval(0.95)
    assert prediction.probability_below(low) == pytest.approx(0.025, abs=1e-6)
    assert prediction.probability_below(high) == pytest.approx(0.975, abs=1e-6)
    assert low < prediction.interval(0.8)[0] < prediction.quantile(0.5) < prediction.interval(0.8)[1] < high


@settings(max_examples=12, deadline=None)
@given(
    x=st.floats(-1.2, 0.3),
    s1=st.floats(0.05, 0.4),
    s2=st.floats(0.05, 0.4),
    r=st.floats(-0.5, 0.95),
    seed=st.integers(0, 20),
)
def test_interval_of_the_bivariate_model_is_rebuilt_by_simulation(x, s1, s2, r, seed):
    """True effects given the observed surrogate, parameters with their errors, sampling errors that covary.

    Variance of the parameters by a numerical gradient. Tolerance 1.5 % of the SD: four Monte Carlo errors of a 97.5 %
    quantile of 520,000 draws.
    """
    result = BivariateRandomEffects("reml", interval="delta", prediction="plug-in").fit(simulated(20, seed=seed))
    prediction = predict_final(result, ObservedEffects(x, s1, 0.0, s2, r, np.nan))
    line = result.line
    estimate = np.array([result[name].value for name in ("mu_surrogate", "mu_final", "tau_surrogate", "tau_final")])
    mu1, tau1 = estimate[0], estimate[2]
    estimate = np.array([*estimate[:2], tau1**2, line.slope * tau1**2, estimate[3] ** 2])
    steps = 1e-6 * np.eye(5)

    def mean(parameters):
        mu_surrogate, mu_final, t11, t12, _ = parameters
        return mu_final + (t12 + r * s1 * s2) / (t11 + s1**2) * (x - mu_surrogate)

    gradient = np.array([(mean(estimate + step) - mean(estimate - step)) / 2e-6 for step in steps])
    generator = np.random.default_rng(seed)
    n = 520_000
    share = tau1**2 / (tau1**2 + s1**2)
    theta1 = mu1 + share * (x - mu1) + np.sqrt(share) * s1 * generator.standard_normal(n)
    parameters = np.sqrt(gradient @ line.true_effects.covariance[0] @ gradient) * generator.standard_normal(n)
    theta2 = line.intercept + line.slope * theta1 + parameters + line.sigma * generator.standard_normal(n)
    y2 = theta2 + r * s2 / s1 * (x - theta1) + s2 * np.sqrt(1 - r**2) * generator.standard_normal(n)
    sd = np.sqrt(prediction.variance)
    assert prediction.interval(0.95) == pytest.approx(np.quantile(y2, [0.025, 0.975]), abs=0.015 * sd)
    assert prediction.variance == pytest.approx(y2.var(), rel=0.02)
    # no part but the covariance may make it narrower
    assert all(value >= 0 for part, value in prediction.components.items() if part != "covariance")


def test_posterior_prediction_is_that_of_the_posterior(fits):
    result = fits["bivariate-bayes"]
    ours = predict_final(result, TRIAL, joins=True)
    observed = result.posterior.predict(TRIAL.log_hr, TRIAL.se, TRIAL.rho_within, TRIAL.se_final).observed
    assert (ours.quantile(0.5), *ours.interval(0.95)) == pytest.approx(
        (observed.value, observed.low, observed.high), abs=1e-6
    )
    assert ours.variance == pytest.approx(observed.se**2)


def test_regression_band_is_that_of_its_line(fits):
    result = fits["weighted-regression"]
    assert predict_final(result, TRIAL).interval(0.8) == pytest.approx(
        [v.item() for v in result.line.predict(TRIAL.log_hr, 156, 0.8)[1:]]
    )


def test_daniels_hughes_shrinks_nothing(fits):
    result = fits["daniels-hughes"]
    prediction = predict_final(result, replace(TRIAL, rho_within=0.0))
    slope, weight = result.line.node_slope, result.line.weight
    assert prediction.components["surrogate_error"] == pytest.approx(weight @ slope**2 * TRIAL.se**2)
    assert prediction.components["covariance"] == 0


def test_a_correlation_has_no_line_to_predict_from():
    with pytest.raises(UsageError, match="no line"):
        predict_final(WeightedPearson().fit(simulated(8)), TRIAL)


@pytest.fixture(scope="module")
def placed(trials):
    models = [WeightedRegression(), BivariateRandomEffects(), BivariateBayes()]
    sets = [
        (effects, [model.fit(effects) for model in models])
        for effects in map(trials.analysis_set, ("intermediate", "llovet-2019-pfs"))
    ]
    (focus,) = focus_comparisons(trials, [effects for effects, _ in sets], "tactics")
    return focus, sets, place(focus, models, sets)


def test_both_data_cuts_of_tactics_are_placed(placed):
    focus, _, placements = placed
    records = list(map(placement_record, placements))
    assert [(cut.name, round(float(np.exp(cut.log_hr)), 3)) for cut in focus.cuts] == [
        ("primary", 0.59),
        ("updated", 0.661),
    ]
    # inside: with and without it; elsewhere once; x 3 models x 2 cuts x 2 correlations
    assert len(records) == 3 * 3 * 2 * 2
    assert {record["fitted"] for record in records if record["set"] == "llovet-2019-pfs"} == {"of other trials"}
    for record in records:
        assert record["hr_final"] == pytest.approx(0.861)
        assert np.log(record["predicted"]) + record["residual"] == pytest.approx(np.log(0.861))
        assert record["percentile"] / 100 + record["p_at_or_above"] == pytest.approx(1)
    without = {record["k"] for record in records if record["fitted"] == "without it"}
    assert without == {8}
    # what the line of Llovet 2019 would have predicted from 0.59: it holds what was seen
    (llovet,) = (
        r
        for r in records
        if r["set"] == "llovet-2019-pfs"
        and r["model"] == "bivariate-reml"
        and r["cut"] == "primary"
        and r["rho_within"] == 0.5
    )
    assert llovet["low_95"] < llovet["predicted"] < llovet["hr_final"] < llovet["high_95"]


def test_words_and_figure(placed):
    focus, sets, placements = placed
    words = in_words(focus, placements)
    records = list(map(placement_record, placements))
    assert words.startswith("TACTICS observed a hazard ratio of 0.86 (0.61 to 1.22) for OS.")
    assert "the other 8 comparisons of the set Intermediate stage" in words
    assert "chance" not in words
    assert "The observed effect lies inside the 80% prediction interval of every line, at every data cut." in words
    results = [next(result for result in results if result.model == "bivariate-bayes") for _, results in sets]
    data = placement_data(results, records)
    assert len(data) == len(shown_placements(placements)) == 4
    axes = plot_placement(focus, results, records)
    rows = [text.get_text() for text in axes.texts]
    assert {"Intermediate stage, k = 8", "Llovet 2019, k = 16", "0.86 (0.61 to 1.22)"} <= set(rows)


@pytest.mark.slow
def test_focus_on_the_command_line(capsys, tmp_path):
    assert (
        main(
            [
                "tactics-2022",
                "--focus",
                "oriental",
                "--json",
                "--model",
                "weighted-regression",
                "bivariate-bayes",
                *PINNED,
            ]
        )
        == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert {record["trial"] for record in document["placement"]} == {"oriental"}
    assert main(["tactics-2022", "--focus", "nobody", "--json"]) == 2
    assert "--focus nobody: the tables have no trial of this name" in capsys.readouterr().err
    assert main(["llovet-2019-pfs", "--json", *PINNED]) == 0  # tactics is not in it, and was not asked for
    assert json.loads(capsys.readouterr().out)["placement"] == []
    out = tmp_path / "out"
    assert main(["tactics-2022", "llovet-2019-pfs", *PINNED, "--out", str(out), "--format", "svg", "--details"]) == 0
    assert "TACTICS against the lines of the Bayesian bivariate model" in capsys.readouterr().out
    assert (out / "figures" / "placement-tactics.svg").exists()
    assert (out / "placement.md").read_text().startswith("TACTICS observed")
    assert (out / "tables" / "placement.csv").exists()


def test_daniels_hughes_can_be_placed_too(trials):
    effects = trials.analysis_set("tactics-2022")
    (focus,) = focus_comparisons(trials, [effects], "tactics")
    records = place(focus, [DanielsHughes()], [(effects, [DanielsHughes().fit(effects)])])
    assert {placement.fitted for placement in records} == {"with it", "without it"}


@pytest.mark.slow
def test_a_new_trial_on_the_command_line(capsys):
    arguments = [
        "llovet-2019-pfs",
        "--predict",
        "0.6",
        "0.45",
        "0.8",
        "--model",
        "weighted-regression",
        "bivariate-reml",
        "bivariate-bayes",
        "--json",
        *PINNED,
    ]
    assert main([*arguments, "--new-n", "400"]) == 0
    records = json.loads(capsys.readouterr().out)["predictions"]
    assert [(r["model"], r["target"]) for r in records] == [
        ("weighted-regression", "n = 400"),
        ("bivariate-reml", "true effect"),
        ("bivariate-reml", "observed, n = 400"),
        ("bivariate-bayes", "true effect"),
        ("bivariate-bayes", "observed, n = 400"),
    ]
    for true, observed in ((records[1], records[2]), (records[3], records[4])):
        assert (
            observed["low_95"]
            < true["low_95"]
            < true["low_80"]
            < true["predicted"]
            < true["high_80"]
            < true["high_95"]
            < observed["high_95"]
        )
    assert main(arguments) == 0
    records = json.loads(capsys.readouterr().out)["predictions"]
    assert [r["target"] for r in records] == ["n = 558", "true effect", "true effect"]
    assert not any(r["beyond_data"] for r in records)


def test_the_true_effect_predicted_is_that_of_the_posterior(trials):
    effects = trials.analysis_set("llovet-2019-pfs")
    result = BivariateBayes().fit(effects)
    (record,) = predict_new([(effects, [result])], (0.6, 0.45, 0.8), 0.5, None)
    se = float(np.log(0.8 / 0.45)) / 2 / 1.959963984540054
    true = result.posterior.predict(np.log(0.6), se)
    assert np.log([record.predicted, record.low_95, record.high_95]) == pytest.approx(
        [true.true.value, true.true.low, true.true.high], abs=1e-6
    )
    assert record.p_below_1 == pytest.approx(true.probability_below_1, abs=1e-9)
