"""Inputs, calibration to printed summaries and its misfits, numbers at risk, estimates in simulated trials."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.genmod.families import Binomial

from surrogacy.errors import UsageError
from surrogacy.pps.at_risk import at_risk_misfit, compare_at_risk, crude_ratios
from surrogacy.pps.calibration import calibrate
from surrogacy.pps.read_summaries import read_all_inputs, read_inputs
from surrogacy.pps.resampling import sampling_errors
from surrogacy.pps.trial_summary import AtRisk, Median
from surrogacy.survival.estimators import cox_log_hazard_ratio, kaplan_meier_median
from surrogacy.survival.illness_death import IllnessDeath
from tests.support.summaries import trial

MEDIANS = st.floats(1.0, 30.0)


@pytest.fixture(scope="module")
def tactics(trials):
    return read_inputs(trials, "tactics")


def test_inputs_of_tactics_carry_their_sources(tactics):
    assert tactics.n == (76, 80)
    assert [(cut.name, cut.hr.value) for cut in tactics.cuts] == [("updated", 0.661), ("primary", 0.59)]
    assert [median.value for median in tactics.cuts[0].medians] == [13.5, 22.8]
    assert tactics.cuts[1].medians is None  # the table holds the medians of the updated cut
    assert tactics.median_os[0] == Median(30.8, 23.5, 40.8)
    assert (tactics.hr_os.low, tactics.hr_os.high) == (0.607, 1.223)
    assert tactics.direct_death.value == pytest.approx(13 / 134)
    assert not tactics.direct_death.assumed
    assert tactics.follow_up.value == (52, 113)
    assert tactics.assumptions == ()
    # 30.8 - 13.5 and 36.2 - 22.8
    assert (tactics.pps, tactics.pps_definition, tactics.pps_is_a_difference) == ((17.3, 13.4), "reported", True)
    assert tactics.at_risk.control[:4] == (76, 62, 46, 34)


def test_what_no_source_states_is_an_assumption(trials):
    reflect = read_inputs(trials, "reflect")
    assert reflect.direct_death.assumed
    assert "assumption: 10% of PFS events are deaths" in reflect.assumptions[0]
    given_ = read_inputs(trials, "reflect", direct_death=0.2)
    assert given_.direct_death.value == 0.2
    assert given_.direct_death.assumed


def test_cuts_are_analyses_and_not_sources(trials):
    names = {inputs.comparison: [cut.name for cut in inputs.cuts] for inputs in read_all_inputs(trials)[0]}
    assert names["imbrave150"] == ["updated", "primary"]  # the one that belongs with the final OS first
    assert names["sharp"] == ["primary"]  # printed once by the trial, once by a review
    assert all(len(set(cuts)) == len(cuts) for cuts in names.values())


def test_every_comparison_is_read_or_refused_with_a_reason(trials):
    found, refused = read_all_inputs(trials)
    assert len(found) + len(refused) == len(trials.trials)
    assert len(found) > 40
    assert "no median OS of the control arm" in refused["post-tace"]
    assert all(reason for reason in refused.values())


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(pfs=st.tuples(MEDIANS, MEDIANS), pps=st.tuples(st.floats(0.5, 60), st.floats(0.5, 60)), q=st.floats(0, 0.4))
def test_medians_of_a_model_give_the_model_back(pfs, pps, q):
    arms = [
        IllnessDeath((1 - q) * np.log(2) / own, q * np.log(2) / own, np.log(2) / after)
        for own, after in zip(pfs, pps, strict=True)
    ]
    os = [arm.quantile_os(0.5).item() for arm in arms]
    found = calibrate(trial(pfs, os, hr_pfs=pfs[0] / pfs[1], q=q), "M", "medians")
    assert found.median_pps == pytest.approx(pps, rel=1e-6)
    assert found.problems == ()
    for target in found.targets:
        if target.quantity != "HR OS":
            assert target.misfit == pytest.approx(0, abs=1e-6)


def test_difference_of_medians_is_not_a_median_pps(tactics):
    """Model PPS of TACTICS beside its printed 17.3 and 13.4; values computed independently, with another root
    search.
    """
    found = calibrate(tactics, "M", "medians")
    assert found.median_pps == pytest.approx((13.534738, 9.425706), abs=1e-5)
    reported = calibrate(tactics, "L", "medians")
    assert reported.median_pps == pytest.approx((17.3, 13.4))
    # which then misses both OS medians, and says so
    missed = {target.quantity: target.model for target in reported.targets if abs(target.misfit) > 0.05}
    assert missed["median OS, control"] == pytest.approx(34.6905, abs=1e-3)
    assert missed["median OS, experimental"] == pytest.approx(41.2715, abs=1e-3)
    assert "median OS, control printed 30.8, model 34.7" in reported.problems[0]


def test_every_printed_value_has_a_target(tactics):
    found = calibrate(tactics, "M", "hazard-ratio")
    fitted = {target.quantity for target in found.targets if target.fitted}
    assert fitted == {"median TACE-PFS, control", "HR TACE-PFS", "median OS, control", "median OS, experimental"}
    left = {target.quantity: target.model for target in found.targets if not target.fitted}
    assert left["median TACE-PFS, experimental"] == pytest.approx(13.5 / 0.661)
    assert left["HR OS"] == pytest.approx(0.792047, abs=1e-5)
    assert "median OS - median TACE-PFS, experimental" in left


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"os": (13.5, 36.2)}, "control arm: median OS 13.5 is not above median PFS 13.5"),
        ({"os": (30.8, 20.0)}, "experimental arm: median OS 20 is not above median PFS 22.8"),
        ({"pfs": (-1.0, 2.0)}, "above 0; got -1"),
        ({"hr_pfs": 0.0}, "above 0; got 0"),
        ({"q": 1.0}, "must lie in"),
        ({"follow_up": (50.0, 40.0)}, "first < last"),
        ({"n": (1, 80)}, "at least 2 patients"),
        ({"pps": (0.0, 3.0)}, "above 0 months"),
        ({"endpoint": "TTUP"}, "not a progression endpoint"),
        ({"cuts": ()}, "no hazard ratio"),
    ],
)
def test_impossible_input_is_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        trial(**changes)


@pytest.mark.parametrize(
    ("changes", "arguments", "words"),
    [
        # the hazard ratio puts the experimental median PFS at 45 months, beyond its median OS
        ({"hr_pfs": 0.3}, ("M", "hazard-ratio"), "experimental arm: median OS 36.2 is not above the median PFS 45"),
        ({"q": 0.8}, ("M", "medians"), "lower direct_death"),
        ({}, ("L", "medians"), "needs a reported median PPS"),
        ({}, ("X", "medians"), "unknown calibration"),
        ({}, ("M", "medians", "primary"), "has no cut 'primary'"),
    ],
)
def test_what_no_hazard_can_give_is_refused(changes, arguments, words):
    with pytest.raises(UsageError, match=words):
        calibrate(trial(**changes), *arguments)


def test_medians_of_ttp_censor_deaths():
    """A TTP median is that of h01 alone: 100,000 simulated patients; tolerance 4 / (f sqrt n), f the density at the
    median.
    """
    found = calibrate(trial(pfs=(6.0, 9.0), os=(12.0, 15.0), hr_pfs=6 / 9, q=0.25, endpoint="TTP"), "M", "medians")
    assert found.median_pfs == pytest.approx([4.5, 6.75])
    rng = np.random.default_rng(0)
    pfs, os, progressed = found.arms[0].sample(100_000, rng)
    ttp = kaplan_meier_median(pfs[None, :], progressed[None, :]).item()
    assert ttp == pytest.approx(6.0, rel=0.03)
    assert np.median(os) == pytest.approx(12.0, rel=0.02)


def test_binomial_misfit_of_numbers_at_risk():
    """Squares sum to the deviance of statsmodels' binomial family."""
    counts, share = (80, 73, 57, 0, 0), np.array([1.0, 0.875, 0.68, 0.1, 0.01])
    before, after = np.array(counts[:-2]), np.array(counts[1:-1])
    p = share[1:-1] / share[:-2]
    expected = Binomial().deviance(after / before, p, freq_weights=before)
    found = at_risk_misfit(counts, share)
    assert (found**2).sum() == pytest.approx(expected)
    assert np.sign(found).tolist() == [1, -1 if 57 / 73 < 0.68 / 0.875 else 1, -1, 0]


