"""Likelihood of the surrogacy line of one setting, tabulated without sampling.

    y_i ~ N2(theta_i, S_i),   theta_1i ~ N(mu, tau^2),   theta_2i | theta_1i ~ N(level + slope (theta_1i - c), sigma^2)

``c`` is a constant, the centre, so that ``level`` and ``slope`` are nearly independent. The mean (mu, level) enters
linearly: mu is integrated analytically with its normal prior, and the likelihood of ``level`` given (tau, slope, sigma)
is a normal curve. The table covers (tau, slope, log sigma); tau is integrated by a Gauss-Legendre rule with its prior,
slope and log sigma lie on equidistant nodes, whose priors are added by `surrogacy.models.exact.setting_pair`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.models.exact.bivariate_grid import search_limit
from surrogacy.models.exact.box_quadrature import COARSE, DROP, EDGE, find_box, rule
from surrogacy.models.exact.likelihood_sums import Batch, arrange, stack, sums
from surrogacy.models.priors import HalfNormal, Normal, PositivePrior

NODES = (14, 32, 48, 24)  # tau, level, slope, log sigma
NARROWINGS, WIDENINGS, EDGE_POINTS = 12, 6, 13  # steps of the search for a box, points per axis of its check
TAU, SLOPE, LOG_SIGMA = range(3)  # axes of the box
LARGEST = 3_000_000  # estimates times nodes that are evaluated at once
REACH = 6.0  # SDs of the priors of level, slope and log sigma that the search covers
FAR = 10.0  # scales of the spread between which the coefficients of two settings may differ
LEVEL_REACH = 7.0  # SDs of the level on either side of its mean


@dataclass(frozen=True)
class SettingPriors:
    """Priors of lines that are exchangeable over settings.

    Each of level, slope and log sigma is normal over settings; its mean has a normal prior and its SD over settings
    (the spread) a half-normal one.

    Parameters
    ----------
    mu : Normal
        Mean of the true surrogate effects of a setting.
    tau_surrogate : HalfNormal, HalfStudentT or Uniform
        SD of the true surrogate effects of a setting.
    level, slope, log_sigma : Normal
        Means over settings.
    spread_level, spread_slope, spread_log_sigma : HalfNormal
        SDs over settings.

    Examples
    --------
    >>> str(SettingPriors().spread_slope)
    'half-normal(0.5)'
    """

    mu: Normal = Normal(0.0, 10.0)
    tau_surrogate: PositivePrior = HalfNormal(0.5)
    level: Normal = Normal(0.0, 1.0)
    slope: Normal = Normal(0.0, 1.0)
    log_sigma: Normal = Normal(float(np.log(0.1)), 1.0)
    spread_level: HalfNormal = HalfNormal(0.25)
    spread_slope: HalfNormal = HalfNormal(0.5)
    spread_log_sigma: HalfNormal = HalfNormal(0.5)


class Conditional(NamedTuple):
    """Likelihood at nodes of (tau, slope, log sigma) as a normal curve of the level.

    Parameters
    ----------
    log_height : array
        Log of its integral over the level.
    mean, variance : arrays
    """

    log_height: FloatArray
    mean: FloatArray
    variance: FloatArray


@dataclass(frozen=True, eq=False)
class SettingTable:
    """Likelihood of the line of one setting.

    Parameters
    ----------
    effects : Effects
    centre : float
        Surrogate log hazard ratio at which ``level`` is the final log hazard ratio of the line.
    tau : (t,) array
    level, slope, log_sigma : (l,), (b,), (s,) arrays
        Equidistant nodes.
    joint : (t, l, b, s) array
        Likelihood times the prior mass of tau, mu integrated out; scaled by ``exp(-log_scale)``.
    log_scale : float
    """

    effects: Effects
    centre: float
    tau: FloatArray
    level: FloatArray
    slope: FloatArray
    log_sigma: FloatArray
    joint: FloatArray
    log_scale: float

    @property
    def axes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Nodes of level, slope and log sigma."""
        return self.level, self.slope, self.log_sigma

    @property
    def likelihood(self) -> FloatArray:
        """Likelihood of (level, slope, log sigma), tau integrated out; (l, b, s)."""
        return np.asarray(self.joint.sum(axis=0))


def common_centre(first: Effects, second: Effects) -> float:
    """Mean surrogate log hazard ratio of the comparisons of both sets, weighted by inverse variance."""
    y = np.concatenate([effects.log_hr[:, 0] for effects in (first, second)])
    precision = np.concatenate([effects.se[:, 0] for effects in (first, second)]) ** -2.0
    present = ~np.isnan(y)
    return float(precision[present] @ y[present] / precision[present].sum())


