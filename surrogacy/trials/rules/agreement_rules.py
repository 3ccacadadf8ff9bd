"""Rules for redundant numbers: standard error, limits, p-value, events and patients must agree up to rounding.

References
----------
Schoenfeld (1983), doi:10.2307/2531021: with a share q of the patients in one arm, the variance of a log
hazard ratio from d events is about 1 / (q (1 - q) d), and cannot be smaller than with an event in every patient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from surrogacy.errors import Fault
from surrogacy.trials.cells import exact_p, number, printed_range
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.rules.effect_rules import EVENTS_RATIO, contradicts_p, spans_one
from surrogacy.trials.standard_errors import (
    range_as_printed,
    range_from_limits,
    range_from_p,
    standard_error_from_events,
)

TOLERANCE = 1.01  # quantiles and profile limits differ from Wald limits by about this much
LARGEST_ERROR = math.sqrt(2)
Range = tuple[float, float]


def check_restatements(row: Row) -> Iterator[Fault]:
    """W124, W125, W127, W128, W138: redundant numbers of one hazard ratio agree."""
    yield from _check_limits_twice(row)
    yield from _check_variance(row)
    printed, limits = range_as_printed(row), range_from_limits(row)
    yield from _check_large_error(row, limits, printed)
    if printed is not None and limits is not None and apart(printed, limits):
        rule = f"the limits imply a standard error of {0.5 * sum(limits):.3g}, which is used"
        yield fault("W124", row, "se", rule, _error_remedy(row, printed, limits))
    elif printed is not None and limits is None:
        yield from _check_p_against_error(row, printed)
    if limits is None and printed is None:
        yield from _check_p_against_events(row)


def apart(first: Range, second: Range) -> bool:
    """Return whether two ranges of a positive number are disjoint, with a tolerance of 1%."""
    return first[1] * TOLERANCE < second[0] or second[1] * TOLERANCE < first[0]


def _error_remedy(row: Row, printed: Range, expected: Range) -> str:
    """Return the likely error behind a standard error that contradicts other cells."""
    hr = number(row, "hr")
    if hr and not spans_one(row) and not apart((printed[0] / hr, printed[1] / hr), expected):
        return (
            "this looks like the standard error of the hazard ratio, not of its logarithm: divide it by the hazard "
            "ratio"
        )
    if not apart((math.sqrt(printed[0]), math.sqrt(printed[1])), expected):
        return "this looks like a variance: name the column variance, or take the square root"
    if not apart((printed[0] ** 2, printed[1] ** 2), expected):
        return "this looks like a standard error in a column of variances: name the column se"
    return "re-read the standard error of the log hazard ratio, the limits and the confidence level"


def _check_limits_twice(row: Row) -> Iterator[Fault]:
    """W127: limits in the cell of the hazard ratio agree with those in separate columns."""
    for name in ("ci_low", "ci_high"):
        twin = f"column_{name}"
        if number(row, twin) is None or number(row, name) is None:
            continue
        (low, high), (other_low, other_high) = printed_range(row, name), printed_range(row, twin)
        if low > other_high or other_low > high:
            heading = row.heading(name)
            rule = f"the cell under {heading!r} gives {row[name]}, which is used"
            yield fault("W127", row, twin, rule, "re-read both, and keep one of them")


def _check_variance(row: Row) -> Iterator[Fault]:
    """W124: a standard error and a variance in the same row agree."""
    se, variance = number(row, "se"), number(row, "variance")
    if not se or not variance or se <= 0 or variance <= 0 or row.headings.get("se") == row.headings.get("variance"):
        return
    low, high = printed_range(row, "variance")
    if apart(printed_range(row, "se"), (math.sqrt(low), math.sqrt(high))):
        rule = f"the standard error {row['se']} implies a variance of {se**2:.3g}; the standard error is used"
        yield fault("W124", row, "variance", rule, "re-read both, and keep one of the two columns")


def _check_p_against_error(row: Row, printed: Range) -> Iterator[Fault]:
    """W125: the p-value follows from the hazard ratio and its standard error."""
    hr = number(row, "hr")
    if hr is None or hr <= 0:
        return
    logs = [abs(math.log(value)) for value in printed_range(row, "hr")]
    least = 0.0 if spans_one(row) else min(logs)
    central = abs(math.log(hr)) / math.sqrt(printed[0] * printed[1])
    if not contradicts_p(row, least / printed[1], max(logs) / printed[0], central):
        return
    implied = range_from_p(row)
    fix = "re-read p and its sides, and the standard error of the log hazard ratio"
    if implied is not None:
        fix = _error_remedy(row, printed, implied)
    yield fault("W125", row, "se", f"this standard error contradicts the p-value {row['p']}", fix)


def _check_p_against_events(row: Row) -> Iterator[Fault]:
    """W128: the standard error that an exact p-value implies is near the one that the events imply."""
    implied, d_exp, d_ctl = range_from_p(row), number(row, "events_exp"), number(row, "events_ctl")
    if implied is None or exact_p(row.get("p", "")) is None or not d_exp or not d_ctl:
        return
    by_events = standard_error_from_events(d_exp, d_ctl)
    if implied[1] < EVENTS_RATIO[0] * by_events or implied[0] > EVENTS_RATIO[1] * by_events:
        rule = (
            f"p and the hazard ratio imply a standard error of {math.sqrt(max(implied[0], 1e-9) * implied[1]):.2g}, "
            f"but {d_exp:.0f} + {d_ctl:.0f} events imply {by_events:.2g}"
        )
        yield fault("W128", row, "p", rule, "re-read p and its sides, the hazard ratio and the events")


def check_counts(effects: Sequence[Row], trials: Sequence[Row]) -> Iterator[Fault]:
    """E118, E130, W109, W131: each arm has patients, at least as many as events, and enough for the standard errors.

    A standard error below sqrt(1/n_exp + 1/n_ctl) needs more events than patients.
    """
    about = {row["comparison"]: row for row in trials}
    for row in (*trials, *effects):
        for name in ("n_exp", "n_ctl"):
            if number(row, name) == 0:
                fix = "give the number of patients in the arm, or leave the cell empty if it is unknown"
                yield fault("E130", row, name, "an arm has at least one patient", fix)
    for row in effects:
        trial = about.get(row.get("comparison", ""))
        if trial is not None:
            yield from _check_analysed(row, trial)
            yield from _check_events_in_arms(row, trial)
            yield from _check_implied_events(row, trial)


def _analysed(row: Row, trial: Mapping[str, str], arm: str) -> float | None:
    """Return the patients of an arm in the analysis of a hazard ratio: those of its row, else of the comparison."""
    stated = number(row, f"n_{arm}")
    return number(trial, f"n_{arm}") if stated is None else stated


def _check_analysed(row: Row, trial: Mapping[str, str]) -> Iterator[Fault]:
    """W109: an analysis has at most the patients of the comparison."""
    for arm in ("exp", "ctl"):
        analysed, patients = _analysed(row, trial, arm), number(trial, f"n_{arm}")
        if analysed is not None and patients is not None and analysed > patients:
            rule = f"{analysed:.0f} patients in this analysis, {patients:.0f} in n_{arm} of the trial table"
            yield fault("W109", row, f"n_{arm}", rule, "correct one of the numbers")


def _check_events_in_arms(row: Row, trial: Mapping[str, str]) -> Iterator[Fault]:
    for arm in ("exp", "ctl"):
        events, patients = number(row, f"events_{arm}"), _analysed(row, trial, arm)
        if events is not None and patients and events > patients:
            rule = f"the arm has {patients:.0f} patients, fewer than its events"
            yield fault("E118", row, f"events_{arm}", rule, "count each patient once, and re-read events and patients")


def _check_large_error(row: Row, limits: Range | None, printed: Range | None) -> Iterator[Fault]:
    """W138: a standard error above sqrt(2) means fewer than one event per arm."""
    error = limits or printed
    if error is not None and error[0] > LARGEST_ERROR:
        column = "ci_low" if limits else "se"
        rule = f"a standard error of at least {error[0]:.3g} implies fewer than one event per arm"
        fix = (
            "give the standard error of the log hazard ratio; a standard deviation, a percentage or the variance of "
            "O - E is not"
        )
        yield fault("W138", row, column, rule, fix)


def _check_implied_events(row: Row, trial: Mapping[str, str]) -> Iterator[Fault]:
    n_exp, n_ctl = (_analysed(row, trial, arm) for arm in ("exp", "ctl"))
    if n_exp is None or n_ctl is None or min(n_exp, n_ctl) < 1:
        return
    limits = range_from_limits(row)
    error = limits or range_as_printed(row)
    if error is None or error[1] <= 0:
        return
    n = n_exp + n_ctl
    # divided twice: a refused number of patients may have 300 digits, and its square would overflow
    needed = n * (1 / n_exp + 1 / n_ctl) / error[1] / error[1]
    if needed > n:
        column = "ci_low" if limits else "se"
        source = "limits" if column == "ci_low" else "standard error"
        least = f"{needed:.0f}" if needed < 1e9 else f"{needed:.3g}"
        rule = f"this precision needs at least {least} events, but the comparison has {n:.0f} patients"
        yield fault("W131", row, column, rule, f"re-read patients, {source} and the confidence level")