def test_crude_ratios_of_tactics_by_hand(tactics):
    """Falls over person-months by trapezoids: 23/1698 over 30/1476, then 31/954 over 22/828."""
    early, late = crude_ratios(tactics.at_risk, (24.0, 48.0), (52.0, 113.0))
    assert early.value == pytest.approx((23 / 1698) / (30 / 1476))
    assert late.value == pytest.approx((31 / 954) / (22 / 828))
    assert np.log(early.high / early.value) == pytest.approx(1.959964 * np.sqrt(1 / 23 + 1 / 30), rel=1e-6)
    # without an end of follow-up the third interval counts too
    assert len(crude_ratios(tactics.at_risk, (24.0, 48.0), None)) == 3


def test_numbers_at_risk_of_tactics(tactics):
    found = compare_at_risk(tactics, calibrate(tactics))
    calibrated, constant, varying = found.fits
    assert calibrated.deviance > constant.deviance > varying.deviance
    assert (constant.free, varying.free) == (2, 6)
    assert found.meeting == (36.0, 48.0)
    z = np.log(1.22298 / 0.66643) / np.sqrt(1 / 23 + 1 / 30 + 1 / 31 + 1 / 22)
    assert found.p_change == pytest.approx(2 * norm.sf(z), abs=1e-4)
    # before 24 months the hazard ratio is below 1, from then to 48 above: a constant hazard cannot do that
    early, late = varying.hazard_ratio(np.array([12.0, 36.0]))
    assert early < 0.75
    assert late > 1.1
    assert (calibrated.hazard_ratio(np.linspace(0, 100, 50)) < 1).all()
    assert calibrated.median_os == pytest.approx((30.8, 36.2))


