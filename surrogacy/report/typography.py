"""Signs of printed text: capital letters, minus signs, and places where no line ends."""

from __future__ import annotations

import re

HYPHEN, SPACE = "\u2011", "\u00a0"
"""Hyphen and space at which no line ends."""
NEGATIVE = re.compile(r"(?<![\w.)/-])-(?=\d)")
LINK = re.compile(r"(\S*/\S*)")
"""Word with a slash, such as an identifier: its hyphens stay as they are."""
HYPHEN_IN_NAME = re.compile(r"(?<=[A-Z0-9+])-(?=\w)|(?<=\w)-(?=[A-Z0-9])")
"""Hyphen of a name, such as EMERALD-3 and TACE-PFS."""
LIMITS = re.compile(r"\([−\d.,]+ to [−\d.,]+\)|[−\d.,]+ to [−\d.,]+")
"""Interval."""


def with_minus_signs(text: str) -> str:
    """Return a text with minus signs instead of hyphens before negative numbers.

    Examples
    --------
    >>> with_minus_signs("uniform(-1, 1), A10-05, 2020-1-1, doi:10.1/a-2")
    'uniform(−1, 1), A10-05, 2020-1-1, doi:10.1/a-2'
    """
    return NEGATIVE.sub("−", text)


def without_breaks(text: str) -> str:
    """Return a text in which no line ends within a name with a hyphen or within an interval.

    Examples
    --------
    >>> without_breaks("EMERALD-3: 0.80 (0.70 to 0.90)") == "EMERALD\u20113: 0.80 (0.70\u00a0to\u00a00.90)"
    True
    >>> without_breaks("doi:10.1186/s12916-017-0902-9")
    'doi:10.1186/s12916-017-0902-9'
    """
    parts = LINK.split(text)
    parts[::2] = (HYPHEN_IN_NAME.sub(HYPHEN, part) for part in parts[::2])
    return LIMITS.sub(lambda match: match[0].replace(" ", SPACE), "".join(parts))
