"""How far a result leans on an assumption or on one trial: grids over rho_within, leave-one-trial-out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from surrogacy.effects import Effects
from surrogacy.errors import FitError, SurrogacyError
from surrogacy.evaluation.influence import _correlation, conclusions
from surrogacy.models import Model
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.priors import Beta, HalfNormal, HalfStudentT, Uniform, half_cauchy, lkj
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.result import Result

RHO_WITHIN_GRID = (0.0, 0.3, 0.5, 0.7, 0.9)

# What a reader might have believed before: the first is the default, each other one differs from it in what it names.
PRIOR_SETS: dict[str, dict[str, Any]] = {
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


def point_estimates(result: Result) -> dict[str, Any]:
    """Flat record of a result: value of every estimate, hazard ratio and status of every threshold."""
    record: dict[str, Any] = {}
    for name, estimate in result.estimates.items():
        if isinstance(estimate, ThresholdEffect):
            record[name] = estimate.hr
            record[f"{name}_status"] = estimate.status
        elif not name.endswith(("_delta", "_bootstrap")):
            record[name] = estimate.value
    record["boundary"] = result.on_boundary
    return record


def without_extras(model: Model, *, intervals: bool = False) -> Model:
    """The same model without what a refit for its point estimates does not need; ``intervals`` are kept if they are wanted."""
    leaner: dict[str, Any] = {"bootstrap": 0, "check_grid": False} | ({} if intervals else {"interval": "delta"})
    known = getattr(model, "__dataclass_fields__", {})
    return replace(model, **{name: value for name, value in leaner.items() if name in known})  # type: ignore[type-var]


def rho_within_grid(model: Model, effects: Effects, grid: Sequence[float] = RHO_WITHIN_GRID) -> list[dict[str, Any]]:
    """Refit over values of the within-trial correlation, where that is an assumption.

    Parameters
    ----------
    model : Model
        A bivariate model.
    effects : Effects
    grid : sequence of float

    Returns
    -------
    list of dict
        One record a value: rho_within, every point estimate, the interval of r2_trial, boundary.
    """
    records = []
    lean = without_extras(model)
    for rho_within in grid:
        try:
            result = lean.fit(effects.with_rho_within(rho_within))
        except FitError as error:
            records.append({"rho_within": rho_within, "problem": str(error)})
            continue
        square = result["r2_trial"]
        limits = {"r2_trial_low": square.low, "r2_trial_high": square.high}
        records.append({"rho_within": rho_within, **point_estimates(result), **limits})
    return records


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A trial, the comparisons of the others, and what a model made of those."""

    trial: str
    rest: Effects
    found: Result | FitError


def without_each_trial(model: Model, effects: Effects, *, intervals: bool = False) -> list[LeftOut]:
    """Refit without each trial in turn, for the point estimates or with ``intervals``; the comparisons of a trial leave together."""
    lean = without_extras(model, intervals=intervals)
    data = [effects.without_trial(trial) for trial in effects.trials]
    return [LeftOut(*one) for one in zip(effects.trials, data, refits(lean, data), strict=True)]


def leave_one_out(model: Model, effects: Effects, left_out: Sequence[LeftOut] | None = None) -> list[dict[str, Any]]:
    """Estimates without each trial in turn.

    Parameters
    ----------
    model : Model
    effects : Effects
    left_out : sequence of LeftOut, optional
        As `without_each_trial` gives it, where it is there already.

    Returns
    -------
    list of dict
        One record a trial: left_out, k, every point estimate; ``problem`` where no fit was possible.
    """
    records = []
    for one in without_each_trial(model, effects) if left_out is None else left_out:
        record: dict[str, Any] = {"left_out": one.trial, "k": len(one.rest)}
        record |= {"problem": str(one.found)} if isinstance(one.found, FitError) else point_estimates(one.found)
        records.append(record)
    return records


