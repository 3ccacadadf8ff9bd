"""Predictions for a new trial (``--predict``): the row to quote, a sentence for a paper, and a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

import numpy as np

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.answers import Answer, Conclusion
from surrogacy.evaluation.new_trial import NewTrial, PredictedTrial
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction
from surrogacy.report.captions import caption_of, source
from surrogacy.report.section import BLANK, Detail, Drawing, Grid, Heading, Note, Section, drawing, phrase, table, text
from surrogacy.report.sections.answers import answers_of, surrogate_name
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, final_name, surrogate_names
from surrogacy.results.format import as_given, interval, number, percent, value_and_interval
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result
from surrogacy.stats.lines import ignores_surrogate_errors

EXTRAPOLATION = "† beyond the surrogate effects of the set: an extrapolation"


def section(run: FitRun) -> Section:
    """Return the predictions for the new trial by every line, and those to quote."""
    new_trial = run.settings.new_trial
    if new_trial is None:
        return Section(key="predictions", record={"predictions": []})
    final, quoted = common_final_name(fit.effects for fit in run.sets), quoted_models(run)
    rows = [
        (
            f"{prediction.set} (k = {prediction.k})",
            model_label(prediction.model),
            prediction.target,
            predicted_words(prediction),
            interval(prediction.low_80, prediction.high_80),
            number(prediction.p_below_1),
        )
        for prediction in run.predictions
    ]
    beyond = any(prediction.beyond_data for prediction in run.predictions)
    headings = ("Set", "Model", "Target", f"{final} HR (95% PI)", "80% PI", "P(HR < 1)")
    records = [asdict(entry) | {"quoted": quoted.get(entry.set) == entry.model} for entry in run.predictions]
    sentences = [_sentence(run, new_trial, fit, reply) for fit, reply in _answered(run)]
    return Section(
        key="predictions",
        answer=tuple(_answer(run, new_trial)),
        details=(Heading("The new trial"), Grid(headings, tuple(rows), caption=EXTRAPOLATION if beyond else ""), BLANK),
        tables=table("predictions", records, final=final, labels={"True": "yes", "False": ""}),
        record={"predictions": records, "prediction_sentences": sentences},
        prose="\n\n".join([*sentences, *_reasons(run)]) + "\n" if sentences else "",
    )


def quoted_models(run: FitRun) -> dict[str, str]:
    """Return the quoted model of every set in which it has a line."""
    return {fit.name: reply.quoted.model for fit, reply in _answered(run)}


def _answered(run: FitRun) -> list[tuple[SetFit, Answer]]:
    """Return the sets whose quoted model predicts the new trial."""
    answers = answers_of(run)
    pairs = ((fit, answers[fit.name]) for fit in run.sets if fit.name in answers)
    return [(fit, reply) for fit, reply in pairs if run.predictions_by(reply.quoted)]


def new_trial_words(new_trial: NewTrial) -> str:
    """Return the surrogate hazard ratio of the new trial with its limits."""
    return f"{as_given(new_trial.hr)} ({as_given(new_trial.low)} to {as_given(new_trial.high)})"


def marked_trial(new_trial: NewTrial, prediction: NewTrialPrediction) -> PredictedTrial:
    """Return the mark of the new trial in a bubble plot, on the log scale."""
    limits = ("predicted", "low_80", "high_80", "low_95", "high_95")
    marks = {name: float(np.log(getattr(prediction, name))) for name in limits}
    effect = {name: float(np.log(getattr(new_trial, name))) for name in ("low", "high")}
    return PredictedTrial(text("mark_new_trial"), new_trial.log_hr, **effect, **marks)


def marked_trial_words(new_trial: NewTrial, prediction: NewTrialPrediction, result: Result) -> str:
    """Return the words of the mark of the new trial: both hazard ratios, a line each."""
    surrogate = " or ".join(surrogate_names(result.effects))
    predicted = text("mark_predicted", final=final_name(result.effects), **_words(prediction))
    return f"{text('mark_new_trial')}\n{surrogate} HR {new_trial_words(new_trial)}\n{predicted}"


def _answer(run: FitRun, new_trial: NewTrial) -> Iterator[Detail]:
    """Return a row to quote for every set, the reason, and a sentence for a paper."""
    answered = _answered(run)
    if not answered:
        fitted = dict.fromkeys(result.model for fit in run.sets for result in fit.results)
        models = " and ".join(f"the {model_label(name)}" for name in fitted) or "no fitted model"
        final = common_final_name(fit.effects for fit in run.sets)
        yield Note(text("prediction_without_line", final=final, models=models), warning=True)
        yield BLANK
        return
    final = common_final_name(fit.effects for fit, _ in answered)
    surrogate = surrogate_name(answered[0][0]) if len(answered) == 1 else "PFS"
    yield Heading(text("prediction_title", surrogate=surrogate, hr=new_trial_words(new_trial), final=final))
    rows = [
        (
            set_label(entry.set),
            entry.target,
            predicted_words(entry),
            interval(entry.low_80, entry.high_80),
            percent(entry.p_below_1),
        )
        for _, reply in answered
        for entry in run.predictions_by(reply.quoted)
    ]
    headings = ("", "Predicted", f"{final} HR (95% interval)", "80% interval", f"P({final} HR < 1)")
    yield Grid(headings, tuple(rows), compact=True)
    beyond = any(entry.beyond_data for _, reply in answered for entry in run.predictions_by(reply.quoted))
    remarks = [text("prediction_which_set")] if len(answered) > 1 else []
    if any(len(run.predictions_by(reply.quoted)) > 1 for _, reply in answered):
        remarks.append(text("prediction_shared_error", rho=as_given(new_trial.rho_within)))
    yield Note(" ".join([*remarks, *_reasons(run), *([f"{EXTRAPOLATION}."] if beyond else [])]))
    key = "prediction_to_paste" if len(answered) == 1 else "prediction_to_paste_first"
    yield Note(text(key, sentence=_sentence(run, new_trial, *answered[0])))
    yield BLANK


def predicted_words(prediction: NewTrialPrediction) -> str:
    """Return the predicted hazard ratio with its 95 % interval; a dagger marks an extrapolation."""
    shown = value_and_interval(prediction.predicted, prediction.low_95, prediction.high_95)
    return f"{shown} †" if prediction.beyond_data else shown


def _reasons(run: FitRun) -> list[str]:
    """Return the reason for each quoted model."""
    results = {reply.quoted.model: reply.quoted for _, reply in _answered(run)}
    return [text(_reason(result), model=model_label(name)) for name, result in results.items()]


def _reason(result: Result) -> str:
    if ignores_surrogate_errors(result.line):
        return "prediction_reason_regression"
    return "prediction_reason_errors" if result.posterior is None else "prediction_reason_posterior"


def _sentence(run: FitRun, new_trial: NewTrial, fit: SetFit, reply: Answer) -> str:
    """Return a sentence for a paper."""
    first, *observed = run.predictions_by(reply.quoted)
    further = "".join(
        text("prediction_sentence_observed", n=f"{new_trial.n:,.0f}", **_words(entry)) for entry in observed
    )
    return text(
        "prediction_sentence",
        surrogate=surrogate_name(fit),
        final=final_name(fit.effects),
        **{name: as_given(getattr(new_trial, name)) for name in ("hr", "low", "high")},
        k=first.k,
        trials=len(reply.effects.trials),
        set=set_label(fit.name),
        target="" if first.target == "true effect" else f", {first.target}",
        chance=percent(first.p_below_1),
        model=model_label(reply.quoted.model),
        source=source(run.trials, run.settings.source_kind),
        observed=further,
        beyond=text("prediction_beyond") if first.beyond_data else "",
        prior=text("prediction_mostly_prior") if reply.conclusion is Conclusion.PRIOR else "",
        **_words(first),
    )


def _words(prediction: NewTrialPrediction) -> Mapping[str, str]:
    return {
        "predicted": number(prediction.predicted),
        "span": interval(prediction.low_95, prediction.high_95),
        "span_80": interval(prediction.low_80, prediction.high_80),
    }


def prediction_drawings(run: FitRun) -> Iterator[Drawing]:
    """Return the figure of the predictions by every line."""
    if run.settings.new_trial is None or not run.predictions:
        return
    final = common_final_name(fit.effects for fit in run.sets)
    hazard_ratio = new_trial_words(run.settings.new_trial)
    medians = [prediction.predicted for prediction in run.predictions]
    alternative = phrase(
        "alternative_texts",
        "prediction",
        final=final,
        hr=hazard_ratio,
        low=number(min(medians)),
        high=number(max(medians)),
    )
    caption = caption_of([text("prediction_caption", final=final, hr=hazard_ratio)])
    arguments = (run.predictions, quoted_models(run), final)
    yield drawing("prediction", "prediction", caption, *arguments, alternative=alternative)
