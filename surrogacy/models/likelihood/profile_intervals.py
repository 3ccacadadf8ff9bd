"""Profile-likelihood intervals of the bivariate model.

The model is parametrised so that the quantity is a parameter. With the quantity fixed at a value ``v`` the likelihood
is maximised over the other parameters; the interval contains every ``v`` with ``2 (l_max - l(v)) <= chi2(level, 1
df)``. The signed root of that difference is nearly linear in ``v``, so that a few refits suffice for each limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.models.likelihood.likelihood import Likelihood
from surrogacy.models.likelihood.maximum import Optimum
from surrogacy.results.estimate import Estimate

# (psi, d psi / d free, beta or None, d beta / d free or None) with one quantity fixed
Constrained = tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]


def _hold_rho(rho: float, free: FloatArray) -> Constrained:
    """Free: (log tau1, log tau2)."""
    t1, t2 = np.exp(free)
    jacobian = np.array([[2 * t1 * t1, 0.0], [rho * t1 * t2, rho * t1 * t2], [0.0, 2 * t2 * t2]])
    return np.array([t1 * t1, rho * t1 * t2, t2 * t2]), jacobian, None, None


def _hold_slope(slope: float, free: FloatArray) -> Constrained:
    """Free: (tau1, sigma_cond)."""
    t1, s = free
    psi = np.array([t1 * t1, slope * t1 * t1, slope**2 * t1 * t1 + s * s])
    return psi, np.array([[2 * t1, 0.0], [2 * slope * t1, 0.0], [2 * slope**2 * t1, 2 * s]]), None, None


def _hold_sigma(sigma: float, free: FloatArray) -> Constrained:
    """Free: (tau1, slope)."""
    t1, slope = free
    psi, by_t1, _, _ = _hold_slope(slope, np.array([t1, sigma]))
    return psi, np.column_stack([by_t1[:, 0], [0.0, t1 * t1, 2 * slope * t1 * t1]]), None, None


def _hold_intercept(intercept: float, free: FloatArray) -> Constrained:
    """Free: (tau1, sigma_cond, slope, mu1); mu2 = intercept + slope mu1."""
    t1, _, slope, mu1 = free
    psi, by_t1_s, _, _ = _hold_slope(slope, free[:2])
    jacobian = np.column_stack([by_t1_s, [0.0, t1 * t1, 2 * slope * t1 * t1], np.zeros(3)])
    beta = np.array([mu1, intercept + slope * mu1])
    return psi, jacobian, beta, np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, mu1, slope]])


@dataclass(frozen=True)
class Quantity:
    """A quantity that can be fixed, and the scale on which its profile is nearly a parabola."""

    hold: Callable[[float, FloatArray], Constrained]
    lowest: float
    highest: float
    to_scale: Callable[[float], float]
    from_scale: Callable[[float], float]


QUANTITIES = {
    "rho_between": Quantity(_hold_rho, -1.0, 1.0, lambda v: float(np.arctanh(v)), lambda u: float(np.tanh(u))),
    "slope": Quantity(_hold_slope, -np.inf, np.inf, float, float),
    "intercept": Quantity(_hold_intercept, -np.inf, np.inf, float, float),
    "sigma_cond": Quantity(_hold_sigma, 0.0, np.inf, lambda v: float(np.log(v)), lambda u: float(np.exp(u))),
}


def profile_intervals(
    likelihood: Likelihood, best: Optimum, delta: Mapping[str, Estimate], level: float
) -> dict[str, tuple[float | None, float | None]]:
    """Profile intervals of rho_between, slope, intercept and sigma_cond.

    Parameters
    ----------
    likelihood : Likelihood
    best : Optimum
    delta : mapping of str to Estimate
        Point estimates, and standard errors for the first step of the search.
    level : float

    Returns
    -------
    dict of (low, high)
        (None, None) if the interval is the whole real line; quantities that are not defined at the maximum are
        omitted.
    """
    if best.boundary in ("both", "tau_surrogate"):
        return {}
    limits: dict[str, tuple[float | None, float | None]] = {}
    for name in QUANTITIES:
        if best.boundary == "tau_final" and name == "rho_between":
            continue
        unbounded = name in ("slope", "intercept") and _no_spread_is_plausible(likelihood, best, level)
        limits[name] = (None, None) if unbounded else _interval(likelihood, best, name, delta[name], level)
    return limits


def _no_spread_is_plausible(likelihood: Likelihood, best: Optimum, level: float) -> bool:
    """Return whether the likelihood region includes tau_surrogate = 0, and with it any slope and intercept."""

    def negative(tau2: FloatArray) -> tuple[float, FloatArray]:
        at = likelihood.evaluate(np.array([0.0, 0.0, tau2[0] ** 2]))
        return -at.log_likelihood, -at.gradient[2:] * 2 * tau2

    start = np.sqrt(best.psi[2:]) + 1e-3
    fit = minimize(negative, start, jac=True, method="L-BFGS-B")
    return bool(2 * (best.at.log_likelihood + fit.fun) <= ndtri(0.5 + level / 2) ** 2)


def _interval(
    likelihood: Likelihood, best: Optimum, name: str, delta: Estimate, level: float
) -> tuple[float | None, float | None]:
    quantity = QUANTITIES[name]
    estimate = float(delta.value or 0.0)
    target = float(ndtri(0.5 + level / 2))
    t11, t12, t22 = best.psi
    floor = 1e-3 * np.sqrt(t11 + t22)
    tau1, slope = np.sqrt(t11), t12 / t11
    sigma = max(np.sqrt(max(t22 - t12 * slope, 0.0)), floor)
    start = {
        "rho_between": np.log([tau1, max(np.sqrt(t22), floor)]),
        "slope": np.array([tau1, sigma]),
        "sigma_cond": np.array([tau1, slope]),
        "intercept": np.array([tau1, sigma, slope, best.at.beta[0]]),
    }[name]
    unit = np.ones_like(start) if name == "rho_between" else np.maximum(np.abs(start), floor)
    starts = [start]
    if best.boundary and name in ("slope", "intercept"):  # from sigma_cond = 0 the search may not reach a larger one
        for tau1_part, sigma_part in ((1.0, 0.5), (0.3, 0.5), (0.3, 1.0)):
            inside = start.copy()
            inside[:2] = max(tau1_part * tau1, floor), max(sigma_part * np.sqrt(t22), floor)
            starts.append(inside)

    def root(value: float) -> float:
        """Signed-root statistic minus its target; every search starts at the maximum, to depend on ``value`` only."""

        def negative(scaled: FloatArray) -> tuple[float, FloatArray]:
            psi, by_psi, beta, by_beta = quantity.hold(value, scaled * unit)
            at = likelihood.evaluate(psi, beta)
            gradient = by_psi.T @ at.gradient
            if by_beta is not None:
                gradient = gradient + by_beta.T @ at.beta_gradient
            return -at.log_likelihood, -gradient * unit

        fits = [
            minimize(negative, initial / unit, jac=True, method="L-BFGS-B", options={"gtol": 1e-6, "ftol": 1e-15})
            for initial in starts
        ]
        lowest = min(float(fit.fun) for fit in fits)
        return float(np.sqrt(max(2 * (best.at.log_likelihood + lowest), 0.0))) - target

    low = _limit(root, quantity, estimate, -1.0, quantity.lowest, delta.se)
    return low, _limit(root, quantity, estimate, 1.0, quantity.highest, delta.se)


def _limit(
    root: Callable[[float], float], quantity: Quantity, estimate: float, side: float, bound: float, se: float | None
) -> float:
    """Value at which ``root`` changes sign on one side of the estimate."""
    if estimate == bound or (np.isfinite(bound) and root(bound) <= 0):
        return bound
    inside = estimate
    if estimate in (quantity.lowest, quantity.highest):  # leave the boundary, where the scale is infinite
        inside = estimate + side * (1e-6 if np.isfinite(quantity.highest) else 1e-4 * abs(se or 1.0))
    low = quantity.to_scale(inside)
    step = 0.6
    if se and quantity.lowest < inside + side * se < quantity.highest:
        step = abs(quantity.to_scale(inside + side * se) - low) * 2.0
    while root(quantity.from_scale(far := low + side * step)) <= 0:
        low, step = far, step * 1.6
    tolerance = 1e-5 * abs(far - low)  # far smaller than the rounding of a printed limit
    return quantity.from_scale(float(brentq(lambda u: root(quantity.from_scale(u)), low, far, xtol=tolerance)))
