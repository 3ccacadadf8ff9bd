"""Comparison of an exact posterior with NUTS samples of the same model and priors.

The two computations have no formula in common beyond the model itself. They must therefore agree within the Monte Carlo
error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Model
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.daniels_hughes import DanielsHughes
from surrogacy.models.sampled.bivariate import SampledBivariate
from surrogacy.models.sampled.daniels_hughes import SampledDanielsHughes
from surrogacy.models.sampled.diagnostics import quantile_errors
from surrogacy.models.sampled.nuts import Sampled
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.labels import ESTIMATES, SUMMARIES
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result

DRAWS, CHAINS = 5000, 4
TOLERANCE = 4.0  # Monte Carlo standard errors

# Sampled model of each exact model, and the settings of the former by those of the latter that they are copied from.
TWINS: dict[type, tuple[type[Sampled], dict[str, str]]] = {
    BivariateBayes: (
        SampledBivariate,
        {name: name for name in ("tau_surrogate", "tau_final", "rho_between", "mu", "rho_within", "level")},
    ),
    DanielsHughes: (
        SampledDanielsHughes,
        {name: name for name in ("intercept", "slope", "fixed_effect_sd", "level")} | {"sigma": "sigma_cond"},
    ),
}


@dataclass(frozen=True)
class Agreement:
    """One summary of a quantity in the exact and the sampled posterior.

    Parameters
    ----------
    estimate : str
        Quantity.
    summary : {"low", "value", "high"}
        Lower limit, median or upper limit.
    exact, sampled : float
    monte_carlo_error : float
        Monte Carlo standard error of ``sampled``.
    """

    estimate: str
    summary: str
    exact: float
    sampled: float
    monte_carlo_error: float

    @property
    def difference(self) -> float:
        """Difference in Monte Carlo standard errors."""
        return (self.sampled - self.exact) / self.monte_carlo_error

    @property
    def within_tolerance(self) -> bool:
        """False for a difference beyond the tolerance, or one that is not a number."""
        return abs(self.difference) <= TOLERANCE

    @property
    def record(self) -> dict[str, str | float]:
        """Fields under the names of results.json and of the tables."""
        return asdict(self) | {"difference": self.difference}


def sampled_twin(model: Model, *, seed: int = 0, draws: int = DRAWS, chains: int = CHAINS) -> Sampled | None:
    """Sampled model with the priors of an exact one; None if there is none.

    Raises
    ------
    UsageError
        If a prior cannot be sampled (a grid of within-trial correlations).
    """
    if type(model) not in TWINS:
        return None
    twin, names = TWINS[type(model)]
    settings = {name: getattr(model, source) for name, source in names.items()}
    return twin(**settings, seed=seed, draws=draws, chains=chains, target_accept=0.99)


def sample_twins(
    model: Model, data: Sequence[Effects], *, seed: int = 0, draws: int = DRAWS, chains: int = CHAINS
) -> list[Result]:
    """Sample the posterior of an exact model for every data set.

    Raises
    ------
    UsageError
        If the exact model has no sampled counterpart.
    """
    twin = sampled_twin(model, seed=seed, draws=draws, chains=chains)
    if twin is None:
        raise UsageError(f"{model.name} has no sampled counterpart")
    return twin.fit_many(data)


def agreement(exact: Result, sampled: Result) -> list[Agreement]:
    """Compare medians and limits of all quantities that an exact and a sampled result have in common.

    Raises
    ------
    FitError
        If they have no quantity in common.
    """
    assert sampled.posterior is not None  # every sampled model has one
    tree = sampled.posterior.samples
    assert tree is not None
    draws = tree["posterior"]
    summaries = []
    for name, by_quadrature in exact.estimates.items():
        by_nuts = sampled.estimates.get(name)
        if name not in draws or not isinstance(by_quadrature, Estimate) or not isinstance(by_nuts, Estimate):
            continue
        if by_quadrature.low is None:
            continue
        errors = quantile_errors(np.asarray(draws[name]), by_quadrature.level or LEVEL)
        for summary, error in zip(("low", "value", "high"), errors, strict=True):
            exactly, by_draws = (float(getattr(estimate, summary)) for estimate in (by_quadrature, by_nuts))
            summaries.append(Agreement(name, summary, exactly, by_draws, error))
    if not summaries:
        raise FitError(f"{exact.model} and {sampled.model} have no quantity in common")
    return summaries


def disagreements(summaries: Sequence[Agreement], sampled: Result) -> tuple[Caveat, ...]:
    """Caveats on differences beyond the tolerance and on failed diagnostics of the sampled posterior."""
    final = final_name(sampled.effects)
    texts = [
        f"NUTS: {ESTIMATES[row.estimate].name(final)} ({SUMMARIES[row.summary]}) is {row.sampled:.4g} by NUTS "
        f"and {row.exact:.4g} by quadrature, a difference of {abs(row.difference):.1f} Monte Carlo standard errors"
        for row in summaries
        if not row.within_tolerance
    ]
    failed = [caveat for caveat in sampled.caveats if caveat.code is CaveatCode.SAMPLING]
    return (
        *(Caveat(CaveatCode.DISAGREEMENT, text) for text in texts),
        *(replace(caveat, text=f"NUTS: {caveat.text}") for caveat in failed),
    )
