"""Names of trials in file names, Markdown and spreadsheets: text that must not be read as a path, markup or formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LONGEST_SLUG = 80  # characters; a file name may have 255 bytes with its endings


def slug(name: str) -> str:
    """Return a name that is safe as a file name: letters, digits, ``.``, ``_`` and ``-``.

    Examples
    --------
    >>> slug("placement-A/B trial")
    'placement-A-B-trial'
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:LONGEST_SLUG] or "unnamed"


def markdown_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of words whose cells do not end a cell or a row of a Markdown table."""
    return table.map(lambda cell: re.sub(r"\s*\n\s*", " ", cell).replace("|", "\\|") if isinstance(cell, str) else cell)


def spreadsheet_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose text cells are not read as formulas: an apostrophe precedes ``=``, ``+``, ``-`` and ``@``.

    A cell that is a number keeps its sign.
    """
    return table.map(lambda cell: f"'{cell}" if isinstance(cell, str) and _is_formula(cell) else cell)


def _is_formula(text: str) -> bool:
    if not text.startswith(("=", "+", "-", "@", "\t", "\r")):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
