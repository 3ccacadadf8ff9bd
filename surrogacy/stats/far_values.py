"""Values far from all others, which would leave an empty region on an axis."""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray

FAR = 0.4  # of the range of all other values and 0


def lowest_if_far(values: FloatArray) -> int | None:
    """Return the place of the lowest value if its distance from the others and 0 exceeds a share of their range.

    Parameters
    ----------
    values : (k,) array

    Examples
    --------
    >>> lowest_if_far(np.array([-0.5, -3.0, -1.0])), lowest_if_far(np.array([-0.5, -1.2, -1.0]))
    (1, None)
    """
    place = int(values.argmin())
    others = np.append(np.delete(values, place), 0.0)
    return place if others.min() - values[place] > FAR * np.ptp(others) else None
