"""Vancouver style (ICMJE, NLM citation sequence) with the templates of pybtex.

Names are written as family name and initials, six of them and then "et al."; journals as in the NLM catalogue.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pybtex.backends.plaintext import Backend
from pybtex.database import Entry, Person
from pybtex.richtext import Text
from pybtex.style.template import field, join, optional, words

LISTED_AUTHORS = 6
BRACES = str.maketrans("", "", "{}")


def vancouver_text(entry: Entry) -> str:
    """Return a reference as plain text, without its number.

    Parameters
    ----------
    entry : Entry
        Entry as pybtex read it.
    """
    template = _article(entry) if entry.type == "article" else _document(entry)
    text = str(template.format_data({"entry": entry}).render(Backend())).replace("--", "–")
    return re.sub(r"([.?!])\.+", r"\1", text)  # no full stop after an abbreviation or a question


def _article(entry: Entry) -> Any:
    """Return the template of a journal article."""
    pages = _pages(str(entry.fields.get("pages", "")))
    volume = optional[";", _field("volume"), optional["(", _field("number"), ")"], f":{pages}" if pages else ""]
    return words[
        join[_authors(entry), "."],
        join[_field("title"), "."],
        join[_journal(entry), ". ", _field("year"), volume, "."],
        optional["doi:", field("doi", raw=True)],
    ]


def _document(entry: Entry) -> Any:
    """Return the template of any other document."""
    return words[
        join[_authors(entry), "."],
        join[_field("title"), "."],
        optional[_field("howpublished"), ";"],
        optional[_field("institution"), ";"],
        optional[_field("publisher"), ";"],
        join[_field("year"), "."],
        optional["doi:", field("doi", raw=True)],
        optional["Available from: ", field("url", raw=True)],
    ]


def _authors(entry: Entry) -> str:
    """Return the authors; the list ends with "et al" if some are not named."""
    persons = entry.persons.get("author", [])
    named = [person for person in persons if str(person) != "others"]
    shown = [_name(person) for person in named[:LISTED_AUTHORS]]
    return ", ".join([*shown, "et al"] if len(shown) < len(persons) else shown)


def _name(person: Person) -> str:
    """Return a family name and initials: ``Abou-Alfa GK``."""
    family = plain(" ".join((*person.prelast_names, *person.last_names)))
    given = plain(" ".join((*person.first_names, *person.middle_names)))
    initials = "".join(part[0] for part in re.split(r"[\s.\-]+", given) if part)
    return f"{family} {initials}".strip()


def _journal(entry: Entry) -> str:
    """Return the abbreviation of the journal; its name if the abbreviation is not known."""
    name = plain(str(entry.fields.get("journal", "")))
    return _abbreviations().get(name, name)


def _pages(text: str) -> str:
    """Return the pages; the last one without the digits that it shares with the first: ``1402-8``."""
    first, _, last = text.replace("--", "-").partition("-")
    if first.isdigit() and len(first) == len(last):
        last = last[next((i for i, pair in enumerate(zip(first, last, strict=True)) if len(set(pair)) > 1), 0) :]
    return "-".join(filter(None, (first, last)))


@cache
def plain(text: str) -> str:
    """Return a field without the markup of LaTeX; most fields have braces alone, which need no parser."""
    return str(Text.from_latex(text)) if re.search(r"[\\$~]", text) else text.translate(BRACES)


def _field(name: str) -> Any:
    return field(name, raw=True, apply_func=plain)


@cache
def _abbreviations() -> dict[str, str]:
    """Return the NLM abbreviations of journals by their full names."""
    return tomllib.loads((Path(__file__).parent / "journals.toml").read_text(encoding="utf-8"))
