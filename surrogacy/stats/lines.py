"""Lines that predict the final effect from the surrogate effect, and their thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import TRUE_EFFECT, Band, NewTrialSize, ThresholdEffect, ThresholdStatus
from surrogacy.results.levels import LEVEL as LEVEL
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import NO_SCATTER
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile

# No randomised trial has an effect beyond this: a band that closes only there gives no threshold.
STRONGEST_HR = 0.05
WEAKEST_HR = 5.0  # nor one of harm beyond this
FLATTEST = 1e-9  # a slope below this is none
ROUNDING = 1e-12  # of a log hazard ratio: a threshold this near to 0 is one at a hazard ratio of 1


@dataclass(frozen=True)
class Line:
    """A surrogacy line ``log HR(final) = intercept + slope * log HR(surrogate)`` with its bands.

    The variance of a prediction at ``x`` for a new trial of ``n`` patients is
    ``(1, x) covariance (1, x)' + sigma**2 + trial_variance / n**exponent``; where neither the caller nor ``new_n``
    states a size, the last term is ``own_variance``.

    Parameters
    ----------
    intercept, slope : float
    covariance : (2, 2) array
        Covariance of (intercept, slope).
    sigma : float
        SD of the true final effect about the line; 0 where the model has none (weighted regression).
    trial_variance : float
        Variance that a new trial's own error adds, for one patient.
    exponent : float
        How that variance falls with the size of the trial (1, 1/2 for sqrt-n weights, 0 for none).
    new_n : float or None
        Size of the new trial taken where a prediction states none.
    own_variance : float
        What a new trial's own error adds where no size is stated.
    own_size : NewTrialSize
        That trial.
    scatter_known : bool
        Whether the scatter of true effects about the line is known apart from the sampling error. Without it, as in a weighted
        regression, the observed effect of a trial of some size can be predicted, a true effect (``n = inf``) cannot.
    degrees_of_freedom : float or None
        Of the t quantile; None = normal.
    data_range : tuple of float
        Smallest and largest observed surrogate log HR.
    """

    intercept: float
    slope: float
    covariance: FloatArray
    sigma: float
    trial_variance: float
    exponent: float
    new_n: float | None
    degrees_of_freedom: float | None
    data_range: tuple[float, float]
    own_variance: float = 0.0
    own_size: NewTrialSize = TRUE_EFFECT
    scatter_known: bool = True

    def quantile(self, level: float = LEVEL) -> float:
        """Two-sided quantile of the band."""
        upper = 0.5 + confidence_level(level) / 2.0
        if self.degrees_of_freedom is None:
            return float(ndtri(upper))
        return float(stdtrit(self.degrees_of_freedom, upper))

    def added_variance(self, n: float | None = None, band: Band = "prediction") -> float:
        """Variance that a new trial of ``n`` patients adds to the variance of the line itself.

        Raises
        ------
        UsageError
            If a size is stated but the comparisons' own sizes are not known, or a true effect is asked for and the scatter of
            true effects is not known.
        """
        if band == "confidence":
            return 0.0
        size = self.new_n if n is None else n
        if not self.scatter_known and size is not None and np.isinf(size):
            raise UsageError(NO_SCATTER)
        if size is None or self.exponent == 0.0:
            return self.sigma**2 + self.own_variance
        if np.isinf(size):
            return self.sigma**2
        if np.isnan(self.trial_variance):
            raise UsageError(
                "a prediction for a new trial of stated size needs the number of patients of the comparisons"
            )
        return float(self.sigma**2 + self.trial_variance / size**self.exponent)

    def new_trial(self, n: float | None = None) -> NewTrialSize:
        """Size of the new trial of a prediction."""
        size = self.new_n if n is None else n
        return self.own_size if size is None or self.exponent == 0.0 else NewTrialSize.of(size)

    def predict(
        self, log_hr: npt.ArrayLike, n: float | None = None, level: float = LEVEL, band: Band = "prediction"
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Predict the final log hazard ratio from a surrogate log hazard ratio known without error.

        Parameters
        ----------
        log_hr : array-like
            Surrogate log hazard ratios.
        n : float, optional
            Patients of the new trial; ``inf`` = its true effect. Default: ``new_n`` of the line.
        level : float
        band : {"prediction", "confidence"}
            ``confidence`` is the band of the mean, which is *not* a prediction.

        Returns
        -------
        mean, low, high : arrays shaped like ``log_hr``
        """
        x = np.asarray(log_hr, dtype=np.float64)
        mean = self.intercept + self.slope * x
        c = self.covariance
        variance = c[0, 0] + 2 * x * c[0, 1] + x**2 * c[1, 1] + self.added_variance(n, band)
        half = self.quantile(level) * np.sqrt(variance)
        return mean, mean - half, mean + half


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

    def probability_below(self, x: npt.ArrayLike, n: float | None = None, band: Band = "prediction") -> FloatArray:
        """Probability of a final hazard ratio below 1 at surrogate log hazard ratios ``x``."""
        mean, sd = self.at(x, n, band)
        return mixture_cdf(np.zeros(mean.shape[:-1]), self.weight, mean, sd)

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
            """Where between two points of the search the probability is the wanted one."""
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
