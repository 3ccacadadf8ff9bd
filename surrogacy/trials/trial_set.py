"""Trial tables of a run, and the analysis sets that can be paired from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from surrogacy.effects import Effects
from surrogacy.errors import DataError, Fault, UsageError
from surrogacy.results.suggestions import unknown_name
from surrogacy.trials.analysis_set import DEFAULT_PAIRING, AnalysisSet, Pairing, Source
from surrogacy.trials.columns import FINALS, SURROGATES
from surrogacy.trials.curated_tables import refuse_pipe, shipped_tables
from surrogacy.trials.files import Table, read_table
from surrogacy.trials.frames import ReportedEffect, reported_effects
from surrogacy.trials.pairing import pair_by_list, pair_by_rule, rule_text
from surrogacy.trials.rows import Row
from surrogacy.trials.rules.set_rules import check_set
from surrogacy.trials.shared_control import SharedControl

DATA_VERSION = "2026.12"


@dataclass(frozen=True, eq=False)
class TrialSet:
    """Checked trial tables of a run.

    Parameters
    ----------
    trials, effects, arms, at_risk : DataFrame
        One row per comparison, hazard ratio, arm, and time of a survival curve (months); columns as in CODEBOOK.md,
        with the place of each row (``file``, ``file_line``). ``at_risk`` may have no rows.
    folder : Path
        Folder of the tables and their ``sets/``.
    data_version : str
    added : tuple of str
        Comparisons that the user's table added or changed.
    faults : tuple of Fault
        Warnings and remarks of the checks.
    files : tuple of Path
        Files read.
    columns : tuple of (heading, meaning)
        Interpretation of each column of a user's table.
    final_endpoints : tuple of str
        Final endpoints: OS, unless a user's table names another one.
    curated : TrialSet, optional
        The tables without the added rows.

    Examples
    --------
    >>> from surrogacy.trials import read_trials
    >>> trials = read_trials()
    >>> len(trials.trials), trials.analysis_set("tactics-2022").comparison[:2]
    (101, ('post-tace', 'space'))
    """

    trials: pd.DataFrame
    effects: pd.DataFrame
    arms: pd.DataFrame
    at_risk: pd.DataFrame
    folder: Path
    data_version: str
    added: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    files: tuple[Path, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    final_endpoints: tuple[str, ...] = FINALS
    curated: TrialSet | None = field(default=None, repr=False)

    def without_added(self) -> TrialSet:
        """Return the tables without the added rows, which were kept from the same reading."""
        return self if self.curated is None else self.curated

    def pair(
        self,
        surrogate: str | Sequence[str] = SURROGATES,
        final: str | None = None,
        rho_within: float = 0.5,
        select: dict[str, Sequence[str]] | None = None,
        min_evidence: str = "secondary",
        shared_control: SharedControl = "cov",
        name: str = "",
    ) -> Effects:
        """Pair the preferred surrogate and final effect of every comparison.

        Parameters
        ----------
        surrogate : str or sequence of str
            Surrogate endpoints in order of preference.
        final : str, optional
            Default: OS, or the final endpoint that a user's table names.
        rho_within : float
            Within-trial correlation of the two log hazard ratios if none is reported.
        select : dict of column to values, optional
            Selection of comparisons, e.g. ``{"stage": ["advanced"], "class": ["not locoregional"]}``; ``not`` before a
            value excludes it.
        min_evidence : {"primary", "secondary", "unverified"}
            Weakest evidence that a hazard ratio may have.
        shared_control : {"cov", "first", "combine"}
        name : str

        Returns
        -------
        Effects

        Raises
        ------
        DataError
            If the evidence of an added row is weaker than ``min_evidence``.
        UsageError
            If a column, endpoint or level of evidence does not exist.
        """
        pairing = _pairing(surrogate, final, rho_within, min_evidence, shared_control)
        return self.analysis_set_with_flow(select or {}, pairing, name).effects

    @cached_property
    def reported(self) -> tuple[ReportedEffect, ...]:
        """Rows of ``effects`` as typed values."""
        return tuple(reported_effects(self.effects))

    @property
    def surrogates(self) -> tuple[str, ...]:
        """Endpoints of the table except the final ones, in order of appearance."""
        return tuple(name for name in dict.fromkeys(self.effects["endpoint"]) if name not in self.final_endpoints)

    def analysis_set(
        self,
        name: str,
        surrogate: str | Sequence[str] = SURROGATES,
        rho_within: float = 0.5,
        min_evidence: str = "secondary",
        shared_control: SharedControl = "cov",
    ) -> Effects:
        """Return a named analysis set; see `pair` for the parameters.

        A set that lists its hazard ratios keeps them at any level of evidence, and states unverified ones as a caveat.

        Raises
        ------
        UsageError
            If there is no such set.
        """
        pairing = _pairing(surrogate, None, rho_within, min_evidence, shared_control)
        return self.analysis_set_with_flow(name, pairing).effects

    def analysis_set_with_flow(self, source: Source, pairing: Pairing = DEFAULT_PAIRING, name: str = "") -> AnalysisSet:
        """Return paired effects with the flow: the comparisons considered and the reasons for exclusions.

        Parameters
        ----------
        source : str or mapping of column to values
            Name of an analysis set, or a selection of comparisons.
        pairing : Pairing
        name : str
            Name of a set that is not a file.

        Raises
        ------
        DataError
            If the evidence of an added row is too weak, or the file of the set has errors.
        UsageError
            If there is no such set, column or endpoint, or nothing can be paired.
        """
        pairing = pairing.spelled(tuple(dict.fromkeys(self.effects["endpoint"])), self.final_endpoints)
        tables = self.trials, self.reported, self.added, pairing
        if not isinstance(source, str):
            return pair_by_rule(*tables, source, name)
        rows = self._set_rows(source)
        if "surrogate_effect" in rows[0]:
            return pair_by_list(*tables, rows, source)
        rule: dict[str, list[str]] = {}
        for row in rows:
            rule.setdefault(row["column"], []).append(row["value"])
        return replace(pair_by_rule(*tables, rule, source), source=source)

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the analysis sets."""
        return tuple(sorted(path.stem for path in (self.folder / "sets").glob("*.csv")))

    def check_sets(self) -> list[Fault]:
        """Return the faults of every analysis set of the folder."""
        return [fault for name in self.sets for fault in self._check_set(self._set_table(name))]

    def _set_table(self, name: str) -> Table:
        path = self.folder / "sets" / f"{name}.csv"
        refuse_pipe(path)
        shown = f"data/trials/sets/{name}.csv" if self.folder == shipped_tables() else None
        return read_table(path, shown).lower_case()

    def _check_set(self, table: Table) -> list[Fault]:
        named = {row.get("column", "") for row in table.rows} & set(self.trials.columns)
        trials = {column: [rule_text(value) for value in self.trials[column].tolist()] for column in named}
        return check_set(table, trials, {effect.effect_id: effect for effect in self.reported})

    def _set_rows(self, name: str) -> tuple[Row, ...]:
        if name not in self.sets:
            rule = unknown_name(f"there is no analysis set {name!r}", name, self.sets)
            raise UsageError(f"{rule}, or add sets/{name}.csv")
        table = self._set_table(name)
        errors = [fault for fault in self._check_set(table) if fault.severity == "error"]
        if errors:
            raise DataError(errors)
        return table.rows


def _pairing(
    surrogate: str | Sequence[str],
    final: str | None,
    rho_within: float,
    min_evidence: str,
    shared_control: SharedControl,
) -> Pairing:
    """Make a pairing from the keywords of a method."""
    surrogates = (surrogate,) if isinstance(surrogate, str) else tuple(surrogate)
    return Pairing(surrogates, () if final is None else (final,), rho_within, min_evidence, shared_control)
