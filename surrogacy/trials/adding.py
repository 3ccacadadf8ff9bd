"""A user's own rows: what they must have, and how they join the curated table for a run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from surrogacy.errors import DataError, Fault
from surrogacy.trials import checks, medians, pairing
from surrogacy.trials.columns import EFFECTS, EVIDENCE_ALIASES, OPTIONAL_EFFECTS, TRIALS
from surrogacy.trials.reading import Row, fault, read_table
from surrogacy.trials.wide import to_rows

# of a comparison that the table has, an added row changes the hazard ratios, not these
COUNTS = ("n_exp", "n_ctl", "progressions", "deaths_without_progression", "follow_up_low", "follow_up_high")


def at(code: str, row: Row, column: str, rule: str, fix: str) -> Fault:
    """An error in a cell of a row."""
    place = row.get("_file", ""), int(row.get("_line", "0"))
    return Fault(code, "error", *place, row.get("comparison", ""), column, row.get(column, ""), rule, fix)


def _squash(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def added_rows(path: Path) -> tuple[list[Row], list[Row], list[Row]]:
    """Rows for trials.csv, effects.csv and arms.csv of a user's file, with defaults for what only a curated row can have."""
    trials, effects, arms = to_rows(read_table(path))
    if not effects:
        raise DataError([fault("E001", str(path), 1, "the table has a header and no rows", "add one row a comparison")])
    count: dict[tuple[str, str], int] = {}
    for row in effects:
        row["evidence"] = EVIDENCE_ALIASES.get(row.get("evidence", ""), row.get("evidence", ""))
        key = (row["comparison"], row.get("endpoint", ""))
        count[key] = count.get(key, 0) + 1
        serial = "" if count[key] == 1 else f"-{count[key]}"
        row.setdefault("effect_id", f"{key[0]}:{key[1].lower().replace('/', '-')}:added{serial}")
        row.setdefault("preferred", "true")
        row.setdefault("population", "all")
        row.setdefault("analysis", "added")
    for row in trials:
        row.setdefault("label", row["comparison"])
    return trials, effects, arms


def check_user_rows(trials: list[Row], effects: list[Row], arms: list[Row]) -> list[Fault]:
    """Schema of a user's rows: only what a fit cannot do without is required."""
    from surrogacy.trials.schema import check_schema

    needed = {"comparison", "trial", "endpoint", "hr"}
    relaxed = {
        name: [replace(column, required=column.name in needed) for column in columns]
        for name, columns in (("trials", TRIALS), ("effects", (*EFFECTS, *OPTIONAL_EFFECTS)))
    }
    faults = check_schema("trials", relaxed["trials"], trials) + check_schema("effects", relaxed["effects"], effects)
    faults += medians.check_added_cells(arms)
    for row in effects:
        limits = row.get("ci_low") and row.get("ci_high")  # wrong ones are named by their own rules
        if checks.number(row, "hr") and not limits and pairing.standard_error(row) is None:
            rule = "no standard error can be had for this hazard ratio"
            faults.append(
                at(
                    "E107",
                    row,
                    "hr",
                    rule,
                    "give ci_low and ci_high (with ci_level if not 0.95), se, an exact p, or the events of both arms",
                )
            )
    return faults


def merge(
    rows: dict[str, list[Row]], trials: list[Row], effects: list[Row], arms: list[Row]
) -> tuple[dict[str, list[Row]], list[Fault]]:
    """Put added rows beside the table's; where both speak of one endpoint the added hazard ratio counts, and the table's median."""
    known = {row["comparison"]: row for row in rows["trials"]}
    alike = {
        _squash(name): row["comparison"] for row in rows["trials"] for name in (row["label"], row["trial"], row["comparison"])
    }
    faults, new_trials = [], []
    for row in trials:
        old = known.get(row["comparison"])
        if old is None and _squash(row["comparison"]) in alike:
            name = alike[_squash(row["comparison"])]
            rule = f"this looks like {name}, which is in the table already and would count twice"
            faults.append(
                at("E109", row, "comparison", rule, f"call it {name} to take its place for this run, or give it another name")
            )
            continue
        if old is None:
            if not row.get("stage"):
                missing = at(
                    "W116",
                    row,
                    "stage",
                    "no stage is given: the comparison joins every set",
                    "give stage = intermediate or advanced",
                )
                faults.append(replace(missing, severity="warning"))
            known[row["comparison"]] = row
            new_trials.append(row)
            continue
        for column in COUNTS:
            if row.get(column) and row[column] != old.get(column, ""):
                rule = f"the table has {old.get(column) or 'no value'} for this comparison, which is kept"
                warning = at("W109", row, column, rule, "give the added row another comparison name if it is another trial")
                faults.append(replace(warning, severity="warning"))
    replaced = {(row["comparison"], row["endpoint"]) for row in effects if row["preferred"] == "true"}
    kept = [
        {**row, "preferred": "false"} if (row["comparison"], row["endpoint"]) in replaced else row for row in rows["effects"]
    ]
    all_arms, more = medians.merge_arms(rows["arms"], arms)
    return {**rows, "trials": rows["trials"] + new_trials, "effects": kept + effects, "arms": all_arms}, faults + more
