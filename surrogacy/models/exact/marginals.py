"""Marginal distributions of a tabulated posterior by integration along one axis.

Log densities are nearly parabolas. They are interpolated between Gauss-Legendre nodes, and the density is integrated on
a fine grid. For a function of several parameters (slope, sigma_cond) the integration is along an axis on which the
event "below q" is an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.box_quadrature import DROP, rule
from surrogacy.models.priors import CorrelationPrior, PositivePrior
from surrogacy.stats.roots import increasing_root

FINE = 161  # points of a tabulated distribution function, which is interpolated between them
ALONG = 97  # points along each of many lines
FINELY = 56  # nodes of an axis along which an event has a steep end
ACROSS = (1.25, 4 / 3)  # nodes of tau_final and, on each side of 0, of rho, per node of a table, for the slope
SHORT = 65  # points along each of the lines of the slope
SIDE = 0.75  # nodes of rho on each side of 0, for the intercept, per node of the table
FLOOR = 40.0  # log units below the maximum to which a log density is raised before it is interpolated
LAST_SEAM = 0.9  # largest distance of a division from the middle of an axis of [-1, 1]
NEGLIGIBLE = 1e-7  # share of the largest mass below which a line is ignored


@cache
def _interpolant(n: int) -> FloatArray:
    """(n, n) matrix from values at n Gauss-Legendre nodes to the Legendre coefficients of their polynomial."""
    nodes, weights = rule(n)
    return np.asarray((np.arange(n) + 0.5)[:, None] * (legendre.legvander(nodes, n - 1) * weights[:, None]).T)


def interpolation(n: int, points: FloatArray) -> FloatArray:
    """(points, n) matrix from values at n Gauss-Legendre nodes to their polynomial at points of [-1, 1]."""
    return np.asarray(legendre.legvander(points, n - 1) @ _interpolant(n))


@cache
def to_nodes(n: int, m: int) -> FloatArray:
    """(m, n) matrix from values at n Gauss-Legendre nodes to their polynomial at m such nodes."""
    return interpolation(n, rule(m)[0])


@cache
def to_even(n: int, points: int) -> FloatArray:
    """(points, n) matrix from values at n Gauss-Legendre nodes to their polynomial at even points."""
    return interpolation(n, np.linspace(-1, 1, points))


def cumulate(log_density: FloatArray, points: int = FINE) -> FloatArray:
    """Distribution functions on even points of [-1, 1] from log densities at Gauss-Legendre nodes, (..., n).

    The log density is interpolated, as it is nearly a parabola, and the density is integrated by the trapezoidal rule
    with the derivatives at both ends (Euler-Maclaurin). The result is not normalised.
    """
    density = log_density @ to_even(log_density.shape[-1], points).T
    np.exp(np.minimum(density, 50.0, out=density), out=density)
    density *= 2 / (points - 1)
    change = np.empty_like(density)
    np.subtract(density[..., 2:], density[..., :-2], out=change[..., 1:-1])
    change[..., 0], change[..., -1] = 2 * (density[..., 1] - density[..., 0]), 2 * (density[..., -1] - density[..., -2])
    area = np.cumsum(density, axis=-1)
    density += density[..., :1]
    density /= 2
    area -= density  # the trapezoidal rule: half of the first and of the last density
    change -= change[..., :1].copy()
    change /= 24
    area -= change
    return area


def floored(log_density: FloatArray) -> FloatArray:
    """Log densities, (b, ...), of at least ``FLOOR`` below the maximum of each data set.

    At a correlation of -1 or 1 a log density may lie thousands below its maximum; the polynomial through such nodes
    would oscillate where the mass is.
    """
    axes = tuple(range(1, log_density.ndim))
    return np.maximum(log_density, log_density.max(axis=axes, keepdims=True) - FLOOR)


def from_masses(mass: FloatArray) -> FloatArray:
    """Distribution functions on FINE even points of [-1, 1] from masses at Gauss-Legendre nodes, (b, n)."""
    cdf = cumulate(floored(np.log(np.maximum(mass, 1e-300) / rule(mass.shape[1])[1])))
    return np.maximum.accumulate(cdf / cdf[:, -1:], axis=1)


def interval_mass(lines: FloatArray, t: FloatArray) -> FloatArray:
    """Mass below ``t`` on every line, summed; cubic interpolation.

    Parameters
    ----------
    lines : (l, points) array
        Distribution function along each line, not normalised.
    t : (q, l) array
        Upper ends in [-1, 1].
    """
    last = lines.shape[1] - 1
    position = np.maximum(np.minimum((t + 1) * (last / 2), last - 1e-6), 0)
    cell = position.astype(np.intp)
    position -= cell
    at, values = cell + np.arange(0, lines.size, last + 1), lines.ravel()
    left, right = values.take(at), values.take(at + 1)
    rise = right - left
    # the derivatives at both ends of a cell are central differences; one-sided at the ends of a line
    slope_left = np.where(cell > 0, (right - values.take(at - 1)) / 2, rise)
    slope_right = np.where(cell < last - 1, (values.take(at + 2, mode="clip") - left) / 2, rise)
    bend = (1 - position) * (slope_left - rise) - position * (slope_right - rise)
    return np.asarray((left + position * (rise + (1 - position) * bend)).sum(axis=1))


def invert(
    cdf: Callable[[FloatArray], FloatArray], p: npt.ArrayLike, values: FloatArray, weight: FloatArray
) -> FloatArray:
    """Solve ``cdf(x) = p`` for a few p at once; the search begins near the quantiles of the nodes.

    Parameters
    ----------
    cdf : callable
        Function of (q,) values that returns (q,) probabilities.
    p : (q,) array-like
    values, weight : (n,) arrays
        Values and masses of the nodes.
    """
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)
    margin = 0.3 * p * (1 - p)
    low, high = np.interp([p - margin, p + margin], np.cumsum(weight[order]), values[order])
    z = ndtri(p)

    def excess(x: FloatArray) -> FloatArray:
        # nearly linear in x, unlike the probability
        return np.asarray(ndtri(np.minimum(np.maximum(cdf(x), 1e-12), 1 - 1e-12)) - z)

    return increasing_root(excess, low, high)


def parameter(table: Table, share: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
    """Tabulated distribution function of tau_surrogate, tau_final or rho_between.

    Parameters
    ----------
    table : Table
        Components of one posterior.
    share : (b,) array
        Masses of the components.
    name : str

    Returns
    -------
    values, probabilities : (m,) arrays
        Both increasing.
    """
    axis = ("tau_surrogate", "tau_final", "rho_between").index(name)
    mass = table.weight.sum(axis=tuple(1 + a for a in range(3) if a != axis))
    cdf = from_masses(mass)
    t = np.linspace(-1, 1, FINE)
    coordinate = table.low[:, [axis]] + (table.high - table.low)[:, [axis]] * (t + 1) / 2
    values = table.rho_map.rho(coordinate)[0] if axis == 2 else table.scale[:, [axis]] * np.sinh(coordinate)
    if len(table) == 1:
        return values[0], cdf[0]
    grid = np.unique(values)
    return grid, np.asarray(
        sum(s * np.interp(grid, x, f, left=0, right=1) for s, x, f in zip(share, values, cdf, strict=True))
    )


def density(distribution: Callable[[FloatArray], FloatArray], x: npt.ArrayLike, width: float) -> FloatArray:
    """Density by central differences of a distribution function, over 1% of the width of a 95% interval."""
    at, step = np.asarray(x, dtype=np.float64), width / 200
    return (distribution(at + step) - distribution(at - step)) / (2 * step)


def quantiles_of(tabulated: tuple[FloatArray, FloatArray], p: Sequence[float] | FloatArray) -> FloatArray:
    """Quantiles from a tabulated distribution function."""
    values, probabilities = tabulated
    return np.interp(p, probabilities, values)


def folded(tabulated: tuple[FloatArray, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Distribution function of the absolute value."""
    values, probabilities = tabulated
    grid = np.unique(np.abs(np.append(values, 0.0)))
    upper = np.interp(grid, values, probabilities, left=0, right=1)
    return grid, upper - np.interp(-grid, values, probabilities, left=0, right=1)


