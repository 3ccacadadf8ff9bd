"""How far a result leans on an assumption or on one trial: grids over rho_within, leave-one-trial-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models import Model
from surrogacy.results import Result, ThresholdEffect

RHO_WITHIN_GRID = (0.0, 0.3, 0.5, 0.7, 0.9)


def point_estimates(result: Result) -> dict[str, Any]:
    """Flat record of a result: value of every estimate, hazard ratio and status of every threshold."""
    record: dict[str, Any] = {}
    for name, estimate in result.estimates.items():
        if isinstance(estimate, ThresholdEffect):
            record[name] = estimate.hr
            record[f"{name}_status"] = estimate.status
        elif not name.endswith(("_delta", "_bootstrap")):
            record[name] = estimate.value
    record["boundary"] = any(problem.startswith("boundary") for problem in result.problems)
    return record


def without_extras(model: Model) -> Model:
    """The same model without what a refit for its point estimates does not need."""
    leaner = {"bootstrap": 0, "interval": "delta"}
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


def leave_one_out(model: Model, effects: Effects) -> list[dict[str, Any]]:
    """Refit without each trial in turn; the comparisons of a trial leave together.

    Parameters
    ----------
    model : Model
    effects : Effects

    Returns
    -------
    list of dict
        One record a trial: left_out, k, every point estimate; ``problem`` where no fit was possible.
    """
    records = []
    lean = without_extras(model)
    for trial in effects.trials:
        rest = effects.without_trial(trial)
        record: dict[str, Any] = {"left_out": trial, "k": len(rest)}
        try:
            record |= point_estimates(lean.fit(rest))
        except FitError as error:
            record["problem"] = str(error)
        records.append(record)
    return records
