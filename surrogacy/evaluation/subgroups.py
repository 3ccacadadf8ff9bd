"""Whether a result holds elsewhere: in each level of a factor, in comparisons that were not in the fit, and by other choices.

None of this is a test of a difference: levels of a factor are set side by side (a moderated line tests them), and the choices
of a grid are made on the same trials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError, UsageError
from surrogacy.evaluation.cross_validation import Predictions, predict_others
from surrogacy.evaluation.refits import RHO_WITHIN_GRID, point_estimates, without_extras
from surrogacy.models import Model
from surrogacy.models.weights import Weights
from surrogacy.results.endpoint_names import endpoint_label
from surrogacy.results.estimate import Estimate
from surrogacy.results.result import Result
from surrogacy.trials import TrialSet
from surrogacy.trials.columns import EVIDENCE, SURROGATES
from surrogacy.trials.shared_control import SharedControl
from surrogacy.trials.standard_errors import standard_error

NOT_STATED = "not stated"
WITH_LIMITS = ("r", "rho_between", "r2_trial", "slope")  # estimates that a record holds the interval of
# Endpoint preference orders that a reader may ask for.
ENDPOINT_ORDERS: dict[str, tuple[str, ...]] = {
    "PFS, TACE-PFS, TTP": SURROGATES,
    "PFS only": ("PFS",),
    "PFS or TACE-PFS": ("PFS", "TACE-PFS"),
    "TTP only": ("TTP",),
    "TTP, PFS, TACE-PFS": ("TTP", "PFS", "TACE-PFS"),
}
WEIGHTS: tuple[Weights, ...] = ("n", "events", "inverse-variance", "sqrt-n", "none")
SHARED: tuple[SharedControl, ...] = ("cov", "first", "combine")
DATA_CUTS = ("preferred", "earliest", "latest")
CI_LEVELS = ("as printed", "all read as 95%")
# How late an analysis is, by the first word of its description, where no date of the cut is stated.
STAGES_OF_ANALYSIS = {"first": 0, "interim": 0, "prespecified": 0, "primary": 1, "final": 2, "updated": 3}


@dataclass(frozen=True)
class Alternatives:
    """What a grid varies; an empty sequence leaves that axis out.

    Parameters
    ----------
    rho_within : sequence of float
        For models that use it.
    weights : sequence of str
        For models that have them.
    endpoints : mapping of str to sequence of str
        Preference orders of the surrogates, by name; default: those of `endpoint_orders`.
    data_cut : sequence of {"preferred", "earliest", "latest"}
    ci_level : sequence of {"as printed", "all read as 95%"}
        The second is what a table without a column for the level does to a trial that printed another one.
    min_evidence, shared_control : sequence of str
    """

    rho_within: Sequence[float] = RHO_WITHIN_GRID
    weights: Sequence[Weights] = WEIGHTS
    endpoints: Mapping[str, Sequence[str]] | None = None
    data_cut: Sequence[str] = DATA_CUTS
    ci_level: Sequence[str] = CI_LEVELS
    min_evidence: Sequence[str] = EVIDENCE
    shared_control: Sequence[SharedControl] = SHARED


@dataclass(frozen=True, eq=False)
class External(Predictions):
    """Predictions of the comparisons of one set from a fit to another.

    Parameters
    ----------
    training, test : str
        Names of the sets.
    overlap : tuple of str
        Trials of the test set that were left out of it because they are in the training set.
    """

    training: str = ""
    test: str = ""
    overlap: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Flat record of what is said of all predictions together."""
        return {"training": self.training, "test": self.test, **super().summary(), "overlap": ", ".join(self.overlap)}


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
        undated = effects.take([not value for value in effects.factors["year"]])
        return parts | ({NOT_STATED: undated} if len(undated) else {})
    if factor not in effects.factors:
        raise UsageError(f"these effects have no factor {factor!r}; choose from era, {', '.join(effects.factors) or 'none'}")
    values = effects.factors[factor]
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


