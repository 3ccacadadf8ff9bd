"""Tables as files: CSV for numbers, Markdown for print, and one HTML page of all of them for Word."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from surrogacy.report.escaping import markdown_cells, spreadsheet_cells
from surrogacy.report.section import Table

PAGE_STYLE = (
    "body{font:10pt Arial,sans-serif;margin:2em}table{border-collapse:collapse;margin:.4em 0 .2em}"
    "th,td{padding:2px 8px;text-align:left;vertical-align:top}th{border-bottom:1px solid #222}"
    "table{border-top:1.5px solid #222;border-bottom:1.5px solid #222}.note{font-size:8.5pt;max-width:60em}"
)
PAGE = "<!doctype html><meta charset=utf-8><title>surrogacy: tables</title><style>{style}</style>{body}\n"


def numbers(table: Table) -> pd.DataFrame:
    """Return the columns of the CSV."""
    kept = [i for i, column in enumerate(table.columns) if column.key]
    names = [table.columns[i].key for i in kept]
    return pd.DataFrame([[row[i] for i in kept] for row in table.rows], columns=names)


def printed(table: Table) -> pd.DataFrame:
    """Return the columns of the printed table, as text."""
    kept = [(i, column) for i, column in enumerate(table.columns) if column.heading]
    cells = [[column.format(row[i]) for i, column in kept] for row in table.rows]
    return pd.DataFrame(cells, columns=[column.heading for _, column in kept])


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write each table as CSV and Markdown, and all of them as ``tables.html``."""
    folder.mkdir(parents=True, exist_ok=True)
    body = []
    for table in tables:
        words, note = printed(table), f"\n\n{table.note}" if table.note else ""
        spreadsheet_cells(numbers(table)).to_csv(
            folder / f"{table.name}.csv", index=False, float_format="%.12g", lineterminator="\n"
        )
        text = markdown_cells(words).to_markdown(index=False, disable_numparse=True)
        (folder / f"{table.name}.md").write_text(f"# {table.title}\n\n{text}{note}\n", encoding="utf-8")
        body.append(f"<h2>{html.escape(table.title)}</h2>{words.to_html(index=False, border=0)}")
        body.append(f'<p class="note">{html.escape(table.note)}</p>')
    page = PAGE.format(style=PAGE_STYLE, body="".join(body))
    (folder / "tables.html").write_text(page, encoding="utf-8")
