"""Tables that users write: the cases collected in tests/data, and faults that a table raises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from surrogacy.errors import DataError
from surrogacy.trials import read_pairs
from tests.conftest import ROOT

CASES = ROOT / "tests" / "data" / "public_cases"
WIDE = "trial,n_exp,n_ctl,hr_pfs,ci_low_pfs,ci_high_pfs,hr_os,ci_low_os,ci_high_os"
LONG = "trial,endpoint,hr,ci_low,ci_high,n_exp,n_ctl,stage,rho_within"


def codes(path):
    return [(fault.code, fault.line) for fault in read_pairs(path).faults if fault.severity != "info"]


def errors(path):
    with pytest.raises(DataError) as raised:
        read_pairs(path)
    return raised.value.faults


def error_at(level, low=0.54, high=0.89):
    return np.log(high / low) / (2 * norm.ppf(0.5 + level / 2))
