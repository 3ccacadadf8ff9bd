"""Grades of a correlation and of R2 by published limits, and the surrogate effect of a trial.

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
from surrogacy.results.estimate import ThresholdEffect

HIGH, LOW = 0.85, 0.70  # limits of R, IQWiG
FRAILTYPACK = (0.49, 0.72)  # limits of the lower limit of the trial-level R2: 0.7^2, 0.85^2
BSES3 = {"excellent": 0.6, "good": 0.4, "fair": 0.2}


@dataclass(frozen=True)
class SurrogateEffect:
    """Surrogate hazard ratio of a trial with its 95 % limits.

    Parameters
    ----------
    name : str
    hr, low, high : float
        Hazard ratios, ``0 < low <= hr <= high``.

    Raises
    ------
    UsageError
        If the limits do not enclose the hazard ratio.
    """

    name: str
    hr: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.hr <= self.high:
            raise UsageError(
                f"{self.name}: the hazard ratio must be above 0 and between its limits; "
                f"got {self.hr} ({self.low} to {self.high})"
            )

    def lies_beyond(self, threshold: ThresholdEffect) -> bool:
        """Return whether the interval lies beyond a threshold effect, and within a two-sided region."""
        if threshold.hr is None or self.high >= threshold.hr:
            return False
        return threshold.status != "two-sided" or (threshold.hr_other is not None and self.low > threshold.hr_other)


def surrogate_effect(effects: Effects, name: str) -> SurrogateEffect:
    """Return the surrogate effect of a comparison, with limits from its standard error.

    Parameters
    ----------
    effects : Effects
    name : str
        Label or name of the comparison, or name of its trial.

    Raises
    ------
    UsageError
        If no comparison, or more than one, has this name, or it reports no surrogate effect.

    Examples
    --------
    >>> import surrogacy
    >>> effect = surrogate_effect(surrogacy.read_trials().analysis_set("tactics-2022"), "tactics")
    >>> f"{effect.hr:.2f} ({effect.low:.2f} to {effect.high:.2f})"
    '0.59 (0.41 to 0.86)'
    """
    places = [i for i in range(len(effects)) if name in (effects.labels[i], effects.comparison[i], effects.trial[i])]
    if len(places) != 1 or np.isnan(effects.log_hr[places[0], 0]):
        raise UsageError(
            f"{len(places)} comparisons have the name {name!r}; exactly one, with a surrogate effect, is needed"
        )
    (place,), (low, high) = places, effects.limits
    hr = np.exp([effects.log_hr[place, 0], low[place, 0], high[place, 0]])
    return SurrogateEffect(effects.labels[place], *map(float, hr))


def grade_correlation(low: float | None, high: float | None) -> str:
    """Return the grade of a correlation by its 95 % limits (IQWiG A10-05): ``high``, ``low``, ``unclear``, ``none``."""
    if low is None or high is None:
        return "none"
    return "high" if low >= HIGH else "low" if high <= LOW else "unclear"


def grade_r2(r2: float) -> str:
    """Return the rank that a trial-level or individual-level R2 allows in the statistical domain of BSES3."""
    return next((name for name, limit in BSES3.items() if r2 >= limit), "poor")


def class_r2(low: float | None) -> str:
    """Return the class of frailtypack, by the lower 95 % limit of the trial-level R2."""
    if low is None:
        return "none"
    return "low" if low <= FRAILTYPACK[0] else "medium" if low < FRAILTYPACK[1] else "high"
