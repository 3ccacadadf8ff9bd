"""Imports of --help, of ``import surrogacy`` and of the default run, by library.

``python benchmarks/imports.py [LINES]``: the milliseconds that the modules of each library take themselves (``-X
importtime``), and their number. The default run includes the fork server and the workers that draw.
"""

import subprocess
import sys
import tempfile
from collections import Counter

COMMANDS = {
    "python -m surrogacy.fit --help": ["-m", "surrogacy.fit", "--help"],
    "import surrogacy": ["-c", "import surrogacy"],
    "python -m surrogacy.fit": ["-m", "surrogacy.fit", "--quiet"],
}


def imports(arguments: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Milliseconds and number of modules, per library."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-X", "importtime", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
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
    for name, arguments in COMMANDS.items():
        times, modules = imports(arguments)
        print(f"{name}: {times.total():.0f} ms, {modules.total()} modules")
        for library, taken in times.most_common(lines):
            print(f"  {library:20} {taken:7.1f} ms {modules[library]:5d} modules")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
