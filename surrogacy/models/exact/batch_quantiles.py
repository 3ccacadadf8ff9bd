"""Quantiles of many posteriors at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import batched

import numpy as np
from scipy.special import ndtr, ndtri

from surrogacy.arrays import FloatArray
from surrogacy.models.exact import marginals
from surrogacy.models.exact.batch_lines import (
    AROUND,
    Distribution,
    inverse,
    resolved,
    sigma_cond_distributions,
    slope_distributions,
)
from surrogacy.models.exact.bivariate_grid import Table
from surrogacy.models.exact.bivariate_posterior import QUANTITIES, BivariatePosterior, PosteriorBatch
from surrogacy.models.exact.refinement import Quantiles
from surrogacy.stats.mixtures import mixture_quantile

LINES = ("slope", "sigma_cond")  # quantities that are computed along lines
LEAST_SCALE = 0.05  # least scale of a search for a quantile, as a share of the SD between nodes


def batch_quantiles(batch: PosteriorBatch, p: Sequence[float]) -> list[Quantiles]:
    """Quantiles of every quantity of each posterior, (len(p),) each.

    They are accurate to 0.002 posterior SDs; the intercept is computed from the nodes of the table.
    """
    posteriors, table = batch.posteriors, batch.table
    if len(table) > len(posteriors):
        return [posterior.quantiles(p, fine=False) for posterior in posteriors]
    close = resolved(table)
    probability, nodes = np.asarray(p, dtype=np.float64), [posterior.nodes() for posterior in posteriors]
    means, sds = _means(posteriors, p), [_sds(table, axis, p) for axis in (0, 1)]
    slope = _by_lines(slope_distributions(table), [(part.slope, part.weight) for part in nodes], probability)
    sigma = _by_lines(sigma_cond_distributions(table), [(part.sigma_cond, part.weight) for part in nodes], probability)
    quantiles = []
    for i, posterior in enumerate(posteriors):
        named = {"slope": slope[:, i], "sigma_cond": sigma[:, i]}
        named["mu_surrogate"], named["mu_final"], named["intercept"] = means[i]
        named["tau_surrogate"], named["tau_final"] = (sd[i] for sd in sds)
        named |= {name: posterior.many_quantiles(name, probability) for name in ("rho_between", "r2_trial")}
        if not close[i]:  # more lines are needed
            named |= {name: values for name, values in posterior.quantiles(p, fine=False).items() if name in LINES}
        quantiles.append({name: named[name] for name in QUANTITIES})
    return quantiles


def _sds(table: Table, axis: int, p: Sequence[float]) -> list[FloatArray]:
    """Quantiles of tau_surrogate (axis 0) or tau_final (axis 1) of each posterior."""
    cdf = marginals.from_masses(table.weight.sum(axis=(2 - axis, 3)))
    values = table.at(axis, np.linspace(-1, 1, marginals.FINE))
    return [np.interp(p, *tabulated) for tabulated in zip(cdf, values, strict=True)]


def _means(posteriors: Sequence[BivariatePosterior], p: Sequence[float]) -> list[FloatArray]:
    """Quantiles of mu_surrogate, mu_final and the intercept of each posterior, (3, len(p))."""
    quantiles: dict[int, FloatArray] = {}
    # two at a time fill the cache; they have about the same number of nodes
    for several in batched(sorted(range(len(posteriors)), key=lambda i: len(posteriors[i].nodes().weight)), 2):
        most = len(posteriors[several[-1]].nodes().weight)
        weight, mean, variance = np.zeros((3, len(several), 3, most))
        for i, posterior in enumerate(posteriors[j] for j in several):
            nodes, (intercept, within) = posterior.nodes(), posterior.nodes().intercept
            n = len(nodes.weight)
            weight[i, :, :n] = nodes.weight
            mean[i, :, :n] = nodes.mean_surrogate, nodes.mean_final, intercept
            variance[i, :, :n] = nodes.v11, nodes.v22, within
        rows = (values.reshape(-1, most) for values in (weight, mean, np.sqrt(variance)))
        quantiles |= zip(several, mixture_quantile(p, *rows).reshape(-1, 3, len(p)), strict=True)
    return [quantiles[i] for i in range(len(posteriors))]


def _by_lines(cdf: Distribution, nodes: Sequence[tuple[FloatArray, FloatArray]], p: FloatArray) -> FloatArray:
    """Quantiles, (len(p), b), from distribution functions and the values and masses of the nodes."""
    z = ndtri(p)
    at = np.concatenate([p, ndtr(z + AROUND[0]), ndtr(z + AROUND[-1])])
    near = np.empty((len(at), len(nodes)))
    for i, (values, weight) in enumerate(nodes):
        order = np.argsort(values)
        ordered = weight[order]
        near[:, i] = np.interp(at, np.cumsum(ordered) - ordered / 2, values[order])
    centre, below, above = near.reshape(3, len(p), -1)
    spread = np.ptp(near, axis=0) / np.ptp(ndtri(at))
    return inverse(cdf, p, centre, np.maximum((above - below) / np.ptp(AROUND), LEAST_SCALE * spread))
