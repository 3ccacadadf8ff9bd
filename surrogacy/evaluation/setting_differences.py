"""Comparison of the surrogacy lines of two sets without a common trial in one hierarchical model.

Level, slope and log residual SD are exchangeable over the two settings (`surrogacy.models.exact.setting_pair`). The
interval of a difference stands beside its interval without data, and a probability beside the same probability without
the trials of the first set, because with few trials both depend on the prior.

References
----------
Papanikos, Thompson, Abrams, Städler, Ciani, Taylor, Bujkiewicz (2020), doi:10.1002/sim.8465 (exchangeable lines).
Verdinelli, Wasserman (1995), doi:10.1080/01621459.1995.10476554 (Savage-Dickey ratio).
Kruschke (2018), doi:10.1177/2515245918771304 (region of practical equivalence).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.posterior_differences import odds_ratio, refuse_overlap
from surrogacy.evaluation.records import Record
from surrogacy.models.exact import setting_pair
from surrogacy.models.exact.bivariate_grid import search_limit
from surrogacy.models.exact.setting_kernels import Marginal
from surrogacy.models.exact.setting_pair import LOG_SIGMA, SLOPE, SettingPair
from surrogacy.models.exact.setting_table import SettingPriors, common_centre, tabulate
from surrogacy.models.priors import HalfNormal, Normal
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile

METHOD = "posterior median, equal-tailed; hierarchical model of both sets, quadrature"
PRIOR_METHOD = "prior median, equal-tailed"
COEFFICIENTS = {"slope": SLOPE, "line_at_centre": setting_pair.LEVEL, "log_sigma_cond": LOG_SIGMA}
PRIOR_DRAWS = 20_000  # of R2, whose prior has no closed form; the error of a quantile of the difference is below 0.01
PRIOR_QUANTILES = 2_000
RESTATED = 0.9  # ratio of the widths of the intervals with and without data above which the prior is restated
SCALES = (0.5, 1.0, 2.0)  # of the prior of the spread of the slopes, relative to the model


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
        """Width of the interval of the difference relative to that without data."""
        widths = []
        for estimate in (self.difference, self.without_data):
            assert estimate.low is not None
            assert estimate.high is not None
            widths.append(estimate.high - estimate.low)
        return widths[0] / widths[1]

    @property
    def restates_prior(self) -> bool:
        """Return whether the interval of the difference is about as wide as without data."""
        return self.width_ratio > RESTATED

    @property
    def record(self) -> Record:
        """Fields under the names of results.json."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        records = {name: value.record if isinstance(value, Estimate) else value for name, value in values.items()}
        return {**records, "width_ratio": self.width_ratio}


