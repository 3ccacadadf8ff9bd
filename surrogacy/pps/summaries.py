"""Transition hazards from more summaries than there are hazards: medians, hazard ratio, landmark rates and numbers at risk.

Least squares of misfits in sampling errors. Medians and hazard ratio count on the log scale with the error of their limits, a
landmark rate with its binomial error, each number at risk by its binomial deviance given the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.errors import FitError, UsageError
from surrogacy.pps.calibration import ARMS, Calibration, Target, calibrate, pfs_of_endpoint, two_arms
from surrogacy.pps.trial_summary import Median, TrialSummary
from surrogacy.survival.hazard_ratios import Censoring
from surrogacy.survival.illness_death import IllnessDeath


@dataclass(frozen=True)
class Landmark:
    """A survival rate read at one time.

    Parameters
    ----------
    arm : {"control", "experimental"}
    endpoint : {"PFS", "OS"}
    time : float
        Months.
    rate : float
        Between 0 and 1.
    """

    arm: Literal["control", "experimental"]
    endpoint: Literal["PFS", "OS"]
    time: float
    rate: float

    def __post_init__(self) -> None:
        if not (0 < self.rate < 1 and self.time > 0):
            raise UsageError(
                f"{self.endpoint} rate {self.rate:g} at {self.time:g} months: give a rate in (0, 1) at a time above 0"
            )


def log_median_error(median: Median, n: int) -> float:
    """Standard error of a log median: from its limits, else that of an exponential sample, ``1 / (log 2 sqrt n)``."""
    if median.low and median.high:
        return float(np.log(median.high / median.low) / (2.0 * ndtri(0.5 + median.level / 2.0)))
    return float(1.0 / (np.log(2.0) * np.sqrt(n)))


def at_risk_misfit(counts: Sequence[int], share: FloatArray) -> FloatArray:
    """Signed deviance residuals of numbers at risk, each binomial given the one before.

    Parameters
    ----------
    counts : (k,) sequence
    share : (k,) array
        Of the patients alive and still followed at those times, by the model.

    Returns
    -------
    (k - 1,) array
        Zero where nobody was left to be counted.
    """
    before, after = np.array(counts[:-1], dtype=np.float64), np.array(counts[1:], dtype=np.float64)
    p = np.clip(share[1:] / np.maximum(share[:-1], 1e-300), 1e-12, 1.0 - 1e-12)
    expected = before * p
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(after > 0, after * np.log(after / expected), 0.0)
        gone = np.where(before > after, (before - after) * np.log((before - after) / (before - expected)), 0.0)
    deviance = 2.0 * np.maximum(kept + gone, 0.0)
    return np.asarray(np.where(before > 0, np.sign(after - expected) * np.sqrt(deviance), 0.0))


def fit_summaries(inputs: TrialSummary, landmarks: Sequence[Landmark] = (), cut: str | None = None) -> Calibration:
    """Calibrate both arms to everything printed, over median PFS and post-progression hazard of each arm.

    The share of deaths without progression is kept. Numbers at risk are taken to fall by death and by the administrative end of
    follow-up alone.

    Parameters
    ----------
    inputs : TrialSummary
    landmarks : sequence of Landmark
    cut : str, optional
        Data cut of the progression endpoint; default: the one that belongs with the final OS.

    Raises
    ------
    UsageError
        If not even the medians can be matched.
    FitError
        If the search does not converge.
    """
    from scipy.optimize import least_squares

    start = calibrate(inputs, "M", "hazard-ratio", cut)
    chosen, q = inputs.cut(cut), inputs.direct_death.value
    scale = float(pfs_of_endpoint(1.0, inputs))

    def targets(logs: FloatArray) -> list[Target]:
        median_pfs, hazards = np.exp(logs[:2]), np.exp(logs[2:])
        found = []
        for i, (name, arm, n) in enumerate(zip(ARMS, two_arms(median_pfs, q, hazards), inputs.n, strict=True)):
            printed = [("OS", inputs.median_os[i], arm.quantile_os(0.5).item())]
            if chosen.medians is not None:
                printed.append((inputs.endpoint, chosen.medians[i], float(median_pfs[i]) / scale))
            for endpoint, median, model in printed:
                z = np.log(model / median.value) / log_median_error(median, n)
                found.append(Target(f"median {endpoint}, {name}", median.value, model, True, float(z)))
            found += [_landmark_target(mark, arm, n) for mark in landmarks if mark.arm == name]
            found += _at_risk_targets(inputs, name, arm)
        hr = float(median_pfs[0] / median_pfs[1])
        error = chosen.hr.se or 2.0 / np.sqrt(sum(inputs.n))
        found.append(
            Target(f"HR {inputs.endpoint}", chosen.hr.value, hr, True, float(np.log(hr / chosen.hr.value) / error))
        )
        return found

    def misfits(logs: FloatArray) -> FloatArray:
        return np.array([target.standardised for target in targets(logs)], dtype=np.float64)

    solution = least_squares(misfits, np.log(np.concatenate([start.median_pfs, start.post_progression])))
    if not solution.success:
        raise FitError(
            f"{inputs.name}: no calibration to all summaries was found ({solution.message}); take calibration M"
        )
    best = np.exp(solution.x)
    return Calibration("summaries", chosen.name, "hazard-ratio", best[:2], q, best[2:], tuple(targets(solution.x)))


def deviance(calibration: Calibration) -> float:
    """Sum of squared standardised misfits of the fitted targets."""
    return float(sum(target.standardised**2 for target in calibration.targets if target.standardised is not None))


def _landmark_target(mark: Landmark, arm: IllnessDeath, n: int) -> Target:
    survival = arm.survival_os if mark.endpoint == "OS" else arm.survival_pfs
    model = survival(mark.time).item()
    z = (model - mark.rate) / np.sqrt(mark.rate * (1.0 - mark.rate) / n)
    return Target(f"{mark.endpoint} at {mark.time:g} months, {mark.arm}", mark.rate, model, True, float(z))


def _at_risk_targets(inputs: TrialSummary, name: str, arm: IllnessDeath) -> list[Target]:
    if inputs.at_risk is None:
        return []
    times, counts = np.array(inputs.at_risk.times), getattr(inputs.at_risk, name)
    share = arm.survival_os(times) * still_followed(times, inputs.follow_up.value)
    rows = zip(times[1:], counts[1:], share[1:], at_risk_misfit(counts, share), strict=True)
    return [
        Target(f"at risk at {t:g} months, {name}", float(count), float(counts[0] * at), True, float(-z))
        for t, count, at, z in rows
    ]


def still_followed(times: FloatArray, follow_up: tuple[float, float] | None) -> FloatArray:
    """Share of patients whose administrative follow-up reaches these times."""
    return np.ones_like(times) if follow_up is None else Censoring(*follow_up).administrative(times)
