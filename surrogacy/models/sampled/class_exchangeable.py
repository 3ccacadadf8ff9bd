"""Lines of drug classes that borrow strength from each other.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(mu_surrogate, tau_surrogate^2)
    theta_2i | theta_1i ~ N(lambda0_j + lambda1_j theta_1i, sigma_cond^2),   j the class of comparison i
    lambda0_j ~ N(b0, xi0^2)

``full`` exchangeability
    ``lambda1_j ~ N(b1, xi1^2)``: every class is drawn towards the others. Non-centred, ``lambda1_j = b1 + xi1 z_j``.
``partial`` exchangeability
    ``lambda1_j ~ pi N(b1, xi1^2) + (1 - pi) independent``: a class may stand apart. The indicator is summed out, so
    the prior density is a mixture; the probability that a class is exchangeable follows from its slope. The vaguer
    the independent component, the more that probability is pulled to 1, hence its SD of 1 and not of 100.

The surrogate effects of all classes share one normal distribution, and the true effects are integrated out, as in the
product-normal form; Papanikos et al. leave the surrogate effects unrelated. ``slope`` and ``intercept`` are b1 and
b0, the means over classes; a prediction for a new trial is for one of a new class.

Few trials a class leave a posterior that is hard to sample: small steps (target_accept 0.99) and 2,500 draws a chain
are the default. ``partial`` stays the harder of the two, as its density peaks where all classes agree and xi1 is 0;
with fewer than some forty comparisons R-hat often ends slightly above its limit, which the result then says.

References
----------
Papanikos, Thompson, Abrams, Städler, Ciani, Taylor, Bujkiewicz (2020), doi:10.1002/sim.8465.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior
from surrogacy.models.sampled.blocks import data_of, layouts, observe, regression_line
from surrogacy.models.sampled.nuts import Sampled, random_variable
from surrogacy.results.estimate import Estimate
from surrogacy.results.requirements import MissingDataError
from surrogacy.results.result import Result

Exchangeability = Literal["full", "partial"]


@dataclass(frozen=True)
class ClassExchangeable(Sampled):
    """Class-specific lines with exchangeable coefficients, their posterior sampled.

    Parameters
    ----------
    exchangeability : {"full", "partial"}
    factor : str
        Column of `Effects.covariates` that holds the classes.
    sigma_by_class : bool
        One sigma_cond a class instead of a common one.
    coefficients : Normal
        Prior of b0 and b1.
    spread_intercept, spread_slope : HalfNormal, HalfStudentT or Uniform
        Priors of xi0 and xi1.
    mu : Normal
        Prior of mu_surrogate.
    tau_surrogate, sigma : HalfNormal, HalfStudentT or Uniform
    independent : Normal
        ``partial``: prior of a slope that stands apart.
    share : float
        ``partial``: prior probability that a class is exchangeable.
    """

    exchangeability: Exchangeability = "full"
    factor: str = "class"
    sigma_by_class: bool = False
    coefficients: Normal = Normal(0.0, 10.0)
    spread_intercept: PositivePrior = HalfNormal(0.25)
    spread_slope: PositivePrior = HalfNormal(0.5)
    mu: Normal = Normal(0.0, 10.0)
    tau_surrogate: PositivePrior = HalfNormal(0.5)
    sigma: PositivePrior = HalfNormal(0.5)
    independent: Normal = Normal(0.0, 1.0)
    share: float = 0.5
    draws: int = field(default=2500, kw_only=True)
    tune: int = field(default=2000, kw_only=True)
    target_accept: float = field(default=0.99, kw_only=True)

    reported: ClassVar[tuple[str, ...]] = (
        "mu_surrogate",
        "tau_surrogate",
        "intercept",
        "slope",
        "spread_intercept",
        "spread_slope",
    )
    refittable: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exchangeability not in get_args(Exchangeability):
            raise UsageError(f"exchangeability must be 'full' or 'partial'; got {self.exchangeability!r}")
        if not 0 < self.share < 1:
            raise UsageError(f"share must lie between 0 and 1; got {self.share:g}")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "class-exchangeable" if self.exchangeability == "full" else "class-partial"

    def check(self, effects: Effects) -> None:
        """Refuse effects without two classes."""
        super().check(effects)
        if self.factor not in effects.covariates:
            raise UsageError(
                f"the effects have no column {self.factor!r}; they have {', '.join(effects.covariates) or 'none'}"
            )
        if not any(effects.covariates[self.factor]):
            raise MissingDataError(f"no comparison states its {self.factor}", f"add a column {self.factor}")
        classes = self.classes(effects)
        if len(classes) < 2:
            only = f"only {classes[0]!r}" if classes else "none"
            raise FitError(
                f"{effects.name or 'these effects'}: two classes are needed; with both endpoints there is {only}"
            )

    def classes(self, effects: Effects) -> tuple[str, ...]:
        """Classes with a comparison that has both endpoints, in order of appearance."""
        values = (
            value for value, complete in zip(effects.covariates[self.factor], effects.complete, strict=True) if complete
        )
        return tuple(dict.fromkeys(value or "not stated" for value in values))

    def _known(self, effects: Effects) -> Effects:
        """Effects less the comparisons whose class has no pair."""
        classes = self.classes(effects)
        return effects.take(np.array([(value or "not stated") in classes for value in effects.covariates[self.factor]]))

    @property
    def no_variance(self) -> tuple[str, ...]:
        """None: the slope has a prior of its own."""
        return ()

    def data(self, effects: Effects) -> dict[str, Any]:
        """Arrays of the model's ``pm.Data``."""
        known, classes = self._known(effects), self.classes(effects)
        index = np.array([classes.index(value or "not stated") for value in known.covariates[self.factor]])
        return data_of(layouts(known), by_comparison=True) | {"class_of": index}

    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""
        with pm.Model(coords={"class": list(self.classes(effects))}) as model:
            index = pm.Data("class_of", self.data(effects)["class_of"])
            mu = random_variable("mu_surrogate", self.mu)
            tau = random_variable("tau_surrogate", self.tau_surrogate)
            sigma = random_variable("sigma_cond", self.sigma, dims="class" if self.sigma_by_class else None)
            b0, b1 = random_variable("intercept", self.coefficients), random_variable("slope", self.coefficients)
            xi0 = random_variable("spread_intercept", self.spread_intercept)
            xi1 = random_variable("spread_slope", self.spread_slope)
            intercepts = pm.Deterministic(
                "intercept_class", b0 + xi0 * pm.Normal("z_intercept", dims="class"), dims="class"
            )
            if self.exchangeability == "full":
                slopes = pm.Deterministic("slope_class", b1 + xi1 * pm.Normal("z_slope", dims="class"), dims="class")
            else:
                slopes = self._mixture(b1, xi1)
            slope = slopes[index]
            between = regression_line(slope, sigma[index] if self.sigma_by_class else sigma, tau)
            observe(layouts(self._known(effects)), (mu, intercepts[index] + slope * mu), between, by_comparison=True)
        return model

    def _mixture(self, b1: Any, xi1: Any) -> Any:
        """Slopes of the classes, each exchangeable with probability ``share``, and how likely that was."""
        weights = np.array([self.share, 1 - self.share])
        centres = pt.stack([b1, pt.as_tensor(self.independent.mean)])
        spreads = pt.stack([xi1, pt.as_tensor(self.independent.sd)])
        slopes = pm.NormalMixture("slope_class", w=weights, mu=centres, sigma=spreads, dims="class")
        standardised = (slopes[:, None] - centres) / spreads
        logs = pt.log(weights) - pt.log(spreads) - 0.5 * standardised**2
        pm.Deterministic("exchangeable", pm.math.sigmoid(logs[:, 0] - logs[:, 1]), dims="class")
        return slopes

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """Also the line of each class."""
        posterior = tree["posterior"]
        found = super().quantities(tree)
        by_class = ["slope_class", "intercept_class"]
        if self.sigma_by_class:
            by_class.append("sigma_cond")
        else:
            found["sigma_cond"] = np.asarray(posterior["sigma_cond"])
        for variable in by_class:
            for level in map(str, np.asarray(posterior["class"])):
                found[f"{variable.removesuffix('_class')}[{level}]"] = np.asarray(
                    posterior[variable].sel({"class": level})
                )
        return found

    def new_trial(self, tree: xr.DataTree) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """Line of a new class, exchangeable with those seen; none if it need not be, for it may then be anything."""
        if self.sigma_by_class or self.exchangeability == "partial":
            return None
        drawn = {name: np.asarray(tree["posterior"][name]) for name in (*self.reported, "sigma_cond")}
        z = np.random.default_rng(self.seed).standard_normal((2, *drawn["slope"].shape))
        intercept = drawn["intercept"] + drawn["spread_intercept"] * z[0]
        return intercept, drawn["slope"] + drawn["spread_slope"] * z[1], drawn["sigma_cond"]

    def result(self, effects: Effects, tree: xr.DataTree) -> Result:
        """Add the posterior probability that each class is exchangeable."""
        result = super().result(effects, tree)
        if self.exchangeability == "full":
            return result
        chance = tree["posterior"]["exchangeable"].mean(["chain", "draw"])
        words = f"posterior probability; prior {self.share:g}"
        more = {
            f"exchangeable[{level}]": Estimate(float(chance.sel({"class": level})), method=words)
            for level in map(str, np.asarray(chance["class"]))
        }
        return replace(result, estimates={**result.estimates, **more})
