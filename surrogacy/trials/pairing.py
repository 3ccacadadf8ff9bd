"""Pairing of the surrogate and the final hazard ratio of each comparison, with their standard errors."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from surrogacy.effects import SIDES, Effects, Provenance
from surrogacy.errors import Caveat, CaveatCode, UsageError
from surrogacy.results.endpoint_names import endpoint_of
from surrogacy.trials.analysis_set import AnalysisSet, FlowEntry, Pairing, Source, SurrogateOnly
from surrogacy.trials.cells import number
from surrogacy.trials.columns import TRIALS
from surrogacy.trials.criteria import criteria_of
from surrogacy.trials.effect_choice import (
    EffectPair,
    Unpaired,
    analysed_patients,
    choose_effects,
    place_of,
    preferred_effects,
    refuse_no_pairs,
)
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.rows import Row
from surrogacy.trials.shared_control import refuse_impossible_covariance, resolve_shared_controls
from surrogacy.trials.standard_errors import StandardError, standard_error


def pair_by_rule(
    trials: pd.DataFrame,
    effects: Sequence[ReportedEffect],
    added: Collection[str],
    pairing: Pairing,
    rule: Mapping[str, Sequence[str]],
    name: str,
) -> AnalysisSet:
    """Pair every comparison that the rule selects and that has both effects with sufficient evidence.

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
    choices: list[EffectPair | Unpaired] = []
    for place, comparison in enumerate(trials["comparison"].tolist()):
        values = [(criterion, cells[criterion.column][place]) for criterion in criteria]
        # an added row without, for example, a stage joins every set
        optional = ("",) if comparison in added else ()
        if not all(criterion.requires(value) or value in optional for criterion, value in values):
            continue
        excluded = [f"{criterion.column} {value}" for criterion, value in values if criterion.excludes(value)]
        if excluded:
            choices.append(Unpaired(place, f"the set excludes {', '.join(excluded)}"))
            continue
        effects_of = preferred.get(comparison, {})
        choices.append(choose_effects(place, effects_of, pairing, added_here=comparison in added))
    flow = list(map(partial(_flow_entry, trials), choices))
    surrogate_only = _surrogate_only(trials, choices, added, pairing)
    pairs = [choice for choice in choices if isinstance(choice, EffectPair)]
    if not pairs:
        alone = len(added) == len(trials)
        refuse_no_pairs(effects, pairing, surrogate_only if alone else (), name)
    paired = _effects(trials, added, pairing, pairs, name)
    return _analysis_set(paired, pairing, rule, flow, surrogate_only)


