"""Read the trial tables, check every cell, and hold them as a `TrialSet`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from surrogacy.effects import Effects
from surrogacy.errors import DataError, Fault, UsageError
from surrogacy.trials import agreement_rules, arm_rules, comparison_rules, effect_rules, trial_facts
from surrogacy.trials.adding_rows import added_rows, check_user_rows, final_endpoints, merge, presumed_endpoints
from surrogacy.trials.analysis_set import DEFAULT_PAIRING, AnalysisSet, Pairing, Source
from surrogacy.trials.columns import ARMS, AT_RISK, EFFECTS, FINALS, OPTIONAL_EFFECTS, SURROGATES, TABLES, TRIALS
from surrogacy.trials.curated_tables import changed_files, check_columns, read_curated_rows, refuse_pipe, shipped_tables
from surrogacy.trials.files import Table, read_table
from surrogacy.trials.frames import table_frame
from surrogacy.trials.layouts import DEFAULT_ROLES, OWN_ROLES
from surrogacy.trials.pairing import pair_by_list, pair_by_rule, rule_text
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.set_rules import check_set
from surrogacy.trials.shared_control import SharedControl

DATA_VERSION = "2026.11"


@dataclass(frozen=True, eq=False)
class TrialSet:
    """Trial tables of a run, checked.

    Parameters
    ----------
    trials, effects, arms, at_risk : DataFrame
        A row is a comparison, a hazard ratio, an arm, and a time of a survival curve (months); columns as in CODEBOOK.md,
        numbers as numbers, with the place of each row (``file``, ``file_line``). ``at_risk`` has no rows where none are
        known.
    folder : Path
        Where the tables and their ``sets/`` lie.
    data_version : str
    added : tuple of str
        Comparisons that ``add`` brought in or changed.
    faults : tuple of Fault
        Warnings and remarks of the checks.
    files : tuple of Path
        Files read.
    columns : tuple of (heading, meaning)
        Interpretation of each column of a user's table.
    final_endpoints : tuple of str
        Endpoints that stand at the end: OS, but for a user's table that names another one.
    curated : TrialSet, optional
        The tables that ``add`` changed, as they were.

    Examples
    --------
    >>> from surrogacy.trials import read_trials
    >>> trials = read_trials()
    >>> len(trials.trials), trials.analysis_set("tactics-2022").comparison[:2]
    (83, ('post-tace', 'space'))
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
        """Return the tables as they were before ``add`` brought in or changed rows; nothing is read again."""
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
            Within-trial correlation of the two log hazard ratios where none is reported.
        select : dict of column to values, optional
            Which rows of ``trials`` take part, e.g. ``{"stage": ["advanced"], "line": ["first"]}``.
        min_evidence : {"primary", "secondary", "unverified"}
            Weakest evidence that a hazard ratio may rest on.
        shared_control : {"cov", "first", "combine"}
        name : str

        Returns
        -------
        Effects

        Raises
        ------
        DataError
            If a row that was added is less verified than ``min_evidence``.
        UsageError
            If a column, endpoint or level of evidence does not exist.
        """
        pairing = _pairing(surrogate, final, rho_within, min_evidence, shared_control)
        return self.analysis_set_with_flow(select or {}, pairing, name).effects

    @property
    def surrogates(self) -> tuple[str, ...]:
        """Endpoints of the table other than the final one, in order of appearance."""
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

        A set that lists its hazard ratios one by one keeps them, whatever the evidence, and says so.

        Raises
        ------
        UsageError
            If there is no such set.
        """
        pairing = _pairing(surrogate, None, rho_within, min_evidence, shared_control)
        return self.analysis_set_with_flow(name, pairing).effects

    def analysis_set_with_flow(self, source: Source, pairing: Pairing = DEFAULT_PAIRING, name: str = "") -> AnalysisSet:
        """Return paired effects with the flow: which comparison is in the set, and why another is not.

        Parameters
        ----------
        source : str or mapping of column to values
            Name of an analysis set, or which rows of ``trials`` take part.
        pairing : Pairing
        name : str
            Of a set that is no file; default: none.

        Raises
        ------
        DataError
            If a row that was added is less verified than asked for, or the file of the set has faults.
        UsageError
            If there is no such set, column or endpoint, or nothing can be paired.
        """
        pairing = pairing.spelled(tuple(dict.fromkeys(self.effects["endpoint"])), self.final_endpoints)
        tables = self.trials, self.effects, self.added, pairing
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
        trials, effects = (
            [{str(name): rule_text(value) for name, value in row.items()} for row in frame.to_dict("records")]
            for frame in (self.trials, self.effects[["effect_id", "comparison", "endpoint"]])
        )
        return check_set(table, trials, effects)

    def _set_rows(self, name: str) -> tuple[Row, ...]:
        if name not in self.sets:
            raise UsageError(
                f"there is no analysis set {name!r}; choose from {', '.join(self.sets)}, or add sets/{name}.csv"
            )
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
    """Return the five keywords of a method as one value."""
    surrogates = (surrogate,) if isinstance(surrogate, str) else tuple(surrogate)
    return Pairing(surrogates, () if final is None else (final,), rho_within, min_evidence, shared_control)


