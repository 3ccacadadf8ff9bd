"""Many data sets of a bivariate meta-analysis, arranged for their likelihoods at once.

A data set with fewer comparisons than the others is filled up with missing ones, which have no part in its likelihood.
Symmetric 2 x 2 matrices are stored as (11, 12, 22). The last axis of the arrays of single comparisons is that of the
comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.effects import Effects
from surrogacy.models.likelihood.likelihood import Method


@dataclass(frozen=True, eq=False)
class Singles:
    """``k`` comparisons without a shared control arm in ``b`` data sets.

    Parameters
    ----------
    y : (2, b, k) array
        0 for a missing endpoint.
    sampling : (3, b, k) array, or (3, 1, k) if all data sets have the same
        Covariance of the sampling errors; 1, 0 for the variance and covariance of a missing endpoint.
    reported : (3, b, k) or (3, 1, k) array
        1 where the element of the covariance belongs to reported endpoints, 0 elsewhere.
    """

    y: FloatArray
    sampling: FloatArray
    reported: FloatArray


@dataclass(frozen=True, eq=False)
class Groups:
    """``g`` groups of ``m`` comparisons with a shared control arm in ``b`` data sets.

    Parameters
    ----------
    y : (b, g, 2 m) array
    sampling : (b, g, 2 m, 2 m) array, or (1, g, 2 m, 2 m) if all data sets have the same
    reported : (b, g, 2 m) or (1, g, 2 m) array
        1 for a reported endpoint, 0 for a missing one.
    """

    y: FloatArray
    sampling: FloatArray
    reported: FloatArray


@dataclass(frozen=True, eq=False)
class BatchLikelihood:
    """Data sets and the kind of likelihood.

    Parameters
    ----------
    singles : Singles
    groups : tuple of Groups
        One per number of comparisons in a group.
    restricted : bool
        REML instead of ML.
    constant : (b,) array
        Constants of the log-likelihoods.
    """

    singles: Singles
    groups: tuple[Groups, ...]
    restricted: bool
    constant: FloatArray

    def take(self, sets: IntArray) -> BatchLikelihood:
        """Return the likelihood of some data sets, which may be repeated."""
        singles, groups = self.singles, self.groups
        return replace(
            self,
            singles=Singles(
                singles.y[:, sets], _taken(singles.sampling, sets, axis=1), _taken(singles.reported, sets, axis=1)
            ),
            groups=tuple(
                Groups(group.y[sets], _taken(group.sampling, sets), _taken(group.reported, sets)) for group in groups
            ),
            constant=self.constant[sets],
        )


def _shared(values: FloatArray, axis: int = 0) -> FloatArray:
    """Reduce the axis of the data sets to length 1 if all of them have the same values."""
    first = values.take([0], axis) if values.shape[axis] else values
    return first if (values == first).all() else values


def _taken(values: FloatArray, sets: IntArray, axis: int = 0) -> FloatArray:
    """Values of some data sets; those that all data sets have in common are not repeated."""
    return values if values.shape[axis] == 1 else values.take(sets, axis)


@dataclass(frozen=True, eq=False)
class DataSets:
    """Data sets whose likelihoods are maximised together.

    Parameters
    ----------
    likelihood : BatchLikelihood
    log_hr, se : (b, k, 2) array
        NaN for a missing endpoint.
    rho_within : (b, k) array
    size : (b,) array
        Numbers of comparisons.
    single : callable
        Function from the index of a data set to its Effects.
    """

    likelihood: BatchLikelihood
    log_hr: FloatArray
    se: FloatArray
    rho_within: FloatArray
    size: IntArray
    single: Callable[[int], Effects]


def same_comparisons(
    effects: Effects,
    log_hr: FloatArray,
    method: Method,
    se: FloatArray | None = None,
    rho_within: FloatArray | None = None,
) -> DataSets:
    """Arrange data sets with the same comparisons.

    Parameters
    ----------
    effects : Effects
        Template: shared control arms, missing endpoints and, by default, standard errors and correlations.
    log_hr : (b, k, 2) array
        Estimates; those of endpoints that are missing in the template are not used.
    method : {"ml", "reml"}
    se : (b, k, 2) array, optional
    rho_within : (b, k) array, optional
    """
    b = len(log_hr)
    y = np.where(np.isnan(effects.log_hr), np.nan, log_hr)
    errors = np.broadcast_to(effects.se if se is None else se, y.shape)
    rho = np.broadcast_to(effects.rho_within if rho_within is None else rho_within, y.shape[:2])
    members = list(effects.dependent_groups())
    single = np.array([group[0] for group in members if len(group) == 1], dtype=np.intp)
    groups = []
    for m in sorted({len(group) for group in members} - {1}):
        chosen = [group for group in members if len(group) == m]
        if se is None and rho_within is None:
            covariance = np.stack([effects.sampling_covariance(group) for group in chosen])[None].repeat(b, axis=0)
        else:
            sets = [replace(effects, se=errors[i], rho_within=rho[i]) for i in range(b)]
            covariance = np.stack([[data.sampling_covariance(group) for group in chosen] for data in sets])
        groups.append(_groups(y[:, chosen].reshape(b, len(chosen), -1), covariance))
    likelihood = _likelihood(y[:, single], errors[:, single], rho[:, single], groups, method)

    def effects_of(i: int) -> Effects:
        return replace(effects, log_hr=y[i], se=np.where(np.isnan(y[i]), np.nan, errors[i]), rho_within=rho[i])

    return DataSets(likelihood, y, errors, rho, np.full(b, len(effects)), effects_of)


def any_comparisons(data: Sequence[Effects], method: Method) -> DataSets:
    """Arrange data sets of any comparisons; those with fewer comparisons are filled up with missing ones.

    Parameters
    ----------
    data : sequence of Effects
    method : {"ml", "reml"}
    """
    by_size: list[dict[int, list[IntArray]]] = []
    for effects in data:
        by_size.append({})
        for members in effects.dependent_groups():
            by_size[-1].setdefault(len(members), []).append(members)
    most = {m: max(len(sizes.get(m, ())) for sizes in by_size) for m in sorted(set().union(*by_size))}
    alone = [np.ravel(sizes.get(1, [])).astype(np.intp) for sizes in by_size]
    groups = []
    for m in [m for m in most if m > 1]:
        shape = len(data), most[m], 2 * m
        values, covariance = np.full(shape, np.nan), np.zeros((*shape, 2 * m))
        for i, (effects, sizes) in enumerate(zip(data, by_size, strict=True)):
            for j, members in enumerate(sizes.get(m, ())):
                values[i, j], covariance[i, j] = effects.log_hr[members].ravel(), effects.sampling_covariance(members)
        groups.append(_groups(values, covariance))
    likelihood = _likelihood(*_padded(data, alone), groups, method)
    size = np.array([len(effects) for effects in data])
    return DataSets(likelihood, *_padded(data, list(map(np.arange, size))), size, lambda i: data[i])


def _padded(data: Sequence[Effects], members: Sequence[IntArray]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log hazard ratios and standard errors (b, k, 2) and within-trial correlations (b, k), filled up with NaN.

    Parameters
    ----------
    data : sequence of Effects
    members : sequence of (k_i,) array
        Indices of comparisons of each set.
    """
    values = np.full((len(data), max(map(len, members)), 5), np.nan)
    for row, effects, index in zip(values, data, members, strict=True):
        row[: len(index)] = np.column_stack([effects.log_hr, effects.se, effects.rho_within])[index]
    return values[..., :2], values[..., 2:4], values[..., 4]


