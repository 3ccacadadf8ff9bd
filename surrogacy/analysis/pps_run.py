"""The value that a run on post-progression survival fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from surrogacy.analysis.settings import PpsSettings
from surrogacy.analysis.stages import StagedRun
from surrogacy.effects import Effects
from surrogacy.models.moderation import Moderation
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.decomposition import Decomposition, main_decomposition
from surrogacy.pps.dilution import DilutionMap, DilutionPoint
from surrogacy.pps.dilution_regression import Offset
from surrogacy.pps.gap_estimates import DirectDeathScenario
from surrogacy.pps.moderation_evidence import LineWithoutTrial, LogScore, Permutation, TrialsNeeded
from surrogacy.pps.offset_sensitivity import OffsetScenario
from surrogacy.pps.trial_summary import TrialSummary


@dataclass(frozen=True, eq=False)
class Moderated:
    """A moderated line, and how far it can be believed.

    Parameters
    ----------
    line : Moderation
    permutation : Permutation
    left_out : tuple of LineWithoutTrial
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
    left_out: tuple[LineWithoutTrial, ...]
    score: LogScore
    swayed: tuple[str, ...]
    needed: TrialsNeeded
    needed_for_dilution: TrialsNeeded | None = None


@dataclass(frozen=True, eq=False)
class PpsRun(StagedRun):
    """A run on post-progression survival.

    Parameters
    ----------
    settings : PpsSettings
    effects : Effects or None
        Of the trial level; None until the tables are read.
    focus : TrialSummary or None
    summaries : tuple of TrialSummary
        Of every trial whose medians allow a decomposition.
    decompositions : tuple of Decomposition
        Of the trial in focus: the updated data cut by its hazard ratio first, calibration L and M.
    by_direct_death : tuple of DirectDeathScenario
    at_risk : AtRiskComparison or None
        Constant against piecewise post-progression hazards, where numbers at risk of the trial in focus are known.
    every_trial : tuple of Decomposition
        Of every comparison whose medians allow one.
    not_decomposed : dict of comparison to reason
    arms : tuple of CouplingAudit
    moderated : tuple of Moderated
    dilution_regression : Offset or None
        OS effects regressed on what dilution alone leaves of the PFS effects.
    dilution_sensitivity : tuple of OffsetScenario
        The same under other assumptions where the tables hold no follow-up or no deaths without progression.
    map : DilutionMap or None
    points : tuple of DilutionPoint
    not_possible : tuple of str
        Analyses that these trials do not allow, and why.
    """

    settings: PpsSettings
    effects: Effects | None = None
    focus: TrialSummary | None = None
    summaries: tuple[TrialSummary, ...] = ()
    decompositions: tuple[Decomposition, ...] = ()
    by_direct_death: tuple[DirectDeathScenario, ...] = ()
    at_risk: AtRiskComparison | None = None
    every_trial: tuple[Decomposition, ...] = ()
    not_decomposed: Mapping[str, str] = field(default_factory=dict)
    arms: tuple[CouplingAudit, ...] = ()
    moderated: tuple[Moderated, ...] = ()
    dilution_regression: Offset | None = None
    dilution_sensitivity: tuple[OffsetScenario, ...] = ()
    map: DilutionMap | None = None
    points: tuple[DilutionPoint, ...] = ()
    not_possible: tuple[str, ...] = ()

    @property
    def main(self) -> Decomposition | None:
        """Decomposition of the trial in focus: PPS fitted to the OS medians, hazard ratio of the final cut."""
        return main_decomposition(self.decompositions)

    @property
    def awaits_at_risk(self) -> bool:
        """Return whether numbers at risk of the trial in focus are known that no hazards were fitted to yet."""
        return self.at_risk is None and self.main is not None and self.main.inputs.at_risk is not None
