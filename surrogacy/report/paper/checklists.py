"""Checklists of reporting guidelines, filled from a run and from the answers of an author.

No row states that an item is fulfilled: a program cannot know this. A row gives the number, its place and its source.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from surrogacy.report.document import dumps

Status = Literal["auto", "data", "author", "n/a", "missing"]
STATUS_WORDS: Mapping[Status, str] = {
    "auto": "computed",
    "data": "from the trial tables",
    "author": "answered by the author",
    "n/a": "does not apply",
    "missing": "to be added",
}
type Numbers = Mapping[str, Mapping[str, float | str | None]]


@dataclass(frozen=True)
class Finding:
    """Content of a row.

    Parameters
    ----------
    status : {"auto", "data", "author", "n/a", "missing"}
    value : str
        Content in words; the reason for ``n/a``; what the author has to add for ``missing``.
    where : str
        File of the run; empty for the words of an author.
    numbers : mapping of str to mapping
        Numbers of each analysis set.
    """

    status: Status
    value: str
    where: str = ""
    numbers: Numbers = field(default_factory=dict)

    @classmethod
    def by_set(cls, status: Status, words: Mapping[str, str], where: str, numbers: Numbers | None = None) -> Finding:
        """Return the words of every set with its label; ``missing`` if there are none."""
        shown = "; ".join(f"{label}: {text.rstrip('.')}" for label, text in words.items() if text)
        return cls(status, shown, where, numbers or {}) if shown else NOT_RUN


NOT_RUN = Finding("missing", "No model of this run gives it.")


@dataclass(frozen=True)
class Item:
    """Item of a checklist: a topic, and what fills it.

    Parameters
    ----------
    item, topic : str
    fact : str
        Name of a function of `surrogacy.report.paper.checklist_facts`; empty without one.
    author : str
        Key of an answer; empty without one.
    reason : str
        Reason why the item does not apply; empty if it does.
    """

    item: str
    topic: str
    fact: str = ""
    author: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Scheme:
    """Checklist: name, version, source (DOI or document) and items."""

    key: str
    name: str
    version: str
    source: str
    note: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Row:
    """Filled row of a checklist."""

    item: Item
    finding: Finding


@dataclass(frozen=True)
class Checklist:
    """Filled checklist; Markdown, HTML, JSON and Word render it."""

    scheme: Scheme
    rows: tuple[Row, ...]

    headings = ("Item", "Topic", "Status", "Content", "Where")

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """Cells of the printed table, a row per item."""
        return tuple(
            (
                row.item.item.replace("_", " "),
                row.item.topic,
                STATUS_WORDS[row.finding.status],
                row.finding.value,
                row.finding.where,
            )
            for row in self.rows
        )


@cache
def schemes() -> tuple[Scheme, ...]:
    """Read the schemes of ``checklists.toml``."""
    entries = _content()["scheme"]
    return tuple(Scheme(**entry | {"items": tuple(Item(**item) for item in entry["items"])}) for entry in entries)


@cache
def prompts() -> Mapping[str, str]:
    """Return what an author is asked, by key of ``report.yml``."""
    return dict(_content()["answers"])


@cache
def _content() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "checklists.toml").read_text(encoding="utf-8"))


def fill_checklists(facts: Mapping[str, Finding], answers: Mapping[str, str]) -> tuple[Checklist, ...]:
    """Fill every checklist.

    Parameters
    ----------
    facts : mapping of str to Finding
        Facts of a run by name.
    answers : mapping of str to str
        Answers of the author by key.
    """
    return tuple(
        Checklist(scheme, tuple(Row(item, _finding(item, facts, answers)) for item in scheme.items))
        for scheme in schemes()
    )


def _finding(item: Item, facts: Mapping[str, Finding], answers: Mapping[str, str]) -> Finding:
    if item.reason:
        return Finding("n/a", item.reason)
    if item.fact:
        return facts[item.fact]
    if answer := answers.get(item.author, ""):
        return Finding("author", answer, "report.yml")
    return Finding("missing", f"{prompts()[item.author]} (report.yml: {item.author})")


def checklists_json(checklists: tuple[Checklist, ...]) -> str:
    """Return the rows of all checklists as JSON."""
    return dumps(
        [
            {
                "scheme": checklist.scheme.name,
                "version": checklist.scheme.version,
                "source": checklist.scheme.source,
                "item": row.item.item,
                "topic": row.item.topic,
                "status": row.finding.status,
                "value": row.finding.value,
                "numbers": {name: dict(numbers) for name, numbers in row.finding.numbers.items()},
                "where": row.finding.where,
            }
            for checklist in checklists
            for row in checklist.rows
        ]
    )
