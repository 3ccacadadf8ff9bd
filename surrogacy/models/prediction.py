"""Prediction of the observed final effect of a trial from its observed surrogate effect by a fitted line.

For a bivariate model, with ``k = T11 / (T11 + s1^2)`` the shrinkage of the observed surrogate effect y1,

    E[y2 | y1]   = mu2 + slope k (y1 - mu1) + r s1 s2 / (T11 + s1^2) (y1 - mu1)
    Var(y2 | y1) = slope^2 k s1^2                                          sampling error of the surrogate effect
                 + sigma_cond^2                                            scatter about the line
                 + s2^2                                                    sampling error of the final effect
                 - (2 slope k r s1 s2 + r^2 s1^2 s2^2 / (T11 + s1^2))      within-trial correlation
                 + parameters                                              uncertainty of mu and T

which is ``T22 + s2^2 - (T12 + r s1 s2)^2 / (T11 + s1^2)`` plus the last term, which the likelihood models compute by
the delta method (`surrogacy.stats.true_effects`). They use the formula at every value of a confidence distribution of
sigma_cond^2. With a posterior it is used at every node, so that the last term needs no approximation.

A regression that ignores the sampling errors of the surrogate effects does not shrink the observed effect. Its residual
variance contains these errors, with the size that is typical of the set, so that the ordinary prediction interval is
valid for a trial like those of the set (`predict_final`). For a new trial with standard errors s1 and s2
(`predict_by_regression`) the typical errors v are replaced by those of the trial:

    Var = max(R - v, 0)  +  s2^2 + b^2 s1^2 - 2 b r s1 s2  +  (1, y1) Cov (1, y1)'

    weighted regression   R = s^2 / w0,   v = mean of w_i (s2_i^2 + b^2 s1_i^2 - 2 b r_i s1_i s2_i) / w0
    meta-regression       R = tau^2,      v = mean of b^2 s1_i^2 - 2 b r_i s1_i s2_i, weighted by 1 / (s2_i^2 + tau^2)

with s2 = 0 for a true effect, which only the meta-regression predicts. Adding ``b^2 s1^2 - 2 b r s1 s2`` without
subtracting v would count these errors twice, and for r > 0 make the interval of an observed effect too narrow: with 16
trials, b = 0.47 and r = 0.5 a nominal 95% interval of the weighted regression would then contain 90% of new trials,
whereas this one contains 95% (97% if s1 is three times as large as usual, against 90% without s1). For the same reason
the interval of an observed effect is narrowest at ``s1 = r s2 / b``; that of a true effect always widens with s1.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Burzykowski, Buyse (2006), doi:10.1002/pst.207.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.models.regression import weight_per_patient
from surrogacy.results.result import Result
from surrogacy.stats.lines import Line
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution


def predict_final(result: Result, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
    """Predict the observed final effect of a trial from its observed surrogate effect.

    Parameters
    ----------
    result : Result
        Result of a model with a line.
    trial : ObservedEffects
        Its final effect is not used.
    joins : bool
        Whether the surrogate effect is first added to the data of an exact posterior, as for a trial that was left out.

    Raises
    ------
    UsageError
        If the model has no line.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> result = WeightedRegression().fit(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> trial = ObservedEffects(np.log(0.6), 0.15, np.nan, 0.15, rho_within=0.5, n=400)
    >>> low, high = np.exp(predict_final(result, trial).interval(0.95))
    >>> f"{low:.2f} to {high:.2f}"
    '0.63 to 1.11'
    """
    if result.line is None:
        raise UsageError(f"{result.model} has no line to predict from")
    return result.line.predict_observed(trial, joins=joins)


def predict_by_regression(result: Result, trial: ObservedEffects) -> PredictiveDistribution:
    """Predict the final effect of a new trial by a regression on observed effects, with the trial's standard errors.

    The formula is that of the module, with the quantiles of the regression. The prediction variance is never smaller
    than that of the trial's sampling errors, however close the trials of the set are to the line.

    Parameters
    ----------
    result : Result
        Result of a weighted regression, or of a meta-regression that ignores the errors of the surrogate effects.
    trial : ObservedEffects
        With ``se_final`` 0 the meta-regression predicts the true effect. In a weighted regression an ``n`` of NaN
        stands for the default size of the line, and a ``se_final`` of NaN for the standard error typical of a trial of
        this weight.

    Raises
    ------
    UsageError
        If the size is infinite, because the regression cannot predict a true effect.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> result = WeightedRegression().fit(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> trial = ObservedEffects(np.log(0.6), 0.15, np.nan, 0.15, rho_within=0.5, n=400)
    >>> low, high = np.exp(predict_by_regression(result, trial).interval(0.95))
    >>> f"{low:.2f} to {high:.2f}"
    '0.61 to 1.16'
    """
    line = result.line
    assert isinstance(line, Line)
    ordinary = line.predict_observed(trial)
    effects, b = result.effects, line.slope
    known = np.isfinite(effects.se).all(axis=1)
    if not known.any():  # typical errors of the set are unknown: add the surrogate error of the new trial in full
        components = {**ordinary.components, "surrogate_error": b**2 * trial.se**2}
        return replace(ordinary, sd=np.array([np.sqrt(sum(components.values()))]), components=components)
    s1, s2 = effects.se[known].T
    typical = b**2 * s1**2 - 2 * b * effects.rho_within[known] * s1 * s2
    if line.scatter_known:
        weights = 1.0 / (s2**2 + line.sigma**2)
        residual, se_final = line.sigma**2 - float(weights @ typical / weights.sum()), trial.se_final
    else:
        share = result.shown_weights.values[known] / _weight(result, line, trial.n)
        residual = ordinary.components["residual"] - float(np.mean(share * (s2**2 + typical)))
        se_final = float(np.sqrt(np.mean(share * s2**2))) if np.isnan(trial.se_final) else trial.se_final
    components = {
        "parameters": ordinary.components["parameters"],
        "residual": max(residual, 0.0),
        "surrogate_error": b**2 * trial.se**2,
        "sampling": se_final**2,
        "covariance": -2 * b * trial.rho_within * trial.se * se_final,
    }
    return replace(ordinary, sd=np.array([np.sqrt(sum(components.values()))]), components=components)


def _weight(result: Result, line: Line, n: float) -> float:
    """Weight of a new trial in a weighted regression; the mean weight if its size does not determine it."""
    weights = result.shown_weights.values
    size = line.new_n if np.isnan(n) else n
    if size is None or line.exponent == 0:
        return float(weights.mean())
    return float(weight_per_patient(result.effects, weights, line.exponent) * size**line.exponent)
