"""Marginal distributions of a tabulated posterior by integration along one axis.

Log densities are nearly parabolas. They are interpolated between Gauss-Legendre nodes, and the density is integrated on
a fine grid. For a function of several parameters (sigma_cond, slope in `surrogacy.models.exact.slope`) the integration
is along an axis on which the event "below q" is an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.interpolation import floored, to_even, to_nodes
from surrogacy.stats.roots import increasing_root, normal_score

FINE = 161  # points of a tabulated distribution function, which is interpolated between them
ALONG = 97  # points along each of many lines
MANY = 257  # values of a distribution function between which many quantiles are interpolated
STEPS = 10  # secant steps before a root is enclosed
SETTLED = 1e-6  # largest distance of a quantile from its normal quantile, in SDs
FINELY = 56  # nodes of an axis along which an event has a steep end
MOST_FINELY = 300  # largest number of such nodes


@cache
def integration(points: int) -> FloatArray:
    """Matrix from densities at even points to the mass below each, the distance of two being 1; (points, points).

    Trapezoidal rule with the derivatives at both ends (Euler-Maclaurin), which are central differences.
    """
    density = np.eye(points)
    derivative = np.gradient(density, axis=0)
    trapezoids = np.cumsum(density, axis=0) - (density + density[0]) / 2
    return np.asarray(trapezoids - (derivative - derivative[0]) / 12)


def even_density(log_density: FloatArray, points: int, *, from_0: bool = False) -> FloatArray:
    """Densities at even points of [-1, 1] from their logarithms at Gauss-Legendre nodes, (..., n)."""
    density = log_density @ to_even(log_density.shape[-1], points, from_0).T
    return np.asarray(np.exp(np.minimum(density, 50.0, out=density), out=density))


def cumulate(log_density: FloatArray, points: int = FINE, *, from_0: bool = False) -> FloatArray:
    """Distribution functions on even points of [-1, 1] from log densities at Gauss-Legendre nodes, (..., n).

    With ``from_0`` the points are even before the map ``squared``.

    The log density is interpolated, as it is nearly a parabola. The result is not normalised.
    """
    density = even_density(log_density, points, from_0=from_0)
    density *= np.linspace(0, 4, points) / (points - 1) if from_0 else 2 / (points - 1)
    return np.asarray(density @ integration(points).T)


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
    """Solve ``cdf(x) = p`` for a few p at once by secant steps from the quantiles of the nodes.

    The steps are taken on the scale of normal quantiles, on which a distribution function is nearly linear. If they do
    not converge, the roots are enclosed.

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
    ascending = values[order]
    last = np.append(np.flatnonzero(ascending[1:] > ascending[:-1]), len(values) - 1)  # of nodes of equal value
    total = np.cumsum(weight[order])[last]
    below = (total + np.append(0.0, total[:-1])) / 2
    low, x, high = np.interp([p - margin, p, p + margin], below, ascending[last])
    z = ndtri(p)

    def excess(x: FloatArray) -> FloatArray:
        return normal_score(cdf(x)) - z

    rate = (ndtri(p + margin) - ndtri(p - margin)) / np.maximum(high - low, 1e-300)
    at = excess(x)
    for _ in range(STEPS):
        following = x - at / rate
        at_following = excess(following)
        moved = following != x
        secant = (at_following - at) / np.where(moved, following - x, 1.0)
        rate = np.where(moved & (secant > 0.1 * rate) & (secant < 10 * rate), secant, rate)
        x, at = following, at_following
        if (np.abs(at) < SETTLED).all():
            return np.asarray(x)
    return np.asarray(increasing_root(excess, low, high))


def many_quantiles(
    cdf: Callable[[FloatArray], FloatArray], p: FloatArray, values: FloatArray, weight: FloatArray
) -> FloatArray:
    """Many quantiles of a quantity with heavy tails, between few values of its distribution function.

    ``asinh((x - median) / scale)`` is interpolated as a function of the normal quantile.

    Parameters
    ----------
    cdf, values, weight
        As for `invert`.
    p : (q,) array
    """
    least, low, median, high, most = invert(cdf, [p.min(), 0.25, 0.5, 0.75, p.max()], values, weight)
    scale = (high - low) / 2
    first, last = np.arcsinh((np.array([least, most]) - median) / scale)
    u = np.linspace(first, last, MANY)
    z = normal_score(cdf(median + scale * np.sinh(u)))
    return np.asarray(median + scale * np.sinh(np.interp(ndtri(p), z, u)))


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
    values = table.at(axis, np.linspace(-1, 1, FINE))
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
    for m in (max(_nodes_of_rho(table, mass, share), n3), n3):
        lines = cumulate(to_nodes(n3, m) @ plane, ALONG) * (rule(m)[1][:, None] * share[:, None, None])
        if _holds(lines):
            break
    rho = table.at(2, rule(m)[0])
    root = np.sqrt(np.maximum((1 - rho) * (1 + rho), 1e-300))
    low, width = table.low[:, [1]], (table.high - table.low)[:, [1]]
    total = lines[..., -1].sum()

    def cdf(x: FloatArray) -> FloatArray:
        t = 2 * (np.arcsinh(np.maximum(x, 0)[:, None, None] / root / table.scale[:, [1]]) - low) / width - 1
        return interval_mass(lines.reshape(-1, ALONG), t.reshape(len(x), -1)) / total

    return cdf


def _nodes_of_rho(table: Table, density: FloatArray, share: FloatArray) -> int:
    """Nodes of rho, so that neighbouring lines of tau_final differ by half of the width of log sigma_cond on a line."""
    n2, n3 = density.shape[2], density.shape[1]
    mass = density * (share[:, None, None] * np.multiply.outer(rule(n3)[1], rule(n2)[1]))
    mean = float((mass.sum(axis=2) * steps_of_root(table)).sum())
    width = log_spread(mass[None], np.arcsinh(table.tau_final / table.scale[:, [1]])[None, :, None])[0]
    return int(np.clip(2 * n3 * mean / width, FINELY, MOST_FINELY))


def steps_of_root(table: Table) -> FloatArray:
    """Change of ``log sqrt(1 - rho^2)`` from each node of rho to the next, (b, n3)."""
    rho = table.rho_between
    return np.abs(np.gradient(np.log(np.maximum((1 - rho) * (1 + rho), 1e-12)) / 2, axis=1))


def log_spread(mass: FloatArray, u: FloatArray) -> FloatArray:
    """SD of log tau along lines on which ``tau = scale sinh(u)``, its mean over the lines of each posterior; (b,).

    Parameters
    ----------
    mass : (b, ..., n) array
        Masses of the nodes of each line.
    u : array that broadcasts with ``mass``
    """
    line, first, second = mass.sum(axis=-1), np.vecdot(mass, u), np.vecdot(mass, u * u)
    within = (second - first * first / np.maximum(line, 1e-300)).reshape(len(mass), -1).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(within, 1e-300)) / np.tanh(first.reshape(len(mass), -1).sum(axis=1)))


def _holds(lines: FloatArray) -> bool:
    """Return whether the total mass is 1; a log density that falls by hundreds may oscillate between too few nodes."""
    return bool(abs(lines[..., -1].sum() - 1) < 0.02)
