"""Table 5: the bivariate models with other within-trial correlations and other priors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import batched

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.answers import answer
from surrogacy.report.journal_tables.caveats import caveat_remarks
from surrogacy.report.journal_tables.layout import (
    Cell,
    Column,
    Footnotes,
    JournalTable,
    Row,
    Rows,
    journal_table,
)
from surrogacy.report.journal_tables.thresholds import new_trials, threshold_of_refit
from surrogacy.report.section import Record
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import capitalised, number, value_and_interval
from surrogacy.results.labels import CHOICE_VALUES, PRIOR_SETS, model_label
from surrogacy.results.result import Result

BOUNDARY = "Estimate on the boundary of its parameters."
SETS_ON_A_PAGE = 4
COLUMNS = (
    Column("r2", "Trial-level R²", 26.0, "decimal"),
    Column("slope", "Slope", 10.5, "decimal"),
    Column("threshold", "STE, 95%", 9.5, "decimal"),
    Column("threshold_80", "STE, 80%", 9.5, "decimal"),
)


def sensitivity_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per model and assumption, and the columns of each set; a second table for more sets than four."""
    final = common_final_name(fit.effects for fit in run.sets)
    fits = [fit for fit in run.sets if fit.rho_within_grid or fit.prior_sensitivity]
    parts = [_part(sets, final) for sets in batched(fits, SETS_ON_A_PAGE)]
    return tuple(
        replace(table, name=f"{table.name}-{i}", title=f"{table.title} (continued)") if i > 1 else table
        for i, part in enumerate(parts, 1)
        for table in part
    )


def _part(fits: Sequence[SetFit], final: str) -> tuple[JournalTable, ...]:
    footnotes = Footnotes()
    groups: dict[str, dict[str, dict[str, str | Cell]]] = {}
    for fit in fits:
        for heading, assumption, record in _refits(fit):
            row = groups.setdefault(heading, {}).setdefault(assumption, {"assumption": assumption})
            row |= {f"{fit.name} {column}": value for column, value in _estimates(record, footnotes).items()}
    rows = [Rows(heading, list(group.values())) for heading, group in groups.items()]
    columns = [
        replace(column, key=f"{fit.name} {column.key}", over=set_label(fit.name)) for fit in fits for column in COLUMNS
    ]
    replies = [reply for fit in fits if (reply := answer(fit.results)) is not None]
    remarks = [*_delta_intervals(fits), *caveat_remarks(reply.quoted for reply in replies)]
    new_trial = new_trials(_refitted(fits))
    return journal_table(
        "sensitivity",
        rows,
        footnotes=footnotes.all,
        columns=columns,
        remarks=remarks,
        final=final,
        new_trial=new_trial,
    )


def _refitted(fits: Sequence[SetFit]) -> list[Result]:
    """Return the result of the last refitted model of each set."""
    names = [[str(record["model"]) for record in (*fit.rho_within_grid, *fit.prior_sensitivity)] for fit in fits]
    return [result for fit, models in zip(fits, names, strict=True) if (result := fit.result(models[-1])) is not None]


def _delta_intervals(fits: Sequence[SetFit]) -> Iterator[str]:
    """Return a note on intervals that are computed by another method than those of the main table."""
    records = (record for fit in fits for record in fit.rho_within_grid if record.get("r2_trial_low") is not None)
    refitted = dict.fromkeys(str(record["model"]) for record in records)
    for model in refitted:
        results = [result for fit in fits if (result := fit.result(model)) is not None]
        if any(result.settings.get("interval") == "profile" for result in results):
            yield (
                f"{_model({'model': model})}: intervals by the delta method; those of Table 3 are profile-likelihood "
                "intervals and differ from them."
            )


def _refits(fit: SetFit) -> Iterator[tuple[str, str, Record]]:
    """Return model and kind of assumption, the assumption, and the refit."""
    for record in fit.rho_within_grid:
        value = record["rho_within"]
        words = CHOICE_VALUES[value] if isinstance(value, str) else f"{value:g}"
        yield f"{_model(record)}: within-trial correlation", words, record
    for record in fit.prior_sensitivity:
        yield f"{_model(record)}: prior", PRIOR_SETS[str(record["prior"])], record


def _model(record: Record) -> str:
    return capitalised(model_label(str(record["model"])))


def _estimates(record: Record, footnotes: Footnotes) -> Row:
    if "problem" in record:
        return {"r2": Cell("not fitted", (footnotes.mark("problem", f"Not fitted: {record['problem']}."),))}
    marks = (footnotes.mark("boundary", BOUNDARY),) if record.get("boundary") else ()
    return {
        "r2": Cell(_with_interval(record, "r2_trial"), marks),
        "slope": number(record["slope"]),
        "threshold": threshold_of_refit(record, "ste_prediction", footnotes),
        "threshold_80": threshold_of_refit(record, "ste_prediction_80", footnotes),
    }


def _with_interval(record: Record, name: str) -> str:
    low, high = record.get(f"{name}_low"), record.get(f"{name}_high")
    if low is None or high is None:
        return number(record[name])
    return value_and_interval(record[name], low, high)
