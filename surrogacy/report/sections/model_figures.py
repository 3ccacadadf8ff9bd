"""Figures of the models: bubble plot, posterior and slopes by class, with their captions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.new_trial import NewTrial
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction
from surrogacy.evaluation.surrogate_only import SurrogateOnlyPrediction, is_predictable
from surrogacy.report.captions import (
    association,
    association_method,
    association_name,
    capital,
    caption_of,
    comparisons_of,
    intervals_drawn,
    model_in_words,
    surrogates_of,
)
from surrogacy.report.section import Drawing, drawing, phrase, text
from surrogacy.report.sections.forest_figures import forest_drawings
from surrogacy.report.sections.predictions import marked_trial, marked_trial_words, new_trial_words
from surrogacy.report.sections.surrogate_only import surrogate_only_words
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import final_name, surrogate_names, with_article
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.format import listed, number, percent, settings_in_words, with_interval
from surrogacy.results.labels import weights_in_words
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
            yield from forest_drawings((pooled or list(fit.results))[-1], focus)
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
    keywords: dict[str, Any] = {"focus": run.focus_names, "surrogate_only": tuple(entry.mark for entry in predicted)}
    keywords |= {"show": show, "correlation": _correlation(run, result)}
    new_trial, predictions = run.settings.new_trial, run.predictions_by(result)
    words = {entry.mark.identifier: surrogate_only_words(entry, final_name(result.effects)) for entry in predicted}
    if new_trial is not None and predictions:
        keywords["new_trial"] = marked = marked_trial(new_trial, predictions[-1])
        words[marked.identifier] = marked_trial_words(new_trial, predictions[-1], result)
    keywords["words"] = words
    caption = bubble_caption(
        result,
        predicted,
        run.focus_names,
        show,
        correlated=keywords["correlation"] is not None,
        new_trial=(new_trial, predictions[-1]) if new_trial is not None and predictions else None,
    )
    alternative = _bubble_alternative(result)
    name = f"bubble-{name}"
    return drawing("bubble", name, caption, result, effects=result.effects, alternative=alternative, **keywords)


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
    *,
    correlated: bool = False,
    new_trial: tuple[NewTrial, NewTrialPrediction] | None = None,
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
    correlated : bool
        Whether the weighted Pearson correlation is written in the corner.
    new_trial : tuple of NewTrial and NewTrialPrediction, optional
        New trial that is drawn, with its prediction.
    """
    effects = result.effects
    final = final_name(effects)
    weights = weights_in_words(result.shown_weights.name, effects)
    shown = [
        f"Treatment effects on {surrogates_of(result)} and on {with_article(final)}: {comparisons_of(result)}.",
        text("bubbles", weights=weights),
    ]
    details = []
    threshold = result.estimates.get("ste_prediction")
    if result.line is not None and isinstance(threshold, ThresholdEffect):
        shown += _line_sentences(result, threshold)
        details += _line_details(result, threshold, with_confidence="confidence" in show)
    if correlated:
        details.insert(0, text("bubble_correlation"))
    if new_trial is not None:
        shown.append(text("bubble_new_trial", hr=new_trial_words(new_trial[0])))
        details.append(text("bubble_new_trial_details", target=new_trial[1].target))
    if "intervals" in show:
        details.append(intervals_drawn(result, text("thin_lines")))
    if len(effects) > MOST_NAMED:
        details.append(text("bubble_names"))
    ringed = [
        label
        for label, trial, comparison in zip(effects.labels, effects.trial, effects.comparison, strict=True)
        if trial in focus or comparison in focus
    ]
    if ringed:
        details.append(text("bubble_focus", labels=listed(ringed)))
    if predicted:
        labels = ", ".join(entry.comparison.label for entry in predicted)
        target, model = predicted[0].prediction.target, model_in_words(predicted[0].prediction.model)
        details.append(text("bubble_surrogate_only", labels=labels, final=final))
        details.append(text("bubble_surrogate_only_details", final=final, target=target, model=model))
    if result.effects.unverified.any():
        details.append(text("bubble_unverified"))
    return caption_of(shown, details, result.problems)


