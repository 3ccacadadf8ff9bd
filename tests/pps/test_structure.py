"""Structures of the hazards: arms, medians, effects on deaths without progression, and simulated patients."""

import numpy as np
import pytest
from scipy.integrate import quad

from surrogacy.errors import UsageError
from surrogacy.pps.dilution import equal_pps_hazard_ratio
from surrogacy.pps.structure import ALTERNATIVES, DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.survival.estimators import cox_log_hazard_ratio
from surrogacy.survival.hazard_ratios import cox_hazard_ratio, hazard_ratio_over_time

STRUCTURES = (DEFAULT_STRUCTURE, *ALTERNATIVES, TransitionStructure(hr_direct_death=1.0, shape=1.3))
SHAPES = [0.8, 1.0, 1.3]


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda structure: structure.label)
def test_arms_have_the_medians_the_hazard_ratio_and_the_effect_on_deaths(structure):
    q, hr = 0.15, 0.6
    control_pfs = 6.0
    pfs = control_pfs, float(structure.experimental_pfs(control_pfs, hr))
    shares = structure.direct_death_shares(pfs, q)
    os = 18.0, 21.0
    h12 = tuple(structure.post_progression_hazard(*values) for values in zip(pfs, os, shares, strict=True))
    control, experimental = structure.arms(pfs, q, h12)
    for arm, median_pfs, median_os in zip((control, experimental), pfs, os, strict=True):
        assert float(arm.quantile_pfs(0.5)) == pytest.approx(median_pfs, rel=1e-9)
        assert float(arm.quantile_os(0.5)) == pytest.approx(median_os, rel=1e-7)
    times = np.array([1.0, 6.0, 20.0])
    assert hazard_ratio_over_time(control, experimental, times, "pfs") == pytest.approx(hr, rel=1e-9)
    assert float(structure.hazard_ratio(*pfs)) == pytest.approx(hr, rel=1e-12)
    expected = hr if structure.hr_direct_death is None else structure.hr_direct_death
    assert float(experimental.death / control.death) == pytest.approx(expected, rel=1e-9)
    assert float(control.death / (control.death + control.progression)) == pytest.approx(q, rel=1e-9)


def test_the_effect_on_progression_is_what_the_effect_on_deaths_leaves():
    structure = TransitionStructure(hr_direct_death=1.0)
    pfs = 6.0, 6.0 / 0.6
    _, experimental = structure.arms(pfs, 0.1, (0.05, 0.05))
    lam = np.log(2.0) / 6.0
    assert experimental.death == pytest.approx(0.1 * lam)
    assert experimental.progression == pytest.approx(0.6 * lam - 0.1 * lam)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("hr_direct_death", [None, 0.8, 1.0])
def test_ttp_determines_the_hazard_of_progression_alone(shape, hr_direct_death):
    structure = TransitionStructure(hr_direct_death, shape)
    q, ttp = 0.2, (5.0, 8.0)
    pfs = structure.median_pfs(ttp, q, deaths_censored=True)
    control, experimental = structure.arms(pfs, q, (0.05, 0.05))
    for arm, median in zip((control, experimental), ttp, strict=True):
        assert float(arm.progression) * median**shape == pytest.approx(np.log(2.0))
    hr_ttp = (5.0 / 8.0) ** shape
    expected = hr_ttp if hr_direct_death is None else hr_direct_death
    assert float(experimental.death / control.death) == pytest.approx(expected)
    assert structure.median_ttp(pfs, q) == pytest.approx(ttp)
    by_hazard_ratio = structure.experimental_pfs(pfs[0], hr_ttp, q, deaths_censored=True)
    assert float(by_hazard_ratio) == pytest.approx(float(pfs[1]))


@pytest.mark.parametrize("shape", [0.8, 1.3])
def test_equal_pps_hazard_ratio_is_continuous_at_shape_1(shape):
    values = [
        float(equal_pps_hazard_ratio((6.0, 10.0), 0.06, 0.1, (6.0, 24.0), structure=TransitionStructure(1.0, p)))
        for p in (1.0, 1.0 + 1e-6 * np.sign(shape - 1.0))
    ]
    assert values[1] == pytest.approx(values[0], rel=1e-5)


