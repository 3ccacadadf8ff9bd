"""Posterior of the surrogacy lines of two settings whose coefficients are exchangeable, without sampling.

    x_s ~ N(m, omega^2),   m ~ normal prior,   omega ~ half-normal prior,   x one of level, slope, log sigma

Each setting has a table of its likelihood G_s(level, slope, log sigma). Given the three spreads omega, the prior of the
pair (x_1, x_2) of one coefficient is bivariate normal, and the three pairs are independent. The posterior is therefore
G_1 G_2 times a product of three matrices, one per coefficient, and every marginal distribution is a sequence of matrix
products (`surrogacy.models.exact.setting_kernels`).

References
----------
Papanikos, Thompson, Abrams, Städler, Ciani, Taylor, Bujkiewicz (2020), doi:10.1002/sim.8465 (exchangeable lines).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.special import ndtr

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.setting_kernels import Marginal, Spread, lattice_kernel, pair_kernels
from surrogacy.models.exact.setting_r2 import ANGLES, BINS, R2_NODES, r2_bins
from surrogacy.models.exact.setting_table import SettingPriors, SettingTable, without_trials
from surrogacy.models.priors import HalfNormal, Normal

LATTICE = 300  # nodes of the common lattice, at least
SMALLEST = 1e-5  # relative singular value of the prior of the pair of levels that is kept
FINE = 1000  # nodes of the tabulated posterior of a spread
LEVEL, SLOPE, LOG_SIGMA = range(3)


@dataclass(frozen=True, eq=False)
class SettingPair:
    """Posterior of two settings.

    Parameters
    ----------
    tables : tuple of SettingTable
    priors : SettingPriors
    """

    tables: tuple[SettingTable, SettingTable]
    priors: SettingPriors

    @cached_property
    def spreads(self) -> tuple[Spread, Spread, Spread]:
        """Nodes of the spreads of level, slope and log sigma."""
        level, slope, log_sigma = (Spread.of(self.spread_prior(axis)) for axis in range(3))
        return level, slope, log_sigma

    @property
    def means(self) -> tuple[Normal, Normal, Normal]:
        """Priors of the means over settings."""
        return self.priors.level, self.priors.slope, self.priors.log_sigma

    def spread_prior(self, axis: int) -> HalfNormal:
        """Prior of the spread of one coefficient."""
        return (self.priors.spread_level, self.priors.spread_slope, self.priors.spread_log_sigma)[axis]

    @cached_property
    def kernels(self) -> list[FloatArray]:
        """Prior masses of pairs of nodes for each spread; one array per coefficient."""
        first, second = (table.axes for table in self.tables)
        return [
            pair_kernels(first[a], second[a], mean, spread.value)
            for a, (mean, spread) in enumerate(zip(self.means, self.spreads, strict=True))
        ]

    @cached_property
    def averaged(self) -> list[FloatArray]:
        """Prior masses of pairs of nodes, averaged over the spread."""
        return [
            np.tensordot(spread.mass(self.spread_prior(a)), self.kernels[a], axes=1)
            for a, spread in enumerate(self.spreads)
        ]

    def pair_likelihood(self, axis: int, kernels: Sequence[FloatArray] | None = None) -> FloatArray:
        """Likelihood of the pair of one coefficient, the other two integrated out."""
        first, second = (table.likelihood for table in self.tables)
        others = [a for a in range(3) if a != axis]
        message = second
        for a in others:
            message = _along(message, (self.averaged if kernels is None else kernels)[a], a)
        return np.asarray(np.tensordot(first, message, axes=(others, others)))

    @cached_property
    def pairs(self) -> list[FloatArray]:
        """Likelihood of the pair of each coefficient."""
        return [self.pair_likelihood(axis) for axis in range(3)]

    @cached_property
    def spread_evidence(self) -> list[FloatArray]:
        """Marginal likelihood at each node of the spread of each coefficient; the scale is common to all."""
        return [np.einsum("wij,ij->w", self.kernels[a], self.pairs[a]) for a in range(3)]

    @cached_property
    def evidence(self) -> float:
        """Marginal likelihood of the model, on the scale of `spread_evidence`."""
        return float((self.averaged[SLOPE] * self.pairs[SLOPE]).sum())

    def spread(self, axis: int) -> Marginal:
        """Posterior of the spread of one coefficient."""
        value = self.spreads[axis].value
        root = np.linspace(0.0, np.sqrt(value[-1]), FINE)  # the nodes are equidistant neither in value nor in its root
        log_evidence = np.log(np.maximum(self.spread_evidence[axis], 1e-300))
        log_density = CubicSpline(np.sqrt(value), log_evidence)(root) - log_evidence.max()
        log_density += self.spread_prior(axis).log_density(root**2)
        return Marginal.of_masses(root**2, root * np.exp(log_density), bounds=(0.0, float(value[-1])))

    def bayes_factor_equal(self, axis: int, scale: float | None = None) -> float:
        """Bayes factor of an equal coefficient in both settings (spread 0) against the prior of the spread.

        It is the ratio of marginal likelihoods, and equals the Savage-Dickey ratio of the posterior and the prior
        density of the spread at 0.

        Parameters
        ----------
        axis : int
        scale : float, optional
            Scale of the half-normal prior, at most twice that of the model; default: that of the model.
        """
        prior = self.spread_prior(axis) if scale is None else HalfNormal(scale)
        evidence = self.spread_evidence[axis]
        return max(float(evidence[0] / (self.spreads[axis].mass(prior) @ evidence)), 0.0)

    def bayes_factor_common_line(self) -> float:
        """Bayes factor of equal levels and equal slopes against the model."""
        kernels = [self.kernels[LEVEL][0], self.averaged[SLOPE], self.averaged[LOG_SIGMA]]
        pair = self.pair_likelihood(SLOPE, kernels)
        return max(float((self.kernels[SLOPE][0] * pair).sum() / self.evidence), 0.0)

    @cached_property
    def lattices(self) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Posterior masses of the pair of each coefficient on a common lattice: both nodes, and the masses.

        Its step is the smaller one of both tables, because the larger set also determines the coefficient of the
        smaller one.
        """
        return [self._lattice(axis, self.spread_prior(axis)) for axis in range(3)]

    def _lattice(self, axis: int, prior: HalfNormal) -> tuple[FloatArray, FloatArray, FloatArray]:
        axes = [table.axes[axis] for table in self.tables]
        step = min(*(nodes[1] - nodes[0] for nodes in axes), max(np.ptp(nodes) for nodes in axes) / LATTICE)
        first, second = (step * np.arange(np.ceil(nodes[0] / step), np.floor(nodes[-1] / step) + 1) for nodes in axes)
        kernel = lattice_kernel(first, second, self.means[axis], self.spreads[axis], prior)
        likelihood = np.maximum(RectBivariateSpline(axes[0], axes[1], self.pairs[axis])(first, second), 0.0)
        return first, second, kernel * likelihood

    def difference(self, axis: int, scale: float | None = None) -> Marginal:
        """Posterior of the difference of one coefficient, first minus second setting.

        Parameters
        ----------
        axis : int
        scale : float, optional
            Scale of the prior of its spread, at most twice that of the model; default: that of the model.
        """
        first, second, mass = self.lattices[axis] if scale is None else self._lattice(axis, HalfNormal(scale))
        step = first[1] - first[0]
        lags = np.rint((first[:, None] - second) / step).astype(np.intp)
        low = int(lags.min())
        sums = np.bincount((lags - low).ravel(), mass.ravel())
        return Marginal.of_masses(step * (low + np.arange(len(sums))), sums)

    def coefficient(self, setting: int, axis: int) -> Marginal:
        """Posterior of one coefficient in a setting (0 or 1)."""
        *nodes, mass = self.lattices[axis]
        return Marginal.of_masses(nodes[setting], mass.sum(axis=1 - setting))

    @cached_property
    def r2_joint(self) -> FloatArray:
        """Posterior masses of pairs of the trial-level R2, on `R2_NODES` each."""
        left, size, right = np.linalg.svd(self.averaged[LEVEL], full_matrices=False)
        kept = size > SMALLEST * size[0]
        functions = left[:, kept] * size[kept], right[kept].T
        first, second = (r2_bins(table, level) for table, level in zip(self.tables, functions, strict=True))
        for axis in (SLOPE, LOG_SIGMA):
            second = _along(second, self.averaged[axis], axis + 1)
        joint = first.reshape(BINS, -1) @ second.reshape(BINS, -1).T
        return np.asarray(joint / joint.sum())

    def r2_quantiles(self, setting: int, p: Sequence[float]) -> FloatArray:
        """Quantiles of the trial-level R2 in a setting (0 or 1)."""
        marginal = Marginal.of_masses(ANGLES, self.r2_joint.sum(axis=1 - setting), bounds=(0.0, np.pi / 2))
        return np.asarray(np.sin(marginal.quantiles(p)) ** 2)

    def r2_difference(self) -> Marginal:
        """Posterior of the difference of the trial-level R2."""
        n = 10 * BINS
        nodes = np.linspace(-1.0, 1.0, n)
        place = (R2_NODES[:, None] - R2_NODES + 1.0) / 2 * (n - 1)
        left = np.minimum(place.astype(np.intp), n - 2)
        share = place - left
        mass = np.bincount(left.ravel(), (self.r2_joint * (1 - share)).ravel(), n)
        mass += np.bincount(left.ravel() + 1, (self.r2_joint * share).ravel(), n)
        return Marginal.of_masses(nodes, mass, bounds=(-1.0, 1.0))

    def no_data_r2_smaller(self) -> float:
        """Probability of a smaller R2 in the first setting if this setting had no trials."""
        second = self.tables[1]
        return float(SettingPair((without_trials(self.priors, second), second), self.priors).r2_difference().cdf(0.0))

    def no_data_smaller(self, axis: int) -> float:
        """Probability of a smaller coefficient in the first setting if this setting had no trials.

        Given a spread omega and the coefficient x of the second setting, that of the first is normal with mean
        ``m0 + w (x - m0)``, ``w = s0^2 / (s0^2 + omega^2)``, and variance ``(s0^2 + omega^2) (1 - w^2)``; m0 and s0
        belong to the prior of the mean over settings.
        """
        table = self.tables[1]
        means, likelihood = self.means, table.likelihood
        for a in (2, 1, 0):  # the other coefficients are integrated out with the prior of a single setting
            if a != axis:
                total = np.hypot(means[a].sd, self.spreads[a].value[:, None])
                density = np.exp(-0.5 * ((table.axes[a] - means[a].mean) / total) ** 2) / total
                likelihood = np.tensordot(self.spreads[a].mass(self.spread_prior(a)) @ density, likelihood, (0, a))
        x, mean = table.axes[axis] - means[axis].mean, means[axis].sd
        total = np.hypot(mean, self.spreads[axis].value[1:, None])
        weight = self.spreads[axis].mass(self.spread_prior(axis))[1:, None] * np.exp(-0.5 * (x / total) ** 2) / total
        weight = weight * likelihood
        share = (mean / total) ** 2
        smaller = ndtr(x * (1 - share) / (total * np.sqrt((1 - share) * (1 + share))))
        return float((weight * smaller).sum() / weight.sum())


def _along(array: FloatArray, matrix: FloatArray, axis: int) -> FloatArray:
    """Product of a matrix and an array along one axis."""
    return np.moveaxis(np.tensordot(matrix, array, axes=(1, axis)), 0, axis)
