"""Prior of the pair of one coefficient in two settings, on the nodes of two tables, and tabulated marginals.

    x_s ~ N(m, omega^2), s = 1, 2,   m ~ N(m0, s0^2)

A likelihood is interpolated between its nodes, and the interpolating functions (hat functions) are integrated over the
normal prior in closed form, so that the sum is exact for omega -> 0 (equal coefficients) as well. The error of linear
interpolation, ``h^2 G'' / 12``, is subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import ndtr

from surrogacy.arrays import FloatArray
from surrogacy.models.exact.box_quadrature import rule
from surrogacy.models.priors import HalfNormal, Normal

SPREADS = 16  # nodes of each spread
MEANS = 200  # nodes of the mean over settings
SCALES = 8.4  # largest spread, in scales of its prior
NEGLIGIBLE = 1e-13  # share of a node in the mass of a distribution
WIDE = 5.5  # SDs of the normal kernel that are integrated


@dataclass(frozen=True, eq=False)
class Spread:
    """Nodes of the SD of one coefficient over settings.

    Parameters
    ----------
    value : (w,) array
        The first is 0.
    weight : (w,) array
        Weights of the quadrature, 0 at the first node.
    """

    value: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, prior: HalfNormal) -> Spread:
        """Nodes that are denser near 0, where the likelihood of a spread varies most."""
        points, weights = rule(SPREADS)
        u = (1 + points) / 2
        reach = SCALES * prior.scale
        return cls(np.concatenate([[0.0], reach * u**2]), np.concatenate([[0.0], reach * u * weights]))

    def mass(self, prior: HalfNormal) -> FloatArray:
        """Prior mass of the nodes; sums to 1."""
        mass = self.weight * np.exp(prior.log_density(self.value))
        return np.asarray(mass / mass.sum())


@dataclass(frozen=True, eq=False)
class Marginal:
    """Distribution function of a quantity, tabulated.

    Parameters
    ----------
    x : (n,) array
    cumulated : (n,) array
    """

    x: FloatArray
    cumulated: FloatArray

    @classmethod
    def of_masses(cls, nodes: FloatArray, mass: FloatArray, bounds: tuple[float, float] | None = None) -> Marginal:
        """Distribution with masses at ordered nodes, cumulated to the points between them."""
        between = (nodes[1:] + nodes[:-1]) / 2
        low, high = (2 * nodes[0] - between[0], 2 * nodes[-1] - between[-1]) if bounds is None else bounds
        kept = np.where(mass > NEGLIGIBLE * mass.sum(), mass, 0.0)  # interpolation overflows in the outermost tails
        cumulated = np.concatenate([[0.0], np.cumsum(kept)])
        return cls(np.concatenate([[low], between, [high]]), cumulated / cumulated[-1])

    def quantiles(self, p: Sequence[float]) -> FloatArray:
        """Quantiles, (len(p),)."""
        fine = np.linspace(self.x[0], self.x[-1], 20 * len(self.x))
        values = self.cdf(fine)
        increasing = np.concatenate([[True], np.diff(values) > 1e-12])
        return np.asarray(np.interp(p, values[increasing], fine[increasing]))

    def cdf(self, x: FloatArray | float) -> FloatArray:
        """Distribution function."""
        curve = PchipInterpolator(self.x, self.cumulated)
        return np.asarray(np.clip(curve(np.clip(x, self.x[0], self.x[-1])), 0.0, 1.0))


def hat_masses(nodes: FloatArray, mean: FloatArray, sd: float) -> FloatArray:
    """Integrals of hat functions on equidistant nodes over normal densities, (len(mean), len(nodes)).

    With ``z_j = (x_j - mean) / sd`` and ``psi(z) = z Phi(z) + phi(z)`` the integral of the hat function at x_j is
    ``(psi(z_(j+1)) - 2 psi(z_j) + psi(z_(j-1))) sd / h``.

    Examples
    --------
    >>> hat_masses(np.linspace(-1, 1, 3), np.array([0.25]), 1e-9).round(3)
    array([[0.  , 0.75, 0.25]])
    """
    h = nodes[1] - nodes[0]
    sd = max(sd, 1e-6 * h)
    around = np.concatenate([[nodes[0] - h], nodes, [nodes[-1] + h]])
    z = (around - mean[:, None]) / sd
    psi = z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return np.asarray(np.diff(psi, 2, axis=1) * sd / h)


def pair_kernels(first: FloatArray, second: FloatArray, mean: Normal, spreads: FloatArray) -> FloatArray:
    """Prior masses of pairs of nodes for each spread, (w, len(first), len(second))."""
    kernels = np.zeros((len(spreads), len(first), len(second)))
    for kernel, spread in zip(kernels, spreads, strict=True):
        reach = WIDE * spread + max(first[1] - first[0], second[1] - second[0])
        low, high = max(first[0], second[0]) - reach, min(first[-1], second[-1]) + reach
        if high <= low:  # values so different have no prior mass
            continue
        m = np.linspace(low, high, MEANS)
        density = np.exp(-0.5 * ((m - mean.mean) / mean.sd) ** 2) / (mean.sd * np.sqrt(2 * np.pi)) * (m[1] - m[0])
        sides = [_corrected(hat_masses(nodes, m, float(spread))) for nodes in (first, second)]
        kernel[:] = (sides[0] * density[:, None]).T @ sides[1]
    return kernels


def lattice_kernel(
    first: FloatArray, second: FloatArray, mean: Normal, spread: Spread, prior: HalfNormal
) -> FloatArray:
    """Prior masses of pairs of nodes of a fine common lattice, averaged over the spread.

    The difference of the pair is N(0, 2 omega^2), its mean N(m0, s0^2 + omega^2 / 2).
    """
    step = first[1] - first[0]
    lags = np.rint((first[:, None] - second) / step).astype(np.intp)
    low = int(lags.min())
    nodes, middle = step * np.arange(low, int(lags.max()) + 1), (first[:, None] + second) / 2 - mean.mean
    kernel = np.zeros(lags.shape)
    for value, mass in zip(spread.value[1:], spread.mass(prior)[1:], strict=True):
        sd = np.sqrt(mean.sd**2 + value**2 / 2)
        of_difference = hat_masses(nodes, np.zeros(1), np.sqrt(2.0) * value)[0] * (mass / sd)
        kernel += of_difference[lags - low] * np.exp(-0.5 * (middle / sd) ** 2)
    return kernel


def _corrected(masses: FloatArray) -> FloatArray:
    """Masses that integrate a cubic instead of a linear function exactly: each minus its second difference / 12."""
    padded = np.pad(masses, ((0, 0), (1, 1)))
    return np.asarray(masses - np.diff(padded, 2, axis=1) / 12)
