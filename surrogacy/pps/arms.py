"""Post-progression survival (PPS) of single arms, by definition, with intervals.

    reported            as printed: time from progression in patients who progressed, or as the paper defines it
    median-difference   median OS - median PFS; medians do not add up, so this is not a median of PPS
    model               ln 2 / h12 of constant hazards that reproduce both medians, q = share of deaths in PFS events

With S_PFS = exp(-lam t), lam = ln 2 / median PFS, the model solves ``S_OS(median OS; (1 - q) lam, q lam, h12) = 1/2``
for h12. TTP censors deaths: its median is ``ln 2 / ((1 - q) lam)``, and median PFS is ``(1 - q)`` times median TTP.

Intervals are percentiles of draws of both medians. The draws are log-normal with SE = ln(high / low) / (2 z), or with
the SE from one limit if the other was not reached. The two medians of an arm are correlated. Their large-sample
correlation without censoring is ``4 P(PFS > median, OS > median) - 1`` (Blomqvist's beta) and comes from the model. A
draw with OS at or below PFS has a model PPS of 0.

References
----------
Blomqvist (1950), doi:10.1214/aoms/1177729754. Fleischer, Gaschler-Markefski, Bluhmki (2009), doi:10.1002/sim.3637.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, direct_death_of
from surrogacy.pps.table_rows import ArmRow, TrialRow, typed_tables
from surrogacy.pps.trial_summary import PROGRESSION_ENDPOINTS, ROUNDING, Median, PpsDefinition, Sourced
from surrogacy.results.levels import LEVEL
from surrogacy.stats.bootstrap import percentiles
from surrogacy.survival.constant_hazards import post_progression_hazard
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.trials import TrialSet
from surrogacy.trials.columns import EVIDENCE

DRAWS = 4000
SEED = 20220201


@dataclass(frozen=True)
class Pps:
    """Median post-progression survival of one arm, by one definition.

    Parameters
    ----------
    months : float
    definition : {"reported", "median-difference", "model", "area"}
    low, high : float or None
        Limits; None if a median has none. Those of a difference of medians may lie below 0.
    level : float
        Level of the interval.
    derivation : str
        Derivation of the value and of the limits, in words.
    """

    months: float
    definition: PpsDefinition
    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    derivation: str = ""


@dataclass(frozen=True)
class ArmPps:
    """Medians of one arm, and its post-progression survival by every available definition.

    Parameters
    ----------
    comparison, trial, arm : str
        As in the tables; ``arm`` is ``exp`` or ``ctl``.
    label, trial_label : str
    year : int or None
        Year of publication.
    stage, line, evidence : str
    n : int or None
        Patients.
    pfs_endpoint : {"PFS", "TACE-PFS", "TTP"}
    median_os, median_pfs : Median
        Months; ``median_pfs`` as printed, also if it is a TTP.
    values : tuple of Pps
        One per definition.
    direct_death : Sourced of float
        Share of PFS events that are deaths, in the model.
    problems : tuple of str
    """

    comparison: str
    trial: str
    arm: str
    label: str
    trial_label: str
    year: int | None
    stage: str
    line: str
    evidence: str
    n: int | None
    pfs_endpoint: str
    median_os: Median
    median_pfs: Median
    values: tuple[Pps, ...]
    direct_death: Sourced[float]
    problems: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """Comparison and arm, such as ``sharp:exp``."""
        return f"{self.comparison}:{self.arm}"

    @property
    def name(self) -> str:
        """Trial and arm, for messages."""
        return f"{self.trial_label}, {'experimental' if self.arm == 'exp' else 'control'} arm"

    def pps(self, definition: PpsDefinition) -> Pps:
        """PPS by one definition, never by another.

        Raises
        ------
        UsageError
            If the arm has no PPS by that definition.
        """
        value = next((value for value in self.values if value.definition == definition), None)
        if value is None:
            known = ", ".join(value.definition for value in self.values) or "none"
            raise UsageError(
                f"{self.name}: no PPS by the definition {definition!r}; there is {known}, which is not the same"
            )
        return value

    def has(self, definition: PpsDefinition) -> bool:
        """Test that the arm has a PPS by that definition."""
        return any(value.definition == definition for value in self.values)


def arm_pps(
    trials: TrialSet,
    *,
    direct_death: float = ASSUMED_DIRECT_DEATH,
    min_evidence: str = "secondary",
    draws: int = DRAWS,
    seed: int = SEED,
) -> tuple[ArmPps, ...]:
    """Derive the PPS of every arm with a median OS and a median PFS, TACE-PFS or TTP.

    A control arm that comparisons share counts once.

    Parameters
    ----------
    trials : TrialSet
    direct_death : float
        Share of PFS events that are deaths, assumed for trials without counts in the tables. 0: every patient
        progresses.
    min_evidence : {"primary", "secondary", "unverified"}
        Lowest accepted level of evidence of a row.
    draws : int
        Number of draws of the medians for the intervals.
    seed : int

    Returns
    -------
    tuple of ArmPps
        In the order of the table; ``problems`` name implausible values.

    Raises
    ------
    UsageError
        If ``direct_death`` is not a share below 1/2, or the level of evidence is unknown.

    Examples
    --------
    >>> import surrogacy
    >>> arms = arm_pps(surrogacy.read_trials(), draws=100)
    >>> next(arm for arm in arms if arm.comparison == "tactics").pps("model").definition
    'model'
    """
    if not 0 <= direct_death < 0.5:
        raise UsageError(f"direct_death is a share of the PFS events, from 0 to below 0.5; got {direct_death:g}")
    if min_evidence not in EVIDENCE:
        raise UsageError(f"min-evidence must be one of {', '.join(EVIDENCE)}; got {min_evidence!r}")
    accepted = ("", *EVIDENCE[: EVIDENCE.index(min_evidence) + 1])  # a user's row need not state its evidence
    tables = typed_tables(trials)
    generator = np.random.default_rng(seed)
    shared_controls: set[tuple[str, str]] = set()
    arms = []
    for row in tables.arms:
        trial = tables.trials[row.comparison]
        if row.evidence not in accepted or row.pfs_endpoint not in PROGRESSION_ENDPOINTS:
            continue
        if not (row.median_os > 0 and row.median_pfs > 0):  # missing, or not reached
            continue
        if row.arm == "ctl" and trial.control_group:
            if (trial.trial, trial.control_group) in shared_controls:
                continue
            shared_controls.add((trial.trial, trial.control_group))
        arms.append(_arm(row, trial, direct_death_of(trial, direct_death), draws, generator))
    return tuple(arms)


def model_pps(pfs: npt.ArrayLike, os: npt.ArrayLike, direct_death: float) -> FloatArray:
    """Median PPS of the model for arrays of medians; 0 if OS is at or below PFS.

    Interpolated in log(OS / PFS - 1) with a relative error below 1e-3, for draws; `arm_pps` solves the equation of each
    arm.

    Parameters
    ----------
    pfs, os : arrays
        Months.
    direct_death : float
        Share of PFS events that are deaths.

    Returns
    -------
    array
        Months.

    Examples
    --------
    >>> model_pps([6.0, 6.0], [15.0, 5.0], direct_death=0.1).round(2).tolist()
    [7.31, 0.0]
    """
    pfs, os = np.asarray(pfs, dtype=np.float64), np.asarray(os, dtype=np.float64)
    above = os > pfs
    at, ratio = _ratios(direct_death)
    excess = np.log(np.where(above, os / pfs - 1.0, 1.0))
    return np.asarray(np.where(above, pfs * np.exp(np.interp(excess, at, ratio)), 0.0))


@lru_cache(maxsize=16)
def _ratios(direct_death: float) -> tuple[FloatArray, FloatArray]:
    """Grid of log(OS / PFS - 1), and log(PPS / PFS) of the model at its points."""
    excess = np.linspace(np.log(1e-5), np.log(1e3), 600)
    hazard = post_progression_hazard(1.0, 1.0 + np.exp(excess), direct_death)
    possible = np.isfinite(hazard)
    return excess[possible], np.log(np.log(2.0) / hazard[possible])


def correlation_of_medians(arm: IllnessDeath) -> float:
    """Large-sample correlation of the estimated medians of PFS and OS of one arm, without censoring.

    ``4 P(PFS > m1, OS > m2) - 1`` at the medians m1 and m2, which is ``2 S_OS(m2 - m1) - 1`` under constant hazards.

    Parameters
    ----------
    arm : IllnessDeath
        One arm with constant hazards.

    Examples
    --------
    >>> round(correlation_of_medians(IllnessDeath.from_medians(pfs=6.0, os=15.0)), 3)
    0.466
    """
    return float(2.0 * arm.survival_os(arm.quantile_os(0.5) - arm.quantile_pfs(0.5)) - 1.0)


def _arm(
    row: ArmRow,
    trial: TrialRow,
    direct_death: Sourced[float],
    draws: int,
    generator: np.random.Generator,
) -> ArmPps:
    """PPS of one row of the table, and remarks on implausible values."""
    name = f"{trial.label}, {row.name}"
    endpoint, os, pfs = row.pfs_endpoint, row.os, row.pfs
    difference = os.value - pfs.value
    values, problems = [], []
    if row.median_pps > 0 and row.definition:
        values.append(Pps(float(row.median_pps), row.definition, derivation="as printed"))
        if row.definition == "reported" and abs(row.median_pps - difference) <= ROUNDING:
            problems.append(
                f"{name}: the reported PPS {row.median_pps:g} equals median OS - median {endpoint} "
                f"({os.value:g} - {pfs.value:g}); it is probably that difference, which is not a median of "
                "post-progression survival"
            )
    if difference <= 0:
        problems.append(
            f"{name}: median OS {os.value:g} is not above median {endpoint} {pfs.value:g}: no PPS can be derived"
        )
    else:
        values += _derived(os, pfs, endpoint, direct_death.value, draws, generator)
    return ArmPps(
        comparison=row.comparison,
        trial=trial.trial,
        arm=row.arm,
        label=row.label,
        trial_label=trial.label,
        year=int(trial.year) if trial.year > 0 else None,
        stage=trial.stage,
        line=trial.line,
        evidence=row.evidence,
        n=int(row.n) if row.n > 0 else None,
        pfs_endpoint=endpoint,
        median_os=os,
        median_pfs=pfs,
        values=tuple({value.definition: value for value in values}.values()),
        direct_death=direct_death,
        problems=tuple(problems),
    )


def _derived(os: Median, pfs: Median, endpoint: str, q: float, draws: int, generator: np.random.Generator) -> list[Pps]:
    """Difference of the medians and model PPS, with limits if both medians have a standard error."""
    scale = 1.0 - q if endpoint == "TTP" else 1.0
    words = f"constant hazards that reproduce both medians, {q:.1%} of PFS events are deaths"
    words += f"; median PFS taken as {scale:.3g} times median TTP" if endpoint == "TTP" else ""
    model = IllnessDeath.from_medians(pfs=scale * pfs.value, os=os.value, direct_death=q)
    plain: list[tuple[PpsDefinition, float, str]] = [
        ("median-difference", os.value - pfs.value, f"median OS - median {endpoint}"),
        ("model", model.median_pps, words),
    ]
    errors = _log_standard_error(os), _log_standard_error(pfs)
    if errors[0] is None or errors[1] is None:
        return [Pps(months, definition, derivation=derivation) for definition, months, derivation in plain]
    r = correlation_of_medians(model)
    z = generator.standard_normal((2, draws))
    drawn_os = os.value * np.exp(errors[0] * z[0])
    drawn_pfs = pfs.value * np.exp(errors[1] * (r * z[0] + np.sqrt(1.0 - r**2) * z[1]))
    samples = drawn_os - drawn_pfs, model_pps(scale * drawn_pfs, drawn_os, q)
    return [
        Pps(
            months,
            definition,
            *percentiles(sample),
            LEVEL,
            f"{derivation}; limits by log-normal draws of the medians with correlation {r:.2f}",
        )
        for (definition, months, derivation), sample in zip(plain, samples, strict=True)
    ]


def _log_standard_error(median: Median) -> float | None:
    """Standard error of a log median from its limits, or from one limit if the second is missing or 0."""
    quantile = float(ndtri(0.5 + median.level / 2))
    low = median.low if median.low is not None and median.low > 0 else None
    if low is not None and median.high is not None:
        return math.log(median.high / low) / (2 * quantile)
    if low is not None:
        return math.log(median.value / low) / quantile
    return None if median.high is None else math.log(median.high / median.value) / quantile
