"""Prediction intervals of bivariate REML: the true final effect of a new trial, and the effect observed in it.

The surrogate effect of the new trial is drawn from the distribution of the data sets. Given the surrogate effect the
final effect is normal, so that the probability of a final effect within the interval is exact; it is averaged over the
surrogate effects by the trapezoidal rule. Data sets without a line (an SD of the true surrogate effects of 0, or no
covariance of the parameters) have no interval.

The parametric bootstrap draws data sets from the estimates and refits them. It is applied to the first data sets of a
chunk only.

References
----------
Nagashima, Noma, Furukawa (2019), doi:10.1177/0962280218773520.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammainc, ndtr, ndtri, stdtrit

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.models.likelihood.batch import draw_many, maximise_many
from surrogacy.models.likelihood.batch_data import same_comparisons
from surrogacy.models.likelihood.expected_information import expected_covariance
from surrogacy.models.likelihood.prediction_nodes import prediction_nodes
from surrogacy.models.likelihood.residual_distribution import quadrature, residual_quantiles, residuals, statistic
from surrogacy.simulation.data_sets import SimulatedSets
from surrogacy.simulation.performance import Outcome
from surrogacy.stats.mixtures import mixture_quantile

SURROGATE = np.linspace(-4.2, 4.2, 31)  # surrogate effects of the new trial, in SDs from their mean
WEIGHT = np.exp(-(SURROGATE**2) / 2) / np.exp(-(SURROGATE**2) / 2).sum()
LEVELS = (0.95, 0.8)
BOOTSTRAPPED = 50  # data sets of a chunk to which the bootstrap is applied
RESAMPLES = 199  # so that the limits of a 95% interval are order statistics


@dataclass(frozen=True)
class NewTrial:
    """New trial whose final effect is predicted: its standard errors, and words for the document."""

    words: str
    s1: float
    s2: float


@dataclass(frozen=True, eq=False)
class Fits:
    """REML fits with a line, as arrays over the data sets.

    Parameters
    ----------
    sets : SimulatedSets
    chosen : (b,) array of int
        Data sets with a line.
    """

    sets: SimulatedSets
    chosen: IntArray

    @cached_property
    def mean(self) -> FloatArray:
        """(b, 2) means of the true effects."""
        return self.sets.maxima.mu[self.chosen]

    @cached_property
    def psi(self) -> FloatArray:
        """(b, 3) elements of T."""
        return self.sets.maxima.psi[self.chosen]

    @cached_property
    def slope(self) -> FloatArray:
        """(b, 1) slopes."""
        return self.psi[:, 1:2] / self.psi[:, :1]

    @cached_property
    def covariance(self) -> FloatArray:
        """(b, 1, 5, 5) covariance of the parameters at the estimate."""
        covariance = np.zeros((len(self.chosen), 1, 5, 5))
        covariance[:, 0, :2, :2] = self.sets.maxima.mu_cov[self.chosen]
        covariance[:, 0, 2:, 2:] = self.sets.maxima.psi_cov[self.chosen]
        return covariance

    @cached_property
    def variance(self) -> FloatArray:
        """(b, 1) estimated residual variance."""
        return np.maximum(self.psi[:, 2:] - self.slope * self.psi[:, 1:2], 0.0)

    @cached_property
    def scaling(self) -> FloatArray:
        """(b, 1) Jackson-Riley factor: residual quadratic form over 2 k - 2."""
        t11, t12, t22 = self.psi.T[:, :, None]
        r, se = self.sets.log_hr[self.chosen] - self.mean[:, None], self.sets.se[self.chosen]
        v11, v22 = t11 + se[..., 0] ** 2, t22 + se[..., 1] ** 2
        v12 = t12 + self.sets.scenario.rho_assumed * se.prod(axis=-1)
        quadratic = v22 * r[..., 0] ** 2 - 2 * v12 * r[..., 0] * r[..., 1] + v11 * r[..., 1] ** 2
        total = np.sum(quadratic / (v11 * v22 - v12**2), axis=1, keepdims=True)
        return np.asarray(total / (2 * self.sets.scenario.k - 2))

    @cached_property
    def nodes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Quantiles (b, n) of the residual variance: conditional on a positive one, and with a probability of 0.

        The third array contains the covariances of the parameters at both, (b, 2, n, 5, 5).
        """
        probability, _ = quadrature()
        conditional, censored, covariance = [], [], []
        for i, psi, mean in zip(self.chosen.tolist(), self.psi, self.mean, strict=True):
            effects = self.sets.effects(i)
            data, slope = same_comparisons(effects, effects.log_hr[None], "reml").likelihood, psi[1] / psi[0]
            residual = residuals(effects, slope)
            nodes = prediction_nodes(data, psi, mean, residual)
            above = gammainc(residual.degrees_of_freedom / 2, statistic(residual, np.zeros(1))[0] / 2)
            inner = residual_quantiles(residual, np.minimum(probability / above, 1.0))
            zero_allowed = np.where(probability < above, inner, 0.0)
            at = np.column_stack([0 * inner + psi[0], 0 * inner + psi[1], slope * psi[1] + zero_allowed])
            conditional.append(nodes.residual_variance)
            censored.append(zero_allowed)
            covariance.append(np.stack([nodes.covariance, expected_covariance(data, at)]))
        return np.array(conditional), np.array(censored), np.array(covariance)


