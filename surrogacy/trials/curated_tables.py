"""Files of the curated tables: their folder, their completeness, and the references between their rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from surrogacy.errors import DataError, Fault
from surrogacy.trials.columns import OPTIONAL_EFFECTS, OPTIONAL_TABLES, TABLES, Column
from surrogacy.trials.files import read_bytes, read_table
from surrogacy.trials.rows import Row, fault

# a line of sha256sum: the digest, then two blanks, or a blank and * for a file in binary mode
SUM_LINE = re.compile(r"([0-9A-Fa-f]{64})\s+\*?(?:\./)?(.+)")


def shipped_tables() -> Path:
    """Return the folder of the shipped tables, in a wheel or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    wheel = package / "_data" / "trials"
    return wheel if wheel.is_dir() else package.parent / "data" / "trials"


def read_curated_rows(folder: Path, name: str, columns: Sequence[Column]) -> list[Row]:
    """Return the rows of a curated table, which must have exactly the known columns.

    Parameters
    ----------
    folder : Path
    name : str
        ``trials``, ``effects``, ``arms`` or ``at_risk``.
    columns : sequence of Column
    """
    path = folder / f"{name}.csv"
    if name in OPTIONAL_TABLES and not path.is_file():
        return []
    refuse_pipe(path)
    # messages name a shipped file by its place in the project, not by its place of installation
    shown = f"data/trials/{name}.csv" if folder == shipped_tables() else None
    table = read_table(path, shown, complete=True).lower_case()
    known = {column.name for column in (*columns, *(OPTIONAL_EFFECTS if name == "effects" else ()))}
    header, fix = Row(table.file, 1), "rename or remove it; see CODEBOOK.md"
    unknown = [column for column in table.columns if column not in known]
    faults = [fault("E004", header, column, "the tables have no column of this name", fix) for column in unknown]
    faults += [
        fault("E005", header, column.name, "this column is missing", f"add it: {column.description}")
        for column in columns
        if column.required and column.name not in table.columns
    ]
    if faults:
        raise DataError(faults)
    return list(table.rows)


def refuse_pipe(path: Path) -> None:
    """Refuse a pipe or a device in a folder of tables, because reading it may never end.

    Raises
    ------
    DataError
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataError([fault("E001", Row(str(path)), "", "this is a pipe or a device", "replace it by a file")])


def changed_files(folder: Path) -> list[Fault]:
    """W137: tables and sets agree with SHA256SUMS; E014: their last line is complete."""
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        return []
    lines = read_bytes(sums, str(sums)).decode("utf-8", "replace").splitlines()
    matches = [match for line in lines if (match := SUM_LINE.fullmatch(line.strip())) is not None]
    listed = {match[2]: match[1].lower() for match in matches}
    tables = [
        path
        for path in (*(folder / f"{table}.csv" for table in TABLES), *(folder / "sets").glob("*.csv"))
        if path.is_file()
    ]
    names = {path.relative_to(folder).as_posix() for path in tables}
    faults = []
    for name in sorted(names | {name for name in listed if name.endswith(".csv")}):
        path = folder / name
        if name not in listed:
            if "/" in name:
                continue  # a set that the user added
            rule = f"{name} is not listed: the file is incomplete, or not a list of checksums"
            fix = "copy SHA256SUMS again, write a new one with sha256sum, or delete it"
            faults.append(fault("W137", Row(str(sums)), "", rule, fix))
            continue
        if name not in names:
            rule = "SHA256SUMS lists this file, but it is missing"
            fix = "copy it again, or remove its line from SHA256SUMS"
            faults.append(fault("W137", Row(str(path)), "", rule, fix))
            continue
        raw = read_bytes(path, str(path))
        if not raw or hashlib.sha256(raw).hexdigest() == listed[name]:
            continue
        if not raw.endswith(b"\n"):
            rule = "the last line is incomplete, and the checksum differs from SHA256SUMS"
            faults.append(fault("E014", Row(str(path), raw.count(b"\n") + 1), "", rule, "copy the file again"))
        else:
            rule = "the checksum differs from SHA256SUMS: the file was edited or damaged"
            fix = "if it was edited on purpose, write its new checksum into SHA256SUMS, or delete SHA256SUMS"
            faults.append(fault("W137", Row(str(path)), "", rule, fix))
    return faults


def check_columns(rows: dict[str, list[Row]]) -> list[Fault]:
    """Check the cells against their columns, identifiers for duplicates, and references between the tables."""
    from surrogacy.trials.schema import check_schema

    faults = [fault for name, columns in TABLES.items() for fault in check_schema(name, columns, rows[name])]
    for table, key in (("trials", "comparison"), ("effects", "effect_id")):
        seen: dict[str, Row] = {}
        for row in rows[table]:
            first = seen.setdefault(row[key], row)
            if first is not row and row[key]:
                rule = f"this identifier occurs twice (first at {first.place()})"
                faults.append(fault("E006", row, key, rule, "give each row a different identifier"))
    known = {row["comparison"] for row in rows["trials"]}
    for table in ("effects", "arms", "at_risk"):
        for row in rows[table]:
            if row["comparison"] and row["comparison"] not in known:
                rule = "trials.csv has no comparison of this name"
                faults.append(fault("E006", row, "comparison", rule, "correct the name, or add the trial"))
    return faults
