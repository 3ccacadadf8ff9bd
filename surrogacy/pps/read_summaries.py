"""Reading the inputs of post-progression analyses from the trial tables, and saying what has to be assumed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, cast

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.pps.trial_summary import (
    PROGRESSION_ENDPOINTS,
    AtRisk,
    HazardRatio,
    Median,
    PfsCut,
    PpsDefinition,
    Sourced,
    TrialSummary,
)
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
    """Take from the tables what a calibration of one comparison needs.

    Parameters
    ----------
    trials : TrialSet
    comparison : str
        Identifier or label, as in ``trials.csv``; capitals do not matter.
    direct_death : float
        Share of PFS events that are deaths, assumed where the tables do not hold the counts.
    follow_up : tuple of float, optional
        Administrative censoring assumed where the tables do not hold it, months; default: uniform from once to three
        times the control's median OS.

    Returns
    -------
    TrialSummary

    Raises
    ------
    UsageError
        Naming what is missing or impossible.
    """
    comparison = _named(trials, comparison)
    about = _records(trials, "trials", comparison)
    row = about[0]
    label = str(row["label"]) or comparison
    arms = {str(arm["arm"]): arm for arm in _records(trials, "arms", comparison) if arm["preferred"]}
    if set(arms) != {"ctl", "exp"}:
        raise UsageError(f"{label}: the tables hold no preferred row for both arms")
    pair = (arms["ctl"], arms["exp"])
    for column, words in (("median_os", "median OS"), ("median_pfs", "median PFS")):
        missing = [
            name for name, arm in zip(("control", "experimental"), pair, strict=True) if not np.isfinite(arm[column])
        ]
        if missing:
            raise UsageError(f"{label}: no {words} of the {' and '.join(missing)} arm")
    endpoint = str(pair[0]["pfs_endpoint"])
    if endpoint != pair[1]["pfs_endpoint"] or endpoint not in PROGRESSION_ENDPOINTS:
        raise UsageError(
            f"{label}: medians of {endpoint} and {pair[1]['pfs_endpoint']}; both must be of one of PFS, TACE-PFS, TTP"
        )
    medians_pfs, medians_os = (
        cast(tuple[Median, Median], tuple(median_of(arm, column) for arm in pair))
        for column in ("median_pfs", "median_os")
    )
    effects = [effect for effect in _effects_by_comparison(trials).get(comparison, []) if np.isfinite(effect.hr)]
    cuts = _cuts(effects, endpoint, medians_pfs)
    os_rows = [effect for effect in effects if effect.endpoint == "OS" and effect.preferred]
    if not cuts or not os_rows:
        raise UsageError(f"{label}: no hazard ratio of {'OS' if cuts else endpoint}")
    if not all(np.isfinite(row[f"n_{arm}"]) for arm in ("ctl", "exp")):
        raise UsageError(f"{label}: no number of patients of each arm")
    n = tuple(int(row[f"n_{arm}"]) for arm in ("ctl", "exp"))
    pps = tuple(float(arm["median_pps"]) for arm in pair)
    definition = str(pair[0]["pps_definition"])
    return TrialSummary(
        comparison=comparison,
        label=label,
        n=cast(tuple[int, int], n),
        endpoint=endpoint,
        cuts=cuts,
        median_os=medians_os,
        hr_os=hazard_ratio_of(os_rows[0]),
        direct_death=direct_death_of(row, direct_death),
        follow_up=_follow_up(row, medians_os[0].value, follow_up),
        pps=cast(tuple[float, float], pps) if np.isfinite(pps).all() else None,
        pps_definition=cast(PpsDefinition, definition) if np.isfinite(pps).all() else None,
        at_risk=_at_risk(trials, comparison),
        notes=_notes(pair, [os_rows[0], *(effect for effect in effects if effect.effect_id == cuts[0].hr.effect_id)]),
    )


def read_all_inputs(trials: TrialSet) -> tuple[tuple[TrialSummary, ...], dict[str, str]]:
    """Inputs of every comparison of the tables that has what is needed, and why each of the others has not.

    Returns
    -------
    inputs : tuple of TrialSummary
    refused : dict of comparison to reason
    """
    found, refused = [], {}
    for comparison in trials.trials["comparison"]:
        try:
            found.append(read_inputs(trials, str(comparison)))
        except UsageError as error:
            refused[str(comparison)] = str(error)
    return tuple(found), refused


def _named(trials: TrialSet, name: str) -> str:
    """Identifier of a comparison by itself or by its label."""
    table = trials.trials
    known = {str(identifier): str(identifier) for identifier in table["comparison"]}
    if name in known:
        return name
    known |= {
        str(label): str(identifier) for label, identifier in zip(table["label"], table["comparison"], strict=True)
    }
    folded = {label.casefold(): identifier for label, identifier in known.items()}
    if name.casefold() not in folded:
        near = get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)
        meant = f"; did you mean {' or '.join(repr(folded[one]) for one in near)}?" if near else ""
        raise UsageError(f"there is no comparison {name!r} in the tables{meant}")
    return folded[name.casefold()]


@lru_cache(maxsize=4)
def _effects_by_comparison(trials: TrialSet) -> Mapping[str, list[ReportedEffect]]:
    effects: dict[str, list[ReportedEffect]] = {}
    for effect in trials.reported:
        effects.setdefault(effect.comparison, []).append(effect)
    return effects


@lru_cache(maxsize=4)
def _by_comparison(trials: TrialSet) -> Mapping[str, Mapping[str, list[dict[str, Any]]]]:
    """Rows of the other tables by comparison: looked up for each of them, and slow to find in a frame."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name in ("trials", "arms", "at_risk"):
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in getattr(trials, name).to_dict("records"):
            rows.setdefault(str(row["comparison"]), []).append(row)
        found[name] = rows
    return found


