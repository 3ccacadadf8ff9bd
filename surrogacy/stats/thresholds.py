"""Surrogate threshold effect: the weakest surrogate effect for which a line predicts a benefit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surrogacy.results.endpoint_names import final_name, surrogate_names, with_article
from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, ThresholdEffect, ThresholdInterval
from surrogacy.results.format import interval
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.lines import FLATTEST, ROUNDING, STRONGEST_HR, WEAKEST_HR, Line


def threshold_effects(line: Line, level: float = LEVEL) -> dict[str, ThresholdEffect]:
    """Threshold effects by both bands, under the names that results use.

    Examples
    --------
    >>> line = Line(0.0, 0.5, np.zeros((2, 2)), 0.1, 4.0, 1.0, None, None, (-1.0, 0.0))
    >>> round(threshold_effects(line)["ste_prediction"].hr, 2)
    0.68
    """
    return {
        "ste_prediction": line.threshold(level, band="prediction"),
        "ste_confidence": line.threshold(level, band="confidence"),
    }


def thresholds_of(
    intercept: FloatArray, slope: FloatArray, covariance: FloatArray, added: FloatArray, quantile: float
) -> FloatArray:
    """Threshold effects of many lines at once, as `Line.threshold` finds them.

    Parameters
    ----------
    intercept, slope : (b,) arrays
    covariance : (b, 3) array
        Variance of the intercept, covariance, variance of the slope.
    added : (b,) array
        Variance of the effect of a new trial about the line; 0 for the band of the line itself.
    quantile : float
        Two-sided quantile of the band.

    Returns
    -------
    (b,) array
        Surrogate log hazard ratios: -inf if no surrogate effect is strong enough, inf if a benefit is predicted even at
        a surrogate hazard ratio of 1. For a two-sided region, its weaker end.

    Examples
    --------
    >>> slopes = np.array([0.5, -0.1])
    >>> np.exp(thresholds_of(np.zeros(2), slopes, np.zeros((2, 3)), np.full(2, 0.01), 1.96)).round(2)
    array([0.68, 0.  ])
    """
    q2, strongest = quantile**2, np.log(STRONGEST_HR)
    c11, c12, c22 = np.moveaxis(covariance, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        quadratic = slope**2 - q2 * c22
        linear = 2.0 * (intercept * slope - q2 * c12)
        constant = intercept**2 - q2 * (c11 + added)
        discriminant = linear**2 - 4.0 * quadratic * constant
        discriminant = np.where(np.abs(discriminant) < 1e-12 * linear**2, 0.0, discriminant)
        root = np.sqrt(discriminant)
        ends = np.sort(np.stack([-linear - root, -linear + root]) / (2.0 * quadratic), axis=0)
        ends = np.where(np.abs(ends) < ROUNDING, 0.0, ends)
        inside = intercept + slope * ends < ROUNDING
        # a half-line ends at the stronger valid root; a two-sided region needs both roots and ends at the weaker one
        half_line = np.where(inside[0], ends[0], ends[1])
        bounded = (quadratic < 0) & inside.all(axis=0) & (ends[0] <= 0)
        threshold = np.where(quadratic > 0, np.where(inside.any(axis=0), half_line, -np.inf), -np.inf)
        threshold = np.where(bounded, ends[1], threshold)
    exists = (slope >= FLATTEST) & (discriminant >= 0) & (threshold >= strongest)
    return np.where(exists, np.where(threshold > 0, np.inf, threshold), -np.inf)


def interval_of_thresholds(log_hr: FloatArray, level: float, method: str) -> ThresholdInterval:
    """Percentile interval of resampled thresholds, and the share of resamples in which the threshold exists.

    A percentile is a value of the sample, as a mean of two would not be defined beside -inf. There are no limits if the
    threshold does not exist in a share of resamples above ``(1 - level) / 2``.

    Parameters
    ----------
    log_hr : (b,) array
        Thresholds as `thresholds_of` returns them.
    level : float
    method : str

    Examples
    --------
    >>> sample = np.log(np.linspace(0.5, 0.7, 401))
    >>> interval = interval_of_thresholds(sample, 0.95, "bootstrap")
    >>> round(interval.low, 3), round(interval.high, 3), interval.exists
    (0.505, 0.695, 1.0)
    """
    tail = (1 - confidence_level(level)) / 2
    exists, without = float(np.isfinite(log_hr).mean()), float((log_hr == np.inf).mean())
    if 1 - exists > tail:
        return ThresholdInterval(None, None, exists, without, level, method)
    low, high = np.exp(np.quantile(log_hr, (tail, 1 - tail), method="nearest"))
    return ThresholdInterval(float(low), float(high), exists, without, level, method)


def threshold_caveats(estimates: Mapping[str, Estimate | ThresholdEffect], effects: Effects) -> tuple[Caveat, ...]:
    """Caveats on the thresholds of a fit.

    Parameters
    ----------
    estimates : mapping of str to Estimate or ThresholdEffect
        Estimates of a result: its thresholds, ``slope`` and ``intercept``.
    effects : Effects
        Effects with the names of the endpoints.

    Returns
    -------
    tuple of Caveat
        A caveat if a benefit is predicted without a surrogate effect, and one if there is a threshold although the
        interval of the slope includes 0.
    """
    thresholds = [value for value in estimates.values() if isinstance(value, ThresholdEffect)]
    caveats: tuple[Caveat, ...] = ()
    without = [ste for ste in thresholds if ste.status == "benefit-without-surrogate-effect"]
    if without:
        surrogate, final = with_article(" / ".join(surrogate_names(effects))), with_article(final_name(effects))
        intercept = estimates.get("intercept")
        value = ""
        if isinstance(intercept, Estimate) and intercept.value is not None:
            value = f" {intercept.value:.2f}{_limits(intercept)}"
        # the confidence band excludes no effect further than the prediction band: it is named only without the latter
        predicted = [ste for ste in without if ste.band == "prediction"]
        benefit = "a benefit on" if predicted else "a mean benefit on"
        crossings = ", ".join(f"{_crossing(ste)} ({ste.band_words})" for ste in predicted or without)
        text = (
            f"{benefit} {final} is predicted even without an effect on {surrogate}: intercept{value}, the log hazard "
            f"ratio of {final} at a hazard ratio of 1 for {surrogate}; the hazard ratio for {surrogate} at which the "
            f"band reaches no effect on {final}, {crossings}, is not a surrogate threshold"
        )
        caveats += (Caveat(CaveatCode.WITHOUT_SURROGATE_EFFECT, text),)
    slope = estimates.get("slope")
    usable = [ste.band_words for ste in thresholds if ste.hr is not None]
    if usable and isinstance(slope, Estimate) and (slope.unbounded or (slope.low is not None and slope.low <= 0)):
        limits = f"{slope.level or LEVEL:.0%} interval of the slope{_limits(slope)}"
        finding = "is unbounded" if slope.unbounded else "includes 0"
        text = f"the {limits} {finding}: the surrogate threshold is unreliable ({', '.join(usable)})"
        caveats += (Caveat(CaveatCode.FLAT_SLOPE, text),)
    return caveats


def _crossing(threshold: ThresholdEffect) -> str:
    """Hazard ratio at which a band reaches no effect; "more than 5" if no trial has such an effect."""
    crossing = np.inf if threshold.crossing is None else threshold.crossing
    return f"{crossing:.2f}" if crossing < WEAKEST_HR else f"more than {WEAKEST_HR:g}"


def _limits(estimate: Estimate) -> str:
    """Limits in parentheses; empty if there are none."""
    return "" if estimate.low is None or estimate.high is None else f" ({interval(estimate.low, estimate.high)})"
