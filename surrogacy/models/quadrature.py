"""The bivariate model's posterior as a table over (tau_surrogate, tau_final, rho_between); no sampling.

    y_i ~ N2(theta_i, S_i),   theta_i ~ N2(mu, T),   mu ~ N2(m0, diag(sd0^2))

theta and mu are integrated analytically. What is left is analytic on the closed set [0, inf)^2 x [-1, 1], because
V_i = S_i + T is positive definite on its boundary too: a Gauss-Legendre product rule on a box that holds all of the
mass converges geometrically. With ``A = tau1^2, D = tau2^2, C = rho tau1 tau2``

    det V_i = (s11 s22 - s12^2) + s22 A + s11 D - 2 s12 C + A D (1 - rho^2)

is linear in five functions of the grid, and every sum over trials that the likelihood needs is linear in 1 / det V_i:
a table over the whole grid is two matrix products and a reciprocal. Comparisons that share a control arm or miss an
endpoint are blocks of another size and take a Cholesky factor, written out over the grid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from surrogacy.effects import Effects, FloatArray
from surrogacy.models.likelihood import Blocks, make_blocks
from surrogacy.models.priors import Beta, CorrelationPrior, Normal, PositivePrior

NODES = (16, 16, 18)
COARSE = 9  # points an axis while the box is sought
DROP = 12.0  # log units below the maximum that the box must hold: less than 1e-4 of an SD of any mean lies outside
STRETCH = float(np.tanh(1.5))  # rho = tanh(v) / STRETCH: nodes crowd towards -1 and 1
PRODUCT = 8  # determinants multiplied before a logarithm is taken
CELLS = 200_000  # of the largest array that is worked on at once: it should stay in the cache


@dataclass(frozen=True)
class Priors:
    """Priors of the bivariate model.

    Parameters
    ----------
    tau_surrogate, tau_final : HalfNormal, HalfStudentT or Uniform
    rho_between : Uniform or Beta
        Within [-1, 1].
    mu : Normal
        Of either mean effect, independently.
    """

    tau_surrogate: PositivePrior
    tau_final: PositivePrior
    rho_between: CorrelationPrior
    mu: Normal


@dataclass(frozen=True, eq=False)
class Batch:
    """``b`` data sets of one structure, as the table needs them.

    Parameters
    ----------
    determinant : (b, k, 5) array
        Coefficients of det V in (1, A, D, C, A D (1 - rho^2)).
    moments : (b, 12, k) array
        What is summed over trials, each divided by det V.
    blocks : tuple of Blocks
        Blocks that are no plain pair; ``y`` is (b, g, m) and ``sampling`` (b, g, m, m), the rest is common.
    centre : (b, 2) array
        Subtracted from the log hazard ratios, so that sums of squares do not cancel.
    scale : (b, 2) array
        Typical standard errors: the unit of tau on the grid.
    size : (b,) array
        Number of estimates.
    """

    determinant: FloatArray
    moments: FloatArray
    blocks: tuple[Blocks, ...]
    centre: FloatArray
    scale: FloatArray
    size: FloatArray

    def __len__(self) -> int:
        return len(self.size)

    def take(self, index: slice | FloatArray) -> Batch:
        """Some of the data sets."""
        blocks = tuple(replace(block, y=block.y[index], sampling=block.sampling[index]) for block in self.blocks)
        parts = (self.determinant[index], self.moments[index], blocks, self.centre[index], self.scale[index], self.size[index])
        return Batch(*parts)


@cache
def rule(n: int) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    nodes, weights = legendre.leggauss(n)
    return nodes, weights


@dataclass(frozen=True, eq=False)
class Arranged:
    """One data set: comparisons that stand alone with both endpoints, and blocks of all others.

    Parameters
    ----------
    pairs : (5, k) array
        y1, y2, s11, s12, s22.
    blocks : tuple of Blocks
    centre, scale : (2,) arrays
    size : int
        Number of estimates.
    """

    pairs: FloatArray
    blocks: tuple[Blocks, ...]
    centre: FloatArray
    scale: FloatArray
    size: int

    @property
    def structure(self) -> tuple[bytes, ...]:
        """Equal for data sets that can be stacked."""
        return tuple(part.tobytes() + bytes(part.shape) for block in self.blocks for part in (block.design, block.pattern))


def arrange(effects: Effects) -> Arranged:
    """Arrange effects for the table."""
    shared = Counter(effects.control_group)
    alone = effects.complete & np.array([not name or shared[name] == 1 for name in effects.control_group])
    (y1, y2), (s1, s2) = effects.log_hr[alone].T, effects.se[alone].T
    pairs = np.stack([y1, y2, s1 * s1, effects.rho_within[alone] * s1 * s2, s2 * s2])
    reported = ~np.isnan(effects.log_hr)
    precision = np.where(reported, effects.se, np.inf) ** -2.0
    centre = (precision * np.where(reported, effects.log_hr, 0.0)).sum(axis=0) / precision.sum(axis=0)
    scale = np.median(effects.se, axis=0) if reported.all() else np.nanmedian(effects.se, axis=0)
    blocks = () if alone.all() else make_blocks(effects.take(~alone))
    return Arranged(pairs, blocks, centre, scale, int(reported.sum()))


def stack(data: Sequence[Arranged]) -> Batch:
    """Stack data sets of one structure; those with fewer pairs are padded with pairs that add nothing."""
    b, most = len(data), max(one.pairs.shape[1] for one in data)
    padded, present = np.tile([[0.0], [0.0], [1.0], [0.0], [1.0]], (b, 1, most)), np.zeros((b, most))
    for i, one in enumerate(data):
        padded[i, :, : one.pairs.shape[1]] = one.pairs
        present[i, : one.pairs.shape[1]] = 1.0
    centre, scale = np.stack([one.centre for one in data]), np.stack([one.scale for one in data])
    y1, y2, s11, s12, s22 = padded.swapaxes(0, 1)
    y1, y2 = y1 - centre[:, [0]], y2 - centre[:, [1]]
    determinant = np.stack([s11 * s22 - s12**2, s22, s11, -2 * s12, np.ones_like(s11)], axis=2) * present[..., None]
    determinant[..., 0] += 1.0 - present
    quadratic = y1 * y1 * s22 - 2 * y1 * y2 * s12 + y2 * y2 * s11
    moments = np.stack(
        [np.ones_like(s11), s11, s12, s22, y1, y2, y1 * y1, y1 * y2, y2 * y2, s22 * y1 - s12 * y2, s11 * y2 - s12 * y1, quadratic],
        axis=1,
    ) * present[:, None]  # fmt: skip
    blocks = []
    for same in zip(*(one.blocks for one in data), strict=True):
        y = np.stack([block.y - block.design @ c for block, c in zip(same, centre, strict=True)])
        blocks.append(replace(same[0], y=y, sampling=np.stack([block.sampling for block in same])))
    return Batch(determinant, moments, tuple(blocks), centre, scale, np.array([float(one.size) for one in data]))


@dataclass(frozen=True, eq=False)
class Table:
    """Posterior of ``b`` data sets on their grids; ``n1, n2, n3`` nodes of tau_surrogate, tau_final, rho_between.

    Parameters
    ----------
    low, high : (b, 3) array
        The boxes, in the coordinates (asinh(tau / scale), asinh(tau / scale), v).
    tau_surrogate, tau_final, rho_between : (b, n) arrays
        Nodes.
    weight : (b, n1, n2, n3) array
        Posterior mass of every node; sums to 1.
    log_density : (b, n1, n2, n3) array
        Log posterior density with the box stretched to [-1, 1]^3.
    mean : (b, 2, n1, n2, n3) array
        Posterior mean of mu at every node.
    covariance : (b, 3, n1, n2, n3) array
        Posterior (v11, v12, v22) of mu at every node.
    log_evidence : (b,) array
        Log marginal likelihood.
    scale : (b, 2) array
    rho_map : RhoMap
    """

    low: FloatArray
    high: FloatArray
    tau_surrogate: FloatArray
    tau_final: FloatArray
    rho_between: FloatArray
    weight: FloatArray
    log_density: FloatArray
    mean: FloatArray
    covariance: FloatArray
    log_evidence: FloatArray
    scale: FloatArray
    rho_map: RhoMap

    def __len__(self) -> int:
        return len(self.log_evidence)

    def take(self, index: slice) -> Table:
        """Some of the data sets."""
        return replace(self, **{name: getattr(self, name)[index] for name in _ARRAYS})

    @classmethod
    def join(cls, tables: Sequence[Table]) -> Table:
        """Tables of the same grid and map as one."""
        if len(tables) == 1:
            return tables[0]
        return replace(tables[0], **{name: np.concatenate([getattr(table, name) for table in tables]) for name in _ARRAYS})


_ARRAYS = tuple(name for name in Table.__dataclass_fields__ if name != "rho_map")


@dataclass(frozen=True)
class RhoMap:
    """Coordinate of rho_between: stretched towards -1 and 1, or arccos where the prior diverges at an end."""

    low: float
    high: float
    arc: bool

    @classmethod
    def for_prior(cls, prior: CorrelationPrior) -> RhoMap:
        """Choose the map that leaves the integrand smooth."""
        return cls(prior.low, prior.high, isinstance(prior, Beta) and min(prior.a, prior.b) < 1)

    def coordinate(self, rho: FloatArray | float) -> FloatArray:
        """Return v at rho."""
        rho = np.clip(rho, self.low, self.high)
        if self.arc:
            return np.asarray(np.arccos(np.clip(1 - 2 * (rho - self.low) / (self.high - self.low), -1, 1)))
        return np.asarray(np.arctanh(STRETCH * rho))

    def rho(self, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return rho and log d rho / d v at v."""
        if self.arc:
            half = (self.high - self.low) / 2
            return self.low + half * (1 - np.cos(v)), np.log(np.maximum(half * np.sin(v), 1e-300))
        t = np.tanh(v)
        return np.clip(t / STRETCH, self.low, self.high), np.log((1 - t**2) / STRETCH)


