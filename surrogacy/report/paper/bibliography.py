"""References of a BibTeX file, as BibTeX, RIS, CSL-JSON and in Vancouver style.

pybtex reads the file and formats the references. Only the entries that are needed are parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pybtex.database import Entry, Person
from pybtex.database.input.bibtex import Parser

from surrogacy.report.paper.vancouver import LISTED_AUTHORS, plain, vancouver_text

ENTRY_START = re.compile(r"^@\w+\{([^,\s]+),", re.MULTILINE)
REMARKS = frozenset({"note", "annote"})  # remarks of the curators, which do not belong in a reference list
FIELD_ORDER = ("title", "journal", "howpublished", "institution", "year", "volume", "number", "pages")
CSL_TYPES = {"article": "article-journal", "book": "book", "techreport": "report"}
RIS_TYPES = {"article": "JOUR", "book": "BOOK", "techreport": "RPRT"}


@dataclass(frozen=True, eq=False)
class Reference:
    """Reference of a publication.

    Parameters
    ----------
    key : str
        Key in the BibTeX file.
    entry : Entry
        Entry as pybtex read it.
    """

    key: str
    entry: Entry = field(repr=False)

    @property
    def persons(self) -> tuple[Person, ...]:
        """Authors; ``others`` is the last one of an abridged list."""
        return tuple(self.entry.persons.get("author", ()))

    @property
    def doi(self) -> str:
        """Digital object identifier; empty without one."""
        return self.text("doi")

    def text(self, name: str) -> str:
        """Return a field without markup; empty if the entry does not have it."""
        value = str(self.entry.fields.get(name, ""))
        return value if name in ("doi", "url") else plain(value).replace("--", "–")

    @property
    def unchecked(self) -> bool:
        """True if a curator noted that the details were not read in the publication."""
        return "not re-read" in self.text("annote")

    @property
    def abridged(self) -> bool:
        """True if the list of authors ends with "others" before the sixth name."""
        return any(map(_is_others, self.persons)) and len(self.persons) <= LISTED_AUTHORS

    @property
    def vancouver(self) -> str:
        """The reference in Vancouver style, without its number."""
        return vancouver_text(self.entry)


def read_references(text: str, keys: Iterable[str]) -> dict[str, Reference]:
    """Return the references with these keys, in their order; keys that the text does not contain are omitted.

    Parameters
    ----------
    text : str
        Content of a BibTeX file.
    keys : iterable of str

    Examples
    --------
    >>> bib = "@article{a, author = {Doe, Jane}, title = {On {PFS}}, journal = {Gut}, year = {2020}, doi = {10/x}}"
    >>> read_references(bib, ["a", "b"])["a"].vancouver
    'Doe J. On PFS. Gut. 2020. doi:10/x'
    """
    starts = [(match.group(1), match.start()) for match in ENTRY_START.finditer(text)]
    ends = [start for _, start in starts[1:]] + [len(text)]
    places = {key: (start, end) for (key, start), end in zip(starts, ends, strict=True)}
    wanted = [key for key in dict.fromkeys(keys) if key in places]
    database = Parser(encoding="utf-8").parse_string("\n".join(text[slice(*places[key])] for key in wanted))
    return {key: Reference(key, database.entries[key]) for key in wanted}


def as_vancouver(references: Sequence[Reference]) -> str:
    """Return a numbered list in Vancouver style."""
    return "".join(f"{number}. {reference.vancouver}\n" for number, reference in enumerate(references, 1))


def as_bibtex(references: Sequence[Reference]) -> str:
    """Return BibTeX entries, in which names and titles keep their markup."""
    return "\n".join(map(_bibtex_entry, references))


def _bibtex_entry(reference: Reference) -> str:
    entry = reference.entry
    fields = {name: str(value) for name, value in entry.fields.items() if name not in REMARKS}
    values = {"author": " and ".join(map(str, reference.persons))}
    values |= {name: fields[name] for name in (*FIELD_ORDER, *sorted(fields)) if name in fields}
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in values.items() if value)
    return f"@{entry.type}{{{reference.key},\n{lines}}}\n"


def as_ris(references: Sequence[Reference]) -> str:
    """Return RIS records, for reference managers."""
    return "".join(map(_ris_record, references))


def _ris_record(reference: Reference) -> str:
    first, _, last = reference.text("pages").partition("–")
    tags = [("TY", RIS_TYPES.get(reference.entry.type, "GEN")), ("ID", reference.key)]
    tags += [("AU", _family_and_given(person)) for person in reference.persons if not _is_others(person)]
    tags += [("TI", reference.text("title")), ("T2", _container(reference)), ("PY", reference.text("year"))]
    tags += [("VL", reference.text("volume")), ("IS", reference.text("number")), ("SP", first), ("EP", last)]
    tags += [("DO", reference.doi), ("AN", reference.text("pmid")), ("UR", reference.text("url"))]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in tags if value) + "ER  - \r\n\r\n"


def as_csl_json(references: Sequence[Reference]) -> str:
    """Return CSL-JSON, for Zotero, pandoc and citeproc."""
    return json.dumps(list(map(_csl_item, references)), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _csl_item(reference: Reference) -> Mapping[str, Any]:
    fields = {
        "title": reference.text("title"),
        "container-title": _container(reference),
        "volume": reference.text("volume"),
        "issue": reference.text("number"),
        "page": reference.text("pages").replace("–", "-"),
        "DOI": reference.doi,
        "PMID": reference.text("pmid"),
        "PMCID": reference.text("pmcid"),
        "URL": reference.text("url"),
    }
    item: dict[str, Any] = {"id": reference.key, "type": CSL_TYPES.get(reference.entry.type, "document")}
    item |= {name: value for name, value in fields.items() if value}
    if authors := [_csl_name(person) for person in reference.persons]:
        item["author"] = authors
    if year := reference.text("year"):
        item["issued"] = {"date-parts": [[int(year)]]} if year.isdigit() else {"literal": year}
    return item


def _csl_name(person: Person) -> Mapping[str, str]:
    given, family = _given(person), _family(person)
    if _is_others(person):
        return {"literal": "others"}
    return {"family": family, "given": given} if given else {"literal": family}


def _container(reference: Reference) -> str:
    names = (reference.text(name) for name in ("journal", "howpublished", "institution", "publisher"))
    return next(filter(None, names), "")


def _family_and_given(person: Person) -> str:
    return ", ".join(filter(None, (_family(person), _given(person))))


def _family(person: Person) -> str:
    return _plain((*person.prelast_names, *person.last_names))


def _given(person: Person) -> str:
    return _plain((*person.first_names, *person.middle_names))


def _plain(parts: Iterable[str]) -> str:
    return plain(" ".join(parts))


def _is_others(person: Person) -> bool:
    return str(person) == "others"


FORMATS: Mapping[str, Callable[[Sequence[Reference]], str]] = {
    "bibtex": as_bibtex,
    "ris": as_ris,
    "csl-json": as_csl_json,
    "vancouver": as_vancouver,
}
