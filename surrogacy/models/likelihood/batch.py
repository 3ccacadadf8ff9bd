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

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.likelihood.batch_data import DataSets, any_comparisons, same_comparisons
from surrogacy.models.likelihood.batch_likelihood import BatchEvaluation, evaluate
from surrogacy.models.likelihood.batch_search import ONE_VARIANCE, Boundaries, highest_maxima
from surrogacy.models.likelihood.likelihood import Likelihood, Method, make_blocks
from surrogacy.models.likelihood.maximum import BOUNDARIES, maximise
from surrogacy.models.likelihood.newton import by_factor, psi_jacobian, psi_of

PIECE = 80_000  # comparisons, over all searches of all data sets, in memory at once


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

    def single(self, place: int) -> BatchMaximum:
        """Maximum of one data set."""
        return BatchMaximum(*(getattr(self, field.name)[place : place + 1] for field in fields(self)))

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

    return _in_pieces(maximum, len(log_hr), len(effects), starts)


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

    return _in_pieces(maximum, len(data), max(map(len, data)), starts)


def _in_pieces(maximum: Callable[[slice], BatchMaximum], sets: int, comparisons: int, starts: int) -> BatchMaximum:
    """Maximise so many data sets at once as fit into the memory, each from its starts and in two simpler models."""
    step = max(PIECE // (comparisons * (starts + len(ONE_VARIANCE))), 1)
    pieces = [maximum(slice(first, first + step)) for first in range(0, max(sets, 1), step)]
    names = [field.name for field in fields(BatchMaximum)]
    return BatchMaximum(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))


def _maximise(data: DataSets, method: Method, starts: int) -> BatchMaximum:
    factor, boundary, converged = highest_maxima(data, starts)
    for i in np.flatnonzero(~converged).tolist():
        with suppress(FitError):
            single = data.single(i)
            optimum = maximise(Likelihood(make_blocks(single), method), single, starts)
            factor[i], boundary[i], converged[i] = optimum.factor, optimum.boundary, True
    psi = psi_of(factor)
    at = evaluate(data.likelihood, psi)
    psi_cov = _psi_covariance(at, factor, boundary)
    for array in (factor, psi, at.mu, at.mu_cov, psi_cov, at.log_likelihood):
        array[~converged] = np.nan
    boundary = np.where(converged, boundary, "")
    return BatchMaximum(factor, psi, at.mu, at.mu_cov, psi_cov, at.log_likelihood, boundary, converged)


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
