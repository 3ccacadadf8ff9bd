"""Milliseconds of CPU of exact fits with all summaries, as JSON; also runs with 0.3.0."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
from dataclasses import replace
from functools import partial

from data_sets import simulated
from stopwatch import shortest, timed
from versions import TRIALS

from surrogacy import read_trials

try:
    from surrogacy.evaluation.refits import leave_one_out
    from surrogacy.models.bivariate_bayes import BivariateBayes
except ImportError:  # 0.3.0
    from surrogacy.models.posterior import BivariateBayes
    from surrogacy.validation import leave_one_out

ANALYSIS_SETS = ("tactics-2022", "intermediate", "llovet-2019-pfs", "advanced")
DATA_SETS = 1000


def main() -> None:
    model, trials = BivariateBayes(), read_trials(TRIALS)
    sets = {"simulated, k = 21": simulated(21)} | {name: trials.analysis_set(name) for name in ANALYSIS_SETS}
    timings = {name: shortest(partial(model.fit, effects)) for name, effects in sets.items()}
    timings["leave-one-out"] = shortest(partial(leave_one_out, model, sets["llovet-2019-pfs"]), 3)
    one_grid = replace(model, check_grid=False)
    many = [simulated(21, seed) for seed in range(DATA_SETS)]
    timings["data set of 1,000"] = timed(partial(one_grid.fit_many, many))[0] / DATA_SETS
    print(json.dumps(timings))


if __name__ == "__main__":
    main()
