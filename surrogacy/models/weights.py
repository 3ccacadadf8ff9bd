"""Weights of the comparisons in a correlation or a regression."""

from __future__ import annotations

from typing import cast, get_args

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import Caveat, CaveatCode
from surrogacy.results.labels import ComparisonWeights, Weights
from surrogacy.results.requirements import Requirement, UsablePart, usable_part
from surrogacy.results.result import Result
from surrogacy.stats.trial_numbers import FisherRule, TrialNumber, trial_number

SHARED_CONTROL = Caveat(
    CaveatCode.SHARED_CONTROL,
    "this model treats comparisons that share a control arm as independent and counts the patients of that arm in "
    "each of them",
)
NEEDS: dict[Weights, frozenset[Requirement]] = {
    "n": frozenset({Requirement.PATIENTS}),
    "sqrt-n": frozenset({Requirement.PATIENTS}),
    "events": frozenset({Requirement.FINAL_EVENTS}),
    "inverse-variance": frozenset({Requirement.FINAL_STANDARD_ERROR}),
    "none": frozenset(),
}


def requirements_of(weights: Weights) -> frozenset[Requirement]:
    """Return the quantities that a comparison needs for a weighted correlation or regression.

    Raises
    ------
    UsageError
        If the name of the weights is unknown.

    Examples
    --------
    >>> sorted(need.value for need in requirements_of("n"))
    ['both_effects', 'patients']
    """
    if weights not in NEEDS:
        raise UsageError(f"weights must be one of {', '.join(get_args(Weights))}; got {weights!r}")
    return NEEDS[weights] | {Requirement.BOTH_EFFECTS}


def part_with_weights(effects: Effects, weights: Weights, fewest: int = 3) -> UsablePart:
    """Return the comparisons with both endpoints and the quantities that the weights need, and those left out.

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
            f"{effects.name or 'these effects'}: {len(part.effects)} usable comparisons; at least {fewest} are needed"
        )
    return part


def counted_trials(result: Result) -> TrialNumber:
    """Return the number of trials for Fisher's z of a weighted correlation of the complete comparisons of a result.

    The weights and the rule are those of the result; a model without weights has those of the number of patients.
    """
    rule = cast(FisherRule, result.settings.get("fisher", "automatic"))
    if result.weights is not None:
        return trial_number(result.weights.values, result.effects.trial, rule)
    complete = result.effects.take(result.effects.complete)
    return trial_number(ComparisonWeights.by_patients(complete).values, complete.trial, rule)


def usable_comparisons(effects: Effects, weights: Weights, fewest: int = 3) -> tuple[Effects, tuple[Caveat, ...]]:
    """Return the usable comparisons of `part_with_weights`, and the caveat on those left out."""
    part = part_with_weights(effects, weights, fewest)
    return part.effects, part.caveats


def weights_of(effects: Effects, weights: Weights) -> tuple[FloatArray, tuple[Caveat, ...]]:
    """Return the weights of a name, and their caveats.

    Parameters
    ----------
    effects : Effects
        Usable comparisons, see `usable_comparisons`.
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}

    Returns
    -------
    weights : (k,) array
    caveats : tuple of Caveat

    Raises
    ------
    UsageError
        If the name of the weights is unknown.

    Examples
    --------
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, n=[400] * 4)
    >>> weights_of(effects, "n")[0]
    array([400., 400., 400., 400.])
    """
    requirements_of(weights)
    if weights == "none":
        return np.ones(len(effects)), ()
    if weights == "inverse-variance":
        return effects.se[:, 1] ** -2.0, ()
    if weights == "events":
        # information 1/se^2 = d p (1-p) for d events, of which a share p is in the control arm
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
