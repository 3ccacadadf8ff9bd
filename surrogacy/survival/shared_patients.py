"""Within-trial correlation of two log hazard ratios that follows from the patients they share.

The estimates of the effects on PFS and on OS come from the same patients, and a death without progression is an event
of both. In an illness-death model with constant hazards, their correlation is that of the two log-rank statistics in
large trials (`surrogacy.survival.logrank_law`):

    lam_C = log 2 / median PFS_C     lam_E = HR_PFS lam_C     h01 = (1 - q) lam     h02 = q lam
    h12 such that S_OS(median OS_C) = 1/2, the same in both arms

TTP censors deaths: h01 = log 2 / median TTP, and the hazard ratio multiplies h01 and h02.

The hazard after progression is equal in both arms, so that the correlation does not depend on the effect on OS, the
error of which it describes.

References
----------
Wei, Higgins (2013), doi:10.1002/sim.5679; Lin, Wei (1989), doi:10.1080/01621459.1989.10478874; Fleischer,
Gaschler-Markefski, Bluhmki (2009), doi:10.1002/sim.3637.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.survival.constant_hazards import pfs_hazards, post_progression_hazard
from surrogacy.survival.logrank_law import MixedArm, logrank_pair
from surrogacy.survival.partial_likelihood import Censoring

GRID_POINTS = 300  # of the time grid; the correlation is then accurate to 1e-4
CACHED = 4096  # trials whose values are kept, because the sets and models of a run share them


@dataclass(frozen=True)
class TrialCourse:
    """Course of a trial from the values of its control arm and the hazard ratio of progression.

    Parameters
    ----------
    median_pfs, median_os : float
        Of the control arm, months; median PFS, not TTP.
    hr_progression : float
        Hazard ratio of PFS or TTP, experimental over control.
    direct_death : float
        Share of the PFS events that are deaths.
    follow_up : (float, float)
        Shortest and longest administrative follow-up, months; uniform in between.
    experimental_share : float
        Share of the patients in the experimental arm.

    Raises
    ------
    UsageError
        If no hazard after progression gives the median OS.
    """

    median_pfs: float
    median_os: float
    hr_progression: float
    direct_death: float
    follow_up: tuple[float, float]
    experimental_share: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.post_progression):
            raise UsageError(
                f"no hazard after progression gives a median OS of {self.median_os:.3g} months with a median PFS of "
                f"{self.median_pfs:.3g} months and {self.direct_death:.0%} deaths among the PFS events"
            )

    @property
    def post_progression(self) -> float:
        """Hazard h12 of death after progression per month, equal in both arms."""
        return _post_progression(self.median_pfs, self.median_os, self.direct_death)

    @property
    def arms(self) -> tuple[MixedArm, MixedArm]:
        """Control and experimental arm."""
        hazards = (
            pfs_hazards(median, self.direct_death)
            for median in (self.median_pfs, self.median_pfs / self.hr_progression)
        )
        control, experimental = (
            MixedArm(float(progression), float(death), (self.post_progression,)) for progression, death in hazards
        )
        return control, experimental

    @property
    def censoring(self) -> Censoring:
        """Distribution of the follow-up."""
        return Censoring(*self.follow_up)


@lru_cache(maxsize=CACHED)
def _post_progression(median_pfs: float, median_os: float, direct_death: float) -> float:
    return float(post_progression_hazard(median_pfs, median_os, direct_death))


@lru_cache(maxsize=CACHED)
def shared_patients_correlation(course: TrialCourse, *, censors_deaths: bool = False) -> float:
    """Return the large-sample correlation of the log hazard ratios of PFS (or TTP) and OS.

    Parameters
    ----------
    course : TrialCourse
    censors_deaths : bool
        True for TTP, False for PFS.

    Raises
    ------
    UsageError
        If no events are expected within the follow-up.

    Examples
    --------
    >>> course = TrialCourse(6.0, 15.0, 0.7, 0.1, (12.0, 36.0), 0.5)
    >>> [round(shared_patients_correlation(course, censors_deaths=ttp), 2) for ttp in (False, True)]
    [0.64, 0.53]
    """
    trial = *course.arms, course.censoring, course.experimental_share
    return logrank_pair(*trial, censors_deaths=censors_deaths, points=GRID_POINTS).correlation
