"""Answer of an analysis set to the question whether the surrogate predicts the final endpoint, and its checks.

The quoted model is the first of `surrogacy.models.REGISTRY` that was fitted, usually the bivariate model by its exact
posterior: it allows for the sampling errors of both effects and has no boundary solutions. In simulated sets of 6 to 45
trials its 95% intervals include the true R² in 98 to 100% and the true slope in 91 to 100%
(``validation/interval_coverage.py``). The other models are checks.

References
----------
IQWiG (2011), "Validity of surrogate endpoints in oncology", report A10-05: a correlation is high if the lower limit of
its interval is at least 0.85, and low if the upper limit is at most 0.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from surrogacy.effects import Effects
from surrogacy.models import rank
from surrogacy.results.estimate import CaveatCode, Estimate, ThresholdEffect
from surrogacy.results.result import Result

HIGH, LOW = 0.85**2, 0.7**2
"""Limits of R² between a close, a moderate and a weak association."""


class Conclusion(StrEnum):
    """Conclusion that the intervals of the slope and of R² allow."""

    PRIOR = "mostly-prior"
    UNCLEAR = "unclear"
    INVERSE = "inverse"
    WEAK = "weak"
    AT_MOST_MODERATE = "at-most-moderate"
    UNCERTAIN_STRENGTH = "uncertain-strength"
    AT_LEAST_MODERATE = "at-least-moderate"
    CLOSE = "close"

    @property
    def is_shown(self) -> bool:
        """Return whether the trials show that larger surrogate effects go with larger final effects."""
        return self not in (Conclusion.PRIOR, Conclusion.UNCLEAR, Conclusion.INVERSE)


@dataclass(frozen=True, eq=False)
class Check:
    """Conclusion of a model beside the quoted one.

    Parameters
    ----------
    result : Result
    conclusion : Conclusion
    agrees : bool
        Whether both models show an association, or neither does.
    """

    result: Result
    conclusion: Conclusion
    agrees: bool


@dataclass(frozen=True, eq=False)
class Answer:
    """Numbers to quote for an analysis set, the conclusion that they allow, and the checks by other models.

    Parameters
    ----------
    quoted : Result
    conclusion : Conclusion
    checks : tuple of Check
    """

    quoted: Result
    conclusion: Conclusion
    checks: tuple[Check, ...]

    @property
    def effects(self) -> Effects:
        """Paired effects of the quoted fit."""
        return self.quoted.effects

    @property
    def threshold(self) -> ThresholdEffect | None:
        """Surrogate threshold effect of the quoted model; None if it has no line."""
        threshold = self.quoted.estimates.get("ste_prediction")
        return threshold if isinstance(threshold, ThresholdEffect) else None


def answer(results: Sequence[Result]) -> Answer | None:
    """Return the answer of a set from the fits of all its models; None without a fit.

    Parameters
    ----------
    results : sequence of Result
        Fits of different models to one set.

    Examples
    --------
    >>> from surrogacy import models, read_trials
    >>> effects = read_trials().analysis_set("advanced")
    >>> answer([models.create("bivariate-bayes").fit(effects)]).conclusion
    <Conclusion.UNCERTAIN_STRENGTH: 'uncertain-strength'>
    """
    if not results:
        return None
    quoted = min(results, key=lambda result: rank(result.model))
    conclusion = conclude(quoted)
    checks = []
    for result in results:
        if result is not quoted and any(_estimate(result, name) for name in ("slope", "r")):
            checked = conclude(result)
            checks.append(Check(result, checked, checked.is_shown == conclusion.is_shown))
    return Answer(quoted, conclusion, tuple(checks))


def conclude(result: Result) -> Conclusion:
    """Return the conclusion that a fit allows.

    The slope, or the correlation of a model without a line, decides whether an association is shown: its interval
    excludes 0. The interval of R² decides how close it is.
    """
    if any(caveat.code is CaveatCode.PRIOR_DOMINATES for caveat in result.caveats):
        return Conclusion.PRIOR
    sign = _estimate(result, "slope") or _estimate(result, "r")
    low, high = r2_limits(result)
    if sign is None or not sign.excludes(0.0):
        return Conclusion.WEAK if high is not None and high < LOW else Conclusion.UNCLEAR
    if sign.high is not None and sign.high < 0:
        return Conclusion.INVERSE
    if low is None or high is None:
        return Conclusion.UNCERTAIN_STRENGTH
    if low >= HIGH:
        return Conclusion.CLOSE
    if high < LOW:
        return Conclusion.WEAK
    if low >= LOW:
        return Conclusion.AT_LEAST_MODERATE
    return Conclusion.AT_MOST_MODERATE if high < HIGH else Conclusion.UNCERTAIN_STRENGTH


def r2_limits(result: Result) -> tuple[float | None, float | None]:
    """Return the limits of the trial-level R²; those of r squared for a correlation that is clearly above 0."""
    r2, r = _estimate(result, "r2_trial"), _estimate(result, "r")
    if r2 is not None:
        return r2.low, r2.high
    if r is not None and r.low is not None and r.high is not None and r.low > 0:
        return r.low**2, r.high**2
    return None, None


def _estimate(result: Result, name: str) -> Estimate | None:
    estimate = result.estimates.get(name)
    if not isinstance(estimate, Estimate) or estimate.value is None or not isfinite(estimate.value):
        return None
    return estimate
