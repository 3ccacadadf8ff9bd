"""The sampled bivariate model: posteriors against JAGS and the exact posterior, refits, seeds, files, the command."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from surrogacy.errors import UsageError
from surrogacy.fit import main
from surrogacy.models import create
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.priors import Beta
from surrogacy.models.sampled import agreement, diagnostics, nuts, prior_posterior_checks
from surrogacy.models.sampled.bivariate import SampledBivariate
from surrogacy.models.sampled.daniels_hughes import SampledDanielsHughes
from surrogacy.models.sampled.product_normal import ProductNormal
from surrogacy.results.estimate import Estimate
from surrogacy.results.labels import ESTIMATES
from tests.conftest import ROOT
from tests.support.effects import SAMPLED
from tests.support.pinned_tables import PINNED

pytestmark = pytest.mark.nuts


@pytest.fixture(scope="module")
def compiled(llovet):
    return nuts.compile_model(SampledBivariate().build(llovet))


@pytest.fixture(scope="module")
def run(compiled):
    return nuts.run(compiled, **SampledBivariate(draws=5000).sampler)


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


def test_refit_is_a_fit(llovet, compiled):
    settings = SampledBivariate(draws=2000)
    rest = llovet.without_trial(llovet.trials[4])
    ours = settings.result(rest, nuts.refit(compiled, settings.data(rest), **settings.sampler))
    exact = BivariateBayes().fit(rest)
    assert len(ours.effects) == 15
    for name in SampledBivariate.reported:
        error = diagnostics.quantile_errors(np.asarray(ours.posterior.samples["posterior"][name]))[1]
        assert abs(ours[name].value - exact[name].value) < 4 * error + 2e-4, name
    with pytest.raises(UsageError, match="no data named"):
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
    assert [row.variable for row in rows] == ["slope", "rho_between"]
    assert all(0 <= row.prior < row.likelihood for row in rows)


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
@pytest.mark.parametrize("name", sorted(SAMPLED))
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
    assert {record.variable for record in records} <= set(model.reported)
    completed.posterior.samples.to_netcdf(tmp_path / "draws.nc")


@pytest.mark.slow
def test_exact_and_sampled_agree_on_the_command_line(capsys, tmp_path):
    out = tmp_path / "out"
    arguments = ["--nuts", "--model", "bivariate-bayes", "--out", str(out), "--format", "svg", "--details"]
    assert main(["llovet-2019-pfs", *PINNED, *arguments]) == 0
    assert "quadrature against NUTS (20,000 draws)" in " ".join(capsys.readouterr().out.split())
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
    assert any(ESTIMATES["rho_between"].text in caveat.text for caveat in wrong if caveat.code == "disagreement")


def test_nuts_without_an_exact_model_is_refused(capsys):
    assert main(["tactics-2022", "--nuts", "--model", "weighted-pearson", "--json"]) == 2
    assert "--nuts: none of the chosen models" in capsys.readouterr().err
