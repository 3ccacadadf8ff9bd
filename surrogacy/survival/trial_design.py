"""Assumptions about a planned trial: survival in both arms, accrual, follow-up and test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.survival.logrank_law import LogRankPair, MixedArm, logrank_pair
from surrogacy.survival.partial_likelihood import Censoring
from surrogacy.survival.weibull_exits import exit_scales, post_progression_hazard

Pair = tuple[float, float]


@dataclass(frozen=True)
class Design:
    """Assumptions about a trial; pairs are (control, experimental), times in months.

    Parameters
    ----------
    pfs, pps : (float, float)
        Medians of progression-free survival, and of the time from progression to death. The latter is not the
        difference of median OS and median PFS.
    direct_death : (float, float)
        Share of the PFS events that are deaths.
    accrual, follow_up : float
        Months of even accrual, and months from the last entry to the data cut; infinite for complete follow-up.
    loss : float
        Hazard of loss to follow-up per month.
    crossover : float
        Share of the progressed control patients who have the experimental arm's hazard of death after progression.
    allocation : (float, float)
        Patients, or their ratio.
    alpha : float
        Two-sided level of both tests.
    pps_from_median_os : bool
        PPS derived from the median OS of the control arm, see `from_summaries`.
    shape : float
        Weibull shape of the hazards before progression; 1: constant. The hazard after progression is constant.

    Raises
    ------
    UsageError
        For an impossible value.

    Examples
    --------
    >>> design = Design(pfs=(6.0, 9.0), pps=(12.0, 12.0), accrual=24.0, follow_up=12.0)
    >>> tuple(round(median, 1) for median in design.median_os)
    (21.3, 25.3)
    """

    pfs: Pair
    pps: Pair
    direct_death: Pair = (0.0, 0.0)
    accrual: float = 18.0
    follow_up: float = 6.0
    loss: float = 0.0
    crossover: float = 0.0
    allocation: Pair = (1.0, 1.0)
    alpha: float = 0.05
    pps_from_median_os: bool = False
    shape: float = 1.0

    def __post_init__(self) -> None:
        for words, values in (("median PFS", self.pfs), ("median PPS", self.pps), ("allocation", self.allocation)):
            if not all(np.isfinite(value) and value > 0 for value in values):
                raise UsageError(f"{words} {values}: give finite numbers above 0, control then experimental")
        if not all(0 <= value < 1 for value in self.direct_death):
            raise UsageError(
                f"direct_death {self.direct_death}: the share of PFS events that are deaths lies in [0, 1)"
            )
        _check_shape(self.shape)
        if not 0 <= self.crossover <= 1:
            raise UsageError(
                f"crossover {self.crossover:g}: give a share of the progressed control patients, from 0 to 1"
            )
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha {self.alpha:g}: give a two-sided level between 0 and 1, such as 0.05")
        if not (0 <= self.accrual < np.inf and self.follow_up >= 0 and self.accrual + self.follow_up > 0):
            raise UsageError(
                f"accrual {self.accrual:g} and follow_up {self.follow_up:g} months: "
                "give 0 or more (accrual finite), and not both 0"
            )
        if not (np.isfinite(self.loss) and self.loss >= 0):
            raise UsageError(f"loss {self.loss:g}: give a hazard per month of 0 or more; {0.01:g} loses 11% in a year")

    @classmethod
    def from_summaries(
        cls,
        pfs: float | Pair,
        pps: float | Pair | None = None,
        *,
        os: float | None = None,
        hr_pfs: float | None = None,
        direct_death: float | Pair = 0.0,
        hr_direct_death: float | None = None,
        shape: float = 1.0,
    ) -> Design:
        """Derive the medians of both arms from published summaries; the other assumptions have their defaults.

        Parameters
        ----------
        pfs : (float, float), or float with `hr_pfs`
            Median PFS of the control and the experimental arm, months; or of the control arm.
        pps : float or (float, float), optional
            Median time from progression to death, months; one number for both arms, or control and experimental.
        os : float, optional
            Median OS of the control arm, months, instead of `pps`; both arms have the PPS that the model derives from
            it, which is shorter than the difference of the two medians.
        hr_pfs : float, optional
            PFS hazard ratio, experimental over control, where `pfs` is the control's median.
        direct_death : float or (float, float)
            Share of PFS events that are deaths.
        hr_direct_death : float, optional
            Hazard ratio of death without progression, from which follows the share of deaths in the experimental arm,
            with one number in `direct_death`, that of the control arm. Default: the same share in both arms, so that
            this hazard ratio is that of PFS.
        shape : float
            Weibull shape of the hazards before progression.

        Raises
        ------
        UsageError
            If a value is impossible, or unless exactly one of `pps` and `os` is present.

        Examples
        --------
        >>> design = Design.from_summaries(pfs=8.0, hr_pfs=0.69, os=20.0)
        >>> round(design.pfs[1], 2), round(design.pps[0], 2)
        (11.59, 8.52)
        """
        _check_shape(shape)
        medians = _median_pfs(pfs, hr_pfs, shape)
        deaths = _both_arms(direct_death)
        if hr_direct_death is not None:
            deaths = deaths[0], _experimental_deaths(deaths[0], hr_direct_death, (medians[0] / medians[1]) ** shape)
        if pps is not None and os is None:
            both = _both_arms(pps)
        elif os is not None and pps is None:
            both = _both_arms(_equal_pps(os, medians[0], deaths[0], shape))
        else:
            raise UsageError(
                "give exactly one of pps (median post-progression survival) and os (median OS of the control arm)"
            )
        return cls(medians, both, deaths, pps_from_median_os=os is not None, shape=shape)

    @property
    def arms(self) -> tuple[MixedArm, MixedArm]:
        """Transition hazards of the control and the experimental arm."""
        pps = [float(np.log(2.0)) / median for median in self.pps]
        hazards = [exit_scales(median, q, self.shape) for median, q in zip(self.pfs, self.direct_death, strict=True)]
        mixed = 0 < self.crossover < 1
        after = (pps[0], pps[1]) if mixed else (pps[1],) if self.crossover else (pps[0],)
        shares = (1.0 - self.crossover, self.crossover) if mixed else (1.0,)
        (progression, death), (progression_exp, death_exp) = hazards
        return (
            MixedArm(float(progression), float(death), after, shares, self.shape),
            MixedArm(float(progression_exp), float(death_exp), (pps[1],), shape=self.shape),
        )

    @property
    def median_os(self) -> Pair:
        """Median OS of the control and the experimental arm that PFS and PPS imply, months."""
        control, experimental = (arm.median_os for arm in self.arms)
        return control, experimental

    @property
    def censoring(self) -> Censoring:
        """Distribution of the follow-up."""
        return Censoring.accrual(self.accrual, self.follow_up, self.loss)

    @property
    def experimental_share(self) -> float:
        """Share of the patients in the experimental arm."""
        return self.allocation[1] / sum(self.allocation)

    @property
    def statistics(self) -> LogRankPair:
        """Joint law of the log-rank statistics of PFS and OS."""
        return logrank_pair(*self.arms, self.censoring, self.experimental_share)

    @property
    def only_pps_differs(self) -> Design:
        """Design with the PFS of the control arm in both arms, the reverse case of Morita et al. (2015)."""
        return replace(self, pfs=(self.pfs[0],) * 2, direct_death=(self.direct_death[0],) * 2)


def _both_arms(value: float | Pair) -> Pair:
    """Control and experimental value, from one number for both arms or from two."""
    if isinstance(value, int | float | np.number):
        return float(value), float(value)
    if len(value) != 2:
        raise UsageError(f"{value}: give one number for both arms, or two, control then experimental")
    return cast(Pair, tuple(map(float, value)))


def _check_shape(shape: float) -> None:
    if not (np.isfinite(shape) and shape > 0):
        raise UsageError(f"shape {shape:g}: give a finite number above 0; 1 is a constant hazard")


def _experimental_deaths(control: float, hr_direct_death: float, hr_pfs: float) -> float:
    """Share of PFS events that are deaths in the experimental arm."""
    if not (np.isfinite(hr_direct_death) and hr_direct_death > 0):
        raise UsageError(f"hr_direct_death {hr_direct_death:g}: give a finite number above 0")
    if control == 0:
        raise UsageError(f"hr_direct_death {hr_direct_death:g} has no effect without direct_death; give both")
    share = control * hr_direct_death / hr_pfs
    if share >= 1:
        raise UsageError(
            f"hr_direct_death {hr_direct_death:g}: deaths without progression alone exceed the PFS events of the "
            f"experimental arm (PFS hazard ratio {hr_pfs:.3g}); give a smaller hazard ratio or direct_death"
        )
    return share


def _median_pfs(pfs: float | Pair, hr_pfs: float | None, shape: float) -> Pair:
    """Median PFS of both arms, months."""
    if isinstance(pfs, int | float | np.number) == (hr_pfs is None):
        raise UsageError("give pfs as medians of both arms, or the control's median with hr_pfs")
    control, experimental = _both_arms(pfs)
    if hr_pfs is None:
        return control, experimental
    if not (np.isfinite(hr_pfs) and hr_pfs > 0):
        raise UsageError(f"hr_pfs {hr_pfs:g}: give a hazard ratio above 0, experimental over control")
    return control, control / hr_pfs ** (1.0 / shape)


def _equal_pps(os: float, pfs: float, direct_death: float, shape: float) -> float:
    """Median PPS, months, from median OS, median PFS and deaths without progression of the control arm."""
    if not (np.isfinite([os, pfs]).all() and 0 < pfs < os):
        raise UsageError(f"median OS {os:g}: give months above the median PFS of the control arm, {pfs:g}")
    hazard = float(post_progression_hazard(pfs, os, direct_death, shape))
    if not hazard > 0:
        raise UsageError(
            f"median OS {os:g}: with {direct_death:.0%} of PFS events deaths and a median PFS of {pfs:g}, "
            "deaths without progression alone exceed half of the patients earlier; "
            "lower direct_death, or check the medians"
        )
    return float(np.log(2.0)) / hazard
