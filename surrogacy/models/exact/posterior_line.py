"""Surrogacy line of an exact bivariate posterior, and predictions at its nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution, error_parts

if TYPE_CHECKING:
    from surrogacy.models.exact.bivariate_posterior import BivariatePosterior


@dataclass(frozen=True, eq=False)
class PosteriorLine(MixtureLine):
    """Mixture line that knows the posterior it was read from, and with it how surrogate effects are distributed.

    Parameters
    ----------
    posterior : BivariatePosterior
    """

    posterior: BivariatePosterior = field(repr=False)

    def predict_observed(self, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
        """Predict the observed final effect of a trial from its observed surrogate effect, at every node.

        The variance between the nodes is the uncertainty of the parameters.

        Parameters
        ----------
        trial : ObservedEffects
            Its final effect is not used.
        joins : bool
            True adds the surrogate effect to the data first: for a trial that was left out.
        """
        posterior = self.posterior
        if joins:
            posterior = posterior.with_surrogate(trial.log_hr, trial.se, trial.rho_within)
        nodes = posterior.nodes()
        weight, t11 = nodes["weight"], nodes["tau_surrogate"] ** 2
        slope = nodes["rho_between"] * nodes["tau_final"] / nodes["tau_surrogate"]
        total = t11 + trial.se**2
        parts = error_parts(slope, t11, trial)
        sigma2 = nodes["tau_final"] ** 2 * (1 - nodes["rho_between"]) * (1 + nodes["rho_between"])
        gain = (slope * t11 + trial.rho_within * trial.se * trial.se_final) / total
        mean = nodes["mean2"] + gain * (trial.log_hr - nodes["mean1"])
        of_mu = nodes["v22"] - 2 * gain * nodes["v12"] + gain**2 * nodes["v11"]
        sd = np.sqrt(sum(parts.values()) + sigma2 + of_mu)
        components = {name: float(weight @ np.broadcast_to(value, weight.shape)) for name, value in parts.items()}
        spread = float(weight @ (mean - weight @ mean) ** 2)
        components |= {"parameters": float(weight @ of_mu) + spread, "sigma_cond": float(weight @ sigma2)}
        return PredictiveDistribution(weight, mean, sd, None, components)
