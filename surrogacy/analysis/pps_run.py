"""Results of a run on post-progression survival."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp

from surrogacy.analysis.settings import PpsSettings
from surrogacy.analysis.stages import StagedRun
from surrogacy.effects import Effects
from surrogacy.models.moderation import LineAtValue, Moderation
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.decomposition import Decomposition, main_decomposition
from surrogacy.pps.dilution_map import DilutionMap, DilutionPoint
from surrogacy.pps.dilution_regression import Offset
from surrogacy.pps.gap_scenarios import DilutionRange, DirectDeathScenario, StructureScenario, dilution_range
from surrogacy.pps.moderation_evidence import LineWithoutTrial, LogScore, Permutation, TrialsNeeded
from surrogacy.pps.offset_sensitivity import OffsetScenario
from surrogacy.pps.records import Record, with_limits
from surrogacy.pps.shape_evidence import ShapeEvidence
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.stats.thresholds import threshold_caveats

POWER_NOTE = "not given: the power at the estimated difference is a function of the p-value alone; see detectable"


@dataclass(frozen=True, eq=False)
class Moderated:
    """Moderated surrogacy line, and the evidence for the moderation.

    Parameters
    ----------
    line : Moderation
    permutation : Permutation
    left_out : tuple of LineWithoutTrial
        Slopes and their difference without each trial.
    score : LogScore
        Leave-one-out log score with and without the moderator.
    swayed : tuple of str
        Labels of the trials whose removal changes the conclusion on the difference of slopes.
    needed : TrialsNeeded
        For the estimated difference of slopes; its ``power`` is not reported (`POWER_NOTE`).
    needed_for_dilution : TrialsNeeded or None
        For the difference that dilution alone causes, if the moderator is PPS.
    """

    line: Moderation
    permutation: Permutation
    left_out: tuple[LineWithoutTrial, ...]
    score: LogScore
    swayed: tuple[str, ...]
    needed: TrialsNeeded
    needed_for_dilution: TrialsNeeded | None = None

    @property
    def name(self) -> str:
        """Name of the moderator."""
        return self.line.moderator.name

    @property
    def lines(self) -> list[Record]:
        """Line at several values of the moderator, under the keys of results.json."""
        return [self._line_record(line) for line in self.line.at_quantiles()]

    def _line_record(self, line: LineAtValue) -> Record:
        effects, threshold = self.line.result.effects, line.ste_prediction
        caveats = threshold_caveats(
            {"slope": line.slope, "intercept": Estimate(threshold.intercept), "ste_prediction": threshold}, effects
        )
        predicted, low, high = line.predicted_hr
        return {
            "moderator": self.name,
            "k": len(effects),
            "place": line.place,
            "value": line.value,
            "label": line.label,
            **with_limits("slope", line.slope),
            "hr_surrogate": exp(line.log_hr),
            "predicted": predicted,
            "predicted_low": low,
            "predicted_high": high,
            "ste_prediction": threshold.hr,
            "ste_prediction_status": threshold.status,
            "ste_prediction_made": threshold.band_and_size,
            "ste_caveat": ". ".join(caveat.text for caveat in caveats) or None,
            **with_limits("r2_conditional", self.line.r2_at(line.value)),
        }

    @property
    def evidence(self) -> Record:
        """Permutation test, numbers of comparisons and log score, under the keys of results.json."""
        dilution = self.needed_for_dilution
        return {
            "moderator": self.name,
            "permutation_p": self.permutation.p,
            "permutations": self.permutation.permutations,
            "power": None,
            "power_note": POWER_NOTE,
            "detectable": self.needed.detectable,
            "comparisons_needed": self.needed.comparisons,
            "difference_for_dilution": None if dilution is None else dilution.slope_difference,
            "power_for_dilution": None if dilution is None else dilution.power,
            "comparisons_for_dilution": None if dilution is None else dilution.comparisons,
            "wanted": self.needed.wanted,
            **with_limits("log_score", self.score.difference),
            "swayed": ", ".join(self.swayed),
        }


@dataclass(frozen=True, eq=False)
class PpsRun(StagedRun):
    """Run on post-progression survival.

    Parameters
    ----------
    settings : PpsSettings
    effects : Effects or None
        Of the trial level; None until the tables are read.
    focus : TrialSummary or None
    summaries : tuple of TrialSummary
        One per trial whose medians allow a decomposition.
    decompositions : tuple of Decomposition
        Of the trial in focus, by calibration L and M; the hazard ratio of the updated data cut comes first.
    by_direct_death : tuple of DirectDeathScenario
    by_structure : tuple of StructureScenario
        Point values of the decompositions of the trial in focus under every structure of the hazards.
    at_risk : AtRiskComparison or None
        Constant and piecewise post-progression hazards, if the numbers at risk of the trial in focus are known.
    every_trial : tuple of Decomposition
        One per comparison whose medians allow it.
    not_decomposed : dict of comparison to reason
    arms : tuple of CouplingAudit
    moderated : tuple of Moderated
    dilution_regression : Offset or None
        OS effects regressed on those expected under dilution alone.
    dilution_sensitivity : tuple of OffsetScenario
        The same regression under other structures of the hazards and other assumptions.
    shape_evidence : ShapeEvidence or None
        Evidence of the trials on the Weibull shape of the hazards before progression.
    map : DilutionMap or None
    points : tuple of DilutionPoint
    not_possible : tuple of str
        Analyses that these trials do not allow, and the reasons.
    """

    settings: PpsSettings
    effects: Effects | None = None
    focus: TrialSummary | None = None
    summaries: tuple[TrialSummary, ...] = ()
    decompositions: tuple[Decomposition, ...] = ()
    by_direct_death: tuple[DirectDeathScenario, ...] = ()
    by_structure: tuple[StructureScenario, ...] = ()
    at_risk: AtRiskComparison | None = None
    every_trial: tuple[Decomposition, ...] = ()
    not_decomposed: Mapping[str, str] = field(default_factory=dict)
    arms: tuple[CouplingAudit, ...] = ()
    moderated: tuple[Moderated, ...] = ()
    dilution_regression: Offset | None = None
    dilution_sensitivity: tuple[OffsetScenario, ...] = ()
    shape_evidence: ShapeEvidence | None = None
    map: DilutionMap | None = None
    points: tuple[DilutionPoint, ...] = ()
    not_possible: tuple[str, ...] = ()

    @property
    def main(self) -> Decomposition | None:
        """Main decomposition of the trial in focus: calibration M, hazard ratio of the final data cut."""
        return main_decomposition(self.decompositions)

    @property
    def dilution_range(self) -> DilutionRange | None:
        """Range of the share of dilution in the main decomposition over the other structures of the hazards."""
        return None if self.main is None else dilution_range(self.by_structure, self.main.calibration)

    @property
    def awaits_at_risk(self) -> bool:
        """Return whether the hazards of the trial in focus are still to be fitted to its numbers at risk."""
        # piecewise hazards after progression are fitted with constant hazards before it
        constant = self.settings.structure.shape == 1.0
        return self.at_risk is None and self.main is not None and self.main.inputs.at_risk is not None and constant
