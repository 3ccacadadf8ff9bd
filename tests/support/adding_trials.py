"""Transcript in docs/adding-trials.md: its commands are run, and its tables are filled in.

``python -m tests.support.adding_trials`` writes the outputs of the present version into the document.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl

from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "adding-trials.md"
FILL = re.compile(r"<!-- fill (\S+) row (\d+) -->\n\n((?:\|.*\n)+)")
BLOCK = re.compile(r"(<!-- messages only -->\n\n)?```console\n\$ (surrogacy .*)\n((?:.*\n)*?)```\n")
PROGRESS = "still running"  # lines whose presence depends on the machine


def fill_in(path: Path, row: int, table: str) -> None:
    """Type the entries of a Markdown table with the columns ``column`` and ``entry`` into a row of a workbook."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = {cell.value: cell.column for cell in sheet[1]}
    for line in table.splitlines()[2:]:
        heading, entry = (cell.strip() for cell in line.strip("|").split("|"))
        sheet.cell(row, columns[heading]).value = (
            int(entry) if sheet.cell(row, columns[heading]).number_format == "0" else entry
        )
    book.save(path)


def output_of(command: str, folder: Path, *, messages_only: bool) -> str:
    """Run a command in a folder, and return what it prints."""
    arguments = [sys.executable, "-m", *command.split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=600, check=False
    )
    lines = [line.rstrip() for line in (*done.stdout.splitlines(), *done.stderr.splitlines())]
    kept = [line for line in lines if not line.startswith(PROGRESS)]
    return "".join(f"{line}\n" for line in kept if not messages_only or line.startswith("my_trials"))


def steps(text: str, folder: Path) -> Iterator[tuple[re.Match[str], str]]:
    """Follow the document: yield each block of a command with the output of the present version."""
    for match in sorted([*FILL.finditer(text), *BLOCK.finditer(text)], key=lambda match: match.start()):
        if match.re is FILL:
            fill_in(folder / match[1], int(match[2]), match[3])
        else:
            yield match, output_of(match[2], folder, messages_only=bool(match[1]))


def main() -> None:
    """Write the outputs of the present version into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        outputs = list(steps(text, Path(folder)))
    for match, output in reversed(outputs):
        text = f"{text[: match.start(3)]}{output}{text[match.end(3) :]}"
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
