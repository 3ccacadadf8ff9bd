"""What the commands have in common: errors to exit codes, a stream that takes every sign, progress, processes for figures."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import surrogacy
from surrogacy.errors import DataError, ExitCode, SurrogacyError, data_warnings

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ArgumentGroup
    from concurrent.futures import Executor

    from surrogacy.trials import TrialSet

NEAREST = {
    "\u2212": "-",
    "\u2013": "-",
    "\u2500": "-",
    "\u00b2": "2",
    "\u03c1": "rho",
    "\u03c4": "tau",
    "\u2190": "<-",
    "\u2192": "->",
    "\u2020": "+",
}


def add_output(output: _ArgumentGroup) -> None:
    """Add the options on output that every command has."""
    output.add_argument(
        "--preset",
        default="elsevier",
        choices=("elsevier", "lancet", "nejm", "jama", "karger", "nature"),
        help="journal that the figures are for (default elsevier)",
    )
    output.add_argument(
        "--format",
        nargs="+",
        default=["pdf", "svg", "png"],
        choices=("pdf", "svg", "png", "tiff"),
        help="of the figures (default pdf svg png)",
    )
    output.add_argument("--quiet", action="store_true", help="no progress, no warnings, no result on the screen")
    output.add_argument("--version", action="version", version=f"surrogacy {surrogacy.__version__}")


def run(parser: ArgumentParser, body: Callable[[Namespace, Sequence[str]], int], arguments: Sequence[str] | None) -> int:
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
    # a pipe may not know every sign (a true minus on Windows): write the nearest it has
    codecs.register_error("nearest", lambda error: (NEAREST.get(error.object[error.start], "?"), error.start + 1))  # type: ignore[attr-defined]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="nearest")
    try:
        options = parser.parse_args(given)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        return int(body(options, given))
    except SurrogacyError as error:
        for line in str(error).splitlines():
            print(line if isinstance(error, DataError) else f"error: {line}", file=sys.stderr)
        return int(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130


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
            print(fault, file=sys.stderr)
        if shipped:
            print(f"{shipped} warnings about the trial table: python -m surrogacy.fit --check shows them", file=sys.stderr)
    return bool(own)


def one_thread_each() -> bool:
    """Let NumPy start no threads: the matrices here are tiny. Tell whether a process may still be forked.

    A fork shares what is loaded already, but is safe only while NumPy has no threads.
    """
    safe_to_fork = sys.platform == "linux" and "numpy" not in sys.modules
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return safe_to_fork


@contextmanager
def figure_workers(*, fork: bool) -> Iterator[Executor]:
    """Two processes that load the plotting library while this one computes, then draw."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from surrogacy.report.drawing import warm_up

    # one pool, which forks both workers before it starts a thread of its own
    with ProcessPoolExecutor(2, mp_context=get_context("fork" if fork else "spawn")) as pool:
        for _ in range(2):
            pool.submit(warm_up)
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def progress(total: int, task: str, *, quiet: bool) -> Iterator[Callable[..., None]]:
    """A bar on a terminal, nothing elsewhere; what is yielded takes how many steps were done, by default one."""
    if quiet or not sys.stderr.isatty():
        yield lambda done=1: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task(task, total=total)
        yield lambda done=1: bar.advance(row, done)
