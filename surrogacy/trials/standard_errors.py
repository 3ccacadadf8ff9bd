"""Standard error of a log hazard ratio: from its limits, else as printed, else from an exact p, else from events.

References
----------
Parmar, Torri, Stewart (1998), doi:10.1002/(SICI)1097-0258(19981230)17:24<2815::AID-SIM110>3.0.CO;2-8.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from surrogacy.results.levels import confidence_level
from surrogacy.trials.cells import DEFAULT_LEVEL, exact_p, half_unit, level_of, number, printed_range
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.rows import Row

# A standard error from a p-value is imprecise if rounding alone changes it by more than this factor.
IMPRECISE = 1.5


@dataclass(frozen=True, slots=True)
class StandardError:
    """Standard error of a log hazard ratio and its derivation.

    Parameters
    ----------
    value : float
    method : {"limits", "se", "p", "events"}
    imprecise : bool
        Whether rounding or an approximation changes it by much.
    """

    value: float
    method: str
    imprecise: bool = False


def standard_error(effect: ReportedEffect) -> StandardError | None:
    """Return the standard error of a log hazard ratio; None if it cannot be derived."""
    level = DEFAULT_LEVEL if math.isnan(effect.ci_level) else effect.ci_level
    level = level / 100 if level > 1 else level
    if 0 < effect.ci_low < effect.ci_high < math.inf and 0.5 <= level < 1:
        return StandardError(standard_error_from_interval(effect.ci_low, effect.ci_high, level), "limits")
    if 0 < effect.se < math.inf:
        return StandardError(effect.se, "se")
    p, sides = exact_p(effect.p), 2 if math.isnan(effect.p_sides) else int(effect.p_sides)
    if 0 < effect.hr < math.inf and p is not None and effect.hr != 1 and 0 < p < sides:
        value = standard_error_from_p(effect.hr, p, sides)
        if np.isfinite(value):
            return StandardError(value, "p", _p_is_imprecise(effect, p, sides))
    if effect.events_exp > 0 and effect.events_ctl > 0:
        return StandardError(standard_error_from_events(effect.events_exp, effect.events_ctl), "events", imprecise=True)
    return None


def _p_is_imprecise(effect: ReportedEffect, p: float, sides: int) -> bool:
    """Return whether the rounding of the hazard ratio and of p changes the standard error by more than `IMPRECISE`."""
    hr, half_hr, half_p = effect.hr, effect.hr_half_unit, half_unit(effect.p)
    if abs(hr - 1) <= half_hr:
        return True
    values = [
        standard_error_from_p(max(hr + a * half_hr, hr / 2), min(max(p + b * half_p, 1e-12), sides * 0.4999), sides)
        for a in (-1, 1)
        for b in (-1, 1)
    ]
    return max(values) > IMPRECISE * min(values)


def range_from_limits(row: Row) -> tuple[float, float] | None:
    """Return the range of the standard error from limits before rounding; None without limits.

    The lower end is 0 if the interval may have no width (``0.5-0.5``).
    """
    low, high, level = number(row, "ci_low"), number(row, "ci_high"), level_of(row)
    if low is None or high is None or not 0 < low <= high or not 0.5 <= level < 1:
        return None
    (least_low, most_low), (least_high, most_high) = printed_range(row, "ci_low"), printed_range(row, "ci_high")
    narrow = standard_error_from_interval(most_low, least_high, level) if most_low < least_high else 0.0
    return narrow, standard_error_from_interval(least_low, most_high, level)


def range_as_printed(row: Row) -> tuple[float, float] | None:
    """Return the range of a printed standard error before rounding; None without one."""
    se = number(row, "se")
    if se is None or se <= 0:
        return None
    if "variance" not in row.headings or row.headings.get("se") != row.headings["variance"]:
        return printed_range(row, "se")
    low, high = printed_range(row, "variance")
    return math.sqrt(low), math.sqrt(high)


def range_from_p(row: Row) -> tuple[float, float] | None:
    """Return the range of the standard error from an exact p-value and hazard ratio before rounding, or None."""
    p, hr, sides = exact_p(row.get("p", "")), number(row, "hr"), int(number(row, "p_sides") or 2)
    if p is None or hr is None or hr <= 0 or sides not in (1, 2):
        return None
    least_hr, most_hr = printed_range(row, "hr")
    least_p, most_p = printed_range(row, "p")
    values = [
        standard_error_from_p(ratio, min(probability, sides * 0.4999999), sides)
        for ratio, probability in itertools.product((least_hr, most_hr), (least_p, most_p))
        if 0 < probability < sides
    ]
    if not values:
        return None
    return (0.0 if least_hr <= 1 <= most_hr else min(values)), max(values)


def standard_error_from_interval(low: float, high: float, level: float = 0.95) -> float:
    """Standard error of a log hazard ratio from its confidence limits.

    Parameters
    ----------
    low, high : float
        Limits on the hazard-ratio scale.
    level : float
        Level of the interval, in (0, 1).

    Returns
    -------
    float
        ``(log high - log low) / (2 z)``, ``z`` the normal quantile of ``level``.

    References
    ----------
    Parmar, Torri, Stewart (1998), doi:10.1002/(SICI)1097-0258(19981230)17:24<2815::AID-SIM110>3.0.CO;2-8.
    """
    return float((np.log(high) - np.log(low)) / (2.0 * ndtri(0.5 + confidence_level(level) / 2.0)))


def standard_error_from_p(hr: float, p: float, sides: int = 2) -> float:
    """Standard error of a log hazard ratio from an exact Wald or log-rank p-value.

    Parameters
    ----------
    hr : float
        Hazard ratio; must differ from 1 (at 1 the p-value does not depend on the standard error).
    p : float
        The exact p-value, in (0, 1).
    sides : {1, 2}
        Whether ``p`` is one-sided or two-sided.

    Returns
    -------
    float
        ``|log hr| / |z|``; infinite if z = 0.
    """
    z = abs(float(ndtri(p / sides)))
    return abs(float(np.log(hr))) / z if z > 0 else float("inf")


def standard_error_from_events(events_experimental: float, events_control: float) -> float:
    """Approximate standard error of a log hazard ratio, ``sqrt(1/d_exp + 1/d_ctl)``."""
    return float(np.sqrt(1.0 / events_experimental + 1.0 / events_control))
