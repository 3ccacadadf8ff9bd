"""Profile limits against a constrained optimisation by scipy, with a likelihood that is written here in full.

A limit is the extreme value of the quantity among all means and covariances T whose log-likelihood is at least the
highest one minus half a quantile of the chi-squared distribution. T is L L' with L = [[a, 0], [b, c]], a and c >= 0.
"""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects

NAMES = ("rho_between", "slope", "intercept", "sigma_cond")
SIDES = (-1.0, 1.0)
# (mu1, mu2, a, b, c) in units of the SDs of the effects; for the intercept mu2 is replaced by it, and b by the slope
BOUNDS = [(-30.0, 30.0), (-300.0, 300.0), (0.0, 30.0), (-30.0, 30.0), (0.0, 30.0)]
LOW, HIGH = np.array(BOUNDS).T
# Starts of a search: factor of a at the maximum, and correlation times the side of the limit
STARTS = ((0.7, 0.0), (0.7, 0.7), (0.4, 0.95), (1.0, -0.5))


def random_effects(seed: int) -> Effects:
    """Effects of 3 to 40 trials, often with a correlation of -1 or 1 or without a spread of the true final effects."""
    generator = np.random.default_rng(seed)
    k = int(generator.integers(3, 41)) if seed % 2 else int(generator.integers(3, 12))
    se, within = np.exp(generator.normal(np.log(0.15), 0.4, (k, 2))), generator.choice([-0.3, 0.0, 0.5, 0.8])
    tau, rho = generator.choice([0.15, 0.3, 0.6]), generator.choice([-1.0, 0.0, 0.6, 0.9, 1.0])
    tau_final = generator.choice([0.0, 0.1, 0.3])
    between = np.array([[tau**2, rho * tau * tau_final], [rho * tau * tau_final, tau_final**2]])
    sampling = covariances(se, np.full(k, within))
    log_hr = [generator.multivariate_normal([-0.3, -0.1], between + within_trial) for within_trial in sampling]
    return Effects.from_arrays(log_hr, se, within)


def covariances(se: np.ndarray, within: np.ndarray) -> np.ndarray:
    """(k, 2, 2) covariances of the sampling errors."""
    sampling = se[:, :, None] * se[:, None, :]
    sampling[:, [0, 1], [1, 0]] *= within[:, None]
    return sampling


