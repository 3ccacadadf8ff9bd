"""Names of trials in file names, Markdown and spreadsheets: text that must not be read as a path, markup or formula."""

from __future__ import annotations

import re
from collections.abc import Collection

LONGEST_SLUG = 80  # characters
MOST_BYTES = 200  # of a slug; a file name may have 255 with its endings
LINE_BREAK = re.compile(r"\s*\n\s*")


def slug(name: str) -> str:
    """Return a name that is safe as a file name: letters, digits, ``.``, ``_`` and ``-``.

    Examples
    --------
    >>> slug("placement-A/B trial")
    'placement-A-B-trial'
    """
    text = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:LONGEST_SLUG]
    return text.encode()[:MOST_BYTES].decode(errors="ignore") or "unnamed"


def unique_slug(name: str, taken: Collection[str]) -> str:
    """Return a slug that differs from those taken, also where capitals are not distinguished.

    Examples
    --------
    >>> unique_slug("placement-A B", {"placement-A-B", "placement-a-b-2"})
    'placement-A-B-3'
    """
    base, used, number = slug(name), {entry.casefold() for entry in taken}, 1
    unique = base
    while unique.casefold() in used:
        number += 1
        unique = f"{slug(base[: LONGEST_SLUG - 5])}-{number}"
    return unique


def markdown_text(text: str) -> str:
    r"""Return a text that does not end a cell or a row of a Markdown table.

    Examples
    --------
    >>> print(markdown_text("A | B"))
    A \| B
    """
    return LINE_BREAK.sub(" ", text).replace("|", "\\|")


def spreadsheet_text(text: str) -> str:
    """Return a text that is not read as a formula: an apostrophe precedes ``=``, ``+``, ``-`` and ``@``.

    A number keeps its sign.
    """
    return f"'{text}" if _is_formula(text) else text


def _is_formula(text: str) -> bool:
    if not text.startswith(("=", "+", "-", "@", "\t", "\r")):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
