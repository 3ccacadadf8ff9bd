"""Comparisons with one endpoint: which join a set, with which values, and how models that need both leave them out."""

import warnings

import numpy as np
import pytest

from surrogacy.errors import CaveatCode, UsageError
from surrogacy.models import BivariateRandomEffects, WeightedRegression
from surrogacy.trials import Pairing
from tests.support.pinned_tables import pinned_trials

INCLUDE = Pairing(one_endpoint="include")
OS_ALONE = {"nolatrexed", "he-2019-sorahaic", "prodige-11", "soramic-palliative", "namodenoson-p2", "fohaic-1"}
OS_ALONE |= {"checkmate-9dw"}
SURROGATE_ALONE = {"jet-hcc", "ding-len-sor-pvtt", "cosmic-312-cabo", "imbrave152"}
NOT_VERIFIED = {"he-2019-sorahaic": 0, "fohaic-1": 0, "checkmate-9dw": 0, "jet-hcc": 1}


@pytest.fixture(scope="module")
def advanced():
    return pinned_trials().analysis_set_with_flow("advanced", INCLUDE)


def test_comparisons_with_one_endpoint_join_the_pairs(advanced):
    effects, pairs = advanced.effects, pinned_trials().analysis_set("advanced")
    alone = {
        name: np.isnan(row) for name, row in zip(effects.comparison, effects.log_hr, strict=True) if np.isnan(row).any()
    }
    assert {name for name, missing in alone.items() if missing.tolist() == [True, False]} == OS_ALONE
    assert {name for name, missing in alone.items() if missing.tolist() == [False, True]} == SURROGATE_ALONE
    kept = effects.take(effects.complete)
    assert kept.comparison == pairs.comparison
    for name in ("log_hr", "se", "rho_within", "n", "control_share", "events", "provenance"):
        assert np.array_equal(getattr(kept, name), getattr(pairs, name), equal_nan=True)
    assert np.array_equal(np.isnan(effects.se), np.isnan(effects.log_hr))


def test_a_hazard_ratio_without_sufficient_evidence_is_missing(advanced):
    reported = {(effect.comparison, effect.endpoint): effect for effect in pinned_trials().reported if effect.preferred}
    for name, side in NOT_VERIFIED.items():
        assert reported[name, ("PFS", "OS")[side]].evidence == "unverified"
        assert np.isnan(advanced.effects.log_hr[advanced.effects.comparison.index(name), side])
    at_any_evidence = Pairing(one_endpoint="include", min_evidence="unverified")
    effects = pinned_trials().analysis_set_with_flow("advanced", at_any_evidence).effects
    assert set(NOT_VERIFIED) <= set(effects.take(effects.complete).comparison)


def test_the_flow_states_the_missing_half(advanced):
    reasons = {entry.comparison: entry.reason for entry in advanced.flow if entry.included and entry.reason}
    assert set(reasons) == OS_ALONE | SURROGATE_ALONE
    assert reasons["cosmic-312-cabo"] == "no OS effect: PFS alone"
    assert reasons["checkmate-9dw"] == "PFS hazard ratio is unverified: OS alone"
    assert reasons["prodige-11"] == "no hazard ratio of PFS, TACE-PFS, TTP: OS alone"


def test_exclusion_is_the_default():
    default, excluded = (
        pinned_trials().analysis_set_with_flow("advanced", pairing)
        for pairing in (Pairing(), Pairing(one_endpoint="exclude"))
    )
    assert default.effects.complete.all()
    assert default.flow == excluded.flow
    assert all(entry.included != bool(entry.reason) for entry in default.flow)


def test_models_that_need_both_effects_leave_them_out_and_say_so(advanced):
    result = WeightedRegression().fit(advanced.effects)
    alone = WeightedRegression().fit(pinned_trials().analysis_set("advanced"))
    assert {entry.comparison for entry in result.left_out} == OS_ALONE | SURROGATE_ALONE
    assert result["slope"] == alone["slope"]
    (sentence,) = (caveat.text for caveat in result.caveats if caveat.code is CaveatCode.LEFT_OUT)
    assert sentence.startswith("11 of 56 comparisons left out, no hazard ratio of surrogate")
    assert "no hazard ratio of OS: " in sentence
    assert not BivariateRandomEffects(interval="delta").fit(advanced.effects).left_out


def test_names_and_counts_of_endpoints_ignore_missing_ones(advanced):
    (mixed,) = (caveat.text for caveat in advanced.effects.caveats if caveat.code is CaveatCode.MIXED_ENDPOINTS)
    assert mixed == "the surrogate is not one endpoint: 7 TTP, 42 PFS"


@pytest.mark.parametrize("shared_control", ["cov", "first", "combine"])
def test_two_arms_without_os_that_share_a_control(shared_control):
    pairing = Pairing(one_endpoint="include", shared_control=shared_control)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        effects = pinned_trials().analysis_set_with_flow("intermediate", pairing).effects
        result = BivariateRandomEffects(interval="delta").fit(effects)
    assert (~effects.complete).sum() == (4 if shared_control == "cov" else 3)
    assert np.isfinite(result["slope"].value)


def test_a_listed_set_has_pairs_alone():
    effects = pinned_trials().analysis_set_with_flow("llovet-2019-pfs", INCLUDE).effects
    assert effects.complete.all()


def test_another_word_is_refused():
    with pytest.raises(UsageError, match="unknown treatment of one endpoint 'both'; choose from exclude, include"):
        Pairing(one_endpoint="both")
