"""Sheets of a workbook (XLSX) as text cells, and the checks of such a file."""

from __future__ import annotations

import datetime
import functools
import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from xml.parsers import expat

from surrogacy.errors import DataError, Fault
from surrogacy.trials.cells import squash
from surrogacy.trials.files import SIZE_LIMIT
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.heading_words import KNOWN_ENDPOINTS, endpoint_name
from surrogacy.trials.user_tables.table_header import MOST_HEADER_ROWS, MOST_ROWS_ABOVE, RATIOS, Header, find_header

ENCRYPTED = b"\xd0\xcf\x11\xe0"  # a compound file: an encrypted workbook, or XLS
LAST_ROW = 2**20  # of a sheet
ROW_TAG = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']")
HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*\bhidden=[\"'](?:1|true)[\"'][^>]*)>")
HIDDEN_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*\bhidden=[\"'](?:1|true)[\"'][^>]*)>")
COLUMN_LIMIT = {name: re.compile(rb"\b%s=[\"']([0-9]{1,7})[\"']" % name.encode()) for name in ("min", "max")}
MOST_NAMES = 8  # hidden rows and columns that a message names
ROW_NUMBER = re.compile(rb"\br=[\"']([0-9]{1,18})[\"']")


@dataclass(frozen=True)
class Sheet:
    """Cells of a sheet that is read.

    Parameters
    ----------
    title : str
    rows : tuple of (line, cells)
        The text of merged cells is repeated in all of them.
    merged : bool
        Whether the sheet has merged cells.
    endpoint : str
        Endpoint that the title names, if the sheets of several endpoints are read together.
    faults : tuple of Fault
        Remarks on the choice of the sheet.
    """

    title: str
    rows: tuple[tuple[int, list[str]], ...]
    merged: bool
    endpoint: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def header(self) -> Header:
        """Return the header; that of an empty sheet has no headings."""
        filled = (row for _, row in self.rows if any(row))
        return find_header(list(itertools.islice(filled, MOST_ROWS_ABOVE + MOST_HEADER_ROWS)), merged=self.merged)


def read_workbook(raw: bytes, file: str) -> tuple[Sheet, ...]:
    """Read the first visible sheet whose header fits, or the sheets that are named by the endpoint of their rows.

    If no header fits, the first visible sheet with cells is read.

    Parameters
    ----------
    raw : bytes
        Content of the file.
    file : str
        Name for messages.

    Raises
    ------
    DataError
        If the file is not a workbook, is damaged, encrypted or too large, or holds a formula without a stored value.
    """
    _check_archive(raw, file)
    try:
        with warnings.catch_warnings():
            # openpyxl warns about parts that it drops, such as styles, and about dates out of range
            warnings.simplefilter("ignore")
            values, formulas = _load(raw, stored=True), _load(raw, stored=False)
            sources = {sheet.title: _source(sheet) for sheet in values.worksheets}
            stored: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}
            filled, hidden = [], []
            for sheet in values.worksheets:
                _check_rows(sources[sheet.title], sheet.title, file)
                stored[sheet.title] = list(_rows(sheet))
                cells = _sheet(sheet.title, stored[sheet.title], sources[sheet.title])
                if any(any(row) for _, row in cells.rows):
                    filled.append(cells)
                    hidden += [sheet.title] if sheet.sheet_state != "visible" else []
            read = _chosen([sheet for sheet in filled if sheet.title not in hidden] or filled)
            faults = []
            for cells in read:
                texts = _rows(formulas[cells.title])
                faults += _without_value(stored[cells.title], texts, sources[cells.title], file)
    except DataError:
        raise
    except Exception as error:  # openpyxl and its parsers raise many kinds of errors
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        fix = "open it in a spreadsheet and save it again as .xlsx, or as CSV"
        raise DataError([fault("E001", Row(file), "", f"the workbook cannot be read ({reason})", fix)]) from None
    if not read:
        fix = "give a header line and one row per comparison or effect"
        raise DataError([fault("E001", Row(file), "", "no sheet of the workbook has cells", fix)])
    if faults:
        raise DataError(faults)
    remarks = (
        *_remarks(read, filled, hidden, values.sheetnames[0], file),
        *(remark for sheet in read for remark in _hidden_cells(sheet, sources[sheet.title], file)),
    )
    return (replace(read[0], faults=remarks), *read[1:])


