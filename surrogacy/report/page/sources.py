"""Sources of the hazard ratios of a comparison: publication, place, quotation and DOI."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from surrogacy.effects import SIDES, Effects
from surrogacy.results.format import interval, number, percent, value_and_interval
from surrogacy.trials import TrialSet


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


@dataclass(frozen=True)
class SourcedComparison:
    """Comparison with the sources of its hazard ratios.

    Parameters
    ----------
    key : str
        Identifier in the page.
    comparison, label : str
    sources : tuple of Source
    """

    key: str
    comparison: str
    label: str
    sources: tuple[Source, ...]


def sourced_comparisons(trials: TrialSet, sets: Sequence[Effects]) -> tuple[SourcedComparison, ...]:
    """Return every comparison of the sets, with the sources of the hazard ratios that the sets use.

    Parameters
    ----------
    trials : TrialSet
    sets : sequence of Effects
    """
    labels: dict[str, str] = {}
    used: dict[str, dict[str, None]] = {}
    for effects in sets:
        labels |= dict(zip(effects.comparison, effects.labels, strict=True))
        for side in SIDES:
            for comparison, name in zip(effects.comparison, effects.covariates.get(f"{side}_effect", ()), strict=False):
                used.setdefault(comparison, {})[name] = None
    rows = {str(row["effect_id"]): row for row in trials.effects.to_dict("records")}
    return tuple(
        SourcedComparison(
            f"source-{i}", comparison, labels[comparison], tuple(_source(rows[name]) for name in names if name in rows)
        )
        for i, (comparison, names) in enumerate(sorted(used.items(), key=lambda item: labels[item[0]].casefold()))
    )


def _source(row: Mapping[Hashable, Any]) -> Source:
    """Return the source of a row of the effect table."""
    cell = partial(_text, row)
    level = row["ci_level"] if np.isfinite(row["ci_level"]) else 0.95
    limits = f" ({percent(level)} CI {interval(row['ci_low'], row['ci_high'])})" if np.isfinite(row["ci_low"]) else ""
    patients = cell("population")
    return Source(
        endpoint=cell("endpoint"),
        value=f"{number(row['hr'])}{limits}",
        analysis=", ".join(filter(None, [cell("analysis"), "" if patients == "all" else patients])),
        evidence=cell("evidence"),
        place=cell("where") or f"{cell('file')}, line {row['file_line']}",
        quotation=cell("quote"),
        publication=cell("source"),
        doi=cell("doi"),
        pmid=cell("pmid"),
    )


def _text(row: Mapping[Hashable, Any], name: str) -> str:
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
