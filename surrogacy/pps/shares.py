"""Shares of a gap: confidence sets of a ratio whose denominator may be 0.

The share of a part of the gap is a ratio of two estimates. Percentile intervals of the ratio have low coverage if they
are reported only when the gap differs clearly from 0. The Fieller set

    {s : the interval of part - s gap includes 0}

has the level of the interval of ``part - s gap``, a difference of log hazard ratios, for every gap. It is an interval
exactly if the interval of the gap excludes 0. Otherwise it is the complement of an interval, or every number, and the
share is unbounded. Intervals are percentiles over the resampled trials.

In trials simulated with the size and follow-up of TACTICS (validation/share_coverage.py; true gaps of 0.27, 0.15 and
0.09), the coverage of the nominal 95 % intervals of the parts was 93 to 96 %, and so was that of the sets, counting
unbounded sets. Among the trials whose gap excluded 0 (72, 25 and 12 %), the coverage for the share of dilution was 94,
89 and 77 %, and that of percentiles of the ratio 94, 87 and 81 %. This loss is due to the selection of trials, not to
the formula.

References
----------
Fieller (1954), doi:10.1111/j.2517-6161.1954.tb00159.x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.pps.records import Record
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL, confidence_level

HALF_TURN = np.pi / 2
SMALL_ANGLES = np.geomspace(1e-6, 0.02, 25)
ANGLES_AROUND_ESTIMATE = np.concatenate([-SMALL_ANGLES[::-1], [0.0], SMALL_ANGLES])  # for narrow sets
# Angles at which membership is tested: every degree, and more densely near an infinite ratio.
DIRECTIONS = np.concatenate(
    [[-HALF_TURN], -HALF_TURN + SMALL_ANGLES, np.linspace(-1.55, 1.55, 178), HALF_TURN - SMALL_ANGLES, [HALF_TURN]]
)
HALVINGS = 30

Shape = Literal["interval", "outside", "every number"]


@dataclass(frozen=True)
class FiellerSet:
    """Confidence set of a ratio.

    Parameters
    ----------
    shape : {"interval", "outside", "every number"}
    low, high : float or None
        Ends of the interval; with ``outside``, ends of the interval that the set excludes.

    Examples
    --------
    >>> 0.5 in FiellerSet("interval", 0.1, 0.4), 0.5 in FiellerSet("outside", 0.1, 0.4)
    (False, True)
    """

    shape: Shape
    low: float | None = None
    high: float | None = None

    def __contains__(self, ratio: float) -> bool:
        if self.low is None or self.high is None:
            return True
        inside = self.low <= ratio <= self.high
        return inside if self.shape == "interval" else not inside

    def record(self, name: str) -> Record:
        """Shape of the set, and ends of the excluded interval, under the keys of results.json."""
        low, high = (self.low, self.high) if self.shape == "outside" else (None, None)
        return {f"{name}_set": self.shape, f"{name}_excluded_low": low, f"{name}_excluded_high": high}


def fieller_set(part: FloatArray, whole: FloatArray, ratio: float, level: float = LEVEL) -> FiellerSet:
    """Confidence set of the ratio of two quantities from resampled values of both.

    Parameters
    ----------
    part, whole : (m,) arrays
        Resampled values of numerator and denominator; pairs with a value that is not finite are left out.
    ratio : float
        Ratio of the two estimates, where the search starts.
    level : float

    Returns
    -------
    FiellerSet

    Examples
    --------
    >>> part, whole = np.random.default_rng(1).normal([[0.1], [0.4]], 0.05, (2, 2000))
    >>> share = fieller_set(part, whole, ratio=0.25)
    >>> share.shape, round(share.low, 1), round(share.high, 1)
    ('interval', 0.0, 0.5)
    """
    level = confidence_level(level)
    finite = np.isfinite(part) & np.isfinite(whole)
    values = np.stack([part[finite], -whole[finite]])
    if not finite.any():
        return FiellerSet("every number")

    def accepts(angle: FloatArray) -> npt.NDArray[np.bool_]:
        """Test that the interval of ``cos(angle) part - sin(angle) whole`` includes 0; ``tan(angle)`` is the ratio."""
        combined = np.column_stack([np.cos(angle), np.sin(angle)]) @ values
        low, high = np.quantile(combined, [0.5 - level / 2, 0.5 + level / 2], axis=1)
        return np.asarray((low <= 0) & (high >= 0))

    def boundary(inside: float, outside: float) -> float:
        for _ in range(HALVINGS):
            middle = 0.5 * (inside + outside)
            inside, outside = (middle, outside) if accepts(np.array([middle]))[0] else (inside, middle)
        return inside

    # angles from -pi/2 to pi/2; both ends stand for an infinite ratio
    angles = np.unique(
        np.concatenate([DIRECTIONS, np.clip(np.arctan(ratio) + ANGLES_AROUND_ESTIMATE, -HALF_TURN, HALF_TURN)])
    )
    accepted = accepts(angles)
    if accepted.all():
        return FiellerSet("every number")
    if not accepted.any():  # all resampled values lie on one side of the estimate
        return FiellerSet("interval", ratio, ratio)
    if not accepted[-1]:
        inside = np.flatnonzero(accepted)
        first, last = int(inside[0]), int(inside[-1])
        low, high = boundary(angles[first], angles[first - 1]), boundary(angles[last], angles[last + 1])
        return FiellerSet("interval", float(np.tan(low)), float(np.tan(high)))
    # the set contains an infinite ratio and therefore excludes an interval
    outside = np.flatnonzero(~accepted)
    first, last = int(outside[0]), int(outside[-1])
    low, high = boundary(angles[first - 1], angles[first]), boundary(angles[last + 1], angles[last])
    return FiellerSet("outside", float(np.tan(low)), float(np.tan(high)))


def share_estimate(value: float, share_set: FiellerSet, level: float, method: str, whole: str = "gap") -> Estimate:
    """Share with its Fieller set; limits if the set is an interval, else the reason why it is unbounded."""
    if share_set.shape == "interval":
        return Estimate(value, None, share_set.low, share_set.high, level, f"Fieller set; {method}")
    reason = f"Fieller set unbounded: the {whole} is not clearly different from 0"
    if share_set.shape == "outside":
        reason += f"; only shares from {share_set.low:.3g} to {share_set.high:.3g} are excluded"
    return Estimate(value, None, None, None, level, f"{reason}; {method}", unbounded=True)
