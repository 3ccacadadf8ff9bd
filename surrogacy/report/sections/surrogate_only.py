"""Comparisons without a final effect: predicted by the quoted model of each set, and usually part of no fit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.new_trial_prediction import TRUE_EFFECT
from surrogacy.evaluation.surrogate_only import SurrogateOnlyPrediction, main_predictions
from surrogacy.report.section import Cell, Detail, Entry, Grid, Note, Section, table, text
from surrogacy.report.sections.predictions import EXTRAPOLATION, predicted_words
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name, endpoint_label
from surrogacy.results.format import interval, number, percent, value_and_interval
from surrogacy.results.labels import model_label

MOST_ENTRIES = 5  # added comparisons on the short screen


def section(run: FitRun) -> Section:
    """Return the predictions for the comparisons without a final effect; the short screen has the added ones."""
    final = common_final_name(fit.effects for fit in run.sets)
    records = [
        {
            "set": entry.prediction.set,
            **entry.record,
            "shown_surrogate": value_and_interval(entry.prediction.hr_surrogate, *entry.surrogate_limits),
        }
        for entry in run.surrogate_only
    ]
    return Section(
        key="surrogate_only",
        answer=tuple(_answers(run, final)),
        by_set={fit.name: tuple(_block(run, fit.name, final)) for fit in run.sets},
        tables=table(
            "surrogate_only",
            records,
            labels={"True": "yes", "False": ""},
            formats={"n": partial(number, digits=0)},
            print_only=("shown_surrogate",),
            final=final,
            fitted=_fitted_words(run),
        ),
        record={"surrogate_only": [entry.record for entry in run.surrogate_only]},
    )


def surrogate_only_words(entry: SurrogateOnlyPrediction, final: str) -> str:
    """Return the words of the mark of a comparison without a final effect: name, hazard ratios, patients, a line each.

    Parameters
    ----------
    entry : SurrogateOnlyPrediction
    final : str
        Name of the final endpoint.
    """
    comparison, prediction = entry.comparison, entry.prediction
    lines = [
        comparison.label,
        f"{comparison.endpoint} HR {value_and_interval(prediction.hr_surrogate, *entry.surrogate_limits)}",
        text(
            "mark_predicted",
            final=final,
            predicted=number(prediction.predicted),
            span=interval(prediction.low_95, prediction.high_95),
        ),
    ]
    return "\n".join([*lines, f"{comparison.n:,.0f} patients"] if comparison.n == comparison.n else lines)


def _answers(run: FitRun, final: str) -> Iterator[Entry]:
    """Return a sentence for each added or named comparison, with the prediction of every set to which it belongs."""
    by_comparison: dict[str, list[SurrogateOnlyPrediction]] = {}
    for entry in run.shown_surrogate_only:
        by_comparison.setdefault(entry.comparison.comparison, []).append(entry)
    for entries in list(by_comparison.values())[:MOST_ENTRIES]:
        first, *others = entries
        endpoint = endpoint_label(first.comparison.endpoint)
        in_fit = "surrogate_only_in_fit" if _includes_one_endpoint(run) else "surrogate_only_in_no_fit"
        by_other_sets = "".join(text("surrogate_only_other_set", **_words(entry, final)) for entry in others)
        yield Entry(
            first.comparison.label,
            text(
                "surrogate_only_answer",
                **_words(first, final),
                endpoint=endpoint,
                hr=number(first.prediction.hr_surrogate),
                chance=percent(first.prediction.p_below_1),
                other_sets=by_other_sets,
                in_fit=text(in_fit, endpoint=endpoint),
            ),
        )
    more = len(by_comparison) - MOST_ENTRIES
    if more > 0:
        yield Entry("", text("surrogate_only_more", more=more, final=final))


def _words(entry: SurrogateOnlyPrediction, final: str) -> dict[str, str]:
    prediction = entry.prediction
    return {
        "set": set_label(prediction.set),
        "model": model_label(prediction.model),
        "effect": "true " if prediction.target == TRUE_EFFECT else "",
        "final": final,
        "predicted": number(prediction.predicted),
        "span": interval(prediction.low_95, prediction.high_95),
        "size": f", {prediction.target}" if prediction.target != TRUE_EFFECT else "",
        "beyond": " (beyond the data: an extrapolation)" if prediction.beyond_data else "",
    }


def _includes_one_endpoint(run: FitRun) -> bool:
    """Return whether the bivariate models of the run include comparisons with one endpoint."""
    return run.settings.pairing.one_endpoint == "include"


def _fitted_words(run: FitRun) -> str:
    return text("surrogate_only_fitted" if _includes_one_endpoint(run) else "surrogate_only_not_fitted")


def _block(run: FitRun, name: str, final: str) -> Iterator[Detail]:
    """Return the predictions of a set, one row per comparison."""
    entries = [entry for entry in main_predictions(run.surrogate_only) if entry.prediction.set == name]
    if not entries:
        return
    rows = [
        (
            Cell(entry.comparison.label, "added for this run" if entry.comparison.added else ""),
            f"{endpoint_label(entry.comparison.endpoint)} "
            f"{value_and_interval(entry.prediction.hr_surrogate, *entry.surrogate_limits)}",
            predicted_words(entry.prediction),
            interval(entry.prediction.low_80, entry.prediction.high_80),
            percent(entry.prediction.p_below_1),
        )
        for entry in entries
    ]
    first = entries[0].prediction
    headings = ("Comparison", "HR (95% CI)", f"Predicted {final} HR (95% PI)", "80% PI", f"P({final} HR < 1)")
    words = {"model": model_label(first.model), "target": first.target, "fitted": _fitted_words(run)}
    yield Note(text("surrogate_only_title", final=final, **words))
    beyond = any(entry.prediction.beyond_data for entry in entries)
    yield Grid(headings, tuple(rows), caption=EXTRAPOLATION if beyond else "")
