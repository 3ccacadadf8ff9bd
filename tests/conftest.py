import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.pop("COLUMNS", None)  # pytest-xdist sets it for its workers; screens are tested at their default width

import csv
import gc
import shutil
from functools import partial
from pathlib import Path

import pytest

import surrogacy
from surrogacy.models.moderated_line import ModeratedLine
from surrogacy.pps.arms import arm_pps
from surrogacy.pps.coupling import coupling_audit
from surrogacy.pps.decomposition import decompose
from surrogacy.pps.dilution_regression import OffsetModel
from surrogacy.pps.expected_effects import expected_effects
from surrogacy.pps.moderators import pps_ratio
from surrogacy.pps.read_summaries import read_inputs
from tests.support.partial_tables import write_rows
from tests.support.pinned_tables import PINNED_TABLES, pinned_trials
from tests.support.small_tables import write_small_tables

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "data" / "trials"


def pytest_ignore_collect(collection_path, config):
    """Leave out the files that import PyMC, which takes seconds, where their tests are deselected anyway."""
    return True if "not nuts" in config.option.markexpr and collection_path.name.startswith("test_sampled") else None


def pytest_collection_finish():
    """Leave what was imported out of later garbage collections: each took a quarter of a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def trials():
    """Pinned tables of version 2026.11, to which reference numbers refer."""
    return pinned_trials()


@pytest.fixture(scope="session")
def live_trials():
    """Shipped tables, which corrections and additions change."""
    return surrogacy.read_trials()


@pytest.fixture(scope="session")
def sets(trials):
    return {name: trials.analysis_set(name) for name in ("all", "advanced", "intermediate")}


@pytest.fixture(scope="session")
def llovet(trials):
    return trials.analysis_set("llovet-2019-pfs")


@pytest.fixture(scope="session")
def moderation(trials, sets):
    """The line of all comparisons, moderated by the PPS ratio of the control arm."""
    return ModeratedLine().fit(sets["all"], pps_ratio(trials, sets["all"]))


@pytest.fixture(scope="session")
def offset(trials, sets):
    """The regression on the expected effects of all comparisons, these effects, and which comparisons have one."""
    expected, known = expected_effects(trials, sets["all"])
    return OffsetModel().fit(sets["all"].take(known), expected, expected.assumed), expected, known


@pytest.fixture(scope="session")
def arms(trials):
    return arm_pps(trials, draws=500)


@pytest.fixture(scope="session")
def audit(arms):
    return coupling_audit(arms, resamples=300)


@pytest.fixture(scope="session")
def tactics(trials):
    # 25.2 and 13.5 months belong to the primary cut; the tables hold the medians of the updated one
    return read_inputs(trials, "tactics").with_medians("primary", 13.5, 25.2)


@pytest.fixture(scope="session")
def tactics_decomposition(tactics):
    return decompose(tactics)


@pytest.fixture(autouse=True)
def no_line_for_a_slow_stage(monkeypatch):
    """On a busy machine any stage may be slow; tests/cli/test_progress.py sets a limit of its own."""
    monkeypatch.setattr("surrogacy.cli.terminal.SLOW_STAGE_SECONDS", 3600.0)


@pytest.fixture
def own_tables(tmp_path):
    """A copy of the pinned tables that a test may spoil: ``spoil(table, line, **cells)`` changes cells of one line."""
    folder = tmp_path / "tables"
    shutil.copytree(PINNED_TABLES, folder)

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


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Options of a run on nine comparisons of the pinned tables."""
    folder = tmp_path_factory.mktemp("small") / "tables"
    write_small_tables(folder)
    return "--trials", str(folder)


@pytest.fixture
def table(tmp_path):
    """Write the table of a user and give its path."""

    def write(text):
        path = tmp_path / "own.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def partial_table(tmp_path):
    """Write simulated rows with some cells blanked, ``blank={column: trials}``, and give the path."""
    return partial(write_rows, tmp_path)
