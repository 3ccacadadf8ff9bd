"""Table 4: the model to quote without each trial, and its prediction for that trial."""

from __future__ import annotations

from math import exp

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.models import rank
from surrogacy.report.journal_tables.caveats import caveat_remarks
from surrogacy.report.journal_tables.layout import Cell, Footnotes, JournalTable, Row, Rows, journal_table
from surrogacy.report.journal_tables.thresholds import new_trials, threshold_of_refit
from surrogacy.report.section import Record
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import number, value_and_interval
from surrogacy.results.labels import model_label

BOUNDARY = "Estimate on the boundary of its parameters."
OUTSIDE = "Outside the 95% prediction interval."


def leave_one_out_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per comparison; the refit without its trial is printed at the first comparison of the trial."""
    footnotes = Footnotes()
    groups = [Rows(_heading(fit), _rows(fit, footnotes)) for fit in run.sets]
    final = common_final_name(fit.effects for fit in run.sets)
    results = [result for fit in run.sets if (result := fit.result(_model(fit))) is not None]
    return journal_table(
        "leave_one_out",
        groups,
        footnotes=footnotes.all,
        remarks=caveat_remarks(results),
        final=final,
        new_trial=new_trials(results),
    )


def _model(fit: SetFit) -> str:
    """Return the first model in the order of quotation that predicts the trials that are left out."""
    return min((entry.model for entry in fit.cross_validation), key=rank, default="")


def _heading(fit: SetFit) -> str:
    return f"{set_label(fit.name)}, {model_label(_model(fit))}: {len(fit.effects)} comparisons"


def _rows(fit: SetFit, footnotes: Footnotes) -> list[Row]:
    model = _model(fit)
    refits = {str(record["left_out"]): record for record in fit.leave_one_out if record["model"] == model}
    predictions = [record for entry in fit.cross_validation if entry.model == model for record in entry.records]
    return [
        {
            "label": str(record["label"]),
            **_refit(refits.pop(str(record["trial"]), {}), footnotes),
            **_prediction(record, footnotes),
        }
        for record in predictions
    ]


def _refit(record: Record, footnotes: Footnotes) -> Row:
    """Return the estimates without a trial; empty at a further comparison of the same trial."""
    if record.get("slope") is None:
        return {}
    marks = (footnotes.mark("boundary", BOUNDARY),) if record.get("boundary") else ()
    return {
        "r2": Cell(number(record.get("r2_trial")), marks if record.get("r2_trial") is not None else ()),
        "slope": Cell(number(record["slope"]), () if record.get("r2_trial") is not None else marks),
        "threshold": threshold_of_refit(record, "ste_prediction", footnotes),
    }


def _prediction(record: Record, footnotes: Footnotes) -> Row:
    if record.get("predicted") is None:
        return {"predicted": "not predicted"}
    predicted, low, high = (exp(float(record[key])) for key in ("predicted", "low", "high"))
    marks = () if record["covered"] else (footnotes.mark("outside", OUTSIDE),)
    return {
        "predicted": value_and_interval(predicted, low, high),
        "observed": Cell(number(exp(float(record["observed"]))), marks),
    }
