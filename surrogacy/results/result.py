"""What every model returns: named estimates, a line if there is one, and what is wrong with them.

Intervals are equal-tailed and two-sided at 95 % unless an estimate says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from surrogacy.effects import Effects, FloatArray
from surrogacy.errors import UsageError
from surrogacy.levels import LEVEL as LEVEL
from surrogacy.levels import confidence_level
from surrogacy.results.requirements import LeftOut, Requirement, count_in_words

if TYPE_CHECKING:
    import pandas as pd

NO_SCATTER = (
    "a weighted regression has no between-trial variance: it predicts what a trial of a given size observes, not the true effect of a "
    "trial (n = inf); give a number of patients, or use a bivariate model"
)

Band = Literal["prediction", "confidence"]
ThresholdStatus = Literal["exists", "none", "two-sided", "outside-data", "benefit-without-surrogate-effect"]


@dataclass(frozen=True)
class Estimate:
    """One number with its uncertainty.

    Parameters
    ----------
    value : float
    se : float or None
        None where no standard error is defined (a boundary, an infinite variance).
    low, high : float or None
        Interval limits; None where the method gives none.
    level : float or None
        Level of the interval.
    kind : str
        How the interval was made, in words fit for a table footnote.
    """

    value: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    kind: str = ""


@dataclass(frozen=True)
class ThresholdEffect:
    """Surrogate threshold effect: the weakest surrogate effect that predicts a final effect (HR < 1).

    Parameters
    ----------
    hr : float or None
        The threshold as a hazard ratio; None if there is none. It is never above 1: see ``crossing``.
    status : {"exists", "none", "two-sided", "outside-data", "benefit-without-surrogate-effect"}
        ``two-sided``: the band excludes no effect only between ``hr`` and ``hr_other``;
        ``outside-data``: it exists, but beyond the surrogate effects that were observed;
        ``benefit-without-surrogate-effect``: the band excludes no final effect even at a surrogate hazard ratio of 1.
        The line then predicts benefit whether or not the surrogate responds.
    band : {"prediction", "confidence"}
    level : float
    new_n : float or None
        Patients of the new trial; None where it is not given by a size (see ``new_trial``).
    hr_other : float or None
        The far end of a two-sided region.
    new_trial : str
        The new trial in words: ``n = 558``, ``its true effect``, ``of mean weight``.
    beyond_data : bool
        Whether ``hr`` or ``hr_other`` lies beyond the surrogate effects that were observed.
    crossing : float or None
        With ``benefit-without-surrogate-effect``: surrogate hazard ratio, above 1, where the band reaches no effect.
    intercept : float or None
        With ``benefit-without-surrogate-effect``: log hazard ratio of the final endpoint that the line predicts at a
        surrogate hazard ratio of 1.

    References
    ----------
    Burzykowski, Buyse (2006), doi:10.1002/pst.207.
    """

    hr: float | None
    status: ThresholdStatus
    band: Band
    level: float
    new_n: float | None = None
    hr_other: float | None = None
    new_trial: str = "its true effect"
    beyond_data: bool = False
    crossing: float | None = None
    intercept: float | None = None

    @property
    def band_words(self) -> str:
        """Level and band in words."""
        return f"{self.level:.0%} {self.band} band"

    @property
    def made(self) -> str:
        """Band, level and size of the new trial in words."""
        if self.band == "confidence":
            return f"{self.band_words} of the line"
        return f"{self.band_words}, new trial: {self.new_trial}"

    @property
    def value_words(self) -> str:
        """The threshold, or the reason why there is none, without the band that it belongs to."""
        if self.status == "benefit-without-surrogate-effect":
            intercept = "" if self.intercept is None else f", intercept {self.intercept:.2f}".replace("-", "−")
            return f"no STE: benefit without a surrogate effect{intercept}"
        if self.hr is None:
            return "no STE"
        if self.status == "two-sided":
            beyond = ", partly outside the data" if self.beyond_data else ""
            return f"only from {self.hr_other:.2f} to {self.hr:.2f}{beyond}"
        return f"{self.hr:.2f}, outside the data" if self.status == "outside-data" else f"{self.hr:.2f}"

    def __str__(self) -> str:
        return f"{self.value_words} ({self.made})"


class SurrogacyLine(Protocol):
    """What figures and reports ask of a line, whichever model made it."""

    @property
    def intercept(self) -> float:
        """Of the line drawn."""
        ...

    @property
    def slope(self) -> float:
        """Of the line drawn."""
        ...

    @property
    def trial_variance(self) -> float:
        """Variance that a new trial of one patient adds."""
        ...

    @property
    def new_n(self) -> float | None:
        """Patients of the new trial where a prediction states none."""
        ...

    @property
    def data_range(self) -> tuple[float, float]:
        """Smallest and largest observed surrogate log HR."""
        ...

    def predict(
        self, log_hr: npt.ArrayLike, n: float | None = None, level: float = LEVEL, band: Band = "prediction"
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean (or median) and limits of the band."""
        ...

    def new_trial(self, n: float | None = None) -> str:
        """The new trial of a prediction in words."""
        ...


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
    own_words : str
        That trial in words.
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
    own_words: str = "its true effect"
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
            raise UsageError("a prediction for a new trial of stated size needs the number of patients of the comparisons")
        return float(self.sigma**2 + self.trial_variance / size**self.exponent)

    def new_trial(self, n: float | None = None) -> str:
        """The new trial of a prediction in words."""
        size = self.new_n if n is None else n
        if size is None or self.exponent == 0.0:
            return self.own_words
        return "its true effect" if np.isinf(size) else f"n = {size:.0f}"

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


