"""Surrogacy line moderated by a covariate such as post-progression survival, with an exact posterior.

    d2_i | d1_i ~ N(a + b d1_i + c z_i + g z_i d1_i, psi^2),   z_i the moderator less its mean,   d1_i vague

Both effects are estimated with error. A long post-progression survival dilutes an effect on progression: the slope
b + g z is then expected to fall, g < 0. Measures:

    sigma_reduction   1 - psi^2 / psi_0^2, with psi_0 that of the line without moderator on the same trials (posterior
                      medians; negative if psi is larger than psi_0)
    r2_conditional    (b + g z)^2 t^2 / ((b + g z)^2 t^2 + psi^2), the R2 of trials that all have this value of z; t^2
                      is the between-trial variance of the true surrogate effects by the method of moments

Two biases of known direction are computed to first order and reported if they are large. First, with a vague prior of
d1 the observed surrogate effect is not shrunken. Its error then pulls the slope towards rho s2 / s1, as in weighted
least squares; a prior with the spread of the effects (``surrogate=Normal(mean, SD)``) removes this bias. Second, a
moderator derived from the median OS of the control arm shares the sampling error of that arm with the OS effect. A
difference between trials is not a comparison within them: trials that differ in the moderator differ in other respects
too.

References
----------
Daniels, Hughes (1997), doi:10.1002/(SICI)1097-0258(19970915)16:17<1965::AID-SIM630>3.0.CO;2-M.
Thompson, Higgins (2002), doi:10.1002/sim.1187.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.models.bivariate_bayes import refuse_unusable
from surrogacy.models.exact.line_posterior import LinePosterior, LinePriors, fit_line
from surrogacy.models.exact.refinement import check_settings, refine, with_grid_error
from surrogacy.models.moderation import COEFFICIENTS, QUARTILES, Moderation
from surrogacy.models.moderator import Moderator, left_out
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior
from surrogacy.models.settings import Setting, priors_in_words
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate, ThresholdEffect
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result
from surrogacy.trials.paired_effects import part_of

NODES = (20, 20, 16)
FEWEST = 5  # comparisons needed: the model has four coefficients and an SD
FEW_TRIALS = 20  # number of trials below which a moderator cannot be distinguished from chance
MATTERS = 0.1  # first-order bias, in posterior SDs, above which it is reported
COEFFICIENT_WORDS = dict(
    zip(COEFFICIENTS, ("intercept", "difference of intercepts", "slope", "difference of slopes"), strict=True)
)
BIAS_WORDS = {
    "surrogate_error": "sampling errors of the observed surrogate effects, which the vague prior does not correct",
    "shared_control_error": "sampling errors of the control arm, which affect both its medians and the effects",
}


@dataclass(frozen=True)
class ModeratedLine:
    """Daniels-Hughes line with a moderator of intercept and slope, and an exact posterior.

    Parameters
    ----------
    intercept, slope : Normal
        Priors of a and b, the line at the mean of the moderator.
    intercept_difference, slope_difference : Normal
        Priors of c and g, per unit of the moderator.
    sigma_cond : HalfNormal, HalfStudentT or Uniform
        Prior of psi.
    surrogate : Normal
        Vague prior of every true surrogate effect.
    new_n : float, optional
        Number of patients of the new trial that predictions are made for; default: predict its true effect.
    level : float
        Level of the intervals.
    nodes : tuple of int
        Nodes of slope, difference of slopes and psi.

    Examples
    --------
    >>> from surrogacy.models.moderator import plain_moderator
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05], [-0.4, -0.1], [-0.2, -0.2]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 6)
    >>> moderation = ModeratedLine().fit(effects, plain_moderator(np.array([0.0, 1.0, 0.0, 1.0, 2.0, 2.0])))
    >>> round(moderation["slope_difference"].value, 1)
    -0.2
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
        check_settings(self, dict.fromkeys((*COEFFICIENTS, "surrogate"), Normal) | {"sigma_cond": PositivePrior})

    @property
    def settings(self) -> dict[str, Setting]:
        """Settings for the record, with the priors in words."""
        priors = priors_in_words(self, (*COEFFICIENTS, "sigma_cond", "surrogate"))
        return priors | {"new_n": self.new_n, "level": self.level}

    def priors(self, *, moderated: bool = True) -> LinePriors:
        """Priors of the line with or without the moderator."""
        intercepts, slopes = (self.intercept, self.intercept_difference), (self.slope, self.slope_difference)
        columns = 2 if moderated else 1
        return LinePriors(intercepts[:columns], slopes[:columns], self.sigma_cond, self.surrogate)

    def fit(self, effects: Effects, moderator: Moderator) -> Moderation:
        """Compute the posterior of the line with and without the moderator.

        Both are fitted to the comparisons that have a value of the moderator.

        Raises
        ------
        FitError
            With fewer than five such comparisons, or if the moderator does not vary over them.
        UsageError
            If ``new_n`` is stated and no comparison states its patients.
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
        data = part_of(effects, known)
        refuse_unusable(self.new_n, data)
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
        """Probabilities of the median and the limits."""
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
        estimates: dict[str, Estimate | ThresholdEffect] = {
            name: line.estimate(name, self.level) for name in (*COEFFICIENTS, "sigma_cond")
        }
        below = float(line.grid.distribution((0.0, 1.0))(np.zeros(1))[0])
        words = "posterior probability of a slope that falls with the moderator"
        estimates["p_slope_difference_negative"] = Estimate(below, method=words)
        estimates["slope_alone"] = alone.estimate("slope", self.level)
        estimates["sigma_cond_alone"] = alone.estimate("sigma_cond", self.level)
        result = Result(self.name, self.settings, line.effects, estimates)
        moderation = Moderation(self, line, alone, moderator, centre, result)
        share = 1 - (result["sigma_cond"].value / result["sigma_cond_alone"].value) ** 2
        words = "1 - psi^2 / psi^2 without the moderator, posterior medians"
        estimates["sigma_reduction"] = Estimate(share, method=words)
        for place, value in moderation.places(QUARTILES):
            estimates[f"slope[{place}]"] = moderation.slope_at(value)
            estimates[f"r2_conditional[{place}]"] = moderation.r2_at(value)
        central = moderation.line_at(centre)
        estimates |= central.thresholds(self.level)
        caveats = (*line.effects.caveats, *moderator.caveats, *dropped, *_caveats(moderation))
        result = replace(result, line=central, caveats=caveats, posterior=line)
        return replace(moderation, result=with_grid_error(result, moved))


def _caveats(moderation: Moderation) -> tuple[Caveat, ...]:
    """Caveats on the number of trials and on biases of known direction."""
    trials = len(moderation.posterior.effects.trials)
    caveats = []
    if trials < FEW_TRIALS:
        text = f"{trials} trials with {moderation.moderator.name}: too few to distinguish a moderator from chance"
        caveats.append(Caveat(CaveatCode.FEW_TRIALS, text))
    for name, coefficients in moderation.first_order_bias().items():
        large = [
            f"of the {COEFFICIENT_WORDS[coefficient]} {bias:+.3f}"
            for coefficient, bias in coefficients.items()
            if abs(bias) > MATTERS * float(moderation[coefficient].se)
        ]
        if large:
            text = f"{BIAS_WORDS[name]}: first-order bias {', '.join(large)}"
            caveats.append(Caveat(CaveatCode.BIAS, text))
    return tuple(caveats)
