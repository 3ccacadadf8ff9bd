"""Maximum of the bivariate likelihood where there are several: hostile data sets against a brute-force search."""

import numpy as np
import pytest
from scipy.optimize import minimize

from surrogacy import Effects
from surrogacy.models import BivariateRandomEffects

# Five comparisons whose likelihood has a maximum at rho = 1 (4.6603) and a higher one with both variances 0 (4.7568).
TWO_MAXIMA = Effects.from_arrays(
    [[0.0412, -0.0292], [-0.1788, -0.0531], [0.0490, -0.0162], [-1.0109, -0.2005], [-0.1635, -0.1109]],
    [[0.1828, 0.2697], [0.4878, 0.0816], [0.3688, 0.0672], [0.2980, 0.0596], [0.0664, 0.1185]],
    rho_within=0.5,
)


def hostile(seed):
    """Few comparisons with standard errors that differ up to a hundredfold."""
    generator = np.random.default_rng(seed)
    k = int(generator.integers(3, 9))
    log_hr = generator.normal(0, [0.5, 0.2], (k, 2)) * generator.choice([0.2, 1, 2])
    se = np.exp(generator.normal(np.log(0.15), 0.8, (k, 2)))
    return Effects.from_arrays(log_hr, se, generator.choice([-0.6, 0, 0.5, 0.9]))


def log_likelihood(effects, t11, t12, t22, *, restricted):
    """Log-likelihood at arrays of T, mu at its best, written out for pairs and without the package's code."""
    (y1, y2), (s1, s2), r = effects.log_hr.T, effects.se.T, effects.rho_within
    v11, v12, v22 = (np.asarray(t)[..., None] + s for t, s in ((t11, s1**2), (t12, r * s1 * s2), (t22, s2**2)))
    det = v11 * v22 - v12**2
    w11, w12, w22 = v22 / det, -v12 / det, v11 / det
    a11, a12, a22 = w11.sum(-1), w12.sum(-1), w22.sum(-1)
    b1, b2 = (w11 * y1 + w12 * y2).sum(-1), (w12 * y1 + w22 * y2).sum(-1)
    information = a11 * a22 - a12**2
    m1, m2 = (a22 * b1 - a12 * b2) / information, (a11 * b2 - a12 * b1) / information
    d1, d2 = y1 - m1[..., None], y2 - m2[..., None]
    quadratic = (w11 * d1**2 + 2 * w12 * d1 * d2 + w22 * d2**2).sum(-1)
    k = len(y1)
    value = -k * np.log(2 * np.pi) - (np.log(det).sum(-1) + quadratic) / 2
    return value + np.log(2 * np.pi) + np.log(k) - np.log(information) / 2 if restricted else value


def brute_force(effects, *, restricted):
    """Highest value of a grid that holds both boundaries, polished from its five best points."""
    widest = 2 * np.abs(effects.log_hr - effects.log_hr.mean(axis=0)).max()
    taus = np.concatenate([[0.0], np.geomspace(widest / 300, widest, 24)])
    t1, t2, rho = np.meshgrid(taus, taus, np.linspace(-1, 1, 21), indexing="ij")
    values = log_likelihood(effects, t1**2, rho * t1 * t2, t2**2, restricted=restricted).ravel()

    def negative(factor):
        a, b, c = factor
        return -float(log_likelihood(effects, a * a, a * b, b * b + c * c, restricted=restricted))

    best = values.max()
    for at in np.argsort(values)[-5:]:
        start = np.array([t1.flat[at], rho.flat[at] * t2.flat[at], np.sqrt(1 - rho.flat[at] ** 2) * t2.flat[at]])
        simplex = start + np.vstack([np.zeros(3), np.eye(3) * widest / 40])
        options = {"initial_simplex": simplex, "xatol": 1e-8, "fatol": 1e-10, "maxiter": 2000}
        best = max(best, -minimize(negative, start, method="Nelder-Mead", options=options).fun)
    return best


def test_both_variances_are_zero_where_that_is_the_higher_maximum():
    result = BivariateRandomEffects("ml").fit(TWO_MAXIMA)
    assert result["loglik"].value == pytest.approx(4.7568, abs=5e-5)
    assert (result["tau_surrogate"].value, result["tau_final"].value) == (0, 0)
    assert result.line is None
    assert any("SDs of the true surrogate and final effects are 0" in problem for problem in result.problems)


def test_reml_of_the_same_data_keeps_its_maximum_at_rho_1():
    result = BivariateRandomEffects("reml", interval="delta").fit(TWO_MAXIMA)
    assert result["loglik"].value == pytest.approx(brute_force(TWO_MAXIMA, restricted=True), abs=1e-6)
    assert result["rho_between"].value == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ml", "reml"])
def test_no_higher_likelihood_by_brute_force_in_a_hundred_hostile_data_sets(method):
    both_zero = 0
    for seed in range(100):
        effects = hostile(seed)
        result = BivariateRandomEffects(method, interval="delta").fit(effects)
        # a tau of 0 is preferred to a small one that gains up to a hundred-thousandth
        assert result["loglik"].value > brute_force(effects, restricted=method == "reml") - 2e-5, seed
        both_zero += result["tau_surrogate"].value == result["tau_final"].value == 0
    # one variance alone is 0 at a maximum only where the likelihood has no slope in T12 there, which random data never
    # show
    assert 10 <= both_zero <= 50


@pytest.mark.parametrize("seed", [95, 258])
def test_a_higher_maximum_far_from_that_of_moments_is_reached(seed):
    """Two starts that agree on the lower maximum do not end the search."""
    effects = hostile(seed)
    result = BivariateRandomEffects("ml", interval="delta").fit(effects)
    assert result["loglik"].value == pytest.approx(brute_force(effects, restricted=False), abs=1e-6)
