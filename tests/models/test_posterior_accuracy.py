"""Quantiles of the exact posterior against a grid with four times the nodes, on effects that are difficult.

``python validation/posterior_accuracy.py`` does the same for 800 data sets.
"""

from dataclasses import replace

import numpy as np
import pytest

from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact import marginals
from surrogacy.models.exact.bivariate_posterior import QUANTITIES
from tests.support.difficult_effects import difficult_effects
from tests.support.effects import simulated

P = (0.5, 0.025, 0.975)


@pytest.mark.parametrize("seed", [0, 2, 7, 13])  # 7, 13: correlation near 1; 13: standard errors of 0.003
def test_quantiles_of_difficult_sets_are_those_of_a_four_fold_grid(seed):
    effects = difficult_effects(seed)
    model = BivariateBayes()
    result = model.fit(effects)
    assert result.converged
    reference = replace(model, nodes=tuple(4 * n for n in model.nodes)).posterior(effects).quantiles(P)
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
    posterior = BivariateBayes().posterior(effects)
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


def test_a_shift_is_measured_in_posterior_sds():
    """A posterior whose quantiles are those of another one moved by 0.1 SD."""
    posterior = BivariateBayes(check_grid=False).posterior(simulated(40, seed=1))
    quantiles = posterior.quantiles(P)
    assert posterior.largest_shift(quantiles, P) < 1e-3
    median, low, high = quantiles["mu_final"]
    moved = {"mu_final": quantiles["mu_final"] + 0.1 * (high - low) / 3.92}
    assert posterior.largest_shift(moved, P) == pytest.approx(0.1, rel=0.1)
    assert low < median < high
