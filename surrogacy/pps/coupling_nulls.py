"""Null distributions of the correlations of median OS with median PPS and with median PFS.

References
----------
Pearson (1897), doi:10.1098/rspl.1896.0076 (the correlation that a sum has with its parts by making).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.errors import UsageError
from surrogacy.pps.arms import model_pps
from surrogacy.pps.trial_summary import PpsDefinition

SEED = 20160701


@dataclass(frozen=True, eq=False)
class NullDistribution:
    """Null distribution of the two correlations.

    Parameters
    ----------
    name : str
    r_os_pps, r_os_pfs : (draws,) arrays
    made : str
        Origin, in words.
    """

    name: str
    r_os_pps: FloatArray
    r_os_pfs: FloatArray
    made: str

    @property
    def mean(self) -> tuple[float, float]:
        """Mean of both correlations."""
        return float(np.nanmean(self.r_os_pps)), float(np.nanmean(self.r_os_pfs))

    @property
    def range(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Middle 95 % of both correlations."""
        middle = [np.nanquantile(draws, [0.025, 0.975]) for draws in (self.r_os_pps, self.r_os_pfs)]
        return (float(middle[0][0]), float(middle[0][1])), (float(middle[1][0]), float(middle[1][1]))

    def shares_at_or_above(self, r_os_pps: float, r_os_pfs: float) -> tuple[float, float]:
        """Share of the draws whose r(OS, PPS), and whose r(OS, PFS), is at least as strong as these."""
        shares = [
            float(np.mean(draws[np.isfinite(draws)] >= observed))
            for draws, observed in ((self.r_os_pps, r_os_pps), (self.r_os_pfs, r_os_pfs))
        ]
        return shares[0], shares[1]


def unrelated_null(
    pfs: npt.ArrayLike,
    pps: npt.ArrayLike,
    trial: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    draws: int,
    generator: np.random.Generator,
) -> NullDistribution:
    """Shuffle PPS, so that OS is the sum of the PFS of one trial and the PPS of another.

    PPS is shuffled among trials with as many arms, so that arms of one trial stay together.

    Parameters
    ----------
    pfs, pps : (k,) arrays
        Months.
    trial : (k,) array of int
        Which trial an arm belongs to.
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
        "unrelated PFS and PPS", r1, r2, "PPS shuffled among trials with as many arms, OS := PFS + PPS"
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
    """Simulate arms that differ by chance alone.

    Patients of one illness-death model with constant hazards, all followed until death.

    Parameters
    ----------
    n : (k,) array of int
        Patients of each arm.
    median_pfs, median_pps : float
        Of the one population, months.
    direct_death : float
        Share of PFS events that are deaths.
    definition : {"median-difference", "model"}
        Definition of PPS in terms of the two sample medians.
    weights : (k,) array, optional
        Default: every arm alike.
    draws : int
    generator : Generator, optional

    Returns
    -------
    NullDistribution

    Raises
    ------
    UsageError
        For a definition that sample medians do not give, or medians that are not above 0.

    Examples
    --------
    >>> null = no_variation_null([100] * 20, median_pfs=4.0, median_pps=6.0, draws=200)
    >>> null.mean[0] > null.mean[1]
    True
    """
    if definition not in ("median-difference", "model"):
        raise UsageError(f"PPS by {definition!r} cannot be made of two medians; take median-difference or model")
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
    made = (
        f"every arm a sample of one population, median PFS {median_pfs:.1f} and PPS {median_pps:.1f} months, "
        f"{direct_death:.0%} direct deaths"
    )
    return NullDistribution("no true variation", r1, r2, made)


def _row_correlations(
    os: FloatArray, pps: FloatArray, pfs: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """r(OS, PPS) and r(OS, PFS) of every row (draws, arms)."""
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
