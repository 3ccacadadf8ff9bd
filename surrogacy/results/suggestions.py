"""Suggestions for a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

MOST_NAMES = 3


def similar_names(
    name: str, known: Iterable[str] | Mapping[str, str], *, cutoff: float = 0.6, most: int = MOST_NAMES
) -> tuple[str, ...]:
    """Return the known names that are most similar to a name, without regard to capitals.

    Parameters
    ----------
    name : str
    known : iterable of str, or mapping of str to str
        Names; a mapping gives for each spelling or label the name to suggest.
    cutoff : float
        Least similarity, from 0 to 1 (ratio of `difflib.SequenceMatcher`).
    most : int
        Largest number of names.

    Returns
    -------
    tuple of str
        Distinct names, the most similar first.

    Examples
    --------
    >>> similar_names("tactic", {"TACTICS": "tactics", "tactics": "tactics", "SPACE": "space"})
    ('tactics',)
    """
    names = known if isinstance(known, Mapping) else {spelling: spelling for spelling in known}
    folded: dict[str, str] = {}
    for spelling, suggestion in names.items():
        folded.setdefault(spelling.casefold(), suggestion)
    near = difflib.get_close_matches(name.casefold(), folded, n=len(folded) or 1, cutoff=cutoff)
    return tuple(dict.fromkeys(folded[spelling] for spelling in near))[:most]


def did_you_mean(
    name: str, known: Iterable[str] | Mapping[str, str], *, cutoff: float = 0.6, most: int = MOST_NAMES
) -> str:
    """Return the question that suggests similar names; empty if no name is similar.

    Parameters
    ----------
    name, known, cutoff, most
        As for `similar_names`.

    Examples
    --------
    >>> did_you_mean("intermediat", ["intermediate", "advanced"])
    "did you mean 'intermediate'?"
    """
    *others, last = map(repr, similar_names(name, known, cutoff=cutoff, most=most) or [""])
    return "" if last == "''" else f"did you mean {', '.join(others)}{' or ' if others else ''}{last}?"


def unknown_name(rule: str, name: str, known: Iterable[str]) -> str:
    """Return the text of an error about an unknown name, with similar names and the list of all.

    Parameters
    ----------
    rule : str
        Statement that the name is unknown.
    name : str
    known : iterable of str

    Examples
    --------
    >>> unknown_name("unknown endpoint 'PSF'", "PSF", ["PFS", "TTP"])
    "unknown endpoint 'PSF'; did you mean 'PFS'? Choose from PFS, TTP"
    """
    names = tuple(known)
    hint = did_you_mean(name, names)
    return f"{rule}; {hint} Choose from {', '.join(names)}" if hint else f"{rule}; choose from {', '.join(names)}"
