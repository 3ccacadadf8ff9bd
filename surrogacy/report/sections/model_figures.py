"""Figures of the models: bubble plot, forest plot, posterior and slopes by class, with their captions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.surrogate_only import SurrogateOnlyPrediction, is_predictable
from surrogacy.report.captions import association, caveats_of, comparisons_of, intervals_drawn, sentences, surrogates_of
from surrogacy.report.section import Drawing, drawing, text
from surrogacy.report.sections.predictions import marked_trial, new_trial_words
from surrogacy.results.class_order import class_pages
from surrogacy.results.endpoint_names import final_name, with_article
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.format import number, percent, settings_in_words, with_interval
from surrogacy.results.labels import model_label, weights_in_words
from surrogacy.results.result import Result

MOST_NAMED = 16  # comparisons of a bubble plot that names each; more are numbered


def model_drawings(run: FitRun) -> Iterator[Drawing]:
    """Return the figures of each set: the effects as a forest plot, the first line as a bubble plot, the posteriors."""
    focus = run.focus_names
    for fit in run.sets:
        if not fit.results:
            continue
        lines = [result for result in fit.results if result.line is not None]
        pooled = [result for result in fit.results if "loglik" in result.estimates]
        if not fit.omitted:
            yield from _forests((pooled or list(fit.results))[-1], focus)
        if _marks_are_complete(run, fit):
            yield _bubble(run, (lines or list(fit.results))[0])
        if not fit.omitted:
            yield from (_posterior(result) for result in fit.results if result.posterior is not None)
            yield from (_class_slopes(result) for result in fit.results if _has_classes(result))


def _marks_are_complete(run: FitRun, fit: SetFit) -> bool:
    """Return whether the run has come to the predictions that the bubble plot of a set shows."""
    predicted = {entry.prediction.set for entry in run.surrogate_only}
    has_line = any(result.line is not None for result in fit.results)
    new_trial = run.settings.new_trial is None or bool(run.predictions) or not has_line
    return new_trial and (fit.name in predicted or not is_predictable(fit.analysis_set, fit.results))


def _bubble(run: FitRun, result: Result) -> Drawing:
    """Return the bubble plot with the new trial and the added or named comparisons without a final effect.

    Those of the shipped tables are not drawn: their bars would hide the trials.
    """
    name = result.effects.name
    predicted = [entry for entry in run.shown_surrogate_only if entry.prediction.set == name]
    show = run.settings.show
    caption = bubble_caption(result, predicted, run.focus_names, show)
    keywords: dict[str, Any] = {"focus": run.focus_names, "surrogate_only": tuple(entry.mark for entry in predicted)}
    keywords |= {"show": show, "correlation": _correlation(run, result)}
    new_trial, predictions = run.settings.new_trial, run.predictions_by(result)
    if new_trial is not None and predictions:
        keywords["new_trial"] = marked_trial(new_trial, predictions[-1])
        mark = text("bubble_new_trial", target=predictions[-1].target, hr=new_trial_words(new_trial))
        caption = f"{caption.rstrip()} {mark}\n"
    return drawing("bubble", f"bubble-{name}", caption, result, effects=result.effects, **keywords)


def _correlation(run: FitRun, result: Result) -> Estimate | None:
    """Return the weighted Pearson correlation of the comparisons of a weighted regression, if it was fitted."""
    if result.model != "weighted-regression":
        return None
    fits = [fit for fit in run.sets if fit.name == result.effects.name]
    pearson = fits[0].result("weighted-pearson") if fits else None
    return None if pearson is None or pearson.size != result.size else pearson.estimate("r")


def bubble_caption(
    result: Result,
    predicted: Sequence[SurrogateOnlyPrediction] = (),
    focus: Sequence[str] = (),
    show: Collection[str] = (),
) -> str:
    """Return the caption of the bubble plot.

    Parameters
    ----------
    result : Result
    predicted : sequence of SurrogateOnlyPrediction
        Comparisons without a final effect that are drawn: the added ones. With those of the shipped tables as well, the
        bars hide the trials.
    focus : sequence of str
        Trials or comparisons with a ring.
    show : collection of {"confidence", "ste", "intervals", "equation"}
        What is drawn besides the trials, the line and its prediction band.
    """
    effects = result.effects
    weights = weights_in_words(result.shown_weights.name, effects)
    final = with_article(final_name(effects))
    parts = [
        f"Treatment effects on {surrogates_of(result)} and on {final}: {comparisons_of(result)}.",
        text("bubbles", weights=weights),
    ]
    if "intervals" in show:
        parts.append(intervals_drawn(result, text("thin_lines")))
    threshold = result.estimates.get("ste_prediction")
    if result.line is not None and isinstance(threshold, ThresholdEffect):
        parts += _line_sentences(result, threshold, with_confidence="confidence" in show)
    if len(effects) > MOST_NAMED:
        parts.append(text("bubble_names"))
    if not set(focus).isdisjoint((*effects.trial, *effects.comparison)):
        parts.append(text("bubble_focus"))
    if predicted:
        labels = ", ".join(entry.comparison.label for entry in predicted)
        first = predicted[0].prediction
        model, final_label = model_label(first.model), final_name(effects)
        parts.append(text("bubble_surrogate_only", labels=labels, final=final_label, model=model, target=first.target))
    if _any_unverified(result):
        parts.append("Dashed outline: a hazard ratio or its limits were not verified in any source.")
    return " ".join(parts) + caveats_of(result) + "\n"


def _line_sentences(result: Result, threshold: ThresholdEffect, *, with_confidence: bool) -> list[str]:
    """Return sentences on the line, its bands and the surrogate threshold effect."""
    slope = result["slope"]
    confidence: ThresholdEffect = result["ste_confidence"]
    line = text(
        "bubble_line",
        model=model_label(result.model),
        settings=settings_in_words(result),
        slope=with_interval(slope),
        method=slope.method,
        intercept=with_interval(result["intercept"]),
        association=association(result),
    )
    size = f"of {number(threshold.new_n, 0)} patients" if threshold.new_n else f"({threshold.new_trial})"
    only_sizes_of_set = result.line is not None and not result.line.scatter_known
    return [
        line,
        text("bubble_bands", level=percent(threshold.level), size=size),
        *([text("bubble_confidence_band", level=percent(threshold.level))] if with_confidence else []),
        *([text("bubble_no_between_trial")] if only_sizes_of_set else []),
        f"Surrogate threshold effect (STE): {threshold.value_words}{threshold.uncertainty_words} "
        f"({threshold.band_and_size}); by the confidence band, which is not a prediction: "
        f"{confidence.value_words}.{_threshold_interval(threshold)}",
    ]


def _threshold_interval(threshold: ThresholdEffect) -> str:
    """Return a sentence on the interval that stands after the threshold."""
    limits = threshold.uncertainty
    if limits is None or threshold.hr is None:
        return ""
    key = "bubble_threshold_exists" if limits.low is None else "bubble_threshold_interval"
    return f" {text(key, level=percent(limits.level), method=limits.method)}"


def _any_unverified(result: Result) -> bool:
    """Return whether a hazard ratio or its limits were not read in any source."""
    return bool(result.effects.unverified.any())


def _forests(result: Result, focus: Sequence[str]) -> Iterator[Drawing]:
    """Return the forest plot, in parts that do not divide a class if it is longer than a page."""
    name, caption, parts = f"forest-{result.effects.name}", _forest_caption(result), len(class_pages(result))
    if parts == 1:
        yield drawing("forest", name, caption, result, effects=result.effects, focus=focus)
        return
    for part in range(parts):
        mean = "" if part == parts - 1 or "mu_surrogate" not in result.estimates else "; mean effects: last part"
        words = f"Part {part + 1} of {parts}{mean}. {caption}"
        yield drawing("forest", f"{name}-{part + 1}", words, result, effects=result.effects, focus=focus, part=part)


def _forest_caption(result: Result) -> str:
    effects = result.effects
    final = with_article(final_name(effects))
    parts = [
        f"Hazard ratios of {surrogates_of(result)} and of {final}, {comparisons_of(result)}.",
        _symbol_areas(result),
        intervals_drawn(result, "Intervals are 95%, recomputed from the standard errors that were fitted."),
    ]
    if "mu_surrogate" in result.estimates:
        settings = settings_in_words(result)
        method = result["mu_final"].method
        parts.append(text("diamond", model=model_label(result.model), settings=settings, method=method))
    left_out = [entry.comparison for entry in result.left_out]
    one_endpoint = int((~effects.complete & ~np.isin(effects.comparison, left_out)).sum())
    if one_endpoint:
        parts.append(text("forest_one_endpoint", count=one_endpoint))
    if _any_unverified(result):
        parts.append("† and open symbol: a hazard ratio or its limits were not verified in any source.")
    # caveats of the model concern the diamond
    caveats = caveats_of(result) if "mu_surrogate" in result.estimates else sentences("Caveat", effects.problems)
    return " ".join(parts) + caveats + "\n"


def _symbol_areas(result: Result) -> str:
    """Return a sentence on the areas of the symbols of a forest plot."""
    effects, weights = result.effects, result.shown_weights.name
    if np.isfinite(effects.n).all():
        return "Symbol area: number of patients."
    areas = "equal areas" if weights == "none" else f"areas by weight ({weights_in_words(weights, effects)})"
    return text("forest_areas", areas=areas)


def _posterior(result: Result) -> Drawing:
    sampled = result.posterior is not None and result.posterior.samples is not None
    name = f"posterior-{result.effects.name}" + (f"-{result.model}" if sampled else "")
    overlap = ""
    if "prior_overlap" in result.estimates:
        share, median = percent(result["prior_overlap"].value), number(result["r2_trial_prior"].value)
        overlap = f"; prior and posterior overlap by {share}, prior median {median}"
    caption = (
        f"Posterior (filled) and prior (dashed) densities of the {model_label(result.model)}: "
        f"{comparisons_of(result)}; {settings_in_words(result)}. {_capital(association(result))}{overlap}. "
        f"{text('slope_panels', slope=with_interval(result['slope']))}{caveats_of(result)}\n"
    )
    return drawing("posterior", name, caption, result)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _class_slopes(result: Result) -> Drawing:
    caption = text(
        "classes",
        model=model_label(result.model),
        exchangeability=result.settings["exchangeability"],
        data=comparisons_of(result),
        settings=settings_in_words(result),
        caveats=caveats_of(result),
    )
    return drawing("class_slopes", f"class-slopes-{result.effects.name}-{result.model}", caption, result)


def _has_classes(result: Result) -> bool:
    by_class = any(name.startswith("slope[") for name in result.estimates)
    return by_class and "exchangeability" in result.settings
