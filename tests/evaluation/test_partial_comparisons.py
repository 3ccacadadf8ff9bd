"""Refits, sensitivity analyses, placement and figures of effects that lack standard errors or patients."""

import json
from dataclasses import replace

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.evaluation import cross_validation, influence, refits
from surrogacy.evaluation.interval_methods import all_intervals
from surrogacy.evaluation.placement import focus_comparisons, place
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.evaluation.subgroups import by_factor
from surrogacy.figures import bubble_data, plot_bubble, plot_forest
from surrogacy.models import (
    BivariateBayes,
    BivariateRandomEffects,
    WeightedPearson,
    WeightedRegression,
)
from surrogacy.results.requirements import split_by_requirements
from surrogacy.trials import Pairing, read_pairs
from tests.support.effects import effects_of
from tests.support.partial_tables import (
    COLUMNS,
    HAZARD_RATIOS_AND_PATIENTS,
    LIMITS,
    NO_LIMITS,
    document_of,
    run,
    simulated_rows,
)


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_run_refits_without_the_comparisons_in_the_fit_only(partial_table, capsys):
    blank = {**dict.fromkeys(LIMITS, NO_LIMITS), **dict.fromkeys(("n_exp", "n_ctl"), ("T02", "T06"))}
    document, _ = document_of(partial_table(blank), capsys)
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
            HAZARD_RATIOS_AND_PATIENTS,
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


def test_a_trial_without_standard_errors_is_placed_by_models_that_need_none(partial_table):
    trials = read_pairs(partial_table(dict.fromkeys(LIMITS, NO_LIMITS)))
    effects = trials.pair(trials.surrogates)
    models = [WeightedRegression(), BivariateRandomEffects(interval="delta")]
    sets = [(effects, [model.fit(effects) for model in models])]
    records = {name: place(focus_comparisons(trials, [effects], name)[0], models, sets) for name in ("T03", "T04")}
    assert {record.model for record in records["T03"]} == {"weighted-regression"}
    assert {record.model for record in records["T04"]} == {"weighted-regression", "bivariate-reml"}
    assert all(np.isfinite(record.low_95) for record in records["T03"])


def test_choices_of_a_grid_say_how_many_comparisons_they_rest_on(partial_table):
    trials = read_pairs(partial_table(dict.fromkeys(LIMITS, NO_LIMITS)))
    refits = vary_one_choice(WeightedPearson(), trials, {}, pairing=Pairing(trials.surrogates))
    fitted = {refit.value: refit.fitted for refit in refits if refit.varied == "weights"}
    assert fitted == {"n": 27, "events": 24, "inverse-variance": 24, "sqrt-n": 27, "none": 27}


def test_figures_draw_a_symbol_where_there_is_no_interval(partial_table):
    rows = simulated_rows(12)
    effects = effects_of(partial_table(dict.fromkeys(LIMITS, ("T03", "T09")), rows))
    result = WeightedRegression().fit(effects)
    data = bubble_data(result).set_index("label")
    assert data["surrogate_low"].isna().to_dict() == {row["trial"]: row["trial"] in ("T03", "T09") for row in rows}
    plain, axes = plot_bubble(result), plot_bubble(result, show=("intervals",))
    assert len(axes.lines) - len(plain.lines) >= 20  # two intervals of ten comparisons, and their arrowheads
    left, _ = plot_forest(result)
    shown = [text.get_text() for text in left.texts]
    assert sum("(no interval)" in text for text in shown) == 2
