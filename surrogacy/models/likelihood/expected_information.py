"""Covariance of the parameters of the bivariate model from the expected information, at any T.

    I_ab = tr(P E_a P E_b) / 2,   P = W - W X (X' W X)^-1 X' W,   W = V^-1

for REML, with W in place of P for ML; ``E_a = dV/dpsi_a``. Unlike the observed information it is positive definite
wherever T is, and not only near the maximum. The means are independent of T in expectation, with covariance
``(X' W X)^-1``.

References
----------
Jackson, Riley, White (2011), doi:10.1002/sim.4172.
"""

from __future__ import annotations

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.likelihood.likelihood import Likelihood


def expected_covariance(likelihood: Likelihood, psi: FloatArray) -> FloatArray:
    """Covariance of (mu_surrogate, mu_final, T11, T12, T22) at several T.

    Parameters
    ----------
    likelihood : Likelihood
        Of a model without covariates; only its sampling covariances are used.
    psi : (n, 3) array
        T11, T12 and T22, for which every V is positive definite.

    Returns
    -------
    (n, 5, 5) array
    """
    weights = []
    information = np.zeros((len(psi), 2, 2))
    for block in likelihood.blocks:
        v = block.sampling + np.tensordot(psi, block.pattern, 1)
        inverse = np.linalg.inv(v)
        wx = inverse @ block.design
        information += np.sum(block.design.swapaxes(-1, -2) @ wx, axis=1)
        weights.append((block.pattern[:, None], inverse, wx))
    means = np.linalg.inv(information)
    trace, mixed, single = np.zeros((len(psi), 3, 3)), np.zeros((len(psi), 3, 3)), np.zeros((len(psi), 3, 2, 2))
    for pattern, inverse, wx in weights:
        we = inverse @ pattern  # (3, n, g, m, m)
        trace += _products(we, we)
        if likelihood.restricted:
            hat = wx @ means[:, None] @ wx.swapaxes(-1, -2)
            mixed += _products(hat @ pattern, we)
            single += np.sum(wx.swapaxes(-1, -2) @ pattern @ wx, axis=2).swapaxes(0, 1)
    if likelihood.restricted:
        spread = means[:, None] @ single
        trace += np.einsum("naqr,nbrq->nab", spread, spread) - 2.0 * mixed
    covariance = np.zeros((len(psi), 5, 5))
    covariance[:, :2, :2] = means
    covariance[:, 2:, 2:] = np.linalg.inv(trace / 2.0)
    return covariance


def _products(first: FloatArray, second: FloatArray) -> FloatArray:
    """Sum over the blocks of ``tr(first_a second_b)``, (n, 3, 3)."""
    _, n, *_ = first.shape
    rows = first.swapaxes(0, 1).reshape(n, 3, -1)
    columns = second.swapaxes(-1, -2).swapaxes(0, 1).reshape(n, 3, -1)
    return rows @ columns.swapaxes(1, 2)