def test_long_pps_leaves_the_effect_on_deaths_without_progression():
    """If nobody dies after progression, the OS events are the deaths without progression (closed form at shape 1)."""
    structure, q, h12 = TransitionStructure(hr_direct_death=0.8), 0.3, 1e-12
    control, experimental = structure.arms((6.0, 10.0), q, (h12, h12))
    lam = np.log(2.0) / np.array([6.0, 10.0])
    deaths = np.array([q, 0.8 * q]) * lam[0]
    for arm, of_pfs, death in zip((control, experimental), lam, deaths, strict=True):
        expected = 1.0 - death / of_pfs * -np.expm1(-of_pfs * 30.0)
        assert float(arm.survival_os(30.0)) == pytest.approx(expected, rel=1e-9)
    early = float(cox_hazard_ratio(control, experimental, (0.01, 0.02)))
    assert early == pytest.approx(0.8, rel=1e-2)  # the follow-up of days has the hazard ratio of the direct deaths


@pytest.mark.parametrize("structure", STRUCTURES[1:], ids=lambda structure: structure.label)
def test_simulated_patients_have_the_survival_and_the_cox_estimate_of_the_model(structure):
    """Cox fits of 60 trials of 2,000 patients, against the limit (4 Monte Carlo errors, about 0.006)."""
    q, hr, follow_up, trials, n = 0.1, 0.6, (12.0, 40.0), 60, 1000
    pfs = 6.0, float(structure.experimental_pfs(6.0, hr))
    arms = structure.arms(pfs, q, (0.06, 0.09))
    rng = np.random.default_rng(11)
    times, events = [], []
    for arm in arms:
        _, os, _ = arm.sample(trials * n, rng)
        share = float((os > 20.0).mean())
        assert share == pytest.approx(float(arm.survival_os(20.0)), abs=4.0 * 0.5 / np.sqrt(trials * n))
        end = rng.uniform(*follow_up, os.size)
        times.append(np.minimum(os, end).reshape(trials, n))
        events.append((os <= end).reshape(trials, n))
    in_experimental = np.repeat([0.0, 1.0], n)
    estimates = cox_log_hazard_ratio(np.concatenate(times, axis=1), np.concatenate(events, axis=1), in_experimental)
    limit = np.log(cox_hazard_ratio(*arms, follow_up))
    assert estimates.mean() == pytest.approx(limit, abs=4.0 * estimates.std() / np.sqrt(trials))


def test_share_alive_by_adaptive_quadrature():
    control, _ = TransitionStructure(shape=1.3).arms((6.0, 10.0), 0.1, (0.06, 0.06))
    lam = np.log(2.0) / 6.0**1.3

    def progressed(u: float, t: float) -> float:
        return 0.9 * lam * 1.3 * u**0.3 * np.exp(-lam * u**1.3 - 0.06 * (t - u))

    for t in (3.0, 12.0, 40.0):
        expected = np.exp(-lam * t**1.3) + quad(progressed, 0.0, t, (t,), epsabs=1e-12)[0]
        assert float(control.survival_os(t)) == pytest.approx(expected, rel=1e-9)


def test_deaths_that_leave_no_progression_are_refused():
    structure = TransitionStructure(hr_direct_death=1.0)
    with pytest.raises(UsageError, match="deaths without progression alone exceed the PFS events"):
        structure.arms((6.0, 30.0), 0.3, (0.05, 0.05))
    assert float(structure.experimental_direct_death(6.0, 30.0, 0.3)) == pytest.approx(1.5)


@pytest.mark.parametrize(("hr", "shape"), [(0.0, 1.0), (-1.0, 1.0), (np.nan, 1.0), (None, 0.0), (None, np.inf)])
def test_impossible_structures_are_refused(hr, shape):
    with pytest.raises(UsageError, match="give a finite number above 0"):
        TransitionStructure(hr, shape)


def test_the_default_is_the_closed_form_with_one_share_of_deaths():
    control, experimental = DEFAULT_STRUCTURE.arms((6.0, 10.0), 0.1, (0.06, 0.09))
    assert control.transitions.closed_form
    assert experimental.transitions.closed_form
    assert DEFAULT_STRUCTURE.is_default
    assert DEFAULT_STRUCTURE.label == ""
    assert [float(share) for share in DEFAULT_STRUCTURE.direct_death_shares((6.0, 10.0), 0.1)] == [0.1, 0.1]
