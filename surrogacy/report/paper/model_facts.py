"""Facts of a model of a run in words and numbers, for the methods text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surrogacy.analysis.fit_run import SetFit
from surrogacy.models.weights import counted_trials
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import listed, priors_in_words
from surrogacy.results.labels import (
    MODERATORS,
    SURROGATE_ERRORS,
    VARIANCE_ESTIMATORS,
    model_label,
    weights_in_words,
)
from surrogacy.results.result import Result


@dataclass(frozen=True)
class ModelFacts:
    """Model of a run, and the settings that its description needs.

    Parameters
    ----------
    name, label : str
        Name on the command line, and name for readers.
    main_sets, other_sets : tuple of str
        Labels of the sets whose quoted result is that of this model, and of the other sets to which it was fitted.
    only_model : bool
        Whether it is the quoted model of every set that has a result.
    weights : str
        ``weights: number of patients``, or ``unweighted``; empty for a model that weighs by sampling errors.
    priors : str
        Priors in words; empty for a likelihood.
    interval, variance, surrogate_errors, prediction : str
        Method of the intervals, estimator of the between-trial variance, treatment of the surrogate errors and method
        of the prediction intervals; empty if the model does not have the setting.
    moderator : str
        Moderator in words; empty without one.
    resamples : int
        Bootstrap samples of a correlation; 0 without a bootstrap.
    effective : tuple of str
        Labels of the sets in which Fisher's z used an effective number of trials.
    sampled, bayesian : bool
        Whether its posterior was sampled, and whether it has one.
    correlated_errors : bool
        Whether it uses the within-trial correlation.
    left_out : str
        Comparisons that it lacked data for, by set; empty without any.
    """

    name: str
    label: str
    main_sets: tuple[str, ...]
    other_sets: tuple[str, ...]
    only_model: bool
    weights: str
    priors: str
    interval: str
    variance: str
    surrogate_errors: str
    prediction: str
    moderator: str
    resamples: int
    effective: tuple[str, ...]
    sampled: bool
    bayesian: bool
    correlated_errors: bool
    left_out: str

    @classmethod
    def of(cls, results: Sequence[Result], quoted: Mapping[str, str]) -> ModelFacts:
        """Return the facts of a model from its fits to all sets.

        Parameters
        ----------
        results : sequence of Result
            Fits of one model to different sets.
        quoted : mapping of str to str
            Quoted model of each set.
        """
        first = results[0]
        settings = first.settings
        sets = [result.effects.name for result in results]
        moderator = str(settings.get("covariate", ""))
        return cls(
            name=first.model,
            label=model_label(first.model),
            main_sets=tuple(set_label(name) for name in sets if quoted.get(name) == first.model),
            other_sets=tuple(set_label(name) for name in sets if quoted.get(name) != first.model),
            only_model=set(quoted.values()) == {first.model},
            weights=_weights_in_words(first),
            priors="".join(priors_in_words(settings)).removeprefix("priors: "),
            interval=str(settings.get("interval", "")),
            variance=VARIANCE_ESTIMATORS.get(str(settings.get("tau2", "")), ""),
            surrogate_errors=SURROGATE_ERRORS.get(str(settings.get("surrogate_errors", "")), ""),
            prediction=str(settings.get("prediction", "")),
            moderator=MODERATORS.get(moderator, moderator),
            resamples=int(settings.get("bootstrap") or 0),
            effective=tuple(set_label(result.effects.name) for result in results if _uses_effective_number(result)),
            sampled=first.posterior is not None and first.posterior.samples is not None,
            bayesian=first.is_bayesian,
            correlated_errors=first.weights is None and settings.get("surrogate_errors") != "ignored",
            left_out="; ".join(
                f"{len(result.left_out)} in {set_label(result.effects.name)}" for result in results if result.left_out
            ),
        )

    @property
    def sets(self) -> int:
        """Number of sets to which it was fitted."""
        return len(self.main_sets) + len(self.other_sets)

    @property
    def lead(self) -> str:
        """Beginning of the sentence on the model: main analysis of every set, of some sets, or a check."""
        if self.only_model:
            return "The main results are those of"
        if self.main_sets:
            return f"The main results in {listed(self.main_sets)} are those of"
        return "As a check we fitted"


def _weights_in_words(result: Result) -> str:
    if result.weights is None:
        return ""
    words = weights_in_words(result.weights.name, result.effects)
    return words if result.weights.name == "none" else f"weights: {words}"


def _uses_effective_number(result: Result) -> bool:
    """Return whether the interval of r or R² counts an effective number of trials."""
    return result.weights is not None and counted_trials(result).effective


def models_of(sets: Sequence[SetFit], quoted: Mapping[str, str]) -> tuple[ModelFacts, ...]:
    """Return the models that were fitted to a set, those that are quoted first.

    Parameters
    ----------
    sets : sequence of SetFit
    quoted : mapping of str to str
        Quoted model of each set.
    """
    results: dict[str, list[Result]] = {}
    for fit in sets:
        for result in fit.results:
            results.setdefault(result.model, []).append(result)
    models = [ModelFacts.of(fits, quoted) for fits in results.values()]
    return tuple(sorted(models, key=lambda model: not model.main_sets))
