"""Every interval of every model, for the parameters of the true effects and for the true effect of a new trial.

The weighted correlation estimates the correlation of the *estimated* effects, and the bivariate models that of the
*true* effects; each is compared with its own target. Slope and intercept are compared with those of the true effects.
Prediction intervals are those for the true final effect of a new trial whose true surrogate effect is known. Given the
surrogate effect the final effect is normal, so that the coverage in a data set is exact; it is averaged over the
distribution of the surrogate effects by Gauss-Hermite quadrature. A weighted regression does not predict a true effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import ndtr

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.bivariate import BivariateRandomEffects
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.correlation import WeightedPearson
from surrogacy.models.daniels_hughes import DanielsHughes
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


@runtime_checkable
class BatchModel(Protocol):
    """Model that fits many data sets together."""

    def fit_many(self, data: Sequence[Effects]) -> list[Result]:
        """Fit the model to every data set."""
        ...


@dataclass(frozen=True)
class IntervalMethod:
    """Intervals of a fitted model by one method.

    Parameters
    ----------
    name : str
        Words for the tables.
    targets : mapping of str to str
        Target of each estimate, by the name of the estimate.
    suffix : str
        Ending of the names of the estimates, if a result has intervals by several methods. An estimate that does not
        exist under this name has one method only.
    """

    name: str
    targets: Mapping[str, str]
    suffix: str = ""


@dataclass(frozen=True)
class ComparedModel:
    """Model, fitted once to each data set, and its interval methods.

    Parameters
    ----------
    model : Model
    methods : tuple of IntervalMethod
    prediction : str
        Words for its prediction interval of a true effect; empty if it has none.
    """

    model: Model
    methods: tuple[IntervalMethod, ...]
    prediction: str = ""


BOOTSTRAP = 500  # samples of trials per data set; a default fit takes 5,000
NODES = 9  # surrogate effects of the new trial; the coverage in a data set is accurate to 0.0002
MEANS = {"mu_surrogate": "mean of the surrogate effects", "mu_final": "mean of the final effects"}
LINE = {"intercept": "intercept of the true effects", "slope": "slope of the true effects"}
RESIDUAL = {"sigma_cond": "residual SD of the true final effects"}
SPREAD = {"tau_surrogate": "SD of the true surrogate effects", "tau_final": "SD of the true final effects"}
ASSOCIATION = {"rho_between": "correlation of the true effects", "r2_trial": "R² of the true effects"}
OBSERVED = {"r": "correlation of the estimated effects", "r2_trial": "R² of the estimated effects"}
RANKS = {"spearman": "rank correlation of the estimated effects"}
NEW_TRIAL = "true final effect of a new trial, surrogate effect known"


def _likelihood(method: str, model: BivariateRandomEffects) -> ComparedModel:
    """Bivariate model by ML or REML: profile intervals, and those by the delta method of the same fit."""
    methods = (
        IntervalMethod(f"bivariate {method}, Wald", MEANS),
        IntervalMethod(f"bivariate {method}, profile likelihood", ASSOCIATION | LINE | RESIDUAL),
        IntervalMethod(f"bivariate {method}, delta method", SPREAD | ASSOCIATION | LINE | RESIDUAL, "_delta"),
    )
    return ComparedModel(model, methods, f"bivariate {method}, confidence distribution")


def _meta_regression(words: str, model: MetaRegression) -> ComparedModel:
    name = f"meta-regression, {words}"
    return ComparedModel(model, (IntervalMethod(name, LINE | RESIDUAL),), name)


COMPARED = (
    ComparedModel(
        WeightedPearson(bootstrap=0, fisher="trials"),
        (IntervalMethod("weighted Pearson, Fisher with the number of trials", OBSERVED),),
    ),
    ComparedModel(
        WeightedPearson(bootstrap=BOOTSTRAP),
        (
            IntervalMethod("weighted Pearson, Fisher with the default number", OBSERVED),
            IntervalMethod("weighted Pearson, bootstrap over trials", {"r_bootstrap": OBSERVED["r"]}),
            IntervalMethod("Spearman, Fisher", RANKS),
        ),
    ),
    ComparedModel(
        WeightedRegression(),
        (
            IntervalMethod("weighted regression, t", LINE),
            IntervalMethod("weighted regression, Fisher with the default number", {"r2_trial": OBSERVED["r2_trial"]}),
        ),
    ),
    _meta_regression("z", MetaRegression(interval="z")),
    _meta_regression("Knapp-Hartung", MetaRegression(interval="knapp-hartung")),
    _meta_regression("ad hoc", MetaRegression()),
    _meta_regression("errors propagated", MetaRegression(surrogate_errors="propagated")),
    _likelihood("REML", BivariateRandomEffects("reml")),
    _likelihood("ML", BivariateRandomEffects("ml")),
    ComparedModel(
        DanielsHughes(),
        (IntervalMethod("Daniels-Hughes, exact posterior", LINE | RESIDUAL),),
        "Daniels-Hughes, exact posterior",
    ),
    ComparedModel(
        BivariateBayes(check_grid=False),
        (IntervalMethod("exact posterior", MEANS | SPREAD | ASSOCIATION | LINE | RESIDUAL),),
        "exact posterior",
    ),
)


def outcomes(sets: SimulatedSets) -> Iterator[Outcome]:
    """Fit every model to every data set, and compare its intervals with the true values."""
    truth = true_values(sets.scenario)
    data = [sets.effects(i) for i in range(len(sets))]
    for compared in COMPARED:
        results = fit_each(compared.model, data)
        for method in compared.methods:
            for name, target in method.targets.items():
                value, low, high = _columns([_estimate(result, name, method.suffix) for result in results])
                yield interval_outcome(method.name, target, (low, high), truth[target], value)
        if compared.prediction:
            yield _prediction(compared.prediction, sets.scenario, results)


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
        SPREAD["tau_surrogate"]: scenario.tau[0],
        SPREAD["tau_final"]: scenario.tau[1],
        ASSOCIATION["rho_between"]: scenario.rho,
        ASSOCIATION["r2_trial"]: scenario.rho**2,
        LINE["intercept"]: scenario.intercept,
        LINE["slope"]: scenario.slope,
        RESIDUAL["sigma_cond"]: scenario.sigma,
        OBSERVED["r"]: observed,
        OBSERVED["r2_trial"]: observed**2,
        RANKS["spearman"]: scenario.rank_correlation_of_estimates,
    }


def fit_each(model: Model, data: Sequence[Effects]) -> list[Result | None]:
    """Fit every data set, together if the model can; None where it cannot be fitted.

    A data set without a fit counts as one without an interval.
    """
    if isinstance(model, BatchModel):
        try:
            return list(model.fit_many(data))
        except FitError:  # of one data set: fit the others one by one
            pass
    return [_fitted(model, effects) for effects in data]


def _fitted(model: Model, effects: Effects) -> Result | None:
    try:
        return model.fit(effects)
    except FitError:
        return None


def _estimate(result: Result | None, name: str, suffix: str) -> Estimate:
    if result is None:
        return Estimate(None)
    return result.estimate(name + suffix if name + suffix in result.estimates else name)


def _columns(estimates: Sequence[Estimate]) -> FloatArray:
    """Values and limits, (3, b): NaN where there is none, infinite limits where an interval is unbounded."""
    rows = [
        (estimate.value, -np.inf, np.inf) if estimate.unbounded else (estimate.value, estimate.low, estimate.high)
        for estimate in estimates
    ]
    return np.array(rows, dtype=np.float64).T


def _prediction(name: str, scenario: Scenario, results: Sequence[Result | None]) -> Outcome:
    """Probability of the true final effect within the 95% prediction interval, and its mean width."""
    nodes, weight = hermegauss(NODES)
    weight = weight / weight.sum()
    x = scenario.mean[0] + scenario.tau[0] * nodes
    mean, sd = scenario.intercept + scenario.slope * x, max(scenario.sigma, 1e-12)
    limits = np.full((2, len(results), NODES), np.nan)
    for i, result in enumerate(results):
        if result is not None and result.line is not None:
            limits[:, i] = result.line.predict(x)[1:]
    low, high = limits
    coverage = (ndtr((high - mean) / sd) - ndtr((low - mean) / sd)) @ weight
    return Outcome(name, NEW_TRIAL, coverage, (high - low) @ weight, np.full(len(results), np.nan))