def _line_sentences(result: Result, threshold: ThresholdEffect) -> list[str]:
    """Return sentences on the line, its prediction band and the surrogate threshold effect."""
    size = f"of {number(threshold.new_n, 0)} patients" if threshold.new_n else f"({threshold.new_trial})"
    only_sizes_of_set = result.line is not None and not result.line.scatter_known
    level = percent(threshold.level)
    return [
        text("bubble_line", model=model_in_words(result.model), association=association(result)),
        text(
            "bubble_bands",
            level=level,
            size=size,
            only_sizes_of_set=text("bubble_no_between_trial") if only_sizes_of_set else "",
        ),
        text(
            "bubble_threshold",
            final=final_name(result.effects),
            threshold=f"{threshold.value_words}{threshold.uncertainty_words}",
        ),
    ]


def _line_details(result: Result, threshold: ThresholdEffect, *, with_confidence: bool) -> list[str]:
    """Return sentences on the settings of the line and on how its estimates were obtained."""
    slope = result["slope"]
    confidence: ThresholdEffect = result["ste_confidence"]
    limits = threshold.uncertainty
    details = [text("bubble_confidence_band", level=percent(confidence.level))] if with_confidence else []
    details += [
        text(
            "bubble_line_details",
            settings="" if result.weights is not None else f"{capital(settings_in_words(result))}. ",
            slope=with_interval(slope),
            method=slope.method,
            intercept=with_interval(result["intercept"]),
            association_method=association_method(result),
        ),
    ]
    if limits is not None and threshold.hr is not None:
        key = "bubble_threshold_exists" if limits.low is None else "bubble_threshold_interval"
        details.append(text(key, level=percent(limits.level), method=limits.method))
    return [*details, text("bubble_confidence_threshold", threshold=confidence.value_words)]


def _bubble_alternative(result: Result) -> str:
    """Return kind and message of the bubble plot."""
    effects, line = result.effects, ""
    if result.line is not None and "ste_prediction" in result.estimates:
        slope = result["slope"]
        direction = "rising" if slope.value > 0 else "falling"
        name, words = association_name(result)
        line = phrase(
            "alternative_texts",
            "bubble-line",
            direction=direction,
            slope=number(slope.value),
            association=f"{words} {number(result[name].value)}",
            level=percent(result["ste_prediction"].level),
        )
    return phrase(
        "alternative_texts",
        "bubble",
        surrogate="/".join(surrogate_names(effects)),
        final=final_name(effects),
        k=result.size,
        set=set_label(effects.name),
        line=line,
    )


def _posterior(result: Result) -> Drawing:
    sampled = result.posterior is not None and result.posterior.samples is not None
    name = f"posterior-{result.effects.name}" + (f"-{result.model}" if sampled else "")
    overlap = ""
    if "prior_overlap" in result.estimates:
        share, median = percent(result["prior_overlap"].value), number(result["r2_trial_prior"].value)
        overlap = text("posterior_overlap", overlap=share, median=median)
    estimate, words = association_name(result)
    quantities = f"{'trial-level R² and ' if estimate == 'r2_trial' else ''}the slope of the line"
    model, slope = model_in_words(result.model), result["slope"]
    caption = caption_of(
        [
            text(
                "posterior_caption",
                quantities=quantities,
                model=model,
                data=comparisons_of(result),
                association=capital(association(result)),
                slope=with_interval(slope),
                overlap=overlap,
            )
        ],
        [
            text("posterior_details", settings=capital(settings_in_words(result)), method=slope.method),
            text("posterior_infinite"),
        ],
        result.problems,
    )
    alternative = phrase(
        "alternative_texts",
        "posterior",
        quantities=quantities,
        model=model,
        set=set_label(result.effects.name),
        k=result.size,
        association=f"{words} {number(result[estimate].value)}",
        slope=number(slope.value),
    )
    return drawing("posterior", name, caption, result, alternative=alternative)


def _class_slopes(result: Result) -> Drawing:
    settings, slope = capital(settings_in_words(result)), result["slope"]
    caption = caption_of(
        [text("classes", model=model_in_words(result.model), data=comparisons_of(result))],
        [text("classes_details", settings=settings, method=slope.method)],
        result.problems,
    )
    slopes = [result[name].value for name in result.estimates if name.startswith("slope[")]
    alternative = phrase(
        "alternative_texts",
        "class_slopes",
        set=f"{set_label(result.effects.name)}, {model_in_words(result.model)}",
        lowest=number(min(slopes)),
        highest=number(max(slopes)),
        mean=number(slope.value),
        k=result.size,
    )
    name = f"class-slopes-{result.effects.name}-{result.model}"
    return drawing("class_slopes", name, caption, result, alternative=alternative)


def _has_classes(result: Result) -> bool:
    by_class = any(name.startswith("slope[") for name in result.estimates)
    return by_class and "exchangeability" in result.settings
