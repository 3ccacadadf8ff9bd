"""The planner: the joint law of two log-rank statistics, plans, simulated trials, and the dilution map."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi2, kstest
from statsmodels.duration.survfunc import survdiff

from surrogacy.errors import UsageError
from surrogacy.pps.dilution import diluted_hazard_ratio
from surrogacy.pps.planning import plan
from surrogacy.survival.estimators import logrank
from surrogacy.survival.hazard_ratios import cox_hazard_ratio, expected_events
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.survival.logrank_law import OS, PFS, MixedArm, logrank_pair
from surrogacy.survival.partial_likelihood import Censoring
from surrogacy.survival.simulation import simulate_trials
from surrogacy.survival.trial_design import Design
from tests.support.logrank import logrank_drift

COMPLETE = float("inf")


ENDLESS = Censoring(COMPLETE, COMPLETE)


ASSUMPTIONS = ("accrual", "follow_up", "loss", "crossover", "allocation", "alpha")


def planned(pfs=(6.0, 9.0), *, pps, hr_pfs=None, direct_death=0.0, **changes):
    """Plan of Broglio and Berry, 18 months of accrual and 6 of follow-up, with changes to the design or to the size."""
    design = Design.from_summaries(pfs, pps, hr_pfs=hr_pfs, direct_death=direct_death)
    assumed = {name: changes.pop(name) for name in ASSUMPTIONS if name in changes}
    return plan(replace(design, **assumed), **changes)


medians = st.floats(0.5, 40.0)


designs = st.builds(
    Design,
    pfs=st.tuples(medians, medians),
    pps=st.tuples(medians, medians),
    direct_death=st.tuples(st.floats(0.0, 0.8), st.floats(0.0, 0.8)),
    accrual=st.floats(0.0, 40.0),
    follow_up=st.one_of(st.floats(1.0, 60.0), st.just(COMPLETE)),
    loss=st.floats(0.0, 0.05),
    crossover=st.floats(0.0, 1.0),
    allocation=st.tuples(st.floats(0.5, 3.0), st.floats(0.5, 3.0)),
)


@pytest.mark.parametrize(("spp", "published"), [(2, 350), (24, 2440)])
def test_broglio_berry_sizes(spp, published):
    found = planned(pps=spp)
    assert found["n_pfs"].value == pytest.approx(280, rel=0.10)
    assert found["n_os"].value == pytest.approx(published, rel=0.10)


@pytest.mark.parametrize(("spp", "power", "median"), [(2, 0.70, 0.013), (12, 0.24, 0.199), (24, None, 0.322)])
def test_broglio_berry_power_and_median_p(spp, power, median):
    found = planned(pps=spp)
    assert found["power_pfs"].value == pytest.approx(0.80, abs=0.005)
    assert found["median_p_os"].value == pytest.approx(median, abs=0.01)
    if power is not None:
        assert found["power_os"].value == pytest.approx(power, abs=0.06)


def test_broglio_berry_given_a_strong_pfs():
    assert planned(pps=2).power_os_given_p_pfs(0.001) > 0.90
    assert planned(pps=24).power_os_given_p_pfs(0.001) < 0.20


def test_os_hazard_ratio_with_complete_follow_up():
    # an independent solution of the Cox limit, printed to three digits
    expected = {2: 0.676, 4: 0.700, 6: 0.732, 8: 0.763, 10: 0.791, 12: 0.815, 18: 0.863, 24: 0.892, 48: 0.942}
    for spp, value in expected.items():
        assert planned(pfs=(6, 9), pps=spp, follow_up=COMPLETE)["hr_os"].value == pytest.approx(value, abs=5.5e-4)


def test_under_no_effect_the_statistics_are_standard():
    law = Design((6, 6), (10, 10), (0.1, 0.1), loss=0.02, allocation=(1, 2)).statistics
    assert law.drift == pytest.approx([0, 0], abs=1e-12)
    assert np.diag(law.covariance) == pytest.approx([1, 1], abs=1e-4)


def test_correlation_of_the_statistics_under_no_effect_and_complete_follow_up():
    # then zeta_k is (Z - share) times the martingale at its end, 1 - H_k(T_k), with variance 1: the correlation is that
    # of H_P(T_P), H_O(T_O)
    arm = MixedArm(0.08, 0.02, (0.05,))
    law = logrank_pair(arm, arm, ENDLESS, 0.5)
    rng = np.random.default_rng(5)
    pfs, os = (times[0] for times in arm.sample(1, 400_000, rng))
    cumulative = -np.log(arm.overall(os)[0])
    simulated = np.corrcoef(0.1 * pfs, cumulative)[0, 1]
    assert law.correlation == pytest.approx(simulated, abs=4 * (1 - simulated**2) / np.sqrt(400_000))


def test_one_endpoint_is_the_other_where_nobody_progresses_or_dies_at_once():
    for arms in (
        (MixedArm(1e-9, 0.1, (0.1,)), MixedArm(1e-9, 0.06, (0.1,))),
        (MixedArm(0.1, 0.0, (1e5,)), MixedArm(0.06, 0.0, (1e5,))),
    ):
        law = logrank_pair(*arms, Censoring(6, 24, 0.01), 0.4)
        assert law.correlation == pytest.approx(1, abs=2e-4)
        assert law.drift[OS] == pytest.approx(law.drift[PFS], rel=1e-3)
        assert np.exp(law.log_hr) == pytest.approx([0.6, 0.6], rel=1e-3)


def test_drift_and_events_of_exponential_pfs_by_adaptive_quadrature():
    control, experimental, share = 0.10, 0.06, 0.6
    law = logrank_pair(MixedArm(0.1, 0, (0.05,)), MixedArm(0.06, 0, (0.05,)), Censoring(5, 20, 0.01), share)

    def over_time(function):
        def integrand(t):
            alive = np.array([(1 - share) * np.exp(-control * t), share * np.exp(-experimental * t)])
            events = alive * [control, experimental]
            return min(1, (20 - t) / 15) * np.exp(-0.01 * t) * function(alive[1] / alive.sum(), events)

        return quad(integrand, 0, 20, points=[5])[0]

    score = over_time(lambda r, events: events[1] - r * events.sum())
    variance = over_time(lambda r, events: r * (1 - r) * events.sum())
    assert law.drift[PFS] == pytest.approx(score / np.sqrt(variance), rel=1e-4)
    assert law.events[PFS] == pytest.approx(over_time(lambda r, events: events.sum()), rel=1e-4)
    # Schoenfeld's local approximation is near, not the same
    assert law.drift[PFS] == pytest.approx(np.log(0.6) * np.sqrt(law.events[PFS] * 0.24), rel=0.05)


SIMULATED = (
    (Design((6, 9), (2, 2)), (132, 132)),
    (Design((6, 9), (24, 24), loss=0.02), (200, 200)),
    (Design((4, 9), (20, 12), (0.2, 0.05), 27, 3, loss=0.01, allocation=(1, 2)), (80, 160)),
    (Design((6, 8), (4, 16), (0.1, 0.1), 10, 30, crossover=0.6), (100, 100)),
    (Design((6, 9), (8, 8), follow_up=COMPLETE), (100, 100)),
)


@pytest.mark.parametrize(("design", "patients"), SIMULATED)
def test_law_agrees_with_simulated_trials(design, patients):
    trials, n = 6000, sum(patients)
    law = design.statistics
    simulated = simulate_trials(*design.arms, patients, design.censoring, trials, seed=11)
    z = simulated.statistic
    # four Monte Carlo errors, and what is of order 1 / sqrt(n) beyond a large-sample law
    assert z.mean(axis=0) == pytest.approx(np.sqrt(n) * law.drift, abs=4 / np.sqrt(trials) + 0.02)
    assert z.std(axis=0) == pytest.approx(law.spread, abs=4 / np.sqrt(2 * trials) + 0.015)
    rho = law.correlation
    assert np.corrcoef(z.T)[0, 1] == pytest.approx(rho, abs=4 * (1 - rho**2) / np.sqrt(trials) + 0.01)
    assert simulated.events.mean(axis=0) == pytest.approx(n * law.events, rel=0.005)
    significant = simulated.significant(0.05)
    assert significant.mean(axis=0) == pytest.approx(law.power(n, 0.05), abs=0.03)
    both = significant.prod(axis=1).mean() / significant[:, PFS].mean()
    assert both == pytest.approx(law.os_power_given_significant_pfs(n, 0.05), abs=0.035)
    assert np.median(simulated.p, axis=0) == pytest.approx(law.median_p(n), rel=0.2, abs=0.01)


@pytest.mark.slow
def test_power_given_a_pfs_statistic_agrees_with_simulated_trials_near_it():
    design, patients = SIMULATED[1]
    simulated = simulate_trials(*design.arms, patients, design.censoring, 20_000, seed=3)
    near = np.abs(simulated.statistic[:, PFS] + 3.29) < 0.25
    expected = design.statistics.os_power_given_pfs_statistic(simulated.statistic[near, PFS], 400, 0.05).mean()
    assert simulated.significant(0.05)[near, OS].mean() == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(near.sum()))


def test_cox_limit_drift_and_events_are_the_engines():
    design = Design((5, 8), (20, 9), (0.3, 0.05), 20, 7, 0.02, allocation=(1, 2))
    arms = [IllnessDeath(arm.progression, arm.death, arm.post_progression[0]) for arm in design.arms]
    for which, endpoint in ((PFS, "pfs"), (OS, "os")):
        expected = cox_hazard_ratio(*arms, censoring=design.censoring, allocation=design.allocation, endpoint=endpoint)
        assert np.exp(design.statistics.log_hr[which]) == pytest.approx(float(expected), rel=1e-4)
        events = expected_events(*arms, patients=(1, 2), censoring=design.censoring, endpoint=endpoint)
        assert 3 * design.statistics.events[which] == pytest.approx(sum(events), rel=1e-4)
        drift = logrank_drift(*arms, patients=(1, 2), censoring=design.censoring, endpoint=endpoint)
        assert np.sqrt(3) * design.statistics.drift[which] == pytest.approx(drift, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(designs)
def test_laws_of_any_design(design):
    law = design.statistics
    assert np.isfinite(law.drift).all()
    assert abs(law.correlation) <= 1 + 1e-6
    assert (np.linalg.eigvalsh(law.covariance) > -1e-6).all()
    assert 0 < law.events[OS] <= law.events[PFS] + 1e-4 <= 1 + 2e-4  # nobody dies before PFS ends
    assert np.exp(law.log_hr[PFS]) == pytest.approx(design.pfs[0] / design.pfs[1], rel=1e-3)
    conditional = law.os_power_given_significant_pfs(300, 0.05)
    assert 0 <= conditional <= 1
    assert conditional * law.power(300, 0.05)[PFS] <= law.power(300, 0.05)[OS] + 1e-3
    assert (np.diff([law.power(n, 0.05)[OS] for n in (50, 200, 800)]) * -np.sign(law.drift[OS]) >= -1e-12).all()
    sizes = law.sample_size(0.8, 0.05)
    for which in (PFS, OS):
        if np.isfinite(sizes[which]) and sizes[which] < 1e8:
            assert law.power(sizes[which], 0.05)[which] == pytest.approx(0.8, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 0.95), st.floats(0.05, 50.0), st.floats(0.0, 0.5))
def test_equal_pps_and_complete_follow_up_dilute_and_do_no_more(hr, ratio, q):
    diluted = float(diluted_hazard_ratio(hr, ratio, q))
    assert hr - 1e-9 <= diluted <= 1
    assert float(diluted_hazard_ratio(hr, 1.5 * ratio, q)) >= diluted - 1e-9
    assert float(diluted_hazard_ratio(hr, 1e-5, q)) == pytest.approx(hr, abs=1e-4)


def test_logrank_by_hand():
    # times 1 (E), 2 (C), 3+ (E), 4 (C): shares at risk 2/4, 1/3, -, 0/1
    score, variance = logrank(np.array([[2.0, 4, 1, 3]]), np.array([[1.0, 1, 1, 0]]), np.array([0.0, 0, 1, 1]))
    assert score == pytest.approx([0.5 - 1 / 3])
    assert variance == pytest.approx([0.25 + 2 / 9])


def test_logrank_is_that_of_statsmodels():
    rng = np.random.default_rng(4)
    time_, event, arm = rng.exponential(1, (3, 80)), rng.random((3, 80)) < 0.7, rng.random(80) < 0.4
    score, variance = logrank(time_, event.astype(float), arm.astype(float))
    for i in range(3):
        # their variance of an event is r (1 - r) (n - d) / (n - 1) with d = 1: the same
        statistic, _ = survdiff(time_[i], event[i], arm)
        assert score[i] ** 2 / variance[i] == pytest.approx(statistic, rel=1e-9)


def test_null_p_values_are_uniform_and_the_seed_decides():
    design = Design((6, 6), (10, 10))
    once, again = (simulate_trials(*design.arms, (60, 60), design.censoring, 3000, seed=2) for _ in range(2))
    assert np.array_equal(once.statistic, again.statistic)
    assert kstest(once.p[:, OS], "uniform").pvalue > 1e-3
    assert chi2.sf((once.statistic[:, PFS] ** 2).sum(), 3000) > 1e-3


def test_times_of_a_mixed_arm_follow_its_curves():
    arm = MixedArm(0.08, 0.02, (0.05, 0.3), (0.3, 0.7))
    pfs, os = (times[0] for times in arm.sample(1, 20_000, np.random.default_rng(1)))
    assert kstest(os, lambda t: 1 - arm.overall(np.asarray(t))[0]).pvalue > 1e-3
    assert kstest(pfs, lambda t: 1 - arm.free_of_progression(np.asarray(t))[0]).pvalue > 1e-3
    assert (os >= pfs).all()
    assert np.mean(os == pfs) == pytest.approx(0.2, abs=0.012)


def test_progress_is_told_and_adds_up():
    steps = []
    found = planned(pps=12, n=2000, simulations=450, step=steps.append)
    assert sum(steps) == 450
    assert len(steps) > 1
    assert "simulation: 450 trials" in found.simulated["power_os"].method


def test_every_number_says_how_it_was_made():
    found = planned(pps=(12, 14), simulations=400)
    assert all(estimate.method.startswith("formula") for estimate in found.estimates.values())
    assert all(estimate.method.startswith("simulation") for estimate in found.simulated.values())
    for name, estimate in found.simulated.items():
        assert (
            estimate.low - 0.3 * abs(estimate.value) <= found[name].value <= estimate.high + 0.3 * abs(estimate.value)
        )
    assert any("not a randomised effect" in problem for problem in found.problems)


def test_hazard_ratio_in_place_of_a_median_and_the_power_for_os():
    by_ratio = planned(pfs=6, hr_pfs=2 / 3, pps=2, power=0.9, power_for="os")
    by_medians = planned(pfs=(6, 9), pps=(2, 2), power=0.9, power_for="os")
    assert by_ratio.estimates == by_medians.estimates
    assert by_ratio["power_os"].value == pytest.approx(0.9, abs=0.002)
    assert by_ratio.n == by_ratio["n_os"].value


def test_the_reverse_case_only_pps_differs():
    found = planned(pfs=(6, 6), pps=(8, 16), follow_up=12, n=400)
    assert found["hr_pfs"].value == pytest.approx(1)
    assert found["power_pfs"].value == pytest.approx(0.025)
    for name in ("hr_os", "power_os", "n_os"):
        assert found[f"{name}_pps_only"] == found[name]
    assert found["hr_os"].value < 0.8
    # the gain of PPS adds to that of PFS
    assert planned(pfs=(6, 9), pps=(8, 16), follow_up=12, n=400)["hr_os"].value < found["hr_os"].value
    assert planned(pfs=(6, 9), pps=8)["n_os_pps_only"].value == np.inf


def test_crossover_moves_the_control_arm_to_the_later_course_of_the_experimental_one():
    plans = [
        planned(pfs=(6, 9), pps=(8, 16), direct_death=0.1, n=300, crossover=share) for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert (np.diff([each["hr_os"].value for each in plans]) > 0).all()
    assert (np.diff([each["power_os"].value for each in plans]) < 0).all()
    whole = planned(pfs=(6, 9), pps=16, direct_death=0.1, n=300)
    assert plans[-1]["hr_os"].value == pytest.approx(whole["hr_os"].value, abs=1e-4)
    equal = planned(pps=12, crossover=0.5)
    assert equal["hr_os"].value == pytest.approx(planned(pps=12)["hr_os"].value, abs=1e-9)
    assert any("crossover changes nothing" in problem for problem in equal.problems)


def test_few_events_are_said():
    assert any("simulate" in problem for problem in planned(pfs=(6, 9), pps=24, n=60).problems)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pfs": (6, -9)}, "median PFS"),
        ({"pps": 0}, "median PPS"),
        ({"pps": (1, 2, 3)}, "two, control then experimental"),
        ({"pfs": 6}, "with hr_pfs"),
        ({"hr_pfs": 0.6}, "medians of both arms"),
        ({"pfs": 6, "hr_pfs": -1}, "hr_pfs -1"),
        ({"direct_death": 1}, "direct_death"),
        ({"crossover": 1.2}, "crossover 1.2"),
        ({"alpha": 0}, "alpha 0"),
        ({"power": 1}, "power 1"),
        ({"power_for": "ttp"}, "ttp"),
        ({"accrual": 0, "follow_up": 0}, "not both 0"),
        ({"accrual": COMPLETE}, "accrual finite"),
        ({"loss": -0.1}, "loss -0.1"),
        ({"n": 3}, "at least 2 patients"),
        ({"simulations": -1}, "simulations -1"),
        ({"allocation": (0, 1)}, "allocation"),
        ({"pfs": (9, 6)}, "no number of patients gives PFS"),
    ],
)
def test_impossible_designs_are_refused(change, words):
    with pytest.raises(UsageError, match=words):
        planned(**({"pps": 12} | change))


def test_a_p_value_lies_between_0_and_1():
    with pytest.raises(UsageError, match="p_PFS 0"):
        planned(pps=2).power_os_given_p_pfs(0)
