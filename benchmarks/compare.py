"""Running times of this version against those of 0.3.0 and of other programs, as a table in Markdown.

``python benchmarks/compare.py [NAME ...]`` installs both versions into virtual environments in the user's cache folder
(2 GB). Every script is run with both versions in turn, and the smallest value of the rounds counts. Progress appears on
stderr.
"""

import argparse
import sys
import time
from pathlib import Path

from targets import BENCHMARKS, Benchmark, Numbers
from versions import Version, earlier_version, present_version

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results -->\n", "<!-- end of the results -->\n"
HEADING = (
    "| Measured | Compared with | Its value | This version | Ratio | At most | |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | --- |\n"
)


def smallest(rounds: list[Numbers]) -> Numbers:
    """Smallest value of every number."""
    return {name: min(numbers[name] for numbers in rounds) for name in rounds[0]} if rounds else {}


def lines(name: str, benchmark: Benchmark, present: Version, earlier: Version, rounds: int) -> str:
    """Lines of the table of one benchmark."""
    ours: list[Numbers] = []
    theirs: list[Numbers] = []
    for number in range(1, rounds + 1):
        progress(f"{name}: round {number} of {rounds}")
        ours.append(present.measure(benchmark.script, *benchmark.options))
        if benchmark.with_earlier:
            theirs.append(earlier.measure(benchmark.script))
    return "".join(row.line(smallest(ours), smallest(theirs)) for row in benchmark.rows)


def progress(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {message}", file=sys.stderr, flush=True)


def write(table: str) -> None:
    """Replace the table in README.md."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of every script with every version (default 3)")
    parser.add_argument("--write", action="store_true", help="replace the table in benchmarks/README.md")
    options = parser.parse_args()
    names = options.name or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
    progress("installation of both versions (minutes, if for the first time)")
    present, earlier = present_version(), earlier_version()
    table = HEADING + "".join(lines(name, BENCHMARKS[name], present, earlier, options.rounds) for name in names)
    print(table, end="")
    if options.write:
        write(table)


if __name__ == "__main__":
    main()
