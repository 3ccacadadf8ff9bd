"""Bayesian bivariate random-effects meta-analysis, its posterior exact: no sampling, no tuning.

    y_i ~ N2(theta_i, S_i),   theta_i ~ N2(mu, T),   mu ~ normal,   tau_surrogate, tau_final, rho_between ~ priors

The true effects theta and their means mu are integrated analytically, the three parameters of T by quadrature
(`surrogacy.models.exact.bivariate_grid`), on a second, finer grid too if the first does not settle the answer.

References
----------
Bujkiewicz, Achana, Papanikos, Riley, Abrams (2019), NICE DSU Technical Support Document 20.
van Houwelingen, Arends, Stijnen (2002), doi:10.1002/sim.1040.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Capability
from surrogacy.models.bivariate import rho_within_record
from surrogacy.models.exact.bivariate_grid import NODES, Priors
from surrogacy.models.exact.bivariate_posterior import KIND, QUANTITIES, BivariatePosterior, posteriors
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.exact.refinement import REFINEMENTS, check_settings, refine, with_grid_error
from surrogacy.models.priors import (
    Beta,
    CorrelationPrior,
    Grid,
    HalfNormal,
    HalfStudentT,
    Normal,
    PositivePrior,
    Uniform,
    WithinPrior,
)
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.levels import LEVEL
from surrogacy.results.requirements import Requirement, UsablePart, usable_part
from surrogacy.results.result import Result
from surrogacy.stats.scatter import SAME_ERRORS, scatter_about_precise_line
from surrogacy.stats.thresholds import threshold_caveats

WITHIN_NODES = 12  # of a density of rho_within, on the grid of the default size
PRIOR_KIND = "prior median, equal-tailed"
LARGEST_WITHIN = 0.999  # of |rho_within|

PriorChange = Literal["hardly", "little", "clearly", "dominated-by-data"]
# Least overlap of prior and posterior of r2_trial, and by how much the trials have then changed the prior. Two normal
# densities of one SD whose means are d SD apart overlap by 2 Phi(-d / 2): 0.9 is a shift of 0.25 SD, 0.7 one of 0.77
# SD, 0.5 one of 1.35 SD. Of equal means, they overlap by 0.9 and 0.7 if one SD is 0.81 and 0.53 of the other. From 0.9
# on, the posterior may then be taken for the prior; down to 0.7 it has moved by less than an SD of the prior; below 0.5
# most of its mass is not shared with the prior.
PRIOR_CHANGES: tuple[tuple[float, PriorChange], ...] = ((0.9, "hardly"), (0.7, "little"), (0.5, "clearly"))


@dataclass(frozen=True)
class BivariateBayes:
    """Bayesian bivariate random-effects model, exact.

    Parameters
    ----------
    tau_surrogate, tau_final : prior
        Of the SDs of the true effects: `HalfNormal`, `HalfStudentT` or `Uniform`.
    rho_between : prior
        `Uniform` or `Beta` (LKJ) within [-1, 1].
    mu : Normal
        Of either mean log hazard ratio.
    rho_within : prior, optional
        `Uniform`, `Beta` or `Grid` of the common within-trial correlation where that is an assumption; without it the
        value of the effects is taken as known.
    new_n : float, optional
        Patients of the new trial that a prediction is made for; default: its true effect.
    level : float
    nodes : tuple of int
        Nodes of tau_surrogate, tau_final and rho_between.
    check_grid : bool
        Compare two grids and refine until they agree; without it one grid is trusted (leave-one-out).

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
        positive, correlation = (HalfNormal, HalfStudentT, Uniform), (Uniform, Beta)
        kinds: dict[str, tuple[type, ...]] = {
            "tau_surrogate": positive,
            "tau_final": positive,
            "rho_between": correlation,
            "mu": (Normal,),
        }
        if self.rho_within is not None:
            kinds["rho_within"] = (*correlation, Grid)
        check_settings(self, kinds)

    @property
    def priors(self) -> Priors:
        """Those of the quadrature."""
        return Priors(self.tau_surrogate, self.tau_final, self.rho_between, self.mu)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings for the record, priors in words."""
        names = ("tau_surrogate", "tau_final", "rho_between", "mu")
        priors = {f"prior_{name}": str(getattr(self, name)) for name in names}
        if self.rho_within is not None:
            priors["prior_rho_within"] = str(self.rho_within)
        return {**priors, "new_n": self.new_n, "level": self.level, "nodes": list(self.nodes)}

    @property
    def probabilities(self) -> tuple[float, float, float]:
        """Probabilities of median and limits."""
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
        """Compute the posterior and everything that is read off it.

        Comparisons with one endpoint missing contribute the other one.

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

        def tabulate(refinement: float) -> tuple[BivariatePosterior, dict[str, FloatArray]]:
            n1, n2, n3 = (round(n * refinement) for n in self.nodes)
            within = within_nodes(self.rho_within, refinement)
            posterior = next(posteriors([part.effects], self.priors, within, (n1, n2, n3)))
            return posterior, posterior.quantiles(self.probabilities, fine=refinement > REFINEMENTS[0])

        posterior, quantiles, moved = refine(tabulate)
        return with_grid_error(self._result(posterior, quantiles, part), moved)

    def fit_many(self, data: Sequence[Effects]) -> list[Result]:
        """Fit many data sets on one grid size, their tables made together.

        Raises
        ------
        FitError
            As ``fit``.
        """
        parts = [self._usable(effects) for effects in data]
        found = posteriors([part.effects for part in parts], self.priors, within_nodes(self.rho_within), self.nodes)
        pairs = zip(found, parts, strict=True)
        return [
            self._result(one, one.quantiles(self.probabilities, fine=False), part, fine=False) for one, part in pairs
        ]

    def _usable(self, effects: Effects) -> UsablePart:
        """Return the comparisons with standard errors; refuse what the posterior cannot be computed for."""
        part = usable_part(effects, self.requires, self.fewest)
        effects = part.effects
        reported = (~np.isnan(effects.log_hr)).sum(axis=0)
        if len(effects) < 2 or (reported < 2).any():
            raise FitError(
                f"{effects.name or 'these effects'}: {len(effects)} comparisons; a Bayesian bivariate model needs 2"
            )
        if (np.abs(effects.rho_within) > LARGEST_WITHIN).any():
            raise FitError(
                f"{effects.name or 'these effects'}: rho_within beyond {LARGEST_WITHIN:g} leaves the two estimates of "
                "a trial no error of their own; the exact posterior needs less"
            )
        if self.new_n is not None and np.isfinite(self.new_n) and not np.isfinite(effects.n).any():
            raise UsageError(
                "a prediction for a new trial of stated size needs the number of patients of each comparison"
            )
        return part

    def _result(
        self, posterior: BivariatePosterior, quantiles: dict[str, FloatArray], part: UsablePart, *, fine: bool = True
    ) -> Result:
        sd = posterior.standard_deviations()
        estimates: dict[str, Any] = {}
        for name in QUANTITIES:
            median, low, high = map(float, quantiles[name])
            estimates[name] = Estimate(median, sd[name], low, high, self.level, KIND)
        line = posterior.line(self.new_n, fine=fine)
        line = replace(line, intercept=estimates["intercept"].value, slope=estimates["slope"].value)
        estimates |= line.thresholds(self.level)
        overlap = posterior.prior_overlap()
        estimates["p_slope_positive"] = Estimate(posterior.probability_slope_positive(), method="posterior probability")
        estimates["prior_overlap"] = Estimate(overlap, method="area that prior and posterior of r2_trial share")
        prior = posterior.prior_quantiles_r2(self.probabilities)
        estimates["r2_trial_prior"] = Estimate(prior[0], None, prior[1], prior[2], self.level, PRIOR_KIND)
        estimates["log_marginal_likelihood"] = Estimate(posterior.log_evidence, method="exact (quadrature)")
        if posterior.within is not None:
            estimates["rho_within"] = self._within_estimate(posterior)
        effects = posterior.effects
        caveats = scatter_about_precise_line(posterior.effects, SAME_ERRORS) + threshold_caveats(estimates, effects)
        caveats += prior_caveat(
            overlap, prior[0], estimates["r2_trial"].value, len(effects.trials), str(self.rho_between)
        )
        return Result(
            self.name,
            self.settings | rho_within_record(effects, with_prior=self.rho_within is not None),
            effects,
            estimates,
            line,
            posterior,
            caveats=effects.caveats + part.caveats + caveats,
            requires=self.requires,
            left_out=part.left_out,
        )

    def _within_estimate(self, posterior: BivariatePosterior) -> Estimate:
        assert posterior.within is not None
        values, share = posterior.within[0], posterior.share
        mean = float(share @ values)
        spread = float(np.sqrt(share @ (values - mean) ** 2))
        return Estimate(mean, spread, None, None, None, f"posterior mean, prior {self.rho_within}")


