"""Files of the tables of a paper, written by a worker process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

from surrogacy.report.journal_tables.layout import JournalTable

FORMATS = ("csv", "md", "html", "tex")


def write_journal_tables(tables: Sequence[JournalTable], folder: Path, workers: Executor) -> Future[None] | None:
    """Write each table as ``tables/table-*`` in every text format, and all of them as ``tables.docx``.

    Parameters
    ----------
    tables : sequence of JournalTable
    folder : Path
        Folder of the run.
    workers : Executor
        Processes that write the files while this process goes on.

    Returns
    -------
    Future or None
        Completed when the files are written; None without tables.
    """
    return workers.submit(write_files_of_tables, tables, folder) if tables else None


def write_files_of_tables(tables: Sequence[JournalTable], folder: Path) -> None:
    """Write the files of the tables; the modules that format them are loaded here."""
    from surrogacy.report.journal_tables.markup import as_csv, as_html_page, as_latex, as_markdown
    from surrogacy.report.journal_tables.word import write_word

    renderers: tuple[Callable[[JournalTable], str], ...] = (as_csv, as_markdown, as_html_page, as_latex)
    for table in tables:
        for ending, render in zip(FORMATS, renderers, strict=True):
            (folder / "tables" / f"{table.file}.{ending}").write_text(render(table), encoding="utf-8")
    write_word(tables, folder / "tables.docx")
