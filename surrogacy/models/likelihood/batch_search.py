"""Search for the highest maximum of the likelihoods of many data sets.

The zero-variance models and the decision about the boundary are those of `surrogacy.models.likelihood.maximum`, and the
starts too, except that those beside a zero-variance model begin at the best point of its grid. Searches from several
starts are one batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import BoolArray, FloatArray, IntArray
from surrogacy.models.likelihood.batch_data import BatchLikelihood, DataSets
from surrogacy.models.likelihood.batch_likelihood import log_likelihoods
from surrogacy.models.likelihood.maximum import (
    BOUNDARIES,
    CORRELATION_SLACK,
    HIGHER,
    MANY_COMPARISONS,
    NEAR_BOUNDARY,
    NEGLIGIBLE_GAIN,
    SAME_MAXIMUM,
    START_SDS,
)
from surrogacy.models.likelihood.newton import SearchEnds, climb, psi_of

# Comparisons, over all points of the grids, whose likelihoods are computed at once, so that they stay in the cache.
GRID_PIECE = 16_000
# Models with one variance of 0.
ONE_VARIANCE = ("tau_surrogate", "tau_final")
Boundaries = npt.NDArray[np.str_]


def highest_maxima(data: DataSets, starts: int) -> tuple[FloatArray, Boundaries, BoolArray]:
    """Maximise over the Cholesky factor of T from several starts.

    Parameters
    ----------
    data : DataSets
    starts : int
        Starts of the search, 1 to 5.

    Returns
    -------
    factor : (b, 3) array
        (L11, L21, L22), the diagonal not negative.
    boundary : (b,) array of str
    converged : (b,) bool array
    """
    likelihood = data.likelihood
    scale = np.sqrt(np.maximum(np.nanvar(data.log_hr, axis=1, ddof=1), 1e-8))
    free = scale[:, [0, 1, 1]]
    held = [np.where(np.isin(np.arange(3), BOUNDARIES[name]), 0.0, free) for name in ONE_VARIANCE]
    zero = np.zeros_like(free)
    at_zero, *grid_starts = _zero_variance_starts(data, held)
    # a correlation of moments, strong ones of both signs, and beside the models with one variance of 0
    guesses = [*_starting_factors(data, scale), *(np.abs(start) + 0.1 for start in reversed(grid_starts))][:starts]
    first = guesses if (data.size < MANY_COMPARISONS).any() else guesses[:2]
    surrogate, final, *ends = _climb_from(likelihood, [*grid_starts, *first], [*held, *[free] * len(first)])
    simpler = {"both": SearchEnds(at_zero, zero, np.ones(len(free), dtype=np.bool_))}
    simpler |= {"tau_surrogate": surrogate, "tau_final": final}
    best = _best_end(likelihood, ends, guesses[len(first) :], free)
    best, boundary = _settle_on_boundary(likelihood, best, free, scale)
    unit, boundary = _prefer_simpler(best, boundary, simpler)
    factor = unit * free
    sign = np.where(factor[:, 0] >= 0, 1.0, -1.0)
    factor = np.stack([np.abs(factor[:, 0]), sign * factor[:, 1], np.abs(factor[:, 2])], axis=1)
    return factor, boundary, best.converged


def _zero_variance_starts(data: DataSets, held: Sequence[FloatArray]) -> tuple[FloatArray, ...]:
    """Log-likelihoods without any variance (b,), and for each model with one variance the best point of a grid (b, 3).

    Parameters
    ----------
    data : DataSets
    held : sequence of (b, 3) array
        Scale of the elements in each model, 0 for an element that is 0.
    """
    b, n = len(held[0]), len(START_SDS)
    units = START_SDS[:, None, None] * (np.array(held) > 0)[:, None]  # (2, n, b, 3)
    factor = (units * np.array(held)[:, None]).reshape(-1, 3)
    every, psi = np.tile(np.arange(b), 2 * n + 1), psi_of(np.concatenate([np.zeros((b, 3)), factor]))
    step = max(GRID_PIECE // data.log_hr.shape[1], 1)
    parts = [slice(first, first + step) for first in range(0, len(every), step)]
    values = np.concatenate([log_likelihoods(data.likelihood.take(every[part]), psi[part]) for part in parts])
    place = values[b:].reshape(2, n, b).argmax(axis=1)
    return values[:b], *(unit[best, np.arange(b)] for unit, best in zip(units, place, strict=True))


def _starting_factors(data: DataSets, scale: FloatArray) -> list[FloatArray]:
    """Cholesky factors (b, 3) in units of the scale: moments moved inside the boundary, rho = 0.9, rho = -0.9."""
    complete = ~np.isnan(data.log_hr).any(axis=2)
    number = complete.sum(axis=1)
    y = np.where(complete[..., None], data.log_hr, 0.0)
    away = (y - (y.sum(axis=1) / np.maximum(number, 1)[:, None])[:, None]) * complete[..., None]
    (s1, s2), r = np.moveaxis(data.se, 2, 0), data.rho_within
    sampling = np.where(complete, np.stack([s1**2, r * s1 * s2, s2**2]), 0.0).sum(axis=2) / np.maximum(number, 1)
    moment = np.einsum("bki,bkj->bij", away, away) / np.maximum(number - 1, 1)[:, None, None]
    moment = moment - np.moveaxis(sampling[[[0, 1], [1, 2]]], 2, 0)
    moment = np.where((number > 2)[:, None, None], moment, scale[:, :, None] ** 2 * np.eye(2))
    values, vectors = np.linalg.eigh(moment)
    values = np.maximum(values, 0.05 * np.mean(scale**2, axis=1, keepdims=True))
    root = np.linalg.cholesky((vectors * values[:, None]) @ vectors.swapaxes(1, 2))
    strong = [np.tile([1.0, rho, np.sqrt(1 - rho**2)], (len(scale), 1)) / 2 for rho in (0.9, -0.9)]
    return [root[:, [0, 1, 1], [0, 0, 1]] / scale[:, [0, 1, 1]], *strong]


def _best_end(
    data: BatchLikelihood, first: Sequence[SearchEnds], guesses: Sequence[FloatArray], free: FloatArray
) -> SearchEnds:
    """Return the highest end of all starts, the further ones only where the first two do not agree.

    Parameters
    ----------
    data : BatchLikelihood
    first : sequence of SearchEnds
        Ends of the first starts.
    guesses : sequence of (b, 3) array
        Further starts, in units of ``free``.
    free : (b, 3) array
    """
    b, ends, further = len(free), list(first), np.zeros(0, dtype=np.intp)
    if guesses:
        same = ends[0].converged & ends[1].converged & (np.abs(ends[0].value - ends[1].value) < SAME_MAXIMUM)
        further = np.flatnonzero(~same)
    if len(further):
        later = _climb_from(data.take(further), [guess[further] for guess in guesses], [free[further]] * len(guesses))
        for part in later:
            end = SearchEnds(np.full(b, -np.inf), np.zeros((b, 3)), np.zeros(b, dtype=np.bool_))
            end.value[further], end.unit[further], end.converged[further] = part.value, part.unit, part.converged
            ends.append(end)
    values = np.stack([np.where(end.converged, end.value, -np.inf) for end in ends])
    place, every = values.argmax(axis=0), np.arange(b)
    value = values[place, every]
    return SearchEnds(value, np.stack([end.unit for end in ends])[place, every], np.isfinite(value))


def _climb_from(
    data: BatchLikelihood, guesses: Sequence[FloatArray], free: Sequence[FloatArray]
) -> tuple[SearchEnds, ...]:
    """Search from several starts of every data set, each with its free elements, in one batch."""
    n, b = len(guesses), len(guesses[0])
    end = climb(data.take(np.tile(np.arange(b), n)), np.concatenate(guesses), np.concatenate(free))
    return tuple(
        SearchEnds(end.value[part], end.unit[part], end.converged[part])
        for part in (slice(i * b, (i + 1) * b) for i in range(n))
    )


def _prefer_simpler(
    best: SearchEnds, boundary: Boundaries, simpler: dict[str, SearchEnds]
) -> tuple[FloatArray, Boundaries]:
    """Replace the factor and the boundary where a zero-variance model has a higher likelihood: the smallest of them."""
    unit, highest = best.unit, np.max([end.value for end in simpler.values()], axis=0)
    higher = highest > best.value + HIGHER
    for name in reversed(simpler):
        chosen = higher & (simpler[name].value >= highest - NEGLIGIBLE_GAIN)
        unit, boundary = np.where(chosen[:, None], simpler[name].unit, unit), np.where(chosen, name, boundary)
    return unit, boundary


def _settle_on_boundary(
    data: BatchLikelihood, best: SearchEnds, free: FloatArray, scale: FloatArray
) -> tuple[SearchEnds, Boundaries]:
    """Refit with the elements at 0 that are nearly 0, and keep the refit where it loses no log-likelihood."""
    a, b, c = (best.unit * free).T
    near = {
        "tau_surrogate": a**2 < NEAR_BOUNDARY * scale[:, 0] ** 2,
        "tau_final": b**2 + c**2 < NEAR_BOUNDARY * scale[:, 1] ** 2,
        "rho": c**2 < NEAR_BOUNDARY * (b**2 + c**2),
    }
    near["both"] = near["tau_surrogate"] & near["tau_final"]
    value, unit, boundary = best.value.copy(), best.unit.copy(), np.full(len(free), "", dtype="<U13")
    for name, zeros in BOUNDARIES.items():
        sets: IntArray = np.flatnonzero(near[name] & (boundary == ""))
        if not len(sets):
            continue
        held = np.where(np.isin(np.arange(3), zeros), 0.0, free[sets])
        end = climb(data.take(sets), unit[sets], held)
        slack = CORRELATION_SLACK if name == "rho" else NEGLIGIBLE_GAIN
        kept = end.converged & (end.value >= value[sets] - slack)
        value[sets[kept]], unit[sets[kept]], boundary[sets[kept]] = end.value[kept], end.unit[kept], name
    return SearchEnds(value, unit, best.converged), boundary
