"""Surrogacy lines of drug classes with exchangeable coefficients.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(mu_surrogate, tau_surrogate^2)
    theta_2i | theta_1i ~ N(lambda0_j + lambda1_j theta_1i, sigma_cond^2),   j the class of comparison i
    lambda0_j ~ N(b0, xi0^2)

``full`` exchangeability
    ``lambda1_j ~ N(b1, xi1^2)``: the slope of every class is shrunken towards the others. The parametrisation is
    non-centred, ``lambda1_j = b1 + xi1 z_j``.
``partial`` exchangeability
    ``lambda1_j ~ pi N(b1, xi1^2) + (1 - pi) independent``: a class may differ from the others. The indicator is summed
    out, so that the prior density is a mixture; the probability that a class is exchangeable follows from its slope. A
    vaguer independent component would increase that probability towards 1, which is why its SD is 1 and not 100.

The surrogate effects of all classes have one normal distribution, and the true effects are integrated out, as in the
product-normal form; in Papanikos et al. the surrogate effects are unrelated. ``slope`` and ``intercept`` are b1 and
b0, the means over classes. A prediction for a new trial is for a trial of a new class.

With few trials per class the posterior is hard to sample. The defaults are therefore small steps (target_accept 0.99)
and 2,500 draws per chain. ``partial`` is the harder model, as its density peaks where all classes agree and xi1 is 0;
with fewer than about forty comparisons R-hat is often slightly above its limit, and the result reports that.

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
from surrogacy.models.moderator import covariate_values
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior
from surrogacy.models.sampled.blocks import Arrays, layouts, observe, regression_line
from surrogacy.models.sampled.nuts import NewTrialLine, Sampled, random_variable
from surrogacy.results.estimate import Estimate
from surrogacy.results.requirements import MissingDataError
from surrogacy.results.result import Result

Exchangeability = Literal["full", "partial"]


@dataclass(frozen=True)
class ClassExchangeable(Sampled):
    """Class-specific lines with exchangeable coefficients and a sampled posterior.

    Parameters
    ----------
    exchangeability : {"full", "partial"}
    factor : str
        Name of the classes in `Effects.covariates`.
    sigma_by_class : bool
        Whether each class has its own sigma_cond.
    coefficients : Normal
        Prior of b0 and b1.
    spread_intercept, spread_slope : HalfNormal, HalfStudentT or Uniform
        Priors of xi0 and xi1.
    mu : Normal
        Prior of mu_surrogate.
    tau_surrogate, sigma : HalfNormal, HalfStudentT or Uniform
        Priors of the SD of the true surrogate effects and of sigma_cond.
    independent : Normal
        ``partial``: prior of a slope that is not exchangeable.
    share : float
        ``partial``: prior probability that a class is exchangeable.

    Examples
    --------
    >>> import surrogacy
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> ClassExchangeable(factor="line").classes(effects)
    ('first', 'second')
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
    no_variance = ()
    refittable: ClassVar[bool] = False
    by_comparison: ClassVar[bool] = True

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
        if not any(covariate_values(effects, self.factor)):
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
        """Effects without the comparisons of classes in which no comparison has both endpoints."""
        classes = self.classes(effects)
        return effects.take(np.array([(value or "not stated") in classes for value in effects.covariates[self.factor]]))

    def data(self, effects: Effects) -> Arrays:
        """Arrays of the model's ``pm.Data``."""
        known, classes = self._known(effects), self.classes(effects)
        index = np.array([classes.index(value or "not stated") for value in known.covariates[self.factor]])
        return super().data(known) | {"class_of": index}

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
        """Slopes of the classes under partial exchangeability; also adds the probability that each is exchangeable."""
        weights = np.array([self.share, 1 - self.share])
        centres = pt.stack([b1, pt.as_tensor(self.independent.mean)])
        spreads = pt.stack([xi1, pt.as_tensor(self.independent.sd)])
        slopes = pm.NormalMixture("slope_class", w=weights, mu=centres, sigma=spreads, dims="class")
        standardised = (slopes[:, None] - centres) / spreads
        logs = pt.log(weights) - pt.log(spreads) - 0.5 * standardised**2
        pm.Deterministic("exchangeable", pm.math.sigmoid(logs[:, 0] - logs[:, 1]), dims="class")
        return slopes

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """(chain, draw) arrays of the reported quantities and of the line of each class."""
        posterior = tree["posterior"]
        quantities = super().quantities(tree)
        by_class = {"slope": "slope_class", "intercept": "intercept_class"}
        if self.sigma_by_class:
            by_class["sigma_cond"] = "sigma_cond"
        else:
            quantities["sigma_cond"] = np.asarray(posterior["sigma_cond"])
        for name, variable in by_class.items():
            for level in map(str, np.asarray(posterior["class"])):
                quantities[f"{name}[{level}]"] = np.asarray(posterior[variable].sel({"class": level}))
        return quantities

    def new_trial(self, tree: xr.DataTree) -> NewTrialLine | None:
        """Line of a new class that is exchangeable with the others; None if a new class need not be exchangeable."""
        if self.sigma_by_class or self.exchangeability == "partial":
            return None
        drawn = {name: np.asarray(tree["posterior"][name]) for name in (*self.reported, "sigma_cond")}
        z = np.random.default_rng(self.seed).standard_normal((2, *drawn["slope"].shape))
        intercept = drawn["intercept"] + drawn["spread_intercept"] * z[0]
        return intercept, drawn["slope"] + drawn["spread_slope"] * z[1], drawn["sigma_cond"]

    def result(self, effects: Effects, tree: xr.DataTree) -> Result:
        """Result of a run, with the posterior probability that each class is exchangeable."""
        result = super().result(effects, tree)
        if self.exchangeability == "full":
            return result
        chance = tree["posterior"]["exchangeable"].mean(["chain", "draw"])
        words = f"posterior probability; prior {self.share:g}"
        by_class = {
            f"exchangeable[{level}]": Estimate(float(chance.sel({"class": level})), method=words)
            for level in map(str, np.asarray(chance["class"]))
        }
        return replace(result, estimates={**result.estimates, **by_class})
