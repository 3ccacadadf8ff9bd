"""Weighted least squares of log HR(final) on log HR(surrogate).

    y_i = intercept + slope x_i + e_i,    e_i ~ N(0, s^2 / w_i)

    b = (X'WX)^-1 X'W y,   s^2 = sum w e^2 / (k - 2),   Cov(b) = s^2 (X'WX)^-1

The prediction variance for a new trial of weight w0 is ``s^2 / w0 + (1, x0) Cov (1, x0)'``. The prediction band and the
surrogate threshold effect therefore depend on the size of the new trial, which is always stated. The model ignores the
sampling error of x, which flattens the slope, and the within-trial correlation, which resembles an association.

The model has no between-trial variance: ``s^2 / w0`` decreases to 0 with the size of the new trial, although the true
effects remain scattered about the line. A prediction of a true effect (``new_n`` infinite) is therefore refused, and a
size above that of the largest trial has a caveat.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import stdtrit

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Capability
from surrogacy.models.settings import check_new_n
from surrogacy.models.weights import SHARED_CONTROL, part_with_weights, requirements_of, weights_of
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, NewTrialSize, ThresholdEffect
from surrogacy.results.labels import ComparisonWeights, Weights, weights_in_words
from surrogacy.results.levels import LEVEL, settle_level
from surrogacy.results.requirements import Requirement
from surrogacy.results.result import NO_SCATTER, Result
from surrogacy.stats import correlation
from surrogacy.stats.lines import NEEDS_PATIENTS, Line, data_range
from surrogacy.stats.scatter import scatter_caveat
from surrogacy.stats.thresholds import threshold_caveats, threshold_effects
from surrogacy.stats.trial_numbers import FisherRule, check_rule, trial_number

if TYPE_CHECKING:
    from statsmodels.regression.linear_model import RegressionResults


@dataclass(frozen=True)
class WeightedRegression:
    """Weighted regression with prediction and confidence bands.

    Parameters
    ----------
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}
    new_n : float, optional
        Number of patients of the new trial that predictions are made for; default: the mean of the set.
    level : float
        Level of the intervals.
    fisher : {"automatic", "effective", "trials"}
        Number of trials for Fisher's z in the interval of R2, as in `WeightedPearson`.

    Raises
    ------
    UsageError
        If ``new_n`` is not above 0 or is infinite, the level is impossible, or there is no such rule for Fisher's z.

    Examples
    --------
    >>> import surrogacy
    >>> slope = WeightedRegression().fit(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))["slope"]
    >>> f"{slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f})"
    '0.49 (0.32 to 0.67)'
    """

    weights: Weights = "n"
    new_n: float | None = None
    level: float = LEVEL
    fisher: FisherRule = "automatic"
    name = "weighted-regression"
    fewest: ClassVar[int] = 3
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.REFITS, Capability.REGRESSION_DIAGNOSTICS})

    @property
    def requires(self) -> frozenset[Requirement]:
        """Both effects, and the quantities that the weights need."""
        return requirements_of(self.weights)

    def __post_init__(self) -> None:
        settle_level(self)
        check_rule(self.fisher)
        check_new_n(self.new_n)
        if self.new_n is not None and np.isinf(self.new_n):
            raise UsageError(NO_SCATTER)

    def fit(self, effects: Effects) -> Result:
        """Fit the line.

        Raises
        ------
        FitError
            With fewer than three usable comparisons, or if the surrogate effect does not vary.
        MissingDataError
            If too few comparisons have what the weights need.
        UsageError
            If the name of the weights is unknown, or ``new_n`` is stated and no comparison states its patients.
        """
        part = part_with_weights(effects, self.weights, self.fewest)
        data = part.effects
        weights, weight_caveats = weights_of(data, self.weights)
        least_squares = _least_squares(data, weights)
        line = self._line(data, weights, least_squares)
        r = float(correlation.weighted_pearson(data.log_hr[:, 0], data.log_hr[:, 1], weights))
        number, df = trial_number(weights, data.trial, self.fisher), len(data) - 2
        square = correlation.square_interval(*correlation.fisher_interval(r, number.counted, self.level))
        kind = f"t, {df} df; weights: {weights_in_words(self.weights, data)}"
        half = float(stdtrit(df, 0.5 + self.level / 2)) * least_squares.bse
        estimates: dict[str, Estimate | ThresholdEffect] = {}
        for i, name in enumerate(("intercept", "slope")):
            value, error = float(least_squares.params[i]), float(least_squares.bse[i])
            estimates[name] = Estimate(value, error, value - float(half[i]), value + float(half[i]), self.level, kind)
        words = f"weighted R2; {number.method_words('Fisher z on r')}"
        estimates["r2_trial"] = Estimate(r**2, None, *square, self.level, words)
        words = f"residual SD of log HR({final_name(data)}) for a trial of mean weight"
        estimates["sigma_resid"] = Estimate(float(np.sqrt(least_squares.scale / weights.mean())), method=words)
        estimates |= threshold_effects(line, self.level)
        caveats = part.caveats + weight_caveats + self._extrapolated_size(data, line)
        caveats += threshold_caveats(estimates, data)
        consequence = "the intervals of slope and R2, the band and the STE are too narrow"
        caveats += scatter_caveat(data, line.intercept, line.slope, consequence)
        if any(len(group) > 1 for group in data.dependent_groups()):
            caveats += (SHARED_CONTROL,)
        caveats = effects.caveats + caveats
        shown = ComparisonWeights(self.weights, weights)
        result = Result(self.name, asdict(self), data, estimates, line, weights=shown, caveats=caveats)
        return replace(result, requires=self.requires, left_out=part.left_out)

    def statsmodels_result(self, effects: Effects) -> RegressionResults:
        """Fit the line and return the result of statsmodels, with ``.summary()``, ``.get_influence()`` and others.

        Parameters
        ----------
        effects : Effects

        Returns
        -------
        statsmodels.regression.linear_model.RegressionResults
            Result of ``WLS`` with coefficients ``intercept`` and ``slope``; ``scale`` is ``s^2``, the variance of an
            observation of weight 1.

        Raises
        ------
        FitError, MissingDataError, UsageError
            As `fit`.

        Examples
        --------
        >>> import surrogacy
        >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
        >>> f"{WeightedRegression().statsmodels_result(effects).rsquared:.2f}"
        '0.73'
        """
        data = part_with_weights(effects, self.weights, self.fewest).effects
        return _least_squares(data, weights_of(data, self.weights)[0])

    def _line(self, effects: Effects, weights: FloatArray, least_squares: RegressionResults) -> Line:
        """Line whose residual variance is ``scale / w0``, with w0 as a function of the size n."""
        known = ~np.isnan(effects.n)
        exponent = {"sqrt-n": 0.5, "none": 0.0}.get(self.weights, 1.0)
        if self.new_n is not None and not known.any():
            raise UsageError(NEEDS_PATIENTS)
        per_patient = weight_per_patient(effects, weights, exponent)
        by_size = known.any() and exponent > 0
        intercept, slope = map(float, least_squares.params)
        return Line(
            intercept=intercept,
            slope=slope,
            covariance=least_squares.cov_params(),
            sigma=0.0,
            trial_variance=float(least_squares.scale / per_patient) if known.any() else float("nan"),
            exponent=exponent,
            new_n=(float(effects.n[known].mean()) if self.new_n is None else self.new_n) if by_size else None,
            degrees_of_freedom=float(len(effects) - 2),
            data_range=data_range(effects),
            default_variance=float(least_squares.scale / weights.mean()),
            default_size=NewTrialSize("equal-weights" if exponent == 0.0 else "mean-weight"),
            scatter_known=False,
        )

    def _extrapolated_size(self, effects: Effects, line: Line) -> tuple[Caveat, ...]:
        """Caveat on a new trial that is larger than every trial of the set, if the weights depend on size."""
        if self.new_n is None or line.new_n is None or not self.new_n > np.nanmax(effects.n):
            return ()
        text = (
            f"new trial of {self.new_n:.0f} patients, larger than every trial of the set (at most "
            f"{np.nanmax(effects.n):.0f}): a weighted regression has no between-trial variance, so that its prediction "
            "band and STE narrow without limit as the new trial grows; they are too narrow here"
        )
        return (Caveat(CaveatCode.LARGE_NEW_TRIAL, text),)


def weight_per_patient(effects: Effects, weights: FloatArray, exponent: float) -> float:
    """Weight of a trial over ``n^exponent``; events and precision are proportional to n, at the rate of the set."""
    known = ~np.isnan(effects.n)
    return float(weights[known].sum() / effects.n[known].sum()) if exponent == 1.0 and known.any() else 1.0


def _least_squares(effects: Effects, weights: FloatArray) -> RegressionResults:
    """Fit ``WLS`` to comparisons that have both effects and a weight.

    Raises
    ------
    FitError
        If the surrogate effect does not vary.
    """
    from statsmodels.regression.linear_model import WLS  # takes 0.4 s, mainly for scipy.stats

    x, y = effects.log_hr.T
    if np.ptp(x) == 0:
        raise FitError(f"{effects.name or 'these effects'}: all surrogate effects are the same; no line can be fitted")
    model = WLS(y, np.column_stack([np.ones_like(x), x]), weights=weights)
    model.data.xnames, model.data.ynames = ["intercept", "slope"], f"log HR({final_name(effects)})"
    return model.fit()
