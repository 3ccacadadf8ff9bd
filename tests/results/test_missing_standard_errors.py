"""Comparisons without standard errors: which models are fitted, to which comparisons, and what every output states."""

import json

import numpy as np
import pytest
from statsmodels.regression.linear_model import WLS

from surrogacy.effects import Effects
from surrogacy.models import (
    BivariateBayes,
    BivariateRandomEffects,
    WeightedPearson,
)
from surrogacy.results.requirements import Requirement
from surrogacy.trials import read_trials
from surrogacy.trials.shared_control import resolve_shared_controls
from tests.support.effects import effects_of
from tests.support.partial_tables import (
    HAZARD_RATIOS_AND_PATIENTS,
    LIMITS,
    NO_LIMITS,
    document_of,
    fit_of,
    run,
    simulated_rows,
)


def test_hazard_ratios_and_patients_are_enough_for_correlation_and_regression(capsys):
    document, notices = document_of(HAZARD_RATIOS_AND_PATIENTS, capsys)
    # R: cov.wt and lm with weights
    assert fit_of(document, "weighted-pearson")["estimates"]["r"]["value"] == pytest.approx(0.760190, abs=5e-7)
    estimates = fit_of(document, "weighted-regression")["estimates"]
    assert (estimates["slope"]["value"], estimates["slope"]["se"]) == pytest.approx((0.681452, 0.133613), abs=5e-7)
    assert estimates["intercept"]["value"] == pytest.approx(0.044648, abs=5e-7)
    assert {fit["k"] for fit in document["fits"]} == {21}
    assert [(entry["model"], entry["missing_data"]) for entry in document["failures"]] == [
        ("meta-regression", True),
        ("bivariate-reml", True),
        ("bivariate-bayes", True),
    ]
    for entry in document["failures"]:
        assert entry["problem"].startswith("no standard errors in 21 of 21 comparisons")
        assert {tuple(member["missing"]) for member in entry["left_out"]} == {("standard_errors",)}
        assert f"{entry['model']} is not fitted: no standard errors" in notices


def test_hazard_ratios_and_patients_on_the_screen_and_in_the_folder(tmp_path, capsys):
    out = tmp_path / "out"
    assert run(HAZARD_RATIOS_AND_PATIENTS, "--out", str(out), "--format", "png", "--details") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "not fitted: no standard errors" in shown
    assert "to fit meta-regression, bivariate REML and Bayesian bivariate model: give confidence limits" in shown
    captions = {path.name: path.read_text() for path in (out / "figures").glob("*.md")}
    assert {name.split("-")[0] for name in captions} == {"bubble", "forest"}
    assert "No intervals are drawn" in captions["forest-hazard_ratios_and_patients.caption.md"]
    assert len((out / "tables" / "left_out.csv").read_text().splitlines()) == 1 + 3 * 21
    assert "(no interval)" in (out / "tables" / "effects.md").read_text()
    assert "nan" not in (out / "tables" / "effects.md").read_text().lower()


def test_check_names_what_each_model_can_use(capsys):
    assert run(HAZARD_RATIOS_AND_PATIENTS, "--check") == 0
    shown = capsys.readouterr().out
    assert "weighted-pearson: 21 of 21 comparisons\n" in shown
    assert (
        "bivariate-reml: not fitted: no standard errors in 21 of 21 comparisons; at least 3 must have them. Remedy:"
        in shown
    )
    assert shown.count(" I107 info: ") == 1
    assert "E107" not in shown


@pytest.mark.parametrize("options", [(), ("--check",), ("--json",)])
def test_a_model_that_was_asked_for_is_refused(options, tmp_path, capsys):
    out = tmp_path / "out"
    assert (
        run(HAZARD_RATIOS_AND_PATIENTS, "--model", "weighted-pearson", "bivariate-reml", "--out", str(out), *options)
        == 2
    )
    shown = capsys.readouterr()
    assert "bivariate-reml cannot be fitted to hazard_ratios_and_patients: no standard errors" in shown.err
    assert "weighted-pearson cannot" not in shown.err
    assert not out.exists()


