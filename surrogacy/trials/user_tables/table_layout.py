"""Layout of a user's table: the meaning of each heading, the endpoints of a wide table, and missing columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from surrogacy.errors import DataError, Fault
from surrogacy.trials.cells import squash
from surrogacy.trials.columns import words
from surrogacy.trials.files import Table
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.estimate_scale import resolve_estimates
from surrogacy.trials.user_tables.heading_words import (
    EFFECT_MEASURE,
    ENDPOINT_QUANTITIES,
    PROGRAM_COLUMNS,
    SECONDARY_WORDS,
)
from surrogacy.trials.user_tables.headings import Heading, canonical_headings, interpret_heading, suggest
from surrogacy.trials.user_tables.program_headings import needless_columns, single_percentiles

HAZARD_RATIOS = frozenset(words("hr ahr shr hazardratio hazardratios hazardratiohr gen generic iv"))
# words of a heading that is not understood, but may contain the effect on the final endpoint
FINAL_WORDS = frozenset(words("os overall survival final true death deaths mortality hazard effect"))


@dataclass(frozen=True)
class Layout:
    """Meaning of the headings.

    Parameters
    ----------
    headings : mapping of column to Heading
        Columns that are used.
    ignored, needless : mapping of column to str
        Columns that are not used, with the reason or the content.
    sides : tuple of str
        The two endpoints of a wide table; empty for a long one.
    remarks : tuple of Fault
    """

    headings: Mapping[str, Heading]
    ignored: Mapping[str, str]
    needless: Mapping[str, str]
    sides: tuple[str, ...]
    remarks: tuple[Fault, ...]


def interpret_headings(table: Table) -> Layout:
    """Interpret the headings of a table.

    Raises
    ------
    DataError
        If headings contradict each other, or a required quantity is missing.
    """
    headings = {column: heading for column in table.columns if (heading := interpret_heading(column)) is not None}
    if any(squash(column) == "ai" for column in headings):  # metafor calls the events of the control arm ci
        headings |= {column: Heading("events_ctl") for column in headings if squash(column) == "ci"}
    if any(squash(column) == "oe" for column in table.columns):  # RevMan: O-E and the variance of O-E
        headings = {column: heading for column, heading in headings.items() if squash(column) != "variance"}
    single = single_percentiles(table.columns)
    headings = {column: heading for column, heading in headings.items() if column not in single}
    unread = [column for column in table.columns if column not in headings]
    needless = needless_columns(unread, {column: [row[column] for row in table.rows] for column in unread})
    ignored = {column: "not understood" for column in unread if column not in needless}
    for quantity in ("trial", "endpoint"):
        columns = [column for column, heading in headings.items() if heading.quantity == quantity]
        secondary = [column for column in columns if squash(column) in SECONDARY_WORDS]
        if len(secondary) < len(columns):
            ignored |= dict.fromkeys(secondary, f"another column names the {quantity}")
    headings = {column: heading for column, heading in headings.items() if column not in ignored}
    headings, remarks = resolve_estimates(table, headings)
    ratios = {heading.endpoint for heading in headings.values() if heading.quantity in ("hr", "log_hr")} - {""}
    named = {heading.quantity for heading in headings.values()}
    faults = [*_repeated_meanings(table, headings), *_unclear_quantities(table, headings)]
    if not ({"trial", "comparison"} & named):
        faults.append(_missing(table, ignored, "no column names the trial", "add a column trial"))
    long = not ratios and "endpoint" in named
    sides: tuple[str, ...] = ()
    if long:
        if not {"hr", "log_hr"} & named:
            faults.append(_missing(table, ignored, "no column contains the hazard ratio", "add a column hr or log_hr"))
    else:
        faults += _without_endpoint(table, headings) if ratios else ()
        sides = _sides(ratios, headings, ignored)
        if not sides:
            faults.append(_missing(table, ignored, *_no_pair(ratios, single=bool({"hr", "log_hr"} & named))))
    if faults:
        raise DataError(faults, column_meanings(table, headings, ignored | needless))
    unused = _unused(headings, sides)
    used = {column: heading for column, heading in headings.items() if column not in unused}
    return Layout(used, ignored | unused, needless, sides, tuple(remarks))


def _sides(ratios: set[str], headings: Mapping[str, Heading], ignored: Mapping[str, str]) -> tuple[str, ...]:
    """Return the surrogate and the final endpoint of a wide table; empty if the headings do not define them.

    A table without any column that may be an estimate of the final endpoint has comparisons whose final effect is not
    reported.
    """
    final = next((name for name in ("final", "OS") if name in ratios), None)
    surrogates = sorted(ratios - {final})
    if len(surrogates) != 1:
        return ()
    if final is None and not _may_hold_final_effect(headings, ignored):
        final = "final" if surrogates == ["surrogate"] else "OS"
    return () if final is None else (surrogates[0], final)


def _may_hold_final_effect(headings: Mapping[str, Heading], ignored: Mapping[str, str]) -> bool:
    """Return whether a column is a part of a final effect without hazard ratio, or not understood and may be one."""
    partial = (
        heading.endpoint in ("final", "OS") and heading.quantity in ENDPOINT_QUANTITIES - {"events_exp", "events_ctl"}
        for heading in headings.values()
    )
    words_of_ignored = {word for column in ignored for word in re.split(r"[^a-z0-9]+", column.lower())}
    return any(partial) or any(word in FINAL_WORDS or word.startswith("hr") for word in words_of_ignored)


def _no_pair(ratios: set[str], *, single: bool) -> tuple[str, str]:
    """Return the reason why the headings do not define a pair of hazard ratios, and the remedy."""
    fix = (
        "use trial, hr_pfs, ci_low_pfs, ci_high_pfs, hr_os, ci_low_os, ci_high_os, or one row per hazard ratio with "
        "a column endpoint"
    )
    surrogates = sorted(ratios - {"final", "OS"})
    if len(surrogates) > 1 or {"final", "OS"} <= ratios:
        return (
            f"the columns contain hazard ratios of several endpoints: {', '.join(sorted(ratios))}",
            f"keep one surrogate endpoint, and the final endpoint if it is reported, or {fix}",
        )
    if ratios:
        missing = "the final endpoint (hr_os)" if surrogates else "the surrogate endpoint (hr_pfs)"
        return f"no column contains the hazard ratio of {missing}", fix
    if single:
        return (
            "each row has one hazard ratio, and no column names its endpoint",
            "add a column endpoint (PFS, OS) and put the rows of both endpoints into one table; in a workbook, the "
            "rows of each endpoint may have a sheet of their own, named PFS and OS",
        )
    return "the columns are neither long (trial, endpoint, hr, ...) nor wide (hr_pfs, ..., hr_os, ...)", fix


def _missing(table: Table, ignored: Mapping[str, str], rule: str, fix: str) -> Fault:
    """Return E005 with the columns that were not understood, one of which may be the missing one."""
    if ignored:
        names = [
            f"{column!r} ({hint})" if (hint := suggest(column, canonical_headings())) else repr(column)
            for column in ignored
        ]
        fix = f"{fix}; columns not understood: {', '.join(names)}"
    return fault("E005", Row(table.file, table.header_line), "", rule, fix)


def _unclear_quantities(table: Table, headings: Mapping[str, Heading]) -> Iterator[Fault]:
    """E017: the heading of a standard error, a variance or a significance level is unambiguous."""
    for column, heading in headings.items():
        if heading.quantity in ("se_hr", "variance_hr"):
            name = heading.quantity.removesuffix("_hr")
            rule = "the heading does not state whether this is for the hazard ratio or its logarithm"
            fix = (
                f"name it {name}_pfs or {name}_os if it is for the logarithm; otherwise first divide a standard error "
                "by the hazard ratio, and a variance by its square"
            )
            yield fault("E017", Row(table.file, table.header_line), column, rule, fix)
        elif heading.quantity == "alpha":
            rule, fix = "a significance level is not read", "give a column ci_level, such as 0.90 for alpha = 0.10"
            yield fault("E017", Row(table.file, table.header_line), column, rule, fix)


def _repeated_meanings(table: Table, headings: Mapping[str, Heading]) -> Iterator[Fault]:
    """E002: no two columns have the same meaning."""
    seen: dict[tuple[str, ...], str] = {}
    for column, heading in headings.items():
        key = (heading.quantity, heading.endpoint, heading.arm, heading.bound)
        first = seen.setdefault(key, column)
        if first != column:
            rule = f"this has the same meaning as the column {first!r}: {heading.describe()}"
            yield fault("E002", Row(table.file, table.header_line), column, rule, "rename or remove one of them")


def _without_endpoint(table: Table, headings: Mapping[str, Heading]) -> Iterator[Fault]:
    """E010: each column of a wide table that is specific to an endpoint names it."""
    for column, heading in headings.items():
        if heading.endpoint or heading.quantity not in (*ENDPOINT_QUANTITIES, "median"):
            continue
        base = f"median_{{}}_{heading.arm}" if heading.quantity == "median" else f"{heading.quantity}_{{}}"
        suffix = f"_{heading.bound}" if heading.bound else ""
        fix = f"name it {base.format('pfs')}{suffix} or {base.format('os')}{suffix}"
        rule = f"read as {heading.describe()}, but the heading does not name the endpoint"
        yield fault("E010", Row(table.file, table.header_line), column, rule, fix)


def _unused(headings: Mapping[str, Heading], sides: Sequence[str]) -> dict[str, str]:
    """Return the columns that are understood but not used in this layout, with the reason."""
    unused = {}
    for column, heading in headings.items():
        if heading.quantity in ("surrogate", "final") and heading.quantity not in (sides or ("final",)):
            unused[column] = "each hazard ratio already names its endpoint"
        elif sides and heading.quantity == "endpoint":
            unused[column] = "the headings of the hazard ratios name their endpoints"
        elif sides and heading.quantity != "median" and heading.endpoint and heading.endpoint not in sides:
            unused[column] = f"the table has no hazard ratio of {heading.endpoint}"
    return unused


def unknown_columns(table: Table, layout: Layout) -> Iterator[Fault]:
    """W004, I004: a column is used."""
    for column, reason in layout.ignored.items():
        hint = suggest(column, canonical_headings()) if reason == "not understood" else ""
        fix = (
            f"{hint} If not, no change is needed" if hint else "rename it if it is needed; see data/trials/CODEBOOK.md"
        )
        yield fault("W004", Row(table.file, table.header_line), column, f"this column is ignored: {reason}", fix)
    for column, content in layout.needless.items():
        rule = f"this column is not needed, and is not read: {content}"
        yield fault("I004", Row(table.file, table.header_line), column, rule, "no change is needed")


def other_measures(table: Table) -> Iterator[Fault]:
    """E020: a row is a hazard ratio, not another measure of effect."""
    for column in table.columns:
        if PROGRAM_COLUMNS.get(squash(column)) != EFFECT_MEASURE:
            continue
        for row in table.rows:
            measure = re.sub(r"^(?:log|ln)", "", squash(row[column]))
            if measure and measure not in HAZARD_RATIOS:
                rule = "this row is another measure of effect, not a hazard ratio"
                fix = "give hazard ratios, or remove the row"
                yield fault("E020", Row(row.file, row.line), column, rule, fix, value=row[column])


def column_meanings(
    table: Table, headings: Mapping[str, Heading], ignored: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return each heading with its interpretation."""
    return tuple(
        (column, f"ignored: {ignored[column]}" if column in ignored else headings[column].describe())
        for column in table.columns
    )
