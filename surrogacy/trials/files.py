"""Table files: CSV with commas, semicolons or tabs, any line ending, with or without a byte-order mark."""

from __future__ import annotations

import codecs
import csv
import io
import re
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from surrogacy.errors import DataError, Fault
from surrogacy.trials.cells import clean
from surrogacy.trials.columns import words
from surrogacy.trials.rows import Row, fault

STANDARD_INPUT = "-"
SIZE_LIMIT = 64 * 2**20  # bytes, of a file and of an unpacked workbook
BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
REFUSED = "\u061c\u200e\u200f\ufffe\uffff"  # marks of direction, and characters that XML forbids
JOINERS = "\u200c\u200d"  # used in Persian, in languages of India, and in emoji
NAMES = frozenset(words("trial study studlab comparison label endpoint outcome surrogate final control_group"))


@dataclass(frozen=True)
class Table:
    """Rows of a file.

    Parameters
    ----------
    file : str
        Name for messages.
    columns : tuple of str
        Headings as written; a column with content but without a heading is named by its position, ``column 7``.
    rows : tuple of Row
    faults : tuple of Fault
        Remarks on the reading of the file.
    header_line : int
        Line of the (last row of the) header.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...] = ()
    header_line: int = 1

    def lower_case(self) -> Table:
        """Return the table with its headings in lower case, as in the curated tables."""
        rows = tuple(
            Row(row.file, row.line, {column.lower(): cell for column, cell in row.items()}) for row in self.rows
        )
        return replace(self, columns=tuple(column.lower() for column in self.columns), rows=rows)


def is_workbook(path: Path, raw: bytes) -> bool:
    """Return whether a file is a workbook, by its name or its content."""
    return path.suffix.lower() in (".xlsx", ".xlsm") or raw[:4] == b"PK\x03\x04"


def decoded(raw: bytes, file: str) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte-order mark, with line feeds alone."""
    text = None
    with suppress(UnicodeDecodeError):
        if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):  # Unicode text of a spreadsheet
            text = raw.decode("utf-16")
            text = text if re.search("[A-Za-z]", text) else None
        else:
            text = raw.decode("utf-8-sig")
    if text is None:
        rule, fix = "the text is not UTF-8", "save it as CSV UTF-8"
        if raw[:2] == b"\xd0\xcf":
            rule, fix = "this is a workbook, not text", "save it as .xlsx, or as CSV"
        raise DataError([fault("E001", Row(file), "", rule, fix)])
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_table(path: Path, name: str | None = None, *, complete: bool = False) -> Table:
    """Read a CSV file whose first line is its header; ``-`` is standard input.

    Parameters
    ----------
    path : Path
    name : str, optional
        Name for messages; default: the path as given.
    complete : bool
        Whether every row must have all cells, as in the curated tables, where a shorter row indicates a damaged file.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file cannot be read, is larger than 64 MiB, is not a table, or a row has more cells than the header.
    """
    file = name or ("standard input" if str(path) == STANDARD_INPUT else str(path))
    raw = read_bytes(path, file)
    if is_workbook(path, raw):
        rule, fix = "this is a workbook, not text", "save it as CSV"
        raise DataError([fault("E001", Row(file), "", rule, fix)])
    lines, delimiter = text_rows(decoded(raw, file), file, lambda text: delimiter_of(text.partition("\n")[0]))
    (line, header), *rows = filled_rows(lines, file)
    return table_of_cells(file, (line, header), rows, decimal_comma=delimiter != ",", complete=complete)


def delimiter_of(header: str) -> str:
    """Return the separator of a header line; headings may contain commas, but rarely tabs or semicolons."""
    if "\t" in header and header.count("\t") >= header.count(","):
        return "\t"
    return ";" if ";" in header and header.count(";") >= header.count(",") else ","


