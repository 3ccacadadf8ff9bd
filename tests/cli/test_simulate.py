"""``surrogacy simulate``: the same bytes with any number of workers, backend and interruption."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from distributed import LocalCluster

from surrogacy.cli import chunk_progress
from surrogacy.cli.simulate import main
from surrogacy.errors import Stopped
from surrogacy.simulation import chunk_files
from tests.conftest import ROOT

STUDY = """
topic = "correlation"
chunks = 4
data_sets = {data_sets}

[[scenario]]
name = "weak"
k = [6, 30]
rho = 0.4
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(data_sets=100))
    return str(path)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def simulate(study, out, *options):
    return main([study, "--out", str(out), "--quiet", *options])


def test_table_and_files(study, tmp_path, capsys):
    assert main([study, "--out", str(tmp_path / "a"), "--workers", "1", "--chunks", "1"]) == 0
    captured = capsys.readouterr()
    assert "weak, k = 6: 100 data sets" in captured.out
    assert "Fisher, default rule" in captured.out
    assert set(files(tmp_path / "a")) >= {"performance.csv"}
    assert len(files(tmp_path / "a")) == 3
    assert main([study, "--out", str(tmp_path / "a"), "--workers", "1", "--chunks", "1"]) == 0
    assert "2 of 2 chunks are finished already" in capsys.readouterr().err


@pytest.mark.slow
def test_the_same_bytes_with_one_and_two_workers_and_on_a_dask_cluster(study, tmp_path):
    for name, options in (
        ("one", ["--workers", "1"]),
        ("two", ["--workers", "2"]),
        ("dask", ["--backend", "dask", "--workers", "2"]),
    ):
        assert simulate(study, tmp_path / name, *options) == 0
    assert files(tmp_path / "one") == files(tmp_path / "two") == files(tmp_path / "dask")


@pytest.mark.slow
def test_a_killed_worker_and_a_killed_run_lose_no_finished_chunk(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY.format(data_sets=1500))
    command = [sys.executable, "-m", "surrogacy", "simulate", str(path), "--workers", "2", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(out):
        return subprocess.Popen([*command, "--out", str(out)], env=environment, cwd=tmp_path)

    assert start(tmp_path / "whole").wait(300) == 0

    run, chunks = start(tmp_path / "killed"), tmp_path / "killed" / "chunks"
    wait_for(lambda: chunks.exists() and list(chunks.glob("*.parquet")))
    workers = [p for p in psutil.Process(run.pid).children(recursive=True) if "loky" in " ".join(p.cmdline())]
    for worker in workers[:1]:
        worker.send_signal(signal.SIGKILL)
    assert run.wait(300) == 0
    assert files(tmp_path / "killed") == files(tmp_path / "whole")

    run, chunks = start(tmp_path / "stopped"), tmp_path / "stopped" / "chunks"
    wait_for(lambda: chunks.exists() and list(chunks.glob("*.parquet")))
    run.send_signal(signal.SIGKILL)
    run.wait(60)
    kept = {path: path.stat().st_mtime_ns for path in chunks.glob("*.parquet")}
    assert 0 < len(kept) < 8
    assert start(tmp_path / "stopped").wait(300) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_wrong_arguments(study, tmp_path, capsys):
    for options, words in (
        (
            ["--address", "tcp://127.0.0.1:1"],
            "--address tcp://127.0.0.1:1: this is a Dask scheduler; add --backend dask",
        ),
        (["--workers", "0"], "--workers 0: at least 1"),
        (
            ["--backend", "dask", "--address", "tcp://127.0.0.1:1", "--workers", "2"],
            "--workers 2: the cluster at --address tcp://127.0.0.1:1 has its own workers",
        ),
    ):
        assert simulate(study, tmp_path / "out", *options) == 2
        assert words in capsys.readouterr().err
    assert simulate("nowhere.toml", tmp_path / "out") == 2
    assert "neither a file nor a topic" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("address", "error"), [("tcp://127.0.0.1:1", OSError), ("ftp://127.0.0.1:1", ValueError)])
