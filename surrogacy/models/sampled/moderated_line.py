"""A surrogacy line that depends on a covariate of the comparisons.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(mu_surrogate + mu_difference x_i, tau_surrogate^2)
    theta_2i | theta_1i
        ~ N(intercept + slope theta_1i + x_i (intercept_difference + slope_difference theta_1i), sigma_cond^2)

A covariate of two levels is 0 for the first in alphabetical order and 1 for the other; a numeric one is centred at
its mean. ``slope`` and ``intercept`` belong to x = 0. With product-normal surrogate effects the true effects are
integrated out. A difference between trials is no comparison within them: other things differ with the covariate too.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Thompson, Higgins (2002), meta-regression and its pitfalls, doi:10.1002/sim.1187.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import xarray as xr

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import Caveat, CaveatCode, FitError, UsageError
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior
from surrogacy.models.sampled.blocks import data_of, layouts, observe, regression_line
from surrogacy.models.sampled.nuts import Sampled, random_variable
from surrogacy.results.requirements import MissingDataError
from surrogacy.results.result import Result


@dataclass(frozen=True)
class SampledModeratedLine(Sampled):
    """Surrogacy line with a covariate, its posterior sampled.

    Parameters
    ----------
    covariate : str
        Column of `Effects.covariates`: two levels, or numbers.
    mu, mu_difference : Normal
        Priors of the mean surrogate effect and of its change with the covariate.
    coefficients : Normal
        Prior of intercept and slope.
    differences : Normal
        Prior of their changes with the covariate, per unit of a numeric one.
    tau_surrogate, sigma : HalfNormal, HalfStudentT or Uniform
    """

    covariate: str = "stage"
    mu: Normal = Normal(0.0, 10.0)
    mu_difference: Normal = Normal(0.0, 10.0)
    coefficients: Normal = Normal(0.0, 10.0)
    differences: Normal = Normal(0.0, 10.0)
    tau_surrogate: PositivePrior = HalfNormal(0.5)
    sigma: PositivePrior = HalfNormal(0.5)

    reported: ClassVar[tuple[str, ...]] = (
        "mu_surrogate",
        "mu_difference",
        "tau_surrogate",
        "intercept",
        "slope",
        "intercept_difference",
        "slope_difference",
        "sigma_cond",
    )
    # the centre of a numeric covariate, or a level, may change with the trials
    refittable: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "moderated"

    def check(self, effects: Effects) -> None:
        """Refuse a covariate that is missing or constant."""
        super().check(effects)
        self.coded(effects)

    def fit(self, effects: Effects) -> Result:
        """Sample and summarise; comparisons outside the two commonest levels, or without the covariate, are left out.

        Raises
        ------
        FitError
            If the covariate does not vary, or too few comparisons are left.
        UsageError
            If the effects do not have it.
        """
        return super().fit(self.comparable(effects))

    def comparable(self, effects: Effects) -> Effects:
        """Those comparisons that the covariate orders or divides in two; what is left out becomes a caveat."""
        values = [value.strip() for value in self._values(effects)]
        if not any(values):
            raise MissingDataError(f"no comparison states its {self.covariate}", f"add a column {self.covariate}")
        levels = Counter(filter(None, values))
        two = set(levels) if all(map(_is_number, levels)) else {level for level, _ in levels.most_common(2)}
        kept = np.array([value in two for value in values])
        if kept.all():
            return effects
        out = Counter(value or "not stated" for value, keep in zip(values, kept, strict=True) if not keep)
        words = ", ".join(f"{count} {level}" for level, count in sorted(out.items()))
        caveat = Caveat(CaveatCode.LEFT_OUT, f"left out by {self.covariate}: {words}")
        return replace(effects.take(kept), caveats=(*effects.caveats, caveat))

    def _values(self, effects: Effects) -> tuple[str, ...]:
        if self.covariate not in effects.covariates:
            raise UsageError(
                f"the effects have no column {self.covariate!r}; they have {', '.join(effects.covariates) or 'none'}"
            )
        return effects.covariates[self.covariate]

    def coded(self, effects: Effects) -> tuple[FloatArray, dict[str, float]]:
        """Covariate as numbers, and what its levels became.

        Returns
        -------
        values : (k,) array
        levels : dict of str to float
            Empty for a numeric covariate.

        Raises
        ------
        FitError
            If it has one level, or more than two that are no numbers.
        UsageError
            If the effects do not have it.
        """
        values = self._values(effects)
        levels = sorted(set(values))
        if len(levels) < 2:
            raise FitError(f"{self.covariate} is {levels[0]!r} in every comparison; a moderator needs two levels")
        if len(levels) == 2:
            code = {level: float(number) for number, level in enumerate(levels)}
            return np.array([code[value] for value in values]), code
        if not all(map(_is_number, levels)):
            raise FitError(
                f"{self.covariate} has {len(levels)} levels ({', '.join(levels)}); it must divide them in two"
            )
        numbers = np.array([float(value) for value in values])
        return numbers - numbers.mean(), {}

    @property
    def no_variance(self) -> tuple[str, ...]:
        """None: the slope has a prior of its own."""
        return ()

    def data(self, effects: Effects) -> dict[str, Any]:
        """Arrays of the model's ``pm.Data``."""
        return data_of(layouts(effects), by_comparison=True) | {"x": self.coded(effects)[0]}

    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""
        values, levels = self.coded(effects)
        with pm.Model(coords={"level": list(levels)} if levels else None) as model:
            x = pm.Data("x", values)
            centre = random_variable("mu_surrogate", self.mu) + x * random_variable("mu_difference", self.mu_difference)
            tau, sigma = random_variable("tau_surrogate", self.tau_surrogate), random_variable("sigma_cond", self.sigma)
            intercept = random_variable("intercept", self.coefficients)
            slope = random_variable("slope", self.coefficients)
            at_x = intercept + x * random_variable("intercept_difference", self.differences)
            difference = random_variable("slope_difference", self.differences)
            slope_at_x = slope + x * difference
            if levels:
                pm.Deterministic("slope_level", slope + np.array(list(levels.values())) * difference, dims="level")
            observe(
                layouts(effects),
                (centre, at_x + slope_at_x * centre),
                regression_line(slope_at_x, sigma, tau),
                by_comparison=True,
            )
        return model

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """Also the slope at each level."""
        found = super().quantities(tree)
        posterior = tree["posterior"]
        if "slope_level" in posterior:
            for level in map(str, np.asarray(posterior["level"])):
                found[f"slope[{level}]"] = np.asarray(posterior["slope_level"].sel(level=level))
        return found

    def new_trial(self, tree: xr.DataTree) -> tuple[FloatArray, FloatArray, FloatArray] | None:
        """None: there is a line for every value of the covariate."""
        return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
