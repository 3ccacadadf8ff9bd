"""run.json: what was run, on what, when and for how long; the only file with times in it."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import surrogacy
from surrogacy.trials.curated_tables import shipped_tables

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib")


def manifest(
    arguments: Sequence[str],
    *,
    started: datetime,
    stages: Mapping[str, float],
    inputs: Sequence[Path],
    seed: int,
    data_version: str,
    warnings: Sequence[str],
    exit_code: int,
    files: Sequence[str],
    command: str = "python -m surrogacy.fit",
) -> dict[str, Any]:
    """Describe a run.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line.
    started : datetime
        UTC.
    stages : mapping of str to float
        Seconds each stage took.
    inputs : sequence of Path
        Files whose SHA-256 is recorded.
    seed : int
    data_version : str
    warnings : sequence of str
    exit_code : int
    files : sequence of str
        What the run wrote; the next run into the same folder removes them first.
    command : str
    """
    return {
        "command": command,
        "arguments": list(arguments),
        "version": surrogacy.__version__,
        "data_version": data_version,
        "seed": seed,
        "started_utc": started.isoformat(timespec="seconds"),
        "ended_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in stages.items()},
        "inputs": {_name(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs if path.is_file()},
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "git": _git_state(),
        "warnings": list(warnings),
        "exit_code": exit_code,
        "files": list(files),
    }


def _name(path: Path) -> str:
    folder = shipped_tables()
    return f"data/trials/{path.relative_to(folder).as_posix()}" if path.is_relative_to(folder) else str(path)


def _git_state() -> str | None:
    """Commit of the working folder, with + if it has changes; None outside a repository."""
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip() or None
