"""Decomposition of the way from a PFS effect to an OS effect, its intervals and warnings, and its figures."""

import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from surrogacy.errors import UsageError
from surrogacy.pps.calibration import calibrate
from surrogacy.pps.decomposition import decompose, decompose_all
from surrogacy.pps.dilution import equal_pps_hazard_ratio
from surrogacy.pps.gap_components import is_clear, is_identified
from surrogacy.pps.read_summaries import read_all_inputs, read_inputs
from surrogacy.pps.resampling import sampling_errors
from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced
from surrogacy.results.estimate import Estimate
from surrogacy.survival.illness_death import IllnessDeath
from tests.support.summaries import trial


def test_cox_limit_by_quadrature_of_its_own(tactics):
    """OS hazard ratio with equal PPS from the score equation, integrated by QUADPACK without the engine."""
    chosen = calibrate(tactics, "M", "hazard-ratio")
    h12, q = np.log(2) / chosen.median_pps[0], chosen.direct_death

    def functions(lam):
        def alive(t):
            return np.exp(-lam * t) + (1 - q) * lam * (np.exp(-lam * t) - np.exp(-h12 * t)) / (h12 - lam)

        def density(t):
            after = (1 - q) * lam * (np.exp(-lam * t) - np.exp(-h12 * t)) / (h12 - lam)
            return q * lam * np.exp(-lam * t) + h12 * after

        return alive, density

    (s_c, f_c), (s_e, f_e) = (functions(np.log(2) / median) for median in chosen.median_pfs)

    def score(b):
        def inner(t):
            r = 80 * np.exp(b) * s_e(t) / (80 * np.exp(b) * s_e(t) + 76 * s_c(t))
            return min(1.0, (113 - t) / 61) * (80 * f_e(t) * (1 - r) - 76 * f_c(t) * r)

        return quad(inner, 0, 113, points=[10, 52], limit=200)[0]

    found = equal_pps_hazard_ratio(
        chosen.median_pfs, chosen.post_progression[0], chosen.direct_death, (52.0, 113.0), (76, 80)
    ).item()
    assert np.log(found) == pytest.approx(brentq(score, -2, 1), abs=1e-8)


MONTHS = st.floats(2.0, 20.0)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    pfs=MONTHS,
    hr=st.floats(0.35, 1.5),
    pps=st.tuples(MONTHS, MONTHS),
    q=st.floats(0, 0.35),
    observed=st.floats(0.4, 1.5),
)
def test_parts_sum_to_the_gap_and_orderings_average_to_the_parts(pfs, hr, pps, q, observed):
    os = [
        IllnessDeath.from_pfs(m, q, np.log(2) / p).quantile_os(0.5).item()
        for m, p in zip((pfs, pfs / hr), pps, strict=True)
    ]
    found = decompose(trial((pfs, pfs / hr), os, hr, observed, q=q, follow_up=None), resamples=100)
    effects = {name: effect.value for name, effect in found.effects.items()}
    assert effects["dilution"] + effects["imbalance"] + effects["residual"] == pytest.approx(effects["gap"])
    assert effects["gap"] == pytest.approx(np.log(observed / hr))
    for name in ("dilution", "imbalance"):
        assert np.mean([getattr(order, name) for order in found.model.orderings]) == pytest.approx(effects[name])
    for order in found.model.orderings:
        assert order.dilution + order.imbalance == pytest.approx(effects["dilution"] + effects["imbalance"])
    # complete follow-up, equal PPS: between the PFS hazard ratio and 1
    for name in ("equal_at_control", "equal_at_experimental"):
        assert min(hr, 1) - 1e-9 <= found.hazard_ratios[name].value <= max(hr, 1) + 1e-9
    curve = equal_pps_hazard_ratio((pfs, pfs / hr), np.log(2) / np.geomspace(0.02 * pfs, 50 * pfs, 81), q)
    assert (np.diff(np.abs(np.log(curve))) < 1e-9).all()  # the longer, the more diluted


@settings(max_examples=25, deadline=None)
@given(hr=st.floats(0.3, 1.5), q=st.floats(0, 0.5))
def test_limits_of_short_and_long_pps(hr, q):
    short, long = equal_pps_hazard_ratio((10.0, 10.0 / hr), np.log(2) / np.array([1e-5, 1e7]), q)
    assert short == pytest.approx(hr, abs=1e-4)
    # all wait equally long; what is left of the deaths without progression, q of all, is the order in which they come
    assert abs(np.log(long)) < 1e-3 + 0.25 * q * abs(np.log(hr))


def test_equal_pps_leaves_no_imbalance():
    model = calibrate(trial(hr_pfs=13.5 / 22.8)).arms
    same = [
        type(model[0])(0.9 * np.log(2) / m, 0.1 * np.log(2) / m, 0.07).quantile_os(0.5).item() for m in (13.5, 22.8)
    ]
    found = decompose(trial(os=same, hr_pfs=13.5 / 22.8, q=0.1), resamples=200)
    assert found.effects["imbalance"].value == pytest.approx(0, abs=1e-9)
    assert found.model.orderings[0].dilution == pytest.approx(found.model.orderings[1].dilution)


