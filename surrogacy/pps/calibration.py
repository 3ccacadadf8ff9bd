"""Calibration of the transition hazards of both arms to published values, and the misfit of each published value.

By default hazards are constant and q = h02 / lam, with lam = h01 + h02, is the same in both arms:

    lam_C = log 2 / median PFS_C          lam_E = lam_C HR_PFS, or log 2 / median PFS_E
    L   h12 = log 2 / reported median PPS
    M   h12 such that S_OS(median OS) = 1/2

TTP censors deaths: its median is log 2 / h01, and the median PFS of the model is (1 - q) times the median TTP.
`surrogacy.pps.structure` has the formulas for another effect on deaths without progression and for Weibull exits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.trial_summary import PfsCut, TrialSummary
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.survival.illness_death import IllnessDeath

CalibrationName = Literal["L", "M"]
PfsSource = Literal["hazard-ratio", "medians"]
CALIBRATION_WORDS = {
    "L": "PPS as reported, OS medians predicted by the model",
    "M": "PPS fitted to the OS medians",
}
ARMS = ("control", "experimental")
MAX_MISFIT = 0.05  # of a log median or log hazard ratio, above which there is a caveat
INSTANT_DEATH, NO_DEATH = 1e6, 1e-9  # h12 over lam if progressed patients die at once, or hardly ever


@dataclass(frozen=True)
class Target:
    """A published value and the value of the model.

    Parameters
    ----------
    quantity : str
        Label such as ``median OS, control``.
    value, model : float
    role : {"fitted", "checked", "explained"}
        ``fitted``: the calibration uses it; ``checked``: it does not; ``explained``: the decomposition explains it, so
        that its misfit is not a fault of the calibration.
    """

    quantity: str
    value: float
    model: float
    role: Literal["fitted", "checked", "explained"]

    @property
    def fitted(self) -> bool:
        """Test that the calibration uses the value."""
        return self.role == "fitted"

    @property
    def misfit(self) -> float:
        """Log of the model value over the published value."""
        return float(np.log(self.model / self.value)) if self.model > 0 and self.value > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Calibration:
    """Both arms of a trial as illness-death models, with the misfit of every published value.

    Parameters
    ----------
    name : {"L", "M"}
    cut : str
        Data cut of the progression endpoint.
    pfs : {"hazard-ratio", "medians"}
        Source of the experimental arm's PFS.
    median_pfs : (2,) array
        Median PFS of the model, months: control, experimental.
    direct_death : float
        Share of PFS events that are deaths in the control arm; by default in both arms.
    post_progression : (2,) array
        Hazard h12 per month: control, experimental.
    targets : tuple of Target
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the exits from PFS.
    """

    name: CalibrationName
    cut: str
    pfs: PfsSource
    median_pfs: FloatArray
    direct_death: float
    post_progression: FloatArray
    targets: tuple[Target, ...]
    structure: TransitionStructure = DEFAULT_STRUCTURE

    @property
    def arms(self) -> tuple[IllnessDeath, IllnessDeath]:
        """Control and experimental arm as models."""
        return self.structure.arms(self.median_pfs, self.direct_death, self.post_progression)

    @property
    def direct_deaths(self) -> FloatArray:
        """(2,) shares of PFS events that are deaths: control, experimental."""
        return np.stack(self.structure.direct_death_shares(self.median_pfs, self.direct_death))

    def arm(self, pfs_of: int, pps_of: int) -> IllnessDeath:
        """Arm with the PFS of one arm and the PPS of another; 0: control, 1: experimental."""
        share, hazard = self.direct_deaths[pfs_of], self.post_progression[pps_of]
        return self.structure.arm(self.median_pfs[pfs_of], share, hazard)

    def endpoint_medians(self, inputs: TrialSummary) -> FloatArray:
        """(2,) medians, months, of the progression endpoint of the trial."""
        if inputs.endpoint == "TTP":
            return self.structure.median_ttp(self.median_pfs, self.direct_death)
        return self.median_pfs

    def endpoint_hazard_ratio(self, inputs: TrialSummary) -> float:
        """Hazard ratio of the progression endpoint of the trial."""
        return float(self.structure.hazard_ratio(*self.endpoint_medians(inputs)))

    @property
    def median_pps(self) -> tuple[float, float]:
        """Median PPS of the model (definition: ``model``), months: control, experimental."""
        control, experimental = np.log(2.0) / self.post_progression
        return float(control), float(experimental)

    @property
    def scenario(self) -> str:
        """Data cut and source of the PFS effect, in words."""
        return f"{self.cut} {'HR' if self.pfs == 'hazard-ratio' else 'medians'}"

    @property
    def label(self) -> str:
        """Name of the calibration and of its PFS effect, for every sentence with a share."""
        structure = "" if self.structure.is_default else f", {self.structure.label}"
        return f"calibration {self.name}, {self.scenario}{structure}"

    @property
    def words(self) -> str:
        """Source of the post-progression hazards, in words."""
        return CALIBRATION_WORDS[self.name]

    @property
    def problems(self) -> tuple[str, ...]:
        """Caveat that names the published values that the model misses by more than 5 %."""
        missed = [t for t in self.targets if t.role != "explained" and abs(t.misfit) > MAX_MISFIT]
        words = "; ".join(
            f"{target.quantity} printed {target.value:.3g}, model {target.model:.3g}" for target in missed
        )
        return (f"the model misses {words}",) if missed else ()


def calibrate(
    inputs: TrialSummary,
    name: CalibrationName = "M",
    pfs: PfsSource = "hazard-ratio",
    cut: str | None = None,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
) -> Calibration:
    """Calibrate both arms to published medians, hazard ratio and share of deaths without progression.

    Parameters
    ----------
    inputs : TrialSummary
    name : {"L", "M"}
        Post-progression hazard from the reported PPS, or from the OS medians.
    pfs : {"hazard-ratio", "medians"}
        The experimental arm's PFS from the control median and the hazard ratio, or from its own median.
    cut : str, optional
        Data cut of the progression endpoint; default: the one that belongs with the final OS.
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the exits from PFS.

    Raises
    ------
    UsageError
        If a value is missing, or no hazard reproduces it: median OS not above median PFS, or too many deaths without
        progression.

    Examples
    --------
    >>> from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
    >>> cut = PfsCut("final", HazardRatio(0.6), (Median(6.0), Median(10.0)))
    >>> trial = TrialSummary(
    ...     comparison="trial", n=(150, 150), cuts=(cut,), median_os=(Median(18.0), Median(21.0)),
    ...     hr_os=HazardRatio(0.85), direct_death=Sourced(0.1, "counted"), follow_up=Sourced((12.0, 40.0), "printed"),
    ... )
    >>> calibration = calibrate(trial, "M")
    >>> [round(months, 1) for months in calibration.median_pps]
    [10.4, 8.4]
    """
    chosen = inputs.cut(cut)
    if name not in ("L", "M"):
        raise UsageError(
            f"unknown calibration {name!r}; choose L ({CALIBRATION_WORDS['L']}) or M ({CALIBRATION_WORDS['M']})"
        )
    median_pfs = _median_pfs(inputs, pfs, chosen, structure)
    q = inputs.direct_death.value
    if name == "L":
        if inputs.pps is None:
            raise UsageError(f"{inputs.name}: calibration L needs a reported median PPS; take M")
        h12 = np.log(2.0) / np.array(inputs.pps)
    else:
        h12 = _fitted_hazards(inputs, median_pfs, structure)
    calibration = Calibration(name, chosen.name, pfs, median_pfs, q, h12, (), structure)
    return replace(calibration, targets=_targets(inputs, calibration, chosen))


def scenarios(inputs: TrialSummary) -> tuple[tuple[str, PfsSource, CalibrationName], ...]:
    """Data cuts, sources of the PFS effect and calibrations for which the trial has values."""
    return tuple(
        (cut.name, pfs, name)
        for cut in inputs.cuts
        for pfs in get_args(PfsSource)
        for name in get_args(CalibrationName)
        if (name == "M" or inputs.pps is not None) and (pfs == "hazard-ratio" or cut.medians is not None)
    )


def _median_pfs(inputs: TrialSummary, pfs: PfsSource, chosen: PfsCut, structure: TransitionStructure) -> FloatArray:
    """(2,) median PFS of the model, months: of control and experimental arm."""
    # a cut that printed a hazard ratio alone uses the control median of the preferred cut
    medians = chosen.medians or inputs.cuts[0].medians
    if medians is None or (pfs == "medians" and chosen.medians is None):
        raise UsageError(
            f"{inputs.name}: no median {inputs.endpoint} of the {chosen.name} cut; take pfs='hazard-ratio', or add it"
        )
    q, deaths_censored = inputs.direct_death.value, inputs.endpoint == "TTP"
    if pfs == "medians":
        control, experimental = (median.value for median in medians)
        return structure.median_pfs((control, experimental), q, deaths_censored=deaths_censored)
    control_pfs = pfs_of_endpoint(medians[0].value, inputs, structure)
    experimental_pfs = structure.experimental_pfs(control_pfs, chosen.hr.value, q, deaths_censored=deaths_censored)
    return np.stack([control_pfs, experimental_pfs])


def pfs_of_endpoint(
    median: npt.ArrayLike, inputs: TrialSummary, structure: TransitionStructure = DEFAULT_STRUCTURE
) -> FloatArray:
    """Convert a median of the trial's endpoint in the control arm to median PFS; TTP censors deaths."""
    if inputs.endpoint == "TTP":
        return structure.pfs_of_ttp(median, inputs.direct_death.value)
    return np.asarray(median, dtype=np.float64)


