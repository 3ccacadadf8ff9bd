"""Effect measures under an illness-death model: published values, independent integration, simulation, limits,
refusals.
"""

import time
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from surrogacy.pps import Censoring, IllnessDeath, average_hazard_ratio, cox_hazard_ratio
from surrogacy.survival.hazard_ratios import (
    expected_events,
    hazard_ratio_over_time,
)
from tests.support.arms import exponential_arm
from tests.support.logrank import logrank_drift

LN2 = np.log(2.0)


TRIAL = {"censoring": (52.0, 113.0), "allocation": (76, 80)}


def test_simidm_average_hazard_ratio():
    control, experimental = IllnessDeath(0.1, 0.4, 0.3), IllnessDeath(0.06, 0.3, 0.3)
    assert average_hazard_ratio(control, experimental, alpha=0.5, upper=100.0) == pytest.approx(0.8038991, abs=5e-8)
    assert average_hazard_ratio(control, control) == pytest.approx(1.0, abs=1e-12)


def test_simidm_average_hazard_ratio_integrand():
    # its tests print h (S_0 S_1)^alpha at one time
    alive = IllnessDeath(0.18, 0.06, 0.17).survival_os([1.0, 5.0]) * IllnessDeath(0.23, 0.07, 0.19).survival_os(
        [1.0, 5.0]
    )
    assert IllnessDeath(0.3, 0.4, 0.5).hazard_os(1.0) * alive[0] ** 0.8 == pytest.approx(0.3764565, abs=1e-7)
    # the other has h12 = h01 + h02, where its formula is 0 / 0: it prints 0.297362, with a hazard of 0.5. By hand it is
    # (h02 + h12 h01 t) / (1 + h01 t) = (0.5 + 0.7) / 2
    hazard = IllnessDeath(0.2, 0.5, 0.7).hazard_os(5.0)
    assert hazard == pytest.approx(0.6)
    assert hazard * alive[1] ** 0.5 == pytest.approx(0.297362 * 0.6 / 0.5, abs=1e-6)


# median PFS and PPS of control and experimental arm; Cox limits (model, PPS of control, of experimental), average HR,
# deaths
TACTICS = [
    ((13.5, 22.8), (17.3, 13.4), 0.78649742, 0.68418677, 0.65982908, 0.78734637, 131.460491),
    ((13.5, 22.8), (13.534738475687941, 9.42570599401608), 0.77919831, 0.66073590, 0.63203826, 0.77027659, 137.240979),
    ((13.5, 25.2), (17.3, 13.4), 0.72131107, 0.63084689, 0.60513312, 0.72152297, 129.367894),
    ((13.5, 20.423600605143722), (17.3, 13.4), 0.86308167, 0.74600710, 0.72412771, 0.86450185, 133.563205),
    (
        (13.5, 20.423600605143722),
        (13.534738475687941, 11.37874896199366),
        0.79204651,
        0.72495005,
        0.71135977,
        0.78914578,
        137.904467,
    ),
]


@pytest.mark.parametrize(("pfs", "pps", "model", "equal_control", "equal_experimental", "average", "deaths"), TACTICS)
def test_tactics(pfs, pps, model, equal_control, equal_experimental, average, deaths):
    def limit(one, other):
        return cox_hazard_ratio(exponential_arm(pfs[0], one), exponential_arm(pfs[1], other), **TRIAL)

    assert limit(*pps) == pytest.approx(model, abs=2e-8)
    assert limit(pps[0], pps[0]) == pytest.approx(equal_control, abs=2e-8)
    assert limit(pps[1], pps[1]) == pytest.approx(equal_experimental, abs=2e-8)
    both = exponential_arm(pfs[0], pps[0]), exponential_arm(pfs[1], pps[1])
    assert average_hazard_ratio(*both, upper=1000.0) == pytest.approx(average, abs=2e-8)
    events = expected_events(*both, (76, 80), TRIAL["censoring"])
    assert sum(events) == pytest.approx(deaths, abs=1e-4)


def test_tactics_limits_of_pps():
    # the limit of long PPS depends on the follow-up
    for pps, censoring, expected in ((1e-6, (52, 113), 0.5921053), (1e6, (52, 113), 0.9134190), (1e4, None, 0.9977991)):
        found = cox_hazard_ratio(exponential_arm(13.5, pps), exponential_arm(22.8, pps), censoring, (76, 80))
        assert found == pytest.approx(expected, abs=1e-6)


