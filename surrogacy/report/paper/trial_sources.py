"""Publications from which the hazard ratios of an analysis come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from surrogacy.effects import Effects
from surrogacy.report.fitted_comparisons import fitted_comparisons
from surrogacy.report.paper.bibliography import Reference, read_references
from surrogacy.trials import TrialSet
from surrogacy.trials.curated_tables import shipped_tables

BIBLIOGRAPHY = "sources.bib"


class _Row(NamedTuple):
    """Sources of a hazard ratio in the tables."""

    comparison: str
    source: str
    read_in: str
    doi: str


@dataclass(frozen=True)
class ComparisonSource:
    """Publications of one comparison.

    Parameters
    ----------
    comparison, label : str
    published : tuple of str
        Keys of the publications of its hazard ratios.
    read : tuple of str
        Keys of the texts in which the values were read, if these are not the publications.
    missing : tuple of str
        Sources without an entry in the bibliography, as the table names them; empty texts stand for no source.
    """

    comparison: str
    label: str
    published: tuple[str, ...]
    read: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class TrialSources:
    """Publications of the comparisons of an analysis.

    Parameters
    ----------
    comparisons : tuple of ComparisonSource
    references : mapping of str to Reference
        By key, in alphabetical order.
    """

    comparisons: tuple[ComparisonSource, ...]
    references: dict[str, Reference]

    @property
    def published(self) -> tuple[Reference, ...]:
        """References of the publications."""
        return self._among(key for source in self.comparisons for key in source.published)

    @property
    def read_only(self) -> tuple[Reference, ...]:
        """References of other texts in which values were read."""
        published = {reference.key for reference in self.published}
        return self._among(key for source in self.comparisons for key in source.read if key not in published)

    @property
    def without_reference(self) -> tuple[ComparisonSource, ...]:
        """Comparisons with a hazard ratio whose source has no entry in the bibliography."""
        return tuple(source for source in self.comparisons if source.missing)

    def _among(self, keys: Iterable[str]) -> tuple[Reference, ...]:
        wanted = set(keys)
        return tuple(reference for key, reference in self.references.items() if key in wanted)


def trial_sources(trials: TrialSet, effects: Sequence[Effects], extra_effects: Iterable[str] = ()) -> TrialSources:
    """Return the publications of the hazard ratios of these effects.

    Parameters
    ----------
    trials : TrialSet
    effects : sequence of Effects
        Paired effects of the analysis sets.
    extra_effects : iterable of str
        Further hazard ratios, such as earlier data cuts of a trial in focus.
    """
    columns = (trials.effects[name].astype(str) for name in ("effect_id", "comparison", "source", "read_in", "doi"))
    rows: dict[str, _Row] = {}
    for name, *values in zip(*(column.tolist() for column in columns), strict=True):
        rows.setdefault(name, _Row(*values))
    fitted = fitted_comparisons(effects)
    labels = {entry.comparison: entry.label for entry in fitted}
    used = {entry.comparison: dict.fromkeys(name for name in entry.effect_ids if name in rows) for entry in fitted}
    for name in extra_effects:
        if name in rows:
            used.setdefault(rows[name].comparison, {})[name] = None
    table = {comparison: [rows[name] for name in names] for comparison, names in used.items()}
    keys = sorted({key for values in table.values() for row in values for key in (row.source, row.read_in)})
    references = read_references(_bibliography(trials), keys)
    sources = []
    for comparison, values in table.items():
        published = dict.fromkeys(row.source for row in values)
        read = dict.fromkeys(row.read_in for row in values if row.read_in and row.read_in not in published)
        missing = dict.fromkeys(row.source or row.doi for row in values if row.source not in references)
        sources.append(
            ComparisonSource(
                comparison,
                labels.get(comparison, comparison),
                tuple(key for key in published if key in references),
                tuple(key for key in read if key in references),
                tuple(missing) if values else ("",),
            )
        )
    return TrialSources(tuple(sources), references)


def _bibliography(trials: TrialSet) -> str:
    """Return the bibliography of the tables, with that of the shipped tables for rows that were added to these."""
    paths = dict.fromkeys(Path(folder) / BIBLIOGRAPHY for folder in (trials.folder, shipped_tables()))
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())
