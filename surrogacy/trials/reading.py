"""Reading and checking of the trial tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from surrogacy.errors import DataError, Fault
from surrogacy.trials.columns import ARMS, AT_RISK, EFFECTS, FINALS, OPTIONAL_EFFECTS, SURROGATES, TABLES, TRIALS
from surrogacy.trials.curated_tables import changed_files, check_columns, read_curated_rows, shipped_tables
from surrogacy.trials.frames import table_frame
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.rules import (
    agreement_rules,
    arm_rules,
    comparison_rules,
    effect_rules,
    quotation_rules,
)
from surrogacy.trials.trial_set import DATA_VERSION, TrialSet
from surrogacy.trials.user_tables import trial_facts
from surrogacy.trials.user_tables.adding_rows import (
    added_rows,
    check_user_rows,
    final_endpoints,
    merge,
    presumed_endpoints,
)
from surrogacy.trials.user_tables.layouts import DEFAULT_ROLES, OWN_ROLES


def read_trials(path: str | Path | None = None, add: str | Path | None = None) -> TrialSet:
    """Read and check the trial tables.

    Parameters
    ----------
    path : path-like, optional
        Folder with trials.csv, effects.csv, arms.csv, sets/ and optionally at_risk.csv; default: the shipped tables.
    add : path-like, optional
        CSV or XLSX with rows to add for this run, long or wide.

    Returns
    -------
    TrialSet

    Raises
    ------
    DataError
        With all errors; each names file, line, trial, column, value, rule and likely fix.

    Examples
    --------
    >>> from surrogacy.trials import read_trials
    >>> advanced = read_trials().pair(select={"stage": ["advanced"], "line": ["first"]})
    >>> advanced.log_hr.shape
    (35, 2)
    """
    folder = shipped_tables() if path is None else Path(path)
    if not folder.is_dir():
        fix = "give the folder that contains trials.csv"
        raise DataError([fault("E001", Row(str(folder)), "", "the folder does not exist", fix)])
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
        faults = faults if path is None else _of_shipped_tables(faults)
        return TrialSet(*_frames(rows), folder, version, faults=tuple(faults), files=files)
    new = added_rows(Path(add), DEFAULT_ROLES)
    merged, more = merge(rows, new.trials, new.effects, new.arms)
    faults += [*check_user_rows(new), *new.faults, *more, *presumed_endpoints(new)]
    faults = _checked(merged, faults, SURROGATES, FINALS, new.columns)
    return TrialSet(
        *_frames(merged),
        folder,
        version,
        added=tuple(dict.fromkeys(row["comparison"] for row in new.effects)),
        faults=tuple(faults if path is None else _of_shipped_tables(faults)),
        files=(*files, Path(add)),
        columns=new.columns,
        curated=TrialSet(*_frames(rows), folder, version, files=files),
    )


def _of_shipped_tables(faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults of a folder with those of the shipped tables under the place there.

    A copy of the shipped tables has their known faults, and only its own rows deserve a warning in every run.
    """
    known = {_without_place(fault): fault for fault in read_trials().faults} if faults else {}
    return [known.get(_without_place(fault), fault) for fault in faults]


def _without_place(fault: Fault) -> Fault:
    return replace(fault, file=Path(fault.file).name, line=0)


def read_pairs(path: str | Path) -> TrialSet:
    """Read a user's table alone, with one row per comparison (wide) or per hazard ratio (long).

    Returns
    -------
    TrialSet
        Its effects are paired by ``.pair(...)`` with the endpoints of the table.

    Raises
    ------
    DataError
        With all errors.
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
    """Apply the rules that compare cells and rows, and return all faults.

    Raises
    ------
    DataError
        If a fault is an error.
    """
    trials, effects, arms, at_risk = (rows[name] for name in TABLES)
    faults = [
        *faults,
        *effect_rules.check_effects(effects),
        *quotation_rules.check_quotations(effects),
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
