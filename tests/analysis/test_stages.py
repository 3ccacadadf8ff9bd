"""Stages of a run: what drives them, what computes their tasks, and settings that check themselves."""

import pickle
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from operator import mul
from threading import get_ident

import pytest

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.analysis.fit_stages import FIT, MODEL_STAGES, TABLE_STAGES
from surrogacy.analysis.pps_run import PpsRun
from surrogacy.analysis.pps_stages import PPS_STAGES
from surrogacy.analysis.settings import FitSettings, PpsSettings
from surrogacy.analysis.stages import Stage, StagedRun, Task, advance, in_order, shared_with
from surrogacy.errors import UsageError
from surrogacy.report.document import FIT_SCHEMA, document, dumps
from surrogacy.report.sections import fit_sections

SETS = ("tactics-2022", "llovet-2019-pfs")
MODELS = ("weighted-pearson", "weighted-regression")


@dataclass(frozen=True, eq=False)
class Counted(StagedRun):
    """A run of numbers."""

    settings: None = None
    values: tuple[int, ...] = ()


def batches(run):
    return [[Task("a", mul, (2, 3)), Task("b", mul, (2, 4))], [Task("c", mul, (2, 5))]]


MULTIPLY = Stage("multiply", batches, lambda run, values: replace(run, values=(*run.values, *values)))
ADD = Stage(
    "add",
    lambda run: [[Task("sum", sum, (run.values,))]],
    lambda run, values: replace(run, values=(*run.values, *values)),
)
NOTHING = Stage("nothing", lambda run: [], lambda run, values: pytest.fail("a stage without tasks is not joined"))


def prepared(settings):
    *_, run = advance(FitRun(settings), TABLE_STAGES, in_order)
    return run


def test_a_run_is_given_after_each_batch_and_keeps_the_order_of_the_tasks():
    runs = list(advance(Counted(), [MULTIPLY, NOTHING, ADD], in_order))
    assert [run.values for run in runs] == [(6, 8), (6, 8, 10), (6, 8, 10, 24)]
    assert set(runs[-1].seconds) == {"multiply", "add"}
    assert min(runs[-1].seconds.values()) >= 0


def test_a_batch_is_joined_before_the_next_is_computed():
    """The figures of a set are drawn while the next one is fitted."""
    computed = []
    stage = Stage(
        "append",
        lambda run: [[Task(name, computed.append, (name,))] for name in ("first", "second")],
        lambda run, values: run,
    )
    runs = advance(Counted(), [stage], in_order)
    next(runs)
    assert computed == ["first"]


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_other_processes_give_the_same_results_in_the_same_order(pool):
    tasks = [Task(str(i), mul, (i, i)) for i in range(40)]
    with pool(2) as workers:
        assert list(shared_with(workers)(tasks)) == list(in_order(tasks)) == [i * i for i in range(40)]


def test_this_process_takes_its_share_from_the_front():
    with ThreadPoolExecutor(1) as workers:
        threads = list(shared_with(workers)([Task(str(i), _slow_ident) for i in range(6)]))
    assert threads[0] == get_ident() != threads[-1]


def test_a_task_that_needs_a_worker_is_computed_by_one_while_this_process_goes_on():
    tasks = [Task("first", _slow_ident, by_worker=True), *(Task(str(i), get_ident) for i in range(3))]
    with ThreadPoolExecutor(1) as workers:
        threads = list(shared_with(workers)(tasks))
    assert threads[0] != get_ident()
    assert threads[1:] == [get_ident()] * 3


def test_the_error_of_the_first_task_is_raised_whoever_computes_it():
    tasks = [Task("slow", _slow_error, by_worker=True), Task("here", int, ("x",))]
    with ThreadPoolExecutor(1) as workers, pytest.raises(ZeroDivisionError):
        list(shared_with(workers)(tasks))


def _slow_error():
    time.sleep(0.05)
    return 1 / 0


