"""Line of a Bayesian model as a mixture over the nodes or draws of its posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import Band, NewTrialSize, ThresholdEffect
from surrogacy.results.levels import LEVEL
from surrogacy.stats.lines import NEEDS_PATIENTS
from surrogacy.stats.mixture_bands import (
    Benefit,
    benefit_regions,
    mixture_band,
    mixture_thresholds,
    probability_of_benefit,
    threshold_of_region,
)
from surrogacy.stats.mixtures import PIECE, mixture_quantile, normal_cdf
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution, error_parts


@dataclass(frozen=True, eq=False)
class MixtureLine:
    """Surrogacy line of a Bayesian model as a mixture over nodes (or draws) of its parameters.

    Given a node, the intercept ``mu_final - slope mu_surrogate`` is normal, and the true final effect at a surrogate
    effect x is normal about ``intercept + slope x`` with SD ``sigma``. The bands therefore include the uncertainty of
    all parameters. The surrogate effect x is conditioned on and does not update the posterior.

    Parameters
    ----------
    intercept, slope : float
        Posterior medians.
    weight : (n,) array
        Weights of the nodes; sum to 1.
    node_intercept, node_variance : (n,) arrays
        Mean and variance of the intercept at each node.
    node_slope, node_sigma : (n,) arrays
        Slope and sigma_cond of each node.
    trial_variance : float
        Sampling variance of the final effect of a new trial with one patient.
    new_n : float or None
        Default size of the new trial; None = its true effect.
    data_range : tuple of float
        Smallest and largest observed surrogate log HR.

    Examples
    --------
    >>> zero, one = np.zeros(1), np.ones(1)
    >>> line = MixtureLine(0.0, 0.5, one, zero, zero, one / 2, one / 10, 4.0, None, (-1.0, 0.0))
    >>> mean, low, high = line.predict(-0.5)
    >>> round(float(high), 3), str(line.threshold())
    (-0.054, '0.68 (95% prediction band, new trial: its true effect)')
    """

    intercept: float
    slope: float
    weight: FloatArray
    node_intercept: FloatArray
    node_variance: FloatArray
    node_slope: FloatArray
    node_sigma: FloatArray
    trial_variance: float
    new_n: float | None
    data_range: tuple[float, float]
    scatter_known = True  # a posterior separates the scatter of true effects from sampling error

    def at(self, x: npt.ArrayLike, n: float | None = None, band: Band = "prediction") -> tuple[FloatArray, FloatArray]:
        """Mean and SD of the predicted log hazard ratio at every node, (..., nodes) each.

        Raises
        ------
        UsageError
            If a size is stated and the sizes of the comparisons are unknown.
        """
        mean = self.node_intercept + self.node_slope * np.asarray(x, dtype=np.float64)[..., None]
        return mean, np.broadcast_to(np.sqrt(self.variance(n, band)), mean.shape)

    def variance(self, n: float | None = None, band: Band = "prediction") -> FloatArray:
        """Variance of the predicted log hazard ratio at every node, (nodes,)."""
        return self.node_variance if band == "confidence" else self.node_variance + self.scatter_variance(n)

    def scatter_variance(self, n: float | None = None) -> FloatArray:
        """Variance of the effect of a new trial of ``n`` patients about the line at every node, (nodes,).

        Raises
        ------
        UsageError
            If a size is stated and the sizes of the comparisons are unknown.
        """
        size = self.new_n if n is None else n
        scatter = self.node_sigma**2
        if size is None or np.isinf(size):
            return scatter
        if np.isnan(self.trial_variance):
            raise UsageError(NEEDS_PATIENTS)
        return scatter + self.trial_variance / size

    def new_trial(self, n: float | None = None) -> NewTrialSize:
        """Size of the new trial of a prediction."""
        return NewTrialSize.of(self.new_n if n is None else n)

    def predict(
        self, log_hr: npt.ArrayLike, n: float | None = None, level: float = LEVEL, band: Band = "prediction"
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Predict the final log hazard ratio from a surrogate log hazard ratio known without error.

        Parameters
        ----------
        log_hr : array-like
        n : float, optional
            Number of patients of the new trial; ``inf`` = its true effect. Default: ``new_n`` of the line.
        level : float
        band : {"prediction", "confidence"}
            ``confidence`` is the interval of the line itself, which is *not* a prediction interval.

        Returns
        -------
        median, low, high : arrays shaped like ``log_hr``
        """
        return mixture_band(self, log_hr, n, level, band)

    def predict_observed(self, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
        """Predict the observed final effect of a trial from its observed surrogate effect, which is not shrunken.

        Parameters
        ----------
        trial : ObservedEffects
            Its final effect is not used.
        joins : bool
            Ignored, because the posterior is not updated.
        """
        errors = error_parts(self.node_slope, np.array(np.inf), trial)
        mean = self.node_intercept + self.node_slope * trial.log_hr
        return PredictiveDistribution.of_nodes(self.weight, mean, errors, self.node_sigma**2, self.node_variance)

    def probability_below(self, x: npt.ArrayLike, n: float | None = None, band: Band = "prediction") -> FloatArray:
        """Probability of a final hazard ratio below 1 at surrogate log hazard ratios ``x``."""
        return probability_of_benefit(self, x, n, band)

    def threshold(self, level: float = LEVEL, band: Band = "prediction", new_n: float | None = None) -> ThresholdEffect:
        """Surrogate threshold effect by a band at a level, for a new trial of ``new_n`` patients."""
        (threshold,) = mixture_thresholds(self, band, (level,), new_n)
        return threshold

    def thresholds(self, level: float = LEVEL) -> dict[str, ThresholdEffect]:
        """Surrogate threshold effects by both bands at ``level`` and at 80%."""
        return many_thresholds([self], level)[0]

    @property
    def median_intercept(self) -> float:
        """Intercept of the line; the median over the nodes if it is NaN."""
        if np.isfinite(self.intercept):
            return self.intercept
        mean, sd = self.node_intercept[None], np.sqrt(self.node_variance)[None]
        return float(mixture_quantile((0.5,), self.weight, mean, sd)[0, 0])


def many_thresholds(lines: Sequence[MixtureLine], level: float = LEVEL) -> list[dict[str, ThresholdEffect]]:
    """Surrogate threshold effects of many lines by both bands at ``level`` and at 80%."""
    levels, bands = (level, 0.8), get_args(Band)
    order = sorted(range(len(lines)), key=lambda i: len(lines[i].weight))
    stacked = [(lines[i], band) for i in order for band in bands]
    regions = iter(benefit_regions(_stacked_benefit(stacked), len(stacked), levels))
    thresholds: dict[int, dict[str, ThresholdEffect]] = {}
    for i in order:
        thresholds[i] = {}
        for band in bands:
            for name, at, ends in zip((f"ste_{band}", f"ste_{band}_80"), levels, next(regions), strict=True):
                thresholds[i][name] = threshold_of_region(lines[i], ends, at, None, band)
    return [thresholds[i] for i in range(len(lines))]


def _stacked_benefit(bands: Sequence[tuple[MixtureLine, Band]]) -> Benefit:
    """Probability of benefit by many bands, at each node ``Phi(level + rise x)``; fewer nodes than most first."""
    nodes = np.array([len(line.weight) for line, _ in bands])
    weight, level, rise = np.zeros((3, len(bands), nodes[-1]))
    for i, (line, band) in enumerate(bands):
        sd = np.maximum(np.sqrt(line.variance(band=band)), 1e-100)
        n = nodes[i]
        weight[i, :n], level[i, :n], rise[i, :n] = line.weight, -line.node_intercept / sd, -line.node_slope / sd

    def benefit(rows: IntArray, x: FloatArray) -> FloatArray:
        below = []
        step = max(1, PIECE // nodes[-1])
        for start in range(0, len(x), step):
            piece = rows[start : start + step]
            n = nodes[piece].max()  # the other nodes of these lines have no weight
            z = rise[piece, :n]
            z *= x[start : start + step, None]
            z += level[piece, :n]
            below.append(np.vecdot(normal_cdf(z), weight[piece, :n]))
        return np.concatenate(below)

    return benefit
