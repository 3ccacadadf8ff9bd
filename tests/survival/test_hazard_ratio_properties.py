"""Properties of the Cox limit: dilution, symmetry, limits of PPS and follow-up, and refused arguments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogacy.errors import UsageError
from surrogacy.pps import Censoring, IllnessDeath, average_hazard_ratio, cox_hazard_ratio
from surrogacy.survival.hazard_ratios import (
    expected_events,
    hazard_ratio_over_time,
)
from surrogacy.survival.partial_likelihood import as_censoring
from tests.support.arms import exponential_arm
from tests.support.logrank import logrank_drift


@settings(max_examples=60, deadline=None)
@given(hr=st.floats(0.2, 0.95), ratio=st.floats(0.02, 50.0))
def test_equal_pps_dilutes_and_never_reverses(hr, ratio):
    control, experimental = exponential_arm(1, ratio, 0.0), exponential_arm(1 / hr, ratio, 0.0)
    assert hr - 1e-9 <= cox_hazard_ratio(control, experimental) <= 1.0 + 1e-9
    assert hr - 1e-9 <= average_hazard_ratio(control, experimental, upper=np.inf) <= 1.0 + 1e-9


@settings(max_examples=40, deadline=None)
@given(
    hr=st.floats(0.2, 2.0),
    q=st.floats(0.0, 1.0),
    follow_up=st.one_of(st.none(), st.tuples(st.floats(0, 3), st.floats(3.1, 9))),
)
def test_without_pps_os_is_pfs(hr, q, follow_up):
    arms = exponential_arm(1, 1e-7, q), exponential_arm(1 / hr, 1e-7, q)
    assert cox_hazard_ratio(*arms, follow_up) == pytest.approx(hr, rel=1e-5)
    assert average_hazard_ratio(*arms) == pytest.approx(hr, rel=1e-5)
    assert cox_hazard_ratio(*arms, follow_up, endpoint="pfs") == pytest.approx(hr, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    h=st.tuples(*[st.floats(0.005, 1.0)] * 6),
    share=st.floats(0.1, 0.9),
    follow_up=st.one_of(st.none(), st.just((5.0, 20.0))),
)
def test_swapping_the_arms_inverts_the_limit(h, share, follow_up):
    one, other = IllnessDeath(*h[:3]), IllnessDeath(*h[3:])
    forth = cox_hazard_ratio(one, other, follow_up, (1 - share, share))
    assert forth * cox_hazard_ratio(other, one, follow_up, (share, 1 - share)) == pytest.approx(1.0, rel=1e-8)
    assert cox_hazard_ratio(one, one, follow_up) == pytest.approx(1.0, abs=1e-10)
    drift = logrank_drift(one, other, (50, 50), as_censoring(follow_up))
    assert np.sign(drift) == np.sign(np.log(cox_hazard_ratio(one, other, follow_up))) or abs(drift) < 0.5


def test_long_pps_with_complete_follow_up_leaves_no_effect():
    pps = np.geomspace(10, 1e7, 8)
    limits = cox_hazard_ratio(exponential_arm(13.5, pps, 0.0), exponential_arm(22.8, pps, 0.0))
    assert (np.diff(limits) > 0).all()
    assert limits[-1] == pytest.approx(1.0, abs=1e-4)
    assert cox_hazard_ratio(exponential_arm(13.5, 1e4), exponential_arm(22.8, 1e4)) == pytest.approx(
        0.998, abs=5e-4
    )  # deaths without progression come early


def test_loss_equal_in_both_arms_shortens_follow_up():
    control, experimental = exponential_arm(6, 12), exponential_arm(9, 12)
    limits = [cox_hazard_ratio(control, experimental, Censoring(30.0, 60.0, loss)) for loss in (0.0, 0.02, 0.2)]
    assert limits[0] > limits[1] > limits[2]  # the early hazard ratio is the less diluted
    assert limits[0] == cox_hazard_ratio(control, experimental, (30.0, 60.0))


ONE = exponential_arm(5, 5)


REFUSED = {
    "follow-up reversed": (lambda: cox_hazard_ratio(ONE, ONE, (5, 2)), "from 5 to 2"),
    "three numbers": (lambda: cox_hazard_ratio(ONE, ONE, (1, 2, 3)), "shortest, longest"),
    "half infinite": (lambda: Censoring(1, np.inf), "neither infinite"),
    "negative loss": (lambda: Censoring(1, 2, -0.1), "-0.1"),
    "three losses": (lambda: Censoring(1, 2, (0.1, 0.1, 0.1)), "control, experimental"),
    "no patients": (lambda: cox_hazard_ratio(ONE, ONE, None, (0, 1)), "both positive"),
    "negative patients": (lambda: expected_events(ONE, ONE, (5, -5)), "both positive"),
    "numbers of arms": (
        lambda: cox_hazard_ratio(exponential_arm(5, [1, 2]), exponential_arm(5, [1, 2, 3])),
        "2 control and 3",
    ),
    "endpoint": (lambda: cox_hazard_ratio(ONE, ONE, endpoint="dfs"), "'dfs'"),
    "endpoint over time": (lambda: hazard_ratio_over_time(ONE, ONE, 1.0, "ttp"), "'ttp'"),
    "negative alpha": (lambda: average_hazard_ratio(ONE, ONE, -1), "alpha = -1"),
    "no time": (lambda: average_hazard_ratio(ONE, ONE, upper=0), "upper = 0"),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        call()
