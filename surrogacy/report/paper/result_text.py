"""Sentences on the results of a set: neutral, and each number with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from surrogacy.analysis.fit_run import SetFit
from surrogacy.evaluation.answers import Answer, Check
from surrogacy.models import headline
from surrogacy.models.prior_change import prior_change
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import NOT_DEFINED, Estimate, ThresholdEffect, probability_words
from surrogacy.results.format import capitalised, interval, number, percent, uncapitalised, with_interval
from surrogacy.results.labels import SYMBOLS, estimate_label, model_label
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result

# Sentences on a threshold by its status
THRESHOLDS = {
    "exists": "The surrogate threshold effect is a {surrogate} hazard ratio of {value} ({basis}).",
    "outside-data": (
        "The surrogate threshold effect is a {surrogate} hazard ratio of {value}, which is outside the data ({basis})."
    ),
    "two-sided": (
        "The {level} prediction interval of the {final} hazard ratio lies below 1 only at {surrogate} hazard ratios "
        "from {other} to {hr} ({basis})."
    ),
    "none": (
        "There is no surrogate threshold effect: at no {surrogate} hazard ratio does the {level} prediction interval "
        "of the {final} hazard ratio lie below 1 ({basis})."
    ),
    "benefit-without-surrogate-effect": (
        "There is no surrogate threshold effect: the {level} prediction interval of the {final} hazard ratio lies "
        "below 1 even at a {surrogate} hazard ratio of 1 ({basis})."
    ),
}
UNRELIABLE = (
    "The surrogate threshold effect is not quoted, because the intervals of this model do not show that larger "
    "{surrogate} effects go with larger {final} effects."
)
PRIOR_WORDS = {
    "hardly": ": the result depends mostly on the prior, and another prior gives another result",
    "little": ": the result depends mostly on the prior, and another prior gives another result",
    "clearly": ": the result still depends on the prior",
}
UNDEFINED = "The surrogate threshold effect is not defined: {value}."


def main_result(answer: Answer, surrogate: str, final: str) -> str:
    """Return association and slope of the quoted model with their intervals, and the threshold effect.

    Parameters
    ----------
    answer : Answer
    surrogate, final : str
        Names of the endpoints.
    """
    result = answer.quoted
    kind = "credible" if result.is_bayesian else "confidence"
    words = _estimates_in_words(result, f"{percent(LEVEL)} {kind} interval")
    return f"{capitalised(model_label(result.model))}: {words}. {threshold_sentence(answer, surrogate, final)}".strip()


def threshold_sentence(answer: Answer, surrogate: str, final: str) -> str:
    """Return the threshold effect of the quoted model, or the reason why it has none; empty without a line."""
    threshold = answer.threshold
    if threshold is None:
        return ""
    words = {"surrogate": surrogate, "final": final}
    if threshold.hr is not None and not answer.conclusion.is_shown:
        return UNRELIABLE.format(**words)
    template = THRESHOLDS.get(threshold.status, UNDEFINED)
    basis = f"{threshold.band_and_size}{_limits(threshold)}"
    value = number(threshold.hr) if threshold.is_defined else NOT_DEFINED[threshold.status]
    return template.format(
        **words,
        basis=basis,
        value=value,
        hr=number(threshold.hr),
        other=number(threshold.hr_other),
        level=percent(threshold.level),
    )


def _limits(threshold: ThresholdEffect) -> str:
    """Return the interval of a threshold with a value, or the probability that it exists."""
    uncertainty = threshold.uncertainty
    if uncertainty is None or threshold.hr is None:
        return ""
    if uncertainty.low is None or uncertainty.high is None:
        return f"; it exists with probability {probability_words(uncertainty.exists)}"
    return f"; {percent(uncertainty.level)} interval {interval(uncertainty.low, uncertainty.high)}"


def check_words(result: Result, check: Check | None) -> str:
    """Return the main estimates of another model, and whether it differs from the quoted one.

    Parameters
    ----------
    result : Result
    check : Check or None
        Comparison with the quoted model; None if the intervals of the result do not allow it.
    """
    words = f"{model_label(result.model)}: {_estimates_in_words(result, '')}"
    words += ", at a boundary of the parameters" if result.on_boundary else ""
    if check is None or check.agrees:
        return words
    shown = "shows an association" if check.conclusion.is_shown else "does not show an association"
    return f"{words} (unlike the main model, it {shown})"


def prior_sentence(result: Result) -> str:
    """Return how far prior and posterior of R² overlap; empty if the model has no such estimate."""
    overlap, prior = result.estimate("prior_overlap"), result.estimate("r2_trial_prior")
    if overlap.value is None or prior.value is None:
        return ""
    medians = f"medians {number(prior.value)} and {number(result.estimate('r2_trial').value)}"
    words = f"Prior and posterior of the trial-level R² overlap by {percent(overlap.value)} ({medians})"
    grade = prior_change(overlap.value)
    return f"{words}{PRIOR_WORDS.get(grade, '')}."


def sensitivity_sentence(fit: SetFit, result: Result) -> str:
    """Return the range of the main estimate of a model over other priors and within-trial correlations."""
    name = _main_estimate(result)
    ranges = [
        _range(fit.rho_within_grid, result.model, name, "with other within-trial correlations"),
        _range(fit.prior_sensitivity, result.model, name, "with other priors"),
    ]
    words = " and ".join(filter(None, ranges))
    return f"The {_point_name(result, name)} was {words}." if words else ""


def left_out_sentence(fit: SetFit, result: Result) -> str:
    """Return the smallest and the largest main estimate of a model without one trial; empty without such refits."""
    name = _main_estimate(result)
    labels = dict(zip(result.effects.trial, result.effects.labels, strict=True))
    values = {
        labels.get(str(record["left_out"]), str(record["left_out"])): value
        for record in fit.leave_one_out
        if record["model"] == result.model and isinstance(value := record.get(name), float)
    }
    if not values:
        return ""
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    if number(values[low]) == number(values[high]):
        return f"The {_point_name(result, name)} is {number(values[low])} whichever trial is left out."
    span = f"from {number(values[low])} (without {low}) to {number(values[high])} (without {high})"
    return f"If one trial is left out, the {_point_name(result, name)} ranges {span}."


def _main_estimate(result: Result) -> str:
    """Return the name of the first main estimate of a result; empty without one."""
    return next((name for name in headline(result.model) if name in result.estimates), "")


def _estimate_name(result: Result, name: str) -> str:
    return SYMBOLS["r"] if name == "r" else uncapitalised(estimate_label(name, final_name(result.effects)))


def _point_name(result: Result, name: str) -> str:
    """Return the name of an estimate that is printed without its interval."""
    kind = "posterior median" if result.is_bayesian else "estimate"
    return f"{kind} of {'' if name == 'r' else 'the '}{_estimate_name(result, name)}"


def _range(records: Iterable[Mapping[str, object]], model: str, name: str, words: str) -> str:
    values = [
        value
        for record in records
        if record["model"] == model and record.get("prior") != "default"
        if isinstance(value := record.get(name), float)
    ]
    span = dict.fromkeys(map(number, (min(values), max(values)))) if values else ()
    return f"{' to '.join(span)} {words}" if span else ""


def _estimates_in_words(result: Result, kind: str) -> str:
    """Return the main estimates with their intervals; ``kind`` names the interval of the first."""
    words: list[str] = []
    for name in headline(result.model):
        estimate = result.estimates.get(name)
        if isinstance(estimate, Estimate):
            named = kind and not words and estimate.low is not None and estimate.high is not None
            value = (
                f"{number(estimate.value)} ({kind} {interval(estimate.low, estimate.high)})"
                if named
                else _with_interval(estimate)
            )
            words.append(f"{_estimate_name(result, name)} {value}")
        elif estimate is not None and not kind:
            value = estimate.value_words.replace("no STE", "none")
            words.append(f"threshold {value} (new trial: {estimate.new_trial}{_limits(estimate)})")
    return ", ".join(words)


def _with_interval(estimate: Estimate) -> str:
    """Return an estimate with its interval, or that there is none."""
    words = with_interval(estimate)
    limited = estimate.unbounded or (estimate.low is not None and estimate.high is not None)
    return words if limited else f"{words} (no interval)"
