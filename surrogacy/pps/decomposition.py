"""Decomposition of the gap between the PFS and the OS effect of a trial: dilution, imbalance of PPS, residual.

With b(u, v) the large-sample limit of the Cox log hazard ratio of OS when the post-progression hazards are u (control)
and v (experimental), under the trial's follow-up and allocation, and c, e the calibrated hazards of its two arms,

    PFS effect    log HR_PFS                                     what OS would show if patients died at progression
    dilution      [b(c, c) + b(e, e)] / 2 - log HR_PFS           one PPS in both arms: the control's, the experimental's
    imbalance     b(c, e) - [b(c, c) + b(e, e)] / 2
    residual      log HR_OS - b(c, e)                            observed less model
    gap           log HR_OS - log HR_PFS                         the three together

The mean over the reference arm is the Shapley value of the two steps; both orderings are kept. Post-progression
survival is conditional on progression, which treatment changes: the imbalance describes, it does not compare randomised
groups.

Intervals are percentiles over trials simulated under calibration M (see `surrogacy.pps.resampling`): their errors are
added, on the log scale, to the printed medians and hazard ratios, those of a hazard ratio scaled to its printed
standard error where there is one, and every resampled trial is calibrated and decomposed again. The share q of deaths
without progression and the follow-up are held fixed at their values: the intervals contain no uncertainty of these. The
parts are given in log hazard ratios first; their shares of the gap have Fieller sets (`surrogacy.pps.shares`), whose
level does not depend on whether the gap is clearly different from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.calibration import Calibration, CalibrationName, PfsSource, calibrate
from surrogacy.pps.dilution import EqualPps, equal_pps
from surrogacy.pps.gap_components import (
    PARTS,
    ResampledSteps,
    Steps,
    is_identified,
    parts_of,
    printed_errors,
    problems_of,
    resampled,
    steps_of,
)
from surrogacy.pps.gap_estimates import GapParts, ModelParts, Resampling, gap_parts, model_parts, resampling
from surrogacy.pps.read_summaries import read_all_inputs
from surrogacy.pps.resampling import SamplingErrors, printed_over_simulated, sampling_errors, scaled
from surrogacy.pps.trial_summary import HazardRatio, TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import share_with_interval, with_interval
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.bootstrap import percentiles
from surrogacy.survival.hazard_ratios import average_hazard_ratio, cox_hazard_ratio
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.trials import TrialSet

RESAMPLES = 2000
FEWEST_RESAMPLES = 100
RESAMPLES_OF_TABLE = 400  # a trial: dozens of trials in some seconds
NO_INTERVAL = "value of the calibrated model, no interval"


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Decomposition of the gap between the PFS and the OS effect of a trial.

    Parameters
    ----------
    inputs : TrialSummary
    calibration : Calibration
    hazard_ratios : dict of str to Estimate
        ``pfs`` (PPS -> 0), ``equal_at_control`` and ``equal_at_experimental`` (that arm's PPS in both), ``equal``
        (their geometric mean), ``model`` (either arm its own), ``observed``, ``swapped`` (PPS of the two arms
        exchanged), ``pps_only`` (the control's PFS in both arms): Cox limits of OS under the trial's follow-up;
        ``average``: Kalbfleisch-Prentice, complete follow-up.
    gap : GapParts
    model : ModelParts
    equal_pps : EqualPps
        Limits of the OS hazard ratio over one PPS for both arms, and the PPS needed for the observed one.
    resampling : Resampling
    problems : tuple of str
    """

    inputs: TrialSummary
    calibration: Calibration
    hazard_ratios: Mapping[str, Estimate]
    gap: GapParts
    model: ModelParts
    equal_pps: EqualPps
    resampling: Resampling
    problems: tuple[str, ...]

    @property
    def effects(self) -> Mapping[str, Estimate]:
        """Parts of the gap, and the gap, in log hazard ratios."""
        return self.gap.effects

    @property
    def shares(self) -> Mapping[str, Estimate]:
        """Shares of the parts in the gap."""
        return self.gap.shares

    @property
    def p_residual(self) -> float:
        """Two-sided p-value of a residual of 0."""
        return self.resampling.p_residual

    @property
    def identified(self) -> bool:
        """Identification of the three parts by the data; see `surrogacy.pps.gap_components.is_identified`."""
        counts = self.resampling
        return is_identified(
            self.effects["gap"], self.shares, counts.lost / counts.trials, counts.at_boundary / counts.trials
        )

    @property
    def words(self) -> str:
        """One paragraph: the hazard ratios, the shares with their intervals, and whether they mean anything."""
        hr = self.hazard_ratios
        return (
            f"{self.inputs.name}, {self.calibration.label} ({self.calibration.words}): "
            f"HR {self.inputs.endpoint} {hr['pfs'].value:.3f}; "
            f"OS HR with equal PPS {hr['equal'].value:.3f}, "
            f"with the PPS difference {hr['model'].value:.3f}, observed {hr['observed'].value:.3f}. "
            f"{self.parts_in_words} {'' if self.identified else 'The split is not identified.'}"
        ).rstrip()

    @property
    def parts_in_words(self) -> str:
        """Gap and parts in log hazard ratios, then shares of the gap, each with its interval and the calibration."""
        gap, label = self.effects["gap"], self.calibration.label
        parts = ", ".join(f"{name} {with_interval(self.effects[name])}" for name in PARTS)
        sentence = f"Gap in log HR {with_interval(gap)}: {parts} ({label}; {gap.level or LEVEL:.0%} intervals)."
        if any(share.value is None for share in self.shares.values()):
            return sentence
        shares = ", ".join(f"{name} {share_with_interval(share)}" for name, share in self.shares.items())
        return f"{sentence} Shares of the gap: {shares} ({label}; {gap.level or LEVEL:.0%} Fieller sets)."


