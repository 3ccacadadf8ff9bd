"""Medians of each arm in a user's table, arranged as rows of arms.csv.

In wide and long tables, ``median_os_ctl``, ``median_pfs_exp_low``, ``mttp_exp``, ``median_pps_ctl`` ... belong to the
comparison of their row. In long tables, ``median_ctl``, ``median_exp_high`` ... belong to the endpoint of their row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from surrogacy.results.endpoint_names import FINAL, SURROGATE
from surrogacy.trials.cell_forms import plain_form
from surrogacy.trials.cells import LONGEST_NUMBER, NUMBER, squash
from surrogacy.trials.columns import ENDPOINTS, EVIDENCE, EVIDENCE_ALIASES, SURROGATES
from surrogacy.trials.files import Table
from surrogacy.trials.rows import Row
from surrogacy.trials.user_tables.headings import Heading

ARMS = ("ctl", "exp")
NOT_REACHED = ("nr", "notreached", "notyetreached", "nyr", "ne", "notestimable", "notevaluable")
NOT_STATED = frozenset(("", "na", "n/a", "#n/a", "n.a.", "nan", ".", "-", "--", "\u2013", "\u2014", "?"))
_VALUE = rf"{NUMBER}|[A-Za-z][A-Za-z. ]*"
_WITH_LIMITS = re.compile(
    rf"\s*({_VALUE}?)\s*[(\[]\s*(?:95\s*%\s*(?:CI)?\s*[,:]?\s*)?"
    rf"({_VALUE}?)\s*(?:[-\u2010-\u2015,;/]|\bto\b)\s*({_VALUE}?)\s*[)\]]\s*"
)


@dataclass(frozen=True)
class _Cell:
    arm: str
    endpoint: str  # OS, PPS, or a progression endpoint
    named: str  # endpoint that the column names
    quantity: str  # column of arms.csv
    value: str
    column: str
    about: Row  # row for trials.csv from the same line


def arm_rows(table: Table, columns: Mapping[str, Heading], trials: Sequence[Row], effects: Sequence[Row]) -> list[Row]:
    """Return rows for arms.csv; the preferred row of an arm has its OS and its first progression endpoint.

    A median that is given twice results in two preferred rows, which the rules report.

    Parameters
    ----------
    table : Table
    columns : mapping of column to Heading
        Columns with medians.
    trials : sequence of Row
        Row for trials.csv of each line of the table.
    effects : sequence of Row
        Rows for effects.csv of the table.
    """
    on_line: dict[int, list[Row]] = {}
    endpoints: dict[str, list[str]] = {}
    for effect in effects:
        on_line.setdefault(effect.line, []).append(effect)
        if effect.role != FINAL:
            endpoints.setdefault(effect["comparison"], []).append(effect.get("endpoint", ""))
    cells: dict[str, list[_Cell]] = {}
    for row, about in zip(table.rows, trials, strict=True):
        comparison, line = about["comparison"], about.line
        row_endpoint = next((effect.get("endpoint", "") for effect in on_line.get(line, ())), "")
        for column, heading in columns.items():
            if row[column].lower() not in NOT_STATED:
                value = plain_form(row[column], "median")
                endpoint = _endpoint(heading, row_endpoint, endpoints.get(comparison, ()))
                cells.setdefault(comparison, []).extend(_cells(column, heading, value, about, endpoint))
    arms: list[Row] = []
    for comparison, medians in cells.items():
        ranked = _ranked(medians)
        for arm in ARMS:
            slots: dict[int, list[Row]] = {}
            for cell in (cell for cell in medians if cell.arm == arm):
                slot = 0 if cell.endpoint in ("OS", "PPS") else ranked.index(cell.endpoint)
                _put(slots.setdefault(slot, []), cell, comparison, preferred=slot == 0)
            arms += [row for slot in sorted(slots) for row in slots[slot]]
    definition = next((column for column in table.columns if squash(column) == "ppsdefinition"), "")
    definitions = {about.line: row.get(definition, "") for row, about in zip(table.rows, trials, strict=True)}
    for arm_row in arms:
        lines = set(arm_row.lines.values())
        used = [effect.get("evidence", "") for line in lines for effect in on_line.get(line, ())]
        arm_row.cells["evidence"] = weakest([EVIDENCE_ALIASES.get(word, word) for word in used])
        if "median_pps" in arm_row:
            line = arm_row.lines["median_pps"]
            arm_row.write("pps_definition", definitions[line] or "reported", definition or "pps_definition")
            arm_row.lines["pps_definition"] = line
    return arms


def weakest(evidence: Sequence[str]) -> str:
    """Return the weakest of several levels of evidence; empty and unknown ones are ignored."""
    return max((word for word in evidence if word in EVIDENCE), key=EVIDENCE.index, default="")


def _endpoint(heading: Heading, row_endpoint: str, endpoints: Sequence[str]) -> str:
    """Return the endpoint of a median; ``pfs`` and ``surrogate`` mean the surrogate endpoint of the comparison."""
    progression = [name for name in SURROGATES if name in endpoints]
    progression += [name for name in endpoints if name not in ("OS", "final", *SURROGATES)]
    if not heading.endpoint:
        return "OS" if row_endpoint == "final" else row_endpoint
    if heading.endpoint == "final":
        return "OS"
    if heading.endpoint == SURROGATE or (heading.endpoint == "PFS" and "PFS" not in endpoints):
        return next((name for name in progression if heading.endpoint == SURROGATE or name != SURROGATE), "PFS")
    return heading.endpoint


def _cells(column: str, heading: Heading, value: str, about: Row, endpoint: str) -> Iterator[_Cell]:
    if not endpoint:  # the rules for the hazard ratio report a missing endpoint
        return
    base = "median_" + {"OS": "os", "PPS": "pps"}.get(endpoint, "pfs")
    single = heading.bound or endpoint == "PPS" or len(value) > LONGEST_NUMBER
    match = None if single else _WITH_LIMITS.fullmatch(value)
    parts = {heading.bound: value} if match is None else dict(zip(("", "low", "high"), match.groups(), strict=True))
    for limit, text in parts.items():
        if text:
            quantity = f"{base}_{limit}" if limit else base
            yield _Cell(heading.arm, endpoint, heading.endpoint, quantity, _not_reached(text), column, about)


def _not_reached(value: str) -> str:
    return "NR" if re.sub(r"[^a-z]", "", value.lower()) in NOT_REACHED and not re.search(r"\d", value) else value


def _ranked(cells: Sequence[_Cell]) -> list[str]:
    """Return the progression endpoints of a comparison, those of both arms first."""
    arms: dict[str, set[str]] = {}
    for cell in cells:
        if cell.endpoint not in ("OS", "PPS"):
            arms.setdefault(cell.endpoint, set()).add(cell.arm)
    order = (*SURROGATES, *ENDPOINTS, *arms)
    return sorted(arms, key=lambda name: (-len(arms[name]), order.index(name)))


def _put(rows: list[Row], cell: _Cell, comparison: str, *, preferred: bool) -> None:
    """Write a cell into the last row, or into a new row if the last one has another value."""
    if not rows or rows[-1].get(cell.quantity, cell.value) != cell.value:
        names = {"label": "control" if cell.arm == "ctl" else "experimental", "n": f"n_{cell.arm}"}
        taken = {name: cell.about[column] for name, column in names.items() if cell.about.get(column)}
        cells = {"comparison": comparison, "arm": cell.arm, "preferred": str(preferred).lower(), **taken}
        rows.append(Row(cell.about.file, cell.about.line, cells))
    if cell.quantity in rows[-1]:
        return
    rows[-1].write(cell.quantity, cell.value, cell.column)
    rows[-1].lines[cell.quantity] = cell.about.line
    if cell.quantity.startswith("median_pfs"):
        rows[-1].cells.update(pfs_endpoint=cell.endpoint, named_endpoint=cell.named)
