"""Table to fill in with trials: its columns, two examples, and the explanation of each column.

The columns are those of `surrogacy.trials.columns`; the examples are rows of the shipped tables, and are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from surrogacy.errors import DataError, Fault
from surrogacy.trials.columns import ARMS, EFFECTS, SURROGATES, TABLES, TRIALS, Column
from surrogacy.trials.curated_tables import read_curated_rows, shipped_tables
from surrogacy.trials.files import Table
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.user_tables.headings import interpret_heading

EXAMPLE = "EXAMPLE "  # begins the name of a trial in a row that is not read
EXAMPLES = ("tactics", "launch")  # comparisons of the shipped tables
Entry = Literal["required", "recommended", "optional"]
ENTRIES: dict[str, Entry] = {
    **dict.fromkeys(("trial", "hr_surrogate"), "required"),
    **dict.fromkeys(("stage", "n_exp", "n_ctl", "surrogate", "hr_os"), "recommended"),
    **dict.fromkeys(("ci_low_surrogate", "ci_high_surrogate", "ci_low_os", "ci_high_os"), "recommended"),
}
NOTES = (
    "Write one row per comparison of an experimental arm with a control arm.",
    "A hazard ratio below 1 favours the experimental arm.",
    "Leave a cell empty if the source does not report the value. Write NR for a median that was not reached.",
    f"Rows whose trial begins with {EXAMPLE.strip()} are not read. Delete them, or write your trials below them.",
    "Columns may be deleted, moved or added. The names of the headings decide, not their order.",
)
EXPLANATION_HEADINGS = ("column", "content", "unit", "allowed values", "entry")


@dataclass(frozen=True)
class TemplateColumn:
    """Column of the table to fill in.

    Parameters
    ----------
    heading : str
    column : Column
        Its description in the trial tables.
    description : str
        Content for readers.
    """

    heading: str
    column: Column
    description: str

    @property
    def entry(self) -> Entry:
        """Return whether the column is required, recommended or optional."""
        return ENTRIES.get(self.heading, "optional")

    @property
    def unit(self) -> str:
        """Return the unit of a number; empty if there is none."""
        if self.heading.startswith("median"):
            return "months"
        if self.heading in ("n_exp", "n_ctl"):
            return "patients"
        return "ratio" if self.heading.startswith(("hr_", "ci_low_", "ci_high_")) else ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Return the permitted values; empty = any."""
        return self.column.allowed


def _column(columns: Sequence[Column], name: str) -> Column:
    return next(column for column in columns if column.name == name)


def _trial(name: str, description: str = "") -> TemplateColumn:
    column = _column(TRIALS, name)
    return TemplateColumn(name, column, description or column.description)


def _effect(name: str, endpoint: str) -> TemplateColumn:
    column = _column(EFFECTS, name)
    words = "Surrogate endpoint" if endpoint == "surrogate" else endpoint.upper()
    description = column.description[0].lower() + column.description[1:]
    return TemplateColumn(f"{name}_{endpoint}", column, f"{words}: {description}")


def _median(endpoint: str, arm: str) -> TemplateColumn:
    column = _column(ARMS, "median_os" if endpoint == "os" else "median_pfs")
    words = "experimental" if arm == "exp" else "control"
    name = "OS" if endpoint == "os" else "the surrogate endpoint"
    return TemplateColumn(
        f"median_{endpoint}_{arm}", column, f"Median of {name} in the {words} arm, months; NR = not reached"
    )