def test_tactics_power():
    # design document: .70 with equal PPS (HR .646), .30 with the PPS difference (HR .779), two-sided 5 %: by 131 deaths
    # and the HR
    def power(pps_control, pps_experimental):
        arms = exponential_arm(13.5, pps_control), exponential_arm(22.8, pps_experimental)
        return norm.cdf(norm.ppf(0.025) - logrank_drift(*arms, (76, 80), Censoring(52, 113)))

    assert np.mean([power(pps, pps) for pps in (13.53, 9.43)]) == pytest.approx(0.70, abs=0.05)
    assert power(13.53, 9.43) == pytest.approx(0.30, abs=0.02)


# PFS HR, q, PPS / PFS of the control arm, follow-up in medians of PFS; Cox limit of the OS HR, four decimals
DILUTION = [
    (0.5, 0.0, 0.1, None, 0.5009),
    (0.5, 0.0, 0.1, (4, 8), 0.5010),
    (0.5, 0.0, 1, None, 0.5711),
    (0.5, 0.0, 1, (4, 8), 0.5707),
    (0.5, 0.0, 2, (4, 8), 0.6417),
    (0.5, 0.0, 5, None, 0.8330),
    (0.5, 0.0, 10, (4, 8), 0.7364),
    (0.5, 0.1, 10, None, 0.9072),
]


@pytest.mark.parametrize(("hr", "q", "ratio", "censoring", "expected"), DILUTION)
def test_dilution(hr, q, ratio, censoring, expected):
    assert cox_hazard_ratio(
        exponential_arm(1, ratio, q), exponential_arm(1 / hr, ratio, q), censoring
    ) == pytest.approx(expected, abs=5.1e-5)


def test_broglio_berry_hazard_ratios():
    # medians of PFS 6 and 9, everyone progresses, equal PPS, complete follow-up: three decimals
    spp = np.array([2, 4, 6, 8, 10, 12, 18, 24, 48])
    arms = [IllnessDeath(LN2 / pfs, 0.0, LN2 / spp) for pfs in (6, 9)]
    assert cox_hazard_ratio(*arms) == pytest.approx(
        [0.676, 0.700, 0.732, 0.763, 0.791, 0.815, 0.863, 0.892, 0.942], abs=5.1e-4
    )


@pytest.mark.parametrize(
    ("clock", "limit", "coxph", "se"),
    [("forward", -0.0817790, -0.08174, 0.00188), ("reset", -0.0809042, -0.08004, 0.00189)],
)
def test_definition_of_ovbeta_with_accrual_and_losses_that_differ(clock, limit, coxph, se):
    # rates of the example of PWEALL::ovbeta; numbers from validation/illness_death_cox_limit.R (R: midpoint rule, and
    # survival::coxph)
    control = IllnessDeath.piecewise((0.3, 0.4), (1,), (1, 0.7), (0.5, 1), clock)
    experimental = IllnessDeath.piecewise((0.7, 0.4), (1,), (1, 0.5), (0.5, 0.8), clock)
    censoring = Censoring.accrual(1.2, 0.8, loss=(0.2, 0.5))
    assert censoring == Censoring(0.8, 2.0, (0.2, 0.5))
    found = np.log(cox_hazard_ratio(control, experimental, censoring))
    assert found == pytest.approx(limit, abs=1e-6)
    assert abs(found - coxph) < 3 * se


def limit_by_adaptive_quadrature(control, experimental, censoring, share):
    end = float(max(control.quantile_os(1e-14), experimental.quantile_os(1e-14)))
    shortest, longest = censoring or (end, end)
    edges = np.unique(np.clip([0.0, *np.geomspace(1e-4, end, 24), shortest, longest], 0.0, min(end, longest)))

    def kept(t):
        return 1.0 if t <= shortest else (longest - t) / (longest - shortest)

    def score(b):
        def at(t):
            survival = [float(arm.survival_os(t)) for arm in (control, experimental)]
            density = [float(arm.hazard_os(t) * arm.survival_os(t)) for arm in (control, experimental)]
            at_risk = share * np.exp(b) * survival[1]
            r = at_risk / (at_risk + (1 - share) * survival[0])
            return kept(t) * (share * density[1] * (1 - r) - (1 - share) * density[0] * r)

        return sum(quad(at, low, high, epsabs=1e-14, epsrel=1e-10)[0] for low, high in pairwise(edges))

    return np.exp(brentq(score, -4, 4, xtol=1e-12))


