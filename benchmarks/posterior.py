"""Milliseconds of CPU of the exact posterior and of samplers of the same model and priors, as JSON.

``python benchmarks/posterior.py`` times JAGS; with ``--nuts``, nutpie and PyMC's own NUTS instead. The time
of a sampler is scaled to 1,000 effective draws of rho_between, and its draws must agree with the exact posterior. JAGS
on Debian: apt-get install jags r-cran-rjags.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import logging
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from data_sets import simulated
from stopwatch import shortest, timed

from surrogacy.effects import Effects
from surrogacy.models.bivariate_bayes import BivariateBayes

DRAWS = 1000
MONTE_CARLO_ERROR = 0.03  # of a limit of rho_between with at least 1,000 effective draws


def sampled(time: float, size: float, limits, exact) -> float:
    """Time for 1,000 effective draws, if the sampler has the exact median and limits of rho_between."""
    if np.abs(np.subtract(limits, exact)).max() > MONTE_CARLO_ERROR:
        raise SystemExit(f"the sampler has another posterior: {limits}, exact {exact}")
    return time * DRAWS / size


def jags(effects: Effects, exact) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        table = np.column_stack([effects.log_hr, effects.se])
        np.savetxt(Path(folder) / "effects.csv", table, delimiter=",", header="y1,y2,s1,s2", comments="")
        command = ["Rscript", Path(__file__).with_suffix(".R")]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    seconds, size, *limits = map(float, done.stdout.split())
    return {"JAGS": sampled(1000 * seconds, size, limits, exact)}


def nuts(effects: Effects, exact) -> dict[str, float]:
    import arviz as az
    import pymc as pm

    from surrogacy.models.sampled.bivariate import SampledBivariate
    from surrogacy.models.sampled.nuts import compile_model, exact_arithmetic, run

    def scaled(time: float, tree) -> float:
        size = float(az.ess(tree["posterior"].to_dataset(), var_names=["rho_between"])["rho_between"])
        return sampled(time, size, np.quantile(tree["posterior"]["rho_between"], [0.5, 0.025, 0.975]), exact)

    logging.getLogger("pymc").setLevel(logging.ERROR)
    model = SampledBivariate().build(effects)
    settings = {"chains": 4, "cores": 1, "nuts_sampler": "pymc", "random_seed": 1, "progressbar": False}
    with exact_arithmetic(), model:
        compiling, compiled = timed(partial(compile_model, model))
        nutpie = scaled(*timed(partial(run, compiled, progress=False)))
        pymc = scaled(*timed(partial(pm.sample, 1000, tune=1000, **settings)))
    return {"compilation for nutpie": compiling, "nutpie": nutpie, "PyMC": pymc}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nuts", action="store_true", help="nutpie and PyMC instead of JAGS")
    effects, model = simulated(21), BivariateBayes()
    samplers = nuts if parser.parse_args().nuts else jags
    estimate = model.fit(effects)["rho_between"]
    timings = {
        "exact": shortest(partial(model.fit, effects)),
        "posterior alone": shortest(partial(model.posterior, effects)),
    }
    print(json.dumps(timings | samplers(effects, (estimate.value, estimate.low, estimate.high))))


if __name__ == "__main__":
    main()
