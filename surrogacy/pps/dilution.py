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
from surrogacy.pps.calibration import Calibration, pfs_of_endpoint
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, read_all_inputs
from surrogacy.pps.structure import DEFAULT_STRUCTURE, Pair, TransitionStructure
from surrogacy.pps.table_rows import typed_tables
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.trials import TrialSet

TRIAL_LIKE = (4.0, 8.0)  # shortest and longest follow-up, in median PFS of the control arm
RATIOS = np.geomspace(0.2, 20.0, 41)
HAZARD_RATIOS = np.exp(np.linspace(np.log(0.25), np.log(0.97), 21))
ENDLESS_PPS = 1e6  # months; no death after progression within any follow-up
LONG_PPS = 10_000.0  # months; with complete follow-up the hazard ratio is then within about 0.001 of its limit
SHORT_PPS = 0.01  # months
MEAN_FOLLOW_UPS = np.geomspace(1.5, 60.0, 25)


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


@dataclass(frozen=True, eq=False)
class DilutionMap:
    """Retained share of the log hazard ratio on three grids; columns are ``ratios``.

    Parameters
    ----------
    ratios : (r,) array
        Median PPS over the control's median PFS, the same PPS in both arms.
    hazard_ratios : (h,) array
        PFS hazard ratios.
    complete, trial_like : (h, r) arrays
        Retained share by PFS hazard ratio, with complete follow-up and with follow-up uniform over ``TRIAL_LIKE``.
    follow_ups : (f,) array
        Mean follow-up in median PFS of the control arm; follow-up is uniform from 2/3 to 4/3 of the mean, as in
        ``TRIAL_LIKE``.
    by_follow_up : (f, r) array
        Retained share by mean follow-up, at ``hr_pfs``.
    hr_pfs : float
    direct_death : float
        Share of PFS events that are deaths.
    structure : TransitionStructure
    """

    ratios: FloatArray
    hazard_ratios: FloatArray
    complete: FloatArray
    trial_like: FloatArray
    follow_ups: FloatArray
    by_follow_up: FloatArray
    hr_pfs: float
    direct_death: float
    structure: TransitionStructure


@dataclass(frozen=True)
class DilutionPoint:
    """Position of a comparison on the map.

    Parameters
    ----------
    comparison, label, stage : str
    pps_over_pfs : float
        Median PPS (definition ``model``) over median PFS of the control arm.
    hr_pfs, hr_os : float
        Reported hazard ratios; that of PFS is for ``endpoint``.
    endpoint : str
    follow_up : float or None
        Mean administrative follow-up over median PFS of the control arm; None if the tables do not hold it.
    """

    comparison: str
    label: str
    stage: str
    pps_over_pfs: float
    hr_pfs: float
    hr_os: float
    endpoint: str
    follow_up: float | None


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


def dilution_map(
    hr_pfs: float = 0.65,
    direct_death: float = ASSUMED_DIRECT_DEATH,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> DilutionMap:
    """Compute the retained share of the log hazard ratio on three grids.

    Parameters
    ----------
    hr_pfs : float
        PFS hazard ratio of the grid over follow-up.
    direct_death : float
        Share of PFS events that are deaths in the control arm.
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the exits from PFS.

    Returns
    -------
    DilutionMap
    """
    by_hazard_ratio = HAZARD_RATIOS[:, None], RATIOS
    by_follow_up = [
        retained_share(hr_pfs, RATIOS, direct_death, (2.0 / 3.0 * mean, 4.0 / 3.0 * mean), structure)
        for mean in MEAN_FOLLOW_UPS
    ]
    return DilutionMap(
        ratios=RATIOS,
        hazard_ratios=HAZARD_RATIOS,
        complete=retained_share(*by_hazard_ratio, direct_death, structure=structure),
        trial_like=retained_share(*by_hazard_ratio, direct_death, TRIAL_LIKE, structure),
        follow_ups=MEAN_FOLLOW_UPS,
        by_follow_up=np.array(by_follow_up),
        hr_pfs=hr_pfs,
        direct_death=direct_death,
        structure=structure,
    )


def dilution_points(trials: TrialSet, structure: TransitionStructure = DEFAULT_STRUCTURE) -> tuple[DilutionPoint, ...]:
    """Return the position on the map of every comparison with medians of both arms and both hazard ratios.

    TTP censors deaths: its median is converted to median PFS, ``(1 - q)^(1/p) median TTP``.
    """
    rows = typed_tables(trials).trials
    points = []
    for trial in read_all_inputs(trials)[0]:
        cut = trial.cuts[0]
        if cut.medians is None:
            continue
        pfs = float(pfs_of_endpoint(cut.medians[0].value, trial, structure))
        hazard = structure.post_progression_hazard(pfs, trial.median_os[0].value, trial.direct_death.value)
        if np.isnan(hazard):
            continue
        period = None if trial.follow_up.assumed else trial.follow_up.value
        points.append(
            DilutionPoint(
                comparison=trial.comparison,
                label=trial.name,
                stage=rows[trial.comparison].stage,
                pps_over_pfs=float(np.log(2.0) / hazard) / pfs,
                hr_pfs=cut.hr.value,
                hr_os=trial.hr_os.value,
                endpoint=trial.endpoint,
                follow_up=None if period is None else sum(period) / 2.0 / pfs,
            )
        )
    return tuple(points)


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
