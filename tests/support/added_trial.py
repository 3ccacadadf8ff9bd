"""A trial that a user adds to a set."""

from dataclasses import replace

import numpy as np

from surrogacy.effects import Effects, concatenate

CORNER = (0.010, 0.015)  # log hazard ratios between the added trial and the comparison beside it


def most_crowded(effects):
    """Effects just beside the comparison with the nearest three neighbours."""
    points = effects.log_hr[effects.complete]
    apart = np.sort(np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)), axis=1)
    return points[apart[:, 1:4].sum(axis=1).argmin()] + CORNER


def with_trial(effects, log_hr, label="My trial"):
    """The set with a further trial of 300 patients."""
    added = Effects.from_arrays([log_hr], [[0.12, 0.15]], n=[300], trial=["mine"], comparison=["mine"], labels=[label])
    kept = ("surrogate", "final", "stage", "class")
    columns = {name: (values[0] if name in kept else "",) for name, values in effects.covariates.items()}
    return replace(concatenate(effects, replace(added, covariates=columns)), name=effects.name)
