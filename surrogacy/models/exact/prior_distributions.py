"""Distributions of functions of the parameters under the prior of the bivariate model."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.box_quadrature import DROP
from surrogacy.models.priors import CorrelationPrior, PositivePrior


def slope_prior(
    tau_surrogate: PositivePrior, tau_final: PositivePrior, rho_between: CorrelationPrior
) -> Callable[[FloatArray], FloatArray]:
    """Prior distribution function of the slope, with rho_between in closed form and both tau on a grid."""
    masses, midpoints = [], []
    for prior in (tau_surrogate, tau_final):
        edges = np.append(0.0, np.geomspace(prior.reach(0.0) * 1e-4, prior.reach(DROP), 160))
        masses.append(np.diff(prior.cdf(edges)))
        midpoints.append((edges[1:] + edges[:-1]) / 2)
    weight = np.multiply.outer(*masses).ravel()
    ratio = (midpoints[0][:, None] / midpoints[1]).ravel()
    # one value after the other: all at once would take 200 kB per value
    return lambda x: np.reshape([rho_between.cdf(value * ratio) @ weight for value in np.ravel(x)], np.shape(x))


@cache
def absolute_correlation(prior: CorrelationPrior) -> tuple[FloatArray, FloatArray]:
    """Values of ``|rho_between|`` and their prior distribution function."""
    root = np.linspace(0, 1, 4001)
    return root, prior.cdf(root) - prior.cdf(-root)
