"""Exact posterior of one data set: everything that can be read off its table, without a draw.

Given T = (tau_surrogate, tau_final, rho_between) the means mu and the true effects theta are normal, so their marginal
posteriors and every prediction are mixtures of normals over the grid. A prior on rho_within makes a mixture of such
posteriors, weighted by their evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

import numpy as np

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.effects import Effects, concatenate, unit_variance
from surrogacy.errors import UsageError
from surrogacy.models.exact import marginals
from surrogacy.models.exact.bivariate_grid import NODES, Priors, Table, integrate
from surrogacy.models.exact.likelihood_sums import arrange, stack
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import LEVEL
from surrogacy.stats.lines import MixtureLine
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile

LIGHT = 1e-6  # of the heaviest node: lighter ones are left out of mixtures of normals
TOGETHER = 16  # data sets tabulated at once
KIND = "posterior median, equal-tailed; exact, by quadrature"
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


@dataclass(frozen=True)
class Prediction:
    """What is expected of the final effect of a new trial whose surrogate effect was observed.

    Parameters
    ----------
    true, observed : Estimate
        Log hazard ratio: the true effect, and the estimate that the trial will see (None without its standard error).
    probability_below_1 : float
        Of the true hazard ratio.
    probability_observed_below_1 : float or None
    """

    true: Estimate
    observed: Estimate | None
    probability_below_1: float
    probability_observed_below_1: float | None


@dataclass(frozen=True, eq=False)
class Posterior:
    """Exact posterior of one data set.

    Parameters
    ----------
    effects : Effects
    priors : Priors
    table : Table
        One component, or one for every node of the prior of rho_within.
    share : (b,) array
        Posterior mass of the components.
    within : (2, b) array or None
        Values of rho_within and their prior masses, if it has a prior.
    log_evidence : float
        Log marginal likelihood.
    """

    effects: Effects
    priors: Priors
    table: Table
    share: FloatArray
    within: FloatArray | None
    log_evidence: float

    def nodes(self, *, fine: bool = False) -> dict[str, Any]:
        """Nodes that carry mass: weight, the three parameters, and mean and covariance of mu given them; (n,) arrays.

        ``fine`` takes more of them where the line needs it: a few thousandths of an SD of the intercept.
        """
        table = marginals.finer(self.table) if fine else self.table
        shape = table.weight.shape
        weight = self.share[:, None, None, None] * table.weight
        heavy = weight > LIGHT * weight.max()
        parameters = (
            table.tau_surrogate[:, :, None, None],
            table.tau_final[:, None, :, None],
            table.rho_between[:, None, None, :],
        )
        tau1, tau2, rho = (np.broadcast_to(part, shape)[heavy] for part in parameters)
        kept = weight[heavy]
        found: dict[str, Any] = {
            "weight": kept / kept.sum(),
            "tau_surrogate": tau1,
            "tau_final": tau2,
            "rho_between": rho,
        }
        found |= {name: table.mean[:, i][heavy] for i, name in enumerate(("mean1", "mean2"))}
        found |= {name: table.covariance[:, i][heavy] for i, name in enumerate(("v11", "v12", "v22"))}
        found["component"] = np.nonzero(heavy)[0]
        return found

    def line(self, new_n: float | None = None, *, fine: bool = True) -> MixtureLine:
        """Surrogacy line with its bands; intercept and slope are filled with their medians."""
        nodes = self.nodes(fine=fine)
        slope = nodes["rho_between"] * nodes["tau_final"] / nodes["tau_surrogate"]
        effects = self.effects
        surrogate = effects.log_hr[:, 0]
        return MixtureLine(
            intercept=float("nan"),
            slope=float("nan"),
            weight=nodes["weight"],
            node_intercept=nodes["mean2"] - slope * nodes["mean1"],
            node_variance=nodes["v22"] - 2 * slope * nodes["v12"] + slope**2 * nodes["v11"],
            node_slope=slope,
            node_sigma=nodes["tau_final"] * np.sqrt((1 - nodes["rho_between"]) * (1 + nodes["rho_between"])),
            trial_variance=unit_variance(effects),
            new_n=new_n,
            data_range=(float(np.nanmin(surrogate)), float(np.nanmax(surrogate))),
        )

    def quantiles(self, p: Sequence[float], *, fine: bool = True) -> dict[str, FloatArray]:
        """Quantiles of every quantity of the model, (len(p),) each."""
        table, share = self.table, self.share
        found: dict[str, FloatArray] = {}
        nodes, line = self.nodes(), self.line(fine=fine)
        means, variances = np.stack([nodes["mean1"], nodes["mean2"]]), np.stack([nodes["v11"], nodes["v22"]])
        found["mu_surrogate"], found["mu_final"] = mixture_quantile(p, nodes["weight"], means, np.sqrt(variances))
        for name in ("tau_surrogate", "tau_final", "rho_between"):
            found[name] = marginals.quantiles_of(marginals.parameter(table, share, name), p)
        square = marginals.folded(marginals.parameter(table, share, "rho_between"))
        found["r2_trial"] = marginals.quantiles_of(square, p) ** 2
        weight = line.weight
        found["intercept"] = mixture_quantile(p, weight, line.node_intercept[None], np.sqrt(line.node_variance)[None])[
            0
        ]
        for name, values, cdf in (
            ("slope", line.node_slope, marginals.slope(table, share, fine=fine)),
            ("sigma_cond", line.node_sigma, marginals.sigma_cond(table, share)),
        ):
            order = np.argsort(values)
            rough = np.interp([min(p) / 2, 1 - (1 - max(p)) / 2], np.cumsum(weight[order]), values[order])
            found[name] = marginals.invert(cdf, p, float(rough[0]), float(rough[1]))
        return {name: found[name] for name in QUANTITIES}

    def many_quantiles(self, name: str, p: FloatArray) -> FloatArray:
        """Many quantiles of r2_trial, rho_between or slope, (len(p),): read off the tabulated distribution function."""
        if name == "slope":
            nodes = self.nodes()
            values = nodes["rho_between"] * nodes["tau_final"] / nodes["tau_surrogate"]
            order = np.argsort(values)
            grid = np.unique(np.interp(p, np.cumsum(nodes["weight"][order]), values[order]))
            return marginals.quantiles_of((grid, marginals.slope(self.table, self.share)(grid)), p)
        tabulated = marginals.parameter(self.table, self.share, "rho_between")
        if name == "rho_between":
            return marginals.quantiles_of(tabulated, p)
        return marginals.quantiles_of(marginals.folded(tabulated), p) ** 2

    def standard_deviations(self) -> dict[str, float | None]:
        """Posterior SDs; None for slope and intercept, whose variance is infinite where tau_surrogate may be 0."""
        nodes = self.nodes()
        weight, rho = nodes["weight"], nodes["rho_between"]

        def sd(values: FloatArray, within: FloatArray | float = 0.0) -> float:
            mean = weight @ values
            return float(np.sqrt(weight @ ((values - mean) ** 2 + within)))

        return {
            "mu_surrogate": sd(nodes["mean1"], nodes["v11"]),
            "mu_final": sd(nodes["mean2"], nodes["v22"]),
            "tau_surrogate": sd(nodes["tau_surrogate"]),
            "tau_final": sd(nodes["tau_final"]),
            "rho_between": sd(rho),
            "r2_trial": sd(rho**2),
            "intercept": None,
            "slope": None,
            "sigma_cond": sd(nodes["tau_final"] * np.sqrt((1 - rho) * (1 + rho))),
        }

    def probability_slope_positive(self) -> float:
        """P(slope > 0) = P(rho_between > 0)."""
        values, cdf = marginals.parameter(self.table, self.share, "rho_between")
        return float(1 - np.interp(0.0, values, cdf, left=0, right=1))

    def cdf(self, name: str, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Posterior and prior distribution function of r2_trial or slope at ``x``."""
        if name == "slope":
            return marginals.slope(self.table, self.share)(x), self.prior_cdf(name, x)
        values, posterior = marginals.folded(marginals.parameter(self.table, self.share, "rho_between"))
        return np.interp(np.sqrt(x), values, posterior, left=0, right=1), self.prior_cdf(name, x)

    def prior_cdf(self, name: str, x: FloatArray) -> FloatArray:
        """Prior distribution function of r2_trial, slope or rho_between at ``x``."""
        priors = self.priors
        if name == "slope":
            return marginals.slope_prior(priors.tau_surrogate, priors.tau_final, priors.rho_between)(x)
        if name == "rho_between":
            return priors.rho_between.cdf(x)
        root = np.sqrt(x)
        return priors.rho_between.cdf(root) - priors.rho_between.cdf(-root)

    def prior_quantiles_r2(self, p: Sequence[float]) -> tuple[float, ...]:
        """Quantiles of the prior of r2_trial, with F that of rho_between: ``P(r2 <= x) = F(sqrt x) - F(-sqrt x)``."""
        root = np.linspace(0, 1, 4001)
        prior = self.priors.rho_between.cdf
        return tuple(map(float, np.interp(p, prior(root) - prior(-root), root) ** 2))

    def prior_overlap(self) -> float:
        """Area that prior and posterior of r2_trial have in common: 1 = the data have added nothing."""
        posterior, prior = self.cdf("r2_trial", np.linspace(0, 1, 2001) ** 2)
        return float(np.minimum(np.diff(prior), np.diff(posterior)).sum())

    def shrunken(self) -> tuple[FloatArray, FloatArray]:
        """Posterior of the true effects of every comparison.

        Returns
        -------
        mean : (k, 2) array
        covariance : (k, 2, 2) array
        """
        mean, covariance, _ = self._true_effects()
        return mean, covariance

    def _true_effects(self) -> tuple[FloatArray, FloatArray, dict[int, tuple[FloatArray, FloatArray]]]:
        """Mean and covariance of the true effects, and for every comparison theirs at each node: (n, 2), (n, 2, 2).

        Given T, with H the rows that were observed and Z = I x T: theta = X mu + Z H' V^-1 (y - H X mu) + rest, so that
        E = X m + K (y - H X m),  Cov = Z - K H Z + (X - K H X) Cov(mu) (X - K H X)',  K = Z H' V^-1.
        """
        nodes, effects = self.nodes(), self.effects
        weight = nodes["weight"]
        t12 = nodes["rho_between"] * nodes["tau_surrogate"] * nodes["tau_final"]
        t = np.stack([nodes["tau_surrogate"] ** 2, t12, t12, nodes["tau_final"] ** 2], axis=1).reshape(-1, 2, 2)
        m = np.stack([nodes["mean1"], nodes["mean2"]], axis=1)
        v = np.stack([nodes["v11"], nodes["v12"], nodes["v12"], nodes["v22"]], axis=1).reshape(-1, 2, 2)
        mean, covariance = np.empty((len(effects), 2)), np.empty((len(effects), 2, 2))
        at: dict[int, tuple[FloatArray, FloatArray]] = {}
        for members in effects.dependent_groups():
            observed = ~np.isnan(effects.log_hr[members]).ravel()
            y = effects.log_hr[members].ravel()[observed]
            own = self._sampling(members)[nodes["component"]] if self.within is not None else self._sampling(members)
            z = np.kron(np.eye(len(members)), t)
            x = np.tile(np.eye(2), (len(members), 1))
            gain = np.linalg.solve(
                z[:, observed][:, :, observed] + own[..., observed, :][..., observed], z[:, observed, :]
            )
            gain = gain.swapaxes(1, 2)
            rest = x - gain @ x[observed]
            means = m @ x.T + np.einsum("nij,nj->ni", gain, y - m @ x[observed].T)
            covariances = z - gain @ z[:, observed, :] + rest @ v @ rest.swapaxes(1, 2)
            for place, i in enumerate(members):
                pair = slice(2 * place, 2 * place + 2)
                at[int(i)] = means[:, pair], covariances[:, pair, pair]
                mean[i] = weight @ at[int(i)][0]
                away = at[int(i)][0] - mean[i]
                covariance[i] = np.einsum("n,nij->ij", weight, at[int(i)][1] + away[:, :, None] * away[:, None, :])
        return mean, covariance, at

    def _sampling(self, members: IntArray) -> FloatArray:
        """Covariance of the estimates of a group of comparisons; one a component if rho_within has a prior."""

        def of(effects: Effects) -> FloatArray:
            return np.block([[effects.covariance_between(i, j) for j in members] for i in members])

        if self.within is None:
            return of(self.effects)
        return np.stack([of(self.effects.with_rho_within(float(r))) for r in self.within[0]])

    def with_surrogate(self, log_hr: float, se: float, rho_within: float) -> Posterior:
        """The posterior with the surrogate effect of one more trial, its final effect not yet known."""
        new = Effects.from_arrays([[log_hr, np.nan]], [[se, np.nan]], rho_within, trial=["new trial"])
        return next(
            posteriors([concatenate(self.effects, replace(new, rho_known=np.array([True])))], self.priors, self.within)
        )

    def predict(
        self, log_hr: float, se: float, rho_within: float = 0.5, se_final: float | None = None, level: float = LEVEL
    ) -> Prediction:
        """Predict the final effect of a new trial from its observed surrogate effect.

        The new trial's surrogate effect joins the data, as in leave-one-out with the surrogate kept: it is shrunken like
        every other, and it moves the posterior a little.

        Parameters
        ----------
        log_hr, se : float
            Observed surrogate log hazard ratio and its standard error.
        rho_within : float
            Correlation of its two estimates.
        se_final : float, optional
            Standard error that the final log hazard ratio will have; without it only the true effect is predicted.
        level : float

        Raises
        ------
        UsageError
            If a standard error is not above 0 or the correlation lies outside [-1, 1].
        """
        level = confidence_level(level)
        if not (se > 0 and (se_final is None or se_final > 0) and abs(rho_within) <= 1 and np.isfinite(log_hr)):
            raise UsageError(
                "a prediction needs a finite log hazard ratio, standard errors above 0 and rho_within in [-1, 1]"
            )
        together = self.with_surrogate(log_hr, se, rho_within)
        _, _, at = together._true_effects()
        means, covariances = at[len(self.effects)]
        weight = together.nodes()["weight"]
        probabilities = (0.5, 0.5 - level / 2, 0.5 + level / 2)

        def predicted(mean: FloatArray, variance: FloatArray) -> tuple[Estimate, float]:
            sd = np.sqrt(np.maximum(variance, 0.0))
            median, low, high = mixture_quantile(probabilities, weight, mean[None], sd[None])[0]
            centre = weight @ mean
            spread = float(np.sqrt(weight @ ((mean - centre) ** 2 + variance)))
            below = float(mixture_cdf(np.zeros(()), weight, mean, sd))
            return Estimate(float(median), spread, float(low), float(high), level, KIND), below

        true, below = predicted(means[:, 1], covariances[:, 1, 1])
        if se_final is None:
            return Prediction(true, None, below, None)
        # errors of one trial covary: y_final = theta_final + pull (y - theta_surrogate) + rest
        pull = rho_within * se_final / se
        mean = means[:, 1] + pull * (log_hr - means[:, 0])
        variance = covariances[:, 1, 1] - 2 * pull * covariances[:, 0, 1] + pull**2 * covariances[:, 0, 0]
        observed, observed_below = predicted(mean, variance + se_final**2 * (1 - rho_within**2))
        return Prediction(true, observed, below, observed_below)

    def sample(self, n: int, seed: int = 0) -> dict[str, FloatArray]:
        """Independent draws from the posterior.

        Parameters
        ----------
        n : int
        seed : int

        Returns
        -------
        dict of (n,) arrays
            Every quantity of the model.
        """
        generator = np.random.default_rng(seed)
        draws, moments = marginals.draw(self.table, self.share, n, generator)
        m1, m2, v11, v12, v22 = moments
        normal = generator.standard_normal((2, n))
        draws["mu_surrogate"] = m1 + np.sqrt(v11) * normal[0]
        conditional = np.maximum(v22 - v12**2 / v11, 0.0)  # below 0 by cancellation where one trial is very precise
        draws["mu_final"] = m2 + v12 / np.sqrt(v11) * normal[0] + np.sqrt(conditional) * normal[1]
        draws["r2_trial"] = draws["rho_between"] ** 2
        draws["slope"] = draws["rho_between"] * draws["tau_final"] / draws["tau_surrogate"]
        draws["intercept"] = draws["mu_final"] - draws["slope"] * draws["mu_surrogate"]
        draws["sigma_cond"] = draws["tau_final"] * np.sqrt(1 - draws["r2_trial"])
        return {name: draws[name] for name in QUANTITIES}