TEMPLATE_COLUMNS = (
    _trial("trial", "Name of the trial, as it is to appear in figures and tables"),
    *(_trial(name) for name in ("stage", "line", "class", "experimental", "control", "n_exp", "n_ctl")),
    TemplateColumn(
        "surrogate",
        replace(_column(EFFECTS, "endpoint"), allowed=(*SURROGATES, "TTUP", "DFS", "RFS")),
        "Surrogate endpoint of the row; another endpoint may be named",
    ),
    *(_effect(name, endpoint) for endpoint in ("surrogate", "os") for name in ("hr", "ci_low", "ci_high", "p")),
    *(_median(endpoint, arm) for endpoint in ("surrogate", "os") for arm in ("exp", "ctl")),
    _trial("comparison", "Name of the comparison, if the trial has several"),
    *(_trial(name) for name in ("control_group", "registry", "year")),
    TemplateColumn("doi", _column(EFFECTS, "doi"), "DOI of the publication of the hazard ratios"),
    TemplateColumn("evidence", _column(EFFECTS, "evidence"), _column(EFFECTS, "evidence").description),
    TemplateColumn("notes", _column(EFFECTS, "notes"), "Remarks; they are not analysed"),
)


def example_rows() -> tuple[dict[str, str], ...]:
    """Return the examples: cells by heading, from the shipped tables."""
    folder = shipped_tables()
    trials, effects, arms = (read_curated_rows(folder, name, TABLES[name]) for name in ("trials", "effects", "arms"))
    examples = []
    for comparison in EXAMPLES:
        about = next(row for row in trials if row["comparison"] == comparison)
        preferred = [row for row in effects if row["comparison"] == comparison and row["preferred"] == "true"]
        surrogate = next(row for name in SURROGATES for row in preferred if row["endpoint"] == name)
        final = next(row for row in preferred if row["endpoint"] == "OS")
        of_arm = {row["arm"]: row for row in arms if row["comparison"] == comparison and row["preferred"] == "true"}
        cells = {column.heading: about.get(column.heading, "") for column in TEMPLATE_COLUMNS}
        for endpoint, effect in (("surrogate", surrogate), ("os", final)):
            cells |= {f"{name}_{endpoint}": effect[name] for name in ("hr", "ci_low", "ci_high", "p")}
        for arm, row in of_arm.items():
            cells |= {f"median_surrogate_{arm}": row["median_pfs"], f"median_os_{arm}": row["median_os"]}
        cells |= {"trial": EXAMPLE + about["label"], "surrogate": surrogate["endpoint"], "comparison": "", "notes": ""}
        examples.append({**cells, **{name: surrogate[name] for name in ("doi", "evidence")}})
    return tuple(examples)


def explanation_rows() -> tuple[tuple[str, ...], ...]:
    """Return heading, content, unit, allowed values and entry of each column."""
    return tuple(
        (column.heading, column.description, column.unit, ", ".join(column.allowed), column.entry)
        for column in TEMPLATE_COLUMNS
    )


def without_examples(table: Table) -> tuple[Table, list[Fault]]:
    """Return a table without the rows of examples; I148 for each, W148 if it was changed.

    Raises
    ------
    DataError
        If the table has no other row.
    """
    headings = {column: heading for column in table.columns if (heading := interpret_heading(column)) is not None}
    names = [column for column, heading in headings.items() if heading.quantity == "trial"]
    examples = [row for row in table.rows if any(row[name].startswith(EXAMPLE) for name in names)]
    if not examples:
        return table, []
    if len(examples) == len(table.rows):
        rule = "the table has no trials but the examples of the template, which are not read"
        fix = f"write your trials below the examples, under names that do not begin with {EXAMPLE.strip()}"
        raise DataError([fault("E001", Row(table.file, examples[0].line), "", rule, fix)])
    original = [{text for text in cells.values() if text} for cells in example_rows()]
    remarks = []
    for row in examples:
        changed = not any({text for text in row.values() if text} <= texts for texts in original)
        rule = f"this row is an example of the template{', with other values,' if changed else ''} and is not read"
        fix = "if it is a trial of yours, give it its name; otherwise delete the row"
        remarks.append(fault("W148" if changed else "I148", row, names[0], rule, fix))
    kept = tuple(row for row in table.rows if not any(row is example for example in examples))
    return replace(table, rows=kept), remarks
