"""``surrogacy simulate``: the same bytes with any number of workers, backend and interruption."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from surrogacy.cli.simulate import main
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
        (["--address", "tcp://127.0.0.1:1"], "--address is that of a Dask scheduler: add --backend dask"),
        (["--workers", "0"], "--workers 0: at least 1"),
    ):
        assert simulate(study, tmp_path / "out", *options) == 2
        assert words in capsys.readouterr().err
    assert simulate("nowhere.toml", tmp_path / "out") == 2
    assert "neither a file nor a topic" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
