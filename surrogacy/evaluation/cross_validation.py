"""Leave-one-out cross-validation: the observed final effect of each trial is predicted from the other trials.

The final effect y2 of a trial is left out, its surrogate effect y1 is kept, and y2 is predicted with the sampling error
of the trial (`surrogacy.models.prediction`). With ``k = (T12 + r s1 s2) / (T11 + s1^2)`` the bivariate model predicts

    E = mu2 + k (y1 - mu1),   Var = T22 + s2^2 - (T12 + r s1 s2)^2 / (T11 + s1^2) + uncertainty of the parameters

ML, REML and the weighted regression are refitted without the trial. An exact posterior keeps the surrogate effect of
the trial and loses its final effect. All comparisons of a trial are left out together; each is predicted separately.

The *standard-error multiplier* is the width of the prediction interval relative to the trial's confidence interval,

    multiplier = geometric mean over trials of [(high - low) / 2 z] / s2,   z = 1.96

The prediction refers to the observed effect and therefore includes s2: 1 means that the prediction adds no uncertainty
to the sampling error. The multiplier can fall below 1, to sqrt(1 - r^2) at the least, because the surrogate effect
explains part of the sampling error (r is the within-trial correlation). Baker and others use the quantity as a summary
of the additional uncertainty of a predicted result, in units of the standard error. Only the abstracts of their papers
were available; the geometric mean over trials is a choice of this package.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Bujkiewicz, Achana, Papanikos, Riley, Abrams (2019), NICE DSU Technical Support Document 20.
Baker, Sargent, Buyse, Burzykowski (2012), doi:10.1111/j.1541-0420.2011.01646.x.
Baker, Kramer (2013), doi:10.1093/jnci/djs527.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import SurrogacyError, UsageError
from surrogacy.evaluation.records import Record
from surrogacy.evaluation.refits import Fit, FitWithoutTrial, without_each_trial, without_extras
from surrogacy.models import Model
from surrogacy.models.prediction import predict_final
from surrogacy.results.levels import LEVEL
from surrogacy.results.requirements import Requirement
from surrogacy.results.result import Result
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution

RESOLUTION = 1e-9  # log hazard ratio; smaller differences are rounding errors
LOWER_LEVEL = 0.80  # IQWiG's "hint"
NORMAL = float(ndtri(0.5 + LEVEL / 2))


@dataclass(frozen=True)
class PredictedEffect:
    """Predictive distribution of a final log hazard ratio, compared with the observed value.

    Parameters
    ----------
    boundary : bool
        True if the fit lies on the boundary.
    predicted, sd : float
        Median and standard deviation of the prediction.
    low, high, low_80, high_80 : float
        Limits of the 95 % and the 80 % prediction interval.
    covered, covered_80 : bool
        True if the interval includes the observed effect.
    same_sign : bool
        True if predicted and observed effect lie on the same side of no effect.
    residual : float
        (observed - mean) / SD of the prediction.
    percentile : float
        Predictive probability of an effect at or below the observed one, in [0, 1].
    multiplier : float
        Half-width of the 95 % interval over 1.96 standard errors of the observed effect.
    """

    boundary: bool
    predicted: float
    sd: float
    low: float
    high: float
    covered: bool
    low_80: float
    high_80: float
    covered_80: bool
    same_sign: bool
    residual: float
    percentile: float
    multiplier: float


@dataclass(frozen=True)
class PredictedComparison:
    """Comparison whose final effect is predicted from other comparisons.

    Parameters
    ----------
    comparison, trial, label : str
    k : int or None
        Comparisons in the fit; None if the model could not be fitted.
    surrogate, observed, se_final : float
        Log hazard ratios, and the standard error of the final one.
    prediction : PredictedEffect or None
    problem : str
        Reason why the effect could not be predicted; otherwise empty.
    """

    comparison: str
    trial: str
    label: str
    k: int | None
    surrogate: float
    observed: float
    se_final: float
    prediction: PredictedEffect | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted and observed final effects of comparisons that are not in the fit.

    Parameters
    ----------
    model : str
        Name on the command line.
    comparisons : tuple of PredictedComparison
    """

    model: str
    comparisons: tuple[PredictedComparison, ...]

    @property
    def predicted(self) -> tuple[PredictedComparison, ...]:
        """Comparisons with a prediction."""
        return tuple(comparison for comparison in self.comparisons if comparison.prediction is not None)

    @property
    def records(self) -> list[Record]:
        """Records of the comparisons."""
        return [comparison_record(comparison) for comparison in self.comparisons]

    def _values(self, name: str) -> FloatArray:
        return np.array([comparison_record(entry)[name] for entry in self.predicted], dtype=np.float64)

    @property
    def coverage(self) -> tuple[int, int]:
        """Number of observed effects within their 95 % interval, and number of predictions."""
        return int(self._values("covered").sum()), len(self.predicted)

    @property
    def coverage_80(self) -> tuple[int, int]:
        """Number of observed effects within their 80 % interval, and number of predictions."""
        return int(self._values("covered_80").sum()), len(self.predicted)

    @property
    def sign_agreement(self) -> tuple[int, int]:
        """Number of predicted effects on the same side of no effect as the observed one, and number of predictions."""
        return int(self._values("same_sign").sum()), len(self.predicted)

    @property
    def outside(self) -> tuple[str, ...]:
        """Comparisons whose observed effect lies outside the 95 % interval."""
        predictions = [(entry.comparison, entry.prediction) for entry in self.predicted]
        return tuple(name for name, prediction in predictions if prediction is not None and not prediction.covered)

    @property
    def mean_width(self) -> float:
        """Mean width of the 95 % intervals, log scale; NaN without a prediction."""
        return _mean(self._values("high") - self._values("low"))

    @property
    def rmse(self) -> float:
        """Root mean squared difference of observed and predicted log hazard ratio; NaN without a prediction."""
        return float(np.sqrt(_mean((self._values("observed") - self._values("predicted")) ** 2)))

    @property
    def baker_kramer_multiplier(self) -> float:
        """Standard-error multiplier, geometric mean over comparisons with a standard error; NaN without one."""
        multipliers = self._values("multiplier")
        return float(np.exp(_mean(np.log(multipliers[np.isfinite(multipliers)]))))

    @property
    def calibration(self) -> tuple[float, float] | None:
        """Intercept and slope of observed on predicted effects, weighted by 1 / predictive variance; ideally 0 and 1.

        None with fewer than three predictions, if they are equal, or if a prediction has no variance.
        """
        predicted = self._values("predicted")
        sd = self._values("sd")
        # equal printed effects give a perfect fit, whose predictions have no variance
        if len(predicted) < 3 or np.ptp(predicted) <= RESOLUTION or sd.min() <= RESOLUTION:
            return None
        slope, intercept = np.polyfit(predicted, self._values("observed"), 1, w=1 / sd)
        return float(intercept), float(slope)

    def summary(self) -> Record:
        """Return the record of all predictions together."""
        intercept, slope = self.calibration or (None, None)
        return {
            "model": self.model,
            "k": len(self.predicted),
            "covered": self.coverage[0],
            "covered_80": self.coverage_80[0],
            "same_sign": self.sign_agreement[0],
            "outside": ", ".join(self.outside),
            "mean_width": self.mean_width,
            "rmse": self.rmse,
            "baker_kramer_multiplier": self.baker_kramer_multiplier,
            "calibration_intercept": intercept,
            "calibration_slope": slope,
            "not_predicted": len(self.comparisons) - len(self.predicted),
        }


