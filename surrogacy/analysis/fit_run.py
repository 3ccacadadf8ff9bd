"""The value that a run of fits fills: what was found on every set, between the sets, and of the trial in focus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any, NamedTuple

from surrogacy.analysis.settings import FitSettings
from surrogacy.analysis.stages import StagedRun
from surrogacy.effects import Effects
from surrogacy.errors import ExitCode, data_warnings
from surrogacy.evaluation.changes import Change
from surrogacy.evaluation.cross_validation import CrossValidation
from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.external_validation import External
from surrogacy.evaluation.influence import Influence, influence_record, pivotal_trials
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction
from surrogacy.evaluation.placement import Focus, Placement, placement_record
from surrogacy.pps.decomposition import Decomposition
from surrogacy.results.requirements import NotFitted
from surrogacy.results.result import Result
from surrogacy.trials import AnalysisSet, FlowEntry

# Beyond this many comparisons a single one hardly matters, refits of each take hours, figures of each cannot be read
LARGE_SET = 1000
OMITTED_WHEN_LARGE = (
    "leave-one-out, cross-validation, influence, the grid over the within-trial correlation, sensitivity to the prior, "
    "and every figure but the bubble plot"
)

type Record = dict[str, Any]
"""A row of results.json, as `surrogacy.evaluation` makes it."""


class Failure(NamedTuple):
    """A model that could not be fitted, and why."""

    model: str
    message: str


@dataclass(frozen=True, eq=False)
class SetFit:
    """Fits to one set, and how far they can be trusted.

    Parameters
    ----------
    analysis_set : AnalysisSet
        Effects, with the comparisons considered and why some are not in the fit.
    results : tuple of Result
    failures : tuple of Failure
        Models that could not be fitted.
    not_fitted : tuple of NotFitted
        Models that were not fitted because the tables lack what they need.
    rho_within_grid, prior_sensitivity, leave_one_out : tuple of dict
        Refits: other within-trial correlations, other priors, without each trial.
    influences : tuple of Influence
        Refits without each trial, with conclusions and changes.
    cross_validation : tuple of CrossValidation
        One a model with a line.
    influence : tuple of dict
        Leverage and influence on the weighted regression.
    choices, subgroups, interval_methods : tuple of dict
        One choice varied at a time, each level of a factor, every published interval; empty unless asked for.
    power_scaling : tuple of dict
        Sensitivity of sampled posteriors to their prior and their likelihood.
    agreement : tuple of dict
        Summaries of exact posteriors beside those of NUTS.
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
    influences: tuple[Influence, ...] = ()
    cross_validation: tuple[CrossValidation, ...] = ()
    influence: tuple[Record, ...] = ()
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
        """Comparisons considered, and why some are not in the fit."""
        return self.analysis_set.flow

    @property
    def large(self) -> bool:
        """Return whether the set has too many comparisons for a refit of each."""
        return len(self.effects) > LARGE_SET

    @property
    def delete_one(self) -> tuple[Record, ...]:
        """Records of the influences."""
        return tuple(
            {"set": self.name, "model": entry.refit.model} | influence_record(entry) for entry in self.influences
        )

    @property
    def omitted(self) -> str:
        """Outputs that a set of this size goes without, in words; empty for most sets."""
        size = f"{len(self.effects):,} comparisons, more than {LARGE_SET:,}"
        return f"{size}: without {OMITTED_WHEN_LARGE}" if self.large else ""

    def result(self, model: str) -> Result | None:
        """Return the result of a model by name, if it was fitted."""
        return {result.model: result for result in self.results}.get(model)

    def pivotal_trials(self, labels: Mapping[str, str]) -> list[str]:
        """Conclusions that a single trial decides, in words, a model at a time.

        Parameters
        ----------
        labels : mapping of trial to label
        """
        sentences = []
        for model in dict.fromkeys(influence.refit.model for influence in self.influences):
            of_model = [influence for influence in self.influences if influence.refit.model == model]
            sentences += [f"{model}, {sentence}" for sentence in pivotal_trials(of_model, labels)]
        return sentences

    def joined(self, parts: Iterable[SetFit]) -> SetFit:
        """Return these findings followed by those of the parts."""
        findings = [self, *parts]
        names = [entry.name for entry in fields(self)[1:]]
        return SetFit(self.analysis_set, *(tuple(chain(*(getattr(part, name) for part in findings))) for name in names))


@dataclass(frozen=True, eq=False)
class FitRun(StagedRun):
    """A run of fits.

    Parameters
    ----------
    settings : FitSettings
    sets : tuple of SetFit
    sets_without_added : tuple of SetFit
        The same without the added rows, where there are any.
    changes : tuple of Change
        Headline numbers before and after the added rows.
    focuses : tuple of Focus
        Comparisons of the trial in focus.
    not_placed : tuple of dict
        Comparisons of that trial that no set holds with both effects, and the reason.
    placements : tuple of Placement
        Predictions of the comparisons in focus by every line.
    predictions : tuple of NewTrialPrediction
        Predictions of the new trial by every line.
    decompositions : tuple of Decomposition
        Of the comparisons in focus.
    differences : tuple of Difference
        Between sets that share no trial.
    external : tuple of External
        Each set predicted from every other one.
    criteria : tuple of dict
        Published criteria applied to every result.
    """

    settings: FitSettings
    sets: tuple[SetFit, ...] = ()
    sets_without_added: tuple[SetFit, ...] = ()
    changes: tuple[Change, ...] = ()
    focuses: tuple[Focus, ...] = ()
    not_placed: tuple[Record, ...] = ()
    placements: tuple[Placement, ...] = ()
    predictions: tuple[NewTrialPrediction, ...] = ()
    decompositions: tuple[Decomposition, ...] = ()
    differences: tuple[Difference, ...] = ()
    external: tuple[External, ...] = ()
    criteria: tuple[Record, ...] = ()

    @property
    def placement(self) -> list[Record]:
        """Records of the placements."""
        return list(map(placement_record, self.placements))

    @property
    def sampled(self) -> list[Result]:
        """Results whose draws can be written: sampled models, and the samples of exact ones."""
        results = [result for fit in self.sets for result in (*fit.results, *fit.sampled)]
        return [result for result in results if result.posterior is not None and result.posterior.samples is not None]

    @property
    def notices(self) -> list[str]:
        """Models that were not fitted because the tables lack what they need, and outputs left out, by set."""
        return [
            f"{fit.name}: {entry}" for fit in self.sets for entry in (*fit.not_fitted, *filter(None, [fit.omitted]))
        ]

    def exit_code(self, *, strict: bool = False, undrawn: bool = False) -> ExitCode:
        """Exit code of a run: 4 if a model or a figure failed, 5 under ``strict`` if there was any warning."""
        results = [result for fit in self.sets for result in (*fit.results, *fit.sampled)]
        if undrawn or any(fit.failures for fit in self.sets) or not all(result.converged for result in results):
            return ExitCode.NOT_CONVERGED
        warned = data_warnings(self.trials.faults) or any(
            fit.not_fitted or any(result.problems for result in fit.results) for fit in self.sets
        )
        return ExitCode.STRICT if strict and warned else ExitCode.OK
