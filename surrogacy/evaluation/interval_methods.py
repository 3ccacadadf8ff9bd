"""Published methods for the interval of a trial-level correlation and of its square, side by side.

Different methods give different limits for the same trials, and papers seldom state theirs. Fisher, Wald and the
bootstrap over trials apply to the correlation of the *estimated* effects (weighted Pearson); delta, atanh-t, profile
and the parametric bootstrap apply to the correlation of the *true* effects (a bivariate model).

    fisher            tanh(atanh r -+ z / sqrt(N - 3))
    wald-n-3          R2 -+ z sqrt(4 R2 (1 - R2)^2 / (N - 3)), cut at 0 and 1
    wald-n            the same with N
    wald-untruncated  as wald-n-3, not cut
    delta             R2 -+ z SE, SE^2 = g' Cov(T) g, not cut
    atanh-t           tanh(atanh rho -+ t_{N-1} SE / (1 - rho^2))

N is the number of trials, also for a weighted r.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.parametric_bootstrap import refitted_rho
from surrogacy.evaluation.refits import with_settings
from surrogacy.models import Model
from surrogacy.models.bivariate import BivariateRandomEffects
from surrogacy.models.weights import usable_comparisons, weights_of
from surrogacy.results.labels import Weights
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.results.result import Result
from surrogacy.stats import correlation
from surrogacy.stats.bootstrap import percentiles, resampled_r
from surrogacy.stats.correlation import Limits, atanh_t, wald_r2
from surrogacy.stats.trial_numbers import trial_number

ESTIMATED, TRUE = "estimated effects", "true effects"
FEW_TRIALS = 10  # with fewer trials a bootstrap over trials is far too narrow
ON_BOUNDARY = "the fit lies on the boundary"
NO_LIMITS: Limits = (None, None)


class IntervalValues(NamedTuple):
    """Value and limits by a method, and a note on them."""

    value: float | None
    limits: Limits
    note: str = ""


@dataclass(frozen=True, eq=False)
class IntervalInputs:
    """Inputs of the methods: comparisons that the weighted correlation uses, and a bivariate fit to all comparisons."""

    effects: Effects
    weights: FloatArray
    r: float
    level: float
    resamples: int
    refits: int
    seed: int
    model: Model | None
    fit: Result | None

    @property
    def trials(self) -> int:
        """Number of trials of the weighted correlation."""
        return len(self.effects.trials)

    @property
    def bivariate_fit(self) -> Result:
        """The bivariate fit; only methods for the true effects use it, and these need a model."""
        assert self.fit is not None
        return self.fit

    @property
    def boundary(self) -> str:
        """A note if the bivariate fit lies on the boundary."""
        return ON_BOUNDARY if self.bivariate_fit.on_boundary else ""


@dataclass(frozen=True)
class IntervalMethod:
    """Method for an interval of r or R2.

    Parameters
    ----------
    of : {"r", "R2"}
        Quantity; an interval of r is squared as well.
    correlates : {"estimated effects", "true effects"}
    formula : str
    source : str
        DOI; empty if none could be verified.
    compute : callable
        Value, limits and note from the inputs.
    """

    of: Literal["r", "R2"]
    correlates: str
    formula: str
    source: str
    compute: Callable[[IntervalInputs], IntervalValues]


@dataclass(frozen=True)
class Interval:
    """Interval by a method; ``low`` and ``high`` are None if the method gives none, and ``note`` states the reason."""

    recipe: str
    of: Literal["r", "R2"]
    correlates: str
    value: float | None
    low: float | None
    high: float | None
    level: float
    trials: int
    formula: str
    source: str
    note: str = ""


def _fisher(inputs: IntervalInputs) -> IntervalValues:
    limits = correlation.fisher_interval(inputs.r, inputs.trials, inputs.level)
    return IntervalValues(inputs.r, limits, "" if inputs.trials > 3 else "Fisher z needs 4 trials")


def _fisher_effective(inputs: IntervalInputs) -> IntervalValues:
    number = trial_number(inputs.weights, inputs.effects.trial, "effective")
    limits = correlation.fisher_interval(inputs.r, number.counted, inputs.level)
    return IntervalValues(inputs.r, limits, number.method_words())


def _wald(lost: Literal[0, 3], truncated: bool) -> Callable[[IntervalInputs], IntervalValues]:
    def compute(inputs: IntervalInputs) -> IntervalValues:
        limits = wald_r2(inputs.r**2, inputs.trials, inputs.level, lost=lost, truncated=truncated)
        return IntervalValues(inputs.r**2, limits, f"needs {lost + 1} trials and R2 < 1" if limits[0] is None else "")

    return compute


def _bootstrap_trials(inputs: IntervalInputs) -> IntervalValues:
    sample = resampled_r(inputs.effects, inputs.weights, inputs.resamples, np.random.default_rng(inputs.seed))
    lost = int((~np.isfinite(sample)).sum())
    notes = [f"{inputs.trials} trials: too narrow"] if inputs.trials < FEW_TRIALS else []
    notes += [f"{lost} of {inputs.resamples} samples without a correlation left out"] if lost else []
    return IntervalValues(inputs.r, percentiles(sample, inputs.level), "; ".join(notes))


def _delta(inputs: IntervalInputs) -> IntervalValues:
    r2 = inputs.bivariate_fit.estimate("r2_trial")
    if r2.value is None or r2.se is None:
        return IntervalValues(r2.value, NO_LIMITS, inputs.boundary)
    limits = wald_r2(r2.value, inputs.trials, inputs.level, truncated=False, se=r2.se)
    return IntervalValues(r2.value, limits, inputs.boundary)


def _atanh_t(inputs: IntervalInputs) -> IntervalValues:
    rho = inputs.bivariate_fit.estimate("rho_between")
    if rho.value is None or rho.se is None:
        return IntervalValues(rho.value, NO_LIMITS, inputs.boundary)
    limits = atanh_t(rho.value, rho.se, len(inputs.bivariate_fit.effects.trials), inputs.level)
    return IntervalValues(rho.value, limits, inputs.boundary)


def _profile(inputs: IntervalInputs) -> IntervalValues:
    fit = inputs.bivariate_fit
    rho = fit.estimate("rho_between")
    if fit.settings.get("interval") != "profile" or "rho_between_delta" not in fit.estimates:
        note = inputs.boundary or "the model was fitted without profile intervals"
        return IntervalValues(rho.value, NO_LIMITS, note)
    return IntervalValues(rho.value, (rho.low, rho.high), inputs.boundary)


def _bootstrap_parametric(inputs: IntervalInputs) -> IntervalValues:
    rho = inputs.bivariate_fit.estimate("rho_between")
    if rho.value is None or not isinstance(inputs.model, BivariateRandomEffects):
        return IntervalValues(rho.value, NO_LIMITS, inputs.boundary)
    sample, failed = refitted_rho(inputs.model, inputs.bivariate_fit, inputs.refits, inputs.seed)
    notes = [inputs.boundary] if inputs.boundary else []
    if len(sample):
        notes.append(f"{np.mean(np.abs(sample) > 1 - 1e-9):.0%} of {len(sample)} refits with rho = -1 or 1")
    notes += [f"{failed} of {inputs.refits} refits without a correlation left out"] if failed else []
    return IntervalValues(rho.value, percentiles(sample, inputs.level), "; ".join(notes))


CORTINAS = "10.1016/j.csda.2003.12.003"
INTERVAL_METHODS: dict[str, IntervalMethod] = {
    "fisher": IntervalMethod(
        "r", ESTIMATED, "tanh(atanh r -+ z / sqrt(N - 3))", "10.1016/S1470-2045(14)70007-5", _fisher
    ),
    "fisher-effective": IntervalMethod(
        "r", ESTIMATED, "tanh(atanh r -+ z / sqrt(N - 3)), N = (sum w)^2 / sum w^2 (Kish 1965)", "", _fisher_effective
    ),
    "wald-n-3": IntervalMethod(
        "R2", ESTIMATED, "R2 -+ z sqrt(4 R2 (1 - R2)^2 / (N - 3)), cut at 0 and 1", CORTINAS, _wald(3, True)
    ),
    "wald-n": IntervalMethod(
        "R2", ESTIMATED, "R2 -+ z sqrt(4 R2 (1 - R2)^2 / N), cut at 0 and 1", "10.1093/jnci/djt270", _wald(0, True)
    ),
    "wald-untruncated": IntervalMethod(
        "R2", ESTIMATED, "R2 -+ z sqrt(4 R2 (1 - R2)^2 / (N - 3))", "10.1200/JCO.2007.11.8836", _wald(3, False)
    ),
    "bootstrap-trials": IntervalMethod(
        "r", ESTIMATED, "percentiles over trials drawn with replacement", "10.1214/aos/1176344552", _bootstrap_trials
    ),
    "delta": IntervalMethod("R2", TRUE, "R2 -+ z SE, SE^2 = g' Cov(T) g", "10.1111/1467-9876.00244", _delta),
    "atanh-t": IntervalMethod("r", TRUE, "tanh(atanh rho -+ t(N - 1) SE / (1 - rho^2))", "", _atanh_t),
    "profile": IntervalMethod("r", TRUE, "2 (l_max - l(rho)) <= chi2(1)", "10.1002/sim.1040", _profile),
    "bootstrap-parametric": IntervalMethod(
        "r", TRUE, "percentiles of refits to sets drawn from the fit", "10.1214/ss/1177013815", _bootstrap_parametric
    ),
}


def all_intervals(
    effects: Effects,
    model: Model | None = None,
    *,
    weights: Weights = "n",
    recipes: Sequence[str] | None = None,
    level: float = LEVEL,
    resamples: int = 5000,
    refits: int = 200,
    seed: int = 0,
) -> list[Interval]:
    """Compute intervals of r and R2 of a set by every method.

    Parameters
    ----------
    effects : Effects
    model : Model, optional
        `BivariateRandomEffects` with profile intervals; without it the methods for the true effects are left out.
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}
        Weights of the weighted correlation.
    recipes : sequence of str, optional
        Names in `INTERVAL_METHODS`; default: all methods that apply.
    level : float
    resamples, refits, seed : int
        Samples of the bootstrap over trials and of the parametric bootstrap, and their seed.

    Returns
    -------
    list of Interval
        A method for r gives two intervals: of r, and of its square.

    Raises
    ------
    UsageError
        If a method is not known, or needs a model and has none.

    Examples
    --------
    >>> import surrogacy
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> [f"{entry.of} {entry.low:.2f} to {entry.high:.2f}" for entry in all_intervals(effects, recipes=["fisher"])]
    ['r 0.62 to 0.95', 'R2 0.38 to 0.90']
    """
    level = confidence_level(level)
    names = list(INTERVAL_METHODS if recipes is None else recipes)
    unknown = [name for name in names if name not in INTERVAL_METHODS]
    if unknown:
        raise UsageError(f"unknown interval {unknown[0]!r}; choose from {', '.join(INTERVAL_METHODS)}")
    if model is None and recipes is not None and any(INTERVAL_METHODS[name].correlates == TRUE for name in names):
        raise UsageError("intervals of the correlation of the true effects need a bivariate model")
    names = [name for name in names if model is not None or INTERVAL_METHODS[name].correlates == ESTIMATED]
    data, _ = usable_comparisons(effects, weights)
    weight, _ = weights_of(data, weights)
    r = float(correlation.weighted_pearson(data.log_hr[:, 0], data.log_hr[:, 1], weight))
    fit = None
    if model is not None and any(INTERVAL_METHODS[name].correlates == TRUE for name in names):
        model = with_settings(model, level=level)
        fit = model.fit(effects)
    inputs = IntervalInputs(data, weight, r, level, resamples, refits, seed, model, fit)
    return [interval for name in names for interval in _intervals(name, inputs)]


def _intervals(name: str, inputs: IntervalInputs) -> list[Interval]:
    """Interval by a method; for r also that of its square."""
    method = INTERVAL_METHODS[name]
    value, limits, note = method.compute(inputs)
    trials = inputs.trials if method.correlates == ESTIMATED else len(inputs.bivariate_fit.effects.trials)
    interval = Interval(
        recipe=name,
        of=method.of,
        correlates=method.correlates,
        value=value,
        low=limits[0],
        high=limits[1],
        level=inputs.level,
        trials=trials,
        formula=method.formula,
        source=method.source,
        note=note,
    )
    if method.of == "R2":
        return [interval]
    low, high = correlation.square_interval(*limits)
    return [interval, replace(interval, of="R2", value=None if value is None else value**2, low=low, high=high)]
