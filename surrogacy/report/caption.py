"""Captions: what a figure shows, in words that can be pasted under it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from surrogacy.evaluation.cross_validation import Predictions
from surrogacy.evaluation.placement import Focus
from surrogacy.results.endpoint_names import endpoint_of, final_name, surrogate_names, with_article
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import number, settings_in_words, with_interval
from surrogacy.results.labels import weights_in_words
from surrogacy.results.result import Result


def _who(result: Result) -> str:
    effects = result.effects
    size = effects.n_patients
    patients = f", {size:,.0f} patients" if size == size else ""
    return f"{result.size} comparisons from {len(effects.trials)} trials{patients} (set {effects.name})"


def _caveats(result: Result) -> str:
    return "".join(f" Caveat: {problem}." for problem in result.problems)


def _surrogates(result: Result) -> str:
    return ", ".join(map(with_article, surrogate_names(result.effects)))


def _intervals(result: Result, words: str) -> str:
    """Sentence on the intervals that are drawn, and on comparisons that are drawn without one."""
    effects = result.effects
    labels = [label for label, known in zip(effects.labels, effects.has_standard_errors, strict=True) if not known]
    if len(labels) == len(effects):
        return "No intervals are drawn: the standard errors are not known."
    return f"{words} Without an interval, as the standard error is not known: {', '.join(labels)}." if labels else words


def _association(result: Result) -> str:
    """R2, or for a model that has none the conditional SD."""
    name, words = ("r2_trial", "trial-level R²") if "r2_trial" in result.estimates else ("sigma_cond", "conditional SD")
    return f"{words} {with_interval(result[name])} ({result[name].method})"


def bubble_caption(result: Result) -> str:
    """Caption of the bubble plot."""
    effects = result.effects
    parts = [
        f"Treatment effects on {_surrogates(result)} and on {with_article(final_name(effects))}: {_who(result)}.",
        f"Each symbol is a comparison; its area is proportional to its weight "
        f"({weights_in_words(result.shown_weights.name, effects)}), its colour shows the class of "
        "treatment and its shape the stage of disease. Both axes are hazard ratios on one log scale; below 1 favours the "
        "experimental arm.",
    ]
    if len(effects) <= 15:
        parts.append(
            _intervals(result, "Thin lines: 95% confidence intervals, recomputed at 95% from the standard errors.")
        )
    threshold = result.estimates.get("ste_prediction")
    if result.line is not None and isinstance(threshold, ThresholdEffect):
        slope, intercept = result["slope"], result["intercept"]
        parts.append(
            f"Line: {result.model.replace('-', ' ')} ({settings_in_words(result)}), drawn over the data only; slope "
            f"{with_interval(slope)} ({slope.method}), intercept {with_interval(intercept)}; {_association(result)}."
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
            f"{confidence.value_words}."
        )
    drawn = isinstance(threshold, ThresholdEffect) and threshold.hr is not None and threshold.status != "two-sided"
    parts += ["Grey area: surrogate effects beyond the threshold."] if drawn else []
    parts.append("Dotted line: equal effects. Ring: the trial in focus.")
    if effects.unverified.any():
        parts.append("Dashed outline: a hazard ratio or its limits were not verified in any source.")
    return " ".join(parts) + _caveats(result) + "\n"


def forest_caption(result: Result) -> str:
    """Caption of the paired forest plot."""
    parts = [
        f"Hazard ratios of {_surrogates(result)} and of {with_article(final_name(result.effects))}, {_who(result)}.",
        "Symbol area and percentages are shares of the patients."
        if np.isfinite(result.effects.n).all()
        else f"Symbol area: weight ({weights_in_words(result.shown_weights.name, result.effects)}).",
        _intervals(result, "Intervals are 95%, recomputed from the standard errors that were fitted."),
    ]
    if "mu_surrogate" in result.estimates:
        parts.append(
            f"Diamond: mean effect by {result.model.replace('-', ' ')} ({settings_in_words(result)}), 95% confidence interval "
            f"({result['mu_final'].method}); line below: 95% prediction interval of the true effect in a new trial (t with k - 2 degrees of freedom, tau taken as known)."
        )
    if result.effects.unverified.any():
        parts.append("† and open symbol: a hazard ratio or its limits were not verified in any source.")
    return " ".join(parts) + _caveats(result) + "\n"


def posterior_caption(result: Result) -> str:
    """Caption of the posterior of r2_trial and the line."""
    parts = [
        f"Posterior (filled) and prior (outline) of a Bayesian model, {result.model.replace('-', ' ')}: {_who(result)}; "
        f"{settings_in_words(result)}.",
        f"Left: {_association(result)}"
        + (
            f"; prior and posterior overlap by {result['prior_overlap'].value:.0%}, prior median "
            f"{number(result['r2_trial_prior'].value)}."
            if "prior_overlap" in result.estimates
            else "."
        ),
        f"Middle: slope {with_interval(result['slope'])}; it has no finite variance where tau_surrogate may be 0, so that its tails "
        "go on beyond the panel. Right: draws of intercept and slope, with their medians; draws outside the panel are left out.",
    ]
    return " ".join(parts) + _caveats(result) + "\n"


def placement_caption(focus: Focus, results: Sequence[Result]) -> str:
    """Caption of a trial between lines."""
    lines = "; ".join(_who(result) for result in results)
    final = endpoint_of(focus.effects, 0, "final")
    return (
        f"{focus.label} (ring) and the surrogacy lines of {results[0].model.replace('-', ' ')} ({settings_in_words(results[0])}): {lines}. "
        f"Bands: 95% prediction band of the true {final} effect, over the data only. Vertical lines: 95% (thin) and 80% (thick) prediction "
        f"interval of the {final} hazard ratio that {focus.label} would observe, with the errors of both its effects and their correlation; "
        f"from lines fitted without it, at each data cut of its surrogate effect.{''.join(_caveats(result) for result in results[:1])}\n"
    )


def class_caption(result: Result) -> str:
    """Caption of the slopes by class."""
    return (
        f"Slope of the surrogacy line by class of treatment, drawn towards each other ({result.model.replace('-', ' ')}, "
        f"{result.settings['exchangeability']} exchangeability): {_who(result)}; {settings_in_words(result)}. Posterior medians with "
        "equal-tailed 95% intervals; k = comparisons of the class. With few comparisons a class says little of its own."
        f"{_caveats(result)}\n"
    )


def cross_validation_caption(found: Predictions, result: Result) -> str:
    """Caption of the trials predicted from the others; ``result`` is the fit to all of them."""
    final = final_name(result.effects)
    covered, of = found.coverage
    covered_80, _ = found.coverage_80
    return (
        f"{_who(result)}, each predicted by {found.model.replace('-', ' ')} from its surrogate effect and the other trials: median (bar), "
        f"95% and 80% prediction interval of the {final} hazard ratio that it would observe; below it the observed one with its 95% interval. {covered} of {of} "
        f"lie within the 95% interval, {covered_80} within the 80% interval; root mean squared error {found.rmse:.2f} (log scale). A trial leaves with "
        "all its comparisons. Few trials make intervals that hold anything: coverage alone shows no surrogacy.\n"
    )


def choices_caption(name: str, model: str) -> str:
    """Caption of the estimates by every choice."""
    return (
        f"Trial-level R² and slope of {name} ({model.replace('-', ' ')}) with 95% intervals, one choice varied at a time and the others as in this run "
        "(red). Choices that change no hazard ratio of the set are left out. Hollow: the fit lies on the boundary. Arrow: the interval goes on "
        "beyond the panel; no line: none is defined. The rows share their trials: they are no independent confirmations. k = comparisons.\n"
    )


def prior_caption(name: str, records: Sequence[Mapping[str, Any]]) -> str:
    """Caption of the sensitivity to the prior."""
    first = records[0]
    overlap = (
        f" At the default priors, prior and posterior of R² overlap by {first['prior_overlap']:.0%} (median "
        f"{number(first['r2_trial_prior'])} before, {number(first['r2_trial'])} after)."
        if "prior_overlap" in first
        else ""
    )
    return (
        f"What other priors would have made of the same data (set {name}): posterior median and equal-tailed 95% interval of the "
        "trial-level R² and of the slope of the bivariate model, exact. Each row differs from the default priors (tau half-normal(0.5), rho_between "
        "uniform(-1, 1)) in what it names. STE: surrogate threshold effect as a hazard ratio, 95% prediction band for the true "
        "effect of a new trial; – = none, – § = none because a benefit is predicted even without an effect on the "
        f"surrogate.{overlap}\n"
    )
