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

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.box_quadrature import DROP, rule
from surrogacy.models.priors import CorrelationPrior, PositivePrior

FINE = 161  # points of a tabulated distribution function, which is interpolated between them
ALONG = 97  # points along each of many lines
UPSAMPLED = 28  # nodes of an axis along which an event has kinks or a steep end
FINELY = 56  # nodes of such an axis for higher accuracy
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
    density = np.exp(np.minimum(log_density @ to_even(log_density.shape[-1], points).T, 50.0))
    step = 2 / (points - 1)
    area = np.zeros_like(density)
    np.cumsum((density[..., 1:] + density[..., :-1]) * (step / 2), axis=-1, out=area[..., 1:])
    change = np.empty_like(density)
    change[..., 1:-1] = (density[..., 2:] - density[..., :-2]) / 2
    change[..., 0], change[..., -1] = density[..., 1] - density[..., 0], density[..., -1] - density[..., -2]
    return np.asarray(area - step / 12 * (change - change[..., :1]))


def from_masses(mass: FloatArray) -> FloatArray:
    """Distribution functions on FINE even points of [-1, 1] from masses at Gauss-Legendre nodes, (b, n)."""
    cdf = cumulate(np.log(np.maximum(mass, 1e-300) / rule(mass.shape[1])[1]))
    return np.maximum.accumulate(cdf / cdf[:, -1:], axis=1)


def interval_mass(lines: FloatArray, t: FloatArray) -> FloatArray:
    """Mass below ``t`` on every line, summed.

    Parameters
    ----------
    lines : (l, points) array
        Distribution function along each line, not normalised.
    t : (q, l) array
        Upper ends in [-1, 1].
    """
    last = lines.shape[1] - 1
    position = np.clip((t + 1) * last / 2, 0, last - 1e-6)
    cell = position.astype(np.intp)
    rows = np.arange(len(lines))
    left, right = lines[rows, cell], lines[rows, cell + 1]
    return np.asarray((left + (position - cell) * (right - left)).sum(axis=1))


def invert(cdf: Callable[[FloatArray], FloatArray], p: npt.ArrayLike, low: float, high: float) -> FloatArray:
    """Solve ``cdf(x) = p`` for a few p at once by false position with bisection.

    Parameters
    ----------
    cdf : callable
        Function of (q,) values that returns (q,) probabilities.
    p : (q,) array-like
    low, high : float
        First bracket; it is widened if it does not contain the solution.
    """
    p = np.asarray(p, dtype=np.float64)
    a, b = np.full(p.shape, low), np.full(p.shape, high)
    for _ in range(60):
        fa, fb = cdf(a) - p, cdf(b) - p
        width = b - a
        if np.all(fa <= 0) and np.all(fb >= 0):
            break
        a, b = np.where(fa > 0, a - width, a), np.where(fb < 0, b + width, b)
    width = b - a
    for step in range(60):
        share = np.clip(-fa / np.where(fb > fa, fb - fa, 1.0), 0.02, 0.98)
        x = a + (0.5 if step % 3 == 2 else share) * (b - a)
        f = cdf(x) - p
        below = f < 0
        a, fa = np.where(below, x, a), np.where(below, f, fa)
        b, fb = np.where(below, b, x), np.where(below, fb, f)
        if np.all((b - a < 1e-6 * width) | (np.abs(f) < 1e-6)):
            break
    return np.where(fa == fb, a, a + (b - a) * np.clip(-fa / np.where(fb > fa, fb - fa, 1.0), 0, 1))


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
    plane = np.log(np.maximum(np.einsum("bijk,i->bkj", np.exp(table.log_density), rule(n1)[1]), 1e-300))
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


