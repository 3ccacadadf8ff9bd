"""Commands on a pseudo-terminal."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

try:
    import pty
except ImportError:  # Windows
    pty = None

LONGEST_SESSION = 150  # seconds
END_OF_INPUT = b"\x04"


def run_on_terminal(arguments: list[str], answers: list[str], folder: Path) -> tuple[int, str]:
    """Run ``surrogacy`` on a terminal, and return exit code and screen.

    Each answer is typed when a prompt, which ends with a colon, is shown; after the last one, the input ends.
    """
    main, side = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-m", "surrogacy", *arguments],
        stdin=side,
        stdout=side,
        stderr=side,
        cwd=folder,
        env=environment,
        start_new_session=True,
    )
    os.close(side)
    shown, waiting, began = b"", list(answers), time.monotonic()
    try:
        while time.monotonic() - began < LONGEST_SESSION:
            if not select.select([main], [], [], 0.05)[0]:
                if shown.rstrip(b" ").endswith(b":"):
                    os.write(main, waiting.pop(0).encode() + b"\n" if waiting else END_OF_INPUT)
                    shown += os.read(main, 65536)  # the echo
                continue
            try:
                piece = os.read(main, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not piece:
                break
            shown += piece
        else:
            process.kill()
        return process.wait(), shown.decode()
    finally:
        process.kill()
        os.close(main)
