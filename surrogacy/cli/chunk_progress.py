"""Progress of a simulation: a bar with the remaining time on a terminal, a few lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from surrogacy.cli.streams import warn

LINE_SECONDS = 30.0  # between two lines where there is no terminal
MOST_LINES = 100


@dataclass(frozen=True)
class Pace:
    """Chunks that this run has finished, and its seconds until the last of them.

    Parameters
    ----------
    total : int
        Chunks that this run has to simulate.
    done : int
    seconds : float

    Examples
    --------
    >>> Pace(8, 2, 60.0).words(75.0)
    'about 3 min left'
    >>> Pace(8, 0, 0.0).words(75.0)
    ''
    """

    total: int
    done: int = 0
    seconds: float = 0.0

    def words(self, now: float) -> str:
        """Return the remaining time after ``now`` seconds of the run; empty before the first chunk is finished."""
        if not self.done:
            return ""
        left = self.seconds / self.done * (self.total - self.done) - (now - self.seconds)
        return f"about {duration(max(left, 1.0))} left"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units at most.

    Examples
    --------
    >>> duration(8.0), duration(200.0), duration(7900.0), duration(200_000.0)
    ('8 s', '3 min', '2 h 12 min', '2 d 8 h')
    """
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"


@contextmanager
def chunk_progress(total: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show the progress; the block is given a function that counts a finished chunk.

    Parameters
    ----------
    total : int
        Chunks that this run has to simulate.
    quiet : bool
        Show nothing.
    """
    if quiet or not total:
        yield lambda: None
    elif sys.stderr.isatty():
        with _bar(total) as step:
            yield step
    else:
        yield _lines(total)


def _lines(total: int) -> Callable[[], None]:
    """Lines at intervals of 30 s or more, at most 100 of them."""
    start, shown, pace = time.monotonic(), (0, 0.0), Pace(total)

    def step() -> None:
        nonlocal shown, pace
        seconds = time.monotonic() - start
        pace = Pace(total, pace.done + 1, seconds)
        chunks, before = shown
        if pace.done < total and pace.done - chunks >= total / MOST_LINES and seconds - before >= LINE_SECONDS:
            shown = pace.done, seconds
            warn(f"{pace.done} of {total} chunks finished, {pace.words(seconds)}")

    return step


@contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
    from rich.text import Text

    start, pace = time.monotonic(), Pace(total)

    class RemainingTime(ProgressColumn):
        """Remaining time, counted down between two finished chunks."""

        def render(self, task: Task) -> Text:
            return Text(pace.words(time.monotonic() - start))

    columns = SpinnerColumn(), TextColumn("chunks"), BarColumn(), MofNCompleteColumn(), RemainingTime()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task("", total=total)

        def step() -> None:
            nonlocal pace
            pace = Pace(total, pace.done + 1, time.monotonic() - start)
            bar.advance(row)

        yield step
