"""Closed forms of an illness-death model with constant hazards, broadcast over times and arms.

States 0 (alive, not progressed), 1 (progressed), 2 (dead); hazards per month h01, h02, h12; lam = h01 + h02, q = h02 /
lam.

    S_PFS(t) = exp(-lam t)
    P_1(t)   = h01 [exp(-lam t) - exp(-h12 t)] / (h12 - lam)     alive and progressed
    S_OS(t)  = S_PFS(t) + P_1(t)
    f_OS(t)  = h02 S_PFS(t) + h12 P_1(t)

The difference of exponentials is computed as ``t exp(-min(lam, h12) t) phi(|h12 - lam| t)`` with ``phi(x) = (1 -
exp(-x)) / x``. This form neither cancels at h12 = lam nor overflows for long follow-up.

References
----------
Fleischer, Gaschler-Markefski, Bluhmki (2009), doi:10.1002/sim.3637; Meller, Beyersmann, Rufibach (2019),
doi:10.1002/sim.8295.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.survival.time_quadrature import falling_root

Array = npt.ArrayLike
MAX_MEDIAN_RATIO = 1e12  # of median post-progression survival to median PFS, or the reverse, in a calibration


def phi(x: Array) -> FloatArray:
    """Function ``(1 - exp(-x)) / x`` for x >= 0; 1 at x = 0.

    Examples
    --------
    >>> float(phi(0.0)), round(float(phi(2.0)), 4)
    (1.0, 0.4323)
    """
    x = np.asarray(x, dtype=np.float64)
    safe = np.where(x > 0.0, x, 1.0)
    return np.asarray(np.where(x > 0.0, -np.expm1(-safe) / safe, 1.0))


def _floats(*values: Array) -> tuple[FloatArray, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)


def _scaled(
    t: FloatArray, h01: FloatArray, h02: FloatArray, h12: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Smaller of lam and h12, and S_PFS and P_1 divided by ``exp(-smaller t)``."""
    lam = h01 + h02
    gap = np.abs(h12 - lam)
    slower = np.where(h01 > 0.0, np.minimum(lam, h12), lam)
    with np.errstate(invalid="ignore"):  # inf * 0 where t is infinite
        before = np.exp(-np.where(lam > slower, (lam - slower) * t, 0.0))
        grown = np.where(gap > 0.0, -np.expm1(-gap * t) / np.where(gap > 0.0, gap, 1.0), t)
    return slower, before, np.where(h01 > 0.0, h01 * grown, 0.0)


def pfs_hazards(median_pfs: Array, direct_death: Array) -> tuple[FloatArray, FloatArray]:
    """Hazards of progression and of death without it, ``(1 - q) lam`` and ``q lam`` with ``lam = ln 2 / median PFS``.

    Parameters
    ----------
    median_pfs : array
        Months.
    direct_death : array
        Share q of PFS events that are deaths.

    Returns
    -------
    h01, h02 : arrays
        Per month, of the shape to which the arguments broadcast.

    Examples
    --------
    >>> h01, h02 = pfs_hazards(6.0, 0.1)
    >>> round(float(h01), 4), round(float(h02), 4)
    (0.104, 0.0116)
    """
    median_pfs, q = _floats(median_pfs, direct_death)
    lam = np.log(2.0) / median_pfs
    return np.asarray((1.0 - q) * lam), np.asarray(q * lam)


def survival_pfs(t: Array, h01: Array, h02: Array) -> FloatArray:
    """Share alive without progression at t.

    Examples
    --------
    >>> round(float(survival_pfs(6.0, 0.1, 0.01)), 4)
    0.5169
    """
    t, h01, h02 = _floats(t, h01, h02)
    return np.asarray(np.exp(-(h01 + h02) * t))


def survival_os(t: Array, h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Share alive at t.

    Examples
    --------
    >>> survival_os([0.0, 12.0, 24.0], 0.1, 0.01, 0.05).round(3).tolist()
    [1.0, 0.737, 0.454]
    """
    return overall(t, h01, h02, h12)[0]


def overall(t: Array, h01: Array, h02: Array, h12: Array) -> tuple[FloatArray, FloatArray]:
    """Share alive at t, and density of the time of death at t.

    Examples
    --------
    >>> alive, density = overall(12.0, 0.1, 0.01, 0.05)
    >>> round(float(alive), 4), round(float(density), 4)
    (0.7366, 0.0261)
    """
    t, h01, h02, h12 = _floats(t, h01, h02, h12)
    slower, before, after = _scaled(t, h01, h02, h12)
    decay = np.exp(-slower * t)
    with np.errstate(invalid="ignore"):
        alive = np.where(decay > 0.0, decay * (before + after), 0.0)
        density = np.where(decay > 0.0, decay * (h02 * before + h12 * after), 0.0)
    return alive, density


def hazard_os(t: Array, h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Hazard of death at t: h02 at 0, ``min(lam, h12)`` at infinity (lam = h02 if nobody progresses).

    Examples
    --------
    >>> hazard_os([0.0, 12.0, np.inf], 0.1, 0.01, 0.05).round(4).tolist()
    [0.01, 0.0355, 0.05]
    """
    t, h01, h02, h12 = _floats(t, h01, h02, h12)
    slower, before, after = _scaled(t, h01, h02, h12)
    with np.errstate(invalid="ignore"):
        hazard = (h02 * before + h12 * after) / (before + after)
    return np.asarray(np.where(np.isinf(t), slower, hazard))


def post_progression_hazard(pfs: Array, os: Array, direct_death: Array) -> FloatArray:
    """Hazard h12 that gives the median OS, for a median PFS and a share of PFS events that are deaths.

    Parameters
    ----------
    pfs, os : arrays
        Medians in months.
    direct_death : array
        q, in [0, 1].

    Returns
    -------
    array
        Per month. NaN where no hazard gives that median: if ``os <= pfs``, or if deaths without progression alone
        exceed half of the patients by ``os``.

    Examples
    --------
    >>> round(float(post_progression_hazard(pfs=6.0, os=15.0, direct_death=0.1)), 4)
    0.0949
    """
    pfs, os, q = np.broadcast_arrays(*_floats(pfs, os, direct_death))
    lam = np.log(2.0) / pfs
    h01, h02 = pfs_hazards(pfs, q)
    never_dying = 1.0 - q * -np.expm1(-lam * os)
    possible = (os > pfs) & (never_dying > 0.5)
    reach = np.log(MAX_MEDIAN_RATIO)

    def excess(log_h12: FloatArray) -> FloatArray:
        return np.asarray(survival_os(os, h01, h02, np.exp(log_h12)) - 0.5)

    with np.errstate(invalid="ignore"):
        root = falling_root(excess, np.log(lam) - reach, np.log(lam) + reach)
    return np.asarray(np.where(possible, np.exp(root), np.nan))


def discounted(t: FloatArray, g: FloatArray, rate: float) -> FloatArray:
    """``int_u g(t) exp(-rate (t - u)) dt`` at every grid point u; exact if g is linear between grid points."""
    x = rate * np.diff(t)
    kept = np.exp(-x)
    whole = phi(x)  # int_0^1 exp(-x s) ds
    late = np.where(x > 1e-3, (whole - kept) / np.maximum(x, 1e-300), 0.5 - x / 3.0)  # int_0^1 s exp(-x s) ds
    gained = np.diff(t) * (g[:-1] * (whole - late) + g[1:] * late)
    total = np.zeros_like(t)
    for j in range(len(t) - 2, -1, -1):
        total[j] = kept[j] * total[j + 1] + gained[j]
    return total
