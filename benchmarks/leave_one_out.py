"""Bivariate REML without each trial: one batch against one search per data set, for the sets of the default run.

``python benchmarks/leave_one_out.py`` from the project's folder. Both are timed in turn; trust the ratios.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from functools import partial

from stopwatch import timed

import surrogacy
from surrogacy.cli.options import DEFAULT_SETS
from surrogacy.models import BivariateRandomEffects

REPEATS = 7


def main() -> None:
    model, trials = BivariateRandomEffects(interval="delta"), surrogacy.read_trials()

    def singly(sets):
        return [model.fit(effects) for effects in sets]

    print("set                 fits   batch/ms  singly/ms  ratio")
    for name in DEFAULT_SETS:
        effects = trials.analysis_set(name)
        sets = [effects.without_trial(trial) for trial in effects.trials]
        pairs = [(timed(partial(model.fit_many, sets))[0], timed(partial(singly, sets))[0]) for _ in range(REPEATS)]
        batch, single = map(min, zip(*pairs, strict=True))
        print(f"{name:18s} {len(sets):5d} {batch:10.1f} {single:10.1f} {batch / single:6.2f}")


if __name__ == "__main__":
    main()
