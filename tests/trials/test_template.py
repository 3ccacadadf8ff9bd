"""The table to fill in: what it contains, what is refused, and the way from the template to a fit."""

import csv
import io
import json

import numpy as np
import openpyxl
import pytest

from surrogacy.cli.template import main as template
from surrogacy.errors import DataError
from surrogacy.fit import main as fit
from surrogacy.trials import read_pairs, read_trials
from surrogacy.trials.columns import TRIALS
from surrogacy.trials.user_tables.headings import interpret_heading
from surrogacy.trials.user_tables.template import EXAMPLES, TEMPLATE_COLUMNS, example_rows

TRIAL = {
    "trial": "NEW-1",
    "stage": "intermediate",
    "line": "tace-combination",
    "class": "tace-combination",
    "n_exp": "150",
    "n_ctl": "148",
    "surrogate": "PFS",
    "hr_surrogate": "0,62",
    "ci_low_surrogate": "0,48",
    "ci_high_surrogate": "0,80",
    "p_surrogate": "p<0,001",
    "hr_os": "0.84",
    "ci_low_os": "0.64",
    "ci_high_os": "1.10",
    "median_os_exp": "NR",
    "median_os_ctl": "29.9 months",
    "evidence": "primary",
}


def written(folder, ending):
    path = folder / f"my_trials.{ending}"
    assert template([str(path), "--quiet"]) == 0
    return path


