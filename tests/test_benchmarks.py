"""The scripts of benchmarks/ can be loaded, and their table says whether a target is reached."""

import os
import subprocess
import sys
from fractions import Fraction
from importlib import import_module

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "benchmarks"
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module


@pytest.mark.slow
def test_loading_a_script_runs_nothing():
    command = [sys.executable, "-c", f"import {', '.join(SCRIPTS)}"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_help_names_every_benchmark(module):
    done = subprocess.run([sys.executable, FOLDER / "compare.py", "--help"], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in module("targets").BENCHMARKS)


def test_unknown_benchmark_is_refused():
    done = subprocess.run(
        [sys.executable, FOLDER / "compare.py", "exact", "speed"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no benchmark speed; choose from exact" in done.stderr


def test_every_benchmark_has_a_script_and_lines(module):
    for benchmark in module("targets").BENCHMARKS.values():
        assert (FOLDER / benchmark.script).is_file()
        assert benchmark.rows


@pytest.mark.parametrize(
    ("ours", "cells"),
    [
        (35.0, "| 100.0 ms | 35.0 ms | 0.35 | 0.35 | reached |"),
        (36.0, "| 100.0 ms | 36.0 ms | 0.36 | 0.35 | **not reached** |"),
        (1.0, "| 100.0 ms | 1.0 ms | 1/100 | 0.35 | reached |"),
    ],
)
def test_line_states_whether_the_target_is_reached(module, ours, cells):
    row = module("targets").Row("fit", "fit", Fraction("0.35"))
    assert row.line({"fit": ours}, {"fit": 100.0}) == f"| fit | 0.3.0 {cells}\n"


def test_line_of_a_program_that_is_not_installed(module):
    row = module("targets").Row("fit", "fit", None, "metafor, k = 6", "metafor")
    assert row.line({"fit": 1.0}, {}) == "| fit | metafor | not installed | | |  | |\n"


def test_smallest_value_of_the_rounds(module):
    assert module("compare").smallest([{"a": 2.0, "b": 1.0}, {"a": 1.0, "b": 3.0}]) == {"a": 1.0, "b": 1.0}


def test_table_is_replaced_between_its_markers(module, monkeypatch, tmp_path):
    compare, page = module("compare"), tmp_path / "README.md"
    page.write_text(f"before\n{compare.BEGIN}\nold\n\n{compare.END}after\n", encoding="utf-8")
    monkeypatch.setattr(compare, "README", page)
    compare.write("new\n")
    assert page.read_text(encoding="utf-8") == f"before\n{compare.BEGIN}\nnew\n\n{compare.END}after\n"


def test_page_has_a_line_per_target(module):
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = page.partition(module("compare").BEGIN)[2].partition(module("compare").END)[0]
    for benchmark in module("targets").BENCHMARKS.values():
        for row in benchmark.rows:
            assert f"| {row.label} | {row.peer} |" in table


def test_measurement_does_not_see_the_checkout(module, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    versions, calls = module("versions"), []

    def run(command, env, **_):
        calls.append((command, env))
        return subprocess.CompletedProcess(command, 0, stdout='{"fit": 1.5}')

    monkeypatch.setattr(versions.subprocess, "run", run)
    assert versions.Version(FOLDER / "bin/python").measure("reml.py", "--peers") == {"fit": 1.5}
    ((command, variables),) = calls
    assert command == [str(FOLDER / "bin/python"), str(FOLDER / "reml.py"), "--peers"]
    assert "PYTHONPATH" not in variables


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_includes_descendants(module):
    default_run = module("default_run")
    size = 64 * 2**20
    command = [sys.executable, "-c", f"block = bytearray(b'x') * {size}; print(flush=True); input()"]
    before = default_run.megabytes(os.getpid())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        after = default_run.megabytes(os.getpid())
        child.communicate(b"\n")
    assert 64 < after - before < 128


def test_simulated_effects_differ_by_seed(module):
    simulated = module("data_sets").simulated
    first, second = simulated(21), simulated(21, seed=1)
    assert first.log_hr.shape == (21, 2)
    assert (first.log_hr != second.log_hr).all()
