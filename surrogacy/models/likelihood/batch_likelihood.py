"""Bivariate likelihood of many data sets, for all data sets at once.

It is the likelihood of `surrogacy.models.likelihood.likelihood`. With ``W = V^-1``, ``u = W (y - X beta)`` and, for
REML, ``U = u u' + W X A^-1 X' W`` (for ML ``U = u u'``), where ``A = X' W X``,

    gradient_a   = -tr((W - U) E_a) / 2
    hessian_ab   = tr(W E_a W E_b) / 2 - tr(W E_a U E_b) + c_a' A^-1 c_b + tr(A^-1 B_a A^-1 B_b) / 2

with ``c_a = X' W E_a u`` and ``B_a = X' W E_a W X`` (the last term for REML only). A missing endpoint has rows and
columns of 0 in W. Single comparisons have closed forms; comparisons with a shared control arm use matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.likelihood.batch_data import BatchLikelihood, Groups


@dataclass(frozen=True, eq=False)
class BatchEvaluation:
    """Likelihood of ``b`` data sets, each at its ``psi = (t1, t12, t2)``.

    Parameters
    ----------
    log_likelihood : (b,) array
    gradient : (b, 3) array
    hessian : (b, 3, 3) array
        Of the (restricted) profile log-likelihood, by psi.
    mu : (b, 2) array
        Generalised least squares estimate.
    mu_cov : (b, 2, 2) array
        Its covariance, given psi.
    """

    log_likelihood: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    mu: FloatArray
    mu_cov: FloatArray


@dataclass(frozen=True, eq=False)
class JointEvaluation:
    """Joint criterion of psi and mu, ``l(mu, psi) - log|A(psi)| / 2`` for REML, with its derivatives.

    Parameters
    ----------
    log_likelihood : (b,) array
    gradient : (b, 3) array
        By psi, for this mu.
    hessian : (b, 3, 3) array
        By psi, for this mu.
    mu : (b, 2) array
    mu_cov : (b, 2, 2) array
        Covariance of the generalised least squares estimate; its inverse A is minus the second derivative by mu.
    mu_gradient : (b, 2) array
        0 at the generalised least squares estimate.
    cross : (b, 3, 2) array
        ``c_a``, minus the mixed derivative by psi and mu.
    """

    log_likelihood: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    mu: FloatArray
    mu_cov: FloatArray
    mu_gradient: FloatArray
    cross: FloatArray

    @property
    def profile_hessian(self) -> FloatArray:
        """(b, 3, 3) second derivatives by psi if mu follows psi at its estimate."""
        return np.asarray(self.hessian + self.cross @ self.mu_cov @ self.cross.swapaxes(1, 2))


@dataclass(frozen=True, eq=False)
class _Solution:
    """Inverses of V, and the estimate of mu that follows from them."""

    inverse: FloatArray  # (3, k, b), of the single comparisons
    group_inverses: tuple[FloatArray, ...]  # (b, g, 2 m, 2 m)
    mu: FloatArray  # (2, b)
    mu_cov: FloatArray  # (3, b)
    mu_gradient: FloatArray  # (2, b)
    residual: FloatArray  # (2, k, b)
    scaled: FloatArray  # (2, k, b), u
    group_scaled: tuple[FloatArray, ...]  # (b, g, 2 m)
    log_likelihood: FloatArray  # (b,)


def log_likelihoods(data: BatchLikelihood, psi: FloatArray) -> FloatArray:
    """Compute the log-likelihoods of ``b`` data sets at ``psi`` (b, 3)."""
    return _solve(data, psi).log_likelihood


def evaluate(data: BatchLikelihood, psi: FloatArray) -> BatchEvaluation:
    """Compute log-likelihoods, with gradient and Hessian with respect to psi.

    Parameters
    ----------
    data : BatchLikelihood
    psi : (b, 3) array
        T must be positive semi-definite.
    """
    at = evaluate_jointly(data, psi)
    return BatchEvaluation(at.log_likelihood, at.gradient, at.profile_hessian, at.mu, at.mu_cov)


def evaluate_jointly(data: BatchLikelihood, psi: FloatArray, lines: FloatArray | None = None) -> JointEvaluation:
    """Compute the joint criterion of psi and mu at the best mu.

    Parameters
    ----------
    data : BatchLikelihood
    psi : (b, 3) array
        T must be positive semi-definite.
    lines : (2, 2, b) array, optional
        Point and direction of the straight line on which mu lies; NaN where mu is not restricted.
    """
    solution = _solve(data, psi, lines)
    w, u, c = solution.inverse, solution.scaled, solution.mu_cov
    outer = np.array([u[0] * u[0], u[0] * u[1], u[1] * u[1]])
    if data.restricted:
        outer += _sandwich(w, c)
    ww, wu, wv = (np.einsum("ikb,jkb->ijb", w, second) for second in (w, outer, u))
    difference = (w - outer).sum(axis=1)
    gradient = -0.5 * np.array([difference[0], 2 * difference[1], difference[2]])
    hessian = 0.5 * _traces(ww) - _traces(wu)
    middle = np.array([[ww[0, 0], 2 * ww[0, 1], ww[1, 1]], [ww[0, 1], ww[0, 2] + ww[1, 1], ww[1, 2]]])
    middle = np.stack([*middle, np.array([ww[1, 1], 2 * ww[1, 2], ww[2, 2]])], axis=1)  # (a, 3, b), B_a
    cross = np.array([[wv[0, 0], wv[1, 0]], [wv[0, 1] + wv[1, 0], wv[1, 1] + wv[2, 0]], [wv[1, 1], wv[2, 1]]])
    for group, inverse, scaled in zip(data.groups, solution.group_inverses, solution.group_scaled, strict=True):
        parts = _group_parts(group, inverse, scaled, _full(c), data.restricted)
        gradient, hessian = gradient + parts[0], hessian + parts[1]
        cross, middle = cross + parts[2], middle + parts[3]
    covariance, rows = _full(c), np.moveaxis(cross, 2, 0)
    hessian = np.moveaxis(hessian, 2, 0)
    if data.restricted:
        spread = covariance[:, None] @ np.moveaxis(middle[:, [[0, 1], [1, 2]]], 3, 0)
        hessian = hessian + 0.5 * spread.reshape(-1, 3, 4) @ spread.swapaxes(2, 3).reshape(-1, 3, 4).swapaxes(1, 2)
    mu, mu_gradient = solution.mu.T, solution.mu_gradient.T
    return JointEvaluation(solution.log_likelihood, gradient.T, hessian, mu, covariance, mu_gradient, rows)


def _solve(data: BatchLikelihood, psi: FloatArray, lines: FloatArray | None = None) -> _Solution:
    """Invert every V, and estimate mu, on a straight line where there is one."""
    singles = data.singles
    v11, v12, v22 = singles.sampling + psi.T[:, None, :] * singles.reported
    det = v11 * v22 - v12 * v12
    w = np.array([v22, -v12, v11]) / det * singles.reported
    y = singles.y
    log_det = np.log(det).sum(axis=0)
    information = w.sum(axis=1)
    score = np.array([w[0] * y[0] + w[1] * y[1], w[1] * y[0] + w[2] * y[1]]).sum(axis=1)
    inverses = []
    for group in data.groups:
        both = group.reported[..., :, None] * group.reported[..., None, :]
        m = group.y.shape[-1] // 2
        between = np.kron(np.eye(m), np.ones((2, 2))) * np.tile(_full(psi.T), (1, m, m))
        v = group.sampling + between[:, None] * both
        inverse = np.linalg.inv(v) * both
        inverses.append(inverse)
        log_det += np.linalg.slogdet(v)[1].sum(axis=1)
        columns = inverse.reshape(*inverse.shape[:3], m, 2).sum(axis=3)  # W X
        total = columns.reshape(len(psi), -1, 2, 2).sum(axis=1)
        information = information + np.array([total[:, 0, 0], total[:, 0, 1], total[:, 1, 1]])
        score = score + np.einsum("bgmq,bgm->qb", columns, group.y)
    a11, a12, a22 = information
    a_det = a11 * a22 - a12 * a12
    c = np.array([a22, -a12, a11]) / a_det
    mu = np.array([c[0] * score[0] + c[1] * score[1], c[1] * score[0] + c[2] * score[1]])
    mu_gradient = np.zeros_like(mu)
    if lines is not None:
        held = ~np.isnan(lines[0, 0])
        point, along = lines[:, :, held]
        a, estimate = information[:, held], mu[:, held]
        weighted = np.array([a[0] * along[0] + a[1] * along[1], a[1] * along[0] + a[2] * along[1]])
        far = (weighted * (estimate - point)).sum(axis=0) / (weighted * along).sum(axis=0)
        mu[:, held] = point + far * along
        away = estimate - mu[:, held]
        mu_gradient[:, held] = [a[0] * away[0] + a[1] * away[1], a[1] * away[0] + a[2] * away[1]]
    residual = y - mu[:, None]
    u = np.array([w[0] * residual[0] + w[1] * residual[1], w[1] * residual[0] + w[2] * residual[1]])
    squares = np.einsum("ikb,ikb->b", residual, u)
    scaled = []
    for group, inverse in zip(data.groups, inverses, strict=True):
        away = group.y - np.tile(mu.T, group.y.shape[-1] // 2)[:, None]
        scaled.append(np.einsum("bgmn,bgn->bgm", inverse, away))
        squares = squares + np.einsum("bgm,bgm->b", away, scaled[-1])
    value = data.constant - 0.5 * (log_det + squares)
    if data.restricted:
        value = value - 0.5 * np.log(a_det)
    return _Solution(w, tuple(inverses), mu, c, mu_gradient, residual, u, tuple(scaled), value)


def _sandwich(w: FloatArray, c: FloatArray) -> FloatArray:
    """``W A^-1 W`` of every comparison, for symmetric 2 x 2 matrices: (3, k, b)."""
    left1, left2 = w[0] * c[0] + w[1] * c[1], w[0] * c[1] + w[1] * c[2]  # first row of W A^-1
    right1, right2 = w[1] * c[0] + w[2] * c[1], w[1] * c[1] + w[2] * c[2]
    return np.array([left1 * w[0] + left2 * w[1], left1 * w[1] + left2 * w[2], right1 * w[1] + right2 * w[2]])


def _traces(sums: FloatArray) -> FloatArray:
    """``sum tr(W E_a U E_b)`` from the sums of products of the elements of W and U: (3, 3, b)."""
    s = sums
    first, second, third = s[0, 1] + s[1, 0], s[0, 2] + 2 * s[1, 1] + s[2, 0], s[1, 2] + s[2, 1]
    return np.array([[s[0, 0], first, s[1, 1]], [first, second, third], [s[1, 1], third, s[2, 2]]])


def _group_parts(
    group: Groups, inverse: FloatArray, scaled: FloatArray, mu_cov: FloatArray, restricted: bool
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Contributions of comparisons with a shared control arm: gradient, Hessian, ``c_a`` and ``B_a``."""
    b, g, width = scaled.shape
    m = width // 2
    columns = inverse.reshape(b, g, width, m, 2).sum(axis=3)  # W X
    outer = scaled[..., :, None] * scaled[..., None, :]
    if restricted:
        outer = outer + columns @ mu_cov[:, None] @ columns.swapaxes(2, 3)

    def times(matrix: FloatArray) -> FloatArray:
        """``E_a`` times a matrix: (3, b, g, 2 m, columns)."""
        split = matrix.reshape(b, g, m, 2, -1)
        product = np.zeros((3, *split.shape))
        product[0, ..., 0, :] = product[1, ..., 1, :] = split[..., 0, :]
        product[2, ..., 1, :] = product[1, ..., 0, :] = split[..., 1, :]
        return product.reshape(3, b, g, width, -1)

    ew, eo = times(inverse), times(outer)
    gradient = -0.5 * np.einsum("abgmm->ab", ew - eo)
    left, right = (np.moveaxis(matrices, 0, 1).reshape(b, 3, -1) for matrices in (ew, (0.5 * ew - eo).swapaxes(-1, -2)))
    hessian = np.moveaxis(left @ right.swapaxes(1, 2), 0, 2)
    flat = columns.reshape(b, -1, 2)
    transposed = flat.swapaxes(1, 2)
    cross = np.moveaxis(transposed @ np.moveaxis(times(scaled[..., None]).reshape(3, b, -1), 0, 2), (2, 1), (0, 1))
    product = np.moveaxis(transposed[:, None] @ np.moveaxis(times(columns).reshape(3, b, -1, 2), 0, 1), 0, 3)
    middle = np.stack([product[:, 0, 0], product[:, 0, 1], product[:, 1, 1]], axis=1)
    return gradient, hessian, cross, middle


def _full(elements: FloatArray) -> FloatArray:
    """(b, 2, 2) matrices from their elements (3, b)."""
    return np.ascontiguousarray(elements[[0, 1, 1, 2]].T).reshape(-1, 2, 2)
