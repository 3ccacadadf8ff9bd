"""Prediction of the final effect of comparisons that report the surrogate effect alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from surrogacy.evaluation.answers import answer
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction, predict_by_line
from surrogacy.evaluation.records import Record
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result
from surrogacy.stats.predictive import ObservedEffects
from surrogacy.trials.analysis_set import AnalysisSet, SurrogateOnly
from surrogacy.trials.cells import exponential


@dataclass(frozen=True)
class SurrogateOnlyMark:
    """Comparison with a surrogate effect alone as a figure shows it: all effects are log hazard ratios.

    Parameters
    ----------
    label : str
    log_hr, low, high : float
        Surrogate effect and its 95 % limits.
    predicted, predicted_low, predicted_high : float
        Predicted final effect and its 95 % prediction interval.
    in_focus : bool
        True for a mark in the colour of the focus and a bold label.
    identifier : str
        Name of the symbol, by which a page shows its numbers; empty for a symbol without a name.
    """

    label: str
    log_hr: float
    low: float
    high: float
    predicted: float
    predicted_low: float
    predicted_high: float
    in_focus: bool = False
    identifier: str = ""


@dataclass(frozen=True)
class SurrogateOnlyPrediction:
    """Predicted final effect of a comparison of a set that reports the surrogate effect alone.

    Parameters
    ----------
    comparison : SurrogateOnly
    prediction : NewTrialPrediction
        Of the true effect, or of the observed effect in a trial of the size of this comparison.
    """

    comparison: SurrogateOnly
    prediction: NewTrialPrediction

    @property
    def surrogate_limits(self) -> tuple[float, float]:
        """95 % confidence limits of the surrogate hazard ratio, from its standard error."""
        low, high = map(exponential, self._log_limits)
        return low, high

    @property
    def _log_limits(self) -> tuple[float, float]:
        reach = float(ndtri(0.5 + LEVEL / 2)) * self.comparison.se
        return self.comparison.log_hr - reach, self.comparison.log_hr + reach

    @property
    def mark(self) -> SurrogateOnlyMark:
        """Mark of a figure; an added comparison is in focus."""
        low, high = self._log_limits
        prediction = self.prediction
        predicted, predicted_low, predicted_high = map(
            float, np.log([prediction.predicted, prediction.low_95, prediction.high_95])
        )
        return SurrogateOnlyMark(
            label=self.comparison.label,
            log_hr=self.comparison.log_hr,
            low=low,
            high=high,
            predicted=predicted,
            predicted_low=predicted_low,
            predicted_high=predicted_high,
            in_focus=self.comparison.added,
            identifier=f"{self.comparison.comparison}:predicted",
        )

    @property
    def record(self) -> Record:
        """Values for results.json and for the table."""
        comparison, (low, high) = self.comparison, self.surrogate_limits
        about: Record = {
            name: getattr(comparison, name)
            for name in ("comparison", "trial", "label", "endpoint", "effect_id", "added", "rho_within")
        }
        about["n"] = comparison.n if np.isfinite(comparison.n) else None
        about |= {"evidence": comparison.provenance.evidence, "se_method": comparison.provenance.se_method}
        about |= {"low_surrogate": low, "high_surrogate": high}
        return about | vars(self.prediction)


def is_predictable(analysis_set: AnalysisSet, results: Sequence[Result]) -> bool:
    """Return whether the quoted model of a set predicts comparisons without a final effect."""
    return bool(analysis_set.surrogate_only) and _quoted_with_line(results) is not None


def _quoted_with_line(results: Sequence[Result]) -> Result | None:
    reply = answer(results)
    return None if reply is None or reply.quoted.line is None else reply.quoted


def main_predictions(predictions: Sequence[SurrogateOnlyPrediction]) -> list[SurrogateOnlyPrediction]:
    """Return the first prediction of each comparison by each set: of the true effect, if the model distinguishes it."""
    first: dict[tuple[str, str], SurrogateOnlyPrediction] = {}
    for entry in predictions:
        first.setdefault((entry.prediction.set, entry.comparison.comparison), entry)
    return list(first.values())


def predict_surrogate_only(analysis_set: AnalysisSet, results: Sequence[Result]) -> list[SurrogateOnlyPrediction]:
    """Predict the final effect of every comparison of a set that reports the surrogate effect alone.

    The quoted model of the set predicts, with the sampling error of the surrogate effect. Each comparison is predicted
    as an independent new trial, also if another comparison of its trial is in the fit.

    Parameters
    ----------
    analysis_set : AnalysisSet
    results : sequence of Result
        Fits of different models to the set.

    Returns
    -------
    list of SurrogateOnlyPrediction
        Per comparison the true effect, then the observed effect in a trial of its size. A weighted regression predicts
        the observed effect only.

    Examples
    --------
    >>> from surrogacy.models import create
    >>> from surrogacy.trials import read_trials
    >>> intermediate = read_trials().analysis_set_with_flow("intermediate")
    >>> predictions = predict_surrogate_only(intermediate, [create("bivariate-reml").fit(intermediate.effects)])
    >>> [entry.prediction.target for entry in predictions if entry.comparison.label == "Inaba 2013"]
    ['true effect', 'observed, n = 101']
    """
    quoted = _quoted_with_line(results)
    if quoted is None:
        return []
    return [
        SurrogateOnlyPrediction(comparison, prediction)
        for comparison in analysis_set.surrogate_only
        for prediction in predict_by_line(analysis_set.effects, quoted, _new_trial(comparison))
    ]


def _new_trial(comparison: SurrogateOnly) -> ObservedEffects:
    return ObservedEffects(comparison.log_hr, comparison.se, np.nan, np.nan, comparison.rho_within, comparison.n)
