"""Rules for the medians of arms, and how the medians of a user's table join the curated ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from surrogacy.errors import Fault, Severity
from surrogacy.trials.checks import number
from surrogacy.trials.columns import ARMS
from surrogacy.trials.median_columns import weakest
from surrogacy.trials.reading import Row

# a median with what belongs to it: of a comparison that the table has, they are taken together or not at all
GROUPS = (
    ("median_os", "median_os_low", "median_os_high"),
    ("median_pfs", "median_pfs_low", "median_pfs_high", "pfs_endpoint"),
    ("median_pps", "pps_definition"),
)
COUNT_DEATHS = ("PFS", "TACE-PFS")  # a death is an event of them, so that OS cannot be shorter


def _fault(code: str, severity: Severity, row: Row, column: str, rule: str, fix: str) -> Fault:
    """A fault in a cell of arms.csv, or in the cell of the user's table that it came from."""
    line = int(row.get(f"_line_{column}", row.get("_line", "0")) or 0)
    who, named = f"{row.get('comparison', '')} {row.get('arm', '')}".strip(), row.get(f"_column_{column}", column)
    return Fault(code, severity, row.get("_file", ""), line, who, named, row.get(column, ""), rule, fix)


def check_added_cells(arms: Sequence[Row]) -> list[Fault]:
    """Check the cells of a user's medians against their columns, named as the user named them."""
    from surrogacy.trials.schema import check_schema

    faults = []
    for found in check_schema("arms", [replace(column, required=False) for column in ARMS], arms):
        if found.column == "n":  # the schema of trials.csv names it
            continue
        row = next(
            row
            for row in arms
            if f"{row['comparison']} {row['arm']}" == found.trial and row.get(found.column, "") == found.value
        )
        faults.append(_fault(found.code, found.severity, row, found.column, found.rule, found.fix))
    return faults


def _time(row: Row, column: str) -> float | None:
    """Months; infinite if not reached, None if empty or no number."""
    return math.inf if row.get(column) == "NR" else number(row, column)


def check_medians(arms: Sequence[Row]) -> Iterator[Fault]:
    """E120, E121, W122, I123 on every arm, and E108 on arms of which two rows would stand."""
    seen: dict[tuple[str, str], Row] = {}
    for row in arms:
        for columns in GROUPS:
            yield from _check_range(row, columns[0])
        yield from _check_order(row)
        yield from _check_name(row)
        if row.get("preferred") != "true":
            continue
        first = seen.setdefault((row["comparison"], row["arm"]), row)
        if first is not row:
            twice = [columns[0] for columns in GROUPS if row.get(columns[0]) and first.get(columns[0])]
            column = next((name for name in twice if f"_column_{name}" in row), "preferred")
            where = f"{first['_file']}:{first.get(f'_line_{column}', first['_line'])}"
            rule = f"a second preferred row for this arm (the first: {where})"
            fix = "set preferred to false in one of them"
            if column != "preferred":
                rule, fix = (
                    f"another value stands for this median ({where})",
                    "give the median once, or the rows different trials",
                )
            yield _fault("E108", "error", row, column, rule, fix)


def _check_range(row: Row, column: str) -> Iterator[Fault]:
    """E120: a median is above 0, and lies within its limits."""
    value, low, high = (_time(row, name) for name in (column, f"{column}_low", f"{column}_high"))
    if value is not None and value <= 0:
        fix = "give months from randomisation, or leave the cell empty if the median was not reported"
        yield _fault("E120", "error", row, column, "a median survival time is above 0", fix)
        return
    for name, limit in ((f"{column}_low", low), (f"{column}_high", high)):
        if limit is not None and limit < 0:
            yield _fault(
                "E120", "error", row, name, "a limit of a median cannot be negative", "give months, re-read the limits"
            )
            return
    if low is not None and high is not None and low > high:
        rule = f"the lower limit {_say(low)} is above the upper limit {_say(high)}"
        yield _fault("E120", "error", row, f"{column}_low", rule, "swap or re-read the limits")
    elif value is not None and low is not None and low > value:
        rule = f"the lower limit {_say(low)} is above the median {_say(value)}"
        yield _fault("E120", "error", row, f"{column}_low", rule, "re-read the median and its limits")
    elif value is not None and high is not None and high < value:
        rule = f"the upper limit {_say(high)} is below the median {_say(value)}"
        yield _fault("E120", "error", row, f"{column}_high", rule, "re-read the median and its limits")


