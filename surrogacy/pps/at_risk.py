"""Constant and piecewise post-progression hazards fitted to the numbers at risk below the OS curves.

The number at risk at one time is taken as binomial given the one before, with probability ``S(t2) G(t2) / S(t1)
G(t1)``: S of the model, G the administrative end of follow-up. Progression and death without progression keep the
hazards of the calibration; the hazard of death after progression is one constant, or one in each interval of the time
since randomisation. The deviances of nested models differ by a chi-squared under the smaller one. Losses to follow-up
count as deaths here, as nothing tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import gammaincc, ndtr, ndtri

from surrogacy.arrays import FloatArray
from surrogacy.errors import FitError, UsageError
from surrogacy.pps.calibration import ARMS, Calibration
from surrogacy.pps.trial_summary import AtRisk, TrialSummary
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.survival.hazard_ratios import Censoring, cox_hazard_ratio, hazard_ratio_over_time
from surrogacy.survival.illness_death import IllnessDeath

CUTS = (24.0, 48.0)  # months
MAX_HR_MISFIT = 0.05  # of a log hazard ratio
MAX_MEETING_DIFFERENCE = 0.02  # difference of two shares at risk
FEWEST_AT_RISK = 10  # patients at risk in either arm, for a fit to rest on
HAZARD_BOUNDS = (1e-4, 10.0)  # of a post-progression hazard per month


@dataclass(frozen=True, eq=False)
class AtRiskFit:
    """One model beside the numbers at risk.

    Parameters
    ----------
    name : str
        In words.
    control, experimental : IllnessDeath
    hazards : (2, j) array
        Of death after progression, per month, by arm and interval.
    cuts : tuple of float
        Months between the intervals.
    expected : (2, k) array
        Numbers at risk by the model at the times of the counts.
    deviance : float
    free : int
        Hazards that were fitted to the numbers at risk.
    hr_os : float
        Cox limit of the model under the trial's follow-up.
    median_os : tuple of float
        Of the model, months.
    """

    name: str
    control: IllnessDeath
    experimental: IllnessDeath
    hazards: FloatArray
    cuts: tuple[float, ...]
    expected: FloatArray
    deviance: float
    free: int
    hr_os: float
    median_os: tuple[float, float]

    def hazard_ratio(self, t: FloatArray) -> FloatArray:
        """OS hazard ratio at times t, months."""
        return hazard_ratio_over_time(self.control, self.experimental, t)


@dataclass(frozen=True)
class CrudeRatio:
    """Ratio of the rates at which the numbers at risk fall in one interval, experimental over control.

    Losses count as deaths.

    Parameters
    ----------
    start, stop : float
        Months.
    falls : tuple of int
        Patients who left, (control, experimental).
    value, low, high : float
        Rate ratio with its limits on the log scale, ``1 / falls`` each.
    level : float
    """

    start: float
    stop: float
    falls: tuple[int, int]
    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, eq=False)
class AtRiskComparison:
    """Constant against piecewise post-progression hazards.

    Parameters
    ----------
    fits : tuple of AtRiskFit
        Constant as calibrated, constant fitted to the numbers at risk, piecewise fitted to them.
    p : float
        Likelihood ratio test of the piecewise against the fitted constant hazards.
    crude : tuple of CrudeRatio
        Before the first administrative end of follow-up.
    p_change : float or None
        Two-sided, of equal crude ratios in the first two intervals.
    meeting : tuple of float or None
        Times between which the shares at risk first come within 2 percentage points of each other after having been
        further apart.
    supported_until : float
        Months of the last count with at least 10 patients at risk in both arms.
    problems : tuple of str
    """

    fits: tuple[AtRiskFit, AtRiskFit, AtRiskFit]
    p: float
    crude: tuple[CrudeRatio, ...]
    p_change: float | None
    meeting: tuple[float, float] | None
    supported_until: float
    problems: tuple[str, ...]


def compare_at_risk(inputs: TrialSummary, calibration: Calibration, cuts: tuple[float, ...] = CUTS) -> AtRiskComparison:
    """Fit constant and piecewise post-progression hazards to the numbers at risk of a trial.

    Parameters
    ----------
    inputs : TrialSummary
    calibration : Calibration
        Gives the hazards of progression and of death without progression.
    cuts : tuple of float
        Months since randomisation at which the post-progression hazards change.

    Raises
    ------
    UsageError
        If the trial has no numbers at risk, or an interval holds no count.
    FitError
        If a fit does not converge.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.pps.calibration import calibrate
    >>> from surrogacy.pps.read_summaries import read_inputs
    >>> tactics = read_inputs(surrogacy.read_trials(), "tactics")
    >>> compare_at_risk(tactics, calibrate(tactics)).meeting
    (36.0, 48.0)
    """
    at_risk = inputs.at_risk
    if at_risk is None:
        raise UsageError(f"{inputs.name}: no numbers at risk; add them to at_risk.csv, or give them to TrialSummary")
    edges = (0.0, *cuts, np.inf)
    counted = np.array([t for t in at_risk.times if t > 0])
    if not all(((counted > low) & (counted <= high)).any() for low, high in pairwise(edges)):
        raise UsageError(f"{inputs.name}: no number at risk within an interval of cuts {cuts}; take fewer")
    calibrated = _described(
        "constant, as calibrated", inputs, calibration, at_risk, calibration.post_progression[:, None], (), 0
    )
    constant = _fitted("constant, fitted to the numbers at risk", inputs, calibration, at_risk, ())
    words = ", ".join(f"{cut:g}" for cut in cuts)
    varying = _fitted(f"changing at {words} months, fitted to the numbers at risk", inputs, calibration, at_risk, cuts)
    freedom = varying.free - constant.free
    p = float(gammaincc(freedom / 2, max(constant.deviance - varying.deviance, 0.0) / 2))
    crude = crude_ratios(at_risk, cuts, inputs.follow_up.value)
    problems = ["losses to follow-up are taken for deaths, and p takes the cuts as chosen before the counts were seen"]
    if abs(np.log(varying.hr_os / inputs.hr_os.value)) > MAX_HR_MISFIT:
        problems.append(
            f"the fit {varying.name} has an OS HR of {varying.hr_os:.2f} (Cox limit), "
            f"the trial printed {inputs.hr_os.value:.2f}: "
            "numbers at risk tell when patients left, the hazard ratio only roughly"
        )
    expected = calibrated.expected[:, 1:]
    if expected[expected > 0].min() < 5:
        problems.append("late numbers at risk are small: the hazards of the last interval rest on few deaths")
    return AtRiskComparison(
        fits=(calibrated, constant, varying),
        p=p,
        crude=crude,
        p_change=_p_change(crude),
        meeting=_meeting(at_risk),
        supported_until=supported_until(at_risk),
        problems=tuple(problems),
    )


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

    Examples
    --------
    >>> at_risk_misfit((80, 73, 57), np.array([1.0, 0.9, 0.7])).round(2).tolist()
    [0.38, 0.06]
    """
    before, after = np.array(counts[:-1], dtype=np.float64), np.array(counts[1:], dtype=np.float64)
    p = np.clip(share[1:] / np.maximum(share[:-1], 1e-300), 1e-12, 1.0 - 1e-12)
    expected = before * p
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(after > 0, after * np.log(after / expected), 0.0)
        gone = np.where(before > after, (before - after) * np.log((before - after) / (before - expected)), 0.0)
    deviance = 2.0 * np.maximum(kept + gone, 0.0)
    return np.asarray(np.where(before > 0, np.sign(after - expected) * np.sqrt(deviance), 0.0))


