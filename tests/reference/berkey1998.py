"""Berkey, Hoaglin, Antczak-Bouckoms, Mosteller, Colditz (1998), Stat Med 17:2537: five periodontal trials.

Table II as asserted in metafor's test_analysis_example_berkey1998.r; without covariate: mixmeta 1.2.1 under R 4.2.2
(metafor 3.8-1 agrees to 1e-5).
"""

import numpy as np
import pytest

from surrogacy.models import BivariateRandomEffects
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import maximise
from tests.reference.datasets import outcomes, rows

COLUMNS = {"variances": ("var_PD", "var_AL"), "covariance": "cov_PD_AL"}
EFFECTS = outcomes("berkey98.csv", ("PD", "AL"), **COLUMNS)


def test_table_two_meta_regression_on_the_year():
    year = np.array([[float(row["pubyear"]) - 1983] for row in rows("berkey98.csv")])
    effects = outcomes("berkey98.csv", ("AL", "PD"), variances=("var_AL", "var_PD"), covariance="cov_PD_AL")
    best = maximise(Likelihood(make_blocks(effects, year), "ml"), effects, starts=3)
    # ours: (AL, AL slope, PD, PD slope); the paper: AL -0.3351, PD 0.3479, slopes -0.0108 and 0.0010
    assert best.at.beta == pytest.approx([-0.3351, -0.0108, 0.3479, 0.0010], abs=1e-4)
    assert np.sqrt(np.diag(best.at.beta_cov)) == pytest.approx([0.0787, 0.0243, 0.0520, 0.0154], abs=1e-4)
    assert (best.psi[0], best.psi[2]) == pytest.approx((0.0250, 0.0080), abs=1e-4)
    assert best.psi[1] == pytest.approx(0.0093, abs=1e-4)
    assert best.psi[1] / np.sqrt(best.psi[0] * best.psi[2]) == pytest.approx(0.6587, abs=1e-4)


@pytest.mark.parametrize(
    ("method", "coef", "se", "psi", "rho", "loglik"),
    [
        (
            "reml",
            (0.3534281693, -0.3392151787),
            (0.05884863084, 0.08790513641),
            (0.01173302494, 0.01191596326, 0.03265133258),
            0.6087986816,
            3.691767694,
        ),
        (
            "ml",
            (0.344839168, -0.3379381151),
            (0.04945984462, 0.07976315328),
            (0.007001998502, 0.009460664817, 0.02614451732),
            0.6992304541,
            5.840656885,
        ),
    ],
)
def test_mixmeta(method, coef, se, psi, rho, loglik):
    result = BivariateRandomEffects(method).fit(EFFECTS)
    mu = [result["mu_surrogate"], result["mu_final"]]
    assert [estimate.value for estimate in mu] == pytest.approx(coef, abs=1e-6)
    assert [estimate.se for estimate in mu] == pytest.approx(se, abs=1e-6)
    assert result["tau_surrogate"].value ** 2 == pytest.approx(psi[0], abs=1e-6)
    assert result["tau_final"].value ** 2 == pytest.approx(psi[2], abs=1e-6)
    assert result["rho_between"].value == pytest.approx(rho, abs=1e-5)
    assert result["loglik"].value == pytest.approx(loglik, abs=1e-6)


def test_profile_interval_of_rho_as_metafor_prints_it():
    # metafor confint(): -0.60 to 1.00
    rho = BivariateRandomEffects("reml").fit(EFFECTS)["rho_between"]
    assert (round(rho.low, 2), rho.high) == (-0.60, 1.0)
