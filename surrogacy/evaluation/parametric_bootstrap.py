"""Parametric bootstrap of the between-trial correlation: sets are simulated from a bivariate fit and refitted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.evaluation.refits import with_settings
from surrogacy.models import Model
from surrogacy.results.result import Result


def simulator(effects: Effects, mu: FloatArray, between: FloatArray) -> Callable[[np.random.Generator], Effects]:
    """Return a function that draws sets like ``effects`` from a bivariate model, ``y ~ N(mu, T + S)``.

    Standard errors and missing endpoints are kept; comparisons with a shared control arm are drawn together.

    Parameters
    ----------
    effects : Effects
    mu : (2,) array
        Means of the true effects.
    between : (2, 2) array
        Covariance T of the true effects.
    """
    roots: list[tuple[IntArray, FloatArray]] = []
    for members in effects.dependent_groups():
        # a missing endpoint has no sampling variance: it is drawn, and removed again below
        sampling = np.nan_to_num(effects.sampling_covariance(members))
        values, vectors = np.linalg.eigh(sampling + np.kron(np.eye(len(members)), between))
        roots.append((members, vectors * np.sqrt(np.maximum(values, 0.0))))
    missing = np.isnan(effects.log_hr)

    def draw(generator: np.random.Generator) -> Effects:
        log_hr = np.empty_like(effects.log_hr)
        for members, root in roots:
            log_hr[members] = mu + (root @ generator.standard_normal(len(root))).reshape(-1, 2)
        return replace(effects, log_hr=np.where(missing, np.nan, log_hr))

    return draw


def refitted_rho(model: Model, result: Result, resamples: int = 200, seed: int = 0) -> tuple[FloatArray, int]:
    """Refit a bivariate model to sets simulated from its fit, and return the between-trial correlations.

    Parameters
    ----------
    model : Model
        Bivariate model; it is refitted without profile intervals, which percentiles do not need.
    result : Result
        Fit of the model.
    resamples, seed : int

    Returns
    -------
    rho : array
    failed : int
        Sets without a correlation: tau = 0, or no maximum found.

    Raises
    ------
    FitError
        If the fit has no between-trial correlation.

    References
    ----------
    Efron, Tibshirani (1986), doi:10.1214/ss/1177013815.
    """
    m1, m2, t1, t2, rho = _moments(result)
    between = np.array([[t1**2, rho * t1 * t2], [rho * t1 * t2, t2**2]])
    lean = with_settings(model, interval="delta")
    draw = simulator(result.effects, np.array([m1, m2]), between)
    generator = np.random.default_rng(seed)
    sample = np.full(resamples, np.nan)
    for i in range(resamples):
        with suppress(FitError):
            refitted = lean.fit(draw(generator)).estimate("rho_between").value
            sample[i] = np.nan if refitted is None else refitted
    kept = sample[np.isfinite(sample)]
    return kept, resamples - len(kept)


def _moments(result: Result) -> list[float]:
    """Means, SDs and correlation of the true effects."""
    names = ("mu_surrogate", "mu_final", "tau_surrogate", "tau_final", "rho_between")
    if result["rho_between"].value is None:
        raise FitError(
            f"{result.effects.name or 'these effects'}: an SD of the true effects is 0, so that there is no "
            "between-trial correlation to simulate from"
        )
    return [float(result[name].value) for name in names]