def external(model: Model, training: Effects, test: Effects) -> External:
    """Fit on one set, and predict the observed final effect of every comparison of another.

    A trial of the test set that is in the training set too is left out of the test set: its final effect is known to the fit.

    Parameters
    ----------
    model : Model
        One with a surrogacy line.
    training, test : Effects

    Raises
    ------
    FitError
        If the model cannot be fitted to the training set.
    UsageError
        If the model has no line, or every trial of the test set is in the training set.
    """
    common = tuple(trial for trial in test.trials if trial in training.trials)
    new = test.take([trial not in common for trial in test.trial])
    if not len(new):
        raise UsageError(f"every trial of {test.name or 'the test set'} is in {training.name or 'the training set'} too")
    records = predict_others(without_extras(model).fit(training), new)
    return External(model.name, records, training.name, test.name, common)


def grid(
    model: Model,
    trials: TrialSet,
    source: str | Mapping[str, Sequence[str]],
    alternatives: Alternatives | None = None,
    *,
    rho_within: float = 0.5,
    endpoints: Sequence[str] = SURROGATES,
    min_evidence: str = "secondary",
    shared_control: SharedControl = "cov",
) -> list[dict[str, Any]]:
    """Refit over alternatives, one choice varied at a time.

    Parameters
    ----------
    model : Model
    trials : TrialSet
    source : str or mapping
        Name of an analysis set, or which rows of ``trials`` take part (as in `TrialSet.pair`).
    alternatives : Alternatives, optional
    rho_within, endpoints, min_evidence, shared_control
        The base: what holds while another choice is varied.

    Returns
    -------
    list of dict
        First the base (varied ``"base"``), then one record an alternative: varied, value, k, trials, same_data (whether the
        effects are those of the base, as in a set that lists its hazard ratios), the rest as in `by_factor`;
        ``problem`` where the effects could not be paired or fitted.

    Raises
    ------
    UsageError
        If there is no such set, data cut or level.
    """
    asked = alternatives or Alternatives()
    for words, chosen, known in (("data cut", asked.data_cut, DATA_CUTS), ("level", asked.ci_level, CI_LEVELS)):
        unknown = [one for one in chosen if one not in known]
        if unknown:
            raise UsageError(f"unknown {words} {unknown[0]!r}; choose from {', '.join(known)}")
    how_paired: dict[str, Any] = {
        "endpoints": tuple(endpoints), "rho_within": rho_within, "min_evidence": min_evidence, "shared_control": shared_control,
    }  # fmt: skip

    def pair(table: TrialSet = trials, **change: Any) -> Effects:
        how = how_paired | change
        settings = (how["rho_within"], how["min_evidence"], how["shared_control"])
        if isinstance(source, str):
            return table.analysis_set(source, how["endpoints"], *settings)
        return table.paired_rule(source, how["endpoints"], *settings).effects

    base = pair()

    def record(varied: str, value: object, make: Callable[[], Effects], by: Model = model) -> dict[str, Any]:
        found: dict[str, Any] = {"varied": varied, "value": value}
        try:
            effects = make()
        except SurrogacyError as error:
            return found | {"k": 0, "problem": str(error)}
        found |= {"k": len(effects), "trials": len(effects.trials), "same_data": same_effects(effects, base)}
        return found | _fitter(by)(effects)

    fields = getattr(model, "__dataclass_fields__", {})
    weighted = "weights" in fields
    records = [record("base", "", lambda: base)]
    if weighted:
        records += [record("weights", one, lambda: base, replace(model, weights=one)) for one in asked.weights]  # type: ignore[type-var]
    else:
        records += [record("rho_within", one, lambda one=one: pair(rho_within=one)) for one in asked.rho_within]  # type: ignore[misc]
    for name, order in (endpoint_orders(trials) if asked.endpoints is None else asked.endpoints).items():
        records.append(record("endpoints", name, lambda order=order: pair(endpoints=tuple(order))))  # type: ignore[misc]
    for cut in asked.data_cut:
        records.append(record("data_cut", cut, lambda cut=cut: pair(with_data_cut(trials, cut, min_evidence))))  # type: ignore[misc]
    for level in asked.ci_level:
        table = trials if level == "as printed" else replace(trials, effects=trials.effects.assign(ci_level=0.95))
        records.append(record("ci_level", level, lambda table=table: pair(table)))  # type: ignore[misc]
    for axis in ("min_evidence", "shared_control"):
        for one in getattr(asked, axis):
            records.append(record(axis, one, lambda axis=axis, one=one: pair(**{axis: one})))  # type: ignore[misc]
    return records


