"""Bands of a line that predicts by a mixture of normal distributions, and their thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.results.estimate import Band, NewTrialSize, ThresholdEffect, ThresholdStatus
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.lines import ROUNDING, STRONGEST_HR
from surrogacy.stats.mixtures import PIECE, mixture_cdf, mixture_quantile
from surrogacy.stats.roots import increasing_root

# Log hazard ratios at which a band is evaluated in the search for its threshold; dense in the range of trials.
SEARCH = np.concatenate([np.linspace(np.log(STRONGEST_HR), 1.2, 22), np.geomspace(1.5, 30.0, 6)])


class Mixture(Protocol):
    """Line whose prediction is a mixture of normal distributions over nodes."""

    @property
    def weight(self) -> FloatArray:
        """Weights of the nodes; sum to 1."""
        ...

    @property
    def median_intercept(self) -> float:
        """Intercept of the line."""
        ...

    @property
    def new_n(self) -> float | None:
        """Default size of the new trial; None for its true effect."""
        ...

    @property
    def data_range(self) -> tuple[float, float]:
        """Smallest and largest observed surrogate log hazard ratio."""
        ...

    def new_trial(self, n: float | None = None) -> NewTrialSize:
        """Size of the new trial of a prediction."""
        ...

    def at(self, x: npt.ArrayLike, n: float | None = None, band: Band = "prediction") -> tuple[FloatArray, FloatArray]:
        """Mean and SD of the predicted log hazard ratio at every node, (..., nodes) each."""
        ...


def mixture_band(
    line: Mixture, log_hr: npt.ArrayLike, n: float | None = None, level: float = LEVEL, band: Band = "prediction"
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Median and limits of a band at surrogate log hazard ratios, three arrays shaped like ``log_hr``."""
    level = confidence_level(level)
    x = np.asarray(log_hr, dtype=np.float64)
    mean, sd = line.at(x.ravel(), n, band)
    quantiles = mixture_quantile((0.5, 0.5 - level / 2, 0.5 + level / 2), line.weight, mean, sd)
    median, low, high = quantiles.T.reshape(3, *x.shape)
    return median, low, high


def mixture_thresholds(
    line: Mixture, band: Band, levels: Sequence[float], n: float | None = None
) -> tuple[ThresholdEffect, ...]:
    """Surrogate threshold effects by a band for a new trial of ``n`` patients, one per level."""
    wanted = [0.5 + confidence_level(level) / 2 for level in levels]
    x, certainty = _search(line, n, band, max(wanted))
    regions = [_region(certainty >= probability) for probability in wanted]
    cells = [(cell, probability) for region, probability in zip(regions, wanted, strict=True) for cell in region]
    crossings = iter(_crossings(line, n, band, (x, certainty), cells))
    ends = [[next(crossings) for _ in region] for region in regions]
    return tuple(_threshold(line, each, level, n, band) for each, level in zip(ends, levels, strict=True))


def probability_of_benefit(line: Mixture, x: npt.ArrayLike, n: float | None, band: Band) -> FloatArray:
    """Probability of a final hazard ratio below 1 at surrogate log hazard ratios ``x``."""
    at = np.asarray(x, dtype=np.float64)
    step = max(1, PIECE // len(line.weight))
    below = []
    for start in range(0, at.size, step):
        mean, sd = line.at(at.ravel()[start : start + step], n, band)
        below.append(mixture_cdf(np.zeros(len(mean)), line.weight, mean, sd))
    return np.concatenate(below).reshape(at.shape)


def _search(line: Mixture, n: float | None, band: Band, wanted: float) -> tuple[FloatArray, FloatArray]:
    """Surrogate effects and ``P(final HR < 1)`` at each.

    They are denser near the largest probability if that is below the wanted one at every effect of the first search.
    """
    x = SEARCH
    certainty = probability_of_benefit(line, x, n, band)
    for _ in range(2):
        if certainty[x < 1.5].max() >= wanted:
            break
        top = int(np.clip(certainty[x < 1.5].argmax(), 1, len(x) - 2))
        between = np.linspace(x[top - 1], x[top + 1], 8)[1:-1]
        x, where = np.unique(np.concatenate([x, between]), return_index=True)
        certainty = np.concatenate([certainty, probability_of_benefit(line, between, n, band)])[where]
    return x, certainty


def _region(inside: BoolArray) -> tuple[int, ...]:
    """Cells of the search in which the region of effects with the wanted probability ends, and in which it begins.

    Empty if there is no such region, or if it includes the largest hazard ratios; one cell if it extends to the
    strongest effects.
    """
    falls = np.flatnonzero(inside[:-1] & ~inside[1:])
    if inside[-1] or not len(falls):
        return ()
    last = int(falls[-1])
    rises = np.flatnonzero(~inside[:last] & inside[1 : last + 1])
    return (last, int(rises[-1])) if len(rises) else (last,)


def _crossings(
    line: Mixture,
    n: float | None,
    band: Band,
    points: tuple[FloatArray, FloatArray],
    cells: Sequence[tuple[int, float]],
) -> list[float]:
    """Effects at which ``P(final HR < 1)`` is the wanted one, one within each cell of the search."""
    if not cells:
        return []
    (x, certainty), cell = points, np.array([a for a, _ in cells])
    z = ndtri([wanted for _, wanted in cells])

    def normal_score(probability: FloatArray) -> FloatArray:
        # nearly linear in x, unlike the probability
        return np.asarray(ndtri(np.minimum(np.maximum(probability, 1e-12), 1 - 1e-12)) - z)

    sign = np.where(certainty[cell] < certainty[cell + 1], 1.0, -1.0)
    ends = sign * normal_score(certainty[cell]), sign * normal_score(certainty[cell + 1])
    roots = increasing_root(
        lambda at: sign * normal_score(probability_of_benefit(line, at, n, band)), x[cell], x[cell + 1], ends
    )
    return [float(root) for root in roots]


def _threshold(line: Mixture, ends: Sequence[float], level: float, n: float | None, band: Band) -> ThresholdEffect:
    """Threshold effect: the weakest surrogate effect with ``P(final HR < 1)`` of at least (1 + level) / 2.

    If the region of such effects includes the largest hazard ratios, benefit is predicted for surrogate harm and
    there is no threshold. If it extends from stronger effects to beyond a surrogate hazard ratio of 1, benefit is
    predicted without a surrogate effect (``benefit-without-surrogate-effect``).
    """
    size = line.new_n if n is None else n
    stated = size if band == "prediction" and size is not None and np.isfinite(size) else None

    def result(status: ThresholdStatus, weakest: float | None = None, other: float | None = None) -> ThresholdEffect:
        hr, hr_other = (None if value is None else float(np.exp(value)) for value in (weakest, other))
        low, high = line.data_range
        beyond = any(value is not None and not low <= value <= high for value in (weakest, other))
        return ThresholdEffect(hr, status, band, level, stated, hr_other, line.new_trial(n), beyond)

    if not ends:
        return result("none")
    weakest, strongest = ends[0], ends[1] if len(ends) == 2 else -np.inf
    if strongest > 0:  # benefit is predicted only for surrogate harm
        return result("none")
    if weakest > ROUNDING:
        reached = result("benefit-without-surrogate-effect", weakest)
        return replace(reached, hr=None, crossing=reached.hr, intercept=line.median_intercept)
    if len(ends) == 2:
        return result("two-sided", weakest, strongest)
    return result("exists" if line.data_range[0] <= weakest <= line.data_range[1] else "outside-data", weakest)
