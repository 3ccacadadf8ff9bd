"""Standard error of a log hazard ratio: from its limits at their own level, else as printed, else from an exact p, else from events.

References
----------
Parmar, Torri, Stewart (1998), doi:10.1002/(SICI)1097-0258(19981230)17:24<2815::AID-SIM110>3.0.CO;2-8.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from surrogacy.results.levels import confidence_level
from surrogacy.trials.cells import Row, exact_p, half_unit, level_of, number, printed_range

# A p-value gives the standard error only roughly where rounding alone moves it by more than this factor.
IMPRECISE = 1.5


@dataclass(frozen=True)
class StandardError:
    """Standard error of a log hazard ratio and its derivation.

    Parameters
    ----------
    value : float
    method : {"limits", "se", "p", "events"}
    imprecise : bool
        Whether rounding or an approximation moves it much.
    """

    value: float
    method: str
    imprecise: bool = False


def standard_error(row: Mapping[str, Any]) -> StandardError | None:
    """Return the standard error of a row of effects.csv; None if it states nothing to derive it from.

    Parameters
    ----------
    row : mapping
        Text cells, or a record of the data frame.
    """
    text = {key: "" if value is None or value != value else str(value) for key, value in row.items()}
    low, high, hr = number(text, "ci_low"), number(text, "ci_high"), number(text, "hr")
    level = level_of(text)
    if low and high and 0 < low < high and 0.5 <= level < 1:
        return StandardError(standard_error_from_interval(low, high, level), "limits")
    se = number(text, "se")
    if se and se > 0:
        return StandardError(se, "se")
    p = exact_p(text)
    sides = int(number(text, "p_sides") or 2)
    if hr and hr > 0 and p is not None and hr != 1 and 0 < p < sides:
        value = standard_error_from_p(hr, p, sides)
        if np.isfinite(value):
            return StandardError(value, "p", _p_is_imprecise(text, hr, p, sides))
    d_exp, d_ctl = number(text, "events_exp"), number(text, "events_ctl")
    if d_exp and d_ctl:
        return StandardError(standard_error_from_events(d_exp, d_ctl), "events", imprecise=True)
    return None


def _p_is_imprecise(row: Mapping[str, str], hr: float, p: float, sides: int) -> bool:
    """Return whether the rounding of the hazard ratio and of p alone moves the standard error much."""
    half_hr = half_unit(row.get("_hr_printed") or row["hr"])
    half_p = half_unit(row["p"])
    if abs(hr - 1) <= half_hr:
        return True
    values = [
        standard_error_from_p(max(hr + a * half_hr, hr / 2), min(max(p + b * half_p, 1e-12), sides * 0.4999), sides)
        for a in (-1, 1)
        for b in (-1, 1)
    ]
    return max(values) > IMPRECISE * min(values)


def range_from_limits(row: Row) -> tuple[float, float] | None:
    """Return the least and largest standard error that limits can stand for before they were rounded; None without limits.

    The narrowest interval may have no width (``0.5-0.5``): its standard error is then 0.
    """
    low, high, level = number(row, "ci_low"), number(row, "ci_high"), level_of(row)
    if low is None or high is None or not 0 < low <= high or not 0.5 <= level < 1:
        return None
    (least_low, most_low), (least_high, most_high) = printed_range(row, "ci_low"), printed_range(row, "ci_high")
    narrow = standard_error_from_interval(most_low, least_high, level) if most_low < least_high else 0.0
    return narrow, standard_error_from_interval(least_low, most_high, level)


def range_as_printed(row: Row) -> tuple[float, float] | None:
    """Return the range of values that a printed standard error may stand for; None without one."""
    se = number(row, "se")
    if se is None or se <= 0:
        return None
    if not row.get("_column_variance") or row.get("_column_se") != row.get("_column_variance"):
        return printed_range(row, "se")
    low, high = printed_range(row, "variance")
    return math.sqrt(low), math.sqrt(high)


def range_from_p(row: Row) -> tuple[float, float] | None:
    """Return the range of standard errors that an exact p-value and its hazard ratio can stand for; None without them."""
    p, hr, sides = exact_p(row), number(row, "hr"), int(number(row, "p_sides") or 2)
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
        The interval's own level, in (0, 1).

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
        Hazard ratio; must differ from 1 (at 1 the p-value says nothing about the error).
    p : float
        The exact p-value, in (0, 1).
    sides : {1, 2}
        Whether ``p`` is one-sided or two-sided.

    Returns
    -------
    float
        ``|log hr| / |z|``; infinite where ``p`` leaves no signal (z = 0).
    """
    z = abs(float(ndtri(p / sides)))
    return abs(float(np.log(hr))) / z if z > 0 else float("inf")


def standard_error_from_events(events_experimental: float, events_control: float) -> float:
    """Approximate standard error of a log hazard ratio, ``sqrt(1/d_exp + 1/d_ctl)``."""
    return float(np.sqrt(1.0 / events_experimental + 1.0 / events_control))
