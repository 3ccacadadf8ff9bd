"""Simulated effects of the benchmarks."""

import numpy as np

from surrogacy.effects import Effects


def simulated(k: int, seed: int = 0) -> Effects:
    """Effects of ``k`` trials: between-trial SDs 0.3 and 0.2, correlation 0.8; within-trial correlation 0.5."""
    generator = np.random.default_rng([k, seed])
    se = generator.uniform(0.08, 0.25, (k, 2))
    theta = generator.multivariate_normal([-0.3, -0.1], [[0.09, 0.048], [0.048, 0.04]], size=k)
    noise = generator.standard_normal((k, 2)) @ np.linalg.cholesky([[1, 0.5], [0.5, 1]]).T
    return Effects.from_arrays(theta + se * noise, se, 0.5)
