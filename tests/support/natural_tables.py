"""Tables as trialists, spreadsheets and reports write them, each with its expected reading or its messages.

The tables hold the same three invented trials. `natural_cells` has the forms of single cells.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import openpyxl

HEADINGS = ["trial", "n_exp", "n_ctl", "hr_pfs", "ci_low_pfs", "ci_high_pfs", "hr_os", "ci_low_os", "ci_high_os"]
ROWS = [
    ["Alpha", "100", "100", "0.62", "0.45", "0.85", "0.80", "0.60", "1.07"],
    ["Beta", "150", "150", "0.70", "0.55", "0.89", "0.90", "0.70", "1.16"],
    ["Gamma", "120", "120", "0.80", "0.62", "1.03", "0.95", "0.72", "1.25"],
]


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


def _table_away_from_the_corner(workbook: openpyxl.Workbook) -> None:
    for row in NUMBERS:
        workbook.active.append([None, *row])
    workbook.active.insert_rows(1, 3)
    workbook.active.append([None, "Search date: 2026"])


def _combined_and_per_endpoint(workbook: openpyxl.Workbook) -> None:
    workbook.active.title = "all"
    for row in NUMBERS:
        workbook.active.append(row)
    for name, start in (("PFS", 3), ("OS", 6)):
        sheet = workbook.create_sheet(name)
        sheet.append(["trial", "HR", "lower", "upper"])
        for row in ROWS:
            sheet.append([typed(cell) for cell in (row[0], *row[start : start + 3])])


LAYOUTS = (
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
        "table-away-from-the-corner.xlsx",
        book(_table_away_from_the_corner),
        faults=frozenset({("W145", 8, "first cell")}),
        words=("'Search date: 2026'",),
    ),
    NaturalTable(
        "combined-sheet-and-sheet-per-endpoint.xlsx",
        book(_combined_and_per_endpoint),
        faults=frozenset({("W135", 0, "")}),
        words=("sheet 'all' is read, the first whose header fits; further tables, not read: 'PFS', 'OS'",),
    ),
    NaturalTable(
        "transposed.csv",
        lines([list(row) for row in zip(*[HEADINGS, *ROWS], strict=True)]),
        faults=frozenset({("E019", 0, "")}),
        words=("exchange rows and columns",),
        refused=True,
    ),
    NaturalTable(
        "endpoints-in-words.csv",
        lines(
            [
                ["Study", "Outcome", "Experimental N", "Control N", "HR", "lower", "upper"],
                *(
                    [
                        row[0],
                        {"PFS": "Progression-free survival (PFS)", "OS": "Overall survival (OS)"}[row[1]],
                        *row[2:],
                    ]
                    for row in LONG
                ),
            ]
        ),
    ),
    NaturalTable(
        "tidy-models.csv",
        lines(
            [
                ["study", "outcome", "term", "estimate", "conf.low", "conf.high", "p.value"],
                *([row[0], row[1], "treatment", *row[4:], "0.05" if row[1] == "PFS" else "0.4"] for row in LONG),
            ]
        )
        .replace(b"0.05", b"")
        .replace(b"0.4\n", b"\n"),
        faults=frozenset({("W004", 1, "term")}),
        remarks=frozenset({"I147"}),
        words=("the values are read as hazard ratios",),
    ),
)
