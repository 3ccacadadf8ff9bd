"""Published progression-free, overall and post-progression survival of one trial, with the necessary assumptions.

Pairs of values are (control, experimental). Times are in months. A value that no source states is a `Sourced` value
with ``assumed`` true; its description becomes a caveat of every result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.results.levels import settle_level
from surrogacy.trials.standard_errors import StandardError, standard_error_from_interval

PpsDefinition = Literal["reported", "median-difference", "model", "area"]
PROGRESSION_ENDPOINTS = ("PFS", "TACE-PFS", "TTP")
ROUNDING = 0.051  # rounding error of a difference of two medians with one decimal


@dataclass(frozen=True)
class Median:
    """Median survival time with its interval.

    Parameters
    ----------
    value : float
        Months.
    low, high : float or None
        Limits, months; None if not reported or not reached.
    level : float
    """

    value: float
    low: float | None = None
    high: float | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        settle_level(self)
        if not (np.isfinite(self.value) and self.value > 0):
            raise UsageError(f"a median survival time is a number of months above 0; got {self.value:g}")


@dataclass(frozen=True)
class HazardRatio:
    """Published hazard ratio, experimental over control.

    Parameters
    ----------
    value : float
    low, high : float or None
        Limits.
    level : float
    effect_id : str
        Row of ``effects.csv``.
    estimand : str
        Estimand; default: the Cox estimate as randomised.
    error : StandardError or None
        Standard error of the log hazard ratio with its derivation; None: from the limits, if there are any.
    """

    value: float
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    effect_id: str = ""
    estimand: str = "Cox estimate as randomised"
    error: StandardError | None = None

    def __post_init__(self) -> None:
        settle_level(self)
        if not (np.isfinite(self.value) and self.value > 0):
            raise UsageError(f"a hazard ratio is a finite number above 0; got {self.value:g}")

    @property
    def se(self) -> float | None:
        """Standard error of the log hazard ratio, as `surrogacy.trials.standard_errors` derives it for the models."""
        if self.error is not None:
            return self.error.value
        if self.low is None or self.high is None:
            return None
        return standard_error_from_interval(self.low, self.high, self.level)


@dataclass(frozen=True)
class Sourced[T]:
    """Value with its source.

    Parameters
    ----------
    value : T
    source : str
        Description of the source, or of the assumption.
    assumed : bool
        True if no source states the value.
    """

    value: T
    source: str
    assumed: bool = False

    def __str__(self) -> str:
        return f"{'assumption: ' if self.assumed else ''}{self.source}"


@dataclass(frozen=True)
class AtRisk:
    """Numbers at risk below a survival curve.

    Parameters
    ----------
    times : tuple of float
        Months from randomisation, increasing from 0.
    control, experimental : tuple of int
        Patients at risk at ``times``.
    endpoint : str
    """

    times: tuple[float, ...]
    control: tuple[int, ...]
    experimental: tuple[int, ...]
    endpoint: str = "OS"

    def __post_init__(self) -> None:
        if not len(self.times) == len(self.control) == len(self.experimental) >= 2:
            raise UsageError("numbers at risk need one count per arm for each of at least two times")
        if self.times[0] != 0 or not (np.diff(self.times) > 0).all():
            raise UsageError(f"times of the numbers at risk start at 0 and increase; got {self.times}")
        for arm, counts in (("control", self.control), ("experimental", self.experimental)):
            if counts[0] <= 0 or min(counts) < 0 or not (np.diff(counts) <= 0).all():
                raise UsageError(f"numbers at risk of the {arm} arm must not increase; got {counts}")


@dataclass(frozen=True)
class PfsCut:
    """Published analysis of the progression endpoint at one data cut.

    Parameters
    ----------
    name : str
        ``updated``, ``primary`` or another name from the table.
    hr : HazardRatio
    medians : tuple of Median, or None
        Medians of the control and the experimental arm at this data cut.
    """

    name: str
    hr: HazardRatio
    medians: tuple[Median, Median] | None = None


@dataclass(frozen=True, kw_only=True)
class TrialSummary:
    """Published summaries of one comparison, the input of a calibration.

    Parameters
    ----------
    comparison, label : str
    n : tuple of int
        Patients, (control, experimental).
    endpoint : {"PFS", "TACE-PFS", "TTP"}
        Progression endpoint. TTP censors deaths: its median and hazard ratio concern the hazard of progression alone.
    cuts : tuple of PfsCut
        Data cuts; the first belongs with the final OS.
    median_os : tuple of Median
    hr_os : HazardRatio
    direct_death : Sourced of float
        Share q of PFS events that are deaths, assumed equal in both arms.
    follow_up : Sourced of (float, float), or Sourced of None
        Administrative censoring, uniform between these months; None for complete follow-up.
    pps : tuple of float, or None
        Median post-progression survival as printed.
    pps_definition : {"reported", "median-difference", "model", "area"} or None
    at_risk : AtRisk or None
        Numbers at risk for OS.
    notes : tuple of str
        Further caveats, for example that a value is not verified.

    Raises
    ------
    UsageError
        If a value is impossible: a median OS not above the median PFS of its arm, a share outside [0, 1), fewer than 2
        patients.
    """

    comparison: str
    n: tuple[int, int]
    cuts: tuple[PfsCut, ...]
    median_os: tuple[Median, Median]
    hr_os: HazardRatio
    direct_death: Sourced[float]
    follow_up: Sourced[tuple[float, float] | None]
    endpoint: str = "PFS"
    label: str = ""
    pps: tuple[float, float] | None = None
    pps_definition: PpsDefinition | None = None
    at_risk: AtRisk | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.n) < 2:
            raise UsageError(f"{self.name}: each arm needs at least 2 patients; got {self.n}")
        if self.endpoint not in PROGRESSION_ENDPOINTS:
            raise UsageError(
                f"{self.name}: {self.endpoint} is not a progression endpoint; use {', '.join(PROGRESSION_ENDPOINTS)}"
            )
        if not self.cuts:
            raise UsageError(f"{self.name}: there is no hazard ratio of {self.endpoint}")
        if not 0 <= self.direct_death.value < 1:
            raise UsageError(f"{self.name}: direct_death {self.direct_death.value:g} must lie in [0, 1)")
        if self.follow_up.value is not None and not 0 <= self.follow_up.value[0] < self.follow_up.value[1] < np.inf:
            raise UsageError(
                f"{self.name}: follow_up {self.follow_up.value} must be the first and the last month of "
                "censoring, first < last"
            )
        if self.pps is not None and not min(self.pps) > 0:
            raise UsageError(f"{self.name}: a median post-progression survival is above 0 months; got {self.pps}")
        for cut in self.cuts:
            for arm, pfs, os in zip(("control", "experimental"), cut.medians or (), self.median_os, strict=False):
                if os.value <= pfs.value:
                    raise UsageError(
                        f"{self.name}, {arm} arm: median OS {os.value:g} is not above median {self.endpoint} "
                        f"{pfs.value:g} ({cut.name}); check both, months from randomisation"
                    )

    @property
    def name(self) -> str:
        """Label, or the identifier if there is no label."""
        return self.label or self.comparison

    @property
    def pps_is_a_difference(self) -> bool:
        """Test that the published PPS is median OS minus median PFS in both arms, within rounding error."""
        medians = self.cuts[0].medians
        if self.pps is None or medians is None:
            return False
        differences = (os.value - pfs.value for os, pfs in zip(self.median_os, medians, strict=True))
        return all(abs(pps - difference) <= ROUNDING for pps, difference in zip(self.pps, differences, strict=True))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Descriptions of the assumed values."""
        return tuple(str(value) for value in (self.direct_death, self.follow_up) if value.assumed)

    def cut(self, name: str | None = None) -> PfsCut:
        """Return a data cut by name; default: the first.

        Raises
        ------
        UsageError
            If there is no data cut of that name.
        """
        if name is None:
            return self.cuts[0]
        cuts = {cut.name: cut for cut in self.cuts}
        if name not in cuts:
            raise UsageError(f"{self.name} has no cut {name!r}; choose from {', '.join(cuts)}")
        return cuts[name]

    def with_direct_death(self, share: float, source: str = "as given") -> TrialSummary:
        """Return the trial with another share of PFS events that are deaths."""
        return replace(self, direct_death=Sourced(share, source))

    def with_medians(self, cut: str, control: float, experimental: float) -> TrialSummary:
        """Return the trial with PFS medians, months, for a data cut without medians in the tables."""
        changed = replace(self.cut(cut), medians=(Median(control), Median(experimental)))
        return replace(self, cuts=tuple(changed if item.name == cut else item for item in self.cuts))
