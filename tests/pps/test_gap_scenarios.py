"""Decompositions under other structures of the hazards: TACTICS, trials with TTP, simulated trials."""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.errors import UsageError
from surrogacy.pps.calibration import calibrate
from surrogacy.pps.decomposition import decompose
from surrogacy.pps.gap_scenarios import by_structure, dilution_range, gap_point, of_scenario
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.pps.resampling import sampling_errors
from surrogacy.pps.structure import ALTERNATIVES, DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.trial_summary import HazardRatio, PfsCut
from tests.support.pinned_tables import pinned_trials
from tests.support.summaries import trial


@pytest.fixture(scope="module")
def tactics():
    return read_inputs(pinned_trials(), "tactics")


@pytest.mark.parametrize(
    ("structure", "os_hr", "dilution"),
    [
        (DEFAULT_STRUCTURE, 0.718, 31),
        (TransitionStructure(hr_direct_death=1.0), 0.742, 44),
        (TransitionStructure(shape=0.8), 0.688, 15),
        (TransitionStructure(shape=1.3), 0.785, 65),
    ],
    ids=["default", "HR of direct deaths 1", "shape 0.8", "shape 1.3"],
)
def test_tactics_to_the_printed_digits_of_independent_calculations(tactics, structure, os_hr, dilution):
    """Updated hazard ratio, calibration M, equal PPS; values computed without this package on the tables 2026.11."""
    point = gap_point(tactics, calibrate(tactics, structure=structure))
    assert round(point.equal, 3) == os_hr
    assert round(100.0 * point.dilution) == dilution


def test_rows_by_data_cut_calibration_and_structure(tactics):
    rows = by_structure(tactics)
    assert len(rows) == 6 * 5
    main = calibrate(tactics)
    assert [row.structure for row in of_scenario(rows, main)] == [DEFAULT_STRUCTURE, *ALTERNATIVES]
    for row in rows:
        parts = row.point
        assert parts.dilution + parts.imbalance + parts.residual == pytest.approx(1.0)
        for target in row.calibration.targets:
            assert target.role != "fitted" or target.misfit == pytest.approx(0.0, abs=1e-6)
    ranges = dilution_range(rows, main)
    assert (round(100.0 * ranges.low), round(100.0 * ranges.high)) == (15, 65)
    assert by_structure(tactics, main=main)[3].record == of_scenario(rows, main)[3].record
    assert len(by_structure(tactics, TransitionStructure(shape=2.0), main)) == 6


def test_decomposition_has_the_point_values_of_its_structure(tactics):
    structure = TransitionStructure(hr_direct_death=1.0, shape=1.3)
    whole, point = (
        decompose(tactics, structure=structure, resamples=200),
        gap_point(tactics, calibrate(tactics, structure=structure)),
    )
    assert whole.hazard_ratios["equal"].value == pytest.approx(point.equal, rel=1e-12)
    assert whole.hazard_ratios["model"].value == pytest.approx(point.model, rel=1e-12)
    assert whole.shares["dilution"].value == pytest.approx(point.dilution, rel=1e-12)
    assert (whole.record["hr_direct_death"], whole.record["shape"]) == (1.0, 1.3)
    assert "Weibull shape 1.3 before progression" in whole.words
    assert whole.effects["dilution"].low < whole.effects["dilution"].value < whole.effects["dilution"].high


@pytest.mark.parametrize("structure", ALTERNATIVES, ids=lambda structure: structure.label)
def test_simulated_trials_come_from_the_structure(structure):
    """Errors of the log estimates have mean 0 (4 Monte Carlo errors, and 1 % for the bias of medians)."""
    summary = trial(n=(400, 400))
    errors = sampling_errors(summary, calibrate(summary, structure=structure), 400, seed=3)
    for sample in (errors.median_pfs, errors.median_os, errors.hr_pfs[:, None], errors.hr_os[:, None]):
        limit = 4.0 * sample.std(axis=0) / np.sqrt(len(sample)) + 0.01
        assert (np.abs(sample.mean(axis=0)) < limit).all()


def test_wrong_structure_has_biased_simulated_medians():
    """The test above can fail: trials of shape 1.3 differ in survival from those of constant hazards."""
    summary = trial(n=(400, 400))
    constant, weibull = (calibrate(summary, structure=structure) for structure in (DEFAULT_STRUCTURE, ALTERNATIVES[3]))
    late = np.array([60.0, 90.0])
    assert (weibull.arms[0].survival_pfs(late) < 0.8 * constant.arms[0].survival_pfs(late)).all()


@pytest.mark.parametrize("hr_direct_death", [None, 1.0])
def test_a_trial_with_ttp_says_that_the_effect_on_deaths_is_assumed(hr_direct_death):
    summary = replace(trial(), endpoint="TTP")
    result = decompose(summary, structure=TransitionStructure(hr_direct_death), resamples=100)
    stated = [problem for problem in result.problems if problem.startswith("the trial reports only TTP")]
    assert len(stated) == 1
    assert ("the hazard ratio of TTP is assumed" in stated[0]) == (hr_direct_death is None)
    assert result.hazard_ratios["pfs"].value == pytest.approx(summary.cuts[0].hr.value)
    assert result.effects["gap"].value == pytest.approx(np.log(summary.hr_os.value / summary.cuts[0].hr.value))
    control, experimental = result.calibration.arms
    assert experimental.progression / control.progression == pytest.approx(summary.cuts[0].hr.value)
    assert not any("only TTP" in problem for problem in decompose(trial(), resamples=100).problems)


def test_impossible_effects_on_deaths_are_refused_and_left_out():
    strong = replace(trial(q=0.3), cuts=(PfsCut("updated", HazardRatio(0.25), trial().cuts[0].medians),))
    always_dying = TransitionStructure(hr_direct_death=1.0)
    with pytest.raises(UsageError, match="deaths without progression alone exceed the PFS events"):
        decompose(strong, structure=always_dying)
    assert always_dying not in {row.structure for row in by_structure(strong) if row.calibration.pfs == "hazard-ratio"}


def test_resampled_trials_that_the_structure_excludes_are_counted_as_lost():
    weak = trial(q=0.42, n=(40, 40), hr_pfs=0.66)
    result = decompose(weak, structure=TransitionStructure(hr_direct_death=1.0), resamples=400)
    assert 0 < result.resampling.lost < 200
