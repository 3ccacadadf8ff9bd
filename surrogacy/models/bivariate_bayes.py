"""Bayesian bivariate random-effects meta-analysis with an exact posterior, without sampling.

    y_i ~ N2(theta_i, S_i),   theta_i ~ N2(mu, T),   mu ~ normal,   tau_surrogate, tau_final, rho_between ~ priors

The true effects theta and their means mu are integrated analytically, the three parameters of T by quadrature
(`surrogacy.models.exact.bivariate_grid`). The grid is refined until the density is resolved by its polynomials or no
quantile changes.

References
----------
Bujkiewicz, Achana, Papanikos, Riley, Abrams (2019), NICE DSU Technical Support Document 20.
van Houwelingen, Arends, Stijnen (2002), doi:10.1002/sim.1040.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import ClassVar

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Capability
from surrogacy.models.bivariate import rho_within_record
from surrogacy.models.exact.batch_quantiles import batch_quantiles
from surrogacy.models.exact.bivariate_grid import NODES, Priors
from surrogacy.models.exact.bivariate_posterior import (
    KIND,
    QUANTITIES,
    TOGETHER,
    BivariatePosterior,
    posterior_batches,
    posteriors,
)
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.interpolation import unresolved
from surrogacy.models.exact.posterior_line import PosteriorLine
from surrogacy.models.exact.refinement import (
    FINER,
    MOVED,
    UNRESOLVED,
    PriorKind,
    Quantiles,
    check_settings,
    largest_move,
    with_grid_error,
    with_resolution,
)
from surrogacy.models.prior_change import prior_caveat
from surrogacy.models.priors import (
    Beta,
    CorrelationPrior,
    Grid,
    HalfNormal,
    Normal,
    PositivePrior,
    Uniform,
    WithinPrior,
)
from surrogacy.models.settings import Setting, priors_in_words
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.levels import LEVEL
from surrogacy.results.requirements import Requirement, UsablePart, usable_part
from surrogacy.results.result import Result
from surrogacy.stats.lines import NEEDS_PATIENTS
from surrogacy.stats.mixture_line import many_thresholds
from surrogacy.stats.scatter import SAME_ERRORS, scatter_about_precise_line
from surrogacy.stats.thresholds import threshold_caveats

WITHIN_NODES = 12  # nodes for a prior density of the within-trial correlation, on a grid of the default size
PRIOR_KIND = "prior median, equal-tailed"
LARGEST_WITHIN = 0.999  # largest absolute within-trial correlation


@dataclass(frozen=True)
class BivariateBayes:
    """Bayesian bivariate random-effects model with an exact posterior.

    Parameters
    ----------
    tau_surrogate, tau_final : HalfNormal, HalfStudentT or Uniform
        Priors of the SDs of the true effects.
    rho_between : Uniform or Beta
        Prior of the between-trial correlation, within [-1, 1]; `Beta` includes LKJ.
    mu : Normal
        Prior of each mean log hazard ratio.
    rho_within : Uniform, Beta or Grid, optional
        Prior of the common within-trial correlation of the comparisons that do not report theirs. Default: the value
        assumed in the effects is taken as known.
    new_n : float, optional
        Number of patients of the new trial that predictions are made for; default: predict its true effect.
    level : float
        Level of the intervals.
    nodes : tuple of int
        Nodes of tau_surrogate, tau_final and rho_between.
    check_grid : bool
        Refine the grid until it resolves the density or the quantiles agree; if False, use one grid (for
        leave-one-out).

    Raises
    ------
    UsageError
        If a prior, the size of the new trial, the level or the grid is impossible.

    Examples
    --------
    >>> from surrogacy import Effects
    >>> from surrogacy.models import BivariateBayes
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, n=[400] * 4)
    >>> result = BivariateBayes(check_grid=False).fit(effects)
    >>> round(result["slope"].value, 1)
    0.4
    """

    tau_surrogate: PositivePrior = HalfNormal(0.5)
    tau_final: PositivePrior = HalfNormal(0.5)
    rho_between: CorrelationPrior = Uniform(-1.0, 1.0)
    mu: Normal = Normal(0.0, 10.0)
    rho_within: WithinPrior | None = None
    new_n: float | None = None
    level: float = LEVEL
    nodes: tuple[int, int, int] = NODES
    check_grid: bool = True
    name = "bivariate-bayes"
    requires: ClassVar[frozenset[Requirement]] = frozenset({Requirement.STANDARD_ERRORS})
    fewest: ClassVar[int] = 2
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.REFITS, Capability.WITHIN_TRIAL_CORRELATIONS, Capability.PRIORS}
    )

    def __post_init__(self) -> None:
        kinds: dict[str, PriorKind] = {"tau_surrogate": PositivePrior, "tau_final": PositivePrior}
        kinds |= {"rho_between": CorrelationPrior, "mu": Normal}
        check_settings(self, kinds if self.rho_within is None else kinds | {"rho_within": WithinPrior})

    @property
    def priors(self) -> Priors:
        """Priors of the quadrature."""
        return Priors(self.tau_surrogate, self.tau_final, self.rho_between, self.mu)

    @property
    def settings(self) -> dict[str, Setting]:
        """Settings for the record, with the priors in words."""
        names = ("tau_surrogate", "tau_final", "rho_between", "mu", *(["rho_within"] if self.rho_within else []))
        return priors_in_words(self, names) | {"new_n": self.new_n, "level": self.level, "nodes": list(self.nodes)}

    @property
    def probabilities(self) -> tuple[float, float, float]:
        """Probabilities of the median and the limits."""
        return 0.5, 0.5 - self.level / 2, 0.5 + self.level / 2

    def posterior(self, effects: Effects) -> BivariatePosterior:
        """Tabulate the posterior.

        Raises
        ------
        FitError
            With fewer than two comparisons that report an endpoint.
        MissingDataError
            If fewer than two comparisons have standard errors.
        """
        data = self._usable(effects).effects
        return next(posteriors([data], self.priors, within_nodes(self.rho_within), self.nodes))

    def fit(self, effects: Effects) -> Result:
        """Compute the posterior and its summaries.

        Comparisons with one missing endpoint contribute the other one. The grid has 1, 1.5, 2.25, 3.4 or 5 times
        ``nodes`` per axis. It is fine enough if the density changes little when its polynomials lose two degrees, or if
        no quantile has moved from the grid before.

        Raises
        ------
        FitError
            With fewer than two comparisons, or fewer than two of an endpoint.
        MissingDataError
            If fewer than two comparisons have standard errors.
        """
        part = self._usable(effects)
        if not self.check_grid:
            return self.fit_many([effects])[0]

        box: tuple[FloatArray, FloatArray] | None = None
        quantiles: dict[str, FloatArray] = {}
        moved = float("nan")
        for refinement in (1.0, *FINER):
            n1, n2, n3 = (round(n * refinement) for n in self.nodes)
            within = within_nodes(self.rho_within, refinement)
            posterior = next(posteriors([part.effects], self.priors, within, (n1, n2, n3), box))
            if within is None:  # else a finer grid has more components, each with its own box
                box = posterior.table.low, posterior.table.high
            coarser, quantiles = quantiles, posterior.quantiles(self.probabilities)
            lost = max(posterior.unresolved, self._within_unresolved(posterior))
            if coarser:
                moved = largest_move(coarser, quantiles)
            if lost < UNRESOLVED or moved < MOVED:
                break
        result = self._result(posterior, quantiles, part)
        if lost < UNRESOLVED:
            return with_resolution(result, lost, self.level)
        return with_grid_error(result, moved, MOVED)

    def _within_unresolved(self, posterior: BivariatePosterior) -> float:
        """Change of the density of the within-trial correlation if its polynomial loses two degrees."""
        if not isinstance(self.rho_within, Uniform | Beta):
            return 0.0
        return float(unresolved(posterior.table.log_evidence[None], posterior.share[None])[0])

    def fit_many(self, data: Sequence[Effects]) -> list[Result]:
        """Fit many data sets on one size of grid; their tables are computed together.

        Raises
        ------
        FitError
            As ``fit``.
        """
        parts = [self._usable(effects) for effects in data]
        within, results = within_nodes(self.rho_within), []
        for several in batched(parts, TOGETHER):
            fits: dict[int, Result] = {}
            batches = posterior_batches([part.effects for part in several], self.priors, within, self.nodes)
            for batch in batches:
                quantiles = batch_quantiles(batch, self.probabilities)
                pairs = zip(batch.posteriors, quantiles, strict=True)
                lines = [self._line(posterior, named, fine=False) for posterior, named in pairs]
                thresholds = many_thresholds(lines, self.level)
                columns = batch.posteriors, quantiles, (several[i] for i in batch.index), lines, thresholds
                fits |= dict(zip(batch.index, map(self._summarise, *columns), strict=True))
            results += [fits[i] for i in range(len(several))]
        return results

    def _usable(self, effects: Effects) -> UsablePart:
        """Return the comparisons with standard errors; refuse sets whose posterior cannot be computed."""
        part = usable_part(effects, self.requires, self.fewest)
        effects = part.effects
        reported = (~np.isnan(effects.log_hr)).sum(axis=0)
        if len(effects) < 2 or (reported < 2).any():
            raise FitError(
                f"{effects.name or 'these effects'}: {len(effects)} comparisons; a Bayesian bivariate model needs 2"
            )
        refuse_unusable(self.new_n, effects)
        return part

    def _result(self, posterior: BivariatePosterior, quantiles: Quantiles, part: UsablePart) -> Result:
        line = self._line(posterior, quantiles, fine=True)
        return self._summarise(posterior, quantiles, part, line, line.thresholds(self.level))

    def _line(self, posterior: BivariatePosterior, quantiles: Quantiles, *, fine: bool) -> PosteriorLine:
        """Surrogacy line with its medians."""
        intercept, slope = (float(quantiles[name][0]) for name in ("intercept", "slope"))
        return replace(posterior.line(self.new_n, fine=fine), intercept=intercept, slope=slope)

    def _summarise(
        self,
        posterior: BivariatePosterior,
        quantiles: Quantiles,
        part: UsablePart,
        line: PosteriorLine,
        thresholds: Mapping[str, ThresholdEffect],
    ) -> Result:
        sd = posterior.standard_deviations()
        estimates: dict[str, Estimate | ThresholdEffect] = {}
        for name in QUANTITIES:
            median, low, high = map(float, quantiles[name])
            estimates[name] = Estimate(median, sd[name], low, high, self.level, KIND)
        estimates |= thresholds
        overlap = posterior.prior_overlap()
        positive = float(1 - posterior.distribution("rho_between", 0.0))  # the slope has the sign of rho_between
        estimates["p_slope_positive"] = Estimate(positive, method="posterior probability")
        estimates["prior_overlap"] = Estimate(overlap, method="area shared by prior and posterior of trial-level R²")
        prior, prior_low, prior_high = posterior.prior_quantiles_r2(self.probabilities)
        estimates["r2_trial_prior"] = Estimate(prior, None, prior_low, prior_high, self.level, PRIOR_KIND)
        estimates["log_marginal_likelihood"] = Estimate(posterior.log_evidence, method="exact (quadrature)")
        if posterior.within is not None:
            estimates["rho_within"] = self._within_estimate(posterior)
        effects = posterior.effects
        caveats = scatter_about_precise_line(posterior.effects, SAME_ERRORS) + threshold_caveats(estimates, effects)
        caveats += prior_caveat(
            overlap, prior, float(quantiles["r2_trial"][0]), len(effects.trials), str(self.rho_between)
        )
        caveats = effects.caveats + part.caveats + caveats
        settings = self.settings | rho_within_record(effects, with_prior=self.rho_within is not None)
        result = Result(self.name, settings, effects, estimates, line, posterior, caveats=caveats)
        return replace(result, requires=self.requires, left_out=part.left_out)

    def _within_estimate(self, posterior: BivariatePosterior) -> Estimate:
        assert posterior.within is not None
        values, share = posterior.within[0], posterior.share
        mean = float(share @ values)
        spread = float(np.sqrt(share @ (values - mean) ** 2))
        return Estimate(mean, spread, None, None, None, f"posterior mean, prior {self.rho_within}")


def refuse_unusable(new_n: float | None, effects: Effects) -> None:
    """Refuse within-trial correlations near 1, and a size of the new trial if no comparison reports its patients.

    Raises
    ------
    FitError, UsageError
    """
    if (np.abs(effects.rho_within) > LARGEST_WITHIN).any():
        raise FitError(
            f"{effects.name or 'these effects'}: a within-trial correlation of {np.abs(effects.rho_within).max():g}; "
            f"an exact posterior needs at most {LARGEST_WITHIN:g}"
        )
    if new_n is not None and np.isfinite(new_n) and not np.isfinite(effects.n).any():
        raise UsageError(NEEDS_PATIENTS)


def within_nodes(prior: WithinPrior | None, refinement: float = 1.0) -> FloatArray | None:
    """Values of the within-trial correlation and their prior masses, (2, n).

    These are the values of a grid, or Gauss-Legendre nodes for a density.
    """
    if prior is None:
        return None
    if isinstance(prior, Grid):
        return np.array([prior.values, np.full(len(prior.values), 1 / len(prior.values))])
    nodes, weights = rule(round(WITHIN_NODES * refinement))
    values = prior.low + (prior.high - prior.low) * (nodes + 1) / 2
    mass = weights * np.exp(prior.log_density(values))
    return np.array([values, mass / mass.sum()])
