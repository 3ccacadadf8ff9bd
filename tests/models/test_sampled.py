"""Sampled models: densities against NumPy, posteriors against JAGS and against the exact posterior."""

import os
import subprocess
import sys
from dataclasses import replace

import arviz as az
import numpy as np
import pymc as pm
import pytest
import xarray as xr
from scipy.stats import multivariate_normal

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.fit import main
from surrogacy.models import REGISTRY, create
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.priors import Beta, Grid, HalfNormal, HalfStudentT, Normal, Uniform
from surrogacy.models.sampled import agreement, diagnostics, nuts, prior_posterior_checks
from surrogacy.models.sampled.bivariate import SampledBivariate
from surrogacy.models.sampled.blocks import layouts
from surrogacy.models.sampled.class_exchangeable import ClassExchangeable
from surrogacy.models.sampled.daniels_hughes import SampledDanielsHughes
from surrogacy.models.sampled.moderated_line import SampledModeratedLine
from surrogacy.models.sampled.product_normal import ProductNormal
from surrogacy.models.sampled.student_t import StudentT
from surrogacy.models.sampled.trivariate import TripleEffects, Trivariate, triples
from surrogacy.results.estimate import Estimate
from tests.conftest import ROOT
from tests.support.effects import NEEDED

pytestmark = pytest.mark.nuts

RNG = np.random.default_rng(20)
POINTS = 5


@pytest.fixture(scope="module")
def llovet(trials):
    return trials.analysis_set("llovet-2019-pfs")


@pytest.fixture(scope="module")
def compiled(llovet):
    return nuts.compile_model(SampledBivariate().build(llovet))


@pytest.fixture(scope="module")
def run(compiled):
    return nuts.run(compiled, **SampledBivariate(draws=5000).sampler)


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


def three():
    y = RNG.normal(-0.3, 0.3, (12, 3))
    y[0, 0] = y[1, 1] = y[2, 2] = y[3, 2] = np.nan
    rho = np.array([[1, 0.8, 0.5], [0.8, 1, 0.4], [0.5, 0.4, 1]])
    names = tuple(map(str, range(12)))
    return TripleEffects(y, RNG.uniform(0.1, 0.3, (12, 3)), rho, names, names, ("PFS", "TTP", "OS"))


def test_trivariate_density():
    effects, eta = three(), 2.0
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


