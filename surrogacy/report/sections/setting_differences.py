"""Differences of the lines of two sets in one hierarchical model: a part of the section on differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp

from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.records import Record
from surrogacy.evaluation.setting_contrasts import Equivalence, SettingContrast
from surrogacy.report.section import BLANK, Cell, Detail, Grid, Note, Table, table, text
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import as_given, interval, listed, number, with_interval
from surrogacy.results.labels import ESTIMATES, estimate_labels


def equivalence_in_words(equivalence: Equivalence) -> str:
    """Return the probability of practically equal slopes."""
    probability, prior = number(equivalence.probability), number(equivalence.without_data)
    return text("equivalent_slopes", limit=as_given(equivalence.limit), probability=probability, prior=prior)


def hierarchical_details(differences: Sequence[Difference], final: str) -> Iterator[Detail]:
    """Return a table of the hierarchical model, and a sentence per pair of sets on the Bayes factors."""
    rows = [row for difference in differences for row in _rows(difference, final)]
    if not rows:
        return
    headings = ("Sets", "Quantity", "In the first", "In the second", "Difference or ratio", "P(smaller)")
    yield Grid(headings, tuple(rows), text("hierarchical_title"), text("hierarchical_caption"))
    for difference in differences:
        yield Note(f"{' against '.join(difference.names)}: {_bayes_factors(difference)}")
    yield BLANK


def hierarchical_table(differences: Sequence[Difference], final: str) -> tuple[Table, ...]:
    """Return a row per quantity of the hierarchical model."""
    rows = [row for difference in differences for row in _records(difference)]
    remarks = "".join(f"\n\n{' against '.join(each.names)}: {_bayes_factors(each)}" for each in differences)
    return table("setting_differences", rows, labels=estimate_labels(final), remarks=remarks)


def _records(difference: Difference) -> list[Record]:
    """Return the rows of the table."""
    comparison = difference.hierarchical
    assert comparison is not None  # the caller selects these
    (first, second), (k_first, k_second) = difference.names, difference.trials
    sets: Record = {"first": first, "second": second, "k_first": k_first, "k_second": k_second}
    return [sets | row for row in comparison.rows]


def _rows(difference: Difference, final: str) -> Iterator[tuple[Cell, ...]]:
    """Return a row per quantity; the level of the line as a hazard ratio, the residual SD without logarithm."""
    comparison = difference.hierarchical
    assert comparison is not None  # the caller selects these
    contrasts, centre = comparison.contrasts, number(exp(comparison.centre))
    level = text("hierarchical_level", final=final, centre=centre)
    yield _row(" against ".join(difference.names), ESTIMATES["slope"].name(final), contrasts["slope"])
    yield _row("", level, contrasts["line_at_centre"], ratio=True)
    yield _row("", ESTIMATES["sigma_cond"].name(final), contrasts["log_sigma_cond"], ratio=True)
    yield _row("", ESTIMATES["r2_trial"].name(final), contrasts["r2_trial"])


def _row(sets: str, label: str, contrast: SettingContrast, *, ratio: bool = False) -> tuple[Cell, ...]:
    first, second, difference, prior = (
        _exponentiated(estimate) if ratio else estimate
        for estimate in (contrast.first, contrast.second, contrast.difference, contrast.without_data)
    )
    odds = f"no data: {number(contrast.probability_no_data)}\nodds ratio: {number(contrast.odds_ratio_no_data, 1)}"
    return (
        Cell(sets),
        Cell(label),
        Cell(number(first.value), interval(first.low, first.high)),
        Cell(number(second.value), interval(second.low, second.high)),
        Cell(
            f"{'ratio ' if ratio else ''}{with_interval(difference)}",
            f"prior alone: {interval(prior.low, prior.high)}",
        ),
        Cell(number(contrast.probability_first_smaller), odds),
    )


def _exponentiated(estimate: Estimate) -> Estimate:
    value, low, high = (None if each is None else exp(each) for each in (estimate.value, estimate.low, estimate.high))
    return Estimate(value, None, low, high, estimate.level, estimate.method)


def _bayes_factors(difference: Difference) -> str:
    """Return the evidence for equal slopes, and the difference of slopes that is detected with 80% power."""
    comparison = difference.hierarchical
    assert comparison is not None  # the caller selects these
    evidence = text(
        "bayes_factors",
        equal=number(comparison.equal_slopes, 1),
        line=number(comparison.common_line, 1),
        spread=with_interval(comparison.spreads["slope"]),
        prior=comparison.spread_priors["slope"],
    )
    factors = listed([number(other.bayes_factor, 1) for other in comparison.by_scale])
    slopes = listed([with_interval(other.difference) for other in comparison.by_scale])
    sentences = [evidence, text("other_scales", factors=factors, slopes=slopes)]
    if comparison.detectable_slope is not None:
        sentences.append(text("detectable_slope", slope=number(comparison.detectable_slope)))
    if comparison.equivalence is not None:
        sentences.append(equivalence_in_words(comparison.equivalence))
    return " ".join(sentences)
