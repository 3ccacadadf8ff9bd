"""Comparison of the surrogacy lines of two sets without a common trial in one hierarchical model.

Level, slope and log residual SD are exchangeable over the two settings (`surrogacy.models.exact.setting_pair`). The
interval of a difference is given with the interval under the prior alone, and a probability with the same probability
without the trials of the first set, because with few trials both depend on the prior.

References
----------
Papanikos, Thompson, Abrams, Städler, Ciani, Taylor, Bujkiewicz (2020), doi:10.1002/sim.8465 (exchangeable lines).
Verdinelli, Wasserman (1995), doi:10.1080/01621459.1995.10476554 (Savage-Dickey ratio).
Kruschke (2018), doi:10.1177/2515245918771304 (region of practical equivalence).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.posterior_differences import odds_ratio, refuse_overlap
from surrogacy.evaluation.setting_contrasts import Equivalence, OtherScale, SettingComparison, SettingContrast
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.exact import setting_pair
from surrogacy.models.exact.bivariate_grid import search_limit
from surrogacy.models.exact.setting_kernels import Marginal
from surrogacy.models.exact.setting_pair import LOG_SIGMA, SLOPE, SettingPair
from surrogacy.models.exact.setting_table import SettingPriors, common_centre, tabulate
from surrogacy.models.priors import HalfNormal, Normal
from surrogacy.models.regression import WeightedRegression
from surrogacy.results.estimate import Estimate
from surrogacy.results.labels import Weights
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.results.requirements import usable_part
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from surrogacy.stats.power import POWER, two_sided_quantile

METHOD = "posterior median, equal-tailed; hierarchical model of both sets, quadrature"
PRIOR_METHOD = "prior median, equal-tailed"
COEFFICIENTS = {"slope": SLOPE, "line_at_centre": setting_pair.LEVEL, "log_sigma_cond": LOG_SIGMA}
PRIOR_DRAWS = 20_000  # of R2, whose prior has no closed form; the error of a quantile of the difference is below 0.01
PRIOR_QUANTILES = 2_000
SCALES = (0.5, 2.0)  # of the prior of the spread of the slopes, relative to the model


def compare_settings(
    first: Effects,
    second: Effects,
    priors: SettingPriors | None = None,
    *,
    level: float = LEVEL,
    equivalent_slope: float | None = None,
    weights: Weights = "n",
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
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}
        Weights of the regressions that determine the detectable difference of slopes.

    Raises
    ------
    UsageError
        If a trial is in both sets, or the limit of equivalence is not above 0.
    MissingDataError
        If fewer than two comparisons of a set have standard errors.

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
    parts = [
        usable_part(effects, BivariateBayes.requires, BivariateBayes.fewest).effects for effects in (first, second)
    ]
    centre = common_centre(*parts)
    in_first, in_second = (tabulate(part, priors, centre) for part in parts)
    pair = SettingPair((in_first, in_second), priors)
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
        by_scale=tuple(_with_scale(pair, factor * scale, p, level) for factor in SCALES),
        detectable_slope=detectable_slope_difference(first, second, weights, level),
        equivalence=equivalence,
    )


def detectable_slope_difference(
    first: Effects, second: Effects, weights: Weights = "n", level: float = LEVEL
) -> float | None:
    """Smallest true difference of the slopes of two weighted regressions that is detected with 80% power.

    It is ``(q + 0.84) sqrt(se1^2 + se2^2)`` with the standard errors of the slopes and the two-sided normal quantile q.
    With few trials the standard errors are themselves uncertain. None if a line cannot be fitted.

    Examples
    --------
    >>> import surrogacy
    >>> sets = [surrogacy.read_trials().analysis_set(name) for name in ("tactics-2022", "llovet-2019-pfs")]
    >>> round(detectable_slope_difference(*sets))
    1
    """
    try:
        errors = [WeightedRegression(weights).fit(effects)["slope"].se for effects in (first, second)]
    except FitError:
        return None
    return float((two_sided_quantile(level) + ndtri(POWER)) * np.hypot(*errors))


def check_equivalent_slope(limit: float | None) -> None:
    """Refuse an impossible limit of equivalence.

    Raises
    ------
    UsageError
    """
    if limit is not None and not (np.isfinite(limit) and limit > 0):
        raise UsageError(f"--equivalent-slope {limit:g}: give a difference of slopes above 0")


def _with_scale(pair: SettingPair, scale: float, p: Sequence[float], level: float) -> OtherScale:
    """Evidence for equal slopes, and their difference, with another scale of the prior of their spread."""
    difference = _estimate(pair.difference(SLOPE, scale).quantiles(p), level, METHOD)
    return OtherScale(scale, pair.bayes_factor_equal(SLOPE, scale), difference)


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
