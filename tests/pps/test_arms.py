"""Post-progression survival of arms: published pairs, closed forms, limits, and which arms are read."""

import numpy as np
import pytest

import surrogacy
from surrogacy.errors import UsageError
from surrogacy.pps.arms import arm_pps, correlation_of_medians, model_pps
from surrogacy.survival.illness_death import IllnessDeath


# Median OS of exponential arms with median PFS 1: q, PPS / PFS, OS; worked out apart from this package to six digits.
@pytest.mark.parametrize(
    ("q", "ratio", "os"),
    [
        (0, 0.1, 1.15189),
        (0, 1, 2.42134),
        (0, 2, 3.54311),
        (0, 10, 11.51894),
        (0.1, 0.5, 1.69838),
        (0.1, 5, 5.81772),
        (0.25, 2, 2.77697),
        (0.25, 10, 7.39819),
    ],
)
def test_model_pps_of_medians(q, ratio, os):
    # 1e-3 is that of the interpolation; the printed digits of OS would allow 1e-4
    assert model_pps([1.0, 6.0], [os, 6 * os], q) == pytest.approx([ratio, 6 * ratio], rel=1e-3)
    assert IllnessDeath.from_medians(pfs=6.0, os=6 * os, direct_death=q).median_pps == pytest.approx(
        6 * ratio, rel=2e-4
    )


def test_difference_of_medians_of_long_pps_is_too_long_by_a_constant():
    # all progress, PPS long: median OS - median PFS - median PPS -> median PFS (1 / ln 2 - 1)
    os = 2000.0
    assert os - 4.0 - float(model_pps(4.0, os, 0.0)) == pytest.approx(4 * (1 / np.log(2) - 1), abs=0.3)
    exact = IllnessDeath.from_medians(pfs=4.0, os=os).median_pps
    assert os - 4.0 - exact == pytest.approx(4 * (1 / np.log(2) - 1), abs=0.02)


def test_model_pps_where_os_is_not_above_pfs():
    assert model_pps([5.0, 5.0, 5.0], [4.0, 5.0, 6.0], 0.1)[:2].tolist() == [0.0, 0.0]


def test_tactics_reported_pps_is_a_difference_and_is_said_to_be(arms):
    control, experimental = sorted((arm for arm in arms if arm.trial == "tactics"), key=lambda arm: arm.arm)
    for arm, reported, model in ((control, 17.3, 13.5), (experimental, 13.4, 9.4)):
        assert arm.pps("reported").months == reported
        assert arm.pps("median-difference").months == pytest.approx(reported)
        assert "equals median OS - median TACE-PFS" in arm.problems[0]
        # printed with one decimal, with q = 13 / 134
        assert arm.pps("model").months == pytest.approx(model, abs=0.05)
        assert {value.definition for value in arm.values} == {"reported", "median-difference", "model"}
        for definition in ("median-difference", "model"):
            value = arm.pps(definition)
            assert value.low < value.months < value.high
            assert value.level == 0.95
            assert "log-normal" in value.derivation
        assert arm.pps("reported").low is None
    with pytest.raises(
        UsageError, match="no PPS by the definition 'area'; there is reported, median-difference, model"
    ):
        control.pps("area")