def tabulate(
    effects: Effects, priors: SettingPriors, centre: float, nodes: tuple[int, int, int, int] = NODES
) -> SettingTable:
    """Tabulate the likelihood of the line of one setting on a box that contains all of the posterior mass.

    The box is that of the setting alone, with the priors of a single setting.

    Parameters
    ----------
    effects : Effects
    priors : SettingPriors
    centre : float
    nodes : tuple of int
        Nodes of tau, level, slope and log sigma.
    """
    batch = stack([arrange(effects)])
    conditional = partial(_conditional, batch, priors, centre)
    alone = {
        name: replace(prior, sd=float(np.hypot(prior.sd, spread.scale)))
        for name, prior, spread in (
            ("level", priors.level, priors.spread_level),
            ("slope", priors.slope, priors.spread_slope),
            ("log_sigma", priors.log_sigma, priors.spread_log_sigma),
        )
    }
    scale = float(batch.scale[0, 0])

    def log_density(points: list[FloatArray]) -> FloatArray:
        u, slope, log_sigma = (axis[0] for axis in points)
        normal = conditional(scale * np.sinh(u), slope, log_sigma)
        total = alone["level"].sd ** 2 + normal.variance
        value = normal.log_height - 0.5 * np.log(total) - 0.5 * (normal.mean - alone["level"].mean) ** 2 / total
        value += (priors.tau_surrogate.log_density(scale * np.sinh(u)) + np.log(np.cosh(u)))[:, None, None]
        value += _log_normal(slope, alone["slope"])[:, None] + _log_normal(log_sigma, alone["log_sigma"])
        return value[None]

    limit = float(search_limit(priors.tau_surrogate, batch.spread[0, 0]))
    ends = [(float(np.arcsinh(getattr(priors.tau_surrogate, "low", 0.0) / scale)), float(np.arcsinh(limit / scale)))]
    ends += [
        (prior.mean - REACH * prior.sd, prior.mean + REACH * prior.sd) for prior in (alone["slope"], alone["log_sigma"])
    ]
    low, high = (np.array([end]) for end in zip(*ends, strict=True))
    low, high = (edge[0] for edge in _box(log_density, low, high))
    points, weights = rule(nodes[0])
    u = low[0] + (high[0] - low[0]) / 2 * (1 + points)
    tau, slope, log_sigma = scale * np.sinh(u), *(np.linspace(low[a], high[a], nodes[1 + a]) for a in (1, 2))
    normal = conditional(tau, slope, log_sigma)
    log_mass = np.log(weights * (high[0] - low[0]) / 2 * scale * np.cosh(u)) + priors.tau_surrogate.log_density(tau)
    log_height = normal.log_height + log_mass[:, None, None]
    single = _log_normal(slope, alone["slope"])[:, None] + _log_normal(log_sigma, alone["log_sigma"])
    level = _level_nodes(normal, log_height + single, alone["level"], nodes[1])
    log_scale = float(log_height.max())
    density = np.exp(log_height - log_scale) / np.sqrt(2 * np.pi * normal.variance)
    distance = level[:, None, None] - normal.mean[:, None]
    joint = density[:, None] * np.exp(-0.5 * distance**2 / normal.variance[:, None])
    return SettingTable(effects, centre, tau, level, slope, log_sigma, joint, log_scale)


