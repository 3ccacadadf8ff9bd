"""Joint model of two surrogate endpoints and the final endpoint.

    y_i ~ N3(theta_i, S_i),   theta_i ~ N3(mu, T),   T = D R D,   D = diag(tau),   R ~ LKJ(2)

The third endpoint is the final one. With ``T = [[A, c], [c', t]]``, A of the two surrogates:

    slopes = A^-1 c,   intercept = mu_3 - slopes' (mu_1, mu_2),   sigma_cond^2 = t - c' A^-1 c,
    r2_trial[both] = c' A^-1 c / t,   r2_trial[one] = squared correlation of that one with the final endpoint

R is constructed from partial correlations, ``r_12`` and ``r_13 ~ Beta(eta + 1/2, eta + 1/2)`` and
``r_23.1 ~ Beta(eta, eta)``, all on (-1, 1); this is the LKJ prior. A comparison with missing endpoints contributes the
others.

References
----------
Bujkiewicz, Thompson, Riley, Abrams (2016), doi:10.1002/sim.6776.
Lewandowski, Kurowicka, Joe (2009), doi:10.1016/j.jmva.2009.04.008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.errors import Caveat, FitError, UsageError
from surrogacy.models.priors import Beta, HalfNormal, Normal, PositivePrior
from surrogacy.models.sampled.blocks import Arrays, Layout, data_of, layouts_of, observe
from surrogacy.models.sampled.nuts import NewTrialLine, Sampled, random_variable, sample
from surrogacy.results.result import Result

if TYPE_CHECKING:
    from surrogacy.trials.trial_set import TrialSet


@dataclass(frozen=True, eq=False)
class TripleEffects:
    """Log hazard ratios of two surrogate endpoints and the final endpoint.

    Parameters
    ----------
    log_hr, se : (k, 3) arrays
        Log hazard ratios and standard errors, the final endpoint last; NaN = not reported.
    rho_within : (3, 3) or (k, 3, 3) array
        Within-trial correlations of the estimates.
    trial, comparison : tuple of str
    names : tuple of str
        Names of the three endpoints.
    caveats : tuple of Caveat

    Raises
    ------
    UsageError
        If shapes do not match, a matrix is not a correlation matrix, or a reported effect has no standard error.

    Examples
    --------
    >>> log_hr, trials = np.array([[-0.5, -0.4, -0.2], [-0.2, np.nan, 0.0]]), ("a", "b")
    >>> TripleEffects(log_hr, np.full((2, 3), 0.1), np.eye(3), trials, trials, ("PFS", "TTP", "OS")).pair().log_hr
    array([[-0.5, -0.2],
           [-0.2,  0. ]])
    """

    log_hr: FloatArray
    se: FloatArray
    rho_within: FloatArray
    trial: tuple[str, ...]
    comparison: tuple[str, ...]
    names: tuple[str, str, str]
    caveats: tuple[Caveat, ...] = ()

    def __post_init__(self) -> None:
        k = len(self.trial)
        if self.log_hr.shape != (k, 3) or self.se.shape != (k, 3) or len(self.comparison) != k:
            raise UsageError(
                f"log_hr and se must both have shape ({k}, 3); got {self.log_hr.shape} and {self.se.shape}"
            )
        rho = np.broadcast_to(self.rho_within, (k, 3, 3)) if self.rho_within.shape[-2:] == (3, 3) else None
        if (
            rho is None
            or not np.allclose(rho, rho.swapaxes(1, 2))
            or np.abs(rho).max(initial=0.0) > 1
            or (k and np.linalg.eigvalsh(rho).min() < -1e-9)
        ):
            raise UsageError("the within-trial correlations must be correlation matrices of three endpoints")
        if not np.all(self.se[~np.isnan(self.log_hr)] > 0):
            raise UsageError("every reported log hazard ratio needs a standard error above 0")

    def __len__(self) -> int:
        return len(self.trial)

    @property
    def covariance(self) -> FloatArray:
        """(k, 3, 3) covariance of the estimates of each comparison."""
        return np.asarray(self.rho_within * self.se[:, :, None] * self.se[:, None, :])

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Comparisons grouped by the endpoints that they report."""
        covariance = self.covariance
        return layouts_of(self.log_hr, (np.array([i]) for i in range(len(self))), lambda i, _: covariance[i])

    def pair(self, surrogate: int = 0) -> Effects:
        """Effects on one surrogate endpoint and the final endpoint."""
        rho = np.broadcast_to(self.rho_within, (len(self), 3, 3))[:, surrogate, 2]
        log_hr, se, name = self.log_hr[:, [surrogate, 2]], self.se[:, [surrogate, 2]], ", ".join(self.names)
        return Effects.from_arrays(log_hr, se, rho, trial=self.trial, comparison=self.comparison, name=name)