def test_strict_counts_a_model_that_is_not_fitted(capsys):
    assert run(HAZARD_RATIOS_AND_PATIENTS, "--json", "--strict", "--quiet") == 5
    assert capsys.readouterr().err == ""


def test_too_few_comparisons_stay_a_failed_fit(partial_table, capsys):
    path = partial_table(dict.fromkeys(LIMITS, ...), simulated_rows(1))
    assert run(path, "--json", "--model", "weighted-pearson", "bivariate-reml") == 4
    assert not any(entry["missing_data"] for entry in json.loads(capsys.readouterr().out)["failures"])


@pytest.mark.slow
def test_three_of_27_without_limits(partial_table, capsys):
    path = partial_table(dict.fromkeys(LIMITS, NO_LIMITS))
    document, _ = document_of(path, capsys)
    complete = effects_of(partial_table({}, name="complete"))
    x, y = complete.log_hr.T
    w = complete.n / complete.n.sum()
    covariance = np.cov(x, y, aweights=complete.n)
    for name, k in (
        ("weighted-pearson", 27),
        ("weighted-regression", 27),
        ("meta-regression", 24),
        ("bivariate-reml", 24),
        ("bivariate-bayes", 24),
    ):
        fit = fit_of(document, name)
        assert fit["k"] == k
        assert [entry["comparison"] for entry in fit["left_out"]] == ([] if k == 27 else list(NO_LIMITS))
    r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert fit_of(document, "weighted-pearson")["estimates"]["r"]["value"] == pytest.approx(r, rel=1e-9)
    wls = WLS(y, np.column_stack([np.ones(27), x]), weights=w).fit()
    assert fit_of(document, "weighted-regression")["estimates"]["slope"]["value"] == pytest.approx(
        wls.params[1], rel=1e-9
    )
    kept = complete.take([trial not in NO_LIMITS for trial in complete.trial])
    for model in (BivariateRandomEffects(), BivariateBayes()):
        alone = model.fit(kept)
        together = fit_of(document, model.name)["estimates"]
        for name in ("mu_surrogate", "mu_final", "slope", "r2_trial"):
            assert together[name]["value"] == pytest.approx(alone[name].value, rel=1e-8)
            assert together[name]["low"] == pytest.approx(alone[name].low, rel=1e-8)
    (problem,) = (text for text in fit_of(document, "bivariate-reml")["problems"] if "left out" in text)
    assert problem.startswith(
        "3 of 27 comparisons left out, no standard error of PFS and OS: T03, T09, T21. Remedy: give"
    )


@pytest.mark.slow
def test_three_of_27_in_every_output(partial_table, tmp_path, capsys):
    path, out = partial_table(dict.fromkeys(LIMITS, NO_LIMITS)), tmp_path / "out"
    assert run(path, "--check") == 0
    assert (
        "bivariate-reml: 24 of 27 comparisons; left out, no standard error of PFS and OS: T03, T09, T21."
        in capsys.readouterr().out
    )
    assert run(path, "--out", str(out), "--format", "svg", "--details") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "! meta-regression, bivariate REML, Bayesian bivariate model: 3 of 27 comparisons left out" in shown
    forest = (out / "figures" / "forest-own.caption.md").read_text()
    assert forest.startswith("Hazard ratios of PFS and of OS, 24 of 27 comparisons from 24 trials")
    assert "T03, T09, T21. Remedy:" in forest
    bubble = (out / "figures" / "bubble-own.caption.md").read_text()
    assert "27 comparisons from 27 trials" in bubble
    assert "24 of 27 comparisons" in (out / "figures" / "posterior-own.svg").read_text()
    assert "own (k = 24 of 27)" in (out / "tables" / "models.md").read_text()
    assert (out / "tables" / "left_out.md").read_text().count("T09") == 3
    assert len((out / "tables" / "true_effects.csv").read_text().splitlines()) == 25


