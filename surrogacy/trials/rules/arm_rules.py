"""Rules for arms: medians, counts of events, follow-up and numbers at risk."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from surrogacy.errors import Fault
from surrogacy.trials.cells import number
from surrogacy.trials.columns import ARMS
from surrogacy.trials.rows import Row, fault

# a median with its limits and definition: they join a comparison of the curated table together or not at all
GROUPS = (
    ("median_os", "median_os_low", "median_os_high"),
    ("median_pfs", "median_pfs_low", "median_pfs_high", "pfs_endpoint"),
    ("median_pps", "pps_definition"),
)
LONGEST_MEDIAN = 240.0  # months: 20 years
SHORTEST_MEDIAN_OS = 2.0  # months
COUNT_DEATHS = ("PFS", "TACE-PFS")  # death is an event, so OS cannot be shorter


def check_added_cells(arms: Sequence[Row]) -> list[Fault]:
    """Check the cells of a user's medians against the columns; any endpoint may have a median."""
    from surrogacy.trials.schema import check_schema

    columns = [
        replace(column, required=False, allowed=() if column.name == "pfs_endpoint" else column.allowed)
        for column in ARMS
    ]
    # the number of patients comes from the row in trials.csv, which has its own check
    return check_schema("arms", [column for column in columns if column.name != "n"], arms)


def months(row: Row, column: str) -> float | None:
    """Return months; infinite if not reached, None if empty or not a number."""
    return math.inf if row.get(column) == "NR" else number(row, column)


def check_medians(arms: Sequence[Row]) -> Iterator[Fault]:
    """E120, E121, W122, I123, W132 for every arm; E108 for arms with two preferred rows."""
    seen: dict[tuple[str, str], Row] = {}
    for row in arms:
        for columns in GROUPS:
            yield from _check_range(row, columns[0])
        yield from _check_order(row)
        yield from _check_name(row)
        yield from _check_months(row)
        if row.get("preferred") != "true":
            continue
        first = seen.setdefault((row["comparison"], row["arm"]), row)
        if first is not row:
            twice = [columns[0] for columns in GROUPS if row.get(columns[0]) and first.get(columns[0])]
            column = next((name for name in twice if name in row.headings), "preferred")
            where = first.place(column)
            rule, fix = f"this arm has a second preferred row (the first: {where})", "set preferred to false in one row"
            if column != "preferred":
                rule = f"this median has another value at {where}"
                fix = "give the median once, or give the rows different trial names"
            yield fault("E108", row, column, rule, fix)


def _check_range(row: Row, column: str) -> Iterator[Fault]:
    """E120: a median is above 0, and lies within its limits."""
    value, low, high = (months(row, name) for name in (column, f"{column}_low", f"{column}_high"))
    if value is not None and value <= 0:
        fix = "give months from randomisation, or leave the cell empty if the median was not reported"
        yield fault("E120", row, column, "a median survival time is above 0", fix)
        return
    for name, limit in ((f"{column}_low", low), (f"{column}_high", high)):
        if limit is not None and limit < 0:
            fix = "re-read the limit, and give months"
            yield fault("E120", row, name, "a limit of a median cannot be negative", fix)
            return
    if low is not None and high is not None and low > high:
        rule = f"the lower limit {_months_text(low)} is above the upper limit {_months_text(high)}"
        yield fault("E120", row, f"{column}_low", rule, "swap or re-read the limits")
    elif value is not None and low is not None and low > value:
        rule = f"the lower limit {_months_text(low)} is above the median {_months_text(value)}"
        yield fault("E120", row, f"{column}_low", rule, "re-read the median and its limits")
    elif value is not None and high is not None and high < value:
        rule = f"the upper limit {_months_text(high)} is below the median {_months_text(value)}"
        yield fault("E120", row, f"{column}_high", rule, "re-read the median and its limits")


def _check_order(row: Row) -> Iterator[Fault]:
    """E121: median OS is above median PFS; W122: and above median TTP, which may be longer as it censors deaths."""
    os, pfs, endpoint = months(row, "median_os"), months(row, "median_pfs"), row.get("pfs_endpoint", "")
    if os is None or pfs is None or not 0 < os < math.inf or pfs < os or pfs <= 0:
        return
    column = "median_os" if "median_os" in row.headings or "median_pfs" not in row.headings else "median_pfs"
    rule = f"median OS {_months_text(os)} is not above median {endpoint} {_months_text(pfs)} of the same arm"
    fix = "check that OS and PFS, or the two arms, are not swapped, and that both are months from randomisation"
    if endpoint in COUNT_DEATHS:
        yield fault("E121", row, column, rule, f"{fix}; leave one cell empty if the medians are of different patients")
    elif endpoint == "TTP":
        rule += "; post-progression survival cannot be derived from them"
        yield fault("W122", row, column, rule, fix.replace("PFS", "TTP"))


