"""Results of a run of fits: per set, between sets, and for the trial in focus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import NamedTuple

from surrogacy.analysis.settings import FitSettings
from surrogacy.analysis.stages import StagedRun
from surrogacy.effects import Effects
from surrogacy.errors import ExitCode, data_warnings
from surrogacy.evaluation.changes import Change, SetChange, set_change
from surrogacy.evaluation.criteria import Verdict
from surrogacy.evaluation.cross_validation import CrossValidation
from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.external_validation import External
from surrogacy.evaluation.influence import Influence, influence_record, pivotal_trials
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction
from surrogacy.evaluation.one_endpoint import OneEndpointRefit
from surrogacy.evaluation.placement import Focus, Placement, placement_record
from surrogacy.evaluation.records import Record
from surrogacy.evaluation.surrogate_only import SurrogateOnlyPrediction, main_predictions
from surrogacy.pps.decomposition import Decomposition
from surrogacy.pps.gap_scenarios import DilutionRange
from surrogacy.pps.shared_patients import SharedPatients
from surrogacy.results.labels import CLASSES, model_label
from surrogacy.results.requirements import NotFitted
from surrogacy.results.result import Result
from surrogacy.trials import AnalysisSet, FlowEntry

# With more comparisons a single one has little influence, leave-one-out takes hours, and figures cannot be read
LARGE_SET = 1000
OMITTED_WHEN_LARGE = (
    "leave-one-out, cross-validation, influence, refits with other within-trial correlations, other priors, "
    "and all figures except the bubble plot"
)

NO_SHARED_PATIENTS = (
    "the tables have no median PFS and OS of any control arm, so that the within-trial correlation does not follow "
    "from shared patients and remains an assumption"
)
NO_LINE = "no fitted model has a line from which the final effect could be predicted; add --model bivariate-bayes"


class SetVerdict(NamedTuple):
    """Verdict of a published scheme on a result, and the set of that result."""

    set: str
    verdict: Verdict


class Failure(NamedTuple):
    """Model that could not be fitted, and the reason."""

    model: str
    message: str


@dataclass(frozen=True, eq=False)
class SetFit:
    """Fits to one set, with their evaluation.

    Parameters
    ----------
    analysis_set : AnalysisSet
        Effects, with the comparisons considered and the reasons for exclusions.
    results : tuple of Result
    failures : tuple of Failure
        Models that could not be fitted.
    not_fitted : tuple of NotFitted
        Models that were not fitted because the tables lack a quantity that they need.
    rho_within_grid, prior_sensitivity, leave_one_out : tuple of dict
        Refits with other within-trial correlations, with other priors, and without each trial.
    one_endpoint : tuple of OneEndpointRefit
        Refits without and with the comparisons that report one endpoint; empty if there are none.
    shared_patients : tuple of SharedPatients
        Within-trial correlation of each comparison that follows from its patients.
    influences : tuple of Influence
        Refits without each trial, with conclusions and changes.
    cross_validation : tuple of CrossValidation
        One per model with a surrogacy line.
    influence : tuple of dict
        Leverage and influence of each comparison on the weighted regression.
    meta_regressions : tuple of dict
        Meta-regressions by every estimator and interval method, and with the surrogate errors propagated.
    choices, subgroups, interval_methods : tuple of dict
        Refits with one choice varied, refits in subgroups, and intervals by every published method; empty without
        ``--sensitivity``.
    power_scaling : tuple of dict
        Sensitivity of sampled posteriors to prior and likelihood.
    agreement : tuple of dict
        Differences between exact and sampled posteriors.
    sampled : tuple of Result
        Posteriors of the exact models, sampled by NUTS.
    """

    analysis_set: AnalysisSet
    results: tuple[Result, ...] = ()
    failures: tuple[Failure, ...] = ()
    not_fitted: tuple[NotFitted, ...] = ()
    rho_within_grid: tuple[Record, ...] = ()
    prior_sensitivity: tuple[Record, ...] = ()
    leave_one_out: tuple[Record, ...] = ()
    one_endpoint: tuple[OneEndpointRefit, ...] = ()
    shared_patients: tuple[SharedPatients, ...] = ()
    influences: tuple[Influence, ...] = ()
    cross_validation: tuple[CrossValidation, ...] = ()
    influence: tuple[Record, ...] = ()
    meta_regressions: tuple[Record, ...] = ()
    choices: tuple[Record, ...] = ()
    subgroups: tuple[Record, ...] = ()
    interval_methods: tuple[Record, ...] = ()
    power_scaling: tuple[Record, ...] = ()
    agreement: tuple[Record, ...] = ()
    sampled: tuple[Result, ...] = ()

    @property
    def effects(self) -> Effects:
        """Paired effects of the set."""
        return self.analysis_set.effects

    @property
    def name(self) -> str:
        """Name of the set."""
        return self.effects.name

    @property
    def flow(self) -> tuple[FlowEntry, ...]:
        """Comparisons considered, and the reasons for exclusions."""
        return self.analysis_set.flow

    @property
    def large(self) -> bool:
        """Return whether the set has too many comparisons for a refit of each."""
        return len(self.effects) > LARGE_SET

    @property
    def delete_one(self) -> tuple[Record, ...]:
        """Records of the influences."""
        return tuple(
            {"set": self.name, "model": entry.refit.model, **influence_record(entry)} for entry in self.influences
        )

    @property
    def omitted(self) -> str:
        """Sentence on the outputs that are left out for a large set; empty otherwise."""
        size = f"{len(self.effects):,} comparisons, more than {LARGE_SET:,}"
        return f"{size}: without {OMITTED_WHEN_LARGE}" if self.large else ""

    def result(self, model: str) -> Result | None:
        """Return the result of a model by name, if it was fitted."""
        return {result.model: result for result in self.results}.get(model)

    def pivotal_trials(self, labels: Mapping[str, str]) -> list[str]:
        """Sentences on the conclusions that depend on a single trial, by model.

        Parameters
        ----------
        labels : mapping of trial to label
        """
        by_model: dict[str, list[Influence]] = {}
        for influence in self.influences:
            by_model.setdefault(influence.refit.model, []).append(influence)
        return [
            f"{model_label(model)}, {sentence}"
            for model, influences in by_model.items()
            for sentence in pivotal_trials(influences, labels)
        ]

    def joined(self, parts: Iterable[SetFit]) -> SetFit:
        """Return the fit with the results of the parts appended, field by field."""
        fits = [self, *parts]
        names = [field.name for field in fields(self)[1:]]
        return SetFit(self.analysis_set, *(tuple(chain(*(getattr(fit, name) for fit in fits))) for name in names))


@dataclass(frozen=True, eq=False)
class FitRun(StagedRun):
    """Run of fits.

    Parameters
    ----------
    settings : FitSettings
    sets : tuple of SetFit
    sets_without_added : tuple of SetFit
        The same without the added rows, if there are any.
    surrogate_only : tuple of SurrogateOnlyPrediction
        Predictions for the comparisons of each set without a final effect, by its quoted model.
    changes : tuple of Change
        Main estimates with and without the added rows.
    focuses : tuple of Focus
        Comparisons of the trial in focus.
    not_placed : tuple of dict
        Comparisons of that trial that no set includes with both effects, and the reasons.
    placements : tuple of Placement
        Predictions for the comparisons in focus by every surrogacy line.
    predictions : tuple of NewTrialPrediction
        Predictions for the new trial by every surrogacy line.
    decompositions : tuple of Decomposition
        One per comparison in focus.
    dilution_ranges : dict of comparison to DilutionRange
        Shares of dilution in the gap of these comparisons under other structures of the hazards.
    differences : tuple of Difference
        One per pair of sets without a common trial.
    external : tuple of External
        Predictions of each set from every other set.
    criteria : tuple of SetVerdict
        Published criteria applied to every result.
    """

    settings: FitSettings
    sets: tuple[SetFit, ...] = ()
    sets_without_added: tuple[SetFit, ...] = ()
    surrogate_only: tuple[SurrogateOnlyPrediction, ...] = ()
    changes: tuple[Change, ...] = ()
    focuses: tuple[Focus, ...] = ()
    not_placed: tuple[Record, ...] = ()
    placements: tuple[Placement, ...] = ()
    predictions: tuple[NewTrialPrediction, ...] = ()
    decompositions: tuple[Decomposition, ...] = ()
    dilution_ranges: Mapping[str, DilutionRange] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    external: tuple[External, ...] = ()
    criteria: tuple[SetVerdict, ...] = ()

    @property
    def focus_names(self) -> tuple[str, ...]:
        """Names in focus: the added trials, unless the user names a trial, and the trial of the settings."""
        settings = self.settings
        named = (settings.focus,) if settings.focus is not None else ()
        return named if settings.focus_required else tuple(dict.fromkeys((*self.added_trials, *named)))

    @property
    def shown_surrogate_only(self) -> list[SurrogateOnlyPrediction]:
        """Predictions by the quoted model of each set for comparisons that were added, or that the user named."""
        names = self.focus_names if self.settings.focus_required else ()
        return [
            entry
            for entry in main_predictions(self.surrogate_only)
            if entry.comparison.added
            or {entry.comparison.trial, entry.comparison.comparison, entry.comparison.label}.intersection(names)
        ]

    def predictions_by(self, result: Result) -> list[NewTrialPrediction]:
        """Return the predictions for the new trial by a result."""
        return [entry for entry in self.predictions if (entry.set, entry.model) == (result.effects.name, result.model)]

    @property
    def added_trials(self) -> tuple[str, ...]:
        """Trials of the added comparisons (``--add``)."""
        if self.settings.added is None:
            return ()
        table = self.trials.trials
        return tuple(dict.fromkeys(table.loc[table["comparison"].isin(self.trials.added), "trial"].astype(str)))

    @property
    def set_changes(self) -> tuple[SetChange, ...]:
        """Changes of the estimates to quote, one per set; none without added rows."""
        sets = self.sets if self.settings.added is not None else ()
        inside = [tuple(name for name in self.trials.added if name in fit.effects.comparison) for fit in sets]
        return tuple(
            set_change(fit, self.changes, added, self._absent(fit)) for fit, added in zip(sets, inside, strict=True)
        )

    def _absent(self, fit: SetFit) -> dict[str, str]:
        """Return the added comparisons that a set neither includes nor predicts, and the reason of each."""
        reasons = {entry.comparison: entry.reason for entry in fit.flow if not entry.included}
        known = {*fit.effects.comparison, *(entry.comparison for entry in fit.analysis_set.surrogate_only)}
        return {
            name: reasons.get(name) or self._not_considered(name) for name in self.trials.added if name not in known
        }

    def _not_considered(self, comparison: str) -> str:
        """Return the reason why neither the rule nor the list of a set includes a comparison."""
        table = self.trials.trials
        kind = table.loc[table["comparison"] == comparison, ["stage", "line", "class"]].astype(str).iloc[0]
        words = [f"{kind[name]} {name}" for name in ("stage", "line") if kind[name]]
        words += [CLASSES.get(kind["class"], kind["class"])] if kind["class"] else []
        return f"the set has no trials of this kind: {', '.join(words)}" if words else "not listed"

    @property
    def placement(self) -> list[Record]:
        """Records of the placements."""
        return list(map(placement_record, self.placements))

    @property
    def sampled(self) -> list[Result]:
        """Results with draws: those of sampled models, and the samples of exact models."""
        results = [result for fit in self.sets for result in (*fit.results, *fit.sampled)]
        return [result for result in results if result.posterior is not None and result.posterior.samples is not None]

    @property
    def notices(self) -> list[str]:
        """Sentences on models not fitted, outputs left out, and added comparisons neither fitted nor predicted."""
        omitted = [
            f"{fit.name}: {entry}"
            for fit in self.sets
            for entry in (*fit.not_fitted, *filter(None, [fit.omitted, self._without_shared_patients(fit)]))
        ]
        used = {name for fit in self.sets for name in fit.effects.comparison}
        used |= {entry.comparison.comparison for entry in self.surrogate_only}
        reasons = {entry.comparison: entry.reason for fit in reversed(self.sets) for entry in fit.flow}
        no_line = "it has the surrogate effect alone, and no fitted model has a line to predict from"
        reasons |= {entry.comparison: no_line for fit in self.sets for entry in fit.analysis_set.surrogate_only}
        if self.settings.focus_required and not (self.placements or self.shown_surrogate_only):
            omitted.append(f"--focus {self.settings.focus}: {NO_LINE}")
        unused = (name for name in self.trials.added if name not in used)
        return omitted + [
            f"{name} is in none of the fitted sets: {reasons.get(name) or 'they are of another disease stage'}"
            for name in unused
        ]

    def _without_shared_patients(self, fit: SetFit) -> str:
        """Return a sentence if the run asks for correlations from shared patients and the tables allow none."""
        known = any(entry.correlation is not None for entry in fit.shared_patients)
        return NO_SHARED_PATIENTS if self.settings.shared_patients and fit.shared_patients and not known else ""

    def exit_code(self, *, strict: bool = False, undrawn: bool = False) -> ExitCode:
        """Exit code of a run: 4 if a model or a figure failed, 5 if there was a warning and ``strict`` is set."""
        results = [result for fit in self.sets for result in (*fit.results, *fit.sampled)]
        if undrawn or any(fit.failures for fit in self.sets) or not all(result.converged for result in results):
            return ExitCode.NOT_CONVERGED
        warned = data_warnings(self.trials.faults) or any(
            fit.not_fitted or any(result.problems for result in fit.results) for fit in self.sets
        )
        return ExitCode.STRICT if strict and warned else ExitCode.OK