def _still_followed(times: FloatArray, follow_up: tuple[float, float] | None) -> FloatArray:
    """Share of patients whose administrative follow-up reaches these times."""
    return np.ones_like(times) if follow_up is None else Censoring(*follow_up).administrative(times)


def supported_until(at_risk: AtRisk) -> float:
    """Months of the last count with at least 10 patients at risk in both arms; 0 where no count has so many.

    Examples
    --------
    >>> supported_until(AtRisk((0.0, 12.0, 24.0), (80, 40, 9), (80, 50, 20)))
    12.0
    """
    enough = np.minimum(at_risk.control, at_risk.experimental) >= FEWEST_AT_RISK
    return max((time for time, many in zip(at_risk.times, enough, strict=True) if many), default=0.0)


def _arm(calibration: Calibration, i: int, hazards: FloatArray, cuts: tuple[float, ...]) -> IllnessDeath:
    return IllnessDeath.from_pfs(
        calibration.median_pfs[i], calibration.direct_death, hazards if cuts else hazards[0], cuts
    )


def _fitted(
    name: str, inputs: TrialSummary, calibration: Calibration, at_risk: AtRisk, cuts: tuple[float, ...]
) -> AtRiskFit:
    from scipy.optimize import least_squares

    times, hazards = np.array(at_risk.times), []
    followed = _still_followed(times, inputs.follow_up.value)
    for i, arm in enumerate(ARMS):

        def misfit(logs: FloatArray, i: int = i, arm: str = arm) -> FloatArray:
            share = _arm(calibration, i, np.exp(logs), cuts).survival_os(times) * followed
            return at_risk_misfit(getattr(at_risk, arm), share)

        start = np.full(len(cuts) + 1, np.log(calibration.post_progression[i]))
        low, high = np.log(HAZARD_BOUNDS)
        solution = least_squares(misfit, np.clip(start, low, high), bounds=(low, high), x_scale=1.0)
        if not solution.success:
            raise FitError(
                f"{inputs.name}, {arm} arm: the fit to the numbers at risk did not converge ({solution.message})"
            )
        hazards.append(np.exp(solution.x))
    return _described(name, inputs, calibration, at_risk, np.array(hazards), cuts, 2 * (len(cuts) + 1))


