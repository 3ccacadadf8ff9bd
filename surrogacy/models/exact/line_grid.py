"""Joint posterior of one or two coefficients and an SD, tabulated on a box, with its quantiles and probabilities.

    coefficients = centre + factor sinh(u),   SD = scale sinh(v),   factor upper triangular

The last coefficient depends on its own coordinate only, the first one on both, so that the axes follow the posterior
however strongly the coefficients are correlated. The sinh extends the axes, because with few trials distant values are
plausible. For every value of the second coordinate, "l'coefficients < x" is an upper limit of the first one, so that
distribution functions are integrals along lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.bivariate_grid import search_limit
from surrogacy.models.exact.box_quadrature import EDGE, Integral, find_box, integrate_box, rule
from surrogacy.models.exact.interpolation import to_even, to_nodes
from surrogacy.models.exact.marginals import ALONG, FINE, FINELY, cumulate, from_masses, interval_mass
from surrogacy.models.exact.nodes import LIGHT
from surrogacy.models.priors import Normal, PositivePrior
from surrogacy.stats.roots import increasing_root

# The search for a coefficient ends at this number of prior SDs, or at ten times as many standard errors if farther.
FARTHEST = 6.0


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Map from the unit-free axes to coefficients and SD.

    Parameters
    ----------
    centre : (q,) array
        Rough estimate of the coefficients.
    factor : (q, q) array
        Upper triangular factor of the covariance of that estimate.
    scale : float
        Unit of the SD.
    """

    centre: FloatArray
    factor: FloatArray
    scale: float

    @classmethod
    def around(cls, centre: FloatArray, covariance: FloatArray, priors: Sequence[Normal], scale: float) -> Coordinates:
        """Axes along the normal approximation of the posterior: the first coefficient given the last, and the last."""
        data, prior = np.linalg.inv(covariance), np.diag([normal.sd**-2.0 for normal in priors])
        covariance = np.linalg.inv(data + prior)
        centre = covariance @ (data @ centre + prior @ [normal.mean for normal in priors])
        if len(centre) == 1:
            return cls(centre, np.sqrt(covariance), scale)
        last = float(np.sqrt(covariance[1, 1]))
        pull = float(covariance[0, 1]) / last
        first = float(np.sqrt(max(covariance[0, 0] - pull**2, 1e-12 * covariance[0, 0])))
        return cls(centre, np.array([[first, pull], [0.0, last]]), scale)

    def coefficients(self, points: Sequence[FloatArray]) -> FloatArray:
        """(n1, ..., nq, q) coefficients on the product of the (1, n) points of their axes."""
        sinh = np.stack(np.meshgrid(*(np.sinh(axis[0]) for axis in points), indexing="ij"), axis=-1)
        return np.asarray(self.centre + sinh @ self.factor.T)

    def sd(self, points: FloatArray) -> FloatArray:
        """(n,) SDs at the (1, n) points of their axis."""
        return np.asarray(self.scale * np.sinh(points[0]))

    def log_jacobian(self, points: Sequence[FloatArray]) -> FloatArray:
        """Log determinant of the map from the axes to coefficients and SD, on the whole product grid."""
        total = np.log(np.abs(np.diag(self.factor))).sum() + np.log(self.scale)
        logs = [np.log(np.cosh(axis[0])) for axis in points]
        return np.asarray(total + sum(np.meshgrid(*logs, indexing="ij", sparse=True)))

    def domain(self, priors: Sequence[Normal], sd: PositivePrior, spread: float) -> tuple[FloatArray, FloatArray]:
        """Ends of the axes; as prior and data may contradict each other, they include the values that either allows."""
        low, high = [], []
        for prior, centre, unit in zip(priors, self.centre, np.diag(self.factor), strict=True):
            reach = max(FARTHEST * prior.sd + abs(prior.mean - centre), 10 * FARTHEST * unit)
            low.append(-np.arcsinh(reach / unit))
            high.append(np.arcsinh(reach / unit))
        low.append(np.arcsinh(getattr(sd, "low", 0.0) / self.scale))
        high.append(np.arcsinh(float(search_limit(sd, np.array(spread))) / self.scale))
        return np.array([low]), np.array([high])


