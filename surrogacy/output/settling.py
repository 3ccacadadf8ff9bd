"""Clean-up of a folder by a figure worker that has outlived the run."""

from __future__ import annotations

import time
from pathlib import Path

from surrogacy.output.replacement import STAGE_NAME, recover

SECONDS = 3.0


def settle(out: str) -> None:
    """Complete or undo the replacement of the interrupted run, until its stage is removed.

    Another worker may still be writing a figure into the stage, so that the first attempt may fail.
    """
    folder = Path(out)
    end = time.monotonic() + SECONDS
    while True:
        recover(folder)
        if time.monotonic() > end or not any(STAGE_NAME.fullmatch(path.name) for path in folder.glob(".surrogacy-*")):
            return
        time.sleep(0.1)
