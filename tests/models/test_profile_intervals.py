"""Profile-likelihood intervals: derivatives of their coordinates, and limits against searches by scipy."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtri

from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects
from surrogacy.models.likelihood import profile_limits
from surrogacy.models.likelihood.batch_data import same_comparisons
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import maximise
from surrogacy.models.likelihood.profile_coordinates import QUANTITIES, Coordinates
from surrogacy.models.likelihood.profile_search import climb

UNITS = {"rho_between": 1.0, "slope": 0.7, "intercept": 0.3, "sigma_cond": 0.2}


def simulated(k: int, seed: int, rho: float = 0.8) -> Effects:
    """Effects with a true correlation ``rho``; standard errors differ by a factor of up to 3."""
    generator = np.random.default_rng(seed)
    se = generator.uniform(0.08, 0.25, (k, 2))
    between = np.array([[0.09, rho * 0.06], [rho * 0.06, 0.04]])
    theta = generator.multivariate_normal([-0.3, -0.1], between, size=k)
    noise = generator.standard_normal((k, 2)) @ np.linalg.cholesky([[1, 0.5], [0.5, 1]]).T
    return Effects.from_arrays(theta + se * noise, se, 0.5)


def with_gaps_and_shared_arms() -> Effects:
    """Effects with a missing endpoint and two comparisons that share a control arm."""
    effects = simulated(9, 5)
    log_hr, se = effects.log_hr.copy(), effects.se.copy()
    log_hr[2, 1] = se[2, 1] = np.nan
    trial, comparison = ["1", "1", *map(str, range(3, 10))], list(map(str, range(1, 10)))
    return Effects.from_arrays(log_hr, se, 0.5, trial=trial, comparison=comparison, control_group=trial)


def coordinates(effects: Effects, method: str, points: int) -> Coordinates:
    """Coordinates with the same number of points for each quantity."""
    rows = {name: slice(points * i, points * (i + 1)) for i, name in enumerate(QUANTITIES)}
    log_hr = np.repeat(effects.log_hr[None], points * len(QUANTITIES), axis=0)
    return Coordinates(same_comparisons(effects, log_hr, method).likelihood, rows, UNITS, 0.05)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_derivatives_agree_with_differences(method):
    points = coordinates(simulated(9, 1), method, 3)
    at = np.abs(np.random.default_rng(1).normal(size=(12, 4))) * 0.4 + 0.05
    exact, step = points.evaluate(at), 1e-6
    for i, unit in enumerate(np.eye(4)):
        ahead, behind = points.evaluate(at + step * unit), points.evaluate(at - step * unit)
        by_value = (ahead.log_likelihood - behind.log_likelihood) / (2 * step)
        by_gradient = (ahead.gradient - behind.gradient) / (2 * step)
        np.testing.assert_allclose(exact.gradient[:, i], by_value, atol=1e-7)
        scale = np.abs(exact.hessian).max(axis=(1, 2))[:, None]
        np.testing.assert_allclose(exact.hessian[:, i] / scale, by_gradient / scale, atol=1e-7)


def test_searches_end_at_a_maximum_within_the_bounds():
    points = coordinates(simulated(9, 2), "reml", 2)
    start = np.full((8, 4), 0.3)
    start[:, 0] = np.tile([-1.2, 1.2], 4)
    start[6:, 0] = 0.1, 1.2
    end = climb(points, start, np.ones((8, 3)))
    gradient = points.evaluate(end.at).gradient[:, 1:]
    held = points.above_zero & (end.at[:, 1:] == 0.0)
    assert np.abs(gradient[points.free & ~held]).max() < 1e-3
    assert np.all(gradient[held] <= 0.0)
    assert held.any()
    np.testing.assert_array_equal(end.at[:, 0], start[:, 0])
    ahead = climb(points, end.at + 1e-4 * end.path, np.ones((8, 3)))
    np.testing.assert_allclose((ahead.log_likelihood - end.log_likelihood) / 1e-4, end.derivative, atol=1e-2)
    smooth = ~held.any(axis=1)
    np.testing.assert_allclose(ahead.at[smooth], (end.at + 1e-4 * end.path)[smooth], atol=1e-5)


def fixed(name: str, value: float, free: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """T and, for the intercept, the means with a quantity fixed, in a parametrisation other than that of the package.

    Free are the logarithms of the SDs for the correlation, else tau_surrogate, the residual SD, and what else is left.
    """
    if name == "rho_between":
        first, second = np.exp(free)
        return np.array([first**2, value * first * second, second**2]), None
    first, sigma, slope = free[0], free[1], value
    beta = None
    if name == "sigma_cond":
        sigma, slope = value, free[1]
    if name == "intercept":
        slope, beta = free[2], np.array([free[3], value + free[2] * free[3]])
    return np.array([first**2, slope * first**2, slope**2 * first**2 + sigma**2]), beta


def highest(likelihood: Likelihood, name: str, value: float, best) -> float:
    """Maximum of the log-likelihood with a quantity fixed, from several starts by Nelder and Mead's method."""
    t11, t12, t22 = best.psi
    sigma = np.sqrt(max(t22 - t12**2 / t11, 0.05 * t22))
    start = {
        "rho_between": np.log(np.sqrt([t11, t22])),
        "slope": np.array([np.sqrt(t11), sigma]),
        "sigma_cond": np.array([np.sqrt(t11), t12 / t11]),
        "intercept": np.array([np.sqrt(t11), sigma, t12 / t11, best.at.beta[0]]),
    }[name]
    options = {"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000}

    def negative(free):
        return -likelihood.evaluate(*fixed(name, value, free)).log_likelihood

    ends = []
    for factor in (1.0, 0.5):
        end = minimize(negative, start * factor, method="Nelder-Mead", options=options)
        ends.append(minimize(negative, end.x, method="Nelder-Mead", options=options).fun)
    return -min(ends)


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(
    "effects",
    [simulated(21, 21), simulated(8, 3, rho=0.0), simulated(12, 6, rho=1.0), with_gaps_and_shared_arms()],
    ids=["21", "no correlation", "correlation 1", "gaps"],
)
def test_likelihood_falls_by_the_same_amount_at_every_limit(effects, level):
    result = BivariateRandomEffects("reml", level=level).fit(effects)
    likelihood = Likelihood(make_blocks(effects), "reml")
    best = maximise(likelihood, effects, 5)
    drop = 0.5 * float(ndtri(0.5 + level / 2)) ** 2
    inner = 0
    for name in QUANTITIES:
        for limit in (result[name].low, result[name].high):
            if limit is None or abs(limit) in (0.0, 1.0):
                continue
            inner += 1
            fall = best.at.log_likelihood - highest(likelihood, name, limit, best)
            assert fall == pytest.approx(drop, abs=2e-5), (name, limit)
    assert inner >= 3


def test_limits_do_not_depend_on_the_order_of_the_trials():
    effects = simulated(10, 4)
    turned = Effects.from_arrays(effects.log_hr[::-1], effects.se[::-1], 0.5)
    first, second = (BivariateRandomEffects("reml").fit(data) for data in (effects, turned))
    for name in QUANTITIES:
        assert first[name].low == pytest.approx(second[name].low, abs=1e-6)
        assert first[name].high == pytest.approx(second[name].high, abs=1e-6)


def test_bounds_within_the_likelihood_region_are_limits():
    effects = simulated(3, 9)
    result = BivariateRandomEffects("reml").fit(effects)
    assert (result["rho_between"].low, result["rho_between"].high) == (-1.0, 1.0)
    assert result["sigma_cond"].low == 0.0


def scattered(seed: int) -> Effects:
    """Three to 30 comparisons: any correlation, SDs of 0 to 0.6, standard errors that differ up to thirtyfold."""
    generator = np.random.default_rng([7, seed])
    k = int(generator.choice([3, 4, 6, 9, 14, 21, 30]))
    rho, (first, second) = generator.choice([-1, -0.5, 0, 0.5, 0.95, 1]), generator.choice([0, 0.02, 0.1, 0.3, 0.6], 2)
    se = np.exp(generator.uniform(np.log(0.02), np.log(0.6), (k, 2)))
    z, noise = generator.standard_normal((2, k, 2))
    theta = np.column_stack([first * z[:, 0], second * (rho * z[:, 0] + np.sqrt(1 - rho**2) * z[:, 1])])
    noise[:, 1] = 0.5 * noise[:, 0] + np.sqrt(0.75) * noise[:, 1]
    return Effects.from_arrays(theta + se * noise, se, 0.5)


def limits(effects: Effects) -> list[float]:
    """Limits of all quantities; NaN where there is none."""
    result = BivariateRandomEffects("reml").fit(effects)
    pairs = [(result[name].low, result[name].high) for name in QUANTITIES]
    return [np.nan if limit is None else limit for pair in pairs for limit in pair]


def test_limits_are_those_of_the_search_along_the_profile(monkeypatch):
    """Forty sets, many with a maximum or a limit on the boundary; both searches are exact to 1e-7 of a unit."""
    sets = [scattered(seed) for seed in range(40)]
    jointly = np.array([limits(effects) for effects in sets])
    monkeypatch.setattr(profile_limits, "MOST_JOINT_STEPS", 0)
    along = np.array([limits(effects) for effects in sets])
    np.testing.assert_allclose(jointly, along, rtol=1e-6, atol=1e-6)
    assert np.isfinite(jointly).mean() > 0.5


def test_a_limit_beyond_a_lower_maximum_of_the_profile():
    """Five comparisons: a search that halves its bracket ended at an upper limit of the correlation of -0.999."""
    effects = Effects.from_arrays(
        [[-0.1062, -0.0880], [-0.1023, -0.4175], [0.0926, -0.2004], [0.1677, -1.0814], [-0.6427, 0.5109]],
        [[0.1162, 0.1005], [0.1124, 0.1153], [0.1031, 0.1026], [0.1198, 0.1072], [0.1026, 0.1071]],
        rho_within=0.7,
    )
    likelihood = Likelihood(make_blocks(effects), "ml")
    best = maximise(likelihood, effects, 5)
    limit = BivariateRandomEffects("ml", level=0.9).fit(effects)["rho_between"].high
    fall = best.at.log_likelihood - highest(likelihood, "rho_between", limit, best)
    assert limit == pytest.approx(-0.593, abs=0.001)
    assert fall == pytest.approx(0.5 * float(ndtri(0.95)) ** 2, abs=2e-5)
