"""Sampling errors of published values, from trials simulated under a calibrated model.

Every simulated trial has the patients and the administrative follow-up of the real trial. Its estimates are those of a
trial report: the Kaplan-Meier medians of the progression endpoint, OS and post-progression survival in both arms, and
both Cox hazard ratios. The errors of these estimates are therefore correlated as in a real trial. A resampled value is

    log published value + k (log estimate in the simulated trial - log value in the model)

k is 1 for medians. For a hazard ratio with a known standard error, k is the published standard error of its logarithm
over that of the simulated trials, because the published error accounts for covariates, strata, losses and the data
cut. Scaling preserves the correlation with the errors of the medians.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.pps.calibration import Calibration
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.survival.estimators import cox_log_hazard_ratio, kaplan_meier_median
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.survival.illness_death import IllnessDeath

PATIENTS_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class SamplingErrors:
    """Errors of log estimates in simulated trials.

    Parameters
    ----------
    median_pfs, median_os, median_pps : (trials, 2) arrays
        Errors of log medians; control, experimental. Infinite if a median is not reached; those of PPS are NaN unless
        the trial reported a PPS.
    hr_pfs, hr_os : (trials,) arrays
        Errors of log hazard ratios; infinite if there is no estimate.
    """

    median_pfs: FloatArray
    median_os: FloatArray
    median_pps: FloatArray
    hr_pfs: FloatArray
    hr_os: FloatArray

    def __len__(self) -> int:
        return len(self.hr_os)

    def take(self, chosen: BoolArray) -> SamplingErrors:
        """Select trials."""
        return SamplingErrors(*(getattr(self, field.name)[chosen] for field in fields(self)))


def sampling_errors(inputs: TrialSummary, calibration: Calibration, trials: int, seed: int = 0) -> SamplingErrors:
    """Simulate trials from a calibrated model and return the errors of their estimates.

    Parameters
    ----------
    inputs : TrialSummary
        Number of patients, follow-up and endpoint.
    calibration : Calibration
        True model.
    trials : int
    seed : int
        The same seed gives the same trials.

    Examples
    --------
    >>> from surrogacy.pps.calibration import calibrate
    >>> from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
    >>> cut = PfsCut("final", HazardRatio(0.6), (Median(6.0), Median(10.0)))
    >>> trial = TrialSummary(
    ...     comparison="trial", n=(150, 150), cuts=(cut,), median_os=(Median(18.0), Median(21.0)),
    ...     hr_os=HazardRatio(0.85), direct_death=Sourced(0.1, "counted"), follow_up=Sourced((12.0, 40.0), "printed"),
    ... )
    >>> len(sampling_errors(trial, calibrate(trial), trials=20))
    20
    """
    rng = np.random.default_rng(seed)
    batch = max(1, PATIENTS_AT_ONCE // sum(inputs.n))
    sizes = [min(batch, trials - first) for first in range(0, trials, batch)]
    parts = [_simulated(inputs, calibration.arms, size, rng) for size in sizes]
    log_medians, log_hr = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    true_pfs = calibration.endpoint_medians(inputs)
    true_os = [arm.quantile_os(0.5).item() for arm in calibration.arms]
    truth = np.log(np.array([true_pfs, true_os, calibration.median_pps]))
    errors = log_medians - truth
    true_hr_os = cox_hazard_ratio(*calibration.arms, inputs.follow_up.value, inputs.n)
    true_hr = [calibration.endpoint_hazard_ratio(inputs), true_hr_os]
    hr_errors = log_hr - np.log(true_hr)
    return SamplingErrors(errors[:, 0], errors[:, 1], errors[:, 2], hr_errors[:, 0], hr_errors[:, 1])


def printed_over_simulated(inputs: TrialSummary, calibration: Calibration, errors: SamplingErrors) -> dict[str, float]:
    """Published over simulated standard error of each log hazard ratio that is used and has a standard error.

    Returns
    -------
    dict of str to float
        ``pfs`` (of the data cut of the calibration, if its PFS effect is the hazard ratio) and ``os``.
    """
    printed = {
        "pfs": inputs.cut(calibration.cut).hr.se if calibration.pfs == "hazard-ratio" else None,
        "os": inputs.hr_os.se,
    }
    ratios = {}
    for (endpoint, se), sample in zip(printed.items(), (errors.hr_pfs, errors.hr_os), strict=True):
        finite = sample[np.isfinite(sample)]
        if se is not None and len(finite) > 1:
            ratios[endpoint] = float(se / finite.std())
    return ratios


def scaled(errors: SamplingErrors, ratios: Mapping[str, float]) -> SamplingErrors:
    """Multiply the errors of the log hazard ratios by the ratios of `printed_over_simulated`."""
    return replace(errors, hr_pfs=errors.hr_pfs * ratios.get("pfs", 1.0), hr_os=errors.hr_os * ratios.get("os", 1.0))


def _simulated(
    inputs: TrialSummary, arms: tuple[IllnessDeath, IllnessDeath], trials: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Log medians, (trials, 3, 2), and log hazard ratios, (trials, 2), of simulated trials."""
    medians = np.full((trials, 3, 2), np.nan)
    times: list[list[FloatArray]] = [[], []]
    events: list[list[BoolArray]] = [[], []]
    for i, (arm, n) in enumerate(zip(arms, inputs.n, strict=True)):
        pfs, os, progressed = arm.sample(trials * n, rng)
        pfs, os, progressed = pfs.reshape(trials, n), os.reshape(trials, n), progressed.reshape(trials, n)
        end = np.full((trials, n), np.inf)
        if inputs.follow_up.value is not None:
            end = rng.uniform(*inputs.follow_up.value, (trials, n))
        counts = progressed if inputs.endpoint == "TTP" else np.ones_like(progressed)
        first, first_event = np.minimum(pfs, end), (pfs <= end) & counts
        last, last_event = np.minimum(os, end), os <= end
        medians[:, 0, i] = kaplan_meier_median(first, first_event)
        medians[:, 1, i] = kaplan_meier_median(last, last_event)
        if inputs.pps is not None:
            # patients without an observed progression are censored at time 0
            observed = progressed & (pfs <= end)
            medians[:, 2, i] = kaplan_meier_median(np.where(observed, last - pfs, 0.0), observed & last_event)
        for kind, (time, event) in enumerate(((first, first_event), (last, last_event))):
            times[kind].append(time)
            events[kind].append(event)
    arm_of = np.repeat([0.0, 1.0], inputs.n)
    log_hr = [
        cox_log_hazard_ratio(np.concatenate(time, axis=1), np.concatenate(event, axis=1), arm_of)
        for time, event in zip(times, events, strict=True)
    ]
    return np.log(medians), np.stack(log_hr, axis=1)
