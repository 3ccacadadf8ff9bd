"""From rows to paired effects: which hazard ratio stands for a comparison, and its standard error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from surrogacy.effects import SIDES, Effects, Provenance
from surrogacy.errors import Caveat, CaveatCode, DataError, UsageError
from surrogacy.results.endpoint_names import endpoint_label, endpoint_of
from surrogacy.trials.cells import Row, file_fault, number, squash
from surrogacy.trials.columns import ENDPOINTS, EVIDENCE
from surrogacy.trials.shared_control import SharedControl, resolve_shared_controls
from surrogacy.trials.standard_errors import StandardError, standard_error

if TYPE_CHECKING:
    import pandas as pd

    from surrogacy.trials.trial_set import TrialSet


@dataclass(frozen=True)
class Pairing:
    """What to pair: surrogates and final endpoints in order of preference, and how."""

    surrogates: tuple[str, ...]
    finals: tuple[str, ...]
    rho_within: float
    min_evidence: str
    shared_control: SharedControl

    def __post_init__(self) -> None:
        for endpoint in self.surrogates:
            if endpoint in self.finals:
                raise UsageError(f"{endpoint} is the final endpoint and cannot be its own surrogate")
        if self.min_evidence not in EVIDENCE:
            raise UsageError(f"unknown evidence {self.min_evidence!r}; choose from {', '.join(EVIDENCE)}")
        if not -1 <= self.rho_within <= 1:
            raise UsageError(f"rho_within must lie in [-1, 1]; got {self.rho_within:g}")


@dataclass(frozen=True, eq=False)
class AnalysisSet:
    """Effects with their flow.

    Parameters
    ----------
    effects : Effects
    flow : tuple of dict
        One entry a comparison considered: comparison, in_fit, why.
    """

    effects: Effects
    flow: tuple[dict[str, Any], ...]


def endpoint_spelling(names: Sequence[str], held: Sequence[str]) -> tuple[str, ...]:
    """Return endpoints as the tables spell them; capitals, hyphens and blanks do not matter.

    Parameters
    ----------
    names : sequence of str
    held : sequence of str
        Endpoints of the tables.

    Raises
    ------
    UsageError
        If neither the tables nor the vocabulary of the shipped tables hold an endpoint.
    """
    exact = {*ENDPOINTS, *held}
    similar = {squash(name) or name: name for name in (*ENDPOINTS, *held)}
    spelled = [name if name in exact else similar.get(squash(name) or name, "") for name in names]
    for name, spelling in zip(names, spelled, strict=True):
        if not spelling:
            raise UsageError(f"unknown endpoint {name!r}; choose from {', '.join(held)}")
    return tuple(spelled)


def known_endpoints(names: Sequence[str], held: Sequence[str]) -> tuple[str, ...]:
    """Return those of the names that the tables, or the vocabulary of the shipped tables, hold."""
    known = {squash(name) or name for name in (*ENDPOINTS, *held)}
    return tuple(name for name in names if (squash(name) or name) in known)


def request_for(
    trials: TrialSet,
    surrogate: str | Sequence[str],
    final: str | None,
    rho_within: float,
    min_evidence: str,
    shared_control: SharedControl,
) -> Pairing:
    """Return what to pair, endpoints as the tables spell them; without ``final`` their own final endpoints.

    Raises
    ------
    UsageError
        If an endpoint is not known, or is surrogate and final at once.
    """
    held = tuple(dict.fromkeys(trials.effects["endpoint"]))
    surrogates = endpoint_spelling((surrogate,) if isinstance(surrogate, str) else tuple(surrogate), held)
    finals = endpoint_spelling(trials.final_endpoints if final is None else (final,), held)
    return Pairing(surrogates, finals, rho_within, min_evidence, shared_control)


def pair_by_rule(trials: TrialSet, request: Pairing, rule: Mapping[str, Sequence[str]], name: str) -> AnalysisSet:
    """Pair every comparison that the rule selects and that has both effects at the evidence asked for."""
    for column in rule:
        if column not in trials.trials.columns or column.startswith("_"):
            raise UsageError(f"{name or 'selection'}: trials.csv has no column {column!r}")
    preferred = _preferred(trials)
    chosen, flow = [], []
    for trial in _records(trials.trials):
        comparison = trial["comparison"]
        added = comparison in trials.added
        # an added row that does not say, say, its stage joins every set
        if any(trial[column] not in values and not (added and trial[column] == "") for column, values in rule.items()):
            continue
        row, why = _choose(preferred.get(comparison, {}), request, added_here=added)
        if row is not None:
            chosen.append((trial, *row))
        flow.append({"comparison": comparison, "in_fit": row is not None, "why": why})
    effects = _effects(trials, request, chosen, name)
    return _resolved(effects, request, flow)


def _resolved(effects: Effects, request: Pairing, flow: list[dict[str, Any]]) -> AnalysisSet:
    """Resolve shared control arms, and say in the flow where a comparison went."""
    resolved = resolve_shared_controls(effects, request.shared_control)
    group = dict(zip(effects.comparison, effects.control_group, strict=True))
    with_errors = dict(zip(effects.comparison, effects.has_standard_errors, strict=True))
    for entry in flow:
        name = entry["comparison"]
        if entry["in_fit"] and name not in resolved.comparison:
            kept = next(other for other in resolved.comparison if group[other] == group[name])
            why = f"shares its control arm with {kept}, which stands for both"
            if request.shared_control == "combine":
                why = f"pooled with {kept}, which shares its control arm"
                if not (with_errors[name] and with_errors[kept]):
                    why = f"shares its control arm with {kept}, and cannot be pooled with it without standard errors"
            entry |= {"in_fit": False, "why": why}
    return AnalysisSet(resolved, tuple(flow))


def pair_by_list(trials: TrialSet, request: Pairing, rows: Sequence[Row], name: str) -> AnalysisSet:
    """Pair the hazard ratios that a set lists one by one."""
    by_id = {row["effect_id"]: row for row in _records(trials.effects)}
    about = {row["comparison"]: row for row in _records(trials.trials)}
    chosen, notes = [], []
    for row in rows:
        surrogate, final = by_id[row["surrogate_effect"]], by_id[row["final_effect"]]
        trial = dict(about[surrogate["comparison"]])
        for column in ("n_exp", "n_ctl"):
            stated = number(row, column)
            if stated is not None:
                if stated != trial[column] and trial[column] == trial[column]:
                    notes.append(f"{trial['label']} {column} {stated:.0f} (trial table {trial[column]:.0f})")
                trial[column] = stated
        chosen.append((trial, surrogate, final))
    listed = dict.fromkeys(trial["comparison"] for trial, _, _ in chosen)  # in order, for any hash seed
    flow = [{"comparison": comparison, "in_fit": True, "why": ""} for comparison in listed]
    stages = {trial["stage"] for trial, _, _ in chosen}
    preferred = _preferred(trials)
    for comparison in trials.added:
        if comparison in listed or about[comparison]["stage"] not in (*stages, ""):
            continue
        pair_row, why = _choose(preferred.get(comparison, {}), request, added_here=True)
        flow.append({"comparison": comparison, "in_fit": pair_row is not None, "why": why})
        if pair_row is not None:
            chosen.append((about[comparison], *pair_row))
    effects = _effects(trials, request, chosen, name)
    if notes:
        text = f"patients as the source tabulated them: {'; '.join(notes)}"
        effects = replace(effects, caveats=(*effects.caveats, Caveat(CaveatCode.AS_TABULATED, text)))
    return _resolved(effects, request, flow)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in record.items()} for record in frame.to_dict("records")]


def _preferred(trials: TrialSet) -> dict[str, dict[str, dict[str, Any]]]:
    """Preferred rows by comparison and endpoint."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    frame = trials.effects[trials.effects["preferred"] & trials.effects["hr"].notna()]
    for row in _records(frame):
        found.setdefault(row["comparison"], {})[row["endpoint"]] = row
    return found


