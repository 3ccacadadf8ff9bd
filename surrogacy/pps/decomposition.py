"""From the PFS effect of a trial to its OS effect: dilution by the length of PPS, imbalance of PPS between the arms, residual.

With b(u, v) the large-sample limit of the Cox log hazard ratio of OS when the post-progression hazards are u (control) and v
(experimental), under the trial's follow-up and allocation, and c, e the calibrated hazards of its two arms,

    PFS effect    log HR_PFS                                     what OS would show if patients died at progression
    dilution      [b(c, c) + b(e, e)] / 2 - log HR_PFS           one PPS in both arms: the control's, the experimental arm's
    imbalance     b(c, e) - [b(c, c) + b(e, e)] / 2
    residual      log HR_OS - b(c, e)                            observed less model
    gap           log HR_OS - log HR_PFS                         the three together

The mean over the reference arm is the Shapley value of the two steps; both orderings are kept. Post-progression survival is
conditional on progression, which treatment changes: the imbalance describes, it does not compare randomised groups.

Intervals are percentiles over trials simulated under calibration M (see `surrogacy.pps.resampling`): their errors are added, on the
log scale, to the printed medians and hazard ratios, those of a hazard ratio scaled to its printed standard error where there is one, and
every resampled trial is calibrated and decomposed again. The share q of deaths without progression and the follow-up are held fixed at
their values: the intervals contain no uncertainty of these. The parts are given in log hazard ratios first; their shares of the gap have
Fieller sets (`surrogacy.pps.shares`), whose level does not depend on whether the gap is clearly different from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.calibration import Calibration, CalibrationName, PfsSource, calibrate
from surrogacy.pps.dilution import EqualPps, equal_pps
from surrogacy.pps.gap_components import (
    NO_ATTENUATION,
    NO_GAP,
    PARTS,
    is_identified,
    parts_of,
    printed_errors,
    problems_of,
    resampled,
    steps_of,
)
from surrogacy.pps.read_summaries import read_all_inputs
from surrogacy.pps.resampling import SamplingErrors, printed_over_simulated, sampling_errors, scaled
from surrogacy.pps.shares import FiellerSet, fieller_set, share_estimate
from surrogacy.pps.trial_summary import HazardRatio, TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import share_with_interval, with_interval
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import LEVEL
from surrogacy.stats.bootstrap import percentiles
from surrogacy.survival.hazard_ratios import average_hazard_ratio, cox_hazard_ratio, expected_events
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.trials import TrialSet

RESAMPLES = 2000
FEWEST_RESAMPLES = 100
RESAMPLES_OF_TABLE = 400  # a trial: dozens of trials in some seconds
NOTHING = 1e-9  # of a log hazard ratio: what is left of a difference by the rounding of the computer


@dataclass(frozen=True)
class Ordering:
    """Dilution first, with the PPS of one arm in both; then the other arm's PPS is put in its place.

    Parameters
    ----------
    reference : {"control", "experimental"}
        The arm whose PPS both have at first.
    dilution, imbalance : float
        Log hazard ratios.
    """

    reference: str
    dilution: float
    imbalance: float


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The way from a PFS effect to an OS effect.

    Parameters
    ----------
    inputs : TrialSummary
    calibration : Calibration
    hazard_ratios : dict of str to Estimate
        ``pfs`` (PPS -> 0), ``equal_at_control`` and ``equal_at_experimental`` (that arm's PPS in both), ``equal`` (their geometric
        mean), ``model`` (either arm its own), ``observed``, ``swapped`` (each arm the other's PPS), ``pps_only`` (the control's PFS in
        both arms): Cox limits of OS under the trial's follow-up; ``average``: Kalbfleisch-Prentice, complete follow-up.
    effects : dict of str to Estimate
        ``dilution``, ``imbalance``, ``residual``, ``gap``: differences of log hazard ratios.
    shares : dict of str to Estimate
        ``dilution``, ``imbalance``, ``residual`` over the gap, with Fieller sets. The value may lie outside 0..1; no limits where the
        set is unbounded (the interval of the gap holds 0), no value where there is no gap.
    share_sets : dict of str to FiellerSet
        The sets themselves; empty where there is no gap.
    model_shares : dict of str to Estimate
        ``dilution``, ``imbalance`` over the attenuation of the model alone, without the residual, likewise; no value where there is none.
    orderings : tuple of Ordering
    equal_pps : EqualPps
        Limits and curve of the OS hazard ratio over one PPS for both arms, and the PPS needed for the observed one.
    expected_deaths : float
        Of the model under the trial's follow-up.
    p_residual : float
        Two-sided: share of resampled trials whose residual is at least as far from the residual found as that is from 0. The error of
        the model's hazard ratio, which comes from the same trial, counts.
    p_hazard_ratio : float
        One-sided, the model's hazard ratio taken as known: share of trials whose error alone takes the OS hazard ratio from the model's
        to the observed one or beyond, on the side of the observed one.
    resamples, lost, at_boundary : int
        Resampled trials; those that gave no decomposition; those with PPS 0 or endless in an arm.
    problems : tuple of str
    """

    inputs: TrialSummary
    calibration: Calibration
    hazard_ratios: Mapping[str, Estimate]
    effects: Mapping[str, Estimate]
    shares: Mapping[str, Estimate]
    share_sets: Mapping[str, FiellerSet]
    model_shares: Mapping[str, Estimate]
    orderings: tuple[Ordering, Ordering]
    equal_pps: EqualPps
    expected_deaths: float
    p_residual: float
    p_hazard_ratio: float
    resamples: int
    lost: int
    at_boundary: int
    problems: tuple[str, ...]

    @property
    def identified(self) -> bool:
        """Whether the data tell dilution, imbalance and residual apart; see `surrogacy.pps.gap_components.is_identified`."""
        return is_identified(
            self.effects["gap"], self.shares, self.lost / self.resamples, self.at_boundary / self.resamples
        )

    @property
    def words(self) -> str:
        """One paragraph: the way, the shares with their intervals, and whether they mean anything."""
        hr = self.hazard_ratios
        return (
            f"{self.inputs.name}, {self.calibration.label} ({self.calibration.words}): "
            f"HR {self.inputs.endpoint} {hr['pfs'].value:.3f}; OS HR with equal PPS {hr['equal'].value:.3f}, with the PPS "
            f"difference {hr['model'].value:.3f}, observed {hr['observed'].value:.3f}. {self.parts_in_words} "
            f"{'' if self.identified else 'The split is not identified.'}"
        ).rstrip()

    @property
    def parts_in_words(self) -> str:
        """The gap and its parts in log hazard ratios, then the shares of the gap, each with its interval and the calibration."""
        gap, label = self.effects["gap"], self.calibration.label
        parts = ", ".join(f"{name} {with_interval(self.effects[name])}" for name in PARTS)
        sentence = f"Gap in log HR {with_interval(gap)}: {parts} ({label}; {gap.level or LEVEL:.0%} intervals)."
        if any(share.value is None for share in self.shares.values()):
            return sentence
        shares = ", ".join(f"{name} {share_with_interval(share)}" for name, share in self.shares.items())
        return f"{sentence} Shares of the gap: {shares} ({label}; {gap.level or LEVEL:.0%} Fieller sets)."


