"""Posterior of the true effects of the comparisons and of a new trial, given the table of the bivariate model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.predictive import Prediction, mixture_estimate

if TYPE_CHECKING:
    from surrogacy.models.exact.bivariate_posterior import BivariatePosterior

METHOD = "posterior median, equal-tailed; exact, by quadrature"


def true_effects(
    posterior: BivariatePosterior,
) -> tuple[FloatArray, FloatArray, dict[int, tuple[FloatArray, FloatArray]]]:
    """Mean and covariance of the true effects, and those of every comparison at each node.

    Given T, with H the rows that were observed and Z = I x T: theta = X mu + Z H' V^-1 (y - H X mu) + rest, so that
    E = X m + K (y - H X m),  Cov = Z - K H Z + (X - K H X) Cov(mu) (X - K H X)',  K = Z H' V^-1.

    Returns
    -------
    mean : (k, 2) array
    covariance : (k, 2, 2) array
    at_nodes : dict of int to ((n, 2) array, (n, 2, 2) array)
        Mean and covariance given each node, by the index of the comparison.
    """
    nodes, effects = posterior.nodes(), posterior.effects
    weight = nodes.weight
    t12 = nodes.rho_between * nodes.tau_surrogate * nodes.tau_final
    t = np.stack([nodes.tau_surrogate**2, t12, t12, nodes.tau_final**2], axis=1).reshape(-1, 2, 2)
    m = np.stack([nodes.mean_surrogate, nodes.mean_final], axis=1)
    v = np.stack([nodes.v11, nodes.v12, nodes.v12, nodes.v22], axis=1).reshape(-1, 2, 2)
    mean, covariance = np.empty((len(effects), 2)), np.empty((len(effects), 2, 2))
    at_nodes: dict[int, tuple[FloatArray, FloatArray]] = {}
    for members in effects.dependent_groups():
        observed = ~np.isnan(effects.log_hr[members]).ravel()
        y = effects.log_hr[members].ravel()[observed]
        if posterior.within is None:
            sampling = effects.sampling_covariance(members)
        else:  # one per component of the mixture over the within-trial correlation
            versions = [effects.with_rho_within(float(r)).sampling_covariance(members) for r in posterior.within[0]]
            sampling = np.stack(versions)[nodes.component]
        z = np.kron(np.eye(len(members)), t)
        x = np.tile(np.eye(2), (len(members), 1))
        total = z[:, observed][:, :, observed] + sampling[..., observed, :][..., observed]
        gain = np.linalg.solve(total, z[:, observed, :]).swapaxes(1, 2)
        rest = x - gain @ x[observed]
        means = m @ x.T + np.einsum("nij,nj->ni", gain, y - m @ x[observed].T)
        covariances = z - gain @ z[:, observed, :] + rest @ v @ rest.swapaxes(1, 2)
        for place, i in enumerate(members):
            pair = slice(2 * place, 2 * place + 2)
            at_nodes[int(i)] = node_mean, node_covariance = means[:, pair], covariances[:, pair, pair]
            mean[i] = weight @ node_mean
            away = node_mean - mean[i]
            covariance[i] = np.einsum("n,nij->ij", weight, node_covariance + away[:, :, None] * away[:, None, :])
    return mean, covariance, at_nodes


def predict_new_trial(
    posterior: BivariatePosterior,
    log_hr: float,
    se: float,
    rho_within: float = 0.5,
    se_final: float | None = None,
    level: float = LEVEL,
) -> Prediction:
    """Predict the final effect of a new trial from its observed surrogate effect.

    The surrogate effect of the new trial is added to the data, as in leave-one-out with the surrogate effect kept. It
    is shrunken like all others, and it moves the posterior slightly.

    Parameters
    ----------
    posterior : BivariatePosterior
    log_hr, se : float
        Observed surrogate log hazard ratio and its standard error.
    rho_within : float
        Within-trial correlation of its two estimates.
    se_final : float, optional
        Standard error expected of the final log hazard ratio; without it only the true effect is predicted.
    level : float

    Raises
    ------
    UsageError
        If a standard error is not above 0 or the correlation lies outside [-1, 1].
    """
    level = confidence_level(level)
    if not (se > 0 and (se_final is None or se_final > 0) and abs(rho_within) <= 1 and np.isfinite(log_hr)):
        raise UsageError(
            "a prediction needs a finite log hazard ratio, standard errors above 0 and a within-trial correlation in "
            f"[-1, 1]; got {log_hr:g}, {se:g}, {se_final}, {rho_within:g}"
        )
    updated = posterior.with_surrogate(log_hr, se, rho_within)
    _, _, at_nodes = true_effects(updated)
    means, covariances = at_nodes[len(posterior.effects)]
    weight = updated.nodes().weight

    def estimate(mean: FloatArray, variance: FloatArray) -> tuple[Estimate, float]:
        return mixture_estimate(weight, mean, np.sqrt(np.maximum(variance, 0.0)), variance, level, METHOD)

    true, below = estimate(means[:, 1], covariances[:, 1, 1])
    if se_final is None:
        return Prediction(true, None, below, None)
    # the errors of one trial are correlated: y_final = theta_final + pull (y - theta_surrogate) + rest
    pull = rho_within * se_final / se
    mean = means[:, 1] + pull * (log_hr - means[:, 0])
    variance = covariances[:, 1, 1] - 2 * pull * covariances[:, 0, 1] + pull**2 * covariances[:, 0, 0]
    observed, observed_below = estimate(mean, variance + se_final**2 * (1 - rho_within**2))
    return Prediction(true, observed, below, observed_below)