def integrate(batch: Batch, priors: Priors, nodes: tuple[int, int, int] = NODES) -> Table:
    """Tabulate the posterior on a box that holds all of its mass.

    Parameters
    ----------
    batch : Batch
    priors : Priors
    nodes : tuple of int
        Gauss-Legendre nodes of tau_surrogate, tau_final, rho_between.
    """
    rho_map = RhoMap.for_prior(priors.rho_between)
    outer = _support(batch, priors, rho_map)
    boxes = [_find_box(part, priors, rho_map, low, high) for part, low, high in _chunks(batch, COARSE**3, *outer)]
    low, high = (np.concatenate(ends) for ends in zip(*boxes, strict=True))
    parts = _chunks(batch, int(np.prod(nodes)), low, high, *outer)
    return Table.join([_integrate(part, priors, rho_map, nodes, *ends) for part, *ends in parts])


def _chunks(batch: Batch, points: int, *ends: FloatArray) -> list[tuple[Any, ...]]:
    """Cut a batch, and what goes along with it, into parts that stay in the cache."""
    step = max(1, CELLS // (points * max(batch.determinant.shape[1], 13)))
    cuts = [slice(i, i + step) for i in range(0, len(batch), step)]
    return [(batch.take(cut), *(end[cut] for end in ends)) for cut in cuts]


def _integrate(
    batch: Batch,
    priors: Priors,
    rho_map: RhoMap,
    nodes: tuple[int, int, int],
    low: FloatArray,
    high: FloatArray,
    outer_low: FloatArray,
    outer_high: FloatArray,
) -> Table:
    """Tabulate on a box, widened where there is mass at its edge."""
    rules = [rule(n) for n in nodes]
    for _ in range(6):
        half = (high - low) / 2
        points = [low[:, [a]] + half[:, [a]] * (1 + rules[a][0]) for a in range(3)]
        at = _evaluate(batch, priors, rho_map, points)
        top = at.log_density.max(axis=(1, 2, 3))
        density = np.exp(at.log_density - top[:, None, None, None])
        weight = density * rules[0][1][:, None, None] * rules[1][1][:, None] * rules[2][1]
        # the outermost layer of nodes must be far below the maximum, unless the box ends where the domain does
        below, above = np.zeros((len(batch), 3), dtype=np.bool_), np.zeros((len(batch), 3), dtype=np.bool_)
        for a in range(3):
            layer = density.max(axis=tuple(1 + other for other in range(3) if other != a))
            below[:, a] = (layer[:, 0] > np.exp(-0.7 * DROP)) & (low[:, a] > outer_low[:, a])
            above[:, a] = (layer[:, -1] > np.exp(-0.7 * DROP)) & (high[:, a] < outer_high[:, a])
        if not (below.any() or above.any()):
            break
        low = np.where(below, np.maximum(low - half / 2, outer_low), low)
        high = np.where(above, np.minimum(high + half / 2, outer_high), high)
    total = weight.sum(axis=(1, 2, 3))
    weight /= total[:, None, None, None]
    log_density = at.log_density - (top + np.log(total))[:, None, None, None]
    log_evidence = top + np.log(total) + np.log(half).sum(axis=1)
    found = (at.tau[0], at.tau[1], at.rho, weight, log_density, at.mean, at.covariance)
    return Table(low, high, *found, log_evidence, batch.scale, rho_map)


def _support(batch: Batch, priors: Priors, rho_map: RhoMap) -> tuple[FloatArray, FloatArray]:
    """Ends of the domain in grid coordinates, (b, 3) each; tau as far as its prior can matter."""
    low, high = np.empty((len(batch), 3)), np.empty((len(batch), 3))
    for a, prior in enumerate((priors.tau_surrogate, priors.tau_final)):
        low[:, a] = np.arcsinh(getattr(prior, "low", 0.0) / batch.scale[:, a])
        high[:, a] = np.arcsinh(prior.reach(DROP) / batch.scale[:, a])
    low[:, 2], high[:, 2] = rho_map.coordinate(rho_map.low), rho_map.coordinate(rho_map.high)
    return low, high


def _find_box(
    batch: Batch, priors: Priors, rho_map: RhoMap, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Box that holds every point within ``DROP`` of the maximum: look at a coarse grid, zoom in, look again."""
    steps = np.linspace(0, 1, COARSE)
    rows = np.arange(len(batch))
    for _ in range(8):
        width = high - low
        points = [low[:, [a]] + width[:, [a]] * steps for a in range(3)]
        log_density = _evaluate(batch, priors, rho_map, points, moments=False).log_density
        limit = log_density.max(axis=(1, 2, 3)) - DROP
        new_low, new_high = low.copy(), high.copy()
        for a in range(3):
            profile = log_density.max(axis=tuple(1 + other for other in range(3) if other != a))
            inside = profile > limit[:, None]
            first, last = inside.argmax(axis=1), COARSE - 1 - inside[:, ::-1].argmax(axis=1)
            for found, edge, outwards in ((first, new_low, -1), (last, new_high, 1)):
                beyond = np.clip(found + outwards, 0, COARSE - 1)
                at, out = profile[rows, found], profile[rows, beyond]
                # where a straight line would cross the limit, and a quarter of a cell more, as the profile is concave
                share = np.where(np.isfinite(out) & (out < at), (at - limit) / np.maximum(at - out, 1e-12) + 0.25, 1.0)
                x = points[a]
                edge[:, a] = x[rows, found] + np.minimum(share, 1.0) * (x[rows, beyond] - x[rows, found])
        low, high = new_low, new_high
        if np.all(high - low > 0.7 * width):
            break
    return low, high


@dataclass(frozen=True, eq=False)
class _Evaluation:
    log_density: FloatArray
    mean: FloatArray
    covariance: FloatArray
    tau: tuple[FloatArray, FloatArray]
    rho: FloatArray


def _evaluate(
    batch: Batch, priors: Priors, rho_map: RhoMap, points: Sequence[FloatArray], *, moments: bool = True
) -> _Evaluation:
    """Log posterior density in grid coordinates, and mean and covariance of mu, at every point of a product grid."""
    u1, u2, v = points
    b, shape = len(batch), (len(batch), u1.shape[1], u2.shape[1], v.shape[1])
    tau1, tau2 = (batch.scale[:, [a]] * np.sinh(points[a]) for a in (0, 1))
    rho, log_slope = rho_map.rho(v)
    log_prior1 = priors.tau_surrogate.log_density(tau1) + np.log(batch.scale[:, [0]] * np.cosh(u1))
    log_prior2 = priors.tau_final.log_density(tau2) + np.log(batch.scale[:, [1]] * np.cosh(u2))
    log_prior3 = priors.rho_between.log_density(rho) + log_slope
    log_prior = log_prior1[:, :, None, None] + log_prior2[:, None, :, None] + log_prior3[:, None, None, :]
    t1, t2, r = tau1[:, :, None, None], tau2[:, None, :, None], rho[:, None, None, :]
    a, d, c = (np.broadcast_to(part, shape).reshape(b, -1) for part in (t1**2, t2**2, r * t1 * t2))
    last = np.broadcast_to((t1 * t2) ** 2 * (1 - r) * (1 + r), shape).reshape(b, -1)

    det = batch.determinant @ np.stack([np.ones_like(a), a, d, c, last], axis=1)
    log_det = np.zeros_like(a)
    for start in range(0, det.shape[1], PRODUCT):
        log_det += np.log(np.multiply.reduce(det[:, start : start + PRODUCT], axis=1))
    one, s11, s12, s22, y1, y2, y11, y12, y22, c1, c2, q = (batch.moments @ np.reciprocal(det, out=det)).swapaxes(0, 1)
    p11, p12, p22 = s22 + d * one, -(s12 + c * one), s11 + a * one
    h1, h2 = c1 + d * y1 - c * y2, c2 + a * y2 - c * y1
    quadratic = q + d * y11 - 2 * c * y12 + a * y22
    for block in batch.blocks:
        more = _block_sums(block, np.stack([a, c, d]))
        log_det += more[0]
        p11, p12, p22, h1, h2, quadratic = (x + y for x, y in zip((p11, p12, p22, h1, h2, quadratic), more[1:], strict=True))
    prior_precision = priors.mu.sd**-2.0
    offset = priors.mu.mean - batch.centre
    p11, p22 = p11 + prior_precision, p22 + prior_precision
    h1, h2 = h1 + prior_precision * offset[:, [0]], h2 + prior_precision * offset[:, [1]]
    quadratic = quadratic + prior_precision * (offset**2).sum(axis=1, keepdims=True)
    det_p = p11 * p22 - p12 * p12
    mean = np.stack([p22 * h1 - p12 * h2, p11 * h2 - p12 * h1], axis=1) / det_p[:, None]
    log_likelihood = -0.5 * (log_det + np.log(det_p) + quadratic - h1 * mean[:, 0] - h2 * mean[:, 1])
    log_likelihood += np.log(prior_precision) - 0.5 * batch.size[:, None] * np.log(2 * np.pi)
    log_density = log_likelihood.reshape(shape) + log_prior
    if not moments:
        return _Evaluation(log_density, mean, mean, (tau1, tau2), rho)
    covariance = np.stack([p22, -p12, p11], axis=1) / det_p[:, None]
    mean = (mean + batch.centre[:, :, None]).reshape(b, 2, *shape[1:])
    return _Evaluation(log_density, mean, covariance.reshape(b, 3, *shape[1:]), (tau1, tau2), rho)


def _block_sums(block: Blocks, psi: FloatArray) -> tuple[FloatArray, ...]:
    """Log det V, the three sums of X'WX, the two of X'Wy, and y'Wy of blocks of m x m over a grid.

    The Cholesky factor and the whitened columns (X1, X2, y) are found element by element, each an array over data sets,
    blocks and grid points: ``(b, g, points)``.
    """
    m = block.y.shape[-1]
    factor: dict[tuple[int, int], FloatArray] = {}
    columns: list[list[FloatArray]] = [[], [], []]
    log_det = np.zeros(1)
    for i in range(m):
        for j in range(i + 1):
            value = block.sampling[:, :, i, j, None] + np.einsum("xg,xbp->bgp", block.pattern[:, :, i, j], psi)
            for n in range(j):
                value = value - factor[i, n] * factor[j, n]
            factor[i, j] = np.sqrt(value) if i == j else value / factor[j, j]
        log_det = log_det + 2 * np.log(factor[i, i])
        for column, raw in zip(columns, (block.design[:, i, 0], block.design[:, i, 1], block.y[:, :, i]), strict=True):
            value = raw[..., None] if raw.ndim == 2 else raw[None, :, None]
            for n in range(i):
                value = value - factor[i, n] * column[n]
            column.append(value / factor[i, i])
    x1, x2, y = columns

    def product(one: list[FloatArray], other: list[FloatArray]) -> FloatArray:
        return np.asarray(sum((p * q).sum(axis=1) for p, q in zip(one, other, strict=True)))

    return log_det.sum(axis=1), product(x1, x1), product(x1, x2), product(x2, x2), product(x1, y), product(x2, y), product(y, y)
