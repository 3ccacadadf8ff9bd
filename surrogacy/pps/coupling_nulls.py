"""Null distributions of the correlations of median OS with median PPS and with median PFS.

References
----------
Pearson (1897), doi:10.1098/rspl.1896.0076 (spurious correlation of a sum with its parts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.errors import UsageError
from surrogacy.pps.arms import model_pps
from surrogacy.pps.records import Record
from surrogacy.pps.trial_summary import PpsDefinition
from surrogacy.results.format import percent
from surrogacy.results.labels import ARM_ESTIMATES

SEED = 20160701


@dataclass(frozen=True, eq=False)
class NullDistribution:
    """Null distribution of the correlations of OS with PPS and of OS with PFS.

    Parameters
    ----------
    name : str
    r_os_pps, r_os_pfs : (draws,) arrays
    derivation : str
        Derivation, in words.
    """

    name: str
    r_os_pps: FloatArray
    r_os_pfs: FloatArray
    derivation: str

    @property
    def mean(self) -> tuple[float, float]:
        """Mean of both correlations."""
        return float(np.nanmean(self.r_os_pps)), float(np.nanmean(self.r_os_pfs))

    @property
    def range(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Central 95 % of both correlations."""
        r_pps, r_pfs = (np.nanquantile(draws, [0.025, 0.975]) for draws in (self.r_os_pps, self.r_os_pfs))
        return (float(r_pps[0]), float(r_pps[1])), (float(r_pfs[0]), float(r_pfs[1]))

    def shares_at_or_above(self, r_os_pps: float, r_os_pfs: float) -> tuple[float, float]:
        """Shares of the draws with an r(OS, PPS), and with an r(OS, PFS), at or above the observed values."""
        shares = [
            float(np.mean(draws[np.isfinite(draws)] >= observed))
            for draws, observed in ((self.r_os_pps, r_os_pps), (self.r_os_pfs, r_os_pfs))
        ]
        return shares[0], shares[1]

    def records(self, r_os_pps: float | None, r_os_pfs: float | None) -> list[Record]:
        """Mean and central 95 % of both correlations, compared with the observed values, for results.json."""
        observed = (np.nan if r is None else r for r in (r_os_pps, r_os_pfs))
        rows = zip(("r_os_pps", "r_os_pfs"), self.mean, self.range, self.shares_at_or_above(*observed), strict=True)
        return [
            {
                "quantity": f"{ARM_ESTIMATES[name]} if {self.name}",
                "value": mean,
                "low": low,
                "high": high,
                "kind": f"mean and central 95% of the null distribution, {percent(share, 1)} of it at or above the "
                f"observed value; {self.derivation}",
            }
            for name, mean, (low, high), share in rows
        ]


def unrelated_null(
    pfs: npt.ArrayLike,
    pps: npt.ArrayLike,
    trial: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    draws: int,
    generator: np.random.Generator,
) -> NullDistribution:
    """Null distribution of unrelated PFS and PPS: OS is the sum of the PFS of one trial and the PPS of another.

    PPS is permuted among trials with the same number of arms, so that the arms of a trial stay together.

    Parameters
    ----------
    pfs, pps : (k,) arrays
        Months.
    trial : (k,) array of int
        Trial of each arm.
    weights : (k,) array
    draws : int
    generator : Generator

    Returns
    -------
    NullDistribution

    Examples
    --------
    >>> generator = np.random.default_rng(1)
    >>> pfs, pps = generator.uniform(2, 10, (2, 30))
    >>> null = unrelated_null(pfs, pps, np.arange(30), np.ones(30), draws=200, generator=generator)
    >>> [round(r, 1) for r in null.mean]
    [0.7, 0.7]
    """
    pfs, pps = (np.asarray(values, dtype=np.float64) for values in (pfs, pps))
    blocks: dict[int, list[IntArray]] = {}
    for label in np.unique(trial):
        members = np.flatnonzero(np.asarray(trial) == label)
        blocks.setdefault(len(members), []).append(members)
    shuffled = np.empty((draws, len(pps)))
    for same_size in blocks.values():
        places = np.array(same_size)  # trials x arms
        orders = generator.permuted(np.tile(np.arange(len(places)), (draws, 1)), axis=1)
        shuffled[:, places.ravel()] = pps[places][orders].reshape(draws, -1)
    r1, r2 = _row_correlations(pfs + shuffled, shuffled, pfs, np.asarray(weights, dtype=np.float64))
    return NullDistribution(
        "unrelated PFS and PPS", r1, r2, "PPS permuted among trials with equally many arms, OS := PFS + PPS"
    )