def _fitted_hazards(inputs: TrialSummary, median_pfs: FloatArray, structure: TransitionStructure) -> FloatArray:
    """Post-progression hazards of calibration M."""
    median_os = np.array([median.value for median in inputs.median_os])
    shares = np.stack(structure.direct_death_shares(median_pfs, inputs.direct_death.value))
    hazards = structure.post_progression_hazard(median_pfs, median_os, shares)
    for arm, pfs, os, hazard, q in zip(ARMS, median_pfs, median_os, hazards, shares, strict=True):
        if os <= pfs:
            raise UsageError(
                f"{inputs.name}, {arm} arm: median OS {os:g} is not above the median PFS {pfs:.4g} of this scenario, "
                "so nobody would survive progression; check the medians and the hazard ratio"
            )
        if not np.isfinite(hazard):
            raise UsageError(
                f"{inputs.name}, {arm} arm: if {q:.0%} of PFS events are deaths, these alone exceed half of the "
                f"patients before median OS {os:g}; lower direct_death"
            )
    return hazards


def bounded_hazard(median_pfs: FloatArray, hazard: FloatArray, too_long: npt.NDArray[np.bool_]) -> FloatArray:
    """Replace hazards that are NaN by a bound: no death after progression where ``too_long``, else instant death."""
    lam = np.log(2.0) / median_pfs
    bound = np.where(too_long, NO_DEATH * lam, INSTANT_DEATH * lam)
    return np.where(np.isnan(hazard), bound, np.clip(hazard, NO_DEATH * lam, INSTANT_DEATH * lam))


