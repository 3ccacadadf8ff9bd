"""Quantities that a model needs from each comparison, and the comparisons that are left out without them.

A model states the quantities that it ``requires``. Only `split_by_requirements` leaves comparisons out because a
quantity is missing; every report gives the reason and the remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from surrogacy.arrays import BoolArray
from surrogacy.effects import Effects
from surrogacy.errors import Caveat, CaveatCode, ExitCode, FitError, UsageError
from surrogacy.results.endpoint_names import FINAL, SURROGATE, endpoint_of, final_name

LIMITS = "give confidence limits, a standard error, an exact p-value or the events of both arms"
NAMED = 10  # comparisons that a sentence names; the others are counted


class Requirement(Enum):
    """Quantity that a model needs from each comparison; the value is its key in results.json."""

    BOTH_EFFECTS = "both_effects"
    PATIENTS = "patients"
    FINAL_EVENTS = "final_events"  # reported, or implied by the standard error
    FINAL_STANDARD_ERROR = "final_standard_error"
    STANDARD_ERRORS = "standard_errors"  # of each effect that is reported


ADDITIONS = {
    Requirement.BOTH_EFFECTS: "give the hazard ratios of both endpoints",
    Requirement.PATIENTS: "give n_exp and n_ctl",
    Requirement.FINAL_EVENTS: "give the events of the final endpoint",
    Requirement.FINAL_STANDARD_ERROR: LIMITS,
    Requirement.STANDARD_ERRORS: LIMITS,
}
WEIGHTED = frozenset({Requirement.PATIENTS, Requirement.FINAL_EVENTS, Requirement.FINAL_STANDARD_ERROR})


@dataclass(frozen=True)
class LeftOut:
    """Comparison that a model leaves out.

    Parameters
    ----------
    comparison, label : str
    missing : tuple of Requirement
        Quantities that the model needs and the comparison does not have.
    reason : str
        The same in words.
    additions : tuple of str
        Data that the user can add to the table.
    weights : tuple of str
        Weights for which the comparison has the data, if the weights are the reason.
    """

    comparison: str
    label: str
    missing: tuple[Requirement, ...]
    reason: str
    additions: tuple[str, ...]
    weights: tuple[str, ...] = ()

    @property
    def remedy(self) -> str:
        """Remedy for the user."""
        return remedies([self])

    @property
    def record(self) -> dict[str, str | list[str]]:
        """Fields under the names of results.json."""
        missing = [requirement.value for requirement in self.missing]
        words = {"reason": self.reason, "remedy": self.remedy}
        return {"comparison": self.comparison, "label": self.label, "missing": missing, **words}


@dataclass(frozen=True, eq=False)
class UsablePart:
    """Comparisons that a model can use, and those that it leaves out.

    Parameters
    ----------
    effects : Effects
    left_out : tuple of LeftOut
    """

    effects: Effects
    left_out: tuple[LeftOut, ...]

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Caveat of a result if a comparison is left out."""
        sentence = left_out_sentence(self.left_out, len(self.effects) + len(self.left_out))
        return (Caveat(CaveatCode.LEFT_OUT, sentence),) if sentence else ()


class NeedsData(Protocol):
    """Model with requirements."""

    @property
    def name(self) -> str:
        """Name on the command line."""
        ...

    @property
    def requires(self) -> frozenset[Requirement]:
        """Quantities that every comparison must have."""
        ...

    @property
    def fewest(self) -> int:
        """Smallest number of comparisons that the model can be fitted to."""
        ...


class MissingDataError(FitError, UsageError):
    """A model cannot be fitted because too few comparisons have the quantities that it needs.

    Parameters
    ----------
    reason, remedy : str
    left_out : sequence of LeftOut
    """

    exit_code = ExitCode.USAGE

    def __init__(self, reason: str, remedy: str, left_out: Sequence[LeftOut] = ()) -> None:
        self.reason, self.remedy, self.left_out = reason, remedy, tuple(left_out)
        super().__init__(f"{reason}. Remedy: {remedy}")


@dataclass(frozen=True)
class NotFitted:
    """Model that was not fitted to a set because too few comparisons have what it needs.

    Parameters
    ----------
    model, reason, remedy : str
    left_out : tuple of LeftOut
    """

    model: str
    reason: str
    remedy: str
    left_out: tuple[LeftOut, ...]

    def __str__(self) -> str:
        return f"{self.model} is not fitted: {self.reason}. Remedy: {self.remedy}"


