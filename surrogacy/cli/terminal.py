"""Parts that the commands share: options, exit codes, progress, processes for figures."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from surrogacy.cli.streams import (
    prepare_streams,
    raise_if_stopped,
    result_stream,
    screen_width,
    signals_as_exceptions,
    warn,
)
from surrogacy.errors import (
    DataError,
    ExitCode,
    OutputError,
    Stopped,
    SurrogacyError,
    UsageError,
    data_warnings,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from concurrent.futures import Executor

    from rich.console import Console, RenderableType
    from rich.progress import Progress

    from surrogacy.analysis.stages import Execute, Task
    from surrogacy.report.section import Section
    from surrogacy.trials import TrialSet

SHORT_WIDTH = 100
"""Columns of the short screen."""

__all__ = [
    "figure_workers",
    "prepare_workers",
    "progress",
    "result_stream",
    "run_command",
    "show",
    "warn",
    "warn_of_data",
    "with_progress",
]


def run_command(
    parser: ArgumentParser, body: Callable[[Namespace, Sequence[str]], int], arguments: Sequence[str] | None
) -> int:
    """Parse the arguments, do what they ask, and turn what goes wrong into a line on stderr and an exit code.

    Parameters
    ----------
    parser : ArgumentParser
    body : callable
        Takes the options and the arguments as given; returns the exit code.
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        Exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    with signals_as_exceptions():
        return _run(parser, body, given)


def _run(parser: ArgumentParser, body: Callable[[Namespace, Sequence[str]], int], given: Sequence[str]) -> int:
    try:
        options = parser.parse_args(given)
        check_options(options)
        one_thread_each()
        return _carry_out(body, options, given)
    except SystemExit as usage:  # argparse has said why
        return _printed(int(usage.code or 0))
    except SurrogacyError as error:
        for line in str(error).splitlines():
            warn(line if isinstance(error, DataError) else f"error: {line}")
        return int(error.exit_code)
    except MemoryError:
        warn("error: the memory is used up; allow this process more, or give fewer comparisons")
        return int(ExitCode.UNEXPECTED)
    except BrokenPipeError:
        return _printed(int(ExitCode.OK))
    except KeyboardInterrupt as error:
        stop = error if isinstance(error, Stopped) else Stopped(signal.SIGINT)
        warn("interrupted; the new result is complete" if stop.written else "interrupted; nothing was written")
        return 128 + stop.number


def _carry_out(body: Callable[[Namespace, Sequence[str]], int], options: Namespace, given: Sequence[str]) -> int:
    """Run the body of a command; what goes wrong in foreign code after a signal is the signal."""
    try:
        return int(body(options, given))
    except SurrogacyError:
        raise
    except Exception:
        raise_if_stopped()
        raise


def _printed(code: int) -> int:
    """Return the exit code, or 1 if what argparse printed cannot be written."""
    try:
        with result_stream():
            return code
    except OutputError as error:
        warn(f"error: {error}")
        return code or int(error.exit_code)


def warn_of_data(trials: TrialSet, *, quiet: bool) -> bool:
    """Print the warnings about the user's own rows in full on stderr, those about the shipped tables as a count.

    Parameters
    ----------
    trials : TrialSet
    quiet : bool
        Whether to print nothing.

    Returns
    -------
    bool
        Whether there are warnings about the user's own rows.
    """
    own = data_warnings(trials.faults)
    shipped = sum(fault.severity == "warning" for fault in trials.faults) - len(own)
    if not quiet:
        for fault in own:
            warn(str(fault))
        if shipped:
            warn(f"{shipped} warnings about the trial table: python -m surrogacy.fit --check shows them")
    return bool(own)


def check_options(options: Namespace) -> None:
    """Refuse what no command takes: an empty name and a negative seed.

    Raises
    ------
    UsageError
    """
    for name, value in vars(options).items():
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, str) and not entry.strip():
                option = "SET" if name == "sets" else f"--{name.replace('_', '-')}"
                raise UsageError(f"{option}: the name is empty (a shell variable that is not set?)")
    endpoints = getattr(options, "endpoints", None)
    if endpoints is not None and not endpoints.replace(",", "").strip():
        raise UsageError(f"--endpoints {endpoints}: no endpoint is named; separate names by commas")
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed}: a seed is a whole number, 0 or more")


def one_thread_each() -> None:
    """Let NumPy start no threads: the matrices here are tiny. To be called before anything imports NumPy."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def prepare_workers(out: str) -> None:
    """Start loading the plotting library in another process, before this one loads its own libraries.

    Parameters
    ----------
    out : str
        Folder of the run.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    ProcessError
        If the system starts no process.
    """
    from pathlib import Path

    from surrogacy.cli.workers import start_server
    from surrogacy.output.replacement import check_folder

    check_folder(Path(out))
    start_server(Path(out))


def show(sections: Sequence[Section], files: str = "", *, details: bool) -> None:
    """Print the answers, on request the details, and where the files are."""
    from rich.console import Console

    from surrogacy.report.screen import MARGIN, answers, screen

    console = Console(width=screen_width(), highlight=False)
    short = Console(width=min(console.width, SHORT_WIDTH), highlight=False)
    with result_stream():
        _print(short, answers(sections))
        if details:
            print()
            _print(console, screen(sections))
        if files:
            print(f"{'Files':<{MARGIN}}{files}")


def _print(console: Console, content: RenderableType) -> None:
    """Print without the blanks that fill up lines."""
    with console.capture() as captured:
        console.print(content)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


@contextmanager
def figure_workers(out: str) -> Iterator[Executor]:
    """Two processes that draw while this one computes.

    Parameters
    ----------
    out : str
        Folder of the run.

    Raises
    ------
    ProcessError
        If a process cannot be started or ends before its time.
    """
    from pathlib import Path

    from surrogacy.cli.workers import FigureWorkers
    from surrogacy.output.replacement import recover

    workers = FigureWorkers(Path(out))
    try:
        yield workers
    except BaseException as error:
        workers.end()
        recover(Path(out))  # a worker may have written into the stage while it was being removed
        if isinstance(error, Stopped) and workers.problem is not None and not error.written:
            raise workers.problem from error
        raise
    finally:
        workers.end()


@contextmanager
def progress(total: int, task: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """A bar on a terminal, nothing elsewhere; what is yielded takes how many steps were done, by default one."""
    if quiet or not sys.stderr.isatty():
        yield lambda done=1: None
        return
    with _bar() as bar:
        row = bar.add_task(task, total=total)
        yield lambda done=1: bar.advance(row, done)


@contextmanager
def with_progress(execute: Execute, *, quiet: bool) -> Iterator[Execute]:
    """Return an executor that shows the task at hand, and the number of tasks done in its stage, on a terminal."""

    def stoppable(tasks: Sequence[Task]) -> Iterator[Any]:
        for result in execute(tasks):
            raise_if_stopped()
            yield result

    if quiet or not sys.stderr.isatty():
        yield stoppable
        return
    with _bar() as bar:
        row = bar.add_task("", total=None)

        def shown(tasks: Sequence[Task]) -> Iterator[Any]:
            results = stoppable(tasks)
            for done, task in enumerate(tasks):
                bar.update(row, description=task.label, completed=done, total=len(tasks))
                yield next(results)

        yield shown


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), transient=True)