def endpoint_orders(trials: TrialSet) -> Mapping[str, Sequence[str]]:
    """Return the preference orders to vary: those of the shipped endpoints, or each surrogate of other tables alone."""
    if set(trials.surrogates) & set(SURROGATES):
        return ENDPOINT_ORDERS
    return {f"{endpoint_label(name)} only": (name,) for name in trials.surrogates} if len(trials.surrogates) > 1 else {}


def with_data_cut(trials: TrialSet, cut: str, min_evidence: str = "secondary") -> TrialSet:
    """The tables with the earliest or latest analysis of a hazard ratio preferred, where more than one was extracted.

    Only rows like the preferred one are looked at: same population, criteria, review and adjustment, evidence good enough, a
    standard error to be had. Two analyses are ordered by the dates of their cuts, or where one has none by their description
    (interim, primary, final, updated); where neither tells, the preferred row stays.

    Parameters
    ----------
    trials : TrialSet
    cut : {"preferred", "earliest", "latest"}
    min_evidence : str

    Raises
    ------
    UsageError
        If there is no such cut.
    """
    if cut not in DATA_CUTS:
        raise UsageError(f"unknown data cut {cut!r}; choose from {', '.join(DATA_CUTS)}")
    if cut == "preferred":
        return trials
    direction = -1 if cut == "earliest" else 1
    worst = EVIDENCE.index(min_evidence)
    table = trials.effects
    rows = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    alike = ("comparison", "endpoint", "population", "criteria", "review", "adjusted")
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, row in enumerate(rows):
        usable = row["evidence"] in EVIDENCE[: worst + 1] and standard_error(row) is not None and row["hr"] == row["hr"]
        if row["preferred"] or usable:
            groups.setdefault(tuple(str(row[name]) for name in alike), []).append(place)
    preferred = table["preferred"].to_numpy(copy=True)
    for places in groups.values():
        chosen = next((place for place in places if preferred[place]), None)
        if chosen is None:
            continue
        best = chosen
        for place in places:
            if direction * _later(rows[place], rows[best]) > 0:
                best = place
        preferred[chosen], preferred[best] = False, True
    return replace(trials, effects=table.assign(preferred=preferred))


def same_effects(one: Effects, other: Effects) -> bool:
    """Whether two sets of effects hold the same numbers for the same comparisons."""
    names = ("log_hr", "se", "rho_within", "control_share")
    return (one.comparison, one.control_group) == (other.comparison, other.control_group) and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in names
    )


def _later(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """1 if the first analysis is later than the second, -1 if earlier, 0 if that is not known."""
    dates = str(one["data_cut"] or ""), str(other["data_cut"] or "")
    if all(dates):
        shared = min(map(len, dates))  # a date may be a month
        return int(np.sign((dates[0][:shared] > dates[1][:shared]) - (dates[0][:shared] < dates[1][:shared])))
    ranks = [STAGES_OF_ANALYSIS.get((str(row["analysis"]).replace(",", " ").split() or [""])[0]) for row in (one, other)]
    if ranks[0] is None or ranks[1] is None:
        return 0
    return int(np.sign(ranks[0] - ranks[1]))


def _by_year(effects: Effects, words: str, wanted: Callable[[int], bool]) -> Effects:
    if "year" not in effects.factors:
        raise UsageError("these effects have no factor 'year'")
    part = effects.take([bool(value) and wanted(int(value)) for value in effects.factors["year"]])
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
