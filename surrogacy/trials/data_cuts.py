"""Data cuts of a trial: the earliest or the latest analysis instead of the preferred one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.trials import TrialSet
from surrogacy.trials.columns import EVIDENCE
from surrogacy.trials.frames import ReportedEffect, reported_effects
from surrogacy.trials.standard_errors import standard_error

DATA_CUTS = ("preferred", "earliest", "latest")

# Order of analyses by the first word of their description, if the date of the data cut is not stated.
STAGES_OF_ANALYSIS = {"first": 0, "interim": 0, "prespecified": 0, "primary": 1, "final": 2, "updated": 3}


def with_data_cut(trials: TrialSet, cut: str, min_evidence: str = "secondary") -> TrialSet:
    """Return the tables with the earliest or latest analysis of each hazard ratio marked as preferred.

    Candidates have the population, criteria, review and adjustment of the preferred row, sufficient evidence and a
    standard error. They are ordered by the dates of their data cuts or, if one has no date, by their description
    (interim, primary, final, updated). If neither decides, the preferred row is kept.

    Parameters
    ----------
    trials : TrialSet
    cut : {"preferred", "earliest", "latest"}
    min_evidence : str

    Raises
    ------
    UsageError
        If the cut is not one of these.
    """
    if cut not in DATA_CUTS:
        raise UsageError(f"unknown data cut {cut!r}; choose from {', '.join(DATA_CUTS)}")
    if cut == "preferred":
        return trials
    direction = -1 if cut == "earliest" else 1
    worst = EVIDENCE.index(min_evidence)
    table = trials.effects
    rows = reported_effects(table)
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        usable = row.evidence in EVIDENCE[: worst + 1] and standard_error(row) is not None and np.isfinite(row.hr)
        if row.preferred or usable:
            alike = (row.comparison, row.endpoint, row.population, row.criteria, row.review, row.adjusted)
            groups.setdefault(alike, []).append(place)
    preferred = table["preferred"].to_numpy(copy=True)
    for places in groups.values():
        chosen = next((place for place in places if preferred[place]), None)
        if chosen is None:
            continue
        best = chosen
        for place in places:
            if direction * _later(rows[place], rows[best]) > 0:
                best = place
        preferred[chosen], preferred[best] = False, True
    return replace(trials, effects=table.assign(preferred=preferred))


def _later(first: ReportedEffect, second: ReportedEffect) -> int:
    """Return 1 if the first analysis is later than the second, -1 if it is earlier, and 0 if this is unknown."""
    dates = first.data_cut, second.data_cut
    if all(dates):
        shared = min(map(len, dates))  # a date may be a month
        return int(np.sign((dates[0][:shared] > dates[1][:shared]) - (dates[0][:shared] < dates[1][:shared])))
    words = [(effect.analysis.replace(",", " ").split() or [""])[0] for effect in (first, second)]
    ranks = [STAGES_OF_ANALYSIS.get(word) for word in words]
    if ranks[0] is None or ranks[1] is None:
        return 0
    return int(np.sign(ranks[0] - ranks[1]))
