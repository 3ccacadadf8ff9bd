"""Expected OS effects under other structures of the hazards: direct evaluation, simulated patients, TTP."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.pps.expected_effects import ExpectedEffects, expected_effects
from surrogacy.pps.moderators import control_arms, pfs_of, pps_sensitivity
from surrogacy.pps.structure import ALTERNATIVES, DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.survival.estimators import cox_log_hazard_ratio
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.survival.illness_death import IllnessDeath

SURROGATE = np.log([[0.4], [0.661], [0.95], [1.3]])
Q, PFS, OS, FOLLOW_UP, PATIENTS = 13 / 134, 13.5, 30.8, (52.0, 113.0), (76.0, 80.0)  # TACTICS


def of_tactics(structure, *, ttp=False):
    hazard = structure.post_progression_hazard(PFS, OS, Q)
    return ExpectedEffects(
        np.array([PFS]),
        np.array([Q]),
        np.array([float(hazard)]),
        np.array([FOLLOW_UP]),
        np.array([PATIENTS]),
        np.zeros((1, 2)),
        np.array([ttp]),
        structure,
    )


@pytest.mark.parametrize("structure", [DEFAULT_STRUCTURE, *ALTERNATIVES, TransitionStructure(1.0, 1.3)], ids=str)
@pytest.mark.parametrize("ttp", [False, True])
def test_expected_effects_are_cox_limits_of_explicit_hazards(structure, ttp):
    """The hazards written out, integrated by the general Weibull family (shapes that differ by 1e-9)."""
    expected = of_tactics(structure, ttp=ttp)
    p, h12 = structure.shape, expected.post_progression[0]
    lam = np.log(2) / PFS**p
    shape = (p, p * (1 + 1e-9), 1.0)
    control = IllnessDeath((1 - Q) * lam, Q * lam, h12, shape=shape, post_progression_clock="reset")
    assert control.survival_os(OS) == pytest.approx(0.5, abs=1e-7)
    ratio = np.exp(SURROGATE[:, 0])
    deaths = (ratio if structure.hr_direct_death is None else structure.hr_direct_death) * Q * lam
    progression = ratio * (1 - Q) * lam if ttp else ratio * lam - deaths
    experimental = IllnessDeath(progression, deaths, h12, shape=shape, post_progression_clock="reset")
    direct = np.log(cox_hazard_ratio(control, experimental, FOLLOW_UP, PATIENTS))
    assert expected.log_hr(SURROGATE)[:, 0] == pytest.approx(direct, abs=1e-6)
    if not ttp:
        assert np.log(cox_hazard_ratio(control, experimental, endpoint="pfs")) == pytest.approx(SURROGATE[:, 0])


@pytest.mark.parametrize("structure", [TransitionStructure(1.0), TransitionStructure(shape=0.8)], ids=str)
def test_expected_effect_is_the_cox_estimate_of_simulated_patients(structure):
    """One trial of 400,000 patients, uniform administrative censoring, TACTICS with PFS HR 0.661; 4 standard errors."""
    generator, p, ratio, size = np.random.default_rng(5), structure.shape, 0.661, 200_000
    expected = of_tactics(structure)
    lam = np.log(2) / PFS**p
    deaths = Q * lam * np.array([1.0, ratio if structure.hr_direct_death is None else structure.hr_direct_death])
    leaving = lam * np.array([1.0, ratio])
    pfs = (generator.exponential(size=(size, 2)) / leaving) ** (1 / p)
    died = generator.random((size, 2)) < deaths / leaving
    os = pfs + np.where(died, 0.0, generator.exponential(1 / expected.post_progression[0], (size, 2)))
    censored = generator.uniform(*FOLLOW_UP, (size, 2))
    time, event = np.minimum(os, censored).T.reshape(1, -1), (os <= censored).T.reshape(1, -1)
    estimate = cox_log_hazard_ratio(time, event, np.repeat([0.0, 1.0], size))[0]
    equal_sizes = replace(expected, allocation=np.ones((1, 2)))
    assert estimate == pytest.approx(equal_sizes.log_hr(np.log([[ratio]]))[0, 0], abs=4 * 2 / np.sqrt(event.sum()))


def test_deaths_alone_fill_the_pfs_events_below_the_smallest_hazard_ratio():
    """Below a PFS hazard ratio of r q nobody progresses in the experimental arm, without a jump at that point."""
    structure = TransitionStructure(1.0)
    at = np.log(Q) + np.array([[-1.0], [-1e-9], [1e-9]])
    values = of_tactics(structure).log_hr(at)[:, 0]
    assert np.isfinite(values).all()
    assert values[2] == pytest.approx(values[1], abs=1e-6)
    control = IllnessDeath.from_medians(PFS, OS, Q)
    dying = IllnessDeath(0.0, np.exp(at[0, 0]) * np.log(2) / PFS, 0.1)
    assert values[0] == pytest.approx(np.log(cox_hazard_ratio(control, dying, FOLLOW_UP, PATIENTS)))


def test_sensitivities_under_a_shape_are_derivatives(trials):
    structure, effects = TransitionStructure(shape=1.3), trials.analysis_set("all")
    arms = [arm for arm in control_arms(trials, effects) if arm is not None and arm.has("model")]
    arms = [next(arm for arm in arms if arm.pfs_endpoint == endpoint) for endpoint in ("PFS", "TTP")]
    step = 1e-3
    for arm, derivatives in zip(arms, pps_sensitivity(arms, "model", structure), strict=True):
        q, pfs = arm.direct_death.value, pfs_of(arm, structure)
        ttp = arm.pfs_endpoint == "TTP"
        assert pfs == pytest.approx(arm.median_pfs.value * ((1 - q) ** (1 / 1.3) if ttp else 1.0))
        for column, (x, y) in enumerate((((step, 0.0), (-step, 0.0)), ((0.0, step), (0.0, -step)))):
            log_pps = [
                -np.log(structure.post_progression_hazard(pfs * np.exp(a), arm.median_os.value * np.exp(b), q))
                for a, b in (x, y)
            ]
            assert derivatives[column] == pytest.approx((log_pps[0] - log_pps[1]) / (2 * step), rel=1e-4)


def test_hazard_ratios_of_ttp_are_those_of_progression(trials, sets):
    """SEARCH has a median TTP and a PFS hazard ratio: the endpoint of the effect decides."""
    effects = sets["all"]
    expected, known = expected_effects(trials, effects, structure=TransitionStructure(1.0))
    names = [name for name, keep in zip(effects.comparison, known, strict=True) if keep]
    censored = dict(zip(names, expected.deaths_censored, strict=True))
    assert censored["sharp"]
    assert not censored["search"]
    assert not censored["tactics"]
    words = next(words for words in expected.assumed if "TTP" in words)
    assert words.startswith(f"{sum(censored.values())} of {len(names)} comparisons report only TTP")
    assert words.endswith("a hazard ratio of 1 is assumed")
    assert expected_effects(trials, effects)[0].assumed != expected.assumed
