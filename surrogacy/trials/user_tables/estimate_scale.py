"""Scale of estimates in a user's table: hazard ratios or logarithms.

Programs print estimates and limits under headings such as ``estimate`` or ``yi``, with or without exponentiation. The
limits of a hazard ratio are symmetric on the log scale, those of its logarithm on their own scale.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from surrogacy.errors import DataError, Fault
from surrogacy.trials.cells import NUMBER
from surrogacy.trials.files import Table
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.headings import Heading

LARGEST_ASYMMETRY = 0.1  # mean distance of the estimates from the centre of their limits, in widths
FEWEST_TIMES = 2.0  # by which the other scales must be less symmetric


@dataclass(frozen=True)
class Symmetry:
    """Mean asymmetry of estimates within their limits, infinite if an estimate is outside.

    Parameters
    ----------
    logarithms : float
        Of estimates and limits as printed.
    ratios : float
        Of their logarithms.
    mixed : float
        Of estimates as printed within the logarithms of the limits.
    """

    logarithms: float
    ratios: float
    mixed: float


def resolve_estimates(table: Table, headings: Mapping[str, Heading]) -> tuple[dict[str, Heading], list[Fault]]:
    """Decide whether each column ``estimate`` contains hazard ratios or logarithms.

    Parameters
    ----------
    table : Table
    headings : mapping of column to Heading

    Returns
    -------
    headings : dict of column to Heading
    remarks : list of Fault
        I147 for each decision.

    Raises
    ------
    DataError
        E112 if the limits do not determine the scale, or contradict the heading.
    """
    resolved, remarks, errors = dict(headings), [], []
    for column, heading in headings.items():
        if heading.quantity not in ("estimate", "log_hr"):
            continue
        limits = [_column(headings, bound, heading.endpoint) for bound in ("ci_low", "ci_high")]
        symmetry = _symmetry(list(_values(table, column, *limits))) if all(limits) else None
        place = Row(table.file, table.header_line)
        if heading.quantity == "log_hr":
            if symmetry is not None and _is_clear(symmetry.ratios, symmetry.logarithms, symmetry.mixed):
                rule = "the heading states logarithms, but the limits are symmetric as those of hazard ratios"
                errors.append(fault("E112", place, column, rule, "name the column hr"))
            continue
        quantity = _quantity(symmetry, [row[column] for row in table.rows])
        if quantity is None:
            rule = "neither the heading nor the limits show whether these are hazard ratios or their logarithms"
            errors.append(fault("E112", place, column, rule, "name the column hr or log_hr"))
            continue
        resolved[column] = replace(heading, quantity=quantity)
        scale = "logarithms of hazard ratios" if quantity == "log_hr" else "hazard ratios"
        rule = f"the values are read as {scale}, because of their limits and signs"
        fix = f"name the column {'hr' if quantity == 'log_hr' else 'log_hr'} if this is wrong"
        remarks.append(fault("I147", place, column, rule, fix))
    if errors:
        raise DataError(errors)
    return resolved, remarks


def _quantity(symmetry: Symmetry | None, cells: Sequence[str]) -> str | None:
    """Return ``hr`` or ``log_hr``; None if it cannot be decided."""
    if any(float(cell) <= 0 for cell in cells if re.fullmatch(NUMBER, cell)):
        return "log_hr"
    if symmetry is None:
        return None
    if _is_clear(symmetry.ratios, symmetry.logarithms, symmetry.mixed):
        return "hr"
    if _is_clear(min(symmetry.logarithms, symmetry.mixed), symmetry.ratios):
        return "log_hr"
    return None


def _is_clear(chosen: float, *others: float) -> bool:
    """Return whether one scale is symmetric, and the others are clearly less so."""
    return chosen <= LARGEST_ASYMMETRY and all(other > max(FEWEST_TIMES * chosen, 0.01) for other in others)


def _column(headings: Mapping[str, Heading], bound: str, endpoint: str) -> str:
    return next((c for c, heading in headings.items() if (heading.quantity, heading.endpoint) == (bound, endpoint)), "")


def _values(table: Table, *columns: str) -> Iterator[tuple[float, ...]]:
    """Yield the numbers of each row that has all of them."""
    for row in table.rows:
        texts = [row[column].replace(",", ".") for column in columns]
        if all(re.fullmatch(NUMBER, text) for text in texts):
            yield tuple(map(float, texts))


def _symmetry(values: Sequence[tuple[float, ...]]) -> Symmetry | None:
    if not values:
        return None
    logarithms = [tuple(math.log(x) if x > 0 else math.nan for x in row) for row in values]
    mixed = [(row[0], *logs[1:]) for row, logs in zip(values, logarithms, strict=True)]
    return Symmetry(*(sum(asymmetry(*row) for row in rows) / len(rows) for rows in (values, logarithms, mixed)))


def asymmetry(estimate: float, low: float, high: float) -> float:
    """Return the distance of an estimate from the centre of its limits, in widths; infinite outside the limits."""
    return abs(0.5 * (low + high) - estimate) / (high - low) if low <= estimate <= high and low < high else math.inf
