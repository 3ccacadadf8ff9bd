"""Dilution map: retained share of the PFS effect by the length of PPS, the PFS effect and the follow-up.

The unit of time is the median PFS of the control arm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.pps.calibration import pfs_of_endpoint
from surrogacy.pps.dilution import retained_share
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, read_all_inputs
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.table_rows import typed_tables
from surrogacy.trials import TrialSet

TRIAL_LIKE = (4.0, 8.0)  # shortest and longest follow-up, in median PFS of the control arm
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

    def shows(self, point: DilutionPoint) -> bool:
        """Test that the PPS and the PFS hazard ratio of a comparison lie within the grids."""
        places = ((self.ratios, point.pps_over_pfs), (self.hazard_ratios, point.hr_pfs))
        return all(bool(grid[0] <= value <= grid[-1]) for grid, value in places)


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
