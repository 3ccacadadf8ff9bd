"""Rows of a user's table: their checks, and their addition to the curated tables for a run."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from surrogacy.errors import DataError, Fault
from surrogacy.trials.cells import number, squash
from surrogacy.trials.columns import EFFECTS, EVIDENCE_ALIASES, FINALS, OPTIONAL_EFFECTS, TRIALS, Column
from surrogacy.trials.frames import reported_effects, table_frame
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.rules.arm_rules import GROUPS, check_added_cells, months
from surrogacy.trials.standard_errors import standard_error
from surrogacy.trials.user_tables.arm_columns import weakest
from surrogacy.trials.user_tables.layouts import OWN_ROLES, UserRows, to_rows
from surrogacy.trials.user_tables.table_files import read_user_table
from surrogacy.trials.user_tables.template import without_examples
from surrogacy.trials.user_tables.trial_facts import differ, repeated_comparison
from surrogacy.trials.value_names import allowed_value, is_same_spelling, remedy_of_value

# descriptions of a comparison on which no estimate depends
DESCRIPTIVE = {"phase", "line", "class", "region", "masking", "year", "review", "adjusted", "data_cut"}
ESTIMATES = ("hr", "log_hr", "ci_low", "ci_high", "log_ci_low", "log_ci_high", "se", "variance", "p")
MOST_REMARKS = 6  # with more rows without a standard error, one remark covers all
# columns of the curated table that an added row does not change
VERSION_OF_NAME = re.compile(
    r"\(.*?\)|\[.*?\]|\b(?:19|20)\d\d\b|\b(?:final|updated?|interim|primary|analysis|results?|OS|PFS|et al)\b",
    re.IGNORECASE,
)
COUNTS = ("n_exp", "n_ctl", "progressions", "deaths_without_progression", "follow_up_low", "follow_up_high")


def added_rows(path: Path, roles: Mapping[str, str]) -> UserRows:
    """Read a user's table, and fill the columns that only curated rows have.

    Parameters
    ----------
    path : Path
    roles : mapping
        Endpoints for the headings ``hr_surrogate`` and ``hr_final``.
    """
    table, examples = without_examples(read_user_table(path))
    rows = _without_unreported(to_rows(table, roles), (*FINALS, roles["final"]))
    if not rows.effects:
        rule = "the table has a header but no rows"
        raise DataError([fault("E001", Row(str(path), 1), "", rule, "add one row per comparison")])
    count: dict[tuple[str, str], int] = {}
    spelling: dict[str, str] = {}
    for row in rows.effects:
        # two spellings of an endpoint that the tables do not know are one endpoint
        row.cells["endpoint"] = spelling.setdefault(row["endpoint"].casefold(), row["endpoint"])
        row.cells["evidence"] = EVIDENCE_ALIASES.get(row.get("evidence", ""), row.get("evidence", ""))
        key = (row["comparison"], row.get("endpoint", ""))
        count[key] = count.get(key, 0) + 1
        serial = "" if count[key] == 1 else f"-{count[key]}"
        row.cells.setdefault("effect_id", f"{key[0]}:{key[1].lower().replace('/', '-')}:added{serial}")
        row.cells.setdefault("preferred", "true")
        row.cells.setdefault("population", "all")
        row.cells.setdefault("analysis", "added")
        for name in ("n_exp", "n_ctl"):  # facts of the comparison, not of one of its analyses
            row.cells.pop(name, None)
    for row in rows.trials:
        row.cells.setdefault("label", _label(row))
    remarks = [*_forgive(rows.trials, TRIALS), *_forgive(rows.effects, EFFECTS)]
    return replace(rows, faults=(*examples, *rows.faults, *remarks))


def _label(row: Row) -> str:
    """Return the name of a comparison in figures, which includes that of its trial: ``My trial: high v placebo``."""
    trial, comparison = row["trial"], row["comparison"]
    return comparison if squash(trial) in squash(comparison) else f"{trial}: {comparison}"


def _without_unreported(rows: UserRows, finals: Sequence[str]) -> UserRows:
    """Leave out final effects without any estimate, such as those of immature data; I144: their events are not used.

    A row with a part of an estimate stays, and the checks refuse it. So does the only effect of a comparison.
    """
    stated = {row["comparison"] for row in rows.effects if _is_stated(row)}
    kept, faults = [], []
    for row in rows.effects:
        is_final = row.role == "final" or row["endpoint"] in finals
        if _is_stated(row) or not is_final or row["comparison"] not in stated:
            kept.append(row)
            continue
        for column in filter(row.get, ("events_exp", "events_ctl")):
            rule = f"{row['endpoint']} has no hazard ratio in this row: its events are not used"
            faults.append(
                fault("I144", row, column, rule, "add the hazard ratio and its limits when they are reported")
            )
    return replace(rows, effects=kept, faults=(*rows.faults, *faults))


def _is_stated(row: Row) -> bool:
    """Return whether a row has an estimate or a part of one."""
    return any(row.get(name) for name in ESTIMATES)


def _forgive(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[Fault]:
    """I143, W143: use the allowed value that a description means; empty others on which no fit depends."""
    for column in columns:
        forgiving = column.name in DESCRIPTIVE
        restricted = column.allowed or column.kind == "boolean"
        for row in rows if restricted or forgiving else ():
            text = row.get(column.name, "")
            if not text or (value := allowed_value(column, text)) == text:
                continue
            if value:
                if not is_same_spelling(value, text):
                    rule = f"this is read as {value}"
                    yield fault("I143", row, column.name, rule, "write it so, or another value if this is wrong")
                row.cells[column.name] = value
            elif forgiving:
                fix = remedy_of_value(column, text) if column.allowed else f"give a valid {column.kind}"
                yield fault("W143", row, column.name, "this description is not understood, and is left out", fix)
                row.cells[column.name] = ""


def check_user_rows(rows: UserRows) -> list[Fault]:
    """Check the cells of a user's rows against their columns; only those that a fit needs are required."""
    from surrogacy.trials.schema import check_schema

    needed = {"comparison", "trial", "endpoint", "hr"}
    trials, effects = (
        [
            replace(column, required=column.name in needed, allowed=() if column.name == "endpoint" else column.allowed)
            for column in columns
        ]
        for columns in (TRIALS, (*EFFECTS, *OPTIONAL_EFFECTS))
    )
    faults = check_schema("trials", trials, rows.trials) + check_schema("effects", effects, rows.effects)
    return faults + check_added_cells(rows.arms) + _without_standard_error(rows.effects)


