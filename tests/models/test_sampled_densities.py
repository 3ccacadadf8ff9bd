"""Log likelihoods of the sampled models against multivariate normal densities of SciPy; their priors."""

from dataclasses import replace

import arviz as az
import numpy as np
import pymc as pm
import pytest
from scipy.stats import multivariate_normal

from surrogacy.effects import Effects
from surrogacy.models.priors import Beta, HalfNormal, HalfStudentT, Normal, Uniform
from surrogacy.models.sampled import nuts
from surrogacy.models.sampled.bivariate import SampledBivariate
from surrogacy.models.sampled.blocks import layouts
from surrogacy.models.sampled.class_exchangeable import ClassExchangeable
from surrogacy.models.sampled.daniels_hughes import SampledDanielsHughes
from surrogacy.models.sampled.moderated_line import SampledModeratedLine
from surrogacy.models.sampled.product_normal import ProductNormal
from surrogacy.models.sampled.student_t import StudentT
from surrogacy.models.sampled.trivariate import Trivariate
from tests.support.sampled import triple_effects

pytestmark = pytest.mark.nuts
RNG = np.random.default_rng(20)


POINTS = 5


@pytest.fixture
def ragged():
    """Blocks of every size: control arms shared by two and by three, pairs, either endpoint alone."""
    y = RNG.normal(-0.3, 0.3, (9, 2))
    y[2, 0] = y[7, 0] = y[8, 1] = np.nan
    groups = ("a", "a", "", "", "b", "b", "b", "", "")
    effects = Effects.from_arrays(
        y, RNG.uniform(0.08, 0.25, (9, 2)), RNG.uniform(0.3, 0.7, 9).round(1), control_group=groups, control_share=0.5
    )
    effects = effects.with_rho_within(0.5)
    factors = {"class": tuple("xyxyxyxyx"), "stage": tuple("ppqqppqqp"), "year": tuple(map(str, range(2010, 2019)))}
    return replace(effects, covariates=factors)


def log_likelihood(model, values):
    """Log likelihood of the built model at parameter values, each (POINTS, ...)."""
    tree = az.from_dict({"posterior": {name: np.asarray(value)[None] for name, value in values.items()}})
    with model:
        pm.stats.compute_log_likelihood(tree, progressbar=False, compile_kwargs={"mode": "FAST_COMPILE"})
    found = tree["log_likelihood"].to_dataset()
    return sum(found[name].sum([d for d in found[name].dims if d not in ("chain", "draw")]) for name in found).values[0]


def reference(effects, mean, between):
    """The same as one multivariate normal of all estimates; mean (k, 2), between (k, 2, 2)."""
    k = len(effects)
    covariance = np.block([[effects.covariance_between(i, j) for j in range(k)] for i in range(k)])
    for i in range(k):
        covariance[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] += between[i]
    seen = ~np.isnan(effects.log_hr.ravel())
    return multivariate_normal.logpdf(effects.log_hr.ravel()[seen], mean.ravel()[seen], covariance[np.ix_(seen, seen)])


def bivariate_points():
    return {
        "mu_surrogate": RNG.normal(-0.3, 0.2, POINTS),
        "mu_final": RNG.normal(-0.1, 0.2, POINTS),
        "tau_surrogate": RNG.uniform(0.05, 0.5, POINTS),
        "tau_final": RNG.uniform(0.05, 0.5, POINTS),
        "rho_between": RNG.uniform(-0.9, 0.95, POINTS),
    }


def covariance_of(at, i):
    t1, t2, rho = (at[name][i] for name in ("tau_surrogate", "tau_final", "rho_between"))
    return np.array([[t1**2, rho * t1 * t2], [rho * t1 * t2, t2**2]])


def line_covariance(slope, sigma, tau):
    slope, one = np.asarray(slope), np.ones_like(slope)
    return np.moveaxis(
        np.array([[one, slope], [slope, slope**2]]) * tau**2 + sigma**2 * np.array([[0, 0], [0, 1]])[..., None], -1, 0
    )


def test_bivariate_density(ragged):
    at = bivariate_points()
    found = log_likelihood(SampledBivariate().build(ragged), at)
    assert [len(block.cells) for block in layouts(ragged)] == [1, 2, 4, 6, 1]
    for i in range(POINTS):
        mean = np.tile([at["mu_surrogate"][i], at["mu_final"][i]], (9, 1))
        assert found[i] == pytest.approx(reference(ragged, mean, np.tile(covariance_of(at, i), (9, 1, 1))), rel=1e-9)


def test_density_with_unknown_rho_within(ragged):
    at = bivariate_points() | {"rho_within": RNG.uniform(0, 0.95, POINTS)}
    found = log_likelihood(SampledBivariate(rho_within=Uniform(0, 1)).build(ragged), at)
    for i in range(POINTS):
        mean = np.tile([at["mu_surrogate"][i], at["mu_final"][i]], (9, 1))
        effects = ragged.with_rho_within(at["rho_within"][i])
        assert found[i] == pytest.approx(reference(effects, mean, np.tile(covariance_of(at, i), (9, 1, 1))), rel=1e-9)


def test_student_t_density(ragged):
    at = bivariate_points() | {"weight": RNG.gamma(2, 0.5, (POINTS, 9))}
    found = log_likelihood(StudentT().build(ragged), at)
    for i in range(POINTS):
        mean = np.tile([at["mu_surrogate"][i], at["mu_final"][i]], (9, 1))
        between = covariance_of(at, i) / at["weight"][i][:, None, None]
        assert found[i] == pytest.approx(reference(ragged, mean, between), rel=1e-9)


