"""Parametric bootstrap: sets are simulated from a bivariate fit, and the between-trial correlation is refitted."""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import FitError
from surrogacy.models.bivariate import BivariateRandomEffects
from surrogacy.models.likelihood.batch import draw_many, maximise_many
from surrogacy.results.result import Result


def simulated_sets(result: Result, resamples: int, seed: int) -> FloatArray:
    """Draw data sets from the estimates of a bivariate fit, (resamples, k, 2) log hazard ratios."""
    names = ("mu_surrogate", "mu_final", "tau_surrogate", "tau_final", "slope")
    m1, m2, t1, t2, slope = (float(result[name].value) for name in names)
    shared = slope * t1**2
    between = np.array([[t1**2, shared], [shared, t2**2]])
    return draw_many(result.effects, np.array([m1, m2]), between, resamples, np.random.default_rng(seed))


def refitted_rho(
    model: BivariateRandomEffects, result: Result, resamples: int = 200, seed: int = 0
) -> tuple[FloatArray, int]:
    """Refit a bivariate model to sets simulated from its fit, and return the between-trial correlations.

    Parameters
    ----------
    model : BivariateRandomEffects
    result : Result
        Fit of the model.
    resamples, seed : int

    Returns
    -------
    rho : array
    failed : int
        Sets without a correlation: tau = 0, or no maximum reached.

    Raises
    ------
    FitError
        If the fit has no between-trial correlation.

    References
    ----------
    Efron, Tibshirani (1986), doi:10.1214/ss/1177013815.
    """
    if result["rho_between"].value is None:
        raise FitError(
            f"{result.effects.name or 'these effects'}: an SD of the true effects is 0, so that there is no "
            "between-trial correlation to simulate from"
        )
    log_hr = simulated_sets(result, resamples, seed)
    sample = maximise_many(result.effects, log_hr, model.method, starts=model.starts).rho
    kept = sample[np.isfinite(sample)]
    return kept, resamples - len(kept)