def fill_in(path, *trials, keep_examples=True):
    """Write trials below the examples, as a person does."""
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        sheet = book["trials"]
        headings = [cell.value for cell in sheet[1]]
        if not keep_examples:
            sheet.delete_rows(2, len(EXAMPLES))
        first = 2 + (len(EXAMPLES) if keep_examples else 0)
        for row, trial in enumerate(trials, start=first):
            for heading, text in trial.items():
                whole = heading in ("n_exp", "n_ctl")
                sheet.cell(row, headings.index(heading) + 1).value = int(text) if whole else text
        book.save(path)
        return path
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    kept = rows if keep_examples else rows[:1]
    added = [[trial.get(heading, "") for heading in rows[0]] for trial in trials]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([*kept, *added])
    return path


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.parametrize("keep_examples", [True, False])
def test_template_fill_in_check_and_read(ending, keep_examples, tmp_path, capsys):
    path = fill_in(written(tmp_path, ending), TRIAL, keep_examples=keep_examples)
    assert fit(["--check", "--add", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "1 comparison read (NEW-1)" in shown
    assert "ignored" not in shown
    assert ("I148 info: trial = 'EXAMPLE TACTICS'" in shown) == keep_examples
    trials = read_trials(add=path)
    assert trials.added == ("NEW-1",)
    added = trials.effects[trials.effects["comparison"] == "NEW-1"].set_index("endpoint")
    assert added.loc["PFS", ["hr", "ci_low", "ci_high"]].tolist() == [0.62, 0.48, 0.80]
    assert added.loc["OS", ["hr", "ci_low", "ci_high"]].tolist() == [0.84, 0.64, 1.10]
    arms = trials.arms[trials.arms["comparison"] == "NEW-1"].set_index("arm")
    assert arms.loc["ctl", "median_os"] == 29.9
    assert np.isnan(arms.loc["exp", "median_os"])  # not reached


@pytest.mark.slow
def test_the_filled_template_is_fitted(tmp_path, capsys):
    path = fill_in(written(tmp_path, "xlsx"), TRIAL)
    assert fit(["intermediate", "--add", str(path), "--model", "weighted-regression", "--json", "--quiet"]) == 0
    (record,) = json.loads(capsys.readouterr().out)["fits"]
    assert fit(["intermediate", "--model", "weighted-regression", "--json", "--quiet"]) == 0
    (before,) = json.loads(capsys.readouterr().out)["fits"]
    assert record["k"] == before["k"] + 1
    assert record["n"] == before["n"] + 298


def test_a_filled_template_is_fitted_alone(tmp_path):
    others = [
        {
            **TRIAL,
            "trial": f"NEW-{i}",
            "hr_surrogate": f"0.{5 + i}5",
            "ci_low_surrogate": f"0.{4 + i}",
            "ci_high_surrogate": f"0.{7 + i}5",
        }
        for i in (1, 2)
    ]
    trials = read_pairs(fill_in(written(tmp_path, "xlsx"), TRIAL | {"trial": "NEW-0"}, *others))
    effects = trials.pair(trials.surrogates)
    assert effects.trial == ("NEW-0", "NEW-1", "NEW-2")
    assert trials.surrogates == ("PFS",)


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_the_examples_alone_are_not_read(ending, tmp_path):
    with pytest.raises(DataError) as raised:
        read_trials(add=written(tmp_path, ending))
    (fault,) = raised.value.faults
    assert (fault.code, fault.line) == ("E001", 2)
    assert "no trials but the examples" in fault.rule


def test_an_example_with_other_values_is_a_warning(tmp_path, capsys):
    examples = example_rows()
    path = fill_in(written(tmp_path, "csv"), TRIAL, {**examples[0], "hr_os": "0.70"}, keep_examples=False)
    assert fit(["--check", "--add", str(path)]) == 0
    assert "W148 warning: trial = 'EXAMPLE TACTICS'" in "".join(capsys.readouterr())


def test_examples_are_trials_of_the_shipped_tables_that_pass_every_rule(tmp_path):
    renamed = [{**cells, "trial": cells["trial"].replace("EXAMPLE ", "My ")} for cells in example_rows()]
    trials = read_pairs(fill_in(written(tmp_path, "csv"), *renamed, keep_examples=False))
    assert [fault for fault in trials.faults if fault.severity == "warning"] == []
    shipped = read_trials().effects
    for comparison, cells in zip(EXAMPLES, example_rows(), strict=True):
        rows = shipped[(shipped["comparison"] == comparison) & shipped["preferred"]].set_index("endpoint")
        assert float(cells["hr_os"]) == rows.loc["OS", "hr"]
        assert float(cells["hr_surrogate"]) == rows.loc[cells["surrogate"], "hr"]


@pytest.mark.parametrize("column", TEMPLATE_COLUMNS, ids=lambda column: column.heading)
def test_every_heading_is_understood_and_explained(column):
    assert interpret_heading(column.heading) is not None
    assert len(column.description) > 5


def test_the_workbook_explains_its_columns_and_offers_the_allowed_values(tmp_path):
    book = openpyxl.load_workbook(written(tmp_path, "xlsx"))
    assert book.sheetnames == ["trials", "columns"]
    table, explanation = book["trials"], book["columns"]
    assert table.freeze_panes == "B2"
    headings = [cell.value for cell in table[1]]
    assert headings == [column.heading for column in TEMPLATE_COLUMNS]
    assert [cell.value for cell in explanation["A"]][1 : len(headings) + 1] == headings
    lists = {
        headings[next(iter(validation.sqref.ranges)).min_col - 1]: validation.formula1.strip('"').split(",")
        for validation in table.data_validations.dataValidation
        if validation.type == "list"
    }
    allowed = {column.name: list(column.allowed) for column in TRIALS if column.allowed and column.name in headings}
    assert allowed.items() <= lists.items()
    assert {"surrogate", "evidence"} <= set(lists)
    assert all(len(",".join(values)) <= 253 for values in lists.values())  # a limit of spreadsheets
    numbers = {headings[cell.column - 1]: cell.number_format for cell in table[2]}
    assert numbers["hr_os"] == numbers["ci_low_surrogate"] == "@"  # 0.60 stays, and 12-5 is not a date
    assert numbers["n_exp"] == "0"


def test_the_explanation_of_a_csv_is_a_second_file(tmp_path):
    path = written(tmp_path, "csv")
    rows = list(csv.reader(io.StringIO((tmp_path / "my_trials.columns.csv").read_text(encoding="utf-8-sig"))))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert rows[0] == ["column", "content", "unit", "allowed values", "entry"]
    assert [row[0] for row in rows[1 : len(TEMPLATE_COLUMNS) + 1]] == [column.heading for column in TEMPLATE_COLUMNS]


@pytest.mark.parametrize("existing", ["my_trials.csv", "my_trials.columns.csv", "my_trials.xlsx"])
def test_an_existing_file_is_not_overwritten(existing, tmp_path, capsys):
    (tmp_path / existing).write_text("mine")
    ending = existing.rpartition(".")[2]
    assert template([str(tmp_path / f"my_trials.{ending}")]) == 2
    assert f"{tmp_path / existing} exists and is not overwritten" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "mine"


@pytest.mark.parametrize(("name", "code"), [("my_trials.ods", 2), ("", 2), ("no/such/folder/my.xlsx", 1)])
def test_names_that_cannot_be_written(name, code, tmp_path, capsys):
    assert template([str(tmp_path / name) if name else name]) == code
    assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_the_option_of_the_fit_command(tmp_path, capsys):
    assert fit(["--template", str(tmp_path / "my_trials.xlsx")]) == 0
    assert "surrogacy fit --check --add" in capsys.readouterr().out
    assert (tmp_path / "my_trials.xlsx").is_file()
