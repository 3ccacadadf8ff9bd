"""Transition hazards of illness-death models: the base class of all families, and the family of constant hazards.

The hazards of m arms are the rows of (m, 1) or (m, j) arrays. Times are in months. Their shape broadcasts against
(m, 1): (1, k), or (m, k) if every arm has its own times.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.survival import constant_hazards
from surrogacy.survival.time_quadrature import falling_root, graded_rule

MAX_CUMULATIVE_HAZARD = 37.0  # a share of 1e-16 has no event before this cumulative hazard
LOG_UNITS_SEARCHED = 80.0  # below the log of the horizon: the range searched for a median
Patients = tuple[FloatArray, FloatArray, BoolArray]


class Transitions(ABC):
    """Hazards of progression, of death without progression and of death after progression, of m arms."""

    h01: FloatArray
    """Hazards of progression, or their scales; one row per arm."""
    h02: FloatArray
    """Hazards of death without progression."""
    h12: FloatArray
    """Hazards of death after progression."""
    closed_form: ClassVar[bool] = False
    """True if survival has a closed form, which also gives its limit at infinity."""
    pairs_at_once: ClassVar[int] = 64
    """Pairs of arms in one block of a computation; small where every time needs an integral."""

    @abstractmethod
    def survival_pfs(self, t: FloatArray) -> FloatArray:
        """Share alive without progression."""

    @abstractmethod
    def hazard_pfs(self, t: FloatArray) -> FloatArray:
        """Hazard of progression or death."""

    @abstractmethod
    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive, and density of the time of death."""

    def overall_along(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Do the same at increasing times close to each other, such as the nodes of `panels`."""
        return self.overall(t)

    @abstractmethod
    def hazard_os(self, t: FloatArray) -> FloatArray:
        """Hazard of death from any state, accurate also where hardly anybody is alive."""

    @abstractmethod
    def median_pps(self) -> FloatArray:
        """(m,) median times from progression to death."""

    @abstractmethod
    def sample(self, size: int, rng: np.random.Generator) -> Patients:
        """(m, size) times of PFS and OS, and an indicator of progression as the first event."""

    @abstractmethod
    def take(self, arms: slice) -> Transitions:
        """Select arms; a single arm stands for any number of arms."""

    @abstractmethod
    def horizon(self) -> FloatArray:
        """(m,) times after which no event remains."""

    @abstractmethod
    def horizon_pfs(self) -> FloatArray:
        """(m,) times after which no PFS event remains."""

    @abstractmethod
    def fastest(self) -> FloatArray:
        """(m,) rates of the fastest transition."""

    def kinks(self) -> tuple[float, ...]:
        """Times at which a hazard or the density of OS is not smooth; quadrature stops at each of them."""
        return ()

    def sharpness(self) -> float:
        """Largest power of time in a cumulative hazard, at least 1."""
        return 1.0

    def power(self) -> float:
        """Smallest power of time in a cumulative hazard, at most 1."""
        return 1.0


def panels(
    arms: Sequence[Transitions],
    size: int,
    last: FloatArray | float,
    edges: Sequence[float],
    loss: float = 0.0,
    start: FloatArray | float = 0.0,
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Times and weights, (m, n), of integrals over (start, last), split at ``edges``."""
    last = np.broadcast_to(last, (size,))
    fastest = np.max([np.broadcast_to(arm.fastest(), (size,)) for arm in arms], axis=0) + loss
    sharpness, power = max(arm.sharpness() for arm in arms), min(arm.power() for arm in arms)
    start = np.broadcast_to(start, (size,))
    for edge in [*sorted({edge for edge in edges if edge > 0.0}), np.inf]:
        stop = np.maximum(np.minimum(edge, last), start)
        length = stop - start
        if length.max() > 0.0:
            s, weight = graded_rule(float((fastest * length).max()), sharpness, power)
            yield start[:, None] + length[:, None] * s, length[:, None] * weight
        start = stop


@dataclass(frozen=True, eq=False)
class Exponential(Transitions):
    """Constant hazards per month, (m, 1) each.

    Examples
    --------
    >>> hazards = Exponential(*(np.array([[h]]) for h in (0.1, 0.01, 0.05)))
    >>> hazards.median_pps().round(2).tolist()
    [13.86]
    """

    h01: FloatArray
    h02: FloatArray
    h12: FloatArray
    closed_form: ClassVar[bool] = True
    pairs_at_once: ClassVar[int] = 512  # the arrays stay in the cache of the processor

    def survival_pfs(self, t: FloatArray) -> FloatArray:
        """Share alive without progression."""
        return constant_hazards.survival_pfs(t, self.h01, self.h02)

    def hazard_pfs(self, t: FloatArray) -> FloatArray:
        """Hazard of progression or death, constant."""
        return (self.h01 + self.h02) * np.ones_like(t)

    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive, and density of the time of death."""
        return constant_hazards.overall(t, self.h01, self.h02, self.h12)

    def hazard_os(self, t: FloatArray) -> FloatArray:
        """Hazard of death from any state."""
        return constant_hazards.hazard_os(t, self.h01, self.h02, self.h12)

    def median_pps(self) -> FloatArray:
        """Median time from progression to death, ``ln 2 / h12``."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(2.0) / self.h12)[:, 0]

    def sample(self, size: int, rng: np.random.Generator) -> Patients:
        """Times of PFS and OS, and an indicator of progression as the first event."""
        first, second = rng.standard_exponential((2, len(self.h01), size))
        lam = self.h01 + self.h02
        progressed = rng.random((len(self.h01), size)) * lam < self.h01
        pfs = first / lam
        with np.errstate(divide="ignore"):
            return pfs, np.where(progressed, pfs + second / self.h12, pfs), progressed

    def take(self, arms: slice) -> Exponential:
        """Select arms."""
        return self if len(self.h01) == 1 else Exponential(self.h01[arms], self.h02[arms], self.h12[arms])

    def horizon(self) -> FloatArray:
        """Times after which no event remains, from the slower of PFS and post-progression survival."""
        lam = self.h01 + self.h02
        dying = (self.h01 > 0.0) & (self.h12 > 0.0)
        return np.asarray(MAX_CUMULATIVE_HAZARD / np.where(dying, np.minimum(lam, self.h12), lam))[:, 0]

    def horizon_pfs(self) -> FloatArray:
        """Times after which no PFS event remains."""
        return np.asarray(MAX_CUMULATIVE_HAZARD / (self.h01 + self.h02))[:, 0]

    def fastest(self) -> FloatArray:
        """Larger of the hazards of PFS and of death after progression."""
        return np.asarray(np.maximum(self.h01 + self.h02, self.h12))[:, 0]


class Numerical(Transitions):
    """Family of hazards without a closed form for the median post-progression survival.

    With f01 the density of the time u of progression and S12(v | u) the probability to survive v months after it, the
    median v solves ``int f01(u) S12(v | u) du = 1/2 int f01(u) du``.
    """

    forward: bool
    """Clock of the post-progression hazard: True from randomisation, False from progression."""

    @abstractmethod
    def _scaled(self, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log scale of each time, and share alive and density of death divided by that scale."""

    @abstractmethod
    def progressing(self, u: FloatArray) -> FloatArray:
        """Density f01 of the time of progression."""

    @abstractmethod
    def after(self, v: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability S12 to survive v months after a progression at u, and density of death at that time."""

    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive, and density of the time of death."""
        log_scale, alive, dying = self._scaled(t)
        scale = np.exp(log_scale)
        return np.minimum(scale * alive, 1.0), scale * dying

    def hazard_os(self, t: FloatArray) -> FloatArray:
        """Hazard of death from any state."""
        _, alive, dying = self._scaled(t)
        return np.asarray(dying / alive)

    def median_pps(self) -> FloatArray:
        """Median time from progression to death, over the times of progression; infinite if half never die."""
        arms = (self.take(slice(arm, arm + 1)) for arm in range(len(self.h01)))
        return np.array([arm._median_pps() for arm in arms])

    @abstractmethod
    def take(self, arms: slice) -> Numerical:
        """Select arms."""

    def pfs_rule(self) -> tuple[FloatArray, FloatArray]:
        """(1, n) times and weights of integrals over the time of PFS of a single arm."""
        times, weights = zip(*panels((self,), 1, self.horizon_pfs(), self.kinks()), strict=True)
        return np.concatenate(times, axis=1), np.concatenate(weights, axis=1)

    def _median_pps(self) -> float:
        """Median post-progression survival of a single arm; NaN if nobody progresses."""
        u, weight = self.pfs_rule()
        share = (weight * self.progressing(u))[0]
        total = share.sum()
        if total == 0.0:
            return float("nan")

        def excess(log_v: FloatArray) -> FloatArray:
            alive = self.after(np.exp(log_v)[:, None], u)[0]
            return np.asarray((share * alive).sum(axis=-1) - 0.5 * total)

        high = np.log(self.horizon())
        if excess(high)[0] > 0.0:
            return float("inf")
        return float(np.exp(falling_root(excess, high - LOG_UNITS_SEARCHED, high))[0])
