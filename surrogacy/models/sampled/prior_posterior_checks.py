"""Influence of the prior on a sampled posterior, and the data it would make: power scaling and predictive draws.

References
----------
Kallioinen, Paananen, Bürkner, Vehtari (2024), power scaling, doi:10.1007/s11222-023-10366-5.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import arviz as az
import pymc as pm
import xarray as xr

from surrogacy.models.sampled.draws import SampledPosterior
from surrogacy.models.sampled.nuts import Sampled, exact_arithmetic
from surrogacy.results.result import Result


def power_scaling(model: pm.Model, tree: xr.DataTree, variables: Sequence[str]) -> list[dict[str, Any]]:
    """Sensitivity of the posterior when the prior or the likelihood is raised to a power near 1.

    Returns
    -------
    list of dict
        ``variable``, ``prior`` and ``likelihood`` (sensitivities; above 0.05 they matter), ``diagnosis``.
    """
    scaled = xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset()})
    with model, exact_arithmetic():
        pm.stats.compute_log_likelihood(scaled, progressbar=False)
        pm.stats.compute_log_prior(scaled, progressbar=False)
    logging.getLogger("arviz_stats").setLevel(logging.ERROR)  # its remark is in the table
    frame = az.psense_summary(scaled, var_names=list(variables), round_to=6)
    return [
        {
            "variable": str(name),
            "prior": float(row["prior"]),
            "likelihood": float(row["likelihood"]),
            "diagnosis": "" if row["diagnosis"] == "✓" else str(row["diagnosis"]),
        }
        for name, row in frame.iterrows()
    ]


def predictive(model: pm.Model, tree: xr.DataTree, seed: int, draws: int = 1000) -> xr.DataTree:
    """Add ``draws`` draws from the prior and replicated data to those of `sample`.

    Returns
    -------
    DataTree
        With the groups prior, prior_predictive, posterior_predictive and observed_data besides its own.
    """
    logging.getLogger("pymc.sampling.forward").setLevel(logging.WARNING)  # it would announce every variable
    both = tree.copy()
    with model, exact_arithmetic():
        before = pm.sample_prior_predictive(draws=draws, random_seed=seed)
        after = pm.sample_posterior_predictive(tree, random_seed=seed, progressbar=False)
    for source in (before, after):
        for name, group in source.children.items():
            if name not in both.children:
                both[name] = group.copy()
    return both


def complete(model: Sampled, result: Result) -> tuple[Result, list[dict[str, Any]]]:
    """Add prior and replicated data to a result of the model, and say how its posterior answers to power scaling."""
    built = model.build(result.effects)
    assert result.posterior is not None  # of a sampled model
    tree = result.posterior.samples
    assert tree is not None
    names = [name for name in model.reported if name in tree["posterior"]]
    scaling = power_scaling(built, tree, names)
    return replace(result, posterior=SampledPosterior(predictive(built, tree, model.seed))), scaling
