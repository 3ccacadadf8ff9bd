"""Trial tables of version 2026.11, to which the reference numbers of the tests refer.

Corrections of the shipped tables leave these numbers unchanged. Properties of the shipped tables are tested with
`live_trials`.
"""

from functools import cache
from pathlib import Path

from surrogacy.trials import TrialSet, read_trials

PINNED_TABLES = Path(__file__).resolve().parents[1] / "data" / "trials-2026.11"
PINNED = ("--trials", str(PINNED_TABLES))


@cache
def pinned_trials() -> TrialSet:
    """Return the pinned tables, which are read once."""
    return read_trials(PINNED_TABLES)
