import json
from pathlib import Path

import numpy as np
import pytest

from surrogacy.effects import SIDES
from surrogacy.models import BivariateRandomEffects
from surrogacy.stats.heterogeneity import i_squared

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "metafor_heterogeneity.json").read_text())


def test_equal_standard_errors_give_the_ratio_of_variances():
    assert i_squared(0.3, np.full(5, 0.2)) == pytest.approx(0.09 / 0.13)
    assert i_squared(0.0, np.array([0.1, 0.2])) == 0


def test_definition_by_cochran_q():
    # with the DerSimonian-Laird tau2, I2 is (Q - df) / Q (Higgins and Thompson 2002, equation 10)
    effects, se = np.array([-0.6, -0.1, 0.2, -0.4]), np.array([0.1, 0.15, 0.12, 0.3])
    weights = se**-2.0
    q = float((weights * (effects - np.average(effects, weights=weights)) ** 2).sum())
    tau2 = (q - 3) / (weights.sum() - (weights**2).sum() / weights.sum())
    assert i_squared(tau2**0.5, se) == pytest.approx((q - 3) / q)


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("side", SIDES)
def test_default_sets_agree_with_metafor(trials, name, side):
    # validation/metafor_heterogeneity.R: rma (REML, one endpoint) and rma.mv (both endpoints) of metafor 3.8-1
    reference = REFERENCE[name][side]
    result = BivariateRandomEffects().fit(trials.analysis_set(name))
    se = result.effects.se[:, SIDES.index(side)]
    assert len(se) == reference["k"]
    assert i_squared(reference["tau_alone"], se) == pytest.approx(reference["i2_alone"], abs=1e-9)
    # both optimisers stop at a relative change of the likelihood, which is flat near its maximum
    tau = result[f"tau_{side}"].value
    assert tau == pytest.approx(reference["tau"], abs=1e-5)
    # the forest plot prints I2 of this tau: the same formula in scalars
    weights = [1 / each**2 for each in se]
    typical = (len(se) - 1) * sum(weights) / (sum(weights) ** 2 - sum(weight**2 for weight in weights))
    assert i_squared(tau, se) == pytest.approx(tau**2 / (tau**2 + typical))
