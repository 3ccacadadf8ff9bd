"""Tables as files: CSV for numbers, Markdown for print, and one HTML page of all of them for Word."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from tabulate import tabulate

from surrogacy.report.escaping import markdown_text, spreadsheet_text
from surrogacy.report.section import Table

PAGE_STYLE = (
    "body{font:10pt Arial,sans-serif;margin:2em}table{border-collapse:collapse;margin:.4em 0 .2em}"
    "th,td{padding:2px 8px;text-align:left;vertical-align:top}th{border-bottom:1px solid #222}"
    "table{border-top:1.5px solid #222;border-bottom:1.5px solid #222}.note{font-size:8.5pt;max-width:60em}"
)
PAGE = "<!doctype html><meta charset=utf-8><title>surrogacy: tables</title><style>{style}</style>{body}\n"


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write each table as CSV and Markdown, and all of them as ``tables.html``."""
    folder.mkdir(parents=True, exist_ok=True)
    body = []
    for table in tables:
        headings, rows = printed(table)
        (folder / f"{table.name}.csv").write_text(as_csv(table), encoding="utf-8")
        text, note = as_markdown(headings, rows), f"\n\n{table.note}" if table.note else ""
        (folder / f"{table.name}.md").write_text(f"# {table.title}\n\n{text}{note}\n", encoding="utf-8")
        body.append(f"<h2>{html.escape(table.title)}</h2>{as_html(headings, rows)}")
        body.append(f'<p class="note">{html.escape(table.note)}</p>')
    page = PAGE.format(style=PAGE_STYLE, body="".join(body))
    (folder / "tables.html").write_text(page, encoding="utf-8")


def printed(table: Table) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of the printed table, as text."""
    kept = [(i, column) for i, column in enumerate(table.columns) if column.heading]
    return [column.heading for _, column in kept], [[column.format(row[i]) for i, column in kept] for row in table.rows]


def as_csv(table: Table) -> str:
    """Return the columns with a key as CSV.

    The numbers of a column have 12 significant digits, those among words are complete. No text is read as a formula.
    """
    kept = [i for i, column in enumerate(table.columns) if column.key]
    columns = [_csv_cells([row[i] for row in table.rows]) for i in kept]
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns[i].key for i in kept)
    writer.writerows(zip(*columns, strict=True))
    return file.getvalue()


def _csv_cells(values: Sequence[Any]) -> list[Any]:
    if any(isinstance(value, str) for value in values):
        return [spreadsheet_text(value) if isinstance(value, str) else value for value in values]
    return [f"{value:.12g}" if isinstance(value, float) else value for value in values]


def as_markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown whose columns are as wide as their longest cell.

    Examples
    --------
    >>> print(as_markdown(["Set", "Trials"], [["advanced", "35"]]))
    | Set      | Trials   |
    |:---------|:---------|
    | advanced | 35       |
    """
    cells = [[markdown_text(cell) for cell in row] for row in (headings, *rows)]
    return tabulate(cells[1:], headers=cells[0], tablefmt="pipe", disable_numparse=True)


def as_html(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in HTML."""
    head = _html_row(headings, "th", ' style="text-align: right;"')
    body = "".join(_html_row(row, "td") for row in rows)
    return f'<table class="dataframe">\n  <thead>\n{head}  </thead>\n  <tbody>\n{body}  </tbody>\n</table>'


def _html_row(cells: Iterable[str], tag: str, attributes: str = "") -> str:
    lines = "".join(f"      <{tag}>{html.escape(cell.strip(), quote=False)}</{tag}>\n" for cell in cells)
    return f"    <tr{attributes}>\n{lines}    </tr>\n"