@pytest.mark.slow
@pytest.mark.parametrize("censoring", [None, (10.0, 40.0), (24.0, 24.0)])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0.1, 0.02, 0.05), (0.05, 0.03, 0.09)),
        ((0.03, 0.0, 5.0), (0.06, 0.01, 0.8)),
        ((0.1, 0.05, 0.001), (0.3, 0.01, 0.2)),
    ],
)
def test_cox_limit_against_adaptive_quadrature(one, other, censoring):
    arms = IllnessDeath(*one), IllnessDeath(*other)
    expected = limit_by_adaptive_quadrature(*arms, censoring, 0.4)
    assert cox_hazard_ratio(*arms, censoring, (60, 40)) == pytest.approx(expected, abs=1e-8)


def test_average_hazard_ratio_of_weibull_arms_against_adaptive_quadrature():
    control = IllnessDeath(0.1, 0.02, 0.1, shape=(1.3, 1.0, 0.8))
    experimental = IllnessDeath(0.06, 0.02, 0.1, shape=(1.3, 1.0, 0.8))

    def at(t, arm):
        return float(arm.hazard_os(t) * control.survival_os(t) ** 0.7 * experimental.survival_os(t) ** 0.7)

    parts = [quad(at, 0, 60, args=(arm,), epsabs=1e-10)[0] for arm in (experimental, control)]
    assert average_hazard_ratio(control, experimental, alpha=0.7, upper=60.0) == pytest.approx(
        parts[0] / parts[1], rel=1e-8
    )


def test_average_with_alpha_0_is_the_ratio_of_cumulative_hazards():
    control, experimental = exponential_arm(6, 10), exponential_arm(9, 8)
    cumulative = [-np.log(one.survival_os(40.0)) for one in (experimental, control)]
    assert average_hazard_ratio(control, experimental, 0.0, 40.0) == pytest.approx(
        cumulative[0] / cumulative[1], rel=1e-10
    )


def test_average_where_plain_exponentials_overflow():
    # lam - h12 = 30 per month over 1,000 months: exp(30,000)
    control, experimental = IllnessDeath(30.0, 1.0, 1.0), IllnessDeath(15.0, 0.5, 1.0)
    assert 0.5 < average_hazard_ratio(control, experimental, upper=1000.0) < 1.0
    assert average_hazard_ratio(control, experimental, upper=1000.0) == pytest.approx(
        average_hazard_ratio(control, experimental, upper=60.0), rel=1e-10
    )


def logrank(time_of, dead, experimental):
    """Standardised log-rank statistic of one trial, ties impossible."""
    order = np.argsort(time_of)
    dead, experimental = dead[order], experimental[order]
    at_risk = np.arange(len(order), 0, -1)
    share = np.cumsum(experimental[::-1])[::-1] / at_risk
    return (experimental - share)[dead].sum() / np.sqrt((share * (1 - share))[dead].sum())


@pytest.mark.parametrize("endpoint", ["os", "pfs"])
def test_power_and_events_of_simulated_trials(endpoint):
    control, experimental = exponential_arm(6.0, 8.0), exponential_arm(9.0, 8.0)
    censoring, patients, trials = Censoring.accrual(12.0, 6.0, loss=(0.01, 0.02)), (110, 90), 1500
    generator = np.random.default_rng(5)
    z, events = [], []
    group = np.repeat([0.0, 1.0], patients)
    for _ in range(trials):
        drawn = [
            one.sample(n, generator)[endpoint == "os"] for one, n in zip((control, experimental), patients, strict=True)
        ]
        lost = generator.exponential(1.0 / np.repeat(censoring.losses, patients))
        end = np.minimum(generator.uniform(6.0, 18.0, 200), lost)
        times = np.concatenate(drawn)
        dead = times <= end
        z.append(logrank(np.minimum(times, end), dead, group))
        events.append([dead[group == 0].sum(), dead[group == 1].sum()])
    z, events = np.array(z), np.array(events)
    found = expected_events(control, experimental, patients, censoring, endpoint)
    assert np.abs(found - events.mean(axis=0)).max() < 4 * events.std(axis=0).max() / np.sqrt(trials)
    # the statistic has variance a little off 1 under the alternative, and its mean is of first order in the effect: 0.1
    # and 0.03
    drift = logrank_drift(control, experimental, patients, censoring, endpoint)
    assert z.mean() == pytest.approx(drift, abs=0.1)
    power = norm.cdf(norm.ppf(0.025) - drift)
    assert (z < norm.ppf(0.025)).mean() == pytest.approx(power, abs=0.03 + 3 * np.sqrt(0.25 / trials))


