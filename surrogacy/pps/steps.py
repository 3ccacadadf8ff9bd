"""The steps from a PFS effect to an OS effect, for many calibrations of one trial at once, and their resampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.calibration import Calibration, arms_from, bounded_hazard, pfs_of_endpoint
from surrogacy.pps.resampling import SamplingErrors
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.survival.constant_hazards import post_progression_hazard
from surrogacy.survival.hazard_ratios import cox_hazard_ratio

PARTS = ("dilution", "imbalance", "residual")


@dataclass(frozen=True, eq=False)
class Steps:
    """Log hazard ratios of OS (Cox limits) on the way, (m,) arrays.

    Parameters
    ----------
    pfs : array
        PPS -> 0.
    at_control, at_experimental : array
        The PPS of that arm in both.
    model : array
        Either arm its own.
    """

    pfs: FloatArray
    at_control: FloatArray
    at_experimental: FloatArray
    model: FloatArray

    @property
    def equal(self) -> FloatArray:
        """Mean over the reference arm."""
        return 0.5 * (self.at_control + self.at_experimental)


def steps_of(median_pfs: FloatArray, hazards: FloatArray, inputs: TrialSummary) -> Steps:
    """The steps for (m, 2) median PFS, months, and post-progression hazards."""

    def log_hr(control: int, experimental: int) -> FloatArray:
        first, second = (arms_from(median_pfs[:, i], q, hazards[:, j]) for i, j in ((0, control), (1, experimental)))
        return np.asarray(np.log(cox_hazard_ratio(first, second, inputs.follow_up.value, inputs.n)))

    q = inputs.direct_death.value
    return Steps(np.log(median_pfs[:, 0] / median_pfs[:, 1]), log_hr(0, 0), log_hr(1, 1), log_hr(0, 1))


def parts_of(steps: Steps, observed: FloatArray) -> dict[str, FloatArray]:
    """Differences of log hazard ratios: the three parts and the gap that they sum to."""
    return {
        "dilution": steps.equal - steps.pfs,
        "imbalance": steps.model - steps.equal,
        "residual": observed - steps.model,
        "gap": observed - steps.pfs,
    }


def resampled(inputs: TrialSummary, chosen: Calibration, errors: SamplingErrors) -> tuple[Steps, FloatArray, int, int]:
    """Decompose resampled trials.

    Returns
    -------
    steps : Steps
    observed : array
        Log hazard ratios of OS.
    lost : int
        Trials left out: no median PFS was reached, or an arm had no event.
    at_boundary : int
        Trials in which the best fit has PPS 0 or endless in an arm.

    Raises
    ------
    UsageError
        If more than half of the trials have to be left out.
    """
    q, cut = inputs.direct_death.value, inputs.cut(chosen.cut)
    needed = errors.median_pfs if chosen.pfs == "medians" else errors.median_pfs[:, :1]
    usable = np.isfinite(needed).all(axis=1) & np.isfinite(errors.hr_os) & np.isfinite(errors.hr_pfs)
    lost = int((~usable).sum())
    if lost > len(errors) / 2:
        raise UsageError(
            f"{inputs.name}: {lost} of {len(errors)} simulated trials have no median PFS or no estimable hazard ratio; "
            "the arms are too small, or the follow-up too short, for intervals"
        )
    errors = errors.of(usable)
    scale = float(pfs_of_endpoint(1.0, inputs))
    printed_pfs = chosen.median_pfs / scale
    pfs = printed_pfs * np.exp(errors.median_pfs)
    if chosen.pfs == "hazard-ratio":
        pfs[:, 1] = pfs[:, 0] / (cut.hr.value * np.exp(errors.hr_pfs))
    pfs *= scale
    os = np.array([median.value for median in inputs.median_os]) * np.exp(errors.median_os)
    if chosen.name == "M":
        pps_like = os - pfs
        with np.errstate(invalid="ignore", over="ignore"):
            hazards = post_progression_hazard(pfs, os, q)
    else:
        pps_like = _resampled_pps(inputs, errors, os)
        with np.errstate(divide="ignore"):
            hazards = np.where(pps_like > 0, np.log(2.0) / pps_like, np.nan)
    at_boundary = int((np.isnan(hazards) | (hazards == 0)).any(axis=1).sum())
    hazards = bounded_hazard(pfs, hazards, too_long=pps_like > 0)
    observed = np.log(inputs.hr_os.value) + errors.hr_os
    return steps_of(pfs, hazards, inputs), observed, lost, at_boundary


def _resampled_pps(inputs: TrialSummary, errors: SamplingErrors, os: FloatArray) -> FloatArray:
    """Reported PPS with its error: that of a difference of medians where it is one, else that of a Kaplan-Meier median."""
    printed, medians = inputs.pps, inputs.cuts[0].medians
    if printed is None:
        raise UsageError(f"{inputs.name}: no reported median PPS")
    if inputs.pps_is_a_difference and medians is not None:
        return np.asarray(os - np.array([median.value for median in medians]) * np.exp(errors.median_pfs))
    return np.asarray(np.array(printed) * np.exp(errors.median_pps))
