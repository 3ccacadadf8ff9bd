"""Tables as files, compared with those that pandas writes."""

import pandas as pd

from surrogacy.report.section import Column, Table
from surrogacy.report.tables import as_csv, as_html, as_markdown

HEADINGS = ["Trial & arm", "HR"]
ROWS = [["A < B", "0.72"], ["", "−1"], [' "quoted" ', "x | y"], ["'single'", "1"]]
VALUES = {
    "trial": ["=1+1", "A, B", 'says "no"', "-0.5"],
    "hr": [0.123456789012345, -0.0, None, float("inf")],
    "patients": [12, 1000000, 0, 7],
    "deaths": [12, None, 0, 7],
    "converged": [True, False, None, True],
    "choice": [0.0, "shared", None, 0.25],
    "empty": [None] * 4,
}


def test_csv_as_pandas_writes_it():
    rows = tuple(zip(*VALUES.values(), strict=True))
    table = Table("models", "Models", (*map(Column, VALUES), Column("", "Printed only")), tuple((*r, "") for r in rows))
    frame = pd.DataFrame(rows, columns=list(VALUES))
    frame.loc[0, "trial"] = "'=1+1"  # not read as a formula
    assert as_csv(table) == frame.to_csv(index=False, float_format="%.12g", lineterminator="\n")


def test_html_as_pandas_writes_it():
    assert as_html(HEADINGS, ROWS) == pd.DataFrame(ROWS, columns=HEADINGS).to_html(index=False, border=0)


def test_markdown_has_aligned_columns_and_keeps_bars():
    assert as_markdown(HEADINGS, ROWS).splitlines() == [
        "| Trial & arm   | HR     |",
        "|:--------------|:-------|",
        "| A < B         | 0.72   |",
        "|               | −1     |",
        '| "quoted"      | x \\| y |',
        "| 'single'      | 1      |",
    ]
