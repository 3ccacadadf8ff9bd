"""Slope and predictions by weighted regression and by meta-regression, with and without the surrogate errors.

Two slopes are targets. The slope of the true effects is that of the scenario. The slope of the observed effects is the
one to which least squares with the same weights converge: attenuated by the errors of the surrogate effects, inflated
by the within-trial correlation.

Predictions are for a new trial: its true final effect given the true surrogate effect (a point of the band), its true
final effect given the observed surrogate effect, and its observed final effect given the observed surrogate effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.special import ndtr, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.simulation.data_sets import SimulatedSets, draw_sets
from surrogacy.simulation.performance import Outcome, interval_outcome
from surrogacy.simulation.scenarios import Scenario
from surrogacy.stats.meta_regression import (
    IntervalMethod,
    MetaRegressionData,
    coefficient_covariance,
    interval_quantile,
    weighted_fit,
)
from surrogacy.stats.surrogate_errors import (
    CorrelatedEffects,
    TrueSurrogateEffects,
    errors_ignored,
    errors_propagated,
    independent_effects,
    true_surrogate_effects,
)

INTERVALS: dict[IntervalMethod, str] = {"z": "z", "knapp-hartung": "Knapp-Hartung", "ad-hoc": "ad hoc"}
NEW_TRIALS = 40  # per data set; given its surrogate effect, the coverage is exact
LARGE = 2000.0  # patients of a large new trial
POPULATION = 200_000  # trials from which the slope of the observed effects is computed
OF_TRUE, OF_OBSERVED = "slope of the true effects", "slope of the observed effects"
BAND = "true effect, true surrogate effect known"
TRUE = "true effect, surrogate effect observed, mean size"
MEAN, LARGER = "observed effect, mean size", f"observed effect, n = {LARGE:,.0f}"


@dataclass(frozen=True, eq=False)
class _Lines:
    """Lines of a procedure, one per data set, NaN without a fit.

    Parameters
    ----------
    name : str
    coefficients, covariance : (b, 2) and (b, 2, 2) arrays
    residual : (b,) array
        Variance of the true final effects about the line.
    quantile : float
    mean, between : (b,) arrays
        Mean and variance of the true surrogate effects, towards which an observed effect is shrunken; infinite
        variance: not shrunken.
    """

    name: str
    coefficients: FloatArray
    covariance: FloatArray
    residual: FloatArray
    quantile: float
    mean: FloatArray
    between: FloatArray

    def limits(
        self, x: FloatArray, variance: FloatArray, shift: FloatArray | float = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Limits at (b, m) surrogate effects, with (b, m) variances about the line."""
        a, b = (self.coefficients[:, [i]] for i in (0, 1))
        c = self.covariance
        parameters = c[:, 0, 0, None] + 2 * x * c[:, 0, 1, None] + x**2 * c[:, 1, 1, None]
        centre, half = a + b * x + shift, self.quantile * np.sqrt(parameters + variance)
        return centre - half, centre + half


@dataclass(frozen=True, eq=False)
class _NewTrials:
    """New trials of ``n`` patients: (b, m) surrogate effects, standard errors, distribution of the final effects."""

    observed: FloatArray
    se: tuple[float, float]
    mean: FloatArray
    sd: float

    def outcome(self, name: str, target: str, limits: tuple[FloatArray, FloatArray]) -> Outcome:
        low, high = limits
        inside = (ndtr((high - self.mean) / self.sd) - ndtr((low - self.mean) / self.sd)).mean(axis=1)
        return Outcome(name, target, inside, (high - low).mean(axis=1), np.full(len(inside), np.nan))