def rule_text(value: object) -> str:
    """Return a cell of trials.csv in the form of a rule: a year in a column with empty cells is 2012, not 2012.0."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _flow_entry(trials: pd.DataFrame, choice: EffectPair | Unpaired) -> FlowEntry:
    """Return whether a comparison is fitted, and the reason if it is not."""
    reason = "" if isinstance(choice, EffectPair) else choice.reason
    return FlowEntry(str(trials["comparison"].iloc[choice.place]), not reason, reason)


def _surrogate_only(
    trials: pd.DataFrame, choices: Sequence[EffectPair | Unpaired], added: Collection[str], pairing: Pairing
) -> tuple[SurrogateOnly, ...]:
    """Return the comparisons whose final effect can only be predicted."""
    comparisons = []
    for choice in choices:
        effect = None if isinstance(choice, EffectPair) else choice.surrogate
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
                n=_first_number(effect.n_exp, about["n_exp"]) + _first_number(effect.n_ctl, about["n_ctl"]),
                rho_within=_first_number(effect.rho_within, pairing.rho_within),
                provenance=_provenance(effect, error),
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
    pairs: list[EffectPair] = []
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
        pairs.append(EffectPair(place, surrogate, final))
    listed = dict.fromkeys(pair.surrogate.comparison for pair in pairs)  # in the order of the file, for any hash seed
    flow = [FlowEntry(comparison, included=True) for comparison in listed]
    stage = trials["stage"].tolist()
    stages = {"", *(stage[pair.place] for pair in pairs)}
    preferred = preferred_effects(effects)
    choices = [
        choose_effects(places[comparison], preferred.get(comparison, {}), pairing, added_here=True)
        for comparison in added
        if comparison not in listed and stage[places[comparison]] in stages
    ]
    flow += map(partial(_flow_entry, trials), choices)
    pairs += [choice for choice in choices if isinstance(choice, EffectPair)]
    paired = _effects(trials.assign(**patients), set(added), pairing, pairs, name)
    if notes:
        words = f"patients as the source tabulated them: {'; '.join(notes)}"
        paired = replace(paired, caveats=(*paired.caveats, Caveat(CaveatCode.AS_TABULATED, words)))
    return _analysis_set(paired, pairing, name, flow, _surrogate_only(trials, choices, added, pairing))


def _effects(
    trials: pd.DataFrame,
    added: Collection[str],
    pairing: Pairing,
    pairs: Sequence[EffectPair],
    name: str,
) -> Effects:
    """Build the effects of the chosen pairs, with their caveats."""
    about = trials.iloc[[pair.place for pair in pairs]]
    sides = {"surrogate": [pair.surrogate for pair in pairs], "final": [pair.final for pair in pairs]}
    errors = {side: [standard_error(effect) for effect in chosen] for side, chosen in sides.items()}
    se = np.array([[np.nan if error is None else error.value for error in column] for column in errors.values()]).T
    known_rho = np.array([_first_number(pair.surrogate.rho_within, pair.final.rho_within) for pair in pairs])
    n_exp, n_ctl = (
        analysed_patients(about[column].to_numpy(dtype=float), column, sides) for column in ("n_exp", "n_ctl")
    )
    share = np.where(np.isnan(n_exp + n_ctl), 0.5, n_exp / (n_exp + n_ctl))
    # a control arm belongs to one trial: the same name in two trials is two arms
    arms = zip(about["trial"], about["control_group"], strict=True)
    groups = [f"{trial}/{control_group}" if control_group else "" for trial, control_group in arms]
    size = Counter(groups)

    covariates = {
        column: tuple(sys.intern(str(cell)) for cell in about[column])
        for column in ("stage", "line", "class", "masking", "region")
    }
    covariates["year"] = tuple("" if year != year else sys.intern(f"{year:.0f}") for year in about["year"])
    for side, chosen in sides.items():
        covariates[side] = tuple(effect.endpoint for effect in chosen)
        covariates[f"{side}_effect"] = tuple(effect.effect_id for effect in chosen)
    provenance = np.array(
        [
            [_provenance(effect, error) for effect, error in zip(chosen, errors[side], strict=True)]
            for side, chosen in sides.items()
        ]
    ).T
    paired = replace(
        Effects.from_arrays(
            np.log([[pair.surrogate.hr, pair.final.hr] for pair in pairs]),
            se,
            rho_within=np.where(np.isnan(known_rho), pairing.rho_within, known_rho),
            n=n_exp + n_ctl,
            trial=about["trial"].tolist(),
            comparison=about["comparison"].tolist(),
            control_group=[group if size[group] > 1 else "" for group in groups],
            control_share=np.column_stack([share, share]),
            events=[pair.final.events_exp + pair.final.events_ctl for pair in pairs],
            labels=about["label"].tolist(),
            name=name,
        ),
        rho_known=~np.isnan(known_rho),
        covariates=covariates,
        provenance=provenance,
    )
    if pairing.shared_control == "cov":
        refuse_impossible_covariance(paired, [place_of(pair.final) for pair in pairs])
    from_user = about["label"][about["comparison"].isin(added)].tolist()
    partly = from_user and len(from_user) < len(pairs)
    text = f"added for this run, not in the curated table: {', '.join(from_user)}"
    of_added = (Caveat(CaveatCode.ADDED, text),) if partly else ()
    return replace(paired, caveats=caveats_of(paired) + of_added)


def _provenance(effect: ReportedEffect, error: StandardError | None) -> Provenance:
    """Return the evidence of a hazard ratio and the derivation of its standard error as flags."""
    flags = Provenance[effect.evidence.upper()] if effect.evidence else Provenance.AS_GIVEN
    if error is not None:
        flags |= Provenance[error.method.upper()] | (Provenance.IMPRECISE if error.imprecise else Provenance(0))
    return flags


def _first_number(*values: float) -> float:
    return next((value for value in values if not np.isnan(value)), float("nan"))


def caveats_of(effects: Effects) -> tuple[Caveat, ...]:
    """Return the caveats of pairs: unverified hazard ratios, mixed endpoints, standard errors not from limits."""
    if not effects.provenance.any():
        return ()
    caveats = []

    def flagged(flags: Provenance) -> list[tuple[str, Provenance]]:
        cells = np.argwhere(effects.provenance & flags)
        return [
            (
                f"{effects.labels[i]} {endpoint_of(effects, i, SIDES[side])}",
                Provenance(int(effects.provenance[i, side])),
            )
            for i, side in cells
        ]

    unverified = [name for name, _ in flagged(Provenance.UNVERIFIED)]
    if unverified:
        text = (
            f"unverified: {len(unverified)} of {2 * len(effects)} hazard ratios (or their limits) were not read in any "
            f"source ({', '.join(unverified)})"
        )
        caveats.append(Caveat(CaveatCode.UNVERIFIED, text))
    for side, words in (("surrogate", "the surrogate"), ("final", "the final endpoint")):
        endpoints = Counter(endpoint_of(effects, i, side) for i in range(len(effects)))
        if len(endpoints) > 1:
            counts = ", ".join(f"{count} {name}" for name, count in endpoints.items())
            caveats.append(Caveat(CaveatCode.MIXED_ENDPOINTS, f"{words} is not one endpoint: {counts}"))
    approximate = [
        f"{name} from {flags.se_method}" + (", roughly" if Provenance.IMPRECISE in flags else "")
        for name, flags in flagged(Provenance.P | Provenance.EVENTS)
    ]
    if approximate:
        text = f"standard errors not from limits: {'; '.join(approximate)}"
        caveats.append(Caveat(CaveatCode.APPROXIMATE_ERRORS, text))
    return tuple(caveats)


def part_of(effects: Effects, chosen: npt.ArrayLike) -> Effects:
    """Return some of the comparisons, with the caveats that apply to them."""
    part, of_all = effects.take(chosen), caveats_of(effects)
    return replace(part, caveats=(*caveats_of(part), *(caveat for caveat in effects.caveats if caveat not in of_all)))
