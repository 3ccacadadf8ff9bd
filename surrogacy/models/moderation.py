"""Result of a moderated line: line, predictions and measures at any value of the moderator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Any

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import UsageError
from surrogacy.models.exact.bivariate_posterior import KIND
from surrogacy.models.exact.line_posterior import LinePosterior
from surrogacy.models.moderator import Moderator
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import Result
from surrogacy.stats.lines import data_range
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.mixtures import mixture_quantile
from surrogacy.stats.predictive import Prediction, mixture_estimate

if TYPE_CHECKING:
    from surrogacy.models.moderated_line import ModeratedLine

QUARTILES = (0.25, 0.5, 0.75)
COEFFICIENTS = ("intercept", "intercept_difference", "slope", "slope_difference")


@dataclass(frozen=True)
class LineAtValue:
    """Surrogacy line at one value of a moderator.

    Parameters
    ----------
    place : str
        Quantile or level of the moderator.
    value : float
        Its value.
    label : str
        The value in words.
    slope : Estimate
    log_hr : float
        Surrogate log hazard ratio of the prediction.
    prediction : Estimate
        True log hazard ratio of OS at ``log_hr``.
    ste_prediction, ste_confidence : ThresholdEffect
        Surrogate threshold effects.
    """

    place: str
    value: float
    label: str
    slope: Estimate
    log_hr: float
    prediction: Estimate
    ste_prediction: ThresholdEffect
    ste_confidence: ThresholdEffect

    @property
    def predicted_hr(self) -> tuple[float, float, float]:
        """Median and limits of the prediction as hazard ratios."""
        limits = np.array([self.prediction.value, self.prediction.low, self.prediction.high], dtype=np.float64)
        median, low, high = map(exp, limits)
        return median, low, high


@dataclass(frozen=True, eq=False)
class Moderation:
    """Posterior of a moderated line and of the line without moderator, with their summaries.

    Parameters
    ----------
    model : ModeratedLine
    posterior : LinePosterior
        Posterior of the moderated line.
    alone : LinePosterior
        Posterior of the line without moderator, on the same comparisons.
    moderator : Moderator
        Values of the comparisons in the fit.
    centre : float
        Mean of the moderator: z = value - centre.
    result : Result
        ``intercept``, ``slope``, ``intercept_difference``, ``slope_difference``, ``sigma_cond``, measures and
        caveats; its line is the one at the mean of the moderator.
    """

    model: ModeratedLine
    posterior: LinePosterior
    alone: LinePosterior
    moderator: Moderator
    centre: float
    result: Result

    def __getitem__(self, name: str) -> Any:
        """Return one estimate."""
        return self.result[name]

    def line_at(self, value: float) -> MixtureLine:
        """Surrogacy line of trials with this value of the moderator."""
        z = self._z(value)
        weight, slopes, sigma, _ = self.posterior.grid.nodes()
        u = np.array([1.0, z])
        mean, variance = self.posterior.mean @ u, np.einsum("c,ncd,d->n", u, self.posterior.covariance, u)
        intercept = float(mixture_quantile((0.5,), weight, mean[None], np.sqrt(variance)[None])[0, 0])
        slope, effects = float(self.posterior.grid.quantiles((1.0, z), (0.5,))[0]), self.posterior.effects
        nodes = weight, mean, variance, slopes @ u, sigma
        return MixtureLine(intercept, slope, *nodes, unit_variance(effects), self.model.new_n, data_range(effects))

    def slope_at(self, value: float) -> Estimate:
        """Slope of trials with this value of the moderator."""
        combination = (1.0, self._z(value))
        median, low, high = map(float, self.posterior.grid.quantiles(combination, self.model.probabilities))
        return Estimate(median, self.posterior.grid.moments(combination)[1], low, high, self.model.level, KIND)

    def r2_at(self, value: float) -> Estimate:
        """Conditional R2 of trials with this value, see `surrogacy.models.moderated_line`."""
        weight, slopes, sigma, _ = self.posterior.grid.nodes()
        explained = (slopes @ np.array([1.0, self._z(value)])) ** 2 * surrogate_variance(self.posterior.effects)
        r2 = explained / (explained + sigma**2)
        order = np.argsort(r2)
        below = np.cumsum(weight[order]) - weight[order] / 2
        median, low, high = map(float, np.interp(self.model.probabilities, below, r2[order]))
        words = f"{KIND}; variance of true surrogate effects by moments, treated as known"
        return Estimate(median, None, low, high, self.model.level, words)

    def predict(self, log_hr: float, value: float, se: float | None = None, level: float | None = None) -> Prediction:
        """Predict the OS effect of a new trial from its true surrogate effect and its value of the moderator.

        Parameters
        ----------
        log_hr : float
            Surrogate log hazard ratio, taken as known.
        value : float
            Value of the moderator in its own units (for example log PPS / PFS).
        se : float, optional
            Standard error expected of the OS log hazard ratio; without it only the true effect is predicted.
        level : float, optional
            Level of the interval; default: that of the model.

        Raises
        ------
        UsageError
            If a value is not finite or the standard error is not above 0.
        """
        if not np.isfinite(log_hr) or (se is not None and not se > 0):
            raise UsageError(
                f"a prediction needs a finite log hazard ratio and a standard error above 0; got {log_hr:g}, {se}"
            )
        line = self.line_at(value)
        mean, sd = line.at(log_hr, n=np.inf)
        level = self.model.level if level is None else confidence_level(level)
        true, below = mixture_estimate(line.weight, mean, sd, sd**2, level, KIND)
        if se is None:
            return Prediction(true, None, below, None)
        sd = np.sqrt(sd**2 + se**2)
        observed, observed_below = mixture_estimate(line.weight, mean, sd, sd**2, level, KIND)
        return Prediction(true, observed, below, observed_below)

    def places(self, quantiles: Sequence[float]) -> list[tuple[str, float]]:
        """Quantiles of the moderator in words and as values; both levels if it has two."""
        if self.moderator.levels:
            return [(level, float(number)) for number, level in enumerate(self.moderator.levels)]
        return [(f"{quantile:g}", float(np.quantile(self.moderator.values, quantile))) for quantile in quantiles]

    def at_quantiles(self, quantiles: Sequence[float] = QUARTILES, log_hr: float | None = None) -> list[LineAtValue]:
        """Line at quantiles of the moderator, or at both of its levels.

        Parameters
        ----------
        quantiles : sequence of float
        log_hr : float, optional
            Surrogate log hazard ratio of the predictions; default: the median of the comparisons.
        """
        x = float(np.median(self.posterior.effects.log_hr[:, 0])) if log_hr is None else log_hr
        lines = []
        for place, value in self.places(quantiles):
            thresholds = self.line_at(value).thresholds(self.model.level)
            label, slope, prediction = self.moderator.label(value), self.slope_at(value), self.predict(x, value).true
            bands = thresholds["ste_prediction"], thresholds["ste_confidence"]
            lines.append(LineAtValue(place, value, label, slope, x, prediction, *bands))
        return lines

    def first_order_bias(self) -> dict[str, dict[str, float]]:
        """First-order bias of the coefficients, ``(X'WX)^-1 sum w_i E[error of X_i x error of y_i]``.

        Returns
        -------
        dict of str to dict
            Bias by coefficient: ``surrogate_error`` (vague prior of the true surrogate effects) and
            ``shared_control_error`` (moderator and effects share the errors of one control arm).
        """
        effects, z = self.posterior.effects, self.moderator.values - self.centre
        (s1, s2), x = effects.se.T, effects.log_hr[:, 0]
        slope = self.result["slope"].value + self.result["slope_difference"].value * z
        _, weight = self.weighted_design()
        bread = np.linalg.inv(self.information())
        # with a narrower prior x is shrunken, and its remaining error is not correlated with it
        vague = self.model.surrogate.sd > 3 * np.std(x)
        pull = np.where(vague, effects.rho_within * s1 * s2 - slope * s1**2, 0.0)
        # errors of the control arm: covariance of those of both log hazards with that of y2 - B y1
        (c1, c2), rho = (np.sqrt(effects.control_share) * effects.se).T, effects.rho_within
        shared = self.moderator.sensitivity[:, 0] * (rho * c1 * c2 - slope * c1**2)
        shared = shared + self.moderator.sensitivity[:, 1] * (c2**2 - slope * rho * c1 * c2)
        zero = np.zeros_like(x)
        errors = {
            "surrogate_error": np.stack([zero, zero, pull, z * pull]),
            "shared_control_error": np.stack([zero, shared, zero, x * shared]),
        }
        return {
            name: dict(zip(COEFFICIENTS, map(float, bread @ (error @ weight)), strict=True))
            for name, error in errors.items()
        }

    def weighted_design(self) -> tuple[FloatArray, FloatArray]:
        """Columns (1, z, x, z x), and the precision of each final estimate about the line of posterior medians."""
        effects, z = self.posterior.effects, self.moderator.values - self.centre
        (s1, s2), x = effects.se.T, effects.log_hr[:, 0]
        slope = self.result["slope"].value + self.result["slope_difference"].value * z
        sampling = s2**2 - 2 * slope * effects.rho_within * s1 * s2 + slope**2 * s1**2
        return np.column_stack([np.ones_like(x), z, x, z * x]), 1 / (self.result["sigma_cond"].value ** 2 + sampling)

    def information(self) -> FloatArray:
        """(4, 4) precision of (a, c, b, g) at the posterior medians: weighted least squares plus priors."""
        columns, weight = self.weighted_design()
        priors = [getattr(self.model, name).sd ** -2.0 for name in COEFFICIENTS]
        return np.asarray(columns.T @ (weight[:, None] * columns) + np.diag(priors))

    def _z(self, value: float) -> float:
        if not np.isfinite(value):
            raise UsageError(f"a value of {self.moderator.name} must be a finite number; got {value:g}")
        return float(value) - self.centre


def surrogate_variance(effects: Effects) -> float:
    """Between-trial variance of the true surrogate effects by the method of moments, at least 0.

    References
    ----------
    DerSimonian, Laird (1986), doi:10.1016/0197-2456(86)90046-2.

    Examples
    --------
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> round(surrogate_variance(Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4)), 2)
    0.06
    """
    y, weight = effects.log_hr[:, 0], effects.se[:, 0] ** -2.0
    q = float(weight @ (y - weight @ y / weight.sum()) ** 2)
    return max(0.0, (q - (len(y) - 1)) / float(weight.sum() - (weight**2).sum() / weight.sum()))
