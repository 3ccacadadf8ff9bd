"""Influence of single trials: estimates without each trial, and the regression diagnostics of each comparison.

Weighted regression with the design ``X`` = (1, x), weights ``w``, residuals ``e``, ``k`` comparisons, ``p = 2`` and
``s^2 = sum w e^2 / (k - p)``:

    hat            h_i = w_i x_i' (X'WX)^-1 x_i                              sums to p
    internal       r_i = e_i sqrt(w_i) / (s sqrt(1 - h_i))
    external       t_i = r_i sqrt( (k - p - 1) / (k - p - r_i^2) )           in units of s without i; t, k - p - 1 df
    Cook           D_i = r_i^2 h_i / (p (1 - h_i))
    DFFITS         t_i sqrt( h_i / (1 - h_i) )
    DFBETAS_j      (b_j - b_j(i)) / ( s(i) sqrt( (X'WX)^-1_jj ) ),   b - b(i) = (X'WX)^-1 x_i w_i e_i / (1 - h_i)

These diagnostics leave out one comparison; `delete_one` leaves out a trial with all of its comparisons.

References
----------
Belsley, Kuh, Welsch (1980), doi:10.1002/0471725153.
Cook (1977), doi:10.1080/00401706.1977.10489493.
IQWiG (2011), report A10-05: a surrogate is valid if the lower 95 % limit of the correlation is at least 0.85, and is
not valid if the upper limit is at most 0.70.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from warnings import catch_warnings, simplefilter

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError
from surrogacy.evaluation.grades import HIGH, LOW
from surrogacy.evaluation.records import Record, estimate_values
from surrogacy.evaluation.refits import FitWithoutTrial, Refit, summarise, without_each_trial, without_extras
from surrogacy.models import Model
from surrogacy.models.regression import WeightedRegression
from surrogacy.models.weights import counted_trials, usable_comparisons
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result
from surrogacy.stats.correlation import fisher_interval

QUESTIONS = {
    "slope_sign": "slope",
    "ste_prediction_status": "STE (prediction band)",
    "ste_confidence_status": "STE (confidence band)",
    "correlation_shown": "correlation, by its interval",
    "correlation_estimate": "correlation, point estimate",
}
# Quantities whose change is recorded, where the model has them.
FOLLOWED = ("r", "rho_between", "r2_trial", "slope", "intercept", "sigma_cond", "ste_prediction", "ste_confidence")


@dataclass(frozen=True)
class Influence:
    """Refit without a trial, compared with the fit to all trials.

    Parameters
    ----------
    refit : Refit
        ``value`` is the trial; empty for the fit to all trials.
    values : mapping of str to float or None
        Quantities of `FOLLOWED` that the model has; the hazard ratio of a threshold.
    conclusions : mapping of str to str
        See `conclusions`.
    changes : mapping of str to float or None
        Values without the trial minus values with it; empty for the fit to all trials.
    """

    refit: Refit
    values: Mapping[str, float | None] = field(default_factory=dict)
    conclusions: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RegressionDiagnostics:
    """Leverage, residuals and influence of a comparison in a weighted regression; formulas above.

    Parameters
    ----------
    comparison, trial, label : str
    weight : float
        Share of the sum of the weights.
    fitted, residual : float
        Log hazard ratios.
    hat : float
        Leverage, in [0, 1].
    internal, external, cooks_distance, dffits, dfbetas_intercept, dfbetas_slope : float or None
        ``external``, ``dffits`` and ``dfbetas_*`` are None with three comparisons, or if the other comparisons lie on a
        line; all are None at a leverage of 1.
    """

    comparison: str
    trial: str
    label: str
    weight: float
    fitted: float
    residual: float
    hat: float
    internal: float | None
    external: float | None
    cooks_distance: float | None
    dffits: float | None
    dfbetas_intercept: float | None
    dfbetas_slope: float | None


def conclusions(result: Result) -> dict[str, str]:
    """Return the conclusions that a reader draws from a result.

    Returns
    -------
    dict of str to str
        Keys of `QUESTIONS` that apply to the model. ``slope_sign``: does the interval of the slope include 0;
        ``ste_*_status``: status of the threshold effect; ``correlation_shown``: category of IQWiG by the 95 % limits;
        ``correlation_estimate``: category of the point estimate by the same limits.
    """
    answers: dict[str, str] = {}
    if "slope" in result.estimates:
        slope = result.estimate("slope")
        answers["slope_sign"] = "not distinguishable from 0" if slope.unbounded else slope_words(slope.low, slope.high)
    for name in ("ste_prediction", "ste_confidence"):
        threshold = result.threshold_effect(name)
        if threshold is not None:
            answers[f"{name}_status"] = threshold.status
    correlation = _correlation(result)
    if correlation is not None:
        value, low, high = correlation
        answers["correlation_shown"] = correlation_category(low, high)
        answers["correlation_estimate"] = correlation_category(value, value, point=True)
    return answers


def slope_words(low: float | None, high: float | None) -> str:
    """Return the sign of the slope by its interval, in words."""
    if low is None or high is None:
        return "no interval"
    return "above 0" if low > 0 else "below 0" if high < 0 else "not distinguishable from 0"


def correlation_category(low: float | None, high: float | None, *, point: bool = False) -> str:
    """Return the category of a correlation by the limits of IQWiG.

    Parameters
    ----------
    low, high : float or None
        95 % limits; the estimate twice if ``point``.
    point : bool
        True for the category of a point estimate: between the limits of the scheme it is ``medium``, not ``unclear``.
    """
    if low is None or high is None or not np.isfinite([low, high]).all():
        return "not defined" if point else "no interval"
    if low >= HIGH:
        return "high"
    if high <= LOW:
        return "low"
    return "medium" if point else "unclear"


def delete_one(model: Model, effects: Effects, fits: Sequence[FitWithoutTrial] | None = None) -> list[Influence]:
    """Refit without each trial, and compare with the fit to all trials.

    The intervals are those of the model: ``interval="delta"`` of the bivariate model is faster, but gives no interval
    on the boundary.

    Parameters
    ----------
    model : Model
    effects : Effects
    fits : sequence of FitWithoutTrial, optional
        Output of `surrogacy.evaluation.refits.without_each_trial`, with intervals, if available.

    Returns
    -------
    list of Influence
        First the fit to all trials, then one entry per trial.

    Raises
    ------
    FitError
        If the model cannot be fitted to all trials.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedPearson
    >>> effects = surrogacy.read_trials().analysis_set("tactics-2022")
    >>> {entry.refit.value: round(entry.changes["r"], 2) for entry in delete_one(WeightedPearson(), effects)[1:3]}
    {'post-tace': -0.04, 'space': 0.04}
    """
    whole = without_extras(model, intervals=True).fit(effects)
    values_of_all = _followed(whole)
    influences = [Influence(summarise(model, "left_out", "", effects, whole), values_of_all, conclusions(whole))]
    for entry in without_each_trial(model, effects, intervals=True) if fits is None else fits:
        refit = summarise(model, "left_out", entry.trial, entry.rest, entry.fit)
        if isinstance(entry.fit, SurrogacyError):
            influences.append(Influence(refit))
            continue
        values = _followed(entry.fit)
        changes = {name: _difference(value, values_of_all.get(name)) for name, value in values.items()}
        influences.append(Influence(refit, values, conclusions(entry.fit), changes))
    return influences


def influence_record(influence: Influence) -> Record:
    """Return the record of a trial left out: values, conclusions, and changes as ``*_change``."""
    record: Record = {"left_out": influence.refit.value, "k": influence.refit.k}
    if influence.refit.problem:
        return record | {"problem": influence.refit.problem}
    changes = {f"{name}_change": change for name, change in influence.changes.items()}
    return record | {**influence.values, **influence.conclusions, **changes}


def _followed(result: Result) -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    points = estimate_values(result.estimates)
    for name in FOLLOWED:
        value = points.get(name)
        if name in points and not isinstance(value, str):
            values[name] = value
    correlation = _correlation(result)
    if "r" not in values and correlation is not None and "rho_between" not in values:
        values["r"] = correlation[0]
    return values


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


def pivotal_trials(influences: Sequence[Influence], labels: Mapping[str, str] | None = None) -> list[str]:
    """Return, in words, the trials without which a conclusion changes.

    Parameters
    ----------
    influences : sequence of Influence
        Output of `delete_one`.
    labels : mapping of str to str, optional
        Names of the trials.

    Returns
    -------
    list of str
        One entry per trial and conclusion; empty if no conclusion depends on a single trial.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedPearson
    >>> effects = surrogacy.read_trials().analysis_set("tactics-2022")
    >>> pivotal_trials(delete_one(WeightedPearson(), effects))
    ['without tace-2: correlation, point estimate high, with it low']
    """
    whole = next(influence for influence in influences if not influence.refit.value).conclusions
    sentences = []
    for influence in influences:
        trial = str(influence.refit.value)
        if not trial:
            continue
        label = (labels or {}).get(trial, trial)
        if influence.refit.problem:
            sentences.append(f"without {label}: no fit ({influence.refit.problem})")
            continue
        sentences += [
            f"without {label}: {words} {influence.conclusions.get(name, 'not defined')}, with it {whole[name]}"
            for name, words in QUESTIONS.items()
            if name in whole and influence.conclusions.get(name) != whole[name]
        ]
    return sentences


def regression_diagnostics(effects: Effects, model: WeightedRegression | None = None) -> list[RegressionDiagnostics]:
    """Return leverage, residuals and influence of every comparison in a weighted regression, from statsmodels.

    Parameters
    ----------
    effects : Effects
    model : WeightedRegression, optional
        Default: weighted by the number of patients.

    Returns
    -------
    list of RegressionDiagnostics
        One per comparison that is in the fit.

    Raises
    ------
    FitError
        With fewer than three usable comparisons, or if the surrogate effect does not vary.

    Examples
    --------
    >>> import surrogacy
    >>> diagnostics = regression_diagnostics(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> f"{sum(comparison.hat for comparison in diagnostics):.6f}"
    '2.000000'
    """
    from statsmodels.regression.linear_model import OLS

    chosen = model or WeightedRegression()
    fitted = chosen.statsmodels_result(effects)
    data, _ = usable_comparisons(effects, chosen.weights)
    # the influence measures of a WLS in statsmodels mix weighted and raw residuals; those of the whitened data do not
    influence = OLS(fitted.model.wendog, fitted.model.wexog).fit().get_influence()
    weight, hat = fitted.model.weights, influence.hat_matrix_diag
    with catch_warnings():  # three comparisons, or a leverage of 1, give a division by zero
        simplefilter("ignore")
        spread = influence.sigma2_not_obsi / fitted.scale
        others = np.where(spread > 1e-12, 1.0, np.nan)  # NaN if the other comparisons lie on a line
        measures = np.column_stack(
            [
                influence.resid_studentized_internal,
                influence.resid_studentized_external * others,
                influence.cooks_distance[0],
                influence.dffits[0] * others,
                influence.dfbetas * others[:, None],
            ]
        )
    measures[1.0 - hat <= 1e-9] = np.nan
    return [
        RegressionDiagnostics(
            data.comparison[i],
            data.trial[i],
            data.labels[i],
            float(weight[i] / weight.sum()),
            float(fitted.fittedvalues[i]),
            float(fitted.resid[i]),
            float(hat[i]),
            *(float(value) if np.isfinite(value) else None for value in measures[i]),
        )
        for i in range(len(data))
    ]


def _correlation(result: Result) -> tuple[float, float | None, float | None] | None:
    """Correlation with its limits; for a regression the root of R2 with the sign of the slope."""
    for name in ("r", "rho_between"):
        if name in result.estimates:
            estimate = result.estimate(name)
            return (float("nan") if estimate.value is None else estimate.value), estimate.low, estimate.high
    if not {"slope", "r2_trial"} <= result.estimates.keys():
        return None
    slope, square = result.estimate("slope"), result.estimate("r2_trial")
    r = float(np.sign(slope.value or 0.0) * np.sqrt(square.value or 0.0))
    low, high = fisher_interval(r, counted_trials(result).counted, square.level or LEVEL)
    return r, low, high
