"""Files: what cannot be read is named in one line per fault, and nothing is trusted that a file states of itself."""

import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.trials import read_pairs, read_trials
from surrogacy.trials.files import read_table
from tests.support.fault_inputs import HEADER, ROWS, SETS, TABLES, renamed, repacked, table, workbook, workbooks

REFUSED = {
    "endpoint-empty.csv": (3, "E007", "endpoint is required"),
    "infinite-ratio.csv": (2, "E008", "finite"),
    "endless-patients.csv": (2, "E008", "whole number"),
    "no-patients-in-one.csv": (3, "E130", "at least one patient"),
    "control-character.csv": (2, "E013", "U+0007"),
    "null-character.csv": (2, "E013", "U+0000"),
    "bidirectional.csv": (2, "E013", "U+202E"),
    "line-break-in-name.csv": (2, "E013", "a line break"),
    "long-cell.csv": (2, "E003", "131,072 characters"),
    "long-number.csv": (2, "E008", "not a number"),
    "open-quote.csv": (3, "E003", "not closed"),
    "latin-1.csv": (0, "E001", "not UTF-8"),
    "workbook-named.csv": (0, "E001", "a workbook"),
    "formula-without-value.xlsx": (2, "E015", "B2"),
    "half-a-workbook.xlsx": (0, "E001", "not a readable workbook"),
    "not-a-workbook.xlsx": (0, "E001", "not a readable workbook"),
    "encrypted.xlsx": (0, "E001", "encrypted"),
    "missing-part.xlsx": (0, "E001", "cannot be read"),
    "bad-xml.xlsx": (0, "E001", "cannot be read"),
    "bad-checksum.xlsx": (0, "E001", ""),
    "document-type.xlsx": (0, "E001", "document type"),
    "no-sheet.xlsx": (0, "E001", ""),
}
INPUTS = {**TABLES, **workbooks()}


@pytest.fixture
def file(tmp_path):
    """Write an input and give its path."""

    def write(name, content=None):
        path = tmp_path / name
        path.write_bytes(INPUTS[name] if content is None else content)
        return path

    return write


@pytest.mark.parametrize("option", ["--pairs", "--add"])
@pytest.mark.parametrize("name", REFUSED)
def test_inputs_that_are_refused(name, option, file, capsys):
    line, code, words = REFUSED[name]
    path = file(name)
    start = time.process_time()
    assert main(["--check", option, str(path)]) == 3
    assert time.process_time() - start < 5
    shown = capsys.readouterr()
    place = f"{path}:{line}: " if line else f"{path}: "
    assert any(text.startswith(f"{place}{code} error") and words in text for text in shown.err.splitlines()), shown.err
    assert "Traceback" not in shown.err + shown.out
    assert all(len(text) < 1000 for text in shown.err.splitlines())


@pytest.mark.parametrize("name", ["chart-sheet-first.xlsx", "dimension-a1.xlsx", "hidden-first.xlsx", "dates.xlsx"])
def test_workbooks_that_are_read(name, file):
    trials = read_pairs(file(name))
    assert np.exp(trials.pair(trials.surrogates).log_hr[:, 0]) == pytest.approx([0.66, 0.76, 0.56])


def test_the_sheet_that_is_read_is_named(file, capsys):
    assert main(["--check", "--pairs", str(file("hidden-first.xlsx"))]) == 0
    assert "W135 warning: sheet 'Sheet' is read; hidden: 'Notes'" in capsys.readouterr().out


def test_dates_in_a_workbook(file):
    trials = read_pairs(file("dates.xlsx"))
    assert set(trials.effects["data_cut"]) == {"2024-03-01", "2024-04-02", "2024-05"}


def test_truth_values_in_a_workbook(file):
    def fill(book):
        for row, value in enumerate(["preferred", True, True, True], start=1):
            book.active.cell(row, 10, value)

    assert read_pairs(file("truth.xlsx", workbook(fill))).effects["preferred"].all()


def test_a_workbook_under_another_name(file):
    assert len(read_table(file("table.csv", workbook())).rows) == 3


