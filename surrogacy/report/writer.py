"""Tables and draws of a run as files."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from surrogacy.analysis.fit_run import FitRun
from surrogacy.report.escaping import markdown_cells, slug, spreadsheet_cells
from surrogacy.report.tables import ReportTable

PAGE_STYLE = (
    "body{font:10pt Arial,sans-serif;margin:2em}table{border-collapse:collapse;margin:.4em 0 .2em}"
    "th,td{padding:2px 8px;text-align:left;vertical-align:top}th{border-bottom:1px solid #222}"
    "table{border-top:1.5px solid #222;border-bottom:1.5px solid #222}.note{font-size:8.5pt;max-width:60em}"
)


def write_draws(run: FitRun, folder: Path) -> list[str]:
    """Write what was sampled as netCDF, one file a set and model, into ``draws/``; nothing if nothing was.

    Returns
    -------
    list of str
        File names.
    """
    sampled = run.sampled
    if sampled:
        (folder / "draws").mkdir()
    names = [f"{slug(result.effects.name)}-{result.model}.nc" for result in sampled]
    for result, name in zip(sampled, names, strict=True):
        result.draws.to_netcdf(folder / "draws" / name)
    return names


def write_tables(tables: Sequence[ReportTable], folder: Path) -> list[str]:
    """Write each table as CSV (numbers) and Markdown (for print), and all of them as one HTML page for Word.

    Returns
    -------
    list of str
        File names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names, page = [], []
    for table in tables:
        spreadsheet_cells(table.numbers).to_csv(
            folder / f"{table.name}.csv", index=False, float_format="%.12g", lineterminator="\n"
        )
        note = f"\n\n{table.note}" if table.note else ""
        text = (
            f"# {table.title}\n\n{markdown_cells(table.words).to_markdown(index=False, disable_numparse=True)}{note}\n"
        )
        (folder / f"{table.name}.md").write_text(text, encoding="utf-8")
        page.append(f"<h2>{html.escape(table.title)}</h2>{table.words.to_html(index=False, border=0, na_rep='–')}")
        page.append(f'<p class="note">{html.escape(table.note)}</p>')
        names += [f"{table.name}.csv", f"{table.name}.md"]
    document = f"<!doctype html><meta charset=utf-8><title>surrogacy: tables</title><style>{PAGE_STYLE}</style>{''.join(page)}\n"
    (folder / "tables.html").write_text(document, encoding="utf-8")
    return [*names, "tables.html"]
