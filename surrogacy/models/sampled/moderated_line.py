"""Surrogacy line that depends on a covariate of the comparisons.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(mu_surrogate + mu_difference x_i, tau_surrogate^2)
    theta_2i | theta_1i
        ~ N(intercept + slope theta_1i + x_i (intercept_difference + slope_difference theta_1i), sigma_cond^2)

A covariate with two levels is 0 for the first in alphabetical order and 1 for the second; a numeric one is centred at
its mean. ``slope`` and ``intercept`` are those at x = 0. The true effects are integrated out. A difference between
trials is not a comparison within them: trials that differ in the covariate differ in other respects too.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Thompson, Higgins (2002), meta-regression and its pitfalls, doi:10.1002/sim.1187.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pymc as pm
import xarray as xr

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import Caveat, CaveatCode, FitError
from surrogacy.models.moderator import covariate_values
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior
from surrogacy.models.sampled.blocks import Arrays, layouts, observe, regression_line
from surrogacy.models.sampled.nuts import NewTrialLine, Sampled, random_variable
from surrogacy.results.requirements import MissingDataError
from surrogacy.results.result import Result


@dataclass(frozen=True)
class SampledModeratedLine(Sampled):
    """Surrogacy line with a covariate and a sampled posterior.

    Parameters
    ----------
    covariate : str
        Name in `Effects.covariates`, with two levels or numbers.
    mu, mu_difference : Normal
        Priors of the mean surrogate effect and of its change with the covariate.
    coefficients : Normal
        Prior of intercept and slope.
    differences : Normal
        Prior of the changes of intercept and slope with the covariate, per unit of a numeric one.
    tau_surrogate, sigma : HalfNormal, HalfStudentT or Uniform
        Priors of the SD of the true surrogate effects and of the residual SD.

    Examples
    --------
    >>> import surrogacy
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> SampledModeratedLine(covariate="line").coded(effects)[1]
    {'first': 0.0, 'second': 1.0}
    """

    covariate: str = "stage"
    mu: Normal = Normal(0.0, 10.0)
    mu_difference: Normal = Normal(0.0, 10.0)
    coefficients: Normal = Normal(0.0, 10.0)
    differences: Normal = Normal(0.0, 10.0)
    tau_surrogate: PositivePrior = HalfNormal(0.5)
    sigma: PositivePrior = HalfNormal(0.5)

    name = "moderated"
    no_variance = ()
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
    # the mean of a numeric covariate and the levels of the others depend on the trials
    refittable: ClassVar[bool] = False
    by_comparison: ClassVar[bool] = True

    def check(self, effects: Effects) -> None:
        """Refuse a covariate that is missing or constant."""
        super().check(effects)
        self.coded(effects)

    def fit(self, effects: Effects) -> Result:
        """Sample and summarise.

        Comparisons without the covariate, or outside its two most frequent levels, are left out.

        Raises
        ------
        FitError
            If the covariate does not vary, or too few comparisons are left.
        UsageError
            If the effects do not have the covariate.
        """
        return super().fit(self.comparable(effects))

    def comparable(self, effects: Effects) -> Effects:
        """Comparisons with a number or one of the two most frequent levels; a caveat counts the others."""
        values = [value.strip() for value in covariate_values(effects, self.covariate)]
        if not any(values):
            raise MissingDataError(f"no comparison states its {self.covariate}", f"add a column {self.covariate}")
        levels = Counter(filter(None, values))
        two = set(levels) if all(map(_is_number, levels)) else {level for level, _ in levels.most_common(2)}
        kept = np.array([value in two for value in values])
        if kept.all():
            return effects
        out = Counter(value or "not stated" for value, keep in zip(values, kept, strict=True) if not keep)
        words = ", ".join(f"{count} {level}" for level, count in sorted(out.items()))
        caveat = Caveat(CaveatCode.LEFT_OUT, f"left out because of their {self.covariate}: {words}")
        return replace(effects.take(kept), caveats=(*effects.caveats, caveat))

    def coded(self, effects: Effects) -> tuple[FloatArray, dict[str, float]]:
        """Covariate as numbers, and the numbers of its levels.

        Returns
        -------
        values : (k,) array
        levels : dict of str to float
            Empty for a numeric covariate.

        Raises
        ------
        FitError
            If it has one level, or more than two that are not numbers.
        UsageError
            If the effects do not have the covariate.
        """
        values = covariate_values(effects, self.covariate)
        levels = sorted(set(values))
        if len(levels) < 2:
            raise FitError(f"{self.covariate} is {levels[0]!r} in every comparison; a moderator must vary")
        if len(levels) == 2:
            code = {level: float(number) for number, level in enumerate(levels)}
            return np.array([code[value] for value in values]), code
        if not all(map(_is_number, levels)):
            raise FitError(
                f"{self.covariate} has {len(levels)} levels ({', '.join(levels)}); a moderator needs two, or numbers"
            )
        numbers = np.array([float(value) for value in values])
        return numbers - numbers.mean(), {}

    def data(self, effects: Effects) -> Arrays:
        """Arrays of the model's ``pm.Data``."""
        return super().data(effects) | {"x": self.coded(effects)[0]}

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
            means, between = (centre, at_x + slope_at_x * centre), regression_line(slope_at_x, sigma, tau)
            observe(layouts(effects), means, between, by_comparison=True)
        return model

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """(chain, draw) arrays of the reported quantities and of the slope at each level."""
        quantities, posterior = super().quantities(tree), tree["posterior"]
        if "slope_level" in posterior:
            for level in map(str, np.asarray(posterior["level"])):
                quantities[f"slope[{level}]"] = np.asarray(posterior["slope_level"].sel(level=level))
        return quantities

    def new_trial(self, tree: xr.DataTree) -> NewTrialLine | None:
        """Return None, because there is a line for every value of the covariate."""
        return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