def outcomes(sets: SimulatedSets) -> Iterator[Outcome]:
    """Compare slopes and predictions by weighted regression and by meta-regression."""
    scenario, k = sets.scenario, sets.scenario.k
    effects = independent_effects(sets.log_hr[..., 0], sets.log_hr[..., 1], sets.se, sets.rho_assumed)
    weighted, scale = _weighted_regression(sets)
    ignored = errors_ignored([effects], "reml")
    meta = [
        _Lines(
            f"meta-regression, {words}",
            ignored.fit.coefficients,
            coefficient_covariance(ignored.fit, k - 2, interval),
            ignored.tau2,
            interval_quantile(interval, k - 2),
            np.zeros(len(sets)),
            np.full(len(sets), np.inf),
        )
        for interval, words in INTERVALS.items()
    ]
    propagated = _propagated(effects, len(sets), k)
    observed_slopes = _observed_slopes(replace(scenario, topic="", k=POPULATION, data_sets=1))
    for lines, slope in ((weighted, observed_slopes[0]), *((lines, observed_slopes[1]) for lines in meta)):
        yield _slope(lines, OF_TRUE, scenario.slope)
        yield _slope(lines, OF_OBSERVED, slope)
    yield _slope(propagated, OF_TRUE, scenario.slope)

    true = sets.generator(1).normal(scenario.mean[0], scenario.tau[0], (len(sets), NEW_TRIALS))
    of_line = _NewTrials(true, (0.0, 0.0), scenario.intercept + scenario.slope * true, scenario.sigma)
    for lines in (weighted, *meta, propagated):
        yield of_line.outcome(lines.name, BAND, lines.limits(true, lines.residual[:, None]))
    size = float(np.exp(np.log(scenario.patients) + scenario.size_spread**2 / 2))
    for target, n, is_true in ((TRUE, size, True), (MEAN, size, False), (LARGER, LARGE, False)):
        new = _new_trials(sets, n, is_true)
        if not is_true:
            residual = (scale / n)[:, None]
            yield new.outcome(weighted.name, target, weighted.limits(new.observed, residual))
            by_trial = _with_errors_of_trial(sets, weighted, new, residual, sets.n / n, with_final=True)
            yield new.outcome(f"{weighted.name}, errors of the new trial", target, by_trial)
        for lines in meta:
            yield new.outcome(lines.name, target, lines.limits(new.observed, lines.residual[:, None] + new.se[1] ** 2))
        ad_hoc = meta[-1]
        weights = ignored.fit.weights / ignored.fit.weights.mean(axis=1, keepdims=True)
        by_trial = _with_errors_of_trial(sets, ad_hoc, new, ad_hoc.residual[:, None], weights, with_final=False)
        yield new.outcome(f"{ad_hoc.name}, errors of the new trial", target, by_trial)
        yield new.outcome(propagated.name, target, _shrunken(sets, propagated, new))


def _weighted_regression(sets: SimulatedSets) -> tuple[_Lines, FloatArray]:
    """Least squares weighted by n, and the residual variance of a trial of one patient."""
    df = sets.scenario.k - 2
    fit = weighted_fit(MetaRegressionData(sets.log_hr[..., 1], 1.0 / sets.n, _design(sets.log_hr[..., 0])), 0.0)
    scale, unshrunken = fit.q / df, np.full(len(sets), np.inf)
    lines = _Lines(
        "weighted regression",
        fit.coefficients,
        fit.inverse * scale[:, None, None],
        np.zeros(len(sets)),
        float(stdtrit(df, 0.975)),
        np.zeros(len(sets)),
        unshrunken,
    )
    return lines, scale


def _design(x: FloatArray) -> FloatArray:
    return np.stack([np.ones_like(x), x], axis=-1)


