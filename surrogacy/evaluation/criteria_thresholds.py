"""Surrogate threshold effects by the 95% and the 80% prediction band, as IQWiG uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.result import Result


@dataclass(frozen=True)
class ThresholdPair:
    """Threshold effects of a model by both bands.

    Parameters
    ----------
    at_95, at_80 : ThresholdEffect or None
        None if the model has no line.
    """

    at_95: ThresholdEffect | None
    at_80: ThresholdEffect | None

    @classmethod
    def of(cls, result: Result) -> ThresholdPair:
        """Return the thresholds of a fit."""
        return cls(_threshold(result, "ste_prediction", 0.95), _threshold(result, "ste_prediction_80", 0.8))

    @property
    def existing(self) -> list[ThresholdEffect]:
        """Bands with a threshold."""
        return [ste for ste in (self.at_95, self.at_80) if ste is not None and ste.hr is not None]

    @property
    def numbers(self) -> Mapping[str, float | str | None]:
        """Thresholds by both bands, their new trial, and the prediction without a surrogate effect."""
        thresholds = [ste for ste in (self.at_95, self.at_80) if ste is not None]
        return {
            "ste95": None if self.at_95 is None else self.at_95.hr,
            "ste80": None if self.at_80 is None else self.at_80.hr,
            "made": "" if self.at_95 is None else f"new trial: {self.at_95.new_trial}",
            "intercept": next((ste.intercept for ste in thresholds if ste.intercept is not None), None),
        }

    @property
    def outcome(self) -> str:
        """Name of the outcome in ``criteria.toml``."""
        if self.at_95 is None:
            return "no_line"
        if self.at_95.status == "benefit-without-surrogate-effect":
            return "without_surrogate"
        without_80 = self.at_80 is not None and self.at_80.status == "benefit-without-surrogate-effect"
        none_80 = self.at_80 is None or self.at_80.hr is None
        if self.at_95.hr is not None:
            return "proof_without_hint" if without_80 else "proof" if none_80 else "both"
        if without_80:
            return "without_surrogate"
        return "none" if none_80 else "hint"


def _threshold(result: Result, name: str, level: float) -> ThresholdEffect | None:
    threshold = result.threshold_effect(name)
    if threshold is not None and abs(threshold.level - level) < 1e-9:
        return threshold
    return None if result.line is None else result.line.threshold(level)