def read_bytes(path: Path, file: str) -> bytes:
    """Return the content of a file, a pipe or standard input.

    Raises
    ------
    DataError
        If it cannot be read, or is larger than 64 MiB.
    """
    try:
        if str(path) == STANDARD_INPUT and sys.stdin is None:
            raise DataError([fault("E001", Row(file), "", "standard input is closed", "give a file, or < FILE")])
        if str(path) == STANDARD_INPUT:
            raw = sys.stdin.buffer.read(SIZE_LIMIT + 1)
        else:
            if stat.S_ISDIR(path.stat().st_mode):
                raise DataError([fault("E001", Row(file), "", "this is a folder", "give a file, CSV or XLSX")])
            with path.open("rb") as stream:
                raw = stream.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        rule = "the link is broken" if path.is_symlink() else "the file does not exist"
        raise DataError([fault("E001", Row(file), "", rule, "check the path")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        rule = f"the file cannot be read ({reason})"
        raise DataError([fault("E001", Row(file), "", rule, "check the path and its permissions")]) from None
    if len(raw) > SIZE_LIMIT:
        rule = f"the file is larger than {SIZE_LIMIT / 2**20:.0f} MiB, the largest that is read"
        raise DataError([fault("E001", Row(file), "", rule, "give a table of trials, without patient data")])
    return raw


def text_rows(text: str, file: str, separator: Callable[[str], str]) -> tuple[list[tuple[int, list[str]]], str]:
    """Return the rows of a CSV text with their lines, and the separator: as declared for Excel, else as guessed.

    Parameters
    ----------
    text : str
        A first line such as ``sep=;`` declares the separator, and is not a row.
    file : str
        Name for messages.
    separator : callable
        Takes the text and returns the separator, if none is declared.
    """
    declared = re.match(r"sep=(.)\n", text)
    delimiter = declared[1] if declared else separator(text)
    return split_text(text, delimiter, file)[1 if declared else 0 :], delimiter


def split_text(text: str, delimiter: str, file: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV text with the line each starts on."""
    try:
        return list(csv_rows(text, delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end of data" not in str(error):  # irregular quotes are read as in a spreadsheet
            return _tolerant_rows(text, delimiter, file)
    line = max((start for start, _ in csv_rows(text, delimiter, strict=False)), default=1)
    fix = 'close the quotation mark, or write "" for one inside a cell'
    raise DataError([fault("E003", Row(file, line), "", "the quotation mark that opens here is not closed", fix)])


def _tolerant_rows(text: str, delimiter: str, file: str) -> list[tuple[int, list[str]]]:
    rows: list[tuple[int, list[str]]] = []
    try:
        rows.extend(csv_rows(text, delimiter, strict=False))
    except csv.Error as error:
        line = rows[-1][0] + 1 if rows else 1
        limit = csv.field_size_limit()
        rule, fix = f"the row cannot be read ({error})", "write the row as plain cells"
        if "field limit" in str(error):
            rule, fix = f"a cell has more than {limit:,} characters", "check the quotation marks"
        raise DataError([fault("E003", Row(file, line), "", rule, fix)]) from None
    return rows


def csv_rows(text: str, delimiter: str, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV text with the line each starts on."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=strict)
    start = 1
    for row in reader:
        yield start, row
        start = reader.line_num + 1


def filled_rows(cells: Sequence[tuple[int, list[str]]], file: str) -> list[tuple[int, list[str]]]:
    """Return the rows with content.

    Raises
    ------
    DataError
        If there is none.
    """
    filled = [(line, row) for line, row in cells if any(cell.strip() for cell in row)]
    if not filled:
        fix = "give a header line and one row per comparison or effect"
        raise DataError([fault("E001", Row(file), "", "the file is empty", fix)])
    return filled


def table_of_cells(
    file: str,
    header: tuple[int, Sequence[str]],
    cells: Sequence[tuple[int, list[str]]],
    faults: Sequence[Fault] = (),
    *,
    decimal_comma: bool,
    complete: bool = False,
) -> Table:
    """Make a table of its header and its rows.

    Parameters
    ----------
    file : str
    header : (line, headings)
    cells : sequence of (line, cells)
        Rows below the header.
    faults : sequence of Fault
        Remarks on the reading of the file.
    decimal_comma : bool
        Whether a number may have a decimal comma.
    complete : bool
        Whether every row must have all cells.

    Raises
    ------
    DataError
        If headings are repeated, a row has more cells than the header, or a cell has invisible characters.
    """
    header_line, texts = header
    headings = _headings([" ".join(cell.split()) for cell in texts], [row for _, row in cells])
    errors = list(_repeated_headings(file, headings, header_line))
    rows = []
    for line, row in cells:
        extra = any(cell.strip() for cell in row[len(headings) :])
        if extra or (complete and len(row) < len(headings)):
            rule = f"the row has {len(row)} cells, the header {len(headings)}"
            fix = "if the file is not damaged, add the missing cells, even if they are empty"
            if extra:
                fix = "quote cells that contain the separator"
                fix += "" if decimal_comma else ", or use ; between cells if , is the decimal mark"
            errors.append(fault("E003", Row(file, line), "", rule, fix))
            continue
        row = row[: len(headings)] + [""] * (len(headings) - len(row))
        by_column = [(column, cell) for column, cell in zip(headings, row, strict=True) if column]
        errors += _forbidden_characters(file, line, by_column)
        rows.append(Row(file, line, {column: clean(cell, decimal_comma=decimal_comma) for column, cell in by_column}))
    if errors:
        raise DataError(errors)
    return Table(file, tuple(column for column in headings if column), tuple(rows), tuple(faults), header_line)


def _headings(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return the headings without trailing empty ones; a column with content but no heading is named by position."""
    while header and not header[-1]:
        header = header[:-1]
    content = {i for row in rows for i, cell in enumerate(row) if cell.strip()}
    return [heading or (f"column {i + 1}" if i in content else "") for i, heading in enumerate(header)]


def _repeated_headings(file: str, header: Sequence[str], line: int) -> Iterator[Fault]:
    """E002: headings are unique; E013: they have no invisible characters."""
    names = [heading.lower() for heading in header if heading]
    for heading in sorted({name for name in names if names.count(name) > 1}):
        yield fault("E002", Row(file, line), heading, "two columns have this heading", "rename or remove one of them")
    yield from _forbidden_characters(file, line, [(f"column {i + 1}", heading) for i, heading in enumerate(header)])


def _forbidden_characters(file: str, line: int, cells: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    """E013: cells have no invisible characters, and names have no line breaks."""
    for column, cell in cells:
        if cell.isascii() and cell.isprintable():
            continue
        allowed = "\t" if column.lower() in NAMES else "\n\t"
        for character in cell.strip():
            kind = unicodedata.category(character)
            invisible = kind == "Cc" or unicodedata.bidirectional(character) in BIDIRECTIONAL or character in REFUSED
            if column.lower() in NAMES:  # names that look the same must be the same
                invisible |= kind in ("Cf", "Zl", "Zp") and character not in JOINERS
            if invisible and character not in allowed:
                name = "a line break" if character == "\n" else f"the invisible character U+{ord(character):04X}"
                value = cell.encode("unicode_escape").decode("ascii")[:60]
                yield fault("E013", Row(file, line), column, f"the cell contains {name}", "delete it", value=value)
                break
