"""Libraries of the worker processes. The server from which they are forked imports them once."""

import atexit
import gc
import importlib
import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from surrogacy.cli.workers import LIBRARIES, RUN_FOLDER, RUN_PROCESS, become_settler
from surrogacy.output.settling import settle

DRAWING = (
    "numpy",
    "pandas",
    "matplotlib.backends.backend_pdf",
    "matplotlib.backends.backend_svg",
    "surrogacy.report.figures",
    "surrogacy.figures",
)
SECONDS_BETWEEN_CHECKS = 0.1


@contextmanager
def _ended_with_run() -> Iterator[None]:
    """End this process if the run ends during the block; the server itself looks only after all imports.

    A timer is used because a process with threads cannot be forked safely.
    """
    run, folder = os.environ.pop(RUN_PROCESS, ""), os.environ.pop(RUN_FOLDER, "")
    if not run or multiprocessing.parent_process() is not None or not hasattr(signal, "setitimer"):
        yield
        return
    atexit.register(settle, folder)  # the server ends with the run, after the workers

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
    os.environ["MPLBACKEND"] = "agg"  # figures are files; the backend that the user has set may not exist here
    # without a writable home folder, matplotlib prints two lines about its temporary folder
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    gc.disable()  # a worker lives for seconds, and garbage collection takes a tenth of its time
    further = filter(None, os.environ.pop(LIBRARIES, "").split(","))
    with _ended_with_run():
        for name in (*DRAWING, *further):
            importlib.import_module(name)


_load()
