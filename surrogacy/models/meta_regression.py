"""Random-effects meta-regression of log HR(final) on log HR(surrogate).

    y2_i ~ N(intercept + slope y1_i, s2_i^2 + tau^2)

Unlike a weighted regression it separates the between-trial variance tau^2 from the sampling error of the final effect,
so that it predicts a true effect as well as the observed effect of a trial of any size:

    Var = (1, y1) Cov (1, y1)' + tau^2 (+ s2^2),   t with k - 2 degrees of freedom (normal for ``interval="z"``)

The surrogate effect is treated as known by default. The slope is then that of the observed surrogate effects: their
errors attenuate it, and a positive within-trial correlation inflates it. With ``surrogate_errors="propagated"`` it is
the slope on the true surrogate effects, see `surrogacy.stats.surrogate_errors`. The methods are those of metafor, see
`surrogacy.stats.meta_regression`.

Comparisons with a shared control arm have correlated errors (generalised least squares, as `rma.mv` of metafor).

References
----------
Knapp, Hartung (2003), doi:10.1002/sim.1482. Viechtbauer (2010), doi:10.18637/jss.v036.i03.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Capability
from surrogacy.models.bivariate import rho_within_record
from surrogacy.models.likelihood.likelihood import incompatible_errors
from surrogacy.models.settings import check_new_n
from surrogacy.results.endpoint_names import final_name, surrogate_names
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, ThresholdEffect
from surrogacy.results.labels import INTERVAL_METHODS, VARIANCE_ESTIMATORS
from surrogacy.results.levels import LEVEL, settle_level
from surrogacy.results.requirements import Requirement, usable_part
from surrogacy.results.result import Result
from surrogacy.stats.lines import NEEDS_PATIENTS, Line, data_range
from surrogacy.stats.meta_regression import (
    IntervalMethod,
    VarianceEstimator,
    coefficient_covariance,
    explained_heterogeneity,
    interval_quantile,
    variance_limits,
)
from surrogacy.stats.scatter import scatter_caveat
from surrogacy.stats.surrogate_errors import (
    CorrelatedEffects,
    FittedMetaRegression,
    TrueSurrogateEffects,
    errors_ignored,
    errors_propagated,
    true_surrogate_effects,
)
from surrogacy.stats.thresholds import threshold_caveats, threshold_effects
from surrogacy.stats.true_effects import TrueEffects

# Coverage in the typical scenario of surrogacy/simulation (docs/validation.md)
NARROW: dict[str, Caveat] = {
    "ignored": Caveat(
        CaveatCode.NARROW_BAND,
        "prediction band and STE for a true effect treat the residual SD as known, ignore the correlated errors of the "
        "surrogate effects and are too narrow: in simulations the 95% band contained 94% of the true effects with 6 "
        "trials, 82% with 16 and 80% with 45",
    ),
    "propagated": Caveat(
        CaveatCode.NARROW_BAND,
        "prediction band and STE for a true effect treat the residual SD as known and are too narrow: in simulations "
        "the 95% band contained 95% of the true effects with 6 trials, 88% with 16 and 91% with 45",
    ),
}
EMPTY_INTERVAL = "the Q-profile interval is empty, because the effects scatter less than their sampling errors allow"
SurrogateErrors = Literal["ignored", "propagated"]


@dataclass(frozen=True)
class MetaRegression:
    """Random-effects meta-regression with prediction and confidence bands.

    Parameters
    ----------
    tau2 : {"reml", "dl", "pm"}
        Estimator of the between-trial variance: restricted maximum likelihood, DerSimonian-Laird, Paule-Mandel.
    interval : {"ad-hoc", "knapp-hartung", "z"}
        Intervals and bands: ``knapp-hartung`` with t quantiles; ``ad-hoc``, the same but never narrower than ``z``.
    surrogate_errors : {"ignored", "propagated"}
        Whether the sampling errors of the surrogate effects are allowed for.
    new_n : float, optional
        Number of patients of the new trial that predictions are made for; default: predict its true effect.
    level : float
        Level of the intervals.

    Raises
    ------
    UsageError
        If a setting is not one of these, or the size of the new trial or the level is impossible.

    Examples
    --------
    >>> import surrogacy
    >>> result = MetaRegression().fit(surrogacy.read_trials().analysis_set("llovet-2019-pfs"))
    >>> f"{result['slope'].value:.2f} ({result['slope'].low:.2f} to {result['slope'].high:.2f})"
    '0.48 (0.28 to 0.67)'
    """

    tau2: VarianceEstimator = "reml"
    interval: IntervalMethod = "ad-hoc"
    surrogate_errors: SurrogateErrors = "ignored"
    new_n: float | None = None
    level: float = LEVEL
    name = "meta-regression"
    requires: ClassVar[frozenset[Requirement]] = frozenset({Requirement.BOTH_EFFECTS, Requirement.STANDARD_ERRORS})
    fewest: ClassVar[int] = 3

    def __post_init__(self) -> None:
        settle_level(self)
        check_new_n(self.new_n)
        choices = {"tau2": VarianceEstimator, "interval": IntervalMethod, "surrogate_errors": SurrogateErrors}
        for name, choice in choices.items():
            if getattr(self, name) not in get_args(choice):
                raise UsageError(f"{name} must be one of {', '.join(get_args(choice))}; got {getattr(self, name)!r}")

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Evaluations beyond the fit; the within-trial correlation matters only if the errors are propagated."""
        by_errors = {Capability.WITHIN_TRIAL_CORRELATIONS} if self.surrogate_errors == "propagated" else set()
        return frozenset({Capability.REFITS, Capability.META_REGRESSION_VARIANTS} | by_errors)

    def fit(self, effects: Effects) -> Result:
        """Fit the line.

        Raises
        ------
        FitError
            With fewer than three usable comparisons, if the surrogate effect does not vary, or if the slope does not
            converge.
        MissingDataError
            If fewer than three comparisons have standard errors.
        UsageError
            If ``new_n`` is stated and no comparison states its patients.
        """
        part = usable_part(effects, self.requires, self.fewest)
        data = part.effects
        if len(data) < self.fewest:
            raise FitError(
                f"{effects.name or 'these effects'}: {len(data)} usable comparisons; at least {self.fewest} are needed"
            )
        if np.ptp(data.log_hr[:, 0]) == 0:
            raise FitError(f"{data.name or 'these effects'}: all surrogate effects are the same; no line can be fitted")
        groups = correlated_groups(data, data.log_hr)
        true: TrueSurrogateEffects | None = None
        caveats = effects.caveats + part.caveats
        settings = asdict(self) | (rho_within_record(data) if self.surrogate_errors == "propagated" else {})
        if self.surrogate_errors == "propagated":
            true = true_surrogate_effects(groups, self.tau2)
            if true.variance == 0.0:
                return self._without_line(settings, data, caveats)
        regression = errors_ignored(groups, self.tau2) if true is None else errors_propagated(groups, true, self.tau2)
        if not regression.converged:
            raise FitError(f"{data.name or 'these effects'}: the slope on the true surrogate effects did not converge")
        line = self._line(data, regression, true)
        estimates = self._estimates(data, regression, line)
        caveats += (NARROW[self.surrogate_errors], *self._boundary(regression))
        caveats += threshold_caveats(estimates, data)
        consequence = (
            "the between-trial variance is then 0, and the intervals, the bands and the STE depend on the errors"
        )
        caveats += scatter_caveat(data, line.intercept, line.slope, consequence)
        return Result(
            self.name,
            settings,
            data,
            estimates,
            line,
            caveats=caveats,
            requires=self.requires,
            left_out=part.left_out,
        )

    def _estimates(
        self, effects: Effects, regression: FittedMetaRegression, line: Line
    ) -> dict[str, Estimate | ThresholdEffect]:
        data, tau2, df = regression.data, float(regression.tau2), regression.data.degrees_of_freedom
        estimator = VARIANCE_ESTIMATORS[self.tau2]
        kind = INTERVAL_METHODS[self.interval].format(df=df)
        estimates: dict[str, Estimate | ThresholdEffect] = {}
        quantile = interval_quantile(self.interval, df, self.level)
        for i, (name, value) in enumerate((("intercept", line.intercept), ("slope", line.slope))):
            error = float(np.sqrt(line.covariance[i, i]))
            limits = value - quantile * error, value + quantile * error
            estimates[name] = Estimate(
                value, error, *limits, self.level, f"{kind}; between-trial variance by {estimator}"
            )
        low, high = (float(np.sqrt(limit)) for limit in variance_limits(data, self.level))
        sd = float(np.sqrt(tau2))
        if high == 0.0:
            estimates["sigma_cond"] = Estimate(sd, method=f"{EMPTY_INTERVAL}; estimate by {estimator}")
        else:
            # the estimate may lie outside the interval, whose equation is not that of REML or DerSimonian-Laird
            words = f"Q-profile; estimate by {estimator}"
            estimates["sigma_cond"] = Estimate(sd, None, min(low, sd), max(high, sd), self.level, words)
        explained = explained_heterogeneity(data, tau2, self.tau2)
        words = (
            f"share of the between-trial variance of log HR({final_name(effects)}) that the surrogate effect explains "
            f"as covariate, {estimator}; not the trial-level R2 of the true effects"
        )
        estimates["r2_heterogeneity"] = Estimate(explained, method=words)
        thresholds = threshold_effects(line, self.level)
        return estimates | thresholds | {"ste_prediction_80": line.threshold(0.8)}

    def _line(self, effects: Effects, regression: FittedMetaRegression, true: TrueSurrogateEffects | None) -> Line:
        variance = unit_variance(effects)
        if self.new_n is not None and np.isnan(variance):
            raise UsageError(NEEDS_PATIENTS)
        df = regression.data.degrees_of_freedom
        intercept, slope = map(float, regression.fit.coefficients)
        covariance = coefficient_covariance(regression.fit, df, self.interval) + regression.first_stage
        return Line(
            intercept=intercept,
            slope=slope,
            covariance=covariance,
            sigma=float(np.sqrt(regression.tau2)),
            trial_variance=variance,
            exponent=1.0,
            new_n=self.new_n,
            degrees_of_freedom=None if self.interval == "z" else float(df),
            data_range=data_range(effects),
            true_effects=None if true is None else _true_effects(true, regression, covariance),
        )

    def _without_line(
        self, settings: dict[str, str | float | None], effects: Effects, caveats: tuple[Caveat, ...]
    ) -> Result:
        """Result without a slope: the true surrogate effects do not differ."""
        words = "none: the true surrogate effects do not differ beyond chance"
        estimates = {name: Estimate(None, method=words) for name in ("intercept", "slope", "sigma_cond")}
        text = (
            f"boundary solution: the SD of the true {' / '.join(surrogate_names(effects))} effects is 0, because the "
            "effects do not differ beyond chance; slope and STE are not defined"
        )
        caveats += (Caveat(CaveatCode.BOUNDARY, text),)
        return Result(self.name, settings, effects, estimates, caveats=caveats, requires=self.requires)

    def _boundary(self, regression: FittedMetaRegression) -> tuple[Caveat, ...]:
        if float(regression.tau2) > 0:
            return ()
        largest = float(np.sqrt(variance_limits(regression.data, self.level)[1]))
        compatible = (
            f"but residual SDs up to {largest:.2f} are compatible with the data" if largest else f"and {EMPTY_INTERVAL}"
        )
        text = (
            "boundary solution: the between-trial variance of the final effects about the line is estimated as 0, "
            f"{compatible}; the band for a true effect is then the confidence band of the line and is too narrow"
        )
        return (Caveat(CaveatCode.BOUNDARY, text),)


