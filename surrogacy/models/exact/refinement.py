"""Refinement of the grids of the exact models until the results no longer move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.levels import settle_level
from surrogacy.results.result import Result

# Posterior SDs that a quantile may move between a grid and one with 2/3 of its nodes before a finer one is taken. In
# the shipped sets the finer of the two was then right to 0.004; in 827 sets made to be difficult, to 0.08 in the
# worst.
GRID_TOLERANCE = 0.03

REFINEMENTS = (2 / 3, 1.0, 1.5, 2.25, 3.4, 5.0)
Quantiles = dict[str, FloatArray]


def refine[T](tabulate: Callable[[float], tuple[T, Quantiles]]) -> tuple[T, Quantiles, float]:
    """Tabulate a posterior on finer and finer grids until no quantile moves.

    Parameters
    ----------
    tabulate : callable
        From the factor by which the numbers of nodes are multiplied to a posterior, and median, lower and upper limit
        of its quantities.

    Returns
    -------
    posterior
        On the last grid.
    quantiles : dict of (3,) arrays
        Its own.
    moved : float
        Largest change of a quantile against the grid before, in posterior SDs.
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


def with_grid_error(result: Result, moved: float) -> Result:
    """Say how far a quantile moved between the last two grids, and whether that is too far."""
    settled = moved < GRID_TOLERANCE
    kind = "largest change of a quantile against a grid with 2/3 of the nodes, posterior SDs"
    text = f"quadrature: a quantile still moves by {moved:.3f} posterior SDs between the two finest grids"
    unsettled = () if settled else (Caveat(CaveatCode.GRID, text),)
    estimates = {**result.estimates, "grid_error": Estimate(moved, method=kind)}
    return replace(result, estimates=estimates, caveats=result.caveats + unsettled, converged=settled)


def check_settings(model: Any, priors: dict[str, tuple[type, ...]]) -> None:
    """Refuse priors of the wrong kind or range, an impossible size or level, and grids with hardly any node.

    Raises
    ------
    UsageError
    """
    for name, kinds in priors.items():
        if not isinstance(getattr(model, name), kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise UsageError(f"prior of {name} must be {wanted}; got {getattr(model, name)}")
        low, high = (-1.0, 1.0) if name.startswith("rho") else (0.0, np.inf)
        prior = getattr(model, name)
        if getattr(prior, "low", low) < low or getattr(prior, "high", high) > high:
            raise UsageError(f"prior of {name}: {prior} leaves its range")
    if model.new_n is not None and not model.new_n > 0:
        raise UsageError(f"the size of the new trial must be above 0; got {model.new_n:g}")
    settle_level(model)
    if min(model.nodes) < 4:
        raise UsageError(f"a grid needs 4 nodes an axis; got {model.nodes}")


def largest_move(one: dict[str, FloatArray], other: dict[str, FloatArray]) -> float:
    """Largest difference of two sets of quantiles, in posterior SDs (a 95 % interval taken as 3.92 of them)."""
    return max(
        float(np.abs(one[name] - other[name]).max() / ((other[name][2] - other[name][1]) / 3.92)) for name in other
    )