@dataclass(frozen=True, eq=False)
class Result:
    """What a model found.

    Parameters
    ----------
    model : str
        Name as on the command line.
    settings : mapping
        The model's settings, for the record.
    effects : Effects
        What it was fitted to.
    estimates : mapping of str to Estimate or ThresholdEffect
    line : Line, MixtureLine or None
        None for a pure correlation.
    draws : object or None
        The posterior of a Bayesian model: an ``xarray.DataTree`` where it was sampled, the quadrature itself
        (`surrogacy.models.bivariate_bayes.Posterior`) where it is exact.
    problems : tuple of str
        Failed diagnostics and caveats; print them wherever the estimates go.
    converged : bool
        False where the diagnostics failed: the run then ends with exit code 4.
    requires : frozenset of Requirement
        Quantities that the model needs from each comparison.
    left_out : tuple of LeftOut
        Comparisons that lack one of them; they are not in ``effects``.
    """

    model: str
    settings: Mapping[str, Any]
    effects: Effects
    estimates: Mapping[str, Estimate | ThresholdEffect]
    line: SurrogacyLine | None = None
    draws: Any = None
    problems: tuple[str, ...] = field(default=())
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

    @property
    def on_boundary(self) -> bool:
        """Whether the fit ended on the boundary, where the uncertainty of its line is conditional on that."""
        return any(problem.startswith("boundary") for problem in self.problems)

    @property
    def unverified(self) -> bool:
        """Whether the fit rests on hazard ratios that were not read in any source."""
        return any(problem.startswith("unverified") for problem in self.problems)

    def summary(self) -> pd.DataFrame:
        """Return the estimates as a data frame, one row an estimate; ``problems`` and ``left_out`` in ``.attrs``."""
        import pandas as pd

        rows = []
        for name, estimate in self.estimates.items():
            if isinstance(estimate, ThresholdEffect):
                kind = f"{estimate.status}; {estimate.made}"
                row = {"estimate": name, "value": estimate.hr, "level": estimate.level, "kind": kind}
            else:
                row = {"estimate": name, **vars(estimate)}
            rows.append(row)
        frame = pd.DataFrame(rows, columns=["estimate", "value", "se", "low", "high", "level", "kind"])
        frame = frame.set_index("estimate")
        frame.attrs |= {"problems": list(self.problems), "left_out": [entry.comparison for entry in self.left_out]}
        return frame
