"""Maximum likelihood or REML for many data sets in one batch.

The maximum is that of `surrogacy.models.likelihood.maximum`: same starts, same zero-variance models, same decision
about the boundary. The search is that of `surrogacy.models.likelihood.newton`; the few data sets for which it does not
converge are maximised one by one. 1,000 data sets of 16 comparisons take 0.3 s.

    effects -> draw_many(effects, mu, T, size) -> maximise_many(effects, log_hr) -> BatchMaximum
    sets of any comparisons -> maximise_each(sets) -> BatchMaximum
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import BoolArray, FloatArray, IntArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.likelihood.batch_data import BatchLikelihood, DataSets, any_comparisons, same_comparisons
from surrogacy.models.likelihood.batch_likelihood import BatchEvaluation, evaluate, log_likelihoods
from surrogacy.models.likelihood.likelihood import Likelihood, Method, make_blocks
from surrogacy.models.likelihood.maximum import (
    BOUNDARIES,
    HIGHER,
    MANY_COMPARISONS,
    NEAR_BOUNDARY,
    NEGLIGIBLE_GAIN,
    SAME_MAXIMUM,
    START_SDS,
    maximise,
)
from surrogacy.models.likelihood.newton import SearchEnds, by_factor, climb, psi_jacobian, psi_of

PIECE = 40_000  # comparisons, over all data sets, in memory at once
# Loss for which a correlation of -1 or 1 is preferred, as in the search for one data set.
CORRELATION_SLACK = 1e-7
Boundaries = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class BatchMaximum:
    """Maxima of the likelihood of ``b`` data sets; all values are NaN where no maximum was reached.

    Parameters
    ----------
    factor : (b, 3) array
        (L11, L21, L22), the lower Cholesky factor of T.
    psi : (b, 3) array
        (T11, T12, T22).
    mu : (b, 2) array
        Means of the true effects.
    mu_cov : (b, 2, 2) array
        Covariance of mu, conditional on T.
    psi_cov : (b, 3, 3) array
        Covariance of psi from the observed information of the free elements of the factor: on the boundary it is
        conditional on the boundary; NaN if the information is not positive definite.
    log_likelihood : (b,) array
    boundary : (b,) array of str
        Empty, ``"rho"`` (rho = -1 or 1), ``"tau_surrogate"``, ``"tau_final"`` or ``"both"``.
    converged : (b,) bool array
    """

    factor: FloatArray
    psi: FloatArray
    mu: FloatArray
    mu_cov: FloatArray
    psi_cov: FloatArray
    log_likelihood: FloatArray
    boundary: Boundaries
    converged: BoolArray

    def __len__(self) -> int:
        return len(self.psi)

    @property
    def rho(self) -> FloatArray:
        """(b,) between-trial correlation; NaN if an SD of the true effects is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.clip(self.psi[:, 1] / np.sqrt(self.psi[:, 0] * self.psi[:, 2]), -1.0, 1.0))


def draw_many(
    effects: Effects, mu: FloatArray, between: FloatArray, size: int, generator: np.random.Generator
) -> FloatArray:
    """Draw data sets like ``effects`` from a bivariate model, ``y ~ N(mu, T + S)``.

    Standard errors and missing endpoints are kept; comparisons with a shared control arm are drawn together.

    Parameters
    ----------
    effects : Effects
    mu : (2,) array
        Means of the true effects.
    between : (2, 2) array
        Covariance T of the true effects.
    size : int
    generator : numpy.random.Generator

    Returns
    -------
    (size, k, 2) array
        Log hazard ratios, NaN where ``effects`` has none.

    Examples
    --------
    >>> effects = Effects.from_arrays(np.zeros((4, 2)), np.full((4, 2), 0.1))
    >>> draw_many(effects, np.zeros(2), 0.1 * np.eye(2), 100, np.random.default_rng(1)).shape
    (100, 4, 2)
    """
    normal = generator.standard_normal((size, 2 * len(effects)))
    log_hr = np.empty((size, len(effects), 2))
    start = 0
    for members in effects.dependent_groups():
        # a missing endpoint has no sampling variance: it is drawn, and removed again below
        sampling = np.nan_to_num(effects.sampling_covariance(members))
        values, vectors = np.linalg.eigh(sampling + np.kron(np.eye(len(members)), between))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        drawn = normal[:, start : start + len(root)] @ root.T
        log_hr[:, members] = mu + drawn.reshape(size, -1, 2)
        start += len(root)
    return np.where(np.isnan(effects.log_hr), np.nan, log_hr)


