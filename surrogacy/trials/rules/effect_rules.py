"""Rules for one row of effects.csv; each yields faults that name the cell and the likely remedy.

E codes stop the run, W codes are warnings, I codes are remarks. A rule that compares two printed numbers compares
their ranges before rounding.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from scipy.special import ndtr, ndtri

from surrogacy.errors import Fault
from surrogacy.trials.cells import (
    LOG_COLUMNS,
    bound_of_p,
    exact_p,
    exponential,
    level_of,
    number,
    parse_level,
    printed_range,
)
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.standard_errors import standard_error_from_events, standard_error_from_interval

ASYMMETRY_ERROR = 0.25
ASYMMETRY_WARNING = 0.05
P_FACTOR = 3.0
EVENTS_RATIO = (0.7, 1.4)
# ratio of standard errors if limits are taken as 95% limits but are 90% or 99% limits
LEVEL_RATIOS = {0.90: float(ndtri(0.95) / ndtri(0.975)), 0.99: float(ndtri(0.995) / ndtri(0.975))}
LARGEST_LOG_HR = math.log(10)
RATIO_COLUMNS = ("hr", "ci_low", "ci_high")


def check_order(row: Row) -> Iterator[Fault]:
    """E101: hazard ratio and limits are above 0 and in order; I133: rounding has made the limits equal."""
    values = {column: number(row, column) for column in RATIO_COLUMNS}
    for column, value in values.items():
        if value is not None and value <= 0:
            fix = "give the limit as a hazard ratio"
            if column == "hr":
                fix = "give the hazard ratio itself, or name the column log_hr"
            yield fault("E101", row, column, "a hazard ratio or limit must be above 0", fix)
            return
    hr, low, high = values.values()
    if low is not None and high is not None and low > high:
        rule = f"the lower limit {low:g} is not below the upper limit {high:g}"
        yield fault("E101", row, "ci_low", rule, "swap or re-read the limits")
    elif hr is not None and low is not None and low > hr:
        yield fault("E101", row, "ci_low", f"the lower limit is above the hazard ratio {hr:g}", decimal_slip(row))
    elif hr is not None and high is not None and high < hr:
        yield fault("E101", row, "ci_high", f"the upper limit is below the hazard ratio {hr:g}", decimal_slip(row))
    elif low is not None and low == high:
        rule = "both limits are printed as the same number, from which no standard error can be derived"
        yield fault("I133", row, "ci_low", rule, "give limits with more decimals, or se, p or the events of both arms")


def asymmetry(hr: float, low: float, high: float) -> float:
    """Return the distance of log HR from the centre of its log limits, in widths of the interval."""
    return abs(0.5 * (math.log(low) + math.log(high)) - math.log(hr)) / (math.log(high) - math.log(low))


def decimal_slip(row: Row) -> str:
    """Return the decimal error that explains the row, if there is one."""
    values = {column: float(row[column]) for column in RATIO_COLUMNS if number(row, column)}
    if len(values) == 3:
        repairs = []
        for column, value in values.items():
            for factor in (10.0, 0.1):
                hr, low, high = ({**values, column: value * factor}[name] for name in RATIO_COLUMNS)
                if low < hr < high and asymmetry(hr, low, high) < ASYMMETRY_WARNING:
                    repairs.append((math.log(high / low), f"{column} {value * factor:.4g}"))
        if repairs:  # the narrower interval is more likely
            return f"decimal slip? {' or '.join(text for _, text in sorted(repairs))} would fit: re-read"
    return "re-read the hazard ratio and its limits"


def check_symmetry(row: Row) -> Iterator[Fault]:
    """E102, W103: limits lie symmetrically about the hazard ratio on the log scale, up to rounding."""
    hr, low, high = (number(row, column) for column in RATIO_COLUMNS)
    if hr is None or low is None or high is None or not 0 < low < high or not low <= hr <= high:
        return
    a = asymmetry(hr, low, high)
    if a <= ASYMMETRY_WARNING or _rounding_explains(row):
        return
    if a > ASYMMETRY_ERROR:
        rule = f"the limits are far from symmetric about the hazard ratio on the log scale (asymmetry {a:.2f})"
        yield fault("E102", row, "ci_low", rule, decimal_slip(row))
        return
    rule = f"the limits are not symmetric about the hazard ratio (asymmetry {a:.2f}), beyond rounding"
    fix = f"{decimal_slip(row)}; ignore this if estimate and limits come from different models"
    yield fault("W103", row, "hr", rule, fix)


def _rounding_explains(row: Row) -> bool:
    """Return whether the values before rounding can be symmetric, as those of a Wald interval."""
    hr_range, low_range, high_range = (printed_range(row, column) for column in RATIO_COLUMNS)
    centre = [0.5 * (math.log(low) + math.log(high)) for low, high in zip(low_range, high_range, strict=True)]
    return centre[0] <= math.log(hr_range[1]) and math.log(hr_range[0]) <= centre[1]


def check_p(row: Row) -> Iterator[Fault]:
    """W104: the p-value, exact or a bound, follows from the limits, up to rounding."""
    if not row.get("p"):
        return
    hr, low, high = (number(row, column) for column in RATIO_COLUMNS)
    level = level_of(row)
    if hr is None or low is None or high is None or not 0 < low <= hr <= high or low == high or not 0.5 <= level < 1:
        return
    corners = itertools.product(*(printed_range(row, column) for column in RATIO_COLUMNS))
    implied = [abs(math.log(h)) / standard_error_from_interval(lo, hi, level) for h, lo, hi in corners if lo < hi]
    if spans_one(row):
        implied.append(0.0)
    central = abs(math.log(hr)) / standard_error_from_interval(low, high, level)
    if contradicts_p(row, min(implied), max(implied), central):
        sides = int(number(row, "p_sides") or 2)
        tail = sides * float(ndtr(-central))
        rule = f"the limits imply p = {tail:.2g} ({'one' if sides == 1 else 'two'}-sided)"
        fix = "re-read p and its sides, and the confidence level of the interval"
        yield fault("W104", row, "p", rule, fix)


def spans_one(row: Row) -> bool:
    """Return whether the hazard ratio may be 1 before rounding."""
    low, high = printed_range(row, "hr")
    return low <= 1 <= high


def contradicts_p(row: Row, least_z: float, most_z: float, central_z: float) -> bool:
    """Return whether the printed p-value contradicts the z-values that other cells imply.

    It does if, after rounding of both, the two differ by more than a factor of 3 or lie on either side of 0.05.
    """
    p, bound, sides = exact_p(row.get("p", "")), bound_of_p(row), int(number(row, "p_sides") or 2)
    least, most, central = (sides * float(ndtr(-z)) for z in (most_z, least_z, central_z))
    if bound is not None:
        return least > P_FACTOR * bound
    if p is None:
        return False
    p_low, p_high = printed_range(row, "p")
    if sides == 1 and p > 0.5:  # the opposite tail
        p, p_low, p_high = 1 - p, 1 - p_high, 1 - p_low
    apart = p_low > P_FACTOR * most or p_high < least / P_FACTOR
    crosses = (p < 0.05) != (central < 0.05) and not least <= 0.05 <= most and not p_low <= 0.05 <= p_high
    return apart or crosses


def check_events(row: Row) -> Iterator[Fault]:
    """W105, W106: the standard error, from limits or as printed, agrees with the number of events."""
    low, high, se = number(row, "ci_low"), number(row, "ci_high"), number(row, "se")
    d_exp, d_ctl = number(row, "events_exp"), number(row, "events_ctl")
    limits = low is not None and high is not None and 0 < low < high and 0.5 <= level_of(row) < 1
    if not d_exp or not d_ctl or min(d_exp, d_ctl) < 0 or not (limits or (se and se > 0)):
        return
    column, source = ("ci_low", "limits imply") if limits else ("se", "standard error is")
    error = standard_error_from_interval(low, high, level_of(row)) if limits and low and high else se or 0.0
    ratio = error / standard_error_from_events(d_exp, d_ctl)
    if not EVENTS_RATIO[0] <= ratio <= EVENTS_RATIO[1]:
        rule = f"the {source} {ratio:.2f} times the standard error that {d_exp:.0f} + {d_ctl:.0f} events imply"
        remedy = "the limits, their level" if limits else "the standard error of the log hazard ratio"
        yield fault("W105", row, column, rule, f"re-read {remedy} and the events of both arms")
        return
    for level, expected in LEVEL_RATIOS.items():
        if limits and abs(ratio / expected - 1) < 0.03:
            rule = (
                f"the limits imply {ratio:.2f} times the standard error that the events imply, as {level:.0%} limits "
                "would"
            )
            fix = f"check whether the confidence level is {level:.0%}"
            yield fault("W106", row, "ci_level", rule, fix)


def check_plausible(row: Row) -> Iterator[Fault]:
    """W139: a hazard ratio is between 0.1 and 10."""
    hr = number(row, "hr")
    if hr is not None and hr > 0 and abs(math.log(hr)) > LARGEST_LOG_HR:
        fix = "check for a missing decimal point, a percentage or a logarithm"
        yield fault("W139", row, "hr", f"a hazard ratio of {hr:.3g} is implausible", fix)


def check_level(row: Row) -> Iterator[Fault]:
    """E104: the confidence level is a probability."""
    level = parse_level(row.get("ci_level", ""))
    if level is not None and not 0.5 <= level < 1:
        rule, fix = "a confidence level lies between 0.5 and 1", "write 0.95 or 95% for a 95% interval"
        yield fault("E104", row, "ci_level", rule, fix)


def check_p_range(row: Row) -> Iterator[Fault]:
    """E103: a p-value is a probability."""
    text = row.get("p", "")
    match = re.fullmatch(r"[<>=≤≥]*\s*(\d*\.?\d+(?:[eE]-?\d+)?)", text)
    if text and (match is None or not 0 <= float(match[1]) <= 1):
        rule = "a p-value is a number from 0 to 1, with < before it for a bound"
        yield fault("E103", row, "p", rule, "write 0.03 or <0.001, and 1 in the column p_sides if it is one-sided")


def check_rho(row: Row) -> Iterator[Fault]:
    """E105: a within-trial correlation lies in [-1, 1]."""
    rho = number(row, "rho_within")
    if rho is not None and abs(rho) > 1:
        fix = "give the correlation of the two log hazard ratios"
        yield fault("E105", row, "rho_within", "a correlation lies between -1 and 1", fix)


def check_se(row: Row) -> Iterator[Fault]:
    """E106: a standard error or variance is positive."""
    for column, quantity in (("se", "standard error"), ("variance", "variance")):
        value = number(row, column)
        needed = not (number(row, "ci_low") and number(row, "ci_high"))
        if value is not None and (value < 0 or (value == 0 and needed)):  # with limits, 0 may be a rounded value
            fix = f"give the {quantity} of the log hazard ratio"
            yield fault("E106", row, column, f"a {quantity} must be above 0", fix)


def check_logarithm(row: Row) -> Iterator[Fault]:
    """W126: a hazard ratio or limit and its logarithm, both printed, agree up to rounding."""
    for column, log_column in LOG_COLUMNS.items():
        value, log = number(row, column), number(row, log_column)
        if value is None or log is None or value <= 0 or column in row.logarithms:
            continue
        low, high = printed_range(replace(row, logarithms=[column]), column)
        least, most = printed_range(row, column)
        if low > most or high < least:
            rule = (
                f"the logarithm {log_column} = {row[log_column]} implies {exponential(log):.3g}; the hazard ratio is "
                "used"
            )
            yield fault("W126", row, column, rule, _log_remedy(value, log, column == "hr"))


def _log_remedy(value: float, log: float, is_estimate: bool) -> str:
    if math.isclose(math.log(value), log * math.log(10), rel_tol=0.05, abs_tol=0.01):
        return "the logarithm seems to have base 10; give the natural logarithm"
    if is_estimate and math.isclose(math.log(value), -log, rel_tol=0.05, abs_tol=0.01):
        return "one of them seems inverted (control over experimental): check the reference arm"
    return "re-read both, and keep one of the two columns"


EFFECT_RULES: tuple[Callable[[Row], Iterator[Fault]], ...] = (
    check_order,
    check_symmetry,
    check_p_range,
    check_p,
    check_level,
    check_events,
    check_rho,
    check_se,
    check_logarithm,
    check_plausible,
)


def check_effects(rows: Sequence[Row]) -> list[Fault]:
    """Return the faults of every rule on every row."""
    return [fault for row in rows for rule in EFFECT_RULES for fault in rule(row)]
