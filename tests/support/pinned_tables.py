"""Trial tables of version 2026.11, to which the reference numbers of the tests refer.

Corrections of the shipped tables leave these numbers unchanged. Properties of the shipped tables are tested with
`live_trials`.
"""

import shutil
from functools import cache
from pathlib import Path

import pandas as pd

from surrogacy.trials import TrialSet, read_trials

PINNED_TABLES = Path(__file__).resolve().parents[1] / "data" / "trials-2026.11"
PINNED = ("--trials", str(PINNED_TABLES))


@cache
def pinned_trials() -> TrialSet:
    """Return the pinned tables, which are read once."""
    return read_trials(PINNED_TABLES)


def preferred_arms(folder: Path) -> Path:
    """Copy the pinned tables with the preferred rows of arms.csv alone, as version 0.3.0 read them."""
    shutil.copytree(PINNED_TABLES, folder, ignore=shutil.ignore_patterns("SHA256SUMS"))
    arms = pd.read_csv(folder / "arms.csv", dtype=str, keep_default_na=False)
    arms[arms["preferred"] == "true"].to_csv(folder / "arms.csv", index=False, lineterminator="\n")
    return folder
