"""Values far from all others."""

import numpy as np
import pytest

from surrogacy.stats.far_values import lowest_if_far


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([-1.0, -0.2], 0),  # 0.8 below the others, which span 0.2
        ([-1.39, -1.0, 0.0], None),  # 0.39 of their range, which is 1
        ([-1.41, -1.0, 0.0], 0),
        ([0.5, 0.6], None),  # 0 is one of the others
        ([-1.0], 0),
    ],
)
def test_lowest_value_is_far(values, place):
    assert lowest_if_far(np.array(values)) == place
