"""The exact posterior: against densities written out in full, against draws, against itself, and at the edges."""

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution
from scipy.stats import chisquare, halfnorm, multivariate_normal, norm

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.refits import PRIOR_SETS, prior_record, prior_sensitivity
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.daniels_hughes import DanielsHughes
from surrogacy.models.exact.bivariate_posterior import posteriors
from surrogacy.models.exact.refinement import largest_move
from surrogacy.models.priors import Beta, Grid, HalfNormal, HalfStudentT, Normal, Uniform, half_cauchy, lkj
from surrogacy.results.estimate import Estimate
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from tests.support.effects import simulated

P = (0.5, 0.025, 0.975)
SETS = (
    "tactics-2022",
    "llovet-2019-pfs",
    "llovet-2019-ttp",
    "intermediate",
    "advanced",
    "advanced-first-line",
    "advanced-second-line",
    "advanced-immunotherapy",
    "all",
)


def full_covariance(effects, t):
    """Covariance of all estimates, endpoints side by side, from the public pieces of Effects."""
    k = len(effects)
    covariance = np.zeros((2 * k, 2 * k))
    for i in range(k):
        for j in range(k):
            covariance[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = effects.covariance_between(i, j) + (t if i == j else 0)
    return covariance


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
    from dataclasses import replace

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


@pytest.mark.parametrize("name", SETS)
def test_a_doubled_grid_moves_no_quantile_by_half_a_percent_of_an_sd(name, trials):
    from dataclasses import replace

    effects = trials.analysis_set(name)
    model = BivariateBayes()
    doubled = replace(model, nodes=tuple(2 * n for n in model.nodes))
    assert largest_move(model.posterior(effects).quantiles(P), doubled.posterior(effects).quantiles(P)) < 0.005


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


@pytest.mark.parametrize(
    "change",
    [
        {"tau_surrogate": half_cauchy(0.5), "tau_final": half_cauchy(0.5)},
        {"tau_surrogate": HalfStudentT(0.3, 4), "tau_final": Uniform(0.0, 0.4)},
        {"rho_between": lkj(4.0)},
        {"rho_between": Beta(0.5, 0.5)},
        {"rho_between": Uniform(0.0, 1.0)},
        {"rho_between": Beta(2.0, 1.0, 0.0, 1.0)},
    ],
)
@pytest.mark.parametrize("k", [6, 21])
def test_other_priors_are_reweighted_draws(change, k):
    """Draws under the base prior, weighed by the ratio of the priors, have the quantiles of the exact posterior."""
    effects = simulated(k, seed=8)
    wide = {"tau_surrogate": Uniform(0.0, 20.0), "tau_final": Uniform(0.0, 20.0)}
    base = BivariateBayes(**(wide if "tau_surrogate" in change else {}))
    draws = base.posterior(effects).draw(300_000, seed=2)
    log_weight = np.zeros(300_000)
    for name, prior in change.items():
        log_weight += prior.log_density(draws[name]) - getattr(base, name).log_density(draws[name])
    weight = np.exp(log_weight - log_weight.max())
    effective = weight.sum() ** 2 / (weight**2).sum()
    for name, quantiles in BivariateBayes(**change).posterior(effects).quantiles(P).items():
        for p, value in zip(P, quantiles, strict=True):
            found = weight[draws[name] < value].sum() / weight.sum()
            assert abs(found - p) < 5 * np.sqrt(p * (1 - p) / effective) + 2e-4, name


def test_prior_of_rho_within_is_a_mixture():
    """A grid prior is the mixture of the posteriors at its values, weighted by evidence."""
    effects = simulated(8, seed=3)
    values = (0.0, 0.5, 0.8)
    mixed = BivariateBayes(rho_within=Grid(values)).posterior(effects)
    single = [BivariateBayes().posterior(effects.with_rho_within(r)) for r in values]
    share = np.exp([one.log_evidence for one in single])
    assert mixed.share == pytest.approx(share / share.sum())
    assert mixed.log_evidence == pytest.approx(np.log(share.mean()))
    median = mixed.quantiles((0.5,))["rho_between"][0]
    at = sum(s * np.interp(median, *_cdf(one)) for s, one in zip(share / share.sum(), single, strict=True))
    assert at == pytest.approx(0.5, abs=1e-3)
    mean, _ = mixed.true_effects()
    parts = [one.true_effects()[0] for one in single]
    assert mean == pytest.approx(sum(s * part for s, part in zip(share / share.sum(), parts, strict=True)), abs=1e-5)
    result = BivariateBayes(rho_within=Uniform(0.0, 0.95)).fit(effects)
    assert 0 < result["rho_within"].value < 0.95
    assert result.converged


def _cdf(posterior):
    from surrogacy.models.exact import marginals

    return marginals.parameter(posterior.table, posterior.share, "rho_between")


def test_prior_sensitivity_and_overlap(trials):
    effects = trials.analysis_set("tactics-2022")
    records = [prior_record(refit) for refit in prior_sensitivity(BivariateBayes(), effects)]
    assert [record["prior"] for record in records] == list(PRIOR_SETS)
    assert len(records) >= 8
    by_name = {record["prior"]: record for record in records}
    # the prior speaks louder than six trials
    assert (
        by_name["rho LKJ(4)"]["r2_trial"]
        < 0.1
        < 0.2
        < by_name["default"]["r2_trial"]
        < by_name["rho beta(1/2, 1/2)"]["r2_trial"]
    )
    assert by_name["default"]["prior_overlap"] > 0.95
    # with no information at all the posterior is the prior
    vague = BivariateBayes().posterior(simulated(4, se=(50.0, 50.0)))
    assert vague.prior_overlap() == pytest.approx(1.0, abs=0.01)
    # ... and the slope's own prior is what it is said to be
    generator = np.random.default_rng(0)
    slope = (
        generator.uniform(-1, 1, 400_000)
        * np.abs(generator.normal(size=400_000))
        / np.abs(generator.normal(size=400_000))
    )
    x = np.array([-2.0, -0.3, 0.0, 0.1, 1.0, 5.0])
    assert vague.prior_distribution("slope", x) == pytest.approx([(slope < at).mean() for at in x], abs=4e-3)


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
    from dataclasses import replace

    result = model.fit(replace(simulated(k, seed=2), **change))
    for name, estimate in result.estimates.items():
        if isinstance(estimate, Estimate):
            assert np.isfinite(estimate.value), name
            if estimate.low is not None:
                assert estimate.low < estimate.value < estimate.high, name
    assert result.converged
    assert np.isfinite(result.line.predict(np.linspace(-2, 0.5, 5))).all()


def test_impossible_settings_are_refused():
    with pytest.raises(FitError, match="within-trial correlation of"):
        BivariateBayes().fit(simulated(6, rho_within=1.0))
    for prior, words in (
        (lambda: Beta(0.3, 1.0), "below 0.5"),
        (lambda: HalfNormal(0.0), "above 0"),
        (lambda: Uniform(1.0, 0.0), "low must be below high"),
        (lambda: BivariateBayes(rho_between=Uniform(-2.0, 1.0)), "extends beyond"),
        (lambda: BivariateBayes(tau_final=Uniform(-1.0, 1.0)), "extends beyond"),
        (lambda: BivariateBayes(new_n=-3), "size of the new trial"),
        (lambda: BivariateBayes(level=2.0), "level of an interval lies between 0 and 1"),
        (lambda: BivariateBayes(nodes=(1, 1, 1)), "4 nodes"),
        (lambda: BivariateBayes(tau_final=Normal()), "prior of tau_final must be"),
        (lambda: BivariateBayes(rho_between=HalfNormal(1.0)), "prior of rho_between must be"),
        (lambda: DanielsHughes(sigma_cond=Uniform(-1.0, 1.0)), "extends beyond"),
        (lambda: DanielsHughes(fixed_effect_sd=-1.0), "fixed_effect_sd"),
        (lambda: Grid(()), "at least one value"),
        (lambda: Grid((0.0, 2.0)), "at least one value"),
        (lambda: Normal(float("nan"), 1.0), "mean must be finite"),
    ):
        with pytest.raises(UsageError, match=words):
            prior()


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


@pytest.mark.parametrize("k", [6, 21])
def test_calibration_in_short(k):
    """Simulation-based calibration: parameters drawn from the prior have uniform ranks in their posteriors (200 data
    sets).
    """
    generator = np.random.default_rng(k)
    ranks = {name: [] for name in ("tau_surrogate", "rho_between", "mu_final", "slope", "sigma_cond")}
    model = BivariateBayes(mu=Normal(0.0, 1.0))
    data, truths = [], []
    for _ in range(200):
        truth, effects = from_the_prior(generator, k)
        truths.append(truth)
        data.append(effects)
    for posterior, truth in zip(posteriors(data, model.priors), truths, strict=True):
        draws = posterior.draw(99, seed=int(generator.integers(2**31)))
        for name, found in ranks.items():
            found.append(int((draws[name] < truth[name]).sum()))
    for name, found in ranks.items():
        assert chisquare(np.bincount(np.array(found) // 10, minlength=10)).pvalue > 1e-3, name


def from_the_prior(generator, k):
    """Parameters from the default priors (mu: normal(0, 1)) and a data set from them."""
    tau = np.abs(generator.normal(0, 0.5, 2))
    rho = generator.uniform(-1, 1)
    mu = generator.normal(0, 1, 2)
    t = np.outer(tau, tau) * [[1, rho], [rho, 1]]
    se = generator.uniform(0.1, 0.3, (k, 2))
    theta = generator.multivariate_normal(mu, t, k)
    errors = generator.standard_normal((k, 2)) @ np.linalg.cholesky([[1, 0.5], [0.5, 1]]).T
    slope = rho * tau[1] / tau[0]
    truth = {
        "mu_surrogate": mu[0],
        "mu_final": mu[1],
        "tau_surrogate": tau[0],
        "tau_final": tau[1],
        "rho_between": rho,
        "r2_trial": rho**2,
        "slope": slope,
        "intercept": mu[1] - slope * mu[0],
        "sigma_cond": tau[1] * np.sqrt(1 - rho**2),
    }
    return truth, Effects.from_arrays(theta + se * errors, se, 0.5)


def test_mixture_of_normals():
    weight, mean, sd = np.array([0.2, 0.5, 0.3]), np.array([[-3.0, 0.0, 10.0]]), np.array([[0.1, 2.0, 1e-6]])
    p = np.array([1e-4, 0.1, 0.5, 0.69, 0.9, 0.9999])
    x = mixture_quantile(p, weight, mean, sd)[0]
    assert mixture_cdf(x, weight, mean[0], sd[0]) == pytest.approx(p, abs=1e-5)
    assert mixture_quantile(p, np.ones(1), np.zeros((1, 1)), np.ones((1, 1)))[0] == pytest.approx(norm.ppf(p), abs=1e-9)


@pytest.mark.parametrize(
    ("prior", "peer"),
    [
        (HalfNormal(0.5), halfnorm(scale=0.5)),
        (Uniform(-1.0, 1.0), None),
        (lkj(2.0), beta_distribution(2, 2, loc=-1, scale=2)),
        (Beta(4.0, 2.0, 0.0, 1.0), beta_distribution(4, 2)),
        (half_cauchy(0.3), None),
        (HalfStudentT(0.3, 4.0), None),
    ],
)
def test_priors_are_distributions(prior, peer):
    x = np.linspace(0.01, 0.95, 40)
    if peer is not None:
        assert prior.log_density(x) == pytest.approx(peer.logpdf(x))
        assert prior.cdf(x) == pytest.approx(peer.cdf(x))
    step = 1e-6
    assert (prior.cdf(x + step) - prior.cdf(x - step)) / (2 * step) == pytest.approx(
        np.exp(prior.log_density(x)), rel=1e-4
    )


def test_data_that_contradict_the_prior_are_not_cut_off():
    """A tight half-normal has no hard end; a half-t of a million degrees of freedom is the same prior and reaches
    far.
    """
    from dataclasses import replace

    effects = simulated(8, seed=1, tau=(0.8, 0.6), se=(0.05, 0.05))
    effects = replace(effects, log_hr=2 * effects.log_hr)
    priors = HalfNormal(0.05), HalfStudentT(0.05, 1e6)
    one, other = (BivariateBayes(tau_surrogate=prior, tau_final=prior).fit(effects) for prior in priors)
    assert one["tau_surrogate"].low > HalfNormal(0.05).reach(12.0)  # where the prior alone would have ended the search
    for name in ("tau_surrogate", "tau_final", "slope", "rho_between"):
        for limit in ("value", "low", "high"):
            assert getattr(one[name], limit) == pytest.approx(getattr(other[name], limit), abs=2e-3), name
    assert one["log_marginal_likelihood"].value == pytest.approx(other["log_marginal_likelihood"].value, abs=5e-3)


def test_daniels_hughes_is_not_cut_off_either():
    effects = simulated(12, seed=3, se=(0.05, 0.05))
    loose = DanielsHughes().fit(effects)["slope"]
    tight = DanielsHughes(slope=Normal(0.0, loose.value / 15)).fit(effects)["slope"]
    assert abs(tight.value) < abs(loose.value)
    narrow = DanielsHughes(sigma_cond=HalfNormal(0.02)).fit(effects)["sigma_cond"]
    wide = DanielsHughes(sigma_cond=Uniform(0.0, 2.0)).fit(effects)
    line = wide.line
    weight = line.weight * np.exp(HalfNormal(0.02).log_density(line.node_sigma))
    assert narrow.value == pytest.approx(weight @ line.node_sigma / weight.sum(), rel=0.03)


def test_a_posterior_of_rho_within_much_narrower_than_its_prior_is_resolved():
    """Against the trapezoidal rule on 241 values of rho_within, each with its own exact evidence."""
    effects = simulated(45, seed=11, tau=(0.05, 0.05), se=(0.12, 0.12), rho_within=0.9)
    result = BivariateBayes(rho_within=Uniform(-1.0, 1.0)).fit(effects)
    values = np.linspace(-0.5, 0.995, 241)
    evidence = np.array(
        [one.log_evidence for one in posteriors([effects.with_rho_within(r) for r in values], BivariateBayes().priors)]
    )
    weight = np.exp(evidence - evidence.max())
    assert result["rho_within"].value == pytest.approx(weight @ values / weight.sum(), abs=0.01)
    assert result.converged
