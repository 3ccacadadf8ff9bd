"""Surrogate threshold effects in the cells of a table: a number, with a footnote if it is not a plain threshold."""

from __future__ import annotations

from surrogacy.report.journal_tables.layout import LAYOUTS, Cell, Footnotes, sentence
from surrogacy.report.section import Record
from surrogacy.results.format import number

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
