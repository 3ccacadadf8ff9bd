"""Whether a result holds elsewhere: in each level of a factor, in comparisons that were not in the fit, and by other choices.

None of this is a test of a difference: levels of a factor are set side by side (a moderated line tests them), and the choices
of a grid are made on the same trials.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError, UsageError
from surrogacy.evaluation.refits import point_estimates, without_extras
from surrogacy.models import Model
from surrogacy.results.estimate import Estimate
from surrogacy.results.result import Result

NOT_STATED = "not stated"
WITH_LIMITS = ("r", "rho_between", "r2_trial", "slope")  # estimates that a record holds the interval of


def before(effects: Effects, year: int) -> Effects:
    """Comparisons published before a year; those without a year are in neither part."""
    return _by_year(effects, f"before {year}", lambda published: published < year)


def from_year(effects: Effects, year: int) -> Effects:
    """Comparisons published in a year or later; those without a year are in neither part."""
    return _by_year(effects, f"from {year}", lambda published: published >= year)


def levels_of(effects: Effects, factor: str, year: int | None = None) -> dict[str, Effects]:
    """Split effects by a factor, in order of appearance; ``era`` splits at ``year``.

    Raises
    ------
    UsageError
        If the effects do not have the factor, or ``era`` has no year.
    """
    if factor == "era":
        if year is None:
            raise UsageError("factor era needs the year to split at")
        parts = {f"before {year}": before(effects, year), f"from {year}": from_year(effects, year)}
        undated = effects.take([not value for value in effects.covariates["year"]])
        return parts | ({NOT_STATED: undated} if len(undated) else {})
    if factor not in effects.covariates:
        raise UsageError(
            f"these effects have no factor {factor!r}; choose from era, {', '.join(effects.covariates) or 'none'}"
        )
    values = effects.covariates[factor]
    return {
        value or NOT_STATED: effects.take([other == value for other in values])
        for value in sorted(dict.fromkeys(values), key=lambda value: value == "")
    }


def by_factor(model: Model, effects: Effects, factor: str, year: int | None = None) -> list[dict[str, Any]]:
    """Refit in each level of a factor.

    Parameters
    ----------
    model : Model
        Its intervals are kept; a bootstrap is left out.
    effects : Effects
    factor : str
        ``era``, or a factor of the effects: line, class, masking, stage, region, surrogate ...
    year : int, optional
        First year of the later era.

    Returns
    -------
    list of dict
        One record a level: factor, level, k, trials, fitted (comparisons left after those without the model's weights), every
        point estimate, limits of r, rho_between, r2_trial and slope; ``problem`` where there are too few comparisons or no fit was possible.

    Raises
    ------
    UsageError
        If there is no such factor.
    """
    fit = _fitter(model)
    return [
        {"factor": factor, "level": level, "k": len(part), "trials": len(part.trials)} | fit(part)
        for level, part in levels_of(effects, factor, year).items()
    ]


def _by_year(effects: Effects, words: str, wanted: Callable[[int], bool]) -> Effects:
    if "year" not in effects.covariates:
        raise UsageError("these effects have no factor 'year'")
    part = effects.take([bool(value) and wanted(int(value)) for value in effects.covariates["year"]])
    return replace(part, name=f"{effects.name} {words}".strip())


def _fitter(model: Model) -> Callable[[Effects], dict[str, Any]]:
    """What refits a model, with its intervals but without a bootstrap, and records what it found."""
    lean = without_extras(model, intervals=True)

    def fit(effects: Effects) -> dict[str, Any]:
        try:
            result: Result = lean.fit(effects)
        except SurrogacyError as error:
            return {"problem": str(error)}
        record = {"fitted": len(result.effects), **point_estimates(result)}
        for name in WITH_LIMITS:
            estimate = result.estimates.get(name)
            if isinstance(estimate, Estimate):
                record |= {f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        return record

    return fit
