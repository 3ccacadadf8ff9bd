"""Captions of the figures on post-progression survival, to be pasted under them."""

from __future__ import annotations

from collections.abc import Sequence

from surrogacy.models.moderation import Moderation
from surrogacy.pps.at_risk import AtRiskComparison
from surrogacy.pps.coupling import CouplingAudit
from surrogacy.pps.decomposition import Decomposition, main_decomposition
from surrogacy.pps.dilution import DilutionMap, DilutionPoint
from surrogacy.results.format import number, with_interval


def waterfall(found: Sequence[Decomposition]) -> str:
    """The way from the PFS effect to the OS effect."""
    main = main_decomposition(found) or found[0]
    inputs = main.inputs
    scenarios = "; ".join(f"{one.calibration.label}: {one.calibration.words}" for one in found)
    identified = "" if all(one.identified for one in found) else " The split is not identified by these data."
    shown = " ".join(one.parts_in_words for one in found)
    return (
        f"{inputs.name}: from the effect on {inputs.endpoint} to that on OS ({scenarios}). Illness-death model with constant hazards; OS hazard ratios are "
        "large-sample limits of the Cox estimate under the follow-up of the trial. Dilution: one post-progression survival in both arms; imbalance: either arm its own, "
        f"a comparison of those who progressed, not of randomised groups; residual: observed less model. Bars: 95% intervals, {main.effects['gap'].method}. {shown}"
        f"{identified} {_about(main)}{_caveats(main.problems)}\n"
    )


def over_time(found: Sequence[Decomposition], comparison: AtRiskComparison | None) -> str:
    """The OS hazard ratio over time."""
    inputs = found[0].inputs
    words = f"{inputs.name}: OS hazard ratio over time of the constant-hazard calibrations, which is never constant, and the printed one (Cox estimate)."
    if comparison is not None:
        words += (
            " Black: ratios of the rates at which the numbers at risk fall, with 95% intervals, losses taken for deaths. Piecewise: post-progression hazards "
            f"{comparison.fits[-1].name} (likelihood ratio test against constant hazards: p = {number(comparison.p)})."
        )
        words += _caveats(comparison.problems)
    return words + "\n"


def dilution_map(chart: DilutionMap, points: Sequence[DilutionPoint]) -> str:
    """Retained share of the log hazard ratio."""
    return (
        "Share of the log PFS hazard ratio that is left in the OS hazard ratio (large-sample limit of the Cox estimate) when post-progression survival "
        f"(PPS) is the same in both arms, constant hazards, {chart.direct_death:.0%} of PFS events deaths. Points: {len(points)} comparisons by the PPS of calibration M (fitted to the control "
        "arm's medians, at the data cut of the final OS); fill: observed log HR of OS over observed log HR of PFS, a ratio of two estimates, and noise where the PFS hazard ratio is near 1.\n"
    )


def arms(audit: CouplingAudit) -> str:
    """Arms, with what the correlations would be for no reason."""
    nulls = "; ".join(
        f"{null.name}: {number(null.mean[0])} and {number(null.mean[1])} on average" for null in audit.nulls
    )
    return (
        f"Median OS against median post-progression survival (definition: {audit.definition}) and against median PFS, {len(audit.arms)} arms of {len(audit.trials)} trials, those "
        f"of one trial joined. r(OS, PPS) {with_interval(audit['r_os_pps'])}, r(OS, PFS) {with_interval(audit['r_os_pfs'])}; {audit['r_os_pps'].method}. "
        f"Strips: both correlations where there is nothing to be found ({nulls}). Descriptive: OS holds PFS and PPS, and these are correlations of arms, not of "
        f"treatment effects.{_caveats(audit.problems)}\n"
    )


def moderated(found: Moderation) -> str:
    """Lines at several values of the moderator."""
    difference = found["slope_difference"]
    return (
        f"Surrogacy line of {found.result.effects.name} (k = {len(found.result.effects)}) moderated by {found.moderator.words}. Daniels-Hughes model with errors in both effects, exact; "
        f"difference of slopes per unit {with_interval(difference)}, P(flatter where it is larger) = {number(found['p_slope_difference_negative'].value)}. Bands: 95%. Trials differ in "
        f"more than the moderator: no causal reading.{_caveats(found.result.problems)}\n"
    )


def _about(main: Decomposition) -> str:
    """Calibration that the notes are about."""
    label = main.calibration.label
    return f"The notes are on {label}."


def _caveats(problems: Sequence[str]) -> str:
    return "".join(f" Note: {problem}." for problem in problems)