def _chosen(sheets: list[Sheet]) -> list[Sheet]:
    """Return the sheets that are read."""
    fitting = [sheet for sheet in sheets if sheet.header.fits]
    named = [sheet for sheet in fitting if squash(sheet.title) in KNOWN_ENDPOINTS and _has_single_ratio(sheet.header)]
    if len({endpoint_name(sheet.title) for sheet in named}) > 1 and fitting[0] is named[0]:
        return [replace(sheet, endpoint=endpoint_name(sheet.title)) for sheet in named]
    return (fitting or sheets)[:1]


def _has_single_ratio(header: Header) -> bool:
    """Return whether a header has hazard ratios without the name of their endpoint."""
    named = [heading for heading in header.meanings if heading.quantity in RATIOS]
    listed = any(heading.quantity == "endpoint" for heading in header.meanings)
    return bool(named) and not listed and not any(heading.endpoint for heading in named)


def _column_number(letters: str) -> int:
    return functools.reduce(lambda number, letter: 26 * number + ord(letter) - ord("A") + 1, letters, 0)


def _sheet(title: str, values: list[tuple[int, tuple[Any, ...]]], source: bytes) -> Sheet:
    """Return the cells of a sheet as text."""
    rows = [(line, [_text(value) for value in row]) for line, row in values]
    width = max((len(row) for _, row in rows), default=0)
    ranges = [tuple(map(bytes.decode, match.groups())) for match in MERGED.finditer(source)]
    for first, top, last, bottom in ranges:
        left, right = _column_number(first), _column_number(last)
        for _, row in rows[int(top) - 1 : int(bottom)]:
            row += [""] * (min(right, width) - len(row))
            row[left - 1 : right] = [rows[int(top) - 1][1][left - 1]] * len(row[left - 1 : right])
    return Sheet(title, tuple(rows), bool(ranges))


def _load(raw: bytes, *, stored: bool) -> Any:
    """Return the workbook, with the stored values of formulas or with the formulas themselves."""
    from openpyxl.reader.excel import ExcelReader

    class TableReader(ExcelReader):
        def read_chartsheet(self, sheet: Any, rel: Any) -> None:
            """Skip a chart sheet: it has no table, and openpyxl fails if it has no drawing."""

    reader = TableReader(io.BytesIO(raw), read_only=True, data_only=stored)
    reader.read()
    return reader.wb


def _check_archive(raw: bytes, file: str) -> None:
    """Refuse a file that is not an intact zip archive of moderate size."""
    fix = "save it as .xlsx without a password, or as CSV"
    if raw[:4] == ENCRYPTED:
        raise DataError([fault("E001", Row(file), "", "the workbook is encrypted, or in the old .xls format", fix)])
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            size = sum(part.file_size for part in archive.infolist())
            damaged = archive.testzip() if size <= SIZE_LIMIT else None
            parts = archive.namelist() if size <= SIZE_LIMIT and not damaged else []
            typed = any(_declares_type(archive.read(part)) for part in parts if part.endswith((".xml", ".rels")))
    except Exception as error:  # zipfile and zlib raise many kinds of errors
        rule = f"the file is not a readable workbook ({error or type(error).__name__})"
        raise DataError([fault("E001", Row(file), "", rule, fix)]) from None
    if damaged:
        raise DataError([fault("E001", Row(file), "", f"the workbook is damaged (checksum of {damaged})", fix)])
    if typed:
        rule = "the workbook declares a document type, which spreadsheets never do"
        raise DataError([fault("E001", Row(file), "", rule, fix)])
    if size > SIZE_LIMIT:
        rule = f"the workbook unpacks to {size / 2**20:.0f} MiB; at most {SIZE_LIMIT / 2**20:.0f} MiB are read"
        raise DataError([fault("E001", Row(file), "", rule, "save the sheet with the table as CSV")])


def _declares_type(content: bytes) -> bool:
    """Return whether an XML part has a document type, possibly after a comment and in any encoding."""
    seen = []

    def end(*_: object) -> None:
        raise StopIteration

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: seen.append(True)
    parser.StartElementHandler = end
    with suppress(StopIteration, expat.ExpatError):  # the reader refuses a part that is not well-formed
        parser.Parse(content, True)
    return bool(seen)


def _source(sheet: Any) -> bytes:
    """Return the XML of a sheet."""
    with sheet._get_source() as stream:
        return bytes(stream.read())


