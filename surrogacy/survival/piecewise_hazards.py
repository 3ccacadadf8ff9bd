"""Piecewise constant transition hazards, exact for both clocks.

    S_OS(t) = S_PFS(t) + sum over pieces of int h01 exp(-H_PFS(u)) S12(t - u | u) du

Between neighbouring cuts the integrand is the exponential of a linear function; with the clock reset, the cuts counted
back from t separate the pieces too. The integral of a piece is its length times the larger of its two end values times
``phi`` of the absolute log ratio of the end values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.survival.constant_hazards import phi
from surrogacy.survival.hazards import MAX_CUMULATIVE_HAZARD, Numerical, Patients


@dataclass(frozen=True, eq=False)
class Piecewise(Numerical):
    """Hazards (m, j), one column per interval; ``cuts`` (j - 1,) are the months at which an interval ends.

    The intervals of the post-progression hazard count from randomisation (forward) or from progression (reset).

    Examples
    --------
    >>> hazards = Piecewise(*(np.array([[h, 2 * h]]) for h in (0.1, 0.01, 0.05)), np.array([12.0]), forward=True)
    >>> hazards.survival_pfs(np.array([[6.0, 24.0]])).round(3).tolist()
    [[0.517, 0.019]]
    """

    h01: FloatArray
    h02: FloatArray
    h12: FloatArray
    cuts: FloatArray
    forward: bool

    def _value(self, t: FloatArray, hazards: FloatArray) -> FloatArray:
        """Hazard at times t, (m or 1, ...); at a cut, that of the later interval."""
        interval = np.searchsorted(self.cuts, t, side="right")
        arms = np.arange(len(hazards)).reshape(-1, *[1] * (t.ndim - 1))
        return hazards[arms, interval]

    def _cumulative(self, t: FloatArray, hazards: FloatArray) -> FloatArray:
        """Cumulative hazard at t."""
        total = np.zeros(np.broadcast_shapes(t.shape, (len(hazards), *[1] * (t.ndim - 1))))
        starts, stops = np.concatenate([[0.0], self.cuts]), np.concatenate([self.cuts, [np.inf]])
        for start, stop, column in zip(starts, stops, hazards.T, strict=True):
            total += column.reshape(-1, *[1] * (t.ndim - 1)) * (np.clip(t, start, stop) - start)
        return total

    def survival_pfs(self, t: FloatArray) -> FloatArray:
        """Share alive without progression."""
        return np.exp(-self._cumulative(t, self.h01 + self.h02))

    def hazard_pfs(self, t: FloatArray) -> FloatArray:
        """Hazard of progression or death."""
        return self._value(t, self.h01 + self.h02)

    def progressing(self, u: FloatArray) -> FloatArray:
        """Density f01 of the time of progression."""
        return self._value(u, self.h01) * self.survival_pfs(u)

    def after(self, v: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probability to survive v months after a progression at u, and density of death at that time."""
        if self.forward:
            alive = np.exp(self._cumulative(u, self.h12) - self._cumulative(u + v, self.h12))
            return alive, alive * self._value(u + v, self.h12)
        alive = np.exp(-self._cumulative(v, self.h12))
        return alive, alive * self._value(v, self.h12)

    def _scaled(self, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log scale of each time, and share alive and density of death divided by that scale."""
        t = np.broadcast_to(t, (max(len(t), len(self.h01)), t.shape[-1]))[..., None]
        breaks = np.broadcast_to(self.cuts, (*t.shape[:-1], len(self.cuts)))
        edges = [np.zeros_like(t), breaks, t] if self.forward else [np.zeros_like(t), breaks, t - breaks, t]
        u = np.sort(np.clip(np.concatenate(edges, axis=-1), 0.0, t), axis=-1)
        exponent = -self._cumulative(u, self.h01 + self.h02)
        if self.forward:
            exponent = exponent + self._cumulative(u, self.h12) - self._cumulative(t, self.h12)
        else:
            exponent = exponent - self._cumulative(t - u, self.h12)
        middle = 0.5 * (u[..., 1:] + u[..., :-1])
        started = self._value(middle, self.h01)
        rate = self._value(t if self.forward else t - middle, self.h12)
        low, high = np.minimum(exponent[..., 1:], exponent[..., :-1]), np.maximum(exponent[..., 1:], exponent[..., :-1])
        stable = -self._cumulative(t, self.h01 + self.h02)[..., 0]
        counted = (started > 0.0) & (u[..., 1:] > u[..., :-1])
        log_scale = np.maximum(stable, np.where(counted, high, -np.inf).max(axis=-1))
        still = np.where(
            counted, started * np.diff(u, axis=-1) * phi(high - low) * np.exp(high - log_scale[..., None]), 0.0
        )
        alone = np.exp(stable - log_scale)
        return (
            log_scale,
            alone + still.sum(axis=-1),
            self._value(t, self.h02)[..., 0] * alone + (still * rate).sum(axis=-1),
        )

    def _inverse(self, cumulative: FloatArray, hazards: FloatArray) -> FloatArray:
        """(m, n) times at which the cumulative hazards reach these values."""
        at_cuts = self._cumulative(self.cuts[None, :], hazards)
        times = np.empty_like(cumulative)
        for arm, (values, reached, rates) in enumerate(zip(cumulative, at_cuts, hazards, strict=True)):
            interval = np.searchsorted(reached, values, side="right")
            start, before = np.concatenate([[0.0], self.cuts])[interval], np.concatenate([[0.0], reached])[interval]
            with np.errstate(divide="ignore"):
                times[arm] = start + (values - before) / rates[interval]
        return times

    def sample(self, size: int, rng: np.random.Generator) -> Patients:
        """Times of PFS and OS, and an indicator of progression as the first event."""
        draws = rng.standard_exponential((2, len(self.h01), size))
        pfs = self._inverse(draws[0], self.h01 + self.h02)
        progressed = rng.random(pfs.shape) * self.hazard_pfs(pfs) < self._value(pfs, self.h01)
        if self.forward:
            os = self._inverse(self._cumulative(pfs, self.h12) + draws[1], self.h12)
        else:
            os = pfs + self._inverse(draws[1], self.h12)
        return pfs, np.where(progressed, os, pfs), progressed

    def take(self, arms: slice) -> Piecewise:
        """Select arms."""
        if len(self.h01) == 1:
            return self
        return Piecewise(self.h01[arms], self.h02[arms], self.h12[arms], self.cuts, self.forward)

    def kinks(self) -> tuple[float, ...]:
        """The cuts; with the clock reset also the sums of two cuts, where the density of OS is not smooth."""
        sums = set() if self.forward else {first + second for first in self.cuts for second in self.cuts}
        return tuple(sorted({*self.cuts, *sums}))

    def _reached(self, cumulative: FloatArray, hazards: FloatArray) -> FloatArray:
        times = self._inverse(cumulative[:, None], hazards)[:, 0]
        return np.where(np.isfinite(times), times, self.cuts[-1])

    def horizon_pfs(self) -> FloatArray:
        """Times after which no PFS event remains."""
        return self._reached(np.full(len(self.h01), MAX_CUMULATIVE_HAZARD), self.h01 + self.h02)

    def horizon(self) -> FloatArray:
        """Times after which no event remains: horizon of PFS, then of post-progression survival."""
        first = self.horizon_pfs()
        if self.forward:
            last = self._reached(self._cumulative(first[:, None], self.h12)[:, 0] + MAX_CUMULATIVE_HAZARD, self.h12)
        else:
            last = first + self._reached(np.full(len(first), MAX_CUMULATIVE_HAZARD), self.h12)
        return np.maximum(first, last)

    def fastest(self) -> FloatArray:
        """Largest hazard over the intervals."""
        return np.asarray(np.maximum((self.h01 + self.h02).max(axis=1), self.h12.max(axis=1)))
