"""Row of a file, and the faults of its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, overload

from surrogacy.errors import Fault, Severity

SEVERITIES: dict[str, Severity] = {"E": "error", "W": "warning", "I": "info"}


@dataclass(frozen=True, eq=False, slots=True)
class Row(Mapping[str, str]):
    """Cells by column, with the place of each cell.

    The cells are completed while the file is read; the rules do not change them.

    Parameters
    ----------
    file : str
        Name for messages.
    line : int
        Line on which the row starts; 0 = no line.
    cells : dict of str
        Text by column; a missing column is an empty cell.
    headings : dict of str
        Headings in the user's file by column; empty for a curated table.
    lines : dict of int
        Lines of cells that come from another line.
    logarithms : list of str
        Columns whose cell was derived from a printed logarithm.
    role : {"surrogate", "final", ""}
        Role of the endpoint in a user's table.
    presumed : str
        Role that the heading of a hazard ratio gives instead of an endpoint.
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
        """Return a cell, or the default; ``Mapping.get`` raises an exception first, which is too slow here."""
        return self.cells.get(column, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)

    def heading(self, column: str) -> str:
        """Return the heading of a column in the user's file."""
        return self.headings.get(column, column)

    def place(self, column: str = "") -> str:
        """Return file and line of the row, or of a cell."""
        return f"{self.file}:{self.lines.get(column, self.line)}"

    def write(self, column: str, text: str, heading: str) -> None:
        """Write a cell and the heading of its column."""
        self.cells[column] = text
        self.headings[column] = heading

    def with_cells(self, **cells: str) -> Row:
        """Return the row with changed cells."""
        return replace(self, cells={**self.cells, **cells})


def fault(
    code: str, row: Row, column: str, rule: str, fix: str, severity: Severity | None = None, value: str | None = None
) -> Fault:
    """Make a fault of a cell, a row or a file.

    Parameters
    ----------
    code : str
        The first letter is the default severity: E, W or I.
    row : Row
        ``Row(file)`` or ``Row(file, line)`` if the fault is not about cells.
    column : str
        Empty for the whole row.
    rule, fix : str
    severity : {"error", "warning", "info"}, optional
    value : str, optional
        Content of the cell; default: that of the row.
    """
    owner = f"{row.get('comparison', '')} {row.get('endpoint', row.get('arm', ''))}".strip()
    line = row.lines.get(column, row.line)
    text = row.get(column, "") if value is None else value
    return Fault(code, severity or SEVERITIES[code[0]], row.file, line, owner, row.heading(column), text, rule, fix)
