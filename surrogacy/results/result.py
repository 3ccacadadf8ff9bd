"""Result of a model: named estimates, a line if there is one, and caveats.

Intervals are equal-tailed and two-sided at 95 % unless an estimate says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.endpoint_names import final_names, surrogate_names
from surrogacy.results.estimate import Band, Caveat, CaveatCode, Estimate, NewTrialSize, ThresholdEffect
from surrogacy.results.labels import ComparisonWeights
from surrogacy.results.levels import LEVEL
from surrogacy.results.posterior import Posterior
from surrogacy.results.requirements import LeftOut, Requirement, count_in_words

if TYPE_CHECKING:
    import pandas as pd

    from surrogacy.stats.predictive import ObservedEffects, PredictiveDistribution

NO_SCATTER = (
    "a weighted regression does not estimate the between-trial variance: it predicts the observed effect of a trial of "
    "a stated size, not the true effect (n = inf); give a number of patients, or use a bivariate model"
)


class SurrogacyLine(Protocol):
    """Surrogacy line of any model: the final log hazard ratio as a linear function of the surrogate one."""

    @property
    def intercept(self) -> float:
        """Intercept of the line, log hazard ratio."""
        ...

    @property
    def slope(self) -> float:
        """Slope of the line."""
        ...

    @property
    def trial_variance(self) -> float:
        """Sampling variance of a new trial of one patient; NaN without numbers of patients."""
        ...

    @property
    def new_n(self) -> float | None:
        """Default number of patients of the new trial; None for its true effect."""
        ...

    @property
    def data_range(self) -> tuple[float, float]:
        """Smallest and largest observed surrogate log hazard ratio."""
        ...

    def predict(
        self, log_hr: npt.ArrayLike, n: float | None = None, level: float = LEVEL, band: Band = "prediction"
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean or median of the final log hazard ratio, and the limits of a band."""
        ...

    @property
    def scatter_known(self) -> bool:
        """True if the model separates the scatter of the true effects about the line from the sampling error."""
        ...

    def threshold(self, level: float = LEVEL, band: Band = "prediction", new_n: float | None = None) -> ThresholdEffect:
        """Surrogate threshold effect by one of the bands at a level, for a new trial of ``new_n`` patients."""
        ...

    def predict_observed(self, trial: ObservedEffects, *, joins: bool = False) -> PredictiveDistribution:
        """Predict the observed final effect; with ``joins`` the surrogate effect joins the data first."""
        ...

    def new_trial(self, n: float | None = None) -> NewTrialSize:
        """Size of the new trial of a prediction."""
        ...


@dataclass(frozen=True, eq=False)
class Result:
    """Estimates of a model fitted to a set, with their caveats.

    Parameters
    ----------
    model : str
        Name on the command line.
    settings : mapping
        Settings of the model, for results.json.
    effects : Effects
        Comparisons in the fit.
    estimates : mapping of str to Estimate or ThresholdEffect
    line : SurrogacyLine or None
        None for a correlation.
    posterior : Posterior or None
        Posterior distribution of a Bayesian model.
    weights : ComparisonWeights or None
        Weights of the comparisons; None for a model that weighs by sampling errors.
    caveats : tuple of Caveat
        Failed diagnostics and caveats; they belong wherever the estimates are printed.
    converged : bool
        False if the diagnostics failed: the run then ends with exit code 4.
    requires : frozenset of Requirement
        Quantities that the model needs from each comparison.
    left_out : tuple of LeftOut
        Comparisons that lack such a quantity; they are not in ``effects``.
    """

    model: str
    settings: Mapping[str, Any]
    effects: Effects
    estimates: Mapping[str, Estimate | ThresholdEffect]
    line: SurrogacyLine | None = None
    posterior: Posterior | None = None
    weights: ComparisonWeights | None = None
    caveats: tuple[Caveat, ...] = ()
    converged: bool = True
    requires: frozenset[Requirement] = frozenset()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def size(self) -> str:
        """Number of comparisons in words: ``24 of 27``, or ``27`` if none is left out."""
        return count_in_words(len(self.effects), self.left_out)

    def __getitem__(self, name: str) -> Any:
        """Return one estimate: an `Estimate`, or for ``ste_*`` a `ThresholdEffect`."""
        return self.estimates[name]

    def estimate(self, name: str) -> Estimate:
        """Return the estimate of a quantity; without a value if the model does not have it."""
        estimate = self.estimates.get(name)
        return estimate if isinstance(estimate, Estimate) else Estimate(None)

    def threshold_effect(self, name: str) -> ThresholdEffect | None:
        """Return a surrogate threshold effect; None if the model does not have it."""
        threshold = self.estimates.get(name)
        return threshold if isinstance(threshold, ThresholdEffect) else None

    @property
    def draws(self) -> Any:
        """Draws of a sampled posterior, otherwise the posterior; deprecated, use ``posterior``."""
        samples = None if self.posterior is None else self.posterior.samples
        return self.posterior if samples is None else samples

    @property
    def shown_weights(self) -> ComparisonWeights:
        """Weights that a figure shows as areas: those of the model, else the patients (equal if not reported)."""
        return ComparisonWeights.by_patients(self.effects) if self.weights is None else self.weights

    @property
    def problems(self) -> tuple[str, ...]:
        """Texts of the caveats; deprecated, use ``caveats``."""
        return tuple(caveat.text for caveat in self.caveats)

    def has_caveat(self, code: CaveatCode) -> bool:
        """Return whether a caveat has this code."""
        return any(caveat.code is code for caveat in self.caveats)

    @property
    def on_boundary(self) -> bool:
        """True if the estimate lies on the boundary; the uncertainty of the line is then conditional on that."""
        return self.has_caveat(CaveatCode.BOUNDARY)

    @property
    def is_bayesian(self) -> bool:
        """True if the model has priors, so that its intervals are credible intervals."""
        return any(name.startswith("prior_") for name in self.settings)

    @property
    def unverified(self) -> bool:
        """True if hazard ratios of the fit were not verified in any source."""
        return self.has_caveat(CaveatCode.UNVERIFIED)

    @property
    def record(self) -> dict[str, Any]:
        """Fields under the names of results.json."""
        patients = self.effects.n_patients
        return {
            "set": self.effects.name,
            "k": len(self.effects),
            "trials": len(self.effects.trials),
            "n": int(patients) if patients == patients else None,
            "model": self.model,
            "settings": dict(self.settings),
            "estimates": {name: estimate.record for name, estimate in self.estimates.items()},
            "problems": list(self.problems),
            "endpoints": {"surrogate": list(surrogate_names(self.effects)), "final": list(final_names(self.effects))},
            "left_out": [entry.record for entry in self.left_out],
        }

    def summary(self) -> pd.DataFrame:
        """Return the estimates as a data frame, one row per estimate; ``problems`` and ``left_out`` in ``.attrs``."""
        import pandas as pd

        rows = []
        for name, estimate in self.estimates.items():
            if isinstance(estimate, ThresholdEffect):
                row = {"estimate": name, "value": estimate.hr, "level": estimate.level, "kind": estimate.method_words}
                row |= estimate.limits_record
            else:
                row = {"estimate": name, **estimate.record}
            rows.append(row)
        frame = pd.DataFrame(rows, columns=["estimate", "value", "se", "low", "high", "level", "kind"])
        frame = frame.set_index("estimate")
        frame.attrs |= {"problems": list(self.problems), "left_out": [entry.comparison for entry in self.left_out]}
        return frame
