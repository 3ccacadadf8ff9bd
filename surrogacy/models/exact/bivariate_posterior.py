"""Exact posterior of one data set: quantiles, densities and predictions computed from its table, without draws.

Given T = (tau_surrogate, tau_final, rho_between) the means mu and the true effects theta are normal. Their marginal
posteriors and all predictions are therefore mixtures of normals over the nodes of the grid. With a prior on the
within-trial correlation the posterior is a mixture of such posteriors, weighted by their marginal likelihoods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import batched

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects, concatenate, unit_variance
from surrogacy.models.exact import marginals
from surrogacy.models.exact.bivariate_grid import NODES, Priors, Table, integrate
from surrogacy.models.exact.draws import draw_quantities
from surrogacy.models.exact.intercept import InterceptNodes, finer, intercept_nodes
from surrogacy.models.exact.interpolation import unresolved
from surrogacy.models.exact.likelihood_sums import arrange, stack
from surrogacy.models.exact.nodes import Nodes, heavy_nodes
from surrogacy.models.exact.posterior_line import PosteriorLine
from surrogacy.models.exact.prior_distributions import absolute_correlation, slope_prior
from surrogacy.models.exact.slope import slope_distribution
from surrogacy.models.exact.true_effects import METHOD, predict_new_trial, true_effects
from surrogacy.results.levels import LEVEL
from surrogacy.stats.lines import data_range
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from surrogacy.stats.predictive import Prediction

TOGETHER = 16  # data sets tabulated at once
KIND = METHOD
QUANTITIES = (
    "mu_surrogate",
    "mu_final",
    "tau_surrogate",
    "tau_final",
    "rho_between",
    "r2_trial",
    "intercept",
    "slope",
    "sigma_cond",
)


@dataclass(frozen=True, eq=False)
class BivariatePosterior:
    """Exact posterior of the bivariate model for one data set.

    Parameters
    ----------
    effects : Effects
    priors : Priors
    table : Table
        One component; with a prior on the within-trial correlation, one for each of its nodes.
    share : (b,) array
        Posterior mass of the components.
    within : (2, b) array or None
        Values of the within-trial correlation and their prior masses, if it has a prior.
    log_evidence : float
        Log marginal likelihood.

    Examples
    --------
    >>> from surrogacy.models import BivariateBayes
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> posterior = BivariateBayes().posterior(Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4))
    >>> round(float(posterior.quantile("slope", 0.5)[0]), 1)
    0.4
    """

    effects: Effects
    priors: Priors
    table: Table
    share: FloatArray
    within: FloatArray | None
    log_evidence: float
    quantities = QUANTITIES
    samples = None  # the posterior is tabulated

    def nodes(self, *, fine: bool = False) -> Nodes:
        """Nodes that carry mass.

        With ``fine`` there are more nodes where the line needs them, which moves the intercept by a few thousandths
        of its SD.
        """
        return self._finer_nodes if fine else self._nodes

    @cached_property
    def _nodes(self) -> Nodes:
        return heavy_nodes(self.table, self.share)

    @cached_property
    def _finer_nodes(self) -> Nodes:
        finely = self._finer_table
        return self._nodes if finely is self.table else heavy_nodes(finely, self.share)

    @cached_property
    def _finer_table(self) -> Table:
        return finer(self.table)

    @cached_property
    def _intercept(self) -> InterceptNodes:
        return intercept_nodes(self.table, self._finer_table, self.share)

    @cached_property
    def _rho_between(self) -> tuple[FloatArray, FloatArray]:
        """Tabulated distribution function of rho_between."""
        return marginals.parameter(self.table, self.share, "rho_between")

    @cached_property
    def _absolute_rho(self) -> tuple[FloatArray, FloatArray]:
        """Tabulated distribution function of the absolute value of rho_between."""
        return marginals.folded(self._rho_between)

    def __getstate__(self) -> dict[str, object]:
        """Fields without the nodes, which are computed when they are needed."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}

    def line(self, new_n: float | None = None, *, fine: bool = True) -> PosteriorLine:
        """Surrogacy line with its bands; its intercept and slope are NaN until the caller fills in their medians."""
        nodes, effects = self.nodes(fine=fine), self.effects
        at_nodes = nodes.weight, *nodes.intercept, nodes.slope, nodes.sigma_cond
        trial = unit_variance(effects), new_n, data_range(effects)
        return PosteriorLine(float("nan"), float("nan"), *at_nodes, *trial, posterior=self)

    def quantiles(self, p: Sequence[float], *, fine: bool = True) -> dict[str, FloatArray]:
        """Quantiles of every quantity of the model, (len(p),) each."""
        table, share = self.table, self.share
        quantiles: dict[str, FloatArray] = {}
        nodes = self.nodes()
        means, variances = np.stack([nodes.mean_surrogate, nodes.mean_final]), np.stack([nodes.v11, nodes.v22])
        quantiles["mu_surrogate"], quantiles["mu_final"] = mixture_quantile(p, nodes.weight, means, np.sqrt(variances))
        for name in ("tau_surrogate", "tau_final"):
            quantiles[name] = marginals.quantiles_of(marginals.parameter(table, share, name), p)
        quantiles["rho_between"] = marginals.quantiles_of(self._rho_between, p)
        quantiles["r2_trial"] = marginals.quantiles_of(self._absolute_rho, p) ** 2
        at = self._intercept if fine else InterceptNodes(nodes.weight, nodes.intercept[0], np.sqrt(nodes.intercept[1]))
        quantiles["intercept"] = mixture_quantile(p, at.weight, at.mean[None], at.sd[None])[0]
        sigma = marginals.sigma_cond(table, share)
        quantiles["slope"] = marginals.invert(slope_distribution(table, share), p, nodes.slope, nodes.weight)
        quantiles["sigma_cond"] = marginals.invert(sigma, p, nodes.sigma_cond, nodes.weight)
        return {name: quantiles[name] for name in QUANTITIES}

    def many_quantiles(self, name: str, p: FloatArray) -> FloatArray:
        """Many quantiles of r2_trial, rho_between or slope, (len(p),), interpolated in the distribution function."""
        if name == "slope":
            nodes = self.nodes()
            return marginals.many_quantiles(slope_distribution(self.table, self.share), p, nodes.slope, nodes.weight)
        if name == "rho_between":
            return marginals.quantiles_of(self._rho_between, p)
        return marginals.quantiles_of(self._absolute_rho, p) ** 2

    def standard_deviations(self) -> dict[str, float | None]:
        """Posterior SDs; None for slope and intercept, whose variance is infinite if tau_surrogate may be 0."""
        nodes = self.nodes()
        weight, rho = nodes.weight, nodes.rho_between

        def sd(values: FloatArray, within: FloatArray | float = 0.0) -> float:
            mean = weight @ values
            return float(np.sqrt(weight @ ((values - mean) ** 2 + within)))

        return {
            "mu_surrogate": sd(nodes.mean_surrogate, nodes.v11),
            "mu_final": sd(nodes.mean_final, nodes.v22),
            "tau_surrogate": sd(nodes.tau_surrogate),
            "tau_final": sd(nodes.tau_final),
            "rho_between": sd(rho),
            "r2_trial": sd(rho**2),
            "intercept": None,
            "slope": None,
            "sigma_cond": sd(nodes.sigma_cond),
        }

    def quantile(self, name: str, p: npt.ArrayLike) -> FloatArray:
        """Quantiles of a quantity."""
        return self.quantiles(tuple(np.atleast_1d(np.asarray(p, dtype=np.float64))), fine=False)[name]

    def distribution(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Posterior distribution function of a quantity at ``x``."""
        at = np.asarray(x, dtype=np.float64)
        if name == "slope":
            return slope_distribution(self.table, self.share)(at)
        if name == "sigma_cond":
            return marginals.sigma_cond(self.table, self.share)(at)
        if name in ("tau_surrogate", "tau_final"):
            return np.interp(at, *marginals.parameter(self.table, self.share, name), left=0, right=1)
        if name == "rho_between":
            return np.interp(at, *self._rho_between, left=0, right=1)
        if name == "r2_trial":
            return np.interp(np.sqrt(np.maximum(at, 0.0)), *self._absolute_rho, left=0, right=1)
        if name == "intercept":
            at_nodes = self._intercept
            return mixture_cdf(at, at_nodes.weight, at_nodes.mean, at_nodes.sd)
        nodes = self.nodes()
        surrogate, final = (nodes.mean_surrogate, nodes.v11), (nodes.mean_final, nodes.v22)
        mean, variance = surrogate if name == "mu_surrogate" else final
        return mixture_cdf(at, nodes.weight, mean, np.sqrt(variance))

    @property
    def unresolved(self) -> float:
        """Mean relative change of the density if its polynomials lose two degrees; see `interpolation.unresolved`."""
        return float(self.share @ unresolved(self.table.log_density, self.table.weight))

    def density(self, name: str, x: npt.ArrayLike) -> FloatArray:
        """Posterior density of a quantity at ``x``, by differences of its distribution function."""
        low, high = self.quantile(name, (0.025, 0.975))
        return marginals.density(lambda at: self.distribution(name, at), x, float(high - low))

    def prior_distribution(self, name: str, x: npt.ArrayLike) -> FloatArray | None:
        """Prior distribution function of r2_trial, slope or rho_between at ``x``; None for the others."""
        priors, at = self.priors, np.asarray(x, dtype=np.float64)
        if name == "slope":
            return slope_prior(priors.tau_surrogate, priors.tau_final, priors.rho_between)(at)
        if name == "rho_between":
            return priors.rho_between.cdf(at)
        root = np.sqrt(np.maximum(at, 0.0))
        return priors.rho_between.cdf(root) - priors.rho_between.cdf(-root) if name == "r2_trial" else None

    def prior_quantiles_r2(self, p: Sequence[float]) -> tuple[float, ...]:
        """Prior quantiles of r2_trial, ``P(r2 <= x) = F(sqrt x) - F(-sqrt x)`` with F the prior of rho_between."""
        root, prior = absolute_correlation(self.priors.rho_between)
        return tuple(map(float, np.interp(p, prior, root) ** 2))

    def prior_overlap(self) -> float:
        """Area shared by the prior and the posterior density of r2_trial; 1 where the data add nothing."""
        root, prior = absolute_correlation(self.priors.rho_between)
        posterior = np.interp(root, *self._absolute_rho, left=0, right=1)
        return float(np.minimum(np.diff(prior), np.diff(posterior)).sum())

    def true_effects(self) -> tuple[FloatArray, FloatArray]:
        """Mean (k, 2) and covariance (k, 2, 2) of the true effects of the comparisons."""
        return true_effects(self)[:2]

    def with_surrogate(self, log_hr: float, se: float, rho_within: float) -> BivariatePosterior:
        """Posterior after adding the surrogate effect of one more trial, whose final effect is not yet known."""
        trial = Effects.from_arrays([[log_hr, np.nan]], [[se, np.nan]], rho_within, trial=["new trial"])
        effects = concatenate(self.effects, replace(trial, rho_known=np.array([True])))
        return next(posteriors([effects], self.priors, self.within))

    def predict(
        self, log_hr: float, se: float, rho_within: float = 0.5, se_final: float | None = None, level: float = LEVEL
    ) -> Prediction:
        """Predict the final effect of a new trial; see `predict_new_trial`."""
        return predict_new_trial(self, log_hr, se, rho_within, se_final, level)

    def draw(self, n: int, seed: int = 0) -> dict[str, FloatArray]:
        """Draw independently from the posterior.

        Parameters
        ----------
        n : int
        seed : int

        Returns
        -------
        dict of (n,) arrays
            Every quantity of the model.
        """
        return draw_quantities(self.table, self.share, n, np.random.default_rng(seed))


def posteriors(
    data: Iterable[Effects],
    priors: Priors,
    within: FloatArray | None = None,
    nodes: tuple[int, int, int] = NODES,
    box: tuple[FloatArray, FloatArray] | None = None,
) -> Iterator[BivariatePosterior]:
    """Exact posteriors of many data sets, in their order; data sets of the same structure are tabulated together.

    Parameters
    ----------
    data : iterable of Effects
    priors : Priors
    within : (2, w) array, optional
        Values of the within-trial correlation, where it is an assumption, and their prior masses.
    nodes : tuple of int
    box : pair of (1, 3) arrays, optional
        Box of another table of the same posterior, if there is one data set. Default: the boxes are searched for.
    """
    for several in batched(data, TOGETHER):
        batches = posterior_batches(several, priors, within, nodes, box)
        numbered = {
            i: posterior for batch in batches for i, posterior in zip(batch.index, batch.posteriors, strict=True)
        }
        yield from (numbered[i] for i in range(len(several)))


@dataclass(frozen=True, eq=False)
class PosteriorBatch:
    """Posteriors of data sets of the same structure.

    Parameters
    ----------
    index : tuple of int
        Their places among all data sets.
    posteriors : tuple of BivariatePosterior
    table : Table
        Their tables, joined; with a prior on the within-trial correlation there is one posterior.
    """

    index: tuple[int, ...]
    posteriors: tuple[BivariatePosterior, ...]
    table: Table


def posterior_batches(
    data: Sequence[Effects],
    priors: Priors,
    within: FloatArray | None,
    nodes: tuple[int, int, int],
    box: tuple[FloatArray, FloatArray] | None = None,
) -> Iterator[PosteriorBatch]:
    """Exact posteriors of a few data sets, grouped by structure; see `posteriors`."""
    if within is not None:
        for i, effects in enumerate(data):
            batch = stack([arrange(effects.with_rho_within(r)) for r in within[0]])
            table = integrate(batch, priors, nodes, box)
            evidence = table.log_evidence + np.log(within[1])
            total = float(np.logaddexp.reduce(evidence))
            posterior = BivariatePosterior(effects, priors, table, np.exp(evidence - total), within, total)
            yield PosteriorBatch((i,), (posterior,), table)
        return
    arranged = [arrange(effects) for effects in data]
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for i, layout in enumerate(arranged):
        groups.setdefault(layout.structure, []).append(i)
    for members in groups.values():
        table = integrate(stack([arranged[i] for i in members]), priors, nodes, box)
        parts = [table.take(slice(row, row + 1)) for row in range(len(members))]
        yield PosteriorBatch(
            tuple(members),
            tuple(
                BivariatePosterior(data[i], priors, part, np.ones(1), None, float(part.log_evidence[0]))
                for i, part in zip(members, parts, strict=True)
            ),
            table,
        )