@dataclass(frozen=True, eq=False)
class CrossValidation(Predictions):
    """Predictions of each trial from the other trials; see `Predictions`."""


def cross_validate(model: Model, effects: Effects, fits: Sequence[FitWithoutTrial] | None = None) -> CrossValidation:
    """Predict the observed final effect of every trial from the fit to the others.

    Parameters
    ----------
    model : Model
        Model with a surrogacy line.
    effects : Effects
    fits : sequence of FitWithoutTrial, optional
        Output of `surrogacy.evaluation.refits.without_each_trial`, if available.

    Returns
    -------
    CrossValidation

    Raises
    ------
    UsageError
        If the model has no line.
    FitError
        If the model cannot be fitted to all comparisons.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> cross_validate(WeightedRegression(), effects).coverage
    (14, 16)
    """
    if fits is None:
        refuse_without_line(without_extras(model).fit(effects))
        fits = without_each_trial(model, effects)
    fit_of = {entry.trial: entry.fit for entry in fits}
    places = [i for i, trial in enumerate(effects.trial) if trial in fit_of]
    return CrossValidation(model.name, tuple(predict_comparison(fit_of[effects.trial[i]], effects, i) for i in places))


def predict_comparison(fitted: Fit, effects: Effects, i: int) -> PredictedComparison:
    """Predict the observed final effect of comparison ``i`` from a fit to other comparisons."""
    (y1, y2), (s1, s2) = effects.log_hr[i].tolist(), effects.se[i].tolist()
    k = None if isinstance(fitted, SurrogacyError) else len(fitted.effects)
    names = effects.comparison[i], effects.trial[i], effects.labels[i]

    def without(problem: str) -> PredictedComparison:
        return PredictedComparison(*names, k, y1, y2, s2, problem=problem)

    if isinstance(fitted, SurrogacyError):
        return without(str(fitted))
    if fitted.line is None:
        return without("no line: the surrogate effects of the others do not differ beyond chance")
    if not effects.complete[i]:
        return without("one of the two effects was not reported")
    if Requirement.STANDARD_ERRORS in fitted.requires and not effects.has_standard_errors[i]:
        return without("the comparison has no standard errors")
    trial = ObservedEffects(y1, s1, y2, s2, float(effects.rho_within[i]), float(effects.n[i]))
    try:
        distribution = predict_final(fitted, trial, joins=True)
    except UsageError as error:  # the fit cannot derive the sampling error for the size of this trial
        return without(str(error))
    return PredictedComparison(*names, k, y1, y2, s2, score_predictions(distribution, y2, s2, fitted.on_boundary))


