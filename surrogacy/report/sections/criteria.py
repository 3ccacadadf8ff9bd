"""Criteria: the results by published schemes for surrogate endpoints."""

from __future__ import annotations

from surrogacy.analysis.fit_run import Run
from surrogacy.report.section import Section, columns, record_table, text


def section(run: Run) -> Section:
    """Return what published schemes say of every result."""
    rows = [
        {key: value for key, value in record.items() if key not in ("numbers", "problems")}
        | {f"number_{key}": value for key, value in record["numbers"].items()}
        | {"problems": "; ".join(record["problems"])}
        for record in run.verdicts
    ]
    limits = {record["scheme"]: record["limits"] for record in rows}
    note = text("criteria_note") + " ".join(f"[{scheme}] {text}" for scheme, text in limits.items())
    printed = columns("set model scheme item value words status source")
    return Section(
        key="criteria",
        tables=record_table("verdicts", "Published schemes", rows, printed, note),
        record={"verdicts": list(run.verdicts)},
    )
