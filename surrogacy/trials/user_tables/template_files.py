"""Files of the table to fill in: a workbook, or CSV with a second file that explains its columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from surrogacy.errors import OutputError, UsageError
from surrogacy.trials.user_tables.template import (
    EXPLANATION_HEADINGS,
    NOTES,
    TEMPLATE_COLUMNS,
    example_rows,
    explanation_rows,
)
from surrogacy.trials.user_tables.template_workbook import workbook


def write_template(path: Path) -> tuple[Path, ...]:
    """Write a table to fill in, as XLSX or CSV; the explanation of a CSV is a second file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple of Path
        Files that were written.

    Raises
    ------
    UsageError
        If the name of the file does not end with .xlsx or .csv, or a file exists.
    OutputError
        If a file cannot be written.
    """
    contents: dict[Path, Callable[[], bytes]]
    if path.suffix.lower() == ".xlsx":
        contents = {path: workbook}
    elif path.suffix.lower() == ".csv":
        contents = {path: _csv_table, path.with_name(f"{path.stem}.columns.csv"): _csv_explanation}
    else:
        raise UsageError(
            f"{path}: a template is a .xlsx or a .csv file, and a form for the checklists a .yml file; give a name "
            "such as my_trials.xlsx"
        )
    for file in contents:
        if file.exists() or file.is_symlink():
            raise UsageError(f"{file} exists and is not overwritten; give another name, or remove it")
    for file, raw in [(file, content()) for file, content in contents.items()]:
        try:
            with file.open("xb") as stream:
                stream.write(raw)
        except OSError as error:
            raise OutputError(f"{file} cannot be written: {error.strerror}") from None
    return tuple(contents)


def _csv_table() -> bytes:
    headings = [column.heading for column in TEMPLATE_COLUMNS]
    return _csv([headings, *([row[heading] for heading in headings] for row in example_rows())])


def _csv_explanation() -> bytes:
    return _csv([EXPLANATION_HEADINGS, *explanation_rows(), *((note,) for note in NOTES)])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Return CSV with a byte-order mark, which spreadsheets need to recognise UTF-8."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerows(rows)
    return stream.getvalue().encode("utf-8-sig")
