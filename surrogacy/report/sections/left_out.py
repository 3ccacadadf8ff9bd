"""Left out: the estimates without each trial."""

from __future__ import annotations

from collections.abc import Iterator

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.report.section import Note, Record, Section, table
from surrogacy.report.sections.effects import trial_labels
from surrogacy.results.format import number


def section(run: FitRun) -> Section:
    """Return the estimates without each trial."""
    sets = run.sets
    out = [record for fit in sets for record in fit.leave_one_out]
    return Section(
        key="left_out",
        by_set={fit.name: tuple(_correlation_line(fit)) for fit in sets},
        tables=table("leave_one_out", out, labels=trial_labels(sets)),
        record={"leave_one_out": out},
    )


def _correlation_line(fit: SetFit) -> Iterator[Note]:
    """Return the range of the weighted correlation with one trial left out."""
    records: list[Record] = [record for record in fit.leave_one_out if record.get("r") is not None]
    if records:
        low, high = (choose(records, key=lambda record: record["r"]) for choose in (min, max))
        labels = trial_labels([fit])
        ends = [f"{number(record['r'])} (without {labels[record['left_out']]})" for record in (low, high)]
        yield Note(f"r with one trial left out: {' to '.join(ends)}")
