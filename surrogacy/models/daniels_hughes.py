"""Model of Daniels and Hughes: fixed surrogate effects and a regression of the final effects on them. Exact.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(0, v) independently, v large,
    theta_2i | theta_1i ~ N(intercept + slope theta_1i, sigma_cond^2)

No distribution of the surrogate effects over trials is assumed. They are therefore not shrunken, and r2_trial is not
defined. For the same reason a comparison without a surrogate effect contains no information on the line: its final
effect alone has the variance s22 + slope^2 v + sigma^2, so that a large v would draw the slope to 0 whatever the data.
Comparisons with one endpoint are therefore left out. With theta_1i integrated out y_i is bivariate normal with mean
(0, intercept) and

    V_i = S_i + [[v, slope v], [slope v, slope^2 v + sigma^2]],   determinant of the second matrix = v sigma^2;

the intercept is normal given slope and sigma_cond and is also integrated analytically; these two are integrated by
quadrature.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Capability
from surrogacy.models.exact.bivariate_grid import search_limit
from surrogacy.models.exact.bivariate_posterior import KIND
from surrogacy.models.exact.box_quadrature import Integral, find_box, integrate_box
from surrogacy.models.exact.likelihood_sums import Batch, arrange, stack, sums
from surrogacy.models.exact.marginals import FINE, from_masses, quantiles_of
from surrogacy.models.exact.nodes import LIGHT
from surrogacy.models.exact.refinement import check_settings, refine, with_grid_error
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior
from surrogacy.models.settings import Setting, priors_in_words
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.levels import LEVEL
from surrogacy.results.requirements import Requirement, usable_part
from surrogacy.results.result import Result
from surrogacy.stats.lines import data_range
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.mixtures import mixture_quantile
from surrogacy.stats.thresholds import threshold_caveats

NODES = (40, 28)
FARTHEST_SLOPE = 6.0  # distance from the prior mean, in prior SDs, at which the search for the slope ends


@dataclass(frozen=True)
class DanielsHughes:
    """Daniels-Hughes model with an exact posterior.

    Parameters
    ----------
    intercept, slope : Normal
        Priors of the line.
    sigma_cond : HalfNormal, HalfStudentT or Uniform
        Prior of the SD of the true final effects about the line.
    fixed_effect_sd : float
        ``sqrt(v)``, the SD of the vague prior of each true surrogate effect.
    new_n : float, optional
        Number of patients of the new trial that predictions are made for; default: predict its true effect.
    level : float
        Level of the intervals.
    nodes : tuple of int
        Nodes of slope and sigma_cond.

    Raises
    ------
    UsageError
        If a prior, the size of the new trial, the level or the grid is impossible.

    Examples
    --------
    >>> from surrogacy import Effects
    >>> from surrogacy.models import DanielsHughes
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, n=[400] * 4)
    >>> result = DanielsHughes().fit(effects)
    >>> round(result["slope"].value, 1)
    0.7
    """

    intercept: Normal = Normal(0.0, 10.0)
    slope: Normal = Normal(0.0, 10.0)
    sigma_cond: PositivePrior = HalfNormal(0.5)
    fixed_effect_sd: float = 10.0
    new_n: float | None = None
    level: float = LEVEL
    nodes: tuple[int, int] = NODES
    name = "daniels-hughes"
    requires: ClassVar[frozenset[Requirement]] = frozenset({Requirement.BOTH_EFFECTS, Requirement.STANDARD_ERRORS})
    fewest: ClassVar[int] = 2
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.REFITS})

    def __post_init__(self) -> None:
        check_settings(self, {"sigma_cond": PositivePrior, "intercept": Normal, "slope": Normal})
        if not (np.isfinite(self.fixed_effect_sd) and self.fixed_effect_sd > 0):
            raise UsageError(f"fixed_effect_sd must be above 0; got {self.fixed_effect_sd:g}")

    @property
    def settings(self) -> dict[str, Setting]:
        """Settings for the record, with the priors in words."""
        priors = priors_in_words(self, ("intercept", "slope", "sigma_cond"))
        return priors | {"fixed_effect_sd": self.fixed_effect_sd, "new_n": self.new_n, "level": self.level}

    def fit(self, effects: Effects) -> Result:
        """Compute the posterior of intercept, slope and sigma_cond.

        Raises
        ------
        FitError
            With fewer than two comparisons with both endpoints.
        MissingDataError
            If fewer than two comparisons have both effects with standard errors.
        """
        part = usable_part(effects, self.requires, self.fewest)
        effects = part.effects
        if len(effects) < 2:
            raise FitError(f"{effects.name or 'these effects'}: Daniels-Hughes needs 2 comparisons with both endpoints")

        def tabulate(refinement: float) -> tuple[Result, dict[str, FloatArray]]:
            slopes, sigmas = (round(n * refinement) for n in self.nodes)
            result = replace(self, nodes=(slopes, sigmas))._fit(effects)
            estimates = {name: result[name] for name in ("intercept", "slope", "sigma_cond")}
            return result, {name: np.array([e.value, e.low, e.high]) for name, e in estimates.items()}

        result, _, moved = refine(tabulate)
        caveats = result.caveats + part.caveats
        result = replace(result, caveats=caveats, requires=self.requires, left_out=part.left_out)
        return with_grid_error(result, moved)

    def _fit(self, effects: Effects) -> Result:
        """Fit on one grid."""
        batch = stack([replace(arrange(effects), centre=np.zeros(2))])
        rough = _rough_slope(effects)
        integral = self._integrate(batch, rough)
        slope, sigma, mean, variance = integral.extra
        heavy = integral.weight > LIGHT * integral.weight.max()
        weight = integral.weight[heavy] / integral.weight[heavy].sum()
        slope, sigma = (np.broadcast_to(part, heavy.shape)[heavy] for part in (slope[:, :, None], sigma[:, None, :]))
        mean, variance = mean[heavy], variance[heavy]
        p = (0.5, 0.5 - self.level / 2, 0.5 + self.level / 2)
        slopes, sigmas = (self._marginal(integral, axis, batch, rough) for axis in (0, 1))
        quantities = {
            "intercept": (mixture_quantile(p, weight, mean[None], np.sqrt(variance)[None])[0], mean, variance),
            "slope": (quantiles_of(slopes, p), slope, 0.0),
            "sigma_cond": (quantiles_of(sigmas, p), sigma, 0.0),
        }
        estimates: dict[str, Estimate | ThresholdEffect] = {}
        for name, (quantiles, values, within) in quantities.items():
            sd = float(np.sqrt(weight @ ((values - weight @ values) ** 2 + within)))
            median, low, high = map(float, quantiles)
            estimates[name] = Estimate(median, sd, low, high, self.level, KIND)
        medians = float(quantities["intercept"][0][0]), float(quantities["slope"][0][0])
        line = MixtureLine(
            *medians, weight, mean, variance, slope, sigma, unit_variance(effects), self.new_n, data_range(effects)
        )
        estimates |= line.thresholds(self.level)
        positive = float(1 - np.interp(0.0, *slopes, left=0, right=1))
        estimates["p_slope_positive"] = Estimate(positive, method="posterior probability")
        caveats = effects.caveats + threshold_caveats(estimates, effects)
        return Result(self.name, self.settings, effects, estimates, line, caveats=caveats)

    def _integrate(self, batch: Batch, rough: tuple[float, float]) -> Integral:
        """Tabulate the posterior of (slope, sigma_cond).

        The axis of the slope is a sinh, because with few trials slopes far from the estimate are plausible.
        """
        # prior and data may contradict each other: the domain contains the slopes that either of them allows
        by_prior = FARTHEST_SLOPE * np.array([-self.slope.sd, self.slope.sd])
        by_data = 10 * FARTHEST_SLOPE * np.array([-rough[1], rough[1]])
        ends = np.stack([self.slope.mean + by_prior, rough[0] + by_data])
        slopes = np.arcsinh((np.array([ends[:, 0].min(), ends[:, 1].max()]) - rough[0]) / rough[1])
        end = float(search_limit(self.sigma_cond, batch.spread[0, 1]))
        sigmas = np.arcsinh(np.array([getattr(self.sigma_cond, "low", 0.0), end]) / batch.scale[0, 1])
        low, high = np.stack([slopes, sigmas], axis=1)[:, None, :]
        box = find_box(lambda points: self._evaluate(batch, points, rough)[0], low, high)
        return integrate_box(lambda points: self._evaluate(batch, points, rough), self.nodes, box, (low, high))

    def _evaluate(
        self, batch: Batch, points: list[FloatArray], rough: tuple[float, float]
    ) -> tuple[FloatArray, tuple[FloatArray, ...]]:
        """Log posterior density up to a constant, slope, sigma, and mean and variance of the intercept given them.

        The axes of the grid are asinh((slope - rough slope) / SE) and asinh(sigma / scale).
        """
        slope, scale = rough[0] + rough[1] * np.sinh(points[0]), batch.scale[:, [1]]
        sigma = scale * np.sinh(points[1])
        shape = (1, slope.shape[1], sigma.shape[1])
        v = self.fixed_effect_sd**2
        b, s = slope[:, :, None], sigma[:, None, :]
        parts = (
            np.broadcast_to(part, shape).reshape(1, -1) for part in (np.array(v), b * v, b**2 * v + s**2, v * s**2)
        )
        totals = sums(batch, *parts)
        precision = self.intercept.sd**-2.0
        p, h = totals.p22 + precision, totals.h2 + precision * self.intercept.mean
        log_likelihood = -0.5 * (totals.log_det + np.log(p) + totals.quadratic - h**2 / p)
        log_prior = -0.5 * ((b - self.slope.mean) / self.slope.sd) ** 2 + np.log(np.cosh(points[0]))[:, :, None]
        log_prior = log_prior + (self.sigma_cond.log_density(sigma) + np.log(scale * np.cosh(points[1])))[:, None, :]
        return log_likelihood.reshape(shape) + log_prior, (slope, sigma, (h / p).reshape(shape), (1 / p).reshape(shape))

    def _marginal(
        self, integral: Integral, axis: int, batch: Batch, rough: tuple[float, float]
    ) -> tuple[FloatArray, FloatArray]:
        """Tabulated distribution function of the slope (axis 0) or of sigma_cond (axis 1)."""
        cdf = from_masses(integral.weight.sum(axis=2 - axis))[0]
        coordinate = np.linspace(integral.low[0, axis], integral.high[0, axis], FINE)
        values = rough[0] + rough[1] * np.sinh(coordinate) if axis == 0 else batch.scale[0, 1] * np.sinh(coordinate)
        return values, cdf


def _rough_slope(effects: Effects) -> tuple[float, float]:
    """Rough slope and its standard error, to place the grid: least squares weighted by the final precision."""
    (x, y), (s1, s2) = effects.log_hr[effects.complete].T, effects.se[effects.complete].T
    w = s2**-2.0
    x, y = x - w @ x / w.sum(), y - w @ y / w.sum()
    spread = max(float(w @ x**2), float(np.mean(w * s1**2)), 1e-12)
    return float(w @ (x * y)) / spread, spread**-0.5
