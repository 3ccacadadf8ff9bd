"""Word documents: page, styles, paragraphs and tables, and bytes that depend on the content alone.

Only the processes that write documents load python-docx.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from surrogacy.output.archive import archive
from surrogacy.report.typography import HYPHEN, with_minus_signs, without_breaks

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.text.paragraph import CT_P
    from docx.section import Section
    from docx.text.paragraph import Paragraph

FONT = "Arial"
MARGIN, VERTICAL_MARGIN, SHORT_SIDE, LONG_SIDE = 20.0, 12.7, 210.0, 297.0
"""Margins and sides of A4 in mm."""
PORTRAIT_WIDTH, LANDSCAPE_WIDTH = SHORT_SIDE - 2 * MARGIN, LONG_SIDE - 2 * MARGIN
"""Width of the text in mm."""
STYLES = {"Table text": (8.0, 0.5), "Table note": (7.0, 1.0), "Reference": (9.0, 1.5)}
"""Styles of paragraphs: size and space before and after, in pt."""
SIZES = {"Normal": 10.0, "Caption": 10.0, "Title": 16.0, "Heading 1": 14.0, "Heading 2": 11.0}
"""Sizes of the styles of Word, in pt."""
RIGHT_GAP = 140  # between numbers at a right edge and the next column, in twentieths of a point
NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
LINE = '<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="{color}"/>'
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
EPOCH = datetime(2000, 1, 1)  # no file contains a time, so that the bytes depend on the results alone


@dataclass(frozen=True)
class WordCell:
    """Cell of a Word table.

    Parameters
    ----------
    text : str
    raised : str
        Text after it, in superscript.
    span : int
        Number of columns.
    bold : bool
        Bold text; the row stays on the page of the next one.
    right : bool
        Text ends at the right edge.
    line : bool
        Rule below the row.
    rule : bool
        Rule below the text, which ends before the next cell.
    space : float
        Space above, in pt.
    """

    text: str
    raised: str = ""
    span: int = 1
    bold: bool = False
    right: bool = False
    line: bool = False
    rule: bool = False
    space: float = 0.5


def new_document(title: str) -> Document:
    """Return an empty document with the styles of all documents and without a time.

    Parameters
    ----------
    title : str
        Title in the properties of the file.
    """
    import docx
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = title, "", ""
    properties.created = properties.modified = EPOCH
    for name, size in SIZES.items():
        style = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(size), RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in list(fonts.attrib):
            if attribute.endswith("Theme"):
                del fonts.attrib[attribute]  # the font of a theme has precedence over the name
        for kind in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            fonts.set(qn(kind), FONT)
    caption = document.styles["Caption"]
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_after = Pt(4)
    for name, (size, space) in STYLES.items():
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.size = document.styles["Normal"], Pt(size)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(space)
        style.paragraph_format.line_spacing = 1.0
    set_page(document.sections[0], landscape=False)
    return document


def set_page(section: Section, *, landscape: bool) -> None:
    """Set the sides and margins of A4."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    sides = (LONG_SIDE, SHORT_SIDE) if landscape else (SHORT_SIDE, LONG_SIDE)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = map(Mm, sides)
    section.left_margin = section.right_margin = Mm(MARGIN)
    section.top_margin = section.bottom_margin = Mm(VERTICAL_MARGIN)


def save(document: Document, path: Path) -> None:
    """Write a document as an archive whose entries have a constant time and stand in the order of their names."""
    content = BytesIO()
    document.save(content)
    with zipfile.ZipFile(content) as source:
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        path.write_bytes(archive((name, source.read(name)) for name in names))


def table_xml(
    widths: Sequence[float],
    headings: Sequence[Sequence[WordCell]],
    rows: Iterable[Sequence[WordCell]],
    *,
    lines: bool = False,
) -> str:
    """Return a table as WordprocessingML, which is 20 times faster than filling the cells of python-docx.

    Rules stand above and below the table. The headings repeat on every page, and no row is split between pages.

    Parameters
    ----------
    widths : sequence of float
        Widths of the columns in mm.
    headings, rows : sequences of sequences of WordCell
        A row may have fewer cells than columns if cells span columns.
    lines : bool
        Whether thin rules stand between the rows.
    """
    twips = [round(width / 25.4 * 72 * 20) for width in widths]
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
    body = [*(_row_xml(row, twips, "<w:tblHeader/>") for row in headings), *(_row_xml(row, twips) for row in rows)]
    borders = "".join(LINE.format(side=side, size=8, color="222222") for side in ("top", "bottom"))
    if lines:
        borders += LINE.format(side="insideH", size=2, color="AAAAAA")
    properties = (
        f'<w:tblW w:w="{sum(twips)}" w:type="dxa"/><w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:left w:w="0" w:type="dxa"/><w:right w:w="100" w:type="dxa"/></w:tblCellMar>'
    )
    return f"<w:tbl {NAMESPACE}><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(body)}</w:tbl>"


def _row_xml(cells: Sequence[WordCell], widths: Sequence[int], properties: str = "") -> str:
    parts, start = [], 0
    for cell in cells:
        parts.append(_cell_xml(cell, sum(widths[start : start + cell.span]), heading=bool(properties)))
        start += cell.span
    return f"<w:tr><w:trPr><w:cantSplit/>{properties}</w:trPr>{''.join(parts)}</w:tr>"


def _cell_xml(cell: WordCell, width: int, *, heading: bool) -> str:
    span = f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else ""
    rule = f"<w:tcBorders>{LINE.format(side='bottom', size=4, color='222222')}</w:tcBorders>" if cell.line else ""
    bottom = '<w:vAlign w:val="bottom"/>' if heading else ""
    keep = "<w:keepNext/>" if cell.bold else ""
    space = f'<w:spacing w:before="{round(20 * cell.space)}"/>' if cell.space != WordCell.space else ""
    edge = f'<w:ind w:right="{RIGHT_GAP}"/><w:jc w:val="right"/>' if cell.right else ""
    under = f"<w:pBdr>{LINE.format(side='bottom', size=4, color='222222')}</w:pBdr>" if cell.rule else ""
    runs = _run_xml(cell.text, "<w:b/>" if cell.bold else "")
    raised = _run_xml(cell.raised, '<w:vertAlign w:val="superscript"/>') if cell.raised else ""
    style = '<w:pStyle w:val="Tabletext"/>'
    paragraph = f"<w:p><w:pPr>{style}{keep}{under}{space}{edge}</w:pPr>{runs}{raised}</w:p>"
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{span}{rule}{bottom}</w:tcPr>{paragraph}</w:tc>'


def _run_xml(text: str, properties: str, namespace: str = "") -> str:
    """Return a run, in which a hyphen without a line break is an element: not every font has its sign."""
    shown = without_breaks(with_minus_signs(NOT_XML.sub("", text)))
    parts = escape(shown).replace(HYPHEN, '</w:t><w:noBreakHyphen/><w:t xml:space="preserve">')
    return f'<w:r{namespace}><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{parts}</w:t></w:r>'


def add_run(paragraph: Paragraph, text: str, *, bold: bool = False, raised: bool = False) -> None:
    """Add a text to a paragraph."""
    from docx.oxml import parse_xml

    properties = f"{'<w:b/>' if bold else ''}{'<w:vertAlign w:val="superscript"/>' if raised else ''}"
    paragraph._p.append(parse_xml(_run_xml(text, properties, f" {NAMESPACE}")))


def add_table(xml: str, after: CT_P) -> None:
    """Add a table after a paragraph."""
    from docx.oxml import parse_xml

    after.addnext(parse_xml(xml))
