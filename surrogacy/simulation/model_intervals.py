"""Every interval of every default model, for the parameters of the true effects.

The weighted correlation estimates the correlation of the *estimated* effects, and the bivariate models that of the
*true* effects; each is compared with its own target. Slope and intercept are compared with those of the true effects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.bivariate import BivariateRandomEffects
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.correlation import WeightedPearson
from surrogacy.models.meta_regression import MetaRegression
from surrogacy.models.regression import WeightedRegression
from surrogacy.results.estimate import Estimate
from surrogacy.results.result import Result
from surrogacy.simulation.data_sets import SimulatedSets
from surrogacy.simulation.performance import Outcome, interval_outcome
from surrogacy.simulation.scenarios import Scenario


class Model(Protocol):
    """Model that is fitted to one data set."""

    def fit(self, effects: Effects) -> Result:
        """Fit the model."""
        ...


@dataclass(frozen=True)
class Procedure:
    """Model with one of its interval methods.

    Parameters
    ----------
    name : str
        Words for the tables.
    model : Model
    targets : mapping of str to str
        Target of each estimate, by the name of the estimate.
    """

    name: str
    model: Model
    targets: Mapping[str, str]


MEANS = {"mu_surrogate": "mean of the surrogate effects", "mu_final": "mean of the final effects"}
LINE = {"intercept": "intercept of the true effects", "slope": "slope of the true effects"}
RESIDUAL = {"sigma_cond": "residual SD of the true final effects"}
BETWEEN = {
    "tau_surrogate": "SD of the true surrogate effects",
    "tau_final": "SD of the true final effects",
    "rho_between": "correlation of the true effects",
    "r2_trial": "R² of the true effects",
}
BIVARIATE = MEANS | BETWEEN | LINE | RESIDUAL
OBSERVED = {"r": "correlation of the estimated effects", "r2_trial": "R² of the estimated effects"}
PROCEDURES = (
    Procedure(
        "weighted Pearson, Fisher with the number of trials", WeightedPearson(bootstrap=0, fisher="trials"), OBSERVED
    ),
    Procedure("weighted Pearson, Fisher with the default number", WeightedPearson(bootstrap=0), OBSERVED),
    Procedure("weighted regression, t", WeightedRegression(), LINE),
    Procedure("meta-regression, z", MetaRegression(interval="z"), LINE | RESIDUAL),
    Procedure("meta-regression, Knapp-Hartung", MetaRegression(interval="knapp-hartung"), LINE | RESIDUAL),
    Procedure("meta-regression, ad hoc", MetaRegression(interval="ad-hoc"), LINE | RESIDUAL),
    Procedure("bivariate REML, profile likelihood", BivariateRandomEffects(), BIVARIATE),
    Procedure("bivariate REML, delta method", BivariateRandomEffects(interval="delta"), BIVARIATE),
    Procedure("exact posterior", BivariateBayes(check_grid=False), BIVARIATE),
)


def outcomes(sets: SimulatedSets) -> Iterator[Outcome]:
    """Fit every model to every data set, and compare its intervals with the true values."""
    truth = true_values(sets.scenario)
    data = [sets.effects(i) for i in range(len(sets))]
    for procedure in PROCEDURES:
        results = [_fitted(procedure.model, effects) for effects in data]
        for name, target in procedure.targets.items():
            value, low, high = _columns(_estimate(result, name) for result in results)
            yield interval_outcome(procedure.name, target, (low, high), truth[target], value)


def true_values(scenario: Scenario) -> dict[str, float]:
    """Return the true value of each target.

    Examples
    --------
    >>> round(true_values(Scenario("models", "typical", 16))["slope of the true effects"], 2)
    0.48
    """
    observed = scenario.correlation_of_estimates
    return {
        MEANS["mu_surrogate"]: scenario.mean[0],
        MEANS["mu_final"]: scenario.mean[1],
        BETWEEN["tau_surrogate"]: scenario.tau[0],
        BETWEEN["tau_final"]: scenario.tau[1],
        BETWEEN["rho_between"]: scenario.rho,
        BETWEEN["r2_trial"]: scenario.rho**2,
        LINE["intercept"]: scenario.intercept,
        LINE["slope"]: scenario.slope,
        RESIDUAL["sigma_cond"]: scenario.sigma,
        OBSERVED["r"]: observed,
        OBSERVED["r2_trial"]: observed**2,
    }


def _fitted(model: Model, effects: Effects) -> Result | None:
    """Return the fit; None if the model cannot be fitted, which counts as a data set without an interval."""
    try:
        return model.fit(effects)
    except FitError:
        return None


def _estimate(result: Result | None, name: str) -> Estimate:
    return Estimate(None) if result is None else result.estimate(name)


def _columns(estimates: Iterable[Estimate]) -> FloatArray:
    """Values and limits, (3, b): NaN where there is none, infinite limits where an interval is unbounded."""
    rows = [
        (estimate.value, -np.inf, np.inf) if estimate.unbounded else (estimate.value, estimate.low, estimate.high)
        for estimate in estimates
    ]
    return np.array(rows, dtype=np.float64).T
