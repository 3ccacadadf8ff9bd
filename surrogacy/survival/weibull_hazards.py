"""Weibull transition hazards ``h p t^(p-1)``, cumulative ``h t^p``.

Time of PFS counts from randomisation, time of death after progression from randomisation or from progression.

    S_OS(t) = S_PFS(t) + int_0^t f01(u) S12(t - u | u) du
    S12(v | u) = exp(-h12 ((u + v)^p12 - u^p12))   clock forward (Markov)
    S12(v | u) = exp(-h12 v^p12)                   clock reset (semi-Markov)

The integral is split at t/2. Each half is integrated over the power of time in which its integrand is smooth at the
outer end: ``s = (2u / t)^p01``.

References
----------
Erdmann, Beyersmann, Rufibach (2024), doi:10.48550/arXiv.2301.10059.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.survival.hazards import MAX_CUMULATIVE_HAZARD, Numerical, Patients
from surrogacy.survival.time_quadrature import graded_rule

SMALLEST_TIME = 1e-300  # stands for time 0 inside logarithms


def hazard(t: FloatArray, h: FloatArray, p: FloatArray) -> FloatArray:
    """``h p t^(p-1)``; 0 for h = 0 also at t = 0.

    Examples
    --------
    >>> hazard(np.array([1.0, 4.0]), np.array(0.1), np.array(1.5)).round(3).tolist()
    [0.15, 0.3]
    """
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(h > 0.0, h, 1.0) * p * t ** (p - 1.0) * (h > 0.0))


@dataclass(frozen=True, eq=False)
class Weibull(Numerical):
    """Weibull hazards: scales h and shapes p, (m, 1) each.

    Examples
    --------
    >>> columns = (np.array([[value]]) for value in (0.1, 0.01, 0.05, 1.2, 1.0, 0.8))
    >>> Weibull(*columns, forward=True).survival_pfs(np.array([[6.0, 12.0]])).round(3).tolist()
    [[0.399, 0.123]]
    """

    h01: FloatArray
    h02: FloatArray
    h12: FloatArray
    p01: FloatArray
    p02: FloatArray
    p12: FloatArray
    forward: bool

    def cumulative_pfs(self, t: FloatArray) -> FloatArray:
        """``h01 t^p01 + h02 t^p02``."""
        return np.asarray(self.h01 * t**self.p01 + self.h02 * t**self.p02)

    def survival_pfs(self, t: FloatArray) -> FloatArray:
        """Share alive without progression."""
        return np.exp(-self.cumulative_pfs(t))

    def hazard_pfs(self, t: FloatArray) -> FloatArray:
        """Hazard of progression or death."""
        return hazard(t, self.h01, self.p01) + hazard(t, self.h02, self.p02)

    def progressing(self, u: FloatArray) -> FloatArray:
        """Density f01 of the time of progression."""
        return hazard(u, self.h01, self.p01) * self.survival_pfs(u)

    def after(self, v: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability to survive v months after a progression at u, and density of death at that time."""
        if self.forward:
            alive = np.exp(-self.h12 * ((u + v) ** self.p12 - u**self.p12))
            return alive, alive * hazard(u + v, self.h12, self.p12)
        alive = np.exp(-self.h12 * v**self.p12)
        return alive, alive * hazard(v, self.h12, self.p12)

    def _scaled(self, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log scale of each time, and share alive and density of death divided by that scale."""
        t = np.broadcast_to(t, np.broadcast_shapes(t.shape, self.h01.shape))
        halves = [self._first_half(t), self._second_half(t)]
        stable = -self.cumulative_pfs(t)
        log_scale = np.maximum(stable, np.maximum(*(exponent.max(axis=-1) for _, exponent, _ in halves)))
        alive = np.exp(stable - log_scale)
        with np.errstate(divide="ignore", invalid="ignore"):  # a hazard may be infinite at 0
            dying = np.where(alive > 0.0, hazard(t, self.h02, self.p02) * alive, 0.0)
            for weight, exponent, rate in halves:
                still = weight * np.exp(exponent - log_scale[..., None])
                alive = alive + still.sum(axis=-1)
                dying = dying + np.where(still > 0.0, still * rate, 0.0).sum(axis=-1)
        return log_scale, alive, dying

    def _first_half(self, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Weights of progressions before t/2, log survival from there to t, and hazards of death at t; (..., n)."""
        h01, h02, h12, p01, p02, p12 = self._columns()
        half = 0.5 * np.maximum(t, SMALLEST_TIME)[..., None]
        progressions = h01 * half**p01
        span = progressions + (h02 * half**p02) ** (p01 / p02) + (h12 * half**p12) ** (p01 / p12)
        s, ds = graded_rule(float(span.max()), max(1.0, float((p02 / p01).max())))
        share = s ** (1.0 / p01)  # u = half share
        exponent = -progressions * s - h02 * (half * share) ** p02
        if self.forward:
            exponent = exponent + h12 * (2.0 * half) ** p12 * np.expm1(p12 * np.log(0.5 * share))
            return progressions * ds, exponent, hazard(2.0 * half, h12, p12)
        v = half * (2.0 - share)
        return progressions * ds, exponent - h12 * v**p12, hazard(v, h12, p12)

    def _second_half(self, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Weights, log survival and hazards of progressions between t/2 and t, v months before t."""
        h01, h02, h12, p01, p02, p12 = self._columns()
        half = 0.5 * np.maximum(t, SMALLEST_TIME)[..., None]
        power = np.ones_like(p12) if self.forward else np.maximum(1.0, 1.0 / p12)
        changes = h01 * half**p01 * np.maximum(p01, 1.0) + h02 * half**p02 * np.maximum(p02, 1.0)
        if self.forward:
            changes = changes + h12 * (2.0 * half) ** p12 * np.maximum(p12, 1.0)
        else:
            changes = changes + (h12 * half**p12) ** (1.0 / (p12 * power))
        s, ds = graded_rule(float(changes.max()), 1.0 if self.forward else max(1.0, float(p12.max())))
        share = s**power  # v = half share
        u = half * (2.0 - share)
        weight = half * power * s ** (power - 1.0) * ds * hazard(u, h01, p01)
        exponent = -h01 * u**p01 - h02 * u**p02
        if self.forward:
            return (
                weight,
                exponent + h12 * (2.0 * half) ** p12 * np.expm1(p12 * np.log1p(-0.5 * share)),
                hazard(2.0 * half, h12, p12),
            )
        return weight, exponent - h12 * (half * share) ** p12, hazard(half * share, h12, p12)

    def _columns(self) -> tuple[FloatArray, ...]:
        return tuple(column[..., None] for column in (self.h01, self.h02, self.h12, self.p01, self.p02, self.p12))

    def sample(self, size: int, rng: np.random.Generator) -> Patients:
        """Times of PFS and OS, and an indicator of progression as the first event."""
        draws = rng.standard_exponential((3, len(self.h01), size))
        with np.errstate(divide="ignore"):
            progression, death = (draws[0] / self.h01) ** (1.0 / self.p01), (draws[1] / self.h02) ** (1.0 / self.p02)
            pfs = np.minimum(progression, death)
            if self.forward:
                os = (pfs**self.p12 + draws[2] / self.h12) ** (1.0 / self.p12)
            else:
                os = pfs + (draws[2] / self.h12) ** (1.0 / self.p12)
        progressed = progression < death
        return pfs, np.where(progressed, os, pfs), progressed

    def take(self, arms: slice) -> Weibull:
        """Select arms."""
        if len(self.h01) == 1:
            return self
        return Weibull(
            self.h01[arms], self.h02[arms], self.h12[arms], self.p01[arms], self.p02[arms], self.p12[arms], self.forward
        )

    def horizon_pfs(self) -> FloatArray:
        """Times after which no PFS event remains, from the faster of the two transitions."""
        with np.errstate(divide="ignore"):
            times = (
                (MAX_CUMULATIVE_HAZARD / self.h01) ** (1.0 / self.p01),
                (MAX_CUMULATIVE_HAZARD / self.h02) ** (1.0 / self.p02),
            )
        return np.asarray(np.minimum(*times))[:, 0]

    def horizon(self) -> FloatArray:
        """Times after which no event remains: horizon of PFS, then of post-progression survival."""
        first = self.horizon_pfs()[:, None]
        with np.errstate(divide="ignore"):
            if self.forward:
                last = (first**self.p12 + MAX_CUMULATIVE_HAZARD / self.h12) ** (1.0 / self.p12)
            else:
                last = first + (MAX_CUMULATIVE_HAZARD / self.h12) ** (1.0 / self.p12)
        return np.where((self.h01 > 0.0) & (self.h12 > 0.0), last, first)[:, 0]

    def fastest(self) -> FloatArray:
        """Reciprocals of the shortest time scales."""
        rates = (self.h01 ** (1.0 / self.p01), self.h02 ** (1.0 / self.p02), self.h12 ** (1.0 / self.p12))
        return np.asarray(np.maximum(np.maximum(*rates[:2]), rates[2]))[:, 0]

    def sharpness(self) -> float:
        """Largest shape, at least 1."""
        return max(1.0, *(float(shape.max()) for shape in (self.p01, self.p02, self.p12)))

    def power(self) -> float:
        """Smallest shape, at most 1."""
        return min(1.0, *(float(shape.min()) for shape in (self.p01, self.p02, self.p12)))
