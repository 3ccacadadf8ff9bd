"""Simulated effects whose posterior is difficult to tabulate."""

from __future__ import annotations

import numpy as np

from surrogacy.effects import Effects


def difficult_effects(seed: int) -> Effects:
    """Data set number ``seed``: 2 to 60 trials, standard errors between 0.001 and 3, SDs of the true effects near 0
    in 30% of the endpoints and correlations near -1 or 1 in 60% of the sets.
    """
    generator = np.random.default_rng([18, seed])
    k = round(float(np.exp(generator.uniform(np.log(2), np.log(60)))))
    typical, unequal = 10 ** generator.uniform(-2.5, 0.3), generator.choice([0.0, 0.2, 0.8])
    se = np.clip(typical * np.exp(unequal * generator.normal(size=(k, 2))), 1e-3, 3.0)
    near_0 = generator.random(2) < 0.3
    tau = np.where(near_0, 10 ** generator.uniform(-4, -2, 2), 10 ** generator.uniform(-1.5, 0, 2))
    near_1 = generator.choice([-1, 1], p=[0.2, 0.8]) * (1 - 10 ** generator.uniform(-3, 0))
    rho = near_1 if generator.random() < 0.6 else generator.uniform(-1, 1)
    rho_within = generator.uniform(-0.5, 0.95)
    theta = generator.multivariate_normal([-0.3, -0.1], np.outer(tau, tau) * [[1, rho], [rho, 1]], k)
    errors = generator.standard_normal((k, 2)) @ np.linalg.cholesky([[1, rho_within], [rho_within, 1]]).T
    return Effects.from_arrays(theta + se * errors, se, rho_within, name=f"difficult {seed}")
