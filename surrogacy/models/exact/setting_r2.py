"""Trial-level R2 on the nodes of the table of a setting."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.setting_table import SettingTable

BINS = 48
ANGLES = np.linspace(0.0, np.pi / 2, BINS)
R2_NODES = np.sin(ANGLES) ** 2  # denser near 0 and 1
PARTS = 6  # of a step of the grid of slopes


def r2_bins(table: SettingTable, level: FloatArray) -> FloatArray:
    """Likelihood by R2, (bins, functions of the level, slope, log sigma).

    Parameters
    ----------
    table : SettingTable
    level : (l, f) array
        Functions of the level by which the likelihood is multiplied and summed.
    """
    by_function = np.tensordot(level, table.joint, axes=(0, 1)).transpose(2, 3, 1, 0)
    return np.asarray((_division(table) @ by_function).transpose(2, 3, 0, 1))


@lru_cache(maxsize=2)  # also used for the probability without the trials of the other setting
def _division(table: SettingTable) -> FloatArray:
    """Shares of R2 = sin^2(angle), tan(angle) = |slope| tau / sigma, (slope, log sigma, bins, tau).

    R2 varies much between neighbouring slopes, so that the mass of a node is distributed around it by cubic
    convolution, which does not increase the variance. Each part is divided between the two neighbouring bins.
    """
    offset, weight = _cubic_convolution()
    step = table.slope[1] - table.slope[0]
    sigmas, taus = len(table.log_sigma), len(table.tau)
    division = np.empty((len(table.slope), sigmas, BINS, taus))
    cell = np.arange(sigmas)[:, None, None] * BINS
    tau = (table.tau / np.exp(table.log_sigma)[:, None])[:, None, :]
    for i, slope in enumerate(table.slope):  # all slopes together would take 30 MB
        angle = np.arctan(np.abs(slope + offset * step)[:, None] * tau) * (
            (BINS - 1) / ANGLES[-1]
        )  # sigma, offset, tau
        left = np.minimum(angle.astype(np.intp), BINS - 2)
        upper = (angle - left) * weight[:, None]
        index = ((cell + left) * taus + np.arange(taus)).ravel()
        shares = np.bincount(index, (weight[:, None] - upper).ravel(), division[i].size)
        shares += np.bincount(index + taus, upper.ravel(), division[i].size)
        division[i] = shares.reshape(division[i].shape)
    return division


def _cubic_convolution() -> tuple[FloatArray, FloatArray]:
    """Offsets in steps of a grid, `PARTS` per step, and the weights of cubic convolution at them; they sum to 1."""
    offset = np.arange(1 - 2 * PARTS, 2 * PARTS) / PARTS
    x = np.abs(offset)
    weight = np.where(x <= 1, (1.5 * x - 2.5) * x**2 + 1, ((2.5 - 0.5 * x) * x - 4) * x + 2) / PARTS
    kept = weight != 0
    return offset[kept], weight[kept]
