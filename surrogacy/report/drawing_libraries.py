"""Libraries that a process loads before it draws: imported once, by the server that the figure workers are forked from."""

import importlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from surrogacy.report.workers import RUN_PROCESS

LIBRARIES = (
    "numpy",
    "scipy.stats",
    "pandas",
    "matplotlib.backends.backend_pdf",
    "surrogacy.report.drawing",
    "surrogacy.figures",
)
SECONDS_BETWEEN_CHECKS = 0.1


@contextmanager
def _ended_with_run() -> Iterator[None]:
    """End this process if the run dies meanwhile: the server itself looks only when it has loaded everything.

    A timer rather than a thread: a process with threads cannot be forked safely.
    """
    run = os.environ.pop(RUN_PROCESS, "")
    if not run or multiprocessing.parent_process() is not None or not hasattr(signal, "setitimer"):
        yield
        return

    def check(*_: object) -> None:
        if os.getppid() != int(run):
            os._exit(1)

    before = signal.signal(signal.SIGALRM, check)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_CHECKS, SECONDS_BETWEEN_CHECKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _load() -> None:
    # without a home folder that can be written to, matplotlib says in two lines that it uses a temporary one
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with _ended_with_run():
        for name in LIBRARIES:
            importlib.import_module(name)


_load()