def _check_order(row: Row) -> Iterator[Fault]:
    """E121: median OS above median PFS; W122: and above median TTP, which censors deaths and so may be longer."""
    os, pfs, endpoint = _time(row, "median_os"), _time(row, "median_pfs"), row.get("pfs_endpoint", "")
    if os is None or pfs is None or not 0 < os < math.inf or pfs < os or pfs <= 0:
        return
    column = "median_os" if "_column_median_os" in row or "_column_median_pfs" not in row else "median_pfs"
    rule = f"median OS {_say(os)} is not above median {endpoint} {_say(pfs)} of the same arm"
    cure = "check that OS and PFS, or the two arms, are not swapped and that both are months from randomisation"
    if endpoint in COUNT_DEATHS:
        yield _fault("E121", "error", row, column, rule, f"{cure}; leave one empty if it is of other patients")
    elif endpoint == "TTP":
        rule += ", so that post-progression survival cannot be had from them"
        yield _fault("W122", "warning", row, column, rule, cure.replace("PFS", "TTP"))


def _check_name(row: Row) -> Iterator[Fault]:
    """I123: a median PFS beside a hazard ratio of an endpoint that does not count deaths."""
    endpoint = row.get("pfs_endpoint", "")
    if row.get("_named_endpoint") == "PFS" and endpoint not in ("", *COUNT_DEATHS) and row.get("median_pfs"):
        rule = f"read as median {endpoint}, the endpoint of the hazard ratio"
        named = f"median_{endpoint.lower().replace('-', '_')}_{row['arm']}"
        yield _fault("I123", "info", row, "median_pfs", rule, f"name the column {named}, or leave it out if it is a median PFS")


def _say(months: float) -> str:
    return "NR" if math.isinf(months) else f"{months:g}"


def merge_arms(curated: Sequence[Row], added: Sequence[Row]) -> tuple[list[Row], list[Fault]]:
    """Put a user's medians beside the table's; those that the table has are kept, and the user is told (W109).

    Parameters
    ----------
    curated, added : sequence of dict
        Rows of arms.csv.

    Returns
    -------
    rows : list of dict
    faults : list of Fault
    """
    stands = {(row["comparison"], row["arm"]): row for row in curated if row.get("preferred") == "true"}
    faults: list[Fault] = []
    retired: list[Row] = []
    new: list[Row] = []
    for row in added:
        old = stands.get((row["comparison"], row["arm"]))
        if old is None or row["preferred"] != "true":
            new.append(row)
            continue
        taken: Row = {}
        for columns in GROUPS:
            group, found = _taken(old, row, columns)
            taken |= group
            faults += found
        if taken:
            own = {name: value for name, value in row.items() if name.startswith("_") and _quantity(name) in ("", *taken)}
            evidence = weakest([old.get("evidence", ""), row["evidence"]]) if row["evidence"] else ""
            evidence = evidence or ("unverified" if old.get("evidence") == "unverified" else "")
            notes = f"{', '.join(name for name in taken if name.startswith('median'))} added for this run"
            retired.append(old)
            new.append({**old, **own, **taken, "evidence": evidence, "quote": "", "notes": notes})
    kept = [{**row, "preferred": "false"} if any(row is old for old in retired) else row for row in curated]
    return kept + new, faults


def _quantity(name: str) -> str:
    """Quantity that ``_column_x`` or ``_line_x`` is about; empty for what is about the row."""
    return next((name.removeprefix(prefix) for prefix in ("_column_", "_line_") if name.startswith(prefix)), "")


def _taken(old: Row, row: Row, columns: Sequence[str]) -> tuple[Row, list[Fault]]:
    """What an added row brings of a median and its limits, and warnings of what is not taken."""
    given = {name: row[name] for name in columns if row.get(name)}
    if not any(name.startswith("median") for name in given):
        return {}, []
    if not old.get(columns[0]):
        return given, []
    faults = []
    about = f" (of {old['pfs_endpoint']})" if "pfs_endpoint" in columns and old.get("pfs_endpoint") else ""
    for name, value in given.items():
        if not name.startswith("median") or (_time(old, name) == _time(row, name) and not _other_endpoint(old, given)):
            continue
        if not old.get(name):
            rule = f"the table has no limit for this median, and {old[columns[0]]} months for the median, which is kept"
        else:
            rule = f"the table has {old[name]}{about} for this arm, which is kept"
        fix = "give the added row another comparison name if it is another trial, or correct arms.csv in a folder for --trials"
        faults.append(_fault("W109", "warning", {**row, name: value}, name, rule, fix))
    return {}, faults


def _other_endpoint(old: Row, given: Row) -> bool:
    return "pfs_endpoint" in given and given["pfs_endpoint"] != old.get("pfs_endpoint", given["pfs_endpoint"])
