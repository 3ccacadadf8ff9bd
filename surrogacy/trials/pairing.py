"""Pairing of the surrogate and the final hazard ratio of each comparison, with their standard errors."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from surrogacy.arrays import FloatArray
from surrogacy.effects import SIDES, Effects, Provenance
from surrogacy.errors import Caveat, CaveatCode, DataError, UsageError
from surrogacy.results.endpoint_names import endpoint_label, endpoint_of
from surrogacy.trials.analysis_set import AnalysisSet, FlowEntry, Pairing, Source
from surrogacy.trials.cells import number
from surrogacy.trials.columns import EVIDENCE, TRIALS
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.shared_control import refuse_impossible_covariance, resolve_shared_controls
from surrogacy.trials.standard_errors import StandardError, standard_error


@dataclass(frozen=True, slots=True)
class _Pair:
    """Row of the trial table by position, and the two hazard ratios."""

    place: int
    surrogate: ReportedEffect
    final: ReportedEffect


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
    added, preferred = set(added), _preferred(effects)
    cells = {column: [rule_text(value) for value in trials[column].tolist()] for column in rule}
    pairs: list[_Pair] = []
    flow = []
    for place, comparison in enumerate(trials["comparison"].tolist()):
        # an added row without, for example, a stage joins every set
        optional = ("",) if comparison in added else ()
        if any(cells[column][place] not in (*values, *optional) for column, values in rule.items()):
            continue
        pair, reason = _choose(place, preferred.get(comparison, {}), pairing, added_here=comparison in added)
        pairs += [pair] if pair is not None else []
        flow.append(FlowEntry(comparison, pair is not None, reason))
    return _analysis_set(_effects(trials, effects, added, pairing, pairs, name), pairing, rule, flow)


def rule_text(value: object) -> str:
    """Return a cell of trials.csv in the form of a rule: a year in a column with empty cells is 2012, not 2012.0."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _analysis_set(effects: Effects, pairing: Pairing, source: Source, flow: Sequence[FlowEntry]) -> AnalysisSet:
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

    return AnalysisSet(effects.name, source, resolved, tuple(map(resolved_entry, flow)))


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
    pairs: list[_Pair] = []
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
        pairs.append(_Pair(place, surrogate, final))
    listed = dict.fromkeys(pair.surrogate.comparison for pair in pairs)  # in the order of the file, for any hash seed
    flow = [FlowEntry(comparison, included=True) for comparison in listed]
    stage = trials["stage"].tolist()
    stages = {"", *(stage[pair.place] for pair in pairs)}
    preferred = _preferred(effects)
    for comparison in added:
        if comparison in listed or stage[places[comparison]] not in stages:
            continue
        pair, reason = _choose(places[comparison], preferred.get(comparison, {}), pairing, added_here=True)
        pairs += [pair] if pair is not None else []
        flow.append(FlowEntry(comparison, pair is not None, reason))
    paired = _effects(trials.assign(**patients), effects, set(added), pairing, pairs, name)
    if notes:
        words = f"patients as the source tabulated them: {'; '.join(notes)}"
        paired = replace(paired, caveats=(*paired.caveats, Caveat(CaveatCode.AS_TABULATED, words)))
    return _analysis_set(paired, pairing, name, flow)


def _preferred(effects: Sequence[ReportedEffect]) -> dict[str, dict[str, ReportedEffect]]:
    """Return the preferred hazard ratios by comparison and endpoint."""
    preferred: dict[str, dict[str, ReportedEffect]] = {}
    for effect in effects:
        if effect.preferred and not math.isnan(effect.hr):
            preferred.setdefault(effect.comparison, {})[effect.endpoint] = effect
    return preferred


