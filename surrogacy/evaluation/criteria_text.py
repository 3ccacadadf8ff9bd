"""Schemes of criteria and the words of their verdicts, read from ``criteria.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Scheme:
    """Published scheme of criteria.

    Parameters
    ----------
    name, version : str
    source : str
        DOI or other identifier.
    limits : str
        Source of every limit.
    """

    name: str
    version: str
    source: str
    limits: str


class Wording(NamedTuple):
    """Templates of an outcome: a word or two, and a sentence."""

    value: str
    words: str


@dataclass(frozen=True)
class Wordings:
    """Content of ``criteria.toml``.

    Parameters
    ----------
    schemes : mapping of str to Scheme
    verdicts : mapping of (scheme, item, outcome, style) to Wording
    doubts : mapping of (doubt, style) to str
    """

    schemes: Mapping[str, Scheme]
    verdicts: Mapping[tuple[str, str, str, str], Wording]
    doubts: Mapping[tuple[str, str], str]


@cache
def wordings() -> Wordings:
    """Read ``criteria.toml``."""
    table = tomllib.loads((Path(__file__).parent / "criteria.toml").read_text(encoding="utf-8"))
    schemes = {name: Scheme(**entry) for name, entry in table.pop("schemes").items()}
    doubts = {(name, style): text for name, texts in table.pop("doubt").items() for style, text in texts.items()}
    verdicts = {
        (scheme, item, outcome, style): Wording(**wording)
        for scheme, items in table.items()
        for item, outcomes in items.items()
        for outcome, styles in outcomes.items()
        for style, wording in styles.items()
    }
    return Wordings(schemes, verdicts, doubts)
