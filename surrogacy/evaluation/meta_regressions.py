"""Meta-regression of a set by every estimator of the between-trial variance and every interval method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import get_args

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.evaluation.records import Record
from surrogacy.models.meta_regression import MetaRegression
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.stats.lines import Line
from surrogacy.stats.meta_regression import IntervalMethod, VarianceEstimator

LEVELS = (0.95, 0.8)


@dataclass(frozen=True)
class MetaRegressionVariant:
    """Meta-regression with other settings.

    Parameters
    ----------
    model : MetaRegression
        Its settings.
    slope, residual_sd : Estimate
    true_effect, mean_size : tuple of ThresholdEffect
        Thresholds by the 95% and by the 80% band, for a true effect and for a trial of mean size; empty if the slope is
        not defined, or no comparison states its patients.
    problem : str
        Reason why it could not be fitted; otherwise empty.
    """

    model: MetaRegression
    slope: Estimate = field(default_factory=partial(Estimate, None))
    residual_sd: Estimate = field(default_factory=partial(Estimate, None))
    true_effect: tuple[ThresholdEffect, ...] = ()
    mean_size: tuple[ThresholdEffect, ...] = ()
    problem: str = ""

    @property
    def record(self) -> Record:
        """Fields under the names of results.json."""
        record: Record = {name: getattr(self.model, name) for name in ("tau2", "interval", "surrogate_errors")}
        if self.problem:
            return record | {"problem": self.problem}
        for name, estimate in (("slope", self.slope), ("sigma_cond", self.residual_sd)):
            record |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        for name, thresholds in (("true_effect", self.true_effect), ("mean_size", self.mean_size)):
            for threshold in thresholds:
                key = f"ste_{threshold.level:.0%}_{name}".replace("%", "")
                record |= {key: threshold.hr, f"{key}_status": threshold.status}
        return record


def meta_regression_variants(model: MetaRegression, effects: Effects) -> list[MetaRegressionVariant]:
    """Fit a meta-regression with every estimator and interval method, and with the surrogate errors propagated.

    Parameters
    ----------
    model : MetaRegression
        Its level and size of the new trial are kept.
    effects : Effects

    Returns
    -------
    list of MetaRegressionVariant
        Every estimator with every interval method, surrogate errors ignored; then every estimator with the interval
        method of the model, surrogate errors propagated.

    Examples
    --------
    >>> import surrogacy
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> variants = meta_regression_variants(MetaRegression(), effects)
    >>> [f"{variant.true_effect[0].hr:.2f}" for variant in variants[:3]]
    ['0.65', '0.65', '0.67']
    """
    estimators: Sequence[VarianceEstimator] = get_args(VarianceEstimator)
    intervals: Sequence[IntervalMethod] = get_args(IntervalMethod)
    models = [
        replace(model, tau2=estimator, interval=interval, surrogate_errors="ignored")
        for estimator, interval in product(estimators, intervals)
    ]
    models += [replace(model, tau2=estimator, surrogate_errors="propagated") for estimator in estimators]
    return [_variant(variant, effects) for variant in models]


def _variant(model: MetaRegression, effects: Effects) -> MetaRegressionVariant:
    try:
        result = model.fit(effects)
    except FitError as error:
        return MetaRegressionVariant(model, problem=str(error))
    estimates = result.estimate("slope"), result.estimate("sigma_cond")
    line, patients = result.line, result.effects.n
    if not isinstance(line, Line):
        return MetaRegressionVariant(model, *estimates)
    true_effect = tuple(line.threshold(level, new_n=np.inf) for level in LEVELS)
    if not np.isfinite(patients).any():
        return MetaRegressionVariant(model, *estimates, true_effect)
    size = float(np.nanmean(patients))
    return MetaRegressionVariant(
        model, *estimates, true_effect, tuple(line.threshold(level, new_n=size) for level in LEVELS)
    )
