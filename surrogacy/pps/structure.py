"""Structures of the transition hazards: effect on deaths without progression, and shape of the exits from PFS.

Both exits from the progression-free state have cumulative hazards ``h t^p`` of one shape p, so that PFS has
proportional hazards between the arms. With q the share of PFS events that are deaths in the control arm, H the hazard
ratio of PFS and r that of death without progression:

    control        lam = ln 2 / median^p,   h02 = q lam,      h01 = (1 - q) lam
    experimental   lam' = H lam,            h02' = r q lam,   h01' = lam' - h02'
    from medians   H = (median_C / median_E)^p
    TTP            H is the hazard ratio of progression:  h01' = H h01,  lam' = h01' + h02'

The hazard after progression is constant since progression. Published trials rarely report r or p. The default (r = H,
p = 1) is an assumption, and so are the alternatives.

References
----------
Fleischer, Gaschler-Markefski, Bluhmki (2009), doi:10.1002/sim.3637; Meller, Beyersmann, Rufibach (2019),
doi:10.1002/sim.8295.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.survival import weibull_exits
from surrogacy.survival.illness_death import IllnessDeath

Array = npt.ArrayLike
Pair = tuple[Array, Array] | FloatArray  # control, experimental


@dataclass(frozen=True)
class TransitionStructure:
    """Effect on deaths without progression, and shape of the exits from the progression-free state.

    Parameters
    ----------
    hr_direct_death : float or None
        Hazard ratio r of death without progression, experimental over control; None: the hazard ratio of PFS (of
        progression, if the trial reports TTP).
    shape : float
        Weibull shape p of both exits; 1: constant hazards, above 1: hazards that increase.

    Raises
    ------
    UsageError
        If a value is not a finite number above 0.

    Examples
    --------
    >>> structure = TransitionStructure(hr_direct_death=1.0)
    >>> control, experimental = structure.arms((6.0, 10.0), direct_death=0.1, post_progression=(0.06, 0.06))
    >>> round(float(control.death), 4), round(float(experimental.death), 4)
    (0.0116, 0.0116)
    """

    hr_direct_death: float | None = None
    shape: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("hr_direct_death", self.hr_direct_death), ("shape", self.shape)):
            if value is not None and not (np.isfinite(value) and value > 0.0):
                raise UsageError(f"{name} {value:g}: give a finite number above 0")

    @property
    def is_default(self) -> bool:
        """Test that the structure is the default: the PFS hazard ratio for deaths, and constant hazards."""
        return self.hr_direct_death is None and self.shape == 1.0

    @property
    def words(self) -> str:
        """Description of the structure."""
        return self.describe("PFS")

    def describe(self, endpoint: str) -> str:
        """Describe the structure for trials with a progression endpoint."""
        exits = "constant hazards" if self.shape == 1.0 else f"Weibull hazards of shape {self.shape:g}"
        effect = (
            f"the {endpoint} hazard ratio" if self.hr_direct_death is None else f"hazard ratio {self.hr_direct_death:g}"
        )
        return f"{exits} before progression, {effect} for deaths without progression"

    @property
    def label(self) -> str:
        """Departures from the default, in short; empty for the default."""
        departures = []
        if self.hr_direct_death is not None:
            departures.append(f"HR {self.hr_direct_death:g} for deaths without progression")
        if self.shape != 1.0:
            departures.append(f"Weibull shape {self.shape:g} before progression")
        return ", ".join(departures)

    def hazard_ratio(self, control_pfs: Array, experimental_pfs: Array) -> FloatArray:
        """Hazard ratio of PFS from median PFS, ``(median_C / median_E)^p``."""
        ratio = np.asarray(control_pfs, dtype=np.float64) / np.asarray(experimental_pfs, dtype=np.float64)
        return np.asarray(ratio if self.shape == 1.0 else ratio**self.shape)

    def experimental_pfs(
        self, control_pfs: Array, hazard_ratio: Array, direct_death: Array = 0.0, *, deaths_censored: bool = False
    ) -> FloatArray:
        """Median PFS of the experimental arm, months.

        Parameters
        ----------
        control_pfs : array
            Median PFS of the control arm, months.
        hazard_ratio : array
            Hazard ratio of PFS, or of TTP if ``deaths_censored``.
        direct_death : array
            Share q of PFS events that are deaths in the control arm.
        deaths_censored : bool
            The hazard ratio is that of TTP, which censors deaths.

        Examples
        --------
        >>> round(float(TransitionStructure(shape=1.3).experimental_pfs(6.0, 0.6)), 2)
        8.89
        """
        ratio = np.asarray(hazard_ratio, dtype=np.float64)
        if deaths_censored and self.hr_direct_death is not None:
            q = np.asarray(direct_death, dtype=np.float64)
            ratio = (1.0 - q) * ratio + q * self.hr_direct_death
        return np.asarray(control_pfs, dtype=np.float64) / self._power(ratio)

    def pfs_of_ttp(self, median_ttp: Array, direct_death: Array) -> FloatArray:
        """Median PFS of an arm from its median TTP, ``(1 - q)^(1/p)`` times it; q is the share of the same arm."""
        remaining = 1.0 - np.asarray(direct_death, dtype=np.float64)
        return np.asarray(median_ttp, dtype=np.float64) * self._power(remaining)

    def median_pfs(self, medians: Pair, direct_death: Array, *, deaths_censored: bool = False) -> FloatArray:
        """Median PFS of both arms, (2,) or (2, m), from the medians of PFS, or of TTP if ``deaths_censored``."""
        control, experimental = (np.asarray(median, dtype=np.float64) for median in medians)
        if not deaths_censored:
            return np.stack([control, experimental])
        control_pfs = self.pfs_of_ttp(control, direct_death)
        if self.hr_direct_death is None:
            return np.stack([control_pfs, self.pfs_of_ttp(experimental, direct_death)])
        ratio = self.hazard_ratio(control, experimental)
        return np.stack([control_pfs, self.experimental_pfs(control_pfs, ratio, direct_death, deaths_censored=True)])

    def median_ttp(self, median_pfs: Pair, direct_death: Array) -> FloatArray:
        """Median TTP of both arms, (2,) or (2, m), from their median PFS."""
        control_pfs, experimental_pfs = (np.asarray(median, dtype=np.float64) for median in median_pfs)
        shares = np.asarray(direct_death), self.experimental_direct_death(control_pfs, experimental_pfs, direct_death)
        return np.stack(
            [
                median / self._power(1.0 - share)
                for median, share in zip((control_pfs, experimental_pfs), shares, strict=True)
            ]
        )

    def _power(self, ratio: FloatArray) -> FloatArray:
        """Ratio of times that belongs to a ratio of hazards, ``ratio^(1/p)``."""
        return ratio if self.shape == 1.0 else np.asarray(ratio ** (1.0 / self.shape))

    def experimental_direct_death(self, control_pfs: Array, experimental_pfs: Array, direct_death: Array) -> FloatArray:
        """Share of PFS events that are deaths in the experimental arm, ``r q / H``; q if r is the PFS hazard ratio.

        The structure is impossible where the share is 1 or more.
        """
        q = np.asarray(direct_death, dtype=np.float64)
        if self.hr_direct_death is None:
            return q
        return np.asarray(self.hr_direct_death * q / self.hazard_ratio(control_pfs, experimental_pfs))

    def direct_death_shares(self, median_pfs: Pair, direct_death: Array) -> tuple[FloatArray, FloatArray]:
        """Shares of PFS events that are deaths, control and experimental; median PFS in months.

        Raises
        ------
        UsageError
            If the deaths without progression leave no progressions in the experimental arm.
        """
        control_pfs, experimental_pfs = median_pfs
        share = self.experimental_direct_death(control_pfs, experimental_pfs, direct_death)
        if (share >= 1.0).any() and self.hr_direct_death is not None:
            ratio = float(np.min(self.hazard_ratio(control_pfs, experimental_pfs)))
            deaths = np.asarray(direct_death, dtype=np.float64).max()
            raise UsageError(
                f"hr_direct_death {self.hr_direct_death:g}: {deaths:.0%} of the PFS events of the control arm are "
                f"deaths, and the PFS hazard ratio is {ratio:.3g}, so that deaths without progression alone exceed the "
                "PFS events of the experimental arm; give a smaller hazard ratio"
            )
        return np.asarray(direct_death, dtype=np.float64), share

    def arm(self, median_pfs: Array, direct_death: Array, post_progression: Array) -> IllnessDeath:
        """One arm, or m arms, from median PFS (months), share q of the same arm and hazard h12 per month."""
        if self.shape == 1.0:
            return IllnessDeath.from_pfs(median_pfs, direct_death, post_progression)
        h01, h02 = weibull_exits.exit_scales(median_pfs, direct_death, self.shape)
        shapes = (self.shape, self.shape, 1.0)
        return IllnessDeath(h01, h02, post_progression, shape=shapes, post_progression_clock="reset")

    def arms(self, median_pfs: Pair, direct_death: Array, post_progression: Pair) -> tuple[IllnessDeath, IllnessDeath]:
        """Control and experimental arm.

        Parameters
        ----------
        median_pfs : (control, experimental)
            Months; floats or (m,) arrays.
        direct_death : float or (m,) array
            Share q of PFS events that are deaths in the control arm.
        post_progression : (control, experimental)
            Hazards h12 per month.

        Raises
        ------
        UsageError
            If the deaths without progression leave no progressions in the experimental arm.
        """
        control, experimental = (
            self.arm(*values)
            for values in zip(
                median_pfs, self.direct_death_shares(median_pfs, direct_death), post_progression, strict=True
            )
        )
        return control, experimental

    def post_progression_hazard(self, pfs: Array, os: Array, direct_death: Array) -> FloatArray:
        """Hazard h12 per month that gives the median OS of an arm; NaN where there is none.

        Parameters
        ----------
        pfs, os : arrays
            Medians in months.
        direct_death : array
            Share q of PFS events that are deaths, in the same arm.

        Examples
        --------
        >>> round(float(TransitionStructure(shape=0.8).post_progression_hazard(6.0, 15.0, 0.1)), 4)
        0.105
        """
        return weibull_exits.post_progression_hazard(pfs, os, direct_death, self.shape)


DEFAULT_STRUCTURE = TransitionStructure()
ALTERNATIVES = (
    TransitionStructure(hr_direct_death=1.0),
    TransitionStructure(hr_direct_death=0.8),
    TransitionStructure(shape=0.8),
    TransitionStructure(shape=1.3),
)
"""Structures of the sensitivity analyses, each with one departure from the default."""
