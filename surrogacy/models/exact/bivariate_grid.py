"""Posterior of the bivariate model as a table over (tau_surrogate, tau_final, rho_between), without sampling.

    y_i ~ N2(theta_i, S_i),   theta_i ~ N2(mu, T),   mu ~ N2(m0, diag(sd0^2))

theta and mu are integrated analytically. The remaining integrand is an analytic function on the closed set
[0, inf)^2 x [-1, 1], because V_i = S_i + T is positive definite on its boundary too. A Gauss-Legendre product rule on a
box that contains all of the mass therefore converges geometrically, also where the mass touches the boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.box_quadrature import COARSE, DROP, find_box, integrate_box
from surrogacy.models.exact.likelihood_sums import Batch, sums
from surrogacy.models.priors import Beta, CorrelationPrior, Normal, PositivePrior, Uniform

NODES = (14, 14, 16)
STRETCH = float(np.tanh(1.5))  # rho = tanh(v) / STRETCH: nodes are denser near -1 and 1
BEYOND = 10.0  # end of the search for an SD, in units of the largest distance of an effect from the mean
CELLS = 200_000  # size of the largest array processed at once, so that it stays in the cache


@dataclass(frozen=True)
class Priors:
    """Priors of the bivariate model.

    Parameters
    ----------
    tau_surrogate, tau_final : HalfNormal, HalfStudentT or Uniform
    rho_between : Uniform or Beta
        Within [-1, 1].
    mu : Normal
        Prior of each mean effect; the two are independent.
    """

    tau_surrogate: PositivePrior
    tau_final: PositivePrior
    rho_between: CorrelationPrior
    mu: Normal


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
    rho_map: RhoMap = field(kw_only=True)

    def __len__(self) -> int:
        return len(self.log_evidence)

    def at(self, axis: int, t: FloatArray) -> FloatArray:
        """Values of tau_surrogate, tau_final or rho_between, (b, n), at points of an axis of the box, [-1, 1]."""
        coordinate = self.low[:, [axis]] + (self.high - self.low)[:, [axis]] * (t + 1) / 2
        return self.rho_map.rho(coordinate)[0] if axis == 2 else self.scale[:, [axis]] * np.sinh(coordinate)

    def take(self, index: slice) -> Table:
        """Part of the data sets."""
        return self._with_arrays([getattr(self, name)[index] for name in _ARRAYS])

    @classmethod
    def join(cls, tables: Sequence[Table]) -> Table:
        """Join tables of the same grid and map into one."""
        if len(tables) == 1:
            return tables[0]
        return tables[0]._with_arrays([np.concatenate([getattr(table, name) for table in tables]) for name in _ARRAYS])

    def _with_arrays(self, arrays: Sequence[FloatArray]) -> Table:
        return Table(*arrays, rho_map=self.rho_map)


_ARRAYS = tuple(name for name in Table.__dataclass_fields__ if name != "rho_map")


@dataclass(frozen=True)
class RhoMap:
    """Coordinate of rho_between: stretched towards -1 and 1, or arccos where the prior diverges at an end."""

    low: float
    high: float
    arc: bool

    @classmethod
    def for_prior(cls, prior: CorrelationPrior) -> RhoMap:
        """Choose the map for which the integrand is smooth."""
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


def integrate(
    batch: Batch, priors: Priors, nodes: tuple[int, int, int] = NODES, box: tuple[FloatArray, FloatArray] | None = None
) -> Table:
    """Tabulate the posterior on a box that contains all of its mass.

    Parameters
    ----------
    batch : Batch
    priors : Priors
    nodes : tuple of int
        Gauss-Legendre nodes of tau_surrogate, tau_final, rho_between.
    box : pair of (b, 3) arrays, optional
        Box of another table of the same posteriors. Default: it is searched for.
    """
    rho_map = RhoMap.for_prior(priors.rho_between)
    domain = _support(batch, priors, rho_map)
    low, high = _boxes(batch, priors, rho_map, domain) if box is None else box
    tables = []
    for part, *ends in _chunks(batch, int(np.prod(nodes)), low, high, *domain):
        evaluate = partial(_evaluate, part, priors, rho_map)
        integral = integrate_box(evaluate, nodes, (ends[0], ends[1]), (ends[2], ends[3]))
        tau1, tau2, rho, mean, covariance = integral.extra
        arrays = tau1, tau2, rho, integral.weight, integral.log_density, mean, covariance, integral.log_total
        tables.append(Table(integral.low, integral.high, *arrays, part.scale, rho_map=rho_map))
    return Table.join(tables)


def _boxes(
    batch: Batch, priors: Priors, rho_map: RhoMap, domain: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Boxes that contain all of the mass of each posterior."""
    boxes = []
    for part, *outer in _chunks(batch, COARSE**3, *domain):
        evaluate = partial(_evaluate, part, priors, rho_map)
        boxes.append(find_box(lambda points, evaluate=evaluate: evaluate(points)[0], *outer))  # type: ignore[misc]
    low, high = (np.concatenate(ends) for ends in zip(*boxes, strict=True))
    return low, high


