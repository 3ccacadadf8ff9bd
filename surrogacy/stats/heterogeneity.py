"""I²: the share of the variance of reported effects that is between trials."""

from __future__ import annotations

from surrogacy.arrays import FloatArray


def i_squared(tau: float, se: FloatArray) -> float:
    """Return I² for a between-trial SD, ``tau^2 / (tau^2 + s^2)`` with the typical sampling variance ``s^2``.

    With ``w = 1 / se^2``, ``s^2 = (k - 1) sum(w) / (sum(w)^2 - sum(w^2))`` (Higgins and Thompson 2002,
    doi:10.1002/sim.1186).

    Parameters
    ----------
    tau : float
    se : (k,) array
        Standard errors of at least two effects.

    Examples
    --------
    >>> import numpy as np
    >>> round(i_squared(0.3, np.array([0.1, 0.1, 0.1])), 3)
    0.9
    """
    weights = se**-2.0
    typical = (len(se) - 1) * weights.sum() / (weights.sum() ** 2 - (weights**2).sum())
    return float(tau**2 / (tau**2 + typical))
