"""Independent draws from a tabulated posterior."""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.interpolation import interpolation
from surrogacy.models.exact.marginals import FINE, cumulate

PORTION = 5_000  # draws at once: each takes 20 kB until it is drawn


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


def draw_quantities(table: Table, share: FloatArray, n: int, generator: np.random.Generator) -> dict[str, FloatArray]:
    """Draw independently from the posterior; (n,) draws of every quantity of the model."""
    sizes = [min(PORTION, n - start) for start in range(0, n, PORTION)]
    portions = [draw(table, share, size, generator) for size in sizes or [0]]
    draws = {name: np.concatenate([part[name] for part, _ in portions]) for name in portions[0][0]}
    m1, m2, v11, v12, v22 = np.concatenate([moments for _, moments in portions], axis=1)
    normal = generator.standard_normal((2, n))
    conditional = np.maximum(v22 - v12**2 / v11, 0.0)  # below 0 by cancellation where one trial is very precise
    slope = draws["rho_between"] * draws["tau_final"] / draws["tau_surrogate"]
    mu_surrogate = m1 + np.sqrt(v11) * normal[0]
    mu_final = m2 + v12 / np.sqrt(v11) * normal[0] + np.sqrt(conditional) * normal[1]
    r2_trial = draws["rho_between"] ** 2
    return {
        "mu_surrogate": mu_surrogate,
        "mu_final": mu_final,
        **draws,
        "r2_trial": r2_trial,
        "intercept": mu_final - slope * mu_surrogate,
        "slope": slope,
        "sigma_cond": draws["tau_final"] * np.sqrt(1 - r2_trial),
    }
