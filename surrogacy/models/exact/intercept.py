"""Distribution of the intercept of the surrogacy line from a tabulated posterior.

    intercept = mu_final - slope mu_surrogate,   slope = rho_between tau_final / tau_surrogate

Given a node the intercept is normal. If its SD is small compared with the difference of its means at neighbouring
nodes, which is so if the standard errors are tiny and the mean surrogate effect is large compared with tau_surrogate,
the sum over the nodes is a staircase. The table is then interpolated to more nodes of the axis along which the mean
changes most. The integral along this axis is a smooth function of the other two parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.interpolation import floored, interpolation, nodes_from, to_nodes
from surrogacy.models.exact.nodes import PRUNED
from surrogacy.models.exact.slope import changes_sign, divided

SIDE = 0.75  # nodes of rho on each side of 0 per node of the table, if the axis is divided at rho = 0
DENSITY = 1.3  # nodes per SD of the intercept along the axis on which its mean changes most
MOST = 8  # largest number of nodes of this axis per node of the table
MOST_RHO = 8.0  # largest number of nodes of rho per node of the table, if another axis has more
DENSER = 1.5  # factor by which nodes of tau_surrogate are multiplied if they are too few
NEAR_0 = 1e-3  # smallest density at tau_surrogate = 0, in units of the largest, that is not neglected
SMOOTH = 0.35  # smallest SD of the intercept, in units of the distance of its means, if even more nodes were needed


@dataclass(frozen=True, eq=False)
class InterceptNodes:
    """Mixture of normal distributions; (n,) arrays.

    Parameters
    ----------
    weight : array
        Sums to 1.
    mean, sd : arrays
    """

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray


def intercept_nodes(table: Table, finely: Table, share: FloatArray) -> InterceptNodes:
    """Posterior of the intercept as a mixture of normal distributions.

    Parameters
    ----------
    table : Table
    finely : Table
        ``finer(table)``.
    share : (b,) array
        Masses of the components.
    """
    mass, mean, sd = _at_nodes(finely, share)
    steepness = [float((mass * _step(mean, axis) / np.maximum(sd, 1e-100)).sum()) for axis in (0, 1, 2)]
    axis, steepest = int(np.argmax(steepness)), DENSITY * max(steepness)
    if steepest > 1:
        # along the other axes the mean does not change where rho is 0
        factors = [1.0, 1.0, float(np.clip(steepness[2], 1.0, MOST_RHO))]
        factors[axis] = min(steepest, MOST)
        mass, mean, sd = _at_nodes(finer(table, factors), share)
    if steepest > MOST:
        sd = np.maximum(sd, SMOOTH * _step(mean, axis))
    heavy = mass > PRUNED * mass.max()
    weight = mass[heavy]
    return InterceptNodes(weight / weight.sum(), mean[heavy], sd[heavy])


def _at_nodes(table: Table, share: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mass, mean and SD of the intercept at every node."""
    ratio = table.tau_final[:, None, :] / table.tau_surrogate[:, :, None]
    slope = ratio[..., None] * table.rho_between[:, None, None, :]
    mean = table.mean[:, 1] - slope * table.mean[:, 0]
    v11, v12, v22 = table.covariance.swapaxes(0, 1)
    # below 0 only by cancellation, where one trial is very precise
    variance = np.maximum(v22 + slope * (slope * v11 - 2 * v12), 0.0)
    return share[:, None, None, None] * table.weight, mean, np.sqrt(variance)


def _step(mean: FloatArray, axis: int) -> FloatArray:
    """Absolute change of the mean from a node to the next one of an axis."""
    return np.abs(np.gradient(mean, axis=1 + axis))


def finer(table: Table, factors: Sequence[float] = (1.0, 1.0, 1.0)) -> Table:
    """Table interpolated to the nodes that the intercept needs.

    The axis of rho is divided at 0, where the slope changes its sign and a threshold ceases to exist. If tau_surrogate
    may be 0, its nodes are denser near 0: there the slope grows without limit, and the intercept becomes discontinuous
    at rho = 0.

    Parameters
    ----------
    table : Table
    factors : sequence of 3 floats
        Nodes of each axis per node of the table.

    Returns
    -------
    Table
        The same table if it needs no other nodes, or has too few for the interpolation.
    """
    may_be_0 = _may_be_0(table)
    division = None
    if changes_sign(table):
        division = divided(table, round(SIDE * factors[2] * table.weight.shape[3]))
    if division is None and max(factors) == 1:
        return table
    for denser in (1.0, DENSER):
        finely = _interpolated(table, (denser * factors[0], *factors[1:]), division, from_0=may_be_0)
        if finely is not None:
            return finely
    return table


def _may_be_0(table: Table) -> bool:
    """Return whether tau_surrogate = 0 has a density that is not negligible."""
    density = table.weight.sum(axis=(2, 3)) / rule(table.weight.shape[1])[1]
    return bool(((table.low[:, 0] == 0) & (density[:, 0] > NEAR_0 * density.max(axis=1))).any())


def _interpolated(
    table: Table, factors: Sequence[float], division: tuple[FloatArray, FloatArray] | None, *, from_0: bool
) -> Table | None:
    """Table at more nodes; None if the masses of the nodes do not sum to 1 or a covariance matrix is indefinite."""
    n1, n2, n3 = table.weight.shape[1:]
    m1, m2, m3 = (round(n * factor) for n, factor in zip((n1, n2, n3), factors, strict=True))
    t1, weight1 = nodes_from(m1, from_0=from_0)
    t2, weight2 = rule(m2)
    t3, weight3 = division or [np.tile(part, (len(table), 1)) for part in rule(m3)]
    to_t1, to_t2, to_t3 = interpolation(n1, t1), to_nodes(n2, len(t2)), np.stack([interpolation(n3, t) for t in t3])
    values = np.concatenate([floored(table.log_density)[:, None], table.mean, table.covariance], axis=1)
    values = values @ to_t3.swapaxes(1, 2)[:, None, None]  # (b, 6, n1, n2, n3)
    if len(t2) > n2:
        values = to_t2 @ values
    values = (to_t1 @ values.reshape(len(table), 6, n1, -1)).reshape(len(table), 6, len(t1), len(t2), -1)
    log_density, mean, covariance = values[:, 0], values[:, 1:3], values[:, 3:]
    mass = np.exp(np.minimum(log_density, 50.0)) * np.multiply.outer(weight1, weight2)[:, :, None]
    mass *= weight3[:, None, None, :]
    v11, v12, v22 = covariance.swapaxes(0, 1)
    indefinite = (v11 <= 0) | (v22 <= 0) | (v12 * v12 > v11 * v22)
    if np.abs(mass.sum(axis=(1, 2, 3)) - 1).max() > 1e-3 or (mass * indefinite).sum() > 1e-6:
        return None
    return replace(
        table,
        tau_surrogate=table.at(0, t1),
        tau_final=table.at(1, t2),
        rho_between=table.at(2, t3),
        weight=mass,
        log_density=log_density,
        mean=mean,
        covariance=covariance,
    )
