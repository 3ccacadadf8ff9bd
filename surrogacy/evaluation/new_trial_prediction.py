"""Prediction of the final effect of a new trial from its surrogate hazard ratio, by every line of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from surrogacy.effects import Effects, unit_variance
from surrogacy.evaluation.new_trial import NewTrial
from surrogacy.models.prediction import predict_by_regression, predict_final
from surrogacy.results.result import Result
from surrogacy.stats.lines import ignores_surrogate_errors
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution

LEVELS = (0.95, 0.8)
TRUE_EFFECT = "true effect"


@dataclass(frozen=True)
class NewTrialPrediction:
    """Predicted final effect of a new trial by a surrogacy line.

    Parameters
    ----------
    set, model : str
    k : int
        Comparisons in the fit.
    target : str
        ``true effect``, or the observed effect of a trial of stated size.
    hr_surrogate, predicted : float
        Hazard ratios: observed, and the predicted median.
    p_below_1 : float
        Probability of a final hazard ratio below 1.
    beyond_data : bool
        True if the surrogate effect lies beyond the surrogate effects of the set.
    low_95, high_95, low_80, high_80 : float
        Prediction intervals, hazard ratios.
    """

    set: str
    model: str
    k: int
    target: str
    hr_surrogate: float
    predicted: float
    p_below_1: float
    beyond_data: bool
    low_95: float
    high_95: float
    low_80: float
    high_80: float


def predict_new(
    sets: Sequence[tuple[Effects, Sequence[Result]]],
    hr: tuple[float, float, float],
    rho_within: float,
    new_n: float | None,
) -> list[NewTrialPrediction]:
    """Predict the final effect of a new trial from its surrogate hazard ratio and 95 % limits, by every line.

    Parameters
    ----------
    sets : sequence of (Effects, results)
    hr : tuple of float
        Surrogate hazard ratio, lower and upper 95 % limit.
    rho_within : float
        Within-trial correlation of the new trial.
    new_n : float or None
        Patients of the new trial; its observed hazard ratio is then predicted as well.

    Returns
    -------
    list of NewTrialPrediction
        One per set, model and target. A weighted regression predicts only the observed effect of a trial of stated size
        (default: the mean size of the set), with the sampling errors of the new trial.

    Raises
    ------
    UsageError
        If the limits do not enclose the hazard ratio, or are not positive.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> (prediction,) = predict_new([(effects, [WeightedRegression().fit(effects)])], (0.6, 0.45, 0.8), 0.5, None)
    >>> f"{prediction.predicted:.2f}, {prediction.target}"
    '0.84, n = 558'
    """
    new_trial = NewTrial(*hr, rho_within, new_n)
    new = ObservedEffects(
        new_trial.log_hr, new_trial.se, np.nan, np.nan, rho_within, np.nan if new_n is None else float(new_n)
    )
    return [
        prediction
        for effects, results in sets
        for result in results
        for prediction in predict_by_line(effects, result, new)
    ]


def predict_by_line(effects: Effects, result: Result, new: ObservedEffects) -> list[NewTrialPrediction]:
    """Predict the final effect of a new trial by the line of a fit.

    Parameters
    ----------
    effects : Effects
        The set of the fit.
    result : Result
        Without a line nothing is predicted.
    new : ObservedEffects
        Surrogate effect of the new trial, and its size ``n`` (NaN = not stated); the final effect is not used.

    Returns
    -------
    list of NewTrialPrediction
        The true effect, and the observed effect in a trial of the stated size; by a weighted regression the latter.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> new = ObservedEffects(np.log(0.6), 0.147, np.nan, np.nan, rho_within=0.5, n=400)
    >>> [prediction.target for prediction in predict_by_line(effects, WeightedRegression().fit(effects), new)]
    ['n = 400']
    """
    line = result.line
    if line is None:
        return []
    variance = unit_variance(effects)
    sizes: list[float | None] = [None]
    if np.isfinite([new.n, variance]).all():
        sizes = [None, new.n] if line.scatter_known else [new.n]
    predictions = []
    for size in sizes:
        se_final = np.nan if size is None else float(np.sqrt(variance / size))
        trial = replace(new, se_final=se_final, n=np.nan if size is None else size)
        target = str(line.new_trial(size))
        if line.scatter_known:
            target = TRUE_EFFECT if size is None else f"observed, n = {size:.0f}"
            trial = replace(trial, se_final=0.0) if size is None else trial
        if ignores_surrogate_errors(line):
            prediction = predict_by_regression(result, trial)
        else:
            prediction = predict_final(result, trial, joins=True)
        (low_95, high_95), (low_80, high_80) = hazard_ratio_intervals(prediction)
        predictions.append(
            NewTrialPrediction(
                set=effects.name,
                model=result.model,
                k=len(result.effects),
                target=target,
                hr_surrogate=float(np.exp(new.log_hr)),
                predicted=float(np.exp(prediction.quantile(0.5))),
                p_below_1=prediction.probability_below(0.0),
                beyond_data=not line.data_range[0] <= new.log_hr <= line.data_range[1],
                low_95=low_95,
                high_95=high_95,
                low_80=low_80,
                high_80=high_80,
            )
        )
    return predictions


def hazard_ratio_intervals(prediction: PredictiveDistribution) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the prediction intervals at 95 % and at 80 %, hazard ratios."""
    (low_95, high_95), (low_80, high_80) = (np.exp(prediction.interval(level)) for level in LEVELS)
    return (float(low_95), float(high_95)), (float(low_80), float(high_80))
