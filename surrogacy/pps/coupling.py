"""Audit of the correlation over arms between median OS, a whole, and median PPS, its part.

Papers correlate, over arms, median OS with median PPS := median OS - median PFS, find more than with median PFS, and
call PFS a poor surrogate for it. As OS is the sum of the two, the three are the sides of a triangle (length = SD,
cosine of an angle = correlation). Two of its angles give the third and the ratio of the sides, so a published pair says
no more than these:

    corr(PFS, PPS)    = r1 r2 - sqrt((1 - r1^2)(1 - r2^2))             r1 = r(OS, PPS), r2 = r(OS, PFS)
    SD(PPS) / SD(PFS) = k = sqrt((1 - r2^2) / (1 - r1^2))              law of sines
    unrelated parts     r1 = k / sqrt(1 + k^2), r2 = 1 / sqrt(1 + k^2), so that r1^2 + r2^2 = 1

    share of PPS in Var(OS), Shapley       (r1^2 + 1 - r2^2) / 2       mean of PPS entered first and entered last
                             covariance    cov(OS, PPS) / Var(OS) = r1 k / (r1 k + r2)

Both shares of PFS are 1 less that of PPS. All of it is exact for Pearson correlations with one set of weights, and
approximate for Spearman's. It describes arms; it compares nothing that was randomised, and cannot say whether an
*effect* on PFS predicts one on OS.

References
----------
Pearson (1897), doi:10.1098/rspl.1896.0076 (spurious correlation of a sum with its parts).
Lindeman, Merenda, Gold (1980); Groemping (2006), doi:10.18637/jss.v017.i01 (Shapley share of R2).
Terashima et al. (2016), Hepatol Res 46:650 (the pair .834 and .546 in hepatocellular carcinoma).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.interval_methods import FEW_TRIALS
from surrogacy.pps.arms import ArmPps
from surrogacy.pps.coupling_nulls import SEED, NullDistribution, no_variation_null, unrelated_null
from surrogacy.pps.trial_summary import PpsDefinition
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL
from surrogacy.stats.bootstrap import percentiles
from surrogacy.stats.correlation import weighted_pearson

ArmWeights = Literal["n", "none"]

DESCRIPTIVE = (
    "descriptive: arms are compared, not randomised groups, and PPS is conditional on a progression after randomisation"
)


@dataclass(frozen=True)
class Coupling:
    """Implications of a pair of correlations if OS = PFS + PPS; formulas above.

    Parameters
    ----------
    r_os_pps, r_os_pfs : float
        The pair.
    corr_pfs_pps : float
        Correlation of PFS and PPS that it implies.
    sd_ratio : float
        SD of PPS over SD of PFS.
    sum_of_squares : float
        ``r1^2 + r2^2``: 1 if PFS and PPS are unrelated, more if they go together.
    shapley_share, covariance_share : float
        Share of PPS in the variance of OS.
    if_unrelated : tuple of float
        The pair to be expected of PFS and PPS without any relation and of this SD ratio.
    """

    r_os_pps: float
    r_os_pfs: float
    corr_pfs_pps: float
    sd_ratio: float
    sum_of_squares: float
    shapley_share: float
    covariance_share: float
    if_unrelated: tuple[float, float]


@dataclass(frozen=True, eq=False)
class CouplingAudit:
    """Correlations of the medians of arms, with what they would be for no reason at all.

    Parameters
    ----------
    arms : tuple of ArmPps
        Those that were used.
    definition : {"reported", "median-difference", "model", "area"}
        Of the PPS.
    weights : {"n", "none"}
    estimates : dict of str to Estimate
        ``r_os_pps``, ``r_os_pfs``, ``r_pfs_pps``, ``sd_ratio`` (PPS over PFS), and of a difference of medians, whose
        parts add up to OS, ``shapley_share`` and ``covariance_share`` of PPS; percentile intervals of a bootstrap over
        trials.
    coupling : Coupling or None
        The identity at the observed pair; None unless PPS is a difference of medians, or where that is proportional to
        PFS.
    nulls : tuple of NullDistribution
        ``unrelated PFS and PPS`` of a difference of medians; ``no true variation`` of that and of model PPS, if any arm
        states its patients.
    trend : dict of str to Estimate
        Change a year of publication of ``median_os``, ``median_pfs``, ``median_pps`` (months) and ``pps_share`` (of
        OS).
    problems : tuple of str
    """

    arms: tuple[ArmPps, ...]
    definition: PpsDefinition
    weights: ArmWeights
    estimates: dict[str, Estimate]
    coupling: Coupling | None
    nulls: tuple[NullDistribution, ...]
    trend: dict[str, Estimate]
    problems: tuple[str, ...]

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    @property
    def trials(self) -> tuple[str, ...]:
        """Trials of the arms, in order."""
        return tuple(dict.fromkeys(arm.trial for arm in self.arms))


def coupling_identity(r_os_pps: float, r_os_pfs: float) -> Coupling:
    """Derive the implications of a published pair of correlations; formulas above.

    Parameters
    ----------
    r_os_pps, r_os_pfs : float
        Pearson correlations over the same arms with the same weights, PPS being OS - PFS in every arm.

    Returns
    -------
    Coupling

    Raises
    ------
    UsageError
        If no such PFS and PPS exist: a value outside -1 to 1, or two that add up to 0 or less.

    Examples
    --------
    >>> coupling = coupling_identity(r_os_pps=0.834, r_os_pfs=0.546)
    >>> round(coupling.corr_pfs_pps, 3), round(coupling.sd_ratio, 2)
    (-0.007, 1.52)
    """
    r1, r2 = float(r_os_pps), float(r_os_pfs)
    for name, r in (("r(OS, PPS)", r1), ("r(OS, PFS)", r2)):
        if not -1.0 < r < 1.0:
            raise UsageError(
                f"{name} = {r:g}: the identity needs a correlation between -1 and 1; give r, not r2 in percent"
            )
    if r1 + r2 <= 0:  # SD(OS) = r1 SD(PPS) + r2 SD(PFS) is above 0; two angles of a triangle stay below 180 degrees
        raise UsageError(
            f"r(OS, PPS) = {r1:g} and r(OS, PFS) = {r2:g} cannot both hold where OS = PFS + PPS, "
            "for their sum is above 0 there; check the signs, and that PPS is the difference of the same medians"
        )
    ratio = float(np.sqrt((1 - r2**2) / (1 - r1**2)))
    return Coupling(
        r_os_pps=r1,
        r_os_pfs=r2,
        corr_pfs_pps=float(r1 * r2 - np.sqrt((1 - r1**2) * (1 - r2**2))),
        sd_ratio=ratio,
        sum_of_squares=r1**2 + r2**2,
        shapley_share=(r1**2 + 1 - r2**2) / 2,
        covariance_share=r1 * ratio / (r1 * ratio + r2),
        if_unrelated=(float(ratio / np.hypot(1, ratio)), float(1 / np.hypot(1, ratio))),
    )


def coupling_audit(
    arms: Sequence[ArmPps],
    *,
    definition: PpsDefinition = "median-difference",
    weights: ArmWeights = "n",
    resamples: int = 1000,
    seed: int = SEED,
) -> CouplingAudit:
    """Audit the correlations of median OS with median PPS and with median PFS over arms.

    Parameters
    ----------
    arms : sequence of ArmPps
    definition : {"reported", "median-difference", "model", "area"}
        Of the PPS: never several at once. Arms without it are left out and counted among the problems.
    weights : {"n", "none"}
        Patients of the arm (arms that do not state them are left out), or every arm alike.
    resamples : int
        Of the bootstrap over trials and of either null distribution.
    seed : int

    Returns
    -------
    CouplingAudit

    Raises
    ------
    UsageError
        For other weights.
    FitError
        If fewer than three arms of two trials are left, or their medians do not vary.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.pps.arms import arm_pps
    >>> audit = coupling_audit(arm_pps(surrogacy.read_trials(), draws=100), resamples=100)
    >>> audit["r_os_pps"].value > audit["r_os_pfs"].value
    True
    """
    if weights not in get_args(ArmWeights):
        raise UsageError(f"weights of arms must be one of {', '.join(get_args(ArmWeights))}; got {weights!r}")
    used, problems = _usable(arms, definition, weights)
    medians = {
        "median_os": np.array([arm.median_os.value for arm in used]),
        "median_pfs": np.array([arm.median_pfs.value for arm in used]),
        "median_pps": np.array([arm.pps(definition).months for arm in used]),
    }
    w = np.array([arm.n for arm in used], dtype=np.float64) if weights == "n" else np.ones(len(used))
    trials = list(dict.fromkeys(arm.trial for arm in used))
    member = np.array([trials.index(arm.trial) for arm in used])
    if len(trials) < FEW_TRIALS:
        problems.append(f"{len(trials)} trials: a bootstrap over so few is too narrow")
    generator = np.random.default_rng(seed)
    # the sample itself first, then as many trials drawn with replacement: the arms of a trial go together
    counts = generator.multinomial(len(trials), np.full(len(trials), 1 / len(trials)), size=resamples)
    sets = np.vstack([w, w * counts[:, member]])
    statistics = _statistics(medians["median_os"], medians["median_pfs"], medians["median_pps"], sets)
    pair = float(statistics["r_os_pps"][0]), float(statistics["r_os_pfs"][0])
    if not np.isfinite(pair).all():
        raise FitError("the medians of these arms do not vary: no correlation is defined")
    difference = definition == "median-difference"
    if not difference:  # the parts do not add up to OS
        del statistics["covariance_share"], statistics["shapley_share"]
    exact = difference and max(pair) < 1 - 1e-12  # PFS and PPS in one line leave the triangle no angle
    nulls = []
    if difference:
        pfs, pps = medians["median_pfs"], medians["median_pps"]
        nulls.append(unrelated_null(pfs, pps, member, w, draws=resamples, generator=generator))
    unsized = sum(arm.n is None for arm in used)
    if unsized:
        problems.append(f"patients not stated in {unsized} of {len(used)} arms: the median of the others in the null")
    if definition in ("median-difference", "model") and unsized < len(used):
        nulls.append(_no_variation(used, definition, w, resamples, generator))
    year = np.array([arm.year or np.nan for arm in used])
    outcomes = medians | {"pps_share": medians["median_pps"] / medians["median_os"]}
    kind = f"percentile bootstrap over {len(trials)} trials"
    return CouplingAudit(
        arms=tuple(used),
        definition=definition,
        weights=weights,
        estimates={name: _estimate(values, kind) for name, values in statistics.items()},
        coupling=coupling_identity(*pair) if exact else None,
        nulls=tuple(nulls),
        trend={name: _estimate(_slopes(year, values, sets), kind) for name, values in outcomes.items()},
        problems=(DESCRIPTIVE, *problems),
    )


def _no_variation(
    arms: Sequence[ArmPps], definition: PpsDefinition, weights: FloatArray, draws: int, generator: np.random.Generator
) -> NullDistribution:
    """Null of arms of these sizes from the population of their weighted means."""
    size = np.array([arm.n or np.nan for arm in arms])
    return no_variation_null(
        np.where(np.isfinite(size), size, np.nanmedian(size)).astype(np.int64),
        median_pfs=float(np.average([arm.median_pfs.value for arm in arms], weights=weights)),
        median_pps=float(np.average([arm.pps("model").months for arm in arms], weights=weights)),
        direct_death=float(np.average([arm.direct_death.value for arm in arms], weights=weights)),
        definition=definition,
        weights=weights,
        draws=draws,
        generator=generator,
    )


def _usable(arms: Sequence[ArmPps], definition: PpsDefinition, weights: ArmWeights) -> tuple[list[ArmPps], list[str]]:
    """Arms with that PPS and with what the weights need, and caveats of them."""
    problems = []
    kept = [arm for arm in arms if arm.has(definition)]
    if len(kept) < len(arms):
        problems.append(f"{len(arms) - len(kept)} arm(s) without a PPS by {definition} left out")
    if weights == "n" and any(arm.n is None for arm in kept):
        unknown = [arm.name for arm in kept if arm.n is None]
        problems.append(f"left out for want of the number of patients: {'; '.join(unknown)}")
        kept = [arm for arm in kept if arm.n is not None]
    if len(kept) < 3 or len({arm.trial for arm in kept}) < 2:
        raise FitError(f"{len(kept)} arm(s) with a PPS by {definition}: three arms of two trials are needed at least")
    endpoints = {
        name: sum(arm.pfs_endpoint == name for arm in kept) for name in dict.fromkeys(arm.pfs_endpoint for arm in kept)
    }
    if len(endpoints) > 1:
        problems.append(f"endpoints mixed: {', '.join(f'{name} {count}' for name, count in endpoints.items())} arms")
    problems += [problem for arm in kept for problem in arm.problems]
    return kept, problems


def _statistics(os: FloatArray, pfs: FloatArray, pps: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Statistics by sets of weights (sets, arms): first the sample, then the bootstrap."""
    r1, r2 = weighted_pearson(os, pps, weights), weighted_pearson(os, pfs, weights)
    ratio = _spread(pps, weights) / _spread(pfs, weights)
    return {
        "r_os_pps": r1,
        "r_os_pfs": r2,
        "r_pfs_pps": weighted_pearson(pfs, pps, weights),
        "sd_ratio": ratio,
        "shapley_share": (r1**2 + 1.0 - r2**2) / 2.0,
        "covariance_share": r1 * ratio / (r1 * ratio + r2),
    }


def _spread(x: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted SD by sets of weights; NaN where nothing varies."""
    total = weights.sum(axis=-1)
    mean = weights @ x / total
    variance = np.einsum("...k,...k->...", weights, (x - mean[:, None]) ** 2) / total
    return np.asarray(np.sqrt(np.where(variance > 1e-12 * np.max(x**2), variance, np.nan)))


def _slopes(year: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted least-squares change of y a year, by sets of weights; NaN where only one year is in the set."""
    dated = np.isfinite(year)
    if not dated.any():
        return np.full(len(weights), np.nan)
    x, y, w = year[dated] - year[dated].mean(), y[dated], weights[:, dated]
    with np.errstate(invalid="ignore"):
        r = weighted_pearson(x, y, w)
        return np.asarray(r * _spread(y, w) / _spread(x, w))


def _estimate(values: FloatArray, kind: str) -> Estimate:
    """First value with the percentiles and the SD of the others, those of samples where it is not defined left out."""
    sample = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]):
        return Estimate(None, method="not defined")
    low, high = percentiles(sample)
    return Estimate(float(values[0]), float(sample.std(ddof=1)) if len(sample) > 1 else None, low, high, LEVEL, kind)
