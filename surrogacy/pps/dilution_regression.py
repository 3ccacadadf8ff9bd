"""Regression of OS effects on the OS effects that dilution of the PFS effects predicts.

    y_i ~ N2(d_i, S_i),   d1_i vague,   d2_i | d1_i ~ N(a + k m_i(d1_i), psi^2)

``m_i`` is the OS log hazard ratio of an illness-death model with equal post-progression survival in both arms of trial
i (`surrogacy.pps.expected_effects`). If a = 0 and k = 1, dilution by post-progression survival explains the OS effects
except for the scatter psi. If k < 1, the OS effects are smaller than dilution predicts.

``m_i`` is not linear, so the true surrogate effects are integrated numerically (`surrogacy.pps.dilution_likelihood`).
(a, k, psi) are integrated by quadrature on a box. The plain line d2 = a + b d1 on the same comparisons is compared by
the leave-one-out log score, and by the R2 of weighted least squares (weights 1 / s2^2) of the OS effects on m_i(y1) and
on y1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.exact.bivariate_grid import search_limit
from surrogacy.models.exact.bivariate_posterior import KIND
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.line_grid import CoefficientGrid, Coordinates, tabulate
from surrogacy.models.exact.line_posterior import LinePriors, fit_line
from surrogacy.models.exact.refinement import PriorKind, check_settings, refine, with_grid_error
from surrogacy.models.moderated_line import BIAS_WORDS, MATTERS
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior
from surrogacy.pps.dilution_likelihood import EffectGroup, effect_groups
from surrogacy.pps.expected_effects import Expectation
from surrogacy.pps.moderation_evidence import LogScore, log_score
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result

NODES = (18, 18, 14)
FEWER_NODES = (12, 12, 10)  # for sensitivity analyses
FEWEST_COMPARISONS = 4
SIGMA_NODES = 40  # of psi alone
PRIORS = ("intercept", "share", "sigma_cond", "surrogate")


@dataclass(frozen=True, eq=False)
class OffsetPosterior:
    """Posterior of (a, k, psi) of an `OffsetModel`.

    Parameters
    ----------
    grid : CoefficientGrid
    estimates : mapping of str to Estimate
        ``intercept`` (a), ``share`` (k), ``sigma_cond`` (psi), ``p_share_below_1``, ``tail_at_dilution_alone``, R2 of
        both regressions and mean residual.
    expected : (k,) array
        Expected OS log hazard ratios at the observed surrogate effects.
    groups : tuple of EffectGroup
        Likelihood of the comparisons with correlated estimates.
    moved : float
        Largest change of a quantile between the last two grids, in posterior SDs.
    """

    grid: CoefficientGrid
    estimates: Mapping[str, Estimate]
    expected: FloatArray
    groups: tuple[EffectGroup, ...]
    moved: float


@dataclass(frozen=True)
class OffsetModel:
    """Regression of OS effects on the effects that dilution predicts, with errors in both, by exact integration.

    Parameters
    ----------
    intercept, share : Normal
        Priors of a and k.
    sigma_cond : prior
        Prior of psi.
    surrogate : Normal
        Prior of every true surrogate effect; vague.
    new_n : None
        The regression predicts no new trial.
    level : float
        Level of the intervals.
    nodes : tuple of int
        Numbers of nodes for a, k and psi.
    """

    intercept: Normal = Normal(0.0, 10.0)
    share: Normal = Normal(0.0, 10.0)
    sigma_cond: PositivePrior = HalfNormal(0.5)
    surrogate: Normal = Normal(0.0, 10.0)
    new_n: None = None
    level: float = LEVEL
    nodes: tuple[int, int, int] = NODES
    name = "dilution-offset"

    def __post_init__(self) -> None:
        kinds: dict[str, PriorKind] = dict.fromkeys(PRIORS, Normal)
        check_settings(self, kinds | {"sigma_cond": PositivePrior})

    def fit(self, effects: Effects, expectation: Expectation, problems: tuple[str, ...] = ()) -> Offset:
        """Compute the posterior and the comparisons with the plain line and with dilution alone.

        Parameters
        ----------
        effects : Effects
            Both endpoints of every comparison.
        expectation : Expectation
            Of the same comparisons.
        problems : tuple of str
            Assumptions of the expectation.

        Returns
        -------
        Offset

        Raises
        ------
        FitError
            With fewer than four comparisons, or if the effects do not vary.
        UsageError
            If an endpoint is missing.
        """
        posterior = self.posterior(effects, expectation)
        estimates = posterior.estimates
        intercept, share = estimates["intercept"], estimates["share"]
        biases = first_order_bias(effects, expectation, _value(share), _value(estimates["sigma_cond"]))
        caveats = [Caveat(CaveatCode.ASSUMPTION, problem) for problem in problems]
        caveats += [
            Caveat(
                CaveatCode.BIAS,
                f"{BIAS_WORDS[source]}: to first order they move a by {bias[0]:+.3f} and k by {bias[1]:+.3f}",
            )
            for source, bias in biases.items()
            if (np.abs(bias) > MATTERS * np.array([intercept.se, share.se])).any()
        ]
        settings = {f"prior_{name}": str(getattr(self, name)) for name in PRIORS} | {"level": self.level}
        result = Result(self.name, settings, effects, dict(estimates), caveats=(*effects.caveats, *caveats))
        offset, dilution = self._scores(effects, posterior)
        priors = LinePriors((self.intercept,), (self.share,), self.sigma_cond, self.surrogate)
        plain = fit_line(effects, np.ones((len(effects), 1)), priors, (2 * self.nodes[1], 2 * self.nodes[2]))
        plain_scores = plain.log_scores()
        line = np.array([plain_scores[trial] for trial in effects.trials])
        against_line, dilution_against_line = (log_score(scores, line, self.level) for scores in (offset, dilution))
        result = with_grid_error(result, posterior.moved)
        return Offset(self, result, posterior.grid, posterior.expected, against_line, dilution_against_line)

    def posterior(self, effects: Effects, expectation: Expectation) -> OffsetPosterior:
        """Compute the posterior of a, k and psi alone; arguments and errors are those of `fit`."""
        name = effects.name or "these effects"
        if len(effects) < FEWEST_COMPARISONS:
            raise FitError(
                f"{name}: {len(effects)} comparisons with an expected OS effect; "
                f"the offset model needs {FEWEST_COMPARISONS}"
            )
        if not effects.complete.all():
            raise UsageError(f"{name}: the offset model takes comparisons with both endpoints only")
        groups = effect_groups(effects, expectation, self.surrogate)
        at_estimates = expectation.log_hr(effects.log_hr[None, :, 0])[0]
        if np.ptp(at_estimates) < 1e-9 or np.ptp(effects.log_hr[:, 0]) < 1e-9:
            raise FitError(f"{name}: surrogate effects, or expected OS effects, are all the same; no regression exists")

        def tabulate(refinement: float) -> tuple[CoefficientGrid, dict[str, FloatArray]]:
            grid = self._grid(effects, groups, at_estimates, tuple(round(n * refinement) for n in self.nodes))
            p = (0.5, 0.5 - self.level / 2, 0.5 + self.level / 2)
            quantiles = {"intercept": grid.quantiles((1.0, 0.0), p), "share": grid.quantiles((0.0, 1.0), p)}
            return grid, quantiles | {"sigma_cond": grid.sd_quantiles(p)}

        grid, quantiles, moved = refine(tabulate)
        estimates = self._estimates(effects, at_estimates, grid, quantiles)
        return OffsetPosterior(grid, estimates, at_estimates, tuple(groups), moved)

    def _estimates(
        self, effects: Effects, at_estimates: FloatArray, grid: CoefficientGrid, quantiles: dict[str, FloatArray]
    ) -> dict[str, Estimate]:
        """Posterior of a, k and psi, plausibility of dilution alone, and R2 of both regressions."""
        weight, coefficients, sigma, _ = grid.nodes()
        draws = {"intercept": coefficients[:, 0], "share": coefficients[:, 1], "sigma_cond": sigma}
        estimates = {}
        for name, values in draws.items():
            median, low, high = map(float, quantiles[name])
            sd = float(np.sqrt(weight @ (values - weight @ values) ** 2))
            estimates[name] = Estimate(median, sd, low, high, self.level, KIND)
        below = float(grid.distribution((0.0, 1.0))(np.ones(1))[0])
        estimates["p_share_below_1"] = Estimate(below, method="posterior probability")
        tail = grid.tail_probability((0.0, 1.0))
        estimates["tail_at_dilution_alone"] = Estimate(
            tail, method="posterior mass of (intercept, share) less plausible than (0, 1)"
        )
        y, w = effects.log_hr[:, 1], effects.se[:, 1] ** -2.0
        for name, x in (("r2_expected", at_estimates), ("r2_surrogate", effects.log_hr[:, 0])):
            method = "R2 of weighted least squares, weights 1 / SE(OS)^2, errors of the surrogate effect ignored"
            estimates[name] = Estimate(_r2(x, y, w), method=method)
        residual = float(w @ (y - at_estimates) / w.sum())
        method = "weighted mean of observed less expected OS log hazard ratio (a = 0, k = 1)"
        estimates["mean_residual"] = Estimate(residual, float(w.sum() ** -0.5), method=method)
        return estimates

    def _grid(
        self, effects: Effects, groups: Sequence[EffectGroup], at_estimates: FloatArray, nodes: tuple[int, ...]
    ) -> CoefficientGrid:
        y, (s1, s2) = effects.log_hr[:, 1], effects.se.T
        columns, weight = np.column_stack([np.ones_like(y), at_estimates]), s2**-2.0
        bread = columns.T @ (weight[:, None] * columns)
        # limits the width of the grid if the expected effects hardly vary
        bread[1, 1] += np.mean(weight * s1**2)
        covariance = np.linalg.inv(bread)
        centre = covariance @ (columns.T @ (weight * y))
        excess = max(1.0, float(weight @ (y - columns @ centre) ** 2) / (len(y) - 2))
        coordinates = Coordinates.around(
            centre, excess * covariance, (self.intercept, self.share), float(np.median(s2))
        )
        spread = float(np.abs(y - weight @ y / weight.sum()).max())

        def log_density(coefficients: FloatArray, sds: FloatArray) -> tuple[FloatArray, None]:
            flat = coefficients.reshape(-1, 2)
            total = sum(group.log_likelihood(flat, sds) for group in groups)
            return np.reshape(total, (*coefficients.shape[:-1], len(sds))), None

        return tabulate(log_density, coordinates, (self.intercept, self.share), self.sigma_cond, spread, nodes)

    def _scores(self, effects: Effects, posterior: OffsetPosterior) -> tuple[FloatArray, FloatArray]:
        """Leave-one-out log score of every trial with (a, k) estimated, and with (a, k) = (0, 1)."""
        grid, groups, at_estimates = posterior.grid, posterior.groups, posterior.expected
        points = grid.points()
        coefficients, sds = grid.coordinates.coefficients(points[:-1]), grid.coordinates.sd(points[-1])
        whole = grid.integral.log_density[0] + grid.integral.log_total[0]
        whole = whole - np.log((grid.integral.high - grid.integral.low) / 2).sum()
        # psi alone, with (a, k) = (0, 1): quadrature over asinh(psi / unit)
        unit = grid.coordinates.scale
        spread = float(np.abs(effects.log_hr[:, 1] - at_estimates).max())
        ends = np.arcsinh(
            np.array([getattr(self.sigma_cond, "low", 0.0), float(search_limit(self.sigma_cond, np.array(spread)))])
            / unit
        )
        t = ends[0] + (ends[1] - ends[0]) * (rule(SIGMA_NODES)[0] + 1) / 2
        sigma = unit * np.sinh(t)
        prior = self.sigma_cond.log_density(sigma) + np.log(rule(SIGMA_NODES)[1] * np.cosh(t))
        fixed = np.array([[0.0, 1.0]])
        terms = {trial: [group for group in groups if group.trial == trial] for trial in effects.trials}
        under_dilution = {
            trial: sum(group.log_likelihood(fixed, sigma)[0] for group in members) for trial, members in terms.items()
        }
        together = np.asarray(sum(under_dilution.values())) + prior
        scores = []
        for trial, members in terms.items():
            term = np.reshape(
                sum(group.log_likelihood(coefficients.reshape(-1, 2), sds) for group in members), whole.shape
            )
            rest = grid.reweighted(whole - term)
            if rest is None:
                kept = np.array([name != trial for name in effects.trial])
                remaining = [group for group in groups if group.trial != trial]
                rest = self._grid(effects.take(kept), remaining, at_estimates[kept], whole.shape)
            fixed_score = logsumexp(together) - logsumexp(together - under_dilution[trial])
            scores.append((grid.log_evidence - rest.log_evidence, fixed_score))
        estimated, dilution = np.array(scores).T
        return estimated, dilution


def first_order_bias(effects: Effects, expectation: Expectation, share: float, sigma: float) -> dict[str, FloatArray]:
    """First-order bias of (a, k) from two sources, ``(X'WX)^-1 sum w_i E[error of m_i x error of y_i]``, X = (1, m).

    First, m_i keeps the sampling error of the surrogate effect, because the true surrogate effects have a vague prior.
    Second, the medians of the control arm, which determine the post-progression survival in m_i, share their sampling
    error with the effects.

    Returns
    -------
    dict of (2,) arrays
        ``surrogate_error``, ``shared_control_error``.
    """
    (s1, s2), rho = effects.se.T, effects.rho_within
    x = effects.log_hr[:, 0]
    by_effect, by_pfs, by_os = expectation.control_sensitivity(x).T
    slope = share * by_effect
    weight = 1 / (sigma**2 + s2**2 - 2 * slope * rho * s1 * s2 + slope**2 * s1**2)
    columns = np.column_stack([np.ones_like(x), expectation.log_hr(x[None])[0]])
    bread = np.linalg.inv(columns.T @ (weight[:, None] * columns))
    c1, c2 = (np.sqrt(effects.control_share) * effects.se).T
    errors = {
        "surrogate_error": by_effect * (rho * s1 * s2 - slope * s1**2),
        "shared_control_error": by_pfs * (rho * c1 * c2 - slope * c1**2) + by_os * (c2**2 - slope * rho * c1 * c2),
    }
    return {source: np.asarray(bread[:, 1] * (weight @ error)) for source, error in errors.items()}


@dataclass(frozen=True, eq=False)
class Offset:
    """Posterior of an `OffsetModel`, and its comparison with the plain line.

    Parameters
    ----------
    model : OffsetModel
    result : Result
        ``intercept`` (a), ``share`` (k), ``sigma_cond`` (psi), ``tail_at_dilution_alone``, R2 of both regressions,
        mean residual, and caveats.
    grid : CoefficientGrid
    expected : (k,) array
        Expected OS log hazard ratios at the observed surrogate effects.
    against_line : LogScore
        Comparison of the regression with the plain line.
    dilution_against_line : LogScore
        Comparison of dilution alone (a = 0, k = 1, psi estimated) with the plain line.
    """

    model: OffsetModel
    result: Result
    grid: CoefficientGrid
    expected: FloatArray
    against_line: LogScore
    dilution_against_line: LogScore

    def __getitem__(self, name: str) -> Estimate:
        estimate: Estimate = self.result[name]
        return estimate


def _value(estimate: Estimate) -> float:
    """Value of an estimate that always has one."""
    return float("nan") if estimate.value is None else estimate.value


def _r2(x: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Share of the weighted sum of squares that a straight line explains."""
    left = y - np.polyval(np.polyfit(x, y, 1, w=np.sqrt(weight)), x)
    away = y - weight @ y / weight.sum()
    return float(1 - (weight @ left**2) / (weight @ away**2))
