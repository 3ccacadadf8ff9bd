"""Table 6: the comparisons in focus against lines that were fitted without their trial."""

from __future__ import annotations

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.placement import Placement
from surrogacy.report.journal_tables.layout import JournalTable, Row, Rows, journal_table
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import interval, listed, number, value_and_interval
from surrogacy.results.labels import model_label


def placement_table(run: FitRun) -> tuple[JournalTable, ...]:
    """Return a row per model and data cut, grouped by comparison and set."""
    shown = [entry for entry in run.placements if entry.fitted != "with it" and _is_main(run, entry)]
    groups: dict[tuple[str, str, int], list[Row]] = {}
    for entry in shown:
        groups.setdefault((entry.comparison, entry.set, entry.k), []).append(_row(entry))
    labels = {focus.comparison: focus.label for focus in run.focuses}
    several = len({comparison for comparison, _, _ in groups}) > 1
    rows = [
        Rows(f"{f'{labels[comparison]}: ' if several else ''}{set_label(name)}, {k} other comparisons", group)
        for (comparison, name, k), group in groups.items()
    ]
    final = common_final_name(focus.effects for focus in run.focuses) if run.focuses else ""
    focus = listed([labels[name] for name in dict.fromkeys(comparison for comparison, _, _ in groups)])
    return journal_table("placement", rows, final=final, focus=focus)


def _is_main(run: FitRun, entry: Placement) -> bool:
    """Return whether a placement has the within-trial correlation of the first one of its set."""
    first = next(other for other in run.placements if (other.comparison, other.set) == (entry.comparison, entry.set))
    return bool(entry.rho_within == first.rho_within)


def _row(entry: Placement) -> Row:
    return {
        "model": model_label(entry.model),
        "hr_surrogate": f"{number(entry.hr_surrogate)} ({entry.cut})",
        "predicted": value_and_interval(entry.predicted, entry.low_95, entry.high_95),
        "interval_80": interval(entry.low_80, entry.high_80),
        "observed": number(entry.hr_final),
        "probability": number(entry.p_at_or_above),
    }
