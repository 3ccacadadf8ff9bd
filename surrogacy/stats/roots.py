"""Roots of increasing functions, several at once.

`nearly_linear_root` starts from four values of each function, which cost one call where many functions are evaluated
together, and stops each function by itself. `increasing_root` starts from brackets alone, which it widens: for a few
functions of which nothing else is known, or with which secant steps have failed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import BoolArray, FloatArray, IntArray

Function = Callable[[FloatArray], FloatArray]
ManyFunctions = Callable[[IntArray, FloatArray], FloatArray]
TOLERANCE = 2e-7
SETTLED = 1e-4  # value of a nearly linear function before the last secant step, which makes it a hundred times smaller


def normal_score(probability: FloatArray) -> FloatArray:
    """Normal quantiles of probabilities, at most about 7: distribution functions are nearly linear on their scale.

    Examples
    --------
    >>> normal_score(np.array([0.025, 0.5, 1.0])).round(2)
    array([-1.96,  0.  ,  7.03])
    """
    return np.asarray(ndtri(np.minimum(np.maximum(probability, 1e-12), 1 - 1e-12)))


def increasing_root(function: Function, low: FloatArray, high: FloatArray) -> FloatArray:
    """Roots of an increasing function by the method of Anderson and Bjorck within brackets; every fourth step bisects.

    A bracket that does not contain the root is widened. The search ends when every value of the function is below 2e-7
    or every bracket has shrunk by that factor.

    Parameters
    ----------
    function : callable
        Function of (q,) values that returns (q,) values.
    low, high : (q,) arrays
        Brackets.

    References
    ----------
    Anderson, Bjorck (1973), doi:10.1007/BF01951936.

    Examples
    --------
    >>> increasing_root(lambda x: x**3 - [1.0, 8.0], np.zeros(2), np.full(2, 3.0)).round(4)
    array([1., 2.])
    """
    low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    at_low, at_high = function(low), function(high)
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
    for step in range(1, 61):
        slope = np.where(f1 == f0, 1.0, f1 - f0)
        x = x1 - (0.5 if step % 4 == 0 else f1 / slope) * (x1 - x0)
        f = function(x)
        enclosed = (f > 0) != (f1 > 0)
        # a value of the same sign: the other end is given a smaller value, so that the next secant crosses the root
        kept = 1 - f / np.where(f1 == 0, 1.0, f1)
        x0, f0 = np.where(enclosed, x1, x0), np.where(enclosed, f1, f0 * np.where(kept > 0, kept, 0.5))
        x1, f1 = x, f
        if np.all((np.abs(f) < TOLERANCE) | (np.abs(x1 - x0) < tolerance)):
            break
    return x1


def nearly_linear_root(
    function: ManyFunctions,
    x: FloatArray,
    values: FloatArray,
    bracket: tuple[FloatArray, FloatArray] | None = None,
    settled: float = SETTLED,
) -> FloatArray:
    """Roots of increasing functions that are nearly linear and known at four points each.

    Inverse cubic interpolation gives the first guess, and secant steps the next. Where they leave the bracket or the
    value is not halved, the bracket is bisected. Each function is evaluated until its value is below ``settled``; the
    last step, after which it is not evaluated, reduces it further. A root does not depend on the other functions.

    Parameters
    ----------
    function : callable
        Function of the indices and arguments, (a,) each, of some of the functions that returns their values.
    x, values : (4, q) arrays
        Increasing points and the values there.
    bracket : pair of (q,) arrays, optional
        Ends between which each root lies; without it the root may lie beyond the points.
    settled : float
        Largest value before the last step.

    Returns
    -------
    (q,) array

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> nearly_linear_root(lambda _, x: x + 0.1 * x**3 - 1, x, x + 0.1 * x**3 - 1).round(4)
    array([0.9217])
    """
    reach = x[-1] - x[0]
    low, high = (np.full(len(reach), -np.inf), np.full(len(reach), np.inf)) if bracket is None else bracket
    low, high = low.copy(), high.copy()
    nearest = np.abs(values).argmin(axis=0)[None]
    x0, f0 = (np.take_along_axis(each, nearest, axis=0)[0] for each in (x, values))
    root = np.clip(_interpolated(x, values), np.maximum(low, x[0] - reach / 2), np.minimum(high, x[-1] + reach / 2))
    active = np.arange(len(root))
    for _ in range(80):
        at = root[active]
        f = function(active, at)
        low[active], high[active] = np.where(f < 0, at, low[active]), np.where(f > 0, at, high[active])
        root[active] = _following(at, f, x0[active], f0[active], low[active], high[active], reach[active], settled)
        x0[active], f0[active] = at, f
        active = active[(np.abs(f) >= settled) & (high[active] - low[active] > TOLERANCE * reach[active])]
        if not len(active):
            break
    return root


def _following(
    x: FloatArray,
    f: FloatArray,
    x0: FloatArray,
    f0: FloatArray,
    low: FloatArray,
    high: FloatArray,
    reach: FloatArray,
    settled: float,
) -> FloatArray:
    """Next guesses from the latest two, by a secant or in the middle of the bracket."""
    secant = x - np.clip(f * (x - x0) / np.where(f == f0, 1.0, f - f0), -reach, reach)
    slow: BoolArray = (np.abs(f) > 0.5 * np.abs(f0)) & (np.abs(f) >= settled)
    bisect = (slow | (secant < low) | (secant > high)) & np.isfinite(high - low)
    return np.where(bisect, (low + high) / 2, secant)


def _interpolated(x: FloatArray, values: FloatArray) -> FloatArray:
    """Roots by inverse cubic interpolation between four points along the first axis."""
    root = np.zeros(x.shape[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(4):
            others = [j for j in range(4) if j != i]
            root += x[i] * np.prod([values[j] / (values[j] - values[i]) for j in others], axis=0)
    return np.where(np.isfinite(root), root, x.mean(axis=0))