def sigma_cond(table: Table, share: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Distribution function of ``sigma_cond = tau_final sqrt(1 - rho^2)`` by integration along tau_final."""
    n1, _, n3 = table.weight.shape[1:]
    mass = np.einsum("bijk,i->bkj", np.exp(table.log_density), rule(n1)[1])
    plane = floored(np.log(np.maximum(mass, 1e-300)))
    for m in (max(FINELY, n3), n3):
        lines = cumulate(to_nodes(n3, m) @ plane, ALONG) * (rule(m)[1][:, None] * share[:, None, None])
        if _holds(lines):
            break
    root = np.sqrt(np.maximum(1 - table.rho_map.rho(_nodes(table, 2, m))[0] ** 2, 1e-300))
    low, width = table.low[:, [1]], (table.high - table.low)[:, [1]]
    total = lines[..., -1].sum()

    def cdf(x: FloatArray) -> FloatArray:
        t = 2 * (np.arcsinh(np.maximum(x, 0)[:, None, None] / root / table.scale[:, [1]]) - low) / width - 1
        return interval_mass(lines.reshape(-1, ALONG), t.reshape(len(x), -1)) / total

    return cdf


def slope(table: Table, share: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Distribution function of ``slope = rho tau_final / tau_surrogate`` by integration along tau_surrogate.

    For x > 0 the slope exceeds x if rho > 0 and ``tau_surrogate < rho tau_final / x``; for x < 0 it is below x if
    rho < 0 and ``tau_surrogate < rho tau_final / x``. The mass is a smooth function of tau_final, and of rho on both
    sides of rho = 0, where its axis is divided.
    """
    n1, n2, n3 = table.weight.shape[1:]
    m2 = round(ACROSS[0] * n2)
    t, weight = _divided(table, round(ACROSS[1] * n3))
    dense = to_nodes(n2, m2) @ _at_rho(floored(table.log_density), t)
    mass = np.einsum("bijk,i->bjk", np.exp(np.minimum(dense, 50.0)), rule(n1)[1])
    mass *= share[:, None, None] * rule(m2)[1][:, None] * weight[:, None, :]
    heavy = np.nonzero(mass > NEGLIGIBLE * mass.max())
    component, along_final, along_rho = heavy
    lines = cumulate(dense[component, :, along_final, along_rho], SHORT)
    lines *= (mass[heavy] / lines[:, -1])[:, None]
    tau_final = table.scale[:, [1]] * np.sinh(_nodes(table, 1, m2))
    product = _rho(table, t)[component, along_rho] * tau_final[component, along_final]
    scale, low = table.scale[component, 0], table.low[component, 0]
    width = table.high[component, 0] - low
    total = lines[:, -1].sum()

    def cdf(x: FloatArray) -> FloatArray:
        x = np.where(x == 0, 1e-12, x)
        ends = np.arcsinh(product / x[..., None] / scale)
        inside = interval_mass(lines, 2 * (ends - low) / width - 1) / total
        return np.where(x > 0, 1 - inside, inside)

    return cdf


def _holds(lines: FloatArray) -> bool:
    """Return whether the total mass is 1; a log density that falls by hundreds may oscillate between too few nodes."""
    return bool(abs(lines[..., -1].sum() - 1) < 0.02)


def _nodes(table: Table, axis: int, n: int) -> FloatArray:
    """(b, n) Gauss-Legendre nodes of an axis in grid coordinates."""
    half = (table.high - table.low)[:, [axis]] / 2
    return np.asarray(table.low[:, [axis]] + half * (1 + rule(n)[0]))


def slope_prior(
    tau_surrogate: PositivePrior, tau_final: PositivePrior, rho_between: CorrelationPrior
) -> Callable[[FloatArray], FloatArray]:
    """Prior distribution function of the slope, with rho_between in closed form and both tau on a grid."""
    masses, midpoints = [], []
    for prior in (tau_surrogate, tau_final):
        edges = np.append(0.0, np.geomspace(prior.reach(0.0) * 1e-4, prior.reach(DROP), 160))
        masses.append(np.diff(prior.cdf(edges)))
        midpoints.append((edges[1:] + edges[:-1]) / 2)
    weight = np.multiply.outer(*masses).ravel()
    ratio = (midpoints[0][:, None] / midpoints[1]).ravel()
    # one value after the other: all at once would take 200 kB per value
    return lambda x: np.reshape([rho_between.cdf(value * ratio) @ weight for value in np.ravel(x)], np.shape(x))


def finer(table: Table) -> Table:
    """Table whose axis of rho is divided at 0, with denser nodes of tau_surrogate near 0, if tau_surrogate may be 0.

    As tau_surrogate approaches 0 the slope grows without limit, and the intercept, mu_final - slope mu_surrogate,
    becomes discontinuous at rho = 0.
    """
    n1, n2, n3 = table.weight.shape[1:]
    t, weight = _divided(table, round(SIDE * n3))
    if (table.low[:, 0] > 0).all() or t.shape[1] == round(SIDE * n3):
        return table
    nodes, weights = rule(n1)
    root = (1 + nodes) / 2
    u, weight_u = 2 * root**2 - 1, 2 * root * weights
    to_u = interpolation(n1, u)

    def interpolated(values: FloatArray) -> FloatArray:
        # (b, ..., n1, n2, n3)
        at = _at_rho(values, t)
        return (to_u @ at.reshape(*at.shape[:-3], n1, -1)).reshape(*at.shape[:-3], len(u), *at.shape[-2:])

    log_density = interpolated(floored(table.log_density))
    mass = np.exp(np.minimum(log_density, 50.0)) * np.multiply.outer(weight_u, rule(n2)[1])[:, :, None]
    mass *= weight[:, None, None, :]
    mean, covariance = interpolated(table.mean), interpolated(table.covariance)
    v11, v12, v22 = covariance[:, 0], covariance[:, 1], covariance[:, 2]
    indefinite = (v11 <= 0) | (v22 <= 0) | (v12 * v12 > v11 * v22)
    if np.abs(mass.sum(axis=(1, 2, 3)) - 1).max() > 1e-3 or (mass * indefinite).sum() > 1e-6:
        return table  # too few nodes for the interpolation
    tau = table.scale[:, [0]] * np.sinh(table.low[:, [0]] + (table.high - table.low)[:, [0]] * (u + 1) / 2)
    return replace(
        table,
        tau_surrogate=tau,
        rho_between=_rho(table, t),
        weight=mass,
        log_density=log_density,
        mean=mean,
        covariance=covariance,
    )


def _divided(table: Table, n: int) -> tuple[FloatArray, FloatArray]:
    """Nodes of rho in [-1, 1] and their weights, (b, n), or (b, 2 n) if the axis is divided at rho = 0."""
    nodes, weights = rule(n)
    low, high = table.low[:, 2], table.high[:, 2]
    seam = 2 * (table.rho_map.coordinate(0.0) - low) / (high - low) - 1  # rho = 0 in [-1, 1]
    if (np.abs(seam) > LAST_SEAM).all():
        return np.tile(nodes, (len(table), 1)), np.tile(weights, (len(table), 1))
    left, right = ((1 + side * np.clip(seam, -LAST_SEAM, LAST_SEAM)[:, None]) / 2 for side in (1, -1))  # half lengths
    t = np.concatenate([-1 + left * (1 + nodes), 1 - right * (1 - nodes)], axis=1)
    return t, np.concatenate([left * weights, right * weights], axis=1)


def _at_rho(values: FloatArray, t: FloatArray) -> FloatArray:
    """Interpolate ``(b, ..., n)`` values at the nodes of rho; (b, ..., nodes)."""
    n = values.shape[-1]
    return np.stack(
        [
            (part.reshape(-1, n) @ interpolation(n, at).T).reshape(*part.shape[:-1], -1)
            for part, at in zip(values, t, strict=True)
        ]
    )


def _rho(table: Table, t: FloatArray) -> FloatArray:
    """Return rho at points of [-1, 1]."""
    low, high = table.low[:, [2]], table.high[:, [2]]
    return table.rho_map.rho(low + (high - low) * (t + 1) / 2)[0]
