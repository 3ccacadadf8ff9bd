"""The exact posterior: against densities written out in full, against draws, against itself, and at the edges."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import halfnorm, multivariate_normal, norm

from surrogacy.errors import UsageError
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.daniels_hughes import DanielsHughes
from surrogacy.models.exact.refinement import largest_move
from surrogacy.models.priors import Normal
from surrogacy.results.estimate import Estimate
from tests.support.effects import full_covariance, simulated
from tests.support.shipped_sets import SHIPPED_SETS

P = (0.5, 0.025, 0.975)


def log_joint(effects, tau1, tau2, rho, model):
    """log p(y, tau1, tau2, rho) with theta and mu integrated: one multivariate normal density, SciPy's."""
    t = np.array([[tau1**2, rho * tau1 * tau2], [rho * tau1 * tau2, tau2**2]])
    design = np.tile(np.eye(2), (len(effects), 1))
    covariance = full_covariance(effects, t) + model.mu.sd**2 * design @ design.T
    y = effects.log_hr.ravel()
    seen = ~np.isnan(y)
    likelihood = multivariate_normal(np.full(seen.sum(), model.mu.mean), covariance[np.ix_(seen, seen)])
    prior = halfnorm(scale=0.5).logpdf(tau1) + halfnorm(scale=0.5).logpdf(tau2) + np.log(0.5)
    return likelihood.logpdf(y[seen]) + prior


def incomplete(effects):
    log_hr, se = np.array(effects.log_hr), np.array(effects.se)
    log_hr[1, 1] = se[1, 1] = log_hr[2, 0] = se[2, 0] = np.nan
    return replace(effects, log_hr=log_hr, se=se)


@pytest.mark.parametrize("case", ["plain", "missing", "shared control"])
def test_density_at_every_node_is_the_multivariate_normal(case, trials):
    """The table against SciPy's density of all 2k estimates at once; rounding only (1e-8 in log units)."""
    effects = {"plain": simulated(6), "missing": incomplete(simulated(6))}.get(case) or trials.analysis_set(
        "intermediate"
    )
    model = BivariateBayes(mu=Normal(0.1, 2.0))
    posterior = model.posterior(effects)
    table = posterior.table
    half = (table.high - table.low)[0] / 2
    generator = np.random.default_rng(0)
    for _ in range(25):
        i, j, k = (generator.integers(n) for n in table.weight.shape[1:])
        tau1, tau2, rho = table.tau_surrogate[0, i], table.tau_final[0, j], table.rho_between[0, k]
        slopes = (
            np.hypot(tau1, table.scale[0, 0]),
            np.hypot(tau2, table.scale[0, 1]),
            (1 - (rho * np.tanh(1.5)) ** 2) / np.tanh(1.5),
        )  # d tau / du and d rho / dv
        expected = log_joint(effects, tau1, tau2, rho, model) + np.log(half).sum() + np.log(slopes).sum()
        assert table.log_density[0, i, j, k] + posterior.log_evidence == pytest.approx(expected, abs=1e-7)


def test_marginal_likelihood_is_the_integral():
    """Plain Monte Carlo over the prior, 200,000 draws; the tolerance is four of its standard errors."""
    effects = simulated(3, seed=4, se=(0.4, 0.4))
    model = BivariateBayes(mu=Normal(0.0, 0.5))
    generator = np.random.default_rng(1)
    n = 200_000
    tau = np.abs(generator.normal(0, 0.5, (n, 2)))
    rho = generator.uniform(-1, 1, n)
    mu = generator.normal(0, 0.5, (n, 2))
    likelihood = np.ones(n)
    for y, s in zip(effects.log_hr, effects.cov, strict=True):
        v11, v22 = s[0, 0] + tau[:, 0] ** 2, s[1, 1] + tau[:, 1] ** 2
        v12 = s[0, 1] + rho * tau[:, 0] * tau[:, 1]
        det = v11 * v22 - v12**2
        r1, r2 = y[0] - mu[:, 0], y[1] - mu[:, 1]
        likelihood *= np.exp(-0.5 * (v22 * r1**2 - 2 * v12 * r1 * r2 + v11 * r2**2) / det) / (2 * np.pi * np.sqrt(det))
    found = np.exp(model.posterior(effects).log_evidence)
    assert found == pytest.approx(likelihood.mean(), abs=4 * likelihood.std() / np.sqrt(n))