def _groups(y: FloatArray, covariance: FloatArray) -> Groups:
    """Groups with missing endpoints (NaN) that have a variance of 1 and no covariance."""
    present = ~np.isnan(y)
    both = present[..., :, None] & present[..., None, :]
    sampling = np.where(both, covariance, np.eye(y.shape[-1]))
    return Groups(np.where(present, y, 0.0), _shared(sampling), _shared(present.astype(np.float64)))


def _likelihood(
    y: FloatArray, se: FloatArray, rho_within: FloatArray, groups: Sequence[Groups], method: Method
) -> BatchLikelihood:
    """Likelihood of single comparisons, (b, k, 2) and (b, k) arrays, and groups."""
    present = ~np.isnan(y)
    (s1, s2), r = np.moveaxis(se, 2, 0), rho_within
    reported = np.stack([present[..., 0], present.all(axis=2), present[..., 1]])
    sampling = np.where(reported, np.stack([s1**2, r * s1 * s2, s2**2]), np.array([1.0, 0.0, 1.0])[:, None, None])
    value = np.ascontiguousarray(np.moveaxis(np.where(present, y, 0.0), 2, 0))
    of_groups = (group.reported.reshape(len(group.reported), -1, 2).sum(axis=1) for group in groups)
    counts = present.sum(axis=1) + sum(of_groups)
    constant = -0.5 * counts.sum(axis=1) * np.log(2 * np.pi)
    if method == "reml":
        constant += np.log(2 * np.pi) + 0.5 * np.log(counts).sum(axis=1)
    singles = Singles(value, _shared(sampling, axis=1), _shared(reported.astype(np.float64), axis=1))
    return BatchLikelihood(singles, tuple(groups), method == "reml", constant)
