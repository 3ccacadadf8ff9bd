"""Libraries that a process loads before it draws: imported once, by the server that the figure workers are forked from."""

import importlib
import logging
import os

LIBRARIES = (
    "numpy",
    "scipy.stats",
    "pandas",
    "matplotlib.figure",
    "matplotlib.backends.backend_pdf",
    "surrogacy.report.drawing",
    "surrogacy.figures",
)


def _load() -> None:
    """Import the libraries one by one; end this process if its parent dies meanwhile."""
    # without a home folder that can be written to, matplotlib says in two lines that it uses a temporary one
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    parent = os.getppid()
    for name in LIBRARIES:
        importlib.import_module(name)
        if os.getppid() != parent:
            os._exit(1)


_load()