@pytest.mark.slow
def test_limits_are_those_of_the_delta_method(own_tables):
    """Narrow limits: SD of OS - PFS from the SEs of both logs and the correlation of the medians, percentiles of 20,000
    draws.
    """
    own_tables(
        "arms",
        {"comparison": "reflect", "arm": "exp", "preferred": "true"},
        median_os="13.6",
        median_os_low="13.0",
        median_os_high="14.2277",
        median_pfs="7.4",
        median_pfs_low="7.0",
        median_pfs_high="7.8229",
    )
    trials = surrogacy.read_trials(own_tables.folder)
    arm = next(arm for arm in arm_pps(trials, draws=20_000) if (arm.comparison, arm.arm) == ("reflect", "exp"))
    r = correlation_of_medians(IllnessDeath.from_medians(pfs=7.4, os=13.6, direct_death=arm.direct_death.value))
    os, pfs = (
        value * np.log(high / low) / (2 * 1.959964) for value, low, high in ((13.6, 13.0, 14.2277), (7.4, 7.0, 7.8229))
    )
    difference = arm.pps("median-difference")
    half = 1.959964 * np.sqrt(os**2 + pfs**2 - 2 * r * os * pfs)
    assert (difference.high - difference.low) / 2 == pytest.approx(half, rel=0.03)
    model = arm.pps("model")
    step = 0.01
    slopes = [
        (
            IllnessDeath.from_medians(pfs=7.4 + a, os=13.6 + b, direct_death=arm.direct_death.value).median_pps
            - model.months
        )
        / step
        for a, b in ((step, 0), (0, step))
    ]
    half = 1.959964 * np.sqrt((slopes[1] * os) ** 2 + (slopes[0] * pfs) ** 2 + 2 * r * slopes[0] * slopes[1] * os * pfs)
    assert (model.high - model.low) / 2 == pytest.approx(half, rel=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "given"),
    [(("NR", "10"), "low"), (("15", "0"), "high"), (("NR", ""), "none"), (("", "0"), "none")],
)
def test_one_limit_is_enough_and_none_is_said(own_tables, limits, given):
    high, low = limits
    own_tables(
        "arms", {"comparison": "reflect", "arm": "exp", "preferred": "true"}, median_os_low=low, median_os_high=high
    )
    arm = next(
        arm
        for arm in arm_pps(surrogacy.read_trials(own_tables.folder), draws=200)
        if (arm.comparison, arm.arm) == ("reflect", "exp")
    )
    value = arm.pps("model")
    assert (value.low is None) == (given == "none")
    assert ("log-normal" in value.derivation) == (given != "none")


def test_ttp_censors_deaths(arms, trials):
    sharp = next(
        arm for arm in arm_pps(trials, direct_death=0.2, draws=200) if (arm.comparison, arm.arm) == ("sharp", "exp")
    )
    assert sharp.pfs_endpoint == "TTP"
    progression = np.log(2) / sharp.median_pfs.value  # of the hazard of progression alone
    model = IllnessDeath(
        progression=progression, death=progression * 0.2 / 0.8, post_progression=np.log(2) / sharp.pps("model").months
    )
    assert float(model.quantile_os(0.5)) == pytest.approx(sharp.median_os.value, rel=1e-6)
    assert "0.8 times median TTP" in sharp.pps("model").derivation


def test_which_arms_are_read(arms, trials):
    seen = [(arm.trial, arm.arm, arm.label) for arm in arms]
    assert len([arm for arm in arms if (arm.trial, arm.arm) == ("himalaya", "ctl")]) == 1  # shared by two comparisons
    assert len([arm for arm in arms if (arm.trial, arm.arm) == ("himalaya", "exp")]) == 2
    assert len(seen) == len(set(seen))
    assert not [arm for arm in arms if arm.evidence == "unverified"]
    assert all(arm.pfs_endpoint in ("PFS", "TACE-PFS", "TTP") for arm in arms)
    assert len(arm_pps(trials, min_evidence="primary", draws=10)) < len(arms)
    assert next(arm for arm in arms if arm.trial == "tactics").direct_death.value == pytest.approx(13 / 134)
    for problem in ({"direct_death": 0.5}, {"min_evidence": "rumour"}):
        with pytest.raises(UsageError):
            arm_pps(trials, **problem)


@pytest.mark.slow
def test_os_not_above_ttp_gives_no_pps(own_tables):  # a PFS that OS is not above stops the run: E121
    own_tables("arms", {"comparison": "sharp", "arm": "exp"}, median_os="4.5", median_os_low="", median_os_high="")
    arm = next(
        arm
        for arm in arm_pps(surrogacy.read_trials(own_tables.folder), draws=10)
        if (arm.comparison, arm.arm) == ("sharp", "exp")
    )
    assert arm.values == ()
    assert "no PPS can be derived" in arm.problems[0]
