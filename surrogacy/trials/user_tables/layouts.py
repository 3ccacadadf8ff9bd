"""Rows of trials.csv, effects.csv and arms.csv from a user's table.

Long: one row per hazard ratio, with a column ``endpoint``. Wide: one row per comparison, ``hr_pfs ... hr_os ...``.
`table_layout` interprets the headings, and `arm_columns` arranges the medians.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from surrogacy.errors import Fault
from surrogacy.trials.cells import number
from surrogacy.trials.columns import FINALS, words
from surrogacy.trials.files import Table
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.arm_columns import arm_rows
from surrogacy.trials.user_tables.effect_cells import Statement, resolve_limit_scale, statement_of, write_effect
from surrogacy.trials.user_tables.endpoint_variants import resolve_variants
from surrogacy.trials.user_tables.heading_words import EFFECT_COLUMNS, ENDPOINT_QUANTITIES, TRIAL_COLUMNS, endpoint_name
from surrogacy.trials.user_tables.headings import Heading
from surrogacy.trials.user_tables.table_layout import (
    column_meanings,
    interpret_headings,
    other_measures,
    unknown_columns,
)
from surrogacy.trials.user_tables.trial_facts import (
    fill_names,
    merge_facts,
    misplaced_numbers,
    names_as_dates,
    similar_names,
    split_pairs,
    unknown_endpoints,
)

MISSING = {
    *("", "not reported", "not available", "not registered", "not estimable", "not calculable", "not evaluable"),
    *("not stated", "not given", "not reached", "not mature", "not applicable", "not done", "no data"),
    *(
        "not yet mature",
        "not yet reported",
        "data immature",
        "not published",
        "to be reported",
        "to be determined",
        "follow-up ongoing",
    ),
    *words("na n/a #n/a n.a. nan null - -- \u2013 \u2014 . .. nr n.r. ne n.e. nc n.c. nd n.d. unknown missing ?"),
    *words("immature pending awaited ongoing tbd tba tbc -.-"),
}
# words around a mark of a missing value: OS data immature, not yet reached
AROUND_MISSING = re.compile(r"\b(?:os|pfs|ttp|data|results?|is|are|still|yet)\b")
MOST_NAMES = 5  # of comparisons in a message
DEFAULT_ROLES = {"surrogate": "PFS", "final": "OS"}  # of rows that are added to the curated tables
OWN_ROLES = {"surrogate": "surrogate", "final": "final"}  # of a table that is fitted alone: no endpoint is assumed


@dataclass(frozen=True)
class UserRows:
    """Rows of a user's table in the format of the curated tables.

    Parameters
    ----------
    trials, effects, arms : list of Row
    columns : tuple of (heading, meaning)
        Interpretation of each column.
    faults : tuple of Fault
        Warnings and errors about single cells.
    """

    trials: list[Row]
    effects: list[Row]
    arms: list[Row]
    columns: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]


def to_rows(table: Table, roles: Mapping[str, str] = DEFAULT_ROLES) -> UserRows:
    """Arrange a long or wide table as rows of trials.csv, effects.csv and arms.csv.

    Parameters
    ----------
    table : Table
    roles : mapping
        Endpoints for the headings ``hr_surrogate`` and ``hr_final`` of a table that does not name them.

    Returns
    -------
    UserRows

    Raises
    ------
    DataError
        If a required quantity has no column, two columns mean the same, or a column does not name its endpoint.
    """
    layout = interpret_headings(table)
    names = [column for column, heading in layout.headings.items() if heading.quantity == "trial"]
    endpoints = [column for column, heading in layout.headings.items() if heading.quantity == "endpoint"]
    filled: list[Fault] = []
    if names and endpoints and not layout.sides:
        table, filled = fill_names(table, names[0], endpoints[0])
    medians = {column: heading for column, heading in layout.headings.items() if heading.quantity == "median"}
    trials: list[Row] = []
    effects: list[Row] = []
    faults = [*table.faults, *layout.remarks, *unknown_columns(table, layout), *other_measures(table), *filled]
    for row in table.rows:
        shared = _statements(row, layout.headings, "")
        trial, texts = _trial_and_texts(shared, row)
        trials.append(trial)
        if not layout.sides:
            endpoint = endpoint_name(texts.get("endpoint", ""))
            statements = {**shared, **_statements(row, layout.headings, endpoint)} if endpoint else shared
            named = endpoint_name(texts.get("final", ""))
            cells = {**texts, **_texts(statements), "endpoint": endpoint}
            is_final = endpoint and endpoint.casefold() == named.casefold()
            effects.append(Row(row.file, row.line, cells, role="final" if is_final else ""))
            faults += write_effect(effects[-1], statements)
            continue
        for side in layout.sides:
            statements = {**shared, **_statements(row, layout.headings, side)}
            named = endpoint_name(texts.get(side, "")) if side in roles else side
            cells = {**texts, **_texts(statements), "endpoint": named or roles[side]}
            is_final = side == layout.sides[-1]
            presumed = "" if named else side
            effects.append(Row(row.file, row.line, cells, role="final" if is_final else "surrogate", presumed=presumed))
            faults += write_effect(effects[-1], statements)
    _qualify_comparisons(trials, effects)
    # a table that is fitted alone keeps the names of its surrogate endpoints
    faults += resolve_variants(effects, FINALS if roles == OWN_ROLES else None)
    faults += [*resolve_limit_scale(effects), *similar_names(trials), *misplaced_numbers(trials)]
    faults += [*names_as_dates(trials), *unknown_endpoints(effects)]
    faults += split_pairs(trials)
    facts, contradictions = merge_facts(trials)
    faults += contradictions
    split = [fact["comparison"] for fact in facts if _split_total(fact)]
    for fact in facts:
        faults += _complete_patients(fact)
    if split:
        rule = f"only the total number of patients is stated ({_named(split)}): 1:1 allocation is assumed"
        fix = "give n_exp and n_ctl if the allocation was unequal"
        column = next(column for column, heading in layout.headings.items() if heading.quantity == "n")
        faults.append(fault("W134", Row(table.file, table.header_line), column, rule, fix))
    by_comparison = {fact["comparison"]: fact for fact in facts}
    per_line = [replace(by_comparison[trial["comparison"]], line=trial.line) for trial in trials]
    arms = arm_rows(table, medians, per_line, effects)
    return UserRows(
        facts,
        effects,
        arms,
        column_meanings(table, layout.headings, {**layout.ignored, **layout.needless}),
        tuple(faults),
    )


def _named(comparisons: Sequence[str]) -> str:
    """Return the first comparisons, and the number of the others."""
    more = len(comparisons) - MOST_NAMES
    return ", ".join(comparisons[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _statements(row: Row, headings: Mapping[str, Heading], endpoint: str) -> dict[str, Statement]:
    """Return the filled cells of a row for one endpoint (empty: those without an endpoint), by quantity."""
    return {
        heading.quantity: statement_of(row[column], column, heading)
        for column, heading in headings.items()
        if heading.endpoint == endpoint
        and heading.quantity != "median"
        and not _is_missing(row[column], heading.quantity)
    }


def _is_missing(text: str, quantity: str) -> bool:
    """Return whether a cell is empty or marks a missing value; a trial may have any name."""
    if quantity in ("trial", "comparison"):
        return not text
    if text.lower() in MISSING or (quantity == "control_group" and text.lower() in ("no", "none")):
        return True
    if quantity not in ENDPOINT_QUANTITIES:
        return False
    words_left = " ".join(AROUND_MISSING.sub(" ", text.lower().strip(" *\u2020\u2021\u00a7\u00b6()[]")).split())
    return bool(words_left) and words_left in MISSING


def _texts(statements: Mapping[str, Statement]) -> dict[str, str]:
    """Return the descriptive cells of an effect, such as source and evidence."""
    names = EFFECT_COLUMNS - ENDPOINT_QUANTITIES - {"ci_level", "p_sides", "endpoint"}
    return {name: statement.text for name, statement in statements.items() if name in names}


def _trial_and_texts(shared: Mapping[str, Statement], place: Row) -> tuple[Row, dict[str, str]]:
    """Return the row of trials.csv, and the cells that belong to each effect of the row."""
    texts = {name: statement.text for name, statement in shared.items()}
    texts.setdefault("comparison", texts.get("trial", ""))
    texts.setdefault("trial", texts["comparison"])
    headings = {name: statement.heading for name, statement in shared.items()}
    # notes are about the hazard ratio and belong to effects.csv
    about = {name: text for name, text in texts.items() if name in (*TRIAL_COLUMNS, "n") and name != "notes"}
    effect_texts = {
        name: text
        for name, text in texts.items()
        if name in EFFECT_COLUMNS - ENDPOINT_QUANTITIES or name in DEFAULT_ROLES
    }
    return Row(place.file, place.line, about, headings), effect_texts


def _qualify_comparisons(trials: Sequence[Row], effects: Sequence[Row]) -> None:
    """Prefix the name of a comparison that several trials use, such as ``high v placebo``, by the trial."""
    owners: dict[str, set[str]] = {}
    for row in trials:
        owners.setdefault(row["comparison"], set()).add(row["trial"])
    full = {
        (row.line, row["comparison"]): f"{row['trial']}: {row['comparison']}"
        for row in trials
        if len(owners[row["comparison"]]) > 1
    }
    for row in (*trials, *effects):
        row.cells["comparison"] = full.get((row.line, row["comparison"]), row["comparison"])


def _split_total(trial: Row) -> bool:
    """Split the total into arms of equal size if no arm is stated; return whether this was done."""
    total = number(trial, "n")
    if total is None or total < 1 or total != int(total) or trial.get("n_exp") or trial.get("n_ctl"):
        return False
    smaller = int(total) // 2
    assumption = f"1:1 allocation of {total:.0f} patients is assumed"
    notes = "; ".join(filter(None, (trial.get("notes"), assumption)))
    trial.cells.update(n_exp=str(int(total) - smaller), n_ctl=str(smaller), notes=notes)
    return True


def _complete_patients(trial: Row) -> Iterator[Fault]:
    """E008, W129: a total is a number of patients and the sum of the arms; a missing arm is derived from it."""
    total = number(trial, "n")
    text = trial.cells.pop("n", "")
    if not text:
        return
    arms = [number(trial, name) for name in ("n_exp", "n_ctl")]
    if total is None or total < 1 or total != int(total):
        rule = "this is not a number of patients"
        yield fault("E008", trial.with_cells(n=text), "n", rule, "write a whole number, 1 or more")
    elif None not in arms:
        if sum(arm for arm in arms if arm is not None) != total:
            rule = f"the total is {total:g} patients, the arms have {arms[0]:g} and {arms[1]:g}; the arms are used"
            yield fault("W129", trial.with_cells(n=text), "n", rule, "re-read the three numbers")
    else:
        known, missing = ("n_exp", "n_ctl") if arms[0] is not None else ("n_ctl", "n_exp")
        rest = total - (number(trial, known) or 0)
        if rest >= 1:
            trial.cells[missing] = f"{rest:.0f}"
