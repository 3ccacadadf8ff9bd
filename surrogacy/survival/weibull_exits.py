"""Illness-death model with Weibull exits of one shape p and a constant hazard since progression.

    cumulative hazards   h01 t^p, h02 t^p,   lam = h01 + h02 = ln 2 / median PFS^p,   q = h02 / lam
    S_OS(t)              exp(-lam t^p) + int_0^t h01 p u^(p-1) exp(-lam u^p) exp(-h12 (t - u)) du

The share q of PFS events that are deaths does not change over time, because both exits have the same shape. Along
increasing times, the share alive and progressed P_1 follows from one time to the next:

    P_1(b) = exp(-h12 (b - a)) P_1(a) + int_a^b f01(u) exp(-h12 (b - u)) du

with the density of progression f01 interpolated by a cubic polynomial at the Gauss-Legendre nodes, and the exponential
integrated exactly. For shapes from 0.8 to 1.3, the quadrature nodes of a Cox limit give errors of S_OS below 1e-7.

References
----------
Meller, Beyersmann, Rufibach (2019), doi:10.1002/sim.8295.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.survival import constant_hazards
from surrogacy.survival.constant_hazards import MAX_MEDIAN_RATIO
from surrogacy.survival.time_quadrature import graded_rule
from surrogacy.survival.weibull_hazards import Weibull, hazard

MAX_STEPS = 100
TOLERANCE = 1e-13  # of log h12
SPAN = 50.0  # time scales between the start of an arm and its median OS that the nodes resolve


_GAUSS = np.polynomial.legendre.leggauss(4)
BEFORE_END, GAUSS_WEIGHTS = 0.5 * (_GAUSS[0] + 1.0), 0.5 * _GAUSS[1]  # nodes on (0, 1), counted back from the end
BASIS = np.linalg.inv(np.vander(BEFORE_END, increasing=True))  # powers of the Lagrange polynomials


@dataclass(frozen=True, eq=False)
class WeibullExits(Weibull):
    """Weibull hazards with one shape of both exits and a constant hazard after progression.

    Examples
    --------
    >>> columns = (np.array([[value]]) for value in (0.1, 0.01, 0.05, 1.2, 1.2, 1.0))
    >>> arm = WeibullExits(*columns, forward=False)
    >>> months = np.linspace(0.1, 24.0, 100)[None, :]
    >>> float(np.abs(arm.overall_along(months)[0] - arm.overall(months)[0]).max()) < 1e-6
    True
    """

    pairs_at_once: ClassVar[int] = 256

    def overall_along(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive, and density of the time of death, at increasing times close to each other."""
        t = np.broadcast_to(t, np.broadcast_shapes(t.shape, self.h01.shape))
        stable = self.survival_pfs(t)
        step = np.diff(t, axis=1)
        span = self.h12 * step
        u = t[:, 1:, None] - step[..., None] * BEFORE_END
        shape = self.p01[..., None]
        cumulative = u**shape
        lam = (self.h01 + self.h02)[..., None]
        density = self.h01[..., None] * shape * cumulative / u * np.exp(-lam * cumulative)
        entered = step * (_exponential_weights(span) * density).sum(axis=-1)
        staying = np.exp(-span)
        progressed = np.empty_like(stable)
        progressed[:, 0] = np.maximum(self.overall(t[:, :1])[0][:, 0] - stable[:, 0], 0.0)
        for i in range(t.shape[1] - 1):
            progressed[:, i + 1] = staying[:, i] * progressed[:, i] + entered[:, i]
        return stable + progressed, hazard(t, self.h02, self.p02) * stable + self.h12 * progressed

    def take(self, arms: slice) -> WeibullExits:
        """Select arms."""
        if len(self.h01) == 1:
            return self
        return WeibullExits(
            self.h01[arms], self.h02[arms], self.h12[arms], self.p01[arms], self.p02[arms], self.p12[arms], self.forward
        )


def weibull(columns: Sequence[FloatArray], forward: bool) -> Weibull:
    """Weibull hazards from (m, 1) columns h01, h02, h12 and their shapes, of the fastest family that holds them."""
    h01, h02, h12, p01, p02, p12 = columns
    memoryless = (p01 == p02).all() and (p12 == 1.0).all()
    return (WeibullExits if memoryless else Weibull)(h01, h02, h12, p01, p02, p12, forward)


def _exponential_weights(k: FloatArray) -> FloatArray:
    """(..., 4) weights of the cubic interpolation in ``int_0^1 f(y) exp(-k y) dy``, from exact moments if k is large.

    If k is below 1, four Gauss-Legendre nodes integrate the product with an error of 1e-9.
    """
    at_least = np.maximum(k, 1.0)
    last = np.exp(-at_least)
    moments = [(1.0 - last) / at_least]
    for power in (1, 2, 3):
        moments.append((power * moments[-1] - last) / at_least)
    exact = np.stack(moments, axis=-1) @ BASIS
    return np.where(k[..., None] < 1.0, GAUSS_WEIGHTS * np.exp(-k[..., None] * BEFORE_END), exact)


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