def _check_name(row: Row) -> Iterator[Fault]:
    """I123: a median PFS is given with a hazard ratio of an endpoint that does not count deaths."""
    endpoint = row.get("pfs_endpoint", "")
    if row.get("named_endpoint") == "PFS" and endpoint not in ("", *COUNT_DEATHS) and row.get("median_pfs"):
        rule = f"read as median {endpoint}, the endpoint of the hazard ratio"
        named = f"median_{endpoint.lower().replace('-', '_')}_{row['arm']}"
        yield fault("I123", row, "median_pfs", rule, f"name the column {named}; remove it if it is a median PFS")


def _check_months(row: Row) -> Iterator[Fault]:
    """W132: a median is plausible in months."""
    for column in ("median_os", "median_pfs", "median_pps"):
        value = months(row, column)
        if value is None or math.isinf(value) or value <= 0:
            continue
        if value > LONGEST_MEDIAN:
            fix = "if it is in days, divide it by 30.4; if in weeks, by 4.35"
            yield fault("W132", row, column, f"a median of {value:g} months is implausible", fix)
        elif column == "median_os" and value < SHORTEST_MEDIAN_OS:
            fix = "if it is in years, multiply it by 12"
            yield fault("W132", row, column, f"a median survival of {value:g} months is implausible", fix)


def _months_text(duration: float) -> str:
    return "NR" if math.isinf(duration) else f"{duration:g}"


def check_follow_up(trials: Sequence[Row]) -> Iterator[Fault]:
    """E117: the two limits of the follow-up are positive, both stated, and in order."""
    for row in trials:
        limits = {column: number(row, column) for column in ("follow_up_low", "follow_up_high")}
        for column, value in limits.items():
            if value is not None and value < 0:
                rule, fix = "months of follow-up cannot be negative", "give data cut minus randomisation in months"
                yield fault("E117", row, column, rule, fix)
        low, high = limits.values()
        if (low is None) != (high is None):
            column = "follow_up_low" if low is None else "follow_up_high"
            if not row.get(column):  # a cell that is not a number is E008
                fix = "give both: data cut minus last randomisation, and data cut minus first randomisation"
                yield fault("E117", row, column, "one limit of the follow-up is missing", fix)
        elif low is not None and high is not None and low > high:
            rule = f"the shortest follow-up {low:g} is above the longest {high:g}"
            fix = "swap them: follow_up_low belongs to the last patient randomised, follow_up_high to the first"
            yield fault("E117", row, "follow_up_low", rule, fix)
        elif high == 0:
            fix = "give data cut minus first randomisation in months"
            yield fault("E117", row, "follow_up_high", "the longest follow-up must be above 0", fix)


def check_event_counts(trials: Sequence[Row]) -> Iterator[Fault]:
    """E118: progressions and deaths are at most the number of patients."""
    for row in trials:
        patients = [number(row, column) for column in ("n_exp", "n_ctl")]
        events = [number(row, column) or 0.0 for column in ("progressions", "deaths_without_progression")]
        n = sum(count for count in patients if count is not None)
        if None not in patients and sum(events) > n:
            column = "progressions" if row.get("progressions") else "deaths_without_progression"
            rule = (
                f"{events[0]:.0f} progressions and {events[1]:.0f} deaths without progression exceed the {n:.0f} "
                "patients"
            )
            fix = "count each patient once: the first progression, or death without progression"
            yield fault("E118", row, column, rule, fix)


def check_at_risk(at_risk: Sequence[Row], trials: Sequence[Row]) -> Iterator[Fault]:
    """E119: numbers at risk do not exceed the patients of the arm and never increase; E006: one row per time."""
    about = {row["comparison"]: row for row in trials}
    curves: dict[tuple[str, str], list[tuple[float, Row]]] = {}
    for row in at_risk:
        months = number(row, "months")
        if months is not None and months < 0:
            yield fault("E119", row, "months", "a time cannot be negative", "give months since randomisation")
        elif months is not None:
            curves.setdefault((row["comparison"], row["endpoint"]), []).append((months, row))
    for (comparison, _), curve in curves.items():
        curve.sort(key=lambda point: point[0])
        for (earlier, first), (later, second) in pairwise(curve):
            if earlier == later:
                where = f"first at {first.place()}"
                fix = "keep one row per comparison, endpoint and time"
                yield fault("E006", second, "months", f"this time occurs twice ({where})", fix)
        for arm in ("exp", "ctl"):
            column = f"at_risk_{arm}"
            before, where = number(about.get(comparison, {}), f"n_{arm}"), f"the n_{arm} of trials.csv"
            for months, row in curve:
                count = number(row, column)
                if count is None:
                    continue
                if before is not None and count > before:
                    fix = "re-read the numbers under the figure, and check that the arms are not swapped"
                    yield fault("E119", row, column, f"the number at risk exceeds {before:.0f}, {where}", fix)
                    break  # later rows would repeat this
                before, where = count, f"the number at {months:g} months"
