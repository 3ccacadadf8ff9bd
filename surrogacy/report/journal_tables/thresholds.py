"""Surrogate threshold effects in the cells of a table: a number, with a footnote if it is not a plain threshold."""

from __future__ import annotations

from collections.abc import Iterable

from surrogacy.report.journal_tables.layout import LAYOUTS, Cell, Footnotes, sentence
from surrogacy.report.section import Record
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import number
from surrogacy.results.result import Result

STATUSES: dict[str, str] = LAYOUTS["words"]["thresholds"]


def threshold_cell(status: str, words: str, footnotes: Footnotes) -> Cell:
    """Return a threshold in words, with the footnote of its status.

    Parameters
    ----------
    status : str
        See `surrogacy.results.estimate.ThresholdEffect`.
    words : str
        The threshold; not printed if there is none.
    footnotes : Footnotes
    """
    if status == "none":
        return Cell("none")
    marks = (footnotes.mark(status, sentence(STATUSES[status])),) if status in STATUSES else ()
    return Cell(words, marks)


def threshold_of_refit(record: Record, name: str, footnotes: Footnotes) -> Cell:
    """Return a threshold of a refit; empty if it was not computed."""
    status = record.get(f"{name}_status")
    return Cell() if status is None else threshold_cell(str(status), number(record.get(name)), footnotes)


def new_trials(results: Iterable[Result]) -> str:
    """Return the size of the new trial of the thresholds: one for all results, or one for each set.

    Parameters
    ----------
    results : iterable of Result
        One result of each set.
    """
    sizes = {
        set_label(result.effects.name): str(threshold.new_trial)
        for result in results
        if (threshold := result.threshold_effect("ste_prediction")) is not None
    }
    if len(set(sizes.values())) <= 1:
        return next(iter(sizes.values()), "not stated")
    return "; ".join(f"{name}: {size}" for name, size in sizes.items())
