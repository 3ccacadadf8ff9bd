"""Tables for a paper: rows of text in groups, with columns, notes and footnotes; every file format renders them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from pathlib import Path
from typing import Literal

from surrogacy.report.abbreviations import abbreviations_in
from surrogacy.report.typography import with_minus_signs
from surrogacy.report.word import LANDSCAPE_WIDTH, PORTRAIT_WIDTH
from surrogacy.results.format import ABSENT, capitalised

LAYOUTS = tomllib.loads((Path(__file__).parent / "layouts.toml").read_text(encoding="utf-8"))
WIDEST = 1.25
"""Largest factor by which the columns of a narrow table are widened to the width of the page."""
FEW = 0.2
"""Share of rows below which the values of a column become a note."""
FIGURE_SPACE = "\u2007"  # as wide as a digit
LEADING_DIGITS = re.compile(r"([−\d,]*\d)(?=\D|$)")
NAMES = "label"  # column whose texts are names and keep their first letter


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
    align : {"left", "decimal", "right"}
        Numbers stand with their decimal points below one another, or end at the right edge.
    over : str
        Heading above this column and its neighbours with the same one.
    """

    key: str
    heading: str
    width: float
    align: Literal["left", "decimal", "right"] = "left"
    over: str = ""

    @property
    def full_heading(self) -> str:
        """Both headings, for formats without cells that span columns."""
        return f"{self.over}: {self.heading}" if self.over else self.heading


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
        return self.width > PORTRAIT_WIDTH

    @property
    def file(self) -> str:
        """File name without ending."""
        return f"table-{self.number}-{self.name}"

    @property
    def spans(self) -> tuple[tuple[str, int], ...]:
        """Upper headings and the number of columns below each; nothing if there is none."""
        spans = tuple((over, len(list(columns))) for over, columns in groupby(column.over for column in self.columns))
        return spans if any(over for over, _ in spans) else ()

    @property
    def aligned(self) -> JournalTable:
        """The table with figure spaces before the numbers of decimal columns, so that their points are aligned."""
        rows = [row for group in self.groups for row in group.rows]
        digits = [
            max((_leading_digits(cell) for cell in cells), default=0) if column.align == "decimal" else 0
            for column, cells in zip(self.columns, zip(*rows, strict=True), strict=True)
        ]
        groups = (
            replace(group, rows=tuple(tuple(map(_with_figure_spaces, row, digits)) for row in group.rows))
            for group in self.groups
        )
        return replace(self, groups=tuple(groups))


def _leading_digits(cell: Cell) -> int:
    """Return the number of signs before the decimal point of a number; 0 for a text."""
    return len(match[1]) if (match := LEADING_DIGITS.match(cell.text)) else 0


def _with_figure_spaces(cell: Cell, digits: int) -> Cell:
    leading = _leading_digits(cell)
    return replace(cell, text=f"{FIGURE_SPACE * (digits - leading)}{cell.text}") if 0 < leading < digits else cell


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

    Columns without a value are left out. Except in the first column, a value that is the same in every row and the
    values of a column that is empty in most rows become a note. Texts begin with a capital letter.

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
    wanted = [Column(key, heading.format(**values), *other) for key, heading, *other in layout["columns"]]
    rows = list(chain.from_iterable(group.rows for group in groups))
    kept, moved, present = [], [], set[str]()
    for i, column in enumerate((*wanted, *columns)):
        cells = [_cell(row, column) for row in rows]
        if all(cell.text in ("", ABSENT) for cell in cells):
            continue
        present.add(column.key)
        if i and (note := _as_note(column, cells, [_cell(row, wanted[0]) for row in rows])):
            moved.append(note)
        else:
            kept.append(column)
            present |= {ABSENT} & {cell.text for cell in cells}
    about = " ".join(note.format(**values) for key, note in layout.get("notes_of", {}).items() if key in present)
    notes = (*moved, *remarks, *([about] if about else []), *(note.format(**values) for note in layout["notes"]))
    table = JournalTable(
        number=layout["number"],
        name=name.replace("_", "-"),
        title=layout["title"].format(**values),
        columns=_within_the_page(kept),
        groups=tuple(_group(group, kept) for group in groups),
        notes=tuple(map(with_minus_signs, notes)),
        footnotes=tuple(replace(footnote, text=with_minus_signs(footnote.text)) for footnote in footnotes),
    )
    return (replace(table, notes=(*table.notes, *_abbreviations(table))),)


def _cell(row: Row, column: Column) -> Cell:
    """Return a cell, with minus signs and a capital letter unless it is a name."""
    value = row.get(column.key, "")
    cell = value if isinstance(value, Cell) else Cell(value)
    return cell if column.key == NAMES else replace(cell, text=capitalised(with_minus_signs(cell.text)))


def _as_note(column: Column, cells: Sequence[Cell], names: Sequence[Cell]) -> str:
    """Return a sentence instead of a column with one value, or with values in few rows; else an empty text.

    Columns below an upper heading stay together.
    """
    if column.over or len(cells) < 2 or any(cell.marks for cell in cells):
        return ""
    if len({cell.text for cell in cells}) == 1:
        return f"{column.full_heading}: {cells[0].text} in all rows."
    pairs = [(name.text, cell.text) for name, cell in zip(names, cells, strict=True) if cell.text not in ("", ABSENT)]
    if len(pairs) >= FEW * len(cells):
        return ""
    return f"{column.full_heading}: {'; '.join(f'{name} {text}' for name, text in pairs)}; not known for the others."


def _group(group: Rows, columns: Sequence[Column]) -> Group:
    heading = group.heading if isinstance(group.heading, Cell) else Cell(group.heading)
    return Group(heading, tuple(tuple(_cell(row, column) for column in columns) for row in group.rows))


def _within_the_page(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns, widened or narrowed in proportion to the width of a page."""
    width = sum(column.width for column in columns)
    factor = min(WIDEST, (PORTRAIT_WIDTH if width <= PORTRAIT_WIDTH else LANDSCAPE_WIDTH) / width)
    return tuple(replace(column, width=column.width * factor) for column in columns)


def _abbreviations(table: JournalTable) -> tuple[str, ...]:
    """Return the meaning of every abbreviation in the table."""
    cells = (cell.text for group in table.groups for row in (*group.rows, (group.heading,)) for cell in row)
    texts = (table.title, *(column.full_heading for column in table.columns), *cells)
    notes = (*table.notes, *(footnote.text for footnote in table.footnotes))
    return tuple(filter(None, [abbreviations_in(" ".join((*texts, *notes)))]))
