"""Criteria: the results by published schemes for surrogate endpoints."""

from __future__ import annotations

from surrogacy.analysis.fit_run import FitRun
from surrogacy.evaluation.criteria import records
from surrogacy.report.section import Section, table


def section(run: FitRun) -> Section:
    """Return what published schemes say of every result."""
    verdicts = [{"set": entry.set} | record for entry in run.criteria for record in records([entry.verdict])]
    rows = [
        {key: value for key, value in record.items() if key not in ("numbers", "problems")}
        | {f"number_{key}": value for key, value in record["numbers"].items()}
        | {"problems": "; ".join(record["problems"])}
        for record in verdicts
    ]
    limits = {record["scheme"]: record["limits"] for record in rows}
    return Section(
        key="criteria",
        tables=table("verdicts", rows, remarks=" ".join(f"[{scheme}] {source}" for scheme, source in limits.items())),
        record={"verdicts": verdicts},
    )
