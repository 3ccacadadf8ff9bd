"""Signals, figure workers, and figures that cannot be drawn."""

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from surrogacy.cli import run
from surrogacy.errors import FigureError
from surrogacy.fit import main
from surrogacy.output.page_style import DEFAULT_PAGE
from surrogacy.report.figures import draw
from surrogacy.report.section import Drawing
from tests.conftest import ROOT

SMALL = ["tactics-2022", "--model", "weighted-pearson", "--format", "svg", "--quiet"]
LONG = ["tactics-2022", "--sensitivity", "--format", "svg", "--quiet"]
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def descendants(parent):
    """Processes below one, as (process, parent) in /proc."""
    pairs = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            pairs.append((int(status.parent.name), int(fields[1])))
    below = {parent}
    for _ in range(4):
        below |= {process for process, above in pairs if above in below}
    return below - {parent}


def alive(process):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def long_run(tmp_path):
    """A run with both workers up, and its folder."""
    out = tmp_path / "out"
    run = subprocess.Popen(
        [sys.executable, "-m", "surrogacy.fit", *LONG, "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        # a shell starts background jobs with SIGINT ignored, and a program leaves ignored signals as they are
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(out.glob(".surrogacy-*/new/figures/*")):
        assert run.poll() is None, run.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield run, out
    run.kill()
    run.communicate()


@linux
@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["KILL", "TERM", "INT"]
)
def test_after_a_signal_neither_processes_nor_files_remain(long_run, number, code):
    run, out = long_run
    below = descendants(run.pid)
    assert len(below) >= 3  # the server and two workers
    run.send_signal(number)
    begin = time.monotonic()
    _, message = run.communicate(timeout=10)
    assert run.returncode == code
    assert "Traceback" not in message
    if number != signal.SIGKILL:
        assert message == "interrupted; nothing was written\n"
    while any(map(alive, below)) or (out.exists() and list(out.iterdir())):
        assert time.monotonic() - begin < 10
        time.sleep(0.05)


@pytest.mark.slow
@linux
def test_a_worker_killed_by_the_system_ends_the_run_with_a_line(long_run):
    run, out = long_run
    workers = [process for process in descendants(run.pid) if os.getpriority(os.PRIO_PROCESS, process) >= 5]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    begin = time.monotonic()
    _, message = run.communicate(timeout=60)
    assert run.returncode == 1
    assert message.startswith("error: a process that draws the figures ended early")
    assert message.count("\n") == 1
    assert time.monotonic() - begin < 10
    assert not out.exists()


@pytest.mark.slow
@linux
def test_the_server_that_forks_has_one_thread(long_run):
    run, _ = long_run
    (server,) = {
        process
        for process in descendants(run.pid)
        if b"multiprocessing.forkserver" in Path(f"/proc/{process}/cmdline").read_bytes()
        and os.getpriority(os.PRIO_PROCESS, process) == 0
    }
    assert len(list(Path(f"/proc/{server}/task").iterdir())) == 1
    assert "pandas" in Path(f"/proc/{server}/maps").read_text()


def test_a_process_that_cannot_be_started_is_an_error_of_one_line(tmp_path):
    program = (
        "import _posixsubprocess, sys\n"
        "def refuse(*_): raise BlockingIOError(11, 'Resource temporarily unavailable')\n"
        "import multiprocessing.util\n"
        "_posixsubprocess.fork_exec = refuse\n"
        "from surrogacy.fit import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", program, *SMALL, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: cannot start a process to draw the figures (Resource temporarily unavailable)\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_script_without_a_guard_is_not_run_again_by_the_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"print('once')\nfrom surrogacy.fit import main\nmain({[*SMALL, '--out', str(tmp_path / 'out')]!r})\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.stdout, done.stderr) == ("once\n", "")
    assert (tmp_path / "out" / "run.json").exists()


def test_a_figure_that_cannot_be_drawn_is_reported_and_the_rest_is_written(tmp_path, monkeypatch, capsys):
    options = run.FigureOptions

    class Failing:
        """Workers that cannot draw the bubble plot."""

        def __init__(self, workers):
            self.workers = workers

        def submit(self, function, *arguments):
            if not (isinstance(arguments[0], Drawing) and arguments[0].plot.endswith("plot_bubble")):
                return self.workers.submit(function, *arguments)
            future = Future()
            future.set_exception(FigureError("bubble-tactics-2022", "ValueError: no finite limits"))
            return future

    monkeypatch.setattr(run, "FigureOptions", lambda workers, drawing, *rest: options(workers, Failing(drawing), *rest))
    out = tmp_path / "out"
    assert main([*SMALL, "--out", str(out)]) == 4
    assert capsys.readouterr().err == "figure bubble-tactics-2022 could not be drawn: ValueError: no finite limits\n"
    record = json.loads((out / "run.json").read_text())
    assert record["exit_code"] == 4
    assert record["figure_problems"] == [{"figure": "bubble-tactics-2022", "reason": "ValueError: no finite limits"}]
    assert {path.name for path in (out / "figures").glob("*.svg")} == {"forest-tactics-2022.svg"}
    assert (out / "tables" / "models.csv").exists()
    assert (out / "results.json").exists()


def half_drawn(folder, *, page):
    (folder / "x.svg").write_text("half")
    raise ZeroDivisionError("division\nby zero")


def test_an_error_while_drawing_leaves_no_file_and_can_be_sent(tmp_path):
    half = Drawing("x", f"{__name__}:half_drawn", (tmp_path,), "caption", "alternative text")
    with pytest.raises(FigureError) as caught:
        draw(half, tmp_path, ("svg",), DEFAULT_PAGE)
    assert (
        str(pickle.loads(pickle.dumps(caught.value)))
        == "figure x could not be drawn: ZeroDivisionError: division by zero"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@linux
def test_killed_at_random_moments():
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.kill", "3"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 faults" in done.stdout
