"""Files: what cannot be read is named in one line per fault, and nothing is trusted that a file states of itself."""

import os
import subprocess
import sys
import threading
import time

import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.trials import files, read_pairs
from surrogacy.trials.user_tables import workbooks
from surrogacy.trials.user_tables.table_files import read_user_table
from tests.support.fault_inputs import HEADER, ROWS, renamed, table, workbook

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


def test_large_files_are_refused(file, monkeypatch):
    monkeypatch.setattr(files, "SIZE_LIMIT", 100)
    monkeypatch.setattr(workbooks, "SIZE_LIMIT", 100)
    for name, content in (("large.csv", table(*ROWS)), ("large.xlsx", workbook())):
        with pytest.raises(DataError, match="MiB"):
            read_user_table(file(name, content))


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
    assert len(read_user_table(path).rows) == 4
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
