"""Criteria: the results by published schemes for surrogate endpoints."""

from __future__ import annotations

from surrogacy.analysis.fit_run import FitRun
from surrogacy.report.section import Section, table


def section(run: FitRun) -> Section:
    """Return what published schemes say of every result."""
    rows = [
        {key: value for key, value in record.items() if key not in ("numbers", "problems")}
        | {f"number_{key}": value for key, value in record["numbers"].items()}
        | {"problems": "; ".join(record["problems"])}
        for record in run.criteria
    ]
    limits = {record["scheme"]: record["limits"] for record in rows}
    return Section(
        key="criteria",
        tables=table("verdicts", rows, remarks=" ".join(f"[{scheme}] {source}" for scheme, source in limits.items())),
        record={"verdicts": list(run.criteria)},
    )
