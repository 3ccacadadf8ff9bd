"""Sampling errors of what one trial prints, from trials simulated under its calibrated model.

Every simulated trial has the patients and the administrative follow-up of the real one. In each are estimated, as a
report would, the Kaplan-Meier medians of the progression endpoint, of OS and of post-progression survival in both arms,
and the Cox estimates of both hazard ratios: so the errors of these numbers go together as they do in a trial. What is
resampled is

    log printed value + k (log estimate in the simulated trial - log value in the model that it was simulated from)

k is 1 for medians. For a hazard ratio with a known standard error it is the printed standard error of its logarithm
over that
of the simulated trials: a trial with covariates, strata, losses or another data cut knows its own error better than the
model does. Scaling leaves the correlation with the errors of the medians as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.pps.calibration import Calibration, pfs_of_endpoint
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
        Of the progression endpoint, OS and PPS; control, experimental. Infinite where a median was not reached; PPS is
        NaN unless the trial reported one.
    hr_pfs, hr_os : (trials,) arrays
        Infinite where there was no estimate.
    """

    median_pfs: FloatArray
    median_os: FloatArray
    median_pps: FloatArray
    hr_pfs: FloatArray
    hr_os: FloatArray

    def __len__(self) -> int:
        return len(self.hr_os)

    def take(self, chosen: BoolArray) -> SamplingErrors:
        """Errors of some of the trials."""
        return SamplingErrors(
            self.median_pfs[chosen],
            self.median_os[chosen],
            self.median_pps[chosen],
            self.hr_pfs[chosen],
            self.hr_os[chosen],
        )


def sampling_errors(inputs: TrialSummary, calibration: Calibration, trials: int, seed: int = 0) -> SamplingErrors:
    """Simulate trials from a calibrated model and take the errors of their estimates.

    Parameters
    ----------
    inputs : TrialSummary
        Patients, follow-up and endpoint.
    calibration : Calibration
        Model taken as the truth.
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
    true_pfs = calibration.median_pfs / pfs_of_endpoint(1.0, inputs)
    true_os = [arm.quantile_os(0.5).item() for arm in calibration.arms]
    truth = np.log(np.array([true_pfs, true_os, calibration.median_pps]))
    errors = log_medians - truth
    true_hr = [
        cox_hazard_ratio(*calibration.arms, inputs.follow_up.value, inputs.n, endpoint) for endpoint in ("pfs", "os")
    ]
    hr_errors = log_hr - np.log(true_hr)
    return SamplingErrors(errors[:, 0], errors[:, 1], errors[:, 2], hr_errors[:, 0], hr_errors[:, 1])


def printed_over_simulated(inputs: TrialSummary, calibration: Calibration, errors: SamplingErrors) -> dict[str, float]:
    """Printed over simulated standard error of the log hazard ratios that are used and whose standard error is known.

    Returns
    -------
    dict of str to float
        ``pfs`` (of the calibration's data cut, unless its PFS effect is that of the medians) and ``os``.
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
    """The same errors, those of the log hazard ratios multiplied by the ratios of `printed_over_simulated`."""
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
        medians[:, 0, i], medians[:, 1, i] = (
            kaplan_meier_median(first, first_event),
            kaplan_meier_median(last, last_event),
        )
        if inputs.pps is not None:
            # who was not seen to progress is censored at once, before anyone's death after progression
            known = progressed & (pfs <= end)
            medians[:, 2, i] = kaplan_meier_median(np.where(known, last - pfs, 0.0), known & last_event)
        for kind, (time, event) in enumerate(((first, first_event), (last, last_event))):
            times[kind].append(time)
            events[kind].append(event)
    arm_of = np.repeat([0.0, 1.0], inputs.n)
    log_hr = [
        cox_log_hazard_ratio(np.concatenate(time, axis=1), np.concatenate(event, axis=1), arm_of)
        for time, event in zip(times, events, strict=True)
    ]
    return np.log(medians), np.stack(log_hr, axis=1)
