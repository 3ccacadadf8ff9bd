"""Names of the endpoints of a set, for axes, captions, tables and screens."""

from __future__ import annotations

from collections.abc import Iterable

from surrogacy.effects import Effects

SURROGATE, FINAL = "surrogate", "final"  # roles, which replace a missing name
LABELS = {SURROGATE: "surrogate", FINAL: "final endpoint"}


def endpoint_label(name: str) -> str:
    """Return the name of an endpoint; ``surrogate`` or ``final endpoint`` if only the role is known."""
    return LABELS.get(name, name)


def with_article(label: str) -> str:
    """Return a label in running text: ``OS``, but ``the final endpoint``."""
    return f"the {label}" if label in LABELS.values() else label


def endpoint_of(effects: Effects, i: int, side: str) -> str:
    """Return the label of the surrogate or final endpoint of one comparison.

    A comparison without that endpoint has the name that all others share, else its role.

    Parameters
    ----------
    effects : Effects
    i : int
    side : {"surrogate", "final"}
    """
    names = effects.covariates.get(side, ())
    if names and names[i]:
        return endpoint_label(names[i])
    labels = _names(effects, side)
    return labels[0] if len(labels) == 1 else endpoint_label(side)


def surrogate_names(effects: Effects) -> tuple[str, ...]:
    """Return the labels of the surrogate endpoints, in order of appearance."""
    return _names(effects, SURROGATE)


def joined_surrogates(effects: Effects) -> str:
    """Return the labels of the surrogate endpoints in one word: ``PFS/TTP``."""
    return "/".join(surrogate_names(effects))


def final_names(effects: Effects) -> tuple[str, ...]:
    """Return the labels of the final endpoints, in order of appearance; usually only one."""
    return _names(effects, FINAL)


def comparisons_in_words(effects: Effects) -> str:
    """Return the number of comparisons, and of those with one endpoint: ``57 comparisons, 11 with one endpoint``."""
    partial = int((~effects.complete).sum())
    return f"{len(effects)} comparisons" + (f", {partial} with one endpoint" if partial else "")


def final_name(effects: Effects) -> str:
    """Return the label of the final endpoint; ``OS / DFS`` if there are several."""
    return " / ".join(final_names(effects))


def common_final_name(sets: Iterable[Effects]) -> str:
    """Return the label of the final endpoint that all sets share, else ``final endpoint``."""
    names = dict.fromkeys(final_name(effects) for effects in sets)
    return next(iter(names)) if len(names) == 1 else LABELS[FINAL]


def _names(effects: Effects, side: str) -> tuple[str, ...]:
    values = dict.fromkeys(filter(None, effects.covariates.get(side, ()))) or [""]
    return tuple(dict.fromkeys(endpoint_label(value or side) for value in values))
