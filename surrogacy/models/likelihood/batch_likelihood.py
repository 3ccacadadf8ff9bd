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

# dV/dpsi of one comparison. A symmetric 2 x 2 matrix W is the sum of w_i E_i, so that sums over the comparisons of
# products of elements, times these constants, are the sums of the formulas above.
ELEMENTS = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
TRACES = np.einsum("iqr,ars,jst,btq->ijab", *[ELEMENTS] * 4).reshape(9, 9)  # tr(W E_a U E_b) from w_i u_j
CROSS = np.einsum("iqr,ars->isaq", *[ELEMENTS] * 2).reshape(6, 6)  # W E_a u from w_i u_s
MIDDLE = np.einsum("iqr,ars,jst->ijaqt", *[ELEMENTS] * 3).reshape(9, 12)  # W E_a W from w_i w_j


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
    information : (b, 2, 2) array
        A, minus the second derivative by mu.
    mu_cov : (b, 2, 2) array
        Covariance of the generalised least squares estimate, the inverse of A.
    mu_gradient : (b, 2) array
        0 at the generalised least squares estimate.
    cross : (b, 3, 2) array
        ``c_a``, minus the mixed derivative by psi and mu.
    """

    log_likelihood: FloatArray
    gradient: FloatArray
    hessian: FloatArray
    mu: FloatArray
    information: FloatArray
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

    inverse: FloatArray  # (3, b, k), of the single comparisons
    group_inverses: tuple[FloatArray, ...]  # (b, g, 2 m, 2 m)
    information: FloatArray  # (3, b), A
    mu: FloatArray  # (2, b)
    mu_cov: FloatArray  # (3, b)
    mu_gradient: FloatArray  # (2, b)
    scaled: FloatArray  # (2, b, k), u
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
    w, u, mu_cov = solution.inverse, solution.scaled, _full(solution.mu_cov)
    outer = _outer(solution, data.restricted)
    sums = w.swapaxes(0, 1) @ np.concatenate([w, outer, u]).transpose(1, 2, 0)  # (b, 3, 8)
    ww = sums[:, :, :3]
    gradient = (w - outer).sum(axis=2).T * [-0.5, -1.0, -0.5]
    hessian = (0.5 * ww - sums[:, :, 3:6]).reshape(-1, 9) @ TRACES
    cross = sums[:, :, 6:].reshape(-1, 6) @ CROSS
    middle = ww.reshape(-1, 9) @ MIDDLE
    hessian, cross, middle = hessian.reshape(-1, 3, 3), cross.reshape(-1, 3, 2), middle.reshape(-1, 3, 2, 2)
    for group, inverse, scaled in zip(data.groups, solution.group_inverses, solution.group_scaled, strict=True):
        parts = _group_parts(group, inverse, scaled, mu_cov, data.restricted)
        gradient, hessian = gradient + parts[0], hessian + parts[1]
        cross, middle = cross + parts[2], middle + parts[3]
    if data.restricted:
        spread = mu_cov[:, None] @ middle
        hessian = hessian + 0.5 * spread.reshape(-1, 3, 4) @ spread.swapaxes(2, 3).reshape(-1, 3, 4).swapaxes(1, 2)
    value, mu, mu_gradient = solution.log_likelihood, solution.mu.T, solution.mu_gradient.T
    information = _full(solution.information)
    return JointEvaluation(value, gradient, hessian, mu, information, mu_cov, mu_gradient, cross)


def _solve(data: BatchLikelihood, psi: FloatArray, lines: FloatArray | None = None) -> _Solution:
    """Invert every V, and estimate mu, on a straight line where there is one."""
    singles = data.singles
    y, (v11, v12, v22) = singles.y, singles.sampling + psi.T[:, :, None] * singles.reported
    det = v11 * v22 - v12 * v12
    w = np.array([v22, -v12, v11]) / det * singles.reported
    log_det, information, score = np.log(det).sum(axis=1), w.sum(axis=2), _times(w, y).sum(axis=2)
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
    mu = _times(c, score)
    mu_gradient = np.zeros_like(mu)
    if lines is not None:
        held = ~np.isnan(lines[0, 0])
        (point, along), a, estimate = lines[:, :, held], information[:, held], mu[:, held]
        weighted = _times(a, along)
        far = (weighted * (estimate - point)).sum(axis=0) / (weighted * along).sum(axis=0)
        mu[:, held] = point + far * along
        mu_gradient[:, held] = _times(a, estimate - mu[:, held])
    residual = y - mu[:, :, None]
    u = _times(w, residual)
    squares = np.einsum("ibk,ibk->b", residual, u)
    scaled = []
    for group, inverse in zip(data.groups, inverses, strict=True):
        away = group.y - np.tile(mu.T, group.y.shape[-1] // 2)[:, None]
        scaled.append(np.einsum("bgmn,bgn->bgm", inverse, away))
        squares = squares + np.einsum("bgm,bgm->b", away, scaled[-1])
    value = data.constant - 0.5 * (log_det + squares)
    if data.restricted:
        value = value - 0.5 * np.log(a_det)
    return _Solution(w, tuple(inverses), information, mu, c, mu_gradient, u, tuple(scaled), value)


def _times(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Product of symmetric 2 x 2 matrices (3, ...) and vectors (2, ...)."""
    return np.asarray(matrix[:2] * vector[0] + matrix[1:] * vector[1])


def _outer(solution: _Solution, restricted: bool) -> FloatArray:
    """``u u'`` of every comparison, plus ``W X A^-1 X' W`` for REML: (3, b, k)."""
    w, vectors = solution.inverse, solution.scaled[:, None]
    if restricted:  # columns of the Cholesky factor of A^-1, the second of which is (0, last)
        first = solution.mu_cov[:2, :, None] / np.sqrt(solution.mu_cov[0, :, None])
        last = 1.0 / np.sqrt(solution.information[2, :, None])
        vectors = np.array([solution.scaled, _times(w, first), w[1:] * last]).swapaxes(0, 1)
    x1, x2 = vectors
    return np.array([(x1 * x1).sum(axis=0), (x1 * x2).sum(axis=0), (x2 * x2).sum(axis=0)])


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
    gradient = -0.5 * np.einsum("abgmm->ba", ew - eo)
    left, right = (np.moveaxis(matrices, 0, 1).reshape(b, 3, -1) for matrices in (ew, (0.5 * ew - eo).swapaxes(-1, -2)))
    hessian = left @ right.swapaxes(1, 2)
    flat = columns.reshape(b, -1, 2)
    transposed = flat.swapaxes(1, 2)
    cross = (transposed @ np.moveaxis(times(scaled[..., None]).reshape(3, b, -1), 0, 2)).swapaxes(1, 2)
    middle = transposed[:, None] @ np.moveaxis(times(columns).reshape(3, b, -1, 2), 0, 1)
    return gradient, hessian, cross, middle


def _full(elements: FloatArray) -> FloatArray:
    """(b, 2, 2) matrices from their elements (3, b)."""
    return np.ascontiguousarray(elements[[0, 1, 1, 2]].T).reshape(-1, 2, 2)
