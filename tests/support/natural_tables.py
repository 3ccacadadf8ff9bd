"""Tables as trialists, spreadsheets and reports write them, each with its expected reading or its messages.

The tables hold the same three invented trials. ``python -m tests.support.natural_tables FOLDER`` writes them.
"""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import openpyxl

HEADINGS = ["trial", "n_exp", "n_ctl", "hr_pfs", "ci_low_pfs", "ci_high_pfs", "hr_os", "ci_low_os", "ci_high_os"]
ROWS = [
    ["Alpha", "100", "100", "0.62", "0.45", "0.85", "0.80", "0.60", "1.07"],
    ["Beta", "150", "150", "0.70", "0.55", "0.89", "0.90", "0.70", "1.16"],
    ["Gamma", "120", "120", "0.80", "0.62", "1.03", "0.95", "0.72", "1.25"],
]
LOG_SCALE = 1e-3  # largest difference of a printed logarithm


@dataclass(frozen=True)
class NaturalTable:
    """A table and what is expected of it.

    Parameters
    ----------
    name : str
        File name; its ending is the format.
    content : bytes
    faults : frozenset of (code, line, column)
        All faults with a severity above info, or the errors if the table is refused.
    remarks : frozenset of str
        Codes of all remarks.
    words : tuple of str
        Parts of the messages.
    refused : bool
        Whether the table is refused; otherwise the three trials are read as they are.
    """

    name: str
    content: bytes
    faults: frozenset[tuple[str, int, str]] = frozenset()
    remarks: frozenset[str] = frozenset()
    words: tuple[str, ...] = field(default=())
    refused: bool = False


def lines(rows: list[list[str]], separator: str = ",", *, quoted: bool = False) -> bytes:
    """Return CSV."""
    mark = '"' if quoted else ""
    return "".join(separator.join(f"{mark}{cell}{mark}" for cell in row) + "\n" for row in rows).encode()


def changed(row: int, column: str, text: str, headings: list[str] = HEADINGS) -> list[list[str]]:
    """Return the plain table with another text in one cell."""
    rows = [list(cells) for cells in ROWS]
    rows[row][headings.index(column)] = text
    return [headings, *rows]


def with_column(heading: str, cells: list[str]) -> list[list[str]]:
    """Return the plain table with a further column."""
    return [[*HEADINGS, heading], *([*row, cell] for row, cell in zip(ROWS, cells, strict=True))]


def decimal_comma(rows: list[list[str]]) -> list[list[str]]:
    return [[cell.replace(".", ",") for cell in row] for row in rows]


def typed(cell: str) -> str | float | None:
    """Return a cell as a spreadsheet stores it."""
    try:
        return float(cell) if "." in cell else int(cell)
    except ValueError:
        return cell or None


