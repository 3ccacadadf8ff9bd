"""Components of the gap between a PFS and an OS effect: intermediate hazard ratios, resampling, identification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.calibration import Calibration, bounded_hazard, pfs_of_endpoint
from surrogacy.pps.dilution import equal_pps_hazard_ratio
from surrogacy.pps.resampling import SamplingErrors
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import share_with_interval
from surrogacy.survival.hazard_ratios import cox_hazard_ratio

PARTS = ("dilution", "imbalance", "residual")
MAX_SHARE_WIDTH = 0.5  # width of the interval of a share, above which the share is not identified
MAX_LOST_SHARE = 0.01  # share of resampled trials left out or on a boundary, above which there is a caveat
MAX_SE_RATIO = 1.25  # of published to simulated standard error, or the reverse, above which there is a caveat


@dataclass(frozen=True, eq=False)
class Steps:
    """Log hazard ratios of OS (Cox limits) between the PFS effect and the model, (m,) arrays.

    Parameters
    ----------
    pfs : array
        PPS -> 0.
    at_control, at_experimental : array
        PPS of that arm in both arms.
    model : array
        Calibrated PPS of each arm.
    """

    pfs: FloatArray
    at_control: FloatArray
    at_experimental: FloatArray
    model: FloatArray

    @property
    def equal(self) -> FloatArray:
        """Mean over the reference arms."""
        return 0.5 * (self.at_control + self.at_experimental)


def steps_of(
    median_pfs: FloatArray,
    hazards: FloatArray,
    inputs: TrialSummary,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> Steps:
    """Compute the steps from median PFS (months) and hazards after progression, (m, 2): control, experimental.

    The first step is the effect on the endpoint of the trial. If that is TTP, it is the hazard ratio of progression.

    Examples
    --------
    >>> from surrogacy.pps.calibration import calibrate
    >>> from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
    >>> cut = PfsCut("final", HazardRatio(0.6), (Median(6.0), Median(10.0)))
    >>> trial = TrialSummary(
    ...     comparison="trial", n=(150, 150), cuts=(cut,), median_os=(Median(18.0), Median(21.0)),
    ...     hr_os=HazardRatio(0.85), direct_death=Sourced(0.1, "counted"), follow_up=Sourced((12.0, 40.0), "printed"),
    ... )
    >>> chosen = calibrate(trial)
    >>> steps = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], trial)
    >>> np.exp(steps.equal).round(3).tolist(), np.exp(steps.model).round(3).tolist()
    ([0.7], [0.812])
    """
    q, follow_up, n = inputs.direct_death.value, inputs.follow_up.value, inputs.n
    arms = structure.arms(median_pfs.T, q, hazards.T)
    at_control, at_experimental = (
        np.log(equal_pps_hazard_ratio(median_pfs.T, hazards[:, i], q, follow_up, n, structure)) for i in (0, 1)
    )
    control, experimental = median_pfs.T
    if inputs.endpoint == "TTP":
        control, experimental = structure.median_ttp(median_pfs.T, q)
    return Steps(
        pfs=np.log(structure.hazard_ratio(control, experimental)),
        at_control=at_control,
        at_experimental=at_experimental,
        model=np.asarray(np.log(cox_hazard_ratio(*arms, follow_up, n))),
    )


def parts_of(steps: Steps, observed: FloatArray) -> dict[str, FloatArray]:
    """Differences of log hazard ratios: the three parts and their sum, the gap.

    Examples
    --------
    >>> steps = Steps(*(np.log([hr]) for hr in (0.6, 0.7, 0.74, 0.8)))
    >>> {name: round(part.item(), 3) for name, part in parts_of(steps, np.log([0.85])).items()}
    {'dilution': 0.182, 'imbalance': 0.106, 'residual': 0.061, 'gap': 0.348}
    """
    return {
        "dilution": steps.equal - steps.pfs,
        "imbalance": steps.model - steps.equal,
        "residual": observed - steps.model,
        "gap": observed - steps.pfs,
    }


@dataclass(frozen=True, eq=False)
class ResampledSteps:
    """Steps of resampled trials.

    Parameters
    ----------
    steps : Steps
    log_hr_os : (m,) array
        Observed log hazard ratios of OS.
    lost : int
        Number of trials left out: without a median PFS, with an arm without events, or impossible in the structure.
    at_boundary : int
        Number of trials in which the best fit has a PPS of 0 or of infinite length in an arm.
    """

    steps: Steps
    log_hr_os: FloatArray
    lost: int
    at_boundary: int

    @property
    def parts(self) -> dict[str, FloatArray]:
        """Parts of the gap in every trial."""
        return parts_of(self.steps, self.log_hr_os)


def resampled(inputs: TrialSummary, chosen: Calibration, errors: SamplingErrors) -> ResampledSteps:
    """Calibrate resampled trials and compute their steps.

    Parameters
    ----------
    inputs : TrialSummary
    chosen : Calibration
        Calibration of the trial; resampled trials are calibrated in the same way.
    errors : SamplingErrors

    Raises
    ------
    UsageError
        If more than half of the trials are left out.
    """
    needed = errors.median_pfs if chosen.pfs == "medians" else errors.median_pfs[:, :1]
    usable = np.isfinite(needed).all(axis=1) & np.isfinite(errors.hr_os) & np.isfinite(errors.hr_pfs)
    pfs, shares = _resampled_pfs(inputs, chosen, errors)
    usable &= shares[:, 1] < 1.0  # else deaths without progression leave no progressions
    lost = int((~usable).sum())
    if lost > len(errors) / 2:
        raise UsageError(
            f"{inputs.name}: {lost} of {len(errors)} simulated trials have no median PFS or no estimable hazard ratio; "
            "the arms are too small, or the follow-up too short, for intervals"
        )
    errors, pfs, shares = errors.take(usable), pfs[usable], shares[usable]
    os = np.array([median.value for median in inputs.median_os]) * np.exp(errors.median_os)
    if chosen.name == "M":
        pps_like = os - pfs
        with np.errstate(invalid="ignore", over="ignore"):
            hazards = chosen.structure.post_progression_hazard(pfs, os, shares)
    else:
        pps_like = _resampled_pps(inputs, errors, os)
        with np.errstate(divide="ignore"):
            hazards = np.where(pps_like > 0, np.log(2.0) / pps_like, np.nan)
    at_boundary = int((np.isnan(hazards) | (hazards == 0)).any(axis=1).sum())
    hazards = bounded_hazard(pfs, hazards, too_long=pps_like > 0)
    log_hr_os = np.log(inputs.hr_os.value) + errors.hr_os
    return ResampledSteps(steps_of(pfs, hazards, inputs, chosen.structure), log_hr_os, lost, at_boundary)


def _resampled_pfs(inputs: TrialSummary, chosen: Calibration, errors: SamplingErrors) -> tuple[FloatArray, FloatArray]:
    """(trials, 2) median PFS and shares of PFS events that are deaths; not finite where a median is not reached."""
    q, structure, deaths_censored = inputs.direct_death.value, chosen.structure, inputs.endpoint == "TTP"
    control, experimental = (chosen.endpoint_medians(inputs) * np.exp(errors.median_pfs)).T
    with np.errstate(invalid="ignore"):
        if chosen.pfs == "hazard-ratio":
            hazard_ratio = inputs.cut(chosen.cut).hr.value * np.exp(errors.hr_pfs)
            control = pfs_of_endpoint(control, inputs, structure)
            experimental = structure.experimental_pfs(control, hazard_ratio, q, deaths_censored=deaths_censored)
        else:
            control, experimental = structure.median_pfs((control, experimental), q, deaths_censored=deaths_censored)
        deaths = structure.experimental_direct_death(control, experimental, q)
    shares = np.broadcast_arrays(np.asarray(q), deaths, control)[:2]
    return np.stack([control, experimental], axis=1), np.stack(shares, axis=1)


def _resampled_pps(inputs: TrialSummary, errors: SamplingErrors, os: FloatArray) -> FloatArray:
    """Reported PPS with the error of a difference of medians if it is one, else with that of a Kaplan-Meier median."""
    printed, medians = inputs.pps, inputs.cuts[0].medians
    if printed is None:
        raise UsageError(f"{inputs.name}: no reported median PPS")
    if inputs.pps_is_a_difference and medians is not None:
        return np.asarray(os - np.array([median.value for median in medians]) * np.exp(errors.median_pfs))
    return np.asarray(np.array(printed) * np.exp(errors.median_pps))


def is_clear(gap: Estimate) -> bool:
    """Test that the interval of the gap excludes 0.

    Examples
    --------
    >>> is_clear(Estimate(0.3, low=0.1, high=0.5)), is_clear(Estimate(0.3, low=-0.1, high=0.7))
    (True, False)
    """
    return gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0)


def width_of(share: Estimate) -> float:
    """Width of the interval of a share; infinite if there is no interval.

    Examples
    --------
    >>> round(width_of(Estimate(0.3, low=0.1, high=0.5)), 3)
    0.4
    """
    if share.low is None or share.high is None:
        return float("inf")
    return share.high - share.low


def is_identified(gap: Estimate, shares: Mapping[str, Estimate], lost: float = 0.0, at_boundary: float = 0.0) -> bool:
    """Test that the data identify the parts of a gap.

    Three conditions hold: the interval of the gap excludes 0, no interval of a share is wider than half of the gap, and
    few resampled trials are left out or on a boundary. Only the width of an interval matters, not its location.

    Parameters
    ----------
    gap : Estimate
        Difference of log hazard ratios.
    shares : dict of str to Estimate
        Shares of the gap.
    lost, at_boundary : float
        Shares of the resampled trials; at most `MAX_LOST_SHARE` each is accepted.
    """
    return (
        is_clear(gap)
        and all(width_of(share) <= MAX_SHARE_WIDTH for share in shares.values())
        and max(lost, at_boundary) <= MAX_LOST_SHARE
    )


def problems_of(
    inputs: TrialSummary,
    calibration: Calibration,
    effects: Mapping[str, Estimate],
    shares: Mapping[str, Estimate],
    lost: float,
    at_boundary: float,
) -> tuple[str, ...]:
    """Caveats of a decomposition.

    Parameters
    ----------
    inputs : TrialSummary
    calibration : Calibration
    effects, shares : dict of str to Estimate
        Estimates of the decomposition.
    lost, at_boundary : float
        Shares of the resampled trials.
    """
    gap = effects["gap"]
    problems: list[str] = []
    level = f"{gap.level:.0%}" if gap.level else ""
    if not is_clear(gap):
        problems.append(
            f"not identified: the gap between the two log hazard ratios, {gap.value:.2f}, "
            "is not clearly different from 0 "
            f"({level} interval {gap.low:.2f} to {gap.high:.2f}), so that shares of it are not stable"
        )
    # unbounded shares occur only if the gap is not clear, which has its own caveat
    wide = [name for name, share in shares.items() if MAX_SHARE_WIDTH < width_of(share) < np.inf]
    if wide:
        limits = "; ".join(f"{name} {share_with_interval(shares[name])}" for name in wide)
        problems.append(
            f"not identified: {sum(inputs.n)} patients do not tell dilution, imbalance and residual apart "
            f"({calibration.label}; {level} Fieller sets of the shares of the gap: {limits})"
        )
    if at_boundary > MAX_LOST_SHARE:
        problems.append(
            f"not identified: in {at_boundary:.0%} of the resampled trials the best fit has PPS 0 or infinite in an arm"
        )
    if lost > MAX_LOST_SHARE:
        problems.append(
            f"not identified: {lost:.0%} of the resampled trials were left out: no median PFS, or no events in an arm"
        )
    if effects["residual"].low is not None and not effects["residual"].excludes(0.0):
        problems.append("the residual is compatible with chance: its interval includes 0")
    if inputs.endpoint == "TTP":
        effect = calibration.structure.hr_direct_death
        problems.append(
            "the trial reports only TTP, which censors deaths: it contains no information on the effect on deaths "
            "without progression, for which "
            f"{'the hazard ratio of TTP' if effect is None else f'a hazard ratio of {effect:g}'} is assumed"
        )
    if inputs.pps_is_a_difference:
        problems.append(
            f"the reported PPS equals median OS - median {inputs.endpoint} in both arms: a difference of medians, "
            "which is longer than a median PPS"
        )
    problems += calibration.problems
    problems += [f"not reported, {words}" for words in inputs.assumptions]
    return (*problems, *inputs.notes)


def printed_errors(inputs: TrialSummary, ratios: Mapping[str, float]) -> tuple[str, ...]:
    """Caveats on hazard ratios whose published standard error differs strongly from that of the simulated trials.

    Parameters
    ----------
    inputs : TrialSummary
    ratios : dict of str to float
        Published over simulated standard error, ``pfs`` and ``os``; the simulated errors were multiplied by it.
    """
    names = {"pfs": f"log HR {inputs.endpoint}", "os": "log HR OS"}
    return tuple(
        f"the published standard error of {names[endpoint]} is {ratio:.2f} times that of the simulated trials, "
        "whose errors are scaled to it"
        for endpoint, ratio in ratios.items()
        if abs(np.log(ratio)) > np.log(MAX_SE_RATIO)
    )
