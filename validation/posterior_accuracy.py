"""Errors of the quantiles of the exact posterior, in posterior SDs, against grids with four times the nodes per axis.

``python validation/posterior_accuracy.py [NUMBER [FIRST]]`` from the project's folder: the analysis sets, and that
number of difficult data sets from a first one on. The settings of the grids were chosen with the sets 0 to 799, which
are the default; half a second each. The reference has 64 x 64 x 72 nodes, or 40 x 40 x 45 if the density on these
already agrees with polynomials of lower degree to 1e-4.
"""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import replace

import numpy as np

from surrogacy import read_trials
from surrogacy.effects import Effects
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact.bivariate_posterior import QUANTITIES
from tests.support.difficult_effects import difficult_effects
from tests.support.shipped_sets import SHIPPED_SETS

REFERENCES = (40, 40, 45), (64, 64, 72)
RESOLVED = 1e-4  # change of the density below which the smaller reference is used


def errors(effects: Effects) -> tuple[np.ndarray, bool]:
    """Error of every quantity in posterior SDs, and whether the grid of the fit is regarded as fine enough."""
    model = BivariateBayes()
    result = model.fit(effects)
    for nodes in REFERENCES:
        posterior = replace(model, nodes=nodes).posterior(effects)
        if posterior.unresolved < RESOLVED:
            break
    reference = posterior.quantiles(model.probabilities)
    largest = []
    for name in QUANTITIES:
        median, low, high = reference[name]
        estimate = result[name]
        away = np.array([estimate.value - median, estimate.low - low, estimate.high - high])
        largest.append(np.abs(away).max() * 3.92 / (high - low))
    return np.array(largest), result.converged


def main() -> None:
    trials = read_trials()
    for name in SHIPPED_SETS:
        largest, _ = errors(trials.analysis_set(name))
        print(f"{name:24} {largest.max():.4f} SD ({QUANTITIES[largest.argmax()]})")
    number, first = [*map(int, sys.argv[1:]), *(800, 0)[len(sys.argv) - 1 :]]
    table, settled = [], []
    for seed in range(first, first + number):
        largest, converged = errors(difficult_effects(seed))
        table.append(largest)
        settled.append(converged)
        if largest.max() > 0.005:
            print(f"difficult {seed}: {largest.max():.4f} SD ({QUANTITIES[largest.argmax()]}); settled: {converged}")
    largest = np.array(table)[settled]  # the others have a caveat
    print(f"{sum(settled)} of {number} difficult sets are settled; largest error of a quantile in posterior SDs")
    columns = dict(zip(QUANTITIES, largest.T, strict=True)) | {"all": largest.max(axis=1)}
    for name, column in columns.items():
        above = int((column > 0.005).sum())
        print(f"  {name:14} median {np.median(column):.5f}  worst {column.max():.4f}  above 0.005: {above}")


if __name__ == "__main__":
    main()
