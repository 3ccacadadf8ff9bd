"""Structure of the hazards in a run on post-progression survival, from the command line to the sections."""

import json

import pytest

from surrogacy.analysis.pps_run import PpsRun
from surrogacy.analysis.settings import PpsSettings
from surrogacy.cli.pps import main
from surrogacy.pps.decomposition import decompose_all
from surrogacy.pps.gap_scenarios import by_structure
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.pps.structure import TransitionStructure
from surrogacy.report.sections.arms import arm_drawings
from surrogacy.report.sections.decomposition import section
from tests.support.pinned_tables import PINNED, pinned_trials


def run_of(comparison, structure=None):
    settings = PpsSettings(structure=structure or TransitionStructure())
    focus = read_inputs(pinned_trials(), comparison)
    decompositions = decompose_all(focus, structure=settings.structure, resamples=100)
    return PpsRun(
        settings,
        trial_set=pinned_trials(),
        focus=focus,
        decompositions=decompositions,
        by_structure=by_structure(focus, settings.structure),
    )


def test_the_short_answer_has_the_range_over_the_structures():
    shown = str(section(run_of("tactics")).answer)
    assert "or 15% to 65% under other hazards" in shown
    assert "Other hazards: a hazard ratio of 1 or 0.8 for death without progression" in shown


def test_a_trial_with_ttp_is_labelled_ttp():
    parts = section(run_of("sharp"))
    shown = str(parts.answer)
    assert "How much of the TTP effect of SHARP is lost on the way to OS?" in shown
    assert "PFS" not in shown.replace("PFS HR", "")
    tables = {table.name: table for table in parts.tables}
    assert tables["decomposition"].title == "From the effect on TTP to that on OS: SHARP"
    headings = [column.heading for column in tables["decomposition"].columns]
    assert "TTP HR" in headings
    assert not any("PFS" in heading for heading in headings)
    assert "no information on the effect on deaths without progression" in tables["structure"].note
    assert any("the trial reports only TTP" in str(detail) for detail in parts.details)


def test_the_sensitivity_table_has_a_row_a_structure_and_scenario():
    run = run_of("tactics", TransitionStructure(shape=2.0))
    table = next(table for table in section(run).tables if table.name == "structure")
    assert len(table.rows) == 6 * 6
    assert section(run).record["by_structure"][0]["shape"] == 2.0
    assert (
        section(run).record["dilution_over_structures"]["low"] < section(run).record["dilution_over_structures"]["high"]
    )


def test_hazard_ratio_over_time_of_a_trial_with_two_data_cuts_and_no_pps():
    """Both data cuts of REFLECT have calibration M alone; the figure needs different names."""
    drawings = {drawing.name: drawing for drawing in arm_drawings(run_of("reflect"))}
    _, calibrations, _ = drawings["hazard-ratio-over-time-reflect"].arguments
    assert [calibration.name for calibration in calibrations] == ["M"]


@pytest.mark.slow
def test_the_options_set_the_structure_of_every_decomposition(capsys):
    arguments = ["--hr-direct-death", "1", "--shape", "0.8", "--resamples", "100", "--json", "--quiet"]
    assert main([*PINNED, *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    for record in (*document["decompositions"], *document["every_trial"]):
        assert (record["hr_direct_death"], record["shape"]) == (1.0, 0.8)
    assert document["at_risk"] is None
    assert any("leave out --shape" in reason for reason in document["not_asked"])


def test_an_impossible_structure_is_a_wrong_argument(capsys):
    assert main(["--shape", "-1"]) == 2
    assert "give a finite number above 0" in capsys.readouterr().err