def book(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    """Return a workbook."""
    workbook = openpyxl.Workbook()
    fill(workbook)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def sheet_of(rows: list[list[object]]) -> bytes:
    """Return a workbook with one sheet."""

    def fill(workbook: openpyxl.Workbook) -> None:
        for row in rows:
            workbook.active.append(row)

    return book(fill)


NUMBERS = [[typed(cell) for cell in row] for row in [HEADINGS, *ROWS]]
INTERVALS = [[*row[:3], f"{row[3]} ({row[4]}-{row[5]})", f"{row[6]} ({row[7]}-{row[8]})"] for row in ROWS]
LONG = [
    [row[0], endpoint, *row[1:3], *row[start : start + 3]]
    for row in ROWS
    for endpoint, start in (("PFS", 3), ("OS", 6))
]
LONG_HEADINGS = ["trial", "endpoint", "n_exp", "n_ctl", "hr", "ci_low", "ci_high"]
MEDIANS = ["median_os_exp", "median_os_ctl"]


def _title_and_groups(workbook: openpyxl.Workbook) -> None:
    sheet = workbook.active
    sheet.append(["Table 2. Randomised trials of TACE combinations"])
    sheet.append([])
    sheet.append(["Study", "Patients", None, "PFS", None, "OS"])
    sheet.append([None, "Experimental", "Control", "HR", "95% CI", "HR", "95% CI"])
    for row in ROWS:
        cells = [*map(typed, row[:4]), f"{row[4]}–{row[5]}", typed(row[6]), f"{row[7]}–{row[8]}"]
        sheet.append(cells)
    for area in ("A1:G1", "A3:A4", "B3:C3", "D3:E3", "F3:G3"):
        sheet.merge_cells(area)
    sheet.append(["HR, hazard ratio; CI, confidence interval; PFS, progression-free survival."])
    sheet.merge_cells("A8:G8")


def _merged_trials(workbook: openpyxl.Workbook) -> None:
    sheet = workbook.active
    for row in [LONG_HEADINGS, *LONG]:
        sheet.append([typed(cell) for cell in row])
    for first in (2, 4, 6):
        for letter in "ACD":
            sheet.merge_cells(f"{letter}{first}:{letter}{first + 1}")


def _several_sheets(workbook: openpyxl.Workbook) -> None:
    workbook.active.title = "README"
    workbook.active["A1"] = "Extracted by two readers"
    workbook.active["A2"] = "Search: 3 March"
    for row in NUMBERS:
        workbook.create_sheet("data") if "data" not in workbook.sheetnames else None
        workbook["data"].append(row)
    workbook.create_sheet("codes").append(["stage", "meaning"])


def _two_tables(workbook: openpyxl.Workbook) -> None:
    workbook.active.title = "2025"
    workbook.create_sheet("2026")
    for sheet in workbook.worksheets:
        for row in NUMBERS:
            sheet.append(row)


def _sheet_per_endpoint(workbook: openpyxl.Workbook) -> None:
    workbook.active.title = "PFS"
    workbook.create_sheet("Overall survival")
    for sheet, start in zip(workbook.worksheets, (3, 6), strict=True):
        sheet.append(["trial", "n_exp", "n_ctl", "HR", "lower", "upper"])
        for row in ROWS:
            sheet.append([typed(cell) for cell in (*row[:3], *row[start : start + 3])])


TABLES = (
    NaturalTable("plain.csv", lines([HEADINGS, *ROWS])),
    NaturalTable("numbers.xlsx", sheet_of(NUMBERS)),
    NaturalTable("decimal-commas.xlsx", sheet_of(decimal_comma([HEADINGS, *ROWS]))),
    NaturalTable("decimal-commas-quoted.csv", lines(decimal_comma([HEADINGS, *ROWS]), quoted=True)),
    NaturalTable("decimal-commas-semicolons.csv", lines(decimal_comma([HEADINGS, *ROWS]), ";")),
    NaturalTable("unicode-text-of-a-spreadsheet.txt", lines([HEADINGS, *ROWS], "\t").decode().encode("utf-16")),
    NaturalTable(
        "title-and-blank-rows.csv",
        b"Table 1; trials of TACE, HCC\n\n" + lines([HEADINGS, *ROWS]),
        remarks=frozenset({"I145"}),
        words=("the header is on line 3", "Table 1; trials of TACE"),
    ),
    NaturalTable(
        "title-groups-and-note.xlsx",
        book(_title_and_groups),
        faults=frozenset({("W145", 8, "first cell")}),
        remarks=frozenset({"I145"}),
        words=("HR, hazard ratio; CI, confidence interval",),
    ),
    NaturalTable(
        "headings-in-two-rows.csv",
        lines(
            [
                ["Study", "N", "", "PFS", "", "OS", ""],
                ["", "Experimental arm", "Control arm", "HR", "95% CI", "HR", "95% CI"],
                *([*row[:4], f"{row[4]} to {row[5]}", row[6], f"{row[7]} to {row[8]}"] for row in ROWS),
            ]
        ),
    ),
    NaturalTable(
        "headings-in-three-rows.csv",
        lines(
            [
                ["Trial", "Patients", "", "Hazard ratio", "", "", "", "", ""],
                ["", "exp", "ctl", "PFS", "", "", "OS", "", ""],
                ["", "", "", "estimate", "lower", "upper", "estimate", "lower", "upper"],
                *ROWS,
            ]
        ),
    ),
    NaturalTable(
        "units-below-the-headings.csv",
        lines([HEADINGS, ["", "", "", "", "95%", "95%", "", "95%", "95%"], *ROWS]),
    ),
    NaturalTable(
        "section-rows.csv",
        lines([HEADINGS, ["Intermediate stage", *[""] * 8], *ROWS[:2], ["Advanced stage", *[""] * 8], ROWS[2]]),
        faults=frozenset({("W145", 2, "first cell"), ("W145", 5, "first cell")}),
        words=("'Intermediate stage'", "'Advanced stage'"),
    ),
    NaturalTable("merged-trials.xlsx", book(_merged_trials)),
    NaturalTable(
        "several-sheets.xlsx",
        book(_several_sheets),
        remarks=frozenset({"I135"}),
        words=("sheet 'data' is read, the first whose header fits; not read: 'README', 'codes'",),
    ),
    NaturalTable(
        "two-tables.xlsx",
        book(_two_tables),
        faults=frozenset({("W135", 0, "")}),
        words=("further tables, not read: '2026'",),
    ),
    NaturalTable(
        "sheet-per-endpoint.xlsx",
        book(_sheet_per_endpoint),
        remarks=frozenset({"I135"}),
        words=("sheets 'PFS' and 'Overall survival' are read",),
    ),
    NaturalTable(
        "intervals-in-cells.csv", lines([["Study", "n_exp", "n_ctl", "PFS HR (95% CI)", "OS HR (95% CI)"], *INTERVALS])
    ),
    NaturalTable(
        "p-in-the-cell.csv",
        lines(
            [
                ["Study", "n_exp", "n_ctl", "PFS HR (95% CI)", "OS HR (95% CI)"],
                *(
                    [*row[:3], f"{row[3]}; P = {p}", row[4]]
                    for row, p in zip(INTERVALS, ("0.003", "0.004", "0.08"), strict=True)
                ),
            ]
        ),
    ),
    NaturalTable(
        "forms-of-p.csv",
        lines(with_column("p_os", ["P=0.13", "NS", "p > 0.05"])),
        remarks=frozenset({"I144"}),
        words=("'NS'",),
    ),
    NaturalTable(
        "text-instead-of-p.csv",
        lines(with_column("p_os", ["0.13", "see text", "0"])),
        faults=frozenset({("W144", 3, "p_os"), ("W144", 4, "p_os")}),
    ),
    NaturalTable("bounds-of-p.csv", lines(with_column("log-rank p PFS", ["0.003*", "p≤0.01", "<0.3"]))),
    NaturalTable("missing-p.csv", lines(with_column("p_os", ["NA", ".", "N/A"]))),
    NaturalTable(
        "counts-in-words.csv",
        lines(
            [
                HEADINGS,
                [ROWS[0][0], "n = 100", "100 patients", *ROWS[0][3:]],
                *ROWS[1:],
            ]
        ),
    ),
    NaturalTable(
        "medians-with-units.csv",
        lines(
            [
                [*HEADINGS, *MEDIANS],
                [*ROWS[0], "23.4 months", "18.2 mo"],
                [*ROWS[1], "NR", "30.1 (25.0-NE)"],
                [*ROWS[2], "-", "N/A"],
            ]
        ),
    ),
    NaturalTable(
        "bounds-of-medians.csv",
        lines([[*HEADINGS, *MEDIANS], [*ROWS[0], ">36", "2.5 years"], *([*row, "", ""] for row in ROWS[1:])]),
        faults=frozenset({("E008", 2, "median_os_exp"), ("E008", 2, "median_os_ctl")}),
        words=("write NR if the median was not reached", "did you mean 30.0?"),
        refused=True,
    ),
    NaturalTable(
        "percentages.csv",
        lines(changed(1, "hr_pfs", "70%")),
        faults=frozenset({("E008", 3, "hr_pfs")}),
        words=("did you mean 0.7?",),
        refused=True,
    ),
    NaturalTable(
        "date-for-a-number.xlsx",
        sheet_of([NUMBERS[0], [*NUMBERS[1][:3], datetime(2026, 5, 12), *NUMBERS[1][4:]], *NUMBERS[2:]]),
        faults=frozenset({("E008", 2, "hr_pfs")}),
        words=("a spreadsheet has converted the entry to a date", "12-5"),
        refused=True,
    ),
    NaturalTable(
        "date-in-text.csv",
        lines(changed(2, "ci_high_os", "12-May")),
        faults=frozenset({("E008", 4, "ci_high_os")}),
        words=("a spreadsheet has converted the entry to a date",),
        refused=True,
    ),
    NaturalTable(
        "interval-as-date.csv",
        lines([["trial", "HR PFS", "CI PFS", "HR OS", "CI OS"], ["Alpha", "0.62", "5-Dec", "0.80", "0.60-1.07"]]),
        faults=frozenset({("E008", 2, "CI PFS")}),
        words=("a spreadsheet has converted the entry to a date",),
        refused=True,
    ),
    NaturalTable(
        "trial-as-date.xlsx",
        sheet_of([NUMBERS[0], *NUMBERS[1:], [datetime(2026, 3, 1), *NUMBERS[1][1:]]]),
        faults=frozenset({("W149", 5, "trial")}),
        words=("a spreadsheet may have converted it",),
    ),
    NaturalTable(
        "total-number.csv",
        lines([["trial", "N", *HEADINGS[3:]], *([row[0], str(2 * int(row[1])), *row[3:]] for row in ROWS)]),
        faults=frozenset({("W134", 1, "N")}),
        words=("1:1 allocation is assumed",),
    ),
    NaturalTable(
        "stages.csv",
        lines(with_column("Stage", ["Intermediate", "BCLC B", "BCLC-C"])),
        remarks=frozenset({"I143"}),
        words=("this is read as intermediate", "this is read as advanced"),
    ),
    NaturalTable(
        "stage-not-known.csv",
        lines(with_column("stage", ["intermediat", "stage B", "early"])),
        faults=frozenset({("E009", 2, "stage"), ("E009", 4, "stage")}),
        words=("did you mean 'intermediate'",),
        refused=True,
    ),
    NaturalTable(
        "lines-of-therapy.csv",
        lines(with_column("line", ["1L", "2nd line", "first-line"])),
        remarks=frozenset({"I143"}),
        words=("this is read as first", "this is read as second"),
    ),
    NaturalTable(
        "classes.csv",
        lines(with_column("class", ["TACE + systemic", "ICI + antiangiogenic", "Haic"])),
        faults=frozenset({("W143", 2, "class")}),
        words=("did you mean 'tace-combination'",),
    ),
    NaturalTable(
        "misspelt-heading.csv",
        lines([[*HEADINGS[:3], "hr_psf", *HEADINGS[4:]], *ROWS]),
        faults=frozenset({("E005", 1, "")}),
        words=("'hr_psf' (did you mean 'hr_pfs'?)",),
        refused=True,
    ),
    NaturalTable(
        "misspelt-endpoint.csv",
        lines(
            [
                [*LONG_HEADINGS, "final"],
                *([*row, "OS"] for row in LONG),
                ["Delta", "PSF", "90", "90", "0.7", "0.5", "0.98", "OS"],
            ]
        ),
        faults=frozenset({("W147", 8, "endpoint")}),
        remarks=frozenset({"W111"}),
        words=("did you mean 'PFS'",),
    ),
    NaturalTable(
        "deaths.csv",
        lines(
            [
                [*HEADINGS, "deaths exp", "deaths ctl"],
                *([*row, deaths, deaths] for row, deaths in zip(ROWS, ("92", "120", "102"), strict=True)),
            ]
        ),
    ),
    NaturalTable(
        "one-endpoint.csv",
        lines([["study", "HR", "lower", "upper"], *([row[0], *row[3:6]] for row in ROWS)]),
        faults=frozenset({("E005", 1, "")}),
        words=("no column names its endpoint", "add a column endpoint"),
        refused=True,
    ),
    NaturalTable(
        "forest-plot.csv",
        lines(
            [
                [
                    "Study or Subgroup",
                    "Outcome",
                    "Experimental Total",
                    "Control Total",
                    "Weight",
                    "Hazard Ratio IV, Random, 95% CI",
                ],
                *([row[0], row[1], *row[2:4], "33.3%", f"{row[4]} [{row[5]}; {row[6]}]"] for row in LONG),
                ["Heterogeneity: Tau² = 0.00; Chi² = 1.2 (P = 0.55); I² = 0%", "", "", "", "", ""],
            ]
        ),
        faults=frozenset({("W145", 8, "first cell")}),
        remarks=frozenset({"I004"}),
    ),
    NaturalTable(
        "pooled-row.csv",
        lines([HEADINGS, *ROWS, ["Total (95% CI)", "370", "370", "0.71", "0.61", "0.83", "0.89", "0.76", "1.04"]]),
        faults=frozenset({("E018", 5, "trial")}),
        refused=True,
    ),
    NaturalTable(
        "thousands.csv",
        lines(changed(0, "n_exp", '"1,100"')),
        faults=frozenset(),
    ),
)


def main(folder: Path) -> None:
    """Write every table into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        (folder / table.name).write_bytes(table.content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
