"""Sensitivity of the estimates of a set to each choice of its analysis, varied alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError, UsageError
from surrogacy.evaluation.refits import RHO_WITHIN_GRID, Refit, attempt, summarise, without_extras
from surrogacy.models import Model
from surrogacy.results.endpoint_names import endpoint_label
from surrogacy.results.labels import Weights
from surrogacy.trials import TrialSet
from surrogacy.trials.analysis_set import DEFAULT_PAIRING, Pairing, Source
from surrogacy.trials.columns import EVIDENCE, SURROGATES
from surrogacy.trials.data_cuts import DATA_CUTS, with_data_cut
from surrogacy.trials.shared_control import SharedControl

# Endpoint preference orders that a reader may ask for.
ENDPOINT_ORDERS: dict[str, tuple[str, ...]] = {
    "PFS, TACE-PFS, TTP": SURROGATES,
    "PFS only": ("PFS",),
    "PFS or TACE-PFS": ("PFS", "TACE-PFS"),
    "TTP only": ("TTP",),
    "TTP, PFS, TACE-PFS": ("TTP", "PFS", "TACE-PFS"),
}


WEIGHTS: tuple[Weights, ...] = ("n", "events", "inverse-variance", "sqrt-n", "none")
SHARED: tuple[SharedControl, ...] = ("cov", "first", "combine")
CI_LEVELS = ("as printed", "all read as 95%")


@dataclass(frozen=True)
class Alternatives:
    """Alternatives of a grid; an empty sequence leaves that axis out.

    Parameters
    ----------
    rho_within : sequence of float
        For models that use it.
    weights : sequence of str
        For models that have them.
    endpoints : mapping of str to sequence of str
        Preference orders of the surrogates, by name; default: those of `endpoint_orders`.
    data_cut : sequence of {"preferred", "earliest", "latest"}
    ci_level : sequence of {"as printed", "all read as 95%"}
        The second is what a table without a column for the level does to a trial that printed another one.
    min_evidence, shared_control : sequence of str
    """

    rho_within: Sequence[float] = RHO_WITHIN_GRID
    weights: Sequence[Weights] = WEIGHTS
    endpoints: Mapping[str, Sequence[str]] | None = None
    data_cut: Sequence[str] = DATA_CUTS
    ci_level: Sequence[str] = CI_LEVELS
    min_evidence: Sequence[str] = EVIDENCE
    shared_control: Sequence[SharedControl] = SHARED


def vary_one_choice(
    model: Model,
    trials: TrialSet,
    source: Source,
    alternatives: Alternatives | None = None,
    pairing: Pairing = DEFAULT_PAIRING,
) -> list[Refit]:
    """Refit over alternatives, one choice varied at a time.

    Parameters
    ----------
    model : Model
    trials : TrialSet
    source : str or mapping
        Name of an analysis set, or which rows of ``trials`` take part (as in `TrialSet.pair`).
    alternatives : Alternatives, optional
    pairing : Pairing
        The base: what holds while another choice is varied.

    Returns
    -------
    list of Refit
        First the base (varied ``"base"``), then one per alternative; ``same_data`` in a set that lists its hazard
        ratios, ``problem`` where the effects could not be paired or fitted.

    Raises
    ------
    UsageError
        If there is no such set, data cut or level.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedPearson
    >>> refits = vary_one_choice(WeightedPearson(), surrogacy.read_trials(), "tactics-2022")
    >>> [(refit.value, f"{refit.estimates['r'].value:.2f}") for refit in refits if refit.value in ("n", "none")]
    [('n', '0.55'), ('none', '0.53')]
    """
    asked = alternatives or Alternatives()
    for words, chosen, known in (("data cut", asked.data_cut, DATA_CUTS), ("level", asked.ci_level, CI_LEVELS)):
        unknown = [one for one in chosen if one not in known]
        if unknown:
            raise UsageError(f"unknown {words} {unknown[0]!r}; choose from {', '.join(known)}")

    def pair(table: TrialSet = trials, **change: Any) -> Effects:
        return table.analysis_set_with_flow(source, replace(pairing, **change)).effects

    base = pair()

    def record(varied: str, value: float | str, make: Callable[[], Effects], by: Model = model) -> Refit:
        try:
            effects = make()
        except SurrogacyError as error:
            return Refit(model.name, varied, value, 0, 0, problem=str(error), same_data=False)
        fit = attempt(without_extras(by, intervals=True).fit, effects)
        return summarise(by, varied, value, effects, fit, same_data=same_effects(effects, base))

    fields = getattr(model, "__dataclass_fields__", {})
    weighted = "weights" in fields
    records = [record("base", "", lambda: base)]
    if weighted:
        records += [record("weights", one, lambda: base, replace(model, weights=one)) for one in asked.weights]  # type: ignore[type-var]
    else:
        records += [record("rho_within", one, partial(pair, rho_within=one)) for one in asked.rho_within]
    for name, order in (endpoint_orders(trials) if asked.endpoints is None else asked.endpoints).items():
        records.append(record("endpoints", name, partial(pair, surrogates=tuple(order))))
    for cut in asked.data_cut:
        records.append(record("data_cut", cut, partial(pair, with_data_cut(trials, cut, pairing.min_evidence))))
    for level in asked.ci_level:
        table = trials if level == "as printed" else replace(trials, effects=trials.effects.assign(ci_level=0.95))
        records.append(record("ci_level", level, partial(pair, table)))
    for axis in ("min_evidence", "shared_control"):
        for one in getattr(asked, axis):
            records.append(record(axis, one, partial(pair, **{axis: one})))
    return records


def endpoint_orders(trials: TrialSet) -> Mapping[str, Sequence[str]]:
    """Return the preference orders to vary: those of the shipped endpoints, or each surrogate of other tables alone."""
    if set(trials.surrogates) & set(SURROGATES):
        return ENDPOINT_ORDERS
    return {f"{endpoint_label(name)} only": (name,) for name in trials.surrogates} if len(trials.surrogates) > 1 else {}


def same_effects(one: Effects, other: Effects) -> bool:
    """Return whether two sets of effects hold the same numbers for the same comparisons."""
    names = ("log_hr", "se", "rho_within", "control_share")
    return (one.comparison, one.control_group) == (other.comparison, other.control_group) and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in names
    )