def _targets(inputs: TrialSummary, calibration: Calibration, cut: PfsCut) -> tuple[Target, ...]:
    """Published values and those of the model; a difference of medians is compared with a difference of medians."""
    targets, endpoint = [], inputs.endpoint
    name, arms = calibration.name, calibration.arms
    by_hazard_ratio = calibration.pfs == "hazard-ratio"

    def add(quantity: str, value: float, model: float, fitted: bool) -> None:
        targets.append(Target(quantity, float(value), float(model), "fitted" if fitted else "checked"))

    as_difference = inputs.pps_is_a_difference and name == "M"
    for i, (label, arm, model_pfs) in enumerate(zip(ARMS, arms, calibration.endpoint_medians(inputs), strict=True)):
        medians = cut.medians or (inputs.cuts[0].medians if i == 0 else None)
        model_os = arm.quantile_os(0.5).item()
        if medians is not None:
            add(f"median {endpoint}, {label}", medians[i].value, model_pfs, fitted=i == 0 or not by_hazard_ratio)
        add(f"median OS, {label}", inputs.median_os[i].value, model_os, fitted=name == "M")
        if inputs.pps is not None and as_difference:
            add(f"median OS - median {endpoint}, {label}", inputs.pps[i], model_os - model_pfs, fitted=False)
        elif inputs.pps is not None:
            add(f"median PPS, {label}", inputs.pps[i], calibration.median_pps[i], fitted=name == "L")
    add(f"HR {endpoint}", cut.hr.value, calibration.endpoint_hazard_ratio(inputs), fitted=by_hazard_ratio)
    hr_os = float(cox_hazard_ratio(*arms, inputs.follow_up.value, inputs.n))
    return (*targets, Target("HR OS", inputs.hr_os.value, hr_os, "explained"))
