"""Refits in each level of a factor, or in the trials before and after a year.

These refits do not test a difference between levels; a moderated line does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.refits import Refit, attempt, summarise, without_extras
from surrogacy.models import Model

NOT_STATED = "not stated"


def before(effects: Effects, year: int) -> Effects:
    """Return the comparisons published before a year; comparisons without a year are left out."""
    return _by_year(effects, f"before {year}", lambda published: published < year)


def from_year(effects: Effects, year: int) -> Effects:
    """Return the comparisons published in a year or later; comparisons without a year are left out."""
    return _by_year(effects, f"from {year}", lambda published: published >= year)


def levels_of(effects: Effects, factor: str, year: int | None = None) -> dict[str, Effects]:
    """Split effects by the levels of a factor, in order of appearance; the factor ``era`` splits at ``year``.

    Raises
    ------
    UsageError
        If the effects do not have the factor, or ``era`` has no year.
    """
    if factor == "era":
        if year is None:
            raise UsageError("the factor era needs the first year of the later era")
        parts = {f"before {year}": before(effects, year), f"from {year}": from_year(effects, year)}
        undated = effects.take([not value for value in effects.covariates["year"]])
        return parts | ({NOT_STATED: undated} if len(undated) else {})
    if factor not in effects.covariates:
        raise UsageError(
            f"these effects have no factor {factor!r}; choose from era, {', '.join(effects.covariates) or 'none'}"
        )
    values = effects.covariates[factor]
    return {
        value or NOT_STATED: effects.take([level == value for level in values])
        for value in sorted(dict.fromkeys(values), key=lambda value: value == "")
    }


def by_factor(model: Model, effects: Effects, factor: str, year: int | None = None) -> list[Refit]:
    """Refit in each level of a factor.

    Parameters
    ----------
    model : Model
        Fitted with its intervals, but without a bootstrap.
    effects : Effects
    factor : str
        ``era``, or a covariate of the effects: line, class, masking, stage, region, surrogate and others.
    year : int, optional
        First year of the later era.

    Returns
    -------
    list of Refit
        One per level; ``problem`` if the model could not be fitted.

    Raises
    ------
    UsageError
        If the effects do not have the factor.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedPearson
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> [(refit.value, refit.k) for refit in by_factor(WeightedPearson(), effects, "line")]
    [('first', 9), ('second', 7)]
    """
    lean = without_extras(model, intervals=True)
    return [
        summarise(model, factor, level, part, attempt(lean.fit, part))
        for level, part in levels_of(effects, factor, year).items()
    ]


def _by_year(effects: Effects, words: str, wanted: Callable[[int], bool]) -> Effects:
    if "year" not in effects.covariates:
        raise UsageError("these effects have no factor 'year'")
    part = effects.take([bool(value) and wanted(int(value)) for value in effects.covariates["year"]])
    return replace(part, name=f"{effects.name} {words}".strip())
