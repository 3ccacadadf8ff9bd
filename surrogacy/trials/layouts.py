"""Layouts of a user's table, and how they become rows of trials.csv, effects.csv and arms.csv.

Long: one row per hazard ratio, with a column ``endpoint``. Wide: one row per comparison, ``hr_pfs ... hr_os ...``. What
the headings mean is decided in `headings`, how the medians of arms are arranged in `arm_columns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from surrogacy.errors import DataError, Fault
from surrogacy.trials.arm_columns import arm_rows
from surrogacy.trials.cells import number, squash
from surrogacy.trials.columns import ENDPOINTS
from surrogacy.trials.effect_cells import Statement, resolve_limit_scale, write_effect
from surrogacy.trials.files import Table
from surrogacy.trials.heading_words import (
    EFFECT_COLUMNS,
    ENDPOINT_QUANTITIES,
    ENDPOINT_WORDS,
    SECONDARY_WORDS,
    TRIAL_COLUMNS,
)
from surrogacy.trials.headings import Heading, canonical_headings, interpret_heading, suggest
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.trial_facts import merge_facts, misplaced_numbers, similar_names

KNOWN_ENDPOINTS = {
    **{squash(phrase): endpoint for endpoint, phrases in ENDPOINT_WORDS.items() for phrase in phrases},
    **{squash(endpoint): endpoint for endpoint in ENDPOINTS},
}
MISSING = {
    "",
    "na",
    "n/a",
    "#n/a",
    "n.a.",
    "nan",
    "null",
    "-",
    "\u2013",
    "\u2014",
    ".",
    "nr",
    "n.r.",
    "ne",
    "not reported",
    "not available",
    "not registered",
    "unknown",
    "missing",
}
DEFAULT_ROLES = {"surrogate": "PFS", "final": "OS"}  # of rows that join the curated tables
OWN_ROLES = {"surrogate": "surrogate", "final": "final"}  # of a table that is fitted alone: no endpoint is presumed


@dataclass(frozen=True)
class UserRows:
    """Rows of a user's table in the form of the curated tables.

    Parameters
    ----------
    trials, effects, arms : list of Row
    columns : tuple of (heading, meaning)
        Interpretation of each column in words.
    faults : tuple of Fault
        Warnings and errors about single cells.
    """

    trials: list[Row]
    effects: list[Row]
    arms: list[Row]
    columns: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class _Layout:
    """Headings that are used, and the endpoints of a wide table (none for a long one)."""

    headings: Mapping[str, Heading]
    ignored: Mapping[str, str]
    sides: tuple[str, ...]


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
        If a required quantity has no column, two columns mean the same, or a column does not say which endpoint it is
        of.
    """
    layout = _layout(table)
    medians = {column: heading for column, heading in layout.headings.items() if heading.quantity == "median"}
    trials: list[Row] = []
    effects: list[Row] = []
    faults = [*table.faults, *_unknown_columns(table, layout)]
    for row in table.rows:
        shared = _statements(row, layout.headings, "")
        trial, texts = _trial_and_texts(shared, row)
        trials.append(trial)
        if not layout.sides:
            endpoint = endpoint_name(texts.get("endpoint", ""))
            own = {**shared, **_statements(row, layout.headings, endpoint)} if endpoint else shared
            named = endpoint_name(texts.get("final", ""))
            cells = {**texts, **_texts(own), "endpoint": endpoint}
            is_final = endpoint and endpoint.casefold() == named.casefold()
            effects.append(Row(row.file, row.line, cells, role="final" if is_final else ""))
            faults += write_effect(effects[-1], own)
            continue
        for side in layout.sides:
            own = {**shared, **_statements(row, layout.headings, side)}
            named = endpoint_name(texts.get(side, "")) if side in roles else side
            cells = {**texts, **_texts(own), "endpoint": named or roles[side]}
            is_final = side == layout.sides[-1]
            presumed = "" if named else side
            effects.append(Row(row.file, row.line, cells, role="final" if is_final else "surrogate", presumed=presumed))
            faults += write_effect(effects[-1], own)
    _qualify_comparisons(trials, effects)
    faults += [*resolve_limit_scale(effects), *similar_names(trials), *misplaced_numbers(trials)]
    facts, contradictions = merge_facts(trials)
    faults += contradictions
    split = sum(_split_total(fact) for fact in facts)
    for fact in facts:
        faults += _complete_patients(fact)
    if split:
        rule = f"{split} rows state only the total of both arms: 1:1 allocation is assumed"
        fix = "give n_exp and n_ctl where the allocation was unequal"
        column = next(column for column, heading in layout.headings.items() if heading.quantity == "n")
        faults.append(fault("I134", Row(table.file, 1), column, rule, fix))
    by_comparison = {fact["comparison"]: fact for fact in facts}
    per_line = [replace(by_comparison[trial["comparison"]], line=trial.line) for trial in trials]
    arms = arm_rows(table, medians, per_line, effects)
    return UserRows(facts, effects, arms, _column_meanings(table, layout.headings, layout.ignored), tuple(faults))


