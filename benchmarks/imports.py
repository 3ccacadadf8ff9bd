"""Imports of --help, of ``import surrogacy`` and of the default run, by library, as tables in Markdown.

``python benchmarks/imports.py [LINES]``: the milliseconds that the modules of each library take themselves (``-X
importtime``, the smallest of three runs), and their number. The processes of the default run that draw figures are
added to the main process.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from versions import present_version

RUNS = 3
COMMANDS = {
    "python -m surrogacy.fit --help": ["-m", "surrogacy.fit", "--help"],
    "import surrogacy": ["-c", "import surrogacy"],
    "python -m surrogacy.fit": ["-m", "surrogacy.fit", "--quiet"],
}


def imports(python: Path, arguments: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Milliseconds and number of modules, per library."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-X", "importtime", *arguments]
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=True)
    times, modules = Counter(), Counter()
    for line in done.stderr.splitlines():
        if line.startswith("import time:") and "self [us]" not in line:
            taken, _, module = line.removeprefix("import time:").split("|")
            library = module.strip().partition(".")[0]
            library = "standard library" if library in sys.stdlib_module_names else library
            times[library] += int(taken) / 1000
            modules[library] += 1
    return times, modules


def main(lines: int = 12) -> None:
    python = present_version().python
    for name, arguments in COMMANDS.items():
        times, modules = min((imports(python, arguments) for _ in range(RUNS)), key=lambda run: run[0].total())
        print(
            f"\n| `{name}` | ms | modules |\n| --- | ---: | ---: |\n| all | {times.total():.0f} | {modules.total()} |"
        )
        for library, taken in times.most_common(lines):
            print(f"| {library} | {taken:.0f} | {modules[library]} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
