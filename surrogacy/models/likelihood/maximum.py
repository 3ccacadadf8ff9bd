"""Maximum of the bivariate likelihood over the Cholesky factor of T.

In the Cholesky parametrisation the boundary (rho = -1 or 1, tau = 0) is an interior point, so that a quasi-Newton
search with the analytic gradient can reach it. A refit with the element fixed at 0 then decides whether the maximum is
on the boundary.

The likelihood of a few trials with very different standard errors may have several maxima. The search therefore has
several starts, and the three models with a variance of 0 (tau_surrogate, tau_final, both) are always maximised too:
they have at most one parameter, which a grid brackets. The highest of all maxima is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.likelihood.likelihood import Evaluation, Likelihood

# Variances below this share of their scale are also tried at exactly 0, which the optimiser only approaches.
NEAR_BOUNDARY = 1e-4
# Rough maxima whose log-likelihoods differ by less are the same maximum.
SAME_MAXIMUM = 1e-4
# With this many comparisons, two starts that agree end the search: several maxima occur only with few comparisons.
MANY_COMPARISONS = 20
# Least gain in log-likelihood, larger than rounding error, for which a distant zero-variance model is preferred.
HIGHER = 1e-9
# A tau of 1e-4 that gains less log-likelihood than this is set to 0: it would imply a slope of 1,000.
NEGLIGIBLE_GAIN = 1e-5
# Loss of log-likelihood for which a correlation of -1 or 1 is preferred.
CORRELATION_SLACK = 1e-7
# Starting SDs of a zero-variance model in units of the SD of the effects; the likelihood is flat outside this range.
START_SDS = np.geomspace(0.03, 3.0, 8)
# Cholesky elements that are 0 on each part of the boundary, the smallest model first.
BOUNDARIES = {"both": (0, 1, 2), "tau_surrogate": (0, 1), "tau_final": (1, 2), "rho": (2,)}

Minimum = tuple[float, FloatArray]  # negative log-likelihood, and its Cholesky factor
Objective = Callable[[FloatArray, FloatArray], tuple[float, FloatArray]]  # of the factor and its scale, with gradient


@dataclass(frozen=True, eq=False)
class Optimum:
    """Maximum of the likelihood.

    Parameters
    ----------
    factor : (3,) array
        (L11, L21, L22), the lower Cholesky factor of T.
    at : Evaluation
        The likelihood there.
    boundary : str
        Empty, ``"rho"`` (rho = -1 or 1), ``"tau_surrogate"``, ``"tau_final"`` or ``"both"``.
    """

    factor: FloatArray
    at: Evaluation
    boundary: str

    @property
    def psi(self) -> FloatArray:
        """(T11, T12, T22)."""
        return psi_of(self.factor)


def psi_of(factor: FloatArray) -> FloatArray:
    """(T11, T12, T22) from the Cholesky factor (L11, L21, L22)."""
    a, b, c = factor
    return np.array([a * a, a * b, b * b + c * c])


def psi_jacobian(factor: FloatArray) -> FloatArray:
    """(3, 3) derivative of `psi_of`."""
    a, b, c = factor
    return np.array([[2 * a, 0.0, 0.0], [b, a, 0.0], [0.0, 2 * b, 2 * c]])


def maximise(likelihood: Likelihood, effects: Effects, starts: int) -> Optimum:
    """Maximise over T from several starts, and settle on the boundary where that is the maximum.

    Parameters
    ----------
    likelihood : Likelihood
    effects : Effects
        For the starting values; see `_starting_factors`.
    starts : int
        Starts of the search within the boundary, 1 to 5; the models with a variance of 0 are tried whatever it is.

    Raises
    ------
    FitError
        If no start converges.
    """
    scale = np.sqrt(np.maximum(np.nanvar(effects.log_hr, axis=0, ddof=1), 1e-8))

    def negative(unit: FloatArray, free: FloatArray) -> tuple[float, FloatArray]:
        factor = unit * free
        at = likelihood.evaluate(psi_of(factor))
        return -at.log_likelihood, -(psi_jacobian(factor).T @ at.gradient) * free

    free = scale[[0, 1, 1]]
    simpler = _zero_variance_models(negative, free)
    rough: list[Minimum] = []
    for guess in _starting_factors(effects, scale, simpler)[:starts]:
        end = _minimise(negative, guess / free, free, rough=True)
        rough += [] if end is None else [end]
        if len(rough) == 2 and len(effects) >= MANY_COMPARISONS and abs(rough[0][0] - rough[1][0]) < SAME_MAXIMUM:
            break
    best = min(rough, key=lambda end: end[0], default=None)
    polished = None if best is None else _minimise(negative, best[1], free)
    if polished is None:
        raise FitError(
            f"{effects.name or 'these effects'}: the likelihood could not be maximised from {starts} start(s)"
        )
    value, unit = polished
    factor, boundary = unit * free, ""
    a, b, c = factor
    near = {
        "tau_surrogate": a**2 < NEAR_BOUNDARY * scale[0] ** 2,
        "tau_final": b**2 + c**2 < NEAR_BOUNDARY * scale[1] ** 2,
        "rho": c**2 < NEAR_BOUNDARY * (b**2 + c**2),
    }
    near["both"] = near["tau_surrogate"] and near["tau_final"]
    for name, zeros in BOUNDARIES.items():
        held = np.where(np.isin(np.arange(3), zeros), 0.0, free)
        refit = _minimise(negative, unit, held) if near[name] else None
        slack = CORRELATION_SLACK if name == "rho" else NEGLIGIBLE_GAIN
        if refit is not None and refit[0] <= value + slack:
            value, factor, boundary = refit[0], refit[1] * held, name
            break
    if min(end[0] for end in simpler.values()) < value + SAME_MAXIMUM:
        for name, end in simpler.items():  # elements that are 0 remain 0
            held = free * (end[1] != 0)
            simpler[name] = (_minimise(negative, end[1], held) if held.any() else None) or end
    least = min(end[0] for end in simpler.values())
    if least < value - HIGHER:
        boundary = next(name for name, end in simpler.items() if end[0] <= least + NEGLIGIBLE_GAIN)
        factor = simpler[boundary][1] * free
    a, b, c = factor
    factor = np.array([abs(a), b if a >= 0 else -b, abs(c)])
    return Optimum(factor, likelihood.evaluate(psi_of(factor)), boundary)


def _zero_variance_models(negative: Objective, free: FloatArray) -> dict[str, Minimum]:
    """Minimise the three models with a variance of 0 roughly, each from the best point of a grid over its only SD.

    Returns
    -------
    dict of str to (float, (3,) array)
        Negative log-likelihood and Cholesky factor in units of ``free``, the smallest model first.
    """
    zero = np.zeros(3)
    minima = {"both": (negative(zero, free)[0], zero)}
    for name in ("tau_surrogate", "tau_final"):
        held = np.where(np.isin(np.arange(3), BOUNDARIES[name]), 0.0, free)
        value, unit = min(
            ((negative(unit, held)[0], unit) for unit in START_SDS[:, None] * (held > 0)), key=lambda end: end[0]
        )
        minima[name] = _minimise(negative, unit, held, rough=True) or (value, unit)
    return minima


def _starting_factors(effects: Effects, scale: FloatArray, simpler: Mapping[str, Minimum]) -> list[FloatArray]:
    """Starting values of the Cholesky factor.

    These are moments (moved inside the boundary), rho = 0.9, rho = -0.9, and points near the maxima with tau_final = 0
    and tau_surrogate = 0.
    """
    complete = effects.complete
    if complete.sum() > 2:
        moment = np.cov(effects.log_hr[complete].T) - effects.cov[complete].mean(axis=0)
    else:
        moment = np.diag(scale**2)
    values, vectors = np.linalg.eigh(moment)
    moment = vectors @ np.diag(np.maximum(values, 0.05 * np.mean(scale**2))) @ vectors.T
    strong = [np.array([scale[0], rho * scale[1], np.sqrt(1 - rho**2) * scale[1]]) / 2 for rho in (0.9, -0.9)]
    inside = 0.1 * scale[[0, 1, 1]]
    beside = [np.abs(simpler[name][1] * scale[[0, 1, 1]]) + inside for name in ("tau_final", "tau_surrogate")]
    return [np.linalg.cholesky(moment)[[0, 1, 1], [0, 0, 1]], *strong, *beside]


def _minimise(negative: Objective, start: FloatArray, free: FloatArray, *, rough: bool = False) -> Minimum | None:
    """Minimise from one start, or roughly in order to compare starts; None if it did not converge."""
    options: Any = {"gtol": 1e-3, "ftol": 1e-8} if rough else {"gtol": 1e-6, "ftol": 1e-15}
    fit = minimize(negative, start, args=(free,), jac=True, method="L-BFGS-B", options=options)
    # rounding error may end the search before gtol is reached; a gradient this small is accepted as a maximum
    gradient = np.asarray(fit.jac, dtype=np.float64)
    limit = 1.0 if rough else 1e-3
    return (float(fit.fun), fit.x) if np.isfinite(fit.fun) and np.abs(gradient).max() < limit else None


def parameter_covariance(likelihood: Likelihood, best: Optimum, *, full: bool) -> FloatArray:
    """Covariance of (mu_surrogate, mu_final, T11, T12, T22) at the maximum.

    The covariance of T is ``J I^-1 J'``, with I the observed information of the free Cholesky elements and J the
    derivative of T by them. On the boundary it is therefore conditional on the boundary.

    Parameters
    ----------
    likelihood : Likelihood
    best : Optimum
    full : bool
        Whether the covariance of mu includes the uncertainty of T (Stata, metaSEM) or is conditional on T (metafor,
        mixmeta).

    Returns
    -------
    (5, 5) array
        NaN in the part of T if the information is not positive definite.
    """
    hessian, mu_slope = likelihood.hessian(best.psi)
    jacobian = psi_jacobian(best.factor)
    g = best.at.gradient
    curvature = np.array([[2 * g[0], g[1], 0.0], [g[1], 2 * g[2], 0.0], [0.0, 0.0, 2 * g[2]]])
    free = [i for i in range(3) if i not in BOUNDARIES.get(best.boundary, ())]
    information = -(jacobian.T @ hessian @ jacobian + curvature)[np.ix_(free, free)]
    covariance = np.zeros((5, 5))
    covariance[:2, :2] = best.at.beta_cov
    if not free:
        return covariance
    if np.linalg.eigvalsh(information).min() <= 0:
        covariance[2:, 2:] = np.nan
        return covariance
    psi_cov = jacobian[:, free] @ np.linalg.inv(information) @ jacobian[:, free].T
    covariance[2:, 2:] = psi_cov
    if full:
        covariance[:2, :2] += mu_slope @ psi_cov @ mu_slope.T
        covariance[:2, 2:] = mu_slope @ psi_cov
        covariance[2:, :2] = covariance[:2, 2:].T
    return covariance
