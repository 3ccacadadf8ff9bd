"""Files that hold a table: CSV with commas, semicolons or tabs, any line ending, with or without a byte-order mark, or XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from surrogacy.errors import DataError
from surrogacy.trials.cells import Row, clean, file_fault


@dataclass(frozen=True)
class Table:
    """Rows of a file with the line each starts on.

    Parameters
    ----------
    file : str
        Name for messages.
    columns : tuple of str
        Headings as written; a column without a heading but with content is called by its position, ``column 7``.
    rows : tuple of dict
    lines : tuple of int
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    lines: tuple[int, ...]

    def lower_case(self) -> Table:
        """Return the table with its headings in lower case, as those of the curated tables are."""
        rows = tuple({column.lower(): cell for column, cell in row.items()} for row in self.rows)
        return Table(self.file, tuple(column.lower() for column in self.columns), rows, self.lines)


def read_table(path: Path, name: str | None = None) -> Table:
    """Read a CSV or XLSX file.

    Parameters
    ----------
    path : Path
    name : str, optional
        Name for messages; default: the path as given.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If there is no such file, it is not a table, or a row has more cells than the header.
    """
    file = name or str(path)
    if not path.is_file():
        raise DataError([file_fault("E001", file, 0, "there is no such file", "check the path")])
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _from_cells(file, _read_workbook(path, file), decimal_comma=False)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        if raw[:2] in (b"PK", b"\xd0\xcf"):
            rule, fix = "this is a workbook, not text", "save it as .xlsx with that ending, or as CSV"
        else:
            rule, fix = "the file is not UTF-8", "save it as CSV UTF-8"
        raise DataError([file_fault("E001", file, 0, rule, fix)]) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    header = text.partition("\n")[0]
    semicolon = header.count(";") > header.count(",")
    delimiter = ";" if semicolon else "\t" if header.count("\t") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    cells, start = [], 1
    for row in reader:
        cells.append((start, row))
        start = reader.line_num + 1
    return _from_cells(file, cells, decimal_comma=semicolon)


def _read_workbook(path: Path, file: str) -> list[tuple[int, list[str]]]:
    """First sheet of a workbook as text."""
    try:
        import openpyxl
    except ModuleNotFoundError:
        fix = "install the extra: pip install 'surrogacy[xlsx]', or save the sheet as CSV"
        raise DataError([file_fault("E001", file, 0, "reading a workbook needs openpyxl", fix)]) from None
    sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets[0]
    rows = sheet.iter_rows(values_only=True)
    return [(i, ["" if value is None else str(value) for value in row]) for i, row in enumerate(rows, start=1)]


def _from_cells(file: str, cells: Iterable[tuple[int, list[str]]], *, decimal_comma: bool) -> Table:
    filled = [(line, row) for line, row in cells if any(cell.strip() for cell in row)]
    if not filled:
        raise DataError(
            [file_fault("E001", file, 0, "the file is empty", "give a header line and one row a comparison or effect")]
        )
    header = _headings([cell.strip() for cell in filled[0][1]], [row for _, row in filled[1:]])
    faults = [
        file_fault("E002", file, 1, "two columns have this heading", "rename or remove one of them", column=column)
        for column in sorted({c.lower() for c in header if c})
        if [c.lower() for c in header].count(column) > 1
    ]
    rows, lines = [], []
    for line, row in filled[1:]:
        if any(cell.strip() for cell in row[len(header) :]):
            rule = f"the row has {len(row)} cells, the header {len(header)}"
            fix = "quote cells that contain the separator" + (
                "" if decimal_comma else ", or use ; between cells if , is the decimal mark"
            )
            faults.append(file_fault("E003", file, line, rule, fix))
            continue
        row = row[: len(header)] + [""] * (len(header) - len(row))
        by_column = zip(header, row, strict=True)
        rows.append({column: clean(cell, decimal_comma=decimal_comma) for column, cell in by_column if column})
        lines.append(line)
    if faults:
        raise DataError(faults)
    return Table(file, tuple(column for column in header if column), tuple(rows), tuple(lines))


def _headings(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return the header up to its last heading; a column without a heading keeps its content under its position."""
    while header and not header[-1]:
        header = header[:-1]
    content = {i for row in rows for i, cell in enumerate(row) if cell.strip()}
    return [heading or (f"column {i + 1}" if i in content else "") for i, heading in enumerate(header)]