def maximise_many(
    effects: Effects,
    log_hr: FloatArray,
    method: Method = "reml",
    *,
    se: FloatArray | None = None,
    rho_within: FloatArray | None = None,
    starts: int = 5,
) -> BatchMaximum:
    """Maximise the (restricted) likelihood of every data set.

    Parameters
    ----------
    effects : Effects
        Template: shared control arms, missing endpoints and, by default, standard errors and within-trial correlations
        of every data set.
    log_hr : (b, k, 2) array
    method : {"ml", "reml"}
    se : (b, k, 2) array, optional
        Standard errors of each data set.
    rho_within : (b, k) array, optional
        Within-trial correlations of each data set.
    starts : int
        Starts of the search, 1 to 5.

    Returns
    -------
    BatchMaximum

    Examples
    --------
    >>> effects = Effects.from_arrays(np.zeros((9, 2)), np.full((9, 2), 0.1))
    >>> log_hr = draw_many(effects, np.zeros(2), 0.1 * np.eye(2), 50, np.random.default_rng(1))
    >>> maxima = maximise_many(effects, log_hr)
    >>> maxima.psi.shape, maxima.converged.all()
    ((50, 3), np.True_)
    """

    def maximum(part: slice) -> BatchMaximum:
        errors, rho = (None if values is None else values[part] for values in (se, rho_within))
        return _maximise(same_comparisons(effects, log_hr[part], method, errors, rho), method, starts)

    return _in_pieces(maximum, len(log_hr), len(effects))


def maximise_each(data: Sequence[Effects], method: Method = "reml", starts: int = 5) -> BatchMaximum:
    """Maximise the (restricted) likelihood of every data set; each may have other comparisons.

    Parameters
    ----------
    data : sequence of Effects
        At least one.
    method : {"ml", "reml"}
    starts : int
        Starts of the search, 1 to 5.

    Examples
    --------
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4)
    >>> maximise_each([effects, effects.without_trial("1")]).rho.round(2)
    array([1., 1.])
    """

    def maximum(part: slice) -> BatchMaximum:
        return _maximise(any_comparisons(data[part], method), method, starts)

    return _in_pieces(maximum, len(data), max(map(len, data)))


def _in_pieces(maximum: Callable[[slice], BatchMaximum], sets: int, comparisons: int) -> BatchMaximum:
    """Maximise so many data sets at once as fit into the memory."""
    step = max(PIECE // comparisons, 1)
    pieces = [maximum(slice(first, first + step)) for first in range(0, max(sets, 1), step)]
    names = [field.name for field in fields(BatchMaximum)]
    return BatchMaximum(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))


def _maximise(data: DataSets, method: Method, starts: int) -> BatchMaximum:
    likelihood = data.likelihood
    scale = np.sqrt(np.maximum(np.nanvar(data.log_hr, axis=1, ddof=1), 1e-8))
    free = scale[:, [0, 1, 1]]
    simpler = _zero_variance_models(likelihood, free)
    guesses = _starting_factors(data, scale, simpler)[:starts]
    best = _best_end(likelihood, [guess / free for guess in guesses], free, data.size)
    best, boundary = _settle_on_boundary(likelihood, best, free, scale)
    unit, boundary = _prefer_simpler(best, boundary, simpler)
    factor, converged = unit * free, best.converged.copy()
    sign = np.where(factor[:, 0] >= 0, 1.0, -1.0)
    factor = np.stack([np.abs(factor[:, 0]), sign * factor[:, 1], np.abs(factor[:, 2])], axis=1)
    for i in np.flatnonzero(~converged).tolist():
        with suppress(FitError):
            single = data.single(i)
            optimum = maximise(Likelihood(make_blocks(single), method), single, starts)
            factor[i], boundary[i], converged[i] = optimum.factor, optimum.boundary, True
    psi = psi_of(factor)
    at = evaluate(likelihood, psi)
    psi_cov = _psi_covariance(at, factor, boundary)
    for array in (factor, psi, at.mu, at.mu_cov, psi_cov, at.log_likelihood):
        array[~converged] = np.nan
    boundary = np.where(converged, boundary, "")
    return BatchMaximum(factor, psi, at.mu, at.mu_cov, psi_cov, at.log_likelihood, boundary, converged)


