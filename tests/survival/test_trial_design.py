"""A trial planned from the median OS of the control arm, and the median OS that a given PPS implies."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from surrogacy.cli.pps import main
from surrogacy.errors import UsageError
from surrogacy.pps.planning import plan
from surrogacy.survival.trial_design import Design

CASE = ["--plan", "--pfs", "8", "--hr-pfs", "0.69", "--accrual", "44", "--follow-up", "3", "--n", "600"]


def alive(t, pfs, pps, direct_death=0.0):
    """Share alive at t, written out: no PFS event, or progressed and not yet dead."""
    lam, h = np.log(2) / pfs, np.log(2) / pps
    return np.exp(-lam * t) + (1 - direct_death) * lam * (np.exp(-lam * t) - np.exp(-h * t)) / (h - lam)


def test_public_case(capsys):
    """PFS 8, OS 20 months: PPS 8.52 (not 12), OS hazard ratio 0.749, power 0.72 with 600 patients."""
    assert main([*CASE, "--os", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["design"]["pps"] == pytest.approx([8.52, 8.52], abs=5e-3)
    assert alive(20, 8, found["design"]["pps"][0]) == pytest.approx(0.5, abs=1e-9)
    estimates = {name: estimate["value"] for name, estimate in found["estimates"].items()}
    assert estimates["hr_os"] == pytest.approx(0.749, abs=5e-4)
    assert estimates["power_os"] == pytest.approx(0.72, abs=5e-3)
    assert estimates["median_os_control"] == pytest.approx(20, abs=1e-6)
    assert 20 < estimates["median_os_experimental"] < 20 / 0.749
    # what the difference of medians gives instead
    assert main([*CASE, "--pps", "12", "--json"]) == 0
    other = {name: each["value"] for name, each in json.loads(capsys.readouterr().out)["estimates"].items()}
    assert other["hr_os"] == pytest.approx(0.769, abs=5e-4)
    assert other["power_os"] == pytest.approx(0.58, abs=5e-3)
    assert (round(estimates["n_os"]), round(other["n_os"])) == (731, 1018)


def test_the_screen_shows_what_is_implied(capsys):
    assert main([*CASE, "--os", "20"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "PPS 8.52 / 8.52 (from the median OS of the control arm), OS 20 / 24.2 months" in shown
    assert main([*CASE, "--pps", "12"]) == 0
    assert "PPS 12 / 12, implied median OS 24 / 28.6 months" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pps", "12", "--os", "20"], "exactly one of --pps and --os"),
        ([], "exactly one of --pps and --os"),
        (["--os", "8"], "above the median PFS of the control arm, 8"),
        (["--os", "-3"], "above the median PFS of the control arm, 8"),
        (["--os", "nan"], "above the median PFS of the control arm, 8"),
        (["--os", "inf"], "above the median PFS of the control arm, 8"),
        (["--os", "20", "--direct-death", "0.9"], "lower direct_death"),
    ],
)
def test_medians_that_cannot_be(arguments, words, capsys):
    assert main([*CASE, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_os_belongs_to_a_plan(capsys):
    assert main(["--os", "20"]) == 2
    assert "--os belongs to --plan; add --plan" in capsys.readouterr().err


def test_one_of_both_in_python():
    for arguments in ({}, {"pps": 12.0, "os": 20.0}):
        with pytest.raises(UsageError, match="exactly one of pps"):
            Design.from_summaries(pfs=8.0, hr_pfs=0.69, **arguments)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(pfs=st.floats(1, 30), ratio=st.floats(1.05, 6), hr=st.floats(0.4, 0.95), q=st.floats(0, 0.3))
def test_the_pps_gives_back_the_median_os(pfs, ratio, hr, q):
    found = plan(Design.from_summaries(pfs=pfs, hr_pfs=hr, os=pfs * ratio, direct_death=q), n=400)
    assert found["median_os_control"].value == pytest.approx(pfs * ratio, rel=1e-6)
    pps = found.design.pps[1]
    expected = brentq(lambda t: alive(t, pfs / hr, pps, q) - 0.5, pfs / hr, 100 * (pfs / hr + pps))
    assert found["median_os_experimental"].value == pytest.approx(expected, rel=1e-6)


def test_median_os_with_crossover_by_simulation():
    """A control arm with two hazards after progression has the median of the mixture: 200,000 patients, four Monte
    Carlo errors.
    """
    design = Design(pfs=(6.0, 9.0), pps=(8.0, 20.0), direct_death=(0.1, 0.05), crossover=0.4)
    generator = np.random.default_rng(2)
    for arm, median in zip(design.arms, design.median_os, strict=True):
        os = arm.sample(1, 200_000, generator)[1].ravel()
        density = arm.overall(np.array(median))[1]
        assert np.median(os) == pytest.approx(median, abs=4 * 0.5 / np.sqrt(200_000) / float(density))
