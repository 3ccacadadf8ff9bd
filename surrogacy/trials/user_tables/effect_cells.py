"""Conversion of the cells of one hazard ratio in a user's table to the columns of effects.csv.

A hazard ratio may share a cell with its limits, be a logarithm, or have a variance instead of a standard error. Its
confidence level may be in the cell, in the heading or in a column. Every printed number is used or refused; numbers
that are stated twice are kept for comparison.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from surrogacy.errors import Fault
from surrogacy.trials.cell_forms import NO_DIFFERENCE, SIDES, is_p, plain_form, remedy
from surrogacy.trials.cells import LOG_COLUMNS, NUMBER, exponential, number, parse_interval, parse_level
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.estimate_scale import asymmetry
from surrogacy.trials.user_tables.headings import Heading

LIMITS = ("ci_low", "ci_high")
P_IN_CELL = re.compile(
    r"\s*[;,]?\s*[(\[]?\s*(\bp(?:[ -]?values?)?\s*[=<>\u2264:]\s*[\d.,e-]+)\s*[)\]]?\s*$", re.IGNORECASE
)
NUMBERS = ("hr", "se", "p", "events_exp", "events_ctl", *LIMITS)


@dataclass(frozen=True)
class Statement:
    """Filled cell of a user's table.

    Parameters
    ----------
    text : str
    heading : str
        Heading of its column as written.
    level : float or None
        Confidence level that the heading states.
    sides : {0, 1, 2}
        Sides of the p-value that the heading states; 0 = not stated.
    """

    text: str
    heading: str
    level: float | None = None
    sides: int = 0


def statement_of(text: str, column: str, heading: Heading) -> Statement:
    """Return a filled cell in the form of the tables; the sides of a p-value may be in its cell.

    Parameters
    ----------
    text : str
        Cell as written.
    column : str
        Heading as written.
    heading : Heading
    """
    sides = heading.sides
    if heading.quantity == "p" and (match := SIDES.search(text)):
        sides = 1 if match[1].lower() in ("one", "1") else 2
    return Statement(plain_form(text, heading.quantity), column, heading.level, sides)


def write_effect(row: Row, statements: Mapping[str, Statement]) -> list[Fault]:
    """Write the numbers of one hazard ratio into its row of effects.csv, and return the faults of their cells.

    If the limits are both in the cell and in columns, the latter are kept as ``column_ci_low`` and
    ``column_ci_high``. A logarithm is kept as ``log_hr``.

    Parameters
    ----------
    row : Row
        With descriptive cells, including ``comparison`` and ``endpoint``.
    statements : mapping
        Filled cells by quantity: ``hr``, ``log_hr``, ``ci_low``, ``interval``, ``variance``, ``ci_level`` ...
    """
    numbers = (*NUMBERS, "log_hr", "variance", "ci_level", "p_sides", *(LOG_COLUMNS[name] for name in LIMITS))
    for name, statement in statements.items():
        if name in numbers:
            row.write(name, statement.text, statement.heading)
    faults: list[Fault] = []
    levels = [
        (s.level, f"{s.level * 100:g}% in the heading {s.heading!r}")
        for s in statements.values()
        if s.level is not None
    ]
    if "ci_level" in statements:
        text = statements["ci_level"].text
        level = parse_level(text)
        if level is not None:
            levels.append((level, f"{text} in the column {statements['ci_level'].heading!r}"))
            row.cells["ci_level"] = f"{level:.10g}"
    for quantity in ("hr", "log_hr", "interval"):
        if quantity in statements:
            levels += _split(row, quantity, statements[quantity], faults)
    faults += _check_p(row)
    _logarithms(row, faults)
    _resolve_level(row, levels, faults)
    _resolve_sides(row, statements, faults)
    return faults


def _check_p(row: Row) -> Iterator[Fault]:
    """W144, I144: a p-value is a number between 0 and 1 or a bound; other text is left out."""
    text = row.get("p", "")
    if not text or is_p(text):
        return
    if NO_DIFFERENCE.fullmatch(text):
        fix = "give the p-value if the source prints it"
        yield fault("I144", row, "p", "this is not a number, and no standard error is derived from it", fix)
    else:
        fix = "write a number above 0 and at most 1, such as 0.042, or a bound such as <0.001"
        yield fault("W144", row, "p", "this p-value is not understood, and is left out", fix)
    row.cells["p"] = ""


def _split(row: Row, quantity: str, statement: Statement, faults: list[Fault]) -> list[tuple[float, str]]:
    """Write the parts of a cell such as ``0.59 (90% CI 0.41-0.87)`` into the row; return its confidence level."""
    text = statement.text
    stated = P_IN_CELL.search(text)
    if stated and parse_interval(text[: stated.start()]) is not None:  # 0.59 (0.41-0.87), p = 0.006
        text = text[: stated.start()]
        if not row.get("p"):
            row.write("p", plain_form(stated[1], "p"), statement.heading)
    interval = parse_interval(text)
    row.headings[quantity] = statement.heading
    if quantity == "interval" and (interval is None or interval.estimate):
        fix = "write the two limits, such as 0.41-0.87 or 0.41 to 0.87, with at most one confidence level"
        fix = "; ".join(filter(None, (fix, remedy(statement.text, quantity))))
        cell = row.with_cells(**{quantity: statement.text})
        faults.append(fault("E008", cell, quantity, "this is not a pair of confidence limits", fix))
    if interval is None or bool(interval.estimate) == (quantity == "interval"):
        return []  # a plain number, or text that the schema will refuse
    if interval.estimate:
        row.cells[quantity] = interval.estimate.replace(",", ".")
    for name, text in zip(LIMITS, (interval.low, interval.high), strict=True):
        column = LOG_COLUMNS[name] if quantity == "log_hr" else name
        if row.get(column):
            row.write(f"column_{column}", row[column], row.heading(column))
        row.write(column, text.replace(",", "."), statement.heading)
    level = parse_level(interval.level)
    return [] if level is None else [(level, f"{interval.level} in the cell {statement.text!r}")]


def _logarithms(row: Row, faults: list[Fault]) -> None:
    """Derive hazard ratio and standard error from a logarithm and a variance.

    E101: the exponential of a logarithm is a finite number above 0.
    """
    for name, column in LOG_COLUMNS.items():
        text = row.get(column, "")
        if text and not row.get(name):
            row.write(name, _transformed(text, exponential), row.heading(column))
            if row[name] in ("inf", "0"):
                rule = "the exponential of this logarithm is not a finite number above 0"
                faults.append(fault("E101", row, column, rule, "give the natural logarithm of the hazard ratio"))
                row.cells.update({name: "1", column: "0"})  # one error per cell
            if row[name] != text:
                row.logarithms.append(name)
    if row.get("variance") and not row.get("se"):
        row.write("se", _transformed(row["variance"], math.sqrt), row.heading("variance"))


def _transformed(text: str, function: Callable[[float], float]) -> str:
    """Return a function of a number as text; text that is not a number is kept, and the schema refuses it."""
    try:
        return f"{function(float(text)):.10g}"
    except ValueError:
        return text


def _resolve_level(row: Row, levels: Sequence[tuple[float, str]], faults: list[Fault]) -> None:
    """E110: all statements of the confidence level of a row agree."""
    if not levels:
        return
    distinct = {round(level, 10): words for level, words in levels}
    if len(distinct) > 1:
        column = next((name for name in ("ci_level", "hr", "ci_low") if name in row.headings), "ci_level")
        rule = (
            f"the statements of the confidence level contradict each other: {'; '.join(words for _, words in levels)}"
        )
        faults.append(
            fault("E110", row, column, rule, "re-read the confidence level of this interval, and state it once")
        )
        return
    row.cells["ci_level"] = f"{levels[0][0]:.10g}"
    if "ci_level" not in row.headings:
        row.headings["ci_level"] = next((row.headings[name] for name in LIMITS if name in row.headings), "ci_level")


def _resolve_sides(row: Row, statements: Mapping[str, Statement], faults: list[Fault]) -> None:
    """E110: the heading of a p-value and the column of its sides agree."""
    stated = statements["p"].sides if "p" in statements else 0
    if not stated:
        return
    if row.get("p_sides") and number(row, "p_sides") != stated:
        rule = f"the heading {statements['p'].heading!r} states a {stated}-sided p-value"
        faults.append(fault("E110", row, "p_sides", rule, "state the sides of the p-value once"))
    row.cells["p_sides"] = str(stated)


def resolve_limit_scale(effects: Sequence[Row]) -> Iterator[Fault]:
    """Decide whether the limits of a log hazard ratio are logarithms or hazard ratios; E112 if neither is possible.

    Programs such as metafor print the limits on the scale of the effect. The scale of a column is the one on which the
    limits include the estimate; if both scales do, it is the one on which they are more nearly symmetric.
    """
    columns: dict[tuple[str, str], list[Row]] = {}
    for row in effects:
        plain = all(re.fullmatch(NUMBER, row.get(name, "")) for name in ("log_hr", *LIMITS))
        if plain and set(row.logarithms) <= {"hr"}:
            columns.setdefault((row.heading("ci_low"), row.heading("ci_high")), []).append(row)
    for rows in columns.values():
        values = [[float(row[name]) for name in ("log_hr", *LIMITS)] for row in rows]
        logarithms = max(asymmetry(y, low, high) for y, low, high in values)
        ratios = max(
            asymmetry(y, math.log(low), math.log(high)) if low > 0 and high > 0 else math.inf for y, low, high in values
        )
        if math.isinf(min(logarithms, ratios)):
            rule = "the limits include neither the log hazard ratio nor the hazard ratio"
            fix = "re-read estimate and limits; give both as hazard ratios (hr, ci_low, ci_high) or both as logarithms"
            derived = [row for row in rows if row.logarithms]  # other rules check a printed hazard ratio
            broken = [row for row in derived if not _fits(row)] or derived  # each row fits, but on different scales
            yield from (fault("E112", row, "ci_low", rule, fix) for row in broken)
        elif logarithms < ratios:
            for row in rows:
                row.cells.update({LOG_COLUMNS[name]: row[name] for name in LIMITS})
                row.cells.update({name: _transformed(row[name], exponential) for name in LIMITS})
                row.logarithms.extend(LIMITS)


def _fits(row: Row) -> bool:
    y, low, high = (float(row[name]) for name in ("log_hr", *LIMITS))
    return low <= y <= high or 0 < low <= exponential(y) <= high
