"""Comparisons with a moderator of the line, and priors of the line, that several tests fit."""

from __future__ import annotations

import numpy as np

from surrogacy.effects import Effects
from surrogacy.models.exact.line_posterior import LinePriors
from surrogacy.models.priors import HalfNormal, Normal

VAGUE = Normal(0.0, 10.0)
P = (0.5, 0.025, 0.975)


def line_priors(columns=2, sigma=HalfNormal(0.5), surrogate=VAGUE, coefficient=VAGUE):
    return LinePriors((coefficient,) * columns, (coefficient,) * columns, sigma, surrogate)


def moderated(k, generator, g=-0.3, s=(0.1, 0.12), spread=0.4, psi=0.08, a=0.02, b=0.6, c=0.1):
    """Effects of k comparisons with a moderator of SD 1/2, from the model; and the moderator."""
    z = generator.normal(0, 0.5, k)
    d1 = generator.normal(-0.3, spread, k)
    d2 = a + c * z + (b + g * z) * d1 + generator.normal(0, psi, k)
    se = np.stack([np.full(k, s[0]), np.full(k, s[1])], axis=1) * generator.uniform(0.8, 1.3, (k, 1))
    error = generator.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], k)
    return Effects.from_arrays(np.stack([d1, d2], axis=1) + se * error, se, n=4 / se[:, 1] ** 2), z
