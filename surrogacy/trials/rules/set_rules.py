"""Rules for analysis sets: the two effects of a listed pair belong together, and a rule selects comparisons."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from surrogacy.errors import Fault
from surrogacy.trials.columns import PAIR_SET, PATTERNS, RULE_SET, TRIALS, Column
from surrogacy.trials.criteria import criteria_of
from surrogacy.trials.files import Table
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.rows import Row, fault

FINAL = "OS"


def is_list(table: Table) -> bool:
    """Return whether a set lists pairs of hazard ratios instead of a rule."""
    return "surrogate_effect" in table.columns or "final_effect" in table.columns


def check_set(table: Table, trials: Mapping[str, Sequence[str]], effects: Mapping[str, ReportedEffect]) -> list[Fault]:
    """Check an analysis set against the tables.

    Parameters
    ----------
    table : Table
        The file of the set, headings in lower case.
    trials : mapping of column to cells
        The columns of trials.csv that the set names; columns that trials.csv does not have are absent.
    effects : mapping of effect_id to ReportedEffect

    Returns
    -------
    list of Fault
    """
    columns = PAIR_SET if is_list(table) else RULE_SET
    fix = "a set has the columns surrogate_effect and final_effect, or column and value; see CODEBOOK.md"
    header = Row(table.file, 1)
    missing = [column.name for column in columns if column.required and column.name not in table.columns]
    unknown = [name for name in table.columns if name not in {column.name for column in columns}]
    if unknown:
        rule, fix = "this is not a column of a set", f"rename or remove it; {fix}"
        return [fault("E004", header, name, rule, fix, value="") for name in unknown]
    if missing or not table.rows:
        rule = f"column {missing[0]} is missing" if missing else "the set has no rows"
        return [fault("E005", header, "", rule, fix)]
    rows = table.rows
    empty = list(_empty_cells(rows, columns))
    return empty or list(_check_pairs(rows, effects) if is_list(table) else _check_rule(rows, trials))


def _empty_cells(rows: Sequence[Row], columns: Sequence[Column]) -> Iterator[Fault]:
    for row in rows:
        for column in columns:
            if column.required and not row.get(column.name):
                rule = f"{column.name} is required"
                yield fault("E007", row, column.name, rule, f"fill the cell: {column.description}")


def _check_pairs(rows: Sequence[Row], effects: Mapping[str, ReportedEffect]) -> Iterator[Fault]:
    """E006, E008, E016: the effects exist, belong to one comparison and have their role; no comparison is repeated."""
    first: dict[str, Row] = {}
    for row in rows:
        for column in ("n_exp", "n_ctl"):
            if row.get(column) and not (re.fullmatch(PATTERNS["integer"], row[column]) and float(row[column]) >= 1):
                rule = "this is not a number of patients"
                yield fault("E008", row, column, rule, "write a whole number, 1 or more, or leave the cell empty")
        pair = {column: effects.get(row[column]) for column in ("surrogate_effect", "final_effect")}
        for column, effect in pair.items():
            if effect is None:
                rule = "effects.csv has no effect with this identifier"
                yield fault("E006", row, column, rule, "correct it, or add the effect")
            elif (effect.endpoint == FINAL) != (column == "final_effect"):
                rule = f"this is an effect on {effect.endpoint}"
                fix = f"give an effect on {FINAL} in final_effect, and on another endpoint in surrogate_effect"
                yield fault("E016", row, column, rule, fix)
        surrogate, final = pair.values()
        if surrogate is None or final is None:
            continue
        if surrogate.comparison != final.comparison:
            rule = (
                f"the surrogate effect belongs to comparison {surrogate.comparison}, the final effect to "
                f"{final.comparison}"
            )
            yield fault("E016", row, "final_effect", rule, "pair the two effects of one comparison")
            continue
        earlier = first.setdefault(surrogate.comparison, row)
        if earlier is not row:
            rule = f"comparison {surrogate.comparison} is already in the set ({earlier.place()})"
            yield fault("E016", row, "surrogate_effect", rule, "keep one row per comparison")


def _check_rule(rows: Sequence[Row], trials: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """E009, W136: the column exists, its values occur or are allowed, and at least one comparison is selected."""
    columns = {column.name: column for column in TRIALS}
    for row in rows:
        if row["column"] not in columns:
            rule = "trials.csv has no such column"
            yield fault("E009", row, "column", rule, f"use one of {', '.join(sorted(columns))}")
            continue
        (criterion,) = criteria_of({row["column"]: [row["value"]]})
        # an excluded value need not occur in the table, but must be one that could
        known = {*trials[row["column"]], *(columns[row["column"]].allowed if criterion.excluded else ())}
        if not known.issuperset((*criterion.required, *criterion.excluded)):
            rule = f"no comparison has this value in the column {row['column']}"
            yield fault("W136", row, "value", rule, "check the spelling, or remove the row")
    values: dict[str, list[str]] = {}
    for row in rows:
        if row["column"] in trials:
            values.setdefault(row["column"], []).append(row["value"])
    selected = zip(
        *(
            [criterion.requires(cell) and not criterion.excludes(cell) for cell in trials[criterion.column]]
            for criterion in criteria_of(values)
        ),
        strict=True,
    )
    if len(values) > 1 and not any(all(matches) for matches in selected):
        rule = "no comparison fulfils the rule of this set"
        fix = "change or remove a row; rows for one column mean or, rows for different columns mean and"
        yield fault("W136", Row(rows[0].file), "", rule, fix)
