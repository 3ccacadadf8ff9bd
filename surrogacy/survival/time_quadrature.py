"""Quadrature graded towards the start of an interval, and roots of monotone functions, vectorised over problems.

    integral over (0, T) of f  =  T sum w_i f(T s_i),   s = 1 / (1 + exp(-z)),   z = x + exp(x) - exp(-x - left)

with equal steps in x. Over the ``left`` log units before T the nodes are equally spaced in log t, so that one rule
resolves processes of a week and of ten years. The nodes approach both ends double exponentially, so that an integrable
singularity t^(p - 1) at 0 does not matter.

References
----------
Takahasi, Mori (1974), doi:10.2977/prims/1195192451 (double exponential formulas).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from surrogacy.arrays import FloatArray

NODE_STEP = 0.2  # in x; error 1e-14 for exponentials, 1e-9 for a Cox limit with a hazard ratio of 6
LOG_TAIL_WEIGHT = 36.0  # nodes with a weight below exp(-36) are left out
HALVINGS = 64


@lru_cache(maxsize=128)
def _rule(left: int, sharpness: float, power: float) -> tuple[FloatArray, FloatArray]:
    low, high = -left - np.log(LOG_TAIL_WEIGHT / power), np.log(LOG_TAIL_WEIGHT)
    x = np.linspace(low, high, int(np.ceil((high - low) * sharpness / NODE_STEP)) + 1)
    before, after = np.exp(-x - left), np.exp(x)
    z = x + after - before
    s = np.exp(-np.logaddexp(0.0, -z))
    weight = s / (1.0 + np.exp(z)) * (1.0 + before + after) * (x[1] - x[0])
    for values in (s, weight):
        values.setflags(write=False)
    return s, weight


def graded_rule(span: float, sharpness: float = 1.0, power: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of quadrature on (0, 1).

    Parameters
    ----------
    span : float
        Length of the interval times the fastest rate within it.
    sharpness : float
        Largest ``p`` of factors like ``exp(-t^p)``, at least 1.
    power : float
        The integrand behaves like ``t^(power - 1)`` at 0; at most 1.

    Returns
    -------
    s, weight : (n,) arrays

    Examples
    --------
    >>> s, weight = graded_rule(span=5.0)
    >>> round(5.0 * float(weight @ np.exp(-5.0 * s)), 6)
    0.993262
    """
    left = int(2 * np.ceil(np.log1p(span) / 2.0))  # rounded, so that the cache holds few rules
    return _rule(left, float(np.ceil(2.0 * sharpness) / 2.0), float(max(np.floor(20.0 * power), 1.0) / 20.0))


def falling_root(function: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray) -> FloatArray:
    """Find the roots of non-increasing functions by bisection, for all problems at once.

    Parameters
    ----------
    function : callable
        Takes and returns arrays of one shape.
    low, high : arrays
        Brackets. If a root lies outside its bracket, the nearest end is returned.

    Examples
    --------
    >>> falling_root(lambda x: 2.0 - x**2, np.array([0.0]), np.array([2.0])).round(6).tolist()
    [1.414214]
    """
    low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        above = function(middle) > 0.0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(0.5 * (low + high))
