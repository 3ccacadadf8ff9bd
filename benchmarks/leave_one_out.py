"""Bivariate REML without each trial: one batch against one search per set, for the sets of the default run.

Run by hand from the project's folder: python benchmarks/leave_one_out.py
Both are timed in turn on the same machine and the same data; trust the ratios, not the milliseconds.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time

import surrogacy
from surrogacy.cli.options import DEFAULT_SETS
from surrogacy.models import BivariateRandomEffects

REPEATS = 7


def milliseconds(fit) -> float:
    start = time.process_time()
    fit()
    return 1000 * (time.process_time() - start)


def main() -> None:
    model, trials = BivariateRandomEffects(interval="delta"), surrogacy.read_trials()
    print("set                 fits   batch/ms  singly/ms  ratio")
    for name in DEFAULT_SETS:
        effects = trials.analysis_set(name)
        sets = [effects.without_trial(trial) for trial in effects.trials]
        pairs = [
            (milliseconds(lambda: model.fit_many(sets)), milliseconds(lambda: [model.fit(each) for each in sets]))  # noqa: B023
            for _ in range(REPEATS + 1)
        ][1:]
        together, singly = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"{name:18s} {len(sets):5d} {together:10.1f} {singly:10.1f} {together / singly:6.2f}")


if __name__ == "__main__":
    main()
