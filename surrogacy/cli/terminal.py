"""Parts that the commands share: errors as lines, exit codes, progress, processes that draw figures."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from textwrap import fill
from threading import Timer
from typing import TYPE_CHECKING, Any

from surrogacy.cli.streams import (
    prepare_streams,
    raise_if_stopped,
    result_stream,
    screen_width,
    signals_as_exceptions,
    warn,
)
from surrogacy.errors import DataError, ExitCode, OutputError, Stopped, SurrogacyError, UsageError, data_warnings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from rich.console import Console, RenderableType
    from rich.progress import Progress

    from surrogacy.analysis.stages import Execute, Task
    from surrogacy.cli.workers import FigureWorkers
    from surrogacy.report.section import Section
    from surrogacy.trials import TrialSet

SHORT_WIDTH = 100
"""Columns of the short screen."""
SLOW_STAGE_SECONDS = 2.0  # after which a stage is announced where there is no terminal


def run_command(
    parser: ArgumentParser, body: Callable[[Namespace, Sequence[str]], int], arguments: Sequence[str] | None
) -> int:
    """Parse the arguments, run the command, and turn errors into lines on stderr and an exit code.

    Parameters
    ----------
    parser : ArgumentParser
    body : callable
        Takes the options and the raw arguments; returns the exit code.
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        Exit code.
    """
    prepare_streams()
    with signals_as_exceptions():
        return _run(parser, body, list(sys.argv[1:] if arguments is None else arguments))


def _run(parser: ArgumentParser, body: Callable[[Namespace, Sequence[str]], int], arguments: Sequence[str]) -> int:
    try:
        options = parser.parse_args(arguments)
        check_options(options)
        # one thread: the matrices here are tiny; this has to come before the import of NumPy
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        return _call(body, options, arguments)
    except SystemExit as usage:  # argparse has printed the reason
        return _printed(int(usage.code or 0))
    except SurrogacyError as error:
        for line in str(error).splitlines():
            warn(line if isinstance(error, DataError) else f"error: {line}")
        return int(error.exit_code)
    except MemoryError:
        warn("error: the memory is used up; give this process more memory, or fewer comparisons")
        return int(ExitCode.UNEXPECTED)
    except BrokenPipeError:
        return _printed(int(ExitCode.OK))
    except KeyboardInterrupt as error:
        stop = error if isinstance(error, Stopped) else Stopped(signal.SIGINT)
        warn("interrupted; the new result is complete" if stop.written else "interrupted; nothing was written")
        return 128 + stop.number


def _call(body: Callable[[Namespace, Sequence[str]], int], options: Namespace, arguments: Sequence[str]) -> int:
    """Call the body of a command; an error of other libraries after a signal is reported as the signal."""
    try:
        return int(body(options, arguments))
    except SurrogacyError:
        raise
    except Exception:
        raise_if_stopped()
        raise


def _printed(code: int) -> int:
    """Return the exit code, or 1 if the text that argparse printed cannot be written."""
    try:
        with result_stream():
            return code
    except OutputError as error:
        warn(f"error: {error}")
        return code or int(error.exit_code)


@contextmanager
def uncollected() -> Iterator[None]:
    """Suspend garbage collection while modules are loaded: it takes a tenth of the time and finds nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def warn_of_data(trials: TrialSet, *, quiet: bool) -> None:
    """Print the warnings about the user's own rows; ``--check`` prints those about the shipped tables too."""
    for fault in () if quiet else data_warnings(trials.faults):
        warn(str(fault))


def check_options(options: Namespace) -> None:
    """Refuse empty names.

    Raises
    ------
    UsageError
    """
    for name, value in vars(options).items():
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, str) and not entry.strip():
                option = "SET" if name == "sets" else f"--{name.replace('_', '-')}"
                raise UsageError(
                    f"{option}: the name is empty (is a shell variable not set?); give a name or leave the option out"
                )
    endpoints = getattr(options, "endpoints", None)
    if endpoints is not None and not endpoints.replace(",", "").strip():
        raise UsageError(
            f"--endpoints {endpoints}: no endpoint is named; give names separated by commas, such as PFS,TTP"
        )


def prepare_workers(out: str, libraries: Sequence[str] = ()) -> None:
    """Let another process load the plotting library while this one loads its own libraries.

    Parameters
    ----------
    out : str
        Folder of the run.
    libraries : sequence of str
        Further modules that the workers need.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    ProcessError
        If the system cannot start a process.
    """
    from pathlib import Path

    from surrogacy.cli.workers import start_server
    from surrogacy.output.replacement import check_folder

    check_folder(Path(out))
    start_server(Path(out), libraries)


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
            label, rest = f"{'Files':<{MARGIN}}", " " * MARGIN
            wrapped = partial(fill, break_long_words=False, break_on_hyphens=False)
            print(wrapped(files, short.width, initial_indent=label, subsequent_indent=rest))


def _print(console: Console, content: RenderableType) -> None:
    """Print without the blanks that fill up lines."""
    with console.capture() as captured:
        console.print(content)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


@contextmanager
def figure_workers(out: str) -> Iterator[FigureWorkers]:
    """Start two processes that draw figures and compute beside this one.

    Parameters
    ----------
    out : str
        Folder of the run.

    Raises
    ------
    ProcessError
        If a process cannot be started or ends early.
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
def progress(total: int, task: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, or a line if it takes long; the block is given a function that counts steps done."""
    if quiet:
        yield lambda steps: None
    elif sys.stderr.isatty():
        with _bar() as bar:
            row = bar.add_task(task, total=total)
            yield lambda steps: bar.advance(row, steps)
    else:
        with _line_if_slow(lambda: task):
            yield lambda steps: None


@contextmanager
def with_progress(execute: Execute, *, quiet: bool) -> Iterator[Execute]:
    """Wrap an executor: it shows the current task on a terminal, and a line per slow stage elsewhere."""

    def stoppable(tasks: Sequence[Task]) -> Iterator[Any]:
        for result in execute(tasks):
            raise_if_stopped()
            yield result

    def announced(tasks: Sequence[Task]) -> Iterator[Any]:
        results, number = stoppable(tasks), 0
        with _line_if_slow(lambda: f"{tasks[number].label} (task {number + 1} of {len(tasks)})") as timer:
            for number in range(len(tasks)):
                result = next(results)
                if number == len(tasks) - 1:
                    timer.cancel()  # the caller need not come back after the last result
                yield result

    if quiet or not sys.stderr.isatty():
        yield stoppable if quiet else announced
        return
    with _bar() as bar:
        row = bar.add_task("", total=None)

        def shown(tasks: Sequence[Task]) -> Iterator[Any]:
            results = stoppable(tasks)
            for done, task in enumerate(tasks):
                bar.update(row, description=task.label, completed=done, total=len(tasks))
                yield next(results)

        yield shown


@contextmanager
def _line_if_slow(work: Callable[[], str]) -> Iterator[Timer]:
    """Print one line on stderr if the block takes longer than `SLOW_STAGE_SECONDS`."""
    timer = Timer(SLOW_STAGE_SECONDS, lambda: warn(f"still running after {SLOW_STAGE_SECONDS:g} s: {work()}"))
    timer.daemon = True
    timer.start()
    try:
        yield timer
    finally:
        timer.cancel()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    # sampling takes half a minute per task: the seconds show that it proceeds
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)
