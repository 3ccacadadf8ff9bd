"""Criteria: the results by published schemes for surrogate endpoints."""

from __future__ import annotations

from surrogacy.analysis.fit_run import FitRun
from surrogacy.report.section import Section, columns, record_table

NOTE = (
    "Thresholds are those of the schemes, not of this package. Status `doubtful`: the fit lies on the boundary or failed "
    "its diagnostics, or the statement rests on an extrapolation or on the trial that it is about; `not gradable`: "
    "aggregate data cannot answer. Sources of the limits: "
)


def section(run: FitRun) -> Section:
    """Return what published schemes say of every result."""
    rows = [
        {key: value for key, value in record.items() if key not in ("numbers", "problems")}
        | {f"number_{key}": value for key, value in record["numbers"].items()}
        | {"problems": "; ".join(record["problems"])}
        for record in run.criteria
    ]
    limits = {record["scheme"]: record["limits"] for record in rows}
    note = NOTE + " ".join(f"[{scheme}] {text}" for scheme, text in limits.items())
    printed = columns("set", "model", "scheme", "item", "value", "words", "status", "source")
    return Section(
        key="criteria",
        tables=record_table("verdicts", "Published schemes", rows, printed, note),
        record={"verdicts": list(run.criteria)},
    )
