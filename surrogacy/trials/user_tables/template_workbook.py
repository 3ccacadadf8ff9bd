"""Workbook to fill in with trials: the table, and a sheet that explains its columns."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from surrogacy.trials.user_tables.template import (
    EXPLANATION_HEADINGS,
    NOTES,
    TEMPLATE_COLUMNS,
    TemplateColumn,
    example_rows,
    explanation_rows,
)

if TYPE_CHECKING:
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.worksheet import Worksheet

LAST_ROW = 500  # of the rows that are formatted
HEADER_FILL = {"required": "1F4E79", "recommended": "2E75B6", "optional": "7F7F7F"}
EXAMPLE_COLOUR = "808080"
WIDTHS = (26, 76, 12, 46, 16)  # of the explanation, in characters
WIDE_COLUMNS = {"trial": 22, "experimental": 26, "control": 18, "doi": 24, "notes": 30, "registry": 16}
FONT = "Calibri"
LINE_HEIGHT = 15  # points
LONGEST_PROMPT = 250  # characters that a spreadsheet shows beside a cell
INTEGER_HEADINGS = ("n_exp", "n_ctl", "year")


def workbook() -> bytes:
    """Return the workbook.

    Cells of decimal numbers have the format Text: a spreadsheet would convert entries such as ``0.60`` or ``12-5``.
    """
    from openpyxl import Workbook
    from openpyxl.worksheet.properties import PageSetupProperties

    book = Workbook()
    table = book.active
    if table is None:  # a new workbook has a sheet
        raise RuntimeError("openpyxl made a workbook without a sheet")
    table.title = "trials"
    _fill_table(table)
    _fill_explanation(book.create_sheet("columns"))
    for sheet in (table, book["columns"]):
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _fill_table(sheet: Worksheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    examples = example_rows()
    for number, column in enumerate(TEMPLATE_COLUMNS, start=1):
        letter = get_column_letter(number)
        head = sheet.cell(1, number, column.heading)
        head.font = Font(name=FONT, bold=True, color="FFFFFF")
        head.fill = PatternFill("solid", start_color=HEADER_FILL[column.entry])
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        longest = max(map(len, (column.heading, *column.allowed)))
        sheet.column_dimensions[letter].width = WIDE_COLUMNS.get(column.heading, max(12, longest + 3))
        for row in range(2, LAST_ROW + 1):
            sheet.cell(row, number).number_format = "0" if column.heading in INTEGER_HEADINGS else "@"
            sheet.cell(row, number).alignment = Alignment(horizontal="left")
        for row, cells in enumerate(examples, start=2):
            text = cells[column.heading]
            cell = sheet.cell(row, number)
            cell.value = (int(text) if column.heading in INTEGER_HEADINGS else text) if text else None
            cell.font = Font(name=FONT, italic=True, color=EXAMPLE_COLOUR)
        validation = _validation(column)
        sheet.add_data_validation(validation)
        validation.add(f"{letter}2:{letter}{LAST_ROW}")
    sheet.row_dimensions[1].height = 30
    sheet.freeze_panes = "B2"


def _validation(column: TemplateColumn) -> DataValidation:
    """Return the drop-down list or the range of a column, with the explanation beside its cells."""
    from openpyxl.worksheet.datavalidation import DataValidation

    prompt = column.description[:LONGEST_PROMPT]
    if column.allowed:
        validation = DataValidation(type="list", formula1=f'"{",".join(column.allowed)}"', allow_blank=True)
        validation.error = f"Choose one of: {', '.join(column.allowed)}"
    elif column.heading in INTEGER_HEADINGS:
        validation = DataValidation(type="whole", operator="greaterThanOrEqual", formula1="1", allow_blank=True)
        validation.error = "Write a whole number, 1 or more."
    else:
        validation = DataValidation(allow_blank=True)
    validation.errorStyle = "warning" if column.heading == "surrogate" else "stop"
    validation.showErrorMessage = bool(validation.error)
    validation.showInputMessage = True
    validation.promptTitle = column.heading
    validation.prompt = prompt
    return validation


def _fill_explanation(sheet: Worksheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    rows = (EXPLANATION_HEADINGS, *explanation_rows())
    for line, texts in enumerate(rows, start=1):
        for number, text in enumerate(texts, start=1):
            cell = sheet.cell(line, number, text or None)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            cell.font = Font(name=FONT)
            if line == 1 or text in HEADER_FILL:
                cell.font = Font(name=FONT, bold=line == 1, color="FFFFFF")
                cell.fill = PatternFill("solid", start_color=HEADER_FILL.get(text, HEADER_FILL["required"]))
        lines = max(-(-len(text) // (width - 2)) for text, width in zip(texts, WIDTHS, strict=True))
        sheet.row_dimensions[line].height = LINE_HEIGHT * max(lines, 1)
    for line, note in enumerate(NOTES, start=len(rows) + 2):
        sheet.cell(line, 1, note).font = Font(name=FONT)
    for number, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = "A2"