def _choose(
    rows: Mapping[str, dict[str, Any]], request: Pairing, *, added_here: bool
) -> tuple[tuple[dict[str, Any], dict[str, Any]] | None, str]:
    """The pair of rows of a comparison, or why there is none."""
    worst = EVIDENCE.index(request.min_evidence)

    def usable(row: dict[str, Any]) -> str:
        if row["evidence"] and EVIDENCE.index(row["evidence"]) > worst:
            if added_here and row["_file"] and row["analysis"] == "added":
                rule = f"the row says {row['evidence']}, and {request.min_evidence} is asked for"
                fix = f"verify the number, or pass --min-evidence {row['evidence']}"
                place = {"trial": row["comparison"], "column": "evidence", "value": row["evidence"]}
                raise DataError([file_fault("W113", row["_file"], row["_line"], rule, fix, **place)])
            return f"{row['endpoint']} hazard ratio is {row['evidence']}"
        # a user's row without a standard error serves the models that need none; curated rows keep to the rule of the sets
        if not added_here and standard_error(row) is None:
            return f"{row['endpoint']} hazard ratio without limits, exact p or events"
        return ""

    finals, surrogates = (
        [rows[name] for name in names if name in rows] for names in (request.finals, request.surrogates)
    )
    if not finals:
        return None, f"no {' or '.join(map(endpoint_label, request.finals))} hazard ratio"
    if not surrogates:
        return None, f"no hazard ratio of {', '.join(map(endpoint_label, request.surrogates))}"
    chosen = []
    for candidates in (finals, surrogates):
        reasons = [usable(row) for row in candidates]
        kept = [row for row, reason in zip(candidates, reasons, strict=True) if not reason]
        if not kept:
            return None, "; ".join(reasons)
        chosen.append(next((row for row in kept if standard_error(row) is not None), kept[0]))
    return (chosen[1], chosen[0]), ""


