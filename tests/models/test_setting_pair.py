"""Exact posterior of two settings with exchangeable lines, against direct integration and known limits."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from surrogacy.models import BivariateBayes, BivariateRandomEffects
from surrogacy.models.exact.setting_kernels import Spread, hat_masses, lattice_kernel, pair_kernels
from surrogacy.models.exact.setting_pair import LEVEL, LOG_SIGMA, SLOPE, SettingPair
from surrogacy.models.exact.setting_table import SettingPriors, common_centre, tabulate
from surrogacy.models.priors import HalfNormal, Normal
from tests.support.effects import made_up, simulated

TINY = HalfNormal(1e-4)
PROBABILITIES = (0.025, 0.5, 0.975)


def pair_of(first, second, priors, nodes=(14, 32, 48, 24)):
    centre = common_centre(first, second)
    return SettingPair((tabulate(first, priors, centre, nodes), tabulate(second, priors, centre, nodes)), priors)


def log_likelihood(effects, centre, level, slope, log_sigma, tau):
    """Normal density of all estimates, the mean of the surrogate effects N(0, 100) integrated out."""
    level, slope, log_sigma, tau = np.broadcast_arrays(level, slope, log_sigma, tau)
    k, shape = len(effects), level.shape
    between = np.empty((*shape, 2, 2))
    between[..., 0, 0], between[..., 0, 1] = tau**2, slope * tau**2
    between[..., 1, 0], between[..., 1, 1] = slope * tau**2, (slope * tau) ** 2 + np.exp(2 * log_sigma)
    covariance = np.zeros((*shape, 2 * k, 2 * k))
    for i in range(k):
        block = slice(2 * i, 2 * i + 2)
        covariance[..., block, block] = between + effects.covariance_between(i, i)
    loading = np.stack([np.ones_like(slope), slope], axis=-1)
    loading = np.concatenate([loading] * k, axis=-1)
    covariance += 100 * loading[..., :, None] * loading[..., None, :]
    mean = np.stack([np.zeros_like(level), level - slope * centre], axis=-1)
    residual = effects.log_hr.ravel() - np.concatenate([mean] * k, axis=-1)
    quadratic = (residual * np.linalg.solve(covariance, residual[..., None])[..., 0]).sum(axis=-1)
    return -0.5 * (quadratic + np.linalg.slogdet(covariance)[1] + 2 * k * np.log(2 * np.pi))


def test_hat_masses_integrate_hat_functions():
    nodes, mean, sd = np.linspace(-1, 2, 7), 0.3, 0.4
    for j, node in enumerate(nodes):
        hat = lambda x, node=node: max(0.0, 1 - abs(x - node) / 0.5) * norm.pdf(x, mean, sd)  # noqa: E731
        expected = quad(hat, node - 0.5, node + 0.5, points=[node])[0]
        assert hat_masses(nodes, np.array([mean]), sd)[0, j] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_pair_kernel_is_a_bivariate_normal(spread):
    """Integrals of smooth functions under the prior of a pair, against their closed form."""
    first, second, mean = np.linspace(-7, 7, 71), np.linspace(-8, 8, 71), Normal(0.2, 0.5)
    kernel = pair_kernels(first, second, mean, np.array([spread]))[0]
    assert kernel.sum() == pytest.approx(1.0, abs=1e-6)
    assert (first[:, None] * kernel).sum() == pytest.approx(0.2, abs=1e-5)
    assert (first[:, None] ** 2 * kernel).sum() == pytest.approx(0.2**2 + 0.5**2 + spread**2, rel=1e-3)
    assert (first[:, None] * second * kernel).sum() == pytest.approx(0.2**2 + 0.5**2, rel=1e-3)


def test_kernel_of_equal_coefficients_is_the_prior_of_one():
    nodes, mean = np.linspace(-3, 3, 61), Normal(0.0, 0.5)
    kernel = pair_kernels(nodes, nodes, mean, np.zeros(1))[0]
    first, second = np.exp(-((nodes - 0.4) ** 2)), np.exp(-2 * (nodes + 0.1) ** 2)
    expected = quad(lambda x: np.exp(-((x - 0.4) ** 2) - 2 * (x + 0.1) ** 2) * norm.pdf(x, 0, 0.5), -5, 5)[0]
    assert first @ kernel @ second == pytest.approx(expected, rel=1e-3)


def test_both_kernels_agree():
    nodes, mean, prior = np.arange(-30, 31) * 0.1, Normal(0.1, 0.7), HalfNormal(0.5)
    spread = Spread.of(prior)
    averaged = np.tensordot(spread.mass(prior), pair_kernels(nodes, nodes, mean, spread.value), axes=1)
    lattice = lattice_kernel(nodes, nodes, mean, spread, prior)
    lattice /= np.sqrt(2 * np.pi) / 0.1  # the kernel of the lattice has no constant
    first, second = norm.pdf(nodes, 0.4, 0.4), norm.pdf(nodes, -0.2, 0.5)
    assert first @ lattice @ second == pytest.approx(first @ averaged @ second, rel=2e-3)


def test_table_against_the_density_of_all_estimates():
    effects, priors = simulated(5, seed=3), SettingPriors()
    table = tabulate(effects, priors, -0.25)
    for place in ((16, 24, 12), (12, 28, 15), (20, 22, 10)):
        level, slope, log_sigma = (axis[i] for axis, i in zip(table.axes, place, strict=True))

        def integrand(tau, level=level, slope=slope, log_sigma=log_sigma):
            value = log_likelihood(effects, -0.25, level, slope, log_sigma, tau) - table.log_scale
            return float(np.exp(value + priors.tau_surrogate.log_density(np.asarray(tau))))

        expected = quad(integrand, 0, 3, points=[0.1, 0.3, 0.6], limit=200)[0]
        assert table.likelihood[place] == pytest.approx(expected, rel=2e-3)


@pytest.fixture(scope="module")
def small_pair():
    """Two small sets, and their likelihoods on a common grid of (level, slope, log sigma) by direct integration."""
    first, second = simulated(5, seed=1), simulated(8, seed=2, rho_between=0.6)
    second = replace(second, trial=tuple(f"second {i}" for i in range(8)))
    centre = common_centre(first, second)
    level, slope, log_sigma = np.linspace(-0.75, 0.55, 27), np.linspace(-1.6, 2.4, 41), np.linspace(-6.5, 0.2, 21)
    points, weights = np.polynomial.legendre.leggauss(16)
    tau, weights = 0.75 * (1 + points), 0.75 * weights * np.exp(HalfNormal(0.5).log_density(0.75 * (1 + points)))
    grid = np.meshgrid(level, slope, log_sigma, indexing="ij")
    likelihoods = []
    for effects in (first, second):
        values = np.stack([log_likelihood(effects, centre, *grid, t) for t in tau], axis=-1)
        likelihoods.append(np.exp(values) @ weights)
    return (first, second), (level, slope, log_sigma), likelihoods


def prior_mass(nodes, prior):
    return norm.pdf(nodes, prior.mean, prior.sd) * (nodes[1] - nodes[0])


@pytest.mark.slow
def test_spreads_of_0_give_the_common_line(small_pair):
    """Pooled line with separate distributions of the surrogate effects."""
    (first, second), nodes, (in_first, in_second) = small_pair
    priors = SettingPriors(spread_level=TINY, spread_slope=TINY, spread_log_sigma=TINY)
    pair = pair_of(first, second, priors)
    masses = [prior_mass(x, p) for x, p in zip(nodes, (priors.level, priors.slope, priors.log_sigma), strict=True)]
    joint = np.einsum("abs,abs,a,b,s->abs", in_first, in_second, *masses)
    for axis, name in ((LEVEL, "level"), (SLOPE, "slope"), (LOG_SIGMA, "log sigma")):
        marginal = joint.sum(axis=tuple(a for a in range(3) if a != axis))
        mean = nodes[axis] @ marginal / marginal.sum()
        sd = np.sqrt(((nodes[axis] - mean) ** 2) @ marginal / marginal.sum())
        cumulated = CubicSpline(nodes[axis], marginal).antiderivative()
        total = cumulated(nodes[axis][-1])
        quantiles = [
            brentq(lambda x, p=p, c=cumulated, t=total: c(x) - p * t, *nodes[axis][[0, -1]]) for p in PROBABILITIES
        ]
        for setting in (0, 1):
            found = pair.coefficient(setting, axis).quantiles(PROBABILITIES)
            assert found == pytest.approx(quantiles, abs=0.03 * sd), (name, setting)
    assert abs(pair.difference(SLOPE).quantiles((0.025, 0.975))).max() < 0.1  # the step of the lattice


@pytest.mark.slow
def test_bayes_factor_against_direct_integration(small_pair):
    """Equal level and residual SD, slopes equal or not: integrals over the difference and the mean of the slopes."""
    (first, second), nodes, (in_first, in_second) = small_pair
    priors = SettingPriors(spread_level=TINY, spread_log_sigma=TINY)
    pair = pair_of(first, second, priors)
    level, slope, log_sigma = nodes
    masses = prior_mass(level, priors.level), prior_mass(log_sigma, priors.log_sigma)
    likelihood = RectBivariateSpline(slope, slope, np.einsum("abs,acs,a,s->bc", in_first, in_second, *masses))
    z, z_weight = np.polynomial.hermite_e.hermegauss(40)
    m = np.linspace(-1.5, 2.3, 120)

    def evidence(spread):
        half = spread * z[:, None] / np.sqrt(2)
        inside = (np.abs(m + half - 0.4) < 2.0) & (np.abs(m - half - 0.4) < 2.0)
        values = likelihood(m + half, m - half, grid=False) * inside
        prior = norm.pdf(m, priors.slope.mean, np.sqrt(priors.slope.sd**2 + spread**2 / 2))
        return z_weight / np.sqrt(2 * np.pi) @ values @ prior

    for scale in (0.25, 0.5):  # the grid of the integral is too narrow for a scale of 1
        half_normal = HalfNormal(scale)
        points, weights = np.polynomial.legendre.leggauss(20)
        spreads = 2.5 * scale * (1 + points)
        weights = 2.5 * scale * weights * np.exp(half_normal.log_density(spreads))
        different = sum(w * evidence(s) for w, s in zip(weights, spreads, strict=True)) / weights.sum()
        assert pair.bayes_factor_equal(SLOPE, scale) == pytest.approx(evidence(0.0) / different, rel=0.01), scale


def test_bayes_factor_is_the_savage_dickey_ratio():
    """Posterior over prior density of the spread of the slopes at 0."""
    pair = pair_of(made_up(10, 1, "a"), made_up(20, 2, "b"), SettingPriors())
    small = 0.01
    posterior = float(pair.spread(SLOPE).cdf(small))
    prior = float(HalfNormal(0.5).cdf(np.array(small)))
    assert pair.bayes_factor_equal(SLOPE) == pytest.approx(posterior / prior, rel=0.02)


def test_large_spreads_give_the_independent_lines():
    """With many precise trials the posterior given large spreads is that of each set alone: mean and SD of ML.

    The prior density of a difference has a peak at 0 for every scale of the half-normal prior, so that the limit is
    taken at a fixed spread.
    """
    first, second = made_up(60, 1, "a", rho=0.5), made_up(50, 2, "b", rho=0.95)
    wide = HalfNormal(3.0)
    priors = SettingPriors(spread_level=wide, spread_slope=wide, spread_log_sigma=wide)
    pair = pair_of(first, second, priors)
    assert all(spread.value[10] > 5 for spread in pair.spreads)
    kernels = [kernel[10] for kernel in pair.kernels]
    masses = kernels[SLOPE] * pair.pair_likelihood(SLOPE, kernels)
    for setting, effects in enumerate((first, second)):
        slope = BivariateRandomEffects(method="ml", interval="delta").fit(effects)["slope"]
        nodes, mass = pair.tables[setting].slope, masses.sum(axis=1 - setting) / masses.sum()
        assert nodes @ mass == pytest.approx(slope.value, abs=0.05 * slope.se)
        assert np.sqrt((nodes - nodes @ mass) ** 2 @ mass) == pytest.approx(slope.se, rel=0.06)  # t instead of normal


@pytest.mark.parametrize(("k", "rho"), [(1000, 0.8), (60, -0.9)])
def test_the_box_contains_a_sharp_likelihood(k, rho):
    """Mean and SD of the slope under a table alone, which are those of ML with many or precise trials."""
    effects = made_up(k, 1, "a", rho=rho)
    table = tabulate(effects, SettingPriors(), -0.3)
    mass = table.likelihood.sum(axis=(0, 2))
    mean = table.slope @ mass / mass.sum()
    slope = BivariateRandomEffects(method="ml", interval="delta").fit(effects)["slope"]
    assert mean == pytest.approx(slope.value, abs=0.05 * slope.se)
    assert np.sqrt((table.slope - mean) ** 2 @ mass / mass.sum()) == pytest.approx(slope.se, rel=0.05)


@pytest.mark.parametrize("rho", [0.0, 0.9, 0.99, 1.0])
def test_the_box_has_no_mass_at_its_ends(rho):
    """With a correlation near 1 the likelihood of log sigma is flat towards minus infinity, and its prior ends it."""
    priors = SettingPriors()
    single = {
        "slope": np.hypot(priors.slope.sd, priors.spread_slope.scale),
        "log_sigma": np.hypot(priors.log_sigma.sd, priors.spread_log_sigma.scale),
    }
    for k in (4, 16, 60):
        table = tabulate(made_up(k, 1, "a", rho=rho), priors, -0.3)
        for axes, name in (((0, 2), "slope"), ((0, 1), "log_sigma")):
            nodes, prior = getattr(table, name), getattr(priors, name)
            mass = table.likelihood.sum(axis=axes) * norm.pdf(nodes, prior.mean, single[name])
            assert max(mass[0], mass[-1]) < 1e-3 * mass.max(), (k, name)


def test_two_copies_of_a_set_do_not_differ():
    pair = pair_of(made_up(12, 1, "a"), made_up(12, 1, "b"), SettingPriors())
    for axis in (LEVEL, SLOPE, LOG_SIGMA):
        difference = pair.difference(axis)
        low, median, high = difference.quantiles(PROBABILITIES)
        assert float(difference.cdf(0.0)) == pytest.approx(0.5, abs=1e-3)
        assert (low, median) == pytest.approx((-high, 0.0), abs=0.01 * high)
    assert float(pair.r2_difference().cdf(0.0)) == pytest.approx(0.5, abs=1e-3)


def test_a_setting_informs_the_other_one():
    """The slope of a small set is shrunken towards that of a large one, and its interval is narrower."""
    small, large = simulated(5, seed=4), made_up(50, 2, "large")
    pair = pair_of(small, large, SettingPriors())
    low, median, high = pair.coefficient(0, SLOPE).quantiles(PROBABILITIES)
    alone = BivariateBayes().posterior(small).quantile("slope", PROBABILITIES)
    in_large = pair.coefficient(1, SLOPE).quantiles(PROBABILITIES)
    assert high - low < 0.7 * (alone[2] - alone[0])
    assert abs(median - in_large[1]) < abs(alone[1] - in_large[1])


def test_a_set_without_information_has_odds_of_no_data():
    """Standard errors of 1000 leave the prior as it is."""
    empty, second = made_up(12, 1, "a"), made_up(15, 4, "b")
    empty = replace(empty.take(np.arange(2)), se=np.full((2, 2), 1000.0))
    pair = pair_of(empty, second, SettingPriors())
    for axis in (LEVEL, SLOPE, LOG_SIGMA):
        assert float(pair.difference(axis).cdf(0.0)) == pytest.approx(pair.no_data_smaller(axis), abs=5e-3)
    assert float(pair.r2_difference().cdf(0.0)) == pytest.approx(pair.no_data_r2_smaller(), abs=8e-3)


def test_probability_without_data_by_simulation_of_the_prior():
    second, priors = made_up(15, 4, "b"), SettingPriors()
    pair = pair_of(made_up(12, 1, "a"), second, priors)
    generator = np.random.default_rng(1)
    mean = generator.normal(priors.slope.mean, priors.slope.sd, 400_000)
    spread = np.abs(generator.normal(0, priors.spread_slope.scale, 400_000))
    slopes = mean + spread * generator.standard_normal((2, 400_000))
    # the slope of the second set is known almost exactly: its likelihood is a normal curve
    alone = BivariateBayes().posterior(second).quantile("slope", PROBABILITIES)
    weight = norm.pdf(slopes[1], alone[1], (alone[2] - alone[0]) / 3.92)
    expected = np.average(slopes[0] < slopes[1], weights=weight)
    assert pair.no_data_smaller(SLOPE) == pytest.approx(expected, abs=0.01)


def test_a_finer_grid_changes_nothing(trials):
    first, second = trials.analysis_set("tactics-2022"), trials.analysis_set("llovet-2019-pfs")
    coarse, fine = (pair_of(first, second, SettingPriors(), nodes) for nodes in ((14, 32, 48, 24), (20, 48, 80, 36)))
    for axis in (LEVEL, SLOPE, LOG_SIGMA):
        expected = fine.difference(axis).quantiles(PROBABILITIES)
        sd = (expected[2] - expected[0]) / 3.92
        assert coarse.difference(axis).quantiles(PROBABILITIES) == pytest.approx(expected, abs=0.03 * sd)
        assert coarse.bayes_factor_equal(axis) == pytest.approx(fine.bayes_factor_equal(axis), rel=5e-3)
    expected = fine.r2_difference().quantiles(PROBABILITIES)
    assert coarse.r2_difference().quantiles(PROBABILITIES) == pytest.approx(expected, abs=0.01)


def test_one_endpoint_and_shared_controls_are_used():
    """A set with a missing endpoint, by the density of the estimates that exist."""
    effects = simulated(6, seed=5)
    log_hr, se = effects.log_hr.copy(), effects.se.copy()
    log_hr[0, 1] = se[0, 1] = np.nan
    missing = replace(effects, log_hr=log_hr, se=se)
    table = tabulate(missing, SettingPriors(), -0.2)
    level, slope, log_sigma = (axis[i] for axis, i in zip(table.axes, (16, 24, 12), strict=True))
    present = ~np.isnan(log_hr.ravel())

    def integrand(tau):
        between = np.array([[tau**2, slope * tau**2], [slope * tau**2, (slope * tau) ** 2 + np.exp(2 * log_sigma)]])
        loading = np.tile([1.0, slope], 6)
        covariance = 100 * np.outer(loading, loading)
        for i in range(6):
            covariance[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] += between + effects.covariance_between(i, i)
        mean = np.tile([0.0, level + 0.2 * slope], 6)
        kept = np.ix_(present, present)
        density = multivariate_normal.logpdf(log_hr.ravel()[present], mean[present], covariance[kept])
        return float(np.exp(density - table.log_scale + HalfNormal(0.5).log_density(np.asarray(tau))))

    assert table.likelihood[16, 24, 12] == pytest.approx(quad(integrand, 0, 3, points=[0.1, 0.3, 0.6])[0], rel=2e-3)
