"""Forms of cells and headings in papers, programs and languages other than English."""

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.trials import read_pairs
from surrogacy.trials.cells import parse_interval
from surrogacy.trials.user_tables.headings import interpret_heading
from tests.support.natural_tables import HEADINGS, LONG, LONG_HEADINGS, ROWS, decimal_comma, lines, sheet_of
from tests.support.plain_effects import assert_plain_effects


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a table, and compares the effects with those of the plain table."""

    def check(content: bytes, name: str = "table.csv"):
        path = tmp_path / name
        path.write_bytes(content)
        trials = read_pairs(path)
        assert_plain_effects(trials.pair(trials.surrogates))
        return trials

    return check


def intervals(form, headings=("HR PFS (95% CI)", "HR OS (95% CI)"), trial="trial"):
    """Return rows with one cell per hazard ratio."""
    return [[trial, *headings], *([row[0], form.format(*row[3:6]), form.format(*row[6:9])] for row in ROWS)]


@pytest.mark.parametrize(
    "form",
    [
        "{0}† ({1}–{2})",
        "HR: {0}; 95% CI: {1}-{2}",
        "{0} ({1} through {2})",
        "{0} (95% CI {1} and {2})",
        "{0} ({1}~{2})",
        "{0} ({1}…{2})",
        "{0} ({1}|{2})",
        "{0} ({1}--{2})",
        "aHR {0} ({1}-{2})",
        "{0} (stratified; {1}-{2})",
        "{0}（{1}–{2}）",
        "{0} ({1}\u200b–{2}\u2060)",
        "{0} ({1} à {2})",
    ],
)
@pytest.mark.parametrize("point", [".", "∙", "⋅"])
def test_an_interval_is_read_in_each_form(form, point, read):
    rows = intervals(form)
    read(
        lines([rows[0], *([row[0], *(cell.replace(".", point) for cell in row[1:])] for row in rows[1:])], quoted=True)
    )


@pytest.mark.parametrize(
    "text",
    ["∼0.62 (0.50-0.77)", "0.62a (0.50-0.77)", "0.62 (0.50*0.77)", "sHR 0.62 (0.50-0.77)", "RR 0.62 (0.50-0.77)"],
)
def test_other_forms_are_not_intervals(text):
    assert parse_interval(text) is None


def test_two_dashes_before_a_logarithm_are_a_dash_and_a_minus():
    assert parse_interval("-0.48 (-0.69--0.26)").high == "-0.26"


@pytest.mark.parametrize(
    ("trial", "headings", "form"),
    [
        ("Studie", ("HR PFS (95%-KI)", "HR OS (95%-KI)"), "{0} ({1} bis {2})"),
        ("Étude", ("HR SSP (IC 95 %)", "HR survie globale (IC 95 %)"), "{0} [{1} à {2}]"),
        ("Ensayo", ("HR SLP (IC 95%)", "HR supervivencia global (IC 95%)"), "{0} (IC 95%: {1} a {2})"),
        (
            "Trial",
            ("Hazard ratio for disease progression or death (95% CI)", "Hazard ratio for death (95% CI)"),
            "{0} ({1}-{2})",
        ),
        ("Trial", ("HR for PFS by BICR (95% CI)", "OS stratified HR, ITT (95% CI)"), "{0} ({1}-{2})"),
        ("Trial [ref]", ("HR PFS (experimental vs. control)", "HR OS (experimental vs. control)"), "{0} ({1}-{2})"),
    ],
)
def test_headings_of_other_languages(trial, headings, form, read):
    rows = intervals(form, headings, trial)
    read(lines([rows[0], *decimal_comma(rows[1:])], ";"))


def test_limits_in_columns_with_german_headings(read):
    headings = ["Studie", "Patienten experimentell", "Patienten Kontrolle", "HR PFS", "unteres KI PFS", "oberes KI PFS"]
    headings += ["HR Gesamtüberleben", "untere Grenze OS", "obere Grenze OS"]
    trials = read(lines(decimal_comma([headings, *ROWS]), ";"))
    assert list(trials.trials["n_ctl"]) == [100, 150, 120]


@pytest.mark.parametrize(
    "heading",
    [
        "HR PFS (control vs experimental)",
        "1/HR PFS",
        "HR PFS (placebo/active)",
        "HR OS superior",
        "HR SG",
        "OS superiority p",
        "HR OS non-inferior",
        "HR recurrence or death",
        "HR liver death",
        "HR [ref]",
        "Ki67",
        "IC50",
        "KI",
        "Sig",
    ],
)
def test_headings_with_another_meaning_are_not_understood(heading):
    assert interpret_heading(heading) is None


@pytest.mark.parametrize(
    "text",
    ["OS immature", "data not mature", "TBA", "not done", "ongoing", "NR†", "(immature)", "Not reported*", "-.-"],
)
def test_marks_of_a_missing_effect(text, read):
    new = ["Delta", "0.60 (0.45-0.80)", text]
    trials = read(lines([*intervals("{0} ({1}-{2})"), new]))
    assert [effect.endpoint for effect in trials.reported if effect.comparison == "Delta"] == ["PFS"]


@pytest.mark.parametrize("form", ["{0}/{1}", "{0} vs {1}", "{0} v {1}", "{0}+{1}"])
@pytest.mark.parametrize("heading", ["N", "n (exp/ctl)", "No. of patients (experimental/control)"])
def test_patients_of_both_arms_in_one_cell(form, heading, read):
    rows = [[heading, HEADINGS[0], *HEADINGS[3:]]]
    rows += [[form.format(100 + i, 90 + i), row[0], *row[3:]] for i, row in enumerate(ROWS)]
    trials = read(lines(rows))
    assert list(trials.trials["n_exp"]) == [100, 101, 102]
    assert list(trials.trials["n_ctl"]) == [90, 91, 92]
    assert [fault.code for fault in trials.faults if fault.severity == "info"] == ["I143"]


@pytest.mark.parametrize("text", ["2:1", "1:1", "200 (60/120)", "170/168/150"])
def test_other_pairs_are_not_patients(text, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(lines([[*HEADINGS[:1], "n", *HEADINGS[3:]], *([row[0], text, *row[3:]] for row in ROWS)]))
    with pytest.raises(DataError, match="not a number of patients"):
        read_pairs(path)


def test_a_count_with_its_percentage_is_the_count(read):
    rows = [[*HEADINGS, "events_exp_os"], *([*row, f"{60 + i} (6{i}%)"] for i, row in enumerate(ROWS))]
    trials = read(lines(rows))
    assert [effect.events_exp for effect in trials.reported if effect.endpoint == "OS"] == [60, 61, 62]


@pytest.mark.parametrize(
    "headings",
    [
        ["Trial", "Endpoint", "Exp(B)", "95,0% CI for Exp(B) Lower", "95,0% CI for Exp(B) Upper"],
        ["Trial", "Endpunkt", "Exp(B)", "95,0% Konfidenzintervall für Exp(B) Untere", "95,0% KI für Exp(B) Obere"],
        ["trial", "outcome", "Haz. Ratio", "[95% Conf.", "Interval]"],
    ],
)
def test_headings_of_spss_and_stata(headings, read):
    read(lines([headings, *decimal_comma([[*row[:2], *row[4:]] for row in LONG])], ";"))


def test_an_estimate_below_the_heading_of_its_limits(read):
    headings = ["Study or Subgroup", "Outcome", "log[Hazard Ratio]", "SE", "IV, Random, 95% CI"]
    rows = []
    for row in LONG:
        ratio, low, high = map(float, row[4:])
        error = np.log(high / low) / (2 * 1.959964)
        rows.append([*row[:2], f"{np.log(ratio):.6f}", f"{error:.6f}", f"{row[4]} [{row[5]}, {row[6]}]"])
    read(lines([headings, *rows], ";"))


def test_a_title_above_headings_in_three_rows(read):
    groups = ["", "Patients", "", "PFS", "", "", "OS", "", ""]
    names = ["Study", "exp", "ctl", "HR", "95% CI", "", "HR", "95% CI", ""]
    limits = ["", "", "", "", "Lower", "Upper", "", "Lower", "Upper"]
    title = ["Efficacy", *[""] * 8]
    read(sheet_of([title, groups, names, limits, *ROWS]), "table.xlsx")


def test_the_name_of_a_trial_only_in_its_first_row(read):
    rows = [[row[0] if row[1] == "PFS" else "", *row[1:]] for row in LONG]
    trials = read(lines([LONG_HEADINGS, *rows]))
    assert [(fault.code, fault.line, fault.value) for fault in trials.faults] == [("I143", 3, "Alpha")]


def test_an_effect_of_an_example_of_the_template_is_named(tmp_path):
    path = tmp_path / "table.csv"
    assert main(["--template", str(path)]) == 0
    first, example, *rest = path.read_text(encoding="utf-8").splitlines()
    assert not [
        fault for fault in _faults(path, [first, example.replace("EXAMPLE ", ""), *rest]) if fault.code == "W148"
    ]
    faults = _faults(path, [first, example.replace("EXAMPLE TACTICS", "My trial"), *rest])
    assert {(fault.line, fault.column) for fault in faults if fault.code == "W148"} == {
        (2, "hr_surrogate"),
        (2, "hr_os"),
    }


def _faults(path, rows):
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return read_pairs(path).faults


def test_an_assessment_in_a_heading_gives_way_to_the_plain_heading(read):
    rows = [[*HEADINGS, "HR PFS (investigator)"], *([*row, "0.50"] for row in ROWS)]
    trials = read(lines(rows))
    assert [(fault.code, fault.column) for fault in trials.faults] == [("W004", "HR PFS (investigator)")]
