"""Checks of prior and posterior of a sampled model: sensitivity by power scaling, and predictive draws.

References
----------
Kallioinen, Paananen, Bürkner, Vehtari (2024), power scaling, doi:10.1007/s11222-023-10366-5.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import arviz as az
import pymc as pm
import xarray as xr

from surrogacy.models.sampled.draws import SampledPosterior
from surrogacy.models.sampled.nuts import Sampled, exact_arithmetic
from surrogacy.results.result import Result


@dataclass(frozen=True)
class PowerScaling:
    """Sensitivity of the posterior of one variable to power scaling.

    Parameters
    ----------
    variable : str
    prior, likelihood : float
        Sensitivities; values above 0.05 are relevant.
    diagnosis : str
        Empty, or the diagnosis of ArviZ.
    """

    variable: str
    prior: float
    likelihood: float
    diagnosis: str

    @property
    def record(self) -> dict[str, str | float]:
        """Fields under the names of results.json and of the tables."""
        return asdict(self)


def power_scaling(model: pm.Model, tree: xr.DataTree, variables: Sequence[str]) -> list[PowerScaling]:
    """Sensitivity of the posterior when the prior or the likelihood is raised to a power near 1."""
    scaled = xr.DataTree.from_dict({"posterior": tree["posterior"].to_dataset()})
    with model, exact_arithmetic():
        pm.stats.compute_log_likelihood(scaled, progressbar=False)
        pm.stats.compute_log_prior(scaled, progressbar=False)
    logging.getLogger("arviz_stats").setLevel(logging.ERROR)  # its message repeats the table
    frame = az.psense_summary(scaled, var_names=list(variables), round_to=6)
    columns = zip(frame.index, frame["prior"], frame["likelihood"], frame["diagnosis"], strict=True)
    return [
        PowerScaling(str(name), float(prior), float(likelihood), "" if diagnosis == "✓" else str(diagnosis))
        for name, prior, likelihood, diagnosis in columns
    ]


def predictive(model: pm.Model, tree: xr.DataTree, seed: int, draws: int = 1000) -> xr.DataTree:
    """Add draws from the prior and replicated data to a run of the sampler.

    Returns
    -------
    DataTree
        ``tree`` with the groups prior, prior_predictive, posterior_predictive and observed_data.
    """
    logging.getLogger("pymc.sampling.forward").setLevel(logging.WARNING)  # it would list every variable
    both = tree.copy()
    with model, exact_arithmetic():
        before = pm.sample_prior_predictive(draws=draws, random_seed=seed)
        after = pm.sample_posterior_predictive(tree, random_seed=seed, progressbar=False)
    for source in (before, after):
        for name, group in source.children.items():
            if name not in both.children:
                both[name] = group.copy()
    return both


def complete(model: Sampled, result: Result) -> tuple[Result, list[PowerScaling]]:
    """Add prior draws and replicated data to a result of the model, and compute its sensitivity to power scaling."""
    built = model.build(result.effects)
    assert result.posterior is not None  # every sampled model has one
    tree = result.posterior.samples
    assert tree is not None
    names = [name for name in model.reported if name in tree["posterior"]]
    scaling = power_scaling(built, tree, names)
    return replace(result, posterior=SampledPosterior(predictive(built, tree, model.seed))), scaling
