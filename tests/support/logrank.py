"""Mean of the log-rank statistic in a large trial, from the score of the partial likelihood."""

from __future__ import annotations

import numpy as np

from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.survival.partial_likelihood import Censoring, Endpoint, experimental_share, scores


def logrank_drift(
    control: IllnessDeath,
    experimental: IllnessDeath,
    patients: tuple[float, float],
    censoring: Censoring,
    endpoint: Endpoint = "os",
) -> float:
    """Expected standardised log-rank statistic, ``sqrt(n) U(0) / sqrt(V(0))``, of one pair of arms."""
    (score,) = scores(control, experimental, censoring, experimental_share(patients), endpoint)
    drift, information = score.at(np.zeros(1))
    return float(np.sqrt(sum(patients) / information[0]) * drift[0])
