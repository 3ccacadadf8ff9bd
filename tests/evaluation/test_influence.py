"""Delete-one-trial influence: against statsmodels, refits, and the shipped sets."""

from dataclasses import asdict

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS, WLS

from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.evaluation.influence import (
    FOLLOWED,
    conclusions,
    correlation_category,
    delete_one,
    influence_record,
    pivotal_trials,
    regression_diagnostics,
    slope_words,
)
from surrogacy.models import BivariateRandomEffects, WeightedPearson, WeightedRegression, create
from surrogacy.models.weights import usable_comparisons, weights_of


def effects_of(x, y, n=None):
    k = len(x)
    return Effects.from_arrays(np.column_stack([x, y]), np.full((k, 2), 0.1), n=n or [100] * k)


@pytest.mark.parametrize("weights", ["n", "events", "inverse-variance", "sqrt-n", "none"])
@pytest.mark.parametrize("name", ["tactics-2022", "llovet-2019-pfs", "all"])
def test_diagnostics_are_those_of_statsmodels(trials, name, weights):
    effects, _ = usable_comparisons(trials.analysis_set(name), weights)
    w, _ = weights_of(effects, weights)
    x, y = effects.log_hr.T
    design = np.column_stack([np.ones_like(x), x])
    # statsmodels' influence of WLS mixes weighted and raw residuals; on the whitened data it is that of the model
    root = np.sqrt(w / w.mean())
    expected = OLS(y * root, design * root[:, None]).fit().get_influence()
    found = regression_diagnostics(effects, WeightedRegression(weights=weights))

    def column(key):
        return np.array([getattr(record, key) for record in found])

    assert [record.comparison for record in found] == list(effects.comparison)
    assert column("weight").sum() == pytest.approx(1)
    assert column("hat").sum() == pytest.approx(2)
    assert column("hat") == pytest.approx(expected.hat_matrix_diag, rel=1e-8)
    assert column("internal") == pytest.approx(expected.resid_studentized_internal, rel=1e-7)
    assert column("external") == pytest.approx(expected.resid_studentized_external, rel=1e-7)
    assert column("cooks_distance") == pytest.approx(expected.cooks_distance[0], rel=1e-7)
    assert column("dffits") == pytest.approx(expected.dffits[0], rel=1e-7)
    assert np.column_stack([column("dfbetas_intercept"), column("dfbetas_slope")]) == pytest.approx(
        expected.dfbetas, rel=1e-6
    )
    direct = WLS(y, design, weights=w).fit()
    assert column("residual") == pytest.approx(direct.resid, abs=1e-10)
    assert column("fitted") == pytest.approx(direct.fittedvalues, rel=1e-9)


def test_diagnostics_are_those_of_a_refit(trials):
    """DFBETAS and the external residual from the fit without the comparison, as they are defined."""
    effects = trials.analysis_set("llovet-2019-pfs")
    x, y = effects.log_hr.T
    design, w = np.column_stack([np.ones_like(x), x]), effects.n
    whole = WLS(y, design, weights=w).fit()
    for i, record in enumerate(map(asdict, regression_diagnostics(effects))):
        kept = np.arange(16) != i
        part = WLS(y[kept], design[kept], weights=w[kept]).fit()
        step = (whole.params - part.params) / np.sqrt(part.scale * np.diag(whole.normalized_cov_params))
        assert (record["dfbetas_intercept"], record["dfbetas_slope"]) == pytest.approx(step, rel=1e-7)
        variance = part.scale / w[i] + design[i] @ part.cov_params() @ design[i]
        assert record["external"] == pytest.approx((y[i] - design[i] @ part.params) / np.sqrt(variance), rel=1e-7)


def test_tactics_2022_correlation_hangs_on_two_trials(trials):
    influences = delete_one(WeightedPearson(), trials.analysis_set("tactics-2022"))
    records = [influence_record(influence) for influence in influences]
    r = {record["left_out"]: record["r"] for record in records}
    assert r[""] == pytest.approx(0.552, abs=5e-4)
    assert r["brisk-ta"] == min(r.values()) == pytest.approx(0.33, abs=0.005)
    assert r["tace-2"] == max(r.values()) == pytest.approx(0.85, abs=0.005)
    change = {record["left_out"]: record["r_change"] for record in records[1:]}
    assert change["tace-2"] == pytest.approx(r["tace-2"] - r[""])
    assert pivotal_trials(influences) == ["without tace-2: correlation, point estimate high, with it low"]


