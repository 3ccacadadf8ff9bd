"""The OS hazard ratio that a PFS effect leaves when post-progression survival is the same in both arms, by its length.

As PPS -> 0, OS is PFS and its hazard ratio that of PFS. As PPS -> infinity only deaths without progression are left within the
follow-up; with complete follow-up everyone dies after a wait that both arms share, and the hazard ratio goes to about 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.pps.calibration import Calibration, arms_from
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.survival.hazard_ratios import cox_hazard_ratio

ENDLESS_PPS = 1e6  # months: nobody dies after progression within any follow-up
LONG_PPS = 10_000.0  # months; with everyone followed to death the hazard ratio is then within about 0.001 of its limit
SHORT_PPS = 0.01


@dataclass(frozen=True, eq=False)
class EqualPps:
    """OS hazard ratios (Cox limit) with one PPS in both arms.

    Parameters
    ----------
    none : float
        PPS -> 0: the PFS hazard ratio.
    endless, endless_complete : float
        PPS -> infinity: under the trial's follow-up (PPS of a million months), with everyone followed to death (10,000 months).
    needed, needed_complete : float or None
        Median PPS (months, definition ``model``) at which dilution alone gives the observed OS hazard ratio; None if no length does.
    median_pps, hazard_ratio, hazard_ratio_complete : (k,) arrays
        The curve.
    """

    none: float
    endless: float
    endless_complete: float
    needed: float | None
    needed_complete: float | None
    median_pps: FloatArray
    hazard_ratio: FloatArray
    hazard_ratio_complete: FloatArray


def equal_pps_hazard_ratio(
    calibration: Calibration, median_pps: npt.ArrayLike, follow_up: tuple[float, float] | None, n: tuple[int, int]
) -> FloatArray:
    """OS hazard ratio (Cox limit) with these median PPS, months, in both arms; follow_up None = complete."""
    pps = np.atleast_1d(np.asarray(median_pps, dtype=np.float64))
    h12, ones = np.log(2.0) / pps, np.ones_like(pps)
    control, experimental = (
        arms_from(median * ones, calibration.direct_death, h12) for median in calibration.median_pfs
    )
    return np.asarray(cox_hazard_ratio(control, experimental, follow_up, n))


def pps_needed(
    calibration: Calibration, hazard_ratio: float, follow_up: tuple[float, float] | None, n: tuple[int, int]
) -> float | None:
    """Equal median PPS, months, at which the OS hazard ratio is the one given; None if no length from 0.01 to 10,000 gives it.

    The shortest such PPS: under short follow-up the hazard ratio need not rise all the way.
    """
    grid = np.geomspace(SHORT_PPS, LONG_PPS, 121)
    excess = np.log(equal_pps_hazard_ratio(calibration, grid, follow_up, n) / hazard_ratio)
    crossings = np.flatnonzero(np.sign(excess[:-1]) != np.sign(excess[1:]))
    if not len(crossings):
        return None
    from scipy.optimize import brentq

    def at(log_pps: float) -> float:
        return float(np.log(equal_pps_hazard_ratio(calibration, np.exp(log_pps), follow_up, n).item() / hazard_ratio))

    first = crossings[0]
    return float(np.exp(brentq(at, np.log(grid[first]), np.log(grid[first + 1]), xtol=1e-9)))


def equal_pps(inputs: TrialSummary, calibration: Calibration) -> EqualPps:
    """Limits, curve and PPS needed of one calibrated trial."""
    follow_up, n = inputs.follow_up.value, inputs.n
    control = float(calibration.median_pfs[0])
    grid = np.geomspace(0.02 * control, 50.0 * control, 81)
    endless = ENDLESS_PPS if follow_up is not None else LONG_PPS
    return EqualPps(
        none=float(calibration.median_pfs[0] / calibration.median_pfs[1]),
        endless=equal_pps_hazard_ratio(calibration, endless, follow_up, n).item(),
        endless_complete=equal_pps_hazard_ratio(calibration, LONG_PPS, None, n).item(),
        needed=pps_needed(calibration, inputs.hr_os.value, follow_up, n),
        needed_complete=pps_needed(calibration, inputs.hr_os.value, None, n),
        median_pps=grid,
        hazard_ratio=equal_pps_hazard_ratio(calibration, grid, follow_up, n),
        hazard_ratio_complete=equal_pps_hazard_ratio(calibration, grid, None, n),
    )