def endpoint_name(text: str) -> str:
    """Return an endpoint in the spelling of the tables; a name that they do not know stays as written."""
    return KNOWN_ENDPOINTS.get(squash(text), text.strip())


def _layout(table: Table) -> _Layout:
    """Interpret the headings, and stop where they contradict each other or a required quantity is missing."""
    headings = {column: heading for column in table.columns if (heading := interpret_heading(column)) is not None}
    if any(squash(column) == "ai" for column in headings):  # metafor calls the events of the control arm ci
        headings |= {column: Heading("events_ctl") for column in headings if squash(column) == "ci"}
    ignored = {column: "not understood" for column in table.columns if column not in headings}
    for quantity in ("trial", "endpoint"):
        columns = [column for column, heading in headings.items() if heading.quantity == quantity]
        secondary = [column for column in columns if squash(column) in SECONDARY_WORDS]
        if len(secondary) < len(columns):
            ignored |= dict.fromkeys(secondary, f"another column names the {quantity}")
    headings = {column: heading for column, heading in headings.items() if column not in ignored}
    ratios = {heading.endpoint for heading in headings.values() if heading.quantity in ("hr", "log_hr")} - {""}
    named = {heading.quantity for heading in headings.values()}
    faults = [*_repeated_meanings(table, headings), *_unclear_quantities(table, headings)]
    if not ({"trial", "comparison"} & named):
        faults.append(_missing(table, ignored, "no column names the trial", "add a column trial"))
    long = not ratios and "endpoint" in named
    sides: tuple[str, ...] = ()
    if long:
        if not {"hr", "log_hr"} & named:
            faults.append(_missing(table, ignored, "no column holds the hazard ratio", "add a column hr or log_hr"))
    else:
        faults += _without_endpoint(table, headings) if ratios else ()
        sides = _sides(ratios)
        if not sides:
            faults.append(_missing(table, ignored, *_no_pair(ratios)))
    if faults:
        raise DataError(faults, _column_meanings(table, headings, ignored))
    unused = _unused(headings, sides)
    return _Layout({c: h for c, h in headings.items() if c not in unused}, ignored | unused, sides)


def _sides(ratios: set[str]) -> tuple[str, ...]:
    """Return surrogate and final endpoint of a wide table; nothing if its headings do not tell."""
    final = next((name for name in ("final", "OS") if name in ratios), None)
    others = sorted(ratios - {final})
    return (others[0], final) if final is not None and len(others) == 1 else ()


def _no_pair(ratios: set[str]) -> tuple[str, str]:
    fix = (
        "use trial, hr_pfs, ci_low_pfs, ci_high_pfs, hr_os, ci_low_os, ci_high_os, or one row per hazard ratio with "
        "a column endpoint"
    )
    surrogates = sorted(ratios - {"final", "OS"})
    if len(surrogates) > 1 or {"final", "OS"} <= ratios:
        return (
            f"hazard ratios of several endpoints stand side by side: {', '.join(sorted(ratios))}",
            f"keep two of them, or {fix}",
        )
    if ratios:
        missing = "the final endpoint (hr_os)" if surrogates else "the surrogate endpoint (hr_pfs)"
        return f"no column holds the hazard ratio of {missing}", fix
    return "the columns are neither long (trial, endpoint, hr, ...) nor wide (hr_pfs, ..., hr_os, ...)", fix


def _missing(table: Table, ignored: Mapping[str, str], rule: str, fix: str) -> Fault:
    """Return E005; the columns that were not understood may hold what is missing."""
    if ignored:
        names = [
            f"{column!r} ({hint})" if (hint := suggest(column, canonical_headings())) else repr(column)
            for column in ignored
        ]
        fix = f"{fix}; columns not understood: {', '.join(names)}"
    return fault("E005", Row(table.file, 1), "", rule, fix)


def _unclear_quantities(table: Table, headings: Mapping[str, Heading]) -> Iterator[Fault]:
    """E017: a column that would change a standard error if it were understood in the other way."""
    for column, heading in headings.items():
        if heading.quantity in ("se_hr", "variance_hr"):
            name = heading.quantity.removesuffix("_hr")
            rule = "the heading does not say whether this is of the hazard ratio or of its logarithm"
            fix = (
                f"name it {name}_pfs or {name}_os if it is of the logarithm; a standard error of the hazard ratio is "
                "divided by it first"
            )
            yield fault("E017", Row(table.file, 1), column, rule, fix)
        elif heading.quantity == "alpha":
            fix = "give a column ci_level, such as 0.90 for alpha = 0.10"
            yield fault(
                "E017", Row(table.file, 1), column, "a significance level is not read as a confidence level", fix
            )


def _repeated_meanings(table: Table, headings: Mapping[str, Heading]) -> Iterator[Fault]:
    """E002: two columns mean the same, whatever level or side they state."""
    seen: dict[tuple[str, ...], str] = {}
    for column, heading in headings.items():
        key = (heading.quantity, heading.endpoint, heading.arm, heading.bound)
        first = seen.setdefault(key, column)
        if first != column:
            rule = f"this means the same as the column {first!r}: {heading.describe()}"
            yield fault("E002", Row(table.file, 1), column, rule, "rename or remove one of them")


