"""Stages of a run of fits, from the tables to the criteria."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations, permutations

import numpy as np

from surrogacy.analysis.fit_run import FitRun, SetFit, SetVerdict
from surrogacy.analysis.fit_tasks import (
    apply_criteria,
    compare_pair,
    evaluate_model,
    fit_model,
    has_line,
    labelled,
    sample_model,
    vary_assumptions,
    vary_choices,
    vary_intervals,
    vary_refits,
    vary_subgroups,
)
from surrogacy.analysis.focus_stages import PLACE, PREDICT
from surrogacy.analysis.settings import REGRESSION, FitSettings
from surrogacy.analysis.stages import Stage, Task, read_tables, with_tables
from surrogacy.errors import UsageError
from surrogacy.evaluation.changes import changes
from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.external_validation import External, external
from surrogacy.evaluation.grades import SurrogateEffect
from surrogacy.evaluation.placement import Focus, require_focus
from surrogacy.evaluation.surrogate_only import SurrogateOnlyPrediction, predict_surrogate_only
from surrogacy.models import Capability, Model
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.labels import model_label
from surrogacy.results.requirements import refuse_unfittable
from surrogacy.results.result import Result
from surrogacy.trials import AnalysisSet, TrialSet

NUTS_NEEDS = (
    "--nuts: none of the chosen models has both an exact and a sampled posterior; add --model bivariate-bayes or "
    "daniels-hughes"
)


# ---- pairs


def _pair(run: FitRun) -> list[list[Task]]:
    return [[Task("pairs", pair_sets, (run.settings, run.trials))]]


def _with_pairs(run: FitRun, values: Sequence[tuple[list[AnalysisSet], list[AnalysisSet]]]) -> FitRun:
    sets, without_added = (tuple(map(SetFit, pairs)) for pairs in values[0])
    return replace(run, sets=sets, sets_without_added=without_added)


def pair_sets(settings: FitSettings, trials: TrialSet) -> tuple[list[AnalysisSet], list[AnalysisSet]]:
    """Pair the effects of every set, with and without the added rows.

    Raises
    ------
    DataError, UsageError
        If a set does not exist, the evidence of an added row is too weak, no set includes the trial in focus, or no
        model can be sampled.
    """
    pairs = settings.pair(trials)
    effects = [paired.effects for paired in pairs]
    if settings.focus is not None and settings.focus_required:
        require_focus(trials, pairs, settings.focus)
    if settings.nuts and not _sampled_too(settings.fitted_models):
        raise UsageError(NUTS_NEEDS)
    changed = settings.added and any(name in pairs_of.comparison for pairs_of in effects for name in trials.added)
    return pairs, settings.pair_without_added(trials) if changed else []


# ---- fits


def _fit(run: FitRun) -> list[list[Task]]:
    settings, required = run.settings, run.settings.required_models
    refuse_unfittable([fit.effects for fit in run.sets], settings.fitted_models, required)
    return [_fit_tasks(fit.analysis_set, settings, required) for fit in run.sets]


def _fit_without_added(run: FitRun) -> list[list[Task]]:
    return [_fit_tasks(fit.analysis_set, run.settings, ()) for fit in run.sets_without_added]


def _fit_tasks(paired: AnalysisSet, settings: FitSettings, required: Sequence[str]) -> list[Task]:
    return [
        Task(
            f"{paired.effects.name}: {model_label(model.name)}",
            fit_model,
            (paired, model, model.name in required, settings.seed),
            by_worker=model.name == REGRESSION,
        )
        for model in settings.fitted_models
    ]


def _with_fits(run: FitRun, fits: Sequence[SetFit]) -> FitRun:
    return replace(run, sets=_joined(run.sets, fits))


def _with_fits_without_added(run: FitRun, fits: Sequence[SetFit]) -> FitRun:
    before = _joined(run.sets_without_added, fits)
    return replace(run, sets_without_added=before, changes=tuple(changes(before, run.sets)))


def _joined(sets: Sequence[SetFit], fits: Sequence[SetFit]) -> tuple[SetFit, ...]:
    return tuple(fit.joined(part for part in fits if part.name == fit.name) for fit in sets)


# ---- comparisons without a final effect: before the figures of the fits, which show their predictions


def _predict_surrogate_only(run: FitRun) -> list[list[Task]]:
    return [
        [
            Task(
                f"{fit.name}: trials without {final_name(fit.effects)}",
                predict_surrogate_only,
                (fit.analysis_set, fit.results),
            )
        ]
        for fit in run.sets
        if fit.analysis_set.surrogate_only
    ]


def _with_surrogate_only(run: FitRun, values: Sequence[list[SurrogateOnlyPrediction]]) -> FitRun:
    return replace(run, surrogate_only=(*run.surrogate_only, *chain(*values)))


# ---- refits


def _evaluate(run: FitRun) -> list[list[Task]]:
    return [
        [
            *(
                Task(
                    f"{fit.name}: {model_label(model.name)} without each trial",
                    evaluate_model,
                    (fit.analysis_set, model, result, run.trials),
                    by_worker=model.name == REGRESSION,
                )
                for model, result in _results(run, fit)
            ),
            Task(
                f"{fit.name}: comparisons with one endpoint",
                vary_assumptions,
                (fit.analysis_set, _bivariate_models(run, fit), run.settings, run.trials),
            ),
        ]
        for fit in run.sets
        if not fit.large
    ]


def _bivariate_models(run: FitRun, fit: SetFit) -> list[Model]:
    """Return the fitted models with a within-trial correlation, which can use comparisons with one endpoint."""
    models = (model for model, _ in _results(run, fit))
    return [model for model in models if Capability.WITHIN_TRIAL_CORRELATIONS in model.capabilities]


def _vary(run: FitRun) -> list[list[Task]]:
    return [[task for fit in run.sets for task in _variations(run, fit)]] if run.settings.sensitivity else []


def _variations(run: FitRun, fit: SetFit) -> Iterator[Task]:
    models = [model for model, _ in _results(run, fit) if Capability.REFITS in model.capabilities]
    for model in models:
        name = f"{fit.name}: {model_label(model.name)}"
        if Capability.PROFILE_INTERVALS in model.capabilities:
            yield Task(f"{name} without each trial, with intervals", vary_refits, (fit.analysis_set, model))
        yield Task(f"{name}, each choice", vary_choices, (fit.analysis_set, model, run.settings, run.trials))
        yield Task(f"{name}, each subgroup", vary_subgroups, (fit.analysis_set, model))
    bivariate = next((model for model in models if Capability.INTERVAL_METHODS in model.capabilities), None)
    arguments = fit.analysis_set, bivariate, run.settings.weights, run.settings.seed
    yield Task(f"{fit.name}: intervals", vary_intervals, arguments)


def _results(run: FitRun, fit: SetFit) -> list[tuple[Model, Result]]:
    """Return the models that were fitted to a set, with their results."""
    pairs = ((model, fit.result(model.name)) for model in run.settings.fitted_models)
    return [(model, result) for model, result in pairs if result is not None]


# ---- predictions of other sets, sampled posteriors


def _predict_sets(run: FitRun) -> list[list[Task]]:
    if not run.settings.sensitivity:
        return []
    pairs = [(a, b) for a, b in permutations(run.sets, 2) if not set(b.effects.trials) <= set(a.effects.trials)]
    return [
        [
            Task(
                f"{test.name} from {training.name}: {model_label(model.name)}",
                external,
                (model, training.effects, test.effects),
            )
            for training, test in pairs
            for model, result in _results(run, training)
            if Capability.REFITS in model.capabilities and has_line(result)
        ]
    ]


def _with_external(run: FitRun, values: Sequence[External]) -> FitRun:
    return replace(run, external=tuple(values))


def _sample(run: FitRun) -> list[list[Task]]:
    if not run.settings.nuts:
        return []
    tasks = []
    for model in _sampled_too(run.settings.fitted_models):
        data = [fit.effects for fit in run.sets if fit.result(model.name) is not None]
        tasks.append(Task(f"NUTS: {model_label(model.name)}", sample_model, (model, data, run.settings.seed)))
    return [tasks]


def _sampled_too(models: Iterable[Model]) -> list[Model]:
    """Return the models with both an exact and a sampled posterior."""
    from surrogacy.models.sampled.agreement import sampled_twin

    return [model for model in models if sampled_twin(model) is not None]


def _with_samples(run: FitRun, values: Sequence[Sequence[Result]]) -> FitRun:
    sets = list(run.sets)
    for model, samples in zip(_sampled_too(run.settings.fitted_models), values, strict=True):
        places = [i for i, fit in enumerate(sets) if fit.result(model.name) is not None]
        for i, sampled in zip(places, samples, strict=True):
            sets[i] = _compared(sets[i], model, sampled)
    return replace(run, sets=tuple(sets))


def _compared(fit: SetFit, model: Model, sampled: Result) -> SetFit:
    """Compare an exact posterior with its samples; a disagreement becomes a caveat of the result."""
    from surrogacy.models.sampled.agreement import agreement, disagreements

    exact = {result.model: result for result in fit.results}[model.name]
    summaries = agreement(exact, sampled)
    compared = replace(
        exact,
        caveats=exact.caveats + disagreements(summaries, sampled),
        converged=exact.converged and all(row.within_tolerance for row in summaries),
    )
    return replace(
        fit,
        results=tuple(compared if result is exact else result for result in fit.results),
        agreement=(*fit.agreement, *labelled(fit, model, [row.record for row in summaries])),
        sampled=(*fit.sampled, sampled),
    )


# ---- comparisons and criteria


def _compare(run: FitRun) -> list[list[Task]]:
    tasks = []
    for a, b in combinations([fit.effects for fit in run.sets], 2):
        if set(a.trials).isdisjoint(b.trials):
            smaller, larger = sorted((a, b), key=lambda effects: len(effects.trials))
            arguments = smaller, larger, run.settings.weights, run.settings.equivalent_slope, run.settings.seed
            # the power to detect a difference follows from regressions
            tasks.append(Task(f"{smaller.name} and {larger.name}", compare_pair, arguments, by_worker=True))
    return [tasks]


def _with_differences(run: FitRun, values: Sequence[Difference | None]) -> FitRun:
    return replace(run, differences=tuple(value for value in values if value is not None))


def _judge(run: FitRun) -> list[list[Task]]:
    trials = [
        SurrogateEffect(focus.label, float(np.exp(focus.effects.log_hr[0, 0])), *_surrogate_limits(focus))
        for focus in run.focuses
        if np.isfinite(focus.effects.se[0, 0])
    ]
    results = [
        result
        for fit in run.sets
        for result in fit.results
        if "r2_trial" in result.estimates or result.line is not None
    ]
    return [[Task("criteria", apply_criteria, (results, trials, run.settings.criteria_style))]]


def _surrogate_limits(focus: Focus) -> Iterator[float]:
    return (float(np.exp(limit[0, 0])) for limit in focus.effects.limits)


def _with_criteria(run: FitRun, values: Sequence[list[SetVerdict]]) -> FitRun:
    return replace(run, criteria=tuple(values[0]))


READ: Stage[FitRun] = Stage("read", read_tables, with_tables)
PAIR = Stage("pair", _pair, _with_pairs)
FIT = Stage("fit", _fit, _with_fits)
PREDICT_SURROGATE_ONLY = Stage("predict without a final effect", _predict_surrogate_only, _with_surrogate_only)
FIT_WITHOUT_ADDED = Stage("fit without the added rows", _fit_without_added, _with_fits_without_added)
EVALUATE = Stage("evaluate", _evaluate, _with_fits)
VARY = Stage("vary", _vary, _with_fits)
PREDICT_SETS = Stage("predict sets", _predict_sets, _with_external)
SAMPLE = Stage("sample", _sample, _with_samples)
COMPARE = Stage("compare", _compare, _with_differences)
JUDGE = Stage("criteria", _judge, _with_criteria)

TABLE_STAGES = (READ, PAIR)
# a posterior that NUTS contradicts is marked before the trial in focus is placed and the criteria are applied
MODEL_STAGES = (
    *(FIT, PREDICT, PREDICT_SURROGATE_ONLY, FIT_WITHOUT_ADDED, EVALUATE, VARY),
    *(PREDICT_SETS, SAMPLE, PLACE, COMPARE, JUDGE),
)