@dataclass(frozen=True, eq=False)
class Moments:
    """Prediction at every surrogate effect ``x`` of the new trial.

    Parameters
    ----------
    fits : Fits
    trial : NewTrial
    x : (points,) array
        Observed surrogate effects of the new trial, with the weights ``WEIGHT``.
    """

    fits: Fits
    trial: NewTrial
    x: FloatArray

    @cached_property
    def both(self) -> float:
        """Covariance of the sampling errors that the model assumes."""
        return self.fits.sets.scenario.rho_assumed * self.trial.s1 * self.trial.s2

    @cached_property
    def pull(self) -> FloatArray:
        """(b, 1) slope of the predicted mean on the observed surrogate effect."""
        return (self.fits.psi[:, 1:2] + self.both) / (self.fits.psi[:, :1] + self.trial.s1**2)

    @cached_property
    def mean(self) -> FloatArray:
        """(b, points) predicted means."""
        return self.fits.mean[:, 1:] + self.pull * (self.x - self.fits.mean[:, :1])

    @cached_property
    def errors(self) -> FloatArray:
        """(b, 1, 1) variance that is due to the sampling errors of the new trial."""
        psi = self.fits.psi
        total = psi[:, :1] + self.trial.s1**2
        t22 = self.fits.slope * psi[:, 1:2]
        return (t22 + self.trial.s2**2 - self.pull**2 * total)[..., None]

    def parameters(self, covariance: FloatArray) -> FloatArray:
        """(b, points, n) variance of the mean by the delta method, from (b, n, 5, 5) covariances."""
        d = (self.x - self.fits.mean[:, :1]) / (self.fits.psi[:, :1] + self.trial.s1**2)
        pull = np.broadcast_to(self.pull, d.shape)
        gradient = np.stack([-pull, np.ones_like(d), -pull * d, d, 0 * d], axis=-1)
        return np.asarray(np.einsum("bxi,bnij,bxj->bxn", gradient, covariance, gradient, optimize=True))

    def outcome(self, procedure: str, level: float, half: FloatArray) -> Outcome:
        """Coverage and mean width of intervals with half-widths (b, points)."""
        return self.outcome_of_limits(procedure, level, self.mean - half, self.mean + half)

    def outcome_of_limits(self, procedure: str, level: float, low: FloatArray, high: FloatArray) -> Outcome:
        """Coverage and mean width of intervals whose limits are (b, points) arrays."""
        scenario, s1, s2 = self.fits.sets.scenario, self.trial.s1, self.trial.s2
        (t11, t12), (_, t22) = scenario.between
        total, both = t11 + s1**2, t12 + scenario.rho_within * s1 * s2
        centre = scenario.mean[1] + both / total * (self.x - scenario.mean[0])
        sd = np.sqrt(t22 + s2**2 - both**2 / total)
        covered = (ndtr((high - centre) / sd) - ndtr((low - centre) / sd)) @ WEIGHT
        rows = self.fits.chosen[: len(covered)]
        examined = len(self.fits.sets) if len(covered) == len(self.fits.chosen) else int(rows[-1]) + 1
        coverage, width = np.full((2, examined), np.nan)
        coverage[rows], width[rows] = covered, (high - low) @ WEIGHT
        return Outcome(procedure, f"{self.trial.words}, {level:.0%}", coverage, width, np.full(examined, np.nan))


def outcomes(sets: SimulatedSets) -> Iterator[Outcome]:
    """Compare the plug-in interval with intervals that account for the uncertainty of the residual SD."""
    maxima, scenario = sets.maxima, sets.scenario
    defined = maxima.converged & (maxima.psi[:, 0] > 0) & np.isfinite(maxima.psi_cov).all(axis=(1, 2))
    fits = Fits(sets, np.flatnonzero(defined))
    s1, s2 = np.sqrt(np.array(scenario.unit_variance) / scenario.patients)
    trials = NewTrial("true effect", 0.0, 0.0), NewTrial("observed effect, trial of median size", float(s1), float(s2))
    for trial in trials:
        spread = np.sqrt(scenario.tau[0] ** 2 + trial.s1**2)
        moments = Moments(fits, trial, scenario.mean[0] + spread * SURROGATE)
        for level in LEVELS:
            yield from _closed_forms(moments, level)
    yield from _bootstrap(Moments(fits, trials[0], scenario.mean[0] + scenario.tau[0] * SURROGATE))