def _without_endpoint(table: Table, headings: Mapping[str, Heading]) -> Iterator[Fault]:
    """E010: a column of a wide table that is about one endpoint and does not name it."""
    for column, heading in headings.items():
        if heading.endpoint or heading.quantity not in (*ENDPOINT_QUANTITIES, "median"):
            continue
        base = f"median_{{}}_{heading.arm}" if heading.quantity == "median" else f"{heading.quantity}_{{}}"
        suffix = f"_{heading.bound}" if heading.bound else ""
        fix = f"name it {base.format('pfs')}{suffix} or {base.format('os')}{suffix}"
        rule = f"read as {heading.describe()}, but the heading does not say of which endpoint"
        yield fault("E010", Row(table.file, 1), column, rule, fix)


def _unused(headings: Mapping[str, Heading], sides: Sequence[str]) -> dict[str, str]:
    """Return columns that are understood but have no place in this layout, with the reason."""
    unused = {}
    for column, heading in headings.items():
        if heading.quantity in ("surrogate", "final") and heading.quantity not in (sides or ("final",)):
            unused[column] = "each hazard ratio names its endpoint already"
        elif sides and heading.quantity == "endpoint":
            unused[column] = "the headings of the hazard ratios name their endpoints"
        elif sides and heading.quantity != "median" and heading.endpoint and heading.endpoint not in sides:
            unused[column] = f"the table has no hazard ratio of {heading.endpoint}"
    return unused


def _unknown_columns(table: Table, layout: _Layout) -> Iterator[Fault]:
    """W004: columns that are ignored."""
    for column, reason in layout.ignored.items():
        hint = suggest(column, canonical_headings()) if reason == "not understood" else ""
        fix = (
            f"{hint} Otherwise nothing needs to be done"
            if hint
            else "rename it if it is needed; see data/trials/CODEBOOK.md"
        )
        yield fault("W004", Row(table.file, 1), column, f"this column is ignored: {reason}", fix)


def _column_meanings(
    table: Table, headings: Mapping[str, Heading], ignored: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (column, f"ignored: {ignored[column]}" if column in ignored else headings[column].describe())
        for column in table.columns
    )


def _statements(row: Row, headings: Mapping[str, Heading], endpoint: str) -> dict[str, Statement]:
    """Return the filled cells of a row whose heading names an endpoint (empty: none), by quantity."""
    return {
        heading.quantity: Statement(row[column], column, heading.level, heading.sides)
        for column, heading in headings.items()
        if heading.endpoint == endpoint
        and heading.quantity != "median"
        and not _is_missing(row[column], heading.quantity)
    }


def _is_missing(text: str, quantity: str) -> bool:
    """Return whether a cell is empty or holds a sign for a missing value; any text names a trial."""
    if quantity in ("trial", "comparison"):
        return not text
    return text.lower() in MISSING or (quantity == "control_group" and text.lower() in ("no", "none"))


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
    # notes are about the hazard ratio; they stand in effects.csv
    about = {name: text for name, text in texts.items() if name in (*TRIAL_COLUMNS, "n") and name != "notes"}
    effect_texts = {
        name: text
        for name, text in texts.items()
        if name in EFFECT_COLUMNS - ENDPOINT_QUANTITIES or name in DEFAULT_ROLES
    }
    return Row(place.file, place.line, about, headings), effect_texts


def _qualify_comparisons(trials: Sequence[Row], effects: Sequence[Row]) -> None:
    """Put the trial before the name of a comparison that several trials use, such as ``high v placebo``."""
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
    """Split a total that stands alone into arms of equal size; return whether it was."""
    total = number(trial, "n")
    if total is None or total < 1 or total != int(total) or trial.get("n_exp") or trial.get("n_ctl"):
        return False
    smaller = int(total) // 2
    trial.cells.update(n_exp=str(int(total) - smaller), n_ctl=str(smaller))
    return True


def _complete_patients(trial: Row) -> Iterator[Fault]:
    """E008, W129: a total is a number of patients, and the sum of the arms; the arm that is missing is the rest."""
    total = number(trial, "n")
    text = trial.cells.pop("n", "")
    if not text:
        return
    arms = [number(trial, name) for name in ("n_exp", "n_ctl")]
    if total is None or total < 1 or total != int(total):
        yield fault(
            "E008", trial.with_cells(n=text), "n", "not a number of patients", "write a whole number, 1 or more"
        )
    elif None not in arms:
        if sum(arm for arm in arms if arm is not None) != total:
            rule = f"{total:g} patients in all, but {arms[0]:g} and {arms[1]:g} in the two arms; the arms count"
            yield fault("W129", trial.with_cells(n=text), "n", rule, "re-read the three numbers")
    else:
        known, missing = ("n_exp", "n_ctl") if arms[0] is not None else ("n_ctl", "n_exp")
        rest = total - (number(trial, known) or 0)
        if rest >= 1:
            trial.cells[missing] = f"{rest:.0f}"