def test_piecewise_hazards_are_found_again():
    """Expected numbers at risk (rounded, of 100,000 patients) of known piecewise hazards."""
    q, cuts, hazards = 0.1, (24.0, 48.0), ([0.05, 0.03, 0.08], [0.04, 0.09, 0.05])
    times = tuple(np.arange(0.0, 97.0, 12.0))
    counts = [
        tuple(np.round(1e5 * IllnessDeath.from_pfs(13.5, q, h, cuts).survival_os(np.array(times))).astype(int))
        for h in hazards
    ]
    inputs = trial(pfs=(13.5, 13.5), hr_pfs=1.0, q=q, follow_up=None, at_risk=AtRisk(times, *counts))
    found = compare_at_risk(inputs, calibrate(inputs), cuts)
    assert found.fits[2].hazards == pytest.approx(np.array(hazards), rel=0.01)
    assert found.fits[2].deviance < 1e-2
    assert found.p < 1e-10


def test_numbers_at_risk_that_cannot_be():
    with pytest.raises(UsageError, match="must not increase"):
        AtRisk((0.0, 12.0), (10, 11), (10, 9))
    with pytest.raises(UsageError, match="start at 0"):
        AtRisk((3.0, 12.0), (10, 9), (10, 9))
    with pytest.raises(UsageError, match="no numbers at risk"):
        compare_at_risk(trial(), calibrate(trial()))
    few = replace(trial(), at_risk=AtRisk((0.0, 12.0), (76, 62), (80, 73)))
    with pytest.raises(UsageError, match="take fewer"):
        compare_at_risk(few, calibrate(few))


def test_estimates_in_simulated_trials_are_those_of_statsmodels():
    rng = np.random.default_rng(3)
    time, end = rng.exponential(10.0, (5, 60)), rng.uniform(4.0, 20.0, (5, 60))
    arm = np.repeat([0.0, 1.0], 30)
    time[:, 30:] *= 1.6
    event, time = time <= end, np.minimum(time, end)
    ours = cox_log_hazard_ratio(time, event, arm)
    medians = kaplan_meier_median(time, event)
    for i in range(5):
        fit = PHReg(time[i], arm, status=event[i]).fit(disp=0)
        assert ours[i] == pytest.approx(fit.params[0], abs=1e-6)
        assert medians[i] == pytest.approx(SurvfuncRight(time[i], event[i]).quantile(0.5))
    # no event in an arm, no estimate; nobody below one half, no median
    event[0, arm == 1] = False
    assert cox_log_hazard_ratio(time, event, arm)[0] == -np.inf
    assert kaplan_meier_median(time, np.zeros_like(event))[0] == np.inf


def test_errors_of_simulated_trials_are_those_of_theory():
    """Exponential medians have error 1 / (log 2 sqrt n), log hazard ratios about 2 / sqrt d: 5 % covers small
    samples.
    """
    inputs = trial(pfs=(10.0, 10.0), os=(25.0, 25.0), hr_pfs=1.0, follow_up=None, n=(200, 200))
    errors = sampling_errors(inputs, calibrate(inputs, "M", "medians"), 3000, seed=1)
    assert errors.median_pfs.std(axis=0) == pytest.approx([1 / (np.log(2) * np.sqrt(200))] * 2, rel=0.05)
    assert errors.hr_pfs.std() == pytest.approx(2 / np.sqrt(400), rel=0.05)
    assert errors.hr_os.std() == pytest.approx(2 / np.sqrt(400), rel=0.05)
    assert errors.hr_os.mean() == pytest.approx(0, abs=4 * 0.1 / np.sqrt(3000))
    assert np.isnan(errors.median_pps).all()  # not reported, not needed


def test_simulated_medians_of_tactics(tactics):
    """Differences of medians over 4000 trials from the model, as an independent program had them; 1 month = 4 Monte
    Carlo errors.
    """
    errors = sampling_errors(tactics, calibrate(tactics, "M", "medians"), 4000)
    control, experimental = (
        os * np.exp(errors.median_os[:, i]) - pfs * np.exp(errors.median_pfs[:, i])
        for i, (pfs, os) in enumerate(((13.5, 30.8), (22.8, 36.2)))
    )
    for sample, limits in (
        (control, (11.5, 23.9)),
        (experimental, (7.7, 19.6)),
        (experimental - control, (-12.5, 4.8)),
    ):
        assert np.quantile(sample, [0.025, 0.975]) == pytest.approx(limits, abs=1.0)
    # a KM median of PPS: what is censored before progression says nothing of it
    assert np.median(errors.median_pps, axis=0) == pytest.approx([0, 0], abs=0.03)
