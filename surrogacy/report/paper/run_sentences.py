"""Sentences on predictions, trials in focus and differences between sets, each number with its interval."""

from __future__ import annotations

from collections.abc import Container, Iterable

import numpy as np

from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.new_trial_prediction import TRUE_EFFECT, NewTrialPrediction
from surrogacy.evaluation.placement import Focus, Placement
from surrogacy.pps.decomposition import Decomposition
from surrogacy.pps.gap_scenarios import DilutionRange
from surrogacy.report.paper.set_facts import SetFacts
from surrogacy.report.section import text
from surrogacy.report.sections.decomposition_answer import split_line
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import interval, number, percent, with_interval
from surrogacy.results.labels import OS_HAZARD_RATIOS, POSITIONS, model_label


def placement_sentences(
    entries: Iterable[Placement], focuses: Iterable[Focus], mostly_prior: Container[str]
) -> tuple[str, ...]:
    """Return the predictions for trials in focus with their intervals, and the observed hazard ratios with theirs.

    Parameters
    ----------
    entries : iterable of Placement
    focuses : iterable of Focus
        Comparisons in focus.
    mostly_prior : container of str
        Sets whose trials hardly change the prior.
    """
    known = {focus.comparison: focus for focus in focuses}
    return tuple(_placement(entry, known[entry.comparison], entry.set in mostly_prior) for entry in entries)


def _placement(entry: Placement, focus: Focus, mostly_prior: bool) -> str:
    low, high = (float(np.exp(limit[0, 1])) for limit in focus.effects.limits)
    observed = f"observed {number(entry.hr_final)}"
    if np.isfinite(low):
        observed = f"{observed} (95% confidence interval {interval(low, high)})"
    cut = f", {entry.cut} data cut" if len(focus.cuts) > 1 else ""
    prior = text("prediction_mostly_prior") if mostly_prior else ""
    return (
        f"{entry.label} (surrogate hazard ratio {number(entry.hr_surrogate)}{cut}): predicted hazard ratio "
        f"{number(entry.predicted)} (95% prediction interval {interval(entry.low_95, entry.high_95)}), {observed}, "
        f"{POSITIONS[entry.position]} ({model_label(entry.model)}, {set_label(entry.set)}, without the trial{prior})"
    )


def target_in_words(target: str) -> str:
    """Return the predicted quantity of a new trial in words."""
    if target == TRUE_EFFECT:
        return "its true hazard ratio"
    return f"its observed hazard ratio with {target.removeprefix('observed, ')}"


def prediction_sentence(prediction: NewTrialPrediction, entry: SetFacts) -> str:
    """Return the predicted hazard ratio of a new trial with its prediction intervals."""
    beyond = "; the surrogate hazard ratio lies outside the data" if prediction.beyond_data else ""
    prior = text("prediction_mostly_prior") if entry.prior_dominates else ""
    return (
        f"{entry.label}: predicted {entry.final} hazard ratio {number(prediction.predicted)} (95% prediction interval "
        f"{interval(prediction.low_95, prediction.high_95)}, 80% {interval(prediction.low_80, prediction.high_80)}; "
        f"{model_label(prediction.model)}, for {target_in_words(prediction.target)}{beyond}{prior})"
    )


def difference_sentence(difference: Difference) -> str:
    """Return the correlations of two sets and their difference with its interval."""
    first, second = map(set_label, difference.names)
    contrast = difference.contrasts["r"]
    values = f"weighted r {number(contrast.first)} in {first} and {number(contrast.second)} in {second}"
    low, high = contrast.difference.low, contrast.difference.high
    if low is None or high is None:
        return f"{values}; the difference has no interval"
    return (
        f"{values}; difference {number(contrast.difference.value)} "
        f"({percent(difference.level)} interval {interval(low, high)}){_slopes(difference)}"
    )


def _slopes(difference: Difference) -> str:
    """Return the difference of the slopes in the hierarchical model, with its prior; empty without this model."""
    if difference.hierarchical is None:
        return ""
    slope = difference.hierarchical.contrasts["slope"]
    prior = interval(slope.without_data.low, slope.without_data.high)
    value = with_interval(slope.difference)
    return f"; slopes in the hierarchical model: difference {value}, with the prior alone {prior}"


def decomposition_sentence(decomposition: Decomposition, structures: DilutionRange | None) -> str:
    """Return the parts of the gap between the effects of a trial, and the hazard ratios of the model."""
    ratios = {key: with_interval(decomposition.hazard_ratios[key]) for key in OS_HAZARD_RATIOS}
    words = text(
        "decomposition_answer",
        endpoint=decomposition.inputs.endpoint,
        split=split_line(decomposition, structures),
        pfs=with_interval(decomposition.hazard_ratios["pfs"]),
        **{key: value for key, value in ratios.items() if key != "pfs"},
    )
    calibration = decomposition.calibration
    structure = "" if calibration.structure.is_default else calibration.structure.label
    settings = "; ".join(
        filter(None, (calibration.scenario, calibration.words.replace("PPS", "post-progression survival"), structure))
    )
    return f"{decomposition.inputs.label} ({settings}): {words}"
