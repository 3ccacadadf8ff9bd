"""Sensitivity to comparisons with one endpoint: independent values, agreement with the main fit, and its records."""

import pytest

from surrogacy.evaluation.influence import delete_one
from surrogacy.evaluation.one_endpoint import pairs_with_one_endpoint, vary_one_endpoint
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.evaluation.subgroups import by_factor
from surrogacy.models import BivariateBayes, BivariateRandomEffects
from surrogacy.trials import Pairing
from tests.support.pinned_tables import pinned_trials


def refits(name, model):
    versions = pairs_with_one_endpoint(pinned_trials(), name, Pairing())
    return {entry.refit.value: entry for entry in vary_one_endpoint(model, versions)}


def shown(entry):
    slope, square = entry.refit.estimates["slope"], entry.refit.estimates["r2_trial"]
    threshold = entry.refit.estimates["ste_prediction"].hr
    return f"{slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f})", f"{square.value:.2f}", f"{threshold or 0:.3f}"


def test_advanced_disease():
    # an independent analysis of the tables 2026.11, Bayesian model: "11 more comparisons in advanced disease move the
    # slope from 0.50 (0.33 to 0.67) to 0.60 (0.44 to 0.77), R2 from .66 to .71 and the threshold from .670 to .648"
    entries = refits("advanced", BivariateBayes())
    assert shown(entries["exclude"]) == ("0.50 (0.33 to 0.67)", "0.66", "0.670")
    assert shown(entries["include"]) == ("0.60 (0.44 to 0.77)", "0.71", "0.648")
    assert [(entry.refit.k, entry.final_alone, entry.surrogate_alone) for entry in entries.values()] == [
        (45, 0, 0),
        (56, 7, 4),
    ]


def test_intermediate_stage():
    # "four more in the intermediate stage change nothing": no threshold either way, and a slope of either sign
    entries = refits("intermediate", BivariateBayes())
    assert entries["include"].refit.k - entries["exclude"].refit.k == entries["include"].surrogate_alone == 4
    slopes = [entry.refit.estimates["slope"] for entry in entries.values()]
    assert abs(slopes[0].value - slopes[1].value) < 0.05
    assert all(slope.low < 0 < slope.high for slope in slopes)
    assert [entry.refit.estimates["ste_prediction"].hr for entry in entries.values()] == [None, None]


def test_the_excluding_refit_is_the_main_fit():
    for model in (BivariateBayes(), BivariateRandomEffects()):
        entry = refits("advanced", model)["exclude"]
        main = model.fit(pinned_trials().analysis_set("advanced"))
        assert entry.refit.estimates["slope"].value == pytest.approx(main["slope"].value, abs=2e-4)
        assert entry.record["k"] == len(main.effects)


@pytest.mark.slow
def test_influence_subgroups_and_varied_choices_of_a_set_with_one_endpoint():
    trials, pairing = pinned_trials(), Pairing(one_endpoint="include")
    effects = trials.analysis_set_with_flow("intermediate", pairing).effects
    model = BivariateRandomEffects(interval="delta")
    influences = delete_one(model, effects)
    assert [entry.refit.value for entry in influences] == ["", *effects.trials]
    assert not [entry.refit.problem for entry in influences if entry.refit.problem]
    levels = by_factor(model, effects, "surrogate")
    assert {refit.value for refit in levels} >= {"PFS", "TTP"}
    choices = vary_one_choice(model, trials, "intermediate", pairing=pairing)
    assert {refit.k for refit in choices if refit.varied == "rho_within"} == {13}
    assert {refit.k for refit in choices if refit.varied == "shared_control"} == {11, 13}


def test_a_set_of_pairs_alone_has_no_refits():
    assert refits("llovet-2019-pfs", BivariateBayes()) == {}
    assert refits("tactics-2022", BivariateBayes()) == {}
