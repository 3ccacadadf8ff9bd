"""Medians of each arm in a user's table: which columns hold them, and how they become rows of arms.csv.

Wide or long: ``median_os_ctl``, ``median_pfs_exp_low``, ``mttp_exp``, ``median_pps_ctl`` ... are about the comparison of their row. Long only:
``median_ctl``, ``median_exp_high`` ... are of the endpoint of their row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from surrogacy.trials.columns import ENDPOINTS, EVIDENCE, EVIDENCE_ALIASES, SURROGATES
from surrogacy.trials.reading import NUMBER, Row, Table

ARM_NAMES = {"ctl": ("ctl", "control", "ctrl", "c"), "exp": ("exp", "experimental", "treatment", "e")}
LIMIT_NAMES = {
    "low": ("low", "lower", "lo", "ll", "lcl", "cilb", "lb"),
    "high": ("high", "upper", "up", "hi", "ul", "ucl", "ciub", "ub"),
}
ENDPOINT_NAMES = {
    "os": "OS",
    "overallsurvival": "OS",
    "final": "OS",
    "pfs": "PFS",
    "progressionfreesurvival": "PFS",
    "tacepfs": "TACE-PFS",
    "ttp": "TTP",
    "timetoprogression": "TTP",
    "ttup": "TTUP",
    "surrogate": "surrogate",
    "pps": "PPS",
    "postprogressionsurvival": "PPS",
}
MEDIAN_NAMES = ("median", "med")
SAY_NOTHING = ("months", "month", "mo", "ci", "95", "limit")
NOT_REACHED = ("nr", "notreached", "notyetreached", "nyr", "ne", "notestimable", "notevaluable")
_VALUE = rf"{NUMBER}|[A-Za-z][A-Za-z. ]*"
_WITH_LIMITS = re.compile(
    rf"\s*({_VALUE}?)\s*[(\[]\s*(?:95\s*%\s*(?:CI)?\s*[,:]?\s*)?({_VALUE}?)\s*(?:[-\u2010-\u2015,;/]|\bto\b)\s*({_VALUE}?)\s*[)\]]\s*"
)


@dataclass(frozen=True)
class MedianColumn:
    """What a column with a median survival time, or a limit of one, is about.

    Parameters
    ----------
    arm : {"ctl", "exp"}
    endpoint : str
        One of `ENDPOINT_NAMES`' values; empty = the endpoint of the row.
    limit : {"", "low", "high"}
    """

    arm: str
    endpoint: str
    limit: str

    @property
    def needs_long(self) -> bool:
        """Whether only the row can say which endpoint the median is of."""
        return not self.endpoint


def median_column(column: str) -> MedianColumn | None:
    """What a column is about, in lower case; None if it holds no median of an arm.

    Parameters
    ----------
    column : str
        ``median_os_ctl``, ``mpfs_exp_low``, ``median tace-pfs (control)`` ...
    """
    tokens = [token for token in re.split(r"[^a-z0-9]+", column) if token and token not in SAY_NOTHING]
    arms, tokens = _take(tokens, ARM_NAMES)
    limits, tokens = _take(tokens, LIMIT_NAMES)
    words = [token for token in tokens if token not in MEDIAN_NAMES]
    name, said = "".join(words), len(words) < len(tokens)
    if not said and name.startswith("m"):  # mos, mpfs
        name, said = name[1:], name != "m"
    endpoint = ENDPOINT_NAMES.get(name, "")
    if len(arms) != 1 or len(limits) > 1 or not said or (name and not endpoint) or (endpoint == "PPS" and limits):
        return None
    return MedianColumn(arms[0], endpoint, limits[0] if limits else "")


def _take(tokens: Sequence[str], names: Mapping[str, tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """What is named among the tokens, and the other tokens."""
    meaning = {name: canonical for canonical, several in names.items() for name in several}
    return [meaning[token] for token in tokens if token in meaning], [token for token in tokens if token not in meaning]


@dataclass(frozen=True)
class _Cell:
    arm: str
    endpoint: str  # OS, PPS, or of progression
    named: str  # the endpoint that the column names
    quantity: str  # column of arms.csv
    value: str
    column: str
    about: Row  # the row of trials.csv from the same line


def arm_rows(table: Table, columns: Mapping[str, MedianColumn], trials: Sequence[Row], effects: Sequence[Row]) -> list[Row]:
    """Rows for arms.csv; the preferred one of an arm holds its OS and the first endpoint of progression.

    ``_column_x`` and ``_line_x`` of a row say where the user wrote quantity x. A median that is given twice makes two preferred rows, which the
    rules find.

    Parameters
    ----------
    table : Table
    columns : mapping of column to MedianColumn
    trials : sequence of dict
        Row for trials.csv of each line of the table.
    effects : sequence of dict
        Rows for effects.csv of the table.
    """
    of_comparison: dict[str, list[_Cell]] = {}
    for row, about in zip(table.rows, trials, strict=True):
        there = [effect.get("endpoint", "") for effect in effects if effect["comparison"] == about["comparison"]]
        own = next((effect.get("endpoint", "") for effect in effects if effect["_line"] == about["_line"]), "")
        cells = of_comparison.setdefault(about["comparison"], [])
        for column, meaning in columns.items():
            cells += _cells(column, meaning, row[column], about, _endpoint(meaning, own, there)) if row[column] else []
    found: list[Row] = []
    for comparison, cells in of_comparison.items():
        ranked = _ranked(cells)
        for arm in ARM_NAMES:
            slots: dict[int, list[Row]] = {}
            for cell in (cell for cell in cells if cell.arm == arm):
                slot = 0 if cell.endpoint in ("OS", "PPS") else ranked.index(cell.endpoint)
                _put(slots.setdefault(slot, []), cell, comparison, preferred=slot == 0)
            found += [row for slot in sorted(slots) for row in slots[slot]]
    definitions = {about["_line"]: row.get("pps_definition", "") for row, about in zip(table.rows, trials, strict=True)}
    for row in found:
        lines = {value for name, value in row.items() if name.startswith("_line_")}
        used = [effect.get("evidence", "") for effect in effects if effect["_line"] in lines]
        row["evidence"] = weakest([EVIDENCE_ALIASES.get(word, word) for word in used])
        if "median_pps" in row:
            row["pps_definition"] = definitions[row["_line_median_pps"]] or "reported"
            row["_column_pps_definition"], row["_line_pps_definition"] = "pps_definition", row["_line_median_pps"]
    return found


def weakest(evidence: Sequence[str]) -> str:
    """The weakest of several levels of evidence; one that is empty or unknown says nothing."""
    return max((word for word in evidence if word in EVIDENCE), key=EVIDENCE.index, default="")


def _endpoint(meaning: MedianColumn, own: str, there: Sequence[str]) -> str:
    """Endpoint of a median; ``pfs`` and ``surrogate`` are what the hazard ratios of the comparison are of."""
    progression = [name for name in SURROGATES if name in there] + [name for name in there if name not in ("OS", *SURROGATES)]
    if meaning.needs_long:
        return own
    if meaning.endpoint == "surrogate" or (meaning.endpoint == "PFS" and "PFS" not in there):
        return progression[0] if progression else "PFS"
    return meaning.endpoint


def _cells(column: str, meaning: MedianColumn, value: str, about: Row, endpoint: str) -> Iterator[_Cell]:
    if endpoint not in (*ENDPOINTS, "PPS"):  # the rules for the hazard ratio of this row name it
        return
    base = "median_" + {"OS": "os", "PPS": "pps"}.get(endpoint, "pfs")
    match = None if meaning.limit or endpoint == "PPS" else _WITH_LIMITS.fullmatch(value)
    parts = {meaning.limit: value} if match is None else dict(zip(("", "low", "high"), match.groups(), strict=True))
    for limit, text in parts.items():
        if text:
            quantity = f"{base}_{limit}" if limit else base
            yield _Cell(meaning.arm, endpoint, meaning.endpoint, quantity, _not_reached(text), column, about)


def _not_reached(value: str) -> str:
    return "NR" if re.sub(r"[^a-z]", "", value.lower()) in NOT_REACHED and not re.search(r"\d", value) else value


def _ranked(cells: Sequence[_Cell]) -> list[str]:
    """Progression endpoints of a comparison, those that both arms have first."""
    arms: dict[str, set[str]] = {}
    for cell in cells:
        if cell.endpoint not in ("OS", "PPS"):
            arms.setdefault(cell.endpoint, set()).add(cell.arm)
    order = (*SURROGATES, *ENDPOINTS)
    return sorted(arms, key=lambda name: (-len(arms[name]), order.index(name)))


def _put(rows: list[Row], cell: _Cell, comparison: str, *, preferred: bool) -> None:
    """Write a cell into the last row, or into a new one if another value stands there."""
    line = cell.about["_line"]
    if not rows or rows[-1].get(cell.quantity, cell.value) != cell.value:
        names = {"label": "control" if cell.arm == "ctl" else "experimental", "n": f"n_{cell.arm}"}
        taken = {name: cell.about[column] for name, column in names.items() if cell.about.get(column)}
        place = {"_file": cell.about["_file"], "_line": line}
        rows.append({"comparison": comparison, "arm": cell.arm, "preferred": str(preferred).lower(), **taken, **place})
    if cell.quantity in rows[-1]:
        return
    rows[-1] |= {cell.quantity: cell.value, f"_column_{cell.quantity}": cell.column, f"_line_{cell.quantity}": line}
    if cell.quantity.startswith("median_pfs"):
        rows[-1] |= {"pfs_endpoint": cell.endpoint, "_named_endpoint": cell.named}
