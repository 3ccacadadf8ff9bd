"""Weibull exits of one shape with a constant hazard since progression: survival along quadrature nodes, and medians."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from surrogacy.survival.constant_hazards import post_progression_hazard as constant_post_progression_hazard
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.survival.hazards import panels
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.survival.weibull_exits import WeibullExits, exit_scales, post_progression_hazard
from surrogacy.survival.weibull_hazards import Weibull


def alive(t: float, h01: float, h02: float, h12: float, p: float) -> float:
    """Share alive by adaptive quadrature over the power of the time of progression."""
    progressed = quad(
        lambda power: h01 * np.exp(-(h01 + h02) * power - h12 * (t - power ** (1.0 / p))),
        0.0,
        t**p,
        epsabs=1e-13,
        limit=500,
        points=[t**p * (1.0 - 1e-3)],
    )[0]
    return float(np.exp(-(h01 + h02) * t**p) + progressed)


@pytest.mark.parametrize("p", [0.8, 1.0, 1.3, 2.0])
@pytest.mark.parametrize(("pfs", "os", "q"), [(13.5, 30.8, 0.097), (3.0, 10.0, 0.0), (8.0, 8.5, 0.3), (2.0, 40.0, 0.2)])
def test_post_progression_hazard_solves_the_median_by_adaptive_quadrature(pfs, os, q, p):
    h01, h02 = map(float, exit_scales(pfs, q, p))
    root = brentq(lambda log_h12: alive(os, h01, h02, np.exp(log_h12), p) - 0.5, -14.0, 4.0, xtol=1e-12)
    fitted = float(post_progression_hazard(pfs, os, q, p))
    assert fitted == pytest.approx(np.exp(root), rel=1e-7)


def test_shape_1_is_the_closed_form():
    pfs, os, q = np.array([13.5, 3.0, 8.0]), np.array([30.8, 10.0, 8.5]), 0.1
    expected = constant_post_progression_hazard(pfs, os, q)
    assert post_progression_hazard(pfs, os, q, 1.0).tolist() == expected.tolist()
    near = post_progression_hazard(pfs, os, q, 1.0 + 1e-7)
    assert near == pytest.approx(expected, rel=1e-5)  # limit of the shape; the slope of log h12 by the shape is about 5


@pytest.mark.parametrize(
    ("pfs", "os", "q"),
    [(10.0, 10.0, 0.1), (10.0, 9.0, 0.1), (2.0, 400.0, 0.6)],
)
def test_medians_that_no_hazard_gives_are_nan(pfs, os, q):
    assert np.isnan(post_progression_hazard(pfs, os, q, 1.3))


def test_values_are_vectorised_and_independent():
    pfs, os = np.array([[13.5, 6.0], [10.0, 4.0]]), np.array([[30.8, 9.0], [9.0, 20.0]])
    together = post_progression_hazard(pfs, os, 0.1, 0.8)
    assert together.shape == (2, 2)
    for place in np.ndindex(2, 2):
        alone = float(post_progression_hazard(pfs[place], os[place], 0.1, 0.8))
        assert together[place] == pytest.approx(alone, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("p", [0.8, 1.3])
@pytest.mark.parametrize("h12", [1e-6, 0.05, 0.5, 5.0])
def test_survival_along_nodes_is_that_of_the_general_quadrature(h12, p):
    columns = [np.array([[value]]) for value in (0.05, 0.005, h12, p, p, 1.0)]
    fast, general = WeibullExits(*columns, forward=False), Weibull(*columns, forward=False)
    for start, stop in ((0.0, 52.0), (52.0, 113.0), (0.0, float(fast.horizon()[0]))):
        for t, weight in panels((fast,), 1, stop, [], start=start):
            (alive_fast, dying_fast), (alive_general, dying_general) = fast.overall_along(t), general.overall(t)
            assert np.abs(alive_fast - alive_general).max() < 3e-7
            assert np.abs((weight * (dying_fast - dying_general)).sum()) < 3e-5  # of all patients


@pytest.mark.parametrize("p", [0.8, 1.3])
@pytest.mark.parametrize("follow_up", [(6.0, 24.0), (52.0, 113.0), None])
def test_cox_limit_of_many_pairs_is_that_of_the_general_quadrature(p, follow_up):
    medians = np.array([6.0, 9.0, 13.5])
    h01, h02 = exit_scales(medians, 0.1, p)
    control = IllnessDeath(h01, h02, 0.06, shape=(p, p, 1.0), post_progression_clock="reset")
    h01, h02 = exit_scales(1.5 * medians, 0.1, p)
    experimental = IllnessDeath(h01, h02, np.array([0.06, 0.1, 0.2]), shape=(p, p, 1.0), post_progression_clock="reset")
    assert isinstance(control.transitions, WeibullExits)
    # shapes that differ by 1e-12 take the general quadrature
    general = [
        IllnessDeath(arm.progression, arm.death, arm.post_progression, (p, p + 1e-12, 1.0), "reset")
        for arm in (control, experimental)
    ]
    assert not isinstance(general[0].transitions, WeibullExits)
    fast = cox_hazard_ratio(control, experimental, follow_up, (76, 80))
    assert fast == pytest.approx(cox_hazard_ratio(*general, follow_up, (76, 80)), rel=1e-6)


def test_proportional_hazards_of_pfs():
    h01, h02 = exit_scales(6.0, 0.1, 1.3)
    experimental_h01, experimental_h02 = exit_scales(6.0 / 0.6 ** (1.0 / 1.3), 0.15, 1.3)
    arms = [
        IllnessDeath(*hazards, 0.06, shape=(1.3, 1.3, 1.0), post_progression_clock="reset")
        for hazards in ((h01, h02), (experimental_h01, experimental_h02))
    ]
    assert cox_hazard_ratio(*arms, (6.0, 24.0), endpoint="pfs") == pytest.approx(0.6, rel=1e-9)
