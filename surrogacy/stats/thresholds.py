"""Surrogate threshold effect: the weakest surrogate effect for which a line predicts a benefit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surrogacy.effects import Effects
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, ThresholdEffect
from surrogacy.results.levels import LEVEL
from surrogacy.stats.lines import WEAKEST_HR, Line


def threshold_effects(line: Line, level: float = LEVEL) -> dict[str, ThresholdEffect]:
    """Threshold effects by either band, under the names that results use."""
    return {
        "ste_prediction": line.threshold(level, band="prediction"),
        "ste_confidence": line.threshold(level, band="confidence"),
    }


def threshold_caveats(estimates: Mapping[str, Estimate | ThresholdEffect], effects: Effects) -> tuple[Caveat, ...]:
    """Caveats that must stand beside the thresholds of a fit, whichever model made them.

    Parameters
    ----------
    estimates : mapping of str to Estimate or ThresholdEffect
        Of a result; the thresholds among them, ``slope`` and ``intercept`` are used.
    effects : Effects
        For the names of the endpoints.

    Returns
    -------
    tuple of Caveat
        One where a band needs no surrogate effect to exclude no final effect, one where there is a threshold
        although the interval of the slope contains 0.
    """
    thresholds = [value for value in estimates.values() if isinstance(value, ThresholdEffect)]
    caveats: tuple[Caveat, ...] = ()
    without = [ste for ste in thresholds if ste.status == "benefit-without-surrogate-effect"]
    if without:
        surrogate, final = _endpoints(effects)
        intercept = estimates.get("intercept")
        value = ""
        if isinstance(intercept, Estimate) and intercept.value is not None:
            value = f" {intercept.value:.2f}{_limits(intercept)}"
        # the band of the mean reaches further than that of a new trial: it is named only where it stands alone
        predicted = [ste for ste in without if ste.band == "prediction"]
        benefit = "a benefit on" if predicted else "a mean benefit on"
        crossings = ", ".join(f"{_crossing(ste)} ({ste.band_words})" for ste in predicted or without)
        text = (
            f"{benefit} {final} is predicted even without an effect on {surrogate}: intercept{value}, the log hazard "
            f"ratio of {final} at a hazard ratio of 1 for {surrogate}; where the band reaches no effect on {final}, at "
            f"a hazard ratio for {surrogate} of {crossings}, is not a surrogate threshold"
        )
        caveats += (Caveat(CaveatCode.WITHOUT_SURROGATE_EFFECT, text),)
    slope = estimates.get("slope")
    usable = [ste.band_words for ste in thresholds if ste.hr is not None]
    if usable and isinstance(slope, Estimate) and (slope.unbounded or (slope.low is not None and slope.low <= 0)):
        interval = f"{slope.level or LEVEL:.0%} interval of the slope{_limits(slope)}"
        finding = "is unbounded" if slope.unbounded else "contains 0"
        text = f"the {interval} {finding}: the surrogate threshold is not to be relied on ({', '.join(usable)})"
        caveats += (Caveat(CaveatCode.FLAT_SLOPE, text),)
    return caveats


def _crossing(threshold: ThresholdEffect) -> str:
    """Hazard ratio at which a band reaches no effect; one that no trial will ever have is not told exactly."""
    crossing = np.inf if threshold.crossing is None else threshold.crossing
    return f"{crossing:.2f}" if crossing < WEAKEST_HR else f"more than {WEAKEST_HR:g}"


def _endpoints(effects: Effects) -> tuple[str, str]:
    """Names of the surrogate and of the final endpoint; generic where a set mixes several or names none."""
    endpoints = (set(effects.covariates.get(side, ())) for side in ("surrogate", "final"))
    surrogate, final = (next(iter(names)) if len(names) == 1 else "" for names in endpoints)
    return surrogate or "the surrogate", final or "the final endpoint"


def _limits(estimate: Estimate) -> str:
    """Limits in parentheses; empty where there are none."""
    return "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.2f} to {estimate.high:.2f})"
