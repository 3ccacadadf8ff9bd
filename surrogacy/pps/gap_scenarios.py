"""Point values of a decomposition under other assumptions: share of deaths, and structure of the hazards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.pps.calibration import Calibration, PfsSource, calibrate, scenarios
from surrogacy.pps.gap_components import PARTS, parts_of, steps_of
from surrogacy.pps.gap_estimates import share_of
from surrogacy.pps.records import Record
from surrogacy.pps.structure import ALTERNATIVES, DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.trial_summary import TrialSummary


@dataclass(frozen=True, kw_only=True)
class GapPoint:
    """Point values of a decomposition. Shares are None if they are not defined.

    Parameters
    ----------
    equal, model : float
        OS hazard ratios with equal PPS and with the PPS as calibrated.
    dilution_of_model : float or None
        Share of the attenuation of the model.
    dilution, imbalance, residual : float or None
        Shares of the gap.
    """

    equal: float
    model: float
    dilution_of_model: float | None
    dilution: float | None
    imbalance: float | None
    residual: float | None


@dataclass(frozen=True, kw_only=True)
class DirectDeathScenario(GapPoint):
    """Point values of a decomposition at one share of PFS events that are deaths.

    Parameters
    ----------
    direct_death : float
    """

    direct_death: float


@dataclass(frozen=True)
class StructureScenario:
    """Point values of a decomposition under one structure of the hazards.

    Parameters
    ----------
    structure : TransitionStructure
    calibration : Calibration
    point : GapPoint
    """

    structure: TransitionStructure
    calibration: Calibration
    point: GapPoint

    @property
    def record(self) -> Record:
        """Structure, calibration and point values under the keys of results.json."""
        calibration = self.calibration
        return {
            "structure": self.structure.words,
            "hr_direct_death": self.structure.hr_direct_death,
            "shape": self.structure.shape,
            "cut": calibration.cut,
            "pfs_effect": calibration.pfs,
            "calibration": calibration.name,
            "hr_pfs": float(self.structure.hazard_ratio(*calibration.median_pfs)),
            "model_pps_ctl": calibration.median_pps[0],
            "model_pps_exp": calibration.median_pps[1],
            **asdict(self.point),
        }


@dataclass(frozen=True)
class DilutionRange:
    """Share of dilution in the gap under other structures of the hazards.

    Parameters
    ----------
    low, high : float
        Smallest and largest value over the other structures.
    """

    low: float
    high: float


def gap_point(inputs: TrialSummary, chosen: Calibration) -> GapPoint:
    """Compute the point values of a decomposition.

    Examples
    --------
    >>> from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
    >>> cut = PfsCut("final", HazardRatio(0.6), (Median(6.0), Median(10.0)))
    >>> trial = TrialSummary(
    ...     comparison="trial", n=(150, 150), cuts=(cut,), median_os=(Median(18.0), Median(21.0)),
    ...     hr_os=HazardRatio(0.85), direct_death=Sourced(0.1, "counted"), follow_up=Sourced((12.0, 40.0), "printed"),
    ... )
    >>> round(gap_point(trial, calibrate(trial)).equal, 3)
    0.7
    """
    steps = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], inputs, chosen.structure)
    parts = parts_of(steps, np.log([inputs.hr_os.value]))
    attenuation = (steps.model - steps.pfs).item()
    return GapPoint(
        equal=float(np.exp(steps.equal.item())),
        model=float(np.exp(steps.model.item())),
        dilution_of_model=share_of(parts["dilution"].item(), attenuation),
        **{name: share_of(parts[name].item(), parts["gap"].item()) for name in PARTS},
    )


def by_direct_death(
    inputs: TrialSummary,
    shares: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.3),
    pfs: PfsSource = "hazard-ratio",
    cut: str | None = None,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> list[DirectDeathScenario]:
    """Compute point values of the decomposition (calibration M) at several shares of PFS events that are deaths.

    The other arguments are those of `surrogacy.pps.decompose`.

    Examples
    --------
    >>> from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
    >>> cut = PfsCut("final", HazardRatio(0.6), (Median(6.0), Median(10.0)))
    >>> trial = TrialSummary(
    ...     comparison="trial", n=(150, 150), cuts=(cut,), median_os=(Median(18.0), Median(21.0)),
    ...     hr_os=HazardRatio(0.85), direct_death=Sourced(0.1, "counted"), follow_up=Sourced((12.0, 40.0), "printed"),
    ... )
    >>> [round(scenario.equal, 3) for scenario in by_direct_death(trial, (0.0, 0.1))]
    [0.689, 0.7]
    """
    trials = [inputs.with_direct_death(share) for share in shares]
    points = [gap_point(trial, calibrate(trial, "M", pfs, cut, structure)) for trial in trials]
    return [
        DirectDeathScenario(direct_death=share, **asdict(point)) for share, point in zip(shares, points, strict=True)
    ]


def by_structure(
    inputs: TrialSummary, structure: TransitionStructure = DEFAULT_STRUCTURE, main: Calibration | None = None
) -> tuple[StructureScenario, ...]:
    """Compute point values of every decomposition that the trial allows, under several structures of the hazards.

    The medians are fitted in every structure. Scenarios that a structure does not allow are left out.

    Parameters
    ----------
    inputs : TrialSummary
    structure : TransitionStructure
        Structure of the analysis, which comes first; then the default and its alternatives.
    main : Calibration, optional
        Restrict to the data cut, PFS effect and calibration of this one.

    Examples
    --------
    >>> from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
    >>> cut = PfsCut("final", HazardRatio(0.6), (Median(6.0), Median(10.0)))
    >>> trial = TrialSummary(
    ...     comparison="trial", n=(150, 150), cuts=(cut,), median_os=(Median(18.0), Median(21.0)),
    ...     hr_os=HazardRatio(0.85), direct_death=Sourced(0.1, "counted"), follow_up=Sourced((12.0, 40.0), "printed"),
    ... )
    >>> main = [item for item in by_structure(trial) if item.calibration.pfs == "hazard-ratio"]
    >>> [round(item.point.equal, 2) for item in main]
    [0.7, 0.75, 0.73, 0.66, 0.77]
    """
    rows = []
    for cut, pfs, name in scenarios(inputs) if main is None else ((main.cut, main.pfs, main.name),):
        for other in dict.fromkeys((structure, DEFAULT_STRUCTURE, *ALTERNATIVES)):
            try:
                chosen = calibrate(inputs, name, pfs, cut, other)
            except UsageError:  # no hazard reproduces the medians
                continue
            rows.append(StructureScenario(other, chosen, gap_point(inputs, chosen)))
    return tuple(rows)


def dilution_range(rows: Sequence[StructureScenario], main: Calibration) -> DilutionRange | None:
    """Range of the share of dilution over the other structures, for the data cut and calibration of a decomposition.

    None if no other structure has a share.
    """
    shares = [
        row.point.dilution
        for row in of_scenario(rows, main)
        if row.structure != main.structure and row.point.dilution is not None
    ]
    return DilutionRange(min(shares), max(shares)) if shares else None


def of_scenario(rows: Sequence[StructureScenario], main: Calibration) -> tuple[StructureScenario, ...]:
    """Return the rows with the data cut, PFS effect and calibration of a decomposition."""
    scenario = main.cut, main.pfs, main.name
    return tuple(row for row in rows if (row.calibration.cut, row.calibration.pfs, row.calibration.name) == scenario)
