"""How far the results of a run can be trusted: what every run asks of each set, and what ``--sensitivity`` asks on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Any

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError, SurrogacyError
from surrogacy.evaluation.criteria import Style, Verdict, all_verdicts, iqwig_trial, records
from surrogacy.evaluation.cross_validation import CrossValidation, External, cross_validate, external
from surrogacy.evaluation.differences import Difference, compare_sets
from surrogacy.evaluation.grades import SurrogateEffect
from surrogacy.evaluation.influence import pivotal_trials, regression_diagnostics
from surrogacy.evaluation.interval_methods import INTERVAL_METHODS, TRUE, all_intervals
from surrogacy.evaluation.placement import Focus
from surrogacy.evaluation.refits import LeftOut, delete_one
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.evaluation.subgroups import by_factor, levels_of
from surrogacy.models import Model
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.correlation import WeightedPearson
from surrogacy.models.regression import WeightedRegression
from surrogacy.results.labels import Weights
from surrogacy.results.requirements import fitting_error, split_by_requirements
from surrogacy.results.result import Result
from surrogacy.trials import TrialSet
from surrogacy.trials.shared_control import SharedControl

FACTORS = ("line", "class", "masking", "region", "stage", "surrogate", "era")
LATER_ERA = 2019  # immunotherapy and the years after Llovet's table


@dataclass(frozen=True, eq=False)
class Robustness:
    """What was asked of the results of one set.

    Parameters
    ----------
    cross_validation : tuple of CrossValidation
        One a model with a line.
    delete_one, diagnostics : tuple of dict
        Estimates and conclusions without each trial; leverage and influence on the weighted regression.
    choices, subgroups, intervals : tuple of dict
        Of ``--sensitivity``: one choice varied at a time, each level of a factor, every published interval.
    """

    cross_validation: tuple[CrossValidation, ...] = ()
    delete_one: tuple[dict[str, Any], ...] = ()
    diagnostics: tuple[dict[str, Any], ...] = ()
    choices: tuple[dict[str, Any], ...] = ()
    subgroups: tuple[dict[str, Any], ...] = ()
    intervals: tuple[dict[str, Any], ...] = ()

    def carried(self, labels: Mapping[str, str]) -> list[str]:
        """Conclusions that would be others without a single trial, in words, a model at a time; ``labels`` names the trials."""
        sentences = []
        for model in dict.fromkeys(record["model"] for record in self.delete_one):
            own = [
                record | {"left_out": labels.get(record["left_out"], record["left_out"])}
                for record in self.delete_one
                if record["model"] == model
            ]
            sentences += [f"{model}, {sentence}" for sentence in pivotal_trials(own)]
        return sentences


def has_line(result: Result) -> bool:
    """Whether trials can be predicted by a model: a line, or none only because the surrogate effects hardly differ."""
    return result.line is not None or "slope" in result.estimates


def from_left_out(
    found: Robustness, model: Model, result: Result, left_out: Sequence[LeftOut], label: Mapping[str, str]
) -> Robustness:
    """Add what the refits without each trial tell of a model; profile intervals, which cost seconds, wait for `vary`."""
    if has_line(result):
        found = replace(
            found, cross_validation=(*found.cross_validation, cross_validate(model, result.effects, left_out))
        )
    if not profiled(model):
        found = _with_delete_one(found, model, result.effects, left_out, label)
    if isinstance(model, WeightedRegression):
        diagnosed = [dict(label) | record for record in regression_diagnostics(result.effects, model)]
        found = replace(found, diagnostics=(*found.diagnostics, *diagnosed))
    return found


def profiled(model: Model) -> bool:
    """Whether the intervals of a model are found by profiling the likelihood."""
    return hasattr(model, "interval")


def vary(
    found: Robustness,
    effects: Effects,
    models: Sequence[Model],
    trials: TrialSet,
    source: str | Mapping[str, Sequence[str]],
    pairing: Mapping[str, Any],
    weights: Weights,
    seed: int,
    step: Callable[[], None] = lambda: None,
) -> Robustness:
    """Vary every choice, refit in every subgroup, and make every interval (``--sensitivity``).

    Parameters
    ----------
    found : Robustness
        What is known already.
    effects : Effects
    models : sequence of Model
        Those that can be refitted without compiling anything.
    trials : TrialSet
    source, pairing
        How the effects were paired, as `surrogacy.evaluation.sensitivity.grid` takes it.
    weights, seed
        Of the interval recipes.
    step : callable
        Called after each of ``steps(models)`` parts.
    """
    choices: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    for model in models:
        label = {"set": effects.name, "model": model.name}
        if profiled(model):
            usable = split_by_requirements(effects, model.requires).effects
            found = _with_delete_one(found, model, usable, None, label)
        step()
        choices += [label | record for record in vary_one_choice(model, trials, source, **pairing)]
        step()
        for factor in FACTORS:
            if _splits(effects, factor):
                parts += [label | record for record in by_factor(model, effects, factor, LATER_ERA)]
        step()
    bivariate = next((model for model in models if model.name == "bivariate-reml"), None)
    weighted = fitting_error(WeightedPearson(weights), effects) is None
    recipes = [
        name
        for name, recipe in INTERVAL_METHODS.items()
        if (bivariate is not None if recipe.correlates == TRUE else weighted)
    ]
    try:
        made = all_intervals(effects, bivariate, weights=weights if weighted else "none", recipes=recipes, seed=seed)
    except SurrogacyError as error:
        intervals: list[dict[str, Any]] = [{"set": effects.name, "problem": str(error)}]
    else:
        intervals = [{"set": effects.name, **vars(one)} for one in made]
    step()
    return replace(found, choices=tuple(choices), subgroups=tuple(parts), intervals=tuple(intervals))


def steps(models: Sequence[Model]) -> int:
    """How often `vary` calls ``step``."""
    return 3 * len(models) + 1


def differences(sets: Sequence[Effects], weights: Weights, seed: int) -> tuple[Difference, ...]:
    """Compare every two sets of a run that share no trial: whether the association is weaker in the smaller one."""
    found = []
    for one, other in combinations(sets, 2):
        if set(one.trials).isdisjoint(other.trials):
            smaller, larger = sorted((one, other), key=lambda effects: len(effects.trials))
            posterior = all(fitting_error(BivariateBayes(), effects) is None for effects in (one, other))
            try:
                found.append(compare_sets(smaller, larger, weights=weights, posterior=posterior, seed=seed))
            except FitError:  # fewer than three comparisons: the fit of that set says so already
                continue
    return tuple(found)


def predicted_elsewhere(
    sets: Sequence[tuple[Effects, Sequence[Result]]], models: Sequence[Model]
) -> tuple[External, ...]:
    """Fit each set, and predict those comparisons of every other one whose trials it does not hold."""
    found = []
    for (training, results), (test, _) in permutations(sets, 2):
        fitted = {result.model: result for result in results}
        if set(test.trials) <= set(training.trials):
            continue
        for model in models:
            if model.name in fitted and has_line(fitted[model.name]):
                found.append(external(model, training, test))
    return tuple(found)


def judge(sets: Iterable[Sequence[Result]], focuses: Sequence[Focus], style: Style) -> tuple[dict[str, Any], ...]:
    """Verdicts of published schemes on every result, and on every comparison in focus against its threshold."""
    trials = []
    for focus in focuses:
        if not np.isfinite(focus.effects.se[0, 0]):
            continue
        low, high = (float(np.exp(limit[0, 0])) for limit in focus.effects.limits)
        trials.append(SurrogateEffect(focus.label, float(np.exp(focus.effects.log_hr[0, 0])), low, high))
    return tuple(
        {"set": result.effects.name} | record
        for results in sets
        for result in results
        if "r2_trial" in result.estimates
        for record in records(_verdicts(result, trials, style))
    )


def _verdicts(result: Result, trials: Sequence[SurrogateEffect], style: Style) -> list[Verdict]:
    return all_verdicts(result, style=style) + [iqwig_trial(result, trial, style=style) for trial in trials]


def pairing_of(
    endpoints: Sequence[str], rho_within: float, min_evidence: str, shared_control: SharedControl
) -> dict[str, Any]:
    """The choices that hold while another is varied, as `surrogacy.evaluation.sensitivity.grid` takes them."""
    return {
        "endpoints": endpoints,
        "rho_within": rho_within,
        "min_evidence": min_evidence,
        "shared_control": shared_control,
    }


def _splits(effects: Effects, factor: str) -> bool:
    """Whether a factor is known of these effects and parts them."""
    name = "year" if factor == "era" else factor
    return name in effects.covariates and len(levels_of(effects, factor, LATER_ERA)) > 1


def _with_delete_one(
    found: Robustness, model: Model, effects: Effects, left_out: Sequence[LeftOut] | None, label: Mapping[str, str]
) -> Robustness:
    own = [dict(label) | record for record in delete_one(model, effects, left_out)]
    return replace(found, delete_one=(*found.delete_one, *own))
