"""Values of an arm: those of its preferred row, and missing ones from its other rows of the same analysis."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.pps.moderators import later_therapy
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.pps.table_rows import ArmRow, selected_arms

NAN = float("nan")
ARM = ArmRow("a", "ctl", "placebo", 150, "PFS", True, "primary", 20, 18, 22, NAN, NAN, NAN, NAN, "", NAN, NAN)
OTHER = replace(ARM, preferred=False, evidence="secondary", post_therapy_pct=46.0)


def test_later_therapy_from_another_row():
    (arm,) = selected_arms([OTHER, ARM])
    assert (arm.post_therapy_pct, arm.median_os, arm.evidence) == (46, 20, "secondary")


def test_a_value_of_the_preferred_row_is_kept():
    (arm,) = selected_arms([replace(ARM, post_therapy_pct=50.0), OTHER])
    assert (arm.post_therapy_pct, arm.evidence) == (50, "primary")


def test_a_median_with_its_limits_and_endpoint_from_the_same_analysis():
    other = replace(OTHER, median_pfs=4.3, median_pfs_low=3.6, median_pfs_high=5.4, pfs_endpoint="TTP")
    (arm,) = selected_arms([ARM, other])
    assert (arm.median_pfs, arm.median_pfs_low, arm.median_pfs_high, arm.pfs_endpoint) == (4.3, 3.6, 5.4, "TTP")
    assert arm.median_os_low == 18


@pytest.mark.parametrize(
    "changes",
    [
        {"median_os": 21.0},  # another data cut
        {"median_os": NAN},  # no median that both rows have
    ],
)
def test_medians_of_different_analyses_are_not_combined(changes):
    (arm,) = selected_arms([ARM, replace(OTHER, median_pfs=4.3, **changes)])
    assert np.isnan(arm.median_pfs)
    assert arm.post_therapy_pct == 46


@pytest.mark.parametrize("changes", [{"n": 104}, {"evidence": "unverified"}, {"arm": "exp"}, {"comparison": "b"}])
def test_rows_of_other_patients_or_not_verified_are_not_used(changes):
    (arm,) = selected_arms([ARM, replace(OTHER, **changes)])
    assert np.isnan(arm.post_therapy_pct)


def test_a_row_that_does_not_state_its_patients_is_used():
    assert selected_arms([ARM, replace(OTHER, n=NAN)])[0].post_therapy_pct == 46


def test_an_arm_without_preferred_row_is_not_selected():
    assert selected_arms([OTHER]) == []


def test_the_weakest_evidence_is_that_of_the_arm():
    assert selected_arms([replace(ARM, evidence="unverified"), OTHER])[0].evidence == "unverified"
    # a user's row that states no evidence
    assert selected_arms([replace(ARM, evidence=""), OTHER])[0].evidence == "secondary"


def test_later_therapy_of_the_shipped_trials(live_trials):
    effects = live_trials.analysis_set("all")
    values = later_therapy(live_trials, effects).values
    shares = {name: value * 10 for name, value in zip(effects.comparison, values, strict=True) if np.isfinite(value)}
    # HIMALAYA: one control arm, two comparisons
    expected = {"tactics": 76.3, "orient-32": 47.0, "himalaya-stride": 46.0, "himalaya-durva": 46.0}
    assert shares.items() >= {name: pytest.approx(share) for name, share in expected.items()}.items()


def test_both_medians_of_keynote_394(live_trials):
    inputs = read_inputs(live_trials, "keynote-394")
    assert [median.value for median in inputs.cuts[0].medians] == [2.3, 2.6]
