"""Trial-level R2 on the nodes of the table of a setting."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.setting_table import SettingTable

BINS = 48
ANGLES = np.linspace(0.0, np.pi / 2, BINS)
R2_NODES = np.sin(ANGLES) ** 2  # denser near 0 and 1
SLOPE_PARTS, SIGMA_PARTS = 4, 2  # parts of a step of the grid


@lru_cache(maxsize=4)  # also used for the probability without the trials of the other setting
def r2_bins(table: SettingTable) -> FloatArray:
    """Likelihood by R2 = sin^2(angle), tan(angle) = |slope| tau / sigma, as (bins, level, slope, log sigma).

    R2 varies much between neighbouring nodes of slope and sigma, so that the mass of a node is distributed around it by
    cubic convolution, which does not increase the variance. Each part is divided between the two neighbouring bins.
    """
    offsets, weights = zip(_cubic_convolution(SLOPE_PARTS), _cubic_convolution(SIGMA_PARTS), strict=True)
    slope = table.slope[:, None] + offsets[0] * (table.slope[1] - table.slope[0])
    log_sigma = table.log_sigma[:, None] + offsets[1] * (table.log_sigma[1] - table.log_sigma[0])
    ratio = np.abs(slope)[:, None, :, None, None] * table.tau / np.exp(log_sigma)[None, :, None, :, None]
    angle = np.arctan(ratio) * ((BINS - 1) / ANGLES[-1])  # axes: slope, sigma, both offsets, tau
    left = np.minimum(angle.astype(np.intp), BINS - 2)
    upper = angle - left
    share_of = (weights[0][:, None] * weights[1])[:, :, None]
    slopes, sigmas, taus = len(table.slope), len(table.log_sigma), len(table.tau)
    cell = np.arange(slopes * sigmas).reshape(slopes, sigmas, 1, 1, 1) * BINS
    index = (cell + left) * taus + np.arange(taus)
    size = slopes * sigmas * BINS * taus
    division = np.bincount(index.ravel(), (share_of - share_of * upper).ravel(), size)
    division += np.bincount(index.ravel() + taus, (share_of * upper).ravel(), size)
    by_cell = division.reshape(slopes, sigmas, BINS, taus) @ table.joint.transpose(2, 3, 0, 1)
    return np.asarray(by_cell.transpose(2, 3, 0, 1))


def _cubic_convolution(parts: int) -> tuple[FloatArray, FloatArray]:
    """Offsets in steps of a grid, ``parts`` per step, and the weights of cubic convolution at them; they sum to 1."""
    offset = np.arange(1 - 2 * parts, 2 * parts) / parts
    x = np.abs(offset)
    weight = np.where(x <= 1, (1.5 * x - 2.5) * x**2 + 1, ((2.5 - 0.5 * x) * x - 4) * x + 2) / parts
    kept = weight != 0
    return offset[kept], weight[kept]
