"""Dilution: the OS effect that follows from a PFS effect if post-progression survival is equal in both arms.

    retained share = log HR_OS / log HR_PFS,   HR_OS the large-sample limit of the Cox estimate

Hazards are constant, so only ratios matter, and the unit of time is the median PFS of the control arm. Administrative
censoring is uniform, as under even accrual. If PPS is long, short follow-up retains more of the effect, because early
deaths are less diluted.

As PPS -> 0, OS equals PFS and has its hazard ratio. As PPS -> infinity, only deaths without progression occur within
the follow-up. With complete follow-up, the time after progression dominates OS in both arms, and the hazard ratio tends
to about 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.calibration import Calibration
from surrogacy.pps.structure import DEFAULT_STRUCTURE, Pair, TransitionStructure
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.survival.hazard_ratios import cox_hazard_ratio

ENDLESS_PPS = 1e6  # months; no death after progression within any follow-up
LONG_PPS = 10_000.0  # months; with complete follow-up the hazard ratio is then within about 0.001 of its limit
SHORT_PPS = 0.01  # months


@dataclass(frozen=True)
class EqualPps:
    """Limits of the OS hazard ratio for equal PPS in both arms, and the PPS at which it equals the observed one.

    Parameters
    ----------
    none : float
        PPS -> 0: the PFS hazard ratio.
    endless, endless_complete : float
        PPS -> infinity, under the trial's follow-up (PPS of a million months) and with complete follow-up (10,000
        months).
    needed, needed_complete : float or None
        Median PPS (months, definition ``model``) at which dilution alone gives the observed OS hazard ratio, under the
        trial's follow-up and with complete follow-up; None if there is no such PPS.
    """

    none: float
    endless: float
    endless_complete: float
    needed: float | None
    needed_complete: float | None


def equal_pps_hazard_ratio(
    median_pfs: Pair,
    post_progression: npt.ArrayLike,
    direct_death: npt.ArrayLike = 0.0,
    follow_up: tuple[float, float] | None = None,
    allocation: tuple[float, float] = (1.0, 1.0),
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> FloatArray:
    """OS hazard ratio (Cox limit) with one post-progression hazard in both arms.

    Parameters
    ----------
    median_pfs : two floats or (m,) arrays
        Control and experimental arm, months.
    post_progression : float or (m,) array
        Hazard of death after progression, per month.
    direct_death : float or (m,) array
        Share of PFS events that are deaths in the control arm; by default in both arms.
    follow_up : (float, float), optional
        Shortest and longest administrative follow-up, months, uniform in between; default: complete.
    allocation : (float, float)
        Patients in the control and in the experimental arm; only their ratio matters.
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the exits from PFS.

    Returns
    -------
    () or (m,) array

    Examples
    --------
    >>> months = 12.0
    >>> round(float(equal_pps_hazard_ratio((6.0, 9.0), np.log(2.0) / months)), 3)
    0.815
    """
    arms = structure.arms(median_pfs, direct_death, (post_progression, post_progression))
    return np.asarray(cox_hazard_ratio(*arms, follow_up, allocation))


def diluted_hazard_ratio(
    hr_pfs: npt.ArrayLike,
    pps_over_pfs: npt.ArrayLike,
    direct_death: npt.ArrayLike = 0.0,
    follow_up: tuple[float, float] | None = None,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> FloatArray:
    """OS hazard ratio (large-sample limit of the Cox estimate) with equal post-progression survival in both arms.

    Parameters
    ----------
    hr_pfs : array-like
        PFS hazard ratios, experimental over control.
    pps_over_pfs : array-like
        Median PPS over the control's median PFS.
    direct_death : array-like
        Share of PFS events that are deaths in the control arm.
    follow_up : (float, float), optional
        Shortest and longest administrative follow-up, in multiples of the median PFS of the control arm; uniform
        between them. By default follow-up is complete.
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the exits from PFS.

    Returns
    -------
    array
        Of the shape to which the arguments broadcast.

    Raises
    ------
    UsageError
        If a value is impossible.

    Examples
    --------
    >>> diluted_hazard_ratio(0.6, [0.5, 2.0, 8.0]).round(3).tolist()
    [0.621, 0.765, 0.924]
    """
    hr, ratio, q = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (hr_pfs, pps_over_pfs, direct_death))
    )
    for words, values, possible in (
        ("hr_pfs", hr, np.isfinite(hr) & (hr > 0)),
        ("pps_over_pfs", ratio, np.isfinite(ratio) & (ratio > 0)),
        ("direct_death", q, (q >= 0) & (q < 1)),
    ):
        if not possible.all():
            limits = "a share in [0, 1)" if words == "direct_death" else "finite numbers above 0"
            raise UsageError(f"{words} {values[~possible].flat[0]:g}: give {limits}")
    medians = np.ones(hr.size), structure.experimental_pfs(1.0, hr.ravel())
    hazard = np.log(2.0) / ratio.ravel()
    return equal_pps_hazard_ratio(medians, hazard, q.ravel(), follow_up, structure=structure).reshape(hr.shape)


def retained_share(
    hr_pfs: npt.ArrayLike,
    pps_over_pfs: npt.ArrayLike,
    direct_death: npt.ArrayLike = 0.0,
    follow_up: tuple[float, float] | None = None,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> FloatArray:
    """Retained share ``log HR_OS / log HR_PFS``; the arguments are those of `diluted_hazard_ratio`.

    Raises
    ------
    UsageError
        If a value is impossible, or a PFS hazard ratio is 1, for which the share is not defined.

    Examples
    --------
    >>> retained_share(0.6, [0.5, 2.0, 8.0]).round(2).tolist()
    [0.93, 0.53, 0.16]
    """
    if (np.asarray(hr_pfs) == 1).any():
        raise UsageError("hr_pfs 1: the retained share is not defined without a PFS effect; give another hazard ratio")
    diluted = diluted_hazard_ratio(hr_pfs, pps_over_pfs, direct_death, follow_up, structure)
    return np.asarray(np.log(diluted) / np.log(hr_pfs))


def pps_needed(
    calibration: Calibration, hazard_ratio: float, follow_up: tuple[float, float] | None, n: tuple[int, int]
) -> float | None:
    """Median PPS, equal in both arms, at which dilution alone gives an OS hazard ratio.

    Parameters
    ----------
    calibration : Calibration
    hazard_ratio : float
        OS hazard ratio (Cox limit), experimental over control.
    follow_up : (float, float) or None
        Administrative follow-up, months; None = complete.
    n : (int, int)
        Patients, control and experimental.

    Returns
    -------
    float or None
        Months. The shortest such PPS, because under short follow-up the hazard ratio need not be monotone. None if
        there is none from 0.01 to 10,000 months.
    """
    from scipy.optimize import brentq

    def excess(log_pps: npt.ArrayLike) -> FloatArray:
        return np.log(_with_equal_pps(calibration, np.exp(log_pps), follow_up, n) / hazard_ratio)

    grid = np.linspace(np.log(SHORT_PPS), np.log(LONG_PPS), 121)
    signs = np.sign(excess(grid))
    crossings = np.flatnonzero(signs[:-1] != signs[1:])
    if not len(crossings):
        return None
    first = crossings[0]
    root = brentq(lambda log_pps: excess(log_pps).item(), grid[first], grid[first + 1], xtol=1e-9)
    return float(np.exp(root))


def equal_pps(inputs: TrialSummary, calibration: Calibration) -> EqualPps:
    """Compute the limits of the OS hazard ratio for equal PPS in both arms, and the PPS at which it is as observed."""
    follow_up, n = inputs.follow_up.value, inputs.n
    endless = ENDLESS_PPS if follow_up is not None else LONG_PPS
    return EqualPps(
        none=float(calibration.structure.hazard_ratio(*calibration.median_pfs)),
        endless=_with_equal_pps(calibration, endless, follow_up, n).item(),
        endless_complete=_with_equal_pps(calibration, LONG_PPS, None, n).item(),
        needed=pps_needed(calibration, inputs.hr_os.value, follow_up, n),
        needed_complete=pps_needed(calibration, inputs.hr_os.value, None, n),
    )


def _with_equal_pps(
    calibration: Calibration, median_pps: npt.ArrayLike, follow_up: tuple[float, float] | None, n: tuple[int, int]
) -> FloatArray:
    """OS hazard ratio of a calibrated trial with the same median PPS, months, in both arms."""
    hazard = np.log(2.0) / np.asarray(median_pps, dtype=np.float64)
    return equal_pps_hazard_ratio(
        calibration.median_pfs, hazard, calibration.direct_death, follow_up, n, calibration.structure
    )
