"""Constant and piecewise post-progression hazards, fitted to the numbers at risk below the OS curves.

Each number at risk is binomial given the one before, with probability ``S(t2) G(t2) / S(t1) G(t1)``. S is the survival
of the model, G the distribution of the administrative follow-up. The hazards of progression and of death without
progression are those of the calibration. The hazard of death after progression is constant, or constant within
intervals of the time since randomisation. The difference of the deviances of nested models has a chi-squared
distribution under the smaller model. Losses to follow-up count as deaths.
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
from surrogacy.pps.records import Record
from surrogacy.pps.trial_summary import AtRisk, TrialSummary
from surrogacy.results.format import number
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.survival.hazard_ratios import Censoring, cox_hazard_ratio, hazard_ratio_over_time
from surrogacy.survival.illness_death import IllnessDeath

CUTS = (24.0, 48.0)  # months
MAX_HR_MISFIT = 0.05  # difference of log hazard ratios
MAX_MEETING_DIFFERENCE = 0.02  # difference of two shares at risk
FEWEST_AT_RISK = 10  # patients at risk in both arms for a supported fit
HAZARD_BOUNDS = (1e-4, 10.0)  # of a post-progression hazard per month


@dataclass(frozen=True, eq=False)
class AtRiskFit:
    """One model compared with the numbers at risk.

    Parameters
    ----------
    name : str
    control, experimental : IllnessDeath
    hazards : (2, j) array
        Hazards of death after progression per month, by arm and interval.
    cuts : tuple of float
        Months between the intervals.
    expected : (2, k) array
        Expected numbers at risk at the times of the counts.
    deviance : float
    free : int
        Number of hazards fitted to the numbers at risk.
    hr_os : float
        Limit of the Cox hazard ratio of OS under the follow-up of the trial.
    median_os : tuple of float
        Median OS of the model, months: control, experimental.
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

    @property
    def record(self) -> Record:
        """Fields under the keys of results.json."""
        control, experimental = (", ".join(number(value, 4) for value in hazards) for hazards in self.hazards)
        return {
            "model": self.name,
            "ctl": control,
            "exp": experimental,
            "deviance": self.deviance,
            "free": self.free,
            "hr_os": self.hr_os,
            "median_os_ctl": self.median_os[0],
            "median_os_exp": self.median_os[1],
        }


@dataclass(frozen=True)
class CrudeRatio:
    """Ratio of the rates at which the numbers at risk fall in one interval, experimental over control.

    Losses count as deaths.

    Parameters
    ----------
    start, stop : float
        Months.
    falls : tuple of int
        Decrease of the numbers at risk, (control, experimental).
    value, low, high : float
        Rate ratio with its limits; the variance of the log rate ratio is the sum of the two ``1 / falls``.
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
    """Comparison of constant and piecewise post-progression hazards.

    Parameters
    ----------
    fits : tuple of AtRiskFit
        Constant hazards as calibrated, and constant and piecewise hazards fitted to the numbers at risk.
    p : float
        p-value of the likelihood ratio test of the piecewise against the fitted constant hazards.
    crude : tuple of CrudeRatio
        Crude rate ratios before the first administrative end of follow-up.
    p_change : float or None
        Two-sided p-value of equal crude ratios in the first two intervals.
    meeting : tuple of float or None
        Times between which the shares at risk of the two arms first converge to within 2 percentage points.
    supported_until : float
        Month of the last count with at least 10 patients at risk in both arms.
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
    cuts : tuple of float
        Months since randomisation at which the post-progression hazards change.

    Raises
    ------
    UsageError
        If the trial has no numbers at risk, or an interval without a count.
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
        raise UsageError(f"{inputs.name}: an interval of the cuts {cuts} has no number at risk; take fewer cuts")
    trial = inputs, calibration, at_risk
    calibrated = _fit("constant, as calibrated", *trial, (), fitted=False)
    constant = _fit("constant, fitted to the numbers at risk", *trial, ())
    words = ", ".join(f"{cut:g}" for cut in cuts)
    varying = _fit(f"changing at {words} months, fitted to the numbers at risk", *trial, cuts)
    freedom = varying.free - constant.free
    p = float(gammaincc(freedom / 2, max(constant.deviance - varying.deviance, 0.0) / 2))
    crude = crude_ratios(at_risk, cuts, inputs.follow_up.value)
    problems = ["losses to follow-up count as deaths, and the p-value assumes that the cuts were chosen in advance"]
    if abs(np.log(varying.hr_os / inputs.hr_os.value)) > MAX_HR_MISFIT:
        problems.append(
            f"the fit {varying.name} has an OS HR of {varying.hr_os:.2f} (Cox limit), "
            f"the trial printed {inputs.hr_os.value:.2f}: "
            "numbers at risk determine the hazard ratio only approximately"
        )
    expected = calibrated.expected[:, 1:]
    if expected[expected > 0].min() < 5:
        problems.append("late numbers at risk are small: the hazards of the last interval depend on few deaths")
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
        Share of the patients alive and still in follow-up at those times, by the model.

    Returns
    -------
    (k - 1,) array
        Zero where nobody was at risk before.

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
    """Share of patients with administrative follow-up to these times."""
    return np.ones_like(times) if follow_up is None else Censoring(*follow_up).administrative(times)