def _propagated(effects: CorrelatedEffects, count: int, k: int) -> _Lines:
    """Meta-regression with the surrogate errors; no line where the true surrogate effects do not differ."""
    true = true_surrogate_effects([effects], "reml")
    usable = true.variance > 0
    part = TrueSurrogateEffects(*(value[usable] for value in vars(true).values()))
    regression = errors_propagated(
        [CorrelatedEffects(*(value[usable] for value in vars(effects).values()))], part, "reml"
    )
    covariance = coefficient_covariance(regression.fit, k - 2, "ad-hoc") + regression.first_stage
    settled = regression.converged

    def spread(values: FloatArray) -> FloatArray:
        full = np.full((count, *values.shape[1:]), np.nan)
        full[np.flatnonzero(usable)[settled]] = values[settled]
        return full

    return _Lines(
        "meta-regression, errors propagated",
        spread(regression.fit.coefficients),
        spread(covariance),
        spread(regression.tau2),
        interval_quantile("ad-hoc", k - 2),
        spread(part.mean),
        spread(part.variance),
    )


@cache
def _observed_slopes(population: Scenario) -> tuple[float, float]:
    """Slopes to which the weighted regression and the meta-regression converge."""
    sets = draw_sets(population, 0)
    effects = independent_effects(sets.log_hr[..., 0], sets.log_hr[..., 1], sets.se, sets.rho_assumed)
    meta = errors_ignored([effects], "reml").fit.coefficients[0, 1]
    return float(_weighted_regression(sets)[0].coefficients[0, 1]), float(meta)


def _slope(lines: _Lines, target: str, truth: float) -> Outcome:
    slope, half = lines.coefficients[:, 1], lines.quantile * np.sqrt(lines.covariance[:, 1, 1])
    return interval_outcome(lines.name, target, (slope - half, slope + half), truth, slope)


def _new_trials(sets: SimulatedSets, n: float, is_true: bool) -> _NewTrials:
    """Draw observed surrogate effects of new trials; the final effect given each is normal."""
    scenario = sets.scenario
    s1, s2 = (float(np.sqrt(variance / n)) for variance in scenario.unit_variance)
    s2 = 0.0 if is_true else s2
    (t11, t12), (_, t22) = scenario.between
    covariance, total = t12 + scenario.rho_within * s1 * s2, t11 + s1**2
    observed = sets.generator(2).normal(scenario.mean[0], np.sqrt(total), (len(sets), NEW_TRIALS))
    mean = scenario.mean[1] + covariance / total * (observed - scenario.mean[0])
    return _NewTrials(observed, (s1, s2), mean, float(np.sqrt(t22 + s2**2 - covariance**2 / total)))


def _with_errors_of_trial(
    sets: SimulatedSets, lines: _Lines, new: _NewTrials, residual: FloatArray, weights: FloatArray, *, with_final: bool
) -> tuple[FloatArray, FloatArray]:
    """Limits of `surrogacy.models.prediction.predict_by_regression`, for (b, k) weights relative to the new trial."""
    b, rho = lines.coefficients[:, [1]], sets.scenario.rho_assumed
    s1, s2 = sets.se[..., 0], sets.se[..., 1]
    typical = b**2 * s1**2 - 2 * b * rho * s1 * s2 + (s2**2 if with_final else 0.0)
    left = np.maximum(residual - np.mean(weights * typical, axis=1, keepdims=True), 0.0)
    own = new.se[1] ** 2 + b**2 * new.se[0] ** 2 - 2 * b * rho * new.se[0] * new.se[1]
    return lines.limits(new.observed, left + own)


def _shrunken(sets: SimulatedSets, lines: _Lines, new: _NewTrials) -> tuple[FloatArray, FloatArray]:
    """Limits of `surrogacy.stats.lines.Line.predict_observed` with a distribution of the true surrogate effects."""
    (s1, s2), rho, b = new.se, sets.scenario.rho_assumed, lines.coefficients[:, [1]]
    between, mean = lines.between[:, None], lines.mean[:, None]
    total, away = between + s1**2, new.observed - mean
    covariance = 2 * b * between / total * rho * s1 * s2 + (rho * s1 * s2) ** 2 / total
    variance = lines.residual[:, None] + s2**2 + b**2 * between / total * s1**2 - covariance
    return lines.limits(mean + between / total * away, variance, rho * s1 * s2 / total * away)
