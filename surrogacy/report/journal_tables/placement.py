"""Table 6: the comparisons in focus against lines that were fitted without their trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.answers import answer
from surrogacy.evaluation.placement import Focus, Placement
from surrogacy.report.journal_tables.caveats import caveat_remarks
from surrogacy.report.journal_tables.layout import Cell, Column, JournalTable, Rows, journal_table
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import interval, listed, number, value_and_interval
from surrogacy.results.labels import model_label

COLUMNS = (
    Column("predicted", "HR (95% PI)", 29.5, "decimal"),
    Column("interval_80", "80% PI", 21.0, "decimal"),
    Column("probability", "P(HR ≥ observed)", 17.0, "decimal"),
)


def placement_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per model, grouped by comparison and set, and three columns per data cut of the surrogate effect."""
    shown = [entry for entry in run.placements if entry.fitted != "with it" and _is_main(run, entry)]
    comparisons, cuts = dict.fromkeys(entry.label for entry in shown), dict.fromkeys(entry.cut for entry in shown)
    groups: dict[tuple[str, str, int], dict[str, dict[str, str | Cell]]] = {}
    for entry in shown:
        models = groups.setdefault((entry.label, entry.set, entry.k), {})
        models.setdefault(entry.model, {"model": model_label(entry.model)}).update(_prediction(entry))
    rows = [
        Rows(f"{f'{label}: ' if len(comparisons) > 1 else ''}{set_label(name)}, {k} comparisons", list(group.values()))
        for (label, name, k), group in groups.items()
    ]
    columns = [
        replace(column, key=f"{cut} {column.key}", over=f"{cut.capitalize()} surrogate HR" if len(cuts) > 1 else "")
        for cut in cuts
        for column in COLUMNS
    ]
    final = common_final_name(focus.effects for focus in run.focuses)
    remarks = [
        _observed(focus, entries, final, derived=run.settings.shared_patients)
        for focus in run.focuses
        if (entries := [entry for entry in shown if entry.label == focus.label])
    ]
    sets = {entry.set for entry in shown}
    replies = [reply for fit in run.sets if fit.name in sets and (reply := answer(fit.results)) is not None]
    remarks += caveat_remarks(reply.quoted for reply in replies)
    return journal_table(
        "placement", rows, columns=columns, remarks=remarks, final=final, focus=listed(list(comparisons))
    )


def _is_main(run: FitRun, entry: Placement) -> bool:
    """Return whether a placement has the within-trial correlation of the first one of its set."""
    first = next(other for other in run.placements if (other.comparison, other.set) == (entry.comparison, entry.set))
    return bool(entry.rho_within == first.rho_within)


def _prediction(entry: Placement) -> dict[str, str]:
    values = {
        "predicted": value_and_interval(entry.predicted, entry.low_95, entry.high_95),
        "interval_80": interval(entry.low_80, entry.high_80),
        "probability": number(entry.p_at_or_above),
    }
    return {f"{entry.cut} {key}": value for key, value in values.items()}


def _observed(focus: Focus, entries: list[Placement], final: str, *, derived: bool) -> str:
    """Return the observed hazard ratios of a comparison, and the within-trial correlation of its predictions."""
    low, high = (float(np.exp(limit[0, 1])) for limit in focus.effects.limits)
    observed = number(entries[0].hr_final)
    if np.isfinite(low):
        observed = value_and_interval(entries[0].hr_final, low, high)
    source = " (derived from the shared patients)" if derived else " (assumed)"
    assumed = "" if focus.effects.rho_known[0] else source
    within = f" Within-trial correlation of the bivariate models {number(entries[0].rho_within)}{assumed}."
    cuts = dict.fromkeys((entry.cut, entry.hr_surrogate) for entry in entries)
    surrogate = listed([f"{number(hr)} ({cut})" if cut else number(hr) for cut, hr in cuts])
    return f"{focus.label}: observed surrogate HR {surrogate}; observed {final} HR (95% CI) {observed}.{within}"
