"""Written forms of numbers: what is read, what is refused, and the remedy."""

import pytest

from surrogacy.trials.cell_forms import is_date, is_p, plain_form, remedy
from surrogacy.trials.columns import TRIALS
from surrogacy.trials.user_tables.table_header import find_header
from surrogacy.trials.value_names import allowed_value, remedy_of_value

COLUMNS = {column.name: column for column in TRIALS}


@pytest.mark.parametrize(
    ("text", "quantity", "number"),
    [
        ("0,62", "hr", "0.62"),
        (",62", "ci_low", ".62"),
        ("-0,478", "log_hr", "-0.478"),
        ("\u22120.478", "log_hr", "-0.478"),
        ("0\u00b762", "hr", "0.62"),
        ("0.62\u2020", "hr", "0.62"),
        ("1,200", "n_exp", "1200"),
        ("1 200", "n", "1200"),
        ("1\u2019200", "n_ctl", "1200"),
        ("n=98", "n_exp", "98"),
        ("98 events", "events_exp", "98"),
        ("23,4 months", "median", "23.4"),
        ("23.4 mo.", "median", "23.4"),
        ("12 months", "follow_up_low", "12"),
        ("23.4 months (20.1\u201327.0)", "median", "23.4 (20.1-27.0)"),
        ("P = 0.04", "p", "0.04"),
        ("p-value: 0.04", "p", "0.04"),
        ("stratified log-rank P<.001", "p", "<.001"),
        ("\u2264 0,01", "p", "<0.01"),
        ("0.03 (one-sided)", "p", "0.03"),
        ("1e-7", "p", "1e-7"),
    ],
)
def test_forms_with_one_meaning(text, quantity, number):
    assert plain_form(text, quantity) == number


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("62%", "hr"),
        ("0.62 or 0.70", "hr"),
        ("0.62 months", "hr"),
        ("1,20", "n"),
        ("12,50", "events_exp"),
        ("about 90", "n"),
        ("5.2 years", "median"),
        ("60/100", "events_exp"),
        ("1,234", "stage"),
        ("9" * 300 + ",5", "hr"),
    ],
)
def test_forms_with_another_meaning_are_kept_as_written(text, quantity):
    assert plain_form(text, quantity) == text


@pytest.mark.parametrize("text", ["NS", "p", "0", "0.000", "1.2", "<0", "62%", "0.04 vs 0.05"])
def test_text_that_is_not_a_p_value(text):
    assert not is_p(plain_form(text, "p"))


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("62%", "hr", "did you mean 0.62?"),
        ("62,5 %", "ci_low", "did you mean 0.625?"),
        ("45%", "orr_pct", "did you mean 45?"),
        ("2026-05-12", "hr", "12-5, 12.5, 5.12"),
        ("1925-01-01 00:00:00", "hr", "1.25"),
        ("12. Mai", "hr", "converted the entry to a date"),
        ("Dec-05", "ci_high", "converted the entry to a date"),
        ("12/05/2026", "hr", "converted the entry to a date"),
        ("2026-13-45", "hr", "converted the entry to a date"),
        (">36", "median_os", "write NR"),
        ("36+", "median_os", "write NR"),
        (">1", "hr", "a bound cannot be used"),
        ("2.5 years", "median_os", "did you mean 30.0?"),
        ("52 weeks", "median_pfs", "did you mean 12.0?"),
        ("60/100", "events_exp", "did you mean 60 of 100?"),
        ("1.200", "n_exp", "did you mean 1200?"),
        ("\u0660.62", "hr", "use the digits 0 to 9"),
        ("0.62 (0.41)", "hr", "write an interval in the cell"),
        ("see text", "hr", ""),
        ("3.10", "hr", ""),
    ],
)
def test_remedies(text, column, words):
    assert words in remedy(text, column)
    assert bool(remedy(text, column)) == bool(words)


@pytest.mark.parametrize("text", ["0.62", "12-5-3", "MAY-1-TRIAL", "2026", "SPACE", "March trial", "12.5"])
def test_texts_that_are_no_date(text):
    assert not is_date(text)


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("stage", "Intermediate", "intermediate"),
        ("stage", "BCLC stage B", "intermediate"),
        ("stage", "BCLC-B (intermediate)", "intermediate"),
        ("stage", "Stage C", "advanced"),
        ("stage", "BCLC B/C", "mixed"),
        ("stage", "early", ""),
        ("line", "1L", "first"),
        ("line", "2nd-line", "second"),
        ("line", "3L", ""),
        ("class", "ICI + antiangiogenic", "ici+antiangiogenic"),
        ("class", "TACE + systemic", ""),
        ("masking", "Open label", "open-label"),
        ("region", "ASIA", "asia"),
        ("phase", "III", ""),
    ],
)
def test_names_of_values(column, text, value):
    assert allowed_value(COLUMNS[column], text) == value


@pytest.mark.parametrize(
    ("column", "text", "suggested"),
    [
        ("class", "TACE + systemic", "'tace-combination'"),
        ("class", "nivolumab", "'ici'"),
        ("class", "radioembolisation", "'sirt'"),
        ("phase", "III", "'3'"),
        ("line", "3rd line", "'first'"),
        ("stage", "intermed.", "'intermediate'"),
    ],
)
def test_values_that_are_suggested(column, text, suggested):
    fix = remedy_of_value(COLUMNS[column], text)
    assert suggested in fix.partition("?")[0]
    assert fix.partition("?")[0].count("'") <= 6


HEADER = ["trial", "hr_pfs", "hr_os"]
ROW = ["A", "0.6", "0.8"]


@pytest.mark.parametrize(
    ("rows", "first", "headings"),
    [
        ([HEADER, ROW], 0, HEADER),
        ([["Table 1"], HEADER, ROW], 1, HEADER),
        ([["PFS and OS of trials", "", ""], HEADER, ROW], 1, HEADER),
        ([["Trial", "PFS", "OS"], ["", "HR", "HR"], ROW], 0, ["Trial", "PFS HR", "OS HR"]),
        ([["Trial", "PFS", "", "OS"], ["", "HR", "p", "HR"], ROW], 0, ["Trial", "PFS HR", "PFS p", "OS HR"]),
        (
            [["Trial", "PFS", "", "", ""], ["", "HR", "p", "Stage", "n"], ROW],
            0,
            ["Trial", "PFS HR", "PFS p", "Stage", "n"],
        ),
        (
            [["Trial", "Arms", "", "HR", ""], ["", "exp n", "ctl n", "PFS", "OS"], ROW],
            0,
            ["Trial", "exp n", "ctl n", "HR PFS", "HR OS"],
        ),
        ([["a", "b", "c"], ["d", "e", "f"]], 0, ["a", "b", "c"]),
        ([["trial", "x", "y"], ROW, HEADER], 2, HEADER),
        ([["Alpha", "HR", "0.6"], HEADER, ROW], 1, HEADER),
    ],
)
def test_places_and_headings_of_headers(rows, first, headings):
    header = find_header(rows)
    assert (header.first, list(header.headings)) == (first, headings)