def test_cox_limit_of_a_semi_markov_weibull_trial():
    # a large trial: score of the partial likelihood at the limit is 0 within its error
    control = IllnessDeath(0.1, 0.01, 0.2, shape=(1.2, 1.0, 0.6), post_progression_clock="reset")
    experimental = IllnessDeath(0.06, 0.01, 0.25, shape=(1.2, 1.0, 0.6), post_progression_clock="reset")
    hr = cox_hazard_ratio(control, experimental, (10.0, 30.0), (2, 1))
    generator = np.random.default_rng(8)
    sizes = (200_000, 100_000)
    times = np.concatenate([one.sample(n, generator)[1] for one, n in zip((control, experimental), sizes, strict=True)])
    end = generator.uniform(10.0, 30.0, sum(sizes))
    group = np.repeat([0.0, 1.0], sizes)
    order = np.argsort(np.minimum(times, end))
    dead, group = (times <= end)[order], group[order]
    at_risk = np.cumsum(np.where(group == 1, hr, 1.0)[::-1])[::-1]
    share = np.cumsum(np.where(group == 1, hr, 0.0)[::-1])[::-1] / at_risk
    z = (group - share)[dead].sum() / np.sqrt((share * (1 - share))[dead].sum())
    assert abs(z) < 4


@pytest.mark.parametrize("q", [0.0, 0.1])
def test_hazard_ratio_over_time_and_its_limits(q):
    control, experimental = exponential_arm(10, 8, q), exponential_arm(20, 6, q)
    found = hazard_ratio_over_time(control, experimental, [0.0, 5.0, 1e7])
    lam = LN2 / np.array([10, 20])
    h12 = LN2 / np.array([8, 6])
    start = 0.5 * (8 / 6 if q == 0 else 1.0)  # (h01 h12) / (h01 h12), or h02 / h02
    assert found[0] == pytest.approx(start, abs=1e-6)
    assert found[1] == pytest.approx(experimental.hazard_os(5.0) / control.hazard_os(5.0))
    assert found[2] == pytest.approx(min(lam[1], h12[1]) / min(lam[0], h12[0]), abs=1e-6)
    assert hazard_ratio_over_time(control, experimental, [0.0, 3.0], endpoint="pfs") == pytest.approx([0.5, 0.5])


def test_hazard_ratio_at_0_of_weibull_hazards():
    shape = (1.2, 1.0, 1.0)
    arms = IllnessDeath(0.1, 0, 0.2, shape=shape), IllnessDeath(0.05, 0, 0.3, shape=shape)
    assert hazard_ratio_over_time(*arms, [0.0, 1e-6]) == pytest.approx([0.75, 0.75], abs=1e-5)


def test_batches_match_single_pairs_and_are_fast():
    generator = np.random.default_rng(2)
    m = 10_000
    h = np.exp(generator.normal(-3, 0.5, (6, m)))
    control, experimental = IllnessDeath(*h[:3]), IllnessDeath(*h[3:])
    start = time.perf_counter()
    batch = cox_hazard_ratio(control, experimental, (52.0, 113.0))
    assert time.perf_counter() - start < 1.0  # about 0.05
    assert batch.shape == (m,)
    for i in (0, 511, 512, m - 1):
        pair = IllnessDeath(*h[:3, i]), IllnessDeath(*h[3:, i])
        assert batch[i] == pytest.approx(cox_hazard_ratio(*pair, (52.0, 113.0)), rel=1e-9)
    one = IllnessDeath(*h[:3, 0])
    several = IllnessDeath(*h[3:, :3])
    for measure in (cox_hazard_ratio, average_hazard_ratio):
        expected = [measure(one, IllnessDeath(*h[3:, i])) for i in range(3)]
        assert measure(one, several) == pytest.approx(expected, rel=1e-9)


def test_an_arm_without_events():
    assert cox_hazard_ratio(IllnessDeath(0.1, 0.0, 0.0), exponential_arm(5, 5)) == np.inf
    assert cox_hazard_ratio(exponential_arm(5, 5), IllnessDeath(0.1, 0.0, 0.0)) == 0.0