class ScaledBayesFactor(NamedTuple):
    """Bayes factor of equal slopes under one scale of the prior of their spread."""

    scale: float
    bayes_factor: float


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
    equal_slopes_by_scale : tuple of ScaledBayesFactor
        The first one for half, once and twice the scale of the prior of the spread of the slopes.
    equivalence : Equivalence or None
    """

    centre: float
    contrasts: dict[str, SettingContrast]
    spreads: dict[str, Estimate]
    spread_priors: dict[str, str]
    equal_slopes: float
    common_line: float
    equal_slopes_by_scale: tuple[ScaledBayesFactor, ...]
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
            "bayes_factor_equal_slopes_by_scale": [entry._asdict() for entry in self.equal_slopes_by_scale],
            "equivalence": None if self.equivalence is None else asdict(self.equivalence),
        }


def compare_settings(
    first: Effects,
    second: Effects,
    priors: SettingPriors | None = None,
    *,
    level: float = LEVEL,
    equivalent_slope: float | None = None,
) -> SettingComparison:
    """Compare the lines of two sets without a common trial in one hierarchical model.

    Parameters
    ----------
    first, second : Effects
    priors : SettingPriors, optional
        Default: the default priors.
    level : float
        Level of the intervals.
    equivalent_slope : float, optional
        Largest difference of slopes that is equivalent to none.

    Raises
    ------
    UsageError
        If a trial is in both sets, or the limit of equivalence is not above 0.

    Examples
    --------
    >>> import surrogacy
    >>> sets = [surrogacy.read_trials().analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs")]
    >>> slope = compare_settings(*sets).contrasts["slope"]
    >>> slope.difference.low > slope.without_data.low
    True
    """
    level = confidence_level(level)
    refuse_overlap(first, second)
    priors = SettingPriors() if priors is None else priors
    check_equivalent_slope(equivalent_slope)
    centre = common_centre(first, second)
    pair = SettingPair((tabulate(first, priors, centre), tabulate(second, priors, centre)), priors)
    p = (0.5 - level / 2, 0.5, 0.5 + level / 2)
    contrasts = {name: _contrast(pair, axis, p, level) for name, axis in COEFFICIENTS.items()}
    contrasts["r2_trial"] = _r2_contrast(pair, p, level)
    slope = pair.difference(SLOPE)
    scale = priors.spread_slope.scale
    equivalence = None
    if equivalent_slope is not None:
        inside = float(slope.cdf(equivalent_slope) - slope.cdf(-equivalent_slope))
        weight, sd = _difference_nodes(pair, SLOPE)
        prior_inside = 1 - 2 * float(mixture_cdf(np.array(-equivalent_slope), weight, np.zeros_like(sd), sd))
        equivalence = Equivalence(equivalent_slope, inside, prior_inside)
    return SettingComparison(
        centre=centre,
        contrasts=contrasts,
        spreads={name: _estimate(pair.spread(axis).quantiles(p), level, METHOD) for name, axis in COEFFICIENTS.items()},
        spread_priors={name: str(pair.spread_prior(axis)) for name, axis in COEFFICIENTS.items()},
        equal_slopes=pair.bayes_factor_equal(SLOPE),
        common_line=pair.bayes_factor_common_line(),
        equal_slopes_by_scale=tuple(
            ScaledBayesFactor(factor * scale, pair.bayes_factor_equal(SLOPE, factor * scale)) for factor in SCALES
        ),
        equivalence=equivalence,
    )


def check_equivalent_slope(limit: float | None) -> None:
    """Refuse an impossible limit of equivalence.

    Raises
    ------
    UsageError
    """
    if limit is not None and not (np.isfinite(limit) and limit > 0):
        raise UsageError(f"--equivalent-slope {limit:g}: give a difference of slopes above 0")


def _contrast(pair: SettingPair, axis: int, p: Sequence[float], level: float) -> SettingContrast:
    """One coefficient in both settings."""
    first, second = (_estimate(pair.coefficient(setting, axis).quantiles(p), level, METHOD) for setting in (0, 1))
    weight, sd = _difference_nodes(pair, axis)
    prior = mixture_quantile(p, weight, np.zeros((1, len(sd))), sd[None])[0]
    return _with_probabilities(pair.difference(axis), prior, pair.no_data_smaller(axis), first, second, p, level)


def _r2_contrast(pair: SettingPair, p: Sequence[float], level: float) -> SettingContrast:
    """Trial-level R2 in both settings."""
    first, second = (_estimate(pair.r2_quantiles(setting, p), level, METHOD) for setting in (0, 1))
    prior = np.quantile(_prior_r2_differences(pair.priors), p)
    return _with_probabilities(pair.r2_difference(), prior, pair.no_data_r2_smaller(), first, second, p, level)


def _with_probabilities(
    difference: Marginal,
    prior: FloatArray,
    no_data: float,
    first: Estimate,
    second: Estimate,
    p: Sequence[float],
    level: float,
) -> SettingContrast:
    """Contrast with the probability that the first is smaller, with and without its trials."""
    smaller = float(difference.cdf(0.0))
    return SettingContrast(
        first=first,
        second=second,
        difference=_estimate(difference.quantiles(p), level, METHOD),
        without_data=_estimate(prior, level, PRIOR_METHOD),
        probability_first_smaller=smaller,
        probability_no_data=no_data,
        odds_ratio_no_data=odds_ratio(smaller, no_data),
    )


def _estimate(quantiles: FloatArray, level: float, method: str) -> Estimate:
    low, median, high = map(float, quantiles)
    return Estimate(median, None, low, high, level, method)


def _difference_nodes(pair: SettingPair, axis: int) -> tuple[FloatArray, FloatArray]:
    """Prior masses of the spread, and the SD of the difference of two settings at each."""
    spread = pair.spreads[axis]
    return spread.mass(pair.spread_prior(axis))[1:], np.sqrt(2.0) * spread.value[1:]


@lru_cache(maxsize=1)
def _prior_r2_differences(priors: SettingPriors) -> FloatArray:
    """Draws from the prior of the difference of R2."""
    generator = np.random.default_rng(0)

    def pair_of(mean: Normal, spread: HalfNormal) -> FloatArray:
        centre = generator.normal(mean.mean, mean.sd, PRIOR_DRAWS)
        sd = np.abs(generator.normal(0.0, spread.scale, PRIOR_DRAWS))
        return centre + sd * generator.standard_normal((2, PRIOR_DRAWS))

    slope = pair_of(priors.slope, priors.spread_slope)
    sigma = np.exp(pair_of(priors.log_sigma, priors.spread_log_sigma))
    reach = np.linspace(0.0, float(search_limit(priors.tau_surrogate, np.zeros(()))), PRIOR_QUANTILES)
    tau = np.interp(generator.random((2, PRIOR_DRAWS)), priors.tau_surrogate.cdf(reach), reach)
    first, second = (slope * tau) ** 2 / ((slope * tau) ** 2 + sigma**2)
    return np.asarray(first - second)