def slope(table: Table, share: FloatArray, *, fine: bool = True) -> Callable[[FloatArray], FloatArray]:
    """Distribution function of ``slope = rho tau_final / tau_surrogate`` by integration along rho.

    As a function of both tau the integral has a kink where the slope is that of rho = -1 or 1. With ``fine`` the error
    is a few thousandths of an SD even if the mass is near the kink.
    """
    n1, n2, n3 = table.weight.shape[1:]
    b = len(table)
    m = FINELY if fine else UPSAMPLED
    for m1, m2 in ((max(m, n1), max(m, n2)), (n1, n2)):
        dense = (to_nodes(n1, m1) @ table.log_density.reshape(b, n1, -1)).reshape(b, m1, n2, n3)
        dense = to_nodes(n2, m2) @ dense
        weight = share[:, None, None] * rule(m1)[1][:, None] * rule(m2)[1]
        mass = weight * (np.exp(np.minimum(dense, 50.0)) @ rule(n3)[1])
        heavy = mass > NEGLIGIBLE * mass.max()
        lines = cumulate(dense[heavy], ALONG) * weight[heavy][:, None]
        if _holds(lines):
            break
    tau1, tau2 = (
        table.scale[:, [0]] * np.sinh(_nodes(table, 0, m1)),
        table.scale[:, [1]] * np.sinh(_nodes(table, 1, m2)),
    )
    ratio = (tau1[:, :, None] / tau2[:, None, :])[heavy]
    low, high = (np.broadcast_to(part[:, 2][:, None, None], heavy.shape)[heavy] for part in (table.low, table.high))
    total = lines[:, -1].sum()

    def cdf(x: FloatArray) -> FloatArray:
        return interval_mass(lines, 2 * (table.rho_map.coordinate(x[:, None] * ratio) - low) / (high - low) - 1) / total

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
    """Table with more nodes of rho, divided at rho = 0, if tau_surrogate may be 0.

    As tau_surrogate approaches 0 the intercept, mu_final - slope mu_surrogate, becomes discontinuous at rho = 0.
    """
    low, high = table.low[:, 2], table.high[:, 2]
    if (table.low[:, 0] > 0).all() or table.rho_map.arc:
        return table
    n1, n2, n3 = table.weight.shape[1:]
    nodes, weights = rule(n3)
    seam = np.clip(-(low + high) / (high - low), -0.9, 0.9)[:, None]  # rho = 0 in [-1, 1]
    t = np.concatenate([(seam - 1) / 2 + nodes * (seam + 1) / 2, (seam + 1) / 2 + nodes * (1 - seam) / 2], axis=1)
    weight = np.concatenate([weights * (seam + 1) / 2, weights * (1 - seam) / 2], axis=1)
    between = np.stack([interpolation(n3, points).T for points in t])[:, None]  # (b, 1, n3, nodes)
    log_density = table.log_density @ between
    rho = table.rho_map.rho(low[:, None] + (high - low)[:, None] * (t + 1) / 2)[0]
    mass = (
        np.exp(np.minimum(log_density, 50.0))
        * rule(n1)[1][:, None, None]
        * rule(n2)[1][:, None]
        * weight[:, None, None, :]
    )
    if np.abs(mass.sum(axis=(1, 2, 3)) - 1).max() > 1e-3:  # too few nodes for the interpolation
        return table
    mean, covariance = table.mean @ between[:, None], table.covariance @ between[:, None]
    return replace(table, rho_between=rho, weight=mass, log_density=log_density, mean=mean, covariance=covariance)


def draw(
    table: Table, share: FloatArray, n: int, generator: np.random.Generator
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Draw the three parameters independently, with the mean and covariance of mu at each draw.

    tau_surrogate is drawn from its marginal, tau_final given tau_surrogate, and rho_between given both, each by
    inversion of the integral of the interpolated density. Mean and covariance are interpolated.

    Returns
    -------
    draws : dict of (n,) arrays
    moments : (5, n) array
        mean1, mean2, v11, v12, v22.
    """
    component = generator.choice(len(table), n, p=share / share.sum())
    drawn: list[list[FloatArray]] = []
    for b in range(len(table)):
        size = int((component == b).sum())
        # before the first parameter is drawn all draws have the same table, afterwards each has its own
        values = np.concatenate([table.log_density[b][None], table.mean[b], table.covariance[b]])[None]
        coordinates = []
        for axis in range(3):
            count = values.shape[2]
            weight = np.ones(1)
            for nodes in values.shape[3:]:
                weight = np.multiply.outer(weight, rule(nodes)[1]).ravel()
            mass = np.exp(values[:, 0]).reshape(len(values), count, -1) @ weight
            cdf = np.maximum.accumulate(cumulate(np.log(np.maximum(mass, 1e-300))), axis=1)
            wanted = generator.random(size) * cdf[:, -1]
            cell = np.clip((cdf < wanted[:, None]).sum(axis=1) - 1, 0, FINE - 2)
            rows = np.arange(size) if len(cdf) > 1 else np.zeros(size, dtype=np.intp)
            left, right = cdf[rows, cell], cdf[rows, cell + 1]
            t = -1 + 2 * (cell + (wanted - left) / np.maximum(right - left, 1e-300)) / (FINE - 1)
            between = interpolation(count, t)
            if len(values) == 1:
                values = np.tensordot(between, values[0], axes=(1, 1))
            else:
                values = np.einsum("si,sqi...->sq...", between, values)
            coordinates.append(table.low[b, axis] + (table.high - table.low)[b, axis] * (t + 1) / 2)
        moments = values[:, 1:]
        tau1, tau2 = (table.scale[b, a] * np.sinh(coordinates[a]) for a in (0, 1))
        drawn.append([tau1, tau2, table.rho_map.rho(coordinates[2])[0], *moments.T])
    columns = [np.concatenate(parts) for parts in zip(*drawn, strict=True)]
    order = generator.permutation(n)
    tau1, tau2, rho, *rest = (column[order] for column in columns)
    return {"tau_surrogate": tau1, "tau_final": tau2, "rho_between": rho}, np.stack(rest)
