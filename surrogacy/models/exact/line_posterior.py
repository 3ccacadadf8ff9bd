"""Exact posterior of a surrogacy line with covariates of intercept and slope, and errors of both effects.

    y_i ~ N2(d_i, S_i),   d1_i ~ N(m, v) independently, v large
    d2_i | d1_i ~ N(a'u_i + B_i d1_i, psi^2),   B_i = b'u_i,   u_i = (1, z_i)

Given its surrogate estimate, d1_i is normal with mean x_i and variance P_i, and the final estimate has

    mean  o_i + a'u_i + B_i x_i,    variance  W_i = psi^2 + B_i^2 P_i + 2 B_i Q_i + R_i

which for v = infinity is ``y2 - a'u - B y1 ~ N(0, psi^2 + s2^2 - 2 B rho s1 s2 + B^2 s1^2)``. If comparisons share a
control arm, P, Q, R are matrices and B is diagonal. a is normal given (b, psi) and is integrated analytically; (b, psi)
are integrated by quadrature. With u = 1 this is the model of `surrogacy.models.daniels_hughes`.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.effects import Effects
from surrogacy.models.exact.likelihood_sums import PRODUCT
from surrogacy.models.exact.line_grid import CoefficientGrid, Coordinates, tabulate
from surrogacy.models.exact.marginals import density
from surrogacy.models.exact.true_effects import METHOD
from surrogacy.models.priors import Normal, PositivePrior
from surrogacy.results.estimate import Estimate
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile


@dataclass(frozen=True, eq=False)
class Block:
    """Final estimates given surrogate estimates, for ``g`` groups of ``m`` comparisons with correlated estimates.

    Parameters
    ----------
    members : (g, m) array
        Indices of the comparisons in the effects.
    y, x : (g, m) arrays
        Final estimate minus o; mean of the true surrogate effect.
    p, q, r : (g, m, m) arrays
        Covariance of the true surrogate effects, of these with the final errors, and of the final errors.
    """

    members: IntArray
    y: FloatArray
    x: FloatArray
    p: FloatArray
    q: FloatArray
    r: FloatArray

    def take(self, trials: Sequence[str], trial: str) -> Block:
        """Groups of one trial."""
        kept = np.array([trials[group[0]] == trial for group in self.members], dtype=np.bool_)
        return Block(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


def condition(effects: Effects, surrogate: Normal) -> tuple[Block, ...]:
    """Condition the final estimates on the surrogate estimates.

    Parameters
    ----------
    effects : Effects
        Comparisons with both endpoints.
    surrogate : Normal
        Prior of every true surrogate effect.

    Returns
    -------
    tuple of Block
        One per group size.
    """
    v = surrogate.sd**2
    by_size: dict[int, list[tuple[Any, ...]]] = {}
    for members in effects.dependent_groups():
        sampling = effects.sampling_covariance(members)
        s11, s12, s22 = sampling[::2, ::2], sampling[::2, 1::2], sampling[1::2, 1::2]
        gain = np.linalg.inv(s11 + v * np.eye(len(members)))
        away = gain @ (effects.log_hr[members, 0] - surrogate.mean)
        # v - v (s11 + v)^-1 v, in a form without cancellation
        parts = v * gain @ s11, -v * gain @ s12, s22 - s12.T @ gain @ s12
        x = effects.log_hr[members, 0] - s11 @ away
        by_size.setdefault(len(members), []).append((members, effects.log_hr[members, 1] - s12.T @ away, x, *parts))
    return tuple(Block(*map(np.stack, zip(*groups, strict=True))) for groups in by_size.values())


@dataclass(frozen=True)
class LinePriors:
    """Priors of the line.

    Parameters
    ----------
    intercepts, slopes : tuple of Normal
        One per column of the design.
    sigma_cond : HalfNormal, HalfStudentT or Uniform
        Prior of psi.
    surrogate : Normal
        Prior of every true surrogate effect.
    """

    intercepts: tuple[Normal, ...]
    slopes: tuple[Normal, ...]
    sigma_cond: PositivePrior
    surrogate: Normal


@dataclass(frozen=True, eq=False)
class LinePosterior:
    """Posterior of a surrogacy line with covariates.

    Parameters
    ----------
    effects : Effects
    design : (k, p) array
        Rows u_i.
    priors : LinePriors
    blocks : tuple of Block
    grid : CoefficientGrid
        Posterior of the slopes b and psi.
    mean : (n, p) array
        Mean of the intercepts a at the nodes that carry mass.
    covariance : (n, p, p) array
        Covariance of the intercepts at these nodes.
    """

    effects: Effects
    design: FloatArray
    priors: LinePriors
    blocks: tuple[Block, ...]
    grid: CoefficientGrid
    mean: FloatArray
    covariance: FloatArray
    samples = None  # the posterior is tabulated

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the coefficients, and sigma_cond."""
        names = ("intercept", "slope", "intercept_difference", "slope_difference")[: 2 * self.grid.count]
        return (*names, "sigma_cond")

    def _column(self, name: str) -> int:
        return int(name.endswith("_difference"))

    def _slope(self, name: str) -> tuple[float, ...]:
        return ((0.0, 1.0) if self._column(name) else (1.0, 0.0))[: self.grid.count]

    def _intercept(self, name: str) -> tuple[FloatArray, FloatArray]:
        column = self._column(name)
        return self.mean[:, column], np.sqrt(self.covariance[:, column, column])

    def quantile(self, name: str, p: npt.ArrayLike) -> FloatArray:
        """Quantiles of a coefficient or of sigma_cond."""
        probabilities = tuple(np.atleast_1d(np.asarray(p, dtype=np.float64)))
        if name == "sigma_cond":
            return self.grid.sd_quantiles(probabilities)
        if name.startswith("slope"):
            return self.grid.quantiles(self._slope(name), probabilities)
        mean, sd = self._intercept(name)
        return np.asarray(mixture_quantile(probabilities, self.grid.nodes()[0], mean[None], sd[None])[0])

    def distribution(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Posterior distribution function of a coefficient or of sigma_cond at ``x``."""
        at = np.asarray(x, dtype=np.float64)
        if name.startswith("slope"):
            return self.grid.distribution(self._slope(name))(at.ravel()).reshape(at.shape)
        if name == "sigma_cond":
            return self.grid.sd_distribution(at)
        return mixture_cdf(at, self.grid.nodes()[0], *self._intercept(name))

    def density(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Posterior density at ``x``, by differences of the distribution function."""
        low, high = self.quantile(name, (0.025, 0.975))
        return density(lambda at: self.distribution(name, at), x, float(high - low))

    def prior_distribution(self, name: str, x: npt.ArrayLike) -> None:
        """Return None, because the priors of a line are vague and not tabulated."""
        return

    def draw(self, n: int, seed: int = 0) -> dict[str, FloatArray]:
        """Draw nodes by their weight, and the intercepts given a node; (n,) arrays."""
        generator = np.random.default_rng(seed)
        weight, slopes, sigma, _ = self.grid.nodes()
        node = generator.choice(len(weight), n, p=weight)
        factor = np.linalg.cholesky(self.covariance[node])
        intercepts = self.mean[node] + np.einsum("ncd,nd->nc", factor, generator.standard_normal((n, factor.shape[1])))
        columns = {"intercept": intercepts.T, "slope": slopes[node].T}
        drawn = {name: columns[name.split("_")[0]][self._column(name)] for name in self.quantities[:-1]}
        return drawn | {"sigma_cond": sigma[node]}

    def true_effects(self) -> None:
        """Return None, because true surrogate effects with a vague prior are not shrunken."""
        return

    def estimate(self, name: str, level: float) -> Estimate:
        """Median, SD and limits of a coefficient or of sigma_cond."""
        median, low, high = map(float, self.quantile(name, (0.5, 0.5 - level / 2, 0.5 + level / 2)))
        weight, slopes, sigma, _ = self.grid.nodes()
        values, within = sigma, np.zeros_like(sigma)
        if name.startswith("slope"):
            values = slopes[:, self._column(name)]
        elif name != "sigma_cond":
            values, within = self.mean[:, self._column(name)], self._intercept(name)[1] ** 2
        sd = float(np.sqrt(weight @ ((values - weight @ values) ** 2 + within)))
        return Estimate(median, sd, low, high, level, METHOD)

    def leave_one_out(self) -> dict[str, LinePosterior]:
        """Posterior without each trial, by subtraction of its terms from the sums, else by a new tabulation."""
        points = self.grid.points()
        slopes, sds = self.grid.coordinates.coefficients(points[:-1]), self.grid.coordinates.sd(points[-1])
        whole, whole_log_det, count = _sums(self.blocks, self.design, slopes, sds)
        full = _integrated(self.priors, slopes, whole, whole_log_det, count)[0]
        outside = self.grid.integral.log_density[0] + self.grid.integral.log_total[0] - full
        outside = outside - np.log((self.grid.integral.high - self.grid.integral.low) / 2).sum()
        without = {}
        for trial in self.effects.trials:
            blocks = tuple(block.take(self.effects.trial, trial) for block in self.blocks)
            gram, log_det, size = _sums(blocks, self.design, slopes, sds)
            rest = _integrated(self.priors, slopes, whole - gram, whole_log_det - log_det, count - size)
            grid = self.grid.reweighted(rest[0] + outside)
            kept = np.array([name != trial for name in self.effects.trial])
            effects, design = self.effects.take(kept), self.design[kept]
            if grid is None:
                without[trial] = fit_line(effects, design, self.priors, self.grid.integral.weight.shape[1:])
                continue
            heavy = grid.nodes()[3]
            mean, covariance = rest[1][heavy], rest[2][heavy]
            without[trial] = LinePosterior(effects, design, self.priors, (), grid, mean, covariance)
        return without

    def log_scores(self) -> dict[str, float]:
        """Log density of each trial's final estimates given its surrogate estimates and all other trials."""
        return {trial: self.grid.log_evidence - rest.grid.log_evidence for trial, rest in self.leave_one_out().items()}


def fit_line(effects: Effects, design: FloatArray, priors: LinePriors, nodes: Sequence[int]) -> LinePosterior:
    """Tabulate the posterior of a line.

    Parameters
    ----------
    effects : Effects
        Comparisons with both endpoints.
    design : (k, p) array
        Covariates of intercept and slope; the first column is ones.
    priors : LinePriors
    nodes : sequence of int
        Number of nodes of every slope and of psi.
    """
    blocks = condition(effects, priors.surrogate)
    coordinates, spread = rough_line(effects, design, priors.slopes)

    def log_density(slopes: FloatArray, sds: FloatArray) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
        log_likelihood, mean, covariance = _integrated(priors, slopes, *_sums(blocks, design, slopes, sds))
        return log_likelihood, (mean, covariance)

    grid = tabulate(log_density, coordinates, priors.slopes, priors.sigma_cond, spread, nodes)
    heavy = grid.nodes()[3]
    mean, covariance = grid.integral.extra
    return LinePosterior(effects, design, priors, blocks, grid, mean[heavy], covariance[heavy])


def rough_line(effects: Effects, design: FloatArray, priors: Sequence[Normal]) -> tuple[Coordinates, float]:
    """Weighted least squares to place the grid, and the largest distance of a final effect from the mean."""
    (y1, y2), (s1, s2) = effects.log_hr.T, effects.se.T
    weight = s2**-2.0
    columns = np.column_stack([design, design * y1[:, None]])
    p = design.shape[1]
    bread = columns.T @ (weight[:, None] * columns)
    # surrogate effects that hardly vary must not widen the grid beyond what their errors allow
    bread[p:, p:] += np.mean(weight * s1**2) * np.mean(design**2, axis=0) * np.eye(p)
    covariance = np.linalg.pinv(bread)
    estimate = covariance @ (columns.T @ (weight * y2))
    excess = max(1.0, float(weight @ (y2 - columns @ estimate) ** 2) / max(len(y2) - 2 * p, 1))
    mean = weight @ y2 / weight.sum()
    coordinates = Coordinates.around(estimate[p:], covariance[p:, p:] * excess, priors, float(np.median(s2)))
    return coordinates, float(np.abs(y2 - mean).max())


def _sums(
    blocks: Sequence[Block], design: FloatArray, slopes: FloatArray, sds: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Sums over groups of ``C' W^-1 C``, C = (u, y, x u), and of log det W on the grid, and the number of estimates."""
    shape = (*slopes.shape[:-1], len(sds))
    flat = slopes.reshape(-1, slopes.shape[-1])
    width = 2 * design.shape[1] + 1
    gram, log_det, count = np.zeros((len(flat), len(sds), width, width)), np.zeros((len(flat), len(sds))), 0
    for block in blocks:
        groups, m = block.y.shape
        if not groups:
            continue
        count += groups * m
        u = design[block.members]  # (g, m, p)
        columns = np.concatenate([u, block.y[..., None], block.x[..., None] * u], axis=2)
        slope = np.einsum("np,gmp->ngm", flat, u)
        if m == 1:
            b = slope[..., 0]
            sampling = b * b * block.p[:, 0, 0] + 2 * b * block.q[:, 0, 0] + block.r[:, 0, 0]
            variance = sampling[:, None, :] + sds[:, None] ** 2  # (n, psi, g)
            for start in range(0, groups, PRODUCT):
                log_det += np.log(np.multiply.reduce(variance[..., start : start + PRODUCT], axis=-1))
            products = columns[:, 0, :, None] * columns[:, 0, None, :]
            gram += (np.reciprocal(variance) @ products.reshape(groups, -1)).reshape(gram.shape)
            continue
        cross = slope[..., None] * block.q
        matrix = slope[..., None] * block.p * slope[..., None, :] + cross + cross.swapaxes(-1, -2) + block.r
        matrix = matrix[:, None] + (sds**2)[:, None, None, None] * np.eye(m)  # (n, psi, g, m, m)
        log_det += np.linalg.slogdet(matrix)[1].sum(axis=-1)
        gram += np.einsum("gmc,nsgml,gld->nscd", columns, np.linalg.inv(matrix), columns, optimize=True)
    return gram.reshape(*shape, width, width), log_det.reshape(shape), count


def _integrated(
    priors: LinePriors, slopes: FloatArray, gram: FloatArray, log_det: FloatArray, count: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log likelihood with the intercepts integrated out, and their mean and covariance given slopes and psi."""
    p = len(priors.intercepts)
    prior_mean = np.array([prior.mean for prior in priors.intercepts])
    precision = np.array([prior.sd**-2.0 for prior in priors.intercepts])
    left = np.concatenate([np.ones((*slopes.shape[:-1], 1)), -slopes], axis=-1)[..., None, :]  # y - B x = C (0, 1, -b)
    inner = gram[..., p:, p:]
    quadratic = np.einsum("...c,...cd,...d->...", left, inner, left)
    h = np.einsum("...cd,...d->...c", gram[..., :p, p:], left) + precision * prior_mean
    matrix = gram[..., :p, :p] + np.diag(precision)
    if p == 1:
        covariance, log_matrix = 1.0 / matrix, np.log(matrix[..., 0, 0])
    else:
        a, b, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
        determinant = a * d - b * b
        covariance = (
            np.stack([np.stack([d, -b], axis=-1), np.stack([-b, a], axis=-1)], axis=-1) / determinant[..., None, None]
        )
        log_matrix = np.log(determinant)
    mean = np.einsum("...cd,...d->...c", covariance, h)
    quadratic = quadratic + precision @ prior_mean**2 - (h * mean).sum(axis=-1)
    constant = count * np.log(2 * np.pi) - np.log(precision).sum()
    return -0.5 * (constant + log_det + log_matrix + quadratic), mean, covariance
