"""Milliseconds of CPU of exact fits, as JSON; runs with the present version and with 0.3.0.

Run by benchmarks/posterior.py in an environment whose PYTHONPATH is the version to be timed:
python benchmarks/exact_timings.py FOLDER_OF_TRIALS
"""

import json
import sys
import time
from dataclasses import replace

import numpy as np

from surrogacy import read_trials
from surrogacy.effects import Effects

try:
    from surrogacy.evaluation.refits import leave_one_out
    from surrogacy.evaluation.threshold_targets import with_threshold_targets
    from surrogacy.models.bivariate_bayes import BivariateBayes
except ImportError:  # 0.3.0
    from surrogacy.models.posterior import BivariateBayes
    from surrogacy.validation import leave_one_out

    with_threshold_targets = None

REPEATS, BATCH = 9, 100


def simulated(k: int, seed: int = 0) -> Effects:
    generator = np.random.default_rng([k, seed])
    se = generator.uniform(0.08, 0.25, (k, 2))
    theta = generator.multivariate_normal([-0.3, -0.1], [[0.09, 0.048], [0.048, 0.04]], size=k)
    noise = generator.standard_normal((k, 2)) @ np.linalg.cholesky([[1, 0.5], [0.5, 1]]).T
    return Effects.from_arrays(theta + se * noise, se, 0.5)


def shortest(job, repeats: int = REPEATS) -> float:
    job()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return 1000 * min(times)


def main() -> None:
    model, trials = BivariateBayes(), read_trials(sys.argv[1])
    one_grid = replace(model, check_grid=False)
    sets = {"k = 21": simulated(21)}
    sets |= {
        name: trials.analysis_set(name) for name in ("tactics-2022", "intermediate", "llovet-2019-pfs", "advanced")
    }
    timings = {f"fit, {name}": shortest(lambda: model.fit(effects)) for name, effects in sets.items()}  # noqa: B023
    if with_threshold_targets is not None:
        timings["fit and intervals of thresholds, k = 21"] = shortest(
            lambda: with_threshold_targets(model, model.fit(sets["k = 21"]))
        )
    timings["leave-one-out of 16 trials"] = shortest(lambda: leave_one_out(one_grid, sets["llovet-2019-pfs"]), 3)
    many = [simulated(21, seed) for seed in range(BATCH)]
    timings["one of many data sets, k = 21"] = shortest(lambda: one_grid.fit_many(many), 3) / BATCH
    print(json.dumps(timings))


if __name__ == "__main__":
    main()
