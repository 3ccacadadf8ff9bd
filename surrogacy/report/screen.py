"""The result on one screen of a terminal, or as plain text in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from surrogacy.report.section import Cell, Detail, Grid, Heading, Note, Section


def screen(sections: Sequence[Section]) -> RenderableType:
    """Render sections: the block of each analysis set, then what concerns several sets."""
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
            return Padding(Text(text, style="yellow" if warning else ""), (0, 0, 0, 2))
        case Grid():
            return _table(detail)


def _table(grid: Grid) -> Table:
    table = Table(title=grid.title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.pad_edge, table.padding = False, (0, 1)
    table.caption, table.caption_justify = grid.caption or None, "left"
    for heading in grid.headings:
        table.add_column(heading, overflow="fold")
    for row in grid.rows:
        table.add_row(*map(_cell, row))
    return table


def _cell(value: str | Cell) -> Text:
    if isinstance(value, str):
        return Text(value)
    text = Text(value.text, style=value.style)
    return text.append(f"\n{value.detail}", style="dim") if value.detail else text