def score_predictions(
    distribution: PredictiveDistribution, observed: float, se_final: float, boundary: bool = False
) -> PredictedEffect:
    """Compare a predictive distribution with the observed effect.

    Parameters
    ----------
    distribution : PredictiveDistribution
    observed, se_final : float
        Final log hazard ratio and its standard error.
    boundary : bool
        True if the fit lies on the boundary.
    """
    low, high = distribution.interval(LEVEL)
    low_80, high_80 = distribution.interval(LOWER_LEVEL)
    median = distribution.quantile(0.5)
    mean = float(distribution.weight @ distribution.mean)
    sd = float(np.sqrt(distribution.weight @ (distribution.sd**2 + (distribution.mean - mean) ** 2)))
    return PredictedEffect(
        boundary,
        median,
        sd,
        low,
        high,
        low <= observed <= high,
        low_80,
        high_80,
        low_80 <= observed <= high_80,
        bool(np.sign(median) == np.sign(observed)),
        (observed - mean) / sd,
        distribution.probability_below(observed),
        (high - low) / (2 * NORMAL) / se_final,
    )


def comparison_record(comparison: PredictedComparison) -> Record:
    """Return the record of a comparison: its prediction, or the problem."""
    record: Record = {name: value for name, value in vars(comparison).items() if name not in ("prediction", "problem")}
    prediction = comparison.prediction
    return record | ({"problem": comparison.problem} if prediction is None else vars(prediction))


def refuse_without_line(result: Result) -> None:
    """Refuse a model without a line to predict from.

    Raises
    ------
    UsageError
    """
    if result.line is None and "slope" not in result.estimates:
        raise UsageError(f"{result.model} is a correlation: it has no line that predicts a trial")


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")
