"""Tables for a paper: rows of text in groups, with columns, notes and footnotes; every file format renders them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from surrogacy.report.abbreviations import abbreviations_in
from surrogacy.results.format import ABSENT

LAYOUTS = tomllib.loads((Path(__file__).parent / "layouts.toml").read_text(encoding="utf-8"))
PORTRAIT, LANDSCAPE = 170.0, 257.0
"""Width of the text on a page of A4 with margins of 20 mm, in mm."""


@dataclass(frozen=True)
class Cell:
    """Text of a cell and the letters of its footnotes."""

    text: str = ""
    marks: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """Text with the letters in brackets: ``0.62 [a,b]``."""
        return f"{self.text} [{','.join(self.marks)}]" if self.marks else self.text


@dataclass(frozen=True)
class Column:
    """Column of a table.

    Parameters
    ----------
    key : str
        Name of the value in the rows of the definition.
    heading : str
    width : float
        Width in mm.
    """

    key: str
    heading: str
    width: float


@dataclass(frozen=True)
class Group:
    """Rows under a heading, one cell per column; without a heading if a table has a single group."""

    heading: Cell
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Footnote:
    """Footnote of a table."""

    mark: str
    text: str


@dataclass(frozen=True)
class JournalTable:
    """Table for a paper.

    Parameters
    ----------
    number : int
        Number in the paper.
    name : str
        File name.
    title : str
    columns : tuple of Column
        The widths sum to at most that of a landscape page.
    groups : tuple of Group
    notes : tuple of str
        Sentences below the table, abbreviations last.
    footnotes : tuple of Footnote
    """

    number: int
    name: str
    title: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()
    footnotes: tuple[Footnote, ...] = ()

    @property
    def width(self) -> float:
        """Width in mm."""
        return sum(column.width for column in self.columns)

    @property
    def landscape(self) -> bool:
        """Whether the table is too wide for a portrait page."""
        return self.width > PORTRAIT

    @property
    def file(self) -> str:
        """File name without ending."""
        return f"table-{self.number}-{self.name}"


type Row = Mapping[str, str | Cell]


@dataclass(frozen=True)
class Rows:
    """Rows of a definition under a heading; a column that a row lacks is empty."""

    heading: str | Cell
    rows: Sequence[Row]


@dataclass
class Footnotes:
    """Footnotes in the making: one letter per subject, in order of appearance.

    Examples
    --------
    >>> footnotes = Footnotes()
    >>> footnotes.mark("boundary", "Boundary solution.", "Set A"), footnotes.mark("scatter", "Scatter.")
    ('a', 'b')
    >>> footnotes.mark("boundary", "Boundary solution.", "Set B"), footnotes.all[0].text
    ('a', 'Set A; Set B: Boundary solution.')
    """

    _places: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)

    def mark(self, subject: str, text: str, place: str = "") -> str:
        """Return the letter of a subject, whose footnote names the place of the text.

        Parameters
        ----------
        subject : str
            What the footnote is about, such as the code of a caveat.
        text : str
            Sentence.
        place : str
            Part of the table that the sentence concerns.
        """
        self._places.setdefault(subject, {}).setdefault(text, {}).setdefault(place)
        return _letter(list(self._places).index(subject))

    @property
    def all(self) -> tuple[Footnote, ...]:
        """The footnotes; sentences about the same places stand together."""
        return tuple(Footnote(_letter(i), _by_place(texts)) for i, texts in enumerate(self._places.values()))


def _by_place(texts: Mapping[str, Iterable[str]]) -> str:
    """Return sentences after the places that they concern."""
    sentences: dict[str, list[str]] = {}
    for text, places in texts.items():
        sentences.setdefault("; ".join(filter(None, places)), []).append(text)
    return " ".join(f"{place}: {' '.join(parts)}" if place else " ".join(parts) for place, parts in sentences.items())


def _letter(index: int) -> str:
    """Return a, b, ..., z, aa, ab, ...: letters of the footnote of this index."""
    before, last = divmod(index, 26)
    return (_letter(before - 1) if before else "") + chr(ord("a") + last)


def sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"


def journal_table(
    name: Literal["trials", "effects", "models", "leave_one_out", "sensitivity", "placement", "schemes"],
    groups: Sequence[Rows],
    *,
    footnotes: tuple[Footnote, ...] = (),
    columns: Sequence[Column] = (),
    remarks: Sequence[str] = (),
    **values: object,
) -> tuple[JournalTable, ...]:
    """Return a table whose title, columns and notes stand in ``layouts.toml``; nothing without rows.

    Columns without a value are left out. A column with the same value in every row becomes a note, except the first.

    Parameters
    ----------
    name : str
    groups : sequence of Rows
    footnotes : tuple of Footnote
    columns : sequence of Column
        Columns after those of the layout.
    remarks : sequence of str
        Sentences before the notes of the layout.
    **values
        Words in braces of title, headings and notes.
    """
    groups = [group for group in groups if group.rows]
    if not groups:
        return ()
    layout = LAYOUTS[name]
    wanted = [Column(key, heading.format(**values), width) for key, heading, width in layout["columns"]]
    rows = list(chain.from_iterable(group.rows for group in groups))
    kept, constant = [], []
    for i, column in enumerate((*wanted, *columns)):
        distinct = {_cell(row.get(column.key, "")) for row in rows}
        if all(cell.text in ("", ABSENT) for cell in distinct):
            continue
        if i and len(rows) > 1 and len(distinct) == 1 and not next(iter(distinct)).marks:
            constant.append(f"{column.heading}: {next(iter(distinct)).text} in all rows.")
        else:
            kept.append(column)
    table = JournalTable(
        number=layout["number"],
        name=name.replace("_", "-"),
        title=layout["title"].format(**values),
        columns=_within_the_page(kept),
        groups=tuple(_group(group, kept) for group in groups),
        notes=(*constant, *remarks, *(note.format(**values) for note in layout["notes"])),
        footnotes=footnotes,
    )
    return (replace(table, notes=(*table.notes, *_abbreviations(table))),)


def _cell(value: str | Cell) -> Cell:
    return value if isinstance(value, Cell) else Cell(value)


def _group(group: Rows, columns: Sequence[Column]) -> Group:
    rows = tuple(tuple(_cell(row.get(column.key, "")) for column in columns) for row in group.rows)
    return Group(_cell(group.heading), rows)


def _within_the_page(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns; narrowed in proportion if they are wider than a landscape page."""
    factor = min(1.0, LANDSCAPE / sum(column.width for column in columns))
    return tuple(replace(column, width=column.width * factor) for column in columns)


def _abbreviations(table: JournalTable) -> tuple[str, ...]:
    """Return the meaning of every abbreviation in the table."""
    cells = (cell.text for group in table.groups for row in (*group.rows, (group.heading,)) for cell in row)
    texts = (table.title, *(column.heading for column in table.columns), *cells)
    notes = (*table.notes, *(footnote.text for footnote in table.footnotes))
    return tuple(filter(None, [abbreviations_in(" ".join((*texts, *notes)))]))
