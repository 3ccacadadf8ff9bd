"""Bands of a line that predicts by a mixture of normal distributions, and their thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from surrogacy.arrays import BoolArray, FloatArray, IntArray
from surrogacy.results.estimate import Band, NewTrialSize, ThresholdEffect, ThresholdStatus
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.lines import ROUNDING, STRONGEST_HR
from surrogacy.stats.mixtures import PIECE, mixture_cdf, mixture_quantile
from surrogacy.stats.roots import nearly_linear_root, normal_score

Benefit = Callable[[IntArray, FloatArray], FloatArray]
BETWEEN = 8  # effects added around that with the largest probability of benefit
# Log hazard ratios at which a band is evaluated in the search for its threshold; dense in the range of trials.
SEARCH = np.concatenate([np.linspace(np.log(STRONGEST_HR), 1.2, 12), [30.0]])


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
    (regions,) = benefit_regions(lambda _, x: probability_of_benefit(line, x, n, band), 1, levels)
    return tuple(threshold_of_region(line, ends, level, n, band) for ends, level in zip(regions, levels, strict=True))


def benefit_regions(benefit: Benefit, lines: int, levels: Sequence[float]) -> list[list[tuple[float, ...]]]:
    """Ends of the regions of surrogate effects for which a benefit is predicted, per line and level.

    Parameters
    ----------
    benefit : callable
        ``P(final HR < 1)`` of the lines with the indices (q,) at surrogate log hazard ratios (q,).
    lines : int
        Number of lines.
    levels : sequence of float

    Returns
    -------
    list of list of tuple of float
        Weakest effect with a probability of (1 + level) / 2, and the strongest one if there is a limit. Empty without
        such effects, or if they include the largest hazard ratios.
    """
    wanted = [0.5 + confidence_level(level) / 2 for level in levels]
    points = _search(benefit, lines, max(wanted))
    cells = [
        (i, place, cell, probability)
        for i, (_, certainty) in enumerate(points)
        for place, probability in enumerate(wanted)
        for cell in _region(certainty >= probability)
    ]
    regions: list[list[tuple[float, ...]]] = [[() for _ in wanted] for _ in range(lines)]
    for (i, place, *_), root in zip(cells, _crossings(benefit, points, cells), strict=True):
        regions[i][place] += (root,)
    return regions


def probability_of_benefit(line: Mixture, x: npt.ArrayLike, n: float | None, band: Band) -> FloatArray:
    """Probability of a final hazard ratio below 1 at surrogate log hazard ratios ``x``."""
    at = np.asarray(x, dtype=np.float64)
    step = max(1, PIECE // len(line.weight))
    below = []
    for start in range(0, at.size, step):
        mean, sd = line.at(at.ravel()[start : start + step], n, band)
        below.append(mixture_cdf(np.zeros(len(mean)), line.weight, mean, sd))
    return np.concatenate(below).reshape(at.shape)


def _search(benefit: Benefit, lines: int, wanted: float) -> list[tuple[FloatArray, FloatArray]]:
    """Surrogate effects and ``P(final HR < 1)`` at each, per line.

    They are denser near the largest probability if that is below the wanted one at every effect of the first search.
    """
    first = benefit(np.repeat(np.arange(lines), len(SEARCH)), np.tile(SEARCH, lines)).reshape(lines, -1)
    points = [(SEARCH, certainty) for certainty in first]
    for _ in range(2):
        unreached = [i for i, (x, certainty) in enumerate(points) if certainty[x < 1.5].max() < wanted]
        if not unreached:
            break
        between = np.concatenate([_around_largest(*points[i]) for i in unreached])
        added = benefit(np.repeat(unreached, BETWEEN), between)
        for i, x, certainty in zip(unreached, between.reshape(-1, BETWEEN), added.reshape(-1, BETWEEN), strict=True):
            merged = np.concatenate([points[i][0], x])
            order = np.argsort(merged)
            points[i] = merged[order], np.concatenate([points[i][1], certainty])[order]
    return points


def _around_largest(x: FloatArray, certainty: FloatArray) -> FloatArray:
    """Effects between the neighbours of the effect with the largest probability."""
    top = min(max(int(certainty[x < 1.5].argmax()), 1), len(x) - 2)
    return np.linspace(x[top - 1], x[top + 1], BETWEEN + 2)[1:-1]


def _region(inside: BoolArray) -> tuple[int, ...]:
    """Cells of the search in which the region of effects with the wanted probability ends, and in which it begins.

    Empty if there is no such region, or if it includes the largest hazard ratios; one cell if it extends to the
    strongest effects.
    """
    changes = np.flatnonzero(inside[:-1] != inside[1:]).tolist()
    if inside[-1] or not changes:
        return ()
    return tuple(reversed(changes[-2:]))


def _crossings(
    benefit: Benefit,
    points: Sequence[tuple[FloatArray, FloatArray]],
    cells: Sequence[tuple[int, int, int, float]],
) -> list[float]:
    """Effects at which ``P(final HR < 1)`` is the wanted one, one within each cell of the search."""
    if not cells:
        return []
    rows, z = np.array([i for i, *_ in cells]), ndtri([wanted for *_, wanted in cells])
    around = [(points[i], cell, min(max(cell - 1, 0), len(points[i][0]) - 4)) for i, _, cell, _ in cells]
    x, certainty = (np.array([point[a][first : first + 4] for point, _, first in around]).T for a in (0, 1))
    low, high = (np.array([point[0][cell + end] for point, cell, _ in around]) for end in (0, 1))
    sign = np.array([1.0 if point[1][cell] < point[1][cell + 1] else -1.0 for point, cell, _ in around])

    def excess(which: IntArray, at: FloatArray) -> FloatArray:
        return sign[which] * (normal_score(benefit(rows[which], at)) - z[which])

    return [float(root) for root in nearly_linear_root(excess, x, sign * (normal_score(certainty) - z), (low, high))]


def threshold_of_region(
    line: Mixture, ends: Sequence[float], level: float, n: float | None, band: Band
) -> ThresholdEffect:
    """Threshold effect: the weakest surrogate effect with ``P(final HR < 1)`` of at least (1 + level) / 2.

    If the region of such effects includes the largest hazard ratios, benefit is predicted for surrogate harm and
    there is no threshold. If it extends from stronger effects to beyond a surrogate hazard ratio of 1, benefit is
    predicted without a surrogate effect (``benefit-without-surrogate-effect``).
    """
    level, size = confidence_level(level), line.new_n if n is None else n
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
