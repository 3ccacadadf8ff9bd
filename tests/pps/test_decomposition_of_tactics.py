"""The decomposition of TACTICS: every scenario, intervals, and what its gap would need."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from surrogacy.pps.calibration import calibrate
from surrogacy.pps.decomposition import decompose
from surrogacy.pps.dilution import pps_needed
from surrogacy.pps.gap_scenarios import by_direct_death
from surrogacy.pps.trial_summary import HazardRatio
from tests.conftest import ROOT

TABLE = list(
    csv.DictReader((ROOT / "tests" / "reference" / "data" / "tactics_pps.csv").read_text(encoding="utf-8").splitlines())
)


@pytest.mark.parametrize("row", TABLE, ids=[f"{row['calibration']} {row['cut']} {row['pfs']}" for row in TABLE])
def test_every_number_of_every_scenario_of_tactics(tactics, row):
    """Values of an independent program (quadrature and root search of its own); 1e-4, and 1e-3 of months and deaths."""
    found = decompose(tactics, row["calibration"], row["pfs"], row["cut"], resamples=100)
    chosen, hr, equal = found.calibration, found.hazard_ratios, found.equal_pps
    ours = {
        name: hr[name].value
        for name in ("equal", "equal_at_control", "equal_at_experimental", "model", "average", "swapped")
    }
    ours |= {"pps_only": hr["pps_only"].value, "none": equal.none}
    ours |= {"endless": equal.endless, "endless_complete": equal.endless_complete}
    ours |= {name: found.effects[name].value for name in ("dilution", "imbalance", "gap")}
    ours |= {f"share_{name}": share.value for name, share in found.shares.items()}
    ours |= {f"model_share_{name}": share.value for name, share in found.model.shares.items()}
    ours["attenuation"] = found.effects["dilution"].value + found.effects["imbalance"].value
    for i, arm in enumerate(("control", "experimental")):
        ours[f"median_pfs_{arm}"], ours[f"median_pps_{arm}"] = chosen.median_pfs[i], chosen.median_pps[i]
        ours[f"median_os_{arm}"] = chosen.arms[i].quantile_os(0.5).item()
    ours["deaths"] = found.model.expected_deaths
    assert set(ours) == set(row) - {"calibration", "cut", "pfs"}
    for name, value in ours.items():
        tolerance = 1e-3 if name.startswith("median") or name == "deaths" else 1e-4
        assert value == pytest.approx(float(row[name]), abs=tolerance), name


def test_tactics_with_the_updated_hazard_ratio(tactics_decomposition):
    assert tactics_decomposition.hazard_ratios["equal"].value == pytest.approx(0.718, abs=5e-4)
    assert tactics_decomposition.hazard_ratios["model"].value == pytest.approx(0.792, abs=5e-4)
    assert [round(100 * share.value) for share in tactics_decomposition.shares.values()] == [31, 37, 32]
    # printed limits where there are any
    assert (tactics_decomposition.hazard_ratios["observed"].low, tactics_decomposition.hazard_ratios["pfs"].high) == (
        0.607,
        0.938,
    )
    for estimate in (
        *tactics_decomposition.effects.values(),
        *tactics_decomposition.shares.values(),
        tactics_decomposition.hazard_ratios["equal"],
    ):
        assert estimate.low < estimate.value < estimate.high
        assert estimate.level == 0.95
        assert "simulated under calibration M" in estimate.method


def test_the_split_of_tactics_is_not_identified(tactics_decomposition):
    assert not tactics_decomposition.identified
    assert "156 patients do not tell dilution, imbalance and residual apart" in tactics_decomposition.problems[0]
    assert any(
        "a difference of medians, which is longer than a median PPS" in problem
        for problem in tactics_decomposition.problems
    )
    assert any("the residual is compatible with chance" in problem for problem in tactics_decomposition.problems)
    assert tactics_decomposition.words.endswith("The split is not identified.")
    # normal approximation with the printed SE 0.179, the model's 0.792 taken as known; 0.03 = 3 Monte Carlo errors of
    # 2000 trials
    assert tactics_decomposition.resampling.p_hazard_ratio == pytest.approx(
        1 - norm.cdf(np.log(0.861 / 0.792) / 0.179), abs=0.03
    )
    assert 0.5 < tactics_decomposition.p_residual < 0.9  # two-sided, and the error of the model counts


def test_intervals_of_tactics(tactics):
    """Dilution and imbalance of the medians over 4000 trials of an independent bootstrap; 0.02 and 0.05 = 4 Monte Carlo
    errors.
    """
    found = decompose(tactics, "M", "medians", resamples=4000)
    dilution, imbalance = found.effects["dilution"], found.effects["imbalance"]
    assert (dilution.low, dilution.high) == pytest.approx((0.010, 0.227), abs=0.02)
    assert (imbalance.low, imbalance.high) == pytest.approx((-0.154, 0.533), abs=0.05)
    # a ratio with a denominator near 0 (percentiles -1.6 to 2.4 in that bootstrap): its confidence set is unbounded
    share = found.model.shares["dilution"]
    assert (share.low, share.high) == (None, None)
    assert "unbounded: the attenuation of the model is not clearly different from 0" in share.method


def test_pps_needed_to_explain_tactics_by_dilution_alone(tactics):
    """408, 119 and 1311 months under the trial's follow-up, 57, 41 and 73 with complete follow-up."""
    for pfs, cut, needed, complete in (
        ("medians", "updated", 408, 57),
        ("hazard-ratio", "updated", 119, 41),
        ("medians", "primary", 1311, 73),
    ):
        chosen = calibrate(tactics, "M", pfs, cut)
        assert round(pps_needed(chosen, 0.861, (52, 113), (76, 80))) == needed
        assert round(pps_needed(chosen, 0.861, None, (76, 80))) == complete
    # stronger than the PFS effect, or weaker than endless PPS leaves: no length of PPS gives it
    assert pps_needed(chosen, 0.5, None, (76, 80)) is None
    assert pps_needed(chosen, 0.95, (52, 113), (76, 80)) is None


def test_sensitivity_to_deaths_without_progression(tactics):
    """Dilution 30, 31, 34, 36 % of the model's attenuation at q 0, .05, .2, .3; equal-PPS hazard ratio .638 to .670."""
    records = by_direct_death(tactics, (0.0, 0.05, 0.2, 0.3), "medians")
    assert [round(100 * record.dilution_of_model) for record in records] == [30, 31, 34, 36]
    assert [round(records[i].equal, 3) for i in (0, 3)] == [0.638, 0.670]
    for record in records:
        assert record.dilution + record.imbalance + record.residual == pytest.approx(1)


def test_errors_of_hazard_ratios_are_those_that_were_printed(tactics):
    wide = replace(tactics, hr_os=HazardRatio(0.861, 0.861 / 2.0, 0.861 * 2.0))
    found, usual = (decompose(one, resamples=1000) for one in (wide, tactics))
    se = np.log(2.0) / 1.959964
    width = (found.effects["residual"].high - found.effects["residual"].low) / (
        usual.effects["residual"].high - usual.effects["residual"].low
    )
    assert width > 1.3
    assert any("scaled" in problem and "HR OS" in problem for problem in found.problems)
    # the interval of the gap has the variance of both errors less twice their covariance; the printed error alone
    # bounds it from above
    assert found.effects["gap"].high - found.effects["gap"].low < 2 * 1.96 * (se + tactics.cuts[0].hr.se) * 1.1
