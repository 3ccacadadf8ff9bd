"""The version of this checkout and 0.3.0, each installed into a virtual environment outside the checkout."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
TRIALS = CHECKOUT / "tests/data/trials-2026.11"
EARLIER, COMMIT = "0.3.0", "9bd36b6"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "surrogacy-benchmarks"


@dataclass(frozen=True)
class Version:
    """Installed version of the package, by the interpreter of its environment."""

    python: Path

    def measure(self, script: str, *options: str) -> dict[str, float]:
        """Numbers that a script of this folder prints as one JSON object when it imports this version."""
        variables = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        variables.pop("PYTHONPATH", None)
        command = [str(self.python), str(CHECKOUT / "benchmarks" / script), *options]
        done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)


def present_version(folder: Path = CACHE) -> Version:
    """The package of this checkout, installed again with the libraries that it requires."""
    python = environment(folder / "present")
    call(python, "-m", "pip", "uninstall", "--quiet", "--yes", "surrogacy")
    install(CHECKOUT, python)
    return Version(python)


def earlier_version(folder: Path = CACHE) -> Version:
    """Version 0.3.0, installed if it is not there."""
    python = environment(folder / COMMIT)
    if not list(python.parents[1].glob("lib/*/site-packages/surrogacy")):
        with tempfile.TemporaryDirectory() as source:
            archive = subprocess.run(["git", "archive", COMMIT], cwd=CHECKOUT, stdout=subprocess.PIPE, check=True)
            subprocess.run(["tar", "x", "-C", source], input=archive.stdout, check=True)
            install(Path(source), python)
    return Version(python)


def environment(folder: Path) -> Path:
    """Interpreter of a virtual environment, which is made if it is not there."""
    python = folder / "bin/python"
    if not python.exists():
        call(Path(sys.executable), "-m", "venv", folder)
    return python


def install(source: Path, python: Path) -> None:
    """Install the package and what it requires, in the releases of the environment that runs this script."""
    freeze = [sys.executable, "-m", "pip", "freeze", "--exclude-editable", "--exclude", "surrogacy"]
    releases = python.parents[1] / "constraints.txt"
    releases.write_bytes(subprocess.run(freeze, stdout=subprocess.PIPE, check=True).stdout)
    call(python, "-m", "pip", "install", "--quiet", "--constraint", releases, source)


def call(python: Path, *arguments: str | Path) -> None:
    """Run Python without output on stdout, which belongs to the table."""
    subprocess.run([python, *arguments], stdout=sys.stderr, check=True)
