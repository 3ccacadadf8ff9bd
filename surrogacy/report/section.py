"""Values that a report consists of; screen, document, tables and figures only render them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from surrogacy.effects import Effects
from surrogacy.report.abbreviations import abbreviations_in
from surrogacy.results.format import cell, yes_or_blank
from surrogacy.results.labels import HEADINGS, MODELS

type Format = Callable[[Any], str]
type Record = Mapping[str, Any]  # values of a row, or of results.json, by name
TEXTS, LAYOUTS, PHRASES = (
    tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
    for name in ("texts", "tables", "phrases")
)
MODEL_NAMES = {name: label.text for name, label in MODELS.items()}
YES_OR_BLANK = frozenset({"boundary", "beyond_data"})


@dataclass(frozen=True)
class Column:
    """Column of a table.

    Parameters
    ----------
    key : str
        Name in the CSV; empty for a column of the printed table alone.
    heading : str
        Heading in print; empty for a column of the CSV alone.
    format : callable
        Text of a value in print.
    """

    key: str = ""
    heading: str = ""
    format: Format = str


@dataclass(frozen=True, eq=False)
class Table:
    """Table with its numbers, for CSV, and the formats in which they are printed.

    Parameters
    ----------
    name : str
        File name.
    title : str
    columns : tuple of Column
    rows : tuple of tuple
        A value a column.
    note : str
        Footnote.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Drawing:
    """Figure that a worker process can draw.

    Parameters
    ----------
    name : str
        File name.
    plot : str
        Function that draws it, ``module:function``.
    arguments : tuple
    caption : str
    alternative : str
        Alternative text: a sentence on kind and message.
    keywords : mapping
        Arguments by name.
    effects : Effects, optional
        Effects whose comparisons are the symbols of the figure.
    words : mapping of str to str
        Words of symbols that show more than the two effects of a comparison, by identifier.
    """

    name: str
    plot: str
    arguments: tuple[Any, ...]
    caption: str
    alternative: str
    keywords: Mapping[str, Any] = field(default_factory=dict)
    effects: Effects | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Kind of figure, such as ``bubble`` or ``class-slopes``."""
        return self.plot.rpartition(":plot_")[2].replace("_", "-")


@dataclass(frozen=True)
class Heading:
    """Heading on the screen, with a remark beside it; an empty one is a blank line."""

    text: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Note:
    """Sentence below a heading or a table of the screen, which marks a warning."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Entry:
    """Sentence of the short screen with a label in the margin; an empty label continues the entry above."""

    label: str
    text: str


@dataclass(frozen=True)
class Cell:
    """Cell of a table on the screen: a value, and below it how it was obtained."""

    text: str
    detail: str = ""
    style: Literal["", "red", "yellow"] = ""


