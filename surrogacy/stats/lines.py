"""Line that predicts the final effect from the surrogate effect, with its bands and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.results.estimate import TRUE_EFFECT, Band, NewTrialSize, ThresholdEffect, ThresholdStatus
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.results.result import NO_SCATTER, SurrogacyLine
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution
from surrogacy.stats.true_effects import TrueEffects

NEEDS_PATIENTS = "a prediction for a new trial of stated size needs the number of patients of the comparisons"
# No randomised trial has a stronger effect; a threshold beyond it counts as none.
STRONGEST_HR = 0.05
WEAKEST_HR = 5.0  # no randomised trial has a more harmful effect
FLATTEST = 1e-9  # slopes below it count as 0
ROUNDING = 1e-12  # a threshold whose log hazard ratio is smaller is one at a hazard ratio of 1


def data_range(effects: Effects) -> tuple[float, float]:
    """Smallest and largest observed surrogate log hazard ratio."""
    surrogate = effects.log_hr[:, 0]
    return float(np.nanmin(surrogate)), float(np.nanmax(surrogate))


def ignores_surrogate_errors(line: SurrogacyLine | None) -> bool:
    """Return whether a line is a regression on the observed surrogate effects."""
    return isinstance(line, Line) and line.true_effects is None


@dataclass(frozen=True)
class Line:
    """Surrogacy line ``log HR(final) = intercept + slope * log HR(surrogate)`` with its bands.

    The variance of a prediction at ``x`` for a new trial of ``n`` patients is
    ``(1, x) covariance (1, x)' + sigma**2 + trial_variance / n**exponent``. If neither the caller nor ``new_n`` states
    a size, the last term is ``default_variance``.

    Parameters
    ----------
    intercept, slope : float
    covariance : (2, 2) array
        Covariance of (intercept, slope).
    sigma : float
        SD of the true final effects about the line; 0 for a model without it (weighted regression).
    trial_variance : float
        Sampling variance of the final effect of a new trial with one patient.
    exponent : float
        Exponent with which that variance decreases with the number of patients (1; 1/2 for sqrt-n weights; 0 for equal
        weights).
    new_n : float or None
        Default size of the new trial.
    degrees_of_freedom : float or None
        Degrees of freedom of the t quantile; None = normal.
    data_range : tuple of float
        Smallest and largest observed surrogate log HR.
    default_variance : float
        Sampling variance of the final effect of a new trial without a stated size.
    default_size : NewTrialSize
        Size of that trial in words.
    scatter_known : bool
        Whether the scatter of the true effects about the line is known separately from the sampling error. Without it,
        as in a weighted regression, the observed effect of a trial of some size can be predicted, but not a true effect
        (``n = inf``).
    true_effects : TrueEffects or None
        Distribution of the true effects; with it an observed surrogate effect is shrunken.

    Examples
    --------
    >>> line = Line(0.0, 0.5, np.zeros((2, 2)), 0.1, 4.0, 1.0, None, None, (-1.0, 0.0))
    >>> mean, low, high = line.predict(-0.5)
    >>> round(float(high), 3), str(line.threshold())
    (-0.054, '0.68 (95% prediction band, new trial: its true effect)')
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
    default_variance: float = 0.0
    default_size: NewTrialSize = TRUE_EFFECT
    scatter_known: bool = True
    true_effects: TrueEffects | None = None

    def quantile(self, level: float = LEVEL) -> float:
        """Two-sided quantile of the band."""
        upper = 0.5 + confidence_level(level) / 2.0
        if self.degrees_of_freedom is None:
            return float(ndtri(upper))
        return float(stdtrit(self.degrees_of_freedom, upper))

    def added_variance(self, n: float | None = None, band: Band = "prediction") -> float:
        """Variance of the effect of a new trial of ``n`` patients about the line.

        Raises
        ------
        UsageError
            If a size is stated and the sizes of the comparisons are unknown, or ``n`` is infinite and the scatter of
            the true effects is unknown.
        """
        if band == "confidence":
            return 0.0
        size = self.new_n if n is None else n
        if not self.scatter_known and size is not None and np.isinf(size):
            raise UsageError(NO_SCATTER)
        if size is None or self.exponent == 0.0:
            return self.sigma**2 + self.default_variance
        if np.isinf(size):
            return self.sigma**2
        if np.isnan(self.trial_variance):
            raise UsageError(NEEDS_PATIENTS)
        return float(self.sigma**2 + self.trial_variance / size**self.exponent)

    def new_trial(self, n: float | None = None) -> NewTrialSize:
        """Size of the new trial of a prediction."""
        size = self.new_n if n is None else n
        return self.default_size if size is None or self.exponent == 0.0 else NewTrialSize.of(size)

    def predict(
        self, log_hr: npt.ArrayLike, n: float | None = None, level: float = LEVEL, band: Band = "prediction"
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Predict the final log hazard ratio from a surrogate log hazard ratio known without error.

        Parameters
        ----------
        log_hr : array-like
            Surrogate log hazard ratios.
        n : float, optional
            Number of patients of the new trial; ``inf`` = its true effect. Default: ``new_n`` of the line.
        level : float
        band : {"prediction", "confidence"}
            ``confidence`` is the band of the mean, which is *not* a prediction interval.

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

    def threshold(self, level: float = LEVEL, band: Band = "prediction", new_n: float | None = None) -> ThresholdEffect:
        """Surrogate threshold effect: where the upper band crosses no effect on the final endpoint.

        With ``m(a) = intercept + slope a`` and ``Var(a) = (1, a) C (1, a)' + v`` the upper limit
        ``m + q sqrt(Var)`` is 0 where ``m^2 = q^2 Var`` and ``m < 0``: a quadratic in ``a``.
        The region where the limit is below 0 is a half-line if ``slope^2 > q^2 C22``; otherwise it is
        an interval (two-sided) or empty. A root beyond ``STRONGEST_HR`` counts as none. A root above a surrogate hazard
        ratio of 1 is not a threshold: the limit is below 0 without a surrogate effect
        (``benefit-without-surrogate-effect``).

        Parameters
        ----------
        level : float
            Two-sided level of the band.
        band : {"prediction", "confidence"}
        new_n : float, optional
            Patients of the new trial; default: ``new_n`` of the line.

        Returns
        -------
        ThresholdEffect

        References
        ----------
        Burzykowski, Buyse (2006), doi:10.1002/pst.207.
        """
        level = confidence_level(level)
        size = self.new_n if new_n is None else new_n
        stated = None if size is None or np.isinf(size) or band == "confidence" or self.exponent == 0 else float(size)

        def result(status: ThresholdStatus, log_hr: float | None = None, other: float | None = None) -> ThresholdEffect:
            hr, hr_other = (None if value is None else float(np.exp(min(value, 700.0))) for value in (log_hr, other))
            beyond = any(
                value is not None and not self.data_range[0] <= value <= self.data_range[1] for value in (log_hr, other)
            )
            return ThresholdEffect(hr, status, band, level, stated, hr_other, self.new_trial(size), beyond)

        q2 = self.quantile(level) ** 2
        c = self.covariance
        if self.slope < FLATTEST or not (np.isfinite(c).all() and np.isfinite([self.intercept, self.slope]).all()):
            return result("none")  # such a line predicts benefit only for surrogate harm
        quadratic = self.slope**2 - q2 * c[1, 1]
        linear = 2.0 * (self.intercept * self.slope - q2 * c[0, 1])
        constant = self.intercept**2 - q2 * (c[0, 0] + self.added_variance(size, band))

        discriminant = linear**2 - 4.0 * quadratic * constant
        if abs(discriminant) < 1e-12 * linear**2:  # without error both roots are the crossing of the line
            discriminant = 0.0
        if discriminant < 0 or quadratic == 0.0:
            return result("none")
        roots = sorted((-linear + sign * np.sqrt(discriminant)) / (2.0 * quadratic) for sign in (-1.0, 1.0))
        roots = [0.0 if abs(root) < ROUNDING else root for root in roots]
        valid = [root for root in roots if self.intercept + self.slope * root < ROUNDING]
        if quadratic < 0:  # benefit is predicted at most for an interval of surrogate effects
            # above 0, benefit is predicted only for surrogate harm
            if len(valid) < 2 or valid[1] < np.log(STRONGEST_HR) or valid[0] > 0:
                return result("none")
            if valid[1] <= 0 and valid[0] > np.log(STRONGEST_HR):
                return result("two-sided", valid[1], valid[0])
            valid = valid[1:]
        if not valid or valid[0] < np.log(STRONGEST_HR):
            return result("none")
        if valid[0] > 0:
            reached = result("benefit-without-surrogate-effect", valid[0])
            return replace(reached, hr=None, crossing=reached.hr, intercept=self.intercept)
        outside = not self.data_range[0] <= valid[0] <= self.data_range[1]
        return result("outside-data" if outside else "exists", valid[0])

    def predict_observed(self, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
        """Predict the observed final effect of a trial from its observed surrogate effect.

        With a distribution of the true effects the observed surrogate effect is shrunken
        (`TrueEffects.predict_observed`). Otherwise the variance is that of the line plus the residual variance of a
        trial of this size, or of this standard error if the model separates the two. The quantiles are those of the
        line, t or normal.

        Parameters
        ----------
        trial : ObservedEffects
            Its final effect is not used.
        joins : bool
            Ignored, because the parameters are not estimated again.
        """
        if self.true_effects is not None:
            prediction = self.true_effects.predict_observed(trial)
            return replace(prediction, degrees_of_freedom=self.degrees_of_freedom)
        x = np.array([1.0, trial.log_hr])
        components = {"parameters": float(x @ self.covariance @ x)}
        if self.scatter_known and np.isfinite(trial.se_final):
            components |= {"sigma_cond": self.sigma**2, "sampling": trial.se_final**2}
        else:
            components["residual"] = self.added_variance(None if np.isnan(trial.n) else trial.n)
        sd = np.array([np.sqrt(sum(components.values()))])
        mean = np.array([self.intercept + self.slope * trial.log_hr])
        return PredictiveDistribution(np.ones(1), mean, sd, self.degrees_of_freedom, components)
