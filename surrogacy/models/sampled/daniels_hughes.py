"""Model of Daniels and Hughes: independent surrogate effects, and final effects that depend on them linearly.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(0, v) independently,
    theta_2i | theta_1i ~ N(intercept + slope theta_1i, sigma_cond^2)

``v`` is large (10^2 by default), so that surrogate effects are not shrunken towards those of the other trials. Without
a distribution of the surrogate effects, rho_between and r2_trial are not defined. ``slope != 0`` means association,
``sigma_cond = 0`` a perfect surrogate, and ``intercept = 0`` that no surrogate effect implies no final effect.

Without such a distribution, a comparison that reports no surrogate effect contains no information on the line: as ``v``
grows, its final effect would draw the slope to 0. Comparisons with one endpoint are therefore left out.

The surrogate effects are integrated out:

    y_i ~ N2((0, intercept), S_i + [[v, slope v], [., slope^2 v + sigma_cond^2]]).

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pymc as pm

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.models.priors import Normal, PositivePrior, Uniform
from surrogacy.models.sampled.blocks import layouts, observe, regression_line
from surrogacy.models.sampled.nuts import Sampled, random_variable
from surrogacy.results.requirements import Requirement


@dataclass(frozen=True)
class SampledDanielsHughes(Sampled):
    """Daniels-Hughes model with a sampled posterior.

    Parameters
    ----------
    intercept, slope : Normal
        Priors of the line.
    sigma : HalfNormal, HalfStudentT or Uniform
        Prior of sigma_cond; uniform on (0, 2) as in the technical support documents of NICE.
    fixed_effect_sd : float
        SD of the prior of each surrogate effect.

    Examples
    --------
    >>> SampledDanielsHughes(draws=500).record["prior_sigma"]
    'uniform(0, 2)'
    """

    intercept: Normal = Normal(0.0, 10.0)
    slope: Normal = Normal(0.0, 10.0)
    sigma: PositivePrior = Uniform(0.0, 2.0)
    fixed_effect_sd: float = 10.0

    name = "daniels-hughes-nuts"
    requires: ClassVar[frozenset[Requirement]] = frozenset({Requirement.BOTH_EFFECTS, Requirement.STANDARD_ERRORS})
    no_variance = ()
    reported: ClassVar[tuple[str, ...]] = ("intercept", "slope", "sigma_cond")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.fixed_effect_sd <= 1e4:  # above 1e4 the standard errors are lost to rounding
            raise UsageError(f"fixed_effect_sd must lie between 1 and 10000; got {self.fixed_effect_sd:g}")

    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""
        with pm.Model() as model:
            intercept = random_variable("intercept", self.intercept)
            slope = random_variable("slope", self.slope)
            sigma = random_variable("sigma_cond", self.sigma)
            observe(layouts(effects), (0.0, intercept), regression_line(slope, sigma, self.fixed_effect_sd))
        return model