def prior_change(overlap: float) -> PriorChange:
    """Grade how far the trials have changed the prior, by the overlap of prior and posterior.

    Examples
    --------
    >>> prior_change(0.95)
    'hardly'
    """
    return next((grade for least, grade in PRIOR_CHANGES if overlap >= least), "dominated-by-data")


def prior_caveat(overlap: float, prior: float, posterior: float, trials: int, prior_words: str) -> tuple[Caveat, ...]:
    """Caveat on a posterior of r2_trial that shares much of its prior; none below an overlap of 50%.

    Parameters
    ----------
    overlap : float
        Area that prior and posterior of r2_trial share.
    prior, posterior : float
        Medians of r2_trial.
    trials : int
    prior_words : str
        Prior of rho_between.
    """
    sentences: dict[PriorChange, str] = {
        "hardly": f"hardly change the prior, rho_between {prior_words}; another prior gives another answer",
        "little": f"change the prior, rho_between {prior_words}, only a little; another prior gives another answer",
        "clearly": f"change the prior, rho_between {prior_words}, clearly, but the posterior still depends on it",
    }
    grade = prior_change(overlap)
    if grade not in sentences:
        return ()
    medians = f"median {prior:.2f} before, {posterior:.2f} after"
    shared = f"prior and posterior of r2_trial overlap by {overlap:.0%} ({medians})"
    return (Caveat(CaveatCode.PRIOR_DOMINATES, f"{shared}: {trials} trials {sentences[grade]}"),)


def within_nodes(prior: WithinPrior | None, refinement: float = 1.0) -> FloatArray | None:
    """Values of rho_within and their prior masses, (2, n): all of a grid, Gauss-Legendre nodes of a density."""
    if prior is None:
        return None
    if isinstance(prior, Grid):
        return np.array([prior.values, np.full(len(prior.values), 1 / len(prior.values))])
    nodes, weights = rule(round(WITHIN_NODES * refinement))
    values = prior.low + (prior.high - prior.low) * (nodes + 1) / 2
    mass = weights * np.exp(prior.log_density(values))
    return np.array([values, mass / mass.sum()])
