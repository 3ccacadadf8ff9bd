"""Facts of an analysis set and of a model in words and numbers, for the templates of a paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.analysis.fit_run import SetFit
from surrogacy.evaluation.answers import Answer
from surrogacy.evaluation.cross_validation import CrossValidation
from surrogacy.evaluation.influence import pivotal_trials
from surrogacy.models import headline
from surrogacy.report.sections.answers import sentence, threshold_cell
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import endpoint_of, final_name, with_article
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import assumed_correlation, listed, priors_in_words, with_interval
from surrogacy.results.labels import (
    SURROGATE_ERRORS,
    SYMBOLS,
    VARIANCE_ESTIMATORS,
    estimate_label,
    model_label,
    weights_in_words,
)
from surrogacy.results.result import Result

SAMPLED = frozenset({"product-normal", "student-t", "class-exchangeable", "class-partial", "moderated"})


@dataclass(frozen=True, eq=False)
class ModelFacts:
    """Model of a run, and the settings that its description needs.

    Parameters
    ----------
    name, label : str
        Name on the command line, and name for readers.
    weights : str
        Weights in words; empty for a model that weighs by sampling errors.
    priors : str
        Priors in words; empty for a likelihood.
    interval, variance, surrogate_errors : str
        Method of the intervals, estimator of the between-trial variance and treatment of the surrogate errors; empty if
        the model does not have the setting.
    resamples : int
        Bootstrap samples of a correlation; 0 without a bootstrap.
    effective : bool
        Whether Fisher's z used an effective number of trials.
    sampled : bool
        Whether its posterior was sampled.
    """

    name: str
    label: str
    weights: str
    priors: str
    interval: str
    variance: str
    surrogate_errors: str
    resamples: int
    effective: bool
    sampled: bool

    @classmethod
    def of(cls, results: Sequence[Result]) -> ModelFacts:
        """Return the facts of a model from its fits to all sets."""
        first = results[0]
        settings = first.settings
        weights = "" if first.weights is None else weights_in_words(first.weights.name, first.effects)
        return cls(
            name=first.model,
            label=model_label(first.model),
            weights=weights,
            priors="".join(priors_in_words(settings)).removeprefix("priors: "),
            interval=str(settings.get("interval", "")),
            variance=VARIANCE_ESTIMATORS.get(str(settings.get("tau2", "")), ""),
            surrogate_errors=SURROGATE_ERRORS.get(str(settings.get("surrogate_errors", "")), ""),
            resamples=int(settings.get("bootstrap") or 0),
            effective=any("effective" in result.estimate("r").method for result in results),
            sampled=first.model in SAMPLED,
        )


@dataclass(frozen=True, eq=False)
class SetFacts:
    """Analysis set of a run.

    Parameters
    ----------
    fit : SetFit
    answer : Answer or None
        None if no model could be fitted.
    """

    fit: SetFit
    answer: Answer | None

    @property
    def label(self) -> str:
        """Label of the set."""
        return set_label(self.fit.name)

    @property
    def size(self) -> str:
        """Numbers of comparisons, trials and patients."""
        effects = self.fit.effects
        patients = effects.n_patients
        words = f"{len(effects)} comparisons of {len(effects.trials)} trials"
        return f"{words} ({patients:,.0f} patients)" if patients == patients else words

    @property
    def surrogates(self) -> str:
        """Surrogate endpoints with the numbers of comparisons that report them, the most frequent first."""
        effects = self.fit.effects
        known = np.flatnonzero(np.isfinite(effects.log_hr[:, 0]))
        counts = Counter(endpoint_of(effects, int(i), "surrogate") for i in known)
        if len(counts) == 1:
            return f"{with_article(next(iter(counts)))} in all comparisons"
        return listed([f"{with_article(name)} in {count}" for name, count in counts.most_common()])

    @property
    def final(self) -> str:
        """Final endpoint."""
        return final_name(self.fit.effects)

    @property
    def within(self) -> str:
        """Within-trial correlation where no source reports it; empty if all are reported."""
        return assumed_correlation(self.fit.effects).removesuffix(" (assumed)")

    @property
    def within_reported(self) -> int:
        """Comparisons whose within-trial correlation was reported."""
        return int(self.fit.effects.rho_known.sum())

    @property
    def sharing(self) -> tuple[str, ...]:
        """Comparisons that share a control arm with another one."""
        effects = self.fit.effects
        groups = Counter(filter(None, effects.control_group))
        return tuple(
            label for label, group in zip(effects.labels, effects.control_group, strict=True) if groups[group] > 1
        )

    @property
    def one_endpoint(self) -> int:
        """Comparisons in the fit with one endpoint alone."""
        return int((~self.fit.effects.complete).sum())

    @property
    def without_final(self) -> int:
        """Comparisons with a surrogate effect and no final effect."""
        return len(self.fit.analysis_set.surrogate_only)

    @property
    def sentence(self) -> str:
        """Conclusion, with the numbers to quote."""
        return "" if self.answer is None else sentence(self.fit, self.answer)

    @property
    def quoted(self) -> str:
        """Label of the quoted model."""
        return "" if self.answer is None else model_label(self.answer.quoted.model)

    @property
    def quoted_numbers(self) -> str:
        """Main estimates of the quoted model, with their intervals."""
        return "" if self.answer is None else _numbers(self.answer.quoted, self.threshold)

    @property
    def threshold(self) -> str:
        """Surrogate threshold effect of the quoted model; empty if the model has no line."""
        return "" if self.answer is None or self.answer.threshold is None else threshold_cell(self.answer)

    @property
    def threshold_basis(self) -> str:
        """Band, level and size of the new trial of the threshold."""
        threshold = None if self.answer is None else self.answer.threshold
        return "" if threshold is None else threshold.band_and_size

    @property
    def checks(self) -> tuple[str, ...]:
        """Numbers of every other model, and whether its conclusion differs."""
        checks = () if self.answer is None else self.answer.checks
        return tuple(
            f"{model_label(check.result.model)}: {_numbers(check.result)}"
            f"{'' if check.agrees else ' (another conclusion)'}"
            for check in checks
        )

    @property
    def cross_validation(self) -> CrossValidation | None:
        """Cross-validation of the quoted model, else of the first model that has one."""
        entries = self.fit.cross_validation
        quoted = None if self.answer is None else self.answer.quoted.model
        return next((entry for entry in entries if entry.model == quoted), next(iter(entries), None))

    @property
    def pivotal(self) -> tuple[str, ...]:
        """Sentences on conclusions of the quoted model that depend on a single trial."""
        effects = self.fit.effects
        quoted = None if self.answer is None else self.answer.quoted.model
        influences = [entry for entry in self.fit.influences if entry.refit.model == quoted]
        labels = dict(zip(effects.trial, effects.labels, strict=True))
        return tuple(pivotal_trials(influences, labels)) if influences else ()

    @property
    def caveats(self) -> tuple[str, ...]:
        """Caveats of the quoted result."""
        return () if self.answer is None else self.answer.quoted.problems

    @property
    def failures(self) -> tuple[str, ...]:
        """Models that could not be fitted, and the reasons."""
        return tuple(f"{model_label(failure.model)} ({failure.message})" for failure in self.fit.failures)


def _numbers(result: Result, threshold: str = "") -> str:
    """Return the main estimates of a result with their intervals; ``threshold`` replaces that of the result."""
    final, words = final_name(result.effects), []
    for name in headline(result.model):
        estimate = result.estimates.get(name)
        if isinstance(estimate, Estimate):
            label = SYMBOLS["r"] if name == "r" else estimate_label(name, final)
            words.append(f"{label[:1].lower()}{label[1:]} {with_interval(estimate)}")
        elif estimate is not None:
            shown = threshold or f"{estimate.value_words}{estimate.uncertainty_words}"
            words.append(f"threshold {shown.replace('no STE', 'none')}")
    return ", ".join(words)
