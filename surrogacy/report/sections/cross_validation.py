"""Cross-validation: each trial predicted from the others, and each set from the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.cross_validation import Predictions
from surrogacy.report.captions import comparisons_of
from surrogacy.report.section import Drawing, Note, Section, Table, drawing, table, text
from surrogacy.report.sections.effects import comparison_labels
from surrogacy.results.endpoint_names import common_final_name, final_name, with_article
from surrogacy.results.format import number
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

SHARES = (("coverage", "covered"), ("coverage_80", "covered_80"), ("sign_agreement", "same_sign"))
LOG_HAZARD_RATIOS = ("surrogate", "observed", "predicted", "low", "high", "low_80", "high_80")


def section(run: FitRun) -> Section:
    """Return how well the models predict trials that they were not fitted to."""
    sets = run.sets
    final = common_final_name(fit.effects for fit in sets)
    within = [(fit.name, predictions) for fit in sets for predictions in fit.cross_validation]
    elsewhere = [(f"{predictions.training} -> {predictions.test}", predictions) for predictions in run.external]
    title = f"Leave-one-trial-out prediction of {with_article(final)}"
    other_title = f"Prediction of {with_article(final)} in another set"
    return Section(
        key="cross_validation",
        by_set={fit.name: tuple(_coverage_line(fit)) for fit in sets},
        tables=(
            *_tables("cross_validation", title, within, "", final),
            *_tables("external_validation", other_title, elsewhere, text("elsewhere_note"), final),
        ),
        record={
            "cross_validation": [
                {"set": name, **predictions.summary(), "comparisons": list(predictions.records)}
                for name, predictions in within
            ],
            "external_validation": [
                {**predictions.summary(), "comparisons": list(predictions.records)} for predictions in run.external
            ],
        },
    )


def _coverage_line(fit: SetFit) -> Iterator[Note]:
    """Return how many observed final effects lie within the interval predicted from the other trials, by model."""
    labels, cells = comparison_labels([fit]), []
    for predictions in fit.cross_validation:
        covered, size = predictions.coverage
        outside = f" (not {', '.join(labels[name] for name in predictions.outside)})" if predictions.outside else ""
        cells.append(f"{model_label(predictions.model)} {covered} of {size}{outside}")
    if cells:
        what = f"observed {final_name(fit.effects)} HR within the 95% interval predicted from the other trials"
        yield Note(f"{what}: {'; '.join(cells)}")


def _tables(
    name: str, title: str, predictions: Sequence[tuple[str, Predictions]], note: str, final: str
) -> tuple[Table, ...]:
    """Return a table with a row a model, and one with a row a comparison."""
    summaries = []
    for where, predicted in predictions:
        summary = {"set": where, **predicted.summary()}
        summaries.append(summary | {share: f"{summary[count]} of {summary['k']}" for share, count in SHARES})
    records = [
        {"set": where, "model": predicted.model, **record}
        | {f"hr_{key}": exp(value) for key in LOG_HAZARD_RATIOS if isinstance(value := record.get(key), float)}
        for where, predicted in predictions
        for record in predicted.records
    ]
    comparisons, words = f"{name}_trials", {"True": "yes", "False": "no"}
    return (
        *table(name, summaries, layout="cross_validation", title=title, before=note and f"{note} ", final=final),
        *table(comparisons, records, layout="cross_validation_trials", labels=words, title=title, before=note),
    )


def cross_validation_drawings(sets: Sequence[SetFit]) -> Iterator[Drawing]:
    """Return the figure of the last model of each set whose choices are varied (``--sensitivity``)."""
    for fit in sets:
        predicted = [predictions for predictions in fit.cross_validation if predictions.predicted]
        result = fit.result(predicted[-1].model) if predicted else None
        if fit.choices and result is not None:
            yield _drawing(predicted[-1], result)


def _drawing(predictions: Predictions, result: Result) -> Drawing:
    name, final = result.effects.name, final_name(result.effects)
    covered, size = predictions.coverage
    caption = text(
        "cross_validation_caption",
        data=comparisons_of(result),
        model=model_label(predictions.model),
        final=final,
        covered=covered,
        size=size,
        covered_80=predictions.coverage_80[0],
        rmse=number(predictions.rmse),
    )
    return drawing(
        "cross_validation", f"cross-validation-{name}", caption, predictions, effects=result.effects, final=final
    )
