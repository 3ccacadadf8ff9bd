"""Line of a likelihood model whose prediction accounts for the uncertainty of the residual variance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.results.estimate import Band, NewTrialSize, ThresholdEffect
from surrogacy.results.levels import LEVEL
from surrogacy.stats.lines import Line
from surrogacy.stats.mixture_bands import mixture_band, mixture_thresholds
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution
from surrogacy.stats.true_effects import TrueEffects

METHOD = "confidence distribution of the residual SD"


@dataclass(frozen=True, eq=False)
class ResidualMixtureLine:
    """Surrogacy line whose prediction is averaged over a distribution of the residual variance.

    Given a residual variance sigma^2 the true final effect of a new trial is normal about the line, with variance
    sigma^2 plus that of the line, which is recomputed at sigma^2.

    Parameters
    ----------
    plug_in : Line
        Line at the estimates. It gives the confidence band, which is *not* a prediction interval.
    true_effects : TrueEffects
        The nodes: values of the residual variance with their weights.

    Examples
    --------
    >>> plug_in = Line(0.0, 0.5, np.zeros((2, 2)), 0.1, 4.0, 1.0, None, None, (-1.0, 0.0))
    >>> weight, variance = np.array([0.5, 0.5]), np.array([0.005, 0.02])
    >>> effects = TrueEffects(np.array([-0.4, -0.2]), 0.09, 0.5, weight, variance, np.zeros((2, 5, 5)))
    >>> line = ResidualMixtureLine(plug_in, effects)
    >>> round(float(line.predict(-0.5)[2]), 3), str(line.threshold())
    (-0.017, '0.63 (95% prediction band, new trial: its true effect)')
    """

    plug_in: Line
    true_effects: TrueEffects
    scatter_known = True  # the model separates the scatter of true effects from sampling error

    @property
    def intercept(self) -> float:
        """Intercept of the line, log hazard ratio."""
        return self.plug_in.intercept

    median_intercept = intercept

    @property
    def slope(self) -> float:
        """Slope of the line."""
        return self.plug_in.slope

    @property
    def trial_variance(self) -> float:
        """Sampling variance of a new trial of one patient; NaN without numbers of patients."""
        return self.plug_in.trial_variance

    @property
    def new_n(self) -> float | None:
        """Default number of patients of the new trial; None for its true effect."""
        return self.plug_in.new_n

    @property
    def data_range(self) -> tuple[float, float]:
        """Smallest and largest observed surrogate log hazard ratio."""
        return self.plug_in.data_range

    @property
    def weight(self) -> FloatArray:
        """Weights of the nodes."""
        return self.true_effects.weight

    def new_trial(self, n: float | None = None) -> NewTrialSize:
        """Size of the new trial of a prediction."""
        return self.plug_in.new_trial(n)

    def at(self, x: npt.ArrayLike, n: float | None = None, band: Band = "prediction") -> tuple[FloatArray, FloatArray]:
        """Mean and SD of the predicted log hazard ratio at every node, (..., nodes) each.

        Raises
        ------
        UsageError
            If a size is stated and the sizes of the comparisons are unknown.
        """
        log_hr = np.asarray(x, dtype=np.float64)
        variance = self.true_effects.parameter_variance(log_hr)
        if band == "prediction":
            sampling = self.plug_in.added_variance(n) - self.plug_in.sigma**2
            variance = variance + self.true_effects.residual_variance + max(sampling, 0.0)
        mean = (self.intercept + self.slope * log_hr)[..., None]
        return np.broadcast_to(mean, variance.shape), np.sqrt(variance)

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

        Returns
        -------
        mean, low, high : arrays shaped like ``log_hr``
        """
        if band == "confidence":
            return self.plug_in.predict(log_hr, n, level, band)
        return mixture_band(self, log_hr, n, level)

    def threshold(self, level: float = LEVEL, band: Band = "prediction", new_n: float | None = None) -> ThresholdEffect:
        """Surrogate threshold effect by a band at a level, for a new trial of ``new_n`` patients."""
        if band == "confidence":
            return self.plug_in.threshold(level, band)
        (threshold,) = mixture_thresholds(self, band, (level,), new_n)
        return replace(threshold, method=METHOD)

    def predict_observed(self, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
        """Predict the observed final effect of a trial from its observed surrogate effect, which is shrunken.

        Parameters
        ----------
        trial : ObservedEffects
            Its final effect is not used.
        joins : bool
            Ignored, because the parameters are not estimated again.
        """
        return self.true_effects.predict_observed(trial)
