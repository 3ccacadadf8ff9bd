"""Scatter of trials about a line, compared with their sampling errors.

The residual of a comparison about the line a + b x has the sampling variance ``v_i = s2^2 + b^2 s1^2 - 2 b r s1 s2``
(r the within-trial correlation), to which between-trial scatter is added. Therefore

    Q = e' V^-1 e   (the sum of e_i^2 / v_i if no two comparisons share a control arm)

is stochastically at least chi-square with k - 2 degrees of freedom. A Q far in the lower tail indicates that standard
errors, within-trial correlations or hazard ratios are wrong: for example standard errors that are too large, or effects
that were rounded, smoothed or simulated without error.

References
----------
Cochran (1954), doi:10.2307/3001666; for the lower tail in a meta-analysis, Ioannidis, Trikalinos, Zintzaras (2006),
doi:10.1016/j.jclinepi.2006.02.013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtr

from surrogacy.effects import Effects
from surrogacy.results.estimate import Caveat, CaveatCode

# Of simulated sets without true scatter and with correct errors, 0.05 to 0.13% have a smaller p (6 to 30 trials,
# weights by size); sets with true scatter have one less often, and the shipped sets have 0.26 or more.
IMPLAUSIBLE = 0.001
STRONG_CORRELATION = 0.9  # largest within-trial correlation that every run reports
SAME_ERRORS = "the variances and the correlation of the true effects are estimated by subtracting these errors"
TINY = 1e-12  # added to a variance, which is 0 if the two estimates of a trial are the same number


@dataclass(frozen=True)
class ResidualScatter:
    """Scatter about a line.

    Parameters
    ----------
    q : float
        Sum of squared residuals divided by their sampling variances.
    degrees_of_freedom : int
    p_less : float
        Probability of a smaller q by sampling error alone.
    """

    q: float
    degrees_of_freedom: int
    p_less: float


def residual_scatter(effects: Effects, intercept: float, slope: float) -> ResidualScatter | None:
    """Test whether comparisons are closer to a line than their sampling errors allow.

    Parameters
    ----------
    effects : Effects
        Comparisons without both effects and standard errors are left out.
    intercept, slope : float

    Returns
    -------
    ResidualScatter or None
        None with fewer than three comparisons.

    Examples
    --------
    >>> log_hr = [[-0.6, -0.4], [-0.3, -0.2], [-0.1, -0.1], [0.0, 0.05]]
    >>> effects = Effects.from_arrays(log_hr, [[0.1, 0.1]] * 4, n=[400] * 4)
    >>> round(residual_scatter(effects, 0.0, 0.66).q, 2)
    0.47
    """
    usable = effects.complete & np.isfinite(effects.se).all(axis=1)
    data = effects if usable.all() else effects.take(usable)
    if len(data) < 3:
        return None
    residual = data.log_hr[:, 1] - intercept - slope * data.log_hr[:, 0]
    (s1, s2), contrast = data.se.T, np.array([-slope, 1.0])
    variance = s2**2 + slope**2 * s1**2 - 2 * slope * data.rho_within * s1 * s2
    shared = any(data.control_group)
    groups = [members for members in data.dependent_groups() if len(members) > 1] if shared else []
    alone = np.delete(np.arange(len(data)), np.concatenate(groups)) if groups else np.arange(len(data))
    q = float(np.sum(residual[alone] ** 2 / (variance[alone] + TINY)))
    for members in groups:
        covariance = np.diag(variance[members] + TINY)
        for a, i in enumerate(members):
            for b, j in enumerate(members[:a]):
                covariance[a, b] = covariance[b, a] = contrast @ data.covariance_between(i, j) @ contrast
        q += float(residual[members] @ np.linalg.solve(covariance, residual[members]))
    return ResidualScatter(q, len(data) - 2, float(chdtr(len(data) - 2, q)))


def scatter_caveat(effects: Effects, intercept: float, slope: float, consequence: str) -> tuple[Caveat, ...]:
    """Caveat on trials that are closer to a line than their sampling errors allow; empty if they are not.

    Parameters
    ----------
    effects : Effects
    intercept, slope : float
    consequence : str
        Consequence for the estimates of the model.
    """
    scatter = residual_scatter(effects, intercept, slope)
    if scatter is None or scatter.p_less >= IMPLAUSIBLE:
        return ()
    text = (
        "too little scatter: the trials are closer to the line than their sampling errors allow "
        f"(Q = {scatter.q:.2g} on {scatter.degrees_of_freedom} df, lower tail p = {scatter.p_less:.1g}); "
        f"{consequence}; check the hazard ratios, their standard errors and the within-trial correlations"
    )
    assumed = effects.rho_within[~effects.rho_known]
    strong = residual_scatter(effects.with_rho_within(STRONG_CORRELATION), intercept, slope)
    if len(assumed) and strong is not None:
        text += (
            f" (assumed to be {np.median(assumed):.2g}; stronger correlation implies less scatter: with "
            f"{STRONG_CORRELATION:g}, p = {strong.p_less:.1g})"
        )
    return (Caveat(CaveatCode.SCATTER, text),)


def scatter_about_precise_line(effects: Effects, consequence: str) -> tuple[Caveat, ...]:
    """Caveat on the scatter about the line weighted by final precision, for models whose line may be undefined."""
    usable = effects.complete & np.isfinite(effects.se).all(axis=1)
    data = effects if usable.all() else effects.take(usable)
    x, y = data.log_hr.T
    if len(data) < 3 or np.ptp(x) == 0:
        return ()
    weight = data.se[:, 1] ** -2.0
    mean_x, mean_y = weight @ x / weight.sum(), weight @ y / weight.sum()
    slope = float(weight @ ((x - mean_x) * (y - mean_y)) / (weight @ (x - mean_x) ** 2))
    return scatter_caveat(data, float(mean_y - slope * mean_x), slope, consequence)
