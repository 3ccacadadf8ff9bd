"""Refits: the within-trial correlation or the prior varied, and each trial left out in turn.

Every fit that is made again passes through this module. A `Refit` holds the quantity varied, its value and the
estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError, SurrogacyError
from surrogacy.evaluation.records import Estimates, Record, estimate_values, interval_limits
from surrogacy.models import Model
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.priors import Beta, HalfNormal, HalfStudentT, Uniform, half_cauchy, lkj
from surrogacy.results.result import Result

Fit = Result | SurrogacyError
Prior = HalfNormal | HalfStudentT | Uniform | Beta
RHO_WITHIN_GRID = (0.0, 0.3, 0.5, 0.7, 0.9)

# Priors that a reader might have held: the first is the default, each of the others differs from it in what it names.
PRIOR_SETS: dict[str, dict[str, Prior]] = {
    "default": {},
    "tau half-normal(0.25)": {"tau_surrogate": HalfNormal(0.25), "tau_final": HalfNormal(0.25)},
    "tau half-normal(1)": {"tau_surrogate": HalfNormal(1.0), "tau_final": HalfNormal(1.0)},
    "tau half-Cauchy(0.5)": {"tau_surrogate": half_cauchy(0.5), "tau_final": half_cauchy(0.5)},
    "tau half-t(0.5, 4 df)": {"tau_surrogate": HalfStudentT(0.5, 4.0), "tau_final": HalfStudentT(0.5, 4.0)},
    "tau uniform(0, 2)": {"tau_surrogate": Uniform(0.0, 2.0), "tau_final": Uniform(0.0, 2.0)},
    "rho LKJ(2)": {"rho_between": lkj(2.0)},
    "rho LKJ(4)": {"rho_between": lkj(4.0)},
    "rho beta(1/2, 1/2)": {"rho_between": Beta(0.5, 0.5)},
    "rho uniform(0, 1)": {"rho_between": Uniform(0.0, 1.0)},
    "rho_within uniform(0, 0.95)": {"rho_within": Uniform(0.0, 0.95)},
}
PRIOR_QUANTITIES = (
    "ste_prediction",
    "ste_prediction_80",
    "prior_overlap",
    "r2_trial_prior",
    "p_slope_positive",
    "log_marginal_likelihood",
)
WITH_LIMITS = ("r", "rho_between", "r2_trial", "slope")  # estimates whose limits the record of a choice holds


@dataclass(frozen=True)
class Refit:
    """Estimates of a model after one thing was varied.

    Parameters
    ----------
    model : str
        Name on the command line.
    varied : str
        ``rho_within``, ``prior``, ``left_out``, a choice of the analysis, ``base`` (none varied) or a factor.
    value : float or str
        Its value: a correlation, the name of a prior, of a trial, of a level.
    k, trials : int
        Comparisons and trials that the model was offered; 0 where the effects could not be paired.
    estimates : mapping of str to Estimate or ThresholdEffect
        Empty where no fit was possible.
    boundary : bool
        Whether the fit ended on the boundary.
    problem : str
        Reason why no fit was possible; empty otherwise.
    fitted : int
        Comparisons in the fit: those of ``k`` that have what the model needs.
    same_data : bool
        Whether the effects are those of the base.
    """

    model: str
    varied: str
    value: float | str
    k: int
    trials: int
    estimates: Estimates = field(default_factory=dict)
    boundary: bool = False
    problem: str = ""
    fitted: int = 0
    same_data: bool = True

    @property
    def values(self) -> Record:
        """Point estimates, and whether the fit ended on the boundary."""
        return {**estimate_values(self.estimates), "boundary": self.boundary}


@dataclass(frozen=True, eq=False)
class FitWithoutTrial:
    """Fit to the comparisons of all trials but one.

    Parameters
    ----------
    trial : str
    rest : Effects
        Comparisons of the others.
    fit : Result or SurrogacyError
        The error where no fit was possible.
    """

    trial: str
    rest: Effects
    fit: Fit


def without_extras(model: Model, *, intervals: bool = False) -> Model:
    """Return the same model without a bootstrap, a second grid and, unless ``intervals`` are wanted, profiles."""
    leaner: dict[str, int | str] = {"bootstrap": 0, "check_grid": False}
    if not intervals:
        leaner["interval"] = "delta"
    known = getattr(model, "__dataclass_fields__", {})
    return replace(model, **{name: value for name, value in leaner.items() if name in known})  # type: ignore[type-var]


def fit_each(model: Model, data: Sequence[Effects]) -> list[Fit]:
    """Fit to each data set, all at once where the model can do that; errors stand in place of fits."""
    together: Callable[[Sequence[Effects]], list[Result]] | None = getattr(model, "fit_many", None)
    if together is not None:
        try:
            return list(together(data))
        except FitError:  # one of them is too small: find out which
            pass
    return [attempt(model.fit, effects, FitError) for effects in data]


def fit_once(model: Model, effects: Effects) -> Result:
    """Fit, or return the fit made before: the priors, the within-trial correlation and influence start from the same."""
    return _remembered_fit(model, effects)  # type: ignore[arg-type]  # every model is a frozen dataclass


@lru_cache(maxsize=16)
def _remembered_fit(model: Model, effects: Effects) -> Result:
    return model.fit(effects)


def attempt(fit: Callable[[Effects], Result], effects: Effects, expected: type[SurrogacyError] = SurrogacyError) -> Fit:
    """Fit, or return the error of an expected kind."""
    try:
        return fit(effects)
    except expected as error:
        return error


def summarise(
    model: Model, varied: str, value: float | str, effects: Effects, fit: Fit, *, same_data: bool = True
) -> Refit:
    """Keep the estimates of a fit to ``effects``, or the reason why there is none."""
    size = len(effects), len(effects.trials)
    if isinstance(fit, SurrogacyError):
        return Refit(model.name, varied, value, *size, problem=str(fit), same_data=same_data)
    return Refit(
        model.name, varied, value, *size, fit.estimates, fit.on_boundary, "", len(fit.effects), same_data=same_data
    )


def rho_within_grid(model: Model, effects: Effects, grid: Sequence[float] = RHO_WITHIN_GRID) -> list[Refit]:
    """Refit over values of the within-trial correlation, where that is an assumption.

    Parameters
    ----------
    model : Model
        A bivariate model.
    effects : Effects
    grid : sequence of float

    Returns
    -------
    list of Refit
        One per value.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import BivariateRandomEffects
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> refits = rho_within_grid(BivariateRandomEffects(), effects, (0, 0.5))
    >>> [f"{refit.estimates['slope'].value:.2f}" for refit in refits]
    ['0.51', '0.47']
    """
    lean = without_extras(model)
    refits = []
    for rho_within in grid:
        assumed = effects.with_rho_within(rho_within)
        fit = lean.fit
        if np.array_equal(assumed.rho_within, effects.rho_within):
            assumed, fit = effects, partial(fit_once, lean)
        refits.append(summarise(model, "rho_within", rho_within, assumed, attempt(fit, assumed, FitError)))
    return refits


def without_each_trial(model: Model, effects: Effects, *, intervals: bool = False) -> list[FitWithoutTrial]:
    """Fit without each trial in turn, for point estimates or with ``intervals``; its comparisons leave with it."""
    data = [effects.without_trial(trial) for trial in effects.trials]
    fits = fit_each(without_extras(model, intervals=intervals), data)
    return [FitWithoutTrial(*entry) for entry in zip(effects.trials, data, fits, strict=True)]


def leave_one_out(model: Model, effects: Effects, fits: Sequence[FitWithoutTrial] | None = None) -> list[Refit]:
    """Refit without each trial in turn.

    Parameters
    ----------
    model : Model
    effects : Effects
    fits : sequence of FitWithoutTrial, optional
        Those of `without_each_trial`, where they have been made.

    Returns
    -------
    list of Refit
        One per trial.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedPearson
    >>> effects = surrogacy.read_trials().analysis_set("tactics-2022")
    >>> r = [refit.estimates["r"].value for refit in leave_one_out(WeightedPearson(), effects)]
    >>> f"{min(r):.2f} to {max(r):.2f}"
    '0.33 to 0.85'
    """
    made = without_each_trial(model, effects) if fits is None else fits
    return [summarise(model, "left_out", entry.trial, entry.rest, entry.fit) for entry in made]


def prior_sensitivity(model: BivariateBayes, effects: Effects) -> list[Refit]:
    """Refit with other priors; exact.

    Parameters
    ----------
    model : BivariateBayes
        Its own priors are the first.
    effects : Effects

    Returns
    -------
    list of Refit
        One per entry of `PRIOR_SETS`.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import BivariateBayes
    >>> effects = surrogacy.read_trials().analysis_set("tactics-2022")
    >>> [refit.value for refit in prior_sensitivity(BivariateBayes(), effects)][:2]
    ['default', 'tau half-normal(0.25)']
    """
    # too few comparisons, or a shared control arm that contradicts a rho_within, is a problem of that prior alone
    refits = []
    for name, change in PRIOR_SETS.items():
        changed = replace(model, check_grid=False, **change)  # type: ignore[arg-type]
        fit = changed.fit if change else partial(fit_once, changed)
        refits.append(summarise(model, "prior", name, effects, attempt(fit, effects)))
    return refits


def rho_within_record(refit: Refit) -> Record:
    """Record of a value of the within-trial correlation: point estimates, limits of r2_trial."""
    record: Record = {"rho_within": refit.value}
    if refit.problem:
        return record | {"problem": refit.problem}
    return record | refit.values | interval_limits(refit.estimates, ["r2_trial"])


def left_out_record(refit: Refit) -> Record:
    """Record of a trial left out: point estimates."""
    record: Record = {"left_out": refit.value, "k": refit.k}
    return record | ({"problem": refit.problem} if refit.problem else refit.values)


def prior_record(refit: Refit) -> Record:
    """Record of a set of priors: r2_trial and slope with limits, thresholds, overlap of prior and posterior."""
    record: Record = {"prior": refit.value}
    if refit.problem:
        return record | {"problem": refit.problem}
    for name in ("r2_trial", "slope"):
        record |= {name: refit.values[name]} | interval_limits(refit.estimates, [name])
    kept = {name: value for name, value in refit.values.items() if name.removesuffix("_status") in PRIOR_QUANTITIES}
    return record | kept


def _fit_record(refit: Refit) -> Record:
    if refit.problem:
        return {"problem": refit.problem}
    return {"fitted": refit.fitted, **refit.values, **interval_limits(refit.estimates, WITH_LIMITS)}


def choice_record(refit: Refit) -> Record:
    """Record of a choice of the analysis: point estimates, limits of `WITH_LIMITS`."""
    record: Record = {"varied": refit.varied, "value": refit.value, "k": refit.k}
    if refit.k:
        record |= {"trials": refit.trials, "same_data": refit.same_data}
    return record | _fit_record(refit)


def subgroup_record(refit: Refit) -> Record:
    """Record of a level of a factor: point estimates, limits of `WITH_LIMITS`."""
    record: Record = {"factor": refit.varied, "level": refit.value, "k": refit.k, "trials": refit.trials}
    return record | _fit_record(refit)
