"""Checks of cells against their columns, by pandera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from surrogacy.errors import Fault
from surrogacy.trials.cell_forms import remedy
from surrogacy.trials.columns import NOT_REACHED, PATTERNS, Column, is_valid
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.value_names import remedy_of_value

if TYPE_CHECKING:
    import pandera.pandas as pa

FIXES = {
    "number": "write a plain, finite number with a decimal point",
    "integer": "write a whole number from 0 to 999999999",
    "boolean": "write true or false",
    "date": "write YYYY-MM-DD, YYYY-MM or YYYY",
}


def schema_of(name: str, columns: Sequence[Column]) -> pa.DataFrameSchema:
    """Return the pandera schema of a table of text cells; an empty cell is a missing value.

    Parameters
    ----------
    name : str
    columns : sequence of Column

    Returns
    -------
    pandera DataFrameSchema
    """
    import pandera.pandas as pa

    def checks(column: Column) -> list[pa.Check]:
        allowed = [pa.Check.isin(list(column.allowed), error="allowed")] if column.allowed else []
        if column.kind not in PATTERNS:
            return allowed
        pattern = PATTERNS[column.kind] + (f"|{NOT_REACHED}" if column.not_reached else "")
        return [*allowed, pa.Check.str_matches(f"^(?:{pattern})$", error=column.kind)]

    cells = {
        column.name: pa.Column(
            str,
            checks(column),
            nullable=not column.required,
            required=column.required,
            title=column.name,
            description=column.description,
        )
        for column in columns
    }
    return pa.DataFrameSchema(cells, name=name)


def conforms(columns: Sequence[Column], rows: Sequence[Row]) -> bool:
    """Test that every cell agrees with its column; most tables do, and pandera, which takes 0.5 s, is not loaded."""
    return all(_agrees(column, row.get(column.name, "")) for row in rows for column in columns)


def _agrees(column: Column, text: str) -> bool:
    if not text:
        return not column.required
    return is_valid(column, text) or (column.not_reached and text == NOT_REACHED)


def check_schema(table: str, columns: Sequence[Column], rows: Sequence[Row]) -> list[Fault]:
    """Check cells against their columns: required cells, numbers, allowed values.

    Parameters
    ----------
    table : str
        Name of the table, for messages.
    columns : sequence of Column
    rows : sequence of Row

    Returns
    -------
    list of Fault
    """
    if conforms(columns, rows):
        return []
    import pandera.pandas as pa

    by_name = {column.name: column for column in columns}
    present = {name for row in rows for name in row}
    frame = pd.DataFrame(
        {name: pd.Series([row.get(name) or None for row in rows], dtype="str") for name in by_name if name in present}
    )
    for name, column in by_name.items():
        if column.required and name not in frame:
            frame[name] = pd.Series([None] * len(rows), dtype="str")
    try:
        schema_of(table, columns).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        failures = errors.failure_cases
    else:
        return []
    faults = []
    for failure in failures.itertuples():
        row, column = rows[int(failure.index)], by_name[str(failure.column)]
        if failure.check == "not_nullable":
            code, rule, fix = "E007", f"{column.name} is required", f"fill the cell: {column.description}"
        elif str(failure.check).startswith("allowed"):
            code, rule = "E009", "this is not an allowed value"
            fix = remedy_of_value(column, row.get(column.name, ""))
        else:
            code, rule = "E008", f"this is not a{'n' if column.kind == 'integer' else ''} {column.kind}"
            fix = FIXES[column.kind] + (", or NR if it was not reached" if column.not_reached else "")
            hint = remedy(row.get(column.name, ""), column.name)
            fix = f"{hint} Otherwise {fix}" if hint.endswith("?") else "; ".join(filter(None, (fix, hint)))
        faults.append(fault(code, row, column.name, rule, fix))
    return faults