def _without_standard_error(effects: Sequence[Row]) -> list[Fault]:
    """I107: a standard error can be derived from each row; one remark if many rows have none."""
    lacking, stated = [], 0
    for batch in itertools.batched(effects, 1000):  # typed rows of a large table need much memory
        typed = reported_effects(table_frame(batch, (*EFFECTS, *OPTIONAL_EFFECTS)))
        with_ratio = [(row, effect) for row, effect in zip(batch, typed, strict=True) if number(row, "hr")]
        stated += len(with_ratio)
        lacking += [row for row, effect in with_ratio if standard_error(effect) is None]
    fix = "give ci_low and ci_high (with ci_level if not 0.95), se, an exact p, or the events of both arms"
    if len(lacking) > MOST_REMARKS:
        rule = f"{len(lacking)} of {stated} hazard ratios have no standard error: models that need one leave them out"
        return [fault("I107", Row(lacking[0].file), "", rule, fix)]
    rule = "no standard error can be derived from this row: the models that need one leave the comparison out"
    return [fault("I107", row, "hr", rule, fix) for row in lacking]


def presumed_endpoints(rows: UserRows) -> list[Fault]:
    """I136: the headings name the endpoint, not only its role; otherwise that of the curated tables is assumed."""
    presumed = {row.presumed: row for row in rows.effects if row.presumed}
    faults = []
    for role, row in presumed.items():
        rule = f"the heading does not name the endpoint: {row['endpoint']} is assumed, as in the curated tables"
        fix = f"name it hr_{row['endpoint'].lower()}, or add a column {role} that names the endpoint"
        faults.append(fault("I136", Row(row.file, 1), row.headings.get("hr", f"hr_{role}"), rule, fix))
    return faults


def final_endpoints(rows: UserRows) -> tuple[str, ...]:
    """Return the final endpoints of a user's table: those of its headings or its column ``final``, else OS.

    Raises
    ------
    DataError
        If the final endpoint is not stated, or an endpoint is both surrogate and final.
    """
    endpoints = dict.fromkeys(row["endpoint"] for row in rows.effects if row["endpoint"])
    finals = tuple(dict.fromkeys(row["endpoint"] for row in rows.effects if row.role == "final"))
    finals = finals or tuple(name for name in (*FINALS, OWN_ROLES["final"]) if name in endpoints)[:1]
    file = rows.effects[0].file
    of_comparison: dict[str, set[str]] = {}
    for row in rows.effects:
        of_comparison.setdefault(row["comparison"], set()).add(row["endpoint"])
    if not finals and any(len(names) > 1 for names in of_comparison.values()):
        rule = f"no column states which endpoint is the final one ({', '.join(endpoints)})"
        fix = "add a column final that names it; if it is not reported yet, pass the table with --add"
        raise DataError([fault("E005", Row(file, 1), "", rule, fix)], rows.columns)
    both = {row["endpoint"] for row in rows.effects if row.role == "surrogate"} & set(finals)
    if both:
        rule = f"{', '.join(sorted(both))} is the surrogate endpoint in one row and the final endpoint in another"
        raise DataError([fault("E011", Row(file, 1), "", rule, "split the table by final endpoint")], rows.columns)
    return finals or FINALS


