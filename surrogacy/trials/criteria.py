"""Criteria by which the rule of an analysis set selects comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

EXCLUSION = "not "  # before a value that a rule excludes


@dataclass(frozen=True)
class Criterion:
    """Condition on one column of trials.csv.

    Parameters
    ----------
    column : str
    required : tuple of str
        Values of which a comparison must have one; empty = any value.
    excluded : tuple of str
        Values that a comparison must not have.

    Examples
    --------
    >>> stage, drug_class = criteria_of({"stage": ["advanced", "mixed"], "class": ["not sirt"]})
    >>> stage.requires("advanced"), drug_class.excludes("sirt")
    (True, True)
    """

    column: str
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def requires(self, value: str) -> bool:
        """Return whether a value is among those required, if any are."""
        return not self.required or value in self.required

    def excludes(self, value: str) -> bool:
        """Return whether a value is excluded."""
        return value in self.excluded


def criteria_of(rule: Mapping[str, Sequence[str]]) -> tuple[Criterion, ...]:
    """Return the criteria of a rule.

    Parameters
    ----------
    rule : mapping of column to values
        ``not`` before a value excludes it.
    """
    return tuple(
        Criterion(
            column,
            tuple(value for value in values if not _is_exclusion(value)),
            tuple(value[len(EXCLUSION) :].strip() for value in values if _is_exclusion(value)),
        )
        for column, values in rule.items()
    )


def _is_exclusion(value: str) -> bool:
    return value.casefold().startswith(EXCLUSION)
