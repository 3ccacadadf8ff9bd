"""Leave-one-trial-out prediction: whether the other trials foretell the final effect that a trial saw.

The final effect y2 of a trial is set aside, its surrogate effect y1 is kept, and y2 is predicted with its own sampling error
(`surrogacy.models.prediction`). With ``k = (T12 + r s1 s2) / (T11 + s1^2)`` the plug-in of the bivariate model is

    E = mu2 + k (y1 - mu1),   Var = T22 + s2^2 - (T12 + r s1 s2)^2 / (T11 + s1^2) + uncertainty of the parameters

ML and REML, and the weighted regression, are refitted without the trial. An exact posterior keeps the trial's surrogate effect
and loses the final one only. All comparisons of a trial leave together; each is then predicted alone.

The *standard-error multiplier* is how much wider the prediction leaves a trial than its own result would,

    multiplier = geometric mean over trials of [(high - low) / 2 z] / s2,   z = 1.96

The prediction is of the observed effect and so holds s2 itself: 1 means that nothing is added to the error that the trial has
anyway. It may fall below 1, to sqrt(1 - r^2) at worst, because the surrogate tells part of that error (r = rho_within). Baker
and others name the quantity as a summary of the further uncertainty of a predicted instead of a true result, in units of the
standard error; only the summaries of their papers were read, and the mean over trials is this package's choice.

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
from typing import Any

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.refits import LeftOut, without_each_trial, without_extras
from surrogacy.models import Model
from surrogacy.models.prediction import predict_final
from surrogacy.results.requirements import Requirement
from surrogacy.results.result import LEVEL, Result
from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution

RESOLUTION = 1e-9  # of a log hazard ratio: smaller differences are rounding errors of the computer
LOWER_LEVEL = 0.80  # IQWiG's "hint"
NORMAL = float(ndtri(0.5 + LEVEL / 2))


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted and observed final effects of comparisons that did not take part in the fit.

    Parameters
    ----------
    model : str
        Name as on the command line.
    records : tuple of dict
        One a comparison: comparison, trial, label, k (comparisons in the fit), boundary, surrogate, observed (log hazard
        ratios), se_final; predicted (median), sd, low, high, covered at 95 %, low_80, high_80, covered_80, same_sign,
        residual ((observed - mean) / SD of the prediction), percentile (of the observed effect in its predictive
        distribution), multiplier; or ``problem`` where nothing could be predicted.
    """

    model: str
    records: tuple[dict[str, Any], ...]

    @property
    def predicted(self) -> tuple[dict[str, Any], ...]:
        """Records that hold a prediction."""
        return tuple(record for record in self.records if "problem" not in record)

    def _values(self, name: str) -> FloatArray:
        return np.array([record[name] for record in self.predicted], dtype=np.float64)

    @property
    def coverage(self) -> tuple[int, int]:
        """How many observed effects lie in their 95 % interval, of how many."""
        return int(self._values("covered").sum()), len(self.predicted)

    @property
    def coverage_80(self) -> tuple[int, int]:
        """How many observed effects lie in their 80 % interval, of how many."""
        return int(self._values("covered_80").sum()), len(self.predicted)

    @property
    def sign_agreement(self) -> tuple[int, int]:
        """How often predicted and observed effect lie on the same side of no effect, of how many."""
        return int(self._values("same_sign").sum()), len(self.predicted)

    @property
    def outside(self) -> tuple[str, ...]:
        """Comparisons whose observed effect lies outside its 95 % interval."""
        return tuple(record["comparison"] for record in self.predicted if not record["covered"])

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

    def summary(self) -> dict[str, Any]:
        """Flat record of what is said of all predictions together."""
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
            "not_predicted": len(self.records) - len(self.predicted),
        }


@dataclass(frozen=True, eq=False)
class CrossValidation(Predictions):
    """Predictions of each trial from the others; see `Predictions`."""


def cross_validate(model: Model, effects: Effects, left_out: Sequence[LeftOut] | None = None) -> CrossValidation:
    """Predict the observed final effect of every trial from the fit to the others.

    Parameters
    ----------
    model : Model
        One with a surrogacy line.
    effects : Effects
    left_out : sequence of LeftOut, optional
        As `surrogacy.evaluation.refits.without_each_trial` gives it, where it is there already.

    Returns
    -------
    CrossValidation

    Raises
    ------
    UsageError
        If the model has no line.
    FitError
        If the model cannot be fitted to all of the effects.
    """
    if left_out is None:
        _refuse_without_line(without_extras(model).fit(effects))
        left_out = without_each_trial(model, effects)
    records: dict[int, dict[str, Any]] = {}
    for one in left_out:
        for i in (i for i, name in enumerate(effects.trial) if name == one.trial):
            records[i] = predict_comparison(one.found, effects, i)
    return CrossValidation(model.name, tuple(records[i] for i in sorted(records)))


