"""Tables as a Word document: captions with numbers that Word counts, and sections in landscape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surrogacy.report.journal_tables.layout import Cell, Column, Group, JournalTable
from surrogacy.report.word import WordCell, add_run, add_table, new_document, save, set_page, table_xml

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.text.paragraph import CT_P

SPACE_ABOVE_GROUP = 4.0  # pt


def write_word(tables: Sequence[JournalTable], path: Path) -> None:
    """Write the tables as a document whose bytes depend on the tables alone.

    Parameters
    ----------
    tables : sequence of JournalTable
    path : Path
    """
    document = new_document("Tables")
    for i, table in enumerate(tables):
        section = document.add_section() if i else document.sections[0]
        set_page(section, landscape=table.landscape)
        widths = [column.width for column in table.columns]
        xml = table_xml(widths, list(_headings(table)), _rows(table.aligned))
        add_table(xml, _add_caption(document, table))
        _add_notes(document, table)
    save(document, path)


def _add_caption(document: Document, table: JournalTable) -> CT_P:
    """Add a caption with a number that Word counts, so that a list of tables can be made; return its element."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = document.add_paragraph("Table ", style="Caption")
    number = OxmlElement("w:fldSimple")
    number.set(qn("w:instr"), r" SEQ Table \* ARABIC ")
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = str(table.number)
    run.append(text)
    number.append(run)
    paragraph._p.append(number)
    add_run(paragraph, f". {table.title}")
    return paragraph._p


def _headings(table: JournalTable) -> Iterator[Sequence[WordCell]]:
    """Return the rows of headings: upper headings if there are any, and those of the columns."""
    if table.spans:
        yield [WordCell(over, span=count, bold=True, rule=bool(over)) for over, count in table.spans]
    yield [WordCell(column.heading, bold=True, right=column.align == "right", line=True) for column in table.columns]


def _rows(table: JournalTable) -> Iterator[Sequence[WordCell]]:
    for group in table.groups:
        yield from _heading_of(group, len(table.columns))
        yield from ([_word_cell(*pair) for pair in zip(row, table.columns, strict=True)] for row in group.rows)


def _heading_of(group: Group, columns: int) -> Iterator[Sequence[WordCell]]:
    """Return a row with the heading of a group, which stays on the page of the next row."""
    if group.heading.text:
        marks = ",".join(group.heading.marks)
        yield [WordCell(group.heading.text, marks, span=columns, bold=True, space=SPACE_ABOVE_GROUP)]


def _word_cell(cell: Cell, column: Column) -> WordCell:
    return WordCell(cell.text, ",".join(cell.marks), right=column.align == "right")


def _add_notes(document: Document, table: JournalTable) -> None:
    """Add the notes as a paragraph, and each footnote as another one."""
    if table.notes:
        add_run(document.add_paragraph(style="Table note"), " ".join(table.notes))
    for footnote in table.footnotes:
        paragraph = document.add_paragraph(style="Table note")
        add_run(paragraph, footnote.mark, raised=True)
        add_run(paragraph, f" {footnote.text}")
