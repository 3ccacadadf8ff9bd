"""Whole processes: the default run, --json, --help and the import, against an interpreter that imports pandas and
matplotlib.

Run by hand from the project's folder: python benchmarks/whole_process.py
"""

import statistics
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "peer: import pandas, matplotlib.pyplot": ["-c", "import pandas, matplotlib.pyplot"],
    "surrogacy.fit (four sets, figures, tables)": ["-m", "surrogacy.fit", "--quiet", "--out", "OUT"],
    "surrogacy.fit tactics-2022 --json": ["-m", "surrogacy.fit", "tactics-2022", "--json"],
    "surrogacy.fit --help": ["-m", "surrogacy.fit", "--help"],
    "import surrogacy": ["-c", "import surrogacy"],
}


def seconds(arguments: list[str]) -> float:
    times = []
    for _ in range(4):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            command = [sys.executable, *(folder if word == "OUT" else word for word in arguments)]
            subprocess.run(command, check=True, capture_output=True)
            times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


peer = None
for name, arguments in COMMANDS.items():
    taken = seconds(arguments)
    peer = peer or taken
    print(f"{name:45} {taken:6.2f} s   {taken / peer:5.2f} x the peer")
