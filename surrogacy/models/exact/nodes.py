"""Nodes of a tabulated bivariate posterior that carry mass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.models.exact.bivariate_grid import Table

# Share of the heaviest node below which a node is left out of mixtures of normals: on the grids of other models, and on
# tables of the bivariate model, where this leaves out 4e-5 of the mass of a normal density.
LIGHT = 1e-6
PRUNED = 1e-5


@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes of a table that carry posterior mass; (n,) arrays.

    Parameters
    ----------
    weight : array
        Posterior mass; sums to 1.
    tau_surrogate, tau_final, rho_between : arrays
    mean_surrogate, mean_final : arrays
        Mean of mu given these parameters.
    v11, v12, v22 : arrays
        Covariance of mu given these parameters.
    component : array
        Index of the component of the table that a node belongs to.
    """

    weight: FloatArray
    tau_surrogate: FloatArray
    tau_final: FloatArray
    rho_between: FloatArray
    mean_surrogate: FloatArray
    mean_final: FloatArray
    v11: FloatArray
    v12: FloatArray
    v22: FloatArray
    component: IntArray

    @cached_property
    def slope(self) -> FloatArray:
        """Slope of the surrogacy line at each node."""
        return self.rho_between * self.tau_final / self.tau_surrogate

    @cached_property
    def intercept(self) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of the intercept of the line given each node."""
        slope = self.slope
        variance = self.v22 - 2 * slope * self.v12 + slope**2 * self.v11
        # below 0 only by cancellation, where one trial is very precise
        return self.mean_final - slope * self.mean_surrogate, np.maximum(variance, 0.0)

    @cached_property
    def sigma_cond(self) -> FloatArray:
        """SD of the true final effects about the line at each node."""
        return np.asarray(self.tau_final * np.sqrt((1 - self.rho_between) * (1 + self.rho_between)))


def heavy_nodes(table: Table, share: FloatArray) -> Nodes:
    """Nodes of a table, whose components have the masses ``share``, that carry mass."""
    shape = table.weight.shape
    weight = (share[:, None, None, None] * table.weight).ravel()
    heavy = np.flatnonzero(weight > PRUNED * weight.max())
    component, i, j, k = np.unravel_index(heavy, shape)
    tau1, tau2, rho = table.tau_surrogate[component, i], table.tau_final[component, j], table.rho_between[component, k]
    mean1, mean2 = (table.mean[:, a].reshape(-1)[heavy] for a in range(2))
    v11, v12, v22 = (table.covariance[:, a].reshape(-1)[heavy] for a in range(3))
    kept = weight[heavy]
    return Nodes(kept / kept.sum(), tau1, tau2, rho, mean1, mean2, v11, v12, v22, component)
