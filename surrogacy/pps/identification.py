"""Whether a decomposition means anything, and everything else that must be said beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surrogacy.pps.calibration import Calibration
from surrogacy.pps.trial_summary import TrialSummary
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import share_with_interval

WIDE = 0.5  # of the gap: a share whose interval is wider than this counts as not identified
OFTEN = 0.01  # share of resampled trials left out, or on a boundary, above which it is said
OTHER_ERROR = 1.25  # ratio of printed to simulated standard error, or the reverse, above which it is said
NO_GAP = "the two log hazard ratios are the same: there is no gap to share out"
NO_ATTENUATION = "the model attenuates nothing: there is nothing to share out"


def is_clear(gap: Estimate) -> bool:
    """Whether the interval of the gap leaves out 0."""
    return gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0)


def width_of(share: Estimate) -> float:
    """Width of the interval of a share, in gaps; infinite where there is no interval."""
    if share.low is None or share.high is None:
        return float("inf")
    return share.high - share.low


def is_identified(gap: Estimate, shares: Mapping[str, Estimate], lost: float = 0.0, at_boundary: float = 0.0) -> bool:
    """Whether the data tell the parts of a gap apart.

    They do if the gap is clearly not 0, no interval of a share is wider than half of the gap, and few of the resampled trials had to be
    left out or lie on a boundary. The whole width counts, wherever it lies: an interval of -99% to 2% tells as little as one of 0% to
    101%.

    Parameters
    ----------
    gap : Estimate
        Log hazard ratio.
    shares : dict of str to Estimate
        Of the gap.
    lost, at_boundary : float
        Shares of the resampled trials; at most `OFTEN` each.
    """
    return (
        is_clear(gap) and all(width_of(share) <= WIDE for share in shares.values()) and max(lost, at_boundary) <= OFTEN
    )


def problems_of(
    inputs: TrialSummary,
    calibration: Calibration,
    effects: Mapping[str, Estimate],
    shares: Mapping[str, Estimate],
    lost: float,
    at_boundary: float,
) -> tuple[str, ...]:
    """What must stand beside the percentages.

    Parameters
    ----------
    inputs : TrialSummary
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
    # shares that are unbounded are those of a gap that is not clear, which has been said
    wide = [name for name, share in shares.items() if WIDE < width_of(share) < np.inf]
    if wide:
        limits = "; ".join(f"{name} {share_with_interval(shares[name])}" for name in wide)
        found.append(
            f"not identified: {sum(inputs.n)} patients do not tell dilution, imbalance and residual apart ({calibration.label}; {level} "
            f"Fieller sets of the shares of the gap: {limits})"
        )
    if at_boundary > OFTEN:
        found.append(
            f"not identified: in {at_boundary:.0%} of the resampled trials the best fit has PPS 0 or endless in an arm"
        )
    if lost > OFTEN:
        found.append(
            f"not identified: {lost:.0%} of the resampled trials were left out: no median PFS, or an arm without events"
        )
    residual = effects["residual"]
    if residual.low is not None and residual.high is not None and residual.low <= 0 <= residual.high:
        found.append("the residual is compatible with chance: its interval holds 0")
    if inputs.pps_is_a_difference:
        found.append(
            f"the reported PPS equals median OS - median {inputs.endpoint} in both arms: a difference of medians, which is longer than "
            "a median PPS"
        )
    found += calibration.problems
    found += [f"not reported, {words}" for words in inputs.assumptions]
    return (*found, *inputs.notes)


def printed_errors(inputs: TrialSummary, ratios: Mapping[str, float]) -> tuple[str, ...]:
    """Hazard ratios whose printed standard error is far from that of the simulated trials, in words.

    Parameters
    ----------
    inputs : TrialSummary
    ratios : dict of str to float
        Printed over simulated standard error, by which the simulated errors were multiplied; ``pfs``, ``os``.
    """
    names = {"pfs": f"log HR {inputs.endpoint}", "os": "log HR OS"}
    return tuple(
        f"the printed standard error of {names[endpoint]} is {ratio:.2f} times that of the simulated trials, whose errors were scaled to it"
        for endpoint, ratio in ratios.items()
        if abs(np.log(ratio)) > np.log(OTHER_ERROR)
    )
