"""Influence of single trials: estimates without each, and the regression diagnostics of each comparison.

Weighted regression, ``X`` the design (1, x), ``w`` the weights, ``e`` the residuals, ``k`` comparisons, ``p = 2``,
``s^2 = sum w e^2 / (k - p)``:

    hat            h_i = w_i x_i' (X'WX)^-1 x_i                              sums to p
    internal       r_i = e_i sqrt(w_i) / (s sqrt(1 - h_i))
    external       t_i = r_i sqrt( (k - p - 1) / (k - p - r_i^2) )           in units of s without i; t, k - p - 1 df
    Cook           D_i = r_i^2 h_i / (p (1 - h_i))
    DFFITS         t_i sqrt( h_i / (1 - h_i) )
    DFBETAS_j      (b_j - b_j(i)) / ( s(i) sqrt( (X'WX)^-1_jj ) ),   b - b(i) = (X'WX)^-1 x_i w_i e_i / (1 - h_i)

They drop one comparison, not one trial; what drops a trial is `delete_one`.

References
----------
Belsley, Kuh, Welsch (1980), doi:10.1002/0471725153.
Cook (1977), doi:10.1080/00401706.1977.10489493.
IQWiG (2011), report A10-05: a surrogate is valid if the lower 95 % limit of the correlation is 0.85 at least, and lacks
validity if the upper one is 0.70 at most.
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
from surrogacy.evaluation.refits import FitWithoutTrial, Refit, fit_once, summarise, without_each_trial, without_extras
from surrogacy.models import Model
from surrogacy.models.regression import WeightedRegression
from surrogacy.models.weights import usable_comparisons
from surrogacy.results.estimate import ThresholdEffect
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
    """Refit without a trial, set beside the fit to all.

    Parameters
    ----------
    refit : Refit
        ``value`` is the trial; empty for the fit to all.
    values : mapping of str to float or None
        Quantities of `FOLLOWED` that the model has, a threshold as its hazard ratio.
    conclusions : mapping of str to str
        See `conclusions`.
    changes : mapping of str to float or None
        Values without the trial less those with it; empty for the fit to all.
    """

    refit: Refit
    values: Mapping[str, float | None] = field(default_factory=dict)
    conclusions: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class RegressionDiagnostics:
    """Leverage, residuals and influence of one comparison on a weighted regression; formulas above.

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
        ``external``, ``dffits`` and ``dfbetas_*`` are None with three comparisons or where the others lie on one line;
        all are None at a leverage of 1.
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
    """Conclusions that a reader would draw from a result, by question; one that the model does not ask is left out.

    Returns
    -------
    dict of str
        slope_sign (whether its interval holds 0), ste_*_status, correlation_shown (IQWiG's category, by the 95 %
        limits) and correlation_estimate (the position of the point estimate among the same limits).
    """
    found: dict[str, str] = {}
    slope = result.estimates.get("slope")
    if slope is not None and not isinstance(slope, ThresholdEffect):
        found["slope_sign"] = "not told from 0" if slope.unbounded else slope_words(slope.low, slope.high)
    for name, estimate in result.estimates.items():
        if isinstance(estimate, ThresholdEffect) and f"{name}_status" in QUESTIONS:
            found[f"{name}_status"] = estimate.status
    correlation = _correlation(result)
    if correlation is not None:
        value, low, high = correlation
        found["correlation_shown"] = correlation_category(low, high)
        found["correlation_estimate"] = correlation_category(value, value, point=True)
    return found


def slope_words(low: float | None, high: float | None) -> str:
    """Return in words whether an interval of the slope excludes 0."""
    if low is None or high is None:
        return "no interval"
    return "above 0" if low > 0 else "below 0" if high < 0 else "not told from 0"


def correlation_category(low: float | None, high: float | None, *, point: bool = False) -> str:
    """Category of a correlation by its limits.

    Parameters
    ----------
    low, high : float or None
        95 % limits; twice the estimate if ``point``.
    point : bool
        Whether it is the estimate that is sorted: what lies between the limits is then ``medium``, not ``unclear``.
    """
    if low is None or high is None or not np.isfinite([low, high]).all():
        return "not defined" if point else "no interval"
    if low >= HIGH:
        return "high"
    if high <= LOW:
        return "low"
    return "medium" if point else "unclear"


