"""Correlation coefficients and their intervals."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.results.levels import LEVEL, confidence_level

Limits = tuple[float | None, float | None]


def weighted_pearson(x: npt.ArrayLike, y: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
    """Weighted Pearson correlation.

    Parameters
    ----------
    x, y : (k,) arrays
    weights : (..., k) array
        One set of weights, or several for a bootstrap; only their ratios matter.

    Returns
    -------
    (...) array
        ``sum w (x-mx)(y-my) / sqrt(sum w (x-mx)^2 sum w (y-my)^2)`` with weighted means; NaN if fewer than two distinct
        values have a weight above 0.

    Examples
    --------
    >>> weighted_pearson([-0.6, -0.3, 0.0], [-0.4, -0.2, 0.1], [300, 200, 100]).round(3)
    np.float64(0.992)
    """
    x, y, w = (np.asarray(values, dtype=np.float64) for values in (x, y, weights))
    total = w.sum(axis=-1, keepdims=True)
    dx = x - (w * x).sum(axis=-1, keepdims=True) / total
    dy = y - (w * y).sum(axis=-1, keepdims=True) / total
    xx, yy, xy = ((w * product).sum(axis=-1) / total[..., 0] for product in (dx * dx, dy * dy, dx * dy))
    tiny = 1e-12
    defined = (xx > tiny * np.max(x**2 + tiny)) & (yy > tiny * np.max(y**2 + tiny))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(defined, np.clip(xy / np.sqrt(xx * yy), -1.0, 1.0), np.nan))


def ranks(x: npt.ArrayLike) -> FloatArray:
    """Ranks from 1; ties have their mean rank.

    Examples
    --------
    >>> ranks([0.2, -0.1, 0.2])
    array([2.5, 1. , 2.5])
    """
    _, inverse, counts = np.unique(np.asarray(x), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[inverse], dtype=np.float64)


def spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Unweighted Spearman rank correlation.

    Examples
    --------
    >>> round(spearman([-0.6, -0.3, 0.0], [-0.4, 0.1, -0.2]), 2)
    0.5
    """
    a, b = ranks(x), ranks(y)
    return float(weighted_pearson(a, b, np.ones_like(a)))


def fisher_interval(r: float, k: float, level: float = LEVEL, variance_factor: float = 1.0) -> Limits:
    """Confidence interval of a correlation by Fisher's z, ``tanh(atanh r -+ z / sqrt(k - 3))``.

    Parameters
    ----------
    r : float
    k : float
        Number of independent units (trials), or their effective number if their weights are unequal
        (`surrogacy.stats.trial_numbers`).
    level : float
    variance_factor : float
        1 for Pearson; ``1 + r^2 / 2`` for Spearman (Bonett, Wright 2000, doi:10.1007/BF02294183).

    Returns
    -------
    low, high : float or None
        None if the interval is not defined, which is so for k <= 3 and at r = -1 or 1.

    Examples
    --------
    >>> low, high = fisher_interval(0.8, 16)
    >>> round(low, 2), round(high, 2)
    (0.5, 0.93)
    """
    low, high = fisher_limits(r, k, level, variance_factor)
    return (None, None) if np.isnan(low) else (float(low), float(high))


def fisher_limits(
    r: npt.ArrayLike, k: npt.ArrayLike, level: float = LEVEL, variance_factor: npt.ArrayLike = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Limits of `fisher_interval` for arrays of correlations; NaN where the interval is not defined.

    Examples
    --------
    >>> low, high = fisher_limits([0.8, 0.8], [16, 3])
    >>> low.round(2)
    array([0.5, nan])
    """
    q = float(ndtri(0.5 + confidence_level(level) / 2.0))
    r, k, factor = (np.asarray(values, dtype=np.float64) for values in (r, k, variance_factor))
    defined = (k > 3) & (np.abs(r) <= 1 - 1e-12)
    half = q * np.sqrt(factor / np.where(defined, k - 3, np.nan))
    centre = np.arctanh(np.where(defined, r, 0.0))
    return np.tanh(centre - half), np.tanh(centre + half)


def square_interval(low: float | None, high: float | None) -> Limits:
    """Interval of r^2 from an interval of r; its lower limit is 0 if the interval of r includes 0.

    Examples
    --------
    >>> square_interval(-0.5, 0.5)
    (0.0, 0.25)
    """
    if low is None or high is None:
        return None, None
    outer = max(low**2, high**2)
    return (0.0, outer) if low <= 0.0 <= high else (min(low**2, high**2), outer)


def wald_r2(
    r2: float,
    trials: int,
    level: float = LEVEL,
    *,
    lost: Literal[0, 3] = 3,
    truncated: bool = True,
    se: float | None = None,
) -> Limits:
    """Wald interval of R2; (None, None) if its standard error is not defined.

    Parameters
    ----------
    r2 : float
    trials : int
        Number of trials N.
    level : float
    lost : {0, 3}
        Subtracted from the number of trials: 3 (R package Surrogate, ``TrialLevelMA``) or 0 (Oba 2013).
    truncated : bool
        Whether to truncate the interval at 0 and 1.
    se : float, optional
        Standard error; default: ``sqrt(4 R2 (1 - R2)^2 / (N - lost))``.

    References
    ----------
    Cortinas Abrahantes et al. (2004), doi:10.1016/j.csda.2003.12.003; Oba et al. (2013), doi:10.1093/jnci/djt270;
    Buyse et al. (2007), doi:10.1200/JCO.2007.11.8836, print an interval beyond 1.

    Examples
    --------
    >>> low, high = wald_r2(0.64, 16)
    >>> round(low, 2), round(high, 2)
    (0.33, 0.95)
    """
    if se is None:
        if trials <= lost or not r2 < 1 - 1e-12:  # at R2 = 1 the interval would have width 0
            return None, None
        se = float(np.sqrt(4.0 * r2 * (1.0 - r2) ** 2 / (trials - lost)))
    half = float(ndtri(0.5 + confidence_level(level) / 2)) * se
    low, high = r2 - half, r2 + half
    return (max(low, 0.0), min(high, 1.0)) if truncated else (low, high)


def atanh_t(rho: float, se: float, trials: int, level: float = LEVEL) -> Limits:
    """Interval of a correlation from its standard error, by the delta method on ``atanh(rho)`` and t with N - 1 df.

    It is (None, None) at a correlation of -1 or 1.

    Examples
    --------
    >>> low, high = atanh_t(0.8, 0.1, 16)
    >>> round(low, 2), round(high, 2)
    (0.47, 0.93)
    """
    if trials < 2 or not abs(rho) < 1 or not np.isfinite(se):
        return None, None
    half = float(stdtrit(trials - 1, 0.5 + confidence_level(level) / 2)) * se / (1.0 - rho**2)
    return float(np.tanh(np.arctanh(rho) - half)), float(np.tanh(np.arctanh(rho) + half))


def needed_r(k: float, limit: float = 0.85, level: float = LEVEL) -> float | None:
    """Correlation whose lower Fisher limit reaches ``limit`` with k trials, ``tanh(atanh limit + z / sqrt(k - 3))``.

    It is None for k <= 3, for which Fisher's z has no standard error.

    Raises
    ------
    UsageError
        If the limit is not between -1 and 1.

    Examples
    --------
    >>> round(needed_r(16), 3)
    0.947
    """
    if not -1 < limit < 1:
        raise UsageError(f"a limit of a correlation must lie between -1 and 1; got {limit:g}")
    if k <= 3:
        return None
    return float(np.tanh(np.arctanh(limit) + float(ndtri(0.5 + confidence_level(level) / 2)) / np.sqrt(k - 3)))
