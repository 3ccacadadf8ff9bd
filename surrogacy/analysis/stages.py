"""Stages of a run: independent tasks, executors that compute them, and the driver that joins their results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple, Protocol

from surrogacy.errors import ExitCode
from surrogacy.trials import TrialSet


class Task(NamedTuple):
    """Independent computation.

    Parameters
    ----------
    label : str
        Name for a progress bar.
    function : callable
        A function at module level, so that any process can call it.
    arguments : tuple
    by_worker : bool
        Whether a worker computes it if there are workers, because it needs a library that only they load.
    """

    label: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    by_worker: bool = False

    def compute(self) -> Any:
        """Compute the result in this process."""
        return self.function(*self.arguments)


type Execute = Callable[[Sequence[Task]], Iterable[Any]]
"""Executor: returns the results in the order of the tasks, each as soon as it is available."""


class Settings(Protocol):
    """Settings of a run."""

    @property
    def seed(self) -> int:
        """Seed of the random numbers."""
        ...

    def read(self) -> TrialSet:
        """Read and check the tables."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class StagedRun:
    """Fields that the runs of both commands share.

    Parameters
    ----------
    settings : Settings
    trial_set : TrialSet or None
        None until the tables are read.
    seconds : mapping of str to float
        Duration of each stage.
    """

    settings: Settings
    trial_set: TrialSet | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def trials(self) -> TrialSet:
        """Trial tables.

        Raises
        ------
        AttributeError
            If the tables are not read yet.
        """
        if self.trial_set is None:
            raise AttributeError("the tables of this run are not read yet")
        return self.trial_set

    @property
    def notices(self) -> list[str]:
        """Omissions of the run, for stderr and run.json; a command may override this."""
        return []

    def exit_code(self, *, strict: bool = False, undrawn: bool = False) -> ExitCode:
        """Exit code of a run: 4 if a figure could not be drawn; a command may override this."""
        return ExitCode.NOT_CONVERGED if undrawn else ExitCode.OK


class Stage[R: StagedRun](NamedTuple):
    """Stage of a run.

    Parameters
    ----------
    name : str
    batches : callable
        Takes the run so far and returns batches of tasks. The figures of one batch can be drawn while the next batch
        is computed. No task depends on another task of its stage.
    join : callable
        Returns the run with the results of one batch added.
    """

    name: str
    batches: Callable[[R], Sequence[Sequence[Task]]]
    join: Callable[[R, Sequence[Any]], R]


def advance[R: StagedRun](run: R, stages: Iterable[Stage[R]], execute: Execute) -> Iterator[R]:
    """Compute stages, and yield the run after each batch of tasks.

    Parameters
    ----------
    run : StagedRun
    stages : iterable of Stage
        A stage without tasks yields nothing.
    execute : callable
        `in_order` or an executor of `shared_with`; the result does not depend on it.
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
    """Compute tasks one after another in this process."""
    return map(Task.compute, tasks)


def shared_with(pool: Executor) -> Execute:
    """Return an executor that computes from the first task on in this process, and from the last task on in a pool.

    While this process waits for a result of the pool, it computes the next tasks.
    """

    def execute(tasks: Sequence[Task]) -> Iterator[Any]:
        order = sorted(range(len(tasks)), key=lambda i: (0, i) if tasks[i].by_worker else (1, -i))
        results = {i: pool.submit(tasks[i].function, *tasks[i].arguments) for i in order}
        try:
            for i in range(len(tasks)):
                for j in range(i, len(tasks)):
                    if results[i].done():
                        break
                    if not tasks[j].by_worker and results[j].cancel():
                        results[j] = _computed(tasks[j])
                yield results[i].result()
        finally:
            for future in results.values():
                future.cancel()

    return execute


def _computed(task: Task) -> Future[Any]:
    """Compute a task in this process; an error is raised when the result is asked for, in the order of the tasks."""
    future: Future[Any] = Future()
    try:
        future.set_result(task.compute())
    except Exception as error:
        future.set_exception(error)
    return future


def read_tables(run: StagedRun) -> list[list[Task]]:
    """Task of the first stage of every command: read the tables."""
    return [[Task("tables", run.settings.read)]]


def with_tables[R: StagedRun](run: R, values: Sequence[TrialSet]) -> R:
    """Add the tables to a run."""
    return replace(run, trial_set=values[0])