def _slow_ident():
    time.sleep(0.01)
    return get_ident()


def test_an_error_in_a_task_ends_the_stage_and_leaves_no_task_waiting():
    tasks = [Task("bad", int, ("x",)), *(Task(str(i), _slow_ident) for i in range(50))]
    with ThreadPoolExecutor(1) as workers, pytest.raises(ValueError, match="invalid literal"):
        list(shared_with(workers)(tasks))


def test_the_tables_are_paired_before_anything_is_fitted():
    run = prepared(FitSettings(SETS, MODELS))
    assert [fit.name for fit in run.sets] == list(SETS)
    assert not any(fit.results for fit in run.sets)
    with pytest.raises(AttributeError, match="not read yet"):
        FitRun(run.settings).trials  # noqa: B018


def test_a_set_is_fitted_as_a_whole():
    run = prepared(FitSettings(SETS, MODELS))
    sizes = [tuple(len(fit.results) for fit in state.sets) for state in advance(run, [FIT], in_order)]
    assert sizes == [(2, 0), (2, 2)]


def written(run):
    return dumps(document(FIT_SCHEMA, run.trials, fit_sections(run), seed=3))


@pytest.mark.slow
def test_tasks_can_be_carried_out_by_another_process():
    """A task and its result are pickled; the run does not depend on who computed them."""
    settings = FitSettings(SETS, MODELS, focus="tactics", sensitivity=True, seed=3)
    run = prepared(settings)

    def elsewhere(tasks):
        for task in tasks:
            label, function, arguments, _ = pickle.loads(pickle.dumps(task))
            assert label
            yield pickle.loads(pickle.dumps(function(*arguments)))

    *_, there = advance(run, MODEL_STAGES, elsewhere)
    *_, here = advance(run, MODEL_STAGES, in_order)
    assert written(there) == written(here)
    assert all(fit.choices and fit.interval_methods for fit in here.sets)


def test_findings_are_joined_field_by_field():
    run = prepared(FitSettings(("tactics-2022",), MODELS))
    whole, part = run.sets[0], SetFit(run.sets[0].analysis_set, choices=({"a": 1},))
    joined = whole.joined([part, replace(part, subgroups=({"b": 2},))])
    assert joined.choices == ({"a": 1}, {"a": 1})
    assert joined.subgroups == ({"b": 2},)
    assert fields(SetFit)[0].name == "analysis_set"  # all others are joined


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": -1}, "seed -1"),
        ({"new_n": 0.0}, "must be above 0; got 0"),
        ({"models": ("nope",)}, "unknown model 'nope'"),
        ({"required_models": ("nope",)}, "unknown model 'nope'"),
    ],
)
def test_settings_of_fits_check_themselves(change, words):
    with pytest.raises(UsageError, match=words):
        FitSettings(**{"sets": SETS, "models": MODELS} | change)


def test_a_table_fitted_alone_takes_no_other(tmp_path):
    with pytest.raises(UsageError, match="is fitted alone"):
        FitSettings(SETS, MODELS, pairs_table=tmp_path / "a.csv", added=tmp_path / "b.csv")


@pytest.mark.parametrize(("change", "words"), [({"seed": -1}, "seed -1"), ({"resamples": 20}, "resamples 20")])
def test_settings_of_post_progression_survival_check_themselves(change, words):
    with pytest.raises(UsageError, match=words):
        PpsSettings(**change)


def test_names_are_looked_up_before_anything_is_computed():
    for settings, words in ((PpsSettings(set_name="nope"), "no analysis set"), (PpsSettings(focus="nope"), "nope")):
        with pytest.raises(UsageError, match=words):
            list(advance(PpsRun(settings), PPS_STAGES[:2], in_order))
    for settings, words in (
        (FitSettings(("nope",), MODELS), "no analysis set"),
        (FitSettings(SETS, MODELS, focus="nope", focus_required=True), "nope"),
    ):
        with pytest.raises(UsageError, match=words):
            prepared(settings)
