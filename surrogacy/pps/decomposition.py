"""Decomposition of the gap between the PFS and the OS effect of a trial: dilution, imbalance of PPS, residual.

b(u, v) is the large-sample limit of the Cox log hazard ratio of OS with post-progression hazards u (control) and v
(experimental), under the follow-up and allocation of the trial. c and e are the calibrated hazards of its two arms.

    PFS effect    log HR_PFS                                     the OS effect if patients died at progression
    dilution      [b(c, c) + b(e, e)] / 2 - log HR_PFS           equal PPS in both arms, mean over the two PPS
    imbalance     b(c, e) - [b(c, c) + b(e, e)] / 2              the calibrated PPS of each arm
    residual      log HR_OS - b(c, e)                            observed minus model
    gap           log HR_OS - log HR_PFS                         sum of the three parts

The mean over the reference arm is the Shapley value of the two steps; both orderings are kept. Post-progression
survival is conditional on progression, which the treatment affects. The imbalance is therefore descriptive and not a
comparison of randomised groups.

Intervals are percentiles over trials simulated under calibration M (`surrogacy.pps.resampling`). Their errors are
added, on the log scale, to the published medians and hazard ratios; those of a hazard ratio are scaled to its published
standard error, if there is one. Every resampled trial is calibrated and decomposed. The share q of deaths without
progression, the follow-up and the structure of the hazards (`surrogacy.pps.structure`) are fixed, so the intervals do
not include their uncertainty. Parts are log hazard ratios. Their shares of the gap have Fieller sets
(`surrogacy.pps.shares`), whose level holds whether or not the gap differs from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.pps.calibration import Calibration, CalibrationName, PfsSource, calibrate, scenarios
from surrogacy.pps.dilution import EqualPps, equal_pps
from surrogacy.pps.gap_components import (
    PARTS,
    is_identified,
    parts_of,
    printed_errors,
    problems_of,
    resampled,
    steps_of,
)
from surrogacy.pps.gap_estimates import (
    GapParts,
    ModelParts,
    Resampling,
    gap_parts,
    hazard_ratios,
    interval_method,
    model_parts,
    resampling,
)
from surrogacy.pps.records import Record, with_limits
from surrogacy.pps.resampling import SamplingErrors, printed_over_simulated, sampling_errors, scaled
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import share_with_interval, with_interval
from surrogacy.results.levels import LEVEL, confidence_level

RESAMPLES = 2000
FEWEST_RESAMPLES = 100


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Decomposition of the gap between the PFS and the OS effect of a trial.

    Parameters
    ----------
    inputs : TrialSummary
    calibration : Calibration
    hazard_ratios : dict of str to Estimate
        Cox limits of OS under the follow-up of the trial: ``pfs`` (PPS -> 0), ``equal_at_control`` and
        ``equal_at_experimental`` (the PPS of that arm in both arms), ``equal`` (their geometric mean), ``model`` (the
        calibrated PPS of each arm), ``observed``, ``swapped`` (PPS of the two arms exchanged), ``pps_only`` (PFS of the
        control arm in both arms). ``average``: average hazard ratio of Kalbfleisch and Prentice, complete follow-up.
    gap : GapParts
    model : ModelParts
    equal_pps : EqualPps
        Limits of the OS hazard ratio for equal PPS in both arms, and the PPS at which it equals the observed one.
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
        """Parts of the gap, and the gap, as log hazard ratios."""
        return self.gap.effects

    @property
    def shares(self) -> Mapping[str, Estimate]:
        """Shares of the gap by part."""
        return self.gap.shares

    @property
    def p_residual(self) -> float:
        """Two-sided p-value of a residual of 0."""
        return self.resampling.p_residual

    @property
    def identified(self) -> bool:
        """Test that the data identify the three parts; see `surrogacy.pps.gap_components.is_identified`."""
        counts = self.resampling
        return is_identified(
            self.effects["gap"], self.shares, counts.lost / counts.trials, counts.at_boundary / counts.trials
        )

    @property
    def words(self) -> str:
        """One paragraph: hazard ratios, parts of the gap and shares with intervals, and identification."""
        hr = self.hazard_ratios
        return (
            f"{self.inputs.name}, {self.calibration.label} ({self.calibration.words}): "
            f"HR {self.inputs.endpoint} {hr['pfs'].value:.3f}; OS HR {hr['equal'].value:.3f} with equal PPS in both "
            f"arms, {hr['model'].value:.3f} with the PPS of each arm, {hr['observed'].value:.3f} observed. "
            f"{self.parts_in_words} {'' if self.identified else 'The split is not identified.'}"
        ).rstrip()

    @property
    def parts_in_words(self) -> str:
        """Gap and parts as log hazard ratios, then shares of the gap, with intervals and the calibration."""
        gap, label = self.effects["gap"], self.calibration.label
        level = f"{gap.level or LEVEL:.0%}"
        parts = ", ".join(f"{name} {with_interval(self.effects[name])}" for name in PARTS)
        sentence = (
            f"Gap between the log hazard ratios of {self.inputs.endpoint} and OS {with_interval(gap)}: {parts} "
            f"({label}; {level} intervals)."
        )
        if any(share.value is None for share in self.shares.values()):
            return sentence
        shares = ", ".join(f"{name} {share_with_interval(share)}" for name, share in self.shares.items())
        return f"{sentence} Shares of the gap: {shares} ({label}; {level} Fieller sets)."

    @property
    def record(self) -> Record:
        """Inputs, hazard ratios, parts, shares and counts under the keys of results.json."""
        calibration, inputs, equal, counts = self.calibration, self.inputs, self.equal_pps, self.resampling
        low, high = inputs.follow_up.value or (None, None)
        record: Record = {
            "comparison": inputs.comparison,
            "endpoint": inputs.endpoint,
            "cut": calibration.cut,
            "pfs_effect": calibration.pfs,
            "hr_direct_death": calibration.structure.hr_direct_death,
            "shape": calibration.structure.shape,
            "calibration": calibration.name,
            "n_ctl": inputs.n[0],
            "n_exp": inputs.n[1],
            "direct_death": inputs.direct_death.value,
            "direct_death_assumed": inputs.direct_death.assumed,
            "follow_up_low": low,
            "follow_up_high": high,
            "follow_up_assumed": inputs.follow_up.assumed,
            "median_pfs_ctl": calibration.median_pfs[0],
            "median_pfs_exp": calibration.median_pfs[1],
            "model_pps_ctl": calibration.median_pps[0],
            "model_pps_exp": calibration.median_pps[1],
        }
        families = {"hr": self.hazard_ratios, "log_hr": self.effects, "share": self.shares}
        for prefix, estimates in (families | {"model_share": self.model.shares}).items():
            for name, estimate in estimates.items():
                record |= with_limits(f"{prefix}_{name}", estimate)
        for name, share_set in self.gap.share_sets.items():
            record |= share_set.record(f"share_{name}")
        for ordering in self.model.orderings:
            record[f"dilution_{ordering.reference}_first"] = ordering.dilution
            record[f"imbalance_{ordering.reference}_first"] = ordering.imbalance
        return record | {
            "hr_pps_endless": equal.endless,
            "hr_pps_endless_complete": equal.endless_complete,
            "pps_needed": equal.needed,
            "pps_needed_complete": equal.needed_complete,
            "expected_deaths": self.model.expected_deaths,
            "p_residual": self.p_residual,
            "p_hazard_ratio": counts.p_hazard_ratio,
            "identified": self.identified,
            "resamples": counts.trials,
            "lost": counts.lost,
            "at_boundary": counts.at_boundary,
            "problems": "; ".join(self.problems),
        }


def main_decomposition(decompositions: Sequence[Decomposition]) -> Decomposition | None:
    """Return the main decomposition: calibration M, with the PFS hazard ratio that belongs with the final OS.

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
    structure: TransitionStructure = DEFAULT_STRUCTURE,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Decomposition:
    """Decompose the gap between the PFS effect and the OS effect of one trial.

    Parameters
    ----------
    inputs : TrialSummary
        Published values, for example from `surrogacy.pps.read_summaries.read_inputs`.
    calibration : {"L", "M"}
        Post-progression hazards from the reported PPS, or fitted to the OS medians.
    pfs : {"hazard-ratio", "medians"}
        PFS effect from the hazard ratio (and the control median), or from both medians.
    cut : str, optional
        Data cut of the PFS effect; default: the one that belongs with the final OS.
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the exits from PFS; also those of the simulated trials.
    resamples : int
        Number of simulated trials for the intervals, at least 100.
    level : float
        Two-sided level of the intervals.
    seed : int

    Returns
    -------
    Decomposition

    Raises
    ------
    UsageError
        If a value is missing or impossible, or an argument is.

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
    chosen = calibrate(inputs, calibration, pfs, cut, structure)
    truth = chosen if calibration == "M" else calibrate(inputs, "M", pfs, cut, structure)
    return _decompose(inputs, chosen, sampling_errors(inputs, truth, resamples, seed), level)


def decompose_all(
    inputs: TrialSummary,
    *,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[Decomposition, ...]:
    """Decompose a trial for every data cut, source of the PFS effect and calibration that its values allow.

    The arguments are those of `decompose`.

    Raises
    ------
    UsageError
        If no decomposition is possible; the message is that of the first.
    """
    level = _checked(resamples, level)
    decompositions, errors = [], []
    for cut, pfs, name in scenarios(inputs):
        try:
            values = decompose(inputs, name, pfs, cut, structure=structure, resamples=resamples, level=level, seed=seed)
        except UsageError as error:
            errors.append(error)
        else:
            decompositions.append(values)
    if not decompositions:
        raise errors[0]
    return tuple(decompositions)


def _checked(resamples: int, level: float) -> float:
    """Return the level; raise a UsageError for too few resamples or an impossible level."""
    if resamples < FEWEST_RESAMPLES:
        raise UsageError(f"resamples {resamples}: intervals need at least {FEWEST_RESAMPLES} resamples")
    return confidence_level(level)


def _decompose(inputs: TrialSummary, chosen: Calibration, errors: SamplingErrors, level: float) -> Decomposition:
    ratios = printed_over_simulated(inputs, chosen, errors)
    draws = resampled(inputs, chosen, scaled(errors, ratios))
    steps = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], inputs, chosen.structure)
    parts = parts_of(steps, np.log([inputs.hr_os.value]))
    method = interval_method(len(draws.log_hr_os), ratios, inputs)
    gap = gap_parts(parts, draws.parts, level, method)
    problems = problems_of(
        inputs, chosen, gap.effects, gap.shares, draws.lost / len(errors), draws.at_boundary / len(errors)
    )
    return Decomposition(
        inputs=inputs,
        calibration=chosen,
        hazard_ratios=hazard_ratios(inputs, chosen, steps, draws, level, method),
        gap=gap,
        model=model_parts(inputs, chosen, steps, draws.steps, level, method),
        equal_pps=equal_pps(inputs, chosen),
        resampling=resampling(parts["residual"].item(), inputs, draws),
        problems=(*problems, *printed_errors(inputs, ratios)),
    )
