"""Assumptions about a planned trial: survival in both arms, entry, follow-up and test."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.survival.constant_hazards import pfs_hazards
from surrogacy.survival.logrank_law import LogRankPair, MixedArm, logrank_pair
from surrogacy.survival.partial_likelihood import Censoring

Pair = tuple[float, float]


@dataclass(frozen=True)
class Design:
    """What is assumed of a trial; pairs are (control, experimental), times in months.

    Parameters
    ----------
    pfs, pps : (float, float)
        Medians of progression-free survival, and of the time from progression to death (of the model, not a difference of medians).
    direct_death : (float, float)
        Share of the PFS events that are deaths.
    accrual, follow_up : float
        Months of even accrual, and months from the last entry to the data cut; infinite = everyone is followed to the event.
    loss : float
        Hazard of loss to follow-up per month.
    crossover : float
        Share of the progressed control patients with the experimental arm's hazard of death after progression.
    allocation : (float, float)
        Patients, or their ratio.
    alpha : float
        Two-sided level of both tests.
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

    def __post_init__(self) -> None:
        for words, values in (("median PFS", self.pfs), ("median PPS", self.pps), ("allocation", self.allocation)):
            if not all(np.isfinite(value) and value > 0 for value in values):
                raise UsageError(f"{words} {values}: give finite numbers above 0, control then experimental")
        if not all(0 <= value < 1 for value in self.direct_death):
            raise UsageError(
                f"direct_death {self.direct_death}: the share of PFS events that are deaths lies in [0, 1)"
            )
        if not 0 <= self.crossover <= 1:
            raise UsageError(
                f"crossover {self.crossover:g}: give a share of the progressed control patients, from 0 to 1"
            )
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha {self.alpha:g}: give a two-sided level between 0 and 1, such as 0.05")
        if not (0 <= self.accrual < np.inf and self.follow_up >= 0 and self.accrual + self.follow_up > 0):
            raise UsageError(
                f"accrual {self.accrual:g} and follow_up {self.follow_up:g} months: give 0 or more (accrual finite), and not both 0"
            )
        if not (np.isfinite(self.loss) and self.loss >= 0):
            raise UsageError(f"loss {self.loss:g}: give a hazard per month of 0 or more; {0.01:g} loses 11% in a year")

    @property
    def arms(self) -> tuple[MixedArm, MixedArm]:
        """Transition hazards of the control and the experimental arm."""
        pps = [float(np.log(2.0)) / median for median in self.pps]
        hazards = [pfs_hazards(median, q) for median, q in zip(self.pfs, self.direct_death, strict=True)]
        mixed = 0 < self.crossover < 1
        after = (pps[0], pps[1]) if mixed else (pps[1],) if self.crossover else (pps[0],)
        shares = (1.0 - self.crossover, self.crossover) if mixed else (1.0,)
        (progression, death), (progression_exp, death_exp) = hazards
        return (
            MixedArm(float(progression), float(death), after, shares),
            MixedArm(float(progression_exp), float(death_exp), (pps[1],)),
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
        """The design with the control arm's PFS in both arms: the reverse case of Morita."""
        return replace(self, pfs=(self.pfs[0],) * 2, direct_death=(self.direct_death[0],) * 2)
