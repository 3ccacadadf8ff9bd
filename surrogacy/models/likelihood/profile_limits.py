"""Searches for the values at which a profile likelihood has fallen by a given amount.

The limit and the maximum over the other coordinates are sought together by Newton's method. At any point the quadratic
approximation of the likelihood tells the maximum over the other coordinates and its derivative by the quantity; the
signed root of its distance from the highest maximum is nearly linear in the quantity. Where this does not converge, the
search follows the maximum along the profile within a bracket.

References
----------
Venzon, Moolgavkar (1988), doi:10.2307/2347496.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.models.likelihood.profile_coordinates import Coordinates
from surrogacy.models.likelihood.profile_search import LEAST_GAIN, climb

# First step to a limit, as a share of the distance to the end of the range: the largest, and that without curvature.
LARGEST_SHARE, UNKNOWN_SHARE = 0.7, 0.25
# Steps of the joint search after which a limit is left to the search along the profile.
MOST_JOINT_STEPS = 15
MOST_STEPS = 60
# Largest error of a limit, as an angle relative to the distance to the end of the range.
ACCURACY = 1e-9
# A step of Newton's method below this is the last one: its error is of the order of its square.
LAST_STEP = 1e-5
# The same for the joint search, whose steps are those of both, and for the other coordinates in their units: the
# likelihood depends on the square of their error.
LAST_JOINT_STEP, LAST_OTHERS = 3e-5, 1e-4
# The first maximum along a profile is sought roughly, up to this gain in log-likelihood.
ROUGH_GAIN = 1e-4


@dataclass(frozen=True, eq=False)
class _Quadratic:
    """Quadratic approximation at ``b`` points, at its maximum over the coordinates other than the quantity."""

    concave: BoolArray  # (b,), whether it has a maximum
    log_likelihood: FloatArray  # (b,)
    derivative: FloatArray  # (b,), by the quantity
    curvature: FloatArray  # (b,), minus the second derivative by the quantity
    step: FloatArray  # (b, 3), from the point to the maximum, in units of the scale
    path: FloatArray  # (b, 3), derivatives of the maximum by the quantity, in units of the scale


@dataclass(frozen=True, eq=False)
class LimitSearch:
    """Limits that are sought together.

    Parameters
    ----------
    coordinates : Coordinates
    scale : (b, 3) array
        Units of the coordinates other than the quantity.
    ranges : (b, 2) array
        Angles that end the range of the quantity.
    highest : float
        Maximum of the log-likelihood.
    target : float
        Signed root of the fall, ``sqrt(2 (highest - l))``, at a limit.
    """

    coordinates: Coordinates
    scale: FloatArray
    ranges: FloatArray
    highest: float
    target: float

    @property
    def least(self) -> float:
        """Log-likelihood at a limit."""
        return self.highest - 0.5 * self.target**2

    def starts(self, best: FloatArray, outside: FloatArray) -> FloatArray:
        """Points (b, 4) near the limits from the quadratic approximation at the maximum.

        Parameters
        ----------
        best : (b, 4) array
            The maximum.
        outside : (b,) array
            Angles that end the range on the side of each limit.
        """
        here, angle = self._quadratic(best), best[:, 0]
        away = outside - angle
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = np.sign(away) * self.target / np.sqrt(here.curvature)
            # the likelihood is more nearly quadratic in a slope, an intercept and an SD than in their angles
            by_value = np.arctan(np.tan(angle) + turn / np.cos(angle) ** 2) - angle
            share = np.where(self.coordinates.tangent, by_value, turn) / away
            share = np.where(here.concave & (share > 0.0), np.minimum(share, LARGEST_SHARE), UNKNOWN_SHARE)
            turn = share * away
            turn *= self._share(best, here.path * turn[:, None])
        return best + np.column_stack([turn, self.scale * here.path * turn[:, None]])

    def limits(self, at: FloatArray, inside: FloatArray, outside: FloatArray) -> FloatArray:
        """Points (b, 4) at the limits.

        Parameters
        ----------
        at : (b, 4) array
            Starts.
        inside, outside : (b,) array
            Angles on both sides of each limit.
        """
        ends, solved = self._jointly(at, inside, outside)
        if solved.all():
            return ends
        return self._along_profile(np.where(solved[:, None], ends, at), inside, outside, ~solved)

    def _quadratic(self, at: FloatArray) -> _Quadratic:
        """Quadratic approximation of the likelihood at a point of each search."""
        here = self.coordinates.evaluate(at)
        held = ~self.coordinates.free | (
            self.coordinates.above_zero & (at[:, 1:] <= 0.0) & (here.gradient[:, 1:] <= 0.0)
        )
        unit = np.where(held, 0.0, self.scale)
        curvature = -here.hessian[:, 1:, 1:] * unit[:, :, None] * unit[:, None, :]
        curvature[:, [0, 1, 2], [0, 1, 2]] += held
        concave = np.isfinite(curvature).all(axis=(1, 2))
        curvature = np.where(concave[:, None, None], curvature, np.eye(3))
        concave &= np.linalg.eigvalsh(curvature)[:, 0] > 0.0
        curvature = np.where(concave[:, None, None], curvature, np.eye(3))
        gradient, mixed = here.gradient[:, 1:] * unit, here.hessian[:, 1:, 0] * unit
        step, path = np.linalg.solve(curvature, np.array([gradient, mixed]).transpose(1, 2, 0)).transpose(2, 0, 1)
        return _Quadratic(
            concave,
            here.log_likelihood + 0.5 * (step * gradient).sum(axis=1),
            here.gradient[:, 0] + (step * mixed).sum(axis=1),
            -here.hessian[:, 0, 0] - (path * mixed).sum(axis=1),
            step,
            path,
        )

    def _statistic(self, log_likelihood: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(np.maximum(2.0 * (self.highest - log_likelihood), 0.0)))

    def _share(self, at: FloatArray, step: FloatArray) -> FloatArray:
        """Share of a step that moves no coordinate by more than a unit or, if it may not be negative, its value too."""
        longest = 1.0 + np.where(self.coordinates.above_zero, at[:, 1:] / self.scale, 0.0)
        return np.asarray(np.minimum((longest / np.abs(step)).min(axis=1), 1.0))

    def _room(self, angle: FloatArray) -> FloatArray:
        """Distance to the end of the range, at most 1."""
        return np.asarray(np.minimum(np.abs(angle[:, None] - self.ranges).min(axis=1), 1.0))

    def _jointly(self, at: FloatArray, inside: FloatArray, outside: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Newton's method for the limit and the other coordinates; return the points, and whether each is a limit.

        A search ends without a limit at a point from which the other coordinates have no maximum nearby.
        """
        above_zero = self.coordinates.above_zero
        solved, moving, at = np.zeros(len(at), dtype=np.bool_), np.ones(len(at), dtype=np.bool_), at.copy()
        at[:, 1:] = np.where(above_zero, np.maximum(at[:, 1:], 0.0), at[:, 1:])
        for _ in range(MOST_JOINT_STEPS):
            here = self._quadratic(at)
            statistic = self._statistic(here.log_likelihood)
            with np.errstate(divide="ignore", invalid="ignore"):
                turn = (statistic - self.target) * statistic / here.derivative
                step = here.step + here.path * turn[:, None]
                share = self._share(at, step)
            following, others = at[:, 0] + share * turn, at[:, 1:] + self.scale * step * share[:, None]
            moving &= here.concave & ((following - inside) * (outside - following) > 0.0)
            others = np.where(above_zero, np.maximum(others, 0.0), others)
            at = np.where(moving[:, None], np.column_stack([following, others]), at)
            near = moving & (np.abs(step).max(axis=1) <= LAST_OTHERS)
            near &= np.abs(turn) <= LAST_JOINT_STEP * self._room(following)
            solved, moving = solved | near, moving & ~near
            if not moving.any():
                break
        return at, solved

    def _along_profile(self, at: FloatArray, inside: FloatArray, outside: FloatArray, moving: BoolArray) -> FloatArray:
        """Follow the maximum along the profile by Newton's method within a bracket, where a point is moving."""
        least_gain = ROUGH_GAIN
        for _ in range(MOST_STEPS):
            points = climb(self.coordinates, at, self.scale, least_gain)
            statistic = self._statistic(points.log_likelihood)
            below = statistic <= self.target
            inside = np.where(below & moving, at[:, 0], inside)
            outside = np.where(~below & moving, at[:, 0], outside)
            with np.errstate(divide="ignore", invalid="ignore"):
                following = at[:, 0] + (statistic - self.target) * statistic / points.derivative
            within = (following - inside) * (outside - following) >= 0.0
            following = np.where(within, following, 0.5 * (inside + outside))
            step = np.where(moving, following - at[:, 0], 0.0)
            at = points.at + points.path * step[:, None]
            moving = moving & (np.abs(step) > np.where(within, LAST_STEP, ACCURACY) * self._room(at[:, 0]))
            least_gain = LEAST_GAIN
            if not moving.any():
                break
        return at
