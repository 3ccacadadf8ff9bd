"""Results of a comparison of the surrogacy lines of two sets in one hierarchical model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import NamedTuple

import numpy as np

from surrogacy.evaluation.records import Record
from surrogacy.results.estimate import Estimate

RESTATED = 0.8  # ratio of the widths with and without data; 0.87 if only the second set has trials


@dataclass(frozen=True)
class SettingContrast:
    """One quantity in two settings.

    Parameters
    ----------
    first, second : Estimate
        In each setting, given the data of both.
    difference : Estimate
        First minus second.
    without_data : Estimate
        The difference under the prior alone.
    probability_first_smaller : float
        Posterior probability that the quantity is smaller in the first set.
    probability_no_data : float
        The same without the trials of the first set.
    odds_ratio_no_data : float or None
        Ratio of the odds of the two; 1 if the trials of the first set do not change them.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    without_data: Estimate
    probability_first_smaller: float
    probability_no_data: float
    odds_ratio_no_data: float | None

    @property
    def width_ratio(self) -> float:
        """Width of the interval of the difference relative to the interval under the prior alone."""
        widths = []
        for estimate in (self.difference, self.without_data):
            assert estimate.low is not None
            assert estimate.high is not None
            widths.append(estimate.high - estimate.low)
        return widths[0] / widths[1]

    @property
    def restates_prior(self) -> bool:
        """Return whether the interval of the difference is at least 80% as wide as under the prior alone."""
        return self.width_ratio > RESTATED

    @property
    def record(self) -> dict[str, object]:
        """Fields under the names of results.json."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        records = {name: value.record if isinstance(value, Estimate) else value for name, value in values.items()}
        return {**records, "width_ratio": self.width_ratio}


class OtherScale(NamedTuple):
    """Results with another scale of the prior of the spread of the slopes.

    Parameters
    ----------
    scale : float
    bayes_factor : float
        Of equal against different slopes.
    difference : Estimate
        Difference of slopes.
    """

    scale: float
    bayes_factor: float
    difference: Estimate


@dataclass(frozen=True)
class Equivalence:
    """Region of practical equivalence of the slopes.

    Parameters
    ----------
    limit : float
        Slopes that differ by at most this are equivalent.
    probability, without_data : float
        Posterior and prior probability of the region.
    """

    limit: float
    probability: float
    without_data: float


@dataclass(frozen=True)
class SettingComparison:
    """Comparison of the lines of two settings in one hierarchical model.

    Parameters
    ----------
    centre : float
        Surrogate log hazard ratio at which the level of each line is taken.
    contrasts : dict of str to SettingContrast
        ``slope``; ``line_at_centre``, the final log hazard ratio of the line at ``centre``; ``log_sigma_cond``, the log
        of the residual SD; ``r2_trial``.
    spreads : dict of str to Estimate
        SD over settings of the three coefficients.
    spread_priors : dict of str to str
    equal_slopes : float
        Bayes factor of equal against different slopes; above 1 in favour of equal slopes.
    common_line : float
        Bayes factor of equal slopes and levels against different ones.
    by_scale : tuple of OtherScale
        Half and twice the scale of the prior of the spread of the slopes.
    detectable_slope : float or None
        Smallest true difference of the slopes that is detected with 80% power.
    equivalence : Equivalence or None
    """

    centre: float
    contrasts: dict[str, SettingContrast]
    spreads: dict[str, Estimate]
    spread_priors: dict[str, str]
    equal_slopes: float
    common_line: float
    by_scale: tuple[OtherScale, ...]
    detectable_slope: float | None
    equivalence: Equivalence | None = None

    @property
    def record(self) -> dict[str, object]:
        """Fields under the names of results.json."""
        priors = self.spread_priors
        return {
            "centre_hr": float(np.exp(self.centre)),
            "contrasts": {name: contrast.record for name, contrast in self.contrasts.items()},
            "spreads": {name: {**spread.record, "prior": priors[name]} for name, spread in self.spreads.items()},
            "bayes_factor_equal_slopes": self.equal_slopes,
            "bayes_factor_common_line": self.common_line,
            "slopes_by_scale": [other._asdict() | {"difference": other.difference.record} for other in self.by_scale],
            "detectable_slope": self.detectable_slope,
            "equivalence": None if self.equivalence is None else asdict(self.equivalence),
        }

    @property
    def rows(self) -> list[Record]:
        """Rows of a table, one per quantity, each with the spread of its coefficient."""
        return [
            {
                "quantity": name,
                **_limits(contrast.first, "value_first", "_first"),
                **_limits(contrast.second, "value_second", "_second"),
                **_limits(contrast.difference, "difference", ""),
                "low_without_data": contrast.without_data.low,
                "high_without_data": contrast.without_data.high,
                "probability_first_smaller": contrast.probability_first_smaller,
                "probability_no_data": contrast.probability_no_data,
                "odds_ratio_no_data": contrast.odds_ratio_no_data,
                **(_limits(self.spreads[name], "spread", "_spread") if name in self.spreads else {}),
                "prior_spread": self.spread_priors.get(name),
            }
            for name, contrast in self.contrasts.items()
        ]


def _limits(estimate: Estimate, value: str, suffix: str) -> Record:
    return {value: estimate.value, f"low{suffix}": estimate.low, f"high{suffix}": estimate.high}
