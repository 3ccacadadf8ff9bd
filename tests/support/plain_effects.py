"""Effects of the three trials of `natural_tables`, computed from their plain table."""

import numpy as np
import pytest

from tests.support.natural_tables import ROWS

RATIOS = np.array([[float(row[column]) for column in (3, 6)] for row in ROWS])
ERRORS = np.array(
    [[np.log(float(row[column + 2]) / float(row[column + 1])) / (2 * 1.959964) for column in (3, 6)] for row in ROWS]
)


def assert_plain_effects(effects):
    """Compare the effects of the three trials with those of the plain table."""
    rows = [effects.trial.index(row[0]) for row in ROWS]
    assert np.exp(effects.log_hr[rows]) == pytest.approx(RATIOS)
    assert effects.se[rows] == pytest.approx(ERRORS, rel=1e-4)
