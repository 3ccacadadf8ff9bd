"""Transition hazards of an illness-death model: the protocol of every family, and the family of constant hazards.

A family holds its hazards as (m, 1) columns, m arms; times are months, of a shape that broadcasts against them: (1, k),
or (m, k) with times of its own for each arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.survival import constant_hazards

MAX_CUMULATIVE_HAZARD = 37.0  # cumulative hazard after which a share of 1e-16 is still to come
Drawn = tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]


class Transitions(Protocol):
    """Hazards of progression, death and death after progression, as the engine asks for them."""

    def survival_pfs(self, t: FloatArray) -> FloatArray:
        """Share alive without progression."""
        ...

    def hazard_pfs(self, t: FloatArray) -> FloatArray:
        """Hazard of progression or death."""
        ...

    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive, and density of the time of death."""
        ...

    def hazard_os(self, t: FloatArray) -> FloatArray:
        """Hazard of death from any state, also where next to nobody is alive."""
        ...

    def restricted_mean_pfs(self, tau: FloatArray) -> FloatArray:
        """Mean of min(PFS, tau)."""
        ...

    def restricted_mean_os(self, tau: FloatArray) -> FloatArray:
        """Mean of min(OS, tau)."""
        ...

    def mean_os(self) -> FloatArray:
        """(m,) means of OS."""
        ...

    def correlation(self) -> FloatArray:
        """(m,) Pearson correlations of PFS and OS."""
        ...

    def kendall_tau(self) -> FloatArray:
        """(m,) values of Kendall's tau of PFS and OS."""
        ...

    def median_pps(self) -> FloatArray:
        """(m,) median times from progression to death."""
        ...

    def sample(self, size: int, rng: np.random.Generator) -> Drawn:
        """PFS, OS (m, size) and whether the first event was a progression."""
        ...

    def take(self, arms: slice) -> Transitions:
        """Some of the arms; a single one stands for any number."""
        ...

    def kinks(self) -> tuple[float, ...]:
        """Times at which a hazard jumps: quadrature must not run across them."""
        ...

    def horizon(self) -> FloatArray:
        """(m,) times after which nobody has an event any more."""
        ...

    def horizon_pfs(self) -> FloatArray:
        """(m,) times after which nobody is without a PFS event."""
        ...

    def fastest(self) -> FloatArray:
        """(m,) rates of the fastest transition."""
        ...

    def sharpness(self) -> float:
        """Steepest power of time in a cumulative hazard, at least 1."""
        ...

    def power(self) -> float:
        """Flattest power of time in a cumulative hazard, at most 1."""
        ...


@dataclass(frozen=True, eq=False)
class Exponential:
    """Constant hazards per month.

    Examples
    --------
    >>> hazards = Exponential(*(np.array([[h]]) for h in (0.1, 0.01, 0.05)))
    >>> hazards.median_pps().round(2).tolist()
    [13.86]
    """

    h01: FloatArray
    h02: FloatArray
    h12: FloatArray

    def survival_pfs(self, t: FloatArray) -> FloatArray:
        """Share alive without progression."""
        return constant_hazards.survival_pfs(t, self.h01, self.h02)

    def hazard_pfs(self, t: FloatArray) -> FloatArray:
        """Constant."""
        return (self.h01 + self.h02) * np.ones_like(t)

    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive, and density of the time of death."""
        return constant_hazards.overall(t, self.h01, self.h02, self.h12)

    def hazard_os(self, t: FloatArray) -> FloatArray:
        """Hazard of death from any state."""
        return constant_hazards.hazard_os(t, self.h01, self.h02, self.h12)

    def restricted_mean_pfs(self, tau: FloatArray) -> FloatArray:
        """Mean of min(PFS, tau)."""
        return constant_hazards.restricted_mean_pfs(tau, self.h01, self.h02)

    def restricted_mean_os(self, tau: FloatArray) -> FloatArray:
        """Mean of min(OS, tau)."""
        return np.asarray(
            self.restricted_mean_pfs(tau) + constant_hazards.restricted_progressed(tau, self.h01, self.h02, self.h12)
        )

    def mean_os(self) -> FloatArray:
        """Mean of OS."""
        return constant_hazards.mean_os(self.h01, self.h02, self.h12)[:, 0]

    def correlation(self) -> FloatArray:
        """Pearson correlation of PFS and OS."""
        return constant_hazards.correlation(self.h01, self.h02, self.h12)[:, 0]

    def kendall_tau(self) -> FloatArray:
        """Kendall's tau of PFS and OS."""
        return constant_hazards.kendall_tau(self.h01, self.h02, self.h12)[:, 0]

    def median_pps(self) -> FloatArray:
        """Median time from progression to death."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(2.0) / self.h12)[:, 0]

    def sample(self, size: int, rng: np.random.Generator) -> Drawn:
        """PFS, OS and whether the first event was a progression."""
        first, second = rng.standard_exponential((2, len(self.h01), size))
        lam = self.h01 + self.h02
        progressed = rng.random((len(self.h01), size)) * lam < self.h01
        pfs = first / lam
        with np.errstate(divide="ignore"):
            return pfs, np.where(progressed, pfs + second / self.h12, pfs), progressed

    def take(self, arms: slice) -> Exponential:
        """Some of the arms."""
        return self if len(self.h01) == 1 else Exponential(self.h01[arms], self.h02[arms], self.h12[arms])

    def kinks(self) -> tuple[float, ...]:
        """None."""
        return ()

    def horizon(self) -> FloatArray:
        """Times by the slower of PFS and post-progression survival."""
        lam = self.h01 + self.h02
        dying = (self.h01 > 0.0) & (self.h12 > 0.0)
        return np.asarray(MAX_CUMULATIVE_HAZARD / np.where(dying, np.minimum(lam, self.h12), lam))[:, 0]

    def horizon_pfs(self) -> FloatArray:
        """Times by the hazard of PFS."""
        return np.asarray(MAX_CUMULATIVE_HAZARD / (self.h01 + self.h02))[:, 0]

    def fastest(self) -> FloatArray:
        """Rate of the faster of the two."""
        return np.asarray(np.maximum(self.h01 + self.h02, self.h12))[:, 0]

    def sharpness(self) -> float:
        """Cumulative hazards are linear."""
        return 1.0

    def power(self) -> float:
        """Cumulative hazards are linear."""
        return 1.0
