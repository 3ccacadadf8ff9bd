"""Prediction of the OBSERVED final effect of a trial, from a fitted line and the observed surrogate effect.

For a bivariate model, with ``k = T11 / (T11 + s1^2)`` the shrinkage of the observed surrogate effect y1,

    E[y2 | y1]   = mu2 + slope k (y1 - mu1) + r s1 s2 / (T11 + s1^2) (y1 - mu1)
    Var(y2 | y1) = slope^2 k s1^2                                          error of the surrogate
                 + sigma_cond^2                                            scatter about the line
                 + s2^2                                                    sampling
                 - (2 slope k r s1 s2 + r^2 s1^2 s2^2 / (T11 + s1^2))      errors of one trial covary
                 + parameters                                              mu, T

(the algebra of ``T22 + s2^2 - (T12 + r s1 s2)^2 / (T11 + s1^2)``). A posterior takes it at every node, so that the
parameters need no approximation. A weighted regression does not separate these parts: its residual variance s^2 / w0
for a trial of weight w0 contains all but the last, with the sampling errors that trials of the set have at this
weight. That is the ordinary prediction interval, and right for a trial like those of the set (`predict_final`). For a
new trial with a standard error s1 of its own (`predict_by_regression`)

    Var = max(s^2 / w0 - v, 0)  +  s2^2 + b^2 s1^2 - 2 b r s1 s2  +  (1, y1) Cov (1, y1)'
    v   = mean of w_i (s2_i^2 + b^2 s1_i^2 - 2 b r_i s1_i s2_i) / w0

v is the part of the residual variance that sampling errors typical of the set account for at this weight; it is
replaced by the part that the new trial has. Adding ``b^2 s1^2 - 2 b r s1 s2`` to the residual variance without taking
v away would count these errors twice, and for r > 0 make the interval too narrow: with 16 trials, b = 0.47 and r =
0.5 a nominal 95 % interval then holds 90 % of new trials, this one 95 % (97 % where s1 is three times as large as
usual, against 90 % without s1). The mean is not shrunken towards that of the set, as a bivariate model would.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Burzykowski, Buyse (2006), doi:10.1002/pst.207.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.models.exact.bivariate_posterior import Posterior
from surrogacy.models.regression import weight_per_patient
from surrogacy.models.weights import weights_of
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import Result
from surrogacy.stats.lines import Line, MixtureLine
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile

COMPONENTS = ("surrogate_error", "parameters", "sigma_cond", "sampling", "covariance", "residual")


@dataclass(frozen=True, eq=False)
class ObservedEffects:
    """Effects of one comparison.

    Parameters
    ----------
    log_hr, se : float
        Of the surrogate.
    log_hr_final, se_final : float
    rho_within : float
    n : float
        Patients; NaN where not stated.
    """

    log_hr: float
    se: float
    log_hr_final: float
    se_final: float
    rho_within: float
    n: float


@dataclass(frozen=True, eq=False)
class PredictiveDistribution:
    """Predictive distribution of an observed final log hazard ratio: a normal, a t, or a mixture of normals.

    Parameters
    ----------
    weight, mean, sd : (n,) arrays
        One node for a normal or t.
    degrees_of_freedom : float or None
        Of the t.
    components : mapping of str to float
        Parts of the variance, those that the model knows; they sum to it.
    """

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray
    degrees_of_freedom: float | None
    components: Mapping[str, float]

    @property
    def variance(self) -> float:
        """Sum of the components."""
        return float(sum(self.components.values()))

    def quantile(self, p: float) -> float:
        """Quantile of the observed final log hazard ratio."""
        if self.degrees_of_freedom is not None:
            return float(self.mean[0] + stdtrit(self.degrees_of_freedom, p) * self.sd[0])
        if len(self.weight) == 1:
            return float(self.mean[0] + ndtri(p) * self.sd[0])
        return float(mixture_quantile((p,), self.weight, self.mean[None], self.sd[None])[0, 0])

    def probability_below(self, log_hr: float) -> float:
        """Probability that the observed final log hazard ratio lies below a value."""
        if self.degrees_of_freedom is not None:
            return float(stdtr(self.degrees_of_freedom, (log_hr - self.mean[0]) / self.sd[0]))
        if len(self.weight) == 1:
            return float(ndtr((log_hr - self.mean[0]) / self.sd[0]))
        return float(mixture_cdf(np.array(log_hr), self.weight, self.mean, self.sd))

    def interval(self, level: float) -> tuple[float, float]:
        """Equal-tailed prediction interval."""
        level = confidence_level(level)
        return self.quantile(0.5 - level / 2), self.quantile(0.5 + level / 2)


def predict_final(result: Result, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
    """Predict the observed final effect of a trial from its observed surrogate effect.

    Parameters
    ----------
    result : Result
        Of a model with a line.
    trial : ObservedEffects
        Its final effect is not used.
    joins : bool
        Whether the surrogate effect joins the data of an exact posterior first: for a trial that was left out.

    Raises
    ------
    UsageError
        If the model has no line, or none that can be predicted from.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> result = WeightedRegression().fit(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> trial = ObservedEffects(np.log(0.6), 0.15, np.nan, 0.15, rho_within=0.5, n=400)
    >>> low, high = np.exp(predict_final(result, trial).interval(0.95))
    >>> f"{low:.2f} to {high:.2f}"
    '0.63 to 1.11'
    """
    if isinstance(result.draws, Posterior):
        posterior = result.draws
        return _by_posterior(
            posterior.with_surrogate(trial.log_hr, trial.se, trial.rho_within) if joins else posterior, trial
        )
    if isinstance(result.line, Line) and "tau_surrogate" in result.estimates:
        return _by_covariance(result, result.line, trial)
    if isinstance(result.line, Line):
        return _by_regression(result.line, trial)
    if isinstance(result.line, MixtureLine):
        return _by_line(result.line, trial)
    raise UsageError(f"{result.model} has no line to predict from")


def predict_by_regression(result: Result, trial: ObservedEffects) -> PredictiveDistribution:
    """Predict the final effect that a new trial will observe by a weighted regression, with the trial's errors.

    See the formula of the module; t quantiles, as for the residual variance alone. The prediction is never more certain
    than the trial's own errors allow, however close the trials of the set lie to the line.

    Parameters
    ----------
    result : Result
        Of a weighted regression.
    trial : ObservedEffects
        ``n`` NaN: of the size that the line takes by default. ``se_final`` NaN: that of a trial of this weight in the
        set.

    Raises
    ------
    UsageError
        If the size is infinite: the regression predicts no true effect.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> result = WeightedRegression().fit(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> trial = ObservedEffects(np.log(0.6), 0.15, np.nan, 0.15, rho_within=0.5, n=400)
    >>> low, high = np.exp(predict_by_regression(result, trial).interval(0.95))
    >>> f"{low:.2f} to {high:.2f}"
    '0.61 to 1.16'
    """
    line = result.line
    assert isinstance(line, Line)
    ordinary = _by_regression(line, trial)
    effects, b = result.effects, line.slope
    weights, _ = weights_of(effects, result.settings["weights"])
    known = np.isfinite(effects.se).all(axis=1)
    if not known.any():  # nothing is known of the errors of the set: all of the new trial's surrogate error is added
        components = {**ordinary.components, "surrogate_error": b**2 * trial.se**2}
        return replace(ordinary, sd=np.array([np.sqrt(sum(components.values()))]), components=components)
    size = line.new_n if np.isnan(trial.n) else trial.n
    weight = float(weights.mean())
    if size is not None and line.exponent > 0:
        weight = weight_per_patient(effects, weights, line.exponent) * size**line.exponent
    s1, s2, w = effects.se[known, 0], effects.se[known, 1], weights[known] / weight
    typical = float(np.mean(w * (s2**2 + b**2 * s1**2 - 2 * b * effects.rho_within[known] * s1 * s2)))
    se_final = float(np.sqrt(np.mean(w * s2**2))) if np.isnan(trial.se_final) else trial.se_final
    components = {
        "parameters": ordinary.components["parameters"],
        "residual": max(ordinary.components["residual"] - typical, 0.0),
        "surrogate_error": b**2 * trial.se**2,
        "sampling": se_final**2,
        "covariance": -2 * b * trial.rho_within * trial.se * se_final,
    }
    return replace(ordinary, sd=np.array([np.sqrt(sum(components.values()))]), components=components)


def _by_regression(line: Line, trial: ObservedEffects) -> PredictiveDistribution:
    """Residual variance of a trial of this size, and that of the line; t."""
    x = np.array([1.0, trial.log_hr])
    residual = line.added_variance(None if np.isnan(trial.n) else trial.n)
    components = {"parameters": float(x @ line.covariance @ x), "residual": residual}
    sd = np.sqrt(sum(components.values()))
    return PredictiveDistribution(
        np.ones(1),
        np.array([line.intercept + line.slope * trial.log_hr]),
        np.array([sd]),
        line.degrees_of_freedom,
        components,
    )


def _by_covariance(result: Result, line: Line, trial: ObservedEffects) -> PredictiveDistribution:
    """Plug-in normal; the parameters by the covariance of the line at the shrunken surrogate effect."""
    mu1, t11 = float(result["mu_surrogate"].value), float(result["tau_surrogate"].value) ** 2
    away, total = trial.log_hr - mu1, t11 + trial.se**2
    shrunken = mu1 + t11 / total * away
    parts = _parts(np.array(line.slope), np.array(t11), trial)
    x = np.array([1.0, shrunken])
    components = {
        **{name: float(value) for name, value in parts.items()},
        "parameters": float(x @ line.covariance @ x),
        "sigma_cond": line.sigma**2,
    }
    pull = trial.rho_within * trial.se * trial.se_final / total
    mean = line.intercept + line.slope * shrunken + pull * away
    return PredictiveDistribution(
        np.ones(1), np.array([mean]), np.array([np.sqrt(sum(components.values()))]), None, components
    )


def _by_posterior(posterior: Posterior, trial: ObservedEffects) -> PredictiveDistribution:
    """The formulas at every node; what the nodes differ by is the uncertainty of the parameters."""
    nodes = posterior.nodes()
    weight, t11 = nodes["weight"], nodes["tau_surrogate"] ** 2
    slope = nodes["rho_between"] * nodes["tau_final"] / nodes["tau_surrogate"]
    total = t11 + trial.se**2
    parts = _parts(slope, t11, trial)
    sigma2 = nodes["tau_final"] ** 2 * (1 - nodes["rho_between"]) * (1 + nodes["rho_between"])
    gain = (slope * t11 + trial.rho_within * trial.se * trial.se_final) / total
    mean = nodes["mean2"] + gain * (trial.log_hr - nodes["mean1"])
    of_mu = nodes["v22"] - 2 * gain * nodes["v12"] + gain**2 * nodes["v11"]
    sd = np.sqrt(sum(parts.values()) + sigma2 + of_mu)
    components = {name: float(weight @ np.broadcast_to(value, weight.shape)) for name, value in parts.items()}
    spread = float(weight @ (mean - weight @ mean) ** 2)
    components |= {"parameters": float(weight @ of_mu) + spread, "sigma_cond": float(weight @ sigma2)}
    return PredictiveDistribution(weight, mean, sd, None, components)


def _by_line(line: MixtureLine, trial: ObservedEffects) -> PredictiveDistribution:
    """Nodes of a line without the distribution of surrogate effects (Daniels-Hughes): nothing is shrunken, k = 1."""
    slope, weight = line.node_slope, line.weight
    parts = _parts(slope, np.array(np.inf), trial)
    sd = np.sqrt(sum(parts.values()) + line.node_sigma**2 + line.node_variance)
    mean = line.node_intercept + slope * trial.log_hr
    components = {name: float(weight @ np.broadcast_to(value, weight.shape)) for name, value in parts.items()}
    spread = float(weight @ (mean - weight @ mean) ** 2)
    components |= {
        "parameters": float(weight @ line.node_variance) + spread,
        "sigma_cond": float(weight @ line.node_sigma**2),
    }
    return PredictiveDistribution(weight, mean, sd, None, components)


def _parts(slope: FloatArray, t11: FloatArray, trial: ObservedEffects) -> dict[str, FloatArray]:
    """Parts of the variance that come of the errors of the trial itself."""
    s1, s2, r = trial.se, trial.se_final, trial.rho_within
    share = 1.0 / (1.0 + s1**2 / np.maximum(t11, 1e-300))
    own = np.where(np.isinf(t11), 0.0, r**2 * s1**2 * s2**2 / (t11 + s1**2))
    return {
        "surrogate_error": slope**2 * share * s1**2,
        "sampling": np.asarray(s2**2),
        "covariance": -(2 * slope * share * r * s1 * s2 + own),
    }
