"""Cells of a table with footnotes: surrogate threshold effects, and estimates of refits on a boundary."""

from __future__ import annotations

from surrogacy.report.journal_tables.layout import LAYOUTS, Cell, Footnotes, sentence
from surrogacy.report.section import Record
from surrogacy.results.format import number

BOUNDARY = "Estimate on the boundary of its parameters."
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


def estimate_of_refit(record: Record, words: str, footnotes: Footnotes) -> Cell:
    """Return an estimate of a refit in words, with a footnote if the refit lies on a boundary.

    Parameters
    ----------
    record : mapping
        Record of `surrogacy.evaluation.refits`.
    words : str
    footnotes : Footnotes
    """
    return Cell(words, (footnotes.mark("boundary", BOUNDARY),) if record.get("boundary") else ())
