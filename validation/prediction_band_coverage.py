"""Coverage of the 95% prediction interval of a true effect in a new trial by bivariate REML, by number of trials.

The interval treats the residual SD of the true effects as known. Simulated are a between-trial correlation of 0.8,
SDs of the true effects of 0.3 and 0.2, standard errors of 0.15 and a within-trial correlation of 0.5. The coverage in
each data set is exact, because the true effect given the surrogate effect is normal about the true line.
``python validation/prediction_band_coverage.py`` takes two minutes.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.special import ndtr

from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects

TAU, RHO, SE, RHO_WITHIN, MU = np.array([0.3, 0.2]), 0.8, 0.15, 0.5, np.array([-0.3, -0.1])
SLOPE = RHO * TAU[1] / TAU[0]
INTERCEPT = MU[1] - SLOPE * MU[0]
SIGMA = TAU[1] * np.sqrt(1 - RHO**2)


def coverage(k: int, seed: int) -> float | None:
    generator = np.random.default_rng([k, seed])
    covariance = np.outer(TAU, TAU) * [[1, RHO], [RHO, 1]] + SE**2 * np.array([[1, RHO_WITHIN], [RHO_WITHIN, 1]])
    effects = Effects.from_arrays(
        generator.multivariate_normal(MU, covariance, size=k), np.full((k, 2), SE), RHO_WITHIN
    )
    line = BivariateRandomEffects(interval="delta").fit(effects).line
    if line is None:
        return None
    x = generator.normal(MU[0], TAU[0], 200)
    mean = INTERCEPT + SLOPE * x
    _, low, high = line.predict(x)
    return float(np.mean(ndtr((high - mean) / SIGMA) - ndtr((low - mean) / SIGMA)))


for trials in (6, 16, 45):
    covered = [value for value in (coverage(trials, seed) for seed in range(400)) if value is not None]
    print(
        f"k = {trials}: {np.mean(covered):.3f} of new trials in the 95% interval ({len(covered)} of 400 data sets "
        f"with a line)"
    )