def _chunks(batch: Batch, points: int, *ends: FloatArray) -> list[tuple[Any, ...]]:
    """Split a batch and its ends into parts that stay in the cache."""
    step = max(1, CELLS // (points * max(batch.determinant.shape[1], 13)))
    cuts = [slice(i, i + step) for i in range(0, len(batch), step)]
    return [(batch.take(cut), *(end[cut] for end in ends)) for cut in cuts]


def search_limit(prior: PositivePrior, spread: FloatArray) -> FloatArray:
    """Upper limit of the search for an SD: that of a bounded prior, else a value far beyond the effects."""
    if isinstance(prior, Uniform):
        return np.full(np.shape(spread), prior.high)
    return np.maximum(prior.reach(DROP), BEYOND * np.asarray(spread))


def _support(batch: Batch, priors: Priors, rho_map: RhoMap) -> tuple[FloatArray, FloatArray]:
    """Ends of the domain in grid coordinates, (b, 3) each."""
    low, high = np.empty((len(batch), 3)), np.empty((len(batch), 3))
    for a, prior in enumerate((priors.tau_surrogate, priors.tau_final)):
        low[:, a] = np.arcsinh(getattr(prior, "low", 0.0) / batch.scale[:, a])
        high[:, a] = np.arcsinh(search_limit(prior, batch.spread[:, a]) / batch.scale[:, a])
    low[:, 2], high[:, 2] = rho_map.coordinate(rho_map.low), rho_map.coordinate(rho_map.high)
    return low, high


def _evaluate(
    batch: Batch, priors: Priors, rho_map: RhoMap, points: list[FloatArray]
) -> tuple[FloatArray, tuple[FloatArray, ...]]:
    """Log posterior density on a product grid, with both tau, rho, and the mean and covariance of mu.

    Given T, mu is normal with precision P = sum V^-1 + P0 and mean P^-1 h, h = sum V^-1 y + P0 m0. Integrating mu out
    leaves the factor |P0|^1/2 |P|^-1/2 exp(h' P^-1 h / 2).
    """
    u1, u2, v = points
    b, shape = len(batch), (len(batch), u1.shape[1], u2.shape[1], v.shape[1])
    tau1, tau2 = (batch.scale[:, [a]] * np.sinh(points[a]) for a in (0, 1))
    rho, log_slope = rho_map.rho(v)
    log_prior1 = priors.tau_surrogate.log_density(tau1) + np.log(batch.scale[:, [0]] * np.cosh(u1))
    log_prior2 = priors.tau_final.log_density(tau2) + np.log(batch.scale[:, [1]] * np.cosh(u2))
    log_prior3 = priors.rho_between.log_density(rho) + log_slope
    log_prior = log_prior1[:, :, None, None] + log_prior2[:, None, :, None] + log_prior3[:, None, None, :]
    t1, t2, r = tau1[:, :, None, None], tau2[:, None, :, None], rho[:, None, None, :]
    parts = t1**2, r * t1 * t2, t2**2, (t1 * t2) ** 2 * (1 - r) * (1 + r)
    s = sums(batch, *(np.broadcast_to(part, shape).reshape(b, -1) for part in parts))
    precision = priors.mu.sd**-2.0
    offset = priors.mu.mean - batch.centre
    p11, p22 = s.p11 + precision, s.p22 + precision
    h1, h2 = s.h1 + precision * offset[:, [0]], s.h2 + precision * offset[:, [1]]
    det = p11 * p22 - s.p12 * s.p12
    mean = np.stack([p22 * h1 - s.p12 * h2, p11 * h2 - s.p12 * h1], axis=1) / det[:, None]
    quadratic = s.quadratic + precision * (offset**2).sum(axis=1, keepdims=True) - h1 * mean[:, 0] - h2 * mean[:, 1]
    log_likelihood = np.log(precision) - 0.5 * (
        batch.size[:, None] * np.log(2 * np.pi) + s.log_det + np.log(det) + quadratic
    )
    covariance = (np.stack([p22, -s.p12, p11], axis=1) / det[:, None]).reshape(b, 3, *shape[1:])
    mean = (mean + batch.centre[:, :, None]).reshape(b, 2, *shape[1:])
    return log_likelihood.reshape(shape) + log_prior, (tau1, tau2, rho, mean, covariance)
