"""The pinned tables with few comparisons: a whole run of the decomposition takes a third of the time."""

import csv
import shutil

from tests.support.pinned_tables import PINNED_TABLES

FEW = ("tactics", "space", "brisk-ta", "tace-2", "launch", "sharp", "reflect", "imbrave150", "checkmate-459")


def write_small_tables(folder):
    """Copy the rows of these comparisons, with the sets that are rules, into a new folder."""
    shutil.copytree(PINNED_TABLES, folder, ignore=shutil.ignore_patterns("*.csv", "SHA256SUMS"))
    for path in PINNED_TABLES.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = [row for row in reader if row["comparison"] in FEW]
        with (folder / path.name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, reader.fieldnames, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    for path in (PINNED_TABLES / "sets").glob("*.csv"):
        if path.read_text(encoding="utf-8").startswith("column,value"):
            shutil.copy(path, folder / "sets")
