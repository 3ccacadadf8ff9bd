"""Table 7: published schemes, applied to the model to quote of each set."""

from __future__ import annotations

from collections.abc import Sequence

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.answers import answer
from surrogacy.evaluation.criteria import Verdict
from surrogacy.report.journal_tables.layout import (
    LAYOUTS,
    Cell,
    Column,
    Footnotes,
    JournalTable,
    Row,
    Rows,
    journal_table,
    sentence,
)
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import capitalised, listed
from surrogacy.results.labels import model_label

ITEMS: dict[str, str] = LAYOUTS["words"]["items"]
STATUSES: dict[str, str] = LAYOUTS["words"]["statuses"]
WIDTH_OF_SETS = 120.0  # mm


def schemes_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per item of each scheme, and a column per set."""
    quoted = {fit.name: model for fit in run.sets if (model := _quoted(fit))}
    verdicts = [(entry.set, entry.verdict) for entry in run.criteria if entry.verdict.model == quoted.get(entry.set)]
    footnotes, groups = Footnotes(), []
    for scheme in dict.fromkeys(verdict.scheme for _, verdict in verdicts):
        of_scheme = [(name, verdict) for name, verdict in verdicts if verdict.scheme == scheme]
        limits = next(verdict.limits for _, verdict in of_scheme)
        heading = Cell(capitalised(scheme), (footnotes.mark(scheme, sentence(limits)),))
        groups.append(Rows(heading, _rows(of_scheme, footnotes)))
    columns = [Column(name, set_label(name), max(WIDTH_OF_SETS / len(quoted), 24.0)) for name in quoted]
    models = listed(list(dict.fromkeys(map(model_label, quoted.values()))))
    return journal_table("schemes", groups, footnotes=footnotes.all, columns=columns, models=models)


def _quoted(fit: SetFit) -> str:
    quoted = answer(fit.results)
    return "" if quoted is None else quoted.quoted.model


def _rows(verdicts: Sequence[tuple[str, Verdict]], footnotes: Footnotes) -> list[Row]:
    """Return the rows of a scheme; a trial in focus has a row of its own."""
    rows: dict[str, dict[str, str | Cell]] = {}
    for name, verdict in verdicts:
        item = ITEMS[verdict.item].format(trial=verdict.numbers.get("trial", ""))
        marks = (footnotes.mark(verdict.status, STATUSES[verdict.status]),) if verdict.status in STATUSES else ()
        rows.setdefault(item, {"item": item})[name] = Cell(verdict.value, marks)
    return list(rows.values())
