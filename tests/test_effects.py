from dataclasses import replace

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models import BivariateBayes
from surrogacy.trials.shared_control import resolve_shared_controls
from surrogacy.trials.standard_errors import (
    standard_error_from_events,
    standard_error_from_interval,
    standard_error_from_p,
)


def two_arms_one_control(**changes):
    arguments = {
        "rho_within": 0.5,
        "n": [300, 330],
        "trial": ["a", "a"],
        "comparison": ["a1", "a2"],
        "control_group": ["a:c", "a:c"],
        "control_share": 0.5,
        **changes,
    }
    return Effects.from_arrays([[-0.4, -0.2], [-0.1, 0.1]], [[0.2, 0.3], [0.25, 0.28]], **arguments)


def test_standard_error_from_limits_at_their_own_level():
    # SHARP: 0.69 (0.55-0.87); by hand 0.45855 / 3.91993 = 0.11698
    assert standard_error_from_interval(0.55, 0.87) == pytest.approx(0.11698, abs=1e-5)
    # STAH prints 90 % limits: the same numbers are a larger error by 1.96 / 1.645
    ratio = standard_error_from_interval(0.69, 1.21, 0.90) / standard_error_from_interval(0.69, 1.21, 0.95)
    assert ratio == pytest.approx(1.959964 / 1.644854, abs=1e-6)


def test_standard_error_from_p_agrees_with_printed_limits():
    # SPACE TTP: HR 0.797, one-sided p = 0.072, limits 0.588-1.080
    se = standard_error_from_p(0.797, 0.072, sides=1)
    assert np.exp(np.log(0.797) + np.array([-1, 1]) * 1.959964 * se) == pytest.approx([0.588, 1.080], abs=2e-3)


def test_standard_error_from_events():
    # CheckMate 459: 244 and 275 deaths, limits 0.72-1.02 at 95 %
    assert standard_error_from_events(244, 275) == pytest.approx(standard_error_from_interval(0.72, 1.02), rel=0.02)


def test_covariance_within_a_comparison():
    effects = two_arms_one_control()
    assert effects.cov[0] == pytest.approx(np.array([[0.04, 0.03], [0.03, 0.09]]))


def test_covariance_between_comparisons_is_the_shared_control_arms_variance():
    common = two_arms_one_control().covariance_between(0, 1)
    assert common[0, 0] == pytest.approx(0.5 * 0.04)
    assert common[1, 1] == pytest.approx(0.5 * 0.28**2)
    assert not two_arms_one_control(control_group=["", ""]).covariance_between(0, 1).any()


def test_shared_control_covariance_by_simulation():
    # exponential survival, three arms of 400: the covariance of two log hazard ratios is about 1 / d_control
    generator = np.random.default_rng(7)
    censoring = 12.0

    def log_rate(size):
        times = generator.exponential(10.0, (4000, size))
        events = (times < censoring).sum(axis=1)
        return np.log(events / np.minimum(times, censoring).sum(axis=1)), events.mean()

    (control, d_control), (one, _), (two, _) = (log_rate(400) for _ in range(3))
    simulated = np.cov(one - control, two - control)
    effects = two_arms_one_control(control_share=0.5)
    effects = Effects.from_arrays(
        effects.log_hr,
        np.sqrt(np.diag(simulated))[:, None].repeat(2, axis=1),
        0.5,
        trial=["a", "a"],
        comparison=["a1", "a2"],
        control_group=["c", "c"],
    )
    assert effects.covariance_between(0, 1)[0, 0] == pytest.approx(simulated[0, 1], rel=0.1)
    assert simulated[0, 1] == pytest.approx(1 / d_control, rel=0.1)  # 4,000 trials: a covariance to about 5 %


