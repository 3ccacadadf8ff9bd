"""Progression-free, overall and post-progression survival of one trial as printed, and what has to be assumed.

Pairs of values are (control, experimental); times are in months. A value that no source states is an `Assumed` one
with ``assumed`` true, and its words travel into every result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.results.levels import settle_level
from surrogacy.trials.standard_errors import StandardError, standard_error_from_interval

PpsDefinition = Literal["reported", "median-difference", "model", "area"]
PROGRESSION_ENDPOINTS = ("PFS", "TACE-PFS", "TTP")
ROUNDING = 0.051  # of a difference of two medians that are printed with one decimal


@dataclass(frozen=True)
class Median:
    """A median survival time with its limits.

    Parameters
    ----------
    value : float
        Months.
    low, high : float or None
        Limits, months; None = not reported or not reached.
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
    """A published hazard ratio, experimental over control.

    Parameters
    ----------
    value : float
    low, high : float or None
        Limits.
    level : float
    effect_id : str
        Row of ``effects.csv``.
    estimand : str
        What was estimated; a trial's Cox estimate as randomised unless stated.
    error : StandardError or None
        Standard error of the log hazard ratio with its derivation; None = from the limits, if there are any.
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
    """A value with where it comes from.

    Parameters
    ----------
    value : T
    source : str
        In words.
    assumed : bool
        Whether no source states it.
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
            raise UsageError("numbers at risk need one count an arm for each of at least two times")
        if self.times[0] != 0 or not (np.diff(self.times) > 0).all():
            raise UsageError(f"times of the numbers at risk start at 0 and increase; got {self.times}")
        for arm, counts in (("control", self.control), ("experimental", self.experimental)):
            if counts[0] <= 0 or min(counts) < 0 or not (np.diff(counts) <= 0).all():
                raise UsageError(f"numbers at risk of the {arm} arm must not increase; got {counts}")


@dataclass(frozen=True)
class PfsCut:
    """One published analysis of the progression endpoint.

    Parameters
    ----------
    name : str
        ``updated``, ``primary`` or as the table calls it.
    hr : HazardRatio
    medians : tuple of Median, or None
        Of control and experimental arm at this data cut.
    """

    name: str
    hr: HazardRatio
    medians: tuple[Median, Median] | None = None


@dataclass(frozen=True, kw_only=True)
class TrialSummary:
    """Published summaries of one comparison that a calibration starts from.

    Parameters
    ----------
    comparison, label : str
    n : tuple of int
        Patients, (control, experimental).
    endpoint : {"PFS", "TACE-PFS", "TTP"}
        Progression endpoint. A TTP censors deaths: its median and hazard ratio are of the hazard of progression alone.
    cuts : tuple of PfsCut
        The one that belongs with the final OS first.
    median_os : tuple of Median
    hr_os : HazardRatio
    direct_death : Sourced of float
        Share of PFS events that are deaths, q, taken as the same in both arms.
    follow_up : Sourced of (float, float), or Sourced of None
        Administrative censoring, uniform between these months; None = complete follow-up.
    pps : tuple of float, or None
        Median post-progression survival as printed.
    pps_definition : {"reported", "median-difference", "model", "area"} or None
    at_risk : AtRisk or None
        Of OS.
    notes : tuple of str
        What else a reader must know of these values, such as that one was not verified.

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
                f"{self.name}: {self.endpoint} is no endpoint to start from; take {', '.join(PROGRESSION_ENDPOINTS)}"
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
        """Label, or the identifier where there is none."""
        return self.label or self.comparison

    @property
    def pps_is_a_difference(self) -> bool:
        """Return whether the printed PPS equals median OS less median PFS in both arms, to rounding."""
        medians = self.cuts[0].medians
        if self.pps is None or medians is None:
            return False
        differences = (os.value - pfs.value for os, pfs in zip(self.median_os, medians, strict=True))
        return all(abs(pps - difference) <= ROUNDING for pps, difference in zip(self.pps, differences, strict=True))

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions in place of what no source states, in words."""
        stated: tuple[Sourced[Any], ...] = (self.direct_death, self.follow_up)
        return tuple(str(value) for value in stated if value.assumed)

    def cut(self, name: str | None = None) -> PfsCut:
        """A data cut by name; default: the first.

        Raises
        ------
        UsageError
            If there is none of that name.
        """
        if name is None:
            return self.cuts[0]
        found = next((cut for cut in self.cuts if cut.name == name), None)
        if found is None:
            raise UsageError(f"{self.name} has no cut {name!r}; choose from {', '.join(cut.name for cut in self.cuts)}")
        return found

    def with_direct_death(self, share: float, source: str = "as given") -> TrialSummary:
        """The same trial with another share of PFS events that are deaths."""
        return replace(self, direct_death=Sourced(share, source))

    def with_medians(self, cut: str, control: float, experimental: float) -> TrialSummary:
        """The same trial with the PFS medians of a data cut, months, where the tables do not hold them."""
        changed = replace(self.cut(cut), medians=(Median(control), Median(experimental)))
        return replace(self, cuts=tuple(changed if own.name == cut else own for own in self.cuts))
