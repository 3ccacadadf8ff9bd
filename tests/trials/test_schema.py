"""Cells against their columns: the rule that is applied first agrees with pandera."""

import subprocess
import sys

import pandas as pd
import pandera.pandas as pa
import pytest

from surrogacy.trials.columns import TABLES
from surrogacy.trials.rows import Row
from surrogacy.trials.schema import check_schema, conforms, schema_of
from tests.support.pinned_tables import PINNED_TABLES

TEXTS = ("", "NR", "12", "12.0", "-0.5", "1e3", ".5", "1,5", "true", "True", "2024-05", "advanced", "PFS", "x", "٣")


@pytest.mark.parametrize("table", TABLES)
def test_cells_agree_with_pandera(table):
    columns = TABLES[table]
    rows = [Row("table.csv", line, {column.name: text for column in columns}) for line, text in enumerate(TEXTS)]
    frame = pd.DataFrame({column.name: pd.Series([text or None for text in TEXTS], dtype="str") for column in columns})
    with pytest.raises(pa.errors.SchemaErrors) as errors:
        schema_of(table, columns).validate(frame, lazy=True)
    cases = errors.value.failure_cases
    refused = {(column.name, row.line) for column in columns for row in rows if not conforms([column], [row])}
    assert refused == set(zip(cases["column"], cases["index"], strict=True))


def test_a_required_column_that_is_missing():
    columns = TABLES["trials"]
    assert not conforms(columns, [Row("trials.csv", 2, {})])
    assert {fault.code for fault in check_schema("trials", columns, [Row("trials.csv", 2, {})])} == {"E007"}


def test_pandera_is_not_loaded_for_a_table_without_faults():
    code = f"import sys, surrogacy; surrogacy.read_trials({str(PINNED_TABLES)!r}); print('pandera' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
