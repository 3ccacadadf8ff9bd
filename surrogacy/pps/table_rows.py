"""Rows of the trial tables as typed values, grouped by comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Protocol, cast

import numpy as np
import pandas as pd

from surrogacy.pps.trial_summary import Median, PpsDefinition
from surrogacy.trials import TrialSet
from surrogacy.trials.columns import EVIDENCE, VERIFIED
from surrogacy.trials.frames import ReportedEffect


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One comparison of trials.csv; NaN or an empty text is missing. Columns as in CODEBOOK.md."""

    comparison: str
    trial: str
    label: str
    control_group: str
    year: float
    stage: str
    line: str
    n_ctl: float
    n_exp: float
    follow_up_low: float
    follow_up_high: float
    deaths_without_progression: float
    progressions: float

    @property
    def follow_up(self) -> tuple[float, float] | None:
        """Shortest and longest administrative follow-up, months; None unless both are stated."""
        limits = float(self.follow_up_low), float(self.follow_up_high)
        return limits if np.isfinite(limits).all() else None


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm of arms.csv; NaN or an empty text is missing. Columns as in CODEBOOK.md."""

    comparison: str
    arm: str
    label: str
    n: float
    pfs_endpoint: str
    preferred: bool
    evidence: str
    median_os: float
    median_os_low: float
    median_os_high: float
    median_pfs: float
    median_pfs_low: float
    median_pfs_high: float
    median_pps: float
    pps_definition: str
    post_therapy_pct: float
    post_systemic_pct: float

    @property
    def name(self) -> str:
        """Arm in words."""
        return "experimental arm" if self.arm == "exp" else "control arm"

    @property
    def os(self) -> Median:
        """Median OS with its limits."""
        return Median(self.median_os, number_or_none(self.median_os_low), number_or_none(self.median_os_high))

    @property
    def pfs(self) -> Median:
        """Median of the progression endpoint with its limits."""
        return Median(self.median_pfs, number_or_none(self.median_pfs_low), number_or_none(self.median_pfs_high))

    @property
    def definition(self) -> PpsDefinition | None:
        """Definition of the printed PPS; None if it is not stated."""
        return cast(PpsDefinition, self.pps_definition) if self.pps_definition else None


# columns whose values belong together, the quantity first
MEDIANS = (
    ("median_os", "median_os_low", "median_os_high"),
    ("median_pfs", "median_pfs_low", "median_pfs_high", "pfs_endpoint"),
    ("median_pps", "pps_definition"),
)
LATER_THERAPY = (("post_therapy_pct",), ("post_systemic_pct",))


@dataclass(frozen=True, slots=True)
class AtRiskRow:
    """Numbers at risk at one time, from at_risk.csv."""

    comparison: str
    endpoint: str
    months: float
    at_risk_ctl: float
    at_risk_exp: float


@dataclass(frozen=True, eq=False)
class TypedTables:
    """Typed rows of the tables of a `TrialSet`.

    Parameters
    ----------
    trials : dict of comparison to TrialRow
    arms : tuple of ArmRow
        One per arm with a preferred row, in the order of these rows; see `selected_arms`.
    arms_of, at_risk_of, effects_of : dict of comparison to list of rows
    """

    trials: Mapping[str, TrialRow]
    arms: tuple[ArmRow, ...]
    arms_of: Mapping[str, list[ArmRow]]
    at_risk_of: Mapping[str, list[AtRiskRow]]
    effects_of: Mapping[str, list[ReportedEffect]]


class _Row(Protocol):
    @property
    def comparison(self) -> str: ...


@lru_cache(maxsize=4)  # the tables of a run do not change
def typed_tables(trials: TrialSet) -> TypedTables:
    """Read the tables of a `TrialSet` as typed rows."""
    arms = selected_arms(_rows(trials.arms, ArmRow))
    return TypedTables(
        trials={row.comparison: row for row in _rows(trials.trials, TrialRow)},
        arms=tuple(arms),
        arms_of=_by_comparison(arms),
        at_risk_of=_by_comparison(_rows(trials.at_risk, AtRiskRow)),
        effects_of=_by_comparison(trials.reported),
    )


def selected_arms(rows: Sequence[ArmRow]) -> list[ArmRow]:
    """Select the values of each arm: those of its preferred row, and missing ones from its other rows.

    Another row must be verified and have the same number of patients, if it states one. It supplies a median only if
    it also has another median of the preferred row, with the same value, because medians of different analyses cannot
    be combined. The evidence of the arm is the weakest of the rows used.

    Parameters
    ----------
    rows : sequence of ArmRow
        Rows of arms.csv.

    Returns
    -------
    list of ArmRow
        In the order of the preferred rows.
    """
    further: dict[tuple[str, str], list[ArmRow]] = {}
    for row in rows:
        if not row.preferred and row.evidence in VERIFIED:
            further.setdefault((row.comparison, row.arm), []).append(row)
    selected = []
    for arm in filter(lambda row: row.preferred, rows):
        for row in further.get((arm.comparison, arm.arm), ()):
            if np.isnan([arm.n, row.n]).any() or arm.n == row.n:
                arm = _completed(arm, row)
        selected.append(arm)
    return selected


def _completed(arm: ArmRow, other: ArmRow) -> ArmRow:
    """Return an arm with the values that only another of its rows has."""
    one_analysis = arm.median_os == other.median_os or (
        arm.median_pfs == other.median_pfs and arm.pfs_endpoint == other.pfs_endpoint
    )
    lacking = [
        names
        for names in (*(MEDIANS if one_analysis else ()), *LATER_THERAPY)
        if np.isnan(getattr(arm, names[0])) and not np.isnan(getattr(other, names[0]))
    ]
    if not lacking:
        return arm
    values = {name: getattr(other, name) for names in lacking for name in names}
    weakest = max(arm.evidence, other.evidence, key=("", *EVIDENCE).index)
    return replace(arm, **values, evidence=weakest)


def number_or_none(value: float) -> float | None:
    """Return a finite number, else None."""
    return float(value) if np.isfinite(value) else None


def _rows[T: (TrialRow, ArmRow, AtRiskRow)](frame: pd.DataFrame, row: type[T]) -> list[T]:
    columns = [frame[field.name].tolist() for field in fields(row)]
    return [row(*values) for values in zip(*columns, strict=True)]


def _by_comparison[T: _Row](rows: Iterable[T]) -> dict[str, list[T]]:
    grouped: dict[str, list[T]] = {}
    for row in rows:
        grouped.setdefault(row.comparison, []).append(row)
    return grouped
