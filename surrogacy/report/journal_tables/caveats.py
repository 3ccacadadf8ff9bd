"""Caveats on data and prior below the tables whose numbers depend on them."""

from __future__ import annotations

from collections.abc import Iterable

from surrogacy.analysis.fit_run import SetFit
from surrogacy.errors import CaveatCode
from surrogacy.report.journal_tables.layout import Footnotes, sentence
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.format import listed
from surrogacy.results.result import Result

CARRIED = (
    CaveatCode.UNVERIFIED,
    CaveatCode.ADDED,
    CaveatCode.ASSUMPTION,
    CaveatCode.MIXED_ENDPOINTS,
    CaveatCode.PRIOR_DOMINATES,
)


def caveat_remarks(results: Iterable[Result]) -> tuple[str, ...]:
    """Return a note per caveat on the hazard ratios or on the prior, with the sets that it concerns.

    Parameters
    ----------
    results : iterable of Result
        One result of each set.
    """
    notes, results = Footnotes(), tuple(results)
    for code in CARRIED:
        for result in results:
            for caveat in result.caveats:
                if caveat.code is code:
                    notes.mark(code, sentence(caveat.text), set_label(result.effects.name))
    return tuple(note.text for note in notes.all)


def shared_control_remarks(fits: Iterable[SetFit]) -> tuple[str, ...]:
    """Return a note on the comparisons that share a control arm, whose patients are in each of them."""
    groups: dict[str, dict[str, None]] = {}
    for fit in fits:
        for label, group in zip(fit.effects.labels, fit.effects.control_group, strict=True):
            if group:
                groups.setdefault(group, {})[label] = None
    shared = "; ".join(listed(list(labels)) for labels in groups.values() if len(labels) > 1)
    if not shared:
        return ()
    return (f"Comparisons with a common control arm, whose patients are counted in each row: {shared}.",)