def main_decomposition(decompositions: Sequence[Decomposition]) -> Decomposition | None:
    """Return the decomposition for every output: PPS fitted to the OS medians, by the hazard ratio of the final OS.

    Examples
    --------
    >>> main_decomposition([]) is None
    True
    """
    calibrations = [(d.calibration.name, d.calibration.pfs) for d in decompositions]
    main = ("M", "hazard-ratio")
    return decompositions[calibrations.index(main)] if main in calibrations else None


def decompose(
    inputs: TrialSummary,
    calibration: CalibrationName = "M",
    pfs: PfsSource = "hazard-ratio",
    cut: str | None = None,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Decomposition:
    """Decompose the way from the PFS effect to the OS effect of one trial.

    Parameters
    ----------
    inputs : TrialSummary
        Published values; see `surrogacy.pps.read_summaries.read_inputs`.
    calibration : {"L", "M"}
        Post-progression hazards from the reported PPS, or fitted to the OS medians.
    pfs : {"hazard-ratio", "medians"}
        The PFS effect by the hazard ratio (with the control median), or by both medians.
    cut : str, optional
        Data cut of the PFS effect; default: the one that belongs with the final OS.
    resamples : int
        Simulated trials for the intervals; at least 100.
    level : float
        Of the intervals, two-sided.
    seed : int

    Returns
    -------
    Decomposition

    Raises
    ------
    UsageError
        If a value is missing or impossible, or the arguments are.

    Examples
    --------
    >>> from surrogacy.pps.trial_summary import HazardRatio, Median, PfsCut, Sourced, TrialSummary
    >>> cut = PfsCut("final", HazardRatio(0.6), (Median(6.0), Median(10.0)))
    >>> trial = TrialSummary(
    ...     comparison="trial", n=(150, 150), cuts=(cut,), median_os=(Median(18.0), Median(21.0)),
    ...     hr_os=HazardRatio(0.85), direct_death=Sourced(0.1, "counted"), follow_up=Sourced((12.0, 40.0), "printed"),
    ... )
    >>> parts = decompose(trial, resamples=100).effects
    >>> {name: round(effect.value, 2) for name, effect in parts.items()}
    {'dilution': 0.15, 'imbalance': 0.15, 'residual': 0.05, 'gap': 0.35}
    """
    level = _checked(resamples, level)
    chosen = calibrate(inputs, calibration, pfs, cut)
    truth = chosen if calibration == "M" else calibrate(inputs, "M", pfs, cut)
    return _decompose(inputs, chosen, sampling_errors(inputs, truth, resamples, seed), level)


def decompose_all(
    inputs: TrialSummary, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> tuple[Decomposition, ...]:
    """Decompose a trial in every way that its inputs allow.

    Each data cut, PFS effect by hazard ratio and by medians, calibrations L and M; arguments as for `decompose`.

    Raises
    ------
    UsageError
        If there is no way at all; the reason of the first.
    """
    level = _checked(resamples, level)
    decompositions, refused = [], []
    for cut in inputs.cuts:
        for pfs in ("hazard-ratio", "medians"):
            for name in ("L", "M"):
                if (name == "L" and inputs.pps is None) or (pfs == "medians" and cut.medians is None):
                    continue
                try:
                    decompositions.append(
                        decompose(inputs, name, pfs, cut.name, resamples=resamples, level=level, seed=seed)
                    )
                except UsageError as error:
                    refused.append(error)
    if not decompositions:
        raise refused[0]
    return tuple(decompositions)


def decompose_trials(
    trials: TrialSet, *, resamples: int = RESAMPLES_OF_TABLE, level: float = LEVEL, seed: int = 0
) -> tuple[tuple[Decomposition, ...], dict[str, str]]:
    """Decompose every comparison of the tables: calibration M, by the hazard ratio that belongs with the final OS.

    Returns
    -------
    decompositions : tuple of Decomposition
    refused : dict of comparison to reason
        Comparisons that cannot be calibrated, and why not.
    """
    level = _checked(resamples, level)
    inputs, refused = read_all_inputs(trials)
    decompositions = []
    for trial in inputs:
        try:
            decompositions.append(decompose(trial, resamples=resamples, level=level, seed=seed))
        except UsageError as error:
            refused[trial.comparison] = str(error)
    return tuple(decompositions), refused


def _checked(resamples: int, level: float) -> float:
    """Return the level; refuse too few resamples first, so that the refusal is not taken for that of a trial."""
    if resamples < FEWEST_RESAMPLES:
        raise UsageError(f"resamples {resamples}: intervals need at least {FEWEST_RESAMPLES} resamples")
    return confidence_level(level)


def _decompose(inputs: TrialSummary, chosen: Calibration, errors: SamplingErrors, level: float) -> Decomposition:
    ratios = printed_over_simulated(inputs, chosen, errors)
    draws = resampled(inputs, chosen, scaled(errors, ratios))
    steps = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], inputs)
    parts = parts_of(steps, np.log([inputs.hr_os.value]))
    kind = _kind(len(draws.log_hr_os), ratios, inputs)
    gap = gap_parts(parts, draws.parts, level, kind)
    problems = problems_of(
        inputs, chosen, gap.effects, gap.shares, draws.lost / len(errors), draws.at_boundary / len(errors)
    )
    return Decomposition(
        inputs=inputs,
        calibration=chosen,
        hazard_ratios=_hazard_ratios(inputs, chosen, steps, draws, level, kind),
        gap=gap,
        model=model_parts(inputs, chosen, steps, draws.steps, level, kind),
        equal_pps=equal_pps(inputs, chosen),
        resampling=resampling(parts["residual"].item(), inputs, draws),
        problems=(*problems, *printed_errors(inputs, ratios)),
    )


