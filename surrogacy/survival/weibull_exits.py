"""Illness-death model with Weibull exits of one shape p and a constant hazard since progression.

    cumulative hazards   h01 t^p, h02 t^p,   lam = h01 + h02 = ln 2 / median PFS^p,   q = h02 / lam
    S_OS(t)              exp(-lam t^p) + int_0^t h01 p u^(p-1) exp(-lam u^p) exp(-h12 (t - u)) du

The share q of PFS events that are deaths does not change over time, because both exits have the same shape.

References
----------
Meller, Beyersmann, Rufibach (2019), doi:10.1002/sim.8295.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.survival import constant_hazards
from surrogacy.survival.constant_hazards import MAX_MEDIAN_RATIO
from surrogacy.survival.time_quadrature import graded_rule

MAX_STEPS = 100
TOLERANCE = 1e-13  # of log h12
SPAN = 50.0  # time scales between the start of an arm and its median OS that the nodes resolve


def exit_scales(median_pfs: npt.ArrayLike, direct_death: npt.ArrayLike, shape: float) -> tuple[FloatArray, FloatArray]:
    """Scales h01 and h02 of the two exits.

    Parameters
    ----------
    median_pfs : array
        Months.
    direct_death : array
        Share q of PFS events that are deaths.
    shape : float
        Weibull shape p of both exits.

    Returns
    -------
    h01, h02 : arrays
        ``(1 - q) lam`` and ``q lam``, per month^p.

    Examples
    --------
    >>> h01, h02 = exit_scales(6.0, 0.1, 1.3)
    >>> round(float(h01), 4), round(float(h02), 5)
    (0.0607, 0.00675)
    """
    return constant_hazards.pfs_hazards(np.asarray(median_pfs, dtype=np.float64) ** shape, direct_death)


def post_progression_hazard(
    pfs: npt.ArrayLike, os: npt.ArrayLike, direct_death: npt.ArrayLike, shape: float = 1.0
) -> FloatArray:
    """Hazard h12 since progression that gives the median OS.

    Parameters
    ----------
    pfs, os : arrays
        Medians in months.
    direct_death : array
        Share q of PFS events that are deaths, in [0, 1].
    shape : float
        Weibull shape of both exits.

    Returns
    -------
    array
        Per month. NaN where no hazard gives that median: if ``os <= pfs``, or if deaths without progression alone
        exceed half of the patients by ``os``.

    Examples
    --------
    >>> round(float(post_progression_hazard(pfs=6.0, os=15.0, direct_death=0.1, shape=1.3)), 4)
    0.0842
    """
    if shape == 1.0:
        return constant_hazards.post_progression_hazard(pfs, os, direct_death)
    pfs, os, q = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (pfs, os, direct_death)))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        exits = np.log(2.0) * (os / pfs) ** shape  # cumulative hazard of PFS at the median OS
        needed = 0.5 - np.exp(-exits)  # share that progressed and is still alive
        possible = (os > pfs) & np.isfinite(exits) & (1.0 - q * -np.expm1(-exits) > 0.5)
    exits, needed, q_used = (np.where(possible, value, safe) for value, safe in ((exits, 1.0), (needed, 0.1), (q, 0.0)))
    s, weight = graded_rule(SPAN, max(1.0, shape), min(1.0, shape))
    progressing = weight * (1.0 - q_used)[..., None] * shape * s ** (shape - 1.0) * exits[..., None]
    progressing = progressing * np.exp(-exits[..., None] * s**shape)
    log_hazard = _root(progressing.reshape(-1, len(s)), 1.0 - s, needed.ravel())
    reach = np.log(MAX_MEDIAN_RATIO)
    hazard = np.exp(np.clip(log_hazard, -reach, reach)).reshape(os.shape) / os
    return np.asarray(np.where(possible, hazard, np.nan))


def _root(progressing: FloatArray, left: FloatArray, needed: FloatArray) -> FloatArray:
    """Log of k with ``sum progressing exp(-k left) = needed``: Newton steps on logarithms, else bisection."""
    low, high = (np.full(len(needed), sign * np.log(MAX_MEDIAN_RATIO)) for sign in (-1.0, 1.0))
    log_k = np.zeros(len(needed))
    for _ in range(MAX_STEPS):
        still = progressing * np.exp(-np.exp(log_k)[:, None] * left)
        alive, lost = still.sum(axis=1), np.exp(log_k) * (still @ left)
        above = alive > needed
        low, high = np.where(above, log_k, low), np.where(above, high, log_k)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = log_k + np.log(alive / needed) * alive / lost
        new = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        change = np.abs(new - log_k).max(initial=0.0)
        log_k = new
        if change < TOLERANCE:
            break
    return log_k
