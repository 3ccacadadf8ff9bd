"""Quantiles of the exact posterior against a grid with four times the nodes, on effects that are difficult.

``python validation/posterior_accuracy.py`` does the same for 800 data sets.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import cauchy, norm

from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact import marginals
from surrogacy.models.exact.bivariate_posterior import QUANTITIES
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.interpolation import squared, unresolved
from surrogacy.models.exact.marginals import cumulate
from surrogacy.models.exact.refinement import with_resolution
from tests.support.difficult_effects import difficult_effects
from tests.support.effects import simulated

P = (0.5, 0.025, 0.975)


@pytest.mark.parametrize("seed", [0, 2, 7, 13])  # 7, 13: correlation near 1; 13: standard errors of 0.003
def test_quantiles_of_difficult_sets_are_those_of_a_four_fold_grid(seed):
    effects = difficult_effects(seed)
    model = BivariateBayes()
    result = model.fit(effects)
    assert result.converged
    reference = replace(model, nodes=(64, 64, 72)).posterior(effects).quantiles(P)
    for name in QUANTITIES:
        estimate = result[name]
        away = np.abs(np.array([estimate.value, estimate.low, estimate.high]) - reference[name])
        assert away.max() < 0.005 * (reference[name][2] - reference[name][1]) / 3.92, name


@pytest.mark.parametrize("case", ["simulated", "tiny standard errors"])
def test_distribution_of_the_slope_is_that_of_weighted_nodes(case):
    """The integral along tau_surrogate against plain sums over a grid of 80 x 80 x 90 nodes; the sum has steps of up
    to 0.002.
    """
    effects = simulated(12, seed=4)
    if case != "simulated":
        effects = replace(effects, se=np.full((12, 2), 1e-3))
    posterior = BivariateBayes().fit(effects).posterior
    nodes = BivariateBayes(nodes=(80, 80, 90)).posterior(effects).nodes()
    x = posterior.quantile("slope", np.array([0.05, 0.3, 0.5, 0.7, 0.95]))
    below = [nodes.weight[nodes.slope < at].sum() for at in x]
    assert posterior.distribution("slope", x) == pytest.approx(below, abs=4e-3)
    assert posterior.distribution("slope", np.zeros(1)) == pytest.approx(
        posterior.distribution("rho_between", 0.0), abs=1e-4
    )


def test_mass_below_ends_is_that_of_a_cubic():
    """Cubic interpolation is exact for a quadratic distribution function, apart from the cells at its ends."""
    t = np.linspace(-1, 1, 41)
    lines = np.stack([(t + 1) ** 2, 3 * (t + 1)])
    ends = np.array([[-0.987, 0.3], [0.512, -1.2], [0.98, 1.4]])
    clipped = np.clip(ends, -1, 1)
    expected = (clipped[:, 0] + 1) ** 2 + 3 * (clipped[:, 1] + 1)
    assert marginals.interval_mass(lines, ends) == pytest.approx(expected, abs=1e-3)
    assert marginals.interval_mass(lines, ends)[1] == pytest.approx(expected[1], abs=1e-12)


def test_distribution_from_0_is_that_of_a_half_normal():
    """Even points before the map that squares the distance from the lower end; 12 SDs along the axis."""
    t = rule(14)[0]
    mass = cumulate(-18 * (1 + t[None]) ** 2, 65, from_0=True)[0]
    x = 6 * (1 + squared(np.linspace(-1, 1, 65)))  # SDs
    assert mass / mass[-1] == pytest.approx(2 * ndtr(x) - 1, abs=2e-4)


def test_quantiles_are_roots_where_many_nodes_have_one_value():
    """A normal distribution from coarse nodes with repeated values, whose cumulative masses are a staircase."""
    values = np.repeat(np.arange(-4.0, 5.0), 7)
    weight = np.exp(-(values**2) / 2) / np.exp(-(values**2) / 2).sum()
    assert marginals.invert(ndtr, P, values, weight) == pytest.approx(ndtri(P), abs=1e-5)


def test_many_quantiles_of_a_cauchy_distribution():
    p = (np.arange(1000) + 0.5) / 1000
    nodes = (np.arange(50) + 0.5) / 50
    quantiles = marginals.many_quantiles(cauchy.cdf, p, cauchy.ppf(nodes), np.full(50, 1 / 50))
    assert quantiles == pytest.approx(cauchy.ppf(p), rel=2e-3, abs=1e-4)


def test_unresolved_part_is_that_of_the_highest_degrees():
    """A log density of degree 4 in each coordinate is exact with 8 nodes; 1% of the polynomial of degree 7 is lost."""
    t = rule(8)[0]
    smooth = -2 * (t[:, None] - 0.1) ** 2 - t[None] ** 4
    weight = np.exp(smooth) * np.multiply.outer(rule(8)[1], rule(8)[1])
    weight /= weight.sum()
    assert unresolved(smooth[None], weight[None])[0] == pytest.approx(0, abs=1e-12)
    highest = 0.01 * np.polynomial.legendre.Legendre.basis(7)(t)
    lost = unresolved((smooth + highest[:, None])[None], weight[None])[0]
    assert lost == pytest.approx((weight * np.abs(np.expm1(highest))[:, None]).sum(), rel=1e-9)


@pytest.mark.parametrize("seed", [6, 11, 52])  # steps along rho, tau_surrogate; a slope that changes its sign
def test_distribution_of_the_intercept_is_that_of_draws(seed):
    """40,000 draws have a standard error of at most 0.0025; a sum over the nodes of 11 errs by 0.02."""
    posterior = BivariateBayes().fit(difficult_effects(seed)).posterior
    draws = posterior.draw(40_000)["intercept"]
    x = np.quantile(draws, np.linspace(0.02, 0.98, 25))
    below = posterior.distribution("intercept", x)
    assert below == pytest.approx((draws[:, None] < x).mean(axis=0), abs=0.008)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_change_of_a_limit_is_that_of_the_density_which_moves_it_most(level):
    """A standard normal density that is smaller by a share below its lower limit, and larger above it."""
    share, tail = 1e-4, 0.5 - level / 2
    moved = norm.ppf(tail / (1 - share)) - norm.ppf(tail)
    lost = 2 * share * tail  # mean absolute change: the same mass above the limit as below
    result = with_resolution(BivariateBayes(check_grid=False).fit(simulated(6)), lost, level)
    assert result["grid_error"].value == pytest.approx(moved, rel=1e-3)
