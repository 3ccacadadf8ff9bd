"""Standard streams and signals of a command: closed or full streams, readers that leave early, Ctrl-C and SIGTERM."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from surrogacy.errors import OutputError, Stopped

DEFAULT_WIDTH = 120
WIDTHS = (40, 1000)  # narrower, tables have no room; wider, a terminal that does not exist
NEAREST = {
    "\u2212": "-",
    "\u2013": "-",
    "\u2500": "-",
    "\u00b2": "2",
    "\u03c1": "rho",
    "\u03c4": "tau",
    "\u2190": "<-",
    "\u2020": "+",
}


def prepare_streams() -> None:
    """Make the standard streams safe to use.

    A stream that was closed by the caller (``>&-``) leaves its number free, and the next file opened would be written
    to by whatever prints: its number is occupied. A stream that does not know every sign (a true minus on Windows) gets
    the nearest sign it has.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        while True:
            number = os.open(os.devnull, os.O_RDWR)
            if number > 2:
                os.close(number)
                break
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - else messages would go to stdout
    codecs.register_error("nearest", lambda error: (NEAREST.get(error.object[error.start], "?"), error.start + 1))  # type: ignore[attr-defined]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="nearest")


@contextlib.contextmanager
def result_stream() -> Iterator[None]:
    """Print the result and make sure that it is out.

    A reader that leaves early (``| head -1``) has all that it wanted: this is not an error.

    Raises
    ------
    OutputError
        If standard output is closed or cannot be written to.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed: the result cannot be shown")
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich turns the first into the second
        _discard_output()
    except OSError as error:
        _discard_output()
        raise OutputError(f"cannot write to standard output ({error.strerror or error})") from error


def _discard_output() -> None:
    """Let what is still buffered go nowhere, else the interpreter complains at its end."""
    with contextlib.suppress(OSError, ValueError):
        number = sys.stdout.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)


def warn(line: str) -> None:
    """Print a line on stderr, if it can be written to."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def screen_width() -> int | None:
    """Width of what is printed: that of the terminal (None), else ``COLUMNS`` if it is a number, else 120."""
    if sys.stdout is not None and sys.stdout.isatty():
        return None
    columns = os.environ.get("COLUMNS", "").strip()
    given = int(columns) if columns.isascii() and columns.isdigit() and len(columns) < 10 else 0
    return min(max(given, WIDTHS[0]), WIDTHS[1]) if given else DEFAULT_WIDTH


_received: list[Stopped] = []


def raise_if_stopped() -> None:
    """Raise `Stopped` again if a signal has come.

    Foreign code may swallow the exception by a bare ``except``, or make another one of it: an extension module that is
    being loaded raises an ImportError instead.

    Raises
    ------
    Stopped
    """
    if _received:
        raise _received[-1]


@contextlib.contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Raise `Stopped` on Ctrl-C, SIGTERM and SIGHUP, so that every ``finally`` is carried out.

    Signals that the caller ignores stay ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    _received.clear()

    def stop(number: int, _: FrameType | None) -> None:
        _received.append(Stopped(number))
        raise_if_stopped()

    usual = (signal.SIG_DFL, signal.default_int_handler)
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, stop) for number in numbers if signal.getsignal(number) in usual}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
