"""Planned trials with Weibull hazards before progression, and with their own effect on deaths without progression."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.cli.pps import main
from surrogacy.errors import UsageError
from surrogacy.pps.planning import plan
from surrogacy.survival.hazard_ratios import cox_hazard_ratio, expected_events
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.survival.simulation import simulate_trials
from surrogacy.survival.trial_design import Design

DESIGNS = {
    shape: Design.from_summaries(6.0, os=18.0, hr_pfs=0.65, direct_death=0.15, hr_direct_death=1.0, shape=shape)
    for shape in (0.8, 1.0, 1.3)
}


def models(design):
    """Both arms as illness-death models, from the formulas of the Weibull hazards."""
    arms = []
    for pfs, pps, q in zip(design.pfs, design.pps, design.direct_death, strict=True):
        lam = np.log(2.0) / pfs**design.shape
        shapes = (design.shape, design.shape, 1.0)
        arms.append(IllnessDeath((1.0 - q) * lam, q * lam, np.log(2.0) / pps, shapes, "reset"))
    return arms


@pytest.mark.parametrize("shape", DESIGNS)
@pytest.mark.parametrize("loss", [0.0, 0.01])
def test_limits_events_and_medians_are_those_of_the_illness_death_model(shape, loss):
    design = replace(DESIGNS[shape], loss=loss)
    law, arms = design.statistics, models(design)
    for which, endpoint in enumerate(("pfs", "os")):
        limit = cox_hazard_ratio(*arms, design.censoring, endpoint=endpoint)
        assert np.exp(law.log_hr[which]) == pytest.approx(limit, rel=2e-4)  # trapezoidal rule on 1,200 points
        events = sum(expected_events(*arms, (0.5, 0.5), design.censoring, endpoint))
        assert law.events[which] == pytest.approx(events, rel=2e-4)
    for arm, median_pfs, median_os in zip(arms, design.pfs, design.median_os, strict=True):
        assert float(arm.quantile_pfs(0.5)) == pytest.approx(median_pfs, rel=1e-9)
        assert float(arm.quantile_os(0.5)) == pytest.approx(median_os, rel=1e-7)
    assert design.median_os[0] == pytest.approx(18.0, rel=1e-7)


@pytest.mark.parametrize("shape", [0.8, 1.3])
def test_law_agrees_with_simulated_trials(shape):
    design, patients, trials = DESIGNS[shape], (200, 200), 4000
    law = design.statistics
    z = simulate_trials(*design.arms, patients, design.censoring, trials, seed=5).statistic
    # four Monte Carlo errors, and 0.02 of order 1 / sqrt(n) beyond a large-sample law
    assert z.mean(axis=0) == pytest.approx(np.sqrt(400) * law.drift, abs=4 / np.sqrt(trials) + 0.02)
    assert z.std(axis=0) == pytest.approx(law.spread, abs=4 / np.sqrt(2 * trials) + 0.01)
    assert np.corrcoef(z, rowvar=False)[0, 1] == pytest.approx(law.correlation, abs=4 / np.sqrt(trials) + 0.01)


def test_shape_near_1_has_the_numbers_of_constant_hazards():
    near, constant = plan(replace(DESIGNS[1.0], shape=1.0 + 1e-9), n=300), plan(DESIGNS[1.0], n=300)
    for name, estimate in constant.estimates.items():
        one_patient = 1.0 if name.startswith("n_") else 0.0  # numbers of patients are rounded up
        assert near[name].value == pytest.approx(estimate.value, rel=1e-5, abs=1e-9 + one_patient)


def test_effect_on_deaths_gives_the_share_of_the_experimental_arm():
    assert DESIGNS[1.0].direct_death == pytest.approx((0.15, 0.15 / 0.65))
    assert Design.from_summaries(6.0, 12.0, hr_pfs=0.65, direct_death=0.15).direct_death == (0.15, 0.15)
    assert DESIGNS[1.3].pfs[1] == pytest.approx(6.0 / 0.65 ** (1 / 1.3))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"hr_direct_death": 1.0}, "no effect without direct_death"),
        ({"hr_direct_death": 0.0, "direct_death": 0.1}, "give a finite number above 0"),
        ({"hr_direct_death": 9.0, "direct_death": 0.1}, "alone exceed the PFS events"),
        ({"shape": 0.0}, "shape 0"),
    ],
)
def test_impossible_designs_are_refused(values, words):
    with pytest.raises(UsageError, match=words):
        Design.from_summaries(6.0, 12.0, hr_pfs=0.65, **values)


def test_the_command_line_plans_with_a_structure(capsys):
    arguments = ["--plan", "--pfs", "6", "--hr-pfs", "0.65", "--os", "18", "--direct-death", "0.15"]
    assert main([*arguments, "--hr-direct-death", "1", "--shape", "1.3"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Weibull shape 1.3 before progression, 15% / 23% of PFS events deaths" in shown
