"""Three corrections of a meta-regression for the sampling errors of the surrogate effects, compared by simulation.

Effective variance: weights ``1 / (s2^2 + b^2 s1^2 - 2 b r s1 s2 + tau^2)`` with b iterated, REML. York (York et al.
2004, doi:10.1119/1.1632486): the line that minimises the sum of squares divided by these variances, tau^2 by
Paule-Mandel. Regression calibration: as in `surrogacy.stats.surrogate_errors`, REML. Intervals have t quantiles and the
ad hoc correction. ``python validation/surrogate_error_corrections.py`` takes a minute.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from surrogacy.simulation.data_sets import draw_sets
from surrogacy.simulation.scenarios import scenarios
from surrogacy.stats.meta_regression import (
    MetaRegressionData,
    between_trial_variance,
    coefficient_covariance,
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


def york(sets, rho, tau2, slope):
    """Slope, its standard error and the weighted sum of squares, at one tau^2 per data set."""
    (x, y), (s1, s2) = np.moveaxis(sets.log_hr, -1, 0), np.moveaxis(sets.se, -1, 0)
    v2, cross = s2**2 + tau2[:, None], rho * s1 * s2
    for _ in range(60):
        b = slope[:, None]
        w = 1 / (v2 + b**2 * s1**2 - 2 * b * cross)
        mean_x, mean_y = (np.average(values, axis=1, weights=w)[:, None] for values in (x, y))
        u, v = x - mean_x, y - mean_y
        adjusted = w * (u * v2 + v * b * s1**2 - (b * u + v) * cross)
        slope = np.clip(np.sum(w * adjusted * v, axis=1) / np.sum(w * adjusted * u, axis=1), -5, 5)
    centred = adjusted - np.average(adjusted, axis=1, weights=w)[:, None]
    q = np.sum(w * (v - slope[:, None] * u) ** 2, axis=1)
    return slope, np.sqrt(1 / np.sum(w * centred**2, axis=1)), q


def by_york(sets, rho, start, df):
    low, high = np.zeros(len(sets)), np.full(len(sets), 0.5)
    none = york(sets, rho, low, start)[2] <= df
    for _ in range(18):
        middle = (low + high) / 2
        above = york(sets, rho, middle, start)[2] > df
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    slope, se, q = york(sets, rho, np.where(none, 0.0, (low + high) / 2), start)
    return slope, se * np.sqrt(np.maximum(q / df, 1.0))


def by_effective_variance(sets, rho, start, df):
    slope, (s1, s2) = start, np.moveaxis(sets.se, -1, 0)
    design = np.stack([np.ones_like(s1), sets.log_hr[..., 0]], axis=-1)
    for _ in range(30):
        b = slope[:, None]
        data = MetaRegressionData(sets.log_hr[..., 1], s2**2 + b**2 * s1**2 - 2 * b * rho * s1 * s2, design)
        fit = weighted_fit(data, between_trial_variance(data, "reml"))
        slope = fit.coefficients[:, 1]
    return slope, np.sqrt(coefficient_covariance(fit, df, "ad-hoc")[:, 1, 1])


def by_calibration(effects, df):
    true = true_surrogate_effects([effects], "reml")
    usable = true.variance > 0
    part = TrueSurrogateEffects(*(value[usable] for value in vars(true).values()))
    kept = CorrelatedEffects(*(value[usable] for value in vars(effects).values()))
    regression = errors_propagated([kept], part, "reml")
    covariance = coefficient_covariance(regression.fit, df, "ad-hoc") + regression.first_stage
    return regression.fit.coefficients[:, 1], np.sqrt(covariance[:, 1, 1])


for rho_within in (0.0, 0.5):
    for scenario in scenarios("meta-regression")[2:4]:
        scenario = replace(scenario, rho_within=rho_within, rho_assumed=rho_within, data_sets=2000)
        sets, df = draw_sets(scenario, 1), scenario.k - 2
        effects = independent_effects(sets.log_hr[..., 0], sets.log_hr[..., 1], sets.se, sets.rho_assumed)
        ignored = errors_ignored([effects], "reml")
        start = ignored.fit.coefficients[:, 1]
        print(f"k = {scenario.k}, within-trial correlation {rho_within:g}, true slope {scenario.slope:.2f}")
        for name, (slope, se) in {
            "errors ignored": (start, np.sqrt(coefficient_covariance(ignored.fit, df, "ad-hoc")[:, 1, 1])),
            "effective variance": by_effective_variance(sets, rho_within, start, df),
            "York": by_york(sets, rho_within, start, df),
            "regression calibration": by_calibration(effects, df),
        }.items():
            covered = np.mean(np.abs(slope - scenario.slope) < stdtrit(df, 0.975) * se)
            print(f"  {name:22} median slope {np.median(slope):.2f}, 95% interval covers {covered:.3f}")
