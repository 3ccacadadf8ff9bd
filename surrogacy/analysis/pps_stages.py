"""Stages of a run on post-progression survival, from the tables to the moderated line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from surrogacy.analysis.pps_run import Moderated, PpsRun
from surrogacy.analysis.settings import PpsSettings
from surrogacy.analysis.stages import Stage, Task, read_tables, with_tables
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.models.moderation import Moderation
from surrogacy.models.moderator import Moderator, factor_moderator
from surrogacy.pps.arms import ArmPps, arm_pps
from surrogacy.pps.at_risk import AtRiskComparison, compare_at_risk
from surrogacy.pps.coupling import CouplingAudit, coupling_audit
from surrogacy.pps.decomposition import Decomposition, decompose, decompose_all, main_decomposition
from surrogacy.pps.dilution_map import DilutionMap, DilutionPoint, dilution_map, dilution_points
from surrogacy.pps.dilution_regression import Offset, OffsetModel
from surrogacy.pps.expected_effects import expected_coefficients, expected_effects
from surrogacy.pps.gap_scenarios import DirectDeathScenario, StructureScenario, by_direct_death, by_structure
from surrogacy.pps.moderation_evidence import (
    TrialsNeeded,
    influential_trials,
    leave_one_out,
    permutation_test,
    trials_needed,
)
from surrogacy.pps.moderators import later_therapy, pps_ratio
from surrogacy.pps.offset_sensitivity import offset_sensitivity
from surrogacy.pps.read_summaries import read_all_inputs, read_inputs
from surrogacy.pps.shape_evidence import ShapeEvidence, median_ratios, shape_evidence
from surrogacy.pps.structure import TransitionStructure
from surrogacy.pps.trial_summary import PpsDefinition, TrialSummary
from surrogacy.trials import TrialSet
from surrogacy.trials.paired_effects import part_of

DEFINITIONS: tuple[PpsDefinition, ...] = ("median-difference", "model")
RESAMPLES_PER_TRIAL = 300  # for every trial but the trial in focus, which takes `PpsSettings.resamples`
RATIO = "PPS / PFS of the control arm"
MODERATORS: dict[str, Callable[[TrialSet, Effects], Moderator]] = {
    RATIO: pps_ratio,
    "later therapy": later_therapy,
    "stage": lambda _, effects: factor_moderator(effects, "stage"),
    "line": lambda _, effects: factor_moderator(effects, "line"),
}


class NotPossible(NamedTuple):
    """Analysis that the trials do not allow, and the reason."""

    reason: str


# ---- reports of the trials


def _summarise(run: PpsRun) -> list[list[Task]]:
    return [
        [
            Task("summaries", summarise, (run.settings, run.trials)),
            Task("dilution map", chart_dilution, (run.trials, run.settings.structure)),
        ]
    ]


class Summaries(NamedTuple):
    """Effects of the analysis set, summaries of the trial in focus and of every trial, and reasons for missing ones."""

    effects: Effects
    focus: TrialSummary | None
    every_trial: Sequence[TrialSummary]
    not_possible: Mapping[str, str]


def summarise(settings: PpsSettings, trials: TrialSet) -> Summaries:
    """Read the effects of the analysis set and the arm-level summaries of the trials.

    Raises
    ------
    UsageError
        If the set, or the trial in focus, is not in the tables.
    """
    effects = trials.analysis_set(settings.set_name)
    focus = None if settings.focus is None else read_inputs(trials, settings.focus)
    if focus is not None and settings.direct_death is not None:
        focus = focus.with_direct_death(settings.direct_death)
    return Summaries(effects, focus, *read_all_inputs(trials))


def chart_dilution(trials: TrialSet, structure: TransitionStructure) -> tuple[DilutionMap, tuple[DilutionPoint, ...]]:
    """Compute the dilution map and the positions of the trials on it."""
    return dilution_map(structure=structure), dilution_points(trials, structure)


def _with_summaries(run: PpsRun, values: Sequence[Any]) -> PpsRun:
    (effects, focus, summaries, reasons), (chart, points) = values
    run = replace(run, effects=effects, focus=focus, summaries=tuple(summaries), not_decomposed=reasons)
    return replace(run, map=chart, points=points)


# ---- one trial at a time


def _decompose(run: PpsRun) -> list[list[Task]]:
    settings, tasks = run.settings, []
    if run.focus is not None:
        tasks.append(Task(f"{run.focus.label}: decomposition", decompose_focus, (run.focus, settings)))
    for summary in run.summaries:
        arguments = summary, settings.structure, RESAMPLES_PER_TRIAL, settings.seed
        tasks.append(Task(f"{summary.label}: decomposition", decompose_summary, arguments))
    return [tasks]


class FocusDecomposition(NamedTuple):
    """Decompositions of the trial in focus; sensitivity to the share of direct deaths and to the structure."""

    decompositions: tuple[Decomposition, ...]
    by_direct_death: tuple[DirectDeathScenario, ...]
    by_structure: tuple[StructureScenario, ...]


def decompose_focus(summary: TrialSummary, settings: PpsSettings) -> FocusDecomposition:
    """Decompose a trial by every data cut and calibration that its numbers allow."""
    structure = settings.structure
    decompositions = decompose_all(summary, structure=structure, resamples=settings.resamples, seed=settings.seed)
    shares = by_direct_death(summary, structure=structure)
    return FocusDecomposition(decompositions, tuple(shares), by_structure(summary, structure))


def decompose_summary(
    summary: TrialSummary, structure: TransitionStructure, resamples: int, seed: int
) -> Decomposition | NotPossible:
    """Decompose a trial with calibration M and the PFS hazard ratio of the data cut of the final OS analysis."""
    try:
        return decompose(summary, structure=structure, resamples=resamples, seed=seed)
    except UsageError as error:
        return NotPossible(str(error))


NO_PIECEWISE_FIT = (
    "numbers at risk: piecewise hazards after progression need constant hazards before it; leave out --shape"
)


def _with_decompositions(run: PpsRun, values: Sequence[Any]) -> PpsRun:
    decompositions: tuple[Decomposition, ...] = ()
    if run.focus is not None:
        (decompositions, shares, structures), *values = values
        run = replace(run, decompositions=decompositions, by_direct_death=tuple(shares), by_structure=structures)
    main = main_decomposition(decompositions)
    every_trial, not_decomposed = [], dict(run.not_decomposed)
    for summary, value in zip(run.summaries, values, strict=True):
        if isinstance(value, NotPossible):
            not_decomposed[summary.comparison] = value.reason
        else:  # the trial in focus has the same numbers everywhere
            every_trial.append(main if main and summary.comparison == main.inputs.comparison else value)
    run = replace(run, every_trial=tuple(every_trial), not_decomposed=not_decomposed)
    if run.settings.structure.shape != 1.0 and main is not None and main.inputs.at_risk is not None:
        return replace(run, not_possible=(*run.not_possible, NO_PIECEWISE_FIT))
    return run


def _at_risk(run: PpsRun) -> list[list[Task]]:
    if run.main is None or not run.awaits_at_risk:
        return []
    return [[Task("numbers at risk", compare_at_risk, (run.focus, run.main.calibration))]]


def _with_at_risk(run: PpsRun, values: Sequence[AtRiskComparison]) -> PpsRun:
    return replace(run, at_risk=values[0])


# ---- all arms


def _audit(run: PpsRun) -> list[list[Task]]:
    arms = arm_pps(run.trials)
    return [[Task(f"arms: {name}", audit_arms, (arms, name, run.settings.seed)) for name in DEFINITIONS]]


def audit_arms(arms: Sequence[ArmPps], definition: PpsDefinition, seed: int) -> CouplingAudit | NotPossible:
    """Correlate median OS with median PPS over arms, and compare with the correlation that OS = PFS + PPS forces."""
    try:
        return coupling_audit(arms, definition=definition, seed=seed)
    except (FitError, UsageError) as error:
        return NotPossible(f"arm-level correlations with PPS as {definition}: {error}")


def _with_arms(run: PpsRun, values: Sequence[CouplingAudit | NotPossible]) -> PpsRun:
    audits = tuple(value for value in values if isinstance(value, CouplingAudit))
    return replace(run, arms=audits, not_possible=_with_reasons(run, values))


def _with_reasons(run: PpsRun, values: Sequence[object]) -> tuple[str, ...]:
    return (*run.not_possible, *(value.reason for value in values if isinstance(value, NotPossible)))


# ---- all comparisons


def _moderate(run: PpsRun) -> list[list[Task]]:
    structure, seed = run.settings.structure, run.settings.seed
    tables = run.trials, run.effects
    lines = [Task(f"line moderated by {name}", moderate, (*tables, name, structure, seed)) for name in MODERATORS]
    dilution = [
        Task("regression on dilution", regress_on_dilution, (*tables, structure)),
        Task("other assumptions on dilution", offset_sensitivity, (*tables, structure)),
        Task("shape of the hazards", regress_median_ratios, (run.trials, seed)),
    ]
    return [[*lines, *dilution]]


def moderate(
    trials: TrialSet, effects: Effects, name: str, structure: TransitionStructure, seed: int
) -> Moderated | NotPossible:
    """Fit the surrogacy line moderated by a covariate, with the evidence for the moderation."""
    try:
        line = ModeratedLine().fit(effects, MODERATORS[name](trials, effects))
    except (FitError, UsageError) as error:
        return NotPossible(f"line moderated by {name}: {error}")
    left_out, score = leave_one_out(line)
    permutation = permutation_test(line, seed=seed)
    labels = dict(zip(effects.trial, effects.labels, strict=True))
    influential = tuple(labels[trial] for trial in influential_trials(left_out, line))
    dilution = _needed_for_dilution(trials, line, structure) if name == RATIO else None
    return Moderated(line, permutation, tuple(left_out), score, influential, trials_needed(line), dilution)


def _needed_for_dilution(trials: TrialSet, line: Moderation, structure: TransitionStructure) -> TrialsNeeded:
    """Number of comparisons needed to show the moderation that dilution alone causes."""
    expected, _ = expected_effects(trials, line.posterior.effects, structure=structure)
    return trials_needed(line, expected_coefficients(line, expected)["slope_difference"])


def regress_on_dilution(trials: TrialSet, effects: Effects, structure: TransitionStructure) -> Offset | NotPossible:
    """Regress the OS effects of a set on those expected from the PFS effects under dilution alone."""
    try:
        expected, known = expected_effects(trials, effects, structure=structure)
        return OffsetModel().fit(part_of(effects, known), expected, expected.assumed)
    except (FitError, UsageError) as error:
        return NotPossible(f"regression of the OS effects on those expected under dilution: {error}")


def regress_median_ratios(trials: TrialSet, seed: int) -> ShapeEvidence | NotPossible:
    """Regress the ratios of median PFS on the PFS hazard ratios, as evidence on the shape of the hazards."""
    try:
        return shape_evidence(median_ratios(trials), seed=seed)
    except FitError as error:
        return NotPossible(f"shape of the hazards before progression: {error}")


def _with_moderation(run: PpsRun, values: Sequence[Any]) -> PpsRun:
    *lines, regression, sensitivity, shape = values
    return replace(
        run,
        moderated=tuple(line for line in lines if isinstance(line, Moderated)),
        dilution_regression=regression if isinstance(regression, Offset) else None,
        dilution_sensitivity=sensitivity,
        shape_evidence=shape if isinstance(shape, ShapeEvidence) else None,
        not_possible=_with_reasons(run, values),
    )


READ: Stage[PpsRun] = Stage("read", read_tables, with_tables)
SUMMARISE = Stage("summarise", _summarise, _with_summaries)
DECOMPOSE = Stage("decompose", _decompose, _with_decompositions)
AT_RISK = Stage("at risk", _at_risk, _with_at_risk)
ARMS = Stage("arms", _audit, _with_arms)
MODERATE = Stage("moderate", _moderate, _with_moderation)
PPS_STAGES = (READ, SUMMARISE, DECOMPOSE, AT_RISK, ARMS, MODERATE)