def _true_effects(true: TrueSurrogateEffects, regression: FittedMetaRegression, covariance: FloatArray) -> TrueEffects:
    """Distribution of the true effects; mean and variance of the surrogate effects are taken as known for shrinkage."""
    mean, variance = float(true.mean), float(true.variance)
    intercept, slope = map(float, regression.fit.coefficients)
    # mu2 = intercept + slope mu1 and T12 = slope T11
    jacobian = np.zeros((5, 2))
    jacobian[1], jacobian[3] = (1.0, mean), (0.0, variance)
    return TrueEffects(
        mean=np.array([mean, intercept + slope * mean]),
        surrogate_variance=variance,
        slope=slope,
        weight=np.ones(1),
        residual_variance=np.atleast_1d(regression.tau2),
        covariance=(jacobian @ covariance @ jacobian.T)[None],
    )


def correlated_groups(effects: Effects, log_hr: FloatArray) -> list[CorrelatedEffects]:
    """Arrange comparisons by the size of their group: most are alone, those with a shared control arm are together.

    Parameters
    ----------
    effects : Effects
        Comparisons with standard errors.
    log_hr : (..., k, 2) array
        Log hazard ratios of one or more data sets with these standard errors.

    Raises
    ------
    FitError
        If the standard errors of comparisons that share a control arm are incompatible.
    """
    by_size: dict[int, list[list[int]]] = {}
    for members in effects.dependent_groups():
        by_size.setdefault(len(members), []).append([int(i) for i in members])
    return [_groups_of_one_size(effects, log_hr, np.array(groups)) for groups in by_size.values()]


def _groups_of_one_size(effects: Effects, log_hr: FloatArray, groups: IntArray) -> CorrelatedEffects:
    if groups.shape[1] == 1:
        covariance = np.asarray(effects.cov)[groups[:, 0]]
    else:
        covariance = np.stack([effects.sampling_covariance(members) for members in groups])
        for group, matrix in zip(groups, covariance, strict=True):
            if np.linalg.eigvalsh(matrix)[0] <= 0:
                raise incompatible_errors(effects.comparison[i] for i in group)
    covariance = np.broadcast_to(covariance, (*log_hr.shape[:-2], *covariance.shape))
    return CorrelatedEffects(
        surrogate=log_hr[..., groups, 0],
        final=log_hr[..., groups, 1],
        s11=covariance[..., ::2, ::2],
        s12=covariance[..., ::2, 1::2],
        s22=covariance[..., 1::2, 1::2],
    )
