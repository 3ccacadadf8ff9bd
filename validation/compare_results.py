"""Largest difference between two ``results.json`` files, of the fit or of pps.

``python validation/compare_results.py BEFORE.json AFTER.json [TOLERANCE]`` prints the number of values compared, the
keys that are missing in one file, texts that differ, and the ten largest differences between numbers. The exit code
is 1 if a number differs by more than the tolerance (default 1e-9), or if a key or a text differs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is not a list or an object, with its path in the document."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from leaves(entry, f"{path}/{key}")
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from leaves(entry, f"{path}[{number}]")
    else:
        yield path, value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def main(before_path: str, after_path: str, tolerance: float = 1e-9) -> int:
    before, after = (dict(leaves(json.loads(Path(path).read_text()))) for path in (before_path, after_path))
    both = [path for path in before if path in after]
    pairs = [(path, before[path], after[path]) for path in both]
    numbers = [(abs(x - y), path, x, y) for path, x, y in pairs if is_number(x) and is_number(y)]
    others = [(path, x, y) for path, x, y in pairs if not (is_number(x) and is_number(y)) and x != y]
    print(f"{len(both)} values compared, {len(numbers)} of them numbers")
    for words, missing in (("only before", before.keys() - after.keys()), ("only after", after.keys() - before.keys())):
        for path in sorted(missing):
            print(f"{words}: {path}")
    for path, x, y in others:
        print(f"differs: {path}: {x!r} -> {y!r}")
    for difference, path, x, y in sorted(numbers, key=lambda entry: entry[0], reverse=True)[:10]:
        if difference > 0:
            print(f"{difference:.3g}  {path}: {x!r} -> {y!r}")
    largest = max((entry[0] for entry in numbers), default=0.0)
    print(f"largest difference {largest:.3g}")
    return 1 if largest > tolerance or others or before.keys() != after.keys() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:4])))
