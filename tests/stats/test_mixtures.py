"""Mixtures of normal distributions."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile


def test_mixture_of_normals():
    weight, mean, sd = np.array([0.2, 0.5, 0.3]), np.array([[-3.0, 0.0, 10.0]]), np.array([[0.1, 2.0, 1e-6]])
    p = np.array([1e-4, 0.1, 0.5, 0.69, 0.9, 0.9999])
    x = mixture_quantile(p, weight, mean, sd)[0]
    assert mixture_cdf(x, weight, mean[0], sd[0]) == pytest.approx(p, abs=1e-5)
    assert mixture_quantile(p, np.ones(1), np.zeros((1, 1)), np.ones((1, 1)))[0] == pytest.approx(norm.ppf(p), abs=1e-9)


@pytest.mark.parametrize("skewed", [0.0, 0.5, 3.0])
def test_quantiles_of_many_components(skewed):
    """Against Brent's method and the exact normal distribution function, within 1e-4 SD; padding changes nothing."""
    generator = np.random.default_rng(1)
    weight = generator.dirichlet(np.ones(300))
    mean = np.exp(skewed * generator.standard_normal(300)) if skewed else generator.standard_normal(300)
    sd = generator.uniform(0.3, 1.0, 300) * mean.std()
    p = np.array([0.01, 0.025, 0.5, 0.975])
    x = mixture_quantile(p, weight, mean[None], sd[None])[0]
    spread = np.sqrt(weight @ ((mean - weight @ mean) ** 2 + sd**2))
    for value, probability in zip(x, p, strict=True):
        exact = brentq(lambda at, wanted=probability: weight @ norm.cdf(at, mean, sd) - wanted, -1e4, 1e4, xtol=1e-12)
        assert value == pytest.approx(exact, abs=1e-4 * spread)
    padded = [
        np.stack([np.append(part, fill), np.append(part, fill)]) for part, fill in ((weight, 0), (mean, 0), (sd, 1))
    ]
    assert mixture_quantile(p, *padded) == pytest.approx(np.stack([x, x]), rel=1e-12)