def _effects(
    trials: TrialSet,
    request: Pairing,
    chosen: Sequence[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]],
    name: str,
) -> Effects:
    """Arrays from chosen rows, and the caveats that go with them."""
    if not chosen:
        held = ", ".join(map(endpoint_label, dict.fromkeys(trials.effects["endpoint"])))
        raise UsageError(
            f"{name or 'the selection'}: no comparison has both effects at evidence {request.min_evidence} or better; "
            f"endpoints of the tables: {held}"
        )
    errors = [[standard_error(row) for row in pair] for _, *pair in chosen]
    se = np.array([[np.nan if error is None else error.value for error in pair] for pair in errors])
    known_rho = np.array(
        [_first_number(surrogate["rho_within"], final["rho_within"]) for _, surrogate, final in chosen]
    )
    n_exp, n_ctl = (np.array([trial[column] for trial, _, _ in chosen], dtype=float) for column in ("n_exp", "n_ctl"))
    share = np.where(np.isnan(n_exp + n_ctl), 0.5, n_exp / (n_exp + n_ctl))
    # a control arm belongs to one trial: the same name in two trials is two arms
    groups = [f"{trial['trial']}/{trial['control_group']}" if trial["control_group"] else "" for trial, _, _ in chosen]
    trial_columns = ("stage", "line", "class", "masking", "region")

    def strings(values: Sequence[Any]) -> tuple[str, ...]:
        return tuple("" if value is None or value != value else str(value) for value in values)

    covariates = {column: strings([trial[column] for trial, _, _ in chosen]) for column in trial_columns}
    covariates["year"] = tuple(
        "" if trial["year"] != trial["year"] else f"{trial['year']:.0f}" for trial, _, _ in chosen
    )
    for position, side in ((1, "surrogate"), (2, "final")):
        covariates[side] = strings([row[position]["endpoint"] for row in chosen])
        covariates[f"{side}_effect"] = strings([row[position]["effect_id"] for row in chosen])
    provenance = np.array(
        [
            [_provenance(*cell) for cell in zip(rows, pair, strict=True)]
            for (_, *rows), pair in zip(chosen, errors, strict=True)
        ]
    )
    added = [trial["label"] for trial, _, _ in chosen if trial["comparison"] in trials.added]
    effects = replace(
        Effects.from_arrays(
            np.log([[surrogate["hr"], final["hr"]] for _, surrogate, final in chosen]),
            se,
            rho_within=np.where(np.isnan(known_rho), request.rho_within, known_rho),
            n=n_exp + n_ctl,
            trial=[trial["trial"] for trial, _, _ in chosen],
            comparison=[trial["comparison"] for trial, _, _ in chosen],
            control_group=[group if groups.count(group) > 1 else "" for group in groups],
            control_share=np.column_stack([share, share]),
            events=[final["events_exp"] + final["events_ctl"] for _, _, final in chosen],
            labels=[trial["label"] for trial, _, _ in chosen],
            name=name,
        ),
        rho_known=~np.isnan(known_rho),
        covariates=covariates,
        provenance=provenance,
    )
    partly = added and len(added) < len(chosen)
    text = f"added for this run, not in the curated table: {', '.join(added)}"
    of_added = (Caveat(CaveatCode.ADDED, text),) if partly else ()
    return replace(effects, caveats=caveats_of(effects) + of_added)


