"""Table 5: the bivariate models with other within-trial correlations and other priors."""

from __future__ import annotations

from collections.abc import Iterator

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.report.journal_tables.layout import Cell, Footnotes, JournalTable, Row, Rows, journal_table
from surrogacy.report.section import Record
from surrogacy.report.sections.sensitivity import threshold_in_words
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import number, value_and_interval
from surrogacy.results.labels import CHOICE_VALUES, PRIOR_SETS, model_label

BOUNDARY = "Estimate on the boundary of its parameters."


def sensitivity_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per refit, grouped by set, model and assumption."""
    footnotes = Footnotes()
    groups = [group for fit in run.sets for group in _groups(fit, footnotes)]
    final = common_final_name(fit.effects for fit in run.sets)
    return journal_table("sensitivity", groups, footnotes=footnotes.all, final=final)


def _groups(fit: SetFit, footnotes: Footnotes) -> Iterator[Rows]:
    for model in dict.fromkeys(str(record["model"]) for record in fit.rho_within_grid):
        records = [record for record in fit.rho_within_grid if record["model"] == model]
        rows = [_row(_correlation(record), record, footnotes) for record in records]
        yield Rows(f"{set_label(fit.name)}, {model_label(model)}: within-trial correlation", rows)
    for model in dict.fromkeys(str(record["model"]) for record in fit.prior_sensitivity):
        records = [record for record in fit.prior_sensitivity if record["model"] == model]
        rows = [_row(PRIOR_SETS[str(record["prior"])], record, footnotes) for record in records]
        yield Rows(f"{set_label(fit.name)}, {model_label(model)}: prior", rows)


def _correlation(record: Record) -> str:
    value = record["rho_within"]
    return CHOICE_VALUES.get(value) or f"{value:g}"


def _row(assumption: str, record: Record, footnotes: Footnotes) -> Row:
    if "problem" in record:
        return {"assumption": assumption, "r2": f"not fitted: {record['problem']}"}
    marks = (footnotes.mark("boundary", BOUNDARY),) if record.get("boundary") else ()
    thresholds = {"threshold": "ste_prediction", "threshold_80": "ste_prediction_80"}
    return {
        "assumption": assumption,
        "r2": Cell(_estimate(record, "r2_trial"), marks),
        "slope": _estimate(record, "slope"),
        **{
            column: threshold_in_words(record, name)
            for column, name in thresholds.items()
            if f"{name}_status" in record
        },
    }


def _estimate(record: Record, name: str) -> str:
    low, high = record.get(f"{name}_low"), record.get(f"{name}_high")
    if low is None or high is None:
        return number(record[name])
    return value_and_interval(record[name], low, high)
