"""Bivariate random effects with a Student-t distribution, for sets with outlying trials.

    theta_i ~ t_nu(mu, T):   theta_i | w_i ~ N2(mu, T / w_i),   w_i ~ Gamma(nu / 2, rate nu / 2)
    y_i ~ N2(theta_i, S_i)

Given ``w_i`` the true effects are integrated out: ``y_i ~ N2(mu, S_i + T / w_i)``; the weights are sampled. A weight
far below 1 indicates an outlying trial. Both endpoints of a trial have the same weight, so that the joint distribution
is a bivariate t.

T is the *scale* matrix: slope, intercept, r2_trial = rho^2 and sigma_cond are computed from it. The covariance of the
effects is ``T nu / (nu - 2)``. The line is the conditional mean of the t distribution as well; given theta_1 the
scatter about it is that of a t with nu + 1 degrees of freedom, which increases with the distance of theta_1 from the
mean.

References
----------
Lee, Thompson (2008), doi:10.1002/sim.2897.
Juárez, Steel (2010), prior of nu, doi:10.1198/jbes.2009.07145.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import xarray as xr

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.models.priors import CorrelationPrior, HalfNormal, Normal, PositivePrior, Uniform
from surrogacy.models.sampled.blocks import ENDPOINTS, covariance_line, layouts, observe
from surrogacy.models.sampled.nuts import NewTrialLine, Sampled, random_variable
from surrogacy.results.estimate import Caveat, CaveatCode
from surrogacy.results.result import Result

NU_MIN = 2.0  # below it the effects have no finite variance


@dataclass(frozen=True)
class StudentT(Sampled):
    """Bivariate Student-t random-effects model with a sampled posterior.

    Parameters
    ----------
    degrees_of_freedom : float or None
        nu; None estimates it, with a Gamma(2, rate 0.1) prior truncated below 2.
    tau_surrogate, tau_final : HalfNormal, HalfStudentT or Uniform
        Priors of the scales of the true effects.
    rho_between : Uniform or Beta
        Prior of the between-trial correlation.
    mu : Normal
        Prior of each mean.

    Examples
    --------
    >>> StudentT(degrees_of_freedom=None).record["prior_rho_between"]
    'uniform(-1, 1)'
    """

    degrees_of_freedom: float | None = 4.0
    tau_surrogate: PositivePrior = HalfNormal(0.5)
    tau_final: PositivePrior = HalfNormal(0.5)
    rho_between: CorrelationPrior = Uniform(-1.0, 1.0)
    mu: Normal = Normal(0.0, 10.0)

    name = "student-t"
    refittable: ClassVar[bool] = False
    by_comparison: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.degrees_of_freedom is not None and not self.degrees_of_freedom > NU_MIN:
            raise UsageError(f"degrees_of_freedom must be above {NU_MIN:g}; got {self.degrees_of_freedom:g}")

    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""
        with pm.Model(coords={"comparison": list(effects.comparison)}) as model:
            mean = [random_variable(f"mu_{endpoint}", self.mu) for endpoint in ENDPOINTS]
            tau1 = random_variable("tau_surrogate", self.tau_surrogate)
            tau2 = random_variable("tau_final", self.tau_final)
            scale = covariance_line(mean, tau1, tau2, random_variable("rho_between", self.rho_between))
            nu: Any = self.degrees_of_freedom
            if nu is None:
                nu = pm.Truncated("degrees_of_freedom", pm.Gamma.dist(2.0, 0.1), lower=NU_MIN)
            weight = pm.Gamma("weight", nu / 2, nu / 2, dims="comparison")
            between = {pair: value / weight for pair, value in scale.items()}
            observe(layouts(effects), mean, between, by_comparison=True)
        return model

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """(chain, draw) arrays of the reported quantities, and of nu if it is estimated."""
        quantities = super().quantities(tree)
        if self.degrees_of_freedom is None:
            quantities["degrees_of_freedom"] = np.asarray(tree["posterior"]["degrees_of_freedom"])
        return quantities

    def new_trial(self, tree: xr.DataTree) -> NewTrialLine | None:
        """Line with its scatter at the mean surrogate effect: a scale mixture for a t with nu + 1 df."""
        drawn = super().new_trial(tree)
        if drawn is None:
            return None
        intercept, slope, sigma = drawn
        nu = self.quantities(tree).get("degrees_of_freedom", np.full_like(sigma, self.degrees_of_freedom or np.nan))
        weight = np.random.default_rng(self.seed).gamma((nu + 1) / 2, 2 / nu)
        return intercept, slope, sigma / np.sqrt(weight)

    def result(self, effects: Effects, tree: xr.DataTree) -> Result:
        """Result of a run, with a caveat on the scatter about the line."""
        result = super().result(effects, tree)
        text = (
            "Student-t model: band and STE assume the scatter at the mean surrogate effect; "
            "they are too narrow far from it"
        )
        return replace(result, caveats=(*result.caveats, Caveat(CaveatCode.SCATTER_AT_MEAN, text)))
