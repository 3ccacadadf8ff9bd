"""Transition hazards of both arms from what a trial printed, and how far the model misses each printed value.

With constant hazards, lam = h01 + h02 and q = h02 / lam (the same q in both arms):

    lam_C = log 2 / median PFS_C          lam_E = lam_C HR_PFS, or log 2 / median PFS_E
    L   h12 = log 2 / reported median PPS
    M   h12 such that S_OS(median OS) = 1/2

A median TTP censors deaths: it is log 2 / h01, so the median PFS of the model is (1 - q) times it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.survival.constant_hazards import post_progression_hazard
from surrogacy.survival.hazard_ratios import cox_hazard_ratio
from surrogacy.survival.illness_death import IllnessDeath

CalibrationName = Literal["L", "M"]
PfsSource = Literal["hazard-ratio", "medians"]
CALIBRATION_WORDS = {
    "L": "PPS as reported, the OS medians left to the model",
    "M": "PPS fitted to the OS medians",
}
ARMS = ("control", "experimental")
MAX_MISFIT = 0.05  # of a log median or log hazard ratio: above it a calibration says that it misses the printed value
INSTANT_DEATH, NO_DEATH = 1e6, 1e-9  # h12 over lam where progressed patients die at once, or hardly ever


@dataclass(frozen=True)
class Target:
    """A printed value beside that of the model.

    Parameters
    ----------
    quantity : str
        Such as ``median OS, control``; rates and shares at risk name their time in months.
    value, model : float
    fitted : bool
        Whether the calibration used it.
    """

    quantity: str
    value: float
    model: float
    fitted: bool

    @property
    def misfit(self) -> float:
        """Log of model over printed value."""
        return float(np.log(self.model / self.value)) if self.model > 0 and self.value > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class Calibration:
    """Both arms of a trial as illness-death models, and the misfit of every target.

    Parameters
    ----------
    name : {"L", "M"}
    cut : str
        Data cut of the progression endpoint.
    pfs : {"hazard-ratio", "medians"}
        Source of the experimental arm's PFS.
    median_pfs : (2,) array
        Of the model, months: control, experimental.
    direct_death : float
        Share of PFS events that are deaths, in both arms.
    post_progression : (2,) array
        Hazard h12 per month: control, experimental.
    targets : tuple of Target
    """

    name: CalibrationName
    cut: str
    pfs: PfsSource
    median_pfs: FloatArray
    direct_death: float
    post_progression: FloatArray
    targets: tuple[Target, ...]

    @property
    def arms(self) -> tuple[IllnessDeath, IllnessDeath]:
        """Control and experimental arm as models."""
        return _two_arms(self.median_pfs, self.direct_death, self.post_progression)

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
        """Name of the calibration and of its PFS effect: what must stand beside every share."""
        return f"calibration {self.name}, {self.scenario}"

    @property
    def words(self) -> str:
        """Origin of the hazards."""
        return CALIBRATION_WORDS[self.name]

    @property
    def problems(self) -> tuple[str, ...]:
        """Targets that the model misses by more than 5 %, in words."""
        # the OS hazard ratio is what is to be explained, not a target
        missed = [target for target in self.targets if target.quantity != "HR OS" and abs(target.misfit) > MAX_MISFIT]
        words = "; ".join(
            f"{target.quantity} printed {target.value:.3g}, model {target.model:.3g}" for target in missed
        )
        return (f"the model misses {words}",) if missed else ()


def calibrate(
    inputs: TrialSummary, name: CalibrationName = "M", pfs: PfsSource = "hazard-ratio", cut: str | None = None
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

    Raises
    ------
    UsageError
        If a value is missing, or no hazard gives it (median OS not above median PFS; too many deaths without
        progression).

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
    median_pfs = _median_pfs(inputs, pfs, chosen.name)
    q = inputs.direct_death.value
    if name == "L":
        if inputs.pps is None:
            raise UsageError(f"{inputs.name}: calibration L needs a reported median PPS; take M")
        h12 = np.log(2.0) / np.array(inputs.pps)
    else:
        h12 = _fitted_hazards(inputs, median_pfs)
    endpoint = inputs.endpoint
    fitted = {
        f"median {endpoint}, control",
        f"HR {endpoint}" if pfs == "hazard-ratio" else f"median {endpoint}, experimental",
    }
    fitted |= {f"median {'PPS' if name == 'L' else 'OS'}, {arm}" for arm in ARMS}
    targets = _targets(inputs, chosen.name, _two_arms(median_pfs, q, h12), fitted)
    return Calibration(name, chosen.name, pfs, median_pfs, q, h12, targets)


def _median_pfs(inputs: TrialSummary, pfs: PfsSource, cut: str) -> FloatArray:
    """(2,) median PFS of the model, months: of control and experimental arm."""
    chosen = inputs.cut(cut)
    # the control median of the preferred cut serves a cut that printed a hazard ratio alone
    medians = chosen.medians or inputs.cuts[0].medians
    if medians is None or (pfs == "medians" and chosen.medians is None):
        raise UsageError(
            f"{inputs.name}: no median {inputs.endpoint} of the {chosen.name} cut; take pfs='hazard-ratio', or add it"
        )
    control, experimental = (pfs_of_endpoint(median.value, inputs) for median in medians)
    return np.array([control, control / chosen.hr.value if pfs == "hazard-ratio" else experimental])


def pfs_of_endpoint(median: npt.ArrayLike, inputs: TrialSummary) -> npt.NDArray[np.float64]:
    """Median PFS that goes with a median of the trial's endpoint: a TTP censors the deaths."""
    share = 1.0 - inputs.direct_death.value if inputs.endpoint == "TTP" else 1.0
    return np.asarray(median, dtype=np.float64) * share


