"""Differences of the association between two sets of trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.differences import Difference
from surrogacy.report.section import BLANK, Cell, Entry, Grid, Section, Table, table, text
from surrogacy.report.sections.setting_differences import (
    equivalence_in_words,
    hierarchical_details,
    hierarchical_table,
)
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import interval, number, with_interval
from surrogacy.results.labels import estimate_labels

TITLE = "Is the association weaker?"


def section(run: FitRun) -> Section:
    """Return the difference in association between sets that share no trial."""
    joint = [difference for difference in run.differences if difference.hierarchical is not None]
    final = common_final_name(fit.effects for fit in run.sets)
    headings = ("Sets", "r", "Difference (95% interval)", "p", "P(R² smaller)", "Detectable")
    grid = Grid(headings, tuple(map(_row, run.differences)), TITLE, text("differences_screen_caption"))
    return Section(
        key="differences",
        answer=tuple(_answer(run.differences)),
        details=(grid, BLANK, *hierarchical_details(joint, final)) if run.differences else (),
        tables=(*_table(run, final), *hierarchical_table(joint, final)),
        record={"differences": [difference.record for difference in run.differences]},
    )


def _answer(differences: Sequence[Difference]) -> Iterator[Entry]:
    """Return the first and the last difference in a sentence each."""
    shown = differences if len(differences) < 3 else (differences[0], differences[-1])
    for place, difference in enumerate(shown):
        r = difference.contrasts["r"].difference
        first, second = map(set_label, difference.names)
        slope = None if difference.hierarchical is None else difference.hierarchical.contrasts["slope"]
        limits, values = [r], text("difference_of_r", r=with_interval(r))
        if slope is not None:
            limits.append(slope.difference)
            span = interval(slope.difference.low, slope.difference.high)
            prior = number(slope.without_data.high)  # symmetric about 0, as the sets are exchangeable
            value = number(slope.difference.value)
            values = text("difference_of_slopes", slope=value, interval=span, prior=prior, r=with_interval(r))
        key = "difference_shown" if any(each.excludes(0.0) for each in limits) else "difference_not_shown"
        sentences = [text(key, first=first, second=second, values=values)]
        if slope is not None and slope.restates_prior:
            sentences.append(text("difference_restates_prior"))
        if difference.hierarchical is not None and difference.hierarchical.equivalence is not None:
            sentences.append(equivalence_in_words(difference.hierarchical.equivalence))
        yield Entry("" if place else "Stages", " ".join(sentences))


def _row(difference: Difference) -> tuple[Cell, ...]:
    r, r2 = difference.contrasts["r"], difference.contrasts.get("r2_trial")
    smaller, no_data, odds = (
        (None, None, None)
        if r2 is None
        else (r2.probability_first_smaller, r2.probability_no_data, r2.odds_ratio_no_data)
    )
    first, second = difference.names
    return (
        Cell(f"{first} against {second}", f"{difference.trials[0]} and {difference.trials[1]} trials"),
        Cell(f"{number(r.first)} and {number(r.second)}"),
        Cell(with_interval(r.difference), r.difference.method.partition(",")[0]),
        Cell(number(r.p)),
        Cell(number(smaller), f"no data: {number(no_data)}\nodds ratio: {number(odds, 1)}"),
        Cell(number(difference.detectable_difference), f"{number(difference.detectable)} v {number(r.second)}"),
    )


def _table(run: FitRun, final: str) -> tuple[Table, ...]:
    """Return a row a quantity."""
    labels = estimate_labels(final)
    rows = [record for difference in run.differences for record in difference.contrast_records]
    sentences = [f"{' against '.join(difference.names)}: {difference.sentence}" for difference in run.differences]
    remarks = "\n\n".join([f"{text('no_data')} {text('detectable')}", *sentences])
    return table("differences", rows, labels=labels, remarks=remarks)
