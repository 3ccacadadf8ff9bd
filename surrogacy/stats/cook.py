"""Cook's distance of each comparison from a weighted straight line."""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray

PARAMETERS = 2


def cook_distances(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the Cook distances ``D = r^2 h / (p (1 - h))`` of a weighted regression of y on x.

    Parameters
    ----------
    x, y, weights : (k,) arrays
        At least three values, with a positive weight each.

    Returns
    -------
    (k,) array
        NaN if x is constant or the line is exact, or without a degree of freedom.

    References
    ----------
    Cook (1977), doi:10.1080/00401706.1977.10489493.

    Examples
    --------
    >>> cook_distances(np.array([0.0, 1.0, 2.0, 9.0]), np.array([0.0, 1.0, 2.0, 5.0]), np.ones(4)).round(2).tolist()
    [0.53, 0.0, 0.29, 32.33]
    """
    if len(x) <= PARAMETERS:
        return np.full(len(x), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = weights / weights.sum()
        centred = x - share @ x
        leverage = share + weights * centred**2 / (weights @ centred**2)
        residuals = y - share @ y - centred * (weights @ (centred * y)) / (weights @ centred**2)
        variance = weights @ residuals**2 / (len(x) - PARAMETERS)
        squared = weights * residuals**2 / (variance * (1 - leverage))
        return np.asarray(squared * leverage / (PARAMETERS * (1 - leverage)))
