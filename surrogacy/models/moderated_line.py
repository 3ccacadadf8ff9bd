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

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.bivariate_bayes import LARGEST_WITHIN
from surrogacy.models.exact.line_posterior import LinePosterior, LinePriors, fit_line
from surrogacy.models.exact.refinement import check_settings, refine, with_grid_error
from surrogacy.models.moderation import COEFFICIENTS, QUARTILES, Moderation
from surrogacy.models.moderator import Moderator, left_out
from surrogacy.models.priors import HalfNormal, HalfStudentT, Normal, PositivePrior, Uniform
from surrogacy.results.estimate import Caveat, CaveatCode, Estimate
from surrogacy.results.levels import LEVEL
from surrogacy.results.result import Result
from surrogacy.trials.pairing import part_of

NODES = (20, 20, 16)
FEWEST = 5  # comparisons: four coefficients and an SD
FEW_TRIALS = 20  # below which a moderator is hardly told from chance
MATTERS = 0.1  # posterior SDs of a first-order bias worth a sentence
BIAS_WORDS = {
    "surrogate_error": "errors of the observed surrogate effects, which vague true effects leave uncorrected",
    "shared_control_error": "sampling errors of the control arm, which its medians share with the effects",
}


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
        """Probabilities of median and limits."""
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
