"""Inputs that must end in a message: tables, workbooks and sets, written anew for each test.

``python -m tests.support.fault_inputs FOLDER`` writes all of them.
"""

from __future__ import annotations

import datetime
import io
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
from openpyxl.chart import BarChart

HEADER = "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os"
ROWS = (
    "A,150,148,0.66,0.51,0.85,0.90,0.68,1.19",
    "B,250,248,0.76,0.61,0.95,0.92,0.74,1.15",
    "C,350,348,0.56,0.46,0.68,0.80,0.65,0.98",
    "D,120,118,0.86,0.64,1.16,1.02,0.75,1.39",
)


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def renamed(name: str) -> bytes:
    return table(ROWS[0].replace("A,", f"{name},", 1), *ROWS[1:])


TABLES: dict[str, bytes] = {
    "endpoint-empty.csv": table(
        "A,PFS,0.66,0.51,0.85",
        "A,,0.90,0.68,1.19",
        "B,PFS,0.76,0.61,0.95",
        "B,OS,0.92,0.74,1.15",
        header="trial,endpoint,hr,ci_low,ci_high",
    ),
    "infinite-ratio.csv": table(ROWS[0].replace("0.66", "1e400"), *ROWS[1:3]),
    "endless-patients.csv": table(ROWS[0].replace("150", "1" * 400), *ROWS[1:]),
    "no-patients-in-one.csv": table(ROWS[0], ROWS[1].replace("250,248", "0,0"), *ROWS[2:]),
    "three-equal-final-effects.csv": table(
        *(
            f"{t},{n},{n},{hr}"
            for t, n, hr in (
                ("A", 150, "0.66,0.51,0.85,0.90,0.70,1.16"),
                ("B", 250, "0.76,0.61,0.95,0.90,0.72,1.12"),
                ("C", 350, "0.56,0.46,0.68,0.90,0.74,1.09"),
                ("D", 120, "0.86,0.64,1.16,0.80,0.60,1.07"),
            )
        )
    ),
    "one-very-precise-trial.csv": table(
        "T0,150,150,0.88915351,0.88741251,0.89089793,0.82004136,0.81843568,0.82165019",
        "T1,150,150,0.5466676,0.40742071,0.73350583,0.76727745,0.57183693,1.029515",
        "T2,150,150,0.49415568,0.3682846,0.66304656,0.69791055,0.52013913,0.93644009",
        "T3,150,150,0.70734196,0.52716818,0.94909493,0.77396359,0.57681998,1.0384863",
        "T4,150,150,0.6,0.44,0.81,0.85,0.63,1.15",
        "T5,150,150,0.8,0.59,1.08,0.9,0.67,1.21",
    ),
    "slash-in-name.csv": renamed("A/B trial"),
    "dollar-in-name.csv": table(
        ROWS[0].replace("A,", r"$\frac{1}{$,", 1), ROWS[1].replace("B,", "$5 and $6,", 1), *ROWS[2:]
    ),
    "brackets-in-name.csv": renamed("[bold]A[/bold] [/]"),
    "bar-in-name.csv": renamed("A | B"),
    "formula-like-names.csv": table(
        ROWS[0].replace("A,", "=1+1,", 1), ROWS[1].replace("B,", "@SUM(A1),", 1), *ROWS[2:]
    ),
    "control-character.csv": renamed("A\x07"),
    "null-character.csv": renamed("A\x00"),
    "bidirectional.csv": renamed("A\u202eB"),
    "line-break-in-name.csv": renamed('"A\nB"'),
    "long-cell.csv": renamed("A" * 140_000),
    "long-number.csv": table(ROWS[0].replace("0.66", "1" * 20_000), *ROWS[1:]),
    "open-quote.csv": table(ROWS[0], '"B,250,248,0.76,0.61,0.95,0.92,0.74,1.15', *ROWS[2:]),
    "latin-1.csv": renamed("K\u00f6ln").decode().encode("latin-1"),
    "workbook-named.csv": b"\xd0\xcf\x11\xe0" + b"\x00" * 100,
}