def _check_rows(source: bytes, title: str, file: str) -> None:
    """Refuse a sheet whose rows are out of order (openpyxl would drop some) or beyond the last possible row."""
    last = 0
    for tag in ROW_TAG.finditer(source):
        stated = ROW_NUMBER.search(tag[1])
        row = int(stated[1]) if stated else last + 1
        if not last < row <= LAST_ROW:
            rule = (
                f"sheet {title!r} has row {row} below row {last}"
                if row <= last
                else f"sheet {title!r} has more than {LAST_ROW:,} rows"
            )
            fix = "open it in a spreadsheet and save it again as .xlsx, or as CSV"
            raise DataError([fault("E001", Row(file, row if row <= last else 0), "", rule, fix)])
        last = row


def _rows(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    sheet.reset_dimensions()  # the size that a sheet states may be wrong
    return enumerate(sheet.iter_rows(values_only=True), start=1)


def _without_value(
    rows: list[tuple[int, tuple[Any, ...]]], formulas: Iterator[tuple[int, tuple[Any, ...]]], source: bytes, file: str
) -> list[Fault]:
    """E015: the result of each formula is stored in the file; an empty text is a result."""
    from openpyxl.utils import get_column_letter

    faults = []
    for (line, values), (_, texts) in zip(rows, formulas, strict=False):
        for column, text in enumerate(texts):
            if text is not None and (column >= len(values) or values[column] is None):
                cell = f"{get_column_letter(column + 1)}{line}"
                tag = re.search(rb'<(?:\w+:)?c\b[^>]*\br="%s"[^>]*>' % cell.encode(), source)
                if tag and b't="str"' in tag[0]:
                    continue
                formula = text if isinstance(text, str) else getattr(text, "text", None) or "a data table"
                rule = "the file contains the formula of this cell, but not its value"
                fix = "open it in a spreadsheet and save it again, or write the value"
                faults.append(fault("E015", Row(file, line), cell, rule, fix, value=formula[:80]))
    return faults


def _text(value: Any) -> str:
    """Return a cell as text: numbers with their shortest digits, dates as YYYY-MM-DD, TRUE as true."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(sep=" ")
    return str(value)


def _hidden_cells(sheet: Sheet, source: bytes, file: str) -> Iterator[Fault]:
    """W135: no row or column of the table is hidden, for example by a filter."""
    from openpyxl.utils import get_column_letter

    filled = {line: {i for i, cell in enumerate(row) if cell.strip()} for line, row in sheet.rows}
    rows = [int(number[1]) for tag in HIDDEN_ROW.findall(source) if (number := ROW_NUMBER.search(tag))]
    columns = {
        column
        for tag in HIDDEN_COLUMN.findall(source)
        for first, last in [(COLUMN_LIMIT["min"].search(tag), COLUMN_LIMIT["max"].search(tag))]
        if first and last
        for column in set().union(*filled.values())
        if int(first[1]) <= column + 1 <= int(last[1])
    }
    names = [f"row {line}" for line in rows if filled.get(line)]
    names += [f"column {get_column_letter(column + 1)}" for column in sorted(columns)]
    if names:
        shown = ", ".join(names[:MOST_NAMES]) + (" ..." if len(names) > MOST_NAMES else "")
        rule = f"sheet {sheet.title!r} has hidden rows or columns, which are read: {shown}"
        yield fault("W135", Row(file), "", rule, "delete them if they do not belong to the table")


def _remarks(read: list[Sheet], filled: list[Sheet], hidden: list[str], first: str, file: str) -> Iterator[Fault]:
    """W135, I135: the workbook has one table."""
    names = " and ".join(repr(sheet.title) for sheet in read)
    verb = f"sheet {names} is read" if len(read) == 1 else f"sheets {names} are read, by the endpoint in their names"
    unread = [sheet for sheet in filled if sheet.title not in {each.title for each in read}]
    tables = [sheet.title for sheet in unread if sheet.header.fits and sheet.title not in hidden]
    if hidden:
        rule = f"{verb}; hidden: {', '.join(map(repr, hidden))}"
        yield fault("W135", Row(file), "", rule, "to read a hidden sheet, show it and move it to the front")
    elif tables:
        rule = f"{verb}, the first whose header fits; further tables, not read: {', '.join(map(repr, tables))}"
        yield fault("W135", Row(file), "", rule, "put all rows on one sheet, or keep each table in a file of its own")
    elif len(read) > 1 or unread or read[0].title != first:
        rule = (
            verb
            if len(read) > 1
            else f"{verb}, the first {'whose header fits' if read[0].header.fits else 'with cells'}"
        )
        left = f"; not read: {', '.join(repr(sheet.title) for sheet in unread)}" if unread else ""
        yield fault("I135", Row(file), "", f"{rule}{left}", "to read another sheet, move it to the front")
