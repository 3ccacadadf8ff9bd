"""Sources of the hazard ratios of a comparison: publication, place, quotation and DOI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

import numpy as np

from surrogacy.effects import SIDES, Effects
from surrogacy.results.format import interval, number, percent, value_and_interval
from surrogacy.trials import TrialSet
from surrogacy.trials.analysis_set import SurrogateOnly

type Row = Mapping[Hashable, Any]
EVIDENCE = {
    "primary": "primary (read in the report of the trial)",
    "secondary": "secondary (read in another publication)",
    "unverified": "unverified (not read in any source)",
}


@dataclass(frozen=True)
class Source:
    """Source of a hazard ratio, as the tables give it; empty where they give none.

    Parameters
    ----------
    endpoint, value : str
        Hazard ratio with its published interval.
    analysis : str
        Analysis and patients.
    evidence : str
    place : str
        Place in the source, or in the user's table.
    quotation : str
    publication, doi, pmid : str
    reason : str
        Reason for the choice of this value, if the tables hold another one.
    """

    endpoint: str
    value: str
    analysis: str
    evidence: str
    place: str
    quotation: str
    publication: str
    doi: str
    pmid: str
    reason: str = ""


@dataclass(frozen=True)
class SourcedComparison:
    """Comparison with the sources of its hazard ratios.

    Parameters
    ----------
    key : str
        Identifier in the page.
    comparison, label : str
    sources, unused : tuple of Source
        Hazard ratios that the sets use, and others in the tables for the same endpoints and patients.
    """

    key: str
    comparison: str
    label: str
    sources: tuple[Source, ...]
    unused: tuple[Source, ...]


def sourced_comparisons(
    trials: TrialSet, sets: Sequence[Effects], predicted: Sequence[SurrogateOnly] = ()
) -> tuple[SourcedComparison, ...]:
    """Return every comparison of the sets, with the sources of the hazard ratios that the sets use.

    Parameters
    ----------
    trials : TrialSet
    sets : sequence of Effects
    predicted : sequence of SurrogateOnly
        Comparisons whose final effect is predicted from the surrogate effect.
    """
    labels: dict[str, str] = {}
    used: dict[str, dict[str, None]] = {}
    for effects in sets:
        labels |= dict(zip(effects.comparison, effects.labels, strict=True))
        for side in SIDES:
            for comparison, name in zip(effects.comparison, effects.covariates.get(f"{side}_effect", ()), strict=False):
                used.setdefault(comparison, {})[name] = None
    for entry in predicted:
        labels.setdefault(entry.comparison, entry.label)
        used.setdefault(entry.comparison, {})[entry.effect_id] = None
    rows: dict[str, Row] = {str(row["effect_id"]): row for row in trials.effects.to_dict("records")}
    return tuple(
        _comparison(f"source-{i}", comparison, labels[comparison], names, rows)
        for i, (comparison, names) in enumerate(sorted(used.items(), key=lambda item: labels[item[0]].casefold()))
    )


def _comparison(
    key: str, comparison: str, label: str, names: Collection[str], rows: Mapping[str, Row]
) -> SourcedComparison:
    """Return a comparison with the rows that have the names, and those of the same endpoints that are not used."""
    used = [rows[name] for name in names if name in rows]
    questions = {_question(row) for row in used}
    unused = [
        row
        for name, row in rows.items()
        if name not in names and _question(row) in questions and np.isfinite(row["hr"])
    ]
    number_of_values = Counter(map(_question, [*used, *unused]))
    return SourcedComparison(
        key,
        comparison,
        label,
        tuple(_source(row, with_reason=number_of_values[_question(row)] > 1) for row in used),
        tuple(map(_source, unused)),
    )


def _question(row: Row) -> tuple[object, ...]:
    """Return comparison, endpoint and patients, for which the tables should hold one value."""
    return row["comparison"], row["endpoint"], row["population"]


def _source(row: Row, *, with_reason: bool = False) -> Source:
    """Return the source of a row of the effect table."""
    cell = partial(_text, row)
    level = row["ci_level"] if np.isfinite(row["ci_level"]) else 0.95
    limits = f" ({percent(level)} CI {interval(row['ci_low'], row['ci_high'])})" if np.isfinite(row["ci_low"]) else ""
    patients = cell("population")
    return Source(
        endpoint=cell("endpoint"),
        value=f"{number(row['hr'])}{limits}",
        analysis=", ".join(filter(None, [cell("analysis"), "" if patients == "all" else patients])),
        evidence=EVIDENCE.get(cell("evidence"), cell("evidence")),
        place=cell("where") or f"{PurePath(cell('file')).name}, line {row['file_line']}",
        quotation=cell("quote"),
        publication=cell("source"),
        doi=cell("doi"),
        pmid=cell("pmid"),
        reason=cell("preferred_reason") if with_reason else "",
    )


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def symbol_texts(effects: Effects) -> dict[str, str]:
    """Return name, both hazard ratios as fitted and the number of patients, by comparison.

    Parameters
    ----------
    effects : Effects
        Effects that a figure shows.
    """
    hr, (low, high) = np.exp(effects.log_hr), map(np.exp, effects.limits)
    endpoints = [effects.covariates.get(side, ("",) * len(effects)) for side in SIDES]
    texts = {}
    for i, comparison in enumerate(effects.comparison):
        lines = [effects.labels[i]]
        for column, default in enumerate(("surrogate", "final")):
            if not np.isfinite(hr[i, column]):
                continue
            limited = np.isfinite(low[i, column])
            value = value_and_interval(hr[i, column], low[i, column], high[i, column]) if limited else ""
            lines.append(f"{endpoints[column][i] or default} HR {value or number(hr[i, column])}")
        if np.isfinite(effects.n[i]):
            lines.append(f"{effects.n[i]:,.0f} patients")
        texts[comparison] = "\n".join(lines)
    return texts
