"""Priors of the exact bivariate posterior: distributions, reweighting, sensitivity, and data that contradict them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution
from scipy.stats import chisquare, halfnorm

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.refits import PRIOR_SETS, prior_record, prior_sensitivity
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.daniels_hughes import DanielsHughes
from surrogacy.models.exact import marginals
from surrogacy.models.exact.bivariate_posterior import posteriors
from surrogacy.models.priors import Beta, Grid, HalfNormal, HalfStudentT, Normal, Uniform, half_cauchy, lkj
from tests.support.effects import simulated

P = (0.5, 0.025, 0.975)


@cache
def base_draws(k, wide):
    """A model whose priors have no gaps, and 300,000 draws from its posterior, which several priors reweight."""
    uniform = Uniform(0.0, 20.0)
    base = BivariateBayes(tau_surrogate=uniform, tau_final=uniform) if wide else BivariateBayes()
    return base, base.posterior(simulated(k, seed=8)).draw(300_000, seed=2)


@pytest.mark.slow
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
    """Draws under the base prior, weighed by the ratio of the priors, have the quantiles of the exact posterior: within
    4.5 standard errors of a weighted proportion.
    """
    effects = simulated(k, seed=8)
    base, draws = base_draws(k, wide="tau_surrogate" in change)
    log_weight = np.zeros(300_000)
    for name, prior in change.items():
        log_weight += prior.log_density(draws[name]) - getattr(base, name).log_density(draws[name])
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    for name, quantiles in BivariateBayes(**change).posterior(effects).quantiles(P).items():
        for p, value in zip(P, quantiles, strict=True):
            below = draws[name] < value
            error = np.sqrt((weight**2 * (below - p) ** 2).sum())  # the heaviest weights may be in the tail
            assert abs(weight[below].sum() - p) < 4.5 * error + 2e-4, name


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


@pytest.mark.slow
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


@pytest.mark.slow
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