def merge(
    rows: dict[str, list[Row]], trials: list[Row], effects: list[Row], arms: list[Row]
) -> tuple[dict[str, list[Row]], list[Fault]]:
    """Merge added rows with the curated ones; an added hazard ratio replaces a curated one, a median does not."""
    known = {row["comparison"]: row for row in rows["trials"]}
    alike = {
        squash(name): row["comparison"]
        for row in rows["trials"]
        for name in (row["label"], row["trial"], row["comparison"])
    }
    faults, new_trials = [], []
    for row in trials:
        old = known.get(row["comparison"])
        if old is None and squash(row["comparison"]) in alike:
            name = alike[squash(row["comparison"])]
            fix = f"name it {name} to replace that comparison for this run, or give it another name"
            faults.append(repeated_comparison(row, name, fix))
            continue
        if old is None:
            faults += _may_be_curated(row, alike)
            if not row.get("stage"):
                rule, fix = (
                    "the stage is missing: the comparison belongs to every set",
                    "give stage = intermediate or advanced",
                )
                faults.append(fault("W116", row, "stage", rule, fix))
            known[row["comparison"]] = row
            new_trials.append(row)
            continue
        for column in COUNTS:
            if row.get(column) and differ(old, row, column):
                rule = f"the curated table has {old.get(column) or 'no value'} for this comparison, which is kept"
                fix = "if the added row is another trial, give it another comparison name"
                faults.append(fault("W109", row, column, rule, fix))
    replaced = {(row["comparison"], row["endpoint"]) for row in effects if row["preferred"] == "true"}
    kept = [
        row.with_cells(preferred="false") if (row["comparison"], row["endpoint"]) in replaced else row
        for row in rows["effects"]
    ]
    all_arms, more = merge_arms(rows["arms"], arms)
    return {**rows, "trials": rows["trials"] + new_trials, "effects": kept + effects, "arms": all_arms}, faults + more


def _may_be_curated(row: Row, alike: Mapping[str, str]) -> Iterator[Fault]:
    """W150: the name of an added trial, without year and data cut, is not that of a curated one."""
    if name := alike.get(squash(VERSION_OF_NAME.sub(" ", row["comparison"]))):
        rule = f"this may be {name}, which is already in the table; it counts as another trial"
        fix = f"name it {name} to replace that comparison for this run; leave it if it is another trial"
        yield fault("W150", row, "comparison", rule, fix)


def merge_arms(curated: Sequence[Row], added: Sequence[Row]) -> tuple[list[Row], list[Fault]]:
    """Merge a user's medians with the curated ones, which are kept; W109: the two agree.

    Parameters
    ----------
    curated, added : sequence of Row
        Rows of arms.csv.

    Returns
    -------
    rows : list of Row
    faults : list of Fault
    """
    preferred = {(row["comparison"], row["arm"]): row for row in curated if row.get("preferred") == "true"}
    faults: list[Fault] = []
    retired: list[Row] = []
    new: list[Row] = []
    for row in added:
        old = preferred.get((row["comparison"], row["arm"]))
        if old is None or row["preferred"] != "true":
            new.append(row)
            continue
        taken: dict[str, str] = {}
        for columns in GROUPS:
            group, group_faults = _added_cells(old, row, columns)
            taken |= group
            faults += group_faults
        if taken:
            evidence = weakest([old.get("evidence", ""), row["evidence"]]) if row["evidence"] else ""
            evidence = evidence or ("unverified" if old.get("evidence") == "unverified" else "")
            notes = f"{', '.join(name for name in taken if name.startswith('median'))} added for this run"
            retired.append(old)
            cells = {**old.cells, **taken, "evidence": evidence, "quote": "", "notes": notes}
            cells |= {name: row[name] for name in ("named_endpoint",) if name in row}
            headings = {name: heading for name, heading in row.headings.items() if name in taken}
            lines = {name: line for name, line in row.lines.items() if name in taken}
            new.append(replace(row, cells=cells, headings=headings, lines=lines))
    kept = [row.with_cells(preferred="false") if any(row is old for old in retired) else row for row in curated]
    return kept + new, faults


def _added_cells(old: Row, row: Row, columns: Sequence[str]) -> tuple[dict[str, str], list[Fault]]:
    """Return the median and limits of an added row, if the table has none, and warnings about contradictions."""
    cells = {name: row[name] for name in columns if row.get(name)}
    if not any(name.startswith("median") for name in cells):
        return {}, []
    if not old.get(columns[0]):
        return cells, []
    faults = []
    about = f" (of {old['pfs_endpoint']})" if "pfs_endpoint" in columns and old.get("pfs_endpoint") else ""
    for name, value in cells.items():
        if not name.startswith("median") or (
            months(old, name) == months(row, name) and not _differs_in_endpoint(old, cells)
        ):
            continue
        if not old.get(name):
            rule = f"the curated table has {old[columns[0]]} months without this limit, which is kept"
        else:
            rule = f"the curated table has {old[name]}{about} for this arm, which is kept"
        fix = (
            "if the added row is another trial, give it another comparison name; to correct the table, copy it and use "
            "--trials"
        )
        faults.append(fault("W109", row.with_cells(**{name: value}), name, rule, fix))
    return {}, faults


def _differs_in_endpoint(old: Row, cells: Mapping[str, str]) -> bool:
    return "pfs_endpoint" in cells and cells["pfs_endpoint"] != old.get("pfs_endpoint", cells["pfs_endpoint"])
