"""A run of ``python -m surrogacy.pps``: one trial decomposed in every way, every trial in one, the arms audited, the line moderated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.models.moderation import Moderation
from surrogacy.models.moderator import Moderator, factor_moderator
from surrogacy.pps.arms import arm_pps
from surrogacy.pps.at_risk import AtRiskComparison, compare_at_risk
from surrogacy.pps.coupling import CouplingAudit, coupling_audit
from surrogacy.pps.decomposition import (
    Decomposition,
    by_direct_death,
    decompose_all,
    decompose_trials,
    main_decomposition,
)
from surrogacy.pps.dilution import DilutionMap, DilutionPoint, dilution_map, dilution_points
from surrogacy.pps.dilution_regression import Offset, OffsetModel, offset_sensitivity
from surrogacy.pps.expected_effects import expected_effects
from surrogacy.pps.moderation_evidence import (
    LogScore,
    Permutation,
    TrialsNeeded,
    expected_coefficients,
    influential_trials,
    leave_one_out,
    permutation_test,
    trials_needed,
)
from surrogacy.pps.moderators import later_therapy, pps_ratio
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.pps.trial_summary import PpsDefinition, TrialSummary
from surrogacy.trials import TrialSet
from surrogacy.trials.pairing import part_of

DEFINITIONS: tuple[PpsDefinition, ...] = ("median-difference", "model")
FACTORS = ("stage", "line")
PARTS = 4  # of a run, for a progress bar
EVERY = 300  # resamples of each trial of the table; the trial in focus takes as many as are asked for


@dataclass(frozen=True, eq=False)
class Moderated:
    """A moderated line, and how far it can be believed.

    Parameters
    ----------
    line : Moderation
    permutation : Permutation
    left_out : tuple of dict
        Slope and its difference without each trial.
    score : LogScore
        Of the trials left out, with the moderator and without.
    swayed : tuple of str
        Labels of the trials without which the difference of slopes would be told otherwise.
    needed : TrialsNeeded
        For the difference of slopes that was found; its ``power``, a function of the p-value alone, is not reported.
    needed_for_dilution : TrialsNeeded or None
        For the one that dilution alone would give, where the moderator is PPS.
    """

    line: Moderation
    permutation: Permutation
    left_out: tuple[dict[str, Any], ...]
    score: LogScore
    swayed: tuple[str, ...]
    needed: TrialsNeeded
    needed_for_dilution: TrialsNeeded | None = None


@dataclass(frozen=True, eq=False)
class PpsRun:
    """What was found of post-progression survival.

    Parameters
    ----------
    trials : TrialSet
    set_name : str
        Analysis set of the trial level.
    focus : TrialSummary or None
    decompositions : tuple of Decomposition
        Of the trial in focus: the updated data cut by its hazard ratio first, calibration L and M.
    by_direct_death : tuple of dict
    at_risk : AtRiskComparison or None
        Constant against piecewise post-progression hazards, where the tables hold the numbers at risk of the trial in focus.
    every : tuple of Decomposition
        Of every comparison whose medians allow one.
    refused : dict of comparison to reason
    audits : tuple of CouplingAudit
    moderations : tuple of Moderated
    offset : Offset or None
        OS effects regressed on what dilution alone leaves of the PFS effects.
    offset_sensitivity : tuple of dict
        The same under other assumptions where the tables hold no follow-up or no deaths without progression.
    failures : tuple of str
        What could not be asked of these trials, and why.
    map : DilutionMap
    points : tuple of DilutionPoint
    """

    trials: TrialSet
    set_name: str
    focus: TrialSummary | None
    decompositions: tuple[Decomposition, ...]
    by_direct_death: tuple[dict[str, Any], ...]
    at_risk: AtRiskComparison | None
    every: tuple[Decomposition, ...]
    refused: Mapping[str, str]
    audits: tuple[CouplingAudit, ...]
    moderations: tuple[Moderated, ...]
    offset: Offset | None
    offset_sensitivity: tuple[dict[str, Any], ...]
    failures: tuple[str, ...]
    map: DilutionMap
    points: tuple[DilutionPoint, ...]

    @property
    def main(self) -> Decomposition | None:
        """Of the trial in focus: PPS fitted to the OS medians, by the hazard ratio that belongs with the final OS."""
        return main_decomposition(self.decompositions)


def analyse(
    trials: TrialSet,
    *,
    set_name: str = "all",
    focus: str | None = "tactics",
    direct_death: float | None = None,
    resamples: int = 2000,
    seed: int = 0,
    step: Callable[[], None] = lambda: None,
    pool: Executor | None = None,
) -> PpsRun:
    """Ask everything of the tables that they can tell of post-progression survival.

    Parameters
    ----------
    trials : TrialSet
    set_name : str
        Analysis set of the trial level.
    focus : str or None
        Comparison to be decomposed in every way its numbers allow.
    direct_death : float, optional
        Share of its PFS events that are deaths; default: as the tables count them, else an assumption that is named.
    resamples : int
        Simulated trials for the intervals of the trial in focus.
    seed : int
    step : callable
        Called after each of four parts.
    pool : Executor, optional
        Other processes, to share the work with; the result is the same.

    Raises
    ------
    UsageError
        If the trial in focus, or the set, is not in the tables, or what the trial printed is impossible.
    """
    effects = trials.analysis_set(set_name)
    inputs = None if focus is None else read_inputs(trials, focus)
    if inputs is not None and direct_death is not None:
        inputs = inputs.with_direct_death(direct_death)
    elsewhere = None if pool is None else pool.submit(decompose_trials, trials, resamples=EVERY, seed=seed)
    varied = None if pool is None else pool.submit(offset_sensitivity, trials, effects)
    found: tuple[Decomposition, ...] = ()
    shares: list[dict[str, Any]] = []
    main, at_risk = None, None
    if inputs is not None:
        found = decompose_all(inputs, resamples=resamples, seed=seed)
        shares = by_direct_death(inputs)
        main = main_decomposition(found)
        at_risk = compare_at_risk(inputs, main.calibration) if main is not None and inputs.at_risk is not None else None
    step()
    failures: list[str] = []
    arms = arm_pps(trials)
    audits = []
    for definition in DEFINITIONS:
        try:
            audits.append(coupling_audit(arms, definition=definition, seed=seed))
        except (FitError, UsageError) as error:
            failures.append(f"arms, PPS by definition {definition}: {error}")
    step()
    moderations, said = moderate(trials, effects, seed)
    offset, unsaid = regress_on_dilution(trials, effects)
    step()
    every, refused = decompose_trials(trials, resamples=EVERY, seed=seed) if elsewhere is None else elsewhere.result()
    if main is not None:  # one trial, one set of numbers
        every = tuple(main if one.inputs.comparison == main.inputs.comparison else one for one in every)
    step()
    return PpsRun(
        trials=trials,
        set_name=set_name,
        focus=inputs,
        decompositions=found,
        by_direct_death=tuple(shares),
        at_risk=at_risk,
        every=every,
        refused=refused,
        audits=tuple(audits),
        moderations=tuple(moderations),
        offset=offset,
        offset_sensitivity=offset_sensitivity(trials, effects) if varied is None else varied.result(),
        failures=(*failures, *said, *unsaid),
        map=dilution_map(),
        points=dilution_points(trials),
    )


def moderate(trials: TrialSet, effects: Effects, seed: int = 0) -> tuple[list[Moderated], list[str]]:
    """The line of a set moderated by control-arm PPS over PFS, by later therapy, by stage and by line; and what could not be fitted."""
    makers: dict[str, Callable[[], Moderator]] = {
        "PPS / PFS of the control arm": lambda: pps_ratio(trials, effects),
        "later therapy": lambda: later_therapy(trials, effects),
    } | {factor: partial(factor_moderator, effects, factor) for factor in FACTORS}
    found, failures = [], []
    for name, make in makers.items():
        try:
            line = ModeratedLine().fit(effects, make())
        except (FitError, UsageError) as error:
            failures.append(f"line moderated by {name}: {error}")
            continue
        left_out, score = leave_one_out(line)
        permutation = permutation_test(line, seed=seed)
        labels = dict(zip(effects.trial, effects.labels, strict=True))
        swayed = tuple(labels[trial] for trial in influential_trials(left_out, line))
        dilution = _needed_for_dilution(trials, line) if line.moderator.name == "pps-ratio" else None
        found.append(Moderated(line, permutation, tuple(left_out), score, swayed, trials_needed(line), dilution))
    return found, failures


def _needed_for_dilution(trials: TrialSet, line: Moderation) -> TrialsNeeded:
    """Comparisons that would show the moderation which dilution alone gives."""
    expected, _ = expected_effects(trials, line.posterior.effects)
    return trials_needed(line, expected_coefficients(line, expected)["slope_difference"])


def regress_on_dilution(trials: TrialSet, effects: Effects) -> tuple[Offset | None, list[str]]:
    """The OS effects of a set on those that dilution alone would leave; or why not."""
    try:
        expected, known = expected_effects(trials, effects)
        return OffsetModel().fit(part_of(effects, known), expected, expected.assumed), []
    except (FitError, UsageError) as error:
        return None, [f"OS effects on what dilution leaves: {error}"]
