"""Intervals of the surrogate threshold effect.

The true value is the threshold of the true parameters, ``-(intercept + z sqrt(sigma^2 + v)) / slope``, where v is the
sampling variance of the new trial, 0 for its true effect. For the weighted regression the parameters are those to which
its estimates converge. Values are log hazard ratios.

A method reports limits only if the threshold exists with a probability of at least 97.5%. Its outcome *as reported* has
no interval in the other data sets. In the outcome *with infinite limits* a limit that does not exist is infinite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.special import ndtri, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.effects import unit_variance
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact.bivariate_posterior import posteriors
from surrogacy.models.likelihood.batch import BatchMaximum, maximise_many
from surrogacy.models.likelihood.batch_lines import lines_of
from surrogacy.simulation.data_sets import SimulatedSets
from surrogacy.simulation.performance import Outcome, interval_outcome
from surrogacy.stats.line_batch import LineBatch, weighted_lines
from surrogacy.stats.threshold_posterior import ThresholdDistribution

RESAMPLES = 119
"""Simulated sets per data set; (119 + 1) 0.025 = 3 is the rank of the limits."""
TAIL = 0.025
Z = float(ndtri(1 - TAIL))
BEYOND = 100.0  # stands for an infinite log hazard ratio
TRUE_EFFECT, MEAN_SIZE = "threshold of the true effect", "threshold of a trial of mean size"
OF_REGRESSION = "threshold of a trial of mean size, weighted regression"


def outcomes(sets: SimulatedSets) -> Iterator[Outcome]:
    """Compare the bootstrap of REML with and without the uncertainty of the line, regression and exact posterior."""
    scenario, size = sets.scenario, sets.n.mean(axis=1)
    line = scenario.intercept, scenario.slope
    sampling = np.array([unit_variance(sets.effects(i)) for i in range(len(sets))]) / size
    added = {TRUE_EFFECT: np.zeros(len(sets)), MEAN_SIZE: sampling}
    truth = {target: _threshold(*line, scenario.sigma**2 + variance) for target, variance in added.items()}
    log_hr = _resampled(sets)
    lines = _refitted(sets, log_hr)
    certain = LineBatch(lines.intercept, lines.slope, np.zeros_like(lines.covariance), lines.variance)
    for target, variance in added.items():
        total = lines.variance + np.repeat(variance, RESAMPLES)
        for name, batch in (("bootstrap of REML", lines), ("bootstrap of REML, line known", certain)):
            yield from _compared(name, target, batch.thresholds(Z, total), truth[target])
    yield from _regression(sets, log_hr, size)
    yield from _posterior(sets, size, truth)


def _threshold(intercept: float, slope: float, variance: FloatArray) -> FloatArray:
    return np.asarray(-(intercept + Z * np.sqrt(variance)) / slope)


def _resampled(sets: SimulatedSets) -> FloatArray:
    """Draw `RESAMPLES` sets from the REML estimates of every data set, (b * resamples, k, 2)."""
    t11, t12, t22 = sets.maxima.psi.T[..., None]
    (v11, v22), v12 = np.moveaxis(sets.se**2, -1, 0), sets.rho_assumed * sets.se.prod(axis=-1)
    root = np.sqrt(t11 + v11)
    across = (t12 + v12) / root
    rest = np.sqrt(np.maximum(t22 + v22 - across**2, 0.0))
    first, second = sets.generator(1).standard_normal((2, len(sets), RESAMPLES, sets.scenario.k))
    x = root[:, None] * first
    y = across[:, None] * first + rest[:, None] * second
    log_hr = sets.maxima.mu[:, None, None] + np.stack([x, y], axis=-1)
    return np.asarray(log_hr.reshape(-1, sets.scenario.k, 2))


def _refitted(sets: SimulatedSets, log_hr: FloatArray) -> LineBatch:
    se, rho = (np.repeat(values, RESAMPLES, axis=0) for values in (sets.se, sets.rho_assumed))
    maxima: BatchMaximum = maximise_many(sets.template, log_hr, "reml", se=se, rho_within=rho, starts=1)
    return lines_of(maxima)


def _regression(sets: SimulatedSets, log_hr: FloatArray, size: FloatArray) -> Iterator[Outcome]:
    """Refit the regression weighted by patients to the sets simulated from the REML fit."""
    scenario = sets.scenario
    quantile, covariance = float(stdtrit(scenario.k - 2, 1 - TAIL)), scenario.covariance_of_estimates
    slope = covariance[0, 1] / covariance[0, 0]
    per_patient = (covariance[1, 1] - slope * covariance[0, 1]) * scenario.mean_patients
    intercept = scenario.mean[1] - slope * scenario.mean[0]
    truth = _threshold(intercept, slope, per_patient / size)
    by_set = log_hr.reshape(len(sets), RESAMPLES, scenario.k, 2)
    thresholds = []
    for values, n, mean in zip(by_set, sets.n, size, strict=True):
        lines = weighted_lines(values, n)
        thresholds.append(lines.thresholds(quantile, lines.variance / mean))
    yield from _compared(
        "bootstrap of REML, refits of the regression", OF_REGRESSION, np.concatenate(thresholds), truth
    )


def _compared(name: str, target: str, log_hr: FloatArray, truth: FloatArray) -> Iterator[Outcome]:
    """Compare the limits of resampled thresholds with the true values."""
    ordered = np.sort(log_hr.reshape(len(truth), RESAMPLES), axis=1)
    exists = np.isfinite(ordered).mean(axis=1)
    rank = round((RESAMPLES + 1) * TAIL)
    yield from _outcomes(name, target, (ordered[:, rank - 1], ordered[:, -rank]), exists, truth)


def _outcomes(
    name: str, target: str, limits: tuple[FloatArray, FloatArray], exists: FloatArray, truth: FloatArray
) -> Iterator[Outcome]:
    """Compare the limits as reported, and with infinite limits."""
    low, high = (np.where(1 - exists > TAIL, np.nan, limit) for limit in limits)
    yield interval_outcome(f"{name}, as reported", target, (low, high), truth)
    low, high = (np.clip(limit, -BEYOND, BEYOND) for limit in limits)
    yield replace(
        interval_outcome(f"{name}, with infinite limits", target, (low, high), truth), width=np.full(len(truth), np.nan)
    )


def _posterior(sets: SimulatedSets, size: FloatArray, truth: dict[str, FloatArray]) -> Iterator[Outcome]:
    """Posterior of the Bayesian bivariate model with its default priors."""
    sizes = {TRUE_EFFECT: np.full(len(sets), np.inf), MEAN_SIZE: size}
    values: dict[str, list[tuple[float, float, float]]] = {target: [] for target in sizes}
    data = (sets.effects(i) for i in range(len(sets)))
    for i, posterior in enumerate(posteriors(data, BivariateBayes().priors)):
        line = posterior.line(fine=False)
        for target, n in sizes.items():
            distribution = ThresholdDistribution.of(line, n=float(n[i]))
            low, high = distribution.quantile(TAIL), distribution.quantile(1 - TAIL)
            values[target].append((low, high, distribution.exists))
    for target, rows in values.items():
        low, high, exists = np.array(rows).T
        yield from _outcomes("exact posterior", target, (low, high), exists, truth[target])
