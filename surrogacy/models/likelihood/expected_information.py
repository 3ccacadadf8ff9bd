"""Covariance of the parameters of the bivariate model from the expected information, at any T.

    I_ab = tr(P E_a P E_b) / 2,   P = W - W X (X' W X)^-1 X' W,   W = V^-1

for REML, with W in place of P for ML; ``E_a = dV/dpsi_a``. It is the Hessian of the log-likelihood for effects that are
all 0, because the terms of the residuals, which then vanish, have minus twice the expectation of the others. Unlike the
observed information it is positive definite wherever T is, and not only near the maximum. The means are independent of
T in expectation, with covariance ``(X' W X)^-1``.

References
----------
Jackson, Riley, White (2011), doi:10.1002/sim.4172.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.models.likelihood.batch_data import BatchLikelihood
from surrogacy.models.likelihood.batch_likelihood import evaluate


def expected_covariance(data: BatchLikelihood, psi: FloatArray) -> FloatArray:
    """Covariance of (mu_surrogate, mu_final, T11, T12, T22) at several T.

    Parameters
    ----------
    data : BatchLikelihood
        One data set; only its sampling covariances are used.
    psi : (n, 3) array
        T11, T12 and T22; T must be positive semi-definite.

    Returns
    -------
    (n, 5, 5) array
    """
    singles = replace(data.singles, y=np.zeros_like(data.singles.y))
    groups = tuple(replace(group, y=np.zeros_like(group.y)) for group in data.groups)
    same = replace(data, singles=singles, groups=groups).take(np.zeros(len(psi), dtype=np.intp))
    at = evaluate(same, psi)
    covariance = np.zeros((len(psi), 5, 5))
    covariance[:, :2, :2] = at.mu_cov
    covariance[:, 2:, 2:] = np.linalg.inv(at.hessian)
    return covariance