def test_large_files_are_refused(file, monkeypatch):
    from surrogacy.trials import files, workbooks

    monkeypatch.setattr(files, "SIZE_LIMIT", 100)
    monkeypatch.setattr(workbooks, "SIZE_LIMIT", 100)
    for name, content in (("large.csv", table(*ROWS)), ("large.xlsx", workbook())):
        with pytest.raises(DataError, match="MiB"):
            read_table(file(name, content))


def test_a_workbook_that_unpacks_to_more_than_the_limit(file, monkeypatch):
    from surrogacy.trials import workbooks

    monkeypatch.setattr(workbooks, "SIZE_LIMIT", 1000)
    with pytest.raises(DataError, match="unpacks to"):
        read_table(file("bomb.xlsx", workbook()))


def test_names_that_are_read_as_they_are(file):
    for name, trial in (
        ("slash-in-name.csv", "A/B trial"),
        ("brackets-in-name.csv", "[bold]A[/bold] [/]"),
        ("bar-in-name.csv", "A | B"),
        ("formula-like-names.csv", "=1+1"),
    ):
        assert read_pairs(file(name)).added[0] == trial


def test_a_heading_with_a_line_break(file):
    content = table(*ROWS).replace(b"hr_pfs", b'"HR\nPFS"', 1)
    assert len(read_pairs(file("own.csv", content)).added) == 4


def test_missing_files_folders_and_links(tmp_path, capsys):
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    for name, words in (
        (tmp_path / "none.csv", "does not exist"),
        (tmp_path, "a folder"),
        (tmp_path / "link.csv", "link is broken"),
        (tmp_path / ("x" * 300), "cannot be read"),
        ("\udcff.csv", "does not exist"),
    ):
        assert main(["--check", "--pairs", str(name)]) == 3
        assert words in capsys.readouterr().err


def test_pipes(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(table(*ROWS)))
    writer.start()
    assert len(read_table(path).rows) == 4
    writer.join()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input(name):
    command = [sys.executable, "-m", "surrogacy.fit", "--check", "--pairs", name]
    done = subprocess.run(command, input=table(*ROWS), capture_output=True, check=True)
    assert b"4 comparisons, 8 hazard ratios" in done.stdout


@pytest.mark.parametrize("number", ["9" * 200, "1e200", "99999999999999999999"])
@pytest.mark.parametrize("column", ["150", "148"])
def test_numbers_of_patients_beyond_every_trial(number, column, file, capsys):
    path = file("own.csv", table(ROWS[0].replace(column, number, 1), *ROWS[1:]))
    assert main(["--check", "--pairs", str(path)]) == 3
    assert f"{path}:2: E008 error" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["999", "1e30", "-1e30", "9" * 200])
@pytest.mark.parametrize("columns", ["hr_os,log_hr_os", "log_hr_os,se_os", "log_hr_os,ci_low_os,ci_high_os"])
def test_logarithms_beyond_every_hazard_ratio(columns, number, file, capsys):
    usual = {"hr_os": "0.8", "se_os": "0.15", "ci_low_os": "0.6", "ci_high_os": "1.07", "log_hr_os": number}
    row = ",".join(usual[name] for name in columns.split(","))
    path = file("own.csv", table(f"A,0.66,0.51,0.85,{row}", header=f"trial,hr_pfs,ci_low_pfs,ci_high_pfs,{columns}"))
    code = main(["--check", "--pairs", str(path)])
    assert code == 3 or (code == 0 and columns.startswith("hr_os"))  # a hazard ratio beside the logarithm is used
    shown = capsys.readouterr()
    assert f"{path}:2: " in shown.err + shown.out


@pytest.mark.parametrize("number", ["\u0660.\u0666\u0666", "\uff10.\uff16\uff16"])
def test_digits_of_other_scripts_are_not_taken_for_empty_cells(number, file, capsys):
    path = file("own.csv", table(ROWS[0].replace("0.66", number), *ROWS[1:]))
    assert main(["--check", "--pairs", str(path)]) == 3
    assert "use the digits 0 to 9" in capsys.readouterr().err


