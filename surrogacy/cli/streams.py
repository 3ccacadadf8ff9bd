"""Standard streams and signals of a command: closed or full streams, early end of a pipe, Ctrl-C and SIGTERM."""

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
WIDTHS = (40, 1000)  # a table needs at least 40 columns; no terminal has more than 1000
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

    A stream that the caller has closed (``>&-``) leaves its file descriptor free. The next file opened would get the
    descriptor, and printed text would go into that file; the descriptor is therefore occupied here. A stream that
    cannot encode a character (the minus sign on Windows) prints the nearest character that it can encode.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        while True:
            number = os.open(os.devnull, os.O_RDWR)
            if number > 2:
                os.close(number)
                break
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - otherwise messages would go to stdout
    codecs.register_error("nearest", lambda error: (NEAREST.get(error.object[error.start], "?"), error.start + 1))  # type: ignore[attr-defined]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="nearest")


@contextlib.contextmanager
def result_stream() -> Iterator[None]:
    """Flush standard output after the block.

    A reader that closes the pipe early (``| head -1``) is not an error.

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
    """Discard the buffered output, so that the interpreter does not report an error at its end."""
    with contextlib.suppress(OSError, ValueError):
        number = sys.stdout.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)


def warn(line: str) -> None:
    """Print a line on stderr if possible."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 comparison``, ``2 comparisons``, ``no warnings``."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def screen_width() -> int | None:
    """Return the width of the output: None on a terminal, else ``COLUMNS`` if it is a number, else 120."""
    if sys.stdout is not None and sys.stdout.isatty():
        return None
    columns = os.environ.get("COLUMNS", "").strip()
    width = int(columns) if columns.isascii() and columns.isdigit() and len(columns) < 10 else 0
    return min(max(width, WIDTHS[0]), WIDTHS[1]) if width else DEFAULT_WIDTH


_received: list[Stopped] = []


def raise_if_stopped() -> None:
    """Raise `Stopped` again if a signal has been received.

    Other libraries may suppress the exception by a bare ``except``, or replace it: the import of an extension module
    raises an ImportError instead.

    Raises
    ------
    Stopped
    """
    if _received:
        raise _received[-1]


@contextlib.contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Raise `Stopped` on Ctrl-C, SIGTERM and SIGHUP, so that every ``finally`` block runs.

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