@pytest.mark.slow
def test_a_large_trial_is_identified_and_a_small_one_is_not():
    large = decompose(trial(n=(20_000, 20_000)), resamples=100)
    assert large.identified
    assert not any("not identified" in problem for problem in large.problems)
    # the shares do not move with the size of the trial, their intervals do
    small = decompose(trial(n=(30, 30)), resamples=400)
    assert small.shares["dilution"].value == pytest.approx(large.shares["dilution"].value, abs=1e-3)
    assert not small.identified


def test_a_gap_that_may_be_zero_has_no_shares_to_speak_of():
    found = decompose(trial(hr_pfs=0.8, hr_os=0.82, os=(30.8, 33.0)), resamples=300)
    assert not is_clear(found.effects["gap"])
    assert "is not clearly different from 0" in found.problems[0]
    assert is_clear(Estimate(0.3, low=0.1, high=0.5))
    assert is_clear(Estimate(-0.3, low=-0.5, high=-0.1))
    assert all(share.low is None for share in found.shares.values())
    assert all("unbounded: the gap is not clearly different from 0" in share.method for share in found.shares.values())
    assert "(unbounded)" in found.words
    assert found.words.index("Gap between the log hazard ratios") < found.words.index("Shares of the gap")


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({"dilution": (0.3, 0.5), "imbalance": (0.1, 0.4), "residual": (0.2, 0.5)}, True),
        (
            {"dilution": (0.9, 30), "imbalance": (-25, -0.1), "residual": (-9, 0.4)},
            False,
        ),  # little of them within 0 to 1
        ({"dilution": (0.9, 1.1), "imbalance": (-0.99, 0.02), "residual": (0.98, 1.97)}, False),
        ({"dilution": (0.3, 0.5), "imbalance": (0.1, 0.4), "residual": (None, None)}, False),
    ],
)
def test_the_whole_width_of_a_share_counts(shares, told):
    gap = Estimate(0.4, low=0.02, high=0.8)
    estimates = {name: Estimate(0.3, low=low, high=high) for name, (low, high) in shares.items()}
    assert is_identified(gap, estimates) is told
    assert not is_identified(Estimate(0.4, low=-0.1, high=0.8), estimates)
    assert not is_identified(gap, estimates, lost=0.05)
    assert not is_identified(gap, estimates, at_boundary=0.5)


def test_without_a_gap_there_are_no_shares():
    for hr_pfs, hr_os in ((0.7, 0.7), (1.0, 1.0)):
        found = decompose(trial(pfs=(10.0, 10.0 / hr_pfs), os=(20.0, 24.0), hr_pfs=hr_pfs, hr_os=hr_os), resamples=100)
        assert all(share.value is None for share in found.shares.values())


@pytest.mark.slow
def test_residual_of_trials_that_follow_the_model():
    """p of the residual of 120 trials simulated from the model: below 0.1 in 10 %, within 3 binomial errors (8 %)."""
    truth = trial(hr_pfs=13.5 / 22.8)
    chosen = calibrate(truth)
    errors = sampling_errors(truth, chosen, 120, seed=11)
    hr_os = next(target.model for target in chosen.targets if target.quantity == "HR OS")
    p = []
    for i in range(len(errors)):
        pfs = np.array([13.5, 22.8]) * np.exp(errors.median_pfs[i])
        os = np.array([median.value for median in truth.median_os]) * np.exp(errors.median_os[i])
        hr = 13.5 / 22.8 * np.exp(errors.hr_pfs[i])
        if not (np.isfinite([*pfs, *os, hr]).all() and (os > 1.02 * pfs).all()):
            continue
        try:
            one = decompose(trial(tuple(pfs), tuple(os), hr, hr_os * np.exp(errors.hr_os[i])), resamples=200)
        except UsageError:
            continue
        p.append(one.p_residual)
    assert len(p) > 90
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.085)


@pytest.mark.slow
def test_bootstrap_covers_what_generated_the_trials():
    """Gap of 100 simulated trials: the 90 % interval of each holds the truth in 81 to 99 % (3 binomial errors about 90
    %).
    """
    truth = trial(hr_pfs=13.5 / 22.8)
    chosen = calibrate(truth)
    errors = sampling_errors(truth, chosen, 100, seed=5)
    hr_os = next(target.model for target in chosen.targets if target.quantity == "HR OS")
    right = np.log(hr_os * 22.8 / 13.5)
    held = []
    for i in range(100):
        pfs, os = (
            np.array([13.5, 22.8]) * np.exp(errors.median_pfs[i]),
            np.array([30.8, 36.2]) * np.exp(errors.median_os[i]),
        )
        hr_pfs = 13.5 / 22.8 * np.exp(errors.hr_pfs[i])
        if os[1] <= max(pfs[1], pfs[0] / hr_pfs) or os[0] <= pfs[0]:
            continue
        seen = trial(pfs, os, float(hr_pfs), float(hr_os * np.exp(errors.hr_os[i])))
        gap = decompose(seen, resamples=200, level=0.9, seed=i).effects["gap"]
        held.append(gap.low <= right <= gap.high)
    assert len(held) > 90
    assert 0.81 <= np.mean(held) <= 0.99


