"""Regression of OS effects on those that an illness-death model expects of the PFS effects if dilution is all there is.

    y_i ~ N2(d_i, S_i),   d1_i vague,   d2_i | d1_i ~ N(a + k m_i(d1_i), psi^2)

``m_i`` is the trial's expected OS log hazard ratio with equal post-progression survival in both arms
(`surrogacy.pps.expected_effects`). a = 0 and k = 1 mean that dilution by the length of post-progression survival is all
there is, but for scatter psi; k < 1 that the OS effect is smaller still. ``m_i`` bends, so the true surrogate effects
do not integrate out in closed form (`surrogacy.pps.dilution_likelihood`); (a, k, psi) are integrated by quadrature on a
box. Compared with the plain line d2 = a + b d1 on the same comparisons by the log score of trials left out, and by the
R2 of weighted least squares (weights 1 / s2^2) of the OS effects on m_i(y1) and on y1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
FEWER_NODES = (12, 12, 10)  # where several fits are compared
FEWEST_COMPARISONS = 4
SIGMA_NODES = 40  # of psi alone


@dataclass(frozen=True)
class OffsetModel:
    """Regression of OS effects on the effects that dilution leaves, errors in both, exact.

    Parameters
    ----------
    intercept, share : Normal
        Priors of a and k.
    sigma_cond : prior
        Of psi.
    surrogate : Normal
        Of every true surrogate effect; vague.
    new_n : None
        There is a line for every trial, none for a new one.
    level : float
    nodes : tuple of int
        Nodes of a, k and psi.
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
        kinds: dict[str, PriorKind] = dict.fromkeys(("intercept", "share", "surrogate"), Normal)
        check_settings(self, kinds | {"sigma_cond": PositivePrior})

    @property
    def settings(self) -> dict[str, Any]:
        """Settings for the record, priors in words."""
        return {
            f"prior_{name}": str(getattr(self, name)) for name in ("intercept", "share", "sigma_cond", "surrogate")
        } | {"level": self.level}

    def fit(self, effects: Effects, expectation: Expectation, problems: tuple[str, ...] = ()) -> Offset:
        """Compute the posterior, and compare with the plain line and with dilution alone.

        Parameters
        ----------
        effects : Effects
            Both endpoints of every comparison.
        expectation : Expectation
            Of the same comparisons.
        problems : tuple of str
            Of the expectation.

        Raises
        ------
        FitError
            With fewer than four comparisons, or expected effects that do not vary.
        UsageError
            If an endpoint is missing.
        """
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
            raise FitError(
                f"{name}: surrogate effects, or the OS effects expected of them, are all the same; "
                "nothing can be regressed on them"
            )

        def tabulate(refinement: float) -> tuple[CoefficientGrid, dict[str, FloatArray]]:
            grid = self._grid(effects, groups, at_estimates, tuple(round(n * refinement) for n in self.nodes))
            p = (0.5, 0.5 - self.level / 2, 0.5 + self.level / 2)
            quantiles = {"a": grid.quantiles((1.0, 0.0), p), "k": grid.quantiles((0.0, 1.0), p)}
            return grid, quantiles | {"psi": grid.sd_quantiles(p)}

        grid, quantiles, moved = refine(tabulate)
        estimates: dict[str, Any] = {}
        weight, coefficients, sigma, _ = grid.nodes()
        columns = {
            "intercept": ("a", coefficients[:, 0]),
            "share": ("k", coefficients[:, 1]),
            "sigma_cond": ("psi", sigma),
        }
        for name, (key, values) in columns.items():
            median, low, high = map(float, quantiles[key])
            sd = float(np.sqrt(weight @ (values - weight @ values) ** 2))
            estimates[name] = Estimate(median, sd, low, high, self.level, KIND)
        below = float(grid.distribution((0.0, 1.0))(np.ones(1))[0])
        estimates["p_share_below_1"] = Estimate(below, method="posterior probability")
        tail = grid.tail_probability((0.0, 1.0))
        estimates["tail_at_dilution_alone"] = Estimate(
            tail, method="posterior mass of (intercept, share) less plausible than (0, 1)"
        )
        y, w = effects.log_hr[:, 1], effects.se[:, 1] ** -2.0
        for key, x in (("r2_expected", at_estimates), ("r2_surrogate", effects.log_hr[:, 0])):
            kind = "R2 of weighted least squares, weights 1 / SE(OS)^2, errors of the surrogate effect ignored"
            estimates[key] = Estimate(_r2(x, y, w), method=kind)
        residual = float(w @ (y - at_estimates) / w.sum())
        kind = "weighted mean of observed less expected OS log hazard ratio (a = 0, k = 1)"
        estimates["mean_residual"] = Estimate(residual, float(w.sum() ** -0.5), method=kind)
        biases = first_order_bias(
            effects, expectation, float(estimates["share"].value), float(estimates["sigma_cond"].value)
        )
        caveats = tuple(Caveat(CaveatCode.ASSUMPTION, problem) for problem in problems) + tuple(
            Caveat(
                CaveatCode.BIAS,
                f"{BIAS_WORDS[source]}: to first order they move a by {bias[0]:+.3f} and k by {bias[1]:+.3f}",
            )
            for source, bias in biases.items()
            if (np.abs(bias) > MATTERS * np.array([estimates["intercept"].se, estimates["share"].se])).any()
        )
        offset, dilution = self._scores(effects, groups, at_estimates, grid)
        priors = LinePriors((self.intercept,), (self.share,), self.sigma_cond, self.surrogate)
        alone = fit_line(
            effects, np.ones((len(effects), 1)), priors, (2 * self.nodes[1], 2 * self.nodes[2])
        ).log_scores()
        line = np.array([alone[trial] for trial in effects.trials])
        result = with_grid_error(
            Result(self.name, self.settings, effects, estimates, caveats=effects.caveats + caveats), moved
        )
        return Offset(
            self, result, grid, at_estimates, log_score(offset, line, self.level), log_score(dilution, line, self.level)
        )

    def _grid(
        self, effects: Effects, groups: list[EffectGroup], at_estimates: FloatArray, nodes: tuple[int, ...]
    ) -> CoefficientGrid:
        y, (s1, s2) = effects.log_hr[:, 1], effects.se.T
        columns, weight = np.column_stack([np.ones_like(y), at_estimates]), s2**-2.0
        bread = columns.T @ (weight[:, None] * columns)
        # expected effects that hardly vary must not make the grid wider than errors allow
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

    def _scores(
        self, effects: Effects, groups: list[EffectGroup], at_estimates: FloatArray, grid: CoefficientGrid
    ) -> tuple[FloatArray, FloatArray]:
        """Log score of every trial left out, with (a, k) free, and with (0, 1)."""
        points = grid.points()
        coefficients, sds = grid.coordinates.coefficients(points[:-1]), grid.coordinates.sd(points[-1])
        whole = grid.integral.log_density[0] + grid.integral.log_total[0]
        whole = whole - np.log((grid.integral.high - grid.integral.low) / 2).sum()
        # psi alone, under dilution: a rule on asinh(psi / unit)
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
        under = {
            trial: sum(group.log_likelihood(fixed, sigma)[0] for group in of_trial) for trial, of_trial in terms.items()
        }
        together = np.asarray(sum(under.values())) + prior
        scores = []
        for trial, of_trial in terms.items():
            term = np.reshape(
                sum(group.log_likelihood(coefficients.reshape(-1, 2), sds) for group in of_trial), whole.shape
            )
            rest = grid.reweighted(whole - term)
            if rest is None:
                kept = np.array([name != trial for name in effects.trial])
                others = [group for group in groups if group.trial != trial]
                rest = self._grid(effects.take(kept), others, at_estimates[kept], whole.shape)
            scores.append(
                (grid.log_evidence - rest.log_evidence, _log_sum(together) - _log_sum(together - under[trial]))
            )
        free, alone = np.array(scores).T
        return free, alone


