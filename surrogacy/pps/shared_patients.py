"""Within-trial correlation from shared patients of the comparisons of a set, from the values of the trial tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, direct_death_of, follow_up_of
from surrogacy.pps.records import Record
from surrogacy.pps.table_rows import TypedTables, typed_tables
from surrogacy.survival.shared_patients import TrialCourse, shared_patients_correlation
from surrogacy.trials import AnalysisSet, TrialSet

TTP = "TTP"


@dataclass(frozen=True)
class SharedPatients:
    """Correlation of the two log hazard ratios of a comparison, derived from shared patients.

    Parameters
    ----------
    comparison, label, endpoint : str
        ``endpoint``: surrogate endpoint of the set.
    correlation : float or None
        None if the tables lack a value that it needs.
    reason : str
        That value, else empty.
    assumptions : tuple of str
        Values that no source states.
    """

    comparison: str
    label: str
    endpoint: str
    correlation: float | None = None
    reason: str = ""
    assumptions: tuple[str, ...] = ()

    @property
    def record(self) -> Record:
        """Values for results.json and for the table."""
        values = {name: getattr(self, name) for name in ("comparison", "label", "endpoint", "correlation", "reason")}
        return values | {"assumptions": "; ".join(self.assumptions)}


def shared_patients(trials: TrialSet, effects: Effects) -> tuple[SharedPatients, ...]:
    """Compute the correlation from shared patients of every comparison.

    It needs the hazard ratio of the surrogate, and of the control arm the median PFS or TTP and the median OS. The
    share of deaths among PFS events and the follow-up are assumed if they are not in the tables.

    Parameters
    ----------
    trials : TrialSet
        Tables with the arms.
    effects : Effects
        Of an analysis set.

    Returns
    -------
    tuple of SharedPatients
        One per comparison.

    Examples
    --------
    >>> import surrogacy
    >>> trials = surrogacy.read_trials()
    >>> correlations = shared_patients(trials, trials.analysis_set("tactics-2022"))
    >>> {entry.label: entry.correlation and round(entry.correlation, 1) for entry in correlations}["TACTICS"]
    0.7
    """
    tables = typed_tables(trials)
    return tuple(_of_comparison(tables, effects, i) for i in range(len(effects)))


def _of_comparison(tables: TypedTables, effects: Effects, i: int) -> SharedPatients:
    comparison, label = effects.comparison[i], effects.labels[i]
    endpoint = (effects.covariates.get("surrogate") or ("",) * len(effects))[i]
    try:
        course, assumptions = _course(tables, comparison, float(np.exp(effects.log_hr[i, 0])))
        correlation = shared_patients_correlation(course, censors_deaths=endpoint == TTP)
    except UsageError as error:
        return SharedPatients(comparison, label, endpoint, reason=str(error))
    return SharedPatients(comparison, label, endpoint, correlation, assumptions=assumptions)


def _course(tables: TypedTables, comparison: str, hr: float) -> tuple[TrialCourse, tuple[str, ...]]:
    """Return the course of a trial, and the values that are assumed.

    Raises
    ------
    UsageError
        If a value is missing or impossible.
    """
    if not np.isfinite(hr):
        raise UsageError("no hazard ratio of the surrogate")
    trial = tables.trials.get(comparison)
    control = next((arm for arm in tables.arms_of.get(comparison, ()) if arm.arm == "ctl"), None)
    if trial is None or control is None or not np.isfinite([control.median_pfs, control.median_os]).any():
        raise UsageError("no medians of the control arm")
    for quantity, median in (("PFS", control.median_pfs), ("OS", control.median_os)):
        if not np.isfinite(median):
            raise UsageError(f"no median {quantity} of the control arm")
    deaths, follow_up = direct_death_of(trial, ASSUMED_DIRECT_DEATH), follow_up_of(trial, control.median_os, None)
    censors_deaths = control.pfs_endpoint == TTP  # its median is that of the hazard of progression alone
    course = TrialCourse(
        median_pfs=float(control.median_pfs) * (1.0 - deaths.value if censors_deaths else 1.0),
        median_os=float(control.median_os),
        hr_progression=hr,
        direct_death=deaths.value,
        follow_up=follow_up.value or (np.inf, np.inf),
        experimental_share=trial.n_exp / (trial.n_exp + trial.n_ctl) if trial.n_exp + trial.n_ctl > 0 else 0.5,
    )
    words = {
        f"{deaths.value:.0%} of PFS events are deaths": deaths.assumed,
        "follow-up {:g} to {:g} months".format(*course.follow_up): follow_up.assumed,
    }
    return course, tuple(text for text, assumed in words.items() if assumed)


def with_shared_patients(effects: Effects, correlations: Sequence[SharedPatients]) -> Effects:
    """Return the effects with the correlation from shared patients where none is reported.

    A comparison without the necessary values has the median of the others; if none has them, the assumed value stays.

    Parameters
    ----------
    effects : Effects
    correlations : sequence of SharedPatients
        Of these comparisons, in any order.
    """
    computed = {entry.comparison: entry.correlation for entry in correlations if entry.correlation is not None}
    own = [computed[name] for name in effects.comparison if name in computed]
    if not own:
        return effects
    median = float(np.median(own))
    return effects.with_rho_within([computed.get(name, median) for name in effects.comparison])


def correlated_effects(trials: TrialSet, effects: Effects) -> Effects:
    """Return the effects with the correlations from shared patients; the same object if the tables allow none."""
    return with_shared_patients(effects, shared_patients(trials, effects))


def set_with_shared_patients(trials: TrialSet, paired: AnalysisSet) -> AnalysisSet:
    """Return an analysis set with these correlations; a comparison without a final effect has their median."""
    effects = correlated_effects(trials, paired.effects)
    assumed = effects.rho_within[~effects.rho_known]
    predicted = paired.surrogate_only
    if len(assumed):
        median = float(np.median(assumed))
        predicted = tuple(entry if entry.rho_known else replace(entry, rho_within=median) for entry in predicted)
    return replace(paired, effects=effects, surrogate_only=predicted)
