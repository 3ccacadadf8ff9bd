"""Published summaries of trials, read from the trial tables, with assumptions where the tables hold no value."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.pps.table_rows import ArmRow, AtRiskRow, TrialRow, number_or_none, typed_tables
from surrogacy.pps.trial_summary import (
    PROGRESSION_ENDPOINTS,
    AtRisk,
    HazardRatio,
    Median,
    PfsCut,
    Sourced,
    TrialSummary,
)
from surrogacy.results.suggestions import did_you_mean
from surrogacy.trials import TrialSet
from surrogacy.trials.cells import DEFAULT_LEVEL
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.standard_errors import standard_error

ASSUMED_DIRECT_DEATH = 0.1
ASSUMED_FOLLOW_UP = (1.0, 3.0)  # control median OS


def read_inputs(
    trials: TrialSet,
    comparison: str,
    direct_death: float = ASSUMED_DIRECT_DEATH,
    follow_up: tuple[float, float] | None = None,
) -> TrialSummary:
    """Read the published summaries of one comparison for a calibration.

    Parameters
    ----------
    trials : TrialSet
    comparison : str
        Identifier or label, as in ``trials.csv``; case is ignored.
    direct_death : float
        Share of PFS events that are deaths, assumed if the tables do not hold the counts.
    follow_up : tuple of float, optional
        Administrative censoring assumed if the tables do not hold it, months; default: uniform from once to three times
        the median OS of the control arm.

    Returns
    -------
    TrialSummary

    Raises
    ------
    UsageError
        If a value is missing or impossible; the message names it.

    Examples
    --------
    >>> import surrogacy
    >>> tactics = read_inputs(surrogacy.read_trials(), "TACTICS")
    >>> tactics.n, tactics.hr_os.value
    ((76, 80), 0.861)
    """
    tables = typed_tables(trials)
    trial = tables.trials[_identifier(trials, comparison)]
    label = trial.label or trial.comparison
    arms = {arm.arm: arm for arm in tables.arms_of.get(trial.comparison, [])}
    if set(arms) != {"ctl", "exp"}:
        raise UsageError(
            f"{label}: the medians of both arms are not in the tables; give median PFS and median OS of each "
            "arm (median_pfs_exp, median_pfs_ctl, median_os_exp, median_os_ctl)"
        )
    control, experimental = arms["ctl"], arms["exp"]
    pair = (control, experimental)
    _check_medians(label, "median OS", [(arm.name, arm.median_os) for arm in pair])
    _check_medians(label, "median PFS", [(arm.name, arm.median_pfs) for arm in pair])
    endpoint = control.pfs_endpoint
    if endpoint != experimental.pfs_endpoint or endpoint not in PROGRESSION_ENDPOINTS:
        raise UsageError(
            f"{label}: medians of {endpoint} and {experimental.pfs_endpoint}; both arms need the same endpoint, "
            f"one of {', '.join(PROGRESSION_ENDPOINTS)}"
        )
    effects = [effect for effect in tables.effects_of.get(trial.comparison, []) if np.isfinite(effect.hr)]
    cuts = _cuts(effects, endpoint, (control.pfs, experimental.pfs))
    final = next((effect for effect in effects if effect.endpoint == "OS" and effect.preferred), None)
    if not cuts or final is None:
        raise UsageError(f"{label}: no hazard ratio of {'OS' if cuts else endpoint}")
    if not np.isfinite([trial.n_ctl, trial.n_exp]).all():
        raise UsageError(f"{label}: no number of patients of each arm")
    has_pps = bool(np.isfinite([arm.median_pps for arm in pair]).all())
    return TrialSummary(
        comparison=trial.comparison,
        label=label,
        n=(int(trial.n_ctl), int(trial.n_exp)),
        endpoint=endpoint,
        cuts=cuts,
        median_os=(control.os, experimental.os),
        hr_os=hazard_ratio_of(final),
        direct_death=direct_death_of(trial, direct_death),
        follow_up=follow_up_of(trial, control.median_os, follow_up),
        pps=(float(control.median_pps), float(experimental.median_pps)) if has_pps else None,
        pps_definition=control.definition if has_pps else None,
        at_risk=_at_risk(tables.at_risk_of.get(trial.comparison, [])),
        notes=_notes(pair, [final, *(effect for effect in effects if effect.effect_id == cuts[0].hr.effect_id)]),
    )


def read_all_inputs(trials: TrialSet) -> tuple[tuple[TrialSummary, ...], dict[str, str]]:
    """Read the summaries of every comparison that has the necessary values.

    Returns
    -------
    summaries : tuple of TrialSummary
    reasons : dict of comparison to str
        Reasons why the other comparisons have no summary.
    """
    summaries, reasons = [], {}
    for comparison in typed_tables(trials).trials:
        try:
            summaries.append(read_inputs(trials, comparison))
        except UsageError as error:
            reasons[comparison] = str(error)
    return tuple(summaries), reasons


def _identifier(trials: TrialSet, name: str) -> str:
    """Identifier of a comparison, found by the identifier or by the label."""
    rows = typed_tables(trials).trials
    if name in rows:
        return name
    names = {row.comparison: row.comparison for row in rows.values()}
    names |= {row.label: row.comparison for row in rows.values()}
    folded = {label.casefold(): identifier for label, identifier in names.items()}
    if name.casefold() not in folded:
        hint = did_you_mean(name, names, cutoff=0.5)
        raise UsageError("; ".join(filter(None, (f"there is no comparison {name!r} in the tables", hint))))
    return folded[name.casefold()]


def _check_medians(label: str, quantity: str, medians: Sequence[tuple[str, float]]) -> None:
    missing = [arm.removesuffix(" arm") for arm, median in medians if not np.isfinite(median)]
    if missing:
        raise UsageError(f"{label}: no {quantity} of the {' and '.join(missing)} arm")


def hazard_ratio_of(effect: ReportedEffect) -> HazardRatio:
    """Return a row of the effect table as a hazard ratio, with the standard error that the models use."""
    level = effect.ci_level if np.isfinite(effect.ci_level) else DEFAULT_LEVEL
    limits = number_or_none(effect.ci_low), number_or_none(effect.ci_high)
    return HazardRatio(effect.hr, *limits, level, effect.effect_id, error=standard_error(effect))


def _cuts(effects: Sequence[ReportedEffect], endpoint: str, medians: tuple[Median, Median]) -> tuple[PfsCut, ...]:
    """Analyses of the whole population, the preferred one first; the medians of the arms belong to that one."""
    candidates = [effect for effect in effects if effect.endpoint == endpoint and "subgroup" not in effect.analysis]
    first = next((effect for effect in candidates if effect.preferred), None)
    if first is None:
        return ()
    cuts = [PfsCut(_cut_name(first), hazard_ratio_of(first), medians)]
    for effect in candidates:
        # a value from a review repeats a data cut that is in the table already
        alike = effect.population == first.population and not effect.analysis.startswith("as tabulated")
        if alike and effect.effect_id != first.effect_id:
            taken = {cut.name for cut in cuts}
            # a second version of an analysis, from another source, is not a further data cut
            name = next((name for name in (_cut_name(effect), effect.analysis) if name not in taken), None)
            cuts += [PfsCut(name, hazard_ratio_of(effect))] if name else []
    return tuple(cuts)


def _cut_name(effect: ReportedEffect) -> str:
    """``updated`` of ``updated, data cut 31 Jul 2020`` or ``updated (cut 2020-08-31)``."""
    return re.split(r"[,(]", effect.analysis)[0].strip()


def direct_death_of(trial: TrialRow, assumed: float) -> Sourced[float]:
    """Share of PFS events that are deaths, from the counts of the trial if there are any, else assumed."""
    deaths, progressions = float(trial.deaths_without_progression), float(trial.progressions)
    if np.isfinite(deaths) and np.isfinite(progressions) and deaths + progressions > 0:
        words = f"{deaths:.0f} deaths without progression, {progressions:.0f} progressions; the same share in both arms"
        return Sourced(deaths / (deaths + progressions), words)
    return Sourced(assumed, f"{assumed:.0%} of PFS events are deaths without progression, in both arms", assumed=True)


def follow_up_of(
    trial: TrialRow, control_os: float, assumed: tuple[float, float] | None
) -> Sourced[tuple[float, float] | None]:
    """Administrative follow-up, months, from the tables if they state it, else assumed."""
    words = "administrative censoring uniform from {:g} to {:g} months"
    if trial.follow_up is not None:
        low, high = trial.follow_up
        high = max(high, low + 0.1)  # all patients entered within one month; the uniform distribution needs a width
        return Sourced((low, high), words.format(low, high))
    low, high = assumed or (round(factor * control_os, 1) for factor in ASSUMED_FOLLOW_UP)
    source = words.format(low, high) + ("" if assumed else ", 1 to 3 times the control's median OS")
    return Sourced((low, high), source, assumed=True)


def _at_risk(rows: Sequence[AtRiskRow]) -> AtRisk | None:
    of_os = sorted((row for row in rows if row.endpoint == "OS"), key=lambda row: row.months)
    if len(of_os) < 2:
        return None
    return AtRisk(
        times=tuple(float(row.months) for row in of_os),
        control=tuple(int(row.at_risk_ctl) for row in of_os),
        experimental=tuple(int(row.at_risk_exp) for row in of_os),
    )


def _notes(arms: Sequence[ArmRow], effects: Sequence[ReportedEffect]) -> tuple[str, ...]:
    """Name the values that were not verified, and the standard errors that do not come from limits."""
    unverified = [f"medians of the {arm.arm} arm" for arm in arms if arm.evidence == "unverified"]
    unverified += [effect.effect_id for effect in effects if effect.evidence == "unverified"]
    errors = [(effect.effect_id, standard_error(effect)) for effect in effects]
    derived = [
        f"{name} from {error.method}{', roughly' if error.imprecise else ''}"
        for name, error in errors
        if error is not None and error.method in ("p", "events")
    ]
    notes = {"unverified": ", ".join(unverified), "standard errors not from limits": "; ".join(derived)}
    return tuple(f"{words}: {names}" for words, names in notes.items() if names)
