"""Result of a moderated line: the line, its predictions and its measures at any value of the moderator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import UsageError
from surrogacy.models.exact.bivariate_posterior import KIND
from surrogacy.models.exact.line_posterior import LinePosterior
from surrogacy.models.moderator import Moderator
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import Result
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from surrogacy.stats.predictive import Prediction

if TYPE_CHECKING:
    from surrogacy.models.moderated_line import ModeratedLine

QUARTILES = (0.25, 0.5, 0.75)
COEFFICIENTS = ("intercept", "intercept_difference", "slope", "slope_difference")


@dataclass(frozen=True, eq=False)
class Moderation:
    """Posterior of a moderated line, of the line without moderator, and what is read off them.

    Parameters
    ----------
    model : ModeratedLine
    posterior, alone : LinePosterior
        With the moderator, and the line without it on the same comparisons.
    moderator : Moderator
        Of the comparisons in the fit.
    centre : float
        Its mean: z = value - centre.
    result : Result
        ``intercept``, ``slope``, ``intercept_difference``, ``slope_difference``, ``sigma_cond``, measures and
        caveats; its line is that at the mean of the moderator.
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
        """The surrogacy line of trials with this value of the moderator: its bands, predictions and thresholds."""
        z = self._z(value)
        weight, slopes, sigma, _ = self.posterior.grid.nodes()
        u = np.array([1.0, z])
        surrogate = self.posterior.effects.log_hr[:, 0]
        mean, variance = self.posterior.mean @ u, np.einsum("c,ncd,d->n", u, self.posterior.covariance, u)
        return MixtureLine(
            intercept=float(mixture_quantile((0.5,), weight, mean[None], np.sqrt(variance)[None])[0, 0]),
            slope=float(self.posterior.grid.quantiles((1.0, z), (0.5,))[0]),
            weight=weight,
            node_intercept=mean,
            node_variance=variance,
            node_slope=slopes @ u,
            node_sigma=sigma,
            trial_variance=unit_variance(self.posterior.effects),
            new_n=self.model.new_n,
            data_range=(float(surrogate.min()), float(surrogate.max())),
        )

    def slope_at(self, value: float) -> Estimate:
        """Slope of trials with this value of the moderator."""
        combination = (1.0, self._z(value))
        median, low, high = map(float, self.posterior.grid.quantiles(combination, self.model.probabilities))
        return Estimate(median, self.posterior.grid.moments(combination)[1], low, high, self.model.level, KIND)

    def r2_at(self, value: float) -> Estimate:
        """Conditional R2 of trials with this value; see the module."""
        weight, slopes, sigma, _ = self.posterior.grid.nodes()
        explained = (slopes @ np.array([1.0, self._z(value)])) ** 2 * surrogate_variance(self.posterior.effects)
        r2 = explained / (explained + sigma**2)
        order = np.argsort(r2)
        below = np.cumsum(weight[order]) - weight[order] / 2
        median, low, high = map(float, np.interp(self.model.probabilities, below, r2[order]))
        return Estimate(
            median,
            None,
            low,
            high,
            self.model.level,
            f"{KIND}; variance of true surrogate effects by moments, taken as known",
        )

    def predict(self, log_hr: float, value: float, se: float | None = None, level: float | None = None) -> Prediction:
        """The OS effect of a new trial with a true surrogate effect and a value of the moderator.

        Parameters
        ----------
        log_hr : float
            Surrogate log hazard ratio, taken as known.
        value : float
            Of the moderator, in its own units (log PPS / PFS).
        se : float, optional
            Standard error that the OS log hazard ratio will have; without it only the true effect is predicted.
        level : float, optional
            Default: that of the model.
        """
        if not np.isfinite(log_hr) or (se is not None and not se > 0):
            raise UsageError(
                f"a prediction needs a finite log hazard ratio and a standard error above 0; got {log_hr:g}, {se}"
            )
        line = self.line_at(value)
        mean, sd = line.at(log_hr, n=np.inf)
        chosen = self.model.level if level is None else confidence_level(level)

        def predicted(spread: FloatArray) -> tuple[Estimate, float]:
            p = (0.5, 0.5 - chosen / 2, 0.5 + chosen / 2)
            median, low, high = map(float, mixture_quantile(p, line.weight, mean[None], spread[None])[0])
            centre = line.weight @ mean
            total = float(np.sqrt(line.weight @ ((mean - centre) ** 2 + spread**2)))
            return Estimate(median, total, low, high, chosen, KIND), float(
                mixture_cdf(np.zeros(()), line.weight, mean, spread)
            )

        true, below = predicted(sd)
        if se is None:
            return Prediction(true, None, below, None)
        observed, observed_below = predicted(np.sqrt(sd**2 + se**2))
        return Prediction(true, observed, below, observed_below)

    def places(self, quantiles: Sequence[float]) -> list[tuple[str, float]]:
        """Quantiles of the moderator, or both levels of one with two: in words, and the value."""
        if self.moderator.levels:
            return [(level, float(number)) for number, level in enumerate(self.moderator.levels)]
        return [(f"{quantile:g}", float(np.quantile(self.moderator.values, quantile))) for quantile in quantiles]

    def at_quantiles(self, quantiles: Sequence[float] = QUARTILES, log_hr: float | None = None) -> list[dict[str, Any]]:
        """The line at quantiles of the moderator, or at both levels of one with two.

        Parameters
        ----------
        quantiles : sequence of float
        log_hr : float, optional
            Surrogate effect that a prediction is made at; default: the median of the comparisons.

        Returns
        -------
        list of dict
            place (quantile or level), value, label, slope and prediction (Estimate; log hazard ratio of OS),
            ste_prediction, ste_confidence (ThresholdEffect).
        """
        x = float(np.median(self.posterior.effects.log_hr[:, 0])) if log_hr is None else log_hr
        records = []
        for place, value in self.places(quantiles):
            thresholds = self.line_at(value).thresholds(self.model.level)
            record = {
                "place": place,
                "value": value,
                "label": self.moderator.label(value),
                "slope": self.slope_at(value),
            }
            record |= {"log_hr": x, "prediction": self.predict(x, value).true}
            records.append(record | {name: thresholds[name] for name in ("ste_prediction", "ste_confidence")})
        return records

    def first_order_bias(self) -> dict[str, Mapping[str, float]]:
        """First-order bias of the coefficients by two errors, ``(X'WX)^-1 sum w_i E[error of X_i x error of y_i]``.

        Returns
        -------
        dict
            ``surrogate_error`` (vague true surrogate effects) and ``shared_control_error`` (moderator and effects
            from one control arm), each a mapping of coefficient to bias.
        """
        effects, z = self.posterior.effects, self.moderator.values - self.centre
        (s1, s2), x = effects.se.T, effects.log_hr[:, 0]
        slope = self.result["slope"].value + self.result["slope_difference"].value * z
        _, weight = self.weighted_design()
        bread = np.linalg.inv(self.information())
        vague = self.model.surrogate.sd > 3 * np.std(
            x
        )  # else x is shrunken, and what is left of its error does not go with it
        pull = np.where(vague, effects.rho_within * s1 * s2 - slope * s1**2, 0.0)
        # errors of the control arm: of both log hazards, with y2 - B y1
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
        """Columns (1, z, x, z x), and the precision of each final estimate about the line at the posterior medians."""
        effects, z = self.posterior.effects, self.moderator.values - self.centre
        (s1, s2), x = effects.se.T, effects.log_hr[:, 0]
        slope = self.result["slope"].value + self.result["slope_difference"].value * z
        sampling = s2**2 - 2 * slope * effects.rho_within * s1 * s2 + slope**2 * s1**2
        return np.column_stack([np.ones_like(x), z, x, z * x]), 1 / (self.result["sigma_cond"].value ** 2 + sampling)

    def information(self) -> FloatArray:
        """(4, 4) precision of (a, c, b, g) at the posterior medians: of weighted least squares, and of the priors."""
        columns, weight = self.weighted_design()
        priors = [getattr(self.model, name).sd ** -2.0 for name in COEFFICIENTS]
        return np.asarray(columns.T @ (weight[:, None] * columns) + np.diag(priors))

    def _z(self, value: float) -> float:
        if not np.isfinite(value):
            raise UsageError(f"a value of {self.moderator.name} is a finite number; got {value:g}")
        return float(value) - self.centre


def surrogate_variance(effects: Effects) -> float:
    """Variance of the true surrogate effects between trials by moments (DerSimonian, Laird 1986), 0 at least."""
    y, weight = effects.log_hr[:, 0], effects.se[:, 0] ** -2.0
    q = float(weight @ (y - weight @ y / weight.sum()) ** 2)
    return max(0.0, (q - (len(y) - 1)) / float(weight.sum() - (weight**2).sum() / weight.sum()))