def _records(trials: TrialSet, table: str, comparison: str) -> list[dict[str, Any]]:
    return [dict(row) for row in _by_comparison(trials)[table].get(comparison, [])]


def _limit(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def median_of(arm: Mapping[str, Any], column: str) -> Median:
    """A median of a row of the arm table with its limits, months."""
    return Median(float(arm[column]), _limit(arm[f"{column}_low"]), _limit(arm[f"{column}_high"]))


def hazard_ratio_of(effect: ReportedEffect) -> HazardRatio:
    """A row of the effect table, with the standard error that the models take."""
    level = effect.ci_level if np.isfinite(effect.ci_level) else DEFAULT_LEVEL
    limits = _limit(effect.ci_low), _limit(effect.ci_high)
    return HazardRatio(effect.hr, *limits, level, effect.effect_id, error=standard_error(effect))


def _cuts(effects: Sequence[ReportedEffect], endpoint: str, medians: tuple[Median, Median]) -> tuple[PfsCut, ...]:
    """Analyses of the whole population, the preferred one first: the arms' medians belong to it alone."""
    candidates = [effect for effect in effects if effect.endpoint == endpoint and "subgroup" not in effect.analysis]
    first = next((effect for effect in candidates if effect.preferred), None)
    if first is None:
        return ()
    cuts = [PfsCut(_cut_name(first), hazard_ratio_of(first), medians)]
    for effect in candidates:
        # what a review tabulated is a data cut that stands here already
        alike = effect.population == first.population and not effect.analysis.startswith("as tabulated")
        if alike and effect.effect_id != first.effect_id:
            taken = {cut.name for cut in cuts}
            # a second version of one analysis, from another source, is no other cut
            name = next((name for name in (_cut_name(effect), effect.analysis) if name not in taken), None)
            cuts += [PfsCut(name, hazard_ratio_of(effect))] if name else []
    return tuple(cuts)


def _cut_name(effect: ReportedEffect) -> str:
    """``updated`` of ``updated, data cut 31 Jul 2020`` or ``updated (cut 2020-08-31)``."""
    return re.split(r"[,(]", effect.analysis)[0].strip()


def direct_death_of(row: Mapping[str, Any], assumed: float) -> Sourced[float]:
    """Share of PFS events that are deaths: as the row of the trial counts them, else the assumed one."""
    deaths, progressions = float(row["deaths_without_progression"]), float(row["progressions"])
    if np.isfinite(deaths) and np.isfinite(progressions) and deaths + progressions > 0:
        words = f"{deaths:.0f} deaths without progression, {progressions:.0f} progressions; the same share in both arms"
        return Sourced(deaths / (deaths + progressions), words)
    return Sourced(assumed, f"{assumed:.0%} of PFS events are deaths without progression, in both arms", assumed=True)


def _follow_up(
    row: Mapping[str, Any], control_os: float, assumed: tuple[float, float] | None
) -> Sourced[tuple[float, float] | None]:
    low, high = float(row["follow_up_low"]), float(row["follow_up_high"])
    if np.isfinite(low) and np.isfinite(high):
        high = max(high, low + 0.1)  # all patients entered in one month: the engine needs some width
        return Sourced((low, high), f"administrative censoring uniform from {low:g} to {high:g} months")
    low, high = assumed or tuple(round(factor * control_os, 1) for factor in ASSUMED_FOLLOW_UP)
    words = f"administrative censoring uniform from {low:g} to {high:g} months"
    return Sourced((low, high), words + ("" if assumed else ", 1 to 3 times the control's median OS"), assumed=True)


def _at_risk(trials: TrialSet, comparison: str) -> AtRisk | None:
    rows = [row for row in _records(trials, "at_risk", comparison) if row["endpoint"] == "OS"]
    rows.sort(key=lambda row: row["months"])
    if len(rows) < 2:
        return None
    times = tuple(float(row["months"]) for row in rows)
    control, experimental = (tuple(int(row[f"at_risk_{arm}"]) for row in rows) for arm in ("ctl", "exp"))
    return AtRisk(times, control, experimental)


def _notes(arms: Sequence[Mapping[str, Any]], effects: Sequence[ReportedEffect]) -> tuple[str, ...]:
    """Say which values were not verified, and which standard errors are not from limits."""
    unverified = [f"medians of the {arm['arm']} arm" for arm in arms if arm["evidence"] == "unverified"]
    unverified += [effect.effect_id for effect in effects if effect.evidence == "unverified"]
    errors = [(effect.effect_id, standard_error(effect)) for effect in effects]
    derived = [
        f"{name} from {error.method}{', roughly' if error.imprecise else ''}"
        for name, error in errors
        if error is not None and error.method in ("p", "events")
    ]
    notes = {"unverified": ", ".join(unverified), "standard errors not from limits": "; ".join(derived)}
    return tuple(f"{words}: {names}" for words, names in notes.items() if names)
