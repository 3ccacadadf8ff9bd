"""Table file of a user: CSV or XLSX, with rows above the header, headings in several rows, and notes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from surrogacy.errors import DataError, Fault
from surrogacy.trials.cells import DEFAULT_LEVEL, parse_level
from surrogacy.trials.files import (
    STANDARD_INPUT,
    Table,
    csv_rows,
    decoded,
    delimiter_of,
    filled_rows,
    is_workbook,
    read_bytes,
    table_of_cells,
    text_rows,
)
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.table_header import MOST_ROWS_ABOVE, RATIOS, Header, find_header
from surrogacy.trials.user_tables.workbooks import read_workbook

LEVEL_IN_TEXT = re.compile(r"(\d\d(?:[.,]\d+)?\s*%)[\s-]*(?:[ck]i|ic|conf|cred|kon|limit)", re.IGNORECASE)
FEWEST_COLUMNS = 3  # of a table in which a row with one filled cell is a note
ENDPOINT_COLUMN = "endpoint"


def read_user_table(path: Path) -> Table:
    """Read a user's CSV or XLSX file; ``-`` is standard input.

    In a workbook, the first sheet whose header fits is read, or all sheets that are named by an endpoint.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file cannot be read, is larger than 64 MiB, is not a table, or a row has more cells than the header.
    """
    file = "standard input" if str(path) == STANDARD_INPUT else str(path)
    raw = read_bytes(path, file)
    if is_workbook(path, raw):
        sheets = read_workbook(raw, file)
        if len(sheets) == 1:
            return _table(file, sheets[0].rows, sheets[0].faults, merged=sheets[0].merged)
        named = [(f"{file}, sheet {sheet.title!r}", sheet) for sheet in sheets]
        tables = [_table(name, sheet.rows, sheet.faults, merged=sheet.merged) for name, sheet in named]
        return _stacked(file, [(sheet.endpoint, table) for sheet, table in zip(sheets, tables, strict=True)])
    rows, delimiter = text_rows(decoded(raw, file), file, _delimiter)
    return _table(file, rows, (), decimal_comma=delimiter != ",")


def _delimiter(text: str) -> str:
    """Return the separator with which most headings in the first lines are understood."""
    lines = "\n".join(text.split("\n", MOST_ROWS_ABOVE)[:MOST_ROWS_ABOVE])
    first = next((line for line in lines.split("\n") if line.strip()), "")
    understood = {}
    for delimiter in dict.fromkeys((delimiter_of(first), ";", "\t", ",")):
        rows: list[list[str]] = []
        with suppress(csv.Error):  # reported when the whole file is read
            rows += (row for _, row in csv_rows(lines, delimiter, strict=False) if any(cell.strip() for cell in row))
        understood[delimiter] = len(find_header(rows).meanings) if rows else 0
    return max(understood, key=lambda delimiter: understood[delimiter])


def _table(
    file: str,
    cells: Sequence[tuple[int, list[str]]],
    faults: Sequence[Fault],
    *,
    decimal_comma: bool = False,
    merged: bool = False,
) -> Table:
    filled = filled_rows(cells, file)
    header = find_header([row for _, row in filled], merged=merged)
    last = header.first + header.depth
    below = filled[last:]
    has_ratio = any(heading.quantity in RATIOS for heading in header.meanings)
    if not has_ratio and _is_transposed([row for _, row in filled]):
        rule = "the trials are in columns, and the quantities in rows"
        raise DataError([fault("E019", Row(file), "", rule, "exchange rows and columns: one row per comparison")])
    first = next((i for i, heading in enumerate(header.headings) if heading), 0)
    wide = len(header.headings) - first >= FEWEST_COLUMNS
    notes = {line for line, row in below if wide and _is_note(row, first)}
    above = filled[: header.first]
    remarks = [*faults, *_above(file, above, filled[header.first][0]), *_notes(file, below, notes)]
    remarks += _unread_levels(file, [*above, *(row for row in below if row[0] in notes)], header)
    rows = [(line, row) for line, row in below if line not in notes]
    return table_of_cells(file, (filled[last - 1][0], header.headings), rows, remarks, decimal_comma=decimal_comma)


def _is_transposed(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first cells of the rows are headings of a table."""
    quantities = {heading.quantity for heading in find_header([[row[0] for row in rows]]).meanings}
    return bool(quantities & RATIOS) and len(quantities) >= FEWEST_COLUMNS


def _is_note(row: Sequence[str], first: int) -> bool:
    """Return whether a row has one text, in the first column or in merged cells that begin there."""
    texts = [cell.strip() for cell in row]
    return bool("".join(texts[first : first + 1])) and len({*texts} - {""}) == 1


def _above(file: str, rows: Sequence[tuple[int, list[str]]], header_line: int) -> Iterator[Fault]:
    """I145: the first row is the header."""
    if rows:
        text = "; ".join(dict.fromkeys(cell.strip() for _, row in rows for cell in row if cell.strip()))
        rule = f"the header is on line {header_line}, and the rows above it are not read"
        yield fault("I145", Row(file, rows[0][0]), "", rule, "no change is needed if they are a title", value=text)


def _notes(file: str, rows: Sequence[tuple[int, list[str]]], notes: set[int]) -> Iterator[Fault]:
    """W145: a row has more than a name."""
    for line, row in rows:
        if line in notes:
            rule = "only the first cell of this row is filled: it is taken as a heading or a note, and is not read"
            fix = "if it is a comparison, fill its hazard ratios; repeat the content of a heading in a column"
            yield fault("W145", Row(file, line), "first cell", rule, fix, value=next(filter(None, map(str.strip, row))))


def _unread_levels(file: str, rows: Sequence[tuple[int, list[str]]], header: Header) -> Iterator[Fault]:
    """W151: a confidence level other than 0.95 is in a column or a cell, not only in a title or a note."""
    stated = {heading.level for heading in header.meanings} - {None}
    if stated or any(heading.quantity == "ci_level" for heading in header.meanings):
        return
    for line, row in rows:
        text = next(filter(None, map(str.strip, row)))
        for percentage in LEVEL_IN_TEXT.findall(text):
            level = parse_level(percentage)
            if level is not None and level != DEFAULT_LEVEL:
                rule = "a confidence level in a title or a note is not read: limits without a level are taken as 95%"
                fix = f"if the limits are of this level, add a column ci_level = {level:.10g}"
                yield fault("W151", Row(file, line), "first cell", rule, fix, value=text)


def _stacked(file: str, tables: Sequence[tuple[str, Table]]) -> Table:
    """Return the sheets of several endpoints as one long table."""
    columns = tuple(dict.fromkeys((ENDPOINT_COLUMN, *(column for _, table in tables for column in table.columns))))
    empty = dict.fromkeys(columns, "")
    rows = tuple(
        Row(row.file, row.line, {**empty, **row, ENDPOINT_COLUMN: endpoint})
        for endpoint, table in tables
        for row in table.rows
    )
    faults = tuple(remark for _, table in tables for remark in table.faults)
    return Table(file, columns, rows, faults, tables[0][1].header_line)