# JAGS 4.3.1 on the set llovet-2019-pfs: (2.5 %, 50 %, 97.5 %) and their Monte Carlo standard errors, 4 x 100,000 draws
# (validation/jags_product_normal.R).
JAGS = {
    SampledDanielsHughes(draws=5000): {
        "intercept": ((-0.0081, 0.0683, 0.1416), (0.0004, 0.0002, 0.0004)),
        "slope": ((0.2894, 0.4770, 0.6636), (0.0009, 0.0007, 0.0013)),
        "sigma_cond": ((0.0056, 0.0684, 0.1489), (0.0008, 0.0003, 0.0006)),
    },
    ProductNormal(draws=5000): {
        "mu_surrogate": ((-0.4360, -0.2553, -0.0760), (0.0014, 0.0007, 0.0012)),
        "intercept": ((-0.0268, 0.0578, 0.1377), (0.0004, 0.0003, 0.0004)),
        "slope": ((0.2151, 0.4372, 0.6552), (0.0014, 0.0008, 0.0013)),
        "tau_surrogate": ((0.2231, 0.3252, 0.5070), (0.0003, 0.0004, 0.0014)),
        "sigma_cond": ((0.0242, 0.0789, 0.1558), (0.0004, 0.0001, 0.0006)),
        "r2_trial": ((0.2672, 0.7697, 0.9763), (0.0029, 0.0012, 0.0007)),
    },
    ProductNormal("regression", draws=5000): {
        "mu_surrogate": ((-0.4399, -0.2551, -0.0726), (0.0007, 0.0004, 0.0011)),
        "intercept": ((-0.0119, 0.0673, 0.1435), (0.0006, 0.0003, 0.0005)),
        "slope": ((0.2685, 0.4718, 0.6780), (0.0011, 0.0008, 0.0014)),
        "tau_surrogate": ((0.2268, 0.3330, 0.5281), (0.0004, 0.0003, 0.0016)),
        "sigma_cond": ((0.0079, 0.0683, 0.1485), (0.0007, 0.0003, 0.0007)),
        "r2_trial": ((0.3697, 0.8502, 0.9976), (0.0038, 0.0014, 0.0004)),
    },
}
# A run on record whose priors are not: Daniels-Hughes and, as it turns out, the separation priors of TSD 20.
ON_RECORD = {
    "daniels-hughes-nuts": {"slope": (0.288, 0.477, 0.667), "sigma_cond": (None, 0.069, None)},
    "product-normal": {"slope": (0.214, 0.435, 0.652), "r2_trial": (0.264, 0.768, 0.975)},
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", JAGS, ids=lambda s: f"{s.name}-{getattr(s, 'priors_on', '')}")
def test_jags(llovet, settings):
    result = settings.fit(llovet)
    assert result.converged
    assert (result["slope"].se is None) == (getattr(settings, "priors_on", "") == "separation")
    for name, (values, errors) in JAGS[settings].items():
        own = diagnostics.quantile_errors(np.asarray(result.posterior.samples["posterior"][name]))
        estimate = result[name]
        ours = (estimate.low, estimate.value, estimate.high)
        for value, other, error, more in zip(ours, values, own, errors, strict=True):
            assert abs(value - other) < 4 * np.hypot(error, more) + 1e-4, name
        if getattr(settings, "priors_on", "separation") == "separation":
            recorded = ON_RECORD[settings.name].get(name, (None, None, None))
            for value, other in zip(ours, recorded, strict=True):
                assert other is None or value == pytest.approx(other, abs=0.012), name


def test_sampled_agrees_with_the_exact_posterior(llovet, run):
    settings = SampledBivariate(draws=5000)
    sampled, exact = settings.result(llovet, run), BivariateBayes().fit(llovet)
    for name in SampledBivariate.reported:
        errors = diagnostics.quantile_errors(np.asarray(run["posterior"][name]))
        ours, other = sampled[name], exact[name]
        for value, truth, error in zip(
            (ours.low, ours.value, ours.high), (other.low, other.value, other.high), errors, strict=True
        ):
            assert abs(value - truth) < 4 * error + 2e-4, name
    assert sampled.converged
    assert sampled["slope"].se is None
    assert sampled["mu_final"].se == pytest.approx(exact["mu_final"].se, rel=0.1)
    x = np.log([0.5, 0.8])
    for ours, other in zip(sampled.line.predict(x), exact.line.predict(x), strict=True):
        assert ours == pytest.approx(other, abs=0.02)


def test_diagnostics_fail_on_purpose(llovet, compiled):
    settings = SampledBivariate(draws=20, tune=5, chains=2)
    result = settings.result(llovet, nuts.run(compiled, **settings.sampler))
    assert not result.converged
    assert any("effective sample size" in caveat.text for caveat in result.caveats if caveat.code == "sampling")
    assert result.problems[: len(llovet.problems)] == llovet.problems


def texts(caveats):
    return tuple(caveat.text for caveat in caveats)


def test_diagnose_names_each_fault():
    draws = RNG.normal(size=(4, 1000))
    stats = {"diverging": np.zeros((4, 1000), dtype=bool), "energy": RNG.normal(size=(4, 1000))}
    good = az.from_dict({"posterior": {"x": draws}, "sample_stats": stats})
    assert diagnostics.diagnose(good) == ()
    stuck = az.from_dict({"posterior": {"x": draws, "y": np.ones((4, 1000))}, "sample_stats": stats})
    assert texts(diagnostics.diagnose(stuck)) == ("sampling: y did not move at all",)
    split = az.from_dict({"posterior": {"x": draws, "y": draws + np.arange(4)[:, None]}, "sample_stats": stats})
    assert "R-hat" in " ".join(texts(diagnostics.diagnose(split)))
    assert diagnostics.diagnose(split, ["x"]) == ()
    stats["diverging"][0, 3:6] = True  # more than one in 2,000
    stats["energy"] = np.cumsum(stats["energy"], axis=1)
    both = texts(diagnostics.diagnose(az.from_dict({"posterior": {"x": draws}, "sample_stats": stats})))
    assert "sampling: 3 of 4000 transitions diverged" in both[0]
    assert "BFMI" in both[1]
    single = az.from_dict({"posterior": {"x": draws[:1]}, "sample_stats": {k: v[1:2] * 0 for k, v in stats.items()}})
    assert any("single chain" in problem for problem in texts(diagnostics.diagnose(single, ["x"])))


def test_quantile_errors_of_independent_draws():
    low, middle, high = diagnostics.quantile_errors(RNG.normal(size=(4, 5000)))
    assert middle == pytest.approx(np.sqrt(np.pi / 2 / 20_000), rel=0.3)
    assert low == pytest.approx(np.sqrt(0.025 * 0.975 / 20_000) / 0.0584, rel=0.3)
    assert high == pytest.approx(low, rel=0.5)


def test_refit_is_a_fit(llovet, compiled):
    settings = SampledBivariate(draws=2000)
    rest = llovet.without_trial(llovet.trials[4])
    ours = settings.result(rest, nuts.refit(compiled, settings.data(rest), **settings.sampler))
    exact = BivariateBayes().fit(rest)
    assert len(ours.effects) == 15
    for name in SampledBivariate.reported:
        error = diagnostics.quantile_errors(np.asarray(ours.posterior.samples["posterior"][name]))[1]
        assert abs(ours[name].value - exact[name].value) < 4 * error + 2e-4, name
    with pytest.raises(UsageError, match="no such data"):
        nuts.refit(compiled, {"elsewhere": np.zeros(3)})


def test_many_data_sets_take_one_compilation(llovet, monkeypatch, compiled):
    calls = []
    monkeypatch.setattr(nuts, "compile_model", lambda model: calls.append(model) or compiled)
    data = [llovet.without_trial(trial) for trial in llovet.trials]
    found = SampledBivariate(draws=500, tune=500).fit_many(data)
    assert len(calls) == 1
    for result, rest in zip(found, data, strict=True):
        assert result.effects is rest
        assert result["mu_final"].value == pytest.approx(BivariateBayes().fit(rest)["mu_final"].value, abs=0.02)


def test_files_and_predictive_draws(llovet, run, tmp_path):
    settings = SampledBivariate()
    thin = xr.DataTree.from_dict(
        {name: run[name].to_dataset().isel(draw=slice(0, 500)) for name in ("posterior", "sample_stats")}
    )
    model = settings.build(llovet)
    tree = prior_posterior_checks.predictive(model, thin, seed=3, draws=50)
    assert {"posterior", "sample_stats", "prior", "prior_predictive", "posterior_predictive", "observed_data"} <= set(
        tree.children
    )
    drawn = tree["posterior_predictive"].to_dataset()
    # replicated pairs hold the errors' correlation and that of the effects
    i, mean = 0, np.asarray(thin["posterior"]["rho_between"]).mean()
    pairs = np.array([drawn["y_surrogate"].values[..., i].ravel(), drawn["y_final"].values[..., i].ravel()])
    assert 0.4 < np.corrcoef(pairs)[0, 1] < mean + 0.1
    tree.to_netcdf(tmp_path / "draws.nc")
    with xr.open_datatree(tmp_path / "draws.nc") as back:
        assert set(back.children) == set(tree.children)
        assert np.array_equal(back["posterior"]["slope"].values, thin["posterior"]["slope"].values)
    rows = prior_posterior_checks.power_scaling(model, thin, ["slope", "rho_between"])
    assert [row["variable"] for row in rows] == ["slope", "rho_between"]
    assert all(0 <= row["prior"] < row["likelihood"] for row in rows)


SEEDED = """
import hashlib, sys
import numpy as np
from surrogacy.effects import Effects
from surrogacy.models.sampled.bivariate import SampledBivariate
y = np.array([[-0.5, -0.2], [-0.1, 0.0], [-0.3, -0.2], [0.1, 0.1], [-0.7, -0.3]])
result = SampledBivariate(draws=200, tune=200, chains=2, seed=4).fit(Effects.from_arrays(y, np.full((5, 2), 0.1)))
sys.stdout.write(hashlib.sha256(np.ascontiguousarray(result.posterior.samples["posterior"]["slope"]).tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_a_seed_gives_the_same_draws_from_a_cold_and_a_warm_cache(tmp_path):
    flags = {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    environment = {**os.environ, **flags, "PYTHONPATH": str(ROOT)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", SEEDED], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert len(runs[0]) == 64
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_student_t_with_many_degrees_of_freedom_is_normal(llovet):
    result, exact = StudentT(1e6).fit(llovet), BivariateBayes().fit(llovet)
    assert result.converged
    for name in SampledBivariate.reported:
        error = diagnostics.quantile_errors(np.asarray(result.posterior.samples["posterior"][name]))[1]
        assert abs(result[name].value - exact[name].value) < 4 * error + 2e-4, name


@pytest.mark.slow
def test_missing_endpoints_and_unknown_rho_within(llovet):
    y = llovet.log_hr.copy()
    y[3, 1] = y[5, 0] = np.nan
    effects = replace(llovet, log_hr=y)
    prior = Uniform(0, 0.95)
    result, exact = SampledBivariate(rho_within=prior).fit(effects), BivariateBayes(rho_within=prior).fit(effects)
    for name in SampledBivariate.reported:
        error = diagnostics.quantile_errors(np.asarray(result.posterior.samples["posterior"][name]))[1]
        assert abs(result[name].value - exact[name].value) < 4 * error + 2e-3, name
    assert 0.2 < result["rho_within"].value < 0.95


def by_class(slopes, size=14):
    """Simulated comparisons of classes with these slopes, no scatter about their lines."""
    rng = np.random.default_rng(1)
    names = tuple(name for name in slopes for _ in range(size))
    theta = rng.normal(-0.3, 0.4, len(names))
    final = np.array([slopes[name] for name in names]) * theta
    y = np.column_stack([theta, final]) + rng.normal(0, 0.04, (len(names), 2))
    effects = Effects.from_arrays(y, np.full((len(names), 2), 0.04), 0.0)
    return replace(effects, covariates={"class": names, "stage": names})


@pytest.mark.slow
@pytest.mark.parametrize("exchangeability", ["full", "partial"])
def test_class_slopes_are_recovered(exchangeability):
    slopes = {"one": 0.5, "two": 0.55, "three": 0.45, "apart": 1.5}
    settings = ClassExchangeable(exchangeability, draws=1000, tune=1000)
    result = settings.fit(by_class(slopes))
    for name, slope in slopes.items():
        estimate = result[f"slope[{name}]"]
        assert estimate.low < slope < estimate.high
        assert estimate.value == pytest.approx(slope, abs=0.12)
    assert result["slope"].se > 0
    if exchangeability == "partial":
        assert result["exchangeable[apart]"].value < 0.3 < result["exchangeable[one]"].value
        assert result.line is None  # a class that need not be exchangeable may be anything
        return
    # a new trial is one of a new class: far less certain than the line of a known one
    low, high = (values[0] for values in result.line.predict([-0.5])[1:])
    assert high - low > 0.2


@pytest.mark.slow
def test_moderated_slopes_are_recovered():
    result = SampledModeratedLine("stage").fit(by_class({"early": 0.4, "late": 1.0}))
    assert result.converged
    assert result["slope[early]"].value == pytest.approx(0.4, abs=0.1)
    assert result["slope[late]"].value == pytest.approx(1.0, abs=0.1)
    assert result["slope_difference"].low > 0.4
    assert result["slope"] == replace(result["slope[early]"])
    assert result.line is None


@pytest.mark.slow
def test_two_surrogates(trials):
    effects = triples(trials, min_evidence="unverified")
    assert effects.names == ("PFS", "TTP", "OS")
    assert (~np.isnan(effects.log_hr[:, 2])).all()
    result = Trivariate().fit(effects)
    assert result.converged
    assert result["r2_trial[PFS+TTP]"].value >= max(result["r2_trial[PFS]"].value, result["r2_trial[TTP]"].value)
    assert set(result.estimates) >= {"slope[PFS]", "slope[TTP]", "intercept", "sigma_cond", "tau[OS]", "rho_surrogates"}


def test_triples_keep_one_comparison_a_control_arm(trials):
    effects = triples(trials)
    assert len(set(effects.comparison)) == len(effects)
    shared = trials.pair("PFS")
    groups = [
        group
        for name, group in zip(shared.comparison, shared.control_group, strict=True)
        if name in effects.comparison and group
    ]
    assert len(groups) == len(set(groups))
    pair = effects.pair(1)
    assert np.array_equal(pair.log_hr, effects.log_hr[:, [1, 2]], equal_nan=True)


def test_what_cannot_be_fitted(llovet):
    with pytest.raises(FitError, match="needs 3"):
        SampledBivariate().fit(llovet.take([0, 1]))
    with pytest.raises(UsageError, match="cannot be sampled"):
        SampledBivariate(rho_within=Grid((0.2, 0.5)))
    with pytest.raises(UsageError, match="leaves its range"):
        SampledBivariate(rho_between=Uniform(-1, 2))
    with pytest.raises(UsageError, match="leaves its range"):
        SampledBivariate(tau_final=Uniform(-1, 2))
    with pytest.raises(UsageError, match="at least 1"):
        SampledBivariate(draws=0)
    with pytest.raises(UsageError, match="between 0 and 1"):
        SampledBivariate(target_accept=1.0)
    with pytest.raises(UsageError, match="priors_on"):
        ProductNormal("both")
    with pytest.raises(UsageError, match="above 2"):
        StudentT(1.0)
    with pytest.raises(UsageError, match="fixed_effect_sd"):
        SampledDanielsHughes(fixed_effect_sd=1e9)
    with pytest.raises(UsageError, match="'full' or 'partial'"):
        ClassExchangeable("none")
    one = replace(llovet, covariates={**llovet.covariates, "class": ("chemo",) * 16})
    with pytest.raises(FitError, match="two classes are needed"):
        ClassExchangeable().fit(one)
    with pytest.raises(UsageError, match="no column 'grade'"):
        ClassExchangeable(factor="grade").fit(llovet)
    with pytest.raises(FitError, match="in every comparison"):
        SampledModeratedLine("stage").fit(llovet)
    with pytest.raises(UsageError, match="no column 'grade'"):
        SampledModeratedLine("grade").fit(llovet)
    gap = replace(llovet, covariates={"line": ("", *llovet.covariates["line"][1:])})
    assert SampledModeratedLine("line").comparable(gap).problems[-1] == "left out by line: 1 not stated"
    two = SampledModeratedLine("class").comparable(llovet)
    assert len(set(two.covariates["class"])) == 2
    assert "left out by class" in two.problems[-1]
    few = three()
    few.log_hr[3:, 1] = np.nan
    with pytest.raises(FitError, match="report TTP"):
        Trivariate().fit(few)
    with pytest.raises(UsageError, match="correlation matrices"):
        replace(three(), rho_within=np.full((3, 3), 2.0))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(REGISTRY) - set(NEEDED)))
def test_every_sampled_model_keeps_the_contract(name, trials, tmp_path):
    effects = trials.analysis_set("all")
    model = create(name, draws=60, tune=60, chains=2, seed=1)
    result = model.fit(effects)
    assert result.model == name == model.name
    assert not result.converged  # so few draws cannot pass their own diagnostics
    assert any(caveat.code == "sampling" for caveat in result.caveats)
    assert set(effects.problems) <= set(result.problems)
    assert {"slope", "intercept"} <= set(result.estimates)
    for estimate in result.estimates.values():
        if isinstance(estimate, Estimate) and estimate.low is not None:
            assert estimate.low <= estimate.value <= estimate.high
            assert "120 draws of NUTS" in estimate.method
    assert list(result.summary().index) == list(result.estimates)
    if result.line is not None:
        middle, low, high = result.line.predict(np.log([0.5, 0.8]))
        assert (low < middle).all()
        assert (middle < high).all()
        assert "ste_prediction" in result.estimates
    completed, records = prior_posterior_checks.complete(model, result)
    assert {"prior", "posterior_predictive"} <= set(completed.posterior.samples.children)
    assert {record["variable"] for record in records} <= set(model.reported)
    completed.posterior.samples.to_netcdf(tmp_path / "draws.nc")


@pytest.mark.slow
def test_exact_and_sampled_agree_on_the_command_line(capsys, tmp_path):
    import json

    out = tmp_path / "out"
    assert main(["llovet-2019-pfs", "--nuts", "--model", "bivariate-bayes", "--out", str(out), "--format", "svg"]) == 0
    assert "exact against NUTS (20,000 draws)" in " ".join(capsys.readouterr().out.split())
    document = json.loads((out / "results.json").read_text())
    assert len(document["nuts"]) == 27
    assert max(abs(row["difference"]) for row in document["nuts"]) < 4
    assert xr.open_datatree(out / "draws" / "llovet-2019-pfs-bivariate-nuts.nc")["posterior"].sizes["draw"] == 5000
    assert (out / "tables" / "nuts.md").exists()


def test_disagreement_is_a_problem(llovet, run):
    settings = SampledBivariate()
    sampled = settings.result(llovet, run)
    exact = BivariateBayes().fit(llovet)
    assert agreement.disagreements(agreement.agreement(exact, sampled), sampled) == ()
    other = BivariateBayes(rho_between=Beta(4.0, 4.0)).fit(llovet)
    wrong = agreement.disagreements(agreement.agreement(other, sampled), sampled)
    assert any("rho_between" in caveat.text for caveat in wrong if caveat.code == "disagreement")


def test_nuts_without_an_exact_model_is_refused(capsys):
    assert main(["tactics-2022", "--nuts", "--model", "weighted-pearson", "--json"]) == 2
    assert "--nuts: none of the chosen models" in capsys.readouterr().err
