"""Distribution of the slope of the surrogacy line from a tabulated posterior, and under the prior.

slope = rho_between tau_final / tau_surrogate
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.interpolation import floored, interpolation, nodes_from
from surrogacy.models.exact.marginals import cumulate, interval_mass, log_spread

SHORT = 49  # points along each line of tau_surrogate
DENSITY = 0.8  # nodes of tau_final and rho per SD of the logarithm of tau_surrogate
LEAST = 1.25  # smallest number of such nodes per node of the table, where they are dense near 0 or on each side of 0
MOST = 6.0  # largest number of such nodes per node of the table
LAST_SEAM = 0.9  # largest distance of a division from the middle of an axis of [-1, 1]
NEGLIGIBLE = 1e-7  # share of the largest mass below which a line is ignored


def slope_distribution(table: Table, share: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Distribution function of ``slope = rho tau_final / tau_surrogate`` by integration along tau_surrogate.

    For x > 0 the slope exceeds x if rho > 0 and ``tau_surrogate < rho tau_final / x``; for x < 0 it is below x if
    rho < 0 and ``tau_surrogate < rho tau_final / x``. The mass is a smooth function of tau_final, and of rho on both
    sides of rho = 0, where its axis is divided.
    """
    n1, n2, n3 = table.weight.shape[1:]
    from_0 = ~(table.low[:, :2] > 0).all(axis=0)
    factor2, factor3 = _factors(table, share)
    m2, m3 = round(n2 * max(factor2, LEAST if from_0[1] else 1.0)), round(n3 * max(factor3, LEAST))
    t2, weight2 = nodes_from(m2, from_0=bool(from_0[1]))
    t3, weight3 = divided(table, m3) if changes_sign(table) else [np.tile(part, (len(table), 1)) for part in rule(m3)]
    dense = interpolation(n2, t2) @ _at_rho(floored(table.log_density), t3)
    mass = np.einsum("bijk,i->bjk", np.exp(np.minimum(dense, 50.0)), rule(n1)[1])
    mass *= share[:, None, None] * weight2[:, None] * weight3[:, None, :]
    heavy = np.nonzero(mass > NEGLIGIBLE * mass.max())
    component, along_final, along_rho = heavy
    lines = cumulate(dense[component, :, along_final, along_rho], SHORT, from_0=bool(from_0[0]))
    lines *= (mass[heavy] / lines[:, -1])[:, None]
    tau_final = table.at(1, t2)
    product = table.at(2, t3)[component, along_rho] * tau_final[component, along_final]
    scale, low = table.scale[component, 0], table.low[component, 0]
    width = table.high[component, 0] - low
    total = lines[:, -1].sum()

    def cdf(x: FloatArray) -> FloatArray:
        x = np.where(x == 0, 1e-12, x)
        share_of_line = (np.arcsinh(product / x[..., None] / scale) - low) / width
        if from_0[0]:
            share_of_line = np.sqrt(np.maximum(share_of_line, 0.0))
        inside = interval_mass(lines, 2 * share_of_line - 1) / total
        return np.where(x > 0, 1 - inside, inside)

    return cdf


def _factors(table: Table, share: FloatArray) -> list[float]:
    """Nodes of tau_final and, on each side of 0, of rho per node of the table.

    A line of tau_surrogate is a narrow distribution of log |slope|. Its SD must exceed the distance between
    neighbouring lines.
    """
    weight = share[:, None, None, None] * table.weight
    line = weight.sum(axis=1)
    u = np.arcsinh(table.tau_surrogate / table.scale[:, [0]])
    spread = log_spread(np.moveaxis(weight, 1, -1)[None], u[None, :, None, None])[0]
    of_final, of_rho = log_steps(table)
    means = (line.sum(axis=2) * of_final).sum(), (line.sum(axis=1) * of_rho).sum()
    return [float(np.clip(DENSITY * mean / spread, 1.0, MOST)) for mean in means]


def log_steps(table: Table) -> tuple[FloatArray, FloatArray]:
    """Changes of log tau_final, (b, n2), and of rho relative to rho, at most 1, (b, n3), from each node to the next."""
    rho = table.rho_between
    relative = np.abs(np.gradient(rho, axis=1)) / np.maximum(np.abs(rho), 1e-300)
    return np.gradient(np.log(table.tau_final), axis=1), np.minimum(relative, 1.0)


def changes_sign(table: Table) -> bool:
    """Return whether rho = 0 lies within the box of a component, and not near its ends."""
    return bool((np.abs(_seam(table)) <= LAST_SEAM).any())


def _seam(table: Table) -> FloatArray:
    """Place of rho = 0 on its axis, [-1, 1], (b,); it may lie beyond."""
    low, high = table.low[:, 2], table.high[:, 2]
    return 2 * (table.rho_map.coordinate(0.0) - low) / (high - low) - 1


def divided(table: Table, n: int) -> tuple[FloatArray, FloatArray]:
    """Nodes of rho in [-1, 1] and their weights, (b, 2 n), divided at rho = 0, or near the end if this is beyond.

    Parameters
    ----------
    table : Table
    n : int
        Nodes on each side of 0.
    """
    nodes, weights = rule(n)
    seam = np.clip(_seam(table), -LAST_SEAM, LAST_SEAM)[:, None]
    left, right = (1 + seam) / 2, (1 - seam) / 2  # half of the length of each part
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
