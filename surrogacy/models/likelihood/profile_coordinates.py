"""Coordinates of the bivariate model in which a quantity is the first coordinate.

With the first coordinate ``v`` fixed, the others vary freely or above 0. Every quantity is an angle, so that its range
is bounded and a search for a limit begins with a bracket:

    rho_between   rho = sin v           T = [[x^2, rho x y], [., y^2]]                       x, y >= 0
    slope         slope = s tan v       T = p d d' + diag(0, q),  d = (cos v, s sin v)       p, q >= 0
    sigma_cond    sigma = s tan v       T = [[a^2, a c], [., c^2 + sigma^2]]
    intercept     alpha = alpha0 + s tan v,  T as for the slope with the angle w,  mu = (0, alpha) + t d

``s`` is a unit. At ``v = pi / 2`` the slope is infinite, and T is that of a model without spread of the true surrogate
effects. The coordinate ``t`` and both means of the other quantities have their best values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.models.likelihood.batch_data import BatchLikelihood
from surrogacy.models.likelihood.batch_likelihood import JointEvaluation, evaluate_jointly

SIZE = 4  # coordinates: the quantity, and at most three others


@dataclass(frozen=True, eq=False)
class Elements:
    """Elements (T11, T12, T22) of ``b`` points with derivatives by the coordinates: (b, 3), (b, 3, 4), (b, 3, 4, 4)."""

    psi: FloatArray
    jacobian: FloatArray
    second: FloatArray

    def part(self, rows: slice) -> Elements:
        """Views of some of the points."""
        return Elements(self.psi[rows], self.jacobian[rows], self.second[rows])


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Log-likelihood of ``b`` points with gradient (b, 4) and Hessian (b, 4, 4) by the coordinates."""

    log_likelihood: FloatArray
    gradient: FloatArray
    hessian: FloatArray


@dataclass(frozen=True)
class Quantity:
    """Coordinates of a quantity.

    Parameters
    ----------
    fill : callable
        Function that fills `Elements`, so far 0, from coordinates (b, 4) and unit.
    others : int
        Number of other coordinates.
    above_zero : tuple of bool
        Whether each of three other coordinates may not be negative.
    """

    fill: Callable[[Elements, FloatArray, float], None]
    others: int
    above_zero: tuple[bool, bool, bool]


def _of_correlation(end: Elements, at: FloatArray, unit: float) -> None:
    """Coordinates (v, x, y)."""
    v, x, y, _ = at.T
    rho, by_v, xy = np.sin(v), np.cos(v), x * y
    psi, jacobian, second = end.psi, end.jacobian, end.second
    psi[:, 0], psi[:, 1], psi[:, 2] = x * x, rho * xy, y * y
    jacobian[:, 0, 1], jacobian[:, 2, 2] = 2 * x, 2 * y
    jacobian[:, 1, 0], jacobian[:, 1, 1], jacobian[:, 1, 2] = by_v * xy, rho * y, rho * x
    second[:, 0, 1, 1] = second[:, 2, 2, 2] = 2.0
    second[:, 1, 0, 0] = -psi[:, 1]
    second[:, 1, 0, 1] = second[:, 1, 1, 0] = by_v * y
    second[:, 1, 0, 2] = second[:, 1, 2, 0] = by_v * x
    second[:, 1, 1, 2] = second[:, 1, 2, 1] = rho


def _of_residual_sd(end: Elements, at: FloatArray, unit: float) -> None:
    """Coordinates (v, a, c)."""
    v, a, c, _ = at.T
    tangent = np.tan(v)
    sigma, by_v = unit * tangent, unit * (1.0 + tangent * tangent)
    psi, jacobian, second = end.psi, end.jacobian, end.second
    psi[:, 0], psi[:, 1], psi[:, 2] = a * a, a * c, c * c + sigma * sigma
    jacobian[:, 0, 1], jacobian[:, 1, 1], jacobian[:, 1, 2] = 2 * a, c, a
    jacobian[:, 2, 0], jacobian[:, 2, 2] = 2 * sigma * by_v, 2 * c
    second[:, 0, 1, 1] = second[:, 2, 2, 2] = 2.0
    second[:, 1, 1, 2] = second[:, 1, 2, 1] = 1.0
    second[:, 2, 0, 0] = 2 * by_v * (by_v + 2 * sigma * tangent)


def _of_slope(end: Elements, at: FloatArray, unit: float) -> None:
    """Coordinates (v, p, q)."""
    _of_direction(end, at, unit, angle=0, first=1)


def _of_intercept(end: Elements, at: FloatArray, unit: float) -> None:
    """Coordinates (v, w, p, q); T does not depend on v."""
    _of_direction(end, at, unit, angle=1, first=2)


def _of_direction(end: Elements, at: FloatArray, unit: float, angle: int, first: int) -> None:
    """``T = p d d' + diag(0, q)`` with the coordinates p and q at ``first`` and the angle of d at ``angle``."""
    w, p, q = at[:, angle], at[:, first], at[:, first + 1]
    cosine, sine = np.cos(w), unit * np.sin(w)
    product, difference = cosine * sine, unit * cosine * cosine - sine * sine / unit
    along = np.array([cosine * cosine, product, sine * sine]).T  # d d'
    by_angle = np.array([-2 / unit * product, difference, 2 * unit * product]).T
    twice = np.array([-2 / unit * difference, -4 * product, 2 * unit * difference]).T
    end.psi[:] = p[:, None] * along
    end.psi[:, 2] += q
    end.jacobian[:, :, angle] = p[:, None] * by_angle
    end.jacobian[:, :, first] = along
    end.jacobian[:, 2, first + 1] = 1.0
    end.second[:, :, angle, angle] = p[:, None] * twice
    end.second[:, :, angle, first] = end.second[:, :, first, angle] = by_angle


