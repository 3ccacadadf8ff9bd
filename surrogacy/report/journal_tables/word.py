"""Tables as a Word document: one table per page or more, captions with numbers, and sections in landscape."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from surrogacy.report.journal_tables.layout import Cell, JournalTable

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.text.paragraph import CT_P
    from docx.section import Section

FONT = "Arial"
MARGIN, VERTICAL_MARGIN, SHORT_SIDE, LONG_SIDE = 20.0, 12.7, 210.0, 297.0
"""Margins and sides of A4 in mm."""
STYLES = {"Table text": 8.0, "Table note": 7.0}
"""Styles of paragraphs and their size in pt."""
STYLE_OF_CELLS = "Tabletext"  # identifier of the first of them
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RULE = '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:space="0" w:color="222222"/></w:tcBorders>'
TABLE_PROPERTIES = (
    '<w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:tblBorders>'
    '<w:top w:val="single" w:sz="8" w:space="0" w:color="222222"/>'
    '<w:bottom w:val="single" w:sz="8" w:space="0" w:color="222222"/></w:tblBorders><w:tblLayout w:type="fixed"/>'
    '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="100" w:type="dxa"/></w:tblCellMar></w:tblPr>'
)
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # no file contains a time, so that the bytes depend on the results alone
ENTRY_TIME = (1980, 1, 1, 0, 0, 0)


def write_word(tables: Sequence[JournalTable], path: Path) -> None:
    """Write the tables as a document whose bytes depend on the tables alone.

    Parameters
    ----------
    tables : sequence of JournalTable
    path : Path
    """
    import docx
    from docx.oxml import parse_xml

    document = docx.Document()
    _prepare(document)
    for i, table in enumerate(tables):
        section = document.add_section() if i else document.sections[0]
        _set_page(section, landscape=table.landscape)
        _add_caption(document, table).addnext(parse_xml(_table_xml(table)))
        _add_notes(document, table)
    file = BytesIO()
    document.save(file)
    path.write_bytes(_without_times(file.getvalue()))


def _without_times(content: bytes) -> bytes:
    """Return an archive whose entries have a constant time and stand in the order of their names."""
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(file, "w") as target:
        for name in sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, ENTRY_TIME)
            entry.external_attr = 0o600 << 16
            target.writestr(entry, source.read(name), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _prepare(document: Document) -> None:
    """Set properties and styles."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    properties = document.core_properties
    properties.title, properties.author, properties.comments = "Tables", "", ""
    properties.created = properties.modified = EPOCH.replace(tzinfo=None)
    caption = document.styles["Caption"]
    for style, size in ((document.styles["Normal"], 10.0), (caption, 10.0)):
        style.font.name, style.font.size = FONT, Pt(size)
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONT)
    caption.font.color.rgb = RGBColor(0, 0, 0)
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_after = Pt(4)
    for name, size in STYLES.items():
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.size = document.styles["Normal"], Pt(size)
        space = 1.5 if name == "Table note" else 0.6
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(space)


def _set_page(section: Section, *, landscape: bool) -> None:
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    sides = (LONG_SIDE, SHORT_SIDE) if landscape else (SHORT_SIDE, LONG_SIDE)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = map(Mm, sides)
    section.left_margin = section.right_margin = Mm(MARGIN)
    section.top_margin = section.bottom_margin = Mm(VERTICAL_MARGIN)


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
    paragraph.add_run(f". {_printable(table.title)}")
    return paragraph._p


def _table_xml(table: JournalTable) -> str:
    """Return the table as WordprocessingML, which is 20 times faster than filling the cells of python-docx.

    Rules stand above and below the table and below its headings. The headings repeat on every page, no row is split
    between pages, and the heading of a group stays on the page of its first row.
    """
    grid = "".join(f'<w:gridCol w:w="{_twips(column.width)}"/>' for column in table.columns)
    widths = [_twips(column.width) for column in table.columns]
    cells = [
        _cell_xml(Cell(column.heading), width, bold=True, properties=RULE)
        for column, width in zip(table.columns, widths, strict=True)
    ]
    rows = [_row_xml(cells, "<w:tblHeader/>")]
    for group in table.groups:
        if group.heading.text:
            span = f'<w:gridSpan w:val="{len(widths)}"/>'
            rows.append(_row_xml([_cell_xml(group.heading, sum(widths), bold=True, properties=span)]))
        rows += [_row_xml([_cell_xml(*pair) for pair in zip(row, widths, strict=True)]) for row in group.rows]
    properties = TABLE_PROPERTIES.format(width=sum(widths))
    return f"<w:tbl {NAMESPACE}>{properties}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def _row_xml(cells: Sequence[str], properties: str = "") -> str:
    return f"<w:tr><w:trPr><w:cantSplit/>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def _cell_xml(cell: Cell, width: int, *, bold: bool = False, properties: str = "") -> str:
    """Return a cell; a bold one stays on the page of the next row."""
    keep = "<w:keepNext/>" if bold else ""
    marks = _run_xml(",".join(cell.marks), '<w:vertAlign w:val="superscript"/>') if cell.marks else ""
    runs = f"{_run_xml(cell.text, '<w:b/>' if bold else '')}{marks}"
    paragraph = f'<w:p><w:pPr><w:pStyle w:val="{STYLE_OF_CELLS}"/>{keep}</w:pPr>{runs}</w:p>'
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{properties}</w:tcPr>{paragraph}</w:tc>'


def _run_xml(text: str, properties: str) -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(_printable(text))}</w:t></w:r>'


def _twips(width: float) -> int:
    """Return a width in mm in twentieths of a point."""
    return round(width / 25.4 * 72 * 20)


def _printable(text: str) -> str:
    """Return a text without the characters that XML excludes."""
    return NOT_XML.sub("", text)


def _add_notes(document: Document, table: JournalTable) -> None:
    """Add the notes and the footnotes, each as a paragraph."""
    if table.notes:
        document.add_paragraph(_printable(" ".join(table.notes)), style="Table note")
    if table.footnotes:
        paragraph = document.add_paragraph(style="Table note")
        for footnote in table.footnotes:
            paragraph.add_run(footnote.mark).font.superscript = True
            paragraph.add_run(f" {_printable(footnote.text)} ")
