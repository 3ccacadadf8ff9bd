"""The three transition hazards of an illness-death model, seen from quadrature: one class a family, all with the same methods.

Hazards are (m, 1) arrays for m arms; times are (m, k) or (1, k), months.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from surrogacy.effects import FloatArray
from surrogacy.pps import exponential

NOTHING_LEFT = 37.0  # cumulative hazard after which a share of 1e-16 is still to come


class Transitions(Protocol):
    """What every family of hazards can say."""

    def survival_pfs(self, t: FloatArray) -> FloatArray: ...
    def density_pfs(self, t: FloatArray) -> FloatArray: ...
    def hazard_pfs(self, t: FloatArray) -> FloatArray: ...
    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """S_OS and f_OS."""
        ...

    def hazard_os(self, t: FloatArray) -> FloatArray: ...
    def take(self, arms: slice) -> Transitions:
        """Some of the arms; a single one stands for any number."""
        ...

    def kinks(self) -> tuple[float, ...]:
        """Times at which a hazard jumps: quadrature must not run across them."""
        ...

    def horizon(self) -> FloatArray:
        """(m,) times after which nobody has an event any more."""
        ...

    def fastest(self) -> FloatArray:
        """(m,) fastest rates."""
        ...

    def restricted_mean_pfs(self, tau: FloatArray) -> FloatArray: ...
    def restricted_mean_os(self, tau: FloatArray) -> FloatArray: ...
    def mean_os(self) -> FloatArray: ...
    def correlation(self) -> FloatArray: ...
    def kendall_tau(self) -> FloatArray: ...
    def median_pps(self) -> FloatArray: ...


@dataclass(frozen=True, eq=False)
class Exponential:
    """Constant hazards per month."""

    h01: FloatArray
    h02: FloatArray
    h12: FloatArray

    def survival_pfs(self, t: FloatArray) -> FloatArray:
        return exponential.survival_pfs(t, self.h01, self.h02)

    def density_pfs(self, t: FloatArray) -> FloatArray:
        return (self.h01 + self.h02) * self.survival_pfs(t)

    def hazard_pfs(self, t: FloatArray) -> FloatArray:
        return (self.h01 + self.h02) * np.ones_like(t)

    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        return exponential.overall(t, self.h01, self.h02, self.h12)

    def hazard_os(self, t: FloatArray) -> FloatArray:
        return exponential.hazard_os(t, self.h01, self.h02, self.h12)

    def take(self, arms: slice) -> Exponential:
        return self if len(self.h01) == 1 else Exponential(self.h01[arms], self.h02[arms], self.h12[arms])

    def kinks(self) -> tuple[float, ...]:
        return ()

    def horizon(self) -> FloatArray:
        lam = self.h01 + self.h02
        dying = (self.h01 > 0.0) & (self.h12 > 0.0)
        return np.asarray(NOTHING_LEFT / np.where(dying, np.minimum(lam, self.h12), lam))[:, 0]

    def fastest(self) -> FloatArray:
        return np.asarray(np.maximum(self.h01 + self.h02, self.h12))[:, 0]

    def restricted_mean_pfs(self, tau: FloatArray) -> FloatArray:
        return exponential.restricted_mean_pfs(tau, self.h01, self.h02)

    def restricted_mean_os(self, tau: FloatArray) -> FloatArray:
        progressed = exponential.restricted_progressed(tau, self.h01, self.h02, self.h12)
        return np.asarray(self.restricted_mean_pfs(tau) + progressed)

    def mean_os(self) -> FloatArray:
        return exponential.mean_os(self.h01, self.h02, self.h12)

    def correlation(self) -> FloatArray:
        return exponential.correlation(self.h01, self.h02, self.h12)

    def kendall_tau(self) -> FloatArray:
        return exponential.kendall_tau(self.h01, self.h02, self.h12)

    def median_pps(self) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(2.0) / self.h12)

    def sample(self, size: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """PFS, OS and whether the first event was a progression."""
        first, second = rng.standard_exponential((2, len(self.h01), size))
        lam = self.h01 + self.h02
        progressed = rng.random((len(self.h01), size)) * lam < self.h01
        pfs = first / lam
        with np.errstate(divide="ignore"):
            return pfs, np.where(progressed, pfs + second / self.h12, pfs), progressed
