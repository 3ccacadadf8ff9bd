"""Grades of a correlation and of R2 by published limits, and the surrogate effect of a named trial.

References
----------
IQWiG report A10-05: table 1 of doi:10.1186/s12916-017-0902-9. BSES3: table 3 of PMC10401605. frailtypack:
doi:10.1371/journal.pone.0228098.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import UsageError

HIGH, LOW = 0.85, 0.70  # limits of R, IQWiG
FRAILTYPACK = (0.49, 0.72)  # of the lower limit of R2_trial: 0.7^2, 0.85^2
BSES3 = {"excellent": 0.6, "good": 0.4, "fair": 0.2}


@dataclass(frozen=True)
class SurrogateEffect:
    """Surrogate hazard ratio of a named trial with its 95 % limits."""

    name: str
    hr: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.hr <= self.high:
            raise UsageError(
                f"{self.name}: a hazard ratio above 0 between its limits is needed; "
                f"got {self.hr} ({self.low}-{self.high})"
            )


def surrogate_effect(effects: Effects, name: str) -> SurrogateEffect:
    """Surrogate effect of a comparison, by its label, its name or that of its trial; limits from the standard error.

    Raises
    ------
    UsageError
        If no comparison, or more than one, has this name, or it reports no surrogate effect.
    """
    found = [i for i in range(len(effects)) if name in (effects.labels[i], effects.comparison[i], effects.trial[i])]
    if len(found) != 1 or np.isnan(effects.log_hr[found[0], 0]):
        raise UsageError(f"{len(found)} comparisons are named {name!r}; one with a surrogate effect is needed")
    low, high = effects.limits
    hr = np.exp([effects.log_hr[found[0], 0], low[found[0], 0], high[found[0], 0]])
    return SurrogateEffect(effects.labels[found[0]], *map(float, hr))


def grade_correlation(low: float | None, high: float | None) -> str:
    """Grade of a correlation by its 95 % limits, IQWiG A10-05: ``high``, ``low``, ``unclear`` or ``none``."""
    if low is None or high is None:
        return "none"
    return "high" if low >= HIGH else "low" if high <= LOW else "unclear"


def grade_r2(r2: float) -> str:
    """Rank that an R2 (of trials, or of patients) allows in the statistical domain of BSES3."""
    return next((name for name, limit in BSES3.items() if r2 >= limit), "poor")


def class_r2(low: float | None) -> str:
    """Class of frailtypack, by the lower 95 % limit of R2_trial."""
    if low is None:
        return "none"
    return "low" if low <= FRAILTYPACK[0] else "medium" if low < FRAILTYPACK[1] else "high"