def split_by_requirements(effects: Effects, requires: frozenset[Requirement]) -> UsablePart:
    """Return the comparisons that have all the quantities, and those that are left out with the reason."""
    lacking = {requirement: LACKING[requirement](effects) for requirement in Requirement if requirement in requires}
    excluded = np.zeros(len(effects), dtype=np.bool_)
    for lacks in lacking.values():
        excluded |= lacks
    if not excluded.any():
        return UsablePart(effects, ())
    left_out = []
    for i in map(int, np.flatnonzero(excluded)):
        missing = tuple(requirement for requirement, lacks in lacking.items() if lacks[i])
        reason = " and ".join(_reason(requirement, effects, i) for requirement in missing)
        additions = tuple(ADDITIONS[requirement] for requirement in missing)
        weights = _other_weights(effects, i) if WEIGHTED.intersection(missing) else ()
        left_out.append(LeftOut(effects.comparison[i], effects.labels[i], missing, reason, additions, weights))
    return UsablePart(effects.take(~excluded), tuple(left_out))


def usable_part(effects: Effects, requires: frozenset[Requirement], fewest: int) -> UsablePart:
    """Return the comparisons that a model can use, and those that it leaves out.

    Parameters
    ----------
    effects : Effects
    requires : frozenset of Requirement
    fewest : int
        Smallest number of comparisons that the model can be fitted to.

    Raises
    ------
    MissingDataError
        If fewer comparisons remain, but the set has enough.
    """
    part = split_by_requirements(effects, requires)
    if len(part.effects) >= fewest or len(effects) < fewest:
        return part
    lacks = "; ".join(
        f"no {_noun(requirement, effects)} in {len(members)} of {len(effects)} comparisons"
        for requirement, members in by_requirement(part.left_out).items()
    )
    groups = by_requirement(part.left_out)
    pronoun = "it" if len(groups) == 1 and Requirement.STANDARD_ERRORS not in groups else "them"
    raise MissingDataError(f"{lacks}; at least {fewest} must have {pronoun}", remedies(part.left_out), part.left_out)


def fitting_error(model: NeedsData, effects: Effects) -> MissingDataError | None:
    """Return the error of a fit with too few usable comparisons; None if the model can be fitted."""
    try:
        usable_part(effects, model.requires, model.fewest)
    except MissingDataError as error:
        return error
    return None


def refuse_unfittable(sets: Sequence[Effects], models: Sequence[NeedsData], required: Collection[str]) -> None:
    """Refuse, before any fit, a required model without the data it needs, and a run in which no model has them.

    Raises
    ------
    UsageError
    """
    errors = [(model.name, effects, fitting_error(model, effects)) for effects in sets for model in models]
    lacking = [(name, effects, error) for name, effects, error in errors if error is not None]
    refused = lacking if len(lacking) == len(errors) else [entry for entry in lacking if entry[0] in required]
    if refused:
        raise UsageError("\n".join(str(refusal(*entry)) for entry in refused))


def refusal(model: str, effects: Effects, error: MissingDataError) -> UsageError:
    """Return the error of a run in which a required model cannot be fitted."""
    return UsageError(f"{model} cannot be fitted to {effects.name or 'these effects'}: {error}")


def by_requirement(left_out: Sequence[LeftOut]) -> dict[Requirement, list[LeftOut]]:
    """Return the comparisons left out by missing quantity; a comparison may be in several groups."""
    groups: dict[Requirement, list[LeftOut]] = {}
    for entry in left_out:
        for requirement in entry.missing:
            groups.setdefault(requirement, []).append(entry)
    return groups


def remedies(left_out: Sequence[LeftOut]) -> str:
    """Return the remedy for these comparisons: add quantities, or choose weights for which all have the data."""
    additions = "; ".join(dict.fromkeys(addition for entry in left_out for addition in entry.additions))
    offered = [entry.weights for entry in left_out if entry.weights]
    common = [name for name in (offered[0] if offered else ()) if all(name in weights for weights in offered)]
    return f"{additions}, or use --weights {' or '.join(common)}" if common else additions


def left_out_sentence(left_out: Sequence[LeftOut], total: int) -> str:
    """Return a sentence on the comparisons left out, the reasons and the remedy; empty if none is left out."""
    return f"{len(left_out)} of {total} comparisons left out, {reasons_in_words(left_out)}" if left_out else ""


