"""Quadrature graded towards the start of follow-up, and roots of monotone functions, for many problems at once.

    integral over (0, T) of f  =  T sum w_i f(T s_i),   s = 1 / (1 + exp(-z)),   z = x + exp(x - right) - exp(-x - left)

with equal steps in x: log t advances evenly over the ``left`` log units before T, so that one rule sees a process of a week and
one of ten years, and the ends are approached double exponentially, so that t^(p - 1) at 0 does no harm.

References
----------
Takahasi, Mori (1974), doi:10.2977/prims/1195192451 (double exponential formulas).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from surrogacy.effects import FloatArray

STEP = 0.28  # in x; about 1e-12 for exponentials of any rate that `left` covers
TAIL = np.log(36.0)  # how far x goes beyond either side: weights of exp(-36)
HALVINGS = 64


@lru_cache(maxsize=64)
def graded_rule(left: int, right: int = 0) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nodes and weights on (0, 1).

    Parameters
    ----------
    left, right : int
        Log units before 0 and before 1 that are resolved evenly: the log of (length of the interval x fastest rate there).

    Returns
    -------
    s, one_minus_s, weight : (n,) arrays
        The second without cancellation near 1.
    """
    low, high = -left - TAIL, right + TAIL
    x = np.linspace(low, high, int(np.ceil((high - low) / STEP)) + 1)
    before, after = np.exp(-x - left), np.exp(x - right)
    z = x + after - before
    s, rest = 1.0 / (1.0 + np.exp(-z)), 1.0 / (1.0 + np.exp(z))
    weight = s * rest * (1.0 + before + after) * (x[1] - x[0])
    for values in (s, rest, weight):
        values.setflags(write=False)
    return s, rest, weight


def log_units(span: float) -> int:
    """Log units to resolve for a (length x rate) of ``span``, rounded up so that few rules are ever made."""
    return int(2 * np.ceil(np.log1p(span) / 2.0))


def falling_root(function: Callable[[FloatArray], FloatArray], low: FloatArray, high: FloatArray) -> FloatArray:
    """Where non-increasing functions cross 0, by halving the bracket: no start value, no failure, all problems at once.

    Parameters
    ----------
    function : callable
        Takes and returns arrays of one shape.
    low, high : arrays
        Brackets. An end that the root does not lie within is returned.
    """
    low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        above = function(middle) > 0.0
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(0.5 * (low + high))
