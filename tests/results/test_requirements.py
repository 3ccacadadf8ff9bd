"""Models use the comparisons that have what they need, and report the others with reason and remedy."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri
from statsmodels.api import WLS

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation import cross_validation, influence, refits
from surrogacy.evaluation.interval_methods import all_intervals
from surrogacy.evaluation.placement import focus_comparisons, place
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.evaluation.subgroups import by_factor
from surrogacy.figures import bubble_data, plot_bubble, plot_forest
from surrogacy.fit import main
from surrogacy.models import (
    REGISTRY,
    BivariateBayes,
    BivariateRandomEffects,
    WeightedPearson,
    WeightedRegression,
    create,
)
from surrogacy.results.requirements import MissingDataError, Requirement, split_by_requirements
from surrogacy.trials import Pairing, read_pairs, read_trials
from tests.conftest import ROOT
from tests.support.effects import effects_of

CASE = ROOT / "tests" / "data" / "public_cases" / "hazard_ratios_and_patients.csv"
COLUMNS = (
    "trial",
    "n_exp",
    "n_ctl",
    "hr_pfs",
    "ci_low_pfs",
    "ci_high_pfs",
    "hr_os",
    "ci_low_os",
    "ci_high_os",
    "stage",
)
LIMITS = ("ci_low_pfs", "ci_high_pfs", "ci_low_os", "ci_high_os")
NO_LIMITS = ("T03", "T09", "T21")


def simulated_rows(trials=27, seed=5):
    """Rows of a made-up set: log HR(OS) = 0.6 log HR(PFS) with scatter, Wald limits of both."""
    generator = np.random.default_rng(seed)
    rows = []
    for i in range(trials):
        n = int(generator.integers(100, 500))
        x = generator.normal(-0.3, 0.25)
        true = np.array([x, 0.6 * x + generator.normal(0, 0.06)])
        se = 2 / np.sqrt(2 * n * np.array([0.8, 0.6]))
        y = true + generator.multivariate_normal([0, 0], np.outer(se, se) * [[1, 0.5], [0.5, 1]])
        cells = [f"{np.exp(value):.4f}" for j in (0, 1) for value in y[j] + np.array([0, -1, 1]) * ndtri(0.975) * se[j]]
        rows.append(
            dict(zip(COLUMNS, [f"T{i + 1:02d}", n, n, *cells, ("intermediate", "advanced")[i % 2]], strict=True))
        )
    return rows


@pytest.fixture
def table(tmp_path):
    """Write rows with some cells blanked, ``blank={column: trials}``, and give the path."""

    def write(blank, rows=None, name="own"):
        path = tmp_path / f"{name}.csv"
        rows = [dict(row) for row in rows or simulated_rows()]
        for row in rows:
            row.update({column: "" for column, of in blank.items() if of is ... or row["trial"] in of})
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


def run(path, *options):
    return main(["--pairs", str(path), *options])


def document_of(path, capsys, *options):
    assert run(path, "--json", *options) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


def fit_of(document, model):
    (fit,) = (fit for fit in document["fits"] if fit["model"] == model)
    return fit


# --- hazard ratios and patients, no limits ------------------------------------------------------------------------


def test_hazard_ratios_and_patients_are_enough_for_correlation_and_regression(capsys):
    document, notices = document_of(CASE, capsys)
    # R: cov.wt and lm with weights
    assert fit_of(document, "weighted-pearson")["estimates"]["r"]["value"] == pytest.approx(0.760190, abs=5e-7)
    estimates = fit_of(document, "weighted-regression")["estimates"]
    assert (estimates["slope"]["value"], estimates["slope"]["se"]) == pytest.approx((0.681452, 0.133613), abs=5e-7)
    assert estimates["intercept"]["value"] == pytest.approx(0.044648, abs=5e-7)
    assert {fit["k"] for fit in document["fits"]} == {21}
    assert [(entry["model"], entry["missing_data"]) for entry in document["failures"]] == [
        ("bivariate-reml", True),
        ("bivariate-bayes", True),
    ]
    for entry in document["failures"]:
        assert entry["problem"].startswith("no standard errors in 21 of 21 comparisons")
        assert {tuple(member["missing"]) for member in entry["left_out"]} == {("standard_errors",)}
        assert f"{entry['model']} is not fitted: no standard errors" in notices


def test_hazard_ratios_and_patients_on_the_screen_and_in_the_folder(tmp_path, capsys):
    out = tmp_path / "out"
    assert run(CASE, "--out", str(out), "--format", "png") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "not fitted: no standard errors" in shown
    assert "to fit bivariate-reml and bivariate-bayes: give confidence limits" in shown
    captions = {path.name: path.read_text() for path in (out / "figures").glob("*.md")}
    assert {name.split("-")[0] for name in captions} == {"bubble", "forest"}
    assert "No intervals are drawn" in captions["forest-hazard_ratios_and_patients.caption.md"]
    assert len((out / "tables" / "left_out.csv").read_text().splitlines()) == 1 + 2 * 21
    assert "(no interval)" in (out / "tables" / "effects.md").read_text()
    assert "nan" not in (out / "tables" / "effects.md").read_text().lower()


def test_check_names_what_each_model_can_use(capsys):
    assert run(CASE, "--check") == 0
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
    assert run(CASE, "--model", "weighted-pearson", "bivariate-reml", "--out", str(out), *options) == 2
    shown = capsys.readouterr()
    assert "bivariate-reml cannot be fitted to hazard_ratios_and_patients: no standard errors" in shown.err
    assert "weighted-pearson cannot" not in shown.err
    assert not out.exists()


def test_strict_counts_a_model_that_is_not_fitted(capsys):
    assert run(CASE, "--json", "--strict", "--quiet") == 5
    assert capsys.readouterr().err == ""


def test_too_few_comparisons_stay_a_failed_fit(table, capsys):
    path = table(dict.fromkeys(LIMITS, ...), simulated_rows(1))
    assert run(path, "--json", "--model", "weighted-pearson", "bivariate-reml") == 4
    assert not any(entry["missing_data"] for entry in json.loads(capsys.readouterr().out)["failures"])


# --- some comparisons without limits ------------------------------------------------------------------------------


def test_three_of_27_without_limits(table, capsys):
    path = table(dict.fromkeys(LIMITS, NO_LIMITS))
    document, _ = document_of(path, capsys)
    complete = effects_of(table({}, name="complete"))
    x, y = complete.log_hr.T
    w = complete.n / complete.n.sum()
    covariance = np.cov(x, y, aweights=complete.n)
    for name, k in (
        ("weighted-pearson", 27),
        ("weighted-regression", 27),
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


def test_three_of_27_in_every_output(table, tmp_path, capsys):
    path, out = table(dict.fromkeys(LIMITS, NO_LIMITS)), tmp_path / "out"
    assert run(path, "--check") == 0
    assert (
        "bivariate-reml: 24 of 27 comparisons; left out, no standard error of PFS and OS: T03, T09, T21."
        in capsys.readouterr().out
    )
    assert run(path, "--out", str(out), "--format", "svg") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "! bivariate-reml, bivariate-bayes: 3 of 27 comparisons left out" in shown
    forest = (out / "figures" / "forest-own.caption.md").read_text()
    assert forest.startswith("Hazard ratios of PFS and of OS, 24 of 27 comparisons from 24 trials")
    assert "T03, T09, T21. Remedy:" in forest
    bubble = (out / "figures" / "bubble-own.caption.md").read_text()
    assert "27 comparisons from 27 trials" in bubble
    assert "24 of 27 comparisons" in (out / "figures" / "posterior-own.svg").read_text()
    assert "own (k = 24 of 27)" in (out / "tables" / "models.md").read_text()
    assert (out / "tables" / "left_out.md").read_text().count("T09") == 2
    assert len((out / "tables" / "true_effects.csv").read_text().splitlines()) == 25


def test_only_the_final_effect_without_limits(table):
    effects = effects_of(table(dict.fromkeys(LIMITS[2:], NO_LIMITS)))
    result = BivariateRandomEffects().fit(effects)
    assert {entry.reason for entry in result.left_out} == {"no standard error of OS"}
    precision = WeightedPearson(weights="inverse-variance").fit(effects)
    assert [entry.missing for entry in precision.left_out] == [(Requirement.FINAL_STANDARD_ERROR,)] * 3
    assert "--weights n or none" in precision.left_out[0].remedy
    # without limits of the surrogate alone the weights 1 / variance of the final effect are known
    assert (
        len(WeightedPearson(weights="inverse-variance").fit(effects_of(table(dict.fromkeys(LIMITS[:2], ...)))).effects)
        == 27
    )


def test_a_bound_of_p_and_a_hazard_ratio_of_1_give_no_standard_error(table):
    rows = [{**row, "p_pfs": "", "p_os": ""} for row in simulated_rows()]
    rows[2] |= {"p_pfs": "<0.001", "p_os": "0.2"}
    rows[8] |= {"hr_pfs": "1.00", "p_pfs": "1.00", "p_os": "0.2"}
    rows[20] |= {"p_pfs": "0.03", "p_os": "0.2"}
    result = BivariateRandomEffects().fit(effects_of(table(dict.fromkeys(LIMITS, NO_LIMITS), rows)))
    assert {entry.label: entry.reason for entry in result.left_out} == {
        "T03": "no standard error of PFS",
        "T09": "no standard error of PFS",
    }


def test_two_with_limits_are_enough_for_the_posterior_alone(table, capsys):
    with_limits = {"T01", "T02"}
    without = [row["trial"] for row in simulated_rows() if row["trial"] not in with_limits]
    document, notices = document_of(table(dict.fromkeys(LIMITS, without)), capsys)
    assert fit_of(document, "bivariate-bayes")["k"] == 2
    assert "bivariate-reml is not fitted: no standard errors in 25 of 27 comparisons; at least 3" in notices
    assert "bivariate-bayes is not fitted" not in notices


# --- patients -----------------------------------------------------------------------------------------------------


def test_effects_without_patients_are_enough_for_the_bivariate_models(table, capsys):
    document, notices = document_of(table(dict.fromkeys(("n_exp", "n_ctl"), ...)), capsys)
    assert {fit["model"] for fit in document["fits"]} == {"bivariate-reml", "bivariate-bayes"}
    for name in ("weighted-pearson", "weighted-regression"):
        assert f"{name} is not fitted: no number of patients in 27 of 27 comparisons" in notices
    assert "give n_exp and n_ctl, or use --weights inverse-variance or none" in notices
    complete = effects_of(table({}, name="complete"))
    slope = BivariateRandomEffects().fit(complete)["slope"]
    assert fit_of(document, "bivariate-reml")["estimates"]["slope"]["value"] == pytest.approx(slope.value, rel=1e-9)


def test_patients_of_one_arm_missing(table, capsys):
    path = table({"n_exp": ("T02", "T06")})
    assert run(path, "--check") == 0
    shown = capsys.readouterr().out
    assert "weighted-regression: 25 of 27 comparisons; left out, no number of patients: T02, T06." in shown
    assert "bivariate-reml: 27 of 27 comparisons\n" in shown
    complete = effects_of(table({}, name="complete"))
    kept = complete.take([trial not in ("T02", "T06") for trial in complete.trial])
    found = WeightedRegression().fit(effects_of(path))
    assert found["slope"].value == pytest.approx(WeightedRegression().fit(kept)["slope"].value, rel=1e-12)


def test_neither_limits_nor_patients(table, capsys):
    path = table(dict.fromkeys((*LIMITS, "n_exp", "n_ctl"), ...))
    assert run(path, "--json") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "weighted-pearson cannot be fitted to own: no number of patients" in shown.err
    assert "or use --weights none\n" in shown.err
    document, _ = document_of(path, capsys, "--weights", "none")
    x, y = effects_of(path).log_hr.T
    assert fit_of(document, "weighted-pearson")["estimates"]["r"]["value"] == pytest.approx(
        np.corrcoef(x, y)[0, 1], rel=1e-9
    )
    assert {fit["model"] for fit in document["fits"]} == {"weighted-pearson", "weighted-regression"}


def test_different_comparisons_lack_different_quantities(table):
    effects = effects_of(
        table({**dict.fromkeys(LIMITS, NO_LIMITS), **dict.fromkeys(("n_exp", "n_ctl"), ("T02", "T09"))})
    )
    assert [entry.label for entry in WeightedPearson().fit(effects).left_out] == ["T02", "T09"]
    assert [entry.label for entry in BivariateRandomEffects().fit(effects).left_out] == list(NO_LIMITS)
    assert len(WeightedPearson(weights="none").fit(effects).effects) == 27
    # what all of them can do, not one of them
    (problem,) = (text for text in WeightedPearson().fit(effects).problems if "left out" in text)
    assert problem.endswith("or use --weights none")
    with pytest.raises(UsageError, match="weights must be one of"):
        WeightedPearson(weights="size").fit(effects)


def test_events_stand_in_for_standard_errors_of_weights(table):
    rows = [{**row, "events_exp_os": "", "events_ctl_os": ""} for row in simulated_rows()]
    rows[2] |= {"events_exp_os": "90", "events_ctl_os": "100"}  # gives a standard error too
    effects = effects_of(table(dict.fromkeys(LIMITS, NO_LIMITS), rows))
    result = WeightedPearson(weights="events").fit(effects)
    assert {entry.label: entry.missing for entry in result.left_out} == dict.fromkeys(
        ("T09", "T21"), (Requirement.FINAL_EVENTS,)
    )
    only_events = replace(effects, se=np.full((27, 2), np.nan), events=np.full(27, 100.0))
    x, y = only_events.log_hr.T
    assert WeightedPearson(weights="events").fit(only_events)["r"].value == pytest.approx(np.corrcoef(x, y)[0, 1])


# --- added rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "cells", "leaving", "reason"),
    [
        ("n_exp,n_ctl,hr_pfs,hr_os", "400,390,0.5,0.6", "bivariate-reml", "no standard error of PFS and OS"),
        ("hr_pfs,se_pfs,hr_os,se_os", "0.5,0.09,0.6,0.1", "weighted-pearson", "no number of patients"),
        ("n_exp,n_ctl,hr_pfs,se_pfs,hr_os", "400,390,0.5,0.09,0.6", "bivariate-bayes", "no standard error of OS"),
    ],
)
def test_an_added_row_that_a_model_cannot_use(columns, cells, leaving, reason, tmp_path, capsys):
    path = tmp_path / "new.csv"
    path.write_text(f"trial,stage,{columns}\nMADE-UP,intermediate,{cells}\n")
    models = ["--model", "weighted-pearson", "bivariate-reml", "bivariate-bayes"]
    assert main(["tactics-2022", "--add", str(path), "--json", *models]) == 0
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert {change["k_before"] for change in changes} == {6}
    for change in changes:
        cannot = change["model"] == leaving or (
            leaving.startswith("bivariate") and change["model"].startswith("bivariate")
        )
        assert change["k_after"] == (6 if cannot else 7)
        assert change["left_out_after"] == (["MADE-UP"] if cannot else [])
        assert change["reason"] == (reason if cannot else "")
        assert change["before"] == change["after"] or not cannot
        assert bool(change["remedy"]) is cannot
    assert main(["tactics-2022", "--add", str(path), "--check", *models]) == 0
    assert f"tactics-2022: {leaving}: 6 of 7 comparisons; left out, {reason}: MADE-UP." in capsys.readouterr().out


def test_an_added_row_on_the_screen(tmp_path, capsys):
    path, out = tmp_path / "new.csv", tmp_path / "out"
    path.write_text("trial,stage,n_exp,n_ctl,hr_pfs,hr_os\nMADE-UP,intermediate,400,390,0.5,0.6\n")
    models = ["--model", "weighted-pearson", "bivariate-reml"]
    assert main(["tactics-2022", "--add", str(path), "--out", str(out), "--format", "svg", *models]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "6 → 7" in shown
    assert "6 → 6 of 7" in shown
    assert "tactics-2022, bivariate-reml: MADE-UP left out, no standard error of PFS and OS. Remedy: give" in shown


# --- what is computed beside the fit ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixed():
    """Effects of which three comparisons have no standard error and two others no patients."""
    rows = simulated_rows()
    numbers = {name: np.array([float(row[name]) for row in rows]) for name in COLUMNS[1:-1]}
    se = np.column_stack([np.log(numbers[f"ci_high_{e}"] / numbers[f"ci_low_{e}"]) / 3.919928 for e in ("pfs", "os")])
    trial = [row["trial"] for row in rows]
    se[[name in NO_LIMITS for name in trial]] = np.nan
    n = np.where([name in ("T02", "T06") for name in trial], np.nan, 2 * numbers["n_exp"])
    effects = Effects.from_arrays(
        np.log(np.column_stack([numbers["hr_pfs"], numbers["hr_os"]])), se, n=n, trial=trial, name="mixed"
    )
    return replace(effects, covariates={"stage": tuple(row["stage"] for row in rows)})


def test_leave_one_out_and_the_grids_use_the_comparisons_in_the_fit(mixed):
    usable = split_by_requirements(mixed, BivariateRandomEffects().requires).effects
    assert len(usable) == 24
    model = BivariateRandomEffects(interval="delta")
    for whole, part in zip(refits.rho_within_grid(model, mixed), refits.rho_within_grid(model, usable), strict=True):
        assert whole.values == part.values
    both = refits.prior_sensitivity(BivariateBayes(), mixed), refits.prior_sensitivity(BivariateBayes(), usable)
    assert [refit.estimates for refit in both[0]] == [refit.estimates for refit in both[1]]
    assert not any(refit.problem for refit in both[0])
    (advanced, _) = sorted(by_factor(model, mixed, "stage"), key=lambda refit: refit.value)
    assert (advanced.k, advanced.fitted) == (13, 13)
    assert by_factor(WeightedPearson(), mixed, "stage")[0].fitted == 14
    found = cross_validation.cross_validate(BivariateBayes(), usable)
    assert len(found.predicted) == 24
    assert [comparison.comparison for comparison in influence.regression_diagnostics(mixed)] == [
        name for name in mixed.comparison if name not in ("T02", "T06")
    ]
    intervals = all_intervals(mixed, BivariateRandomEffects(), recipes=["fisher", "profile"])
    assert {(one.recipe, one.trials) for one in intervals} == {("fisher", 25), ("profile", 24)}


def test_a_run_refits_without_the_comparisons_in_the_fit_only(table, capsys):
    blank = {**dict.fromkeys(LIMITS, NO_LIMITS), **dict.fromkeys(("n_exp", "n_ctl"), ("T02", "T06"))}
    document, _ = document_of(table(blank), capsys)
    for name in ("leave_one_out", "cross_validation", "delete_one"):
        for model, without in (("weighted-regression", {"T02", "T06"}), ("bivariate-bayes", set(NO_LIMITS))):
            records = [record for record in document[name] if record["model"] == model]
            rows = records[0]["comparisons"] if name == "cross_validation" else records
            trials = {row["trial" if name == "cross_validation" else "left_out"] for row in rows} - {""}
            assert trials == {row["trial"] for row in simulated_rows()} - without
    assert {record["k"] for record in document["leave_one_out"] if record["model"] == "weighted-pearson"} == {24}


@pytest.mark.slow
def test_sensitivity_of_a_table_without_limits(tmp_path, capsys):
    out = tmp_path / "out"
    assert (
        run(
            CASE,
            "--sensitivity",
            "--focus",
            "trial-9",
            "--predict",
            "0.6",
            "0.45",
            "0.8",
            "--out",
            str(out),
            "--format",
            "png",
        )
        == 0
    )
    document = json.loads((out / "results.json").read_text())
    weights = {
        row["value"]: row
        for row in document["choices"]
        if row["model"] == "weighted-pearson" and row["varied"] == "weights"
    }
    assert weights["n"]["r"] == pytest.approx(0.760190, abs=5e-7)
    assert "no standard error of OS in 21 of 21" in weights["inverse-variance"]["problem"]
    assert {row["correlates"] for row in document["intervals"]} == {"estimated effects"}
    assert {row["model"] for row in document["placement"]} == {"weighted-regression"}
    assert "the standard errors of trial-9 are not known" in (out / "placement.md").read_text()
    assert "nan" not in (out / "placement.md").read_text()


def test_a_trial_without_standard_errors_is_placed_by_models_that_need_none(table):
    trials = read_pairs(table(dict.fromkeys(LIMITS, NO_LIMITS)))
    effects = trials.pair(trials.surrogates)
    models = [WeightedRegression(), BivariateRandomEffects(interval="delta")]
    sets = [(effects, [model.fit(effects) for model in models])]
    records = {name: place(focus_comparisons(trials, [effects], name)[0], models, sets) for name in ("T03", "T04")}
    assert {record.model for record in records["T03"]} == {"weighted-regression"}
    assert {record.model for record in records["T04"]} == {"weighted-regression", "bivariate-reml"}
    assert all(np.isfinite(record.low_95) for record in records["T03"])


def test_choices_of_a_grid_say_how_many_comparisons_they_rest_on(table):
    trials = read_pairs(table(dict.fromkeys(LIMITS, NO_LIMITS)))
    refits = vary_one_choice(WeightedPearson(), trials, {}, pairing=Pairing(trials.surrogates))
    fitted = {refit.value: refit.fitted for refit in refits if refit.varied == "weights"}
    assert fitted == {"n": 27, "events": 24, "inverse-variance": 24, "sqrt-n": 27, "none": 27}


def test_figures_draw_a_symbol_where_there_is_no_interval(table):
    rows = simulated_rows(12)
    effects = effects_of(table(dict.fromkeys(LIMITS, ("T03", "T09")), rows))
    result = WeightedRegression().fit(effects)
    data = bubble_data(result).set_index("label")
    assert data["surrogate_low"].isna().to_dict() == {row["trial"]: row["trial"] in ("T03", "T09") for row in rows}
    axes = plot_bubble(result)
    assert sum(len(line.get_segments()) for line in axes.collections if hasattr(line, "get_segments")) == 20
    left, _ = plot_forest(result)
    shown = [text.get_text() for text in left.texts]
    assert sum("(no interval)" in text for text in shown) == 2


# --- shared control arms ------------------------------------------------------------------------------------------


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
    from surrogacy.trials.shared_control import resolve_shared_controls

    first = resolve_shared_controls(effects, "first")
    assert first.comparison == ("A1", "B1", "C")
    pooled = resolve_shared_controls(effects, "combine")
    assert pooled.comparison == ("A1", "B1", "C")
    # equal standard errors and half of each variance shared: the mean, with variance s^2 (1 + 1/2) / 2
    assert pooled.log_hr[0] == pytest.approx(log_hr[[0, 2]].mean(axis=0))
    assert pooled.se[0] == pytest.approx(0.12 * np.sqrt(0.75))
    assert pooled.log_hr[1] == pytest.approx(log_hr[3])
    assert np.isnan(pooled.se[1]).all()


# --- from Python --------------------------------------------------------------------------------------------------


def test_arrays_without_standard_errors():
    log_hr = [[-0.5, -0.3], [-0.2, -0.1], [-0.4, -0.35], [0.1, 0.0]]
    without = Effects.from_arrays(log_hr, n=[100, 200, 150, 300])
    assert np.isnan(without.se).all()
    assert not without.has_standard_errors.any()
    x, y = np.transpose(log_hr)
    covariance = np.cov(x, y, aweights=[100, 200, 150, 300])
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert WeightedPearson().fit(without)["r"].value == pytest.approx(expected)
    some = Effects.from_arrays(log_hr, [[0.1, 0.1], [0.1, np.nan], [0.1, 0.1], [0.1, 0.1]], n=[100, 200, np.nan, 300])
    assert some.has_standard_errors.tolist() == [True, False, True, True]
    assert [entry.comparison for entry in BivariateRandomEffects().fit(some).left_out] == ["2"]
    assert [entry.comparison for entry in WeightedRegression().fit(some).left_out] == ["3"]
    with pytest.raises(MissingDataError, match="no standard errors in 4 of 4 comparisons") as raised:
        BivariateRandomEffects().fit(without)
    assert isinstance(raised.value, FitError)
    assert isinstance(raised.value, UsageError)
    assert len(raised.value.left_out) == 4
    for bad in (0.0, -0.1, np.inf):
        with pytest.raises(UsageError):
            Effects.from_arrays(log_hr, [[bad, 0.1]] * 4)
    # an effect that was not reported needs no standard error
    half = Effects.from_arrays([[-0.5, np.nan], *log_hr], [[0.1, np.nan], *[[0.1, 0.1]] * 4])
    assert half.has_standard_errors.all()
    assert BivariateRandomEffects().fit(half).left_out == ()


@pytest.mark.parametrize(
    "name", [name for name in REGISTRY if not REGISTRY[name][0].startswith("surrogacy.models.sampled.")]
)
def test_every_model_states_its_needs(name):
    model = create(name)
    assert model.requires
    assert all(isinstance(requirement, Requirement) for requirement in model.requires)
    assert model.fewest >= 2


def test_a_missing_covariate_is_missing_data(table):
    from surrogacy.models.sampled.class_exchangeable import ClassExchangeable
    from surrogacy.models.sampled.moderated_line import SampledModeratedLine

    effects = effects_of(table({}))
    with pytest.raises(MissingDataError, match=r"no comparison states its class\. Remedy: add a column class"):
        ClassExchangeable().fit(effects)
    with pytest.raises(MissingDataError, match=r"no comparison states its line\. Remedy: add a column line"):
        SampledModeratedLine(covariate="line").fit(effects)
    with pytest.raises(FitError, match="two classes are needed"):
        ClassExchangeable().fit(replace(effects, covariates={**effects.covariates, "class": ("ici",) * 27}))


# --- the shipped sets ---------------------------------------------------------------------------------------------


def test_the_shipped_comparison_without_patients_is_named(trials):
    effects = trials.analysis_set("all")
    assert [entry.label for entry in WeightedPearson(bootstrap=0).fit(effects).left_out] == ["CARES-005"]
    assert BivariateRandomEffects(interval="delta").fit(effects).left_out == ()


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