@pytest.mark.parametrize(
    "character", ["\u200b", "\u200e", "\u200f", "\ufeff", "\u00ad", "\u2028", "\u061c", "\ufffe", "\uffff"]
)
def test_characters_that_nobody_sees_or_no_figure_can_hold(character, file, capsys):
    path = file("own.csv", renamed(f"A{character}B"))
    assert main(["--check", "--pairs", str(path)]) == 3
    assert f"{path}:2: E013 error" in capsys.readouterr().err


def formula_in(cell):
    return lambda part, content: re.sub(rb'<c r="B2"[^>]*>.*?</c>', cell, content)


FORMULAS = {
    "array": (b'<c r="B2"><f t="array" ref="B2">75*2</f></c>', 3),
    "data table": (b'<c r="B2"><f t="dataTable" ref="B2" r1="A1"/></c>', 3),
    "error": (b'<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', 3),
    "empty text": (b'<c r="B2" t="str"><f>IF(1,"")</f><v></v></c>', 0),
    "value": (b'<c r="B2"><f>75*2</f><v>150</v></c>', 0),
}


@pytest.mark.parametrize("kind", FORMULAS)
def test_formulas_of_every_kind(kind, file, capsys):
    cell, code = FORMULAS[kind]
    path = file("own.xlsx", repacked(workbook(), formula_in(cell)))
    assert main(["--check", "--pairs", str(path)]) == code
    assert ("E015" in capsys.readouterr().err) == (kind in ("array", "data table"))


SHEETS = {
    "rows exchanged": (
        lambda xml: re.sub(rb'(<row r="2".*?</row>)(<row r="3".*?</row>)', rb"\2\1", xml),
        "has row 2 below row 3",
    ),
    "row twice": (lambda xml: xml.replace(b'<row r="3"', b'<row r="2"'), "has row 2 below row 2"),
    "last row": (lambda xml: xml.replace(b'<row r="4"', b'<row r="1000000000"'), "more than 1,048,576 rows"),
    "late type": (lambda xml: b"<!--" + b"x" * 5000 + b'--><!DOCTYPE x [<!ENTITY e "e">]>' + xml, "document type"),
    "UTF-16": (
        lambda xml: f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x>{xml.decode()}'.encode("utf-16"),
        "document type",
    ),
}


@pytest.mark.parametrize("kind", SHEETS)
def test_sheets_of_which_rows_would_be_lost(kind, file, capsys):
    change, words = SHEETS[kind]
    raw = repacked(workbook(), lambda part, content: change(content) if part.endswith("sheet1.xml") else content)
    path = file("own.xlsx", raw)
    assert main(["--check", "--pairs", str(path)]) == 3
    shown = capsys.readouterr().err
    assert "E001 error" in shown
    assert words in shown


# --- analysis sets ------------------------------------------------------------------------------------------------

BROKEN_SETS = {
    "set-of-two-trials.csv": (2, "E016", "the final effect to space"),
    "set-with-swapped-sides.csv": (2, "E016", "give an effect on OS in final_effect"),
    "set-with-a-row-twice.csv": (4, "E016", "already in the set"),
    "set-unknown-effect.csv": (2, "E006", "no effect with this identifier"),
    "set-without-patients.csv": (2, "E008", "not a number of patients"),
    "set-with-empty-cell.csv": (2, "E007", "final_effect is required"),
    "set-unknown-column.csv": (2, "E009", "no such column"),
}