def supported_until(at_risk: AtRisk) -> float:
    """Month of the last count with at least 10 patients at risk in both arms; 0 if there is none.

    Examples
    --------
    >>> supported_until(AtRisk((0.0, 12.0, 24.0), (80, 40, 9), (80, 50, 20)))
    12.0
    """
    enough = np.minimum(at_risk.control, at_risk.experimental) >= FEWEST_AT_RISK
    return max((time for time, many in zip(at_risk.times, enough, strict=True) if many), default=0.0)


def _fit(
    name: str,
    inputs: TrialSummary,
    calibration: Calibration,
    at_risk: AtRisk,
    cuts: tuple[float, ...],
    *,
    fitted: bool = True,
) -> AtRiskFit:
    """Compare hazards with the numbers at risk: those of the calibration, or hazards fitted to these numbers."""
    from scipy.optimize import least_squares

    times, counts = np.array(at_risk.times), (at_risk.control, at_risk.experimental)
    followed = _still_followed(times, inputs.follow_up.value)
    hazards = [np.full(len(cuts) + 1, h12) for h12 in calibration.post_progression]

    def arm(i: int, h12: FloatArray) -> IllnessDeath:
        hazard = h12 if cuts else h12[0]
        return IllnessDeath.from_pfs(calibration.median_pfs[i], calibration.direct_deaths[i], hazard, cuts)

    def misfit(logs: FloatArray, i: int) -> FloatArray:
        return at_risk_misfit(counts[i], arm(i, np.exp(logs)).survival_os(times) * followed)

    for i in (0, 1) if fitted else ():
        low, high = np.log(HAZARD_BOUNDS)
        start = np.clip(np.log(hazards[i]), low, high)
        solution = least_squares(misfit, start, bounds=(low, high), x_scale=1.0, args=(i,))
        if not solution.success:
            raise FitError(
                f"{inputs.name}, {ARMS[i]} arm: the fit to the numbers at risk did not converge ({solution.message})"
            )
        hazards[i] = np.exp(solution.x)
    arms = arm(0, hazards[0]), arm(1, hazards[1])
    return AtRiskFit(
        name=name,
        control=arms[0],
        experimental=arms[1],
        hazards=np.array(hazards),
        cuts=cuts,
        expected=np.array([counts[i][0] * arms[i].survival_os(times) * followed for i in (0, 1)]),
        deviance=sum(float((misfit(np.log(hazards[i]), i) ** 2).sum()) for i in (0, 1)),
        free=2 * (len(cuts) + 1) if fitted else 0,
        hr_os=float(cox_hazard_ratio(*arms, inputs.follow_up.value, inputs.n)),
        median_os=(arms[0].quantile_os(0.5).item(), arms[1].quantile_os(0.5).item()),
    )


def crude_ratios(
    at_risk: AtRisk, cuts: tuple[float, ...], follow_up: tuple[float, float] | None, level: float = LEVEL
) -> tuple[CrudeRatio, ...]:
    """Compute the ratios of rates between cuts, decreases of the numbers at risk over person-months (trapezoidal rule).

    Left out are intervals that end after the start of administrative censoring, or in which an arm has no decrease.

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