def main_decomposition(found: Sequence[Decomposition]) -> Decomposition | None:
    """Return the one that every output takes: PPS fitted to the OS medians, by the hazard ratio that belongs with the final OS."""
    chosen = (one for one in found if one.calibration.name == "M" and one.calibration.pfs == "hazard-ratio")
    return next(chosen, None)


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
        What the trial printed; see `surrogacy.pps.read_summaries.read_inputs`.
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
    """
    level = _checked(resamples, level)
    chosen = calibrate(inputs, calibration, pfs, cut)
    truth = chosen if calibration == "M" else calibrate(inputs, "M", pfs, cut)
    return _decompose(inputs, chosen, sampling_errors(inputs, truth, resamples, seed), level)


def decompose_all(
    inputs: TrialSummary, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> tuple[Decomposition, ...]:
    """Decompose a trial in every way that its inputs allow: each data cut, PFS effect by HR and by medians, calibrations L and M.

    Raises
    ------
    UsageError
        If there is no way at all; the reason of the first.
    """
    level = _checked(resamples, level)
    found, refused = [], []
    for cut in inputs.cuts:
        for pfs in ("hazard-ratio", "medians"):
            for name in ("L", "M"):
                if (name == "L" and inputs.pps is None) or (pfs == "medians" and cut.medians is None):
                    continue
                try:
                    found.append(decompose(inputs, name, pfs, cut.name, resamples=resamples, level=level, seed=seed))
                except UsageError as error:
                    refused.append(error)
    if not found:
        raise refused[0]
    return tuple(found)


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
    found = []
    for trial in inputs:
        try:
            found.append(decompose(trial, resamples=resamples, level=level, seed=seed))
        except UsageError as error:
            refused[trial.comparison] = str(error)
    return tuple(found), refused


def _checked(resamples: int, level: float) -> float:
    """Return the level; refuse too few resamples before a trial is tried, so that the refusal is not taken for the trial's."""
    if resamples < FEWEST_RESAMPLES:
        raise UsageError(f"resamples {resamples}: intervals need at least {FEWEST_RESAMPLES} resamples")
    return confidence_level(level)