def _choose(
    place: int, effects: Mapping[str, ReportedEffect], pairing: Pairing, *, added_here: bool
) -> tuple[_Pair | None, str]:
    """Return the pair of hazard ratios of a comparison, or the reason why there is none."""
    finals, surrogates = (
        [effects[name] for name in names if name in effects] for names in (pairing.final, pairing.surrogates)
    )
    if not finals:
        return None, f"no {' or '.join(map(endpoint_label, pairing.final))} hazard ratio"
    if not surrogates:
        return None, f"no hazard ratio of {', '.join(map(endpoint_label, pairing.surrogates))}"
    chosen = []
    for candidates in (finals, surrogates):
        reasons = [_refusal(effect, pairing.min_evidence, added_here=added_here) for effect in candidates]
        kept = [effect for effect, reason in zip(candidates, reasons, strict=True) if not reason]
        if not kept:
            return None, "; ".join(reasons)
        with_error = (effect for effect in kept if standard_error(effect) is not None)
        chosen.append(kept[0] if len(kept) == 1 else next(with_error, kept[0]))
    final, surrogate = chosen
    return _Pair(place, surrogate, final), ""


def _refusal(effect: ReportedEffect, min_evidence: str, *, added_here: bool) -> str:
    """Return the reason why a hazard ratio cannot be used; empty if it can."""
    if effect.evidence and EVIDENCE.index(effect.evidence) > EVIDENCE.index(min_evidence):
        if added_here and effect.file and effect.analysis == "added":
            rule = f"the evidence is {effect.evidence}, but at least {min_evidence} is required"
            fix = f"verify the number, or pass --min-evidence {effect.evidence}"
            row = replace(_place(effect), cells={"comparison": effect.comparison, "evidence": effect.evidence})
            raise DataError([fault("W113", row, "evidence", rule, fix, severity="error")])
        return f"{effect.endpoint} hazard ratio is {effect.evidence}"
    # models that need no standard error can use a user's row without one; the shipped sets never include such rows
    if not added_here and standard_error(effect) is None:
        return f"{effect.endpoint} hazard ratio without limits, exact p or events"
    return ""


def _effects(
    trials: pd.DataFrame,
    effects: Sequence[ReportedEffect],
    added: Collection[str],
    pairing: Pairing,
    pairs: Sequence[_Pair],
    name: str,
) -> Effects:
    """Build the effects of the chosen pairs, with their caveats."""
    if not pairs:
        available = ", ".join(map(endpoint_label, dict.fromkeys(effect.endpoint for effect in effects)))
        raise UsageError(
            f"{name or 'the selection'}: no comparison has both effects at evidence {pairing.min_evidence} or better; "
            f"endpoints of the tables: {available}"
        )
    about = trials.iloc[[pair.place for pair in pairs]]
    sides = {"surrogate": [pair.surrogate for pair in pairs], "final": [pair.final for pair in pairs]}
    errors = {side: [standard_error(effect) for effect in chosen] for side, chosen in sides.items()}
    se = np.array([[np.nan if error is None else error.value for error in column] for column in errors.values()]).T
    known_rho = np.array([_first_number(pair.surrogate.rho_within, pair.final.rho_within) for pair in pairs])
    n_exp, n_ctl = (_patients(about[column].to_numpy(dtype=float), column, sides) for column in ("n_exp", "n_ctl"))
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
        refuse_impossible_covariance(paired, [_place(pair.final) for pair in pairs])
    from_user = about["label"][about["comparison"].isin(added)].tolist()
    partly = from_user and len(from_user) < len(pairs)
    text = f"added for this run, not in the curated table: {', '.join(from_user)}"
    of_added = (Caveat(CaveatCode.ADDED, text),) if partly else ()
    return replace(paired, caveats=caveats_of(paired) + of_added)


def _patients(
    of_comparisons: FloatArray, column: Literal["n_exp", "n_ctl"], sides: Mapping[str, Sequence[ReportedEffect]]
) -> FloatArray:
    """(k,) patients of an arm who were analysed for both endpoints: the smaller of the two numbers.

    A hazard ratio without a number of its own has that of the comparison.
    """
    stated = [[getattr(effect, column) for effect in chosen] for chosen in sides.values()]
    analysed = np.where(np.isnan(stated), of_comparisons, stated)
    return np.asarray(analysed.min(axis=0), dtype=np.float64)


def _place(effect: ReportedEffect) -> Row:
    """Return where a hazard ratio stands, for faults."""
    return Row(effect.file, effect.file_line, {"comparison": effect.comparison, "endpoint": effect.endpoint})


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
