"""Sums over comparisons in a bivariate normal likelihood, for a whole grid of covariances at once.

    y_i ~ N2(mu, V_i),   V_i = S_i + [[A, C], [C, D]]

    det V_i = (s11 s22 - s12^2) + s22 A + s11 D - 2 s12 C + (A D - C^2)

is linear in five functions of the grid, and all sums in the likelihood are linear in 1 / det V_i. They therefore reduce
to two matrix products and a reciprocal. Comparisons that share a control arm or lack an endpoint form blocks of other
sizes, for which the Cholesky factor is computed element by element over the grid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.models.likelihood.likelihood import Blocks, make_blocks

PRODUCT = 8  # determinants multiplied before a logarithm is taken


@dataclass(frozen=True, eq=False)
class Batch:
    """``b`` data sets of one structure, in the form needed for a table.

    Parameters
    ----------
    determinant : (b, k, 5) array
        Coefficients of det V in (1, A, D, C, A D (1 - rho^2)).
    moments : (b, 12, k) array
        Terms that are divided by det V and summed over trials.
    blocks : tuple of Blocks
        Blocks other than single comparisons with both endpoints; ``y`` is (b, g, m) and ``sampling`` (b, g, m, m), the
        other arrays are common to the data sets.
    centre : (b, 2) array
        Subtracted from the log hazard ratios to avoid cancellation in sums of squares.
    scale : (b, 2) array
        Typical standard errors, the unit of tau on the grid.
    spread : (b, 2) array
        Largest distances of an effect from the centre; no tau is plausible far beyond them under any prior.
    size : (b,) array
        Number of estimates.
    """

    determinant: FloatArray
    moments: FloatArray
    blocks: tuple[Blocks, ...]
    centre: FloatArray
    scale: FloatArray
    spread: FloatArray
    size: FloatArray

    def __len__(self) -> int:
        return len(self.size)

    def take(self, index: slice | FloatArray) -> Batch:
        """Part of the data sets."""
        blocks = tuple(replace(block, y=block.y[index], sampling=block.sampling[index]) for block in self.blocks)
        about = self.centre[index], self.scale[index], self.spread[index], self.size[index]
        return Batch(self.determinant[index], self.moments[index], blocks, *about)


@dataclass(frozen=True, eq=False)
class DataLayout:
    """One data set, divided into single comparisons with both endpoints and blocks of all others.

    Parameters
    ----------
    pairs : (5, k) array
        y1, y2, s11, s12, s22.
    blocks : tuple of Blocks
    centre, scale, spread : (2,) arrays
        Weighted mean, median standard error, largest distance from the mean.
    size : int
        Number of estimates.
    """

    pairs: FloatArray
    blocks: tuple[Blocks, ...]
    centre: FloatArray
    scale: FloatArray
    spread: FloatArray
    size: int

    @property
    def structure(self) -> tuple[bytes, ...]:
        """Key that is equal for data sets that can be stacked."""
        return tuple(
            part.tobytes() + bytes(part.shape) for block in self.blocks for part in (block.design, block.pattern)
        )


def arrange(effects: Effects) -> DataLayout:
    """Divide effects into single comparisons and blocks."""
    shared = Counter(effects.control_group)
    alone = effects.complete & np.array([not name or shared[name] == 1 for name in effects.control_group])
    (y1, y2), (s1, s2) = effects.log_hr[alone].T, effects.se[alone].T
    pairs = np.stack([y1, y2, s1 * s1, effects.rho_within[alone] * s1 * s2, s2 * s2])
    reported = ~np.isnan(effects.log_hr)
    precision = np.where(reported, effects.se, np.inf) ** -2.0
    centre = (precision * np.where(reported, effects.log_hr, 0.0)).sum(axis=0) / precision.sum(axis=0)
    scale = np.median(effects.se, axis=0) if reported.all() else np.nanmedian(effects.se, axis=0)
    blocks = () if alone.all() else make_blocks(effects.take(~alone))
    spread = np.where(reported, np.abs(effects.log_hr - centre), 0.0).max(axis=0)
    return DataLayout(pairs, blocks, centre, scale, spread, int(reported.sum()))


def stack(data: Sequence[DataLayout]) -> Batch:
    """Stack data sets of one structure; those with fewer pairs are padded with pairs of weight 0."""
    b, most = len(data), max(layout.pairs.shape[1] for layout in data)
    padded, present = np.tile([[0.0], [0.0], [1.0], [0.0], [1.0]], (b, 1, most)), np.zeros((b, most))
    for i, layout in enumerate(data):
        padded[i, :, : layout.pairs.shape[1]] = layout.pairs
        present[i, : layout.pairs.shape[1]] = 1.0
    centre, scale, spread = (np.stack([getattr(d, name) for d in data]) for name in ("centre", "scale", "spread"))
    y1, y2, s11, s12, s22 = padded.swapaxes(0, 1)
    y1, y2 = y1 - centre[:, [0]], y2 - centre[:, [1]]
    determinant = np.stack([s11 * s22 - s12**2, s22, s11, -2 * s12, np.ones_like(s11)], axis=2) * present[..., None]
    determinant[..., 0] += 1.0 - present
    quadratic = y1 * y1 * s22 - 2 * y1 * y2 * s12 + y2 * y2 * s11
    sums_of = [np.ones_like(s11), s11, s12, s22, y1, y2, y1 * y1, y1 * y2, y2 * y2]
    sums_of += [s22 * y1 - s12 * y2, s11 * y2 - s12 * y1, quadratic]
    moments = np.stack(sums_of, axis=1) * present[:, None]
    blocks = []
    for same in zip(*(layout.blocks for layout in data), strict=True):
        y = np.stack([block.y - block.design @ c for block, c in zip(same, centre, strict=True)])
        blocks.append(replace(same[0], y=y, sampling=np.stack([block.sampling for block in same])))
    size = np.array([float(layout.size) for layout in data])
    return Batch(determinant, moments, tuple(blocks), centre, scale, spread, size)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the comparisons of each of ``b`` data sets at each of ``g`` points; (b, g) arrays.

    Parameters
    ----------
    log_det : array
        sum log det V.
    p11, p12, p22 : arrays
        sum V^-1.
    h1, h2 : arrays
        sum V^-1 y.
    quadratic : array
        sum y' V^-1 y.
    """

    log_det: FloatArray
    p11: FloatArray
    p12: FloatArray
    p22: FloatArray
    h1: FloatArray
    h2: FloatArray
    quadratic: FloatArray


