"""What is left of a PFS effect in OS when post-progression survival is equal in both arms: over its length, follow-up and direct deaths.

    retained share = log HR_OS / log HR_PFS,   HR_OS the large-sample limit of the Cox estimate

The model has constant hazards, so only ratios matter: time is measured in median PFS of the control arm. Follow-up is the uniform
administrative censoring of even accrual; short follow-up retains more where PPS is long, because early deaths are less diluted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, read_all_inputs
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.trials import TrialSet

TRIAL_LIKE = (4.0, 8.0)  # shortest and longest follow-up, median PFS of the control arm
RATIOS = np.geomspace(0.2, 20.0, 41)
HAZARD_RATIOS = np.exp(np.linspace(np.log(0.25), np.log(0.97), 21))
MEAN_FOLLOW_UPS = np.geomspace(1.5, 60.0, 25)


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
        Retained share by PFS hazard ratio: everyone followed to death; follow-up uniform over ``TRIAL_LIKE``.
    follow_ups : (f,) array
        Mean follow-up, control's median PFS; uniform from 2/3 to 4/3 of it, the shape of ``TRIAL_LIKE``.
    by_follow_up : (f, r) array
        Retained share by mean follow-up, at ``hr_pfs``.
    hr_pfs : float
    direct_death : float
        Share of PFS events that are deaths, everywhere in the map.
    """

    ratios: FloatArray
    hazard_ratios: FloatArray
    complete: FloatArray
    trial_like: FloatArray
    follow_ups: FloatArray
    by_follow_up: FloatArray
    hr_pfs: float
    direct_death: float


@dataclass(frozen=True)
class DilutionPoint:
    """Where a comparison of the tables stands on the map.

    Parameters
    ----------
    comparison, label, stage : str
    pps_over_pfs : float
        Control arm: median PPS of the constant-hazard model that gives its medians (definition ``model``), over its median PFS.
    hr_pfs, hr_os : float
        As reported, for the progression endpoint that the tables hold medians of.
    endpoint : str
    follow_up : float or None
        Mean administrative follow-up over the control's median PFS; None where the tables do not hold it.
    """

    comparison: str
    label: str
    stage: str
    pps_over_pfs: float
    hr_pfs: float
    hr_os: float
    endpoint: str
    follow_up: float | None


def diluted_hazard_ratio(
    hr_pfs: npt.ArrayLike,
    pps_over_pfs: npt.ArrayLike,
    direct_death: npt.ArrayLike = 0.0,
    follow_up: tuple[float, float] | None = None,
) -> FloatArray:
    """OS hazard ratio (Cox limit) under equal post-progression survival in both arms.

    Parameters
    ----------
    hr_pfs : array-like
        PFS hazard ratios, experimental over control.
    pps_over_pfs : array-like
        Median PPS over the control's median PFS.
    direct_death : array-like
        Share of PFS events that are deaths, in both arms.
    follow_up : (float, float), optional
        Shortest and longest administrative follow-up in median PFS of the control, uniform in between; default: complete.

    Returns
    -------
    array
        Of the shape to which the arguments broadcast.

    Raises
    ------
    UsageError
        If a value is impossible.
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
    lam = np.log(2.0) * np.ones(hr.size)
    h12, share = np.log(2.0) / ratio.ravel(), q.ravel()
    control = IllnessDeath((1.0 - share) * lam, share * lam, h12)
    lam = lam * hr.ravel()
    experimental = IllnessDeath((1.0 - share) * lam, share * lam, h12)
    return np.asarray(cox_hazard_ratio(control, experimental, censoring=follow_up)).reshape(hr.shape)


def retained_share(
    hr_pfs: npt.ArrayLike,
    pps_over_pfs: npt.ArrayLike,
    direct_death: npt.ArrayLike = 0.0,
    follow_up: tuple[float, float] | None = None,
) -> FloatArray:
    """``log HR_OS / log HR_PFS`` of `diluted_hazard_ratio`, whose arguments it takes.

    Raises
    ------
    UsageError
        If a value is impossible, or a PFS hazard ratio is 1: there is no effect of which a share could be retained.
    """
    if (np.asarray(hr_pfs) == 1).any():
        raise UsageError(
            "hr_pfs 1: there is no PFS effect of which a share could be retained; give another hazard ratio"
        )
    return np.asarray(np.log(diluted_hazard_ratio(hr_pfs, pps_over_pfs, direct_death, follow_up)) / np.log(hr_pfs))


def dilution_map(hr_pfs: float = 0.65, direct_death: float = ASSUMED_DIRECT_DEATH) -> DilutionMap:
    """Compute the map.

    Parameters
    ----------
    hr_pfs : float
        PFS hazard ratio of the grid over follow-up.
    direct_death : float
        Share of PFS events that are deaths, in both arms.

    Returns
    -------
    DilutionMap
    """
    by_hazard_ratio = HAZARD_RATIOS[:, None], RATIOS
    by_follow_up = [
        retained_share(hr_pfs, RATIOS, direct_death, (2.0 / 3.0 * mean, 4.0 / 3.0 * mean)) for mean in MEAN_FOLLOW_UPS
    ]
    return DilutionMap(
        ratios=RATIOS,
        hazard_ratios=HAZARD_RATIOS,
        complete=retained_share(*by_hazard_ratio, direct_death),
        trial_like=retained_share(*by_hazard_ratio, direct_death, TRIAL_LIKE),
        follow_ups=MEAN_FOLLOW_UPS,
        by_follow_up=np.array(by_follow_up),
        hr_pfs=hr_pfs,
        direct_death=direct_death,
    )


def dilution_points(trials: TrialSet) -> tuple[DilutionPoint, ...]:
    """Every comparison of the tables that has medians of both arms and both hazard ratios.

    A TTP censors deaths: its median is turned into that of PFS, ``(1 - q) median TTP``.
    """
    stages: dict[Any, Any] = dict(zip(trials.trials["comparison"], trials.trials["stage"], strict=True))
    found = []
    for trial in read_all_inputs(trials)[0]:
        cut = trial.cuts[0]
        if cut.medians is None:
            continue
        q = trial.direct_death.value
        pfs = cut.medians[0].value * (1.0 - q if trial.endpoint == "TTP" else 1.0)
        model = IllnessDeath.from_medians(pfs=pfs, os=trial.median_os[0].value, direct_death=q)
        known = (
            None if trial.follow_up.assumed or trial.follow_up.value is None else sum(trial.follow_up.value) / 2.0 / pfs
        )
        found.append(
            DilutionPoint(
                comparison=trial.comparison,
                label=trial.name,
                stage=str(stages[trial.comparison]),
                pps_over_pfs=float(model.median_pps) / pfs,
                hr_pfs=cut.hr.value,
                hr_os=trial.hr_os.value,
                endpoint=trial.endpoint,
                follow_up=known,
            )
        )
    return tuple(found)
