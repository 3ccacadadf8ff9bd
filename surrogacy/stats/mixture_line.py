"""Line of a Bayesian model as a mixture over the nodes or draws of its posterior."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import Band, NewTrialSize, ThresholdEffect, ThresholdStatus
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.lines import NEEDS_PATIENTS, ROUNDING, STRONGEST_HR
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution, error_parts

# Log hazard ratios at which a band is evaluated in the search for its threshold; dense in the range of trials.
SEARCH = np.concatenate([np.linspace(np.log(STRONGEST_HR), 1.2, 22), np.geomspace(1.5, 30.0, 6)])


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
        variance = self.node_variance
        if band == "prediction":
            variance = variance + self.scatter_variance(n)
        return mean, np.broadcast_to(np.sqrt(variance), mean.shape)

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
        level = confidence_level(level)
        x = np.asarray(log_hr, dtype=np.float64)
        mean, sd = self.at(x.ravel(), n, band)
        quantiles = mixture_quantile((0.5, 0.5 - level / 2, 0.5 + level / 2), self.weight, mean, sd)
        median, low, high = quantiles.T.reshape(3, *x.shape)
        return median, low, high

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
        mean, sd = self.at(x, n, band)
        return mixture_cdf(np.zeros(mean.shape[:-1]), self.weight, mean, sd)

    def threshold(self, level: float = LEVEL, band: Band = "prediction", new_n: float | None = None) -> ThresholdEffect:
        """Surrogate threshold effect by a band at a level, for a new trial of ``new_n`` patients (default: own)."""
        return self._threshold(*self._search(band, new_n), confidence_level(level), band, new_n)

    def thresholds(self, level: float = LEVEL) -> dict[str, ThresholdEffect]:
        """Surrogate threshold effects by both bands at ``level`` and at 80%."""
        level = confidence_level(level)
        thresholds = {}
        for band in get_args(Band):
            points = self._search(band)
            thresholds[f"ste_{band}"] = self._threshold(*points, level, band)
            thresholds[f"ste_{band}_80"] = self._threshold(*points, 0.8, band)
        return thresholds

    def _search(self, band: Band, n: float | None = None) -> tuple[FloatArray, FloatArray]:
        """Surrogate effects and ``P(final HR < 1)`` at each; they are denser near the largest probability."""
        x = SEARCH
        certainty = self.probability_below(x, n, band)
        for _ in range(2):
            top = int(np.clip(certainty[x < 1.5].argmax(), 1, len(x) - 2))
            between = np.linspace(x[top - 1], x[top + 1], 8)[1:-1]
            x, where = np.unique(np.concatenate([x, between]), return_index=True)
            certainty = np.concatenate([certainty, self.probability_below(between, n, band)])[where]
        return x, certainty

    def _median_intercept(self) -> float:
        """Intercept of the line; the median over the nodes if it is NaN."""
        if np.isfinite(self.intercept):
            return self.intercept
        mean, sd = self.node_intercept[None], np.sqrt(self.node_variance)[None]
        return float(mixture_quantile((0.5,), self.weight, mean, sd)[0, 0])

    def _threshold(
        self, at: FloatArray, certainty: FloatArray, level: float, band: Band, n: float | None = None
    ) -> ThresholdEffect:
        """Threshold effect: the weakest surrogate effect with ``P(final HR < 1)`` of at least (1 + level) / 2.

        If the region of such effects includes the largest hazard ratios, benefit is predicted for surrogate harm and
        there is no threshold. If it extends from stronger effects to beyond a surrogate hazard ratio of 1, benefit is
        predicted without a surrogate effect (``benefit-without-surrogate-effect``).
        """
        wanted = 0.5 + level / 2
        size = self.new_n if n is None else n
        stated = size if band == "prediction" and size is not None and np.isfinite(size) else None

        def crossing(a: int) -> float:
            """Return the effect between two points of the search at which the probability is the wanted one."""
            x, excess = at[a : a + 2], certainty[a : a + 2] - wanted
            for _ in range(3):
                finer = np.linspace(x[0], x[1], 6)
                more = np.concatenate([excess[:1], self.probability_below(finer[1:-1], n, band) - wanted, excess[1:]])
                change = int(np.flatnonzero((more[:-1] >= 0) != (more[1:] >= 0))[0])
                x, excess = finer[change : change + 2], more[change : change + 2]
            return float(x[0] - excess[0] * (x[1] - x[0]) / (excess[1] - excess[0]))

        def result(
            status: ThresholdStatus, weakest: float | None = None, other: float | None = None
        ) -> ThresholdEffect:
            hr, hr_other = (None if value is None else float(np.exp(value)) for value in (weakest, other))
            low, high = self.data_range
            beyond = any(value is not None and not low <= value <= high for value in (weakest, other))
            return ThresholdEffect(hr, status, band, level, stated, hr_other, self.new_trial(n), beyond)

        inside = certainty >= wanted
        falls = np.flatnonzero(inside[:-1] & ~inside[1:])  # points after which the region ends
        if inside[-1] or not len(falls):
            return result("none")
        weakest = crossing(int(falls[-1]))
        rises = np.flatnonzero(~inside[: falls[-1]] & inside[1 : falls[-1] + 1])
        strongest = crossing(int(rises[-1])) if len(rises) else -np.inf
        if strongest > 0:  # benefit is predicted only for surrogate harm
            return result("none")
        if weakest > ROUNDING:
            reached = result("benefit-without-surrogate-effect", weakest)
            return replace(reached, hr=None, crossing=reached.hr, intercept=self._median_intercept())
        if len(rises):
            return result("two-sided", weakest, strongest)
        return result("exists" if self.data_range[0] <= weakest <= self.data_range[1] else "outside-data", weakest)
