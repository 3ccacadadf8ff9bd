"""The illness-death model of one arm, or of many arms at once: PFS, OS and what links them.

Patients start in state 0 (alive, not progressed), may progress (state 1, hazard ``progression``), and die from either (``death``,
``post_progression``). PFS ends at the first event, OS at death.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from surrogacy.effects import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps import exponential
from surrogacy.pps.numerics import falling_root
from surrogacy.pps.transitions import Exponential, Transitions

Clock = Literal["forward", "reset"]


def refuse(condition: npt.ArrayLike, values: npt.ArrayLike, words: str) -> None:
    """Raise where ``condition`` holds, with the first such value and how many there are."""
    condition, values = np.broadcast_arrays(np.asarray(condition), np.asarray(values, dtype=np.float64))
    if condition.any():
        count = int(condition.sum())
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise UsageError(words.format(value=f"{values[condition].flat[0]:g}") + more)


def _hazard(name: str, values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    refuse(
        ~np.isfinite(array) | (array < 0.0), array, f"hazard {name} = {{value}} per month: give a finite number of 0 or more"
    )
    return array


@dataclass(frozen=True, eq=False)
class IllnessDeath:
    """Illness-death model of one arm (scalar hazards), or of m arms at once (arrays of shape (m,)).

    Parameters
    ----------
    progression, death, post_progression : float or (m,) array
        Hazards per month of progression (0 -> 1), death without progression (0 -> 2) and death after progression (1 -> 2).

    Raises
    ------
    UsageError
        A hazard is negative or not finite, or an arm has no PFS event ever.
    """

    progression: Any
    death: Any
    post_progression: Any

    def __post_init__(self) -> None:
        arrays = [_hazard(name, getattr(self, name)) for name in ("progression", "death", "post_progression")]
        try:
            shape = np.broadcast_shapes(*(array.shape for array in arrays))
        except ValueError:
            sizes = ", ".join(str(array.shape) for array in arrays)
            raise UsageError(
                f"hazards of shapes {sizes} do not describe the same arms: give scalars or arrays of one length"
            ) from None
        if len(shape) > 1:
            raise UsageError(f"hazards of shape {shape}: give scalars, or arrays of one dimension with a value an arm")
        columns = [np.broadcast_to(array, shape).reshape(-1, 1) for array in arrays]
        lam = columns[0] + columns[1]
        refuse(
            lam <= 0.0, lam, "progression + death = {value} per month: nobody would ever have a PFS event; make one positive"
        )
        object.__setattr__(self, "arms", shape)
        object.__setattr__(self, "transitions", Exponential(*columns))

    arms = ()
    transitions: Transitions = None  # type: ignore[assignment]

    @classmethod
    def from_medians(cls, pfs: npt.ArrayLike, os: npt.ArrayLike, direct_death: npt.ArrayLike = 0.0) -> IllnessDeath:
        """Constant hazards that give these medians.

        Parameters
        ----------
        pfs, os : float or (m,) array
            Median PFS and OS, months.
        direct_death : float or (m,) array
            Share q of PFS events that are deaths.

        Raises
        ------
        UsageError
            ``os <= pfs``, or more deaths without progression than that median OS allows.
        """
        pfs, os, q = (np.asarray(value, dtype=np.float64) for value in (pfs, os, direct_death))
        refuse(~(pfs > 0.0) | ~np.isfinite(pfs), pfs, "median PFS = {value} months: give a positive number")
        refuse(~np.isfinite(os), os, "median OS = {value} months: give a finite number (not reached: calibrate otherwise)")
        refuse(~((q >= 0.0) & (q <= 1.0)), q, "direct_death = {value}: it is a share of PFS events, from 0 to 1")
        refuse(
            os <= pfs,
            os,
            "median OS = {value} months is not longer than the median PFS: no one would live past progression; check the two medians",
        )
        h12 = exponential.post_progression_hazard(pfs, os, q)
        refuse(
            np.isnan(h12),
            os,
            "median OS = {value} months cannot be reached with so many deaths without progression, even if none died after progression; lower direct_death",
        )
        lam = np.log(2.0) / pfs
        return cls((1.0 - q) * lam, q * lam, h12)

    @property
    def median_pps(self) -> Any:
        """Median time from progression to death of the model, months."""
        return self._arm_values(self.transitions.median_pps())

    def survival_pfs(self, t: npt.ArrayLike) -> FloatArray:
        """Share alive without progression at times t (months): shape of the arms, then that of t."""
        return self._at(self.transitions.survival_pfs, t)

    def density_pfs(self, t: npt.ArrayLike) -> FloatArray:
        """Density of PFS times, per month."""
        return self._at(self.transitions.density_pfs, t)

    def hazard_pfs(self, t: npt.ArrayLike) -> FloatArray:
        """Hazard of progression or death, per month."""
        return self._at(self.transitions.hazard_pfs, t)

    def survival_os(self, t: npt.ArrayLike) -> FloatArray:
        """Share alive at times t."""
        return self._at(lambda times: self.transitions.overall(times)[0], t)

    def density_os(self, t: npt.ArrayLike) -> FloatArray:
        """Density of OS times, per month."""
        return self._at(lambda times: self.transitions.overall(times)[1], t)

    def hazard_os(self, t: npt.ArrayLike) -> FloatArray:
        """Hazard of death from any state, per month."""
        return self._at(self.transitions.hazard_os, t)

    def quantile_pfs(self, p: npt.ArrayLike) -> FloatArray:
        """Time at which a share p is still alive without progression (p = 0.5: the median)."""
        return self._quantile(self.transitions.survival_pfs, p)

    def quantile_os(self, p: npt.ArrayLike) -> FloatArray:
        """Time at which a share p is still alive (p = 0.5: the median); infinite if more than p never die."""
        return self._quantile(lambda times: self.transitions.overall(times)[0], p)

    def mean_os(self) -> Any:
        """Mean overall survival, months."""
        return self._arm_values(self.transitions.mean_os())

    def restricted_mean_pfs(self, tau: npt.ArrayLike) -> FloatArray:
        """Mean of ``min(PFS, tau)``, months."""
        return self._at(self.transitions.restricted_mean_pfs, tau)

    def restricted_mean_os(self, tau: npt.ArrayLike) -> FloatArray:
        """Mean of ``min(OS, tau)``, months."""
        return self._at(self.transitions.restricted_mean_os, tau)

    def correlation(self) -> Any:
        """Pearson correlation of PFS and OS times."""
        return self._arm_values(self.transitions.correlation())

    def kendall_tau(self) -> Any:
        """Kendall's tau of PFS and OS times."""
        return self._arm_values(self.transitions.kendall_tau())

    def sample(self, size: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
        """Patients drawn at random.

        Returns
        -------
        pfs, os : (size,) or (m, size) arrays
            Months.
        progressed : bool array of that shape
            False for a death without progression.
        """
        pfs, os, progressed = self.transitions.sample(size, rng)
        shape = (*self.arms, size)
        return pfs.reshape(shape), os.reshape(shape), progressed.reshape(shape)

    def _arm_values(self, column: FloatArray) -> Any:
        values = np.asarray(column).reshape(-1)
        return values if self.arms else float(values[0])

    def _at(self, function: Any, t: npt.ArrayLike) -> FloatArray:
        times = np.asarray(t, dtype=np.float64)
        refuse(~(times >= 0.0), times, "time {value}: give months of 0 or more")
        return np.asarray(function(times.reshape(1, -1)).reshape(self.arms + times.shape))

    def _quantile(self, survival: Any, p: npt.ArrayLike) -> FloatArray:
        shares = np.asarray(p, dtype=np.float64)
        refuse(
            ~((shares > 0.0) & (shares <= 1.0)),
            shares,
            "share {value}: give the share still without the event, above 0, up to 1",
        )
        target = np.broadcast_to(shares.reshape(1, -1), (max(1, int(np.prod(self.arms))), shares.size))
        scale = np.log(1.0 / self.transitions.fastest())[:, None]
        reach = 60.0
        root = np.exp(
            falling_root(lambda log_t: survival(np.exp(log_t)) - target, scale - reach + 0 * target, scale + reach + 0 * target)
        )
        root = np.where(target == 1.0, 0.0, root)
        root = np.where(np.log(np.maximum(root, 1e-300)) > scale + reach - 1e-6, np.inf, root)
        return np.asarray(root.reshape(self.arms + shares.shape))
