"""Surrogate threshold effects of a fit for both targets, each with an interval and the probability that it exists.

The targets are the true effect in a new trial and the observed effect in a new trial of the mean size of the set. The
interval describes how well the set determines the threshold:

- Bayesian models: the posterior of the threshold for known parameters, see `surrogacy.stats.threshold_posterior`.
- ML and REML: sets are simulated from the fit, ``y ~ N(mu, T + S)``, and the model is refitted to each. The resampled
  thresholds are those of the plug-in band, and the limits are their percentiles.
- Weighted regression and meta-regression: these models are refitted to sets simulated from the REML fit of the same
  comparisons, because they do not model the distribution of the surrogate effects. With the same seed these are the
  sets of the REML bootstrap. A meta-regression with propagated errors has no interval.

In simulated sets the 95% limits of each method contain the threshold of the true parameters with the probabilities in
``docs/validation.md``.

References
----------
Efron, Tibshirani (1986), doi:10.1214/ss/1177013815.
Burzykowski, Buyse (2006), doi:10.1002/pst.207.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError
from surrogacy.evaluation.parametric_bootstrap import simulated_sets
from surrogacy.models import Model
from surrogacy.models.bivariate import BivariateRandomEffects
from surrogacy.models.likelihood.batch import maximise_many
from surrogacy.models.likelihood.batch_lines import lines_of
from surrogacy.models.meta_regression import MetaRegression, correlated_groups
from surrogacy.models.regression import WeightedRegression
from surrogacy.models.weights import weights_of
from surrogacy.results.estimate import NewTrialSize, ThresholdEffect, ThresholdInterval, ThresholdStatus
from surrogacy.results.result import Result, SurrogacyLine
from surrogacy.stats.line_batch import LineBatch, weighted_lines
from surrogacy.stats.lines import Line
from surrogacy.stats.meta_regression import coefficient_covariance
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.surrogate_errors import errors_ignored
from surrogacy.stats.threshold_posterior import threshold_posterior
from surrogacy.stats.thresholds import interval_of_thresholds

RESAMPLES = 799
"""Simulated sets; (799 + 1) 0.025 = 20 is the rank of the 95% limits."""
STARTS = 2
"""Starts of the search in a refit. In 4,000 simulated sets the other three never found a higher maximum."""
TRUE, MEAN_SIZE = "ste_prediction_true", "ste_prediction_mean_size"

Intervals = Callable[[float | None], ThresholdInterval | None]  # of a number of patients; None = that of the line


def with_threshold_targets(model: Model, result: Result, resamples: int = RESAMPLES, seed: int = 0) -> Result:
    """Add the thresholds for both targets, and the interval of every threshold by the prediction band.

    Parameters
    ----------
    model : Model
    result : Result
        Fit of the model. Without a line it is returned as it is.
    resamples, seed : int
        Simulated sets of the bootstrap, and their seed.

    Returns
    -------
    Result
        With ``ste_prediction_true`` and ``ste_prediction_mean_size``. ``ste_prediction`` keeps its target.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import BivariateBayes
    >>> effects, model = surrogacy.read_trials().analysis_set("advanced"), BivariateBayes()
    >>> threshold = with_threshold_targets(model, model.fit(effects))["ste_prediction_true"]
    >>> f"{threshold.hr:.2f}{threshold.uncertainty_words}"
    '0.67 (0.55 to 0.81)'
    """
    line = result.line
    if line is None or "ste_prediction" not in result.estimates:
        return result
    quoted: ThresholdEffect = result["ste_prediction"]
    intervals = _intervals(model, result, quoted.level, resamples, seed)
    sizes = {"ste_prediction": line.new_n, TRUE: np.inf, MEAN_SIZE: mean_size(result.effects)}
    thresholds = {
        "ste_prediction": quoted,
        TRUE: quoted if line.scatter_known and line.new_n is None else _threshold(line, np.inf, quoted.level),
        MEAN_SIZE: _threshold(line, sizes[MEAN_SIZE], quoted.level),
    }
    described = {
        name: replace(threshold, uncertainty=intervals(sizes[name])) if threshold.is_defined else threshold
        for name, threshold in thresholds.items()
    }
    return replace(result, estimates={**result.estimates, **described})


def mean_size(effects: Effects) -> float | None:
    """Mean number of patients of the comparisons; None if the numbers of patients are unknown."""
    return float(np.nanmean(effects.n)) if np.isfinite(effects.n).any() else None


def _threshold(line: SurrogacyLine, n: float | None, level: float) -> ThresholdEffect:
    """Threshold for a new trial of ``n`` patients, or the reason why the model has none."""
    status: ThresholdStatus | None = None
    if n == np.inf and not line.scatter_known:
        status = "no-between-trial-variance"
    elif n is None and line.scatter_known:
        status = "no-patients"
    if status is not None:
        return ThresholdEffect(None, status, "prediction", level, new_trial=NewTrialSize.of(n))
    return line.threshold(level, new_n=n)


def _intervals(model: Model, result: Result, level: float, resamples: int, seed: int) -> Intervals:
    """Return a function from the size of the new trial to the interval of the threshold; it may return None."""
    line = result.line
    if isinstance(line, MixtureLine):
        return partial(threshold_posterior, line, level)
    if isinstance(model, BivariateRandomEffects):
        return partial(
            _of_true_effects, likelihood_lines(model, result, simulated_sets(result, resamples, seed)), result, level
        )
    if isinstance(line, Line) and isinstance(model, WeightedRegression):
        lines = regression_lines(model, result, resamples, seed)
        return (lambda n: None) if lines is None else partial(_of_observed_effects, lines, line, level)
    if isinstance(line, Line) and isinstance(model, MetaRegression):
        lines = meta_regression_lines(model, result, resamples, seed)
        return (lambda n: None) if lines is None else partial(_of_meta_regression, lines, line, level)
    return lambda n: None


def _of_true_effects(lines: LineBatch, result: Result, level: float, n: float | None) -> ThresholdInterval:
    """Percentile interval by refits of a bivariate model, with the sampling error of a new trial of ``n`` patients."""
    line = result.line
    sampling = 0.0 if line is None or n is None or np.isinf(n) else line.trial_variance / n
    thresholds = lines.thresholds(float(ndtri(0.5 + level / 2)), lines.variance + sampling)
    return interval_of_thresholds(thresholds, level, f"parametric bootstrap, {len(lines)} sets")


def _of_observed_effects(lines: LineBatch, line: Line, level: float, n: float | None) -> ThresholdInterval:
    """Percentile interval by refits of a regression, whose residual variance is that of a trial of ``n`` patients."""
    thresholds = lines.thresholds(line.quantile(level), lines.variance * line.added_variance(n))
    return interval_of_thresholds(thresholds, level, f"bootstrap of the REML fit, {len(lines)} sets")


def _of_meta_regression(lines: LineBatch, line: Line, level: float, n: float | None) -> ThresholdInterval:
    """Percentile interval by refits of a meta-regression, with the sampling error of a new trial of ``n`` patients."""
    sampling = line.added_variance(n) - line.sigma**2
    thresholds = lines.thresholds(line.quantile(level), lines.variance + sampling)
    return interval_of_thresholds(thresholds, level, f"bootstrap of the REML fit, {len(lines)} sets")


def likelihood_lines(model: BivariateRandomEffects, result: Result, sets: FloatArray) -> LineBatch:
    """Refit a bivariate model to simulated sets; sets without a maximum are left out."""
    maxima = maximise_many(result.effects, sets, model.method, starts=STARTS)
    return lines_of(maxima).take(maxima.converged)


def regression_lines(model: WeightedRegression, result: Result, resamples: int, seed: int) -> LineBatch | None:
    """Refit a regression to sets simulated from the REML fit of its comparisons; None if that has no line.

    The residual variances are in units of that of the regression itself.
    """
    sets = _sets_of_bivariate_fit(result.effects, resamples, seed)
    if sets is None:
        return None
    weights, _ = weights_of(result.effects, model.weights)
    lines = weighted_lines(sets, weights)
    return replace(lines, variance=lines.variance / weighted_lines(result.effects.log_hr[None], weights).variance)


def meta_regression_lines(model: MetaRegression, result: Result, resamples: int, seed: int) -> LineBatch | None:
    """Refit a meta-regression to sets simulated from the REML fit of its comparisons; None if that has no line."""
    sets = _sets_of_bivariate_fit(result.effects, resamples, seed)
    if sets is None or model.surrogate_errors == "propagated":
        return None
    regression = errors_ignored(correlated_groups(result.effects, sets), model.tau2)
    covariance = coefficient_covariance(regression.fit, regression.data.degrees_of_freedom, model.interval)
    intercept, slope = np.moveaxis(regression.fit.coefficients, -1, 0)
    elements = np.stack([covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]], axis=1)
    return LineBatch(intercept, slope, elements, regression.tau2)


@lru_cache(maxsize=1)
def _sets_of_bivariate_fit(effects: Effects, resamples: int, seed: int) -> FloatArray | None:
    """Draw sets from the REML fit of the comparisons of a regression; None if that has no line.

    The models of a set are fitted one after the other, so that both regressions use the same draws.
    """
    try:
        fit = BivariateRandomEffects(interval="delta", prediction="plug-in").fit(effects)
    except SurrogacyError:  # the comparisons lack standard errors, or the likelihood has no maximum
        return None
    if fit.line is None or len(fit.effects) < len(effects):
        return None
    return simulated_sets(fit, resamples, seed)
