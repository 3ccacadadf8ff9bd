"""Illness-death models of PFS, OS and post-progression survival, for one arm or for many arms at once.

Patients start in state 0 (alive without progression). They progress to state 1 with hazard ``progression``. They die
from state 0 with hazard ``death`` and from state 1 with hazard ``post_progression``. PFS ends at the first event, OS at
death.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import BoolArray, FloatArray
from surrogacy.errors import UsageError
from surrogacy.survival import constant_hazards
from surrogacy.survival.correlation import correlation
from surrogacy.survival.hazards import Exponential, Transitions
from surrogacy.survival.piecewise_hazards import Piecewise
from surrogacy.survival.time_quadrature import falling_root
from surrogacy.survival.weibull_exits import weibull

Clock = Literal["forward", "reset"]
LOG_UNITS_SEARCHED = 90.0  # below the log of the horizon: the range searched for quantiles
SMALLEST_SHARE = 1e-14
HAZARDS = ("progression", "death", "post_progression")


def _refuse(condition: npt.ArrayLike, values: npt.ArrayLike, words: str) -> None:
    """Raise a UsageError if ``condition`` holds anywhere; name the first such value and the number of further ones."""
    wrong, shown = np.broadcast_arrays(np.asarray(condition), np.asarray(values, dtype=np.float64))
    if wrong.any():
        more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        raise UsageError(words.format(value=f"{shown[wrong].flat[0]:g}") + more)


@dataclass(frozen=True, eq=False)
class IllnessDeath:
    """Illness-death model of one arm, or of m arms at once.

    Parameters
    ----------
    progression, death, post_progression : float or (m,) array
        Transition hazards 0 -> 1, 0 -> 2 and 1 -> 2: constants h per month, or with ``shape`` p the scale of ``h p
        t^(p-1)`` (cumulative ``h t^p``, h per month^p). With ``cuts``: one value, or one per interval along the last
        axis.
    shape : three floats or (m,) arrays
        Weibull shapes of the three hazards; (1, 1, 1) is constant.
    post_progression_clock : {"forward", "reset"}
        Time scale of the hazard after progression: since randomisation (Markov) or since progression (semi-Markov).
        Without effect if that hazard is constant.
    cuts : tuple of float
        Months at which piecewise constant hazards change (`piecewise`).

    Raises
    ------
    UsageError
        If a hazard, shape or cut is impossible, or an arm has no hazard of a PFS event.

    References
    ----------
    Meller, Beyersmann, Rufibach (2019), doi:10.1002/sim.8295; Fleischer, Gaschler-Markefski, Bluhmki (2009),
    doi:10.1002/sim.3637.

    Examples
    --------
    >>> arm = IllnessDeath(progression=0.1, death=0.01, post_progression=0.05)
    >>> round(float(arm.quantile_pfs(0.5)), 2), round(float(arm.quantile_os(0.5)), 2)
    (6.3, 21.79)
    """

    progression: Any
    death: Any
    post_progression: Any
    shape: tuple[Any, Any, Any] = (1.0, 1.0, 1.0)
    post_progression_clock: Clock = "forward"
    cuts: tuple[float, ...] = ()
    arms: tuple[int, ...] = field(init=False, repr=False)
    """Shape of results for a single time: () for one arm, (m,) for m."""
    transitions: Transitions = field(init=False, repr=False)
    """Hazards as (m, 1) columns, with their survival functions."""

    def __post_init__(self) -> None:
        try:
            hazards = [np.asarray(getattr(self, name), dtype=np.float64) for name in HAZARDS]
        except (TypeError, ValueError):
            stated = ", ".join(f"{name} = {getattr(self, name)!r}" for name in HAZARDS)
            raise UsageError(f"{stated}: give hazards per month as numbers or arrays of numbers") from None
        for name, values in zip(HAZARDS, hazards, strict=True):
            wrong = ~np.isfinite(values) | (values < 0.0)
            _refuse(
                wrong,
                values,
                f"hazard of {name.replace('_', '-')} = {{value}} per month: give finite numbers of 0 or more",
            )
        if self.post_progression_clock not in ("forward", "reset"):
            raise UsageError(f"post_progression_clock = {self.post_progression_clock!r}: give 'forward' or 'reset'")
        if len(self.shape) != 3:
            raise UsageError(
                f"shape = {self.shape}: give three Weibull shapes, of progression, death and post-progression death"
            )
        shapes = [np.asarray(values, dtype=np.float64) for values in self.shape]
        for values in shapes:
            _refuse(
                ~np.isfinite(values) | (values <= 0.0),
                values,
                "Weibull shape = {value}: give finite positive numbers (1 is constant)",
            )
        arms, transitions = self._piecewise(hazards, shapes) if self.cuts else self._smooth(hazards, shapes)
        object.__setattr__(self, "arms", arms)
        object.__setattr__(self, "transitions", transitions)

    def _smooth(self, hazards: list[FloatArray], shapes: list[FloatArray]) -> tuple[tuple[int, ...], Transitions]:
        arms = _common(*hazards, *shapes)
        if len(arms) > 1:
            raise UsageError(
                f"hazards of shape {arms}: give scalars, or one value per arm "
                "(for hazards by interval, IllnessDeath.piecewise)"
            )
        columns: list[FloatArray] = [np.broadcast_to(values, arms).reshape(-1, 1) for values in (*hazards, *shapes)]
        _refuse_idle(columns[0] + columns[1])
        if all((values == 1.0).all() for values in shapes):
            return arms, Exponential(*columns[:3])
        return arms, weibull(columns, forward=self.post_progression_clock == "forward")

    def _piecewise(self, hazards: list[FloatArray], shapes: list[FloatArray]) -> tuple[tuple[int, ...], Transitions]:
        cuts = np.asarray(self.cuts, dtype=np.float64)
        if not (np.isfinite(cuts).all() and cuts[0] > 0.0 and (np.diff(cuts) > 0.0).all()):
            raise UsageError(f"cuts = {self.cuts}: give increasing positive months")
        if any((values != 1.0).any() for values in shapes):
            raise UsageError(
                "hazards are piecewise constant (cuts) or Weibull (shape), not both: leave one of the two out"
            )
        common = _common(*hazards, np.empty(len(cuts) + 1))
        if common[-1] != len(cuts) + 1 or len(common) > 2:
            raise UsageError(
                f"hazards of shape {common}: with {len(cuts)} cuts give 1 or {len(cuts) + 1} values along the last axis"
            )
        h01, h02, h12 = (np.broadcast_to(values, common).reshape(-1, len(cuts) + 1) for values in hazards)
        _refuse_idle(h01[:, -1] + h02[:, -1])
        return common[:-1], Piecewise(h01, h02, h12, cuts, self.post_progression_clock == "forward")

    @classmethod
    def piecewise(
        cls,
        progression: npt.ArrayLike,
        cuts: tuple[float, ...],
        death: npt.ArrayLike,
        post_progression: npt.ArrayLike,
        post_progression_clock: Clock = "forward",
    ) -> IllnessDeath:
        """Build a model with piecewise constant hazards.

        Parameters
        ----------
        progression, death, post_progression : float, (j,) or (m, j) array
            Hazards per month in the j intervals.
        cuts : tuple of float
            The j - 1 times, in months, at which an interval ends and the next begins.
            With the clock reset, the cuts of the post-progression hazard count
            from progression.
        """
        if not cuts:  # a single interval
            progression, death, post_progression = (
                values[..., 0] if np.ndim(values) and np.shape(values)[-1] == 1 else values
                for values in map(np.asarray, (progression, death, post_progression))
            )
        return cls(
            progression, death, post_progression, post_progression_clock=post_progression_clock, cuts=tuple(cuts)
        )

    @classmethod
    def from_pfs(
        cls,
        median_pfs: npt.ArrayLike,
        direct_death: npt.ArrayLike,
        post_progression: npt.ArrayLike,
        cuts: tuple[float, ...] = (),
    ) -> IllnessDeath:
        """Build a model with hazards ``(1 - q) ln 2 / median PFS`` of progression and ``q ln 2 / median PFS`` of death.

        Parameters
        ----------
        median_pfs : float or (m,) array
            Months.
        direct_death : float or (m,) array
            Share q of PFS events that are deaths.
        post_progression : float or (m,) array
            Hazard of death after progression, per month; with ``cuts`` one value per interval along the last axis.
        cuts : tuple of float
            Months since randomisation at which the post-progression hazard changes.

        Raises
        ------
        UsageError
            If a hazard is impossible, as for `IllnessDeath`.

        Examples
        --------
        >>> arm = IllnessDeath.from_pfs(median_pfs=6.0, direct_death=0.1, post_progression=0.05)
        >>> round(float(arm.quantile_pfs(0.5)), 3), round(arm.median_pps, 3)
        (6.0, 13.863)
        """
        h01, h02 = constant_hazards.pfs_hazards(median_pfs, direct_death)
        return cls.piecewise(h01, cuts, h02, post_progression) if cuts else cls(h01, h02, post_progression)

    @classmethod
    def from_medians(cls, pfs: npt.ArrayLike, os: npt.ArrayLike, direct_death: npt.ArrayLike = 0.0) -> IllnessDeath:
        """Constant hazards that reproduce median PFS and median OS.

        Parameters
        ----------
        pfs, os : float or (m,) array
            Median PFS and OS, months.
        direct_death : float or (m,) array
            Share q of PFS events that are deaths.

        Raises
        ------
        UsageError
            If ``os <= pfs``, or if deaths without progression alone exceed half of the patients by ``os``.

        Examples
        --------
        >>> round(IllnessDeath.from_medians(pfs=6.0, os=15.0, direct_death=0.1).median_pps, 2)
        7.31
        """
        pfs, os, q = (np.asarray(value, dtype=np.float64) for value in (pfs, os, direct_death))
        _refuse(~((pfs > 0.0) & np.isfinite(pfs)), pfs, "median PFS = {value} months: give a finite positive number")
        _refuse(
            ~np.isfinite(os),
            os,
            "median OS = {value} months: give a finite number; a median not reached cannot be fitted",
        )
        _refuse(~((q >= 0.0) & (q <= 1.0)), q, "direct_death = {value}: it is a share of the PFS events, from 0 to 1")
        words = "median OS = {value} months is not longer than median PFS: check the two medians"
        _refuse(os <= pfs, os, words)
        h12 = constant_hazards.post_progression_hazard(pfs, os, q)
        words = (
            "median OS = {value} months: deaths without progression alone exceed half of the patients earlier; "
            "lower direct_death"
        )
        _refuse(np.isnan(h12), os, words)
        return cls.from_pfs(pfs, q, h12)

    @property
    def median_pps(self) -> Any:
        """Median time from progression to death over all progressions, months; infinite if half never die."""
        medians = self.transitions.median_pps()
        return medians if self.arms else float(medians[0])

    def survival_pfs(self, t: npt.ArrayLike) -> FloatArray:
        """Share alive without progression at times t (months); of the shape of the arms, then that of t."""
        return self._at(self.transitions.survival_pfs, t)

    def hazard_pfs(self, t: npt.ArrayLike) -> FloatArray:
        """Hazard of progression or death, per month."""
        return self._at(self.transitions.hazard_pfs, t)

    def survival_os(self, t: npt.ArrayLike) -> FloatArray:
        """Share alive at times t (months)."""
        return self._at(lambda times: self.transitions.overall(times)[0], t)

    def hazard_os(self, t: npt.ArrayLike) -> FloatArray:
        """Hazard of death from any state, per month."""
        return self._at(self.transitions.hazard_os, t)

    def quantile_pfs(self, p: npt.ArrayLike) -> FloatArray:
        """Time at which the share alive without progression is p (p = 0.5: the median)."""
        return self._quantile(self.transitions.survival_pfs, p)

    def quantile_os(self, p: npt.ArrayLike) -> FloatArray:
        """Time at which the share alive is p (p = 0.5: the median); infinite if more than p never die."""
        return self._quantile(lambda times: self.transitions.overall(times)[0], p)

    def correlation(self) -> Any:
        """Pearson correlation of PFS and OS, without censoring; NaN if some patients never die.

        Returns
        -------
        float or (m,) array

        References
        ----------
        Meller, Beyersmann, Rufibach (2019), doi:10.1002/sim.8295.

        Examples
        --------
        >>> round(IllnessDeath(1, 1.2, 1.3, shape=(1.1, 0.8, 1.2)).correlation(), 4)
        0.7025
        """
        values = correlation(self.transitions)
        return values if self.arms else float(values[0])

    def sample(self, size: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Simulate patients.

        Returns
        -------
        pfs, os : (size,) or (m, size) arrays
            Months; OS is infinite for those who never die.
        progressed : bool array of that shape
            False for a death without progression.
        """
        pfs, os, progressed = self.transitions.sample(size, rng)
        shape = (*self.arms, size)
        return pfs.reshape(shape), os.reshape(shape), progressed.reshape(shape)

    def _at(self, function: Callable[[FloatArray], FloatArray], t: npt.ArrayLike) -> FloatArray:
        times = np.asarray(t, dtype=np.float64)
        _refuse(~(times >= 0.0), times, "time = {value}: give months of 0 or more")
        if not self.transitions.closed_form:
            _refuse(np.isinf(times), times, "time = {value}: give finite months; only constant hazards have a limit")
        return np.asarray(function(times.reshape(1, -1)).reshape(self.arms + times.shape))

    def _quantile(self, survival: Callable[[FloatArray], FloatArray], p: npt.ArrayLike) -> FloatArray:
        shares = np.asarray(p, dtype=np.float64)
        wrong = ~((shares >= SMALLEST_SHARE) & (shares <= 1.0))
        _refuse(wrong, shares, f"p = {{value}}: give the share still without the event, from {SMALLEST_SHARE:g} to 1")
        horizon = self.transitions.horizon()[:, None]
        high = np.log(horizon) + np.zeros(shares.size)
        root = falling_root(
            lambda log_t: survival(np.exp(log_t)) - shares.reshape(1, -1), high - LOG_UNITS_SEARCHED, high
        )
        times = np.where(shares.reshape(1, -1) == 1.0, 0.0, np.exp(root))
        times = np.where(survival(horizon) > shares.reshape(1, -1), np.inf, times)
        return np.asarray(times.reshape(self.arms + shares.shape))


def _common(*arrays: FloatArray) -> tuple[int, ...]:
    try:
        return cast(tuple[int, ...], np.broadcast_shapes(*(array.shape for array in arrays)))
    except ValueError:
        sizes = ", ".join(str(array.shape) for array in arrays)
        raise UsageError(
            f"hazards and shapes of sizes {sizes} do not describe the same arms: give scalars or arrays of one length"
        ) from None


def _refuse_idle(lam: FloatArray) -> None:
    _refuse(
        lam <= 0.0,
        lam,
        "progression + death = {value} per month to the end: some would never have a PFS event; give a positive one",
    )
