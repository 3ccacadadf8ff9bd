"""Rules for counts of patients and events, and for the time that they were followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from surrogacy.errors import Fault
from surrogacy.trials.adding import at
from surrogacy.trials.checks import number
from surrogacy.trials.reading import Row


def check_follow_up(trials: Sequence[Row]) -> Iterator[Fault]:
    """E117: months of follow-up are positive, both given, and in order."""
    for row in trials:
        limits = {column: number(row, column) for column in ("follow_up_low", "follow_up_high")}
        for column, value in limits.items():
            if value is not None and value < 0:
                rule, fix = "months of follow-up cannot be negative", "give data cut minus randomisation in months"
                yield at("E117", row, column, rule, fix)
        low, high = limits.values()
        if (low is None) != (high is None):
            column = "follow_up_low" if low is None else "follow_up_high"
            if not row.get(column):  # a value that is no number is E008's business
                fix = "give both: data cut minus last and minus first randomisation; the same twice if all entered together"
                yield at("E117", row, column, "one end of the follow-up is missing", fix)
        elif low is not None and high is not None and low > high:
            rule = f"the shortest follow-up {low:g} is above the longest {high:g}"
            fix = "swap them: follow_up_low belongs to the last patient randomised, follow_up_high to the first"
            yield at("E117", row, "follow_up_low", rule, fix)
        elif high == 0:
            yield at("E117", row, "follow_up_high", "nobody was followed", "give data cut minus first randomisation in months")


def check_event_counts(trials: Sequence[Row]) -> Iterator[Fault]:
    """E118: no more patients progressed or died than took part."""
    for row in trials:
        patients = [number(row, column) for column in ("n_exp", "n_ctl")]
        events = [number(row, column) or 0.0 for column in ("progressions", "deaths_without_progression")]
        n = sum(count for count in patients if count is not None)
        if None not in patients and sum(events) > n:
            column = "progressions" if row.get("progressions") else "deaths_without_progression"
            rule = f"{events[0]:.0f} progressions and {events[1]:.0f} deaths without progression are more than the {n:.0f} patients"
            yield at("E118", row, column, rule, "count each patient once: the first progression, or death before any")


def check_at_risk(at_risk: Sequence[Row], trials: Sequence[Row]) -> Iterator[Fault]:
    """E119: numbers at risk start no higher than the arm, and never rise; E006: one row a time."""
    about = {row["comparison"]: row for row in trials}
    curves: dict[tuple[str, str], list[tuple[float, Row]]] = {}
    for row in at_risk:
        months = number(row, "months")
        if months is not None and months < 0:
            yield at("E119", row, "months", "a time cannot be negative", "give months since randomisation")
        elif months is not None:
            curves.setdefault((row["comparison"], row["endpoint"]), []).append((months, row))
    for (comparison, _), curve in curves.items():
        curve.sort(key=lambda point: point[0])
        for (earlier, first), (later, second) in pairwise(curve):
            if earlier == later:
                where = f"first at {first['_file']}:{first['_line']}"
                fix = "keep one row a comparison, endpoint and time"
                yield at("E006", second, "months", f"this time stands twice ({where})", fix)
        for arm in ("exp", "ctl"):
            column = f"at_risk_{arm}"
            before, where = number(about.get(comparison, {}), f"n_{arm}"), f"the n_{arm} of trials.csv"
            for months, row in curve:
                count = number(row, column)
                if count is None:
                    continue
                if before is not None and count > before:
                    fix = "re-read the numbers under the figure, and that the arms are not swapped"
                    yield at("E119", row, column, f"more patients at risk than {before:.0f}, {where}", fix)
                    break  # what follows would only repeat it
                before, where = count, f"those at {months:g} months"