def first_order_bias(effects: Effects, expectation: Expectation, share: float, sigma: float) -> dict[str, FloatArray]:
    """Bias of (a, k) by two known errors, to first order.

    ``(X'WX)^-1 sum w_i E[error of m_i x error of y_i]``, X = (1, m).

    Vague true surrogate effects leave the error of the observed ones in m_i; the control arm's medians, from which m_i
    has its post-progression survival, share the sampling error of its hazards with the effects.

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
    """Posterior of the offset model, and its comparison with the plain line.

    Parameters
    ----------
    model : OffsetModel
    result : Result
        ``intercept`` (a), ``share`` (k), ``sigma_cond``, ``tail_at_dilution_alone``, R2 of both lines, the mean
        residual, problems.
    grid : CoefficientGrid
    expected : (k,) array
        Expected OS log hazard ratio at the observed surrogate effect.
    against_line : LogScore
        Offset model, against the plain line.
    dilution_against_line : LogScore
        a = 0 and k = 1, only the scatter fitted, against the plain line.
    """

    model: OffsetModel
    result: Result
    grid: CoefficientGrid
    expected: FloatArray
    against_line: LogScore
    dilution_against_line: LogScore

    def __getitem__(self, name: str) -> Any:
        """Return one estimate."""
        return self.result[name]


def _log_sum(values: FloatArray) -> float:
    top = values.max()
    return float(top + np.log(np.exp(values - top).sum()))


def _r2(x: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Share of the weighted sum of squares that a line explains."""
    left = y - np.polyval(np.polyfit(x, y, 1, w=np.sqrt(weight)), x)
    away = y - weight @ y / weight.sum()
    return float(1 - (weight @ left**2) / (weight @ away**2))
