"""Weights of a comparison in a correlation or a regression."""

from __future__ import annotations

from typing import get_args

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import Caveat, CaveatCode
from surrogacy.results.labels import Weights
from surrogacy.results.requirements import Requirement, UsablePart, usable_part

SHARED_CONTROL = Caveat(
    CaveatCode.SHARED_CONTROL,
    "comparisons that share a control arm are taken as independent by this model, and the patients of that arm "
    "count in each",
)
NEEDS: dict[Weights, frozenset[Requirement]] = {
    "n": frozenset({Requirement.PATIENTS}),
    "sqrt-n": frozenset({Requirement.PATIENTS}),
    "events": frozenset({Requirement.FINAL_EVENTS}),
    "inverse-variance": frozenset({Requirement.FINAL_STANDARD_ERROR}),
    "none": frozenset(),
}


def requirements_of(weights: Weights) -> frozenset[Requirement]:
    """Return what a comparison needs to enter a weighted correlation or regression.

    Raises
    ------
    UsageError
        If there is no such weight.
    """
    if weights not in NEEDS:
        raise UsageError(f"weights must be one of {', '.join(get_args(Weights))}; got {weights!r}")
    return NEEDS[weights] | {Requirement.BOTH_EFFECTS}


def part_with_weights(effects: Effects, weights: Weights, fewest: int = 3) -> UsablePart:
    """Return the comparisons that have both endpoints and what the weights need, and those that are left out.

    Raises
    ------
    MissingDataError
        If fewer than ``fewest`` comparisons have them, although there are as many in all.
    FitError
        If there are fewer than ``fewest`` comparisons.
    """
    part = usable_part(effects, requirements_of(weights), fewest)
    if len(part.effects) < fewest:
        raise FitError(
            f"{effects.name or 'these effects'}: {len(part.effects)} usable comparisons; {fewest} are needed"
        )
    return part


def usable_comparisons(effects: Effects, weights: Weights, fewest: int = 3) -> tuple[Effects, tuple[Caveat, ...]]:
    """Return the comparisons of `part_with_weights`, and the caveat on those left out."""
    part = part_with_weights(effects, weights, fewest)
    return part.effects, part.caveats


def weights_of(effects: Effects, weights: Weights) -> tuple[FloatArray, tuple[Caveat, ...]]:
    """Weights by name, and their caveats.

    Parameters
    ----------
    effects : Effects
        As `usable_comparisons` leaves them.
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}

    Returns
    -------
    weights : (k,) array
    caveats : tuple of Caveat

    Raises
    ------
    UsageError
        If there is no such weight.

    Examples
    --------
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, n=[400] * 4)
    >>> weights_of(effects, "n")[0]
    array([400., 400., 400., 400.])
    """
    if weights not in get_args(Weights):
        raise UsageError(f"weights must be one of {', '.join(get_args(Weights))}; got {weights!r}")
    if weights == "none":
        return np.ones(len(effects)), ()
    if weights == "inverse-variance":
        return effects.se[:, 1] ** -2.0, ()
    if weights == "events":
        # information 1/se^2 = d p (1-p) for d events shared p : 1-p by the arms
        share = effects.control_share[:, 1]
        implied = effects.se[:, 1] ** -2.0 / (share * (1.0 - share))
        unknown = np.isnan(effects.events)
        text = (
            f"{final_name(effects)} events not reported for {unknown.sum()} of {len(effects)} comparisons: "
            "implied by the standard error"
        )
        caveats = (Caveat(CaveatCode.IMPLIED_EVENTS, text),) if unknown.any() else ()
        return np.where(unknown, implied, effects.events), caveats
    return (effects.n if weights == "n" else np.sqrt(effects.n)), ()