def no_variation_null(
    n: npt.ArrayLike,
    *,
    median_pfs: float,
    median_pps: float,
    direct_death: float = 0.0,
    definition: PpsDefinition = "median-difference",
    weights: npt.ArrayLike | None = None,
    draws: int = 1000,
    generator: np.random.Generator | None = None,
) -> NullDistribution:
    """Null distribution of the correlations over arms whose medians differ by chance alone.

    All patients come from one illness-death model with constant hazards and are followed until death.

    Parameters
    ----------
    n : (k,) array of int
        Numbers of patients by arm.
    median_pfs, median_pps : float
        Medians of the population, months.
    direct_death : float
        Share of PFS events that are deaths.
    definition : {"median-difference", "model"}
        Definition of PPS in terms of the two sample medians.
    weights : (k,) array, optional
        Default: equal weights.
    draws : int
    generator : Generator, optional

    Returns
    -------
    NullDistribution

    Raises
    ------
    UsageError
        If the definition of PPS needs more than two sample medians, or a median is not above 0.

    Examples
    --------
    >>> null = no_variation_null([100] * 20, median_pfs=4.0, median_pps=6.0, draws=200)
    >>> null.mean[0] > null.mean[1]
    True
    """
    if definition not in ("median-difference", "model"):
        raise UsageError(f"PPS by {definition!r} cannot be derived from two medians; use median-difference or model")
    if not (median_pfs > 0 and median_pps > 0):
        raise UsageError(f"medians must be above 0 months; got PFS {median_pfs:g}, PPS {median_pps:g}")
    n = np.asarray(n, dtype=np.int64)
    random = generator or np.random.default_rng(SEED)
    os, pfs = np.empty((2, draws, len(n)))
    for arm, patients in enumerate(n):
        first = random.standard_exponential((draws, patients), dtype=np.float32)
        after = random.standard_exponential((draws, patients), dtype=np.float32)
        if direct_death:
            after *= random.random((draws, patients), dtype=np.float32) >= direct_death
        first *= median_pfs / np.log(2.0)
        after *= median_pps / np.log(2.0)
        after += first
        pfs[:, arm], os[:, arm] = np.median(first, axis=1), np.median(after, axis=1)
    pps = os - pfs if definition == "median-difference" else model_pps(pfs, os, direct_death)
    r1, r2 = _row_correlations(
        os, pps, pfs, np.ones(len(n)) if weights is None else np.asarray(weights, dtype=np.float64)
    )
    derivation = (
        f"all arms sampled from one population, median PFS {median_pfs:.1f} and PPS {median_pps:.1f} months, "
        f"{direct_death:.0%} direct deaths"
    )
    return NullDistribution("no true variation", r1, r2, derivation)


def _row_correlations(
    os: FloatArray, pps: FloatArray, pfs: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """r(OS, PPS) and r(OS, PFS) of every draw; arguments are (draws, arms)."""
    share = weights / weights.sum()

    def centred(x: FloatArray) -> FloatArray:
        return np.asarray(x - (x @ share)[..., None])

    a, b, c = centred(os), centred(pps), centred(np.broadcast_to(pfs, os.shape))

    def product(x: FloatArray, y: FloatArray) -> FloatArray:
        return np.asarray((x * y) @ share)

    with np.errstate(invalid="ignore", divide="ignore"):
        r1 = product(a, b) / np.sqrt(product(a, a) * product(b, b))
        r2 = product(a, c) / np.sqrt(product(a, a) * product(c, c))
    return r1, r2
