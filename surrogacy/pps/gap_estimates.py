"""Estimates of a decomposition: hazard ratios and parts of the gap with intervals, shares with Fieller sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.pps.calibration import Calibration
from surrogacy.pps.gap_components import PARTS, ResampledSteps, Steps
from surrogacy.pps.shares import FiellerSet, fieller_set, share_estimate
from surrogacy.pps.trial_summary import HazardRatio, TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.stats.bootstrap import percentiles
from surrogacy.survival.hazard_ratios import average_hazard_ratio, cox_hazard_ratio, expected_events
from surrogacy.survival.illness_death import IllnessDeath

NO_INTERVAL = "value of the calibrated model, no interval"
NO_GAP = "shares are not defined: the two log hazard ratios are equal"
NO_ATTENUATION = "shares are not defined: the model has no attenuation"
ROUNDING_ERROR = 1e-9  # rounding error of a difference of log hazard ratios


@dataclass(frozen=True)
class Ordering:
    """Dilution with the PPS of one arm in both arms, followed by the imbalance that the PPS of the other arm adds.

    Parameters
    ----------
    reference : {"control", "experimental"}
        Arm whose PPS both arms have in the first step.
    dilution, imbalance : float
        Log hazard ratios.
    """

    reference: str
    dilution: float
    imbalance: float


@dataclass(frozen=True, eq=False)
class GapParts:
    """Parts of the gap between the two effects.

    Parameters
    ----------
    effects : dict of str to Estimate
        ``dilution``, ``imbalance``, ``residual``, ``gap``: differences of log hazard ratios.
    shares : dict of str to Estimate
        ``dilution``, ``imbalance``, ``residual`` over the gap, with Fieller sets. A value may lie outside 0 to 1. There
        are no limits if the set is unbounded (the interval of the gap includes 0), and no value without a gap.
    share_sets : dict of str to FiellerSet
        Fieller sets of the shares; empty without a gap.
    """

    effects: Mapping[str, Estimate]
    shares: Mapping[str, Estimate]
    share_sets: Mapping[str, FiellerSet]


@dataclass(frozen=True, eq=False)
class ModelParts:
    """Parts of the attenuation of the model, which excludes the residual.

    Parameters
    ----------
    shares : dict of str to Estimate
        ``dilution``, ``imbalance`` over the attenuation, with Fieller sets; no value without attenuation.
    orderings : tuple of Ordering
        With the control arm and with the experimental arm as reference.
    expected_deaths : float
        Expected number of deaths under the follow-up of the trial.
    """

    shares: Mapping[str, Estimate]
    orderings: tuple[Ordering, Ordering]
    expected_deaths: float


@dataclass(frozen=True)
class Resampling:
    """Counts and p-values of the resampled trials.

    Parameters
    ----------
    trials, lost, at_boundary : int
        Number of resampled trials, of those without a decomposition, and of those with a PPS of 0 or of infinite length
        in an arm.
    p_residual : float
        Two-sided p-value: share of resampled trials in which the residual differs from the observed residual by at
        least the size of the observed residual. It includes the error of the hazard ratio of the model.
    p_hazard_ratio : float
        One-sided p-value with the hazard ratio of the model taken as known: share of resampled trials in which the
        error of the OS hazard ratio is at least as large as the residual, in the same direction.
    """

    trials: int
    lost: int
    at_boundary: int
    p_residual: float
    p_hazard_ratio: float


def share_of(part: float, whole: float) -> float | None:
    """Part over whole; None if the whole is 0."""
    return part / whole if abs(whole) > ROUNDING_ERROR else None


def hazard_ratios(
    inputs: TrialSummary, chosen: Calibration, steps: Steps, draws: ResampledSteps, level: float, method: str
) -> dict[str, Estimate]:
    """Estimate the hazard ratios of a decomposition, with percentile intervals for those that are resampled."""

    def ratio(log_hr: FloatArray, sample: FloatArray) -> Estimate:
        return Estimate(np.exp(log_hr).item(), None, *percentiles(np.exp(sample), level), level, method)

    def cox(arms: tuple[IllnessDeath, IllnessDeath]) -> Estimate:
        return Estimate(cox_hazard_ratio(*arms, inputs.follow_up.value, inputs.n), method=NO_INTERVAL)

    resampled = {
        "pfs": ratio(steps.pfs, draws.steps.pfs),
        "equal_at_control": ratio(steps.at_control, draws.steps.at_control),
        "equal_at_experimental": ratio(steps.at_experimental, draws.steps.at_experimental),
        "equal": ratio(steps.equal, draws.steps.equal),
        "model": ratio(steps.model, draws.steps.model),
    }
    if chosen.pfs == "hazard-ratio":
        resampled["pfs"] = _published(inputs.cut(chosen.cut).hr, resampled["pfs"])
    return resampled | {
        "observed": _published(inputs.hr_os, ratio(np.log([inputs.hr_os.value]), draws.log_hr_os)),
        "swapped": cox((chosen.arm(0, 1), chosen.arm(1, 0))),
        "pps_only": cox((chosen.arm(0, 0), chosen.arm(0, 1))),
        "average": Estimate(average_hazard_ratio(*chosen.arms, upper=np.inf), method=NO_INTERVAL),
    }


def interval_method(trials: int, ratios: Mapping[str, float], inputs: TrialSummary) -> str:
    """Method of the intervals, in words."""
    names = {"pfs": f"log HR {inputs.endpoint}", "os": "log HR OS"}
    scaled = " and ".join(names[endpoint] for endpoint in ratios)
    to_published = f", those of {scaled} scaled to the published standard error" if ratios else ""
    return (
        f"percentiles of {trials} trials simulated under calibration M, errors added to the published medians and HRs"
        f"{to_published}; share of deaths among PFS events, follow-up and structure of the hazards held fixed"
    )


def _published(hr: HazardRatio, resampled: Estimate) -> Estimate:
    """Published hazard ratio with its published interval, or with that of the resampling if there is none."""
    if hr.low is None or hr.high is None:
        return resampled
    return Estimate(hr.value, None, hr.low, hr.high, hr.level, f"as published; {hr.estimand}")


def gap_parts(parts: Mapping[str, FloatArray], draws: Mapping[str, FloatArray], level: float, method: str) -> GapParts:
    """Estimate the parts of a gap and their shares, from the `parts_of` the trial and of resampled trials."""
    effects = {
        name: Estimate(parts[name].item(), None, *percentiles(draws[name], level), level, method)
        for name in (*PARTS, "gap")
    }
    shares, sets = {}, {}
    for name in PARTS:
        value = share_of(parts[name].item(), parts["gap"].item())
        if value is None:
            shares[name] = Estimate(None, method=NO_GAP)
        else:
            sets[name] = fieller_set(draws[name], draws["gap"], value, level)
            shares[name] = share_estimate(value, sets[name], level, method)
    return GapParts(effects, shares, sets)


def model_parts(
    inputs: TrialSummary, chosen: Calibration, steps: Steps, draws: Steps, level: float, method: str
) -> ModelParts:
    """Estimate the parts of the attenuation of the model, from the steps of the trial and of resampled trials."""
    shares = {}
    parts = {
        "dilution": (steps.equal - steps.pfs, draws.equal - draws.pfs),
        "imbalance": (steps.model - steps.equal, draws.model - draws.equal),
    }
    for name, (part, part_draws) in parts.items():
        value = share_of(part.item(), (steps.model - steps.pfs).item())
        if value is None:
            shares[name] = Estimate(None, method=NO_ATTENUATION)
        else:
            of_model = fieller_set(part_draws, draws.model - draws.pfs, value, level)
            shares[name] = share_estimate(value, of_model, level, method, "attenuation of the model")
    control, experimental = (
        Ordering(reference, (at - steps.pfs).item(), (steps.model - at).item())
        for reference, at in (("control", steps.at_control), ("experimental", steps.at_experimental))
    )
    events = expected_events(*chosen.arms, inputs.n, inputs.follow_up.value)
    return ModelParts(shares, (control, experimental), float(sum(events)))


def resampling(residual: float, inputs: TrialSummary, draws: ResampledSteps) -> Resampling:
    """Count the resampled trials, and compute the p-values of a residual (log hazard ratio)."""
    beyond = np.abs(draws.parts["residual"] - residual) >= abs(residual)
    beyond_known = (draws.log_hr_os - np.log(inputs.hr_os.value)) * np.sign(residual) >= abs(residual)
    return Resampling(
        trials=len(draws.log_hr_os) + draws.lost,
        lost=draws.lost,
        at_boundary=draws.at_boundary,
        p_residual=float(np.mean(beyond)),
        p_hazard_ratio=float(np.mean(beyond_known)),
    )
