"""Meanings of abbreviations, for the notes of tables and the captions of figures."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ABBREVIATIONS: dict[str, str] = tomllib.loads(
    (Path(__file__).parent / "journal_tables" / "layouts.toml").read_text(encoding="utf-8")
)["abbreviations"]


def abbreviations_in(text: str) -> str:
    """Return the meanings of the abbreviations in a text as a sentence; empty without any.

    Examples
    --------
    >>> abbreviations_in("PFS and OS")
    'OS, overall survival; PFS, progression-free survival.'
    """
    words = set(re.findall(r"[^\W_]+", text))
    meanings = [f"{short}, {meaning}" for short, meaning in ABBREVIATIONS.items() if short in words]
    return f"{'; '.join(meanings)}." if meanings else ""
