"""Stata's mvmeta 4.0.1 (White; log of its certification script, 8 April 2022): REML with unstructured T.

Standard errors there carry the uncertainty of T; the restricted log-likelihood leaves log|sum X'X| / 2 out.
"""

import numpy as np
import pytest

from surrogacy.models import BivariateRandomEffects
from tests.reference.datasets import outcomes


def test_berkey():
    effects = outcomes("stata_berkey.csv")
    result = BivariateRandomEffects("reml", standard_errors="full").fit(effects)
    assert result["loglik"].value - 0.5 * np.log(5.0**2) == pytest.approx(2.0823296, abs=1e-6)
    assert (result["mu_surrogate"].value, result["mu_final"].value) == pytest.approx((0.3534282, -0.3392152), abs=1e-6)
    assert (result["mu_surrogate"].se, result["mu_final"].se) == pytest.approx((0.061272, 0.08927), abs=1e-5)
    assert (result["tau_surrogate"].value, result["tau_final"].value) == pytest.approx(
        (0.1083191, 0.18069681), abs=1e-6
    )
    # the data are single precision in the log, which the correlation feels in the sixth decimal
    assert result["rho_between"].value == pytest.approx(0.60879871, abs=2e-6)


@pytest.mark.slow
def test_telomerase_ends_on_the_boundary_and_says_so():
    effects = outcomes("stata_telomerase2.csv", variances=("S11", "S22"), covariance="S12")
    result = BivariateRandomEffects("reml").fit(effects)
    assert result["loglik"].value - 0.5 * np.log(10.0**2) == pytest.approx(-24.415968, abs=1e-5)
    assert (result["mu_surrogate"].value, result["mu_final"].value) == pytest.approx((1.166187, 2.057752), abs=1e-5)
    assert (result["tau_surrogate"].value, result["tau_final"].value) == pytest.approx(
        (0.44965665, 1.6073388), abs=1e-5
    )
    assert result["rho_between"].value == -1.0
    assert any(c.code == "boundary" and "correlation is exactly -1" in c.text for c in result.caveats)
    full = BivariateRandomEffects("reml", standard_errors="full").fit(effects)
    assert (full["mu_surrogate"].se, full["mu_final"].se) == pytest.approx((0.1863276, 0.5607259), abs=1e-5)
