"""One row as it stands in a file, and the one way to say that something is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, overload

from surrogacy.errors import Fault, Severity

SEVERITIES: dict[str, Severity] = {"E": "error", "W": "warning", "I": "info"}


@dataclass(frozen=True, eq=False, slots=True)
class Row(Mapping[str, str]):
    """Cells by column, with the place where each of them was written.

    Reading completes the cells; the rules only look at them.

    Parameters
    ----------
    file : str
        Name for messages.
    line : int
        Line on which the row starts; 0 = none.
    cells : dict of str
        Text by column; a missing column is an empty cell.
    headings : dict of str
        Heading under which a user wrote a column; a curated table has its columns as headings.
    lines : dict of int
        Lines of cells that come from another line than the row.
    logarithms : list of str
        Columns whose cell was derived from a printed logarithm.
    role : {"surrogate", "final", ""}
        Role of the endpoint, as a user's table gives it.
    presumed : str
        Role that stands in the heading of a hazard ratio instead of an endpoint.
    """

    file: str
    line: int = 0
    cells: dict[str, str] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    logarithms: list[str] = field(default_factory=list)
    role: Literal["surrogate", "final", ""] = ""
    presumed: str = ""

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def __contains__(self, column: object) -> bool:
        return column in self.cells

    @overload
    def get(self, column: str, /) -> str | None: ...
    @overload
    def get(self, column: str, /, default: str) -> str: ...
    @overload
    def get[T](self, column: str, /, default: T) -> str | T: ...
    def get(self, column: str, /, default: object = None) -> object:
        """Return a cell, or the default; that of Mapping goes by an exception, and the rules ask millions of times."""
        return self.cells.get(column, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def heading(self, column: str) -> str:
        """Return the heading under which a cell was written."""
        return self.headings.get(column, column)

    def place(self, column: str = "") -> str:
        """Return file and line of the row, or of a cell."""
        return f"{self.file}:{self.lines.get(column, self.line)}"

    def write(self, column: str, text: str, heading: str) -> None:
        """Write a cell with the heading that it comes from."""
        self.cells[column] = text
        self.headings[column] = heading

    def with_cells(self, **cells: str) -> Row:
        """Return the row with other cells."""
        return replace(self, cells={**self.cells, **cells})


def fault(
    code: str, row: Row, column: str, rule: str, fix: str, severity: Severity | None = None, value: str | None = None
) -> Fault:
    """Return a fault of a cell, a row or a file.

    Parameters
    ----------
    code : str
        Its first letter gives the severity: E, W or I.
    row : Row
        ``Row(file)`` or ``Row(file, line)`` for what is about no row of cells.
    column : str
        Empty: the whole row.
    rule, fix : str
    severity : {"error", "warning", "info"}, optional
        Another one than that of the code.
    value : str, optional
        What stands in the cell, where the row does not hold it.
    """
    owner = f"{row.get('comparison', '')} {row.get('endpoint', row.get('arm', ''))}".strip()
    line = row.lines.get(column, row.line)
    text = row.get(column, "") if value is None else value
    return Fault(code, severity or SEVERITIES[code[0]], row.file, line, owner, row.heading(column), text, rule, fix)