@dataclass(frozen=True)
class Grid:
    """Table on the screen.

    A compact one has no lines and no blank rows around it. In a tight one single blanks separate the columns, and only
    the first column is folded if the table is too wide.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str | Cell, ...], ...]
    title: str = ""
    caption: str = ""
    compact: bool = False
    tight: bool = False


def text(name: str, /, **values: object) -> str:
    """Return a sentence of ``texts.toml`` with its values filled in."""
    sentence: str = TEXTS[name]
    return sentence.format(**values)


def phrase(
    group: Literal["conclusions", "thresholds", "notes", "alternative_texts"],
    code: str,
    /,
    **values: object,
) -> str:
    """Return a phrase of ``phrases.toml`` with its values filled in."""
    words: str = PHRASES[group][code]
    return words.format(**values)


type Detail = Heading | Note | Entry | Grid
BLANK = Heading()


@dataclass(frozen=True, eq=False)
class Section:
    """Topic of a report.

    Parameters
    ----------
    key : str
    answer : tuple of Detail
        Part of the short screen.
    details : tuple of Detail
        Part of the screen with ``--details``.
    by_set : mapping of str to tuple of Detail
        Part of the same screen that stands in the block of an analysis set.
    caveats : mapping of str to tuple of Detail
        The same, at the end of the block.
    tables : tuple of Table
    record : mapping
        Keys of results.json.
    prose : str
        Text of ``<key>.md``.
    draws : mapping
        Sampled posteriors by file name.
    """

    key: str
    answer: tuple[Detail, ...] = ()
    details: tuple[Detail, ...] = ()
    by_set: Mapping[str, Sequence[Detail]] = field(default_factory=dict)
    caveats: Mapping[str, Sequence[Detail]] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    record: Record = field(default_factory=dict)
    prose: str = ""
    draws: Mapping[str, Any] = field(default_factory=dict)


def table(
    name: str,
    records: Sequence[Record],
    /,
    *,
    layout: str = "",
    labels: Mapping[str, str] | None = None,
    formats: Mapping[str, Format] | None = None,
    print_only: Collection[str] = (),
    remarks: str = "",
    **values: object,
) -> tuple[Table, ...]:
    """Return a table whose title, columns and note stand in ``tables.toml``; nothing without records.

    Parameters
    ----------
    name : str
        File name.
    records : sequence of mapping
    layout : str
        Entry of ``tables.toml``, where it is not ``name``.
    labels : mapping of str to str, optional
        Words of the table and what is printed for them.
    formats : mapping of str to callable, optional
        Formats of columns that are not printed by `surrogacy.results.format.cell`.
    print_only : collection of str
        Values that the CSV does not hold.
    remarks : str
        Sentences after the note.
    **values
        Words in braces of title, headings and note.
    """
    if not records:
        return ()
    entry = LAYOUTS[layout or name]
    headings, words = entry.get("headings", {}), MODEL_NAMES | dict(labels or {})
    chosen = dict.fromkeys(YES_OR_BLANK, yes_or_blank) | dict(formats or {})
    in_words = partial(cell, digits=entry.get("digits", 2), labels=words)
    shown = [key for key in entry["columns"].split() if any(_present(record.get(key)) for record in records)]
    printed = [
        Column("", (headings.get(key) or HEADINGS[key]).format(**values), chosen.get(key, in_words)) for key in shown
    ]
    keys = [key for key in dict.fromkeys(key for record in records for key in record) if key not in print_only]
    rows = tuple(tuple(_plain(record.get(key)) for key in (*keys, *shown)) for record in records)
    title, note = (entry.get(part, "").format(**values) for part in ("title", "note"))
    return (Table(name, title, (*map(Column, keys), *printed), rows, f"{note}{remarks}"),)


def _present(value: Any) -> bool:
    return value is not None and value == value


def _plain(value: Any) -> Any:
    return value if _present(value) else None


def drawing(
    plot: str,
    name: str,
    caption: str,
    *arguments: Any,
    alternative: str,
    effects: Effects | None = None,
    words: Mapping[str, str] | None = None,
    inscriptions: Iterable[str] = (),
    **keywords: Any,
) -> Drawing:
    """Return the figure that ``surrogacy.figures.plot_<plot>`` draws.

    Parameters
    ----------
    plot : str
    name : str
        File name.
    caption : str
        Without the meanings of abbreviations, which are added as its last paragraph.
    *arguments, **keywords
        Arguments of the function.
    alternative : str
        Alternative text.
    effects : Effects, optional
        Effects of the symbols.
    words : mapping of str to str, optional
        Words of symbols by identifier.
    inscriptions : iterable of str
        Names and headings within the figure, whose abbreviations are explained as well.
    """
    function = f"surrogacy.figures.{plot}:plot_{plot}"
    meanings = abbreviations_in(" ".join((caption, *inscriptions)))
    complete = f"{caption.rstrip()}\n\n{meanings}\n" if meanings else caption
    return Drawing(name, function, arguments, complete, alternative, keywords, effects, words or {})
