"""Models with missing endpoints, against metafor, the exact posterior against NUTS, and what they ignore."""

import json

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.errors import CaveatCode
from surrogacy.models import BivariateBayes, BivariateRandomEffects, DanielsHughes
from surrogacy.trials import Pairing
from tests.conftest import ROOT
from tests.support.pinned_tables import pinned_trials

# metafor 3.8-1 (Viechtbauer 2010, doi:10.18637/jss.v036.i03): one row per reported hazard ratio; made by
# validation/metafor_missing_outcomes.R. Tolerances are those of its optimiser and of confint's root search.
METAFOR = json.loads((ROOT / "tests/reference/metafor_missing_outcomes.json").read_text())


@pytest.fixture(scope="module")
def advanced():
    return pinned_trials().analysis_set_with_flow("advanced", Pairing(one_endpoint="include")).effects


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_metafor_with_missing_outcomes(advanced, method):
    assert (np.isfinite(advanced.log_hr).sum(), len(advanced)) == (METAFOR["rows"], METAFOR["comparisons"])
    result, expected = BivariateRandomEffects(method).fit(advanced), METAFOR[method.upper()]
    mu = [result["mu_surrogate"], result["mu_final"]]
    assert result["loglik"].value == pytest.approx(expected["loglik"], abs=1e-6)
    assert [estimate.value for estimate in mu] == pytest.approx(expected["mu"], abs=1e-5)
    assert [estimate.se for estimate in mu] == pytest.approx(expected["se"], abs=1e-5)
    assert [result["tau_surrogate"].value, result["tau_final"].value] == pytest.approx(expected["tau"], abs=1e-5)
    assert result["rho_between"].value == pytest.approx(expected["rho"], abs=1e-5)
    assert [result["rho_between"].low, result["rho_between"].high] == pytest.approx(expected["rho_profile"], abs=2e-3)


def test_the_correlation_of_a_missing_pair_does_not_matter(advanced):
    rho = np.where(advanced.complete, advanced.rho_within, -0.9)
    values = [
        BivariateBayes(check_grid=False).fit(effects)["r2_trial"]
        for effects in (advanced, advanced.with_rho_within(rho))
    ]
    assert values[0] == values[1]


def test_one_endpoint_does_not_change_a_line_with_fixed_surrogate_effects():
    # the variance of a final effect without its surrogate effect, s^2 + 100 slope^2 + sigma^2, depends on the slope:
    # log density at slope 0.5 minus that at 0 is about -3.7 for a final effect near 0 with s = 0.12
    effects = small_effects()
    result, complete = DanielsHughes().fit(effects), DanielsHughes().fit(effects.take(effects.complete))
    assert len(result.left_out) == 7
    assert result.has_caveat(CaveatCode.LEFT_OUT)
    for name in ("intercept", "slope", "sigma_cond"):
        assert result[name] == complete[name]
    assert result["slope"].value > 0.3  # 0.03 with the three final effects in the likelihood; true slope 0.67


def small_effects():
    """Sixteen simulated comparisons, of which four have the surrogate effect alone and three the final effect alone."""
    generator = np.random.default_rng(16)
    true = generator.multivariate_normal([-0.3, -0.2], [[0.06, 0.04], [0.04, 0.035]], 16)
    se = generator.uniform(0.1, 0.25, (16, 2))
    log_hr = true + se * generator.standard_normal((16, 2))
    log_hr[:4, 1] = log_hr[4:7, 0] = np.nan
    return Effects.from_arrays(log_hr, se, 0.4)


def agrees_with_nuts(effects, draws):
    sampling = pytest.importorskip("surrogacy.models.sampled.agreement")
    model = BivariateBayes()
    (sampled,) = sampling.sample_twins(model, [effects], seed=2, draws=draws)
    rows = sampling.agreement(model.fit(effects), sampled)
    assert len(rows) >= 20
    # within 4 Monte Carlo errors of the sampled quantile
    assert [row for row in rows if not row.within_tolerance] == []


@pytest.mark.nuts
def test_nuts_with_missing_endpoints():
    agrees_with_nuts(small_effects(), draws=2000)


@pytest.mark.nuts
@pytest.mark.slow
def test_nuts_with_the_comparisons_of_advanced_disease(advanced):
    agrees_with_nuts(advanced, draws=5000)
