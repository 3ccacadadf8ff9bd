"""Roots of increasing functions, several at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from surrogacy.arrays import FloatArray

Function = Callable[[FloatArray], FloatArray]
TOLERANCE = 2e-7  # width of the last bracket as a share of the first
SMALL = 3e-5  # last value of the function; the last step, after which it is not evaluated, makes it far smaller


def increasing_root(
    function: Function,
    low: FloatArray,
    high: FloatArray,
    at: tuple[FloatArray, FloatArray] | None = None,
    start: FloatArray | None = None,
) -> FloatArray:
    """Roots of an increasing function by the method of Anderson and Bjorck within brackets; after a slow step it bisects.

    A bracket that does not contain the root is widened. The search ends with a last step from values below 3e-5, or
    when every bracket has shrunk by a factor of 2e-7.

    Parameters
    ----------
    function : callable
        Function of (q,) values that returns (q,) values.
    low, high : (q,) arrays
        Brackets.
    at : pair of (q,) arrays, optional
        Values of the function at ``low`` and ``high``, if they are known.
    start : (q,) array, optional
        First guesses, between ``low`` and ``high``.

    References
    ----------
    Anderson, Bjorck (1973), doi:10.1007/BF01951936.

    Examples
    --------
    >>> increasing_root(lambda x: x**3 - [1.0, 8.0], np.zeros(2), np.full(2, 3.0)).round(4)
    array([1., 2.])
    """
    low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    at_low, at_high = (function(low), function(high)) if at is None else at
    for _ in range(60):
        below, above = at_low > 0, at_high < 0
        if not (below.any() or above.any()):
            break
        width = np.maximum(high - low, 1e-9 * (1 + np.abs(low)))
        if below.any():
            low = np.where(below, low - width, low)
            at_low = function(low)
        if above.any():
            high = np.where(above, high + width, high)
            at_high = function(high)
    # x0 and x1 enclose the root; x1 is the latest value
    x0, x1, f0, f1, tolerance = low, high, at_low, at_high, TOLERANCE * (high - low)
    x = _secant(x0, x1, f0, f1) if start is None else start
    for _ in range(60):
        f = function(x)
        enclosed = (f > 0) != (f1 > 0)
        # a value of the same sign: the other end is given a smaller value, so that the next secant crosses the root
        kept = 1 - f / np.where(f1 == 0, 1.0, f1)
        x0, f0 = np.where(enclosed, x1, x0), np.where(enclosed, f1, f0 * np.where(kept > 0, kept, 0.5))
        slow = np.abs(f) > 0.5 * np.abs(f1)
        x1, f1 = x, f
        x = _secant(x0, x1, f0, f1)
        if np.all((np.abs(f) < SMALL) | (np.abs(x1 - x0) < tolerance)):
            break
        x = np.where(slow, (x0 + x1) / 2, x)
    return x


def _secant(x0: FloatArray, x1: FloatArray, f0: FloatArray, f1: FloatArray) -> FloatArray:
    """Roots of the straight lines through two points."""
    return np.asarray(x1 - f1 / np.where(f1 == f0, 1.0, f1 - f0) * (x1 - x0))
