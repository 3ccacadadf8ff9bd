"""Criteria: the results by published schemes for surrogate endpoints."""

from __future__ import annotations

from surrogacy.analysis.fit_run import FitRun
from surrogacy.report.section import Section, table
from surrogacy.results.endpoint_names import common_final_name
from surrogacy.results.labels import estimate_labels


def section(run: FitRun) -> Section:
    """Return the verdicts of published schemes on every result."""
    verdicts = [{"set": entry.set, **entry.verdict.record} for entry in run.criteria]
    rows = [
        {key: value for key, value in record.items() if key not in ("numbers", "problems")}
        | {f"number_{key}": value for key, value in entry.verdict.numbers.items()}
        | {"problems": "; ".join(caveat.text for caveat in entry.verdict.caveats)}
        for entry, record in zip(run.criteria, verdicts, strict=True)
    ]
    limits = {record["scheme"]: record["limits"] for record in rows}
    return Section(
        key="criteria",
        tables=table(
            "verdicts",
            rows,
            labels=estimate_labels(common_final_name(fit.effects for fit in run.sets)),
            remarks=" ".join(f"[{scheme}] {source}" for scheme, source in limits.items()),
        ),
        record={"verdicts": verdicts},
    )