def _provenance(row: Mapping[str, Any], error: StandardError | None) -> Provenance:
    """Evidence of a row, and how its standard error was derived."""
    flags = Provenance[row["evidence"].upper()] if row["evidence"] else Provenance.AS_GIVEN
    if error is not None:
        flags |= Provenance[error.method.upper()] | (Provenance.IMPRECISE if error.imprecise else Provenance(0))
    return flags


def _first_number(*values: Any) -> float:
    return next((float(value) for value in values if value == value and value is not None), float("nan"))


def caveats_of(effects: Effects) -> tuple[Caveat, ...]:
    """What must be said of paired rows wherever they go: unverified ones, endpoints that are mixed, errors not from limits."""
    if not effects.provenance.any():
        return ()
    rows = [(i, column) for i in range(len(effects)) for column in range(2)]
    flags = {cell: Provenance(int(effects.provenance[cell])) for cell in rows}
    caveats = []
    names = {(i, column): f"{effects.labels[i]} {endpoint_of(effects, i, SIDES[column])}" for i, column in rows}
    unverified = [names[cell] for cell in rows if Provenance.UNVERIFIED in flags[cell]]
    if unverified:
        text = (
            f"unverified: {len(unverified)} of {len(rows)} hazard ratios (or their limits) were not read in any source "
            f"({', '.join(unverified)})"
        )
        caveats.append(Caveat(CaveatCode.UNVERIFIED, text))
    for side, words in (("surrogate", "the surrogate"), ("final", "the final endpoint")):
        endpoints = [endpoint_of(effects, i, side) for i in range(len(effects))]
        if len(set(endpoints)) > 1:
            counts = ", ".join(f"{endpoints.count(name)} {name}" for name in dict.fromkeys(endpoints))
            caveats.append(Caveat(CaveatCode.MIXED_ENDPOINTS, f"{words} is not one endpoint: {counts}"))
    approximate = [
        f"{names[cell]} from {flags[cell].se_method}" + (", roughly" if Provenance.IMPRECISE in flags[cell] else "")
        for cell in rows
        if flags[cell] & (Provenance.P | Provenance.EVENTS)
    ]
    if approximate:
        text = f"standard errors not from limits: {'; '.join(approximate)}"
        caveats.append(Caveat(CaveatCode.APPROXIMATE_ERRORS, text))
    return tuple(caveats)


def part_of(effects: Effects, chosen: npt.ArrayLike) -> Effects:
    """Some of the comparisons, with what must be said of these and no longer of the others."""
    part, made = effects.take(chosen), caveats_of(effects)
    return replace(part, caveats=(*caveats_of(part), *(caveat for caveat in effects.caveats if caveat not in made)))
