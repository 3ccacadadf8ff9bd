"""metafor 3.8-1 (Viechtbauer 2010, doi:10.18637/jss.v036.i03) on comparisons that share a control arm.

Made by validation/metafor_shared_control.R; tolerances are those of its optimiser and of confint's root search.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from surrogacy.effects import Effects
from surrogacy.models import BivariateRandomEffects
from tests.reference.datasets import rows

EXPECTED = json.loads(Path(__file__).with_name("metafor_shared_control.json").read_text())
TABLE = rows("shared_control.csv")


def effects():
    def columns(*names):
        return np.array([[float(row[name]) for name in names] for row in TABLE])

    return Effects.from_arrays(
        columns("y1", "y2"),
        columns("se1", "se2"),
        0.5,
        trial=[row["trial"] for row in TABLE],
        comparison=[row["comparison"] for row in TABLE],
        control_group=[row["group"] for row in TABLE],
        control_share=columns("share", "share"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ml", "reml"])
def test_shared_control_arms(method):
    result, expected = BivariateRandomEffects(method).fit(effects()), EXPECTED[method.upper()]
    mu = [result["mu_surrogate"], result["mu_final"]]
    assert result["loglik"].value == pytest.approx(expected["loglik"], abs=1e-6)
    assert [estimate.value for estimate in mu] == pytest.approx(expected["mu"], abs=1e-4)
    assert [estimate.se for estimate in mu] == pytest.approx(expected["se"], abs=1e-4)
    assert [result["tau_surrogate"].value, result["tau_final"].value] == pytest.approx(expected["tau"], abs=1e-4)
    assert result["rho_between"].value == pytest.approx(expected["rho"], abs=2e-3)
    assert [result["rho_between"].low, result["rho_between"].high] == pytest.approx(expected["rho_profile"], abs=5e-3)
