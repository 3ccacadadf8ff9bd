"""Product-normal form of the bivariate random-effects model.

    theta_1i ~ N(eta1, psi1^2),   theta_2i | theta_1i ~ N(lambda0 + lambda1 theta_1i, psi2^2),   y_i ~ N2(theta_i, S_i)

    slope = lambda1,  intercept = lambda0,  sigma_cond = psi2,  tau_surrogate = psi1,
    r2_trial = lambda1^2 psi1^2 / (lambda1^2 psi1^2 + psi2^2)

The likelihood is that of the bivariate model. The two differ in the parameters that have priors:

``separation``
    Priors of tau_surrogate, tau_final and rho_between (half-normal with SD 10, uniform on (-1, 1)) and of the means,
    N(0, 1000): ``psi1 = tau1, lambda1 = rho tau2 / tau1, psi2^2 = tau2^2 (1 - rho^2)``, as in TSD 20.
``regression``
    Priors of psi1, psi2 (uniform on (0, 2)), lambda0 and lambda1 (N(0, 1 / 0.11)).

The choice matters with few trials. For the sixteen trials of Llovet 2019 the first gives r2_trial 0.77 (0.27, 0.98)
and slope 0.44 (0.22, 0.66), the second 0.85 (0.37, 1.00) and 0.47 (0.27, 0.68). The scales of the priors change neither
(validation/jags_product_normal.R). A uniform prior of rho_between shifts r2_trial down, one of psi2 allows it to reach
1.

References
----------
Bujkiewicz, Achana, Papanikos, Riley, Abrams (2019), NICE DSU Technical Support Document 20.
Bujkiewicz, Thompson, Spata, Abrams (2017), doi:10.1177/0962280215597260.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import pymc as pm
import pytensor.tensor as pt

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.models.priors import CorrelationPrior, HalfNormal, Normal, PositivePrior, Uniform
from surrogacy.models.sampled.blocks import covariance_line, layouts, observe, regression_line
from surrogacy.models.sampled.nuts import Sampled, random_variable

PriorsOn = Literal["separation", "regression"]


@dataclass(frozen=True)
class ProductNormal(Sampled):
    """Product-normal model with a sampled posterior.

    Parameters
    ----------
    priors_on : {"separation", "regression"}
        Parameters that have the priors; see the description of the module.
    tau : HalfNormal, HalfStudentT or Uniform
        ``separation``: prior of tau_surrogate and of tau_final.
    rho_between : Uniform or Beta
        ``separation``: prior of the between-trial correlation.
    psi : HalfNormal, HalfStudentT or Uniform
        ``regression``: prior of psi1 and of psi2.
    coefficients : Normal
        ``regression``: prior of lambda0 and of lambda1; a variance of 1 / 0.11.
    eta : Normal
        Prior of the mean surrogate effect, and with ``separation`` of the mean final effect.

    Examples
    --------
    >>> ProductNormal(priors_on="regression").no_variance
    ()
    """

    priors_on: PriorsOn = "separation"
    tau: PositivePrior = HalfNormal(10.0)
    rho_between: CorrelationPrior = Uniform(-1.0, 1.0)
    psi: PositivePrior = Uniform(0.0, 2.0)
    coefficients: Normal = Normal(0.0, 0.11**-0.5)
    eta: Normal = Normal(0.0, 1000.0**0.5)

    name = "product-normal"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.priors_on not in get_args(PriorsOn):
            raise UsageError(f"priors_on must be one of {', '.join(get_args(PriorsOn))}; got {self.priors_on!r}")

    @property
    def no_variance(self) -> tuple[str, ...]:
        """Quantities without a finite posterior variance; empty if the slope itself has a prior."""
        return super().no_variance if self.priors_on == "separation" else ()

    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""
        with pm.Model() as model:
            eta1 = random_variable("mu_surrogate", self.eta)
            if self.priors_on == "separation":
                eta2 = random_variable("mu_final", self.eta)
                tau1, tau2 = random_variable("tau_surrogate", self.tau), random_variable("tau_final", self.tau)
                between = covariance_line((eta1, eta2), tau1, tau2, random_variable("rho_between", self.rho_between))
            else:
                slope = random_variable("slope", self.coefficients)
                eta2 = pm.Deterministic("mu_final", random_variable("intercept", self.coefficients) + slope * eta1)
                psi1, psi2 = random_variable("tau_surrogate", self.psi), random_variable("sigma_cond", self.psi)
                between = regression_line(slope, psi2, psi1)
                tau2 = pm.Deterministic("tau_final", pt.sqrt(between[1, 1]))
                rho = pm.Deterministic("rho_between", slope * psi1 / tau2)
                pm.Deterministic("r2_trial", rho**2)
            observe(layouts(effects), (eta1, eta2), between)
        return model
