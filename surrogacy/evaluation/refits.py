"""Refits of a model: other within-trial correlations, other priors, and each trial left out in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Protocol, runtime_checkable

from surrogacy.effects import Effects
from surrogacy.errors import FitError, SurrogacyError
from surrogacy.evaluation.records import Estimates, Record, estimate_values, interval_limits
from surrogacy.models import Capability, Model
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.priors import Beta, HalfNormal, HalfStudentT, Uniform, half_cauchy, lkj
from surrogacy.results.result import Result

Fit = Result | SurrogacyError
Prior = HalfNormal | HalfStudentT | Uniform | Beta
RHO_WITHIN_GRID = (0.0, 0.3, 0.5, 0.7, 0.9)
SHARED_PATIENTS = "shared-patients"

# The first entry is the default; each of the others replaces the priors that its name states.
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
WITH_LIMITS = ("r", "rho_between", "r2_trial", "slope")  # the records of choices and subgroups include their limits


@dataclass(frozen=True)
class Refit:
    """Estimates of a model with one aspect of its analysis varied.

    Parameters
    ----------
    model : str
        Name on the command line.
    varied : str
        ``rho_within``, ``prior``, ``left_out``, a choice of the analysis, ``base`` (nothing varied) or a factor.
    value : float or str
        A correlation, or the name of a prior, a trial or a level.
    k, trials : int
        Comparisons and trials of the data; 0 if the effects could not be paired.
    estimates : mapping of str to Estimate or ThresholdEffect
        Empty if the model could not be fitted.
    boundary : bool
        True if the estimate lies on the boundary.
    problem : str
        Reason why the model could not be fitted; otherwise empty.
    fitted : int
        Comparisons in the fit: those of ``k`` that have the quantities the model needs.
    same_data : bool
        True if the effects are those of the base.
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
        """Point estimates, and ``boundary``."""
        return {**estimate_values(self.estimates), "boundary": self.boundary}


@dataclass(frozen=True, eq=False)
class FitWithoutTrial:
    """Fit to the comparisons of all trials but one.

    Parameters
    ----------
    trial : str
    rest : Effects
        Comparisons of the other trials.
    fit : Result or SurrogacyError
        The error if the model could not be fitted.
    """

    trial: str
    rest: Effects
    fit: Fit


@runtime_checkable
class FitsMany(Protocol):
    """Model that fits several data sets at once."""

    def fit_many(self, data: Sequence[Effects]) -> list[Result]:
        """Fit the model to each data set."""
        ...


def settings_of(model: Model) -> frozenset[str]:
    """Return the names of the settings of a model."""
    return frozenset(setting.name for setting in fields(model))  # type: ignore[arg-type]  # every model is a dataclass


def with_settings(model: Model, **settings: float | str) -> Model:
    """Return the model with other settings; those that it does not have are ignored.

    Examples
    --------
    >>> from surrogacy.models import WeightedPearson
    >>> with_settings(WeightedPearson(), bootstrap=0, interval="delta") == WeightedPearson(bootstrap=0)
    True
    """
    known = settings_of(model)
    return replace(model, **{name: value for name, value in settings.items() if name in known})  # type: ignore[type-var]


def without_extras(model: Model, *, intervals: bool = False) -> Model:
    """Return the model without a bootstrap and a second grid, and without profiles unless ``intervals`` are needed."""
    lean = with_settings(model, bootstrap=0, check_grid=False)
    profiles = Capability.PROFILE_INTERVALS in model.capabilities
    return with_settings(lean, interval="delta") if profiles and not intervals else lean


def fit_each(model: Model, data: Sequence[Effects]) -> list[Fit]:
    """Fit to each data set, at once if the model supports it; an error takes the place of a fit that failed."""
    if isinstance(model, FitsMany):
        try:
            return list(model.fit_many(data))
        except FitError:  # one data set is too small: fit them one by one to find it
            pass
    return [attempt(model.fit, effects, FitError) for effects in data]


def attempt(fit: Callable[[Effects], Result], effects: Effects, expected: type[SurrogacyError] = SurrogacyError) -> Fit:
    """Fit, or return the error if it is of the expected class."""
    try:
        return fit(effects)
    except expected as error:
        return error