def triples(
    trials: TrialSet,
    surrogates: tuple[str, str] = ("PFS", "TTP"),
    final: str = "OS",
    *,
    rho_within: float = 0.5,
    rho_surrogates: float = 0.8,
    select: dict[str, Sequence[str]] | None = None,
    min_evidence: str = "secondary",
) -> TripleEffects:
    """Comparisons with the final endpoint and at least one of two surrogate endpoints.

    Parameters
    ----------
    trials : TrialSet
    surrogates : tuple of two str
    final : str
    rho_within : float
        Within-trial correlation of a surrogate and the final endpoint, where it is not reported.
    rho_surrogates : float
        Within-trial correlation of the two surrogate endpoints.
    select, min_evidence
        See `TrialSet.pair`.

    Returns
    -------
    TripleEffects
        Of comparisons that share a control arm, only the one with most endpoints: a second one would not be
        independent.

    Raises
    ------
    UsageError
        If no comparison has the endpoints.
    """
    paired = [trials.pair(name, final, rho_within, select, min_evidence, "cov") for name in surrogates]
    rows: dict[str, tuple[str, str, FloatArray, FloatArray, FloatArray]] = {}
    for which, effects in enumerate(paired):
        for i, comparison in enumerate(effects.comparison):
            blank = (np.full(3, np.nan), np.full(3, np.nan), _correlations(rho_within, rho_surrogates))
            _, _, y, se, rho = rows.setdefault(comparison, (effects.trial[i], effects.control_group[i], *blank))
            # an effect without a standard error counts as not reported
            y[[which, 2]] = np.where(np.isfinite(effects.se[i]), effects.log_hr[i], np.nan)
            se[[which, 2]] = effects.se[i]
            rho[which, 2] = rho[2, which] = effects.rho_within[i]
    best: dict[str, str] = {}
    for comparison, (_, group, y, _, _) in rows.items():
        key = group or f"\0{comparison}"
        if key not in best or np.isnan(y).sum() < np.isnan(rows[best[key]][2]).sum():
            best[key] = comparison
    if not best:
        raise UsageError(f"no comparison has {final} and {' or '.join(surrogates)}")
    comparisons = tuple(best.values())
    trial, _, *arrays = zip(*(rows[comparison] for comparison in comparisons), strict=True)
    log_hr, se, correlations = map(np.array, arrays)
    caveats = tuple(dict.fromkeys(caveat for effects in paired for caveat in effects.caveats))
    return TripleEffects(log_hr, se, correlations, trial, comparisons, (*surrogates, final), caveats)


def _correlations(with_final: float, between_surrogates: float) -> FloatArray:
    """3 x 3 matrix of within-trial correlations."""
    r, s = with_final, between_surrogates
    return np.array([[1.0, s, r], [s, 1.0, r], [r, r, 1.0]])


