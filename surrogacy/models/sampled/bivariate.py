"""Bivariate random-effects model sampled by NUTS, and the factorised likelihood of all sampled models.

    y_i ~ N(mean_i, V_i),   V_i = S_i + T_i

for one block of estimates with correlated errors: usually the two log hazard ratios of one comparison, more if
comparisons share a control arm, one if an endpoint is missing. The true effects are integrated out. With the
Cholesky factor V = L L' the density is a product of univariate ones,

    y_1 ~ N(mean_1, L_11^2),   y_a | y_<a ~ N(mean_a + sum_{b<a} L_ab z_b, L_aa^2),
    z_b = (y_b - E[y_b | y_<b]) / L_bb,

for a pair p(surrogate) p(final | surrogate). This compiles and samples ten times as fast as a batch of multivariate
normals. Here

    mean = (mu_surrogate, mu_final),   T = [[tau1^2, rho tau1 tau2], [., tau2^2]],
    slope = rho tau2 / tau1,   intercept = mu2 - slope mu1,   sigma_cond = tau2 sqrt(1 - rho^2),   r2_trial = rho^2.

References
----------
van Houwelingen, Arends, Stijnen (2002), doi:10.1002/sim.1040.
Bujkiewicz, Thompson, Riley, Abrams (2016), doi:10.1002/sim.6776.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.models.bivariate import rho_within_record
from surrogacy.models.priors import Beta, CorrelationPrior, HalfNormal, Normal, PositivePrior, Uniform
from surrogacy.models.sampled.blocks import ENDPOINTS, Arrays, Layout, covariance_line, layouts, observe
from surrogacy.models.sampled.nuts import Sampled, random_variable
from surrogacy.results.result import Result


@dataclass(frozen=True)
class SampledBivariate(Sampled):
    """Bivariate random-effects model with a sampled posterior.

    Parameters
    ----------
    tau_surrogate, tau_final : HalfNormal, HalfStudentT or Uniform
        Priors of the SDs of the true effects.
    rho_between : Uniform or Beta
        Prior of the between-trial correlation.
    mu : Normal
        Prior of each mean.
    rho_within : Uniform or Beta, optional
        Prior of the common within-trial correlation of the comparisons that do not report theirs; default: the value
        assumed in the effects is taken as known.

    Examples
    --------
    >>> SampledBivariate(draws=500).record["prior_mu"]
    'normal(0, 10)'
    """

    tau_surrogate: PositivePrior = HalfNormal(0.5)
    tau_final: PositivePrior = HalfNormal(0.5)
    rho_between: CorrelationPrior = Uniform(-1.0, 1.0)
    mu: Normal = Normal(0.0, 10.0)
    rho_within: Uniform | Beta | None = None

    name = "bivariate-nuts"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.rho_within, Uniform | Beta | None):
            raise UsageError(
                f"the prior of the within-trial correlation, {self.rho_within}, cannot be sampled; use BivariateBayes"
            )

    def data(self, effects: Effects) -> Arrays:
        """Arrays of the model's ``pm.Data``."""
        if self.rho_within is None:
            return super().data(effects)
        return super().data(effects.with_rho_within(0.0)) | self._sensitivity(effects)

    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""
        with pm.Model() as model:
            mean = [random_variable(f"mu_{endpoint}", self.mu) for endpoint in ENDPOINTS]
            tau1 = random_variable("tau_surrogate", self.tau_surrogate)
            tau2 = random_variable("tau_final", self.tau_final)
            rho = random_variable("rho_between", self.rho_between)
            between = covariance_line(mean, tau1, tau2, rho)
            if self.rho_within is None:
                observe(layouts(effects), mean, between)
            else:
                self._observe_within(effects, mean, between)
        return model

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """(chain, draw) arrays of the reported quantities, and of rho_within if it has a prior."""
        quantities = super().quantities(tree)
        if self.rho_within is not None:
            quantities["rho_within"] = np.asarray(tree["posterior"]["rho_within"])
        return quantities

    def result(self, effects: Effects, tree: xr.DataTree) -> Result:
        """Result of a run, with the within-trial correlation for the record."""
        result = super().result(effects, tree)
        recorded = rho_within_record(effects, with_prior=self.rho_within is not None)
        return replace(result, settings={**result.settings, **recorded})

    def _observe_within(self, effects: Effects, mean: Sequence[Any], between: Mapping[tuple[int, int], Any]) -> None:
        """Add the likelihood with an unknown rho_within, in which S is linear."""
        common = random_variable("rho_within", self.rho_within or Uniform(0.0, 1.0))
        change = {name: pm.Data(name, value) for name, value in self._sensitivity(effects).items()}

        def sampling(block: Layout, within: Any) -> Any:
            return within + common * change[f"per_rho{block.suffix}"]

        observe(layouts(effects.with_rho_within(0.0)), mean, between, sampling=sampling)

    def _sensitivity(self, effects: Effects) -> Arrays:
        """Derivative of S by rho_within for each block, by the name of its ``pm.Data``."""
        pairs = zip(layouts(effects.with_rho_within(0.0)), layouts(effects.with_rho_within(0.5)), strict=True)
        return {f"per_rho{zero.suffix}": (half.sampling - zero.sampling) / 0.5 for zero, half in pairs}
