"""Screens of a terminal, or plain text in a pipe: the short one with the answers, and the details."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from surrogacy.report.section import Cell, Detail, Entry, Grid, Heading, Note, Section

MARGIN = 11
"""Columns of the labels of entries."""


def answers(sections: Sequence[Section]) -> RenderableType:
    """Render the short screen: the answers of every section."""
    return Group(*(_rendered(detail) for section in sections for detail in section.answer))


def screen(sections: Sequence[Section]) -> RenderableType:
    """Render the details: the block of each analysis set, then what concerns several sets."""
    names = dict.fromkeys(name for section in sections for name in section.by_set)
    details: list[Detail] = []
    for name in names:
        details += [detail for section in sections for detail in section.by_set.get(name, ())]
        details += [detail for section in sections for detail in section.caveats.get(name, ())]
    details += [detail for section in sections for detail in section.details]
    return Group(*map(_rendered, details))


def _rendered(detail: Detail) -> RenderableType:
    match detail:
        case Heading(text, remark):
            heading = Text(text, style="bold")
            return heading.append(remark, style="not bold") if remark else heading
        case Note(text, warning):
            shown = Text(f"! {text}", style="yellow") if warning else Text(text)
            return Padding(shown, (0, 0, 0, 2))
        case Entry(label, text) if len(label) >= MARGIN:  # a long name stands above its sentence
            return Group(Text(label, style="bold"), _rendered(Entry("", text)))
        case Entry(label, text):
            entry = Table.grid(padding=(0, 0, 0, 0))
            entry.add_column(width=MARGIN, style="bold")
            entry.add_column(overflow="fold")
            entry.add_row(Text(label), Text(text))
            return entry
        case Grid():
            return _table(detail)


def _table(grid: Grid) -> Table:
    lines = None if grid.compact else box.SIMPLE_HEAD
    table = Table(title=grid.title or None, title_justify="left", title_style="bold", box=lines)
    right = 2 if grid.compact and not grid.tight else 1
    table.pad_edge, table.padding = False, (0, right, 0, 0 if grid.compact else 1)
    table.caption, table.caption_justify = grid.caption or None, "left"
    for i, heading in enumerate(grid.headings):
        table.add_column(heading, overflow="fold", no_wrap=grid.tight and i > 0)
    for row in grid.rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(value: str | Cell) -> Text:
    if isinstance(value, str):
        return Text(value)
    text = Text(value.text, style=value.style)
    return text.append(f"\n{value.detail}", style="dim") if value.detail else text