def predict_others(fitted: Result, effects: Effects) -> tuple[dict[str, Any], ...]:
    """Predict the observed final effect of every comparison of effects that are not in the fit; see `Predictions`.

    Raises
    ------
    UsageError
        If the model has no line.
    """
    _refuse_without_line(fitted)
    return tuple(predict_comparison(fitted, effects, i) for i in range(len(effects)))


def predict_comparison(fitted: Result | FitError, effects: Effects, i: int) -> dict[str, Any]:
    """Predict the observed final effect of comparison ``i`` from a fit to others; one record of `Predictions`."""
    record: dict[str, Any] = {
        "comparison": effects.comparison[i],
        "trial": effects.trial[i],
        "label": effects.labels[i],
        "k": None if isinstance(fitted, FitError) else len(fitted.effects),
        "surrogate": float(effects.log_hr[i, 0]),
        "observed": float(effects.log_hr[i, 1]),
        "se_final": float(effects.se[i, 1]),
    }
    if isinstance(fitted, FitError):
        return record | {"problem": str(fitted)}
    if fitted.line is None:
        return record | {"problem": "no line: the surrogate effects of the others do not differ beyond chance"}
    if not effects.complete[i]:
        return record | {"problem": "one of the two effects was not reported"}
    if Requirement.STANDARD_ERRORS in fitted.requires and not effects.has_standard_errors[i]:
        return record | {"problem": "the comparison has no standard errors"}
    (y1, y2), (s1, s2) = effects.log_hr[i].tolist(), effects.se[i].tolist()
    trial = ObservedEffects(y1, s1, y2, s2, float(effects.rho_within[i]), float(effects.n[i]))
    try:
        found = predict_final(fitted, trial, joins=True)
    except UsageError as error:  # a size of the trial that the comparisons of the fit cannot tell the error of
        return record | {"problem": str(error)}
    return record | {"boundary": fitted.on_boundary} | score_predictions(found, y2, s2)


def score_predictions(found: PredictiveDistribution, observed: float, se_final: float) -> dict[str, Any]:
    """Set a predictive distribution beside what was observed; part of a record of `Predictions`.

    Parameters
    ----------
    found : PredictiveDistribution
    observed, se_final : float
        Final log hazard ratio and its standard error.
    """
    low, high = found.interval(LEVEL)
    low_80, high_80 = found.interval(LOWER_LEVEL)
    median = found.quantile(0.5)
    mean = float(found.weight @ found.mean)
    sd = float(np.sqrt(found.weight @ (found.sd**2 + (found.mean - mean) ** 2)))
    return {
        "predicted": median,
        "sd": sd,
        "low": low,
        "high": high,
        "covered": low <= observed <= high,
        "low_80": low_80,
        "high_80": high_80,
        "covered_80": low_80 <= observed <= high_80,
        "same_sign": bool(np.sign(median) == np.sign(observed)),
        "residual": (observed - mean) / sd,
        "percentile": found.probability_below(observed),
        "multiplier": (high - low) / (2 * NORMAL) / se_final,
    }


def _refuse_without_line(result: Result) -> None:
    if result.line is None and "slope" not in result.estimates:
        raise UsageError(f"{result.model} is a correlation: it has no line to predict a trial from")


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")


@dataclass(frozen=True, eq=False)
class External(Predictions):
    """Predictions of the comparisons of one set from a fit to another.

    Parameters
    ----------
    training, test : str
        Names of the sets.
    overlap : tuple of str
        Trials of the test set that were left out of it because they are in the training set.
    """

    training: str = ""
    test: str = ""
    overlap: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Flat record of what is said of all predictions together."""
        return {"training": self.training, "test": self.test, **super().summary(), "overlap": ", ".join(self.overlap)}


def external(model: Model, training: Effects, test: Effects) -> External:
    """Fit on one set, and predict the observed final effect of every comparison of another.

    A trial of the test set that is in the training set too is left out of the test set: its final effect is known to the fit.

    Parameters
    ----------
    model : Model
        One with a surrogacy line.
    training, test : Effects

    Raises
    ------
    FitError
        If the model cannot be fitted to the training set.
    UsageError
        If the model has no line, or every trial of the test set is in the training set.
    """
    common = tuple(trial for trial in test.trials if trial in training.trials)
    new = test.take([trial not in common for trial in test.trial])
    if not len(new):
        raise UsageError(
            f"every trial of {test.name or 'the test set'} is in {training.name or 'the training set'} too"
        )
    records = predict_others(without_extras(model).fit(training), new)
    return External(model.name, records, training.name, test.name, common)