@pytest.mark.parametrize(
    "name", ["weighted-pearson", "weighted-regression", "bivariate-reml", "bivariate-bayes", "daniels-hughes"]
)
def test_every_change_is_that_of_a_refit(trials, name):
    effects = trials.analysis_set("llovet-2019-pfs")
    model = BivariateRandomEffects(interval="delta") if name == "bivariate-reml" else create(name)
    records = [influence_record(influence) for influence in delete_one(model, effects)]
    assert [record["left_out"] for record in records] == ["", *effects.trials]
    assert "slope_change" not in records[0]
    refit = model.fit(effects.without_trial("sun1170"))
    record = next(record for record in records if record["left_out"] == "sun1170")
    assert record["k"] == 15
    for quantity in FOLLOWED:
        if quantity in refit.estimates and not quantity.startswith("ste"):
            estimate = refit[quantity]
            # refits of the exact posterior are computed together on a grid that is accurate to 0.002 posterior SDs
            grid = 0.002 * (estimate.high - estimate.low) / 3.92 if name == "bivariate-bayes" else 0.0
            assert record[quantity] == pytest.approx(estimate.value, rel=1e-3, abs=grid), quantity
            assert record[f"{quantity}_change"] == pytest.approx(record[quantity] - records[0][quantity]), quantity
    if "ste_prediction" in refit.estimates:
        assert record["ste_prediction"] == pytest.approx(refit["ste_prediction"].hr, rel=1e-3)
        assert record["ste_prediction_status"] == refit["ste_prediction"].status


def test_comparisons_of_one_trial_leave_together(trials):
    effects = trials.analysis_set("intermediate")
    assert sorted(influence.refit.k for influence in delete_one(WeightedPearson(), effects)) == [7, *[8] * 7, 9]


def test_regression_and_correlation_agree_on_r(trials):
    effects = trials.analysis_set("all")
    one, other = WeightedPearson(bootstrap=0).fit(effects), WeightedRegression().fit(effects)
    words = conclusions(other)
    assert {name: words[name] for name in conclusions(one)} == conclusions(one)
    both = delete_one(WeightedPearson(), effects), delete_one(WeightedRegression(), effects)
    assert [one.values["r"] for one in both[0]] == pytest.approx([one.values["r"] for one in both[1]])


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.85, 0.99, "high"),
        (0.84, 0.99, "unclear"),
        (-0.2, 0.70, "low"),
        (-0.2, 0.71, "unclear"),
        (None, None, "no interval"),
    ],
)
def test_categories_of_iqwig(low, high, words):
    assert correlation_category(low, high) == words


def test_words():
    assert [correlation_category(r, r, point=True) for r in (-0.9, 0.70, 0.71, 0.85)] == [
        "low",
        "low",
        "medium",
        "high",
    ]
    assert correlation_category(float("nan"), float("nan"), point=True) == "not defined"
    assert [slope_words(*pair) for pair in ((0.1, 1), (-1, -0.1), (-1, 1), (None, None))] == [
        "above 0",
        "below 0",
        "not distinguishable from 0",
        "no interval",
    ]


def test_one_trial_carries_the_slope():
    """Five trials without a trend and one far away: without it nothing is left."""
    x, y = np.array([-0.1, 0.1, 0.0, 0.1, -0.1, -2.0]), np.array([0.1, 0.1, 0.0, -0.1, -0.1, -1.0])
    effects = effects_of(x, y)
    sentences = pivotal_trials(delete_one(WeightedRegression(), effects))
    assert "without 6: slope not distinguishable from 0, with it above 0" in sentences
    assert "without 6: STE (prediction band) none, with it exists" in sentences
    assert not [sentence for sentence in sentences if "slope" in sentence and "without 6:" not in sentence]
    worst = max(regression_diagnostics(effects), key=lambda comparison: comparison.cooks_distance)
    assert worst.comparison == "6"


def test_an_unbounded_profile_does_not_tell_the_slope_from_0(trials):
    found = BivariateRandomEffects().fit(trials.analysis_set("tactics-2022"))
    assert found["slope"].low is None
    assert conclusions(found)["slope_sign"] == "not distinguishable from 0"


def test_nothing_carries_a_perfect_line():
    x = np.linspace(-1, 0.5, 8)
    effects = effects_of(x, 0.5 * x + 0.001 * np.cos(5 * x))
    assert pivotal_trials(delete_one(WeightedRegression(), effects)) == []


def test_too_few_trials():
    three = effects_of(np.array([-0.5, 0.0, 0.3]), np.array([-0.2, 0.1, 0.1]))
    records = delete_one(WeightedRegression(), three)
    assert all("3 are needed" in influence.refit.problem for influence in records[1:])
    assert [sentence[:14] for sentence in pivotal_trials(records)] == [
        "without 1: no ",
        "without 2: no ",
        "without 3: no ",
    ]
    found = regression_diagnostics(three)
    assert all(comparison.external is None and comparison.dfbetas_slope is None for comparison in found)
    assert all(abs(comparison.internal) == pytest.approx(1) for comparison in found)
    with pytest.raises(FitError):
        delete_one(WeightedRegression(), three.take(np.arange(2)))
    with pytest.raises(FitError):
        regression_diagnostics(three.take(np.arange(2)))
    with pytest.raises(FitError, match="the same"):
        regression_diagnostics(effects_of(np.zeros(4), np.arange(4.0)))


def test_a_comparison_that_the_line_must_pass_through():
    found = regression_diagnostics(effects_of(np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.1, -0.1, 0.05, 0.4])))
    assert found[3].hat == pytest.approx(1)
    assert found[3].internal is None
    assert found[0].internal is not None