def by_direct_death(
    inputs: TrialSummary,
    shares: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.3),
    pfs: PfsSource = "hazard-ratio",
    cut: str | None = None,
) -> list[dict[str, Any]]:
    """How the decomposition (calibration M) depends on the share of PFS events that are deaths.

    Returns
    -------
    list of dict
        ``direct_death``, hazard ratios ``equal`` and ``model``, ``dilution_of_model`` (share of the model's attenuation),
        ``dilution``, ``imbalance``, ``residual`` (of the gap); None where there is nothing to share out. Point values; not intervals.
    """
    records = []
    for share in shares:
        trial = inputs.with_direct_death(share)
        chosen = calibrate(trial, "M", pfs, cut)
        steps = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], trial)
        parts = parts_of(steps, np.log([trial.hr_os.value]))
        gap, attenuation = parts["gap"].item(), (steps.model - steps.pfs).item()
        record: dict[str, Any] = {
            "direct_death": share,
            "equal": float(np.exp(steps.equal.item())),
            "model": float(np.exp(steps.model.item())),
            "dilution_of_model": _share(parts["dilution"].item(), attenuation),
        }
        records.append(record | {name: _share(parts[name].item(), gap) for name in PARTS})
    return records


def _share(part: float, whole: float) -> float | None:
    """Part over whole; None where there is nothing to share out."""
    return part / whole if abs(whole) > NOTHING else None


