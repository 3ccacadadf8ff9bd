import numpy as np
import pytest

from surrogacy.stats.heterogeneity import i_squared


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
