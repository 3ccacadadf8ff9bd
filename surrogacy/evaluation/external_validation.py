"""External validation: predictions of the comparisons of a set from a fit to another set."""

from __future__ import annotations

from dataclasses import dataclass

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.evaluation.cross_validation import (
    PredictedComparison,
    Predictions,
    predict_comparison,
    refuse_without_line,
)
from surrogacy.evaluation.records import Record
from surrogacy.evaluation.refits import without_extras
from surrogacy.models import Model
from surrogacy.results.result import Result


@dataclass(frozen=True, eq=False)
class External(Predictions):
    """Predictions of the comparisons of a set from a fit to another set.

    Parameters
    ----------
    training, test : str
        Names of the sets.
    overlap : tuple of str
        Trials of the test set that are left out because they are in the training set.
    """

    training: str = ""
    test: str = ""
    overlap: tuple[str, ...] = ()

    def summary(self) -> Record:
        """Return the record of all predictions together."""
        return {"training": self.training, "test": self.test, **super().summary(), "overlap": ", ".join(self.overlap)}


def external(model: Model, training: Effects, test: Effects) -> External:
    """Fit to a training set, and predict the observed final effect of every comparison of a test set.

    A trial that is in both sets is left out of the test set, because the fit has used its final effect.

    Parameters
    ----------
    model : Model
        Model with a surrogacy line.
    training, test : Effects

    Raises
    ------
    FitError
        If the model cannot be fitted to the training set.
    UsageError
        If the model has no line, or every trial of the test set is in the training set.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import WeightedRegression
    >>> sets = [surrogacy.read_trials().analysis_set(name) for name in ("llovet-2019-pfs", "tactics-2022")]
    >>> external(WeightedRegression(), *sets).coverage[1]
    6
    """
    common = tuple(trial for trial in test.trials if trial in training.trials)
    new = test.take([trial not in common for trial in test.trial])
    if not len(new):
        raise UsageError(
            f"every trial of {test.name or 'the test set'} is also in {training.name or 'the training set'}"
        )
    predicted = predict_others(without_extras(model).fit(training), new)
    return External(model.name, predicted, training.name, test.name, common)


def predict_others(fitted: Result, effects: Effects) -> tuple[PredictedComparison, ...]:
    """Predict the observed final effect of every comparison from a fit that does not include it.

    Raises
    ------
    UsageError
        If the model has no line.
    """
    refuse_without_line(fitted)
    return tuple(predict_comparison(fitted, effects, i) for i in range(len(effects)))
