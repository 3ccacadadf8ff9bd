"""Default run of ``python -m surrogacy.fit`` against that of an earlier version, in alternating pairs.

Run by hand from the project's folder, with the folder of a checkout of the earlier version:

    git worktree add ../earlier 9bd36b6                      # 0.3.0
    python benchmarks/default_run.py ../earlier [PAIRS]

The CPU time is that of the main process; the workers that draw the figures are not included. Trust the ratios.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(folder: Path) -> tuple[float, float]:
    """Wall time and CPU time of a run, in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "surrogacy.fit", "--quiet", "--out", f"{out}/run"]
        subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def main(earlier: Path, pairs: int = 5) -> None:
    current = Path(__file__).resolve().parents[1]
    ratios = []
    for _ in range(pairs):
        (wall0, cpu0), (wall, cpu) = run(earlier), run(current)
        ratios.append((wall / wall0, cpu / cpu0))
        print(f"earlier {wall0:.2f} s wall {cpu0:.2f} s CPU; current {wall:.2f} s wall {cpu:.2f} s CPU", flush=True)
    wall, cpu = (statistics.median(values) for values in zip(*ratios, strict=True))
    print(f"median ratio: wall {wall:.2f}, CPU {cpu:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:3]))
