"""Coverage of the 95% intervals of trial-level R² and slope by the bivariate models, in simulated sets of trials.

``python validation/interval_coverage.py [SETS]`` (default 400) draws sets of 6, 9, 16 and 45 trials with standard
errors as in the curated sets and a true between-trial correlation of 0.5 or 0.8. It prints, for the exact posterior and
for REML with profile likelihood intervals, the share of intervals that include the true value, the share of slopes
without limits, and the share of REML fits on the boundary.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models import BivariateBayes, BivariateRandomEffects
from surrogacy.results.result import Result

TAU = np.array([0.25, 0.15])
MEAN = np.array([-0.35, -0.12])
RHO_WITHIN = 0.5


def simulated(k: int, rho: float, generator: np.random.Generator) -> Effects:
    """Set of k trials whose estimates scatter about true effects with a between-trial correlation of ``rho``."""
    se = np.exp(generator.normal(np.log([0.13, 0.14]), 0.3, size=(k, 2)))
    true = generator.multivariate_normal(MEAN, np.outer(TAU, TAU) * [[1, rho], [rho, 1]], size=k)
    errors = generator.standard_normal((k, 2))
    errors[:, 1] = RHO_WITHIN * errors[:, 0] + np.sqrt(1 - RHO_WITHIN**2) * errors[:, 1]
    return Effects.from_arrays(true + se * errors, se, rho_within=RHO_WITHIN, name="simulated")


def count(result: Result, truth: dict[str, float], counts: Counter[tuple[str, str]]) -> None:
    """Count whether the interval of each quantity holds its true value."""
    for name, value in truth.items():
        estimate = result[name]
        if estimate.low is None or estimate.high is None:
            counts[result.model, f"{name} undefined"] += 1
            counts[result.model, name] += estimate.unbounded
        else:
            counts[result.model, name] += estimate.low <= value <= estimate.high
    counts[result.model, "boundary"] += result.on_boundary


def main(sets: int) -> None:
    """Print a row per model, number of trials and true correlation."""
    print("model            k  rho  R2     slope  boundary  slope unbounded")
    for rho in (0.5, 0.8):
        truth = {"r2_trial": rho**2, "slope": rho * TAU[1] / TAU[0]}
        for k in (6, 9, 16, 45):
            generator = np.random.default_rng(k)
            counts: Counter[tuple[str, str]] = Counter()
            for _ in range(sets):
                effects = simulated(k, rho, generator)
                for model in (BivariateBayes(), BivariateRandomEffects(method="reml")):
                    try:
                        count(model.fit(effects), truth, counts)
                    except FitError:
                        counts[model.name, "failed"] += 1
            for name in ("bivariate-bayes", "bivariate-reml"):
                shares = [counts[name, key] / sets for key in ("r2_trial", "slope", "boundary", "slope undefined")]
                print(f"{name:<16} {k:<2} {rho:<4} " + " ".join(f"{share:<7.3f}" for share in shares), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
