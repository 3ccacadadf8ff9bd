"""Quantiles of many posteriors at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import batched

import numpy as np
from scipy.special import ndtr, ndtri

from surrogacy.arrays import FloatArray
from surrogacy.models.exact import marginals
from surrogacy.models.exact.batch_lines import AROUND, Distribution, inverse, residual_sds, slopes
from surrogacy.models.exact.bivariate_posterior import QUANTITIES, BivariatePosterior, PosteriorBatch
from surrogacy.models.exact.refinement import Quantiles
from surrogacy.stats.mixtures import mixture_quantile

LEAST_SCALE = 0.05  # least scale of a search for a quantile, as a share of the SD between nodes


def batch_quantiles(batch: PosteriorBatch, p: Sequence[float]) -> list[Quantiles]:
    """Quantiles of every quantity of each posterior, (len(p),) each.

    They are accurate to 0.002 posterior SDs; the intercept is computed from the nodes of the table.
    """
    posteriors, table = batch.posteriors, batch.table
    if len(table) > len(posteriors):
        return [posterior.quantiles(p, fine=False) for posterior in posteriors]
    probability = np.asarray(p, dtype=np.float64)
    means = _means(posteriors, p)
    slope = _by_lines(slopes(table), [(q.nodes().slope, q.nodes().weight) for q in posteriors], probability)
    sigma = _by_lines(residual_sds(table), [(q.nodes().sigma_cond, q.nodes().weight) for q in posteriors], probability)
    quantiles = []
    for i, posterior in enumerate(posteriors):
        named = {"slope": slope[:, i], "sigma_cond": sigma[:, i]}
        named["mu_surrogate"], named["mu_final"], named["intercept"] = means[i]
        for name in ("tau_surrogate", "tau_final"):
            named[name] = marginals.quantiles_of(marginals.parameter(posterior.table, posterior.share, name), p)
        for name in ("rho_between", "r2_trial"):
            named[name] = posterior.many_quantiles(name, probability)
        quantiles.append({name: named[name] for name in QUANTITIES})
    return quantiles


def _means(posteriors: Sequence[BivariatePosterior], p: Sequence[float]) -> list[FloatArray]:
    """Quantiles of mu_surrogate, mu_final and the intercept of each posterior, (3, len(p))."""
    quantiles: dict[int, FloatArray] = {}
    # two at a time fill the cache; they have about the same number of nodes
    for several in batched(sorted(range(len(posteriors)), key=lambda i: len(posteriors[i].nodes().weight)), 2):
        most = len(posteriors[several[-1]].nodes().weight)
        weight, mean, variance = np.zeros((3, len(several), 3, most))
        for i, posterior in enumerate(posteriors[j] for j in several):
            nodes, line = posterior.nodes(), posterior.line(fine=False)
            n = len(nodes.weight)
            weight[i, :, :n] = nodes.weight
            mean[i, :, :n] = nodes.mean_surrogate, nodes.mean_final, line.node_intercept
            variance[i, :, :n] = nodes.v11, nodes.v22, line.node_variance
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
