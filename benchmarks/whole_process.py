"""Wall time of whole processes: the default run, --json, --help and the import, against an interpreter that imports
pandas and matplotlib.

``python benchmarks/whole_process.py`` from the project's folder.
"""

import subprocess
import sys
import tempfile
import time

REPEATS = 4
COMMANDS = {
    "peer: import pandas, matplotlib.pyplot": ["-c", "import pandas, matplotlib.pyplot"],
    "surrogacy.fit (four sets, figures, tables)": ["-m", "surrogacy.fit", "--quiet", "--out", "OUT"],
    "surrogacy.fit tactics-2022 --json": ["-m", "surrogacy.fit", "tactics-2022", "--json"],
    "surrogacy.fit --help": ["-m", "surrogacy.fit", "--help"],
    "import surrogacy": ["-c", "import surrogacy"],
}


def seconds(arguments: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *(folder if word == "OUT" else word for word in arguments)]
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    times = {name: min(seconds(arguments) for _ in range(REPEATS)) for name, arguments in COMMANDS.items()}
    peer = next(iter(times.values()))
    for name, shortest in times.items():
        print(f"{name:45} {shortest:6.2f} s   {shortest / peer:5.2f} x the peer")


if __name__ == "__main__":
    main()
