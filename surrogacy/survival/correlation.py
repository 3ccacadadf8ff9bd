"""Pearson correlation of PFS and OS in an illness-death model.

OS is PFS + R, where R is the time from progression to death, and 0 without progression. With the density f01 of the
time u of progression, and the probability S12(v | u) to survive v months after it:

    corr(PFS, OS) = (V + C) / sqrt(V (V + 2 C + W))
    V = var(PFS),  C = cov(PFS, R),  W = var(R)
    E[R^k]        = int f01(u) int k v^(k-1) S12(v | u) dv du,   E[PFS R] = int u f01(u) int S12(v | u) dv du

Constant hazards have the closed form ``h12 / sqrt(h01^2 + 2 h01 h02 + h12^2)``.

References
----------
Meller, Beyersmann, Rufibach (2019), doi:10.1002/sim.8295. Fleischer, Gaschler-Markefski, Bluhmki (2009),
doi:10.1002/sim.3637. Numbers: https://cran.r-project.org/web/packages/simIDM/vignettes/correlation.html
"""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.survival.hazards import Numerical, Transitions, panels

IMMORTAL_SHARE = 1e-12  # more than this alive after the last event: OS has no mean


def correlation(transitions: Transitions) -> FloatArray:
    """(m,) correlations of PFS and OS: 1 if nobody progresses, NaN if some patients never die.

    Examples
    --------
    >>> from surrogacy.survival.hazards import Exponential
    >>> correlation(Exponential(*(np.array([[h]]) for h in (1.2, 1.5, 1.6)))).round(6).tolist()
    [0.580381]
    """
    if isinstance(transitions, Numerical):
        return np.array([_by_quadrature(transitions.take(slice(arm, arm + 1))) for arm in range(len(transitions.h01))])
    h01, h02, h12 = (hazards[:, 0] for hazards in (transitions.h01, transitions.h02, transitions.h12))
    dying = (h01 == 0.0) | (h12 > 0.0)
    after = np.where(h01 > 0.0, h12, 1.0)
    return np.where(dying, after / np.sqrt(h01**2 + 2.0 * h01 * h02 + after**2), np.nan)


def _by_quadrature(arm: Numerical) -> float:
    """Correlation of a single arm."""
    horizon = arm.horizon()
    if arm.overall(horizon[:, None])[0][0, 0] > IMMORTAL_SHARE:
        return float("nan")
    u, weight = arm.pfs_rule()
    alive, progressing = weight * arm.survival_pfs(u), (weight * arm.progressing(u))[0]
    mean_pfs = alive.sum()
    variance_pfs = 2.0 * (u * alive).sum() - mean_pfs**2
    start = u[0] if arm.forward else np.zeros(u.size)
    mean_after, square_after = np.zeros(u.size), np.zeros(u.size)
    for t, weight in panels((arm,), u.size, horizon, arm.kinks(), start=start):
        v = t - start[:, None]
        alive = weight * arm.after(v, u.T)[0]
        mean_after += alive.sum(axis=1)
        square_after += 2.0 * (v * alive).sum(axis=1)
    covariance = progressing @ ((u[0] - mean_pfs) * mean_after)
    variance_os = variance_pfs + 2.0 * covariance + progressing @ square_after - (progressing @ mean_after) ** 2
    return float((variance_pfs + covariance) / np.sqrt(variance_pfs * variance_os))
