"""Refinement of the grids of the exact models until the results no longer change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import UnionType
from typing import Any, get_args

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.models.settings import check_new_n
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.levels import settle_level
from surrogacy.results.result import Result

# Largest change of a quantile, in posterior SDs, between a grid and one with 2/3 of its nodes; after a larger change a
# finer grid is used.
GRID_TOLERANCE = 0.03

# The bivariate model uses a finer grid if its density changes by more than UNRESOLVED when the polynomials of its log
# lose two degrees, unless no quantile has moved by MOVED posterior SDs from a grid with 2/3 of the nodes. The quantiles
# of the shipped sets then erred by at most 0.0033 SD. Of 781 settled sets of 800 constructed to be difficult, two had a
# quantile that erred by more than 0.005 SD (0.0062); the median of the largest errors was 0.0004 SD
# (validation/posterior_accuracy.py).
UNRESOLVED = 0.0009
MOVED = 0.005

FINER = (1.5, 2.25, 3.4, 5.0)
REFINEMENTS = (2 / 3, 1.0, *FINER)
Quantiles = dict[str, FloatArray]
PriorKind = type[Any] | UnionType


def refine[T](tabulate: Callable[[float], tuple[T, Quantiles]]) -> tuple[T, Quantiles, float]:
    """Tabulate a posterior on finer and finer grids until no quantile changes.

    Parameters
    ----------
    tabulate : callable
        Takes the factor by which the numbers of nodes are multiplied; returns a posterior, and the median, lower and
        upper limit of each of its quantities.

    Returns
    -------
    posterior
        Posterior on the last grid.
    quantiles : dict of (3,) arrays
        Its quantiles.
    moved : float
        Largest change of a quantile from the grid before, in posterior SDs.
    """
    posterior, quantiles = tabulate(REFINEMENTS[0])
    moved = float("nan")
    for refinement in REFINEMENTS[1:]:
        coarser = quantiles
        posterior, quantiles = tabulate(refinement)
        moved = largest_move(coarser, quantiles)
        if moved < GRID_TOLERANCE:
            break
    return posterior, quantiles, moved


def with_grid_error(result: Result, moved: float, tolerance: float = GRID_TOLERANCE) -> Result:
    """Add the largest change of a quantile between the last two grids, and a caveat if it is too large."""
    settled = moved < tolerance
    kind = "largest change of a quantile against a grid with 2/3 of the nodes, posterior SDs"
    text = f"quadrature: a quantile still changes by {moved:.3f} posterior SDs between the two finest grids"
    unsettled = () if settled else (Caveat(CaveatCode.GRID, text),)
    estimates = {**result.estimates, "grid_error": Estimate(moved, method=kind)}
    return replace(result, estimates=estimates, caveats=result.caveats + unsettled, converged=settled)


def with_resolution(result: Result, lost: float, level: float) -> Result:
    """Add the largest change of a quantile if the polynomials of the log density lose two degrees.

    A density that changes by ``lost`` in the mean changes every probability by at most ``lost / 2``, and hence the
    limit z of a normal posterior by at most ``lost / (2 phi(z))`` SDs.

    Parameters
    ----------
    result : Result
    lost : float
        Mean relative change of the density.
    level : float
        Level of the limits, ``z = Phi^-1((1 + level) / 2)``.
    """
    z = float(ndtri(0.5 + level / 2))
    change = lost / 2 * np.sqrt(2 * np.pi) * np.exp(z * z / 2)
    kind = "largest change of a limit if the polynomials of the log density lose two degrees, posterior SDs"
    return replace(result, estimates={**result.estimates, "grid_error": Estimate(float(change), method=kind)})


def check_settings(model: Any, priors: Mapping[str, PriorKind]) -> None:
    """Refuse priors of the wrong kind or range, an impossible size or level, and grids with fewer than 4 nodes.

    Raises
    ------
    UsageError
    """
    for name, kinds in priors.items():
        if not isinstance(getattr(model, name), kinds):
            wanted = " or ".join(kind.__name__ for kind in get_args(kinds) or (kinds,))
            raise UsageError(f"prior of {name} must be {wanted}; got {getattr(model, name)}")
        low, high = (-1.0, 1.0) if name.startswith("rho") else (0.0, np.inf)
        prior = getattr(model, name)
        if getattr(prior, "low", low) < low or getattr(prior, "high", high) > high:
            raise UsageError(f"prior of {name}: {prior} extends beyond [{low:g}, {high:g}]")
    settle_level(model)
    check_new_n(model.new_n)
    if min(model.nodes) < 4:
        raise UsageError(f"a grid needs at least 4 nodes per axis; got {model.nodes}")


def largest_move(coarse: Quantiles, fine: Quantiles) -> float:
    """Largest difference of two sets of quantiles in posterior SDs, a 95% interval being 3.92 SDs wide."""
    return max(
        float(np.abs(coarse[name] - values).max() / ((values[2] - values[1]) / 3.92)) for name, values in fine.items()
    )