def _best_end(data: BatchLikelihood, guesses: list[FloatArray], free: FloatArray, size: IntArray) -> SearchEnds:
    """Return the highest end of all starts, or of two starts that agree if there are many comparisons."""
    b = len(free)
    ends = [climb(data, guess, free) for guess in guesses[:2]]
    further: IntArray = np.arange(b)
    if len(ends) == 2:
        same = ends[0].converged & ends[1].converged & (np.abs(ends[0].value - ends[1].value) < SAME_MAXIMUM)
        further = np.flatnonzero(~same | (size < MANY_COMPARISONS))
    for guess in guesses[2:] if len(further) else []:
        end = SearchEnds(np.full(b, -np.inf), np.zeros((b, 3)), np.zeros(b, dtype=np.bool_))
        later = climb(data.take(further), guess[further], free[further])
        end.value[further], end.unit[further], end.converged[further] = later.value, later.unit, later.converged
        ends.append(end)
    values = np.stack([np.where(end.converged, end.value, -np.inf) for end in ends])
    place, every = values.argmax(axis=0), np.arange(b)
    value = values[place, every]
    return SearchEnds(value, np.stack([end.unit for end in ends])[place, every], np.isfinite(value))


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


def _zero_variance_models(data: BatchLikelihood, free: FloatArray) -> dict[str, SearchEnds]:
    """Maximise the three models with a variance of 0, each from the best point of a grid over its only SD."""
    b = len(free)
    zero = np.zeros((b, 3))
    both = SearchEnds(log_likelihoods(data, zero), zero, np.ones(b, dtype=np.bool_))
    ends = {"both": both}
    for name in ("tau_surrogate", "tau_final"):
        held = np.where(np.isin(np.arange(3), BOUNDARIES[name]), 0.0, free)
        grid = START_SDS[:, None, None] * (held > 0)
        place = np.array([log_likelihoods(data, psi_of(unit * held)) for unit in grid]).argmax(axis=0)
        ends[name] = climb(data, grid[place, np.arange(b)], held)
    return ends


def _starting_factors(data: DataSets, scale: FloatArray, simpler: dict[str, SearchEnds]) -> list[FloatArray]:
    """Starting values of the Cholesky factors, (b, 3) each: those of the search for one data set."""
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
    strong = [
        np.stack([scale[:, 0], rho * scale[:, 1], np.sqrt(1 - rho**2) * scale[:, 1]], axis=1) / 2 for rho in (0.9, -0.9)
    ]
    inside = 0.1 * scale[:, [0, 1, 1]]
    beside = [np.abs(simpler[name].unit * scale[:, [0, 1, 1]]) + inside for name in ("tau_final", "tau_surrogate")]
    return [root[:, [0, 1, 1], [0, 0, 1]], *strong, *beside]


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


def _psi_covariance(at: BatchEvaluation, factor: FloatArray, boundary: Boundaries) -> FloatArray:
    """(b, 3, 3) ``J I^-1 J'``, with the observed information I of the free elements of the factor."""
    _, hessian = by_factor(at, factor)
    held = np.stack([np.isin(boundary, [name for name, zeros in BOUNDARIES.items() if i in zeros]) for i in range(3)])
    free = (~held.T).astype(np.float64)
    information = -hessian * free[:, :, None] * free[:, None, :]
    information[:, [0, 1, 2], [0, 1, 2]] += 1.0 - free
    scale = np.sqrt(np.abs(np.einsum("bii->bi", information))) + 1e-300
    scaled = information / (scale[:, :, None] * scale[:, None, :])
    defined = np.isfinite(scaled).all(axis=(1, 2))
    defined[defined] = np.linalg.eigvalsh(scaled[defined])[:, 0] > 0
    covariance = np.full_like(information, np.nan)
    jacobian = psi_jacobian(factor)[defined] * free[defined][:, None]
    inverse = np.linalg.inv(scaled[defined]) / (scale[defined][:, :, None] * scale[defined][:, None, :])
    covariance[defined] = jacobian @ inverse @ jacobian.swapaxes(1, 2)
    return covariance