def _fitted_hazards(inputs: TrialSummary, median_pfs: FloatArray) -> FloatArray:
    """Post-progression hazards of calibration M; refuses what no hazard can give."""
    median_os, q = np.array([median.value for median in inputs.median_os]), inputs.direct_death.value
    hazards = post_progression_hazard(median_pfs, median_os, q)
    for arm, pfs, os, hazard in zip(ARMS, median_pfs, median_os, hazards, strict=True):
        if os <= pfs:
            raise UsageError(
                f"{inputs.name}, {arm} arm: median OS {os:g} is not above the median PFS {pfs:.4g} of this scenario, "
                "so nobody would live past progression; check the medians and the hazard ratio"
            )
        if not np.isfinite(hazard):
            raise UsageError(
                f"{inputs.name}, {arm} arm: with {q:.0%} of PFS events deaths, half are dead before median OS {os:g} "
                "even if nobody dies after progression; lower direct_death"
            )
    return hazards


def bounded_hazard(median_pfs: FloatArray, hazard: FloatArray, too_long: npt.NDArray[np.bool_]) -> FloatArray:
    """Hazards with NaN at the boundary that fits best: instant death after progression, or none where ``too_long``."""
    lam = np.log(2.0) / median_pfs
    bound = np.where(too_long, NO_DEATH * lam, INSTANT_DEATH * lam)
    return np.where(np.isnan(hazard), bound, np.clip(hazard, NO_DEATH * lam, INSTANT_DEATH * lam))


def _two_arms(
    median_pfs: FloatArray, direct_death: float, post_progression: FloatArray
) -> tuple[IllnessDeath, IllnessDeath]:
    """Control and experimental arm from (2,) medians (months) and hazards."""
    control, experimental = (
        IllnessDeath.from_pfs(pfs, direct_death, h12) for pfs, h12 in zip(median_pfs, post_progression, strict=True)
    )
    return control, experimental


def _targets(
    inputs: TrialSummary, cut: str, arms: tuple[IllnessDeath, IllnessDeath], fitted: set[str]
) -> tuple[Target, ...]:
    """Printed values beside the model's, fitted or not; a difference of medians beside a difference of medians."""
    chosen, targets = inputs.cut(cut), []

    def add(quantity: str, value: float, model: float) -> None:
        targets.append(Target(quantity, float(value), float(model), quantity in fitted))

    scale = float(pfs_of_endpoint(1.0, inputs))
    for i, (name, arm) in enumerate(zip(ARMS, arms, strict=True)):
        medians = chosen.medians or (inputs.cuts[0].medians if i == 0 else None)
        model_pfs, model_os = arm.quantile_pfs(0.5).item() / scale, arm.quantile_os(0.5).item()
        if medians is not None:
            add(f"median {inputs.endpoint}, {name}", medians[i].value, model_pfs)
        add(f"median OS, {name}", inputs.median_os[i].value, model_os)
        if inputs.pps is not None:
            as_difference = inputs.pps_is_a_difference and f"median PPS, {name}" not in fitted
            quantity = f"median OS - median {inputs.endpoint}, {name}" if as_difference else f"median PPS, {name}"
            add(quantity, inputs.pps[i], model_os - model_pfs if as_difference else arm.median_pps)
    add(f"HR {inputs.endpoint}", chosen.hr.value, cox_hazard_ratio(*arms, endpoint="pfs"))
    add("HR OS", inputs.hr_os.value, cox_hazard_ratio(*arms, inputs.follow_up.value, inputs.n))
    return tuple(targets)
