"""The exact posterior against samplers of the same model and priors: pm.sample (PyMC's own NUTS), nutpie, and JAGS if
installed.

Run by hand from the project's folder: python benchmarks/posterior.py [CHECKOUT_OF_0.3.0]  (two minutes)
With a checkout of 0.3.0 (commit 9bd36b6) the exact fits of both versions are timed in turn, and their ratios printed.
All are timed in the same minutes on the same machine and the same data; trust the ratios, not the milliseconds. A
sampler's
time is scaled to 1,000 effective draws of rho_between. On Debian: apt-get install jags r-cran-rjags.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import logging
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import arviz as az
import numpy as np
import pymc as pm
from exact_timings import simulated

from surrogacy import read_trials
from surrogacy.effects import Effects
from surrogacy.evaluation.refits import leave_one_out
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact.bivariate_posterior import posteriors
from surrogacy.models.sampled.bivariate import SampledBivariate
from surrogacy.models.sampled.nuts import compile_model, exact_arithmetic, run

R_SCRIPT = """
suppressMessages(library(rjags)); d <- read.csv("effects.csv"); k <- nrow(d)
S <- array(0, c(k, 2, 2)); S[,1,1] <- d$s1^2; S[,2,2] <- d$s2^2; S[,1,2] <- S[,2,1] <- .5*d$s1*d$s2
code <- "model { for (i in 1:k) { y[i,1:2] ~ dmnorm(mu, P[i,1:2,1:2]); P[i,1:2,1:2] <- inverse(V[i,1:2,1:2])
  V[i,1,1] <- S[i,1,1] + t1*t1; V[i,2,2] <- S[i,2,2] + t2*t2; V[i,1,2] <- S[i,1,2] + rho*t1*t2; V[i,2,1] <- V[i,1,2] }
  mu[1] ~ dnorm(0, .01); mu[2] ~ dnorm(0, .01); t1 ~ dnorm(0, 4) T(0,); t2 ~ dnorm(0, 4) T(0,); rho ~ dunif(-1, 1) }"
start <- proc.time()[["elapsed"]]
m <- jags.model(textConnection(code), list(y = cbind(d$y1, d$y2), S = S, k = k), n.chains = 4, quiet = TRUE,
  inits = lapply(1:4, function(i) list(.RNG.name = "base::Mersenne-Twister", .RNG.seed = i)))
update(m, 1000, progress.bar = "none")
x <- coda.samples(m, c("rho", "mu"), 4000, progress.bar = "none")
seconds <- proc.time()[["elapsed"]] - start
rho <- unlist(lapply(x, function(z) as.numeric(z[, "rho"])))
cat("jags", seconds, effectiveSize(x)["rho"], quantile(rho, c(.5, .025, .975)), "\\n")
"""


def seconds(job, repeats: int = 9) -> float:
    job()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def shown(name: str, taken: float, unit: float | None = None, rho=None) -> None:
    ratio = "" if unit is None else f"{taken / unit:9.0f} x exact"
    limits = "" if rho is None else f"   rho_between {rho[0]:.3f} ({rho[1]:.3f} to {rho[2]:.3f})"
    print(f"  {name:58} {1000 * taken:9.1f} ms{ratio}{limits}")


def jags(effects: Effects) -> tuple[float, float, list[float]] | None:
    if shutil.which("Rscript") is None or shutil.which("jags") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        table = np.column_stack([effects.log_hr, effects.se])
        np.savetxt(Path(folder) / "effects.csv", table, delimiter=",", header="y1,y2,s1,s2", comments="")
        done = subprocess.run(["Rscript", "-e", R_SCRIPT], cwd=folder, capture_output=True, text=True, check=False)
    words = next((line.split() for line in done.stdout.splitlines() if line.startswith("jags")), None)
    return None if words is None else (float(words[1]), float(words[2]), [float(word) for word in words[3:]])


def compare(old: str, rounds: int = 3) -> None:
    """Print the times of the exact fits of this version and of a checkout of 0.3.0, each the shortest of its rounds."""
    here = Path(__file__).parent.parent
    command = [sys.executable, str(here / "benchmarks/exact_timings.py"), str(here / "tests/data/trials-2026.11")]
    times: dict[str, list[dict[str, float]]] = {old: [], str(here): []}
    for _ in range(rounds):
        for version, timings in times.items():
            environment = os.environ | {"PYTHONPATH": version}
            done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=True)
            timings.append(json.loads(done.stdout))
    before, now = ({name: min(t[name] for t in timings) for name in timings[0]} for timings in times.values())
    single = before["fit, k = 21"]
    print("milliseconds of CPU: 0.3.0, this version, ratio (of many data sets: to a single fit of 0.3.0)")
    for name, taken in now.items():
        base = single if name.startswith(("one of many", "fit and intervals")) else before[name]
        print(f"  {name:45} {before.get(name, float('nan')):8.2f} {taken:8.2f} {taken / base:7.3f}")


def main() -> None:
    if len(sys.argv) > 1:
        compare(sys.argv[1])
    effects = simulated(21)
    model = BivariateBayes()
    result = model.fit(effects)
    rho = [result["rho_between"].value, result["rho_between"].low, result["rho_between"].high]
    print("one data set, k = 21")
    exact = seconds(lambda: model.fit(effects))
    shown("exact, all summaries, two grids compared", exact, rho=rho)
    shown("exact, all summaries, one grid", seconds(lambda: replace(model, check_grid=False).fit(effects)))
    shown("exact, posterior alone", seconds(lambda: model.posterior(effects)))
    many = [simulated(21, seed) for seed in range(1000)]
    each = seconds(lambda: [posterior.log_evidence for posterior in posteriors(many, model.priors)], 3) / 1000
    shown("exact, posterior alone, a data set in a batch of 1,000", each)
    llovet = read_trials().analysis_set("llovet-2019-pfs")
    shown("exact, leave-one-out of 16 trials with all summaries", seconds(lambda: leave_one_out(model, llovet), 5))

    print("samplers, scaled to 1,000 effective draws of rho_between, in process")
    logging.getLogger("pymc").setLevel(logging.ERROR)
    twin = SampledBivariate()
    start = time.perf_counter()
    with exact_arithmetic():
        compiled = compile_model(twin.build(effects))
    compiling = time.perf_counter() - start
    start = time.perf_counter()
    tree = run(compiled, progress=False)
    sampling = time.perf_counter() - start
    size = float(az.ess(tree["posterior"].to_dataset(), var_names=["rho_between"])["rho_between"])
    shown(f"nutpie, sampling alone (after {compiling:.0f} s of compiling)", sampling * 1000 / size, exact)
    for words, cores in (
        ("pm.sample, PyMC's NUTS, 4 chains in turn", 1),
        ("pm.sample, PyMC's NUTS, 4 chains on 2 cores", 2),
    ):
        start = time.perf_counter()
        with twin.build(effects), exact_arithmetic():
            tree = pm.sample(
                1000, tune=1000, chains=4, cores=cores, nuts_sampler="pymc", random_seed=1, progressbar=False
            )
        taken = time.perf_counter() - start
        draws = tree["posterior"]["rho_between"]
        size = float(az.ess(tree["posterior"].to_dataset(), var_names=["rho_between"])["rho_between"])
        shown(words, taken * 1000 / size, exact, np.quantile(draws, [0.5, 0.025, 0.975]))
    found = jags(effects)
    if found is None:
        print("  JAGS is not here to compare with")
    else:
        taken, size, limits = found
        shown(f"JAGS, effects integrated out (effective size {size:.0f} of 16,000)", taken * 1000 / size, exact, limits)


if __name__ == "__main__":
    main()