def reasons_in_words(left_out: Sequence[LeftOut], named: int = NAMED) -> str:
    """Return the reasons with their comparisons, and the remedy.

    Parameters
    ----------
    left_out : sequence of LeftOut
    named : int
        Comparisons that are named for each reason; the others are counted.
    """
    groups: dict[str, list[str]] = {}
    for entry in left_out:
        groups.setdefault(entry.reason, []).append(entry.label)
    words = "; ".join(f"{reason}: {_listed(labels, named)}" for reason, labels in groups.items())
    return f"{words}. Remedy: {remedies(left_out)}"


def usability_lines(models: Sequence[NeedsData], effects: Effects, *, complete: bool) -> list[str]:
    """Return a line per model: the number of usable comparisons, those left out, and the remedy.

    Parameters
    ----------
    models : sequence of NeedsData
    effects : Effects
    complete : bool
        True for a line also for a model that uses all comparisons.
    """
    lines = []
    for model in models:
        part = split_by_requirements(effects, model.requires)
        error = fitting_error(model, effects)
        count = f"{len(part.effects)} of {len(effects)} comparisons"
        if error is not None:
            lines.append(f"{model.name}: not fitted: {error}")
        elif part.left_out:
            lines.append(f"{model.name}: {count}; left out, {reasons_in_words(part.left_out, len(effects))}")
        elif complete:
            lines.append(f"{model.name}: {count}")
    return [f"{effects.name}: {line}" if effects.name else line for line in lines]


def count_in_words(used: int, left_out: Sequence[LeftOut]) -> str:
    """Return ``24 of 27``, or ``27`` if no comparison is left out."""
    return f"{used} of {used + len(left_out)}" if left_out else f"{used}"


def _listed(labels: Sequence[str], most: int) -> str:
    more = len(labels) - most
    return ", ".join(labels) if more <= 1 else f"{', '.join(labels[:most])} and {more} more"


def _no_patients(effects: Effects) -> BoolArray:
    return ~np.isfinite(effects.n)


def _no_final_events(effects: Effects) -> BoolArray:
    return ~np.isfinite(effects.events) & ~np.isfinite(effects.se[:, 1])


def _no_final_standard_error(effects: Effects) -> BoolArray:
    return ~np.isfinite(effects.se[:, 1])


LACKING: dict[Requirement, Callable[[Effects], BoolArray]] = {
    Requirement.BOTH_EFFECTS: lambda effects: ~effects.complete,
    Requirement.PATIENTS: _no_patients,
    Requirement.FINAL_EVENTS: _no_final_events,
    Requirement.FINAL_STANDARD_ERROR: _no_final_standard_error,
    Requirement.STANDARD_ERRORS: lambda effects: ~effects.has_standard_errors,
}


def _noun(requirement: Requirement, effects: Effects) -> str:
    """Name of the quantity, after "no"."""
    return {
        Requirement.BOTH_EFFECTS: "pair of effects",
        Requirement.PATIENTS: "number of patients",
        Requirement.FINAL_EVENTS: f"events or standard error of {final_name(effects)}",
        Requirement.FINAL_STANDARD_ERROR: f"standard error of {final_name(effects)}",
        Requirement.STANDARD_ERRORS: "standard errors",
    }[requirement]


def _reason(requirement: Requirement, effects: Effects, i: int) -> str:
    """Reason why a comparison is left out, with the endpoints whose quantity is missing."""
    lacking = {
        Requirement.BOTH_EFFECTS: np.isnan(effects.log_hr[i]),
        Requirement.STANDARD_ERRORS: ~np.isnan(effects.log_hr[i]) & ~np.isfinite(effects.se[i]),
    }
    if requirement not in lacking:
        return f"no {_noun(requirement, effects)}"
    sides = [side for side, lacks in zip((SURROGATE, FINAL), lacking[requirement], strict=True) if lacks]
    names = " and ".join(endpoint_of(effects, i, side) for side in sides)
    return f"no {'hazard ratio' if requirement is Requirement.BOTH_EFFECTS else 'standard error'} of {names}"


def _other_weights(effects: Effects, i: int) -> tuple[str, ...]:
    """Weights for which a comparison has the data."""
    known = {"n": np.isfinite(effects.n[i]), "inverse-variance": np.isfinite(effects.se[i, 1]), "none": True}
    return tuple(name for name, has in known.items() if has)
