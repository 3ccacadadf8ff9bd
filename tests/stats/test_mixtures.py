"""Mixtures of normal distributions."""

import numpy as np
import pytest
from scipy.stats import norm

from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile


def test_mixture_of_normals():
    weight, mean, sd = np.array([0.2, 0.5, 0.3]), np.array([[-3.0, 0.0, 10.0]]), np.array([[0.1, 2.0, 1e-6]])
    p = np.array([1e-4, 0.1, 0.5, 0.69, 0.9, 0.9999])
    x = mixture_quantile(p, weight, mean, sd)[0]
    assert mixture_cdf(x, weight, mean[0], sd[0]) == pytest.approx(p, abs=1e-5)
    assert mixture_quantile(p, np.ones(1), np.zeros((1, 1)), np.ones((1, 1)))[0] == pytest.approx(norm.ppf(p), abs=1e-9)