@pytest.mark.parametrize("name", SHIPPED_SETS)
def test_a_doubled_grid_moves_no_quantile_by_half_a_percent_of_an_sd(name, trials):
    effects = trials.analysis_set(name)
    model = BivariateBayes()
    doubled = replace(model, nodes=tuple(2 * n for n in model.nodes))
    assert largest_move(model.posterior(effects).quantiles(P), doubled.posterior(effects).quantiles(P)) < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tactics-2022", "advanced-immunotherapy"])
def test_quantiles_are_those_of_its_draws(name, trials):
    """The sampler inverts conditional distributions, the quantiles integrate: 200,000 draws agree within 4.5 Monte
    Carlo errors.
    """
    posterior = BivariateBayes().posterior(trials.analysis_set(name))
    n = 100_000
    draws = posterior.draw(n, seed=3)
    for quantity, quantiles in posterior.quantiles(P).items():
        for p, value in zip(P, quantiles, strict=True):
            assert abs((draws[quantity] < value).mean() - p) < 4.5 * np.sqrt(p * (1 - p) / n), quantity
    for quantity, sd in posterior.standard_deviations().items():
        if sd is not None:
            assert draws[quantity].std() == pytest.approx(sd, rel=0.02)


def test_all_sampling_error_gone_the_posterior_is_that_of_the_true_effects():
    """With tiny standard errors mu_surrogate is Student-like about the mean of the log hazard ratios; tau near their
    SD.
    """
    effects = simulated(30, seed=5, se=(1e-4, 1e-4))
    result = BivariateBayes().fit(effects)
    y = effects.log_hr
    assert result["mu_surrogate"].value == pytest.approx(y[:, 0].mean(), abs=2e-3)
    assert result["tau_final"].value == pytest.approx(y[:, 1].std(ddof=1), rel=0.03)
    assert result["rho_between"].value == pytest.approx(np.corrcoef(y.T)[0, 1], abs=0.03)


def test_shrunken_effects_against_the_full_normal():
    """At one point of the grid theta | y is a conditional normal of the joint of (theta, y); mixed over nodes it is
    ours.
    """
    effects = incomplete(simulated(5, seed=2))
    posterior = BivariateBayes(nodes=(6, 6, 6)).posterior(effects)
    mean, covariance = posterior.true_effects()
    nodes = posterior.nodes()
    k = len(effects)
    design = np.tile(np.eye(2), (k, 1))
    y = effects.log_hr.ravel()
    seen = ~np.isnan(y)
    expected, second = np.zeros(2 * k), np.zeros((2 * k, 2 * k))
    for w, tau1, tau2, rho in zip(
        *(getattr(nodes, name) for name in ("weight", "tau_surrogate", "tau_final", "rho_between")), strict=True
    ):
        t = np.array([[tau1**2, rho * tau1 * tau2], [rho * tau1 * tau2, tau2**2]])
        prior = np.kron(np.eye(k), t) + 100.0 * design @ design.T
        v = (prior + full_covariance(effects, np.zeros((2, 2))))[np.ix_(seen, seen)]
        gain = np.linalg.solve(v, prior[seen]).T
        one = gain @ y[seen]
        expected += w * one
        second += w * (prior - gain @ prior[seen] + np.outer(one, one))
    assert mean.ravel() == pytest.approx(expected, abs=1e-6)
    full = second - np.outer(expected, expected)
    for i in range(k):
        assert covariance[i] == pytest.approx(full[2 * i : 2 * i + 2, 2 * i : 2 * i + 2], abs=1e-6)


