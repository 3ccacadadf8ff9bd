"""Wall time of whole processes: the default run, --json, --help and the import, against an interpreter that imports
pandas and matplotlib.

``python benchmarks/whole_process.py`` from the project's folder.
"""

import subprocess
import sys
import tempfile
import time

REPEATS = 4
PEER = "import pandas, matplotlib.pyplot"
COMMANDS = {
    PEER: ["-c", PEER],
    "python -m surrogacy.fit": ["-m", "surrogacy.fit", "--quiet"],
    "python -m surrogacy.fit tactics-2022 --json": ["-m", "surrogacy.fit", "tactics-2022", "--json"],
    "python -m surrogacy.fit --help": ["-m", "surrogacy.fit", "--help"],
    "import surrogacy": ["-c", "import surrogacy"],
}


def seconds(arguments: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    times = {name: min(seconds(arguments) for _ in range(REPEATS)) for name, arguments in COMMANDS.items()}
    for name, shortest in times.items():
        print(f"{name:45} {shortest:6.2f} s   {shortest / times[PEER]:5.2f} x {PEER}")


if __name__ == "__main__":
    main()
