"""Word documents of a paper: methods, results and references as paragraphs, and the checklists as tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path

from surrogacy.report.paper.checklist_text import INTRODUCTION, source_words, summary
from surrogacy.report.paper.checklists import STATUS_WORDS, Checklist, Row, prompts
from surrogacy.report.paper.material import PaperMaterial
from surrogacy.report.word import WordCell, add_run, add_table, new_document, save, set_page, table_xml
from surrogacy.results.format import capitalised

TEXTS = ("methods.md", "results.md", "references.md")
"""Texts of the document, in this order."""
NUMBERED = re.compile(r"\d+\. ")
BOLD = re.compile(r"\*\*(.+?)\*\*")
HANGING = 8.0  # mm
COLUMNS = {"Topic": 55.0, "Status": 27.0, "Content": 130.0, "Where": 45.0}
"""Headings and widths in mm of the columns of a checklist."""


def write_paper_documents(material: PaperMaterial, folder: Path, workers: Executor) -> Future[None] | None:
    """Write ``methods.docx`` and ``checklists.docx``.

    Parameters
    ----------
    material : PaperMaterial
    folder : Path
        Folder of the run.
    workers : Executor
        Processes that write the documents while this process goes on.

    Returns
    -------
    Future or None
        Completed when the documents are written; None without texts.
    """
    if not material.files:
        return None
    return workers.submit(write_documents, [material.files[name] for name in TEXTS], material.checklists, folder)


def write_documents(texts: Sequence[str], checklists: Sequence[Checklist], folder: Path) -> None:
    """Write both documents."""
    write_texts(texts, folder / "methods.docx")
    write_checklists(checklists, folder / "checklists.docx")


def write_texts(texts: Iterable[str], path: Path) -> None:
    """Write texts as a document whose bytes depend on the texts alone.

    Parameters
    ----------
    texts : iterable of str
        Markdown with headings, paragraphs, numbered and plain lists, and words in bold.
    path : Path
    """
    from docx.shared import Mm

    document = new_document("Methods, results and references")
    for block in (block for text in texts for block in _blocks(text)):
        if block.startswith("#"):
            signs, _, heading = block.partition(" ")
            add_run(document.add_paragraph(style=f"Heading {len(signs)}"), heading)
        elif (number := NUMBERED.match(block)) or block.startswith("- "):
            paragraph = document.add_paragraph(style="Reference")
            paragraph.paragraph_format.left_indent = Mm(HANGING)
            paragraph.paragraph_format.first_line_indent = -Mm(HANGING)
            start = number.end() if number else len("- ")
            paragraph.add_run(f"{block[:start].strip() if number else '•'}\t")
            add_run(paragraph, block[start:])
        else:
            paragraph = document.add_paragraph()
            for i, part in enumerate(BOLD.split(block)):
                add_run(paragraph, part, bold=i % 2 == 1)
    save(document, path)


def _blocks(text: str) -> Iterator[str]:
    """Return headings, items of lists and paragraphs."""
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.splitlines()
        if all(line.startswith("- ") or NUMBERED.match(line) for line in lines):
            yield from lines
        else:
            yield " ".join(lines)


def write_checklists(checklists: Sequence[Checklist], path: Path) -> None:
    """Write the checklists as tables of a document whose bytes depend on them alone.

    Parameters
    ----------
    checklists : sequence of Checklist
    path : Path
    """
    document = new_document("Checklists")
    set_page(document.sections[0], landscape=True)
    add_run(document.add_paragraph(style="Heading 1"), "Checklists")
    add_run(document.add_paragraph(), INTRODUCTION)
    for checklist in checklists:
        add_run(document.add_paragraph(style="Heading 2"), checklist.scheme.name)
        note = document.add_paragraph(style="Table note")
        note.paragraph_format.keep_with_next = True
        add_run(note, source_words(checklist))
        headings = [WordCell(heading, bold=True, line=True) for heading in COLUMNS]
        rows = ([WordCell(text.strip()) for text in _cells(row)] for row in checklist.rows)
        add_table(document, table_xml(list(COLUMNS.values()), [headings], rows, lines=True), note._p)
        add_run(document.add_paragraph(style="Table note"), f"{summary(checklist)}.")
    save(document, path)


def _cells(row: Row) -> tuple[str, ...]:
    """Return the cells of a row; where the author has to add something, the question without the key of its answer."""
    finding = row.finding
    missing = finding.status == "missing" and row.item.author in prompts()
    content = prompts()[row.item.author] if missing else finding.value
    return (*map(capitalised, (row.item.topic, STATUS_WORDS[finding.status], content)), finding.where)
