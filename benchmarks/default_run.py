"""Default run of ``python -m surrogacy.fit`` on the tables 2026.11, all its processes together, as JSON (Linux).

``python benchmarks/default_run.py [OPTION ...]`` passes the options on; it also runs with 0.3.0. Wall and CPU time are
in seconds. Memory is the peak in megabytes; pages that processes share are counted once.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from versions import TRIALS

ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER: workers whose parent has ended become children of this process
INTERVAL = 0.05  # seconds


def megabytes(process: int) -> float:
    """Memory of a process and its descendants: proportional set sizes, which count a shared page once."""
    folder = Path(f"/proc/{process}")
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
        children = [int(child) for task in folder.glob("task/*/children") for child in task.read_text().split()]
    except OSError:  # the process has ended
        return 0.0
    kilobytes = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024 + sum(map(megabytes, children))


def run(options: list[str]) -> dict[str, float]:
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1)
    memory, start = 0.0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "surrogacy.fit", "--trials", str(TRIALS), "--quiet", "--out", "out", *options]
        process = subprocess.Popen(command, cwd=folder)
        while process.poll() is None:
            memory = max(memory, megabytes(process.pid))
            time.sleep(INTERVAL)
        wall = time.perf_counter() - start
        if process.returncode:
            raise SystemExit(process.returncode)
        wait_for_orphans()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "CPU": usage.ru_utime + usage.ru_stime, "memory": memory}


def wait_for_orphans() -> None:
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:])))