@dataclass(frozen=True)
class Trivariate(Sampled):
    """Trivariate random-effects model with a sampled posterior.

    Parameters
    ----------
    tau : HalfNormal, HalfStudentT or Uniform
        Prior of each SD of the true effects.
    eta : float
        Shape of the LKJ prior, at least 1/2; 1 is uniform over correlation matrices.
    mu : Normal
        Prior of each mean.

    Examples
    --------
    >>> Trivariate(eta=1.0).record["prior_tau"]
    'half-normal(0.5)'
    """

    tau: PositivePrior = HalfNormal(0.5)
    eta: float = 2.0
    mu: Normal = Normal(0.0, 10.0)

    name = "trivariate"

    def check(self, effects: TripleEffects) -> None:  # type: ignore[override]
        """Refuse effects with fewer than three estimates of an endpoint, or of both surrogates together."""
        seen = ~np.isnan(effects.log_hr)
        for name, column in zip(effects.names, seen.T, strict=True):
            if column.sum() < 3:
                raise FitError(f"{column.sum()} comparisons report {name}; the trivariate model needs 3")
        if seen[:, :2].all(axis=1).sum() < 3:
            first, second, _ = effects.names
            raise FitError(
                f"{seen[:, :2].all(axis=1).sum()} comparisons report {first} and {second}; the trivariate model needs 3"
            )

    def data(self, effects: TripleEffects) -> Arrays:  # type: ignore[override]
        """Arrays of the model's ``pm.Data``."""
        return data_of(effects.layouts)

    def build(self, effects: TripleEffects) -> pm.Model:  # type: ignore[override]
        """PyMC model of these effects."""
        with pm.Model(coords={"endpoint": list(effects.names), "surrogate": list(effects.names[:2])}) as model:
            mu = random_variable("mu", self.mu, dims="endpoint")
            tau = random_variable("tau", self.tau, dims="endpoint")
            r12 = random_variable("rho_surrogates", Beta(self.eta + 0.5, self.eta + 0.5))
            r13 = random_variable("rho_first", Beta(self.eta + 0.5, self.eta + 0.5))
            partial = random_variable("rho_partial", Beta(self.eta, self.eta))
            r23 = r12 * r13 + partial * pt.sqrt((1 - r12**2) * (1 - r13**2))
            correlation = {(0, 1): r12, (0, 2): r13, (1, 2): r23}
            between = {(e, f): r * tau[e] * tau[f] for (e, f), r in correlation.items()}
            between |= {(e, e): tau[e] ** 2 for e in range(3)}
            joint = r13**2 + partial**2 * (1 - r13**2)  # R2 of both: the second surrogate adds its partial R2
            standardised = pt.stack([r13 - r12 * r23, r23 - r12 * r13]) / (1 - r12**2)
            slopes = pm.Deterministic("slope", standardised * tau[2] / tau[:2], dims="surrogate")
            pm.Deterministic("intercept", mu[2] - (slopes * mu[:2]).sum())
            pm.Deterministic("sigma_cond", tau[2] * pt.sqrt(1 - joint))
            rho = pm.Deterministic("rho_between", pt.stack([r13, r23]), dims="surrogate")
            pm.Deterministic("r2_trial", rho**2, dims="surrogate")
            pm.Deterministic("r2_joint", joint)
            observe(effects.layouts, [mu[e] for e in range(3)], between, names=effects.names)
        return model

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """(chain, draw) arrays of the reported quantities."""
        posterior = tree["posterior"]
        quantities = {}
        for name in ("mu", "tau", "rho_between", "r2_trial", "slope"):
            dimension = "endpoint" if name in ("mu", "tau") else "surrogate"
            for level in map(str, np.asarray(posterior[dimension])):
                quantities[f"{name}[{level}]"] = np.asarray(posterior[name].sel({dimension: level}))
        both = "+".join(map(str, np.asarray(posterior["surrogate"])))
        quantities[f"r2_trial[{both}]"] = np.asarray(posterior["r2_joint"])
        return quantities | {
            name: np.asarray(posterior[name]) for name in ("rho_surrogates", "intercept", "sigma_cond")
        }

    def new_trial(self, tree: xr.DataTree) -> NewTrialLine | None:
        """Return None, because the prediction is a plane and not a line."""
        return None

    def fit(self, effects: TripleEffects) -> Result:  # type: ignore[override]
        """Sample and summarise; ``effects`` of the result are those on the first surrogate.

        Raises
        ------
        FitError
            With fewer than three comparisons that report an endpoint, or both surrogates.
        """
        self.check(effects)
        return self.result(effects.pair(), sample(self.build(effects), **self.sampler))
