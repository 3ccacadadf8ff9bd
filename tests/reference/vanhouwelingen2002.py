"""van Houwelingen, Arends, Stijnen (2002), Stat Med 21:589, doi:10.1002/sim.1040, pp. 604-605: 13 BCG trials.

Log odds of tuberculosis without (surrogate) and with vaccination (final), errors independent. Values as asserted in
metafor's test_analysis_example_vanhouwelingen2002.r; REML values from mixmeta 1.2.1.
"""

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects
from surrogacy.models.likelihood.derived import derived
from surrogacy.models.likelihood.likelihood import Likelihood, make_blocks
from surrogacy.models.likelihood.maximum import maximise, parameter_covariance
from tests.reference.datasets import rows

COUNTS = np.array(
    [[float(row[name]) for name in ("cpos", "cneg", "tpos", "tneg")] for row in rows("bcg_vanhouwelingen2002.csv")]
)
EFFECTS = Effects.from_arrays(
    np.log(np.column_stack([COUNTS[:, 0] / COUNTS[:, 1], COUNTS[:, 2] / COUNTS[:, 3]])),
    np.sqrt(np.column_stack([(1 / COUNTS[:, :2]).sum(axis=1), (1 / COUNTS[:, 2:]).sum(axis=1)])),
    rho_within=0.0,
)
RESULT = BivariateRandomEffects("ml").fit(EFFECTS)


def value(name):
    return RESULT[name].value


def test_means_variances_and_line():
    assert (value("mu_surrogate"), value("mu_final")) == pytest.approx((-4.0960, -4.8337), abs=1e-4)
    assert (value("tau_surrogate") ** 2, value("tau_final") ** 2) == pytest.approx((2.4073, 1.4314), abs=1e-4)
    assert value("rho_between") == pytest.approx(0.9467, abs=1e-4)
    assert (value("intercept"), value("slope")) == pytest.approx((-1.8437, 0.7300), abs=1e-4)
    assert value("loglik") == pytest.approx(-33.087934, abs=1e-6)


def test_difference_of_the_two_outcomes():
    psi11, psi22 = value("tau_surrogate") ** 2, value("tau_final") ** 2
    psi12 = value("rho_between") * value("tau_surrogate") * value("tau_final")
    assert psi11 + psi22 - 2 * psi12 == pytest.approx(0.3241, abs=1e-4)
    assert value("mu_final") - value("mu_surrogate") == pytest.approx(-0.7378, abs=1e-4)
    likelihood = Likelihood(make_blocks(EFFECTS), "ml")
    covariance = maximise(likelihood, EFFECTS, starts=3).at.beta_cov
    contrast = np.array([-1.0, 1.0])
    assert np.sqrt(contrast @ covariance @ contrast) == pytest.approx(0.1797, abs=1e-4)


def test_delta_method_standard_errors_of_the_line():
    # the paper's standard errors carry the uncertainty of T alone: slope 0.0866, intercept 0.3548
    assert RESULT["slope"].se == pytest.approx(0.0866, abs=1e-4)
    likelihood = Likelihood(make_blocks(EFFECTS), "ml")
    best = maximise(likelihood, EFFECTS, starts=3)
    covariance = parameter_covariance(likelihood, best, full=False)
    gradient = derived(best.psi, best.at.beta)[1]["intercept"][2:]
    assert np.sqrt(gradient @ covariance[2:, 2:] @ gradient) == pytest.approx(0.3548, abs=1e-4)
    # ours add the uncertainty of the means
    assert RESULT["intercept"].se > 0.3548


def test_naive_standard_errors_of_a_regression_on_the_estimated_covariance():
    # T taken for a sample covariance of 13 pairs, as in the paper: slope 0.0749, intercept 0.3265
    k, psi11 = 13, value("tau_surrogate") ** 2
    residual = value("sigma_cond") ** 2 * (k - 1) / (k - 2)
    assert np.sqrt(residual / ((k - 1) * psi11)) == pytest.approx(0.0749, abs=1e-4)
    assert np.sqrt(residual * (1 / k + value("mu_surrogate") ** 2 / ((k - 1) * psi11))) == pytest.approx(
        0.3265, abs=1e-4
    )


def test_reml():
    result = BivariateRandomEffects("reml").fit(EFFECTS)
    assert result["tau_surrogate"].value ** 2 == pytest.approx(2.6172998, abs=1e-5)
    assert result["tau_final"].value ** 2 == pytest.approx(1.5486031, abs=1e-5)
    assert result["rho_between"].value == pytest.approx(0.94504623, abs=1e-6)
    assert result["slope"].value == pytest.approx(0.72693635, abs=1e-6)
    assert result["intercept"].value == pytest.approx(-1.8598523, abs=1e-5)
    assert result["loglik"].value == pytest.approx(-31.501665, abs=1e-6)
