"""Stages for single trials: placement of the trials in focus, and predictions for a new trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.analysis.fit_tasks import Gap, Placed, decompose_gap, place_comparison
from surrogacy.analysis.stages import Stage, Task
from surrogacy.effects import Effects
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction, predict_new
from surrogacy.evaluation.placement import Focus, focus_comparisons
from surrogacy.evaluation.records import Record
from surrogacy.results.result import Result

MOST_PLACED = 10
TOO_MANY_PLACED = f"only the first {MOST_PLACED} added trials are placed; --focus places another one"


def _place(run: FitRun) -> list[list[Task]]:
    sets, names = [fit.effects for fit in run.sets], run.focus_names
    names = (*names[:MOST_PLACED], *names[MOST_PLACED:][-1:])  # the last one is that of the settings
    focuses = {focus.comparison: focus for name in names for focus in focus_comparisons(run.trials, sets, name)}
    models, before = run.settings.fitted_models, _fits(run.sets_without_added)
    tasks = []
    for focus in focuses.values():
        without_added = () if focus.trial in run.added_trials else before
        arguments = focus, models, _fits(run.sets), without_added
        tasks += [
            Task(f"placement: {focus.label}", place_comparison, arguments, by_worker=True),  # it refits the regression
            Task(f"decomposition: {focus.label}", decompose_gap, (focus, run.trials)),
        ]
    return [tasks]


def _with_placement(run: FitRun, values: Sequence[Placed | Gap]) -> FitRun:
    placed = [value for value in values if isinstance(value, Placed)]
    gaps = [value for value in values if isinstance(value, Gap)]
    focuses = tuple(each.focus for each in placed)
    decompositions = tuple(gap.decomposition for gap in gaps if gap.decomposition is not None)
    return replace(
        run,
        focuses=focuses,
        not_placed=tuple(_not_placed(run, focuses)) if focuses else (),
        placements=tuple(placement for each in placed for placement in each.placements),
        decompositions=decompositions,
        dilution_ranges={
            focus.comparison: gap.dilution_range
            for focus, gap in zip(focuses, gaps, strict=True)
            if gap.dilution_range is not None
        },
        changes=run.changes + tuple(change for each in placed for change in each.changes),
    )


def _not_placed(run: FitRun, focuses: Sequence[Focus]) -> Iterator[Record]:
    """Yield the comparisons of the trials in focus that are not placed, and the reason."""
    table, placed = run.trials.trials, {focus.comparison for focus in focuses}
    fitted = {name for fit in run.sets for name in fit.effects.comparison}
    reasons = {entry.comparison: entry.reason for fit in run.sets for entry in fit.flow}
    chosen = table["trial"].isin(run.focus_names) & ~table["comparison"].isin(placed)
    rows = table.loc[chosen, ["comparison", "label"]].astype(str)
    for name, label in zip(rows["comparison"], rows["label"], strict=True):
        crowded = TOO_MANY_PLACED if name in fitted and len(focuses) >= MOST_PLACED else "in no set of this run"
        yield {"comparison": name, "label": label, "why": reasons.get(name) or crowded}


def _predict(run: FitRun) -> list[list[Task]]:
    new = run.settings.new_trial
    if new is None:
        return []
    return [[Task("new trial", predict_new, (_fits(run.sets), (new.hr, new.low, new.high), new.rho_within, new.n))]]


def _with_predictions(run: FitRun, values: Sequence[list[NewTrialPrediction]]) -> FitRun:
    return replace(run, predictions=tuple(values[0]))


def _fits(sets: Sequence[SetFit]) -> list[tuple[Effects, tuple[Result, ...]]]:
    return [(fit.effects, fit.results) for fit in sets]


PLACE = Stage("place", _place, _with_placement)
PREDICT = Stage("predict", _predict, _with_predictions)
