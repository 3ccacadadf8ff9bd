"""Models use the comparisons that have what they need, and report the others with reason and remedy."""

import json
from dataclasses import replace

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.fit import main
from surrogacy.models import (
    REGISTRY,
    BivariateRandomEffects,
    WeightedPearson,
    WeightedRegression,
    create,
)
from surrogacy.results.requirements import MissingDataError, Requirement
from tests.support.effects import SAMPLED, effects_of
from tests.support.partial_tables import LIMITS, NO_LIMITS, document_of, fit_of, run, simulated_rows
from tests.support.pinned_tables import PINNED


@pytest.mark.slow
def test_effects_without_patients_are_enough_for_the_bivariate_models(partial_table, capsys):
    document, notices = document_of(partial_table(dict.fromkeys(("n_exp", "n_ctl"), ...)), capsys)
    assert {fit["model"] for fit in document["fits"]} == {"meta-regression", "bivariate-reml", "bivariate-bayes"}
    for name in ("weighted-pearson", "weighted-regression"):
        assert f"{name} is not fitted: no number of patients in 27 of 27 comparisons" in notices
    assert "give n_exp and n_ctl, or use --weights inverse-variance or none" in notices
    complete = effects_of(partial_table({}, name="complete"))
    slope = BivariateRandomEffects().fit(complete)["slope"]
    assert fit_of(document, "bivariate-reml")["estimates"]["slope"]["value"] == pytest.approx(slope.value, rel=1e-9)


def test_patients_of_one_arm_missing(partial_table, capsys):
    path = partial_table({"n_exp": ("T02", "T06")})
    assert run(path, "--check") == 0
    shown = capsys.readouterr().out
    assert "weighted-regression: 25 of 27 comparisons; left out, no number of patients: T02, T06." in shown
    assert "bivariate-reml: 27 of 27 comparisons\n" in shown
    complete = effects_of(partial_table({}, name="complete"))
    kept = complete.take([trial not in ("T02", "T06") for trial in complete.trial])
    found = WeightedRegression().fit(effects_of(path))
    assert found["slope"].value == pytest.approx(WeightedRegression().fit(kept)["slope"].value, rel=1e-12)


def test_neither_limits_nor_patients(partial_table, capsys):
    path = partial_table(dict.fromkeys((*LIMITS, "n_exp", "n_ctl"), ...))
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


def test_different_comparisons_lack_different_quantities(partial_table):
    effects = effects_of(
        partial_table({**dict.fromkeys(LIMITS, NO_LIMITS), **dict.fromkeys(("n_exp", "n_ctl"), ("T02", "T09"))})
    )
    assert [entry.label for entry in WeightedPearson().fit(effects).left_out] == ["T02", "T09"]
    assert [entry.label for entry in BivariateRandomEffects().fit(effects).left_out] == list(NO_LIMITS)
    assert len(WeightedPearson(weights="none").fit(effects).effects) == 27
    # what all of them can do, not one of them
    (problem,) = (text for text in WeightedPearson().fit(effects).problems if "left out" in text)
    assert problem.endswith("or use --weights none")
    with pytest.raises(UsageError, match="weights must be one of"):
        WeightedPearson(weights="size").fit(effects)


def test_events_stand_in_for_standard_errors_of_weights(partial_table):
    rows = [{**row, "events_exp_os": "", "events_ctl_os": ""} for row in simulated_rows()]
    rows[2] |= {"events_exp_os": "90", "events_ctl_os": "100"}  # gives a standard error too
    effects = effects_of(partial_table(dict.fromkeys(LIMITS, NO_LIMITS), rows))
    result = WeightedPearson(weights="events").fit(effects)
    assert {entry.label: entry.missing for entry in result.left_out} == dict.fromkeys(
        ("T09", "T21"), (Requirement.FINAL_EVENTS,)
    )
    only_events = replace(effects, se=np.full((27, 2), np.nan), events=np.full(27, 100.0))
    x, y = only_events.log_hr.T
    assert WeightedPearson(weights="events").fit(only_events)["r"].value == pytest.approx(np.corrcoef(x, y)[0, 1])


@pytest.mark.slow
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
    assert main(["tactics-2022", *PINNED, "--add", str(path), "--json", *models]) == 0
    changes = [row for row in json.loads(capsys.readouterr().out)["changes"] if not row["subject"]]
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
    assert main(["tactics-2022", *PINNED, "--add", str(path), "--check", *models]) == 0
    assert f"tactics-2022: {leaving}: 6 of 7 comparisons; left out, {reason}: MADE-UP." in capsys.readouterr().out


@pytest.mark.slow
def test_an_added_row_on_the_screen(tmp_path, capsys):
    path, out = tmp_path / "new.csv", tmp_path / "out"
    path.write_text("trial,stage,n_exp,n_ctl,hr_pfs,hr_os\nMADE-UP,intermediate,400,390,0.5,0.6\n")
    models = ["--model", "weighted-pearson", "bivariate-reml"]
    assert (
        main(["tactics-2022", *PINNED, "--add", str(path), "--out", str(out), "--format", "svg", "--details", *models])
        == 0
    )
    shown = " ".join(capsys.readouterr().out.split())
    assert "6 → 7" in shown
    assert "6 → 6 of 7" in shown
    assert "tactics-2022, bivariate REML: MADE-UP left out, no standard error of PFS and OS. Remedy: give" in shown


@pytest.mark.slow
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


@pytest.mark.parametrize("name", sorted(set(REGISTRY) - SAMPLED))
def test_every_model_states_its_needs(name):
    model = create(name)
    assert model.requires
    assert all(isinstance(requirement, Requirement) for requirement in model.requires)
    assert model.fewest >= 2


@pytest.mark.nuts
def test_a_missing_covariate_is_missing_data(partial_table):
    effects = effects_of(partial_table({}))
    with pytest.raises(MissingDataError, match=r"no comparison states its class\. Remedy: add a column class"):
        create("class-exchangeable").fit(effects)
    with pytest.raises(MissingDataError, match=r"no comparison states its line\. Remedy: add a column line"):
        create("moderated", covariate="line").fit(effects)
    with pytest.raises(FitError, match="two classes are needed"):
        create("class-exchangeable").fit(replace(effects, covariates={**effects.covariates, "class": ("ici",) * 27}))


def test_the_shipped_comparison_without_patients_is_named(trials):
    effects = trials.analysis_set("all")
    assert [entry.label for entry in WeightedPearson(bootstrap=0).fit(effects).left_out] == ["CARES-005"]
    assert BivariateRandomEffects(interval="delta").fit(effects).left_out == ()
