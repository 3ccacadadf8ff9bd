"""Header of a user's table: rows above it, and headings in two or three rows (``PFS`` over ``HR | 95% CI``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from surrogacy.trials.user_tables.headings import Heading, interpret_heading

MOST_ROWS_ABOVE = 30
MOST_HEADER_ROWS = 3
FEWEST_HEADINGS = 2  # headings that must be understood
RATIOS = frozenset(("hr", "log_hr", "estimate"))
NAMES = frozenset(("trial", "comparison"))


@dataclass(frozen=True)
class Header:
    """Place and text of the headings.

    Parameters
    ----------
    first : int
        Position of its first row.
    depth : int
        Number of its rows.
    headings : tuple of str
    """

    first: int
    depth: int
    headings: tuple[str, ...]

    @property
    def meanings(self) -> frozenset[Heading]:
        """Return the distinct meanings of the headings that are understood."""
        return frozenset(heading for text in self.headings if (heading := _meaning(text)) is not None)

    @property
    def fits(self) -> bool:
        """Return whether enough headings are understood."""
        return len(self.meanings) >= FEWEST_HEADINGS


def find_header(rows: Sequence[Sequence[str]], *, merged: bool = False) -> Header:
    """Return the header of a table; the first row if no row fits.

    The first row is the header if at least two of its headings are understood; a later row must in addition name the
    trial and a hazard ratio. Headings of several rows are joined if more of them are understood together.

    Parameters
    ----------
    rows : sequence of sequence of str
        Rows with content.
    merged : bool
        Whether the text of merged cells is repeated in all of them; otherwise the heading of a group extends to the
        next filled cell of its row.
    """
    for first in range(min(len(rows), MOST_ROWS_ABOVE)):
        candidates = [
            _joined(rows, first, depth, merged=merged)
            for depth in range(1, min(MOST_HEADER_ROWS, len(rows) - first) + 1)
        ]
        best = candidates[0]
        for header in candidates[1:]:
            more = len(header.meanings) - len(best.meanings)
            if more > 0 or (more == 0 and _belongs(rows[first + header.depth - 1], header)):
                best = header
        while (
            best.depth > 1
            and (rest := _joined(rows, best.first + 1, best.depth - 1, merged=merged)).meanings == best.meanings
        ):
            best = rest  # a title above the headings
        quantities = {heading.quantity for heading in best.meanings}
        if best.fits and (first == 0 or (quantities & RATIOS and quantities & NAMES)):
            return best
    return _joined(rows, 0, 1, merged=merged)


def _joined(rows: Sequence[Sequence[str]], first: int, depth: int, *, merged: bool) -> Header:
    """Return a header of several rows; a heading that is not understood with its groups stands without them."""
    width = max(len(row) for row in rows[first : first + depth])
    parts = [[_text(row, column) for column in range(width)] for row in rows[first : first + depth]]
    headings = []
    groups = [""] * (depth - 1)
    for column in range(width):
        texts = [part[column] for part in parts]
        for level in range(depth - 1):
            if texts[level] or merged:
                groups[level:] = texts[level:-1]  # a new group has subgroups of its own
        path = [groups[level] if "".join(texts[level + 1 :]) else texts[level] for level in range(depth - 1)]
        path = [text for text in dict.fromkeys([texts[-1], *reversed(path)]) if text][::-1]
        joined = [" ".join(path[start:]) for start in range(len(path))]
        headings.append(next((text for text in joined if _meaning(text)), joined[0] if joined else ""))
    return Header(first, depth, tuple(headings))


def _belongs(row: Sequence[str], header: Header) -> bool:
    """Return whether every filled cell of a row is part of a heading that is understood, as months or 95% CI are."""
    return all(_meaning(header.headings[column]) for column in range(len(row)) if _text(row, column))


def _text(row: Sequence[str], column: int) -> str:
    return " ".join(row[column].split()) if column < len(row) else ""


@lru_cache(maxsize=4096)
def _meaning(text: str) -> Heading | None:
    return interpret_heading(text) if text else None
