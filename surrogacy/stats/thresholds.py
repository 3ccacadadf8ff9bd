"""Surrogate threshold effect: the weakest surrogate effect for which a line predicts a benefit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.endpoint_names import final_name, surrogate_names, with_article
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, ThresholdEffect, ThresholdInterval
from surrogacy.results.format import interval
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.results.result import SurrogacyLine
from surrogacy.stats.lines import WEAKEST_HR


def threshold_effects(line: SurrogacyLine, level: float = LEVEL) -> dict[str, ThresholdEffect]:
    """Threshold effects by both bands, under the names that results use.

    Examples
    --------
    >>> from surrogacy.stats.lines import Line
    >>> line = Line(0.0, 0.5, np.zeros((2, 2)), 0.1, 4.0, 1.0, None, None, (-1.0, 0.0))
    >>> round(threshold_effects(line)["ste_prediction"].hr, 2)
    0.68
    """
    return {
        "ste_prediction": line.threshold(level, band="prediction"),
        "ste_confidence": line.threshold(level, band="confidence"),
    }


def interval_of_thresholds(log_hr: FloatArray, level: float, method: str) -> ThresholdInterval:
    """Percentile interval of resampled thresholds, and the share of resamples in which the threshold exists.

    The limits are the values of rank ``(b + 1) (1 - level) / 2`` from either end. There are limits only if the share of
    resamples without a threshold is below ``(1 - level) / 2`` by at least two Monte Carlo errors, or 0: otherwise the
    seed decides whether a limit is finite, and its value depends on a few resamples.

    Parameters
    ----------
    log_hr : (b,) array
        Thresholds as `LineBatch.thresholds` returns them.
    level : float
    method : str

    Examples
    --------
    >>> sample = np.log(np.linspace(0.5, 0.7, 399))
    >>> interval = interval_of_thresholds(sample, 0.95, "bootstrap")
    >>> round(interval.low, 3), round(interval.high, 3), interval.exists
    (0.505, 0.695, 1.0)
    """
    tail = (1 - confidence_level(level)) / 2
    exists, without = float(np.isfinite(log_hr).mean()), float((log_hr == np.inf).mean())
    error = np.sqrt(tail * (1 - tail) / len(log_hr))
    if 1 - exists > max(tail - 2 * error, 0.0):
        return ThresholdInterval(None, None, exists, without, level, method)
    rank = max(round((len(log_hr) + 1) * tail), 1)
    low, high = np.exp(np.partition(log_hr, (rank - 1, -rank))[[rank - 1, -rank]])
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