def test_daniels_hughes_density(ragged):
    at = {name: RNG.uniform(0.05, 0.6, POINTS) for name in ("intercept", "slope", "sigma_cond")}
    found = log_likelihood(SampledDanielsHughes().build(ragged), at)
    for i in range(POINTS):
        between = line_covariance(np.full(9, at["slope"][i]), at["sigma_cond"][i], 10.0)
        assert found[i] == pytest.approx(
            reference(ragged, np.tile([0.0, at["intercept"][i]], (9, 1)), between), rel=1e-8
        )


def test_product_normal_density(ragged):
    names = ("mu_surrogate", "intercept", "slope", "tau_surrogate", "sigma_cond")
    at = {name: RNG.uniform(0.05, 0.6, POINTS) for name in names}
    found = log_likelihood(ProductNormal("regression").build(ragged), at)
    for i in range(POINTS):
        mu, intercept, slope, tau, sigma = (at[name][i] for name in names)
        between = line_covariance(np.full(9, slope), sigma, tau)
        assert found[i] == pytest.approx(
            reference(ragged, np.tile([mu, intercept + slope * mu], (9, 1)), between), rel=1e-9
        )


@pytest.mark.parametrize("by_class", [False, True])
def test_class_density(ragged, by_class):
    scalars = ("mu_surrogate", "tau_surrogate", "intercept", "slope", "spread_intercept", "spread_slope")
    at = {name: RNG.uniform(0.05, 0.6, POINTS) for name in scalars}
    at |= {name: RNG.normal(size=(POINTS, 2)) for name in ("z_intercept", "z_slope")}
    at["sigma_cond"] = RNG.uniform(0.05, 0.3, (POINTS, 2) if by_class else POINTS)
    found = log_likelihood(ClassExchangeable(sigma_by_class=by_class).build(ragged), at)
    index = np.array([0, 1] * 4 + [0])
    for i in range(POINTS):
        mu, tau, b0, b1, xi0, xi1 = (at[name][i] for name in scalars)
        slope = (b1 + xi1 * at["z_slope"][i])[index]
        mean = np.column_stack([np.full(9, mu), (b0 + xi0 * at["z_intercept"][i])[index] + slope * mu])
        sigma = at["sigma_cond"][i][index] if by_class else at["sigma_cond"][i]
        assert found[i] == pytest.approx(reference(ragged, mean, line_covariance(slope, sigma, tau)), rel=1e-9)


@pytest.mark.parametrize("covariate", ["stage", "year"])
def test_moderated_density(ragged, covariate):
    names = SampledModeratedLine.reported
    at = {name: RNG.uniform(0.05, 0.3, POINTS) for name in names}
    found = log_likelihood(SampledModeratedLine(covariate).build(ragged), at)
    x = np.arange(9.0) - 4 if covariate == "year" else np.array([0, 0, 1, 1, 0, 0, 1, 1, 0.0])
    for i in range(POINTS):
        mu, d_mu, tau, intercept, slope, d_intercept, d_slope, sigma = (at[name][i] for name in names)
        centre, slopes = mu + d_mu * x, slope + d_slope * x
        mean = np.column_stack([centre, intercept + d_intercept * x + slopes * centre])
        assert found[i] == pytest.approx(reference(ragged, mean, line_covariance(slopes, sigma, tau)), rel=1e-9)


def test_trivariate_density():
    effects, eta = triple_effects(RNG), 2.0
    shapes = {"rho_surrogates": eta + 0.5, "rho_first": eta + 0.5, "rho_partial": eta}
    at = {"mu": RNG.normal(-0.2, 0.2, (POINTS, 3)), "tau": RNG.uniform(0.1, 0.4, (POINTS, 3))}
    correlations = {name: RNG.uniform(-0.8, 0.8, POINTS) for name in shapes}
    at |= {f"{name}_unit": (1 + r) / 2 for name, r in correlations.items()}
    found = log_likelihood(Trivariate().build(effects), at)
    r12, r13, partial = correlations.values()
    r23 = r12 * r13 + partial * np.sqrt((1 - r12**2) * (1 - r13**2))
    for i in range(POINTS):
        matrix = np.array([[1, r12[i], r13[i]], [r12[i], 1, r23[i]], [r13[i], r23[i], 1]])
        between = matrix * np.outer(at["tau"][i], at["tau"][i])
        expected = 0.0
        for y, own in zip(effects.log_hr, effects.covariance, strict=True):
            seen = ~np.isnan(y)
            expected += multivariate_normal.logpdf(y[seen], at["mu"][i][seen], (own + between)[np.ix_(seen, seen)])
        assert found[i] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "prior", [HalfNormal(0.3), HalfStudentT(0.5, 3), Uniform(-0.5, 2), Beta(2, 3, -1, 1), Normal(0.1, 2)], ids=str
)
def test_priors_are_those_of_the_exact_model(prior):
    with pm.Model() as model:
        variable = nuts.random_variable("x", prior)
    if isinstance(prior, Normal):
        draws = pm.draw(variable, 4000, random_seed=1)
        assert draws.mean() == pytest.approx(0.1, abs=4 * 2 / 4000**0.5)
        return
    x = np.array([0.05, 0.4, 0.9])
    free = model.free_RVs[0]
    stretched = isinstance(prior, Beta)
    unit = (x - prior.low) / (prior.high - prior.low) if stretched else x
    found = pm.logp(free, unit).eval(mode="FAST_COMPILE") - (np.log(prior.high - prior.low) if stretched else 0.0)
    assert found == pytest.approx(prior.log_density(x), abs=1e-6)  # PyTensor holds whole-number constants as float32
