"""Tables of published papers and of other programs: each effect is read exactly, or a message names the cell."""

import openpyxl
import pytest

from surrogacy.errors import DataError
from surrogacy.trials import read_pairs, read_trials
from surrogacy.trials.user_tables.endpoint_variants import base_endpoint
from tests.support.natural_tables import HEADINGS, LONG, LONG_HEADINGS, NUMBERS, ROWS, lines, sheet_of
from tests.support.plain_effects import assert_plain_effects


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a table and returns its path."""

    def write(content: bytes, name: str = "table.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def read(path):
    """Return the effects of a table that is fitted alone, and its faults."""
    trials = read_pairs(path)
    return trials.pair(trials.surrogates), [fault for fault in trials.faults if fault.severity != "info"]


def refused(path):
    with pytest.raises(DataError) as error:
        read_pairs(path)
    return error.value.faults


def long_table(surrogate, final="OS"):
    names = {"PFS": surrogate, "OS": final}
    return lines([LONG_HEADINGS, *([row[0], names[row[1]], *row[2:]] for row in LONG)])


@pytest.mark.parametrize(
    ("surrogate", "final"),
    [
        ("PFS (BICR)", "Overall survival"),
        ("rPFS", "OS (ITT)"),
        ("TTP (investigator)", "overall survival (OS)"),
        ("PFS per mRECIST", "Overall survival; months"),
        ("progression free survival by independent review", "OS (secondary endpoint)"),
        ("1. PFS", "2. OS"),
    ],
)
def test_an_endpoint_with_its_assessment_is_added(surrogate, final, written):
    trials = read_trials(add=written(long_table(surrogate, final)))
    assert_plain_effects(trials.pair())
    assert any(fault.code == "I143" and fault.value == surrogate for fault in trials.faults)


def test_a_table_that_is_fitted_alone_keeps_the_name_of_its_surrogate(written):
    effects, _ = read(written(long_table("PFS (BICR)", "OS (ITT)")))
    assert_plain_effects(effects)


@pytest.mark.parametrize(
    "name", ["PFS in HBV", "PFS2", "12-month PFS", "OS after progression", "PPS", "PFS or death", "R OS", "PFS m"]
)
def test_another_word_makes_another_endpoint(name):
    assert base_endpoint(name) in ("", name)


def test_two_assessments_of_one_comparison_are_named(written):
    rows = [row for row in LONG if row[0] != "Alpha" or row[1] != "PFS"]
    first = next(row for row in LONG if row[1] == "PFS")
    both = [[first[0], f"PFS ({name})", *first[2:]] for name in ("BICR", "investigator")]
    _, faults = read(written(lines([LONG_HEADINGS, *both, *rows])))
    assert [(fault.code, fault.line) for fault in faults] == [("W147", 2), ("W147", 3)]


@pytest.mark.parametrize(
    "name",
    [
        "Overall (I2 = 23%)",
        "Pooled estimate (random effects)",
        "Test for overall effect",
        "All trials",
        "Total (95% CI)",
        "Heterogeneity: chi2 = 3.1",
        "Meta-analysis (REML)",
    ],
)
def test_a_pooled_result_is_not_a_trial(name, written):
    (first, *_) = refused(written(lines([HEADINGS, *ROWS, [name, *ROWS[0][1:]]])))
    assert (first.code, first.line, first.value) == ("E018", 5, name)


@pytest.mark.parametrize("measure", ["RR", "OR", "logOR", "MD", "risk ratio"])
def test_another_measure_of_effect_is_refused(measure, written):
    rows = [[*row, "HR"] for row in LONG]
    rows[2][-1] = measure
    faults = refused(written(lines([[*LONG_HEADINGS, "sm"], *rows])))
    assert [(fault.code, fault.line, fault.column) for fault in faults] == [("E020", 4, "sm")]


@pytest.mark.parametrize("measure", ["HR", "log HR", "Hazard Ratio", "GEN"])
def test_the_measure_may_be_the_hazard_ratio(measure, written):
    assert_plain_effects(read(written(lines([[*LONG_HEADINGS, "measure"], *([*row, measure] for row in LONG)])))[0])


@pytest.mark.parametrize("text", ["Trials of TACE; 99% CI", "90 % confidence intervals", "Values are HR (97.5%-KI)"])
@pytest.mark.parametrize("is_title", [True, False])
def test_a_level_in_a_title_or_a_note_is_named(text, is_title, written):
    note = [text, *[""] * 8]
    rows = [note, HEADINGS, *ROWS] if is_title else [HEADINGS, *ROWS, note]
    _, faults = read(written(lines(rows)))
    (named,) = (fault for fault in faults if fault.code == "W151")
    assert named.line == (1 if is_title else 5)
    assert "ci_level = 0.9" in named.fix


def test_a_level_of_95_percent_in_a_note_needs_no_warning(written):
    rows = [HEADINGS, *ROWS, ["CI: 95% confidence interval", *[""] * 8]]
    assert {fault.code for fault in read(written(lines(rows)))[1]} == {"W145"}


def test_hidden_rows_and_columns_of_a_workbook_are_named(written):
    path = written(sheet_of(NUMBERS), "hidden.xlsx")
    workbook = openpyxl.load_workbook(path)
    workbook.active.row_dimensions[3].hidden = True
    workbook.active.column_dimensions["I"].hidden = True
    workbook.active.column_dimensions["Q"].hidden = True
    workbook.save(path)
    effects, faults = read(path)
    assert_plain_effects(effects)
    assert [fault.code for fault in faults] == ["W135"]
    assert faults[0].rule.endswith("which are read: row 3, column I")


@pytest.mark.parametrize(
    ("name", "curated"),
    [
        ("TACTICS (final)", "tactics"),
        ("LEAP-012 update 2025", "leap-012"),
        ("Brisk-TA [OS]", "brisk-ta"),
        ("Li 2031", ""),
    ],
)
def test_a_name_with_a_data_cut_may_be_a_curated_trial(name, curated, written):
    path = written(lines([HEADINGS, [name, *ROWS[0][1:]]]))
    named = [fault for fault in read_trials(add=path).faults if fault.code == "W150" and fault.file == str(path)]
    assert [fault.rule.split(",")[0] for fault in named] == ([f"this may be {curated}"] if curated else [])
