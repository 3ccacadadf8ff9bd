"""Slope and sigma_cond of many posteriors at once, by integration along one axis of each table.

The integrals are those of `surrogacy.models.exact.slope` and `surrogacy.models.exact.marginals.sigma_cond`, which adapt
the numbers of lines to one posterior, whatever it is. Here the numbers are fixed, so that the lines of all tables are
arrays of one shape, and they are smaller: `resolved` tells for which posteriors they suffice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import BoolArray, FloatArray, IntArray
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.interpolation import floored, interpolation, to_nodes
from surrogacy.models.exact.marginals import FINELY, even_density, integration, log_spread, steps_of_root
from surrogacy.models.exact.slope import divided, log_steps
from surrogacy.stats.roots import nearly_linear_root, normal_score

POINTS = 29  # points along each line
ACROSS, SIDE = 1.25, 4 / 3  # nodes of tau_final and, on each side of 0, of rho, per node of a table, for the slope
LIGHT = 1e-5  # share of the largest mass of a table below which a line is ignored
WIDEST = 3.0  # largest distance of neighbouring lines in SDs of the logarithm of the slope along a line
SETTLED = 1e-3  # normal score before the last step, which makes it about a hundred times smaller
AROUND = np.array([-0.75, -0.25, 0.25, 0.75])  # points about a guess of a quantile, in normal scores

Distribution = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Lines:
    """Masses along lines on which only one SD varies, ``tau = scale sinh(low + width (t + 1) / 2)``.

    Parameters
    ----------
    values : (l, 2 points) array
        Mass below each of even points of t in [-1, 1], followed by its derivative, the distance of two points being 1.
    scale, low, width : (l,) arrays
    owner : (l,) array
        Index of the posterior, increasing.
    first : (b,) array
        First line of each posterior.
    """

    values: FloatArray
    scale: FloatArray
    low: FloatArray
    width: FloatArray
    owner: IntArray
    first: IntArray

    @classmethod
    def of(cls, table: Table, axis: int, log_density: FloatArray, mass: FloatArray, owner: IntArray) -> Lines:
        """Lines along an axis with log densities at its nodes, (l, n), and masses, (l,), of each posterior."""
        mass_and_derivative = np.stack([integration(POINTS), np.eye(POINTS)], axis=1).reshape(-1, POINTS)
        values = even_density(log_density, POINTS) @ mass_and_derivative.T
        first = np.searchsorted(owner, np.arange(len(table)))
        values *= (mass / np.add.reduceat(mass, first)[owner] / values[:, -2])[:, None]
        low = table.low[owner, axis]
        return cls(values, table.scale[owner, axis], low, table.high[owner, axis] - low, owner, first)

    def below(self, tau: FloatArray) -> FloatArray:
        """Probability of values below ``tau``, (q, l), in units of the scale; (q, b).

        Cubic Hermite interpolation: at a share s of the distance between two points with masses m0, m1 and derivatives
        d0, d1 the mass is ``m0 + s (rise + (1 - s) bend)`` with ``bend = (1 - s) (d0 - rise) - s (d1 - rise)``. Large
        arrays are changed in place where this is as easy to read, because their allocation takes time.
        """
        size = self.values.shape[1]
        last = size // 2 - 1
        s = np.arcsinh(tau)
        s -= self.low
        s *= last / self.width
        np.clip(s, 0, last - 1e-9, out=s)
        cell = s.astype(np.intp)
        s -= cell
        cell *= 2
        cell += np.arange(0, self.values.size, size)
        m0, d0, rise, d1 = (self.values.take(cell + i) for i in range(4))
        rise -= m0
        rest = 1 - s
        bend = rest * (d0 - rise) - s * (d1 - rise)
        mass = m0 + s * (rise + rest * bend)
        return np.asarray(np.add.reduceat(mass, self.first, axis=1))


def slope_distributions(table: Table) -> Distribution:
    """Distribution functions of the slopes ``rho tau_final / tau_surrogate``, with (q, b) values.

    The lines are those along tau_surrogate.
    """
    n1, n2, n3 = table.weight.shape[1:]
    t, weight = divided(table, round(SIDE * n3))
    to_t = interpolation(n3, t.ravel()).reshape(*t.shape, n3)
    dense = floored(table.log_density).reshape(len(table), -1, n3) @ to_t.swapaxes(1, 2)
    m2 = round(ACROSS * n2)
    dense = to_nodes(n2, m2) @ dense.reshape(len(table), n1, n2, -1)
    mass = np.einsum("bijk,i->bjk", np.exp(np.minimum(dense, 50.0)), rule(n1)[1])
    mass *= rule(m2)[1][:, None] * weight[:, None, :]
    heavy = np.nonzero(mass > LIGHT * mass.max(axis=(1, 2), keepdims=True))
    owner, along_final, along_rho = heavy
    lines = Lines.of(table, 0, dense[owner, :, along_final, along_rho], mass[heavy], owner)
    product = table.at(2, t)[owner, along_rho] * table.at(1, rule(m2)[0])[owner, along_final] / lines.scale

    def cdf(x: FloatArray) -> FloatArray:
        x = np.where(x == 0, 1e-12, x)
        inside = lines.below(product / x[:, owner])
        return np.where(x > 0, 1 - inside, inside)

    return cdf


def sigma_cond_distributions(table: Table) -> Distribution:
    """Distribution functions of ``sigma_cond = tau_final sqrt(1 - rho^2)``, with (q, b) values.

    The lines are those along tau_final.
    """
    b, n1, n2, n3 = table.weight.shape
    mass = np.einsum("bijk,i->bkj", np.exp(table.log_density), rule(n1)[1])
    plane = to_nodes(n3, FINELY) @ floored(np.log(np.maximum(mass, 1e-300)))
    owner = np.repeat(np.arange(b), FINELY)
    along = (np.exp(np.minimum(plane, 50.0)) @ rule(n2)[1]) * rule(FINELY)[1]
    lines = Lines.of(table, 1, plane.reshape(-1, n2), along.ravel(), owner)
    rho = table.at(2, rule(FINELY)[0])
    root = np.sqrt(np.maximum((1 - rho) * (1 + rho), 1e-300)).ravel() * lines.scale
    return lambda x: lines.below(np.maximum(x, 0)[:, owner] / root)


def resolved(table: Table) -> BoolArray:
    """Return whether the lines of each table are close enough for the distributions of slope and sigma_cond; (b,).

    Along a line of tau_surrogate or tau_final the slope or sigma_cond has a narrow distribution. Neighbouring
    lines must be at most a few of its SDs apart.
    """
    plane = table.weight.sum(axis=1)
    u1, u2 = np.arcsinh(table.tau_surrogate / table.scale[:, [0]]), np.arcsinh(table.tau_final / table.scale[:, [1]])
    spread1 = log_spread(np.moveaxis(table.weight, 1, -1), u1[:, None, None])
    spread2 = log_spread(plane.swapaxes(1, 2), u2[:, None])
    of_final, of_rho = log_steps(table)
    mass = plane.sum(axis=1)
    step2, step3 = np.vecdot(plane.sum(axis=2), of_final), np.vecdot(mass, of_rho)
    step_root = np.vecdot(mass, steps_of_root(table))
    enough = (step2 < WIDEST * spread1) & (step3 < WIDEST * SIDE * spread1)
    return np.asarray(enough & (2 * step_root * mass.shape[1] < FINELY * spread2))


def inverse(cdf: Distribution, p: FloatArray, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """Solve ``cdf(x) = p`` for every posterior on the scale of the normal score, which is nearly linear in x.

    Parameters
    ----------
    cdf : callable
        Distribution functions at (q, b) values.
    p : (q,) array
    centre, scale : (q, b) arrays
        Guesses, and about their distances from the value whose normal score is larger by 1.
    """
    shape, z = centre.shape, ndtri(p)[:, None]

    def excess(x: FloatArray) -> FloatArray:
        below = cdf(x.reshape(-1, shape[1])).reshape(-1, *shape)
        return (normal_score(below) - z).reshape(len(x), -1)

    def excess_of(which: IntArray, at: FloatArray) -> FloatArray:
        latest[0, which] = at  # the roots that have settled are evaluated too, with all lines at once
        return np.asarray(excess(latest)[0, which])

    points = (centre + AROUND[:, None, None] * scale).reshape(len(AROUND), -1)
    latest = centre.reshape(1, -1).copy()
    return nearly_linear_root(excess_of, points, excess(points), settled=SETTLED).reshape(shape)
