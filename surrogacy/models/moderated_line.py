"""A surrogacy line moderated by a covariate such as post-progression survival: errors of both effects, exact.

    d2_i | d1_i ~ N(a + b d1_i + c z_i + g z_i d1_i, psi^2),   z_i the moderator less its mean,   d1_i vague

A long post-progression survival dilutes an effect on progression: the slope b + g z is expected to fall, g < 0.
Measures:

    sigma_reduction   1 - psi^2 / psi_0^2, psi_0 about the line without moderator, same trials (posterior medians;
                      below 0 if it grew)
    r2_conditional    (b + g z)^2 t^2 / ((b + g z)^2 t^2 + psi^2) at a value of z, t^2 the variance of the true
                      surrogate effects between trials by the method of moments: R2 of trials that all have this z

Two errors of known direction are computed to first order and said where they matter. Vague d1 leaves the observed
surrogate effect as it is, so that its error pulls B towards rho s2 / s1, as in weighted least squares; a prior with
the spread of the effects (``surrogate=Normal(mean, SD)``) undoes it. A moderator made from the control arm's median
OS shares that arm's error with the OS effect. A difference between trials is no comparison within them: other things
differ with the moderator too.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Thompson, Higgins (2002), doi:10.1002/sim.1187.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import FitError, UsageError
from surrogacy.models.bivariate_bayes import LARGEST_WITHIN
from surrogacy.models.exact.bivariate_posterior import KIND
from surrogacy.models.exact.line_posterior import LinePosterior, LinePriors, fit_line
from surrogacy.models.exact.refinement import check_settings, refine, with_grid_error
from surrogacy.models.moderator import Moderator, left_out
from surrogacy.models.priors import HalfNormal, HalfStudentT, Normal, PositivePrior, Uniform
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.levels import confidence_level
from surrogacy.results.result import LEVEL, Result
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.mixtures import mixture_cdf, mixture_quantile
from surrogacy.stats.predictive import Prediction
from surrogacy.trials.pairing import part_of

NODES = (20, 20, 16)
FEWEST = 5  # comparisons: four coefficients and an SD
FEW_TRIALS = 20  # below which a moderator is hardly told from chance
QUARTILES = (0.25, 0.5, 0.75)
MATTERS = 0.1  # posterior SDs of a first-order bias worth a sentence
BIAS_WORDS = {
    "surrogate_error": "errors of the observed surrogate effects, which vague true effects leave uncorrected",
    "shared_control_error": "sampling errors of the control arm, which its medians share with the effects",
}
COEFFICIENTS = ("intercept", "intercept_difference", "slope", "slope_difference")


@dataclass(frozen=True)
class ModeratedLine:
    """Daniels-Hughes line with a moderator of intercept and slope, exact.

    Parameters
    ----------
    intercept, slope : Normal
        Priors of a and b, the line at the mean of the moderator.
    intercept_difference, slope_difference : Normal
        Priors of c and g, per unit of the moderator.
    sigma_cond : prior
        Of psi.
    surrogate : Normal
        Of every true surrogate effect; vague.
    new_n : float, optional
        Patients of the new trial that a prediction is made for; default: its true effect.
    level : float
    nodes : tuple of int
        Nodes of slope, its difference and psi.
    """

    intercept: Normal = Normal(0.0, 10.0)
    slope: Normal = Normal(0.0, 10.0)
    intercept_difference: Normal = Normal(0.0, 10.0)
    slope_difference: Normal = Normal(0.0, 10.0)
    sigma_cond: PositivePrior = HalfNormal(0.5)
    surrogate: Normal = Normal(0.0, 10.0)
    new_n: float | None = None
    level: float = LEVEL
    nodes: tuple[int, int, int] = NODES
    name = "moderated-line"

    def __post_init__(self) -> None:
        kinds: dict[str, tuple[type, ...]] = dict.fromkeys((*COEFFICIENTS, "surrogate"), (Normal,))
        check_settings(self, kinds | {"sigma_cond": (HalfNormal, HalfStudentT, Uniform)})

    @property
    def settings(self) -> dict[str, Any]:
        """Settings for the record, priors in words."""
        priors = {f"prior_{name}": str(getattr(self, name)) for name in (*COEFFICIENTS, "sigma_cond", "surrogate")}
        return {**priors, "new_n": self.new_n, "level": self.level}

    def priors(self, *, moderated: bool = True) -> LinePriors:
        """Those of the posterior, with the moderator or without."""
        intercepts, slopes = (self.intercept, self.intercept_difference), (self.slope, self.slope_difference)
        columns = 2 if moderated else 1
        return LinePriors(intercepts[:columns], slopes[:columns], self.sigma_cond, self.surrogate)

    def fit(self, effects: Effects, moderator: Moderator) -> Moderation:
        """Compute the posterior of the line with and without the moderator, on the comparisons that have a value.

        Raises
        ------
        FitError
            With fewer than five such comparisons, or where the moderator does not vary over them.
        """
        known = moderator.known(effects)
        name = effects.name or "these effects"
        if known.sum() < FEWEST:
            raise FitError(
                f"{name}: {known.sum()} comparisons have {moderator.name} and both effects; "
                f"a moderated line needs {FEWEST}"
            )
        values = moderator.values[known]
        if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
            raise FitError(f"{name}: {moderator.name} is {values[0]:g} in every comparison; a moderator must vary")
        if (np.abs(effects.rho_within[known]) > LARGEST_WITHIN).any():
            raise FitError(
                f"{name}: rho_within beyond {LARGEST_WITHIN:g} leaves the two estimates of a trial "
                "no error of their own"
            )
        if self.new_n is not None and np.isfinite(self.new_n) and not np.isfinite(effects.n[known]).any():
            raise UsageError(
                "a prediction for a new trial of stated size needs the number of patients of each comparison"
            )
        data = part_of(effects, known)
        centre = float(values.mean())
        design = np.column_stack([np.ones(len(values)), values - centre])

        def tabulate(refinement: float) -> tuple[LinePosterior, dict[str, FloatArray]]:
            line = fit_line(data, design, self.priors(), tuple(round(n * refinement) for n in self.nodes))
            return line, {name: line.quantile(name, self.probabilities) for name in (*COEFFICIENTS, "sigma_cond")}

        line, _, moved = refine(tabulate)
        alone = fit_line(data, design[:, :1], self.priors(moderated=False), (2 * self.nodes[0], 2 * self.nodes[2]))
        kept = replace(moderator, values=values, sensitivity=moderator.sensitivity[known])
        return self._moderation(kept, centre, line, alone, left_out(effects, known, moderator), moved)

    @property
    def probabilities(self) -> tuple[float, float, float]:
        """Of median and limits."""
        return 0.5, 0.5 - self.level / 2, 0.5 + self.level / 2

    def _moderation(
        self,
        moderator: Moderator,
        centre: float,
        line: LinePosterior,
        alone: LinePosterior,
        dropped: tuple[Caveat, ...],
        moved: float,
    ) -> Moderation:
        estimates: dict[str, Any] = {name: line.estimate(name, self.level) for name in (*COEFFICIENTS, "sigma_cond")}
        below = float(line.grid.distribution((0.0, 1.0))(np.zeros(1))[0])
        estimates["p_slope_difference_negative"] = Estimate(
            below, method="posterior probability of a slope that falls with the moderator"
        )
        estimates["slope_alone"] = alone.estimate("slope", self.level)
        estimates["sigma_cond_alone"] = alone.estimate("sigma_cond", self.level)
        share = 1 - (estimates["sigma_cond"].value / estimates["sigma_cond_alone"].value) ** 2
        estimates["sigma_reduction"] = Estimate(
            share, method="1 - psi^2 / psi^2 without the moderator, posterior medians"
        )
        found = Moderation(
            self, line, alone, moderator, centre, Result(self.name, self.settings, line.effects, estimates)
        )
        for place, value in found.places(QUARTILES):
            estimates[f"slope[{place}]"] = found.slope_at(value)
            estimates[f"r2_conditional[{place}]"] = found.r2_at(value)
        caveats = (*line.effects.caveats, *moderator.caveats, *dropped, *_caveats(found))
        central = found.line_at(centre)
        result = replace(
            found.result,
            line=central,
            caveats=caveats,
            posterior=line,
            estimates=estimates | central.thresholds(self.level),
        )
        return replace(found, result=with_grid_error(result, moved))


@dataclass(frozen=True, eq=False)
class Moderation:
    """What the moderated line says.

    Parameters
    ----------
    model : ModeratedLine
    posterior, alone : LinePosterior
        With the moderator, and the line without it on the same comparisons.
    moderator : Moderator
        Of the comparisons in the fit.
    centre : float
        Its mean: z = value - centre.
    result : Result
        ``intercept``, ``slope``, ``intercept_difference``, ``slope_difference``, ``sigma_cond``, measures and
        caveats; its line is that at the mean of the moderator.
    """

    model: ModeratedLine
    posterior: LinePosterior
    alone: LinePosterior
    moderator: Moderator
    centre: float
    result: Result

    def __getitem__(self, name: str) -> Any:
        """Return one estimate."""
        return self.result[name]

    def line_at(self, value: float) -> MixtureLine:
        """The surrogacy line of trials with this value of the moderator: its bands, predictions and thresholds."""
        z = self._z(value)
        weight, slopes, sigma, _ = self.posterior.grid.nodes()
        u = np.array([1.0, z])
        surrogate = self.posterior.effects.log_hr[:, 0]
        mean, variance = self.posterior.mean @ u, np.einsum("c,ncd,d->n", u, self.posterior.covariance, u)
        return MixtureLine(
            intercept=float(mixture_quantile((0.5,), weight, mean[None], np.sqrt(variance)[None])[0, 0]),
            slope=float(self.posterior.grid.quantiles((1.0, z), (0.5,))[0]),
            weight=weight,
            node_intercept=mean,
            node_variance=variance,
            node_slope=slopes @ u,
            node_sigma=sigma,
            trial_variance=unit_variance(self.posterior.effects),
            new_n=self.model.new_n,
            data_range=(float(surrogate.min()), float(surrogate.max())),
        )

    def slope_at(self, value: float) -> Estimate:
        """Slope of trials with this value of the moderator."""
        combination = (1.0, self._z(value))
        median, low, high = map(float, self.posterior.grid.quantiles(combination, self.model.probabilities))
        return Estimate(median, self.posterior.grid.moments(combination)[1], low, high, self.model.level, KIND)

    def r2_at(self, value: float) -> Estimate:
        """Conditional R2 of trials with this value; see the module."""
        weight, slopes, sigma, _ = self.posterior.grid.nodes()
        explained = (slopes @ np.array([1.0, self._z(value)])) ** 2 * surrogate_variance(self.posterior.effects)
        r2 = explained / (explained + sigma**2)
        order = np.argsort(r2)
        below = np.cumsum(weight[order]) - weight[order] / 2
        median, low, high = map(float, np.interp(self.model.probabilities, below, r2[order]))
        return Estimate(
            median,
            None,
            low,
            high,
            self.model.level,
            f"{KIND}; variance of true surrogate effects by moments, taken as known",
        )

    def predict(self, log_hr: float, value: float, se: float | None = None, level: float | None = None) -> Prediction:
        """The OS effect of a new trial with a true surrogate effect and a value of the moderator.

        Parameters
        ----------
        log_hr : float
            Surrogate log hazard ratio, taken as known.
        value : float
            Of the moderator, in its own units (log PPS / PFS).
        se : float, optional
            Standard error that the OS log hazard ratio will have; without it only the true effect is predicted.
        level : float, optional
            Default: that of the model.
        """
        if not np.isfinite(log_hr) or (se is not None and not se > 0):
            raise UsageError(
                f"a prediction needs a finite log hazard ratio and a standard error above 0; got {log_hr:g}, {se}"
            )
        line = self.line_at(value)
        mean, sd = line.at(log_hr, n=np.inf)
        chosen = self.model.level if level is None else confidence_level(level)

        def predicted(spread: FloatArray) -> tuple[Estimate, float]:
            p = (0.5, 0.5 - chosen / 2, 0.5 + chosen / 2)
            median, low, high = map(float, mixture_quantile(p, line.weight, mean[None], spread[None])[0])
            centre = line.weight @ mean
            total = float(np.sqrt(line.weight @ ((mean - centre) ** 2 + spread**2)))
            return Estimate(median, total, low, high, chosen, KIND), float(
                mixture_cdf(np.zeros(()), line.weight, mean, spread)
            )

        true, below = predicted(sd)
        if se is None:
            return Prediction(true, None, below, None)
        observed, observed_below = predicted(np.sqrt(sd**2 + se**2))
        return Prediction(true, observed, below, observed_below)

    def places(self, quantiles: Sequence[float]) -> list[tuple[str, float]]:
        """Quantiles of the moderator, or both levels of one with two: in words, and the value."""
        if self.moderator.levels:
            return [(level, float(number)) for number, level in enumerate(self.moderator.levels)]
        return [(f"{quantile:g}", float(np.quantile(self.moderator.values, quantile))) for quantile in quantiles]

    def at_quantiles(self, quantiles: Sequence[float] = QUARTILES, log_hr: float | None = None) -> list[dict[str, Any]]:
        """The line at quantiles of the moderator, or at both levels of one with two.

        Parameters
        ----------
        quantiles : sequence of float
        log_hr : float, optional
            Surrogate effect that a prediction is made at; default: the median of the comparisons.

        Returns
        -------
        list of dict
            place (quantile or level), value, label, slope and prediction (Estimate; log hazard ratio of OS),
            ste_prediction, ste_confidence (ThresholdEffect).
        """
        x = float(np.median(self.posterior.effects.log_hr[:, 0])) if log_hr is None else log_hr
        records = []
        for place, value in self.places(quantiles):
            thresholds = self.line_at(value).thresholds(self.model.level)
            record = {
                "place": place,
                "value": value,
                "label": self.moderator.label(value),
                "slope": self.slope_at(value),
            }
            record |= {"log_hr": x, "prediction": self.predict(x, value).true}
            records.append(record | {name: thresholds[name] for name in ("ste_prediction", "ste_confidence")})
        return records

    def first_order_bias(self) -> dict[str, Mapping[str, float]]:
        """First-order bias of the coefficients by two errors, ``(X'WX)^-1 sum w_i E[error of X_i x error of y_i]``.

        Returns
        -------
        dict
            ``surrogate_error`` (vague true surrogate effects) and ``shared_control_error`` (moderator and effects
            from one control arm), each a mapping of coefficient to bias.
        """
        effects, z = self.posterior.effects, self.moderator.values - self.centre
        (s1, s2), x = effects.se.T, effects.log_hr[:, 0]
        slope = self.result["slope"].value + self.result["slope_difference"].value * z
        _, weight = self.weighted_design()
        bread = np.linalg.inv(self.information())
        vague = self.model.surrogate.sd > 3 * np.std(
            x
        )  # else x is shrunken, and what is left of its error does not go with it
        pull = np.where(vague, effects.rho_within * s1 * s2 - slope * s1**2, 0.0)
        # errors of the control arm: of both log hazards, with y2 - B y1
        (c1, c2), rho = (np.sqrt(effects.control_share) * effects.se).T, effects.rho_within
        shared = self.moderator.sensitivity[:, 0] * (rho * c1 * c2 - slope * c1**2)
        shared = shared + self.moderator.sensitivity[:, 1] * (c2**2 - slope * rho * c1 * c2)
        zero = np.zeros_like(x)
        errors = {
            "surrogate_error": np.stack([zero, zero, pull, z * pull]),
            "shared_control_error": np.stack([zero, shared, zero, x * shared]),
        }
        return {
            name: dict(zip(COEFFICIENTS, map(float, bread @ (error @ weight)), strict=True))
            for name, error in errors.items()
        }

    def weighted_design(self) -> tuple[FloatArray, FloatArray]:
        """Columns (1, z, x, z x), and the precision of each final estimate about the line at the posterior medians."""
        effects, z = self.posterior.effects, self.moderator.values - self.centre
        (s1, s2), x = effects.se.T, effects.log_hr[:, 0]
        slope = self.result["slope"].value + self.result["slope_difference"].value * z
        sampling = s2**2 - 2 * slope * effects.rho_within * s1 * s2 + slope**2 * s1**2
        return np.column_stack([np.ones_like(x), z, x, z * x]), 1 / (self.result["sigma_cond"].value ** 2 + sampling)

    def information(self) -> FloatArray:
        """(4, 4) precision of (a, c, b, g) at the posterior medians: of weighted least squares, and of the priors."""
        columns, weight = self.weighted_design()
        priors = [getattr(self.model, name).sd ** -2.0 for name in COEFFICIENTS]
        return np.asarray(columns.T @ (weight[:, None] * columns) + np.diag(priors))

    def _z(self, value: float) -> float:
        if not np.isfinite(value):
            raise UsageError(f"a value of {self.moderator.name} is a finite number; got {value:g}")
        return float(value) - self.centre


def surrogate_variance(effects: Effects) -> float:
    """Variance of the true surrogate effects between trials by moments (DerSimonian, Laird 1986), 0 at least."""
    y, weight = effects.log_hr[:, 0], effects.se[:, 0] ** -2.0
    q = float(weight @ (y - weight @ y / weight.sum()) ** 2)
    return max(0.0, (q - (len(y) - 1)) / float(weight.sum() - (weight**2).sum() / weight.sum()))


def _caveats(found: Moderation) -> tuple[Caveat, ...]:
    """Caveats on the number of trials and on biases of known direction."""
    trials = len(found.posterior.effects.trials)
    caveats = []
    if trials < FEW_TRIALS:
        text = f"{trials} trials with {found.moderator.name}: too few to tell a moderator from chance"
        caveats.append(Caveat(CaveatCode.FEW_TRIALS, text))
    biases = found.first_order_bias()
    for name, coefficients in biases.items():
        large = [
            f"{coefficient} by {bias:+.3f}"
            for coefficient, bias in coefficients.items()
            if abs(bias) > MATTERS * float(found.result[coefficient].se)
        ]
        if large:
            text = f"{BIAS_WORDS[name]}: to first order they move {', '.join(large)}"
            caveats.append(Caveat(CaveatCode.BIAS, text))
    return tuple(caveats)
