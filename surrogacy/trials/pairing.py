"""Pairing of the surrogate and the final hazard ratio of each comparison, with their standard errors."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from surrogacy.effects import Effects
from surrogacy.errors import Caveat, CaveatCode, UsageError
from surrogacy.trials.analysis_set import AnalysisSet, FlowEntry, OneEndpoint, Pairing, Source, SurrogateOnly
from surrogacy.trials.cells import number
from surrogacy.trials.columns import TRIALS
from surrogacy.trials.criteria import criteria_of
from surrogacy.trials.effect_choice import EffectChoice, choose_effects, preferred_effects, refuse_no_pairs
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.paired_effects import first_number, paired_effects, provenance_of
from surrogacy.trials.rows import Row
from surrogacy.trials.shared_control import resolve_shared_controls
from surrogacy.trials.standard_errors import standard_error


def pair_by_rule(
    trials: pd.DataFrame,
    effects: Sequence[ReportedEffect],
    added: Collection[str],
    pairing: Pairing,
    rule: Mapping[str, Sequence[str]],
    name: str,
) -> AnalysisSet:
    """Pair the effects of every comparison that the rule selects, if their evidence is sufficient.

    Parameters
    ----------
    trials : DataFrame
    effects : sequence of ReportedEffect
        Of a `TrialSet`.
    added : collection of str
        Comparisons that a user added.
    pairing : Pairing
        With endpoints as the tables spell them.
    rule : mapping of column to values
        ``not`` before a value excludes it; the flow then gives the reason.
    name : str

    Raises
    ------
    DataError
        If the evidence of an added row is weaker than `Pairing.min_evidence`.
    UsageError
        If trials.csv has no such column, or nothing can be paired.
    """
    for column in rule:
        if column not in {known.name for known in TRIALS}:
            raise UsageError(f"{name or 'selection'}: trials.csv has no column {column!r}")
    added, preferred = set(added), preferred_effects(effects)
    cells = {column: [rule_text(value) for value in trials[column].tolist()] for column in rule}
    criteria = criteria_of(rule)
    choices: list[EffectChoice] = []
    for place, comparison in enumerate(trials["comparison"].tolist()):
        values = [(criterion, cells[criterion.column][place]) for criterion in criteria]
        # an added row without, for example, a stage joins every set
        optional = ("",) if comparison in added else ()
        if not all(criterion.requires(value) or value in optional for criterion, value in values):
            continue
        excluded = [f"{criterion.column} {value}" for criterion, value in values if criterion.excludes(value)]
        if excluded:
            choices.append(EffectChoice(place, reason=f"the set excludes {', '.join(excluded)}"))
            continue
        effects_of = preferred.get(comparison, {})
        choices.append(choose_effects(place, effects_of, pairing, added_here=comparison in added))
    flow = list(map(partial(_flow_entry, trials, pairing.one_endpoint), choices))
    surrogate_only = _surrogate_only(trials, choices, added, pairing)
    if all(choice.reason for choice in choices):
        alone = len(added) == len(trials)
        refuse_no_pairs(effects, pairing, surrogate_only if alone else (), name)
    fitted = [choice for choice in choices if choice.is_fitted(pairing.one_endpoint)]
    paired = paired_effects(trials, added, pairing, fitted, name)
    return _analysis_set(paired, pairing, rule, flow, surrogate_only)


def rule_text(value: object) -> str:
    """Return a cell of trials.csv in the form of a rule: a year in a column with empty cells is 2012, not 2012.0."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _flow_entry(trials: pd.DataFrame, one_endpoint: OneEndpoint, choice: EffectChoice) -> FlowEntry:
    """Return whether a comparison is fitted, and why it has no pair."""
    comparison = str(trials["comparison"].iloc[choice.place])
    return FlowEntry(comparison, choice.is_fitted(one_endpoint), choice.flow_reason(one_endpoint))


def _surrogate_only(
    trials: pd.DataFrame, choices: Sequence[EffectChoice], added: Collection[str], pairing: Pairing
) -> tuple[SurrogateOnly, ...]:
    """Return the comparisons whose final effect can only be predicted."""
    comparisons = []
    for choice in choices:
        effect = choice.surrogate if choice.predicted else None
        error = None if effect is None else standard_error(effect)
        if effect is None or error is None:
            continue
        about = trials.iloc[choice.place]
        comparisons.append(
            SurrogateOnly(
                comparison=effect.comparison,
                trial=str(about["trial"]),
                label=str(about["label"]),
                endpoint=effect.endpoint,
                effect_id=effect.effect_id,
                log_hr=math.log(effect.hr),
                se=error.value,
                n=first_number(effect.n_exp, about["n_exp"]) + first_number(effect.n_ctl, about["n_ctl"]),
                rho_within=first_number(effect.rho_within, pairing.rho_within),
                rho_known=not math.isnan(effect.rho_within),
                provenance=provenance_of(effect, error),
                added=effect.comparison in added,
            )
        )
    return tuple(comparisons)


