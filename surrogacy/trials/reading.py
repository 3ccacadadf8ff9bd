"""Read a table as it comes: CSV with commas or semicolons, any line ending, BOM or not, or XLSX.

Cells stay text, as printed, because the number of decimals tells how far a value was rounded.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from surrogacy.errors import DataError, Fault

Row = dict[str, str]

NUMBER = r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?"
HR_WITH_LIMITS = re.compile(
    rf"^\s*({NUMBER})\s*[(\[{{]\s*(?:\d+(?:\.\d+)?\s*%\s*(?:CI)?\s*[,:]?\s*)?({NUMBER})\s*(?:-|to|,|;|/)\s*({NUMBER})\s*[)\]}}]\s*$"
)


@dataclass(frozen=True)
class Table:
    """Rows of a file with the line each starts on.

    Parameters
    ----------
    file : str
        Name for messages.
    columns : tuple of str
        Header, lower case.
    rows : tuple of dict
    lines : tuple of int
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    lines: tuple[int, ...]


def fault(code: str, table_or_file: str, line: int, rule: str, fix: str, **place: str) -> Fault:
    """Shorthand for an error with some of its places empty."""
    cell = {"trial": "", "column": "", "value": "", **place}
    return Fault(code, "error", table_or_file, line, rule=rule, fix=fix, **cell)


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
        raise DataError([fault("E001", file, 0, "there is no such file", "check the path")])
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
        raise DataError([fault("E001", file, 0, rule, fix)]) from None
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
        raise DataError([fault("E001", file, 0, "reading a workbook needs openpyxl", fix)]) from None
    sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets[0]
    rows = sheet.iter_rows(values_only=True)
    return [(i, ["" if value is None else str(value) for value in row]) for i, row in enumerate(rows, start=1)]


def _from_cells(file: str, cells: Iterable[tuple[int, list[str]]], *, decimal_comma: bool) -> Table:
    filled = [(line, row) for line, row in cells if any(cell.strip() for cell in row)]
    if not filled:
        raise DataError([fault("E001", file, 0, "the file is empty", "give a header line and one row a comparison or effect")])
    header = tuple(cell.strip().lower() for cell in filled[0][1])
    while header and not header[-1]:
        header = header[:-1]
    faults = [
        fault("E002", file, 1, "the column stands twice", "keep one of them", column=column)
        for column in sorted({c for c in header if c and header.count(c) > 1})
    ]
    rows, lines = [], []
    for line, row in filled[1:]:
        if any(cell.strip() for cell in row[len(header) :]):
            rule = f"the row has {len(row)} cells, the header {len(header)}"
            fix = "quote cells that contain the separator" + (
                "" if decimal_comma else ", or use ; between cells if , is the decimal mark"
            )
            faults.append(fault("E003", file, line, rule, fix))
            continue
        row = row[: len(header)] + [""] * (len(header) - len(row))
        rows.append({column: clean(cell, decimal_comma=decimal_comma) for column, cell in zip(header, row, strict=True)})
        lines.append(line)
    if faults:
        raise DataError(faults)
    return Table(file, header, tuple(rows), tuple(lines))


def clean(cell: str, *, decimal_comma: bool = False) -> str:
    """Strip a cell; in numeric cells turn typographic marks (mid-dot, minus, decimal comma) into ASCII."""
    cell = cell.replace("\u00a0", " ").strip()
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", cell.replace("\u00b7", "."))
    if decimal_comma and re.fullmatch(r"[<>=\s]*[-+]?\d*,\d+.*", plain):
        plain = re.sub(r"(?<=\d),(?=\d)", ".", plain)
    return plain if re.fullmatch(r"[<>=]*\s*[\d.\-+eE,;()\[\]\s%CIto/:]+", plain) else cell


def split_interval(cell: str) -> tuple[str, str, str] | None:
    """``"0.59 (0.41-0.87)"`` as its three numbers; None if the cell is something else."""
    match = HR_WITH_LIMITS.match(cell)
    return None if match is None else (match[1], match[2], match[3])