QUANTITIES = {
    "rho_between": Quantity(_of_correlation, 2, (True, True, False)),
    "slope": Quantity(_of_slope, 2, (True, True, False)),
    "intercept": Quantity(_of_intercept, 3, (False, True, True)),
    "sigma_cond": Quantity(_of_residual_sd, 2, (False, False, False)),
}


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Coordinates of ``b`` points of one data set, each for a quantity.

    Parameters
    ----------
    data : BatchLikelihood
        The data set ``b`` times.
    rows : dict of str to slice
        Points of each quantity.
    units : mapping of str to float
        Units of the quantities; that of the slope is the unit of the direction d.
    intercept : float
        Intercept at the angle 0.
    """

    data: BatchLikelihood
    rows: dict[str, slice]
    units: Mapping[str, float]
    intercept: float

    @cached_property
    def free(self) -> BoolArray:
        """(b, 3) whether each of the other coordinates exists."""
        return self._by_quantity(lambda quantity: tuple(i < quantity.others for i in range(3)))

    @cached_property
    def above_zero(self) -> BoolArray:
        """(b, 3) whether each of the other coordinates may not be negative."""
        return self._by_quantity(lambda quantity: quantity.above_zero)

    @property
    def tangent(self) -> BoolArray:
        """(b,) whether the quantity is proportional to the tangent of its angle."""
        tangent = np.ones(len(self.data.constant), dtype=np.bool_)
        tangent[self.rows.get("rho_between", slice(0))] = False
        return tangent

    def _by_quantity(self, values: Callable[[Quantity], tuple[bool, ...]]) -> BoolArray:
        filled = np.zeros((len(self.data.constant), 3), dtype=np.bool_)
        for name, rows in self.rows.items():
            filled[rows] = values(QUANTITIES[name])
        return filled

    def evaluate(self, at: FloatArray) -> Derivatives:
        """Compute the log-likelihood, maximised over the means, and its derivatives.

        Parameters
        ----------
        at : (b, 4) array
        """
        b = len(at)
        end = Elements(np.empty((b, 3)), np.zeros((b, 3, SIZE)), np.zeros((b, 3, SIZE, SIZE)))
        for name, rows in self.rows.items():
            unit = self.units["slope" if name == "intercept" else name]
            QUANTITIES[name].fill(end.part(rows), at[rows], unit)
        lines, held = None, self.rows.get("intercept")
        if held is not None:
            v, w = at[held, 0], at[held, 1]
            lines = np.full((2, 2, b), np.nan)
            lines[0, 0, held], lines[0, 1, held] = 0.0, self.intercept + self.units["intercept"] * np.tan(v)
            lines[1, 0, held], lines[1, 1, held] = np.cos(w), self.units["slope"] * np.sin(w)
        joint = evaluate_jointly(self.data, end.psi, lines)
        hessian_psi = joint.profile_hessian
        if held is not None:
            hessian_psi[held] = joint.hessian[held]
        jacobian, by_psi = end.jacobian, joint.gradient[:, None]
        gradient = (by_psi @ jacobian)[:, 0]
        hessian = jacobian.swapaxes(1, 2) @ hessian_psi @ jacobian
        hessian += (by_psi @ end.second.reshape(b, 3, -1)).reshape(hessian.shape)
        if held is not None and lines is not None:
            by_line, by_lines = self._along_lines(held, at[held], lines[..., held], joint, jacobian[held])
            gradient[held] += by_line
            hessian[held] += by_lines
        return Derivatives(joint.log_likelihood, gradient, hessian)

    def _along_lines(
        self, held: slice, at: FloatArray, lines: FloatArray, joint: JointEvaluation, jacobian: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Terms of gradient and Hessian that arise because mu lies on a line that depends on v and w."""
        b, unit = len(at), self.units["slope"]
        point, along = lines[0].T, lines[1].T
        score, information = joint.mu_gradient[held], joint.information[held]
        far = ((joint.mu[held] - point) * along).sum(axis=1) / (along**2).sum(axis=1)
        tangent = np.tan(at[:, 0])
        by_v = self.units["intercept"] * (1.0 + tangent * tangent)
        turned = np.array([-along[:, 1] / unit, unit * along[:, 0]]).T  # derivative of the direction by w
        by = np.zeros((b, 2, SIZE + 1))  # of mu, by the coordinates and t
        by[:, 1, 0], by[:, :, 1], by[:, :, SIZE] = by_v, far[:, None] * turned, along
        wide = np.zeros((b, 3, SIZE + 1))
        wide[:, :, :SIZE] = jacobian
        mixed = wide.swapaxes(1, 2) @ joint.cross[held] @ by
        hessian = -mixed - mixed.swapaxes(1, 2) - by.swapaxes(1, 2) @ information @ by
        hessian[:, 0, 0] += score[:, 1] * 2 * by_v * tangent
        hessian[:, 1, 1] -= far * (score * along).sum(axis=1)
        both = (score * turned).sum(axis=1)
        hessian[:, 1, SIZE] += both
        hessian[:, SIZE, 1] += both
        last = hessian[:, :SIZE, SIZE]
        without = hessian[:, :SIZE, :SIZE] - last[:, :, None] * last[:, None, :] / hessian[:, SIZE, SIZE][:, None, None]
        return (score[:, None] @ by[:, :, :SIZE])[:, 0], without
