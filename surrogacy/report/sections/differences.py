"""Differences of the association between two sets of trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.setting_contrasts import Equivalence
from surrogacy.report.section import BLANK, Cell, Detail, Entry, Grid, Note, Section, Table, table, text
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.format import as_given, interval, number, with_interval
from surrogacy.results.labels import ESTIMATES, estimate_labels

TITLE = "Is the association weaker?"


def section(run: FitRun) -> Section:
    """Return the difference in association between sets that share no trial."""
    joint = [difference for difference in run.differences if difference.hierarchical is not None]
    headings = ("Sets", "r", "Difference (95% interval)", "p", "P(R² smaller)", "Detectable")
    grid = Grid(headings, tuple(map(_row, run.differences)), TITLE, text("differences_screen_caption"))
    return Section(
        key="differences",
        answer=tuple(_answer(run.differences)),
        details=(grid, BLANK, *_hierarchical(joint)) if run.differences else (),
        tables=(*_table(run), *_hierarchical_table(run, joint)),
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
            prior = interval(slope.without_data.low, slope.without_data.high)
            of_slopes = with_interval(slope.difference).rstrip(")")
            values = text("difference_of_slopes", slopes=of_slopes, prior=prior, r=with_interval(r))
        key = "difference_shown" if any(each.excludes(0.0) for each in limits) else "difference_not_shown"
        sentences = [text(key, first=first, second=second, values=values)]
        if slope is not None and slope.restates_prior:
            sentences.append(text("difference_restates_prior"))
        if difference.hierarchical is not None and difference.hierarchical.equivalence is not None:
            sentences.append(_equivalence(difference.hierarchical.equivalence))
        yield Entry("" if place else "Stages", " ".join(sentences))


def _equivalence(equivalence: Equivalence) -> str:
    """Return the probability of practically equal slopes."""
    probability, prior = number(equivalence.probability), number(equivalence.without_data)
    return text("equivalent_slopes", limit=as_given(equivalence.limit), probability=probability, prior=prior)


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


def _table(run: FitRun) -> tuple[Table, ...]:
    """Return a row a quantity."""
    labels = estimate_labels(common_final_name(fit.effects for fit in run.sets))
    rows = [record for difference in run.differences for record in difference.contrast_records]
    sentences = [f"{' against '.join(difference.names)}: {difference.sentence}" for difference in run.differences]
    remarks = " ".join([text("no_data"), text("detectable"), *sentences])
    return table("differences", rows, labels=labels, remarks=remarks)


def _hierarchical(differences: Sequence[Difference]) -> Iterator[Detail]:
    """Return a table of the hierarchical model, and a sentence per pair of sets on the Bayes factors."""
    rows = [row for difference in differences for row in _hierarchical_rows(difference)]
    if not rows:
        return
    headings = ("Sets", "Quantity", "In the first", "In the second", "Difference (95% interval)", "P(smaller)")
    yield Grid(headings, tuple(rows), text("hierarchical_title"), text("hierarchical_caption"))
    for difference in differences:
        yield Note(f"{' against '.join(difference.names)}: {_bayes_factors(difference)}")
    yield BLANK


def _hierarchical_rows(difference: Difference) -> Iterator[tuple[Cell, ...]]:
    comparison = difference.hierarchical
    assert comparison is not None  # the caller selects these
    first, second = difference.names
    for place, (name, contrast) in enumerate(comparison.contrasts.items()):
        prior = interval(contrast.without_data.low, contrast.without_data.high)
        odds = f"no data: {number(contrast.probability_no_data)}\nodds ratio: {number(contrast.odds_ratio_no_data, 1)}"
        yield (
            Cell("" if place else f"{first} against {second}"),
            Cell(ESTIMATES[name].text),
            Cell(with_interval(contrast.first)),
            Cell(with_interval(contrast.second)),
            Cell(with_interval(contrast.difference), f"without data: {prior}"),
            Cell(number(contrast.probability_first_smaller), odds),
        )


def _bayes_factors(difference: Difference) -> str:
    """Return the evidence for equal slopes, and the difference of slopes that is detected with 80% power."""
    comparison = difference.hierarchical
    assert comparison is not None  # the caller selects these
    scales = comparison.equal_slopes_by_scale
    sentences = [
        text(
            "bayes_factors",
            equal=number(comparison.equal_slopes, 1),
            low=number(min(entry.bayes_factor for entry in scales), 1),
            high=number(max(entry.bayes_factor for entry in scales), 1),
            line=number(comparison.common_line, 1),
            spread=with_interval(comparison.spreads["slope"]),
            prior=comparison.spread_priors["slope"],
            centre=number(float(np.exp(comparison.centre))),
        )
    ]
    if difference.detectable_slope is not None:
        sentences.append(text("detectable_slope", slope=number(difference.detectable_slope)))
    if comparison.equivalence is not None:
        sentences.append(_equivalence(comparison.equivalence))
    return " ".join(sentences)


def _hierarchical_table(run: FitRun, differences: Sequence[Difference]) -> tuple[Table, ...]:
    """Return a row per quantity of the hierarchical model."""
    labels = estimate_labels(common_final_name(fit.effects for fit in run.sets))
    rows = [record for difference in differences for record in difference.hierarchical_records]
    remarks = " ".join(f"{' against '.join(each.names)}: {_bayes_factors(each)}" for each in differences)
    return table("setting_differences", rows, labels=labels, remarks=f" {remarks}")
