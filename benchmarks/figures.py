"""CPU time of each figure of the default run, against the figures that an earlier version draws as well.

Run by hand from the project's folder, with the folder of a checkout of the earlier version:

    git worktree add ../earlier 9bd36b6                      # 0.3.0
    python benchmarks/figures.py ../earlier [RUNS]

The figures are drawn in the main process, with all libraries loaded and without garbage collection, as in a worker.
Each time is the minimum of the runs, which alternate. Trust the ratios.
"""

import os
import subprocess
import sys
from pathlib import Path

CHILD = """
import gc, sys, time
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
import matplotlib.backends.backend_pdf, matplotlib.backends.backend_svg
import surrogacy.figures
import surrogacy.fit
try:
    import surrogacy.cli.run as run
except ModuleNotFoundError:  # 0.3.0
    run = surrogacy.fit


class MainProcess(Executor):
    def submit(self, function, /, *arguments, **keywords):
        start = time.process_time()
        gc.disable()
        answer, future = function(*arguments, **keywords), Future()
        gc.enable()
        if isinstance(answer, list) and answer and isinstance(answer[0], str):  # names of files
            print(Path(answer[0]).stem, time.process_time() - start, file=sys.stderr)
        future.set_result(answer)
        return future


run.figure_workers = lambda *arguments, **keywords: nullcontext(MainProcess())
with TemporaryDirectory() as folder:
    surrogacy.fit.main(["--quiet", "--out", folder + "/out"])
"""


def figures(folder: Path) -> dict[str, float]:
    """CPU time in seconds by figure."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "ignore", "-c", CHILD]
    lines = subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True, text=True).stderr
    pairs = (line.split() for line in lines.splitlines())
    return {name: float(seconds) for name, seconds in pairs}


def main(earlier: Path, runs: int = 3) -> None:
    folders = (earlier, Path(__file__).resolve().parents[1])
    least: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for _ in range(runs):
        for times, folder in zip(least, folders, strict=True):
            for name, seconds in figures(folder).items():
                times[name] = min(seconds, times.get(name, seconds))
    before, now = least
    both = before.keys() & now.keys()
    for name, seconds in now.items():
        compared = f"{before[name]:7.3f} s earlier, ratio {seconds / before[name]:.2f}" if name in both else ""
        print(f"{name:30} {seconds:6.3f} s  {compared}")
    print(f"{'all':30} {sum(now.values()):6.3f} s  {sum(before.values()):7.3f} s earlier")
    print(f"drawn by both: ratio {sum(now[name] for name in both) / sum(before[name] for name in both):.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:3]))