def test_first_keeps_one_and_combine_pools():
    effects = two_arms_one_control()
    assert resolve_shared_controls(effects, "first").comparison == ("a1",)
    pooled = resolve_shared_controls(effects, "combine")
    covariance = np.array([[0.04, 0.02], [0.02, 0.0625]])
    weight = np.linalg.solve(covariance, [1.0, 1.0])
    assert pooled.log_hr[0, 0] == pytest.approx(weight @ [-0.4, -0.1] / weight.sum())
    assert pooled.se[0, 0] == pytest.approx(weight.sum() ** -0.5)
    assert pooled.n[0] == pytest.approx(300 / 2 + 330 / 2 + 330 / 2)  # both experimental arms, the larger control once
    assert resolve_shared_controls(effects, "cov") is effects


def test_arrays_are_read_only():
    effects = two_arms_one_control()
    with pytest.raises(ValueError, match="read-only"):
        effects.log_hr[0, 0] = 1.0


def test_take_and_without_trial():
    effects = Effects.from_arrays(
        np.zeros((3, 2)), np.ones((3, 2)), trial=["a", "a", "b"], comparison=["a1", "a2", "b"]
    )
    assert effects.without_trial("a").comparison == ("b",)
    assert effects.take([True, False, True]).comparison == ("a1", "b")
    assert effects.trials == ("a", "b")


def test_only_assumed_correlations_change():
    effects = replace(two_arms_one_control(), rho_known=np.array([True, False]))
    assert effects.with_rho_within(0.9).rho_within.tolist() == [0.5, 0.9]


@pytest.mark.parametrize(
    ("log_hr", "se", "rho"),
    [
        ([[0.0, 0.0]], [[0.1, 0.0]], 0.5),
        ([[0.0, 0.0]], [[0.1, -0.1]], 0.5),
        ([[0.0, 0.0]], [[0.1, 0.1]], 1.5),
        ([[np.inf, 0.0]], [[0.1, 0.1]], 0.5),
        ([0.0, 0.0], [0.1, 0.1], 0.5),
    ],
)
def test_bad_arrays_are_refused(log_hr, se, rho):
    with pytest.raises(UsageError):
        Effects.from_arrays(log_hr, se, rho)


def test_shared_arms_with_different_correlations_stay_a_covariance():
    # a reported 0.9 beside an assumed 0: only a control arm of correlation 0.8 or more can give both
    for rho in ((0.9, 0.0), (0.95, 0.1), (0.99, 0.5), (0.5, -0.5)):
        effects = two_arms_one_control(rho_within=np.array(rho))
        blocks = [[effects.cov[i] if i == j else effects.covariance_between(i, j) for j in (0, 1)] for i in (0, 1)]
        whole = np.block(blocks)
        assert whole == pytest.approx(whole.T)
        assert np.linalg.eigvalsh(whole).min() > 0
    with pytest.raises(FitError, match="a1, a2 share a control arm"):
        two_arms_one_control(rho_within=np.array([0.99, -0.99])).covariance_between(0, 1)


def test_patients_of_a_shared_control_count_once():
    assert two_arms_one_control(n=[400, 400], control_share=0.5).n_patients == 600


def test_combine_pools_over_the_arms_that_report():
    effects = two_arms_one_control()
    log_hr = effects.log_hr.copy()
    log_hr[0, 1] = np.nan
    partial = replace(effects, log_hr=log_hr, se=np.where(np.isnan(log_hr), np.nan, effects.se))
    pooled = resolve_shared_controls(partial, "combine")
    assert pooled.log_hr[0, 1] == pytest.approx(0.1)
    assert resolve_shared_controls(partial, "first").comparison == ("a2",)
    # the pooled correlation is that of the two linear combinations
    whole = resolve_shared_controls(effects, "combine")
    assert 0.3 < whole.rho_within[0] < 0.7


def test_a_shared_control_arm_that_cannot_be_is_refused():
    se = [[0.107, 0.125], [0.251, 0.126], [0.114, 0.223]]
    effects = Effects.from_arrays(
        [[-0.1, 0.0]] * 3, se, 0.92, trial=["a"] * 3, comparison=["1", "2", "3"], control_group=["c"] * 3
    )
    with pytest.raises(FitError, match="share a control arm"):
        BivariateBayes().fit(effects)