@pytest.mark.parametrize("name", BROKEN_SETS)
@pytest.mark.parametrize("check", [True, False])
def test_broken_sets(name, check, own_tables, tmp_path, capsys):
    line, code, words = BROKEN_SETS[name]
    (own_tables.folder / "sets" / name).write_bytes(SETS[name])
    arguments = ["--check"] if check else [name.removesuffix(".csv"), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--trials", str(own_tables.folder)]) == 3
    shown = capsys.readouterr().err
    assert any(f"{name}:{line}: {code} error" in text and words in text for text in shown.splitlines()), shown
    assert not (tmp_path / "out").exists()


def test_exchanged_effects_are_noticed(own_tables, capsys):
    path = own_tables.folder / "sets" / "tactics-2022.csv"
    text = path.read_text().replace("space:os:primary-2", "X").replace("post-tace:os:final", "space:os:primary-2")
    path.write_text(text.replace("X", "post-tace:os:final"))
    assert main(["tactics-2022", "--trials", str(own_tables.folder), "--json"]) == 3
    shown = capsys.readouterr().err
    assert shown.count("E016") == 2


def test_a_rule_that_selects_nothing_is_a_warning(own_tables, capsys):
    (own_tables.folder / "sets" / "mine.csv").write_text("column,value\nstage,intermediat\nstage,advanced\n")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "mine.csv:2: W136 warning" in capsys.readouterr().out


PAIR = "brisk-ta:ttp:final,brisk-ta:os:final"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (f"surrogate_effect,final_effect,n_exp,n_ctrl\n{PAIR},10,10\n", "E004", "n_ctrl"),
        (f"surrogate_effect,final_effect,column,value\n{PAIR},stage,advanced\n", "E004", "column"),
        *(
            (f"surrogate_effect,final_effect,n_exp\n{PAIR},{n}\n", "E008", "patients")
            for n in ("1_0", "\u0663", "1e3", "0", "9" * 300)
        ),
    ],
)
def test_sets_with_odd_columns_and_numbers(content, code, words, own_tables, capsys):
    (own_tables.folder / "sets" / "mine.csv").write_text(content)
    assert main(["--check", "--trials", str(own_tables.folder)]) == 3
    shown = capsys.readouterr().err
    assert f"{code} error" in shown
    assert words in shown


def test_rules_on_a_year(own_tables):
    own_tables("trials", {"comparison": "tactics"}, year="")
    (own_tables.folder / "sets" / "mine.csv").write_text("column,value\nyear,2008\nyear,2017\n")
    trials = read_trials(own_tables.folder)
    assert trials.check_sets() == []
    assert set(trials.analysis_set("mine").factors["year"]) == {"2008", "2017"}


def test_a_rule_whose_columns_exclude_each_other(own_tables, capsys):
    (own_tables.folder / "sets" / "mine.csv").write_text("column,value\nstage,intermediate\nline,second\n")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "mine.csv: W136 warning" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["sets/mine.csv", "at_risk.csv"])
def test_pipes_in_a_folder_of_tables(name, own_tables, capsys):
    (own_tables.folder / name).unlink(missing_ok=True)
    os.mkfifo(own_tables.folder / name)
    assert main(["--check", "--trials", str(own_tables.folder)]) in (0, 3)


def test_a_truncated_set(own_tables, capsys):
    path = own_tables.folder / "sets" / "tactics-2022.csv"
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b"\n", 200)])
    assert main(["--check", "--trials", str(own_tables.folder)]) == 3
    assert "tactics-2022.csv:" in capsys.readouterr().err
    path.write_bytes(raw[: raw.index(b"\n", 200) + 1])
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "tactics-2022.csv: W137 warning" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["at_risk.csv", "sets/all.csv"])
def test_a_listed_file_that_is_missing(name, own_tables, capsys):
    (own_tables.folder / name).unlink()
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert f"{name}: W137 warning: SHA256SUMS lists this file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "warnings"),
    [
        (lambda raw: re.sub(rb"^\w+", lambda digest: digest[0].upper(), raw, flags=re.MULTILINE), 0),
        (lambda raw: raw.replace(b"  ", b" *"), 0),
        (lambda raw: raw.replace(b"  ", b"  ./"), 0),
        (lambda raw: raw.replace(b"\n", b"\r\n"), 0),
        (lambda raw: raw[:100], 3),
        (lambda raw: b"", 4),
        (lambda raw: b"\xff\xfe", 4),
    ],
)
def test_forms_of_a_file_of_checksums(change, warnings, own_tables):
    path = own_tables.folder / "SHA256SUMS"
    path.write_bytes(change(path.read_bytes()))
    found = [fault for fault in read_trials(own_tables.folder).faults if fault.code == "W137"]
    assert len(found) == warnings


