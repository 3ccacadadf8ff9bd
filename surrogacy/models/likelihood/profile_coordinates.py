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

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray, IntArray
from surrogacy.models.likelihood.batch_data import BatchLikelihood
from surrogacy.models.likelihood.batch_likelihood import JointEvaluation, evaluate_jointly

SIZE = 4  # coordinates: the quantity, and at most three others


@dataclass(frozen=True, eq=False)
class Elements:
    """Elements (T11, T12, T22) of ``b`` points with derivatives by the coordinates: (b, 3), (b, 3, 4), (b, 3, 4, 4)."""

    psi: FloatArray
    jacobian: FloatArray
    second: FloatArray


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
    elements : callable
        Function from coordinates (b, 4) and unit to `Elements`.
    others : int
        Number of other coordinates.
    above_zero : tuple of bool
        Whether each of three other coordinates may not be negative.
    """

    elements: Callable[[FloatArray, float], Elements]
    others: int
    above_zero: tuple[bool, bool, bool]


def _empty(b: int) -> Elements:
    return Elements(np.empty((b, 3)), np.zeros((b, 3, SIZE)), np.zeros((b, 3, SIZE, SIZE)))


def _of_correlation(at: FloatArray, unit: float) -> Elements:
    """Coordinates (v, x, y)."""
    v, x, y, _ = at.T
    rho, by_v = np.sin(v), np.cos(v)
    end = _empty(len(at))
    end.psi.T[:] = x * x, rho * x * y, y * y
    end.jacobian[:, 0, 1], end.jacobian[:, 2, 2] = 2 * x, 2 * y
    end.jacobian[:, 1, :3].T[:] = by_v * x * y, rho * y, rho * x
    end.second[:, 0, 1, 1] = end.second[:, 2, 2, 2] = 2.0
    end.second[:, 1, 0, 0] = -rho * x * y
    end.second[:, 1, 0, 1] = end.second[:, 1, 1, 0] = by_v * y
    end.second[:, 1, 0, 2] = end.second[:, 1, 2, 0] = by_v * x
    end.second[:, 1, 1, 2] = end.second[:, 1, 2, 1] = rho
    return end


def _of_residual_sd(at: FloatArray, unit: float) -> Elements:
    """Coordinates (v, a, c)."""
    v, a, c, _ = at.T
    tangent = np.tan(v)
    sigma, by_v = unit * tangent, unit * (1.0 + tangent * tangent)
    end = _empty(len(at))
    end.psi.T[:] = a * a, a * c, c * c + sigma * sigma
    end.jacobian[:, 0, 1], end.jacobian[:, 1, 1], end.jacobian[:, 1, 2] = 2 * a, c, a
    end.jacobian[:, 2, 0], end.jacobian[:, 2, 2] = 2 * sigma * by_v, 2 * c
    end.second[:, 0, 1, 1] = end.second[:, 2, 2, 2] = 2.0
    end.second[:, 1, 1, 2] = end.second[:, 1, 2, 1] = 1.0
    end.second[:, 2, 0, 0] = 2 * by_v * (by_v + 2 * sigma * tangent)
    return end


def _of_slope(at: FloatArray, unit: float) -> Elements:
    """Coordinates (v, p, q)."""
    return _of_direction(at, unit, angle=0, first=1)


def _of_intercept(at: FloatArray, unit: float) -> Elements:
    """Coordinates (v, w, p, q); T does not depend on v."""
    return _of_direction(at, unit, angle=1, first=2)


def _of_direction(at: FloatArray, unit: float, angle: int, first: int) -> Elements:
    """``T = p d d' + diag(0, q)`` with the coordinates p and q at ``first`` and the angle of d at ``angle``."""
    p, q = at[:, first], at[:, first + 1]
    cosine, sine = np.cos(at[:, angle]), np.sin(at[:, angle])
    cc, cs, ss = cosine * cosine, unit * cosine * sine, unit * unit * sine * sine
    by_angle = np.array([-2 * cosine * sine, unit * (cc - sine * sine), 2 * unit * cs]).T
    twice = np.array([-2 * (cc - sine * sine), -4 * cs, 2 * unit * unit * (cc - sine * sine)]).T
    end = _empty(len(at))
    end.psi.T[:] = p * cc, p * cs, p * ss + q
    end.jacobian[:, :, angle] = p[:, None] * by_angle
    end.jacobian[:, :, first] = np.array([cc, cs, ss]).T
    end.jacobian[:, 2, first + 1] = 1.0
    end.second[:, :, angle, angle] = p[:, None] * twice
    end.second[:, :, angle, first] = end.second[:, :, first, angle] = by_angle
    return end


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
    rows : dict of str to (n,) array
        Points of each quantity.
    units : mapping of str to float
        Units of the quantities; that of the slope is the unit of the direction d.
    intercept : float
        Intercept at the angle 0.
    """

    data: BatchLikelihood
    rows: dict[str, IntArray]
    units: Mapping[str, float]
    intercept: float

    @property
    def free(self) -> BoolArray:
        """(b, 3) whether each of the other coordinates exists."""
        return self._by_quantity(lambda quantity: tuple(i < quantity.others for i in range(3)))

    @property
    def above_zero(self) -> BoolArray:
        """(b, 3) whether each of the other coordinates may not be negative."""
        return self._by_quantity(lambda quantity: quantity.above_zero)

    def _by_quantity(self, values: Callable[[Quantity], tuple[bool, ...]]) -> BoolArray:
        filled = np.zeros((len(self.data.constant), 3), dtype=np.bool_)
        for name, index in self.rows.items():
            filled[index] = values(QUANTITIES[name])
        return filled

    def evaluate(self, at: FloatArray) -> Derivatives:
        """Compute the log-likelihood, maximised over the means, and its derivatives.

        Parameters
        ----------
        at : (b, 4) array
        """
        end = _empty(len(at))
        for name, index in self.rows.items():
            unit = self.units["slope" if name == "intercept" else name]
            part = QUANTITIES[name].elements(at[index], unit)
            end.psi[index], end.jacobian[index], end.second[index] = part.psi, part.jacobian, part.second
        index = self.rows["intercept"]
        v, w = at[index, 0], at[index, 1]
        lines = np.full((2, 2, len(at)), np.nan)
        lines[0][:, index] = np.zeros_like(v), self.intercept + self.units["intercept"] * np.tan(v)
        lines[1][:, index] = np.cos(w), self.units["slope"] * np.sin(w)
        joint = evaluate_jointly(self.data, end.psi, lines)
        hessian_psi = joint.profile_hessian
        hessian_psi[index] = joint.hessian[index]
        jacobian = end.jacobian
        gradient = np.einsum("bp,bpi->bi", joint.gradient, jacobian)
        hessian = jacobian.swapaxes(1, 2) @ hessian_psi @ jacobian
        hessian += np.einsum("bp,bpij->bij", joint.gradient, end.second)
        if len(index):
            by_line, by_lines = self._along_lines(index, at[index], lines[..., index], joint, jacobian[index])
            gradient[index] += by_line
            hessian[index] += by_lines
        return Derivatives(joint.log_likelihood, gradient, hessian)

    def _along_lines(
        self, index: IntArray, at: FloatArray, lines: FloatArray, joint: JointEvaluation, jacobian: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Terms of gradient and Hessian that arise because mu lies on a line that depends on v and w."""
        b, unit = len(index), self.units["slope"]
        point, along = lines[0].T, lines[1].T
        score, information = joint.mu_gradient[index], np.linalg.inv(joint.mu_cov[index])
        far = ((joint.mu[index] - point) * along).sum(axis=1) / (along**2).sum(axis=1)
        tangent = np.tan(at[:, 0])
        by_v = self.units["intercept"] * (1.0 + tangent * tangent)
        turned = np.array([-along[:, 1] / unit, unit * along[:, 0]]).T  # derivative of the direction by w
        by = np.zeros((b, 2, SIZE + 1))  # of mu, by the coordinates and t
        by[:, 1, 0], by[:, :, 1], by[:, :, SIZE] = by_v, far[:, None] * turned, along
        wide = np.zeros((b, 3, SIZE + 1))
        wide[:, :, :SIZE] = jacobian
        mixed = wide.swapaxes(1, 2) @ joint.cross[index] @ by
        hessian = -mixed - mixed.swapaxes(1, 2) - by.swapaxes(1, 2) @ information @ by
        hessian[:, 0, 0] += score[:, 1] * 2 * by_v * tangent
        hessian[:, 1, 1] -= far * (score * along).sum(axis=1)
        both = (score * turned).sum(axis=1)
        hessian[:, 1, SIZE] += both
        hessian[:, SIZE, 1] += both
        last = hessian[:, :SIZE, SIZE]
        without = hessian[:, :SIZE, :SIZE] - last[:, :, None] * last[:, None, :] / hessian[:, SIZE, SIZE][:, None, None]
        return np.einsum("bm,bmi->bi", score, by[:, :, :SIZE]), without
