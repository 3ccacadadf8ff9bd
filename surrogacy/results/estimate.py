"""Estimates with their intervals, and the surrogate threshold effect."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from surrogacy.errors import Caveat as Caveat
from surrogacy.errors import CaveatCode as CaveatCode

Band = Literal["prediction", "confidence"]
ThresholdStatus = Literal[
    "exists",
    "none",
    "two-sided",
    "outside-data",
    "benefit-without-surrogate-effect",
    "no-between-trial-variance",
    "no-patients",
]
NewTrialBasis = Literal["true-effect", "patients", "mean-weight", "equal-weights"]
NEW_TRIAL_WORDS: dict[NewTrialBasis, str] = {
    "true-effect": "its true effect",
    "patients": "a trial of stated size",
    "mean-weight": "a trial of mean weight",
    "equal-weights": "a trial like these",
}

NOT_DEFINED: dict[ThresholdStatus, str] = {
    "no-between-trial-variance": "no between-trial variance",
    "no-patients": "numbers of patients unknown",
}


@dataclass(frozen=True)
class Estimate:
    """Estimate of a quantity with its uncertainty.

    Parameters
    ----------
    value : float
    se : float or None
        None if the standard error is not defined (boundary, infinite variance).
    low, high : float or None
        Interval limits; None if the method gives none.
    level : float or None
        Level of the interval.
    method : str
        Method of the interval, for a table footnote.
    unbounded : bool
        True if the interval is the whole real line.
    """

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str = ""
    unbounded: bool = False

    @property
    def kind(self) -> str:
        """Method of the interval; deprecated, use ``method``."""
        return self.method

    def excludes(self, value: float) -> bool:
        """Return whether the interval excludes a value; False without an interval."""
        return self.low is not None and self.high is not None and not self.low <= value <= self.high

    @property
    def record(self) -> dict[str, float | str | None]:
        """Fields under the names of results.json."""
        record = asdict(self)
        del record["unbounded"]
        return {"kind" if name == "method" else name: value for name, value in record.items()}


@dataclass(frozen=True)
class NewTrialSize:
    """Size of the new trial of a prediction.

    Parameters
    ----------
    basis : {"true-effect", "patients", "mean-weight", "equal-weights"}
        ``true-effect``: an infinitely large trial; ``patients``: a trial of ``n`` patients; ``mean-weight``: a trial of
        the mean weight of the set; ``equal-weights``: a trial like those of the set, in an unweighted model.
    n : float or None
        Patients; None if not stated.
    """

    basis: NewTrialBasis = "true-effect"
    n: float | None = None

    @classmethod
    def of(cls, n: float | None) -> NewTrialSize:
        """Return a trial of ``n`` patients; its true effect if ``n`` is infinite or not stated."""
        return cls() if n is None or n == float("inf") else cls("patients", n)

    def __str__(self) -> str:
        return f"n = {self.n:.0f}" if self.n is not None else NEW_TRIAL_WORDS[self.basis]


TRUE_EFFECT = NewTrialSize()


@dataclass(frozen=True)
class ThresholdInterval:
    """Uncertainty of a surrogate threshold effect.

    Parameters
    ----------
    low, high : float or None
        Limits as hazard ratios; None if the threshold has no value with a probability above ``1 - level`` over 2, so
        that a limit would not be finite.
    exists : float
        Probability that the threshold has a value: a posterior probability, or a share of resamples.
    without_surrogate_effect : float
        Probability that a benefit is predicted even at a surrogate hazard ratio of 1. With the remaining probability
        no surrogate effect is strong enough.
    level : float
        Level of the limits.
    method : str
        Method in words.
    """

    low: float | None
    high: float | None
    exists: float
    without_surrogate_effect: float
    level: float
    method: str


@dataclass(frozen=True)
class ThresholdEffect:
    """Surrogate threshold effect: the weakest surrogate effect that predicts a final effect (HR < 1).

    Parameters
    ----------
    hr : float or None
        Threshold as a hazard ratio, at most 1 (see ``crossing``); None if there is none.
    status : {"exists", "none", "two-sided", "outside-data", "benefit-without-surrogate-effect", ...}
        ``two-sided``: the band excludes no effect only between ``hr`` and ``hr_other``;
        ``outside-data``: the threshold lies beyond the observed surrogate effects;
        ``benefit-without-surrogate-effect``: the band excludes a final hazard ratio of 1 even at a surrogate hazard
        ratio of 1, so that the line predicts a benefit without a surrogate effect;
        ``no-between-trial-variance``: the model cannot predict a true effect;
        ``no-patients``: a trial of mean size cannot be predicted without numbers of patients.
    band : {"prediction", "confidence"}
    level : float
    new_n : float or None
        Patients of the new trial; None if its size is not stated (see ``new_trial``).
    hr_other : float or None
        Other end of a two-sided region.
    new_trial : NewTrialSize
        Size of the new trial.
    beyond_data : bool
        True if ``hr`` or ``hr_other`` lies beyond the observed surrogate effects.
    crossing : float or None
        With ``benefit-without-surrogate-effect``: surrogate hazard ratio, above 1, at which the band reaches 1.
    intercept : float or None
        With ``benefit-without-surrogate-effect``: final log hazard ratio that the line predicts at a surrogate hazard
        ratio of 1.
    uncertainty : ThresholdInterval or None
        Interval of the threshold and the probability that it exists; None if it was not computed.
    method : str
        Method of the band, if a model has several.

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
    new_trial: NewTrialSize = TRUE_EFFECT
    beyond_data: bool = False
    crossing: float | None = None
    intercept: float | None = None
    uncertainty: ThresholdInterval | None = None
    method: str = ""

    @property
    def record(self) -> dict[str, Any]:
        """Fields under the names of results.json; fields of another status are left out."""
        record = asdict(self) | {"new_trial": str(self.new_trial)}
        optional = ("hr_other", "crossing", "intercept", "uncertainty", "method")
        return {name: value for name, value in record.items() if name not in optional or value not in (None, "")}

    @property
    def band_words(self) -> str:
        """Level and band in words."""
        return f"{self.level:.0%} {self.band} band"

    @property
    def band_and_size(self) -> str:
        """Band, level and size of the new trial in words."""
        if self.band == "confidence":
            return f"{self.band_words} of the line"
        return f"{self.band_words}, new trial: {self.new_trial}"

    @property
    def value_words(self) -> str:
        """The threshold, or the reason why there is none, without its band."""
        if self.status == "benefit-without-surrogate-effect":
            intercept = "" if self.intercept is None else f", intercept {self.intercept:.2f}".replace("-", "−")
            return f"no STE: benefit without a surrogate effect{intercept}"
        if self.status in NOT_DEFINED:
            return f"– ({NOT_DEFINED[self.status]})"
        if self.hr is None:
            return "no STE"
        if self.status == "two-sided":
            beyond = ", partly outside the data" if self.beyond_data else ""
            return f"only from {self.hr_other:.2f} to {self.hr:.2f}{beyond}"
        return f"{self.hr:.2f}, outside the data" if self.status == "outside-data" else f"{self.hr:.2f}"

    @property
    def is_defined(self) -> bool:
        """False if the model or the data do not allow a threshold for this new trial."""
        return self.status not in NOT_DEFINED

    @property
    def uncertainty_words(self) -> str:
        """Interval or probability of existence after the value: `` (0.52 to 0.80)``; empty without them.

        The interval of a threshold without a value is not shown.
        """
        if self.uncertainty is None or self.hr is None:
            return ""
        if self.uncertainty.low is None or self.uncertainty.high is None:
            return f", exists with probability {probability_words(self.uncertainty.exists)}"
        return f" ({self.uncertainty.low:.2f} to {self.uncertainty.high:.2f})"

    @property
    def method_words(self) -> str:
        """Status, band with its method, size of the new trial and method of the interval, for a table."""
        method = (self.method,) if self.method else ()
        interval = () if self.uncertainty is None else (f"interval: {self.uncertainty.method}",)
        return "; ".join((self.status, self.band_and_size, *method, *interval))

    @property
    def limits_record(self) -> dict[str, float | None]:
        """Limits of the interval; empty if it was not computed."""
        return {} if self.uncertainty is None else {"low": self.uncertainty.low, "high": self.uncertainty.high}

    def __str__(self) -> str:
        return f"{self.value_words} ({self.band_and_size})"


def probability_words(probability: float) -> str:
    """Probability with two decimals that are never rounded to 0 or 1: ``0.97``, ``>0.99``."""
    if probability > 0.99:
        return ">0.99"
    return "<0.01" if probability < 0.01 else f"{probability:.2f}"
