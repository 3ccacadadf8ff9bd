"""Posterior of the true effects of the comparisons and of a new trial, given the table of the bivariate model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from surrogacy.stats.predictive import Prediction

if TYPE_CHECKING:
    from surrogacy.models.exact.bivariate_posterior import BivariatePosterior

METHOD = "posterior median, equal-tailed; exact, by quadrature"


def true_effects(
    posterior: BivariatePosterior,
) -> tuple[FloatArray, FloatArray, dict[int, tuple[FloatArray, FloatArray]]]:
    """Mean and covariance of the true effects, and for every comparison theirs at each node: (n, 2), (n, 2, 2).

    Given T, with H the rows that were observed and Z = I x T: theta = X mu + Z H' V^-1 (y - H X mu) + rest, so that
    E = X m + K (y - H X m),  Cov = Z - K H Z + (X - K H X) Cov(mu) (X - K H X)',  K = Z H' V^-1.
    """
    nodes, effects = posterior.nodes(), posterior.effects
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
        own = _sampling(posterior, members)
        if posterior.within is not None:
            own = own[nodes["component"]]
        z = np.kron(np.eye(len(members)), t)
        x = np.tile(np.eye(2), (len(members), 1))
        gain = np.linalg.solve(z[:, observed][:, :, observed] + own[..., observed, :][..., observed], z[:, observed, :])
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


def predict_new_trial(
    posterior: BivariatePosterior,
    log_hr: float,
    se: float,
    rho_within: float = 0.5,
    se_final: float | None = None,
    level: float = LEVEL,
) -> Prediction:
    """Predict the final effect of a new trial from its observed surrogate effect.

    The new trial's surrogate effect joins the data, as in leave-one-out with the surrogate kept: it is shrunken like
    every other, and it moves the posterior a little.

    Parameters
    ----------
    posterior : BivariatePosterior
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
    together = posterior.with_surrogate(log_hr, se, rho_within)
    _, _, at = true_effects(together)
    means, covariances = at[len(posterior.effects)]
    weight = together.nodes()["weight"]
    probabilities = (0.5, 0.5 - level / 2, 0.5 + level / 2)

    def predicted(mean: FloatArray, variance: FloatArray) -> tuple[Estimate, float]:
        sd = np.sqrt(np.maximum(variance, 0.0))
        median, low, high = mixture_quantile(probabilities, weight, mean[None], sd[None])[0]
        centre = weight @ mean
        spread = float(np.sqrt(weight @ ((mean - centre) ** 2 + variance)))
        below = float(mixture_cdf(np.zeros(()), weight, mean, sd))
        return Estimate(float(median), spread, float(low), float(high), level, METHOD), below

    true, below = predicted(means[:, 1], covariances[:, 1, 1])
    if se_final is None:
        return Prediction(true, None, below, None)
    # errors of one trial covary: y_final = theta_final + pull (y - theta_surrogate) + rest
    pull = rho_within * se_final / se
    mean = means[:, 1] + pull * (log_hr - means[:, 0])
    variance = covariances[:, 1, 1] - 2 * pull * covariances[:, 0, 1] + pull**2 * covariances[:, 0, 0]
    observed, observed_below = predicted(mean, variance + se_final**2 * (1 - rho_within**2))
    return Prediction(true, observed, below, observed_below)


def _sampling(posterior: BivariatePosterior, members: IntArray) -> FloatArray:
    """Covariance of the estimates of a group of comparisons; one a component if rho_within has a prior."""
    effects = posterior.effects
    if posterior.within is None:
        return effects.sampling_covariance(members)
    return np.stack([effects.with_rho_within(float(r)).sampling_covariance(members) for r in posterior.within[0]])