def _hazard_ratios(
    inputs: TrialSummary, chosen: Calibration, steps: Steps, draws: ResampledSteps, level: float, kind: str
) -> dict[str, Estimate]:
    """Hazard ratios of a decomposition, those that are resampled with percentiles."""

    def ratio(log_hr: FloatArray, sample: FloatArray) -> Estimate:
        return Estimate(np.exp(log_hr).item(), None, *percentiles(np.exp(sample), level), level, kind)

    def cox(arms: tuple[IllnessDeath, IllnessDeath]) -> Estimate:
        return Estimate(cox_hazard_ratio(*arms, inputs.follow_up.value, inputs.n), method=NO_INTERVAL)

    def arm(i: int, j: int) -> IllnessDeath:
        """Arm with the PFS of arm i and the PPS of arm j."""
        return IllnessDeath.from_pfs(chosen.median_pfs[i], chosen.direct_death, chosen.post_progression[j])

    resampled_steps = {
        name: ratio(getattr(steps, step), getattr(draws.steps, step))
        for name, step in (
            ("pfs", "pfs"),
            ("equal_at_control", "at_control"),
            ("equal_at_experimental", "at_experimental"),
            ("equal", "equal"),
            ("model", "model"),
        )
    }
    if chosen.pfs == "hazard-ratio":
        resampled_steps["pfs"] = _printed(inputs.cut(chosen.cut).hr, resampled_steps["pfs"])
    return resampled_steps | {
        "observed": _printed(inputs.hr_os, ratio(np.log([inputs.hr_os.value]), draws.log_hr_os)),
        "swapped": cox((arm(0, 1), arm(1, 0))),
        "pps_only": cox((arm(0, 0), arm(0, 1))),
        "average": Estimate(average_hazard_ratio(*chosen.arms, upper=np.inf), method=NO_INTERVAL),
    }


def _kind(trials: int, ratios: Mapping[str, float], inputs: TrialSummary) -> str:
    """Method of the intervals, in words."""
    names = {"pfs": f"log HR {inputs.endpoint}", "os": "log HR OS"}
    scaled_to = " and ".join(names[endpoint] for endpoint in ratios)
    to_printed = f", those of {scaled_to} scaled to the printed standard error" if ratios else ""
    return (
        f"percentiles of {trials} trials simulated under calibration M, errors added to the printed medians and HRs"
        f"{to_printed}; share of deaths among PFS events and follow-up held fixed"
    )


def _printed(hr: HazardRatio, resampled_interval: Estimate) -> Estimate:
    """A printed hazard ratio with its printed limits, where there are any; else with those of the resampling."""
    if hr.low is None or hr.high is None:
        return resampled_interval
    return Estimate(hr.value, None, hr.low, hr.high, hr.level, f"as printed; {hr.estimand}")
