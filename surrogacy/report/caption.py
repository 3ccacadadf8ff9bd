"""Captions: what a figure shows, in words that can be pasted under it."""

from __future__ import annotations

from surrogacy.report.words import number, settings_in_words, with_interval
from surrogacy.results import Result, ThresholdEffect
from surrogacy.weights import IN_WORDS, weighting


def _who(result: Result) -> str:
    effects = result.effects
    size = effects.patients
    patients = f", {size:,.0f} patients" if size == size else ""
    return f"{len(effects)} comparisons from {len(effects.trials)} trials{patients} (set {effects.name})"


def _caveats(result: Result) -> str:
    return "".join(f" Caveat: {problem}." for problem in result.problems)


def bubble_caption(result: Result) -> str:
    """Caption of the bubble plot."""
    effects = result.effects
    endpoints = list(dict.fromkeys(effects.factors.get("surrogate", ()))) or ["the surrogate"]
    parts = [
        f"Treatment effects on {', '.join(endpoints)} and on {next(iter(effects.factors.get('final', ())), 'the final endpoint')}: "
        f"{_who(result)}.",
        f"Each symbol is a comparison; its area is proportional to its weight ({IN_WORDS[weighting(result.settings, effects)]}), its colour shows the class of "
        "treatment and its shape the stage of disease. Both axes are hazard ratios on one log scale; below 1 favours the "
        "experimental arm.",
    ]
    if len(effects) <= 15:
        parts.append("Thin lines: 95% confidence intervals, recomputed at 95% from the standard errors.")
    if result.line is not None:
        slope, intercept = result["slope"], result["intercept"]
        threshold: ThresholdEffect = result["ste_prediction"]
        parts.append(
            f"Line: {result.model.replace('-', ' ')} ({settings_in_words(result)}), drawn over the data only; slope "
            f"{with_interval(slope)} ({slope.kind}), intercept {with_interval(intercept)}; trial-level R² "
            f"{with_interval(result['r2_trial'])} ({result['r2_trial'].kind})."
        )
        new = (
            f"for a new trial of {threshold.new_n:.0f} patients"
            if threshold.new_n
            else f"for a new trial ({threshold.new_trial})"
        )
        parts.append(
            f"Dark band: {threshold.level:.0%} confidence band of the line; light band with dashed edges: {threshold.level:.0%} "
            f"prediction band {new}."
        )
        confidence: ThresholdEffect = result["ste_confidence"]
        parts.append(
            f"Surrogate threshold effect: {threshold}; by the confidence band, which is not a prediction: "
            f"{'none' if confidence.hr is None else number(confidence.hr)}."
        )
    parts.append("Grey area: surrogate effects beyond the threshold. Dotted line: equal effects. Ring: the trial in focus.")
    evidence = [effects.factors.get(f"{side}_evidence", ()) for side in ("surrogate", "final")]
    if any("unverified" in values for values in evidence):
        parts.append("Dashed outline: a hazard ratio or its limits were not verified in any source.")
    return " ".join(parts) + _caveats(result) + "\n"


def forest_caption(result: Result) -> str:
    """Caption of the paired forest plot."""
    parts = [
        f"Hazard ratios of the surrogate and of OS, {_who(result)}.",
        "Symbol area and percentages are shares of the patients. Intervals are 95%, recomputed from the standard errors "
        "that were fitted.",
    ]
    if "mu_surrogate" in result.estimates:
        parts.append(
            f"Diamond: mean effect by {result.model.replace('-', ' ')} ({settings_in_words(result)}), 95% confidence interval "
            f"({result['mu_final'].kind}); line below: 95% prediction interval of the true effect in a new trial (t with k - 2 degrees of freedom, tau taken as known)."
        )
    evidence = [result.effects.factors.get(f"{side}_evidence", ()) for side in ("surrogate", "final")]
    if any("unverified" in values for values in evidence):
        parts.append("† and open symbol: a hazard ratio or its limits were not verified in any source.")
    return " ".join(parts) + _caveats(result) + "\n"