def _box(
    log_density: Callable[[list[FloatArray]], FloatArray], low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Box that contains the mass of a density, (1, axes) each.

    With many precise trials the likelihood is narrow in comparison with the domain, and on a coarse grid of slopes the
    profile of sigma falls too steeply. The axes are therefore narrowed one after the other, the slope first, by at most
    one cell around the points that are high enough. An end at which there is mass is moved outwards again.
    """
    domain = low.copy(), high.copy()
    for axis in (SLOPE, LOG_SIGMA, TAU):
        for _ in range(NARROWINGS):
            points = [np.linspace(low[:, a], high[:, a], COARSE, axis=1) for a in range(low.shape[1])]
            values = np.moveaxis(log_density(points)[0], axis, 0).reshape(COARSE, -1).max(axis=1)
            inside = np.flatnonzero(values > values.max() - DROP)
            first, last = max(inside[0] - 1, 0), min(inside[-1] + 1, COARSE - 1)
            low[0, axis], high[0, axis] = points[axis][0, [first, last]]
            if last - first > 0.7 * (COARSE - 1):
                break
    low, high = find_box(log_density, low, high)
    for _ in range(WIDENINGS):
        values = log_density([np.linspace(low[:, a], high[:, a], EDGE_POINTS, axis=1) for a in range(low.shape[1])])[0]
        width, moved = high - low, False
        for axis in (TAU, SLOPE, LOG_SIGMA):
            profile = np.moveaxis(values, axis, 0).reshape(EDGE_POINTS, -1).max(axis=1) - values.max()
            if profile[0] > -EDGE and low[0, axis] > domain[0][0, axis]:
                low[0, axis], moved = max(low[0, axis] - width[0, axis] / 4, domain[0][0, axis]), True
            if profile[-1] > -EDGE and high[0, axis] < domain[1][0, axis]:
                high[0, axis], moved = min(high[0, axis] + width[0, axis] / 4, domain[1][0, axis]), True
        if not moved:
            break
    return low, high


def without_trials(priors: SettingPriors, other: SettingTable) -> SettingTable:
    """Table of a setting without trials, on nodes that cover its prior given the other setting."""
    points, weights = rule(len(other.tau))
    limit = float(search_limit(priors.tau_surrogate, np.zeros(())))
    tau = limit * ((1 + points) / 2) ** 2
    mass = weights * (1 + points) * np.exp(priors.tau_surrogate.log_density(tau))
    level, slope, log_sigma = (
        np.linspace(nodes[0] - FAR * spread.scale, nodes[-1] + FAR * spread.scale, n)
        for nodes, spread, n in (
            (other.level, priors.spread_level, 8),  # the likelihood is constant, R2 does not depend on the level
            (other.slope, priors.spread_slope, len(other.slope)),
            (other.log_sigma, priors.spread_log_sigma, len(other.log_sigma)),
        )
    )
    shape = len(level), len(slope), len(log_sigma)
    joint = np.broadcast_to(mass.reshape(-1, 1, 1, 1) / mass.sum(), (len(tau), *shape))
    return SettingTable(other.effects, other.centre, tau, level, slope, log_sigma, joint, 0.0)


def _level_nodes(normal: Conditional, log_weight: FloatArray, prior: Normal, n: int) -> FloatArray:
    """Equidistant nodes of the level over its mean -+ `LEVEL_REACH` SDs in the setting alone."""
    precision = 1 / normal.variance + prior.sd**-2.0
    mean = (normal.mean / normal.variance + prior.mean * prior.sd**-2.0) / precision
    log_weight = log_weight - 0.5 * (normal.mean - prior.mean) ** 2 / (prior.sd**2 + normal.variance)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    centre = float((weight * mean).sum())
    sd = float(np.sqrt((weight * ((mean - centre) ** 2 + 1 / precision)).sum()))
    return np.linspace(centre - LEVEL_REACH * sd, centre + LEVEL_REACH * sd, n)


def _log_normal(x: FloatArray, prior: Normal) -> FloatArray:
    """Log density of a normal prior without its constant."""
    return np.asarray(-0.5 * ((x - prior.mean) / prior.sd) ** 2)


def _conditional(
    batch: Batch, priors: SettingPriors, centre: float, tau: FloatArray, slope: FloatArray, log_sigma: FloatArray
) -> Conditional:
    """Likelihood as a normal curve of the level, on a product grid.

    About the centre ``m`` of the data the mean of the true effects is ``X (mu - m1, a)'`` with
    ``X = [[1, 0], [slope, 1]]`` and ``a = level + slope (m1 - c) - m2``, so that the precision of (mu, a) is
    ``X' (sum V^-1) X``.
    """
    points = len(tau) * len(slope) * len(log_sigma)
    if len(tau) > 1 and points * batch.size[0] > LARGEST:
        halves = np.array_split(tau, 2)
        parts = [_conditional(batch, priors, centre, half, slope, log_sigma) for half in halves]
        return Conditional(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    t, b, sigma = tau[:, None, None], slope[:, None], np.exp(log_sigma)
    shape = np.broadcast_shapes(t.shape, b.shape, sigma.shape)
    elements = t**2, b * t**2, (b * t) ** 2 + sigma**2, (t * sigma) ** 2
    s = sums(batch, *(np.broadcast_to(part, shape).reshape(1, -1) for part in elements))
    p11, p12, p22, h1, h2, quadratic, log_det = (
        part.reshape(shape) for part in (s.p11, s.p12, s.p22, s.h1, s.h2, s.quadratic, s.log_det)
    )
    (m1, m2), precision = batch.centre[0], priors.mu.sd**-2.0
    offset = priors.mu.mean - m1
    q11, q12 = p11 + 2 * b * p12 + b**2 * p22 + precision, p12 + b * p22
    g1 = h1 + b * h2 + precision * offset
    q22, g2 = p22 - q12**2 / q11, h2 - q12 * g1 / q11
    constant = np.log(precision) - batch.size[0] * np.log(2 * np.pi) - log_det - quadratic - precision * offset**2
    log_height = 0.5 * (constant + g1**2 / q11 - np.log(q11) + g2**2 / q22 + np.log(2 * np.pi) - np.log(q22))
    return Conditional(log_height, g2 / q22 + m2 - b * (m1 - centre), 1 / q22)
