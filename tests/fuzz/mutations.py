"""Mutations of sound tables: cells, columns, rows, separators and bytes, as Hypothesis strategies."""

from __future__ import annotations

import io
from dataclasses import dataclass

import openpyxl
from hypothesis import strategies as st

WIDE = (
    "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,p_pfs,hr_os,ci_low_os,ci_high_os,stage,rho_within,ci_level",
    "A,150,148,0.66,0.51,0.85,0.001,0.90,0.68,1.19,advanced,0.5,0.95",
    "B,250,248,0.76,0.61,0.95,0.014,0.92,0.74,1.15,intermediate,,0.95",
    "C,350,348,0.56,0.46,0.68,<0.001,0.80,0.65,0.98,advanced,0.4,90%",
    "D,120,118,0.86,0.64,1.16,0.31,1.02,0.75,1.39,,,",
)
ONE_CELL = (
    "Study,n.e,n.c,PFS HR (95% CI),OS HR (95% CI),median_pfs_ctl,median_pfs_exp,median_os_ctl,median_os_exp,notes",
    "A,150,148,0.66 (0.51-0.85),0.90 (0.68-1.19),5.1,7.2,12.0,13.1,x",
    "B,250,248,0.76 [0.61 to 0.95],0.92 (0.74-1.15),4.0,5.0,10.1 (8.0-12.1),11,",
    "C,350,348,0.56 (0.46-0.68),0.80 (0.65-0.98),3,4,9,NR,",
)
LONG = (
    "trial,comparison,endpoint,n1i,n2i,yi,vi,control_group,evidence",
    "A,A1,PFS,150,148,-0.42,0.017,pbo,primary",
    "A,A1,OS,150,148,-0.11,0.020,pbo,primary",
    "A,A2,PFS,150,148,-0.30,0.018,pbo,primary",
    "A,A2,OS,150,148,-0.05,0.021,pbo,primary",
    "B,B,PFS,200,210,-0.27,0.013,,secondary",
    "B,B,OS,200,210,-0.08,0.013,,",
)
TEMPLATES = tuple(tuple(tuple(line.split(",")) for line in table) for table in (WIDE, ONE_CELL, LONG))

NASTY = (
    "",
    " ",
    "0",
    "-1",
    "1e400",
    "-1e400",
    "nan",
    "inf",
    "NR",
    "NA",
    ".",
    "-",
    "0,62",
    "62%",
    "0.5 (0.4-0.6)",
    "0.5 (90% CI 0.4-0.6)",
    "0.5 [0.4; 0.6",
    "(",
    "=1+1",
    "@x",
    "+1",
    "-2+3",
    "$x$",
    "[b]",
    "|",
    "\\",
    "'",
    "\u2212",
    "\u00b7",
    "\u202e",
    "\x00",
    "\x07",
    "\n",
    "\ud7ff",
    "1" * 400,
    "9" * 20_000,
    "x" * 140_000,
    "(" * 300,
    "0.5 " * 60,
    "0.66-" * 50,
    "p" * 200,
    "true",
    "1/2",
    "1.0",
    "0.999999999999",
    "1e-320",
    "95%",
    "5%",
    "12-May",
    "\u0661\u0662",
    "\u4e2d\u6587",
    "\U0001f600",
    "a/b",
    "../x",
    "nul",
    "A",
    "OS",
    "PFS",
    "intermediate",
    "median_os_ctl",
    "hr_os",
    "ci_low_os",
    "trial",
    "n",
    "hr",
    "se",
    "endpoint",
    "surrogate",
    "HR OS AFP low",
    "p value " * 30,
)
cells = st.one_of(st.sampled_from(NASTY), st.text(max_size=12), st.floats().map(repr), st.integers().map(str))


@dataclass(frozen=True)
class Mutation:
    """Change of one cell, row or column."""

    kind: str
    row: int
    column: int
    value: str


mutations = st.builds(
    Mutation,
    st.sampled_from(
        (
            "cell",
            "cell",
            "cell",
            "heading",
            "drop row",
            "drop column",
            "repeat row",
            "repeat column",
            "shorten",
            "lengthen",
        )
    ),
    st.integers(0, 6),
    st.integers(0, 12),
    cells,
)


def mutate(rows: tuple[tuple[str, ...], ...], changes: list[Mutation]) -> list[list[str]]:
    table = [list(row) for row in rows]
    for change in changes:
        if not table or not table[0]:
            break
        i, j = change.row % len(table), change.column % len(table[0])
        match change.kind:
            case "cell" if j < len(table[i]):
                table[i][j] = change.value
            case "heading":
                table[0][j] = change.value
            case "drop row":
                del table[i]
            case "drop column":
                table = [row[:j] + row[j + 1 :] for row in table]
            case "repeat row":
                table.append(list(table[i]))
            case "repeat column":
                table = [[*row, row[j]] if j < len(row) else row for row in table]
            case "shorten":
                table[i] = table[i][:j]
            case "lengthen":
                table[i] = [*table[i], change.value]
    return table


def as_csv(table: list[list[str]], delimiter: str, quote: bool, encoding: str) -> bytes:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quote else text

    return "\n".join(delimiter.join(cell(text) for text in row) for row in table).encode(encoding, "replace")


def as_workbook(table: list[list[str]], numbers: bool) -> bytes:
    book = openpyxl.Workbook()
    for i, row in enumerate(table, start=1):
        for j, text in enumerate(row, start=1):
            legal = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", text)[:32_000]
            try:
                book.active.cell(i, j, float(legal) if numbers and abs(float(legal)) < 1e300 else legal)
            except ValueError:
                book.active.cell(i, j, legal)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def damage(raw: bytes, places: list[tuple[int, int]], keep: float) -> bytes:
    """Overwrite bytes, and cut the file off after a share of its length."""
    changed = bytearray(raw[: max(1, round(len(raw) * keep))])
    for place, byte in places if changed else ():
        changed[place % len(changed)] = byte
    return bytes(changed)


bytes_at = st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4)
csv_files = st.builds(
    lambda template, changes, delimiter, quote, encoding, places, keep: damage(
        as_csv(mutate(template, changes), delimiter, quote, encoding), places, keep
    ),
    st.sampled_from(TEMPLATES),
    st.lists(mutations, min_size=1, max_size=5),
    st.sampled_from((",", ",", ";", "\t")),
    st.booleans(),
    st.sampled_from(("utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16")),
    st.one_of(st.just([]), bytes_at),
    st.sampled_from((1.0, 1.0, 1.0, 0.7)),
)
workbook_files = st.builds(
    lambda template, changes, numbers, places, keep: damage(
        as_workbook(mutate(template, changes), numbers), places, keep
    ),
    st.sampled_from(TEMPLATES),
    st.lists(mutations, min_size=1, max_size=4),
    st.booleans(),
    st.one_of(st.just([]), st.just([]), bytes_at),
    st.sampled_from((1.0, 1.0, 1.0, 0.8)),
)
