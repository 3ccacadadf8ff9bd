"""Stages of a run: independent tasks, the executors that compute them, and the driver that joins their results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

from surrogacy.errors import ExitCode
from surrogacy.trials import TrialSet


class Task(NamedTuple):
    """An independent computation: a module-level function and its arguments, so that any process can carry it out.

    Parameters
    ----------
    label : str
        Its name for a progress bar.
    function : callable
    arguments : tuple
    """

    label: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    def compute(self) -> Any:
        """Carry it out in this process."""
        return self.function(*self.arguments)


type Execute = Callable[[Sequence[Task]], Iterable[Any]]
"""An executor: the results of independent tasks in the order of the tasks, each as soon as it is there."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StagedRun:
    """The part of a run that all commands have.

    Parameters
    ----------
    trial_set : TrialSet or None
        None until the tables are read.
    seconds : mapping of str to float
        Time that each stage took.
    """

    trial_set: TrialSet | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def trials(self) -> TrialSet:
        """The tables, once they are read."""
        if self.trial_set is None:
            raise AttributeError("the tables of this run are not read yet")
        return self.trial_set

    @property
    def notices(self) -> list[str]:
        """Omissions of the run, for stderr and run.json; none unless a command has some."""
        return []

    def exit_code(self, *, strict: bool = False, undrawn: bool = False) -> ExitCode:
        """Exit code of a run: 4 if a figure could not be drawn; a command may have further reasons."""
        return ExitCode.NOT_CONVERGED if undrawn else ExitCode.OK


class Stage[R: StagedRun](NamedTuple):
    """A step from one state of a run to the next.

    Parameters
    ----------
    name : str
    batches : callable
        The tasks, seen from the run so far, in the batches in which they are joined: a figure of a batch that is joined
        can be drawn while the next batch is computed. No task depends on another one of its stage.
    join : callable
        The run with the results of one batch put in.
    """

    name: str
    batches: Callable[[R], Sequence[Sequence[Task]]]
    join: Callable[[R, Sequence[Any]], R]


def advance[R: StagedRun](run: R, stages: Iterable[Stage[R]], execute: Execute) -> Iterator[R]:
    """Carry out stages, and yield the run after each batch of tasks.

    Parameters
    ----------
    run : StagedRun
    stages : iterable of Stage
        One without tasks is passed over.
    execute : callable
        Does not change the result: `in_order`, or what `shared_with` gives.
    """
    for stage in stages:
        clock = time.perf_counter()
        batches = stage.batches(run)
        results = iter(execute([task for batch in batches for task in batch]))
        for batch in batches:
            run = stage.join(run, list(islice(results, len(batch))))
            seconds = run.seconds.get(stage.name, 0.0) + time.perf_counter() - clock
            run = replace(run, seconds={**run.seconds, stage.name: seconds})
            yield run
            clock = time.perf_counter()


def in_order(tasks: Sequence[Task]) -> Iterator[Any]:
    """Carry out tasks one after another in this process."""
    return map(Task.compute, tasks)


def shared_with(pool: Executor) -> Execute:
    """Return an executor that begins with the first task in this process, while a pool begins with the last."""

    def execute(tasks: Sequence[Task]) -> Iterator[Any]:
        futures = [pool.submit(task.function, *task.arguments) for task in reversed(tasks)]
        try:
            for task, future in zip(tasks, reversed(futures), strict=True):
                yield task.compute() if future.cancel() else future.result()
        finally:
            for future in futures:
                future.cancel()

    return execute