def test_a_scheduler_that_cannot_be_reached(study, tmp_path, capsys, monkeypatch, address, error):
    """Dask takes many seconds for each on a busy machine; it raises these errors."""

    def refused(*_, **__):
        raise error("no")

    monkeypatch.setattr("distributed.Client", refused)
    assert simulate(study, tmp_path / "out", "--backend", "dask", "--address", address) == 1
    assert f"error: --address {address}: no Dask scheduler answers there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_scheduler_without_workers(study, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("surrogacy.simulation.execution.PATIENCE", 1.0)
    with LocalCluster(n_workers=0, dashboard_address=None, processes=False, protocol="tcp") as cluster:
        assert simulate(study, tmp_path / "out", "--backend", "dask", "--address", cluster.scheduler_address) == 1
    assert "the scheduler has no worker after 1 s; start some (dask worker tcp://" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("backend", "library"), [("loky", "pyarrow"), ("loky", "joblib"), ("dask", "distributed")])
def test_a_library_that_is_missing(study, tmp_path, backend, library):
    code = f"import sys; sys.modules[{library!r}] = None; from surrogacy.cli.simulate import main; sys.exit(main())"
    command = [sys.executable, "-c", code, study, "--backend", backend, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"error: {library} is missing: python -m pip install 'surrogacy[simulate]'\n"
    assert not (tmp_path / "out").exists()


def test_a_stopped_run_says_that_finished_chunks_are_kept(study, tmp_path, capsys, monkeypatch):
    write = chunk_files.write_chunk

    def stopped(folder, chunk, content):
        write(folder, chunk, content)
        raise Stopped(signal.SIGTERM)

    monkeypatch.setattr("surrogacy.simulation.execution.write_chunk", stopped)
    assert simulate(study, tmp_path / "out", "--workers", "1") == 128 + signal.SIGTERM
    assert "interrupted; finished chunks are kept in" in capsys.readouterr().err
    assert len(list((tmp_path / "out" / "chunks").iterdir())) == 1
    assert not (tmp_path / "out" / "performance.csv").exists()


def test_a_full_disk(study, tmp_path, capsys, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("surrogacy.simulation.chunk_files.write_whole", full)
    assert simulate(study, tmp_path / "out", "--workers", "1") == 1
    error = capsys.readouterr().err
    assert "chunks/correlation-" in error
    assert "(No space left on device); finished chunks are kept" in error
    assert not (tmp_path / "out").exists()


def test_a_damaged_chunk_is_named(study, tmp_path, capsys):
    assert simulate(study, tmp_path / "out", "--workers", "1", "--chunks", "1") == 0
    damaged = sorted((tmp_path / "out" / "chunks").iterdir())[0]
    damaged.write_bytes(b"PAR1")
    assert simulate(study, tmp_path / "out", "--workers", "1", "--chunks", "1") == 1
    assert f"{damaged}: not a whole Parquet file" in capsys.readouterr().err


def test_remaining_time():
    pace = chunk_progress.Pace(10, 2, 60.0)
    assert pace.words(60.0) == "about 4 min left"
    assert pace.words(240.0) == "about 60 s left"
    assert pace.words(1000.0) == "about 1 s left"  # the next chunk takes longer than those before


def test_lines_do_not_flood(monkeypatch, capsys):
    """1,000 chunks of 10 s: a line every 10 chunks; the first chunks and the last print none."""
    clock = iter(range(0, 100_000, 10))
    monkeypatch.setattr(chunk_progress.time, "monotonic", lambda: next(clock))
    with chunk_progress.chunk_progress(1000, quiet=False) as step:
        for _ in range(1000):
            step()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "10 of 1000 chunks finished, about 2 h 45 min left"
    assert len(lines) == 99


def test_the_bar_shows_the_remaining_time(monkeypatch, capsys):
    clock = iter(range(0, 100_000, 30))
    monkeypatch.setattr(chunk_progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with chunk_progress.chunk_progress(4, quiet=False) as step:
        step()
        step()
    shown = capsys.readouterr().err
    assert "2/4" in shown
    assert "left" in shown
