"""Leave-one-trial-out prediction: the observed final effect of a trial, predicted from the other trials.

The final effect y2 of a trial is set aside, its surrogate effect y1 is kept, and y2 is predicted with its own sampling
error (`surrogacy.models.prediction`). With ``k = (T12 + r s1 s2) / (T11 + s1^2)`` the plug-in of the bivariate model is

    E = mu2 + k (y1 - mu1),   Var = T22 + s2^2 - (T12 + r s1 s2)^2 / (T11 + s1^2) + uncertainty of the parameters

ML and REML, and the weighted regression, are refitted without the trial. An exact posterior keeps the trial's surrogate
effect and loses the final one only. All comparisons of a trial leave together; each is then predicted alone.

The *standard-error multiplier* is the width of the prediction over that of the trial's own result,

    multiplier = geometric mean over trials of [(high - low) / 2 z] / s2,   z = 1.96

The prediction is of the observed effect and so holds s2 itself: 1 means that nothing is added to the error that the
trial has anyway. It may fall below 1, to sqrt(1 - r^2) at worst, because the surrogate tells part of that error (r =
rho_within). Baker and others name the quantity as a summary of the further uncertainty of a predicted instead of a true
result, in units of the standard error; only the summaries of their papers were read, and the mean over trials is this
package's choice.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Bujkiewicz, Achana, Papanikos, Riley, Abrams (2019), NICE DSU Technical Support Document 20.
Baker, Sargent, Buyse, Burzykowski (2012), doi:10.1111/j.1541-0420.2011.01646.x.
Baker, Kramer (2013), doi:10.1093/jnci/djs527.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

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

RESOLUTION = 1e-9  # of a log hazard ratio: smaller differences are rounding errors of the computer
LOWER_LEVEL = 0.80  # IQWiG's "hint"
NORMAL = float(ndtri(0.5 + LEVEL / 2))


@dataclass(frozen=True)
class PredictedEffect:
    """Predictive distribution of an observed final log hazard ratio, set beside what was observed.

    Parameters
    ----------
    boundary : bool
        Whether the fit ended on the boundary.
    predicted, sd : float
        Median and standard deviation.
    low, high, low_80, high_80 : float
        Limits of the 95 % and the 80 % prediction interval.
    covered, covered_80 : bool
        Whether they hold the observed effect.
    same_sign : bool
        Whether predicted and observed effect lie on the same side of no effect.
    residual : float
        (observed - mean) / SD of the prediction.
    percentile : float
        Of the observed effect in its predictive distribution, in [0, 1].
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
    """Comparison whose final effect is predicted from others.

    Parameters
    ----------
    comparison, trial, label : str
    k : int or None
        Comparisons in the fit; None without one.
    surrogate, observed, se_final : float
        Log hazard ratios, and the standard error of the final one.
    prediction : PredictedEffect or None
    problem : str
        Reason why nothing could be predicted; empty otherwise.
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
    """Predicted and observed final effects of comparisons that did not take part in the fit.

    Parameters
    ----------
    model : str
        Name as on the command line.
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
        """Record of every comparison."""
        return [comparison_record(comparison) for comparison in self.comparisons]

    def _values(self, name: str) -> FloatArray:
        return np.array([comparison_record(entry)[name] for entry in self.predicted], dtype=np.float64)

    @property
    def coverage(self) -> tuple[int, int]:
        """Number of observed effects in their 95 % interval, and of predictions."""
        return int(self._values("covered").sum()), len(self.predicted)

    @property
    def coverage_80(self) -> tuple[int, int]:
        """Number of observed effects in their 80 % interval, and of predictions."""
        return int(self._values("covered_80").sum()), len(self.predicted)

    @property
    def sign_agreement(self) -> tuple[int, int]:
        """Number of predicted effects on the same side of no effect as the observed one, and of predictions."""
        return int(self._values("same_sign").sum()), len(self.predicted)

    @property
    def outside(self) -> tuple[str, ...]:
        """Comparisons whose observed effect lies outside its 95 % interval."""
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
        """Intercept and slope of observed on predicted effects, weighted by 1 / predictive variance; 0 and 1 are ideal.

        None with fewer than three predictions, where they are all the same, or where one has no variance.
        """
        predicted = self._values("predicted")
        sd = self._values("sd")
        # equal printed effects make a perfect fit, whose predictions have no variance
        if len(predicted) < 3 or np.ptp(predicted) <= RESOLUTION or sd.min() <= RESOLUTION:
            return None
        slope, intercept = np.polyfit(predicted, self._values("observed"), 1, w=1 / sd)
        return float(intercept), float(slope)

    def summary(self) -> Record:
        """Record of all predictions together."""
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
    """Predictions of each trial from the others; see `Predictions`."""


def cross_validate(model: Model, effects: Effects, fits: Sequence[FitWithoutTrial] | None = None) -> CrossValidation:
    """Predict the observed final effect of every trial from the fit to the others.

    Parameters
    ----------
    model : Model
        One with a surrogacy line.
    effects : Effects
    fits : sequence of FitWithoutTrial, optional
        Those of `surrogacy.evaluation.refits.without_each_trial`, where they have been made.

    Returns
    -------
    CrossValidation

    Raises
    ------
    UsageError
        If the model has no line.
    FitError
        If the model cannot be fitted to all of the effects.

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
    """Predict the observed final effect of comparison ``i`` from a fit to others."""
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
    except UsageError as error:  # a size of the trial that the comparisons of the fit cannot tell the error of
        return without(str(error))
    return PredictedComparison(*names, k, y1, y2, s2, score_predictions(distribution, y2, s2, fitted.on_boundary))


def score_predictions(
    distribution: PredictiveDistribution, observed: float, se_final: float, boundary: bool = False
) -> PredictedEffect:
    """Set a predictive distribution beside the observed effect.

    Parameters
    ----------
    distribution : PredictiveDistribution
    observed, se_final : float
        Final log hazard ratio and its standard error.
    boundary : bool
        Whether the fit ended on the boundary.
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
    """Record of a comparison: its prediction, or the problem."""
    record: Record = {name: value for name, value in vars(comparison).items() if name not in ("prediction", "problem")}
    prediction = comparison.prediction
    return record | ({"problem": comparison.problem} if prediction is None else asdict(prediction))


def refuse_without_line(result: Result) -> None:
    """Refuse a model without a line to predict from.

    Raises
    ------
    UsageError
    """
    if result.line is None and "slope" not in result.estimates:
        raise UsageError(f"{result.model} is a correlation: it has no line to predict a trial from")


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")