def sums(batch: Batch, a: FloatArray, c: FloatArray, d: FloatArray, determinant: FloatArray) -> Sums:
    """Sum over comparisons.

    Parameters
    ----------
    batch : Batch
        ``y`` is taken about its ``centre``.
    a, c, d : (b, g) arrays
        Covariance of the true effects.
    determinant : (b, g) array
        ``a d - c^2``, from a formula without cancellation.
    """
    det = batch.determinant @ np.stack([np.ones_like(a), a, d, c, determinant], axis=1)
    log_det = np.zeros_like(a)
    for start in range(0, det.shape[1], PRODUCT):
        log_det += np.log(np.multiply.reduce(det[:, start : start + PRODUCT], axis=1))
    unit, s11, s12, s22, y1, y2, y11, y12, y22, c1, c2, q = (batch.moments @ np.reciprocal(det, out=det)).swapaxes(0, 1)
    totals = [
        log_det,
        s22 + d * unit,
        -(s12 + c * unit),
        s11 + a * unit,
        c1 + d * y1 - c * y2,
        c2 + a * y2 - c * y1,
        q + d * y11 - 2 * c * y12 + a * y22,
    ]
    for block in batch.blocks:
        totals = [x + y for x, y in zip(totals, _block_sums(block, np.stack([a, c, d])), strict=True)]
    return Sums(*totals)


def _block_sums(block: Blocks, psi: FloatArray) -> tuple[FloatArray, ...]:
    """Log det V, the three sums of X'WX, the two of X'Wy, and y'Wy of m x m blocks over a grid.

    The Cholesky factor and the whitened columns (X1, X2, y) are computed element by element. Each element is an array
    over data sets, blocks and grid points, ``(b, g, points)``.
    """
    m = block.y.shape[-1]
    factor: dict[tuple[int, int], FloatArray] = {}
    columns: list[list[FloatArray]] = [[], [], []]
    log_det = np.zeros(1)
    for i in range(m):
        for j in range(i + 1):
            value = block.sampling[:, :, i, j, None] + np.einsum("xg,xbp->bgp", block.pattern[:, :, i, j], psi)
            for n in range(j):
                value = value - factor[i, n] * factor[j, n]
            factor[i, j] = np.sqrt(value) if i == j else value / factor[j, j]
        log_det = log_det + 2 * np.log(factor[i, i])
        for column, raw in zip(columns, (block.design[:, i, 0], block.design[:, i, 1], block.y[:, :, i]), strict=True):
            value = raw[..., None] if raw.ndim == 2 else raw[None, :, None]
            for n in range(i):
                value = value - factor[i, n] * column[n]
            column.append(value / factor[i, i])
    x1, x2, y = columns

    products = ((x1, x1), (x1, x2), (x2, x2), (x1, y), (x2, y), (y, y))
    totals = (np.asarray(sum((p * q).sum(axis=1) for p, q in zip(*pair, strict=True))) for pair in products)
    return log_det.sum(axis=1), *totals
