"""Means, correlation and Kendall's tau of PFS and OS where there is no closed form, by quadrature.

With f01 the density of the time u of progression, S12(v | u) the chance to live v months after it, and R the time after
it:

    OS            = PFS + R,   R = 0 without progression
    E[R^k]        = int f01(u) int k v^(k-1) S12(v | u) dv du,   likewise E[PFS R]
    P(discordant) = 2 int f01(u) int f12(v | u) [S_PFS(u) - G(u, u + v)] dv du,   Kendall's tau = 1 - 2 P(discordant)
    G(u, o)       = P(PFS > u, OS > o) = S_PFS(o) + int_u^o f01(x) S12(o - x | x) dx

The last line of two patients: the one who progresses first, at u, and dies at u + v outlives the other, who dies
before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.survival.time_quadrature import falling_root, graded_rule

LOG_UNITS_SEARCHED = 80.0
IMMORTAL_SHARE = 1e-12  # a share still alive when nothing more can happen


class Numerical(ABC):
    """Families of hazards whose moments are integrals: what they share."""

    h01: FloatArray
    """Hazards, or their scales, of progression; one row an arm."""
    forward: bool
    """Clock of post-progression survival: True from randomisation, False from progression."""

    @abstractmethod
    def survival_pfs(self, t: FloatArray) -> FloatArray:
        """Share alive without progression."""

    @abstractmethod
    def _scaled(self, t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """A log scale for each time, and share alive and density of death divided by it."""

    @abstractmethod
    def take(self, arms: slice) -> Numerical:
        """Some of the arms; a single one stands for any number."""

    @abstractmethod
    def progressing(self, u: FloatArray) -> FloatArray:
        """Density f01 of the time of progression."""

    @abstractmethod
    def after(self, v: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Chance S12 to live v months after a progression at u, and density f12 of death then."""

    @abstractmethod
    def cuts_of_hazards(self) -> tuple[float, ...]:
        """Times at which the hazards themselves jump."""

    @abstractmethod
    def kinks(self) -> tuple[float, ...]:
        """Times at which a hazard or the density of OS jumps or bends."""

    @abstractmethod
    def horizon(self) -> FloatArray:
        """(m,) times after which nobody has an event any more."""

    @abstractmethod
    def horizon_pfs(self) -> FloatArray:
        """(m,) times after which nobody is without a PFS event."""

    @abstractmethod
    def fastest(self) -> FloatArray:
        """(m,) rates of the fastest transition."""

    @abstractmethod
    def sharpness(self) -> float:
        """Steepest power of time in a cumulative hazard, at least 1."""

    @abstractmethod
    def power(self) -> float:
        """Flattest power of time in a cumulative hazard, at most 1."""

    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive, and density of the time of death."""
        log_scale, alive, dying = self._scaled(t)
        scale = np.exp(log_scale)
        return np.minimum(scale * alive, 1.0), scale * dying

    def hazard_os(self, t: FloatArray) -> FloatArray:
        """Hazard of death from any state."""
        _, alive, dying = self._scaled(t)
        return np.asarray(dying / alive)

    def single_arms(self) -> Iterator[Numerical]:
        """Arms one by one."""
        return (self.take(slice(arm, arm + 1)) for arm in range(len(self.h01)))

    def panels(
        self, start: FloatArray, stop: FloatArray, edges: list[FloatArray]
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Nodes and weights of integrals from ``start`` to ``stop``, along a new last axis, broken at ``edges``."""
        fastest = float(self.fastest().max())
        for edge in [*edges, np.asarray(np.inf)]:
            end = np.clip(edge, start, stop)
            length = end - start
            if length.max() > 0.0:
                s, weight = graded_rule(fastest * float(length.max()), self.sharpness(), self.power())
                yield start[..., None] + length[..., None] * s, length[..., None] * weight
            start = end

    def rule(self, start: FloatArray, stop: FloatArray, edges: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """All panels together."""
        parts = list(self.panels(start, stop, edges)) or [(start[..., None], np.zeros((*start.shape, 1)))]
        return np.concatenate([t for t, _ in parts], axis=-1), np.concatenate([weight for _, weight in parts], axis=-1)

    def restricted_mean(self, tau: FloatArray, of_os: bool) -> FloatArray:
        """Area under a survival curve up to tau."""
        tau = np.broadcast_to(tau, (len(self.fastest()), tau.shape[-1]))
        columns = []
        for column in tau.T:
            t, weight = self.rule(np.zeros(len(column)), column, [np.asarray(kink) for kink in self.kinks()])
            columns.append((weight * (self.overall(t)[0] if of_os else self.survival_pfs(t))).sum(axis=-1))
        return np.stack(columns, axis=-1)

    def restricted_mean_pfs(self, tau: FloatArray) -> FloatArray:
        """Mean of min(PFS, tau)."""
        return self.restricted_mean(tau, of_os=False)

    def restricted_mean_os(self, tau: FloatArray) -> FloatArray:
        """Mean of min(OS, tau)."""
        return self.restricted_mean(tau, of_os=True)

    def mean_os(self) -> FloatArray:
        """Mean of OS."""
        return np.array([np.inf if arm._immortal() else arm._moments()[0][1] for arm in self.single_arms()])

    def correlation(self) -> FloatArray:
        """Pearson correlation of PFS and OS; NaN where some never die."""
        values = []
        for arm in self.single_arms():
            if arm._immortal():
                values.append(np.nan)
                continue
            means, second = arm._moments()
            covariance = second - np.outer(means, means)
            values.append(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
        return np.array(values)

    def kendall_tau(self) -> FloatArray:
        """Kendall's tau of PFS and OS."""
        return np.array([1.0 - 2.0 * arm._discordant() for arm in self.single_arms()])

    def median_pps(self) -> FloatArray:
        """Median time from progression to death, over the times of progression."""
        return np.array([arm._median_pps() for arm in self.single_arms()])

    def _progressions(self) -> tuple[FloatArray, FloatArray]:
        """Times of progression and their shares, (n,), of a single arm."""
        u, weight = self.rule(np.zeros(1), self.horizon_pfs(), [np.asarray(cut) for cut in self.cuts_of_hazards()])
        return u[0], (weight * self.progressing(u))[0]

    def _survivals(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Times v after progressions at u, (n, k), and their weights."""
        edges = [np.asarray(cut - u if self.forward else cut) for cut in self.cuts_of_hazards()]
        return self.rule(
            np.zeros(len(u)), np.maximum(self.horizon() - (u if self.forward else self.horizon_pfs()), 0.0), edges
        )

    def _immortal(self) -> bool:
        return bool(self.overall(self.horizon()[:, None])[0][0, 0] > IMMORTAL_SHARE)

    def _moments(self) -> tuple[FloatArray, FloatArray]:
        """Means of (PFS, OS) and their second moments, (2, 2), of a single arm."""
        t, weight = self.rule(np.zeros(1), self.horizon_pfs(), [np.asarray(cut) for cut in self.cuts_of_hazards()])
        still = weight * self.survival_pfs(t)
        pfs, pfs2 = float(still.sum()), float((2.0 * t * still).sum())
        u, share = self._progressions()
        v, weight = self._survivals(u)
        alive = weight * self.after(v, u[:, None])[0]
        beyond, beyond2 = alive.sum(axis=-1), (2.0 * v * alive).sum(axis=-1)
        r, pfs_r, r2 = float(share @ beyond), float((share * u) @ beyond), float(share @ beyond2)
        both = pfs2 + pfs_r
        return np.array([pfs, pfs + r]), np.array([[pfs2, both], [both, pfs2 + 2.0 * pfs_r + r2]])

    def _median_pps(self) -> float:
        u, share = self._progressions()
        total = share.sum()
        if total == 0.0:
            return float("nan")

        def excess(log_v: FloatArray) -> FloatArray:
            alive = self.after(np.exp(log_v)[:, None], u[None, :])[0]
            return np.asarray((share * alive).sum(axis=-1) - 0.5 * total)

        high = np.log(self.horizon())
        if excess(high)[0] > 0.0:
            return float("inf")
        return float(np.exp(falling_root(excess, high - LOG_UNITS_SEARCHED, high))[0])

    def _discordant(self) -> float:
        u, share = self._progressions()
        v, weight = self._survivals(u)
        alive, density = self.after(v, u[:, None])
        out = u[:, None] + v
        if self.forward:  # those who progressed before u live on like those who do now
            before = self.overall(u[None, :])[0] - self.survival_pfs(u[None, :])
            both = self.overall(out.reshape(1, -1))[0].reshape(out.shape) - before.T * alive
        else:
            both = self.survival_pfs(out)
            for x, steps in self._between(u[:, None], v):
                both = both + (steps * self.progressing(x) * self.after(out[..., None] - x, x)[0]).sum(axis=-1)
        outlived = (weight * density * (self.survival_pfs(u[None, :]).T - both)).sum(axis=-1)
        return 2.0 * float(share @ outlived)

    def _between(self, u: FloatArray, v: FloatArray) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Times x from u to u + v, (n, k, l), and their weights: the half graded towards u, then that towards u + v."""
        out, cuts = u + v, self.cuts_of_hazards()
        for origin, sign in ((u, 1.0), (out, -1.0)):
            edges = [sign * (np.broadcast_to(cut, v.shape) - origin) for cut in cuts] + [
                sign * (out - cut - origin) for cut in cuts
            ]
            steps, weight = self.rule(
                np.zeros_like(v), 0.5 * v, list(np.sort(np.stack(edges), axis=0)) if edges else []
            )
            yield origin[..., None] + sign * steps, weight
