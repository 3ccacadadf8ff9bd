"""Effects of which the sampled models are given."""

from __future__ import annotations

import numpy as np

from surrogacy.models.sampled.trivariate import TripleEffects


def triple_effects(generator):
    """12 comparisons with two surrogates; four lack one endpoint."""
    y = generator.normal(-0.3, 0.3, (12, 3))
    y[0, 0] = y[1, 1] = y[2, 2] = y[3, 2] = np.nan
    rho = np.array([[1, 0.8, 0.5], [0.8, 1, 0.4], [0.5, 0.4, 1]])
    names = tuple(map(str, range(12)))
    return TripleEffects(y, generator.uniform(0.1, 0.3, (12, 3)), rho, names, names, ("PFS", "TTP", "OS"))
