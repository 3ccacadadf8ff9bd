"""Surrogacy line of an exact bivariate posterior, and predictions at its nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution, error_parts

if TYPE_CHECKING:
    from surrogacy.models.exact.bivariate_posterior import BivariatePosterior


@dataclass(frozen=True, eq=False)
class PosteriorLine(MixtureLine):
    """Mixture line with its posterior, which also contains the distribution of the true surrogate effects.

    Parameters
    ----------
    posterior : BivariatePosterior
    """

    posterior: BivariatePosterior = field(repr=False)

    def predict_observed(self, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
        """Predict the observed final effect of a trial from its observed surrogate effect.

        The prediction is a mixture of normals over the nodes; the variance between nodes is the uncertainty of the
        parameters.

        Parameters
        ----------
        trial : ObservedEffects
            Its final effect is not used.
        joins : bool
            If True, the surrogate effect is first added to the data, as for a trial that was left out.
        """
        posterior = self.posterior
        if joins:
            posterior = posterior.with_surrogate(trial.log_hr, trial.se, trial.rho_within)
        nodes = posterior.nodes()
        t11, slope = nodes.tau_surrogate**2, nodes.slope
        total = t11 + trial.se**2
        sigma2 = nodes.tau_final**2 * (1 - nodes.rho_between) * (1 + nodes.rho_between)
        gain = (slope * t11 + trial.rho_within * trial.se * trial.se_final) / total
        mean = nodes.mean_final + gain * (trial.log_hr - nodes.mean_surrogate)
        mu_variance = nodes.v22 - 2 * gain * nodes.v12 + gain**2 * nodes.v11
        errors = error_parts(slope, t11, trial)
        return PredictiveDistribution.of_nodes(nodes.weight, mean, errors, sigma2, mu_variance)
