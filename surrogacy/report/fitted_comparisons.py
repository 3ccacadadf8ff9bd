"""Comparisons of several analysis sets, each once, and the hazard ratios of the tables that the sets use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from surrogacy.effects import SIDES, Effects


@dataclass(frozen=True)
class FittedComparison:
    """Comparison of at least one set.

    Parameters
    ----------
    comparison, label : str
    effect_ids : tuple of str
        Identifiers of its hazard ratios in the effect table; empty for effects from arrays.
    """

    comparison: str
    label: str
    effect_ids: tuple[str, ...]


def effect_ids(effects: Effects, i: int) -> tuple[str, ...]:
    """Return the identifiers of the hazard ratios of a comparison; empty for effects from arrays."""
    columns = (effects.covariates.get(f"{side}_effect") for side in SIDES)
    return tuple(column[i] for column in columns if column is not None)


def fitted_comparisons(sets: Iterable[Effects]) -> tuple[FittedComparison, ...]:
    """Return every comparison of the sets, in order of appearance.

    Parameters
    ----------
    sets : iterable of Effects
    """
    labels: dict[str, str] = {}
    used: dict[str, dict[str, None]] = {}
    for effects in sets:
        for i, comparison in enumerate(effects.comparison):
            labels.setdefault(comparison, effects.labels[i])
            used.setdefault(comparison, {}).update(dict.fromkeys(effect_ids(effects, i)))
    return tuple(FittedComparison(comparison, label, tuple(used[comparison])) for comparison, label in labels.items())
