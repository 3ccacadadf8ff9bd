"""Sensitivity analysis: refits of a set with one choice of its analysis varied at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError, UsageError
from surrogacy.evaluation.refits import (
    RHO_WITHIN_GRID,
    SHARED_PATIENTS,
    Refit,
    attempt,
    settings_of,
    summarise,
    with_settings,
    without_extras,
)
from surrogacy.models import Model
from surrogacy.results.endpoint_names import endpoint_label
from surrogacy.results.labels import Weights
from surrogacy.trials import TrialSet
from surrogacy.trials.analysis_set import DEFAULT_PAIRING, Pairing, Source
from surrogacy.trials.columns import EVIDENCE, SURROGATES
from surrogacy.trials.data_cuts import DATA_CUTS, with_data_cut
from surrogacy.trials.shared_control import SharedControl

# Orders of preference of the surrogate endpoints.
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
    """Alternatives to each choice; an empty sequence leaves the choice out.

    Parameters
    ----------
    rho_within : sequence of float
        Within-trial correlations, for models that use it.
    weights : sequence of str
        For models with weights.
    endpoints : mapping of str to sequence of str
        Orders of preference of the surrogates, by name; default: `endpoint_orders`.
    data_cut : sequence of {"preferred", "earliest", "latest"}
    ci_level : sequence of {"as printed", "all read as 95%"}
        The second reads limits at another level as 95 % limits, as a table without a column for the level does.
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
    shared_patients: Callable[[Effects], Effects] | None = None,
    by_default: bool = False,
) -> list[Refit]:
    """Refit with each alternative, one choice varied at a time.

    Parameters
    ----------
    model : Model
    trials : TrialSet
    source : str or mapping
        Name of an analysis set, or a selection of rows of ``trials`` (see `TrialSet.pair`).
    alternatives : Alternatives, optional
    pairing : Pairing
        Base analysis, which holds for the choices that are not varied.
    shared_patients : callable, optional
        Gives effects the within-trial correlations that follow from shared patients, for a row of their own.
    by_default : bool
        Whether the base analysis has these correlations too.

    Returns
    -------
    list of Refit
        First the base (varied ``"base"``), then one per alternative. ``same_data``: the choice changes no number of the
        data; ``problem``: the effects could not be paired or fitted.

    Raises
    ------
    UsageError
        If the set, a data cut or a level is not known.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedPearson
    >>> refits = vary_one_choice(WeightedPearson(), surrogacy.read_trials(), "tactics-2022")
    >>> [(refit.value, f"{refit.estimates['r'].value:.2f}") for refit in refits if refit.value in ("n", "none")]
    [('n', '0.55'), ('none', '0.53')]
    """
    chosen = alternatives or Alternatives()
    for words, values, known in (("data cut", chosen.data_cut, DATA_CUTS), ("level", chosen.ci_level, CI_LEVELS)):
        unknown = [value for value in values if value not in known]
        if unknown:
            raise UsageError(f"unknown {words} {unknown[0]!r}; choose from {', '.join(known)}")

    def paired(table: TrialSet, pairing: Pairing, *, assumed: bool = True) -> Effects:
        effects = table.analysis_set_with_flow(source, pairing).effects
        return shared_patients(effects) if shared_patients is not None and by_default and assumed else effects

    base = paired(trials, pairing)

    def refit(varied: str, value: float | str, table: TrialSet, pairing: Pairing) -> Refit:
        try:
            effects = paired(table, pairing, assumed=varied != "rho_within")
        except SurrogacyError as error:
            return Refit(model.name, varied, value, 0, 0, problem=str(error), same_data=False)
        return fit_to(varied, value, effects, model)

    def fit_to(varied: str, value: float | str, effects: Effects, changed: Model) -> Refit:
        fit = attempt(without_extras(changed, intervals=True).fit, effects)
        return summarise(changed, varied, value, effects, fit, same_data=same_effects(effects, base))

    refits = [fit_to("base", "", base, model)]
    if "weights" in settings_of(model):
        refits += [fit_to("weights", name, base, with_settings(model, weights=name)) for name in chosen.weights]
    else:
        refits += [refit("rho_within", rho, trials, replace(pairing, rho_within=rho)) for rho in chosen.rho_within]
        if shared_patients is not None and (by_trial := shared_patients(base)) is not base:
            refits.append(fit_to("rho_within", SHARED_PATIENTS, by_trial, model))
    for name, order in (endpoint_orders(trials) if chosen.endpoints is None else chosen.endpoints).items():
        refits.append(refit("endpoints", name, trials, replace(pairing, surrogates=tuple(order))))
    for cut in chosen.data_cut:
        refits.append(refit("data_cut", cut, with_data_cut(trials, cut, pairing.min_evidence), pairing))
    for level in chosen.ci_level:
        table = trials if level == "as printed" else replace(trials, effects=trials.effects.assign(ci_level=0.95))
        refits.append(refit("ci_level", level, table, pairing))
    for evidence in chosen.min_evidence:
        refits.append(refit("min_evidence", evidence, trials, replace(pairing, min_evidence=evidence)))
    for shared in chosen.shared_control:
        refits.append(refit("shared_control", shared, trials, replace(pairing, shared_control=shared)))
    return refits


def endpoint_orders(trials: TrialSet) -> Mapping[str, Sequence[str]]:
    """Return the orders of preference: those of the shipped endpoints, or each surrogate of the user's tables alone."""
    if set(trials.surrogates) & set(SURROGATES):
        return ENDPOINT_ORDERS
    return {f"{endpoint_label(name)} only": (name,) for name in trials.surrogates} if len(trials.surrogates) > 1 else {}


def same_effects(first: Effects, second: Effects) -> bool:
    """Return whether two sets have the same comparisons with the same numbers."""
    names = ("log_hr", "se", "rho_within", "control_share")
    return (first.comparison, first.control_group) == (second.comparison, second.control_group) and all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True) for name in names
    )
