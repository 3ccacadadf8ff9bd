"""Estimates with their intervals, and the surrogate threshold effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Band = Literal["prediction", "confidence"]


ThresholdStatus = Literal["exists", "none", "two-sided", "outside-data", "benefit-without-surrogate-effect"]


@dataclass(frozen=True)
class Estimate:
    """One number with its uncertainty.

    Parameters
    ----------
    value : float
    se : float or None
        None where no standard error is defined (a boundary, an infinite variance).
    low, high : float or None
        Interval limits; None where the method gives none.
    level : float or None
        Level of the interval.
    kind : str
        How the interval was made, in words fit for a table footnote.
    """

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    kind: str = ""


@dataclass(frozen=True)
class ThresholdEffect:
    """Surrogate threshold effect: the weakest surrogate effect that predicts a final effect (HR < 1).

    Parameters
    ----------
    hr : float or None
        The threshold as a hazard ratio; None if there is none. It is never above 1: see ``crossing``.
    status : {"exists", "none", "two-sided", "outside-data", "benefit-without-surrogate-effect"}
        ``two-sided``: the band excludes no effect only between ``hr`` and ``hr_other``;
        ``outside-data``: it exists, but beyond the surrogate effects that were observed;
        ``benefit-without-surrogate-effect``: the band excludes no final effect even at a surrogate hazard ratio of 1.
        The line then predicts benefit whether or not the surrogate responds.
    band : {"prediction", "confidence"}
    level : float
    new_n : float or None
        Patients of the new trial; None where it is not given by a size (see ``new_trial``).
    hr_other : float or None
        The far end of a two-sided region.
    new_trial : str
        The new trial in words: ``n = 558``, ``its true effect``, ``of mean weight``.
    beyond_data : bool
        Whether ``hr`` or ``hr_other`` lies beyond the surrogate effects that were observed.
    crossing : float or None
        With ``benefit-without-surrogate-effect``: surrogate hazard ratio, above 1, where the band reaches no effect.
    intercept : float or None
        With ``benefit-without-surrogate-effect``: log hazard ratio of the final endpoint that the line predicts at a
        surrogate hazard ratio of 1.

    References
    ----------
    Burzykowski, Buyse (2006), doi:10.1002/pst.207.
    """

    hr: float | None
    status: ThresholdStatus
    band: Band
    level: float
    new_n: float | None = None
    hr_other: float | None = None
    new_trial: str = "its true effect"
    beyond_data: bool = False
    crossing: float | None = None
    intercept: float | None = None

    @property
    def band_words(self) -> str:
        """Level and band in words."""
        return f"{self.level:.0%} {self.band} band"

    @property
    def made(self) -> str:
        """Band, level and size of the new trial in words."""
        if self.band == "confidence":
            return f"{self.band_words} of the line"
        return f"{self.band_words}, new trial: {self.new_trial}"

    @property
    def value_words(self) -> str:
        """The threshold, or the reason why there is none, without the band that it belongs to."""
        if self.status == "benefit-without-surrogate-effect":
            intercept = "" if self.intercept is None else f", intercept {self.intercept:.2f}".replace("-", "−")
            return f"no STE: benefit without a surrogate effect{intercept}"
        if self.hr is None:
            return "no STE"
        if self.status == "two-sided":
            beyond = ", partly outside the data" if self.beyond_data else ""
            return f"only from {self.hr_other:.2f} to {self.hr:.2f}{beyond}"
        return f"{self.hr:.2f}, outside the data" if self.status == "outside-data" else f"{self.hr:.2f}"

    def __str__(self) -> str:
        return f"{self.value_words} ({self.made})"
