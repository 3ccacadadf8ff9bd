"""Bivariate REML: this package against an earlier version, and R's metafor and mixmeta (whichever is installed).

Run by hand from the project's folder, with the folder of a checkout of the earlier version:

    git worktree add ../earlier 9bd36b6                      # 0.3.0
    python benchmarks/reml.py ../earlier

Medians of the CPU time of one fit in process, on one thread. All are timed in the same minutes on the same machine and
the same data; trust the ratios, not the milliseconds.
On Debian: apt-get install r-base-core r-cran-metafor; mixmeta comes from CRAN.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects

REPEATS = 15
SIZES = (6, 21, 60)
TIMES_ONLY = "--times"
R_SCRIPT = """
d <- read.csv("effects.csv"); k <- nrow(d)
S <- lapply(1:k, function(i) matrix(c(d$s1[i]^2, .5*d$s1[i]*d$s2[i], .5*d$s1[i]*d$s2[i], d$s2[i]^2), 2))
V <- matrix(0, 2*k, 2*k); for (i in 1:k) V[2*i-1:0, 2*i-1:0] <- S[[i]]
long <- data.frame(y = c(t(cbind(d$y1, d$y2))), endpoint = factor(rep(1:2, k)), trial = rep(1:k, each = 2))
timed <- function(name, fit, loglik) {
  fit(); t <- replicate(REPEATS, sum(system.time(fit())[c("user.self", "sys.self")]))
  cat(name, 1000 * median(t), loglik(fit()), "\\n")
}
if (suppressMessages(require(metafor, quietly = TRUE)))
  timed("metafor", function() rma.mv(y, V, mods = ~ endpoint - 1, random = ~ endpoint | trial, struct = "UN",
                                     data = long), logLik)
if (suppressMessages(require(mixmeta, quietly = TRUE)))
  timed("mixmeta", function() mixmeta(cbind(y1, y2), S = t(sapply(S, function(m) m[c(1, 2, 4)])), data = d,
                                      method = "reml"), logLik)
""".replace("REPEATS", str(REPEATS))


def simulated(k: int) -> Effects:
    generator = np.random.default_rng(k)
    se = generator.uniform(0.08, 0.25, (k, 2))
    theta = generator.multivariate_normal([-0.3, -0.1], [[0.09, 0.048], [0.048, 0.04]], size=k)
    noise = generator.standard_normal((k, 2)) @ np.linalg.cholesky([[1, 0.5], [0.5, 1]]).T
    return Effects.from_arrays(theta + se * noise, se, 0.5)


def milliseconds(fit) -> tuple[float, float]:
    fit()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        result = fit()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times), result["loglik"].value


def peers(effects: Effects) -> dict[str, tuple[float, float]]:
    if shutil.which("Rscript") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        table = np.column_stack([effects.log_hr, effects.se])
        np.savetxt(Path(folder) / "effects.csv", table, delimiter=",", header="y1,y2,s1,s2", comments="")
        done = subprocess.run(["Rscript", "-e", R_SCRIPT], cwd=folder, capture_output=True, text=True, check=True)
    rows = (line.split() for line in done.stdout.splitlines() if line.split()[:1] in (["metafor"], ["mixmeta"]))
    return {name: (float(time_), float(loglik)) for name, time_, loglik in rows}


def fits(effects: Effects) -> tuple[tuple[float, float], ...]:
    """Times and log-likelihoods without and with profile intervals."""
    models = (BivariateRandomEffects("reml", interval=interval) for interval in ("delta", "profile"))
    return tuple(milliseconds(partial(model.fit, effects)) for model in models)


def earlier_times(folder: str) -> dict[int, float]:
    """Times with profile intervals of the version in another folder."""
    environment = {**os.environ, "PYTHONPATH": folder}
    command = [sys.executable, __file__, TIMES_ONLY]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return {int(k): float(time_) for k, time_ in map(str.split, done.stdout.splitlines())}


def main(earlier: str | None = None) -> None:
    before = {} if earlier is None else earlier_times(str(Path(earlier).resolve()))
    for k in SIZES:
        effects = simulated(k)
        (fastest, loglik), (profile, _) = fits(effects)
        print(f"k = {k}")
        print(f"  surrogacy, estimates and delta intervals  {fastest:8.1f} ms   log-likelihood {loglik:.6f}")
        print(f"  surrogacy, with profile intervals         {profile:8.1f} ms")
        if k in before:
            print(f"  earlier, with profile intervals           {before[k]:8.1f} ms   ratio {profile / before[k]:.2f}")
        found = peers(effects)
        for name, (time_, loglik) in found.items():
            ratios = f"{time_ / fastest:.1f} x ours, {time_ / profile:.1f} x ours with profiles"
            print(f"  {name:41} {time_:8.1f} ms   log-likelihood {loglik:.6f}   {ratios}")
        if not found:
            print("  neither metafor nor mixmeta is here to compare with")


if sys.argv[1:] == [TIMES_ONLY]:
    for k in SIZES:
        print(k, fits(simulated(k))[1][0])
else:
    main(*sys.argv[1:])
