"""Daniels and Hughes: independent surrogate effects, a line from each to the final effect.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(0, v) independently,
    theta_2i | theta_1i ~ N(intercept + slope theta_1i, sigma_cond^2)

``v`` is large (10^2 by default), so a surrogate effect borrows nothing from the other trials: there is no
distribution of surrogate effects, hence no rho_between and no r2_trial. ``slope != 0`` is association,
``sigma_cond = 0`` a perfect surrogate, ``intercept = 0`` that no effect on the one implies none on the other.

The surrogate effects are integrated out:

    y_i ~ N2((0, intercept), S_i + [[v, slope v], [., slope^2 v + sigma_cond^2]]).

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pymc as pm

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.models.priors import Normal, PositivePrior, Uniform
from surrogacy.models.sampled.blocks import data_of, layouts, observe, regression_line
from surrogacy.models.sampled.nuts import Sampled, random_variable


@dataclass(frozen=True)
class SampledDanielsHughes(Sampled):
    """Daniels-Hughes model, its posterior sampled.

    Parameters
    ----------
    intercept, slope : Normal
    sigma : HalfNormal, HalfStudentT or Uniform
        Prior of sigma_cond; uniform on (0, 2) as in the technical support documents of NICE.
    fixed_effect_sd : float
        SD of the prior of each surrogate effect.
    """

    intercept: Normal = Normal(0.0, 10.0)
    slope: Normal = Normal(0.0, 10.0)
    sigma: PositivePrior = Uniform(0.0, 2.0)
    fixed_effect_sd: float = 10.0

    reported: ClassVar[tuple[str, ...]] = ("intercept", "slope", "sigma_cond")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.fixed_effect_sd <= 1e4:  # beyond 1e4 its square swallows the standard errors
            raise UsageError(f"fixed_effect_sd must lie between 1 and 10000; got {self.fixed_effect_sd:g}")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "daniels-hughes-nuts"

    @property
    def no_variance(self) -> tuple[str, ...]:
        """None: the slope has a prior of its own."""
        return ()

    def data(self, effects: Effects) -> dict[str, Any]:
        """Arrays of the model's ``pm.Data``."""
        return data_of(layouts(effects))

    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""
        with pm.Model() as model:
            intercept = random_variable("intercept", self.intercept)
            slope = random_variable("slope", self.slope)
            sigma = random_variable("sigma_cond", self.sigma)
            observe(layouts(effects), (0.0, intercept), regression_line(slope, sigma, self.fixed_effect_sd))
        return model
