"""Bivariate random-effects meta-analysis by maximum or restricted maximum likelihood.

    y_i ~ N2(theta_i, S_i),   theta_i ~ N2(mu, T)

``y_i`` are the two log hazard ratios, ``S_i`` the covariance of their errors (known), ``theta_i`` the
true effects, ``T = [[tau1^2, rho tau1 tau2], [., tau2^2]]``. The surrogacy line is the regression of
the true final effect on the true surrogate effect:

    slope = T12 / T11,  intercept = mu2 - slope mu1,  sigma_cond^2 = T22 - T12^2 / T11,  r2_trial = rho^2

The likelihood is that of `surrogacy.models.likelihood.likelihood`. It is maximised over the Cholesky factor of T, for
which the boundary (rho = -1 or 1) is an interior point, and inverted to obtain profile intervals.

References
----------
van Houwelingen, Arends, Stijnen (2002), doi:10.1002/sim.1040.
Burzykowski, Molenberghs, Buyse, Geys, Renard (2001), doi:10.1111/1467-9876.00244.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Capability
from surrogacy.models.likelihood.batch import BatchMaximum, maximise_each
from surrogacy.models.likelihood.batch_data import BatchLikelihood, same_comparisons
from surrogacy.models.likelihood.derived import derived
from surrogacy.models.likelihood.likelihood import Likelihood, Method, make_blocks
from surrogacy.models.likelihood.maximum import Optimum, parameter_covariance
from surrogacy.models.likelihood.prediction_nodes import prediction_nodes
from surrogacy.models.likelihood.profile_intervals import profile_intervals
from surrogacy.models.likelihood.residual_distribution import residuals
from surrogacy.models.settings import Setting, check_new_n
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, ThresholdEffect
from surrogacy.results.levels import LEVEL, settle_level
from surrogacy.results.requirements import Requirement, UsablePart, usable_part
from surrogacy.results.result import Result, SurrogacyLine
from surrogacy.stats import correlation
from surrogacy.stats.lines import NEEDS_PATIENTS, Line, data_range
from surrogacy.stats.residual_mixture_line import ResidualMixtureLine
from surrogacy.stats.scatter import SAME_ERRORS, scatter_about_precise_line
from surrogacy.stats.thresholds import threshold_caveats, threshold_effects
from surrogacy.stats.true_effects import TrueEffects

Prediction = Literal["confidence-distribution", "plug-in"]
PLUG_IN = Caveat(
    CaveatCode.NARROW_BAND,
    "prediction band and STE treat the residual SD of the true final effects as known and are too narrow: in "
    "simulations the 95% band contained 83% of the true effects with 6 trials, 82% with 9, 84% with 16 and 91% with 45",
)

BOUNDARY_WORDS = {
    "rho": "boundary solution: the between-trial correlation is exactly {sign} and the residual SD of the true final "
    "effects 0; a trial-level R² of 1 is then not evidence of a perfect surrogate, and {bands} too "
    "narrow, because the uncertainty is conditional on the boundary",
    "tau_surrogate": "boundary solution: the SD of the true surrogate effects is 0, because the effects do not differ "
    "beyond chance; between-trial correlation, slope and STE are not defined",
    "tau_final": "boundary solution: the SD of the true final effects is 0, because the effects do not differ beyond "
    "chance; the between-trial correlation is not defined and the slope is 0",
    "both": "boundary solution: the SDs of the true surrogate and final effects are 0, because neither differ beyond "
    "chance; between-trial correlation, slope and STE are not defined",
}


@dataclass(frozen=True)
class BivariateRandomEffects:
    """Bivariate random-effects model by ML or REML.

    Parameters
    ----------
    method : {"reml", "ml"}
    interval : {"profile", "delta"}
        ``profile``: profile-likelihood intervals are the main ones, and delta-method intervals are kept as
        ``*_delta``. ``delta``: delta-method intervals only, which is faster (leave-one-out, grids).
    standard_errors : {"conditional", "full"}
        Standard errors of the means: ``conditional`` on T, as in metafor and mixmeta; ``full`` includes the uncertainty
        of T from the joint observed information, as in Stata's mvmeta.
    new_n : float, optional
        Number of patients of the new trial that predictions are made for; default: predict its true effect.
    starts : int
        Number of starting points of the search, at most five: moments, strong correlations of both signs, and points
        near the maxima with one tau = 0. The three models with a tau of 0 are always fitted too.
    level : float
        Level of the intervals.
    prediction : {"confidence-distribution", "plug-in"}
        Prediction band, STE and predictions. ``confidence-distribution`` averages over the confidence distribution of
        the residual variance; ``plug-in`` treats the residual SD as known, and its 95% interval contains 82 to 91% of
        new trials in simulated sets of 6 to 45 trials.

    Raises
    ------
    UsageError
        If the method, the method of prediction, the size of the new trial or the level is impossible.

    Examples
    --------
    >>> from surrogacy import Effects
    >>> from surrogacy.models import BivariateRandomEffects
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, n=[400] * 4)
    >>> result = BivariateRandomEffects(interval="delta").fit(effects)
    >>> round(result["slope"].value, 2)
    0.71
    """

    method: Method = "reml"
    interval: Literal["profile", "delta"] = "profile"
    standard_errors: Literal["conditional", "full"] = "conditional"
    new_n: float | None = None
    starts: int = 5
    level: float = LEVEL
    prediction: Prediction = "confidence-distribution"
    requires: ClassVar[frozenset[Requirement]] = frozenset({Requirement.STANDARD_ERRORS})
    fewest: ClassVar[int] = 3

    def __post_init__(self) -> None:
        settle_level(self)
        check_new_n(self.new_n)
        if self.method not in get_args(Method):
            raise UsageError(f"method must be 'reml' or 'ml'; got {self.method!r}")
        if self.prediction not in get_args(Prediction):
            allowed = " or ".join(map(repr, get_args(Prediction)))
            raise UsageError(f"prediction must be {allowed}; got {self.prediction!r}")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return f"bivariate-{self.method}"

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Evaluations that it allows beyond its fit; the published interval methods are applied to REML alone."""
        of_both = {Capability.REFITS, Capability.WITHIN_TRIAL_CORRELATIONS, Capability.PROFILE_INTERVALS}
        return frozenset(of_both | ({Capability.INTERVAL_METHODS} if self.method == "reml" else set()))

    def fit(self, effects: Effects) -> Result:
        """Maximise the likelihood and derive the surrogacy line.

        Comparisons with one missing endpoint contribute the other one.

        Raises
        ------
        FitError
            With fewer than three comparisons, or if no start converges.
        MissingDataError
            If fewer than three comparisons have standard errors.
        """
        return self.fit_many([effects])[0]

    def fit_many(self, data: Sequence[Effects]) -> list[Result]:
        """Fit many data sets; their likelihoods are maximised together.

        Raises
        ------
        FitError
            As ``fit``.
        """
        parts = [self._usable(effects) for effects in data]
        maxima = maximise_each([part.effects for part in parts], self.method, self.starts)
        if not maxima.converged.all():
            name = parts[int(np.argmin(maxima.converged))].effects.name or "these effects"
            raise FitError(f"{name}: the likelihood could not be maximised from {self.starts} start(s)")
        return [self._result(part, maxima.single(i)) for i, part in enumerate(parts)]

    def _usable(self, effects: Effects) -> UsablePart:
        """Return the comparisons with standard errors; refuse too few."""
        part = usable_part(effects, self.requires, self.fewest)
        effects = part.effects
        if len(effects) < self.fewest or np.any((~np.isnan(effects.log_hr)).sum(axis=0) < 2):
            raise FitError(f"{effects.name or 'these effects'}: {len(effects)} comparisons; a bivariate model needs 3")
        return part

    def _result(self, part: UsablePart, best: BatchMaximum) -> Result:
        effects = part.effects
        data = same_comparisons(effects, effects.log_hr[None], self.method).likelihood
        psi, mu, boundary = best.psi[0], best.mu[0], str(best.boundary[0])
        covariance = self._covariance(effects, best)
        delta = self._delta_estimates(psi, mu, covariance, boundary, len(effects.trials))
        estimates: dict[str, Estimate | ThresholdEffect] = {
            **(self._with_profiles(delta, effects, data, best) if self.interval == "profile" else delta)
        }
        words = f"{self.method.upper()}, constant as in metafor and mixmeta"
        estimates["loglik"] = Estimate(float(best.log_likelihood[0]), method=words)
        line: SurrogacyLine | None = None
        caveats = effects.caveats + part.caveats
        if psi[0] > 0:
            line = plug_in = self._line(effects, psi, mu, covariance)
            residual = residuals(effects, plug_in.slope)
            if self.prediction == "confidence-distribution" and residual.degrees_of_freedom > 0:
                line = ResidualMixtureLine(plug_in, prediction_nodes(data, psi, mu, residual))
            estimates |= threshold_effects(line, self.level)
            caveats += (PLUG_IN,) if line is plug_in else ()
        # the bands use the delta-method covariance, although the profile interval of the slope may include 0
        caveats += threshold_caveats(estimates, effects) + scatter_about_precise_line(effects, SAME_ERRORS)
        if boundary:
            averaged = isinstance(line, ResidualMixtureLine)
            bands = "the confidence band of the line is" if averaged else "the bands and STE are"
            text = BOUNDARY_WORDS[boundary].format(sign="1" if psi[1] > 0 else "-1", bands=bands)
            caveats += (Caveat(CaveatCode.BOUNDARY, text),)
        settings, left_out = asdict(self) | rho_within_record(effects), part.left_out
        return Result(
            self.name, settings, effects, estimates, line, caveats=caveats, requires=self.requires, left_out=left_out
        )

    def _covariance(self, effects: Effects, best: BatchMaximum) -> FloatArray:
        """(5, 5) covariance of (mu_surrogate, mu_final, T11, T12, T22)."""
        if self.standard_errors == "full":
            likelihood = Likelihood(make_blocks(effects), self.method)
            optimum = Optimum(best.factor[0], likelihood.evaluate(best.psi[0]), str(best.boundary[0]))
            return parameter_covariance(likelihood, optimum, full=True)
        covariance = np.zeros((5, 5))
        covariance[:2, :2], covariance[2:, 2:] = best.mu_cov[0], best.psi_cov[0]
        return covariance

    def _delta_estimates(
        self, psi: FloatArray, mu: FloatArray, covariance: FloatArray, boundary: str, trials: int
    ) -> dict[str, Estimate]:
        """Estimates with delta-method intervals, each on a scale on which the estimator is nearly normal."""
        values, gradients = derived(psi, mu)
        se = {
            name: float(np.sqrt(variance)) if (variance := g @ covariance @ g) > 0 else None
            for name, g in gradients.items()
        }
        z = float(ndtri(0.5 + self.level / 2))
        estimates: dict[str, Estimate] = {}
        conditional = "given T" if self.standard_errors == "conditional" else "with the uncertainty of T"
        for name in ("mu_surrogate", "mu_final", "slope", "intercept"):
            value, error = values[name], se[name]
            kind = f"Wald z, {conditional}" if name.startswith("mu") else "delta method, normal"
            if boundary and not name.startswith("mu"):  # conditional on the boundary it would be far too small
                error, kind = None, "none on the boundary"
            low, high = (None, None) if value is None or error is None else (value - z * error, value + z * error)
            estimates[name] = Estimate(value, error, low, high, self.level, kind)
        for name in ("tau_surrogate", "tau_final", "sigma_cond"):
            value, error = values[name], None if boundary else se[name]
            low, high = None, None
            if value and error is not None and z * error < 6 * value:  # a wider interval is uninformative
                factor = float(np.exp(z * error / value))
                low, high = value / factor, value * factor
            kind = "none on the boundary" if boundary else "delta method on the log scale"
            estimates[name] = Estimate(value, error, low, high, self.level, kind)
        rho, error = values["rho_between"], se["rho_between"]
        if boundary or rho is None or error is None:
            for name, value in (("rho_between", rho), ("r2_trial", None if rho is None else rho**2)):
                estimates[name] = Estimate(value, None, None, None, self.level, "none on the boundary")
            return estimates
        low, high = correlation.atanh_t(rho, error, trials, self.level)
        kind = f"delta method on atanh(rho), t with {trials - 1} df"
        estimates["rho_between"] = Estimate(rho, error, low, high, self.level, kind)
        square, words = correlation.square_interval(low, high), f"square of the between-trial correlation ({kind})"
        estimates["r2_trial"] = Estimate(rho**2, 2 * abs(rho) * error, *square, self.level, words)
        return estimates

    def _with_profiles(
        self, delta: dict[str, Estimate], effects: Effects, data: BatchLikelihood, best: BatchMaximum
    ) -> dict[str, Estimate]:
        """Estimates with profile-likelihood intervals; those by the delta method are kept as ``*_delta``."""
        estimates = dict(delta)
        variance = np.nanvar(effects.log_hr, axis=0, ddof=1)
        for name, (low, high) in profile_intervals(data, variance, best, delta, self.level).items():
            unbounded = low is None
            words = "profile likelihood: unbounded on both sides" if unbounded else "profile likelihood"
            estimates[name] = Estimate(delta[name].value, delta[name].se, low, high, self.level, words, unbounded)
            estimates[f"{name}_delta"] = delta[name]
        if "rho_between_delta" in estimates:
            square = correlation.square_interval(estimates["rho_between"].low, estimates["rho_between"].high)
            words = "square of the between-trial correlation (profile likelihood)"
            estimates["r2_trial_delta"] = delta["r2_trial"]
            estimates["r2_trial"] = Estimate(delta["r2_trial"].value, delta["r2_trial"].se, *square, self.level, words)
        return estimates

    def _line(self, effects: Effects, psi: FloatArray, mu: FloatArray, covariance: FloatArray) -> Line:
        """Surrogacy line; the sampling variance of a new trial follows from the mean variance per patient."""
        values, gradients = derived(psi, mu)
        both = np.stack([gradients["intercept"], gradients["slope"]])
        variance = unit_variance(effects)
        if self.new_n is not None and np.isnan(variance):
            raise UsageError(NEEDS_PATIENTS)
        return Line(
            intercept=float(values["intercept"] or 0.0),
            slope=float(values["slope"] or 0.0),
            covariance=both @ covariance @ both.T,
            sigma=float(values["sigma_cond"] or 0.0),
            trial_variance=variance,
            exponent=1.0,
            new_n=self.new_n,
            degrees_of_freedom=None,
            data_range=data_range(effects),
            true_effects=TrueEffects(
                mu,
                float(psi[0]),
                float(values["slope"] or 0.0),
                np.ones(1),
                np.array([float(values["sigma_cond"] or 0.0) ** 2]),
                covariance[None],
            ),
        )


def rho_within_record(effects: Effects, *, with_prior: bool = False) -> dict[str, Setting]:
    """Assumed within-trial correlation for the record, and the number of reported ones.

    The correlation is None with a prior; if it differs by trial, it is None too, and its range is in the record.
    """
    assumed = np.unique(effects.rho_within[~effects.rho_known])
    value = float(assumed[0]) if len(assumed) == 1 and not with_prior else None
    record: dict[str, Setting] = {"rho_within": value, "rho_within_reported": int(effects.rho_known.sum())}
    if len(assumed) > 1:
        record |= {"rho_within_low": float(assumed[0]), "rho_within_high": float(assumed[-1])}
    return record