def _closed_forms(moments: Moments, level: float) -> Iterator[Outcome]:
    fits, k = moments.fits, moments.fits.sets.scenario.k
    p = 0.5 + level / 2
    scatter = (moments.errors + fits.variance[..., None])[..., 0]
    parameters = moments.parameters(fits.covariance)[..., 0]
    t = stdtrit(k - 2, p)
    yield moments.outcome("plug-in", level, ndtri(p) * np.sqrt(scatter + parameters))
    yield moments.outcome("plug-in, t(k - 2)", level, t * np.sqrt(scatter + parameters))
    scaled = np.maximum(fits.scaling, 1.0) * parameters
    yield moments.outcome("Jackson-Riley scaling, t(2k - 2)", level, stdtrit(2 * k - 2, p) * np.sqrt(scatter + scaled))
    yield moments.outcome("Jackson-Riley scaling, t(k - 2)", level, t * np.sqrt(scatter + scaled))
    conditional, censored, covariance = fits.nodes
    _, weight = quadrature()
    for name, variance, of_parameters in (
        ("confidence distribution, residual variance 0 allowed", censored, covariance[:, 1]),
        ("confidence distribution, residual variance above 0", conditional, covariance[:, 0]),
    ):
        total = moments.errors + variance[:, None] + moments.parameters(of_parameters)
        sd = np.sqrt(total).reshape(-1, len(weight))
        half = mixture_quantile((p,), weight, np.zeros_like(sd), sd)[:, 0]
        yield moments.outcome(name, level, half.reshape(total.shape[:2]))
    mean = (moments.errors[..., 0] + (censored @ weight)[:, None]) + parameters
    yield moments.outcome("t(k - 2), mean of the confidence distribution", level, t * np.sqrt(mean))


def _bootstrap(moments: Moments) -> Iterator[Outcome]:
    """Percentiles of the prediction error, and of the prediction error over its SD, of the true effect."""
    fits, generator = moments.fits, moments.fits.sets.generator(2)
    limits: dict[str, list[FloatArray]] = {"percentiles": [], "studentised": []}
    chosen, drawn = fits.chosen[:BOOTSTRAPPED], []
    for row, i in enumerate(chosen.tolist()):
        between = fits.psi[row][[[0, 1], [1, 2]]]
        drawn.append(draw_many(fits.sets.effects(i), fits.mean[row], between, RESAMPLES, generator))
    se, rho = (np.repeat(values[chosen], RESAMPLES, axis=0) for values in (fits.sets.se, fits.sets.rho_assumed))
    maxima = maximise_many(fits.sets.template, np.concatenate(drawn), se=se, rho_within=rho)
    for row in range(len(chosen)):
        part = slice(row * RESAMPLES, (row + 1) * RESAMPLES)
        psi, mu = maxima.psi[part], maxima.mu[part]
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = psi[:, 1:2] / psi[:, :1]
            d = (moments.x - mu[:, :1]) / psi[:, :1]
            line = mu[:, 1:] + slope * (moments.x - mu[:, :1])
        scatter = np.sqrt(fits.variance[row]) * generator.standard_normal((RESAMPLES, 1))
        error = moments.mean[row] + scatter - line
        means, elements = maxima.mu_cov[part], maxima.psi_cov[part]
        variance = means[:, 1, 1, None] - 2 * slope * means[:, 0, 1, None] + slope**2 * means[:, 0, 0, None]
        curve = elements[:, 1, 1, None] - 2 * slope * elements[:, 0, 1, None] + slope**2 * elements[:, 0, 0, None]
        sd = np.sqrt(np.maximum(psi[:, 2:] - slope * psi[:, 1:2], 0.0) + variance + curve * d**2)
        own = np.sqrt(fits.variance[row] + moments.parameters(fits.covariance[row : row + 1])[row, :, 0])
        defined = np.isfinite(sd).all(axis=1)
        for name, root, unit in (("percentiles", error, 1.0), ("studentised", error / sd, own)):
            limits[name].append(moments.mean[row] + unit * np.quantile(root[defined], [0.025, 0.975], axis=0))
    for name, values in limits.items():
        low, high = np.array(values).swapaxes(0, 1)
        yield moments.outcome_of_limits(f"parametric bootstrap, {name}", 0.95, low, high)
