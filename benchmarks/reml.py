"""Milliseconds of CPU of bivariate REML without and with profile intervals, as JSON; also runs with 0.3.0.

``python benchmarks/reml.py --peers`` also times metafor and mixmeta, whichever is installed, and compares the
log-likelihoods. On Debian: apt-get install r-cran-metafor; mixmeta comes from CRAN.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from data_sets import simulated
from stopwatch import shortest

from surrogacy.effects import Effects
from surrogacy.models import create

REPEATS = 9
SIZES = (6, 21, 60)


def peers(effects: Effects) -> dict[str, tuple[float, float]]:
    """Milliseconds of a fit and its log-likelihood, per package of R."""
    with tempfile.TemporaryDirectory() as folder:
        table = np.column_stack([effects.log_hr, effects.se])
        np.savetxt(Path(folder) / "effects.csv", table, delimiter=",", header="y1,y2,s1,s2", comments="")
        command = ["Rscript", Path(__file__).with_suffix(".R"), str(REPEATS)]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    return {name: (float(time), float(loglik)) for name, time, loglik in map(str.split, done.stdout.splitlines())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", action="store_true", help="metafor and mixmeta too")
    with_peers, timings = parser.parse_args().peers, {}
    for k in SIZES:
        effects = simulated(k)
        for interval in ("delta", "profile"):
            model = create("bivariate-reml", interval=interval)
            timings[f"{interval}, k = {k}"] = shortest(partial(model.fit, effects), REPEATS)
        for name, (time, loglik) in peers(effects).items() if with_peers else ():
            if abs(loglik - model.fit(effects)["loglik"].value) > 1e-4:
                raise SystemExit(f"{name} has another log-likelihood at k = {k}")
            timings[f"{name}, k = {k}"] = time
    print(json.dumps(timings))


if __name__ == "__main__":
    main()