SETS: dict[str, bytes] = {
    "set-of-two-trials.csv": table(
        "post-tace:ttp:final,space:os:primary-2",
        "space:ttp:primary-2,post-tace:os:final",
        "brisk-ta:ttp:final,brisk-ta:os:final",
        header="surrogate_effect,final_effect",
    ),
    "set-with-swapped-sides.csv": table(
        "post-tace:os:final,post-tace:ttp:final", header="surrogate_effect,final_effect"
    ),
    "set-with-a-row-twice.csv": table(
        "post-tace:ttp:final,post-tace:os:final",
        "brisk-ta:ttp:final,brisk-ta:os:final",
        "post-tace:ttp:final,post-tace:os:final",
        header="surrogate_effect,final_effect",
    ),
    "set-unknown-effect.csv": table("no-such:pfs,no-such:os", header="surrogate_effect,final_effect"),
    "set-without-patients.csv": table(
        "brisk-ta:ttp:final,brisk-ta:os:final,0,100", header="surrogate_effect,final_effect,n_exp,n_ctl"
    ),
    "set-with-empty-cell.csv": table("brisk-ta:ttp:final,", header="surrogate_effect,final_effect"),
    "set-unknown-column.csv": table("colour,red", header="column,value"),
}


def workbook(fill: Callable[[openpyxl.Workbook], None] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for line in (HEADER, *ROWS[:3]):
        book.active.append([float(cell) if cell[0].isdigit() else cell for cell in line.split(",")])
    if fill is not None:
        fill(book)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(raw: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Pack a workbook with its parts changed; None leaves a part out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = change(part, old.read(part))
            if content is not None:
                new.writestr(part, content)
    return stream.getvalue()


def _chart_first(book: openpyxl.Workbook) -> None:
    book.create_chartsheet("Chart", 0).add_chart(BarChart())


def _hidden_first(book: openpyxl.Workbook) -> None:
    notes = book.create_sheet("Notes", 0)
    notes["A1"] = "to do"
    notes.sheet_state = "hidden"


def _formula(book: openpyxl.Workbook) -> None:
    book.active["B2"] = "=75*2"


def _dates(book: openpyxl.Workbook) -> None:
    for row, value in enumerate(
        ["data_cut", datetime.datetime(2024, 3, 1), datetime.date(2024, 4, 2), "2024-05"], start=1
    ):
        book.active.cell(row, 10, value)


def _stated_dimension(part: str, content: bytes) -> bytes:
    return (
        content.replace(b'<dimension ref="A1:I4"', b'<dimension ref="A1"') if part.endswith("sheet1.xml") else content
    )


def _other_checksum(raw: bytes) -> bytes:
    """Change the CRC-32 that the directory of the archive states for its first part."""
    place = raw.index(b"PK\x01\x02") + 16
    return raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :]


def workbooks() -> dict[str, bytes]:
    """Workbooks that can be read, and those that cannot."""
    plain = workbook()
    chart = repacked(workbook(_chart_first), lambda part, content: None if "chartsheets/_rels" in part else content)
    return {
        "chart-sheet-first.xlsx": chart,
        "hidden-first.xlsx": workbook(_hidden_first),
        "dates.xlsx": workbook(_dates),
        "dimension-a1.xlsx": repacked(plain, _stated_dimension),
        "formula-without-value.xlsx": workbook(_formula),
        "half-a-workbook.xlsx": plain[: len(plain) // 2],
        "not-a-workbook.xlsx": b"trial,hr\n",
        "encrypted.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 512,
        "missing-part.xlsx": repacked(plain, lambda part, content: None if part == "xl/workbook.xml" else content),
        "bad-xml.xlsx": repacked(
            plain, lambda part, content: content[:-20] if part.endswith("sheet1.xml") else content
        ),
        "bad-checksum.xlsx": _other_checksum(plain),
        "document-type.xlsx": repacked(
            plain,
            lambda part, content: (
                b'<!DOCTYPE x [<!ENTITY e "e">]>' + content if part.endswith("sheet1.xml") else content
            ),
        ),
        "no-sheet.xlsx": repacked(
            plain,
            lambda part, content: (
                re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", content) if part == "xl/workbook.xml" else content
            ),
        ),
    }


def main(folder: Path) -> None:
    """Write every input into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**TABLES, **SETS, **workbooks()}.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