class Problem:
    """Likelihood of one set, whose effects have been divided by their SDs."""

    def __init__(self, effects: Effects) -> None:
        self.scale = effects.log_hr.std(axis=0, ddof=1)
        self.y = effects.log_hr / self.scale
        self.sampling = covariances(effects.se / self.scale, effects.rho_within)

    def log_likelihood(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """``l(mu, T) - log|sum V_i^-1| / 2`` without constants, and its gradient, by mu1, mu2, a, b and c."""
        a, b, c = at[2:]
        root = np.array([[a, 0.0], [b, c]])
        v = self.sampling + root @ root.T
        inverse, residual = np.linalg.inv(v), self.y - at[:2]
        weighted = np.einsum("kij,kj->ki", inverse, residual)
        information = inverse.sum(axis=0)
        value = -0.5 * (np.linalg.slogdet(v)[1].sum() + (residual * weighted).sum())
        value -= 0.5 * np.linalg.slogdet(information)[1]
        spread = inverse @ np.linalg.inv(information) @ inverse
        by_t = 0.5 * (weighted.T @ weighted - information + spread.sum(axis=0))
        by_root = 2.0 * by_t @ root
        return value, np.array([*weighted.sum(axis=0), by_root[0, 0], by_root[1, 0], by_root[1, 1]])

    def by_line(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        """The same by mu1, intercept, a, slope and c."""
        mu1, intercept, a, slope, c = at
        value, (g1, g2, ga, gb, gc) = self.log_likelihood(np.array([mu1, intercept + slope * mu1, a, slope * a, c]))
        return value, np.array([g1 + slope * g2, g2, ga + slope * gb, a * gb + mu1 * g2, gc])

    def highest(self) -> np.ndarray:
        """Point of the highest likelihood."""

        def negative(at):
            value, gradient = self.log_likelihood(at)
            return -value, -gradient

        mean = self.y.mean(axis=0)
        starts = [np.array([*mean, *root]) for root in product((0.0, 0.3, 0.9), (-0.7, 0.1, 0.7), (0.0, 0.4))]
        options = {"ftol": 1e-15, "gtol": 1e-9}
        ends = [
            minimize(negative, start, jac=True, bounds=BOUNDS, method="L-BFGS-B", options=options) for start in starts
        ]
        return min(ends, key=lambda end: end.fun).x

    def limit(self, name: str, side: float, best: np.ndarray, least: float) -> float:
        """Extreme value of a quantity, as an angle for the correlation and the slope, in units of the SDs."""
        likelihood = self.log_likelihood
        if name == "intercept":
            likelihood = self.by_line
        constraint = {"type": "ineq", "fun": lambda at: likelihood(at)[0] - least, "jac": lambda at: likelihood(at)[1]}

        def negative(at):
            value, gradient = quantity(name, at)
            return -side * value, -side * gradient

        options, extremes = {"ftol": 1e-12, "maxiter": 200}, []
        spread = np.hypot(best[3], best[4])
        away = [(factor * best[2], side * rho * spread, np.sqrt(1 - rho**2) * spread) for factor, rho in STARTS]
        for a, b, c in (best[2:], best[2:] * [0.5, 1.0, 1.0], *away):
            begin = np.array([*best[:2], a, b, c])
            if name == "intercept":
                begin[[1, 3]] = best[1] - b / a * best[0], b / a
            for _ in range(2):
                end = minimize(
                    negative, begin, jac=True, bounds=BOUNDS, constraints=constraint, method="SLSQP", options=options
                )
                begin = np.clip(end.x, LOW, HIGH) if np.isfinite(end.x).all() else begin
            if likelihood(begin)[0] >= least - 1e-8:
                extremes.append(side * quantity(name, begin)[0])
        return side * max(extremes)


def quantity(name: str, at: np.ndarray) -> tuple[float, np.ndarray]:
    """Value and gradient of the angle of the correlation or slope, of the intercept, or of the residual SD."""
    if name in ("intercept", "sigma_cond"):
        place = 1 if name == "intercept" else 4
        return at[place], np.eye(5)[place]
    place = 4 if name == "rho_between" else 2
    length, gradient = at[3] ** 2 + at[place] ** 2 + 1e-300, np.zeros(5)
    gradient[3], gradient[place] = at[place] / length, -at[3] / length
    return np.arctan2(at[3], at[place]), gradient


def differences(effects: Effects) -> list[tuple[str, float, float | None, float]]:
    """Quantities, sides, limits of the package, and those of the constrained optimisation, where they differ."""
    result, problem = BivariateRandomEffects().fit(effects), Problem(effects)
    best = problem.highest()
    least = problem.log_likelihood(best)[0] - 0.5 * float(chi2.ppf(0.95, 1))
    s1, s2 = problem.scale
    failures = []
    for name, side in product(NAMES, SIDES):
        estimate = result[name]
        if estimate.value is None:
            continue
        limit = estimate.low if side < 0 else estimate.high
        if limit is None and name == "intercept":
            continue  # the slope then has no limits either
        sought = problem.limit(name, side, best, least)
        values = {"rho_between": np.sin(sought), "slope": np.tan(sought) * s2 / s1}
        expected = float(values.get(name, sought * s2))
        if limit is None:
            agrees = abs(sought) > np.pi / 2 - 1e-4
        else:
            width = abs(limit - estimate.value)
            agrees = abs(limit - expected) <= 1e-4 * max(abs(limit), width)
        if not agrees:
            failures.append((name, side, limit, expected))
    return failures


@pytest.mark.parametrize("seed", range(30))
def test_limits_of_random_sets(seed):
    assert differences(random_effects(seed)) == []