def _described(
    name: str,
    inputs: TrialSummary,
    calibration: Calibration,
    at_risk: AtRisk,
    hazards: FloatArray,
    cuts: tuple[float, ...],
    free: int,
) -> AtRiskFit:
    arms = [_arm(calibration, i, hazards[i], cuts) for i in (0, 1)]
    times = np.array(at_risk.times)
    counts = [getattr(at_risk, name) for name in ARMS]
    shares = [arm.survival_os(times) * _still_followed(times, inputs.follow_up.value) for arm in arms]
    deviance = sum(
        float((at_risk_misfit(count, share) ** 2).sum()) for count, share in zip(counts, shares, strict=True)
    )
    return AtRiskFit(
        name=name,
        control=arms[0],
        experimental=arms[1],
        hazards=hazards,
        cuts=cuts,
        expected=np.array([count[0] * share for count, share in zip(counts, shares, strict=True)]),
        deviance=deviance,
        free=free,
        hr_os=float(cox_hazard_ratio(arms[0], arms[1], inputs.follow_up.value, inputs.n)),
        median_os=(arms[0].quantile_os(0.5).item(), arms[1].quantile_os(0.5).item()),
    )


def crude_ratios(
    at_risk: AtRisk, cuts: tuple[float, ...], follow_up: tuple[float, float] | None, level: float = LEVEL
) -> tuple[CrudeRatio, ...]:
    """Compute the rate ratios between cuts, falls over person-months by trapezoids.

    Intervals that end after the start of administrative censoring, or in which nobody left an arm, are left out.

    Examples
    --------
    >>> counts = AtRisk((0.0, 12.0, 24.0), (80, 40, 20), (80, 50, 30))
    >>> [round(ratio.value, 2) for ratio in crude_ratios(counts, (12.0,), follow_up=None)]
    [0.69, 0.75]
    """
    level = confidence_level(level)
    times = np.array(at_risk.times)
    counts = np.array([at_risk.control, at_risk.experimental])
    end = np.inf if follow_up is None else follow_up[0]
    edges = [0.0, *cuts, float(times[-1])]
    ratios = []
    for start, stop in pairwise(edges):
        inside = (times >= start) & (times <= stop)
        if stop > end or inside.sum() < 2:
            continue
        falls = counts[:, inside][:, 0] - counts[:, inside][:, -1]
        months = np.trapezoid(counts[:, inside], times[inside], axis=1)
        if falls.min() == 0:
            continue
        ratio = float(falls[1] / months[1] / (falls[0] / months[0]))
        half = float(ndtri(0.5 + level / 2) * np.sqrt((1.0 / falls).sum()))
        limits = ratio * np.exp([-half, half])
        pair = (int(falls[0]), int(falls[1]))
        ratios.append(CrudeRatio(start, stop, pair, ratio, float(limits[0]), float(limits[1]), level))
    return tuple(ratios)


def _p_change(crude: tuple[CrudeRatio, ...]) -> float | None:
    if len(crude) < 2:
        return None
    first, second = crude[:2]
    error = np.sqrt(sum(1.0 / fall for ratio in (first, second) for fall in ratio.falls))
    return float(2.0 * ndtr(-abs(np.log(second.value / first.value)) / error))


def _meeting(at_risk: AtRisk) -> tuple[float, float] | None:
    shares = [np.array(counts) / counts[0] for counts in (at_risk.control, at_risk.experimental)]
    apart = np.abs(shares[1] - shares[0]) > MAX_MEETING_DIFFERENCE
    ends = np.flatnonzero(apart[:-1] & ~apart[1:])
    return (float(at_risk.times[ends[0]]), float(at_risk.times[ends[0] + 1])) if len(ends) else None
