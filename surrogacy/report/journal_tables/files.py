"""Files of the tables of a paper: text formats at once, the Word document by a worker process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

from surrogacy.report.journal_tables.layout import JournalTable
from surrogacy.report.journal_tables.markup import as_csv, as_html_page, as_latex, as_markdown
from surrogacy.report.journal_tables.word import write_word

FORMATS: dict[str, Callable[[JournalTable], str]] = {
    "csv": as_csv,
    "md": as_markdown,
    "html": as_html_page,
    "tex": as_latex,
}


def write_journal_tables(tables: Sequence[JournalTable], folder: Path, workers: Executor) -> Future[None] | None:
    """Write each table as ``tables/table-*`` in every text format, and all of them as ``tables.docx``.

    Parameters
    ----------
    tables : sequence of JournalTable
    folder : Path
        Folder of the run.
    workers : Executor
        Processes that write the Word document while this process goes on.

    Returns
    -------
    Future or None
        Completed when the Word document is written; None without tables.
    """
    for table in tables:
        for ending, render in FORMATS.items():
            (folder / "tables" / f"{table.file}.{ending}").write_text(render(table), encoding="utf-8")
    return workers.submit(write_word, tables, folder / "tables.docx") if tables else None