def _analysis_set(
    effects: Effects,
    pairing: Pairing,
    source: Source,
    flow: Sequence[FlowEntry],
    surrogate_only: tuple[SurrogateOnly, ...],
) -> AnalysisSet:
    """Resolve shared control arms, and record in the flow the comparisons that they remove."""
    resolved = resolve_shared_controls(effects, pairing.shared_control)
    group = dict(zip(effects.comparison, effects.control_group, strict=True))
    with_errors = dict(zip(effects.comparison, effects.has_standard_errors, strict=True))
    remaining = {group[name]: name for name in reversed(resolved.comparison)}
    kept_names = set(resolved.comparison)

    def resolved_entry(entry: FlowEntry) -> FlowEntry:
        name = entry.comparison
        if not entry.included or name in kept_names:
            return entry
        kept = remaining[group[name]]
        if pairing.shared_control != "combine":
            reason = f"shares its control arm with {kept}, which is kept"
        elif with_errors[name] and with_errors[kept]:
            reason = f"pooled with {kept}, which shares its control arm"
        else:
            reason = f"shares its control arm with {kept}, and cannot be pooled with it without standard errors"
        return FlowEntry(name, included=False, reason=reason)

    return AnalysisSet(effects.name, source, resolved, tuple(map(resolved_entry, flow)), surrogate_only)


def pair_by_list(
    trials: pd.DataFrame,
    effects: Sequence[ReportedEffect],
    added: Collection[str],
    pairing: Pairing,
    rows: Sequence[Row],
    name: str,
) -> AnalysisSet:
    """Pair the hazard ratios that a set lists; see `pair_by_rule` for the other parameters.

    Parameters
    ----------
    rows : sequence of Row
        Rows of the file of the set.
    """
    by_id = {effect.effect_id: effect for effect in effects}
    places = {comparison: place for place, comparison in enumerate(trials["comparison"].tolist())}
    patients = {column: trials[column].to_numpy(dtype=float, copy=True) for column in ("n_exp", "n_ctl")}
    pairs: list[EffectChoice] = []
    notes = []
    for row in rows:
        surrogate, final = by_id[row["surrogate_effect"]], by_id[row["final_effect"]]
        place = places[surrogate.comparison]
        for column, known in patients.items():
            stated = number(row, column)
            if stated is not None:
                surrogate, final = (replace(effect, n_exp=math.nan, n_ctl=math.nan) for effect in (surrogate, final))
                if stated != known[place] and np.isfinite(known[place]):
                    label = trials["label"].iloc[place]
                    notes.append(f"{label} {column} {stated:.0f} (trial table {known[place]:.0f})")
                known[place] = stated
        pairs.append(EffectChoice(place, surrogate, final))
    # in the order of the file, for any hash seed
    listed = dict.fromkeys(by_id[row["surrogate_effect"]].comparison for row in rows)
    flow = [FlowEntry(comparison, included=True) for comparison in listed]
    stage = trials["stage"].tolist()
    stages = {"", *(stage[pair.place] for pair in pairs)}
    preferred = preferred_effects(effects)
    choices = [
        choose_effects(places[comparison], preferred.get(comparison, {}), pairing, added_here=True)
        for comparison in added
        if comparison not in listed and stage[places[comparison]] in stages
    ]
    flow += map(partial(_flow_entry, trials, pairing.one_endpoint), choices)
    pairs += [choice for choice in choices if choice.is_fitted(pairing.one_endpoint)]
    paired = paired_effects(trials.assign(**patients), set(added), pairing, pairs, name)
    if notes:
        words = f"patients as the source tabulated them: {'; '.join(notes)}"
        paired = replace(paired, caveats=(*paired.caveats, Caveat(CaveatCode.AS_TABULATED, words)))
    surrogate_only = _surrogate_only(trials, choices, added, pairing)
    return replace(_analysis_set(paired, pairing, name, flow, surrogate_only), listed=True)
