"""Likelihood of OS effects about the effects that dilution predicts, with the true surrogate effects integrated out.

The true surrogate effect d1 is normal given the surrogate estimate. The final estimate is normal given d1, with mean
a + k m(d1). d1 is integrated by a Gauss-Hermite rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.models.exact.line_posterior import condition
from surrogacy.models.priors import Normal
from surrogacy.pps.expected_effects import Expectation

HERMITE_NODES = 11  # per true surrogate effect
VALUES_AT_ONCE = 400_000


@dataclass(frozen=True, eq=False)
class EffectGroup:
    """Comparisons with correlated estimates, at the nodes of their true surrogate effects.

    Given the surrogate errors, the final errors have covariance R. The scatter is psi^2 I. Both are diagonal in the
    basis of the eigenvectors of R.

    Parameters
    ----------
    trial : str
    log_weight : (h,) array
        Log weights of the Gauss-Hermite nodes.
    y : (h, m) array
        Final estimates minus their regression on the surrogate errors, in the basis of the eigenvectors of R, as all
        arrays below.
    intercept : (m,) array
    expected : (h, m) array
        Expected final effects.
    variance : (m,) array
        Eigenvalues of R.
    """

    trial: str
    log_weight: FloatArray
    y: FloatArray
    intercept: FloatArray
    expected: FloatArray
    variance: FloatArray

    def log_likelihood(self, coefficients: FloatArray, sds: FloatArray) -> FloatArray:
        """(n, s) log densities at (n, 2) values of (a, k) and (s,) values of psi."""
        total = self.variance + sds[:, None] ** 2  # (s, m)
        constant = -0.5 * np.log(2 * np.pi * total).sum(axis=1)
        step = max(1, VALUES_AT_ONCE // (len(sds) * len(self.log_weight)))
        parts = []
        for first in range(0, len(coefficients), step):
            a, k = coefficients[first : first + step].T
            residual = self.y - a[:, None, None] * self.intercept - k[:, None, None] * self.expected  # (n, h, m)
            exponent = self.log_weight[:, None] - 0.5 * (residual**2) @ (1 / total).T  # (n, h, s)
            top = exponent.max(axis=1)
            parts.append(top + np.log(np.exp(exponent - top[:, None]).sum(axis=1)) + constant)
        return np.concatenate(parts)


def effect_groups(effects: Effects, expectation: Expectation, surrogate: Normal) -> list[EffectGroup]:
    """Group comparisons with correlated estimates, and set the nodes of their true surrogate effects.

    Parameters
    ----------
    effects : Effects
    expectation : Expectation
        Expected effects of the same comparisons.
    surrogate : Normal
        Prior of every true surrogate effect.
    """
    t, w = hermegauss(HERMITE_NODES)
    w = w / w.sum()
    groups = []
    for block in condition(effects, surrogate):
        m = block.y.shape[1]
        product = np.stack([axis.ravel() for axis in np.meshgrid(*[t] * m, indexing="ij")], axis=1)  # (h, m)
        log_weight = sum(np.log(axis).ravel() for axis in np.meshgrid(*[w] * m, indexing="ij"))
        at = np.empty((len(block.members), len(product), m))
        surrogates = np.tile(effects.log_hr[:, 0], (len(product), 1))
        for g, members in enumerate(block.members):
            at[g] = block.x[g] + product @ np.linalg.cholesky(block.p[g]).T
            surrogates[:, members] = at[g]
        expected = expectation.log_hr(surrogates)
        for g, members in enumerate(block.members):
            cells = [[effects.covariance_between(i, j) for j in members] for i in members]
            s11, s12, s22 = (
                np.array([[cell[a, b] for cell in row] for row in cells]) for a, b in ((0, 0), (0, 1), (1, 1))
            )
            pull = np.linalg.solve(s11, s12).T
            variance, vectors = np.linalg.eigh(s22 - pull @ s12)
            y = effects.log_hr[members, 1] - (effects.log_hr[members, 0] - at[g]) @ pull.T
            groups.append(
                EffectGroup(
                    effects.trial[members[0]],
                    np.asarray(log_weight),
                    y @ vectors,
                    vectors.sum(axis=0),
                    expected[:, members] @ vectors,
                    np.maximum(variance, 0.0),
                )
            )
    return groups