def read_trials(path: str | Path | None = None, add: str | Path | None = None) -> TrialSet:
    """Read and check the trial tables.

    Parameters
    ----------
    path : path-like, optional
        Folder with trials.csv, effects.csv, arms.csv, sets/ and, if there is one, at_risk.csv; default: the shipped
        tables.
    add : path-like, optional
        CSV or XLSX with extra rows for this run, long or wide.

    Returns
    -------
    TrialSet

    Raises
    ------
    DataError
        With every fault found, each naming file, line, trial, column, value, rule and likely fix.

    Examples
    --------
    >>> from surrogacy.trials import read_trials
    >>> advanced = read_trials().pair(select={"stage": ["advanced"], "line": ["first"]})
    >>> advanced.log_hr.shape
    (32, 2)
    """
    folder = shipped_tables() if path is None else Path(path)
    if not folder.is_dir():
        raise DataError(
            [fault("E001", Row(str(folder)), "", "there is no such folder", "give the folder that holds trials.csv")]
        )
    changed = changed_files(folder)
    cut_off = [fault for fault in changed if fault.severity == "error"]
    if cut_off:
        raise DataError(cut_off)
    rows = {name: read_curated_rows(folder, name, columns) for name, columns in TABLES.items()}
    faults = [] if path is None and not changed else [*changed, *check_columns(rows)]
    tables = (folder / f"{name}.csv" for name in TABLES)
    files = (*(path for path in tables if path.is_file()), *sorted((folder / "sets").glob("*.csv")))
    version = DATA_VERSION if path is None else folder.name
    if add is None:
        faults = _checked(rows, faults, SURROGATES, FINALS)
        return TrialSet(*_frames(rows), folder, version, faults=tuple(faults), files=files)
    new = added_rows(Path(add), DEFAULT_ROLES)
    merged, more = merge(rows, new.trials, new.effects, new.arms)
    faults += [*check_user_rows(new), *new.faults, *more, *presumed_endpoints(new)]
    return TrialSet(
        *_frames(merged),
        folder,
        version,
        added=tuple(dict.fromkeys(row["comparison"] for row in new.effects)),
        faults=tuple(_checked(merged, faults, SURROGATES, FINALS, new.columns)),
        files=(*files, Path(add)),
        columns=new.columns,
        curated=TrialSet(*_frames(rows), folder, version, files=files),
    )


def read_pairs(path: str | Path) -> TrialSet:
    """Read a user's table alone, one row a comparison (wide) or a hazard ratio (long).

    Returns
    -------
    TrialSet
        ``.pair(...)`` with the endpoints that the table has gives its effects.

    Raises
    ------
    DataError
        With every fault found.
    """
    user = added_rows(Path(path), OWN_ROLES)
    rows = {"trials": user.trials, "effects": user.effects, "arms": user.arms, "at_risk": []}
    finals = final_endpoints(user)
    surrogates = tuple(dict.fromkeys(row["endpoint"] for row in user.effects if row["endpoint"] not in finals))
    faults = _checked(rows, [*check_user_rows(user), *user.faults], surrogates, finals, user.columns)
    return TrialSet(
        *_frames(rows),
        Path(path).parent,
        Path(path).stem,
        added=tuple(row["comparison"] for row in user.trials),
        faults=tuple(faults),
        files=(Path(path),),
        columns=user.columns,
        final_endpoints=finals,
    )


def _checked(
    rows: Mapping[str, Sequence[Row]],
    faults: Sequence[Fault],
    surrogates: Sequence[str],
    finals: Sequence[str],
    columns: Sequence[tuple[str, str]] = (),
) -> list[Fault]:
    """Return the faults with those of the rules that compare cells and rows.

    Raises
    ------
    DataError
        If one of them is an error.
    """
    trials, effects, arms, at_risk = (rows[name] for name in TABLES)
    faults = [
        *faults,
        *effect_rules.check_effects(effects),
        *(fault for row in effects for fault in agreement_rules.check_restatements(row)),
        *agreement_rules.check_counts(effects, trials),
        *trial_facts.check_correlations(effects),
        *comparison_rules.check_preferred(effects),
        *comparison_rules.check_registry(trials),
        *comparison_rules.check_shared_patients(trials),
        *comparison_rules.check_shared_control(trials),
        *comparison_rules.check_patients(trials, arms),
        *comparison_rules.check_direction(effects, arms),
        *comparison_rules.check_pairs(effects, surrogates, finals),
        *arm_rules.check_follow_up(trials),
        *arm_rules.check_event_counts(trials),
        *arm_rules.check_at_risk(at_risk, trials),
        *arm_rules.check_medians(arms),
    ]
    errors = [fault for fault in faults if fault.severity == "error"]
    if errors:
        raise DataError(errors, columns)
    return faults


def _frames(rows: Mapping[str, Sequence[Row]]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the four tables as data frames."""
    return (
        table_frame(rows["trials"], TRIALS),
        table_frame(rows["effects"], (*EFFECTS, *OPTIONAL_EFFECTS)),
        table_frame(rows["arms"], ARMS),
        table_frame(rows["at_risk"], AT_RISK),
    )
