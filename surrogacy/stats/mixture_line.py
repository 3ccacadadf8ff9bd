"""Line of a Bayesian model: a mixture over the nodes or draws of its posterior."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import Band, NewTrialSize, ThresholdEffect, ThresholdStatus
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.stats.lines import ROUNDING, STRONGEST_HR
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution, error_parts

# Surrogate effects at which a band is looked at while its threshold is sought: dense where trials lie.
SEARCH = np.concatenate([np.linspace(np.log(STRONGEST_HR), 1.2, 22), np.geomspace(1.5, 30.0, 6)])


@dataclass(frozen=True, eq=False)
class MixtureLine:
    """The surrogacy line of a Bayesian model: a mixture over nodes (or draws) of its parameters.

    Given a node, ``mu_final - slope mu_surrogate`` is normal; the true final effect at a surrogate effect x is normal
    about ``intercept + slope x`` with SD ``sigma``. Nothing is taken as known: the band holds all of the posterior.
    The surrogate effect x is taken as given and teaches the posterior nothing.

    Parameters
    ----------
    intercept, slope : float
        Posterior medians.
    weight, node_intercept, node_variance, node_slope, node_sigma : (n,) arrays
        Weight of a node, mean and variance of its intercept, its slope and its sigma_cond.
    trial_variance : float
        Sampling variance of the final log hazard ratio of one patient.
    new_n : float or None
        Size of the new trial taken where a prediction states none; None = its true effect.
    data_range : tuple of float
        Smallest and largest observed surrogate log HR.
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

    def at(self, x: npt.ArrayLike, n: float | None = None, band: Band = "prediction") -> tuple[FloatArray, FloatArray]:
        """Mean and SD of the predicted log hazard ratio at every node, (..., nodes) each.

        Raises
        ------
        UsageError
            If a size is stated but the comparisons' own sizes are not known.
        """
        mean = self.node_intercept + self.node_slope * np.asarray(x, dtype=np.float64)[..., None]
        variance = self.node_variance
        if band == "prediction":
            variance = variance + self.node_sigma**2 + self._own_variance(n)
        return mean, np.broadcast_to(np.sqrt(variance), mean.shape)

    def _own_variance(self, n: float | None) -> float:
        size = self.new_n if n is None else n
        if size is None or np.isinf(size):
            return 0.0
        if np.isnan(self.trial_variance):
            raise UsageError(
                "a prediction for a new trial of stated size needs the number of patients of the comparisons"
            )
        return self.trial_variance / size

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
            Patients of the new trial; ``inf`` = its true effect. Default: ``new_n`` of the line.
        level : float
        band : {"prediction", "confidence"}
            ``confidence`` is the interval of the line itself, which is *not* a prediction.

        Returns
        -------
        median, low, high : arrays shaped like ``log_hr``
        """
        level = confidence_level(level)
        x = np.asarray(log_hr, dtype=np.float64)
        mean, sd = self.at(x.ravel(), n, band)
        found = mixture_quantile((0.5, 0.5 - level / 2, 0.5 + level / 2), self.weight, mean, sd)
        median, low, high = found.T.reshape(3, *x.shape)
        return median, low, high

    @property
    def scatter_known(self) -> bool:
        """True: a posterior tells the scatter of true effects from sampling error."""
        return True

    def predict_observed(self, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
        """Predict the observed final effect of a trial from its observed surrogate effect, which is not shrunken.

        Parameters
        ----------
        trial : ObservedEffects
            Its final effect is not used.
        joins : bool
            Without effect: the posterior is taken as it is.
        """
        slope, weight = self.node_slope, self.weight
        parts = error_parts(slope, np.array(np.inf), trial)
        sd = np.sqrt(sum(parts.values()) + self.node_sigma**2 + self.node_variance)
        mean = self.node_intercept + slope * trial.log_hr
        components = {name: float(weight @ np.broadcast_to(value, weight.shape)) for name, value in parts.items()}
        spread = float(weight @ (mean - weight @ mean) ** 2)
        components |= {
            "parameters": float(weight @ self.node_variance) + spread,
            "sigma_cond": float(weight @ self.node_sigma**2),
        }
        return PredictiveDistribution(weight, mean, sd, None, components)

    def probability_below(self, x: npt.ArrayLike, n: float | None = None, band: Band = "prediction") -> FloatArray:
        """Probability of a final hazard ratio below 1 at surrogate log hazard ratios ``x``."""
        mean, sd = self.at(x, n, band)
        return mixture_cdf(np.zeros(mean.shape[:-1]), self.weight, mean, sd)

    def threshold(self, level: float = LEVEL, band: Band = "prediction") -> ThresholdEffect:
        """Surrogate threshold effect by a band at a level."""
        return self._threshold(*self._search(band), confidence_level(level), band)

    def thresholds(self, level: float = LEVEL) -> dict[str, ThresholdEffect]:
        """Surrogate threshold effects by either band at ``level``, and at 80 %."""
        level = confidence_level(level)
        found = {}
        for band in get_args(Band):
            searched = self._search(band)
            found[f"ste_{band}"] = self._threshold(*searched, level, band)
            found[f"ste_{band}_80"] = self._threshold(*searched, 0.8, band)
        return found

    def _search(self, band: Band) -> tuple[FloatArray, FloatArray]:
        """Surrogate effects and ``P(final HR < 1)`` at each, closer together about the most certain one."""
        x = SEARCH
        certainty = self.probability_below(x, band=band)
        for _ in range(2):
            top = int(np.clip(certainty[x < 1.5].argmax(), 1, len(x) - 2))
            between = np.linspace(x[top - 1], x[top + 1], 8)[1:-1]
            x, where = np.unique(np.concatenate([x, between]), return_index=True)
            certainty = np.concatenate([certainty, self.probability_below(between, band=band)])[where]
        return x, certainty

    def _median_intercept(self) -> float:
        """Intercept of the line, worked out where it has not been filled in."""
        if np.isfinite(self.intercept):
            return self.intercept
        mean, sd = self.node_intercept[None], np.sqrt(self.node_variance)[None]
        return float(mixture_quantile((0.5,), self.weight, mean, sd)[0, 0])

    def _threshold(self, at: FloatArray, certainty: FloatArray, level: float, band: Band) -> ThresholdEffect:
        """Threshold effect: the weakest effect from which on ``P(final HR < 1)`` is (1 + level) / 2 at least.

        A region that holds the weakest effects of all is one of surrogate harm, not a threshold. One that reaches from
        stronger effects to beyond a surrogate hazard ratio of 1 needs no surrogate effect
        (``benefit-without-surrogate-effect``).
        """
        wanted = 0.5 + level / 2
        stated = self.new_n if band == "prediction" and self.new_n is not None and np.isfinite(self.new_n) else None

        def crossing(a: int) -> float:
            """Return the place between two points of the search where the probability is the wanted one."""
            x, excess = at[a : a + 2], certainty[a : a + 2] - wanted
            for _ in range(3):
                finer = np.linspace(x[0], x[1], 6)
                more = np.concatenate([excess[:1], self.probability_below(finer[1:-1], band=band) - wanted, excess[1:]])
                change = int(np.flatnonzero((more[:-1] >= 0) != (more[1:] >= 0))[0])
                x, excess = finer[change : change + 2], more[change : change + 2]
            return float(x[0] - excess[0] * (x[1] - x[0]) / (excess[1] - excess[0]))

        def result(
            status: ThresholdStatus, weakest: float | None = None, other: float | None = None
        ) -> ThresholdEffect:
            hr, hr_other = (None if value is None else float(np.exp(value)) for value in (weakest, other))
            low, high = self.data_range
            beyond = any(value is not None and not low <= value <= high for value in (weakest, other))
            return ThresholdEffect(hr, status, band, level, stated, hr_other, self.new_trial(), beyond)

        inside = certainty >= wanted
        falls = np.flatnonzero(inside[:-1] & ~inside[1:])  # going up: from inside to outside
        if inside[-1] or not len(falls):
            return result("none")
        weakest = crossing(int(falls[-1]))
        rises = np.flatnonzero(~inside[: falls[-1]] & inside[1 : falls[-1] + 1])
        strongest = crossing(int(rises[-1])) if len(rises) else -np.inf
        if strongest > 0:  # benefit is predicted only where the surrogate shows harm
            return result("none")
        if weakest > ROUNDING:
            reached = result("benefit-without-surrogate-effect", weakest)
            return replace(reached, hr=None, crossing=reached.hr, intercept=self._median_intercept())
        if len(rises):
            return result("two-sided", weakest, strongest)
        return result("exists" if self.data_range[0] <= weakest <= self.data_range[1] else "outside-data", weakest)
