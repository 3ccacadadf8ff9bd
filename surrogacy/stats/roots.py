"""Roots of increasing functions, several at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from surrogacy.arrays import FloatArray

Function = Callable[[FloatArray], FloatArray]
TOLERANCE = 2e-6


def increasing_root(
    function: Function, low: FloatArray, high: FloatArray, at: tuple[FloatArray, FloatArray] | None = None
) -> FloatArray:
    """Roots of an increasing function by inverse quadratic interpolation within brackets, else by bisection.

    A bracket that does not contain the root is widened. The search ends when every value of the function is below 2e-6
    or every bracket has shrunk by that factor.

    Parameters
    ----------
    function : callable
        Function of (q,) values that returns (q,) values.
    low, high : (q,) arrays
        Brackets.
    at : pair of (q,) arrays, optional
        Values of the function at ``low`` and ``high``, if they are known.

    References
    ----------
    Chandrupatla (1997), doi:10.1016/S0965-9978(96)00051-8.

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
    near, opposite, at_near, at_opposite = low, high, at_low, at_high
    width = high - low
    share = np.clip(at_near / np.where(at_near == at_opposite, 1.0, at_near - at_opposite), 0.0, 1.0)
    for _ in range(60):
        x = near + share * (opposite - near)
        value = function(x)
        same = (value > 0) == (at_near > 0)
        before, at_before = np.where(same, near, opposite), np.where(same, at_near, at_opposite)
        opposite, at_opposite = np.where(same, opposite, near), np.where(same, at_opposite, at_near)
        near, at_near = x, value
        if np.all((np.abs(value) < TOLERANCE) | (np.abs(opposite - near) < TOLERANCE * width)):
            break
        with np.errstate(divide="ignore", invalid="ignore"):
            position = (near - opposite) / (before - opposite)
            height = (at_near - at_opposite) / (at_before - at_opposite)
            quadratic = at_near / (at_opposite - at_near) * at_before / (at_opposite - at_before) + (before - near) / (
                opposite - near
            ) * at_near / (at_before - at_near) * at_opposite / (at_before - at_opposite)
            smooth = (height**2 < position) & ((1 - height) ** 2 < 1 - position)
        share = np.clip(np.where(smooth & np.isfinite(quadratic), quadratic, 0.5), 1e-4, 1 - 1e-4)
        share = np.where(at_near == 0, 0.0, share)
    return near
