"""Estimates of the parts of a gap: percentile intervals, shares with Fieller sets, p-values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.pps.calibration import Calibration, PfsSource, calibrate
from surrogacy.pps.gap_components import NO_ATTENUATION, NO_GAP, PARTS, ResampledSteps, Steps, parts_of, steps_of
from surrogacy.pps.shares import FiellerSet, fieller_set, share_estimate
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.stats.bootstrap import percentiles
from surrogacy.survival.hazard_ratios import expected_events

ROUNDING_ERROR = 1e-9  # of a log hazard ratio: what is left of a difference by the rounding of the computer


@dataclass(frozen=True)
class Ordering:
    """Dilution first, with the PPS of one arm in both; then the PPS of the second arm is put in its place.

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
class GapParts:
    """Parts of the gap between the two effects.

    Parameters
    ----------
    effects : dict of str to Estimate
        ``dilution``, ``imbalance``, ``residual``, ``gap``: differences of log hazard ratios.
    shares : dict of str to Estimate
        ``dilution``, ``imbalance``, ``residual`` over the gap, with Fieller sets. The value may lie outside 0..1; no
        limits where the set is unbounded (the interval of the gap holds 0), no value where there is no gap.
    share_sets : dict of str to FiellerSet
        The sets themselves; empty where there is no gap.
    """

    effects: Mapping[str, Estimate]
    shares: Mapping[str, Estimate]
    share_sets: Mapping[str, FiellerSet]


@dataclass(frozen=True, eq=False)
class ModelParts:
    """Parts of the attenuation by the model alone, without the residual.

    Parameters
    ----------
    shares : dict of str to Estimate
        ``dilution``, ``imbalance`` over the attenuation, with Fieller sets; no value where there is none.
    orderings : tuple of Ordering
        With the PPS of the control arm first, and with that of the experimental arm.
    expected_deaths : float
        Under the trial's follow-up.
    """

    shares: Mapping[str, Estimate]
    orderings: tuple[Ordering, Ordering]
    expected_deaths: float


@dataclass(frozen=True)
class Resampling:
    """Counts and p-values of the resampled trials.

    Parameters
    ----------
    trials, lost, at_boundary : int
        Resampled trials; those that gave no decomposition; those with PPS 0 or endless in an arm.
    p_residual : float
        Two-sided: share of resampled trials whose residual is at least as far from the observed residual as that is
        from 0. The error of the model's hazard ratio, which comes from the same trial, counts.
    p_hazard_ratio : float
        One-sided, the model's hazard ratio taken as known: share of trials whose error alone takes the OS hazard ratio
        from the model's to the observed one or beyond, on the side of the observed one.
    """

    trials: int
    lost: int
    at_boundary: int
    p_residual: float
    p_hazard_ratio: float


@dataclass(frozen=True)
class DirectDeathScenario:
    """Point values of a decomposition at one share of PFS events that are deaths.

    None where there is nothing to share out.

    Parameters
    ----------
    direct_death : float
    equal, model : float
        OS hazard ratios with equal PPS and with the PPS as calibrated.
    dilution_of_model : float or None
        Share of the attenuation by the model.
    dilution, imbalance, residual : float or None
        Shares of the gap.
    """

    direct_death: float
    equal: float
    model: float
    dilution_of_model: float | None
    dilution: float | None
    imbalance: float | None
    residual: float | None


def _share(part: float, whole: float) -> float | None:
    """Part over whole; None where there is nothing to share out."""
    return part / whole if abs(whole) > ROUNDING_ERROR else None


def gap_parts(parts: Mapping[str, FloatArray], draws: Mapping[str, FloatArray], level: float, kind: str) -> GapParts:
    """Estimate the parts of a gap and their shares from `parts_of` the trial and of resampled trials."""
    effects = {
        name: Estimate(parts[name].item(), None, *percentiles(draws[name], level), level, kind)
        for name in (*PARTS, "gap")
    }
    shares, sets = {}, {}
    for name in PARTS:
        value = _share(parts[name].item(), parts["gap"].item())
        if value is None:
            shares[name] = Estimate(None, method=NO_GAP)
        else:
            sets[name] = fieller_set(draws[name], draws["gap"], value, level)
            shares[name] = share_estimate(value, sets[name], level, kind)
    return GapParts(effects, shares, sets)


def model_parts(
    inputs: TrialSummary, chosen: Calibration, steps: Steps, draws: Steps, level: float, kind: str
) -> ModelParts:
    """Estimate the parts of the attenuation by the model, from the steps of the trial and of resampled trials."""
    shares = {}
    for name, first, last in (("dilution", "pfs", "equal"), ("imbalance", "equal", "model")):
        part, part_draws = (getattr(each, last) - getattr(each, first) for each in (steps, draws))
        value = _share(part.item(), (steps.model - steps.pfs).item())
        if value is None:
            shares[name] = Estimate(None, method=NO_ATTENUATION)
        else:
            of_model = fieller_set(part_draws, draws.model - draws.pfs, value, level)
            shares[name] = share_estimate(value, of_model, level, kind, "attenuation of the model")
    control, experimental = (
        Ordering(reference, (at - steps.pfs).item(), (steps.model - at).item())
        for reference, at in (("control", steps.at_control), ("experimental", steps.at_experimental))
    )
    events = expected_events(*chosen.arms, inputs.n, inputs.follow_up.value)
    return ModelParts(shares, (control, experimental), float(sum(events)))


def resampling(residual: float, inputs: TrialSummary, draws: ResampledSteps) -> Resampling:
    """Count resampled trials and compute the p-values of a residual (log hazard ratio)."""
    beyond = np.abs(draws.parts["residual"] - residual) >= abs(residual)
    beyond_known = (draws.log_hr_os - np.log(inputs.hr_os.value)) * np.sign(residual) >= abs(residual)
    return Resampling(
        trials=len(draws.log_hr_os) + draws.lost,
        lost=draws.lost,
        at_boundary=draws.at_boundary,
        p_residual=float(np.mean(beyond)),
        p_hazard_ratio=float(np.mean(beyond_known)),
    )


def by_direct_death(
    inputs: TrialSummary,
    shares: Sequence[float] = (0.0, 0.05, 0.1, 0.2, 0.3),
    pfs: PfsSource = "hazard-ratio",
    cut: str | None = None,
) -> list[DirectDeathScenario]:
    """Compute the decomposition (calibration M) at several shares of PFS events that are deaths.

    The remaining arguments are those of `surrogacy.pps.decompose`.

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
    scenarios = []
    for q in shares:
        trial = inputs.with_direct_death(q)
        chosen = calibrate(trial, "M", pfs, cut)
        steps = steps_of(chosen.median_pfs[None, :], chosen.post_progression[None, :], trial)
        parts = parts_of(steps, np.log([trial.hr_os.value]))
        attenuation = (steps.model - steps.pfs).item()
        scenarios.append(
            DirectDeathScenario(
                direct_death=q,
                equal=float(np.exp(steps.equal.item())),
                model=float(np.exp(steps.model.item())),
                dilution_of_model=_share(parts["dilution"].item(), attenuation),
                **{name: _share(parts[name].item(), parts["gap"].item()) for name in PARTS},
            )
        )
    return scenarios