def test_reported_pps_that_is_no_difference_has_the_error_of_its_own_median():
    own = trial(pps=(15.0, 12.0), pps_definition="reported")
    assert not own.pps_is_a_difference
    found = decompose(own, "L", "medians", resamples=1000)
    as_difference = decompose(trial(pps=(17.3, 13.4)), "L", "medians", resamples=1000)
    width = [d.effects["imbalance"].high - d.effects["imbalance"].low for d in (found, as_difference)]
    # differences of medians are noisier than medians of PPS
    assert width[0] < width[1]
    assert not any("difference of medians" in problem for problem in found.problems)


def test_resampled_trials_on_the_boundary_are_counted_and_said():
    # PPS so short, arms so small, that some resampled OS medians fall below the PFS medians
    found = decompose(trial((10.0, 14.0), (12.0, 15.5), 10 / 14, n=(40, 40)), resamples=500)
    assert found.resampling.at_boundary > 0
    assert found.resampling.lost == 0
    assert any("PPS 0 or infinite" in problem for problem in found.problems)
    assert np.isfinite([found.effects["dilution"].low, found.effects["imbalance"].high]).all()


def test_same_seed_same_numbers(tactics, tactics_decomposition):
    again, other = decompose(tactics), decompose(tactics, seed=1)
    assert again.shares == tactics_decomposition.shares
    assert other.shares["dilution"].low != tactics_decomposition.shares["dilution"].low
    assert other.shares["dilution"].value == tactics_decomposition.shares["dilution"].value


@pytest.mark.slow
def test_ten_thousand_calibrations_in_seconds(tactics):
    began = time.perf_counter()
    found = decompose(tactics, resamples=10_000)
    assert time.perf_counter() - began < 5
    assert found.resampling.trials == 10_000


def test_arguments_that_make_no_sense(tactics):
    with pytest.raises(UsageError, match="at least 100 resamples"):
        decompose(tactics, resamples=10)
    with pytest.raises(UsageError, match="level of an interval lies between 0 and 1"):
        decompose(tactics, level=1.0)
    with pytest.raises(UsageError, match="no cut 'interim'"):
        decompose(tactics, cut="interim")


@pytest.mark.slow
def test_every_way_that_a_trial_allows(tactics, trials):
    ways = [(d.calibration.cut, d.calibration.pfs, d.calibration.name) for d in decompose_all(tactics, resamples=100)]
    assert len(ways) == len(set(ways)) == 8
    without_pps = decompose_all(read_inputs(trials, "reflect"), resamples=100)
    assert {d.calibration.name for d in without_pps} == {"M"}
    too_strong = replace(trial(), cuts=(PfsCut("updated", HazardRatio(0.2), (Median(13.5), Median(22.8))),))
    assert len(decompose_all(too_strong, resamples=100)) == 1  # by medians; the hazard ratio gives a PFS beyond OS
    with pytest.raises(UsageError, match="lower direct_death"):
        decompose_all(trial(q=0.8), resamples=100)


@pytest.mark.slow
def test_every_trial_of_the_table(trials):
    summaries, reasons = read_all_inputs(trials)
    assert {summary.comparison for summary in summaries} | set(reasons) == set(trials.trials["comparison"])
    decompositions = []
    for summary in summaries:
        with suppress(UsageError):
            decompositions.append(decompose(summary, resamples=100))
    assert "tactics" in {decomposition.inputs.comparison for decomposition in decompositions}
    for decomposition in decompositions:
        stated = [problem for problem in decomposition.problems if problem.startswith("not reported, assumption")]
        assert len(stated) == len(decomposition.inputs.assumptions)
        assert sum(
            decomposition.effects[name].value for name in ("dilution", "imbalance", "residual")
        ) == pytest.approx(decomposition.effects["gap"].value)
    tagged = next(d for d in decompositions if d.inputs.comparison == "reflect")
    assert any("deaths without progression" in problem for problem in tagged.problems)


def test_an_assumed_follow_up_moves_the_answer_and_is_said():
    near, far = (
        replace(trial(), follow_up=Sourced(period, "made up", assumed=True)) for period in ((20.0, 40.0), None)
    )
    one, other = (decompose(inputs, resamples=100) for inputs in (near, far))
    assert one.hazard_ratios["equal"].value < other.hazard_ratios["equal"].value  # short follow-up dilutes less
    assert "not reported, assumption: made up" in one.problems
