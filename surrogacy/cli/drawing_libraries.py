"""Libraries of the processes that draw: imported once, by the server that these are forked from."""

import atexit
import importlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from surrogacy.cli.workers import RUN_FOLDER, RUN_PROCESS, become_settler
from surrogacy.output.settling import settle

LIBRARIES = (
    "numpy",
    "scipy.stats",
    "pandas",
    "matplotlib.backends.backend_pdf",
    "surrogacy.report.figures",
    "surrogacy.figures",
)
SECONDS_BETWEEN_CHECKS = 0.1


@contextmanager
def _ended_with_run() -> Iterator[None]:
    """End this process if the run dies meanwhile: the server itself looks only when it has loaded everything.

    A timer rather than a thread: a process with threads cannot be forked safely.
    """
    run, folder = os.environ.pop(RUN_PROCESS, ""), os.environ.pop(RUN_FOLDER, "")
    if not run or multiprocessing.parent_process() is not None or not hasattr(signal, "setitimer"):
        yield
        return
    atexit.register(settle, folder)  # the server ends when the run does; a worker ends otherwise

    def check(*_: object) -> None:
        if os.getppid() != int(run):
            signal.setitimer(signal.ITIMER_REAL, 0)  # a timer survives exec and would end the settler
            become_settler(folder)

    before = signal.signal(signal.SIGALRM, check)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_CHECKS, SECONDS_BETWEEN_CHECKS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _load() -> None:
    os.environ["MPLBACKEND"] = "agg"  # figures go to files; a backend of the user's may not exist here
    # without a home folder that can be written to, matplotlib says in two lines that it uses a temporary one
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with _ended_with_run():
        for name in LIBRARIES:
            importlib.import_module(name)


_load()