def refits(model: Model, data: Sequence[Effects]) -> list[Result | FitError]:
    """Fit to each data set, all at once where the model can do that."""
    together: Callable[[Sequence[Effects]], list[Result | FitError]] | None = getattr(model, "fit_many", None)
    if together is not None:
        try:
            return together(data)
        except FitError:  # one of them is too small: find out which
            pass
    found: list[Result | FitError] = []
    for effects in data:
        try:
            found.append(model.fit(effects))
        except FitError as error:
            found.append(error)
    return found


def prior_sensitivity(model: BivariateBayes, effects: Effects) -> list[dict[str, Any]]:
    """What other priors would have made of the same data; exact.

    Parameters
    ----------
    model : BivariateBayes
        Its own priors are the first row.
    effects : Effects

    Returns
    -------
    list of dict
        One record a set of priors: prior (name), r2_trial and slope with limits, threshold effects, prior_overlap,
        p_slope_positive, log_marginal_likelihood; ``problem`` where no fit was possible.
    """
    records = []
    for name, change in PRIOR_SETS.items():
        record: dict[str, Any] = {"prior": name}
        try:
            result = replace(model, check_grid=False, **change).fit(effects)
        except SurrogacyError as error:  # too few comparisons, or a shared control arm that contradicts a rho_within
            records.append({**record, "problem": str(error)})
            continue
        for estimate in ("r2_trial", "slope"):
            found = result[estimate]
            record |= {estimate: found.value, f"{estimate}_low": found.low, f"{estimate}_high": found.high}
        wanted = {"ste_prediction", "ste_prediction_80", "prior_overlap", "r2_trial_prior"}
        wanted |= {"p_slope_positive", "log_marginal_likelihood"}
        values = point_estimates(result)
        records.append(
            {**record, **{key: value for key, value in values.items() if key.removesuffix("_status") in wanted}}
        )
    return records


# Quantities whose change is told, where the model has them.
FOLLOWED = ("r", "rho_between", "r2_trial", "slope", "intercept", "sigma_cond", "ste_prediction", "ste_confidence")


def delete_one(model: Model, effects: Effects, left_out: Sequence[LeftOut] | None = None) -> list[dict[str, Any]]:
    """Refit without each trial, and tell what changed; the comparisons of a trial leave together.

    The intervals are those of the model as it is given: ``interval="delta"`` of the bivariate model is faster, but has none on
    the boundary.

    Parameters
    ----------
    model : Model
    effects : Effects
    left_out : sequence of LeftOut, optional
        As `surrogacy.evaluation.refits.without_each_trial` gives it, where it is there already with the intervals of the model.

    Returns
    -------
    list of dict
        The first record is that of all trials (left_out ``""``), then one a trial: left_out, k, every quantity of `FOLLOWED`
        that the model has, its change ``*_change`` (without the trial less with it; thresholds as hazard ratios), statuses of
        thresholds, and the `conclusions`; ``problem`` where no fit was possible.

    Raises
    ------
    FitError
        If the model cannot be fitted to all trials.
    """
    lean = without_extras(model, intervals=True)
    whole = _followed(lean.fit(effects))
    records: list[dict[str, Any]] = [{"left_out": "", "k": len(effects), **whole}]
    for one in without_each_trial(model, effects, intervals=True) if left_out is None else left_out:
        record: dict[str, Any] = {"left_out": one.trial, "k": len(one.rest)}
        if isinstance(one.found, FitError):
            records.append(record | {"problem": str(one.found)})
            continue
        found = _followed(one.found)
        changes = {f"{name}_change": _difference(found[name], whole.get(name)) for name in FOLLOWED if name in found}
        records.append(record | found | changes)
    return records


def _followed(result: Result) -> dict[str, Any]:
    points = point_estimates(result)
    wanted = {name: points[name] for name in FOLLOWED if name in points}
    correlation = _correlation(result)
    if "r" not in wanted and correlation is not None and "rho_between" not in wanted:
        wanted["r"] = correlation[0]
    return wanted | conclusions(result)


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before
