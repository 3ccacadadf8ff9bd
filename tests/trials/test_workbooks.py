"""Workbooks: which sheet is read, dates, truth values, formulas, and sheets that would lose rows."""

import re

import numpy as np
import pytest

from surrogacy.errors import DataError
from surrogacy.fit import main
from surrogacy.trials import read_pairs
from surrogacy.trials.user_tables import workbooks
from surrogacy.trials.user_tables.table_files import read_user_table
from tests.support.fault_inputs import repacked, workbook


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
    assert len(read_user_table(file("table.csv", workbook())).rows) == 3


def test_a_workbook_that_unpacks_to_more_than_the_limit(file, monkeypatch):
    monkeypatch.setattr(workbooks, "SIZE_LIMIT", 1000)
    with pytest.raises(DataError, match="unpacks to"):
        read_user_table(file("bomb.xlsx", workbook()))


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
