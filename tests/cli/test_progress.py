"""Progress without a terminal: a line per stage that takes long, and none for the others."""

import time
from functools import partial

import pytest

from surrogacy.analysis.stages import Task, in_order
from surrogacy.cli import terminal
from surrogacy.cli.run import _with_progress_in_order
from surrogacy.cli.terminal import SLOW_STAGE_SECONDS, progress, with_progress


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(terminal, "SLOW_STAGE_SECONDS", 0.2)


def stage(*seconds):
    return [Task(f"wait {pause:g}", time.sleep, (pause,)) for pause in seconds]


def computed(*stages, quiet=False):
    with with_progress(in_order, quiet=quiet) as execute:
        for tasks in stages:
            assert list(execute(tasks)) == [None] * len(tasks)


def test_a_slow_stage_is_announced_once_with_its_current_task(capsys):
    computed(stage(0.01, 0.5, 0.3), stage(0.0), [], stage(0.4))
    assert capsys.readouterr().err.splitlines() == [
        "still running after 0.2 s: wait 0.5 (task 2 of 3)",
        "still running after 0.2 s: wait 0.4 (task 1 of 1)",
    ]


def test_fast_stages_are_silent(capsys):
    computed(stage(0.0, 0.01), stage(0.01))
    time.sleep(0.3)
    assert capsys.readouterr().err == ""


def test_time_after_the_last_task_does_not_count(capsys):
    """The caller may draw figures between the last result of a stage and the next stage."""
    with with_progress(in_order, quiet=False) as execute:
        results = execute(stage(0.0))
        next(results)
        time.sleep(0.4)
    assert capsys.readouterr().err == ""


def test_quiet_prints_none(capsys):
    computed(stage(0.4), quiet=True)
    assert capsys.readouterr().err == ""


def test_an_error_ends_the_waiting(capsys):
    with pytest.raises(ValueError, match="invalid literal"):
        computed([Task("bad", int, ("x",))])
    time.sleep(0.3)
    assert capsys.readouterr().err == ""


def test_simulations_are_announced_too(capsys):
    with progress(10, "simulated trials", quiet=False) as step:
        time.sleep(0.4)
        step(10)
    assert capsys.readouterr().err == "still running after 0.2 s: simulated trials\n"


def test_the_limit_is_two_seconds():
    assert SLOW_STAGE_SECONDS == 2


def test_waiting_for_figures_is_announced(capsys):
    waits = partial(_with_progress_in_order, quiet=False)
    assert list(waits(stage(0.4))) == [None]
    assert capsys.readouterr().err.splitlines() == ["still running after 0.2 s: wait 0.4 (task 1 of 1)"]
