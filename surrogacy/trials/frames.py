"""Conversion of rows to data frames, and of the effect table to typed values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from surrogacy.trials.cells import half_unit
from surrogacy.trials.columns import Column
from surrogacy.trials.rows import Row


@dataclass(frozen=True, slots=True)
class ReportedEffect:
    """Hazard ratio of effects.csv; NaN or an empty text is a missing value.

    Parameters
    ----------
    hr_half_unit : float
        Largest rounding error of the printed hazard ratio.
    file : str
    file_line : int
        Place of the row.
    effect_id, comparison, ...
        As in CODEBOOK.md.
    """

    effect_id: str
    comparison: str
    endpoint: str
    population: str
    analysis: str
    data_cut: str
    preferred: bool
    hr: float
    ci_low: float
    ci_high: float
    ci_level: float
    p: str
    p_sides: float
    events_exp: float
    events_ctl: float
    n_exp: float
    n_ctl: float
    adjusted: str
    criteria: str
    review: str
    evidence: str
    se: float
    rho_within: float
    hr_half_unit: float
    file: str
    file_line: int


def reported_effects(frame: pd.DataFrame) -> list[ReportedEffect]:
    """Return the rows of the effect table of a `TrialSet` as typed values."""
    columns = [frame[field.name].tolist() for field in fields(ReportedEffect)]
    return [ReportedEffect(*values) for values in zip(*columns, strict=True)]


def table_frame(rows: Sequence[Row], columns: Sequence[Column]) -> pd.DataFrame:
    """Convert rows to a data frame with typed columns.

    The columns ``file`` and ``file_line`` give the place of each row. The effect table also has ``hr_half_unit``, the
    largest rounding error of the printed hazard ratio.
    """
    frame = pd.DataFrame(
        {column.name: [row.cells.get(column.name, "") for row in rows] for column in columns}, dtype="str"
    )
    for column in columns:
        if column.kind in ("number", "integer"):
            frame[column.name] = pd.to_numeric(frame[column.name], errors="coerce")
        elif column.kind == "boolean":
            frame[column.name] = frame[column.name] == "true"
    frame["file"] = [row.file for row in rows]
    frame["file_line"] = [row.line for row in rows]
    if "hr" in frame:
        printed = zip(rows, np.isfinite(frame["hr"].to_numpy(dtype=float)), strict=True)
        frame["hr_half_unit"] = [half_unit(row["hr"]) if is_number else np.nan for row, is_number in printed]
    return frame