def delete_one(model: Model, effects: Effects, fits: Sequence[FitWithoutTrial] | None = None) -> list[Influence]:
    """Refit without each trial, and compare; the comparisons of a trial leave together.

    The intervals are those of the model: ``interval="delta"`` of the bivariate model is faster, but has none on the
    boundary.

    Parameters
    ----------
    model : Model
    effects : Effects
    fits : sequence of FitWithoutTrial, optional
        Those of `surrogacy.evaluation.refits.without_each_trial`, with intervals, where they have been made.

    Returns
    -------
    list of Influence
        First that of all trials, then one per trial.

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
    whole = fit_once(without_extras(model, intervals=True), effects)
    everything = _followed(whole)
    influences = [Influence(summarise(model, "left_out", "", effects, whole), everything, conclusions(whole))]
    for entry in without_each_trial(model, effects, intervals=True) if fits is None else fits:
        refit = summarise(model, "left_out", entry.trial, entry.rest, entry.fit)
        if isinstance(entry.fit, SurrogacyError):
            influences.append(Influence(refit))
            continue
        values = _followed(entry.fit)
        changes = {name: _difference(value, everything.get(name)) for name, value in values.items()}
        influences.append(Influence(refit, values, conclusions(entry.fit), changes))
    return influences


def influence_record(influence: Influence) -> Record:
    """Record of a trial left out: values, conclusions, and changes as ``*_change``."""
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
    """Single trials without which a conclusion would be another one, in plain words.

    Parameters
    ----------
    influences : sequence of Influence
        As `delete_one` returns them.
    labels : mapping of str to str, optional
        Names of the trials.

    Returns
    -------
    list of str
        One entry per trial and conclusion; empty if every conclusion holds without any one trial.

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
    """Leverage, residuals and influence of every comparison on a weighted regression, from statsmodels.

    Parameters
    ----------
    effects : Effects
    model : WeightedRegression, optional
        Its weights are used; default: number of patients.

    Returns
    -------
    list of RegressionDiagnostics
        One per comparison that is in the fit.

    Raises
    ------
    FitError
        With fewer than three usable comparisons, or where the surrogate effect does not vary.

    Examples
    --------
    >>> import surrogacy
    >>> found = regression_diagnostics(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> f"{sum(comparison.hat for comparison in found):.6f}"
    '2.000000'
    """
    from statsmodels.regression.linear_model import OLS

    chosen = model or WeightedRegression()
    fitted = chosen.statsmodels_result(effects)
    data, _ = usable_comparisons(effects, chosen.weights)
    # the influence that statsmodels has of a WLS mixes weighted and raw residuals; that of the whitened data does not
    influence = OLS(fitted.model.wendog, fitted.model.wexog).fit().get_influence()
    weight, hat = fitted.model.weights, influence.hat_matrix_diag
    with catch_warnings():  # three comparisons, or a leverage of 1: there is then nothing to divide by
        simplefilter("ignore")
        spread = influence.sigma2_not_obsi / fitted.scale
        others = np.where(spread > 1e-12, 1.0, np.nan)  # NaN where the others lie on one line
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
    """Correlation with its limits: as reported, or for a regression the root of R2 with the sign of the slope."""
    for name in ("r", "rho_between"):
        found = result.estimates.get(name)
        if found is not None and not isinstance(found, ThresholdEffect):
            return (float("nan") if found.value is None else found.value), found.low, found.high
    slope, square = result.estimates.get("slope"), result.estimates.get("r2_trial")
    if slope is None or square is None or isinstance(slope, ThresholdEffect) or isinstance(square, ThresholdEffect):
        return None
    r = float(np.sign(slope.value or 0.0) * np.sqrt(square.value or 0.0))
    low, high = fisher_interval(r, len(result.effects.trials), square.level or LEVEL)
    return r, low, high
