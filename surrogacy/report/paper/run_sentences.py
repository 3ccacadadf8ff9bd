"""Sentences on predictions, trials in focus and differences between sets, each number with its interval."""

from __future__ import annotations

from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.new_trial_prediction import TRUE_EFFECT, NewTrialPrediction
from surrogacy.evaluation.placement import Placement
from surrogacy.report.paper.set_facts import SetFacts
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import interval, number, percent
from surrogacy.results.labels import POSITIONS, model_label


def placement_sentence(entry: Placement) -> str:
    """Return the prediction for a trial in focus with its interval, and the observed hazard ratio."""
    span = interval(entry.low_95, entry.high_95)
    return (
        f"{entry.label} ({entry.cut} data cut, surrogate hazard ratio {number(entry.hr_surrogate)}): predicted hazard "
        f"ratio {number(entry.predicted)} (95% prediction interval {span}), observed {number(entry.hr_final)}, "
        f"{POSITIONS[entry.position]} ({model_label(entry.model)}, {set_label(entry.set)}, without the trial)"
    )


def target_in_words(target: str) -> str:
    """Return the predicted quantity of a new trial in words."""
    if target == TRUE_EFFECT:
        return "its true hazard ratio"
    return f"its observed hazard ratio with {target.removeprefix('observed, ')}"


def prediction_sentence(prediction: NewTrialPrediction, entry: SetFacts) -> str:
    """Return the predicted hazard ratio of a new trial with its prediction intervals."""
    beyond = "; the surrogate hazard ratio lies outside the data" if prediction.beyond_data else ""
    return (
        f"{entry.label}: predicted {entry.final} hazard ratio {number(prediction.predicted)} (95% prediction interval "
        f"{interval(prediction.low_95, prediction.high_95)}, 80% {interval(prediction.low_80, prediction.high_80)}; "
        f"{model_label(prediction.model)}, {prediction.target}{beyond})"
    )


def difference_sentence(difference: Difference) -> str:
    """Return the correlations of two sets and their difference with its interval."""
    first, second = map(set_label, difference.names)
    contrast = difference.contrasts["r"]
    values = f"r {number(contrast.first)} in {first} and {number(contrast.second)} in {second}"
    low, high = contrast.difference.low, contrast.difference.high
    if low is None or high is None:
        return f"{values}; the difference has no interval"
    return (
        f"{values}; difference {number(contrast.difference.value)} "
        f"({percent(difference.level)} interval {interval(low, high)})"
    )
