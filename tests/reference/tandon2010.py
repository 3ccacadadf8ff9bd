"""Tandon et al. (2010): p53 and survival, six studies of which three report one outcome only. mixmeta 1.2.1, REML."""

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects
from tests.reference.datasets import outcomes

PLAIN = outcomes("p53_tandon2010.csv", variances=("V1", "V2"), covariance="")


@pytest.mark.parametrize(
    ("rho_within", "coef", "se", "psi", "loglik"),
    [
        (
            0.0,
            (-0.6788163172, 0.09150282308),
            (0.2617860046, 0.3129860605),
            (0.02763162139, 0.1052991285, 0.401276009),
            -6.068581134,
        ),
        (
            0.5,
            (-0.4260874367, 0.09170143653),
            (0.2846154161, 0.3116971665),
            (0.1460747866, 0.2407399216, 0.3967536848),
            -5.761964089,
        ),
    ],
)
def test_missing_outcomes(rho_within, coef, se, psi, loglik):
    effects = Effects.from_arrays(PLAIN.log_hr, PLAIN.se, rho_within)
    result = BivariateRandomEffects("reml").fit(effects)
    assert np.isnan(effects.log_hr).sum() == 3
    mu = [result["mu_surrogate"], result["mu_final"]]
    assert [estimate.value for estimate in mu] == pytest.approx(coef, abs=1e-4)  # boundary solutions: four decimals
    assert [estimate.se for estimate in mu] == pytest.approx(se, abs=1e-4)
    assert result["tau_surrogate"].value ** 2 == pytest.approx(psi[0], abs=1e-4)
    assert result["tau_final"].value ** 2 == pytest.approx(psi[2], abs=1e-4)
    assert result["loglik"].value == pytest.approx(loglik, abs=1e-6)
    assert result["rho_between"].value == 1.0
    assert result.on_boundary