def posteriors(
    data: Iterable[Effects], priors: Priors, within: FloatArray | None = None, nodes: tuple[int, int, int] = NODES
) -> Iterator[Posterior]:
    """Exact posteriors of many data sets, one after the other; those of the same structure are tabulated together.

    Parameters
    ----------
    data : iterable of Effects
    priors : Priors
    within : (2, w) array, optional
        Values of rho_within where it is an assumption, and their prior masses.
    nodes : tuple of int
    """
    for several in batched(data, TOGETHER):
        values = [None] if within is None else list(within[0])
        versions = [effects if r is None else effects.with_rho_within(r) for effects in several for r in values]
        arranged = [arrange(effects) for effects in versions]
        groups: dict[tuple[bytes, ...], list[int]] = {}
        for i, one in enumerate(arranged):
            groups.setdefault(one.structure, []).append(i)
        tables: dict[int, Table] = {}
        for members in groups.values():
            together = integrate(stack([arranged[i] for i in members]), priors, nodes)
            tables |= {i: together.take(slice(row, row + 1)) for row, i in enumerate(members)}
        for i, effects in enumerate(several):
            table = Table.join([tables[i * len(values) + j] for j in range(len(values))])
            evidence = table.log_evidence if within is None else table.log_evidence + np.log(within[1])
            total = float(np.logaddexp.reduce(evidence))
            yield Posterior(effects, priors, table, np.exp(evidence - total), within, total)
