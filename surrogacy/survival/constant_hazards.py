"""Progression and death with constant hazards: closed forms that broadcast over times and arms.

States 0 (alive, not progressed), 1 (progressed), 2 (dead); hazards per month h01, h02, h12; lam = h01 + h02, q = h02 /
lam.

    S_PFS(t) = exp(-lam t)
    P_1(t)   = h01 [exp(-lam t) - exp(-h12 t)] / (h12 - lam)     alive and progressed
    S_OS(t)  = S_PFS(t) + P_1(t)
    f_OS(t)  = h02 S_PFS(t) + h12 P_1(t)
    E[OS]    = 1 / lam + (1 - q) / h12
    corr(PFS, OS) = h12 / sqrt(h01^2 + 2 h01 h02 + h12^2)
    Kendall's tau = 1 - (1 - q^2) lam / (lam + h12)

The difference of exponentials is written as ``t exp(-min(lam, h12) t) phi(|h12 - lam| t)`` with ``phi(x) = (1 -
exp(-x)) / x``: no cancellation where h12 = lam, no overflow however long the follow-up.

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
MAX_MEDIAN_RATIO = (
    1e12  # of median post-progression survival to median PFS, or the reverse, that a calibration looks for
)


def phi(x: Array) -> FloatArray:
    """``(1 - exp(-x)) / x`` for x >= 0, 1 at 0.

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
    """The slower of lam and h12, and S_PFS and P_1 divided by ``exp(-slower t)``."""
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
    """Share alive at t, and density of the time of death there: both from the same exponentials.

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


def progressed(t: Array, h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Share alive and progressed at t.

    Examples
    --------
    >>> round(float(progressed(12.0, 0.1, 0.01, 0.05)), 4)
    0.4695
    """
    t, h01, h02, h12 = _floats(t, h01, h02, h12)
    slower, _, after = _scaled(t, h01, h02, h12)
    decay = np.exp(-slower * t)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(decay > 0.0, decay * after, 0.0))


def hazard_os(t: Array, h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Hazard of death at t; h02 at 0, ``min(lam, h12)`` in the limit (lam = h02 if nobody progresses).

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


def mean_os(h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Mean overall survival; infinite where the progressed do not die (h12 = 0).

    Examples
    --------
    >>> round(float(mean_os(0.1, 0.01, 0.05)), 2)
    27.27
    """
    h01, h02, h12 = _floats(h01, h02, h12)
    lam = h01 + h02
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 / lam + np.where(h01 > 0.0, h01 / lam / h12, 0.0))


def restricted_mean_pfs(tau: Array, h01: Array, h02: Array) -> FloatArray:
    """Mean of ``min(PFS, tau)``.

    Examples
    --------
    >>> round(float(restricted_mean_pfs(24.0, 0.1, 0.01)), 2)
    8.44
    """
    tau, h01, h02 = _floats(tau, h01, h02)
    return np.asarray(tau * phi((h01 + h02) * tau))


def restricted_progressed(tau: Array, h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Mean time alive and progressed in (0, tau): the area between the two survival curves.

    ``h01 (m(lam) - m(h12)) / (h12 - lam)`` with ``m(x) = (1 - exp(-x tau)) / x``; where the two rates are near each
    other, the progressed less those still alive, over their hazard: ``[h01 m(lam) - P_1(tau)] / h12``.

    Examples
    --------
    >>> round(float(restricted_progressed(24.0, 0.1, 0.01, 0.05)), 2)
    9.22
    """
    tau, h01, h02, h12 = _floats(tau, h01, h02, h12)
    lam = h01 + h02
    near = np.abs(h12 - lam) < 0.5 * np.maximum(h12, lam)
    mean_pfs, mean_pps = tau * phi(lam * tau), tau * phi(h12 * tau)
    alive = progressed(tau, h01, h02, h12)
    apart = h01 * (mean_pfs - mean_pps) / np.where(near, 1.0, h12 - lam)
    return np.asarray(np.where(near, (h01 * mean_pfs - alive) / np.where(near, h12, 1.0), apart))


def correlation(h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Pearson correlation of PFS and OS times; 1 where nobody progresses.

    Examples
    --------
    >>> round(float(correlation(0.1, 0.01, 0.05)), 3)
    0.415
    """
    h01, h02, h12 = _floats(h01, h02, h12)
    with np.errstate(invalid="ignore"):
        value = h12 / np.sqrt(h01**2 + 2.0 * h01 * h02 + h12**2)
    return np.asarray(np.where(h01 > 0.0, value, 1.0))


def kendall_tau(h01: Array, h02: Array, h12: Array) -> FloatArray:
    """Kendall's tau of PFS and OS times.

    Of two patients, the first to have a PFS event outlives the other only if it was a progression, if the first then
    outlives the other's PFS (chance ``lam / (lam + h12)``), and, where the other progresses too, with chance 1/2 from
    then on.

    Examples
    --------
    >>> round(float(kendall_tau(0.1, 0.01, 0.05)), 3)
    0.318
    """
    h01, h02, h12 = _floats(h01, h02, h12)
    lam = h01 + h02
    return np.asarray(1.0 - (1.0 - (h02 / lam) ** 2) * lam / (lam + h12))


def post_progression_hazard(pfs: Array, os: Array, direct_death: Array) -> FloatArray:
    """Hazard h12 under which the median OS is ``os``, by median PFS and share of PFS events that are deaths.

    Parameters
    ----------
    pfs, os : arrays
        Medians in months.
    direct_death : array
        q, in [0, 1].

    Returns
    -------
    array
        Per month; NaN where no hazard gives that median: ``os <= pfs``, or so many deaths without progression that half
        of all patients are dead by ``os`` even if nobody dies after progression.

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
