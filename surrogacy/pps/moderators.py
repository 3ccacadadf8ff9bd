"""Moderators of a surrogacy line from the arm table: post-progression survival and later therapy of the control arm.

The PPS moderator is the log of the control arm's PPS over its median PFS, with the definition of PPS. A PPS that is
derived from the medians of a control arm shares its sampling error with the effects: by chance, an arm with better
outcomes has both a longer median and a lower hazard. To first order

    Cov(z, log HR) = (dz / dlog median) Var(log control hazard)
    dz / dlog OS   = OS / (OS - PFS)                                for a difference of medians

The moderator holds the derivatives by both medians.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import Caveat, CaveatCode, UsageError
from surrogacy.models.moderator import Moderator
from surrogacy.pps.arms import ArmPps, arm_pps
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.table_rows import TypedTables, typed_tables
from surrogacy.pps.trial_summary import PpsDefinition
from surrogacy.results.labels import PPS_DEFINITIONS
from surrogacy.trials import TrialSet

TherapyColumn = Literal["post_therapy_pct", "post_systemic_pct"]
THERAPY = {"post_therapy_pct": "any later therapy", "post_systemic_pct": "later systemic therapy"}
DERIVATIVE_STEP = 1e-4  # of a log median, for numerical derivatives


def pps_ratio(
    trials: TrialSet, effects: Effects, definition: PpsDefinition = "model", min_evidence: str = "secondary"
) -> Moderator:
    """Log of control-arm PPS over control-arm median PFS; TTP, which censors deaths, is scaled to PFS by (1 - q).

    Parameters
    ----------
    trials : TrialSet
        Tables with the medians of the arms.
    effects : Effects
    definition : {"model", "median-difference", "reported", "area"}
        Definition of the PPS; an arm without a PPS by that definition has no value.
    min_evidence : {"primary", "secondary", "unverified"}
        Lowest accepted level of evidence of the row of the arm.

    Raises
    ------
    UsageError
        If the definition or the level of evidence is unknown.

    Examples
    --------
    >>> import surrogacy
    >>> trials = surrogacy.read_trials()
    >>> effects = trials.analysis_set("all")
    >>> len(pps_ratio(trials, effects).values) == len(effects)
    True
    """
    arms = control_arms(trials, effects, min_evidence)
    values, sensitivity = np.full(len(effects), np.nan), np.zeros((len(effects), 2))
    used = [arm for arm in arms if arm is not None and arm.has(definition)]
    known = [arm is not None and arm.has(definition) for arm in arms]
    values[known] = [np.log(arm.pps(definition).months / pfs_of(arm)) for arm in used]
    sensitivity[known] = pps_sensitivity(used, definition) - np.array([1.0, 0.0])  # of log(PPS / PFS)
    shares = {
        arm.direct_death.value
        for arm in used
        if arm.direct_death.assumed and (definition == "model" or arm.pfs_endpoint == "TTP")
    }
    remarks: list[tuple[CaveatCode, str]] = []
    if definition == "reported":
        remarks += [
            (CaveatCode.AS_TABULATED, text) for text in dict.fromkeys(text for arm in used for text in arm.problems)
        ]
    endpoints = Counter(arm.pfs_endpoint for arm in used)
    if len(endpoints) > 1:
        listed = ", ".join(f"{count} {name}" for name, count in sorted(endpoints.items()))
        text = f"the control-arm medians of progression are of different endpoints: {listed}"
        remarks.append((CaveatCode.MIXED_ENDPOINTS, text))
    unverified = [arm.trial_label for arm in used if arm.evidence == "unverified"]
    if unverified:
        remarks.append((CaveatCode.UNVERIFIED, f"unverified control-arm medians: {', '.join(unverified)}"))
    if shares:
        text = (
            "model PPS, and TTP scaled to PFS, assume in trials without counts that "
            f"{min(shares):.0%} of PFS events are deaths"
        )
        remarks.append((CaveatCode.ASSUMPTION, text))
    pps_in_words = f"PPS {PPS_DEFINITIONS[definition]}"
    words = f"log of median PPS over median PFS of the control arm, {pps_in_words}"
    caveats = tuple(Caveat(code, text) for code, text in remarks)
    return Moderator("pps-ratio", words, values, (), True, sensitivity, caveats, pps_in_words)


def pfs_of(arm: ArmPps, structure: TransitionStructure = DEFAULT_STRUCTURE) -> float:
    """Median PFS of an arm, months; a median TTP, which censors deaths, is converted."""
    if arm.pfs_endpoint != "TTP":
        return arm.median_pfs.value
    return float(structure.pfs_of_ttp(arm.median_pfs.value, arm.direct_death.value))


def pps_sensitivity(
    arms: Sequence[ArmPps], definition: PpsDefinition, structure: TransitionStructure = DEFAULT_STRUCTURE
) -> FloatArray:
    """(k, 2) derivatives of log PPS by log median PFS and log median OS; 0 if the PPS does not depend on them."""
    if definition == "median-difference":
        medians = np.array([(-arm.median_pfs.value, arm.median_os.value) for arm in arms]).reshape(-1, 2)
        return np.asarray(medians / medians.sum(axis=1, keepdims=True))
    if definition != "model":
        return np.zeros((len(arms), 2))
    pfs, os, q = control_medians(arms, structure)
    steps = DERIVATIVE_STEP * np.array([[1, -1, 0, 0], [0, 0, 1, -1]])[:, :, None]
    hazards = structure.post_progression_hazard(pfs * np.exp(steps[0]), os * np.exp(steps[1]), q)
    # log PPS = log(ln 2 / h12)
    return np.asarray(np.log(hazards[[1, 3]] / hazards[[0, 2]]).T / (2 * DERIVATIVE_STEP))


def control_medians(arms: Sequence[ArmPps], structure: TransitionStructure) -> FloatArray:
    """(3, k) median PFS and median OS, months, and share of PFS events that are deaths."""
    return np.array([(pfs_of(arm, structure), arm.median_os.value, arm.direct_death.value) for arm in arms]).T


def later_therapy(trials: TrialSet, effects: Effects, column: TherapyColumn = "post_therapy_pct") -> Moderator:
    """Share of the control arm with later therapy, in units of 10 percentage points.

    Comparisons that share a control arm share its value.

    Parameters
    ----------
    trials : TrialSet
    effects : Effects
    column : {"post_therapy_pct", "post_systemic_pct"}
        The two columns count different therapies and are never mixed.

    Examples
    --------
    >>> import surrogacy
    >>> trials = surrogacy.read_trials()
    >>> effects = trials.analysis_set("all")
    >>> later_therapy(trials, effects).name
    'post_therapy_pct'
    """
    if column not in THERAPY:
        raise UsageError(f"column must be one of {', '.join(THERAPY)}; got {column!r}")
    tables = typed_tables(trials)
    controls = [row for row in tables.arms if row.arm == "ctl" and row.evidence != "unverified"]
    shares = {row.comparison: float(getattr(row, column)) for row in controls}
    groups = _control_groups(tables)
    by_group = {groups[name]: share for name, share in shares.items() if name in groups and not np.isnan(share)}
    values = np.array(
        [
            shares.get(name, np.nan) if name not in groups else by_group.get(groups[name], np.nan)
            for name in effects.comparison
        ]
    )
    return Moderator(
        column,
        f"control-arm patients with {THERAPY[column]}, per 10 percentage points",
        values / 10,
        (),
        False,
        np.zeros((len(values), 2)),
    )


def control_arms(
    trials: TrialSet, effects: Effects, min_evidence: str = "secondary", direct_death: float = ASSUMED_DIRECT_DEATH
) -> list[ArmPps | None]:
    """Control arm of every comparison, a shared one for each of its comparisons; None without medians."""
    arms = _controls(trials, min_evidence, direct_death)
    by_comparison = {arm.comparison: arm for arm in arms}
    groups = _control_groups(typed_tables(trials))
    by_group = {groups[arm.comparison]: arm for arm in arms if arm.comparison in groups}
    return [by_comparison.get(name) or by_group.get(groups.get(name, ("", ""))) for name in effects.comparison]


def _control_groups(tables: TypedTables) -> dict[str, tuple[str, str]]:
    """Trial and name of the control arm of the comparisons that share one."""
    return {row.comparison: (row.trial, row.control_group) for row in tables.trials.values() if row.control_group}


@lru_cache(maxsize=4)  # the tables of a run do not change
def _controls(trials: TrialSet, min_evidence: str, direct_death: float) -> tuple[ArmPps, ...]:
    arms = arm_pps(trials, direct_death=direct_death, min_evidence=min_evidence, draws=2)
    return tuple(arm for arm in arms if arm.arm == "ctl")