def test_shipped_sets_pass(trials):
    assert trials.check_sets() == []


@pytest.mark.parametrize("name", ["trials", "effects", "arms"])
def test_a_truncated_table(name, own_tables, capsys):
    path = own_tables.folder / f"{name}.csv"
    raw = path.read_bytes()
    for size in (len(raw) // 2, len(raw) - 1, len(raw) - 40):
        path.write_bytes(raw[:size])
        assert main(["--check", "--trials", str(own_tables.folder)]) == 3
        assert f"{name}.csv" in capsys.readouterr().err


def test_an_edited_table_is_a_warning(own_tables, capsys):
    own_tables("effects", {"effect_id": "brisk-ta:os:final"}, hr="0.91")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "effects.csv: W137 warning" in capsys.readouterr().out
    (own_tables.folder / "SHA256SUMS").unlink()
    assert main(["--check", "--trials", str(own_tables.folder)]) == 0
    assert "W137" not in capsys.readouterr().out


def test_a_short_row_of_a_curated_table_is_an_error(own_tables, capsys):
    (own_tables.folder / "SHA256SUMS").unlink()
    path = own_tables.folder / "arms.csv"
    path.write_bytes(path.read_bytes() + b"tactics,exp\n")
    assert main(["--check", "--trials", str(own_tables.folder)]) == 3
    assert "E003" in capsys.readouterr().err


# --- resources ----------------------------------------------------------------------------------------------------


def seconds_to_read(rows, tmp_path):
    path = tmp_path / f"{rows}.csv"
    path.write_text("\n".join([HEADER, *(f"T{i},400,410,0.69,0.54,0.89,0.90,0.70,1.16" for i in range(rows)), ""]))
    start = time.process_time()
    read_pairs(path)
    return time.process_time() - start


@pytest.mark.slow
def test_time_grows_with_the_rows(tmp_path):
    seconds_to_read(100, tmp_path)
    assert seconds_to_read(8000, tmp_path) < 8 * 1.8 * seconds_to_read(1000, tmp_path)


@pytest.mark.parametrize("value", ["710", "-800", "1e308", "inf"])
def test_a_logarithm_that_no_hazard_ratio_has_is_named_in_its_cell(value, tmp_path, capsys):
    path = tmp_path / "own.csv"
    row = "{},100,100,{},0.2,0.9,0.7,1.2"
    lines = [row.format("A", value), row.format("B", -0.2), row.format("C", -0.3)]
    path.write_text("\n".join(["trial,n_exp,n_ctl,log_hr_pfs,se_pfs,hr_os,ci_low_os,ci_high_os", *lines]))
    assert main(["--check", "--pairs", str(path)]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}:2: E101 error: A PFS: log_hr_pfs = '{value}'")


def test_more_patients_than_a_number_can_tell_apart_end_in_no_traceback(tmp_path):
    path = tmp_path / "own.csv"
    header = "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os"
    path.write_text(
        "\n".join(
            [
                header,
                "A,2305843009213694000,1,0.7,0.5,0.98,0.9,0.7,1.16",
                *(f"{x},90,90,0.7,0.5,0.98,0.9,0.7,1.16" for x in "BC"),
            ]
        )
    )
    assert main(["--check", "--pairs", str(path)]) in (0, 3)


def test_a_negative_hazard_ratio_with_a_p_value_gives_one_line(tmp_path, capsys):
    path = tmp_path / "own.csv"
    lines = ["trial,n_exp,n_ctl,hr_pfs,p_pfs,hr_os,ci_low_os,ci_high_os"]
    lines += [f"{x},90,90,{hr},0.01,0.9,0.7,1.16" for x, hr in (("A", -1), ("B", 0.7), ("C", 0.8))]
    path.write_text("\n".join(lines))
    assert main(["--check", "--pairs", str(path)]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert ":2: E101 error: A PFS: hr_pfs = '-1'" in line