@pytest.mark.slow
def test_prediction_of_a_new_trial_against_draws():
    """Draw the posterior without the new trial, weigh the draws by its surrogate effect, draw its final effect."""
    effects = simulated(10, seed=6)
    posterior = BivariateBayes().posterior(effects)
    y1, s1, r, s2 = -0.5, 0.12, 0.4, 0.15
    prediction = posterior.predict(y1, s1, r, s2)
    draws = posterior.draw(400_000, seed=1)
    t11 = draws["tau_surrogate"] ** 2
    t12 = draws["rho_between"] * draws["tau_surrogate"] * draws["tau_final"]
    weight = norm.pdf(y1, draws["mu_surrogate"], np.sqrt(t11 + s1**2))
    weight /= weight.sum()
    generator = np.random.default_rng(2)
    shrink = t11 / (t11 + s1**2)
    theta1 = (
        draws["mu_surrogate"]
        + shrink * (y1 - draws["mu_surrogate"])
        + np.sqrt(shrink) * s1 * generator.standard_normal(len(t11))
    )
    slope = t12 / t11
    theta2 = (
        draws["mu_final"]
        + slope * (theta1 - draws["mu_surrogate"])
        + draws["sigma_cond"] * generator.standard_normal(len(t11))
    )
    y2 = theta2 + r * s2 / s1 * (y1 - theta1) + s2 * np.sqrt(1 - r**2) * generator.standard_normal(len(t11))
    for values, estimate, below in (
        (theta2, prediction.true, prediction.probability_below_1),
        (y2, prediction.observed, prediction.probability_observed_below_1),
    ):
        order = np.argsort(values)
        cumulative = np.cumsum(weight[order])
        quantiles = values[order][np.searchsorted(cumulative, P)]
        # 4e5 weighted draws: a Monte Carlo error of about 0.004 SDs in the tails
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(quantiles, abs=0.02 * estimate.se)
        assert below == pytest.approx(weight[values < 0].sum(), abs=0.004)
    assert posterior.predict(y1, s1).observed is None
    with pytest.raises(UsageError, match="standard errors above 0"):
        posterior.predict(y1, 0.0)


@pytest.mark.slow
def test_line_bands_and_thresholds_are_those_of_draws(trials):
    result = BivariateBayes().fit(trials.analysis_set("llovet-2019-pfs"))
    draws = result.posterior.draw(200_000, seed=5)
    generator = np.random.default_rng(0)
    x = np.log(0.6)
    centre = draws["intercept"] + draws["slope"] * x
    for band, values in (
        ("confidence", centre),
        ("prediction", centre + draws["sigma_cond"] * generator.standard_normal(len(centre))),
    ):
        assert np.array(result.line.predict(x, band=band)) == pytest.approx(np.quantile(values, P), abs=2e-3)
    for name, level in (("ste_prediction", 0.95), ("ste_prediction_80", 0.8)):
        at = np.log(result[name].hr)
        values = draws["intercept"] + draws["slope"] * at + draws["sigma_cond"] * generator.standard_normal(len(centre))
        assert (values < 0).mean() == pytest.approx(0.5 + level / 2, abs=2e-3)
        assert result[name].status == "exists"


def test_a_negative_slope_gives_no_threshold():
    effects = simulated(60, seed=2, rho_between=-0.95, se=(0.05, 0.05))
    result = BivariateBayes().fit(effects)
    assert result["p_slope_positive"].value < 0.01
    assert {result[name].status for name in result.estimates if name.startswith("ste")} == {"none"}


@pytest.mark.parametrize("model", [BivariateBayes(), DanielsHughes()])
@pytest.mark.parametrize(
    ("k", "change"),
    [
        (2, {}),
        (3, {}),
        (300, {}),
        (8, {"se": np.full((8, 2), 1e-4)}),
        (8, {"se": np.vstack([[1e-4, 1e-4], np.full((7, 2), 0.2)])}),
        (8, {"rho_within": np.full(8, 0.99)}),
        (8, {"rho_within": np.full(8, -0.99)}),
        (8, {"log_hr": np.log([[0.02, 0.02]] + [[0.7, 0.9]] * 7)}),
        (8, {"log_hr": np.tile([-0.3, -0.1], (8, 1))}),
    ],
)
def test_hard_data_give_finite_answers(model, k, change):
    result = model.fit(replace(simulated(k, seed=2), **change))
    for name, estimate in result.estimates.items():
        if isinstance(estimate, Estimate):
            assert np.isfinite(estimate.value), name
            if estimate.low is not None:
                assert estimate.low < estimate.value < estimate.high, name
    assert result.converged
    assert np.isfinite(result.line.predict(np.linspace(-2, 0.5, 5))).all()


def test_many_at_once_are_as_one_by_one(trials):
    """Of different sizes and structures (a shared control arm, a missing endpoint)."""
    advanced = trials.analysis_set("advanced-immunotherapy")
    data = [
        simulated(6),
        simulated(9, seed=1),
        incomplete(simulated(6, seed=2)),
        advanced,
        *(advanced.without_trial(t) for t in advanced.trials[:3]),
    ]
    for one, effects in zip(BivariateBayes().fit_many(data), data, strict=True):
        alone = BivariateBayes(check_grid=False).fit(effects)
        for name, estimate in one.estimates.items():
            if isinstance(estimate, Estimate):
                assert estimate.value == pytest.approx(alone[name].value, rel=1e-6, abs=1e-8)