def _decompose(inputs: TrialSummary, chosen: Calibration, errors: SamplingErrors, level: float) -> Decomposition:
    point = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], inputs)
    log_observed = np.log([inputs.hr_os.value])
    ratios = printed_over_simulated(inputs, chosen, errors)
    errors = scaled(errors, ratios)
    draws, observed, lost, at_boundary = resampled(inputs, chosen, errors)
    parts, part_draws = parts_of(point, log_observed), parts_of(draws, observed)
    kind = _kind(len(observed), ratios, inputs)

    def estimate(value: FloatArray, sample: FloatArray) -> Estimate:
        return Estimate(value.item(), None, *percentiles(sample, level), level, kind)

    def ratio(value: FloatArray, sample: FloatArray) -> Estimate:
        return estimate(np.exp(value), np.exp(sample))

    control, experimental = chosen.arms
    c, e = chosen.post_progression
    swapped_control, swapped_experimental = (
        IllnessDeath.from_pfs(chosen.median_pfs[i], chosen.direct_death, h12) for i, h12 in ((0, e), (1, c))
    )
    pps_only = IllnessDeath.from_pfs(chosen.median_pfs[0], chosen.direct_death, e)
    period = (inputs.follow_up.value, inputs.n)
    alone = "value of the calibrated model, no interval"
    hazard_ratios = {
        "pfs": _printed(inputs.cut(chosen.cut).hr, ratio(point.pfs, draws.pfs), taken=chosen.pfs == "hazard-ratio"),
        "equal_at_control": ratio(point.at_control, draws.at_control),
        "equal_at_experimental": ratio(point.at_experimental, draws.at_experimental),
        "equal": ratio(point.equal, draws.equal),
        "model": ratio(point.model, draws.model),
        "observed": _printed(inputs.hr_os, ratio(log_observed, observed)),
        "swapped": Estimate(cox_hazard_ratio(swapped_control, swapped_experimental, *period), method=alone),
        "pps_only": Estimate(cox_hazard_ratio(control, pps_only, *period), method=alone),
        "average": Estimate(average_hazard_ratio(control, experimental, upper=np.inf), method=alone),
    }
    effects = {name: estimate(parts[name], part_draws[name]) for name in (*PARTS, "gap")}
    attenuation, attenuation_draws = point.model - point.pfs, draws.model - draws.pfs

    def sets(names: Sequence[str], whole: FloatArray, whole_draws: FloatArray) -> dict[str, tuple[float, FiellerSet]]:
        values = {name: _share(parts[name].item(), whole.item()) for name in names}
        return {
            name: (value, fieller_set(part_draws[name], whole_draws, value, level))
            for name, value in values.items()
            if value is not None
        }

    of_gap = sets(PARTS, parts["gap"], part_draws["gap"])
    of_attenuation = sets(PARTS[:2], attenuation, attenuation_draws)
    shares = {
        name: share_estimate(*of_gap[name], level, kind) if name in of_gap else Estimate(None, method=NO_GAP)
        for name in PARTS
    }
    model_shares = {
        name: share_estimate(*of_attenuation[name], level, kind, "attenuation of the model")
        if name in of_attenuation
        else Estimate(None, method=NO_ATTENUATION)
        for name in PARTS[:2]
    }
    residual = parts["residual"].item()
    beyond = np.abs(part_draws["residual"] - residual) >= abs(residual)
    beyond_known = (observed - log_observed) * np.sign(residual) >= abs(residual)
    orderings = (
        Ordering("control", (point.at_control - point.pfs).item(), (point.model - point.at_control).item()),
        Ordering(
            "experimental", (point.at_experimental - point.pfs).item(), (point.model - point.at_experimental).item()
        ),
    )
    return Decomposition(
        inputs=inputs,
        calibration=chosen,
        hazard_ratios=hazard_ratios,
        effects=effects,
        shares=shares,
        share_sets={name: share_set for name, (_, share_set) in of_gap.items()},
        model_shares=model_shares,
        orderings=orderings,
        equal_pps=equal_pps(inputs, chosen),
        expected_deaths=float(sum(expected_events(control, experimental, inputs.n, inputs.follow_up.value))),
        p_residual=float(np.mean(beyond)),
        p_hazard_ratio=float(np.mean(beyond_known)),
        resamples=len(errors),
        lost=lost,
        at_boundary=at_boundary,
        problems=(
            *problems_of(inputs, chosen, effects, shares, lost / len(errors), at_boundary / len(errors)),
            *printed_errors(inputs, ratios),
        ),
    )


def _kind(trials: int, ratios: Mapping[str, float], inputs: TrialSummary) -> str:
    """How the intervals were made, in words."""
    names = {"pfs": f"log HR {inputs.endpoint}", "os": "log HR OS"}
    to_printed = (
        f", those of {' and '.join(names[one] for one in ratios)} scaled to the printed standard error"
        if ratios
        else ""
    )
    return (
        f"percentiles of {trials} trials simulated under calibration M, errors added to the printed medians and HRs{to_printed}; "
        "share of deaths among PFS events and follow-up held fixed"
    )


def _printed(hr: HazardRatio, resampled_interval: Estimate, *, taken: bool = True) -> Estimate:
    """A printed hazard ratio with its printed limits, where there are any and it was taken; else with those of the resampling."""
    if not taken or hr.low is None or hr.high is None:
        return resampled_interval
    return Estimate(hr.value, None, hr.low, hr.high, hr.level, f"as printed; {hr.estimand}")
