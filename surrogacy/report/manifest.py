"""run.json: what was run, on what, when and for how long; the only file with times in it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import surrogacy
from surrogacy.errors import FigureError
from surrogacy.output.earlier_run import PROGRAM, sha256
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
    folder: Path,
    figure_problems: Sequence[FigureError] = (),
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
    folder : Path
        Everything that the run wrote so far; recorded with SHA-256 sums, by which a mixed folder is detected. The next
        run into the same folder removes these files.
    figure_problems : sequence of FigureError
        Figures that could not be drawn.
    command : str
    """
    sums = {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        "program": PROGRAM,
        "command": command,
        "arguments": list(arguments),
        "version": surrogacy.__version__,
        "data_version": data_version,
        "seed": seed,
        "started_utc": started.isoformat(timespec="seconds"),
        "ended_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in stages.items()},
        "inputs": {_name(path): sha256(path) for path in inputs if path.is_file()},
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "warnings": list(warnings),
        "exit_code": exit_code,
        "figure_problems": [{"figure": problem.figure, "reason": problem.reason} for problem in figure_problems],
        "files": sorted(sums),
        "sha256": sums,
    }


def _name(path: Path) -> str:
    folder = shipped_tables()
    return f"data/trials/{path.relative_to(folder).as_posix()}" if path.is_relative_to(folder) else str(path)
