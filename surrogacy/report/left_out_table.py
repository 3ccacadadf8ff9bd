"""Table of the comparisons that a model leaves out because they lack what it needs."""

from __future__ import annotations

from collections.abc import Sequence

from surrogacy.analysis.fit_run import SetFit
from surrogacy.report.tables import ReportTable, records_table


def left_out_table(analyses: Sequence[SetFit]) -> list[ReportTable]:
    """One row per set, model and comparison; nothing if every model uses all comparisons."""
    records = [
        {
            "set": one.name,
            "model": model,
            "comparison": entry.comparison,
            "reason": entry.reason,
            "remedy": entry.remedy,
        }
        for one in analyses
        for model, left_out in (
            *((result.model, result.left_out) for result in one.results),
            *((entry.model, entry.left_out) for entry in one.not_fitted),
        )
        for entry in left_out
    ]
    if not records:
        return []
    labels = {
        name: label for one in analyses for name, label in zip(one.effects.comparison, one.effects.labels, strict=True)
    }
    columns = {"set": "Set", "model": "Model", "comparison": "Comparison", "reason": "Reason", "remedy": "Remedy"}
    note = "Every model uses the comparisons that have what it needs."
    return [records_table("left_out", "Comparisons that a model leaves out", note, records, columns, labels)]
