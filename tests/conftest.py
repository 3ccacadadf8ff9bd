import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.pop("COLUMNS", None)  # pytest-xdist sets it for its workers; screens are tested at their default width

import csv
import shutil
from pathlib import Path

import pytest

import surrogacy

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "data" / "trials"


@pytest.fixture(scope="session")
def trials():
    return surrogacy.read_trials()


@pytest.fixture(autouse=True)
def no_line_for_a_slow_stage(monkeypatch):
    """On a busy machine any stage may be slow; tests/cli/test_progress.py sets a limit of its own."""
    monkeypatch.setattr("surrogacy.cli.terminal.SLOW_STAGE_SECONDS", 3600.0)


@pytest.fixture
def own_tables(tmp_path):
    """A copy of the shipped tables that a test may spoil: ``spoil(table, line, **cells)`` changes cells of one line."""
    folder = tmp_path / "tables"
    shutil.copytree(TABLES, folder)

    def spoil(table, where, **cells):
        path = folder / f"{table}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), reader.fieldnames
        index = next(i for i, row in enumerate(rows) if all(row[name] == value for name, value in where.items()))
        rows[index].update({name.rstrip("_"): value for name, value in cells.items()})
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return index + 2

    spoil.folder = folder
    return spoil


@pytest.fixture
def table(tmp_path):
    """Write the table of a user and give its path."""

    def write(text):
        path = tmp_path / "own.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write
