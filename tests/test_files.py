"""Files: what cannot be read is named in one line per fault, and nothing is trusted that a file states of itself."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.trials import read_pairs
from surrogacy.trials.files import read_table
from tests.support.fault_inputs import HEADER, ROWS, SETS, TABLES, table, workbook, workbooks

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
    "half-a-workbook.xlsx": (0, "E001", "not a workbook that can be read"),
    "not-a-workbook.xlsx": (0, "E001", "not a workbook that can be read"),
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
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "a folder"),
        (tmp_path / "link.csv", "link leads to no file"),
        (tmp_path / ("x" * 300), "cannot be read"),
        ("\udcff.csv", "no such file"),
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


# --- analysis sets ------------------------------------------------------------------------------------------------

BROKEN_SETS = {
    "set-of-two-trials.csv": (2, "E016", "the final effect of space"),
    "set-with-swapped-sides.csv": (2, "E016", "swapped"),
    "set-with-a-row-twice.csv": (4, "E016", "in the set already"),
    "set-unknown-effect.csv": (2, "E006", "no such effect"),
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
