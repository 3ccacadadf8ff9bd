"""Whether a decomposition means anything, and everything else that must be said beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surrogacy.pps.calibration import Calibration
from surrogacy.pps.inputs import TrialInputs
from surrogacy.results import Estimate

MUCH_OF_ALL = 0.5  # of 0..1 that the interval of a share may cover before the split counts as not identified
OFTEN = 0.01  # share of resampled trials left out, or on a boundary, above which it is said
OTHER_ERROR = 1.25  # ratio of printed to simulated interval width, or the reverse, above which it is said


def is_clear(gap: Estimate) -> bool:
    """Whether the interval of the gap leaves out 0."""
    return gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0)


def coverage_of_unit(share: Estimate) -> float:
    """How much of 0..1 the interval of a share covers; 1 where there is no interval."""
    if share.low is None or share.high is None:
        return 1.0
    return max(0.0, min(share.high, 1.0) - max(share.low, 0.0))


def is_identified(gap: Estimate, shares: Mapping[str, Estimate]) -> bool:
    """Whether the gap is clearly not 0, and no interval of a share covers more than half of 0..1."""
    return is_clear(gap) and all(coverage_of_unit(share) <= MUCH_OF_ALL for share in shares.values())


def problems_of(
    inputs: TrialInputs,
    calibration: Calibration,
    effects: Mapping[str, Estimate],
    shares: Mapping[str, Estimate],
    lost: float,
    at_boundary: float,
) -> tuple[str, ...]:
    """What must stand beside the percentages.

    Parameters
    ----------
    inputs : TrialInputs
    calibration : Calibration
    effects, shares : dict of str to Estimate
        Of the decomposition.
    lost, at_boundary : float
        Shares of the resampled trials.
    """
    gap, found = effects["gap"], []
    level = f"{gap.level:.0%}" if gap.level else ""
    if not is_clear(gap):
        found.append(
            f"not identified: the gap between the two log hazard ratios, {gap.value:.2f}, is not clearly different from 0 "
            f"({level} interval {gap.low:.2f} to {gap.high:.2f}), so percentages of it have no stable meaning"
        )
    wide = [name for name, share in shares.items() if coverage_of_unit(share) > MUCH_OF_ALL]
    if wide:
        limits = "; ".join(f"{name} {shares[name].low:.0%} to {shares[name].high:.0%}" for name in wide)
        found.append(
            f"not identified: {sum(inputs.n)} patients do not tell dilution, imbalance and residual apart ({level} intervals of the "
            f"shares: {limits})"
        )
    residual = effects["residual"]
    if residual.low is not None and residual.high is not None and residual.low <= 0 <= residual.high:
        found.append("the residual needs no explanation beyond chance: its interval holds 0")
    if inputs.pps_is_a_difference:
        found.append(
            f"the reported PPS equals median OS - median {inputs.endpoint} in both arms: a difference of medians, which is longer than "
            "a median PPS"
        )
    found += calibration.problems
    if at_boundary > OFTEN:
        found.append(f"in {at_boundary:.0%} of the resampled trials the best fit has PPS 0 or endless in an arm")
    if lost > OFTEN:
        found.append(f"{lost:.0%} of the resampled trials were left out: no median PFS, or an arm without events")
    found += [f"not reported, {words}" for words in inputs.assumptions]
    return (*found, *inputs.notes)


def printed_errors(inputs: TrialInputs, simulated: Mapping[str, float]) -> tuple[str, ...]:
    """Hazard ratios whose printed standard error is not that of the simulated trials, in words."""
    printed = {f"HR {inputs.endpoint}": inputs.cuts[0].hr.se, "HR OS": inputs.hr_os.se}
    return tuple(
        f"the printed interval of {name} is {own / simulated[name]:.2f} times as wide as in the simulated trials"
        for name, own in printed.items()
        if own is not None and abs(np.log(own / simulated[name])) > np.log(OTHER_ERROR)
    )