def test_only_the_final_effect_without_limits(partial_table):
    effects = effects_of(partial_table(dict.fromkeys(LIMITS[2:], NO_LIMITS)))
    result = BivariateRandomEffects().fit(effects)
    assert {entry.reason for entry in result.left_out} == {"no standard error of OS"}
    precision = WeightedPearson(weights="inverse-variance").fit(effects)
    assert [entry.missing for entry in precision.left_out] == [(Requirement.FINAL_STANDARD_ERROR,)] * 3
    assert "--weights n or none" in precision.left_out[0].remedy
    # without limits of the surrogate alone the weights 1 / variance of the final effect are known
    assert (
        len(
            WeightedPearson(weights="inverse-variance")
            .fit(effects_of(partial_table(dict.fromkeys(LIMITS[:2], ...))))
            .effects
        )
        == 27
    )


def test_a_bound_of_p_and_a_hazard_ratio_of_1_give_no_standard_error(partial_table):
    rows = [{**row, "p_pfs": "", "p_os": ""} for row in simulated_rows()]
    rows[2] |= {"p_pfs": "<0.001", "p_os": "0.2"}
    rows[8] |= {"hr_pfs": "1.00", "p_pfs": "1.00", "p_os": "0.2"}
    rows[20] |= {"p_pfs": "0.03", "p_os": "0.2"}
    result = BivariateRandomEffects().fit(effects_of(partial_table(dict.fromkeys(LIMITS, NO_LIMITS), rows)))
    assert {entry.label: entry.reason for entry in result.left_out} == {
        "T03": "no standard error of PFS",
        "T09": "no standard error of PFS",
    }


def test_two_with_limits_are_enough_for_the_posterior_alone(partial_table, capsys):
    with_limits = {"T01", "T02"}
    without = [row["trial"] for row in simulated_rows() if row["trial"] not in with_limits]
    document, notices = document_of(partial_table(dict.fromkeys(LIMITS, without)), capsys)
    assert fit_of(document, "bivariate-bayes")["k"] == 2
    assert "bivariate-reml is not fitted: no standard errors in 25 of 27 comparisons; at least 3" in notices
    assert "bivariate-bayes is not fitted" not in notices


def test_shared_control_arms_without_standard_errors():
    log_hr = np.log([[0.7, 0.85], [0.75, 0.8], [0.72, 0.9], [0.6, 0.7], [0.65, 0.75], [0.9, 1.0]])
    se = np.full((6, 2), 0.12)
    se[[1, 3, 4]] = np.nan
    effects = Effects.from_arrays(
        log_hr,
        se,
        n=[400, 400, 400, 300, 300, 600],
        trial=list("AAABBC"),
        comparison=["A1", "A2", "A3", "B1", "B2", "C"],
        control_group=["a", "a", "a", "b", "b", ""],
    )
    first = resolve_shared_controls(effects, "first")
    assert first.comparison == ("A1", "B1", "C")
    pooled = resolve_shared_controls(effects, "combine")
    assert pooled.comparison == ("A1", "B1", "C")
    # equal standard errors and half of each variance shared: the mean, with variance s^2 (1 + 1/2) / 2
    assert pooled.log_hr[0] == pytest.approx(log_hr[[0, 2]].mean(axis=0))
    assert pooled.se[0] == pytest.approx(0.12 * np.sqrt(0.75))
    assert pooled.log_hr[1] == pytest.approx(log_hr[3])
    assert np.isnan(pooled.se[1]).all()


def test_shipped_rows_without_limits_keep_to_the_rule_of_their_set(own_tables):
    blank = {"ci_low": "", "ci_high": "", "p": "", "events_exp": "", "events_ctl": ""}
    own_tables("effects", {"effect_id": "brisk-ta:os:final"}, **blank)
    trials = read_trials(own_tables.folder)
    flow = {entry.comparison: entry for entry in trials.analysis_set_with_flow("intermediate").flow}
    assert flow["brisk-ta"].reason == "OS hazard ratio without limits, exact p or events"
    # a set that lists its hazard ratios keeps the comparison; the models that need an error leave it out
    effects = trials.analysis_set("tactics-2022")
    assert [entry.label for entry in BivariateRandomEffects(interval="delta").fit(effects).left_out] == ["BRISK-TA"]
    assert len(WeightedPearson(bootstrap=0).fit(effects).effects) == 6
