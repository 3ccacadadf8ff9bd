"""The exact posterior held against NUTS: the same model and priors, and how far every summary is apart.

Two programs that share no formula beyond the model agree within Monte Carlo error, or one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Model
from surrogacy.models import daniels_hughes as exact_daniels_hughes
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.sampled.bivariate import SampledBivariate
from surrogacy.models.sampled.daniels_hughes import SampledDanielsHughes
from surrogacy.models.sampled.nuts import Sampled, quantile_errors
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.result import Result

DRAWS, CHAINS = 5000, 4
TOLERANCE = 4.0  # Monte Carlo standard errors
SUMMARIES = ("low", "value", "high")


def sampled_twin(model: Model, *, seed: int = 0, draws: int = DRAWS, chains: int = CHAINS) -> Sampled | None:
    """The sampled model with the priors of an exact one; None for a model that has none.

    Raises
    ------
    UsageError
        If a prior cannot be sampled (a grid of rho_within).
    """
    run: dict[str, Any] = {"seed": seed, "draws": draws, "chains": chains, "target_accept": 0.99}
    if isinstance(model, BivariateBayes):
        shared = ("tau_surrogate", "tau_final", "rho_between", "mu", "rho_within", "level")
        return SampledBivariate(**{name: getattr(model, name) for name in shared}, **run)
    if isinstance(model, exact_daniels_hughes.DanielsHughes):
        names = ("intercept", "slope", "fixed_effect_sd", "level")
        return SampledDanielsHughes(**{name: getattr(model, name) for name in names}, sigma=model.sigma_cond, **run)
    return None


def sample_twins(
    model: Model, data: Sequence[Effects], *, seed: int = 0, draws: int = DRAWS, chains: int = CHAINS
) -> list[Result]:
    """Sample the twin of an exact model on every data set.

    Raises
    ------
    UsageError
        If the model has no sampled twin.
    """
    twin = sampled_twin(model, seed=seed, draws=draws, chains=chains)
    if twin is None:
        raise UsageError(f"{model.name} has no sampled twin")
    return twin.fit_many(data)


def agreement(exact: Result, sampled: Result) -> list[dict[str, Any]]:
    """Difference of every summary in Monte Carlo standard errors of the sampled one.

    Returns
    -------
    list of dict
        ``estimate``, ``summary`` (low, value, high), ``exact``, ``sampled``, ``monte_carlo_error``, ``difference``
        (in those errors).

    Raises
    ------
    FitError
        If the two results have no quantity in common.
    """
    records = []
    assert sampled.posterior is not None  # of a sampled model
    tree = sampled.posterior.samples
    assert tree is not None
    posterior = tree["posterior"]
    for name, one in exact.estimates.items():
        other = sampled.estimates.get(name)
        if name not in posterior or not isinstance(one, Estimate) or not isinstance(other, Estimate) or one.low is None:
            continue
        errors = quantile_errors(np.asarray(posterior[name]), one.level or 0.95)
        for summary, error in zip(SUMMARIES, errors, strict=True):
            a, b = float(getattr(one, summary)), float(getattr(other, summary))
            record = {"estimate": name, "summary": summary, "exact": a, "sampled": b, "monte_carlo_error": error}
            records.append(record | {"difference": (b - a) / error})
    if not records:
        raise FitError(f"{exact.model} and {sampled.model} have no quantity in common")
    return records


def differ(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those beyond the tolerance, and those that are no number."""
    return [record for record in records if not abs(record["difference"]) <= TOLERANCE]


def disagreements(records: Sequence[dict[str, Any]], sampled: Result) -> tuple[Caveat, ...]:
    """Caveats on disagreement: differences beyond the tolerance, and failed diagnostics of the sampled posterior."""
    texts = [
        f"nuts: {record['estimate']} ({record['summary']}) is {record['sampled']:.4g} by NUTS, {record['exact']:.4g} "
        f"exactly: {abs(record['difference']):.1f} Monte Carlo errors apart"
        for record in differ(records)
    ]
    failed = [caveat for caveat in sampled.caveats if caveat.code is CaveatCode.SAMPLING]
    return (
        *(Caveat(CaveatCode.DISAGREEMENT, text) for text in texts),
        *(replace(caveat, text=f"nuts: {caveat.text}") for caveat in failed),
    )
