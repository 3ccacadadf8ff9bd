"""Facts of a run of fits in words and numbers, as the templates of methods, results and abstract use them."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata

import surrogacy
from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.effects import Provenance
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction
from surrogacy.evaluation.placement import shown_placements
from surrogacy.evaluation.surrogate_only import main_predictions
from surrogacy.report.paper import sensitivity_text
from surrogacy.report.paper.model_facts import ModelFacts, models_of
from surrogacy.report.paper.run_sentences import (
    decomposition_sentence,
    difference_sentence,
    placement_sentences,
    prediction_sentence,
    target_in_words,
)
from surrogacy.report.paper.set_facts import SetFacts
from surrogacy.report.sections.answers import answers_of
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import surrogate_names, with_article
from surrogacy.results.format import as_given, listed, number
from surrogacy.results.result import Result
from surrogacy.trials.curated_tables import shipped_tables

SAMPLING_LIBRARIES = ("pymc", "nutpie", "arviz")
LIBRARIES = ("numpy", "scipy", "statsmodels", *SAMPLING_LIBRARIES)


@dataclass(frozen=True, eq=False)
class RunFacts:
    """Run of fits, as a text describes it.

    Parameters
    ----------
    run : FitRun
        Complete run.
    sets : tuple of SetFacts
    models : tuple of ModelFacts
        Models that were fitted to a set, the quoted one first.
    """

    run: FitRun
    sets: tuple[SetFacts, ...]
    models: tuple[ModelFacts, ...]

    @classmethod
    def of(cls, run: FitRun) -> RunFacts:
        """Return the facts of a complete run."""
        answers = answers_of(run)
        models = models_of(run.sets, {name: reply.quoted.model for name, reply in answers.items()})
        return cls(run, tuple(SetFacts(fit, answers.get(fit.name)) for fit in run.sets), models)

    @cached_property
    def surrogate_labels(self) -> tuple[str, ...]:
        """Surrogate endpoints of all sets."""
        names = dict.fromkeys(name for entry in self.sets for name in surrogate_names(entry.fit.effects))
        return tuple(map(with_article, names))

    @property
    def main_models(self) -> str:
        """Labels of the models whose results are quoted."""
        return " and the ".join(model.label for model in self.models if model.main_sets)

    @property
    def surrogates(self) -> str:
        """Surrogate endpoints of all sets, listed."""
        return listed(self.surrogate_labels)

    @property
    def final(self) -> str:
        """Final endpoints of all sets."""
        return listed(list(dict.fromkeys(with_article(entry.final) for entry in self.sets)))

    @property
    def preference(self) -> str:
        """Surrogate endpoints in the order of preference; empty if there is only one."""
        names = self.run.settings.surrogates(self.run.trials)
        return ", ".join(names) if len(names) > 1 else ""

    @property
    def standard_errors(self) -> tuple[tuple[str, int], ...]:
        """Derivations of the standard errors with the numbers of hazard ratios, the most frequent first."""
        return _counted(flag.se_method for flag in self._provenance)

    @property
    def evidence(self) -> tuple[tuple[str, int], ...]:
        """Levels of evidence with the numbers of hazard ratios, the most frequent first."""
        return _counted(flag.evidence for flag in self._provenance)

    @property
    def without_errors(self) -> int:
        """Hazard ratios without a standard error."""
        return sum(not flag.se_method for flag in self._provenance)

    @cached_property
    def _provenance(self) -> tuple[Provenance, ...]:
        """Provenance of each hazard ratio; one that is in several sets counts once."""
        flags: dict[tuple[str, str], Provenance] = {}
        for entry in self.sets:
            effects = entry.fit.effects
            for side, column in zip(("surrogate", "final"), effects.provenance.T.tolist(), strict=True):
                names = effects.covariates.get(f"{side}_effect", effects.comparison)
                flags |= {(side, name): Provenance(value) for name, value in zip(names, column, strict=True) if value}
        return tuple(flags.values())

    @property
    def listed_sets(self) -> str:
        """Sets whose hazard ratios a list names."""
        return listed([entry.label for entry in self.sets if not entry.by_rule])

    @property
    def chosen_by_rule(self) -> bool:
        """True if a rule chose hazard ratios in a set."""
        return any(entry.by_rule for entry in self.sets)

    @property
    def sharing(self) -> str:
        """Comparisons that share a control arm in any set."""
        return listed(list(dict.fromkeys(label for entry in self.sets for label in entry.sharing)))

    @property
    def independent_models(self) -> str:
        """Models that treat comparisons with a common control arm as independent."""
        return listed([model.label for model in self.models if model.weights])

    @property
    def independent_count(self) -> int:
        """Number of these models."""
        return sum(bool(model.weights) for model in self.models)

    @property
    def correlated_models(self) -> str:
        """Models that use the within-trial correlation."""
        return listed([model.label for model in self.models if model.correlated_errors])

    @cached_property
    def fits(self) -> tuple[SetFit, ...]:
        """Fits of every set."""
        return tuple(entry.fit for entry in self.sets)

    @cached_property
    def correlations_tried(self) -> str:
        """Within-trial correlations with which models were refitted."""
        return listed(sensitivity_text.correlations_tried(self.fits))

    @property
    def refitted_models(self) -> str:
        """Models that were refitted with other within-trial correlations."""
        return listed(sensitivity_text.refitted_models(self.fits))

    @property
    def refitted_models_count(self) -> int:
        """Number of these models."""
        return len(sensitivity_text.refitted_models(self.fits))

    @property
    def shared_patients_tried(self) -> bool:
        """True if a model was refitted with the correlation that follows from the shared patients."""
        return sensitivity_text.shared_patients_tried(self.fits)

    @property
    def shared_patients_derived(self) -> bool:
        """True if the within-trial correlation of a comparison was derived from its patients."""
        return self.run.settings.shared_patients and any(entry.within_derived for entry in self.sets)

    @cached_property
    def priors_tried(self) -> tuple[str, ...]:
        """Priors with which Bayesian models were refitted."""
        return sensitivity_text.priors_tried(self.fits)

    @cached_property
    def sensitivity_analyses(self) -> tuple[str, ...]:
        """Sentences on the sensitivity analyses that were run."""
        return sensitivity_text.sensitivity_analyses(self.fits, external=bool(self.run.external))

    @property
    def cross_validated(self) -> bool:
        """True if each trial was predicted from the others."""
        return any(entry.fit.cross_validation for entry in self.sets)

    @property
    def sampled(self) -> bool:
        """True if a posterior was sampled."""
        return bool(self.run.sampled)

    @property
    def sampled_models(self) -> str:
        """Models without an exact posterior."""
        return listed([model.label for model in self.models if model.sampled])

    @property
    def decomposed(self) -> str:
        """Trials in focus whose gap between the effects was decomposed."""
        return listed([entry.inputs.label for entry in self.run.decompositions])

    @property
    def surrogate_only(self) -> tuple[str, ...]:
        """Sentences on comparisons without a final effect, by the quoted model of their set."""
        labels = {entry.fit.name: entry for entry in self.sets}
        return tuple(
            f"{each.comparison.label}, surrogate hazard ratio {number(each.prediction.hr_surrogate)}; "
            f"{prediction_sentence(each.prediction, labels[each.prediction.set])}"
            for each in main_predictions(self.run.surrogate_only)
        )

    @property
    def threshold_bases(self) -> str:
        """Bands of the thresholds that are quoted."""
        return "; ".join(dict.fromkeys(filter(None, (entry.threshold_basis for entry in self.sets))))

    @property
    def _threshold_results(self) -> list[Result]:
        """Quoted results whose threshold has an interval."""
        answers = [entry.answer for entry in self.sets if entry.answer is not None]
        return [
            reply.quoted for reply in answers if reply.threshold is not None and reply.threshold.uncertainty is not None
        ]

    @property
    def posterior_thresholds(self) -> bool:
        """True if the interval of a quoted threshold is that of a posterior."""
        return any(result.is_bayesian for result in self._threshold_results)

    @property
    def bootstrap_thresholds(self) -> bool:
        """True if the interval of a quoted threshold is that of a bootstrap."""
        return any(not result.is_bayesian for result in self._threshold_results)

    @property
    def other_bootstrap_thresholds(self) -> bool:
        """True if the interval of a threshold that is not quoted is that of a bootstrap."""
        others = (result for entry in self.sets for result in entry.others if not result.is_bayesian)
        thresholds = (result.threshold_effect("ste_prediction") for result in others)
        return any(threshold is not None and threshold.uncertainty is not None for threshold in thresholds)

    @property
    def decomposition_sentences(self) -> tuple[str, ...]:
        """Sentences on the parts of the gap between the effects of each trial in focus."""
        ranges = self.run.dilution_ranges
        return tuple(
            decomposition_sentence(each, ranges.get(each.inputs.comparison)) for each in self.run.decompositions
        )

    @property
    def differences(self) -> tuple[str, ...]:
        """Sentences on the differences between pairs of sets."""
        return tuple(map(difference_sentence, self.run.differences))

    @property
    def predictions(self) -> tuple[str, ...]:
        """Sentences on the new trial, by the quoted model of every set."""
        return tuple(prediction_sentence(each, entry) for entry, each in self._predictions)

    @property
    def prediction_targets(self) -> str:
        """Predicted quantities of the new trial, by the quoted models."""
        return " and ".join(dict.fromkeys(target_in_words(each.target) for _, each in self._predictions))

    @property
    def _predictions(self) -> list[tuple[SetFacts, NewTrialPrediction]]:
        """Predictions for the new trial by the quoted model of every set."""
        answered = [(entry, entry.answer.quoted) for entry in self.sets if entry.answer is not None]
        return [(entry, each) for entry, result in answered for each in self.run.predictions_by(result)]

    @property
    def new_trial(self) -> str:
        """Surrogate hazard ratio of the new trial with its limits; empty without one."""
        new = self.run.settings.new_trial
        return "" if new is None else f"{as_given(new.hr)} ({as_given(new.low)} to {as_given(new.high)})"

    @property
    def hierarchical(self) -> bool:
        """True if two sets were compared in one hierarchical model."""
        return any(entry.hierarchical is not None for entry in self.run.differences)

    @property
    def comparisons_of_sets(self) -> tuple[str, ...]:
        """Pairs of sets whose associations were compared."""
        return tuple(" and ".join(map(set_label, entry.names)) for entry in self.run.differences)

    @property
    def placements(self) -> tuple[str, ...]:
        """Sentences on the trials in focus, by lines fitted without them: of their own sets if there are any."""
        shown = shown_placements(self.run.placements)
        inside = [entry for entry in shown if entry.fitted == "without it"]
        chosen = inside or [entry for entry in shown if entry.fitted != "with it"]
        mostly_prior = {entry.fit.name for entry in self.sets if entry.prior_dominates}
        return placement_sentences(chosen, self.run.focuses, mostly_prior)

    @property
    def focus_labels(self) -> tuple[str, ...]:
        """Trials in focus that were placed."""
        return tuple(dict.fromkeys(entry.label for entry in self.run.placements))

    @property
    def focus_list(self) -> str:
        """Trials in focus that were placed, listed."""
        return listed(self.focus_labels)

    @property
    def criteria(self) -> tuple[str, ...]:
        """Published schemes that were applied, with their versions."""
        schemes = dict.fromkeys((entry.verdict.scheme, entry.verdict.version) for entry in self.run.criteria)
        return tuple(f"{scheme} (version {version})" for scheme, version in schemes)

    @property
    def schemes(self) -> frozenset[str]:
        """Names of the published schemes that were applied."""
        return frozenset(entry.verdict.scheme for entry in self.run.criteria)

    @property
    def own_tables(self) -> bool:
        """True if the tables are not those that come with the package."""
        return self.run.trials.folder != shipped_tables()

    @property
    def data_version(self) -> str:
        """Version of the trial tables."""
        return self.run.trials.data_version.removeprefix("trials-")

    @property
    def version(self) -> str:
        """Version of the package."""
        return surrogacy.__version__

    @property
    def python(self) -> str:
        """Version of Python."""
        return platform.python_version()

    @cached_property
    def libraries(self) -> dict[str, str]:
        """Versions of the libraries that computed results, by name."""
        used = {"statsmodels": any(model.name == "weighted-regression" for model in self.models)}
        used |= dict.fromkeys(SAMPLING_LIBRARIES, self.sampled)
        return {name: metadata.version(name) for name in LIBRARIES if used.get(name, True)}


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(filter(None, words)).most_common())