@dataclass(frozen=True, eq=False)
class CoefficientGrid:
    """Tabulated posterior of coefficients and SD.

    Parameters
    ----------
    coordinates : Coordinates
    integral : Integral
        Integral for one data set; its axes are the coefficients, then the SD.
    """

    coordinates: Coordinates
    integral: Integral

    @property
    def count(self) -> int:
        """Number of coefficients."""
        return len(self.coordinates.centre)

    @property
    def log_evidence(self) -> float:
        """Log of the integral of the density."""
        return float(self.integral.log_total[0])

    def points(self) -> list[FloatArray]:
        """(1, n) nodes of every axis."""
        low, high = self.integral.low, self.integral.high
        nodes = (rule(n)[0] for n in self.integral.weight.shape[1:])
        return [low[:, [a]] + (high - low)[:, [a]] / 2 * (1 + t) for a, t in enumerate(nodes)]

    def nodes(self) -> tuple[FloatArray, FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Weight, coefficients (n, q) and SD of the nodes that carry mass, and the mask of these nodes in the grid."""
        points = self.points()
        weight = self.integral.weight[0]
        heavy = weight > LIGHT * weight.max()
        coefficients = np.broadcast_to(
            self.coordinates.coefficients(points[:-1])[..., None, :], (*weight.shape, self.count)
        )
        sd = np.broadcast_to(self.coordinates.sd(points[-1]), weight.shape)
        return weight[heavy] / weight[heavy].sum(), coefficients[heavy], sd[heavy], heavy

    def reweighted(self, log_density: FloatArray) -> CoefficientGrid | None:
        """Same box with another density, such as that of fewer trials; None if there would be mass beyond an edge.

        Parameters
        ----------
        log_density : (n1, ..., nq, n) array
            Log density with respect to the axes, including its constant.
        """
        top = log_density.max()
        density = np.exp(log_density - top)
        for axis in range(density.ndim):
            profile = density.max(axis=tuple(a for a in range(density.ndim) if a != axis))
            at_zero = axis == density.ndim - 1 and self.integral.low[0, axis] <= 0.0
            if (profile[0] > np.exp(-EDGE) and not at_zero) or profile[-1] > np.exp(-EDGE):
                return None
        weight = density
        for axis, n in enumerate(density.shape):
            weight = weight * rule(n)[1].reshape(-1, *[1] * (density.ndim - 1 - axis))
        total = float(weight.sum())
        half = (self.integral.high - self.integral.low) / 2
        log_total = np.array([top + np.log(total)]) + np.log(half).sum(axis=1)
        parts = (weight / total)[None], (log_density - top - np.log(total))[None], log_total
        return CoefficientGrid(self.coordinates, Integral(self.integral.low, self.integral.high, *parts, None))

    def plane(self) -> FloatArray:
        """(n1, ..., nq) log density of the coefficients' coordinates in [-1, 1], with the SD integrated out."""
        log_density = self.integral.log_density[0]
        top = log_density.max()
        mass = np.exp(log_density - top) @ rule(log_density.shape[-1])[1]
        return np.asarray(np.log(np.maximum(mass, 1e-300)) + top)

    def distribution(self, combination: Sequence[float]) -> Callable[[FloatArray], FloatArray]:
        """Distribution function of ``combination @ coefficients`` for the combination (1, x) with any x, or (0, 1)."""
        low, high = self.integral.low[0], self.integral.high[0]
        plane = self.plane()
        if self.count == 1 or combination[0] == 0:
            axis = self.count - 1
            marginal = plane if self.count == 1 else np.log(rule(plane.shape[0])[1] @ np.exp(plane))
            cdf = from_masses((np.exp(marginal) * rule(len(marginal))[1])[None])[0]
            grid = np.linspace(low[axis], high[axis], FINE)
            values = self.coordinates.centre[axis] + self.coordinates.factor[axis, axis] * np.sinh(grid)
            return lambda x: np.interp(x, values, cdf, left=0.0, right=1.0)
        many = max(plane.shape[1], FINELY)
        lines = cumulate((plane @ to_nodes(plane.shape[1], many).T).T, ALONG) * rule(many)[1][:, None]
        total = lines[:, -1].sum()
        (first, pull), (_, unit) = self.coordinates.factor
        last = np.sinh((low[1] + high[1] + (high[1] - low[1]) * rule(many)[0]) / 2)
        fixed = self.coordinates.centre[0] + pull * last + combination[1] * (self.coordinates.centre[1] + unit * last)

        def distribution(x: FloatArray) -> FloatArray:
            ends = np.arcsinh((np.asarray(x)[:, None] - fixed) / first)
            return interval_mass(lines, 2 * (ends - low[0]) / (high[0] - low[0]) - 1) / total

        return distribution

    def quantiles(self, combination: Sequence[float], p: Sequence[float]) -> FloatArray:
        """Quantiles of ``combination @ coefficients``."""
        mean, sd = self.moments(combination)
        distribution, wanted = self.distribution(combination), np.asarray(p, dtype=np.float64)
        low, high = np.full(wanted.shape, mean - 3 * sd), np.full(wanted.shape, mean + 3 * sd)
        return increasing_root(lambda x: distribution(x) - wanted, low, high)

    def moments(self, combination: Sequence[float]) -> tuple[float, float]:
        """Mean and SD of ``combination @ coefficients``."""
        weight, coefficients, _, _ = self.nodes()
        values = coefficients @ np.asarray(combination, dtype=np.float64)
        mean = float(weight @ values)
        return mean, float(np.sqrt(weight @ (values - mean) ** 2))

    def _tabulated_sd(self) -> tuple[FloatArray, FloatArray]:
        """Values of the SD, and its distribution function at these values."""
        weight = self.integral.weight[0]
        cdf = from_masses(weight.sum(axis=tuple(range(weight.ndim - 1)))[None])[0]
        grid = np.linspace(self.integral.low[0, -1], self.integral.high[0, -1], FINE)
        return self.coordinates.scale * np.sinh(grid), cdf

    def sd_quantiles(self, p: Sequence[float]) -> FloatArray:
        """Quantiles of the SD."""
        values, cdf = self._tabulated_sd()
        return np.interp(p, cdf, values)

    def sd_distribution(self, x: FloatArray) -> FloatArray:
        """Distribution function of the SD."""
        return np.interp(x, *self._tabulated_sd(), left=0.0, right=1.0)

    def tail_probability(self, point: Sequence[float]) -> float:
        """Posterior probability of two coefficients with a lower density than a point.

        This is 1 minus the level of the highest-density region with the point on its boundary; it is small if the point
        is far from the mode.
        """
        plane = self.plane()
        n1, n2 = plane.shape
        fine = to_even(n1, FINE) @ plane @ to_even(n2, FINE).T
        low, high = self.integral.low[0], self.integral.high[0]
        axes = [np.linspace(low[a], high[a], FINE) for a in range(2)]
        # density of the coefficients themselves, not of their coordinates
        density = fine - np.log(np.cosh(axes[0]))[:, None] - np.log(np.cosh(axes[1]))
        unit = np.linalg.solve(self.coordinates.factor, np.asarray(point, dtype=np.float64) - self.coordinates.centre)
        at = np.arcsinh(unit)
        if not np.all((at >= low[:2]) & (at <= high[:2])):
            return 0.0
        from scipy.interpolate import RegularGridInterpolator

        here = float(RegularGridInterpolator(axes, density)(at)[0])
        mass = np.exp(fine)
        return float(mass[density < here].sum() / mass.sum())


def tabulate(
    log_density: Callable[[FloatArray, FloatArray], tuple[FloatArray, Any]],
    coordinates: Coordinates,
    priors: Sequence[Normal],
    sd: PositivePrior,
    spread: float,
    nodes: Sequence[int],
) -> CoefficientGrid:
    """Find the box that contains the posterior, and tabulate the posterior on it.

    Parameters
    ----------
    log_density : callable
        Function of (..., q) coefficients and (n,) SDs that returns log densities (..., n), including the priors of the
        parameters that it integrates out, and any other value to keep for the nodes.
    coordinates : Coordinates
    priors : sequence of Normal
        Priors of the coefficients.
    sd : HalfNormal, HalfStudentT or Uniform
        Prior of the SD.
    spread : float
        Largest distance of an effect from the mean; no SD is plausible far beyond it.
    nodes : sequence of int
        Number of nodes of each axis.
    """

    def evaluate(points: list[FloatArray]) -> tuple[FloatArray, Any]:
        coefficients, sds = coordinates.coefficients(points[:-1]), coordinates.sd(points[-1])
        values, extra = log_density(coefficients, sds)
        for a, prior in enumerate(priors):
            z = (coefficients[..., a] - prior.mean) / prior.sd
            values = values + (-0.5 * z**2 - np.log(prior.sd * np.sqrt(2 * np.pi)))[..., None]
        return (values + sd.log_density(sds) + coordinates.log_jacobian(points))[None], extra

    domain = coordinates.domain(priors, sd, spread)
    box = find_box(lambda points: evaluate(points)[0], *domain)
    return CoefficientGrid(coordinates, integrate_box(evaluate, nodes, box, domain))
