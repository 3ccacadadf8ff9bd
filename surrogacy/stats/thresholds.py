"""Surrogate threshold effect: the weakest surrogate effect for which a line predicts a benefit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from surrogacy.effects import Effects
from surrogacy.results.estimate import Band, Caveat, CaveatCode, Estimate, ThresholdEffect, ThresholdStatus
from surrogacy.results.levels import LEVEL as LEVEL
from surrogacy.results.levels import confidence_level
from surrogacy.stats.lines import FLATTEST, ROUNDING, STRONGEST_HR, WEAKEST_HR, Line


def threshold_effect(
    line: Line, *, level: float = LEVEL, band: Band = "prediction", new_n: float | None = None
) -> ThresholdEffect:
    """Surrogate threshold effect of a line: where its upper band crosses no effect on the final endpoint.

    With ``m(a) = intercept + slope a`` and ``Var(a) = (1, a) C (1, a)' + v`` the upper limit
    ``m + q sqrt(Var)`` is 0 where ``m^2 = q^2 Var`` and ``m < 0``: a quadratic in ``a``.
    The region where the limit is below 0 is a half-line if ``slope^2 > q^2 C22``; otherwise it is
    an interval (two-sided) or empty. A root beyond ``STRONGEST_HR`` counts as none. A root above a surrogate hazard
    ratio of 1 is not a threshold: the limit is below 0 without a surrogate effect
    (``benefit-without-surrogate-effect``).

    Parameters
    ----------
    line : Line
    level : float
        Two-sided level of the band.
    band : {"prediction", "confidence"}
    new_n : float, optional
        Patients of the new trial; default as in ``line.new_n``.

    Returns
    -------
    ThresholdEffect

    References
    ----------
    Burzykowski, Buyse (2006), doi:10.1002/pst.207.
    """
    level = confidence_level(level)
    size = line.new_n if new_n is None else new_n
    stated = None if size is None or np.isinf(size) or band == "confidence" or line.exponent == 0 else float(size)

    def result(status: ThresholdStatus, log_hr: float | None = None, other: float | None = None) -> ThresholdEffect:
        hr, hr_other = (None if value is None else float(np.exp(min(value, 700.0))) for value in (log_hr, other))
        beyond = any(
            value is not None and not line.data_range[0] <= value <= line.data_range[1] for value in (log_hr, other)
        )
        return ThresholdEffect(hr, status, band, level, stated, hr_other, line.new_trial(size), beyond)

    q2 = line.quantile(level) ** 2
    c = line.covariance
    if line.slope < FLATTEST or not (np.isfinite(c).all() and np.isfinite([line.intercept, line.slope]).all()):
        return result("none")  # a region of surrogate harm is no threshold
    quadratic = line.slope**2 - q2 * c[1, 1]
    linear = 2.0 * (line.intercept * line.slope - q2 * c[0, 1])
    constant = line.intercept**2 - q2 * (c[0, 0] + line.added_variance(size, band))

    def without_surrogate_effect(crossing: float) -> ThresholdEffect:
        reached = result("benefit-without-surrogate-effect", crossing)
        return replace(reached, hr=None, crossing=reached.hr, intercept=line.intercept)

    discriminant = linear**2 - 4.0 * quadratic * constant
    if abs(discriminant) < 1e-12 * linear**2:  # a line without error: both roots are where it crosses
        discriminant = 0.0
    if discriminant < 0 or quadratic == 0.0:
        return result("none")
    roots = sorted((-linear + sign * np.sqrt(discriminant)) / (2.0 * quadratic) for sign in (-1.0, 1.0))
    roots = [0.0 if abs(root) < ROUNDING else root for root in roots]
    valid = [root for root in roots if line.intercept + line.slope * root < ROUNDING]
    if quadratic < 0:  # the band never closes in on the line: at best an interval of surrogate effects
        if len(valid) < 2 or valid[1] < np.log(STRONGEST_HR):
            return result("none")
        if valid[0] > 0:  # benefit is predicted only where the surrogate shows harm
            return result("none")
        if valid[1] <= 0 and valid[0] > np.log(STRONGEST_HR):
            return result("two-sided", valid[1], valid[0])
        valid = valid[1:]
    if not valid or valid[0] < np.log(STRONGEST_HR):
        return result("none")
    if valid[0] > 0:
        return without_surrogate_effect(valid[0])
    outside = not line.data_range[0] <= valid[0] <= line.data_range[1]
    return result("outside-data" if outside else "exists", valid[0])


def threshold_effects(line: Line, level: float = LEVEL) -> dict[str, ThresholdEffect]:
    """Threshold effects by either band, under the names that results use."""
    return {
        "ste_prediction": threshold_effect(line, level=level, band="prediction"),
        "ste_confidence": threshold_effect(line, level=level, band="confidence"),
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
    endpoints = (set(effects.factors.get(side, ())) for side in ("surrogate", "final"))
    surrogate, final = (next(iter(names)) if len(names) == 1 else "" for names in endpoints)
    return surrogate or "the surrogate", final or "the final endpoint"


def _limits(estimate: Estimate) -> str:
    """Limits in parentheses; empty where there are none."""
    return "" if estimate.low is None or estimate.high is None else f" ({estimate.low:.2f} to {estimate.high:.2f})"
