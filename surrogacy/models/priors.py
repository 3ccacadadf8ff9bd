"""Prior distributions as values, with their densities and distribution functions.

The exact posteriors integrate over them. `surrogacy.models.sampled` turns the same values into random variables of
PyMC, so that exact and sampled posteriors can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaln, gammaln, ndtr, stdtr

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError


@dataclass(frozen=True)
class HalfNormal:
    """Normal distribution folded at 0.

    Parameters
    ----------
    scale : float
        SD before folding.

    Examples
    --------
    >>> str(HalfNormal(0.5))
    'half-normal(0.5)'
    """

    scale: float

    def __post_init__(self) -> None:
        _positive(self, "scale")

    def __str__(self) -> str:
        return f"half-normal({self.scale:g})"

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density at x >= 0."""
        return np.asarray(0.5 * np.log(2 / np.pi) - np.log(self.scale) - 0.5 * (x / self.scale) ** 2)

    def cdf(self, x: FloatArray) -> FloatArray:
        """Distribution function."""
        return np.asarray(np.clip(2 * ndtr(x / self.scale) - 1, 0, 1))

    def reach(self, drop: float) -> float:
        """Value above which ``x * density`` is at most ``exp(-drop)`` of its maximum."""
        return float(self.scale * np.sqrt(2 * drop + 6))


@dataclass(frozen=True)
class HalfStudentT:
    """Student's t distribution folded at 0; ``degrees_of_freedom=1`` is the half-Cauchy.

    Parameters
    ----------
    scale : float
    degrees_of_freedom : float

    Examples
    --------
    >>> str(HalfStudentT(0.5, 4.0))
    'half-t(0.5, 4 df)'
    """

    scale: float
    degrees_of_freedom: float = 1.0

    def __post_init__(self) -> None:
        _positive(self, "scale")
        _positive(self, "degrees_of_freedom")

    def __str__(self) -> str:
        if self.degrees_of_freedom == 1:
            return f"half-Cauchy({self.scale:g})"
        return f"half-t({self.scale:g}, {self.degrees_of_freedom:g} df)"

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density at x >= 0."""
        nu = self.degrees_of_freedom
        constant = np.log(2) + gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(self.scale)
        return np.asarray(constant - (nu + 1) / 2 * np.log1p((x / self.scale) ** 2 / nu))

    def cdf(self, x: FloatArray) -> FloatArray:
        """Distribution function."""
        return np.asarray(np.clip(2 * stdtr(self.degrees_of_freedom, np.asarray(x) / self.scale) - 1, 0, 1))

    def reach(self, drop: float) -> float:
        """Value above which ``x * density`` is at most ``exp(-drop)`` of its maximum."""
        return float(self.scale * np.sqrt(self.degrees_of_freedom + 1) * np.exp(drop / self.degrees_of_freedom))


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution.

    Parameters
    ----------
    low, high : float

    Examples
    --------
    >>> str(Uniform(-1.0, 1.0))
    'uniform(-1, 1)'
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _ordered(self.low, self.high, self)

    def __str__(self) -> str:
        return f"uniform({self.low:g}, {self.high:g})"

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density; minus infinity outside."""
        inside = (np.asarray(x) >= self.low) & (np.asarray(x) <= self.high)
        return np.asarray(np.where(inside, -np.log(self.high - self.low), -np.inf))

    def cdf(self, x: FloatArray) -> FloatArray:
        """Distribution function."""
        return np.asarray(np.clip((np.asarray(x) - self.low) / (self.high - self.low), 0, 1))

    def reach(self, drop: float) -> float:
        """Value above which the density is 0."""
        return self.high


@dataclass(frozen=True)
class Beta:
    """Beta distribution stretched from (0, 1) to (low, high).

    ``Beta(eta, eta)`` on (-1, 1) is the LKJ prior of a single correlation.

    Parameters
    ----------
    a, b : float
        Shapes, at least 1/2 each: with smaller ones the quadrature fails, as the density diverges at the ends.
    low, high : float

    Examples
    --------
    >>> str(Beta(2.0, 3.0, 0.0, 1.0))
    'beta(2, 3) on (0, 1)'
    """

    a: float
    b: float
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _ordered(self.low, self.high, self)
        if min(self.a, self.b) < 0.5:
            raise UsageError(f"{self}: shapes below 0.5 are not supported")

    def __str__(self) -> str:
        if self.a == self.b and (self.low, self.high) == (-1.0, 1.0):
            return f"LKJ({self.a:g})"
        return f"beta({self.a:g}, {self.b:g}) on ({self.low:g}, {self.high:g})"

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density; minus infinity outside."""
        width = self.high - self.low
        unit = (np.asarray(x) - self.low) / width
        inside = (unit > 0) & (unit < 1)
        unit = np.where(inside, unit, 0.5)
        value = (self.a - 1) * np.log(unit) + (self.b - 1) * np.log1p(-unit) - betaln(self.a, self.b) - np.log(width)
        return np.asarray(np.where(inside, value, -np.inf))

    def cdf(self, x: FloatArray) -> FloatArray:
        """Distribution function."""
        unit = np.clip((np.asarray(x) - self.low) / (self.high - self.low), 0, 1)
        return np.asarray(betainc(self.a, self.b, unit))


@dataclass(frozen=True)
class Normal:
    """Normal distribution.

    Parameters
    ----------
    mean, sd : float

    Examples
    --------
    >>> str(Normal(0.0, 10.0))
    'normal(0, 10)'
    """

    mean: float = 0.0
    sd: float = 10.0

    def __post_init__(self) -> None:
        _positive(self, "sd")
        if not np.isfinite(self.mean):
            raise UsageError(f"Normal: mean must be finite; got {self.mean:g}")

    def __str__(self) -> str:
        return f"normal({self.mean:g}, {self.sd:g})"


@dataclass(frozen=True)
class Grid:
    """Equal probability on each of a few values.

    Parameters
    ----------
    values : tuple of float

    Examples
    --------
    >>> str(Grid((0.3, 0.5)))
    'equal weights on 0.3, 0.5'
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or not all(abs(value) <= 1 for value in self.values):
            raise UsageError(f"Grid: at least one value is needed, all within [-1, 1]; got {self.values}")

    def __str__(self) -> str:
        return f"equal weights on {', '.join(f'{value:g}' for value in self.values)}"


PositivePrior = HalfNormal | HalfStudentT | Uniform  # for an SD
CorrelationPrior = Uniform | Beta  # for the between-trial correlation
WithinPrior = Uniform | Beta | Grid  # for the within-trial correlation


def half_cauchy(scale: float) -> HalfStudentT:
    """Half-Cauchy prior.

    Examples
    --------
    >>> str(half_cauchy(0.5))
    'half-Cauchy(0.5)'
    """
    return HalfStudentT(scale, 1.0)


def lkj(eta: float) -> Beta:
    """LKJ prior of one correlation: density proportional to ``(1 - rho^2)^(eta - 1)``.

    References
    ----------
    Lewandowski, Kurowicka, Joe (2009), doi:10.1016/j.jmva.2009.04.008.

    Examples
    --------
    >>> str(lkj(2.0))
    'LKJ(2)'
    """
    return Beta(eta, eta)


def _positive(prior: object, name: str) -> None:
    value = getattr(prior, name)
    if not (np.isfinite(value) and value > 0):
        raise UsageError(f"{type(prior).__name__}: {name} must be above 0; got {value:g}")


def _ordered(low: float, high: float, prior: object) -> None:
    if not (np.isfinite([low, high]).all() and low < high):
        raise UsageError(f"{type(prior).__name__}: low must be below high; got {low:g}, {high:g}")
