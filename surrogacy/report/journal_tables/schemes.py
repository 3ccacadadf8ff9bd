"""Table 7: published schemes, applied to the model to quote of each set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.answers import answer
from surrogacy.evaluation.criteria import Verdict
from surrogacy.evaluation.placement import Focus
from surrogacy.report.journal_tables.caveats import caveat_remarks
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
from surrogacy.report.journal_tables.thresholds import new_trials
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import listed
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

ITEMS: dict[str, str] = LAYOUTS["words"]["items"]
VERDICTS: dict[str, str] = LAYOUTS["words"]["verdicts"]
STATUSES: dict[str, str] = LAYOUTS["words"]["statuses"]
WIDTH_OF_SETS = 120.0  # mm


def schemes_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per item of each scheme, and a column per set."""
    results = {fit.name: result for fit in run.sets if (result := _quoted(fit)) is not None}
    quoted = {name: result.model for name, result in results.items()}
    verdicts = [(entry.set, entry.verdict) for entry in run.criteria if entry.verdict.model == quoted.get(entry.set)]
    items = ITEMS | VERDICTS if run.settings.criteria_style == "verdict" else ITEMS
    cuts = {focus.label: cut for focus in run.focuses if (cut := _data_cut(focus))}
    footnotes, groups = Footnotes(), []
    for scheme in dict.fromkeys(verdict.scheme for _, verdict in verdicts):
        of_scheme = [(name, verdict) for name, verdict in verdicts if verdict.scheme == scheme]
        limits = next(verdict.limits for _, verdict in of_scheme)
        heading = Cell(f"{scheme[:1].upper()}{scheme[1:]}", (footnotes.mark(scheme, sentence(limits)),))
        groups.append(Rows(heading, _rows(of_scheme, items, cuts, footnotes)))
    columns = [Column(name, set_label(name), max(WIDTH_OF_SETS / len(quoted), 24.0)) for name in quoted]
    models = listed(list(dict.fromkeys(map(model_label, quoted.values()))))
    return journal_table(
        "schemes",
        groups,
        footnotes=footnotes.all,
        columns=columns,
        remarks=caveat_remarks(results.values()),
        models=models,
        new_trial=new_trials(results.values()),
    )


def _quoted(fit: SetFit) -> Result | None:
    reply = answer(fit.results)
    return None if reply is None else reply.quoted


def _data_cut(focus: Focus) -> str:
    """Return the data cut of the surrogate effect that is compared with the threshold; empty if there is only one."""
    if len(focus.cuts) < 2:
        return ""
    return next((cut.name for cut in focus.cuts if cut.log_hr == focus.effects.log_hr[0, 0]), "")


def _item(verdict: Verdict, items: Mapping[str, str], cuts: Mapping[str, str]) -> str:
    """Return the label of a row; R² that is judged by its limits has another one than R² itself."""
    key = "r2_trial_interval" if verdict.item == "r2_trial" and "low" in verdict.numbers else verdict.item
    trial = str(verdict.numbers.get("trial", ""))
    cut = f" ({cuts[trial]} data cut)" if trial in cuts else ""
    return f"{items[key].format(trial=trial)}{cut}"


def _rows(
    verdicts: Sequence[tuple[str, Verdict]], items: Mapping[str, str], cuts: Mapping[str, str], footnotes: Footnotes
) -> list[Row]:
    """Return the rows of a scheme; a trial in focus has a row of its own."""
    rows: dict[str, dict[str, str | Cell]] = {}
    for name, verdict in verdicts:
        item = _item(verdict, items, cuts)
        marks = [footnotes.mark(verdict.status, STATUSES[verdict.status])] if verdict.status in STATUSES else []
        if verdict.item == "needed_r":
            counted = f"Fisher's z counts {verdict.numbers['trials_in_words']}."
            marks.append(footnotes.mark("trials", counted, set_label(name)))
        rows.setdefault(item, {"item": item})[name] = Cell(verdict.value, tuple(marks))
    return list(rows.values())