def summarise(
    model: Model, varied: str, value: float | str, effects: Effects, fit: Fit, *, same_data: bool = True
) -> Refit:
    """Return the estimates of a fit to ``effects``, or the reason why it failed, as a `Refit`."""
    size = len(effects), len(effects.trials)
    if isinstance(fit, SurrogacyError):
        return Refit(model.name, varied, value, *size, problem=str(fit), same_data=same_data)
    return Refit(
        model.name, varied, value, *size, fit.estimates, fit.on_boundary, "", len(fit.effects), same_data=same_data
    )


def rho_within_grid(
    model: Model,
    effects: Effects,
    grid: Sequence[float] = RHO_WITHIN_GRID,
    shared_patients: Effects | None = None,
) -> list[Refit]:
    """Refit with other values of the within-trial correlation, for the comparisons that do not report it.

    Parameters
    ----------
    model : Model
        A bivariate model.
    effects : Effects
    grid : sequence of float
    shared_patients : Effects, optional
        The same effects with the correlations that follow from the patients whom both estimates share.

    Returns
    -------
    list of Refit
        One per value; the last one, with the value `SHARED_PATIENTS`, has those correlations.

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
    versions: list[tuple[float | str, Effects]] = [(value, effects.with_rho_within(value)) for value in grid]
    versions += [] if shared_patients is None else [(SHARED_PATIENTS, shared_patients)]
    fits = fit_each(lean, [assumed for _, assumed in versions])
    return [
        summarise(model, "rho_within", value, assumed, fit)
        for (value, assumed), fit in zip(versions, fits, strict=True)
    ]


def without_each_trial(model: Model, effects: Effects, *, intervals: bool = False) -> list[FitWithoutTrial]:
    """Fit without each trial in turn; all comparisons of a trial are left out together.

    Parameters
    ----------
    model : Model
    effects : Effects
    intervals : bool
        True for the intervals of the model, False if point estimates suffice.

    Returns
    -------
    list of FitWithoutTrial
        One per trial.
    """
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
        Output of `without_each_trial`, if available.

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
    fits = without_each_trial(model, effects) if fits is None else fits
    return [summarise(model, "left_out", entry.trial, entry.rest, entry.fit) for entry in fits]


def prior_sensitivity(model: BivariateBayes, effects: Effects) -> list[Refit]:
    """Refit with other priors; the posteriors are computed by quadrature.

    Parameters
    ----------
    model : BivariateBayes
        Model whose priors are the first.
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
    refits = []
    for name, priors in PRIOR_SETS.items():
        changed = replace(model, check_grid=False, **priors)  # type: ignore[arg-type]
        refits.append(summarise(model, "prior", name, effects, attempt(changed.fit, effects)))
    return refits


def rho_within_record(refit: Refit) -> Record:
    """Return the record of a within-trial correlation: point estimates, and the limits of the trial-level R2."""
    record: Record = {"rho_within": refit.value}
    if refit.problem:
        return record | {"problem": refit.problem}
    return record | refit.values | interval_limits(refit.estimates, ["r2_trial"])


def left_out_record(refit: Refit) -> Record:
    """Return the record of a trial left out: point estimates."""
    record: Record = {"left_out": refit.value, "k": refit.k}
    return record | ({"problem": refit.problem} if refit.problem else refit.values)


def prior_record(refit: Refit) -> Record:
    """Return the record of a set of priors: R2 and slope with limits, thresholds, overlap with the prior."""
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
    """Return the record of a choice of the analysis: point estimates, and the limits of `WITH_LIMITS`."""
    record: Record = {"varied": refit.varied, "value": refit.value, "k": refit.k}
    if refit.k:
        record |= {"trials": refit.trials, "same_data": refit.same_data}
    return record | _fit_record(refit)


def subgroup_record(refit: Refit) -> Record:
    """Return the record of a level of a factor: point estimates, and the limits of `WITH_LIMITS`."""
    record: Record = {"factor": refit.varied, "level": refit.value, "k": refit.k, "trials": refit.trials}
    return record | _fit_record(refit)
