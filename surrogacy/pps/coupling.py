"""Audit of the correlation over arms between median OS and median PPS, which is a part of OS.

Some papers correlate, over arms, median OS with median PPS := median OS - median PFS. They find a stronger correlation
than with median PFS and conclude that PFS is a poor surrogate for OS. Because OS is the sum of PFS and PPS, both
correlations arise without any relation between PFS and PPS (`surrogacy.pps.coupling_identity`). The audit compares the
observed correlations with null distributions (`surrogacy.pps.coupling_nulls`). It describes arms, does not compare
randomised groups, and cannot show whether an effect on PFS predicts an effect on OS.

References
----------
Pearson (1897), doi:10.1098/rspl.1896.0076 (spurious correlation of a sum with its parts).
Terashima et al. (2016), Hepatol Res 46:650 (correlations .834 and .546 in hepatocellular carcinoma).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import FitError, UsageError
from surrogacy.evaluation.interval_methods import FEW_TRIALS
from surrogacy.pps.arms import ArmPps
from surrogacy.pps.coupling_identity import Coupling, coupling_identity
from surrogacy.pps.coupling_nulls import SEED, NullDistribution, no_variation_null, unrelated_null
from surrogacy.pps.records import Record
from surrogacy.pps.trial_summary import PpsDefinition
from surrogacy.results.estimate import Estimate
from surrogacy.results.labels import ARM_ESTIMATES
from surrogacy.results.levels import LEVEL
from surrogacy.stats.bootstrap import percentiles
from surrogacy.stats.correlation import weighted_pearson

ArmWeights = Literal["n", "none"]

DESCRIPTIVE = "descriptive: arms are not randomised groups, and PPS is conditional on progression after randomisation"


@dataclass(frozen=True, eq=False)
class CouplingAudit:
    """Correlations of the medians of arms, with their null distributions.

    Parameters
    ----------
    arms : tuple of ArmPps
        Arms in the audit.
    definition : {"reported", "median-difference", "model", "area"}
        Definition of the PPS.
    weights : {"n", "none"}
    estimates : dict of str to Estimate
        ``r_os_pps``, ``r_os_pfs``, ``r_pfs_pps`` and ``sd_ratio`` (PPS over PFS). For a difference of medians, which
        adds up to OS with PFS, also ``shapley_share`` and ``covariance_share`` of PPS. Percentile intervals of a
        bootstrap over trials.
    coupling : Coupling or None
        Identity at the observed pair; None unless PPS is a difference of medians, or if PPS is proportional to PFS.
    nulls : tuple of NullDistribution
        ``unrelated PFS and PPS`` for a difference of medians; ``no true variation`` for a difference of medians and
        for model PPS, if any arm states its patients.
    trend : dict of str to Estimate
        Change per year of publication in ``median_os``, ``median_pfs``, ``median_pps`` (months) and ``pps_share``
        (PPS over OS).
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

    @property
    def records(self) -> list[Record]:
        """Estimates, null distributions and time trends under the keys of results.json."""
        about: Record = {
            "definition": self.definition,
            "weights": self.weights,
            "arms": len(self.arms),
            "trials": len(self.trials),
        }
        records = [about | {"quantity": name} | estimate.record for name, estimate in self.estimates.items()]
        for null in self.nulls:
            records += [about | record for record in null.records(self["r_os_pps"].value, self["r_os_pfs"].value)]
        for name, estimate in self.trend.items():
            unit = 100 if name == "pps_share" else 1  # percentage points
            numbers = {
                key: unit * value if isinstance(value, float) and key != "level" else value
                for key, value in estimate.record.items()
            }
            records.append(about | {"quantity": f"{ARM_ESTIMATES[name]} a year"} | numbers)
        return records


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
        Definition of the PPS, the same for all arms. Arms without a PPS by it are left out, and a caveat counts them.
    weights : {"n", "none"}
        Patients of the arm (arms that do not state them are left out), or equal weights.
    resamples : int
        Resamples of the bootstrap over trials, and draws of each null distribution.
    seed : int

    Returns
    -------
    CouplingAudit

    Raises
    ------
    UsageError
        If the weights are unknown.
    FitError
        If fewer than three arms of two trials remain, or their medians do not vary.

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
        problems.append(f"{len(trials)} trials: bootstrap intervals over so few trials are too narrow")
    generator = np.random.default_rng(seed)
    # row 0 is the sample; in the other rows whole trials are drawn with replacement
    counts = generator.multinomial(len(trials), np.full(len(trials), 1 / len(trials)), size=resamples)
    sets = np.vstack([w, w * counts[:, member]])
    statistics = _statistics(medians["median_os"], medians["median_pfs"], medians["median_pps"], sets)
    pair = float(statistics["r_os_pps"][0]), float(statistics["r_os_pfs"][0])
    if not np.isfinite(pair).all():
        raise FitError("the medians of these arms do not vary: no correlation is defined")
    nulls, coupling = [], None
    if definition == "median-difference":
        pfs, pps = medians["median_pfs"], medians["median_pps"]
        nulls.append(unrelated_null(pfs, pps, member, w, draws=resamples, generator=generator))
        if max(pair) < 1 - 1e-12:  # otherwise PPS is proportional to PFS and the triangle is degenerate
            coupling = coupling_identity(*pair)
    else:  # PFS and PPS do not add up to OS
        del statistics["covariance_share"], statistics["shapley_share"]
    without_n = sum(arm.n is None for arm in used)
    if without_n:
        problems.append(
            f"patients not stated in {without_n} of {len(used)} arms: the null uses the median number of the rest"
        )
    if definition in ("median-difference", "model") and without_n < len(used):
        nulls.append(_no_variation(used, definition, w, resamples, generator))
    year = np.array([arm.year or np.nan for arm in used])
    outcomes = medians | {"pps_share": medians["median_pps"] / medians["median_os"]}
    method = f"percentile bootstrap over {len(trials)} trials"
    return CouplingAudit(
        arms=tuple(used),
        definition=definition,
        weights=weights,
        estimates={name: _estimate(values, method) for name, values in statistics.items()},
        coupling=coupling,
        nulls=tuple(nulls),
        trend={name: _estimate(_slopes(year, values, sets), method) for name, values in outcomes.items()},
        problems=(DESCRIPTIVE, *problems),
    )


def _no_variation(
    arms: Sequence[ArmPps], definition: PpsDefinition, weights: FloatArray, draws: int, generator: np.random.Generator
) -> NullDistribution:
    """Null distribution for arms of these sizes, drawn from one population with their weighted mean medians."""
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
    """Arms with a PPS by this definition and, for weights by patients, with their number; and caveats."""
    problems = []
    kept = [arm for arm in arms if arm.has(definition)]
    if len(kept) < len(arms):
        problems.append(f"{len(arms) - len(kept)} arm(s) without a PPS by {definition} left out")
    if weights == "n" and any(arm.n is None for arm in kept):
        unknown = [arm.name for arm in kept if arm.n is None]
        problems.append(f"left out because the number of patients is not stated: {'; '.join(unknown)}")
        kept = [arm for arm in kept if arm.n is not None]
    if len(kept) < 3 or len({arm.trial for arm in kept}) < 2:
        raise FitError(f"{len(kept)} arm(s) with a PPS by {definition}: at least three arms of two trials are needed")
    endpoints = Counter(arm.pfs_endpoint for arm in kept)
    if len(endpoints) > 1:
        problems.append(f"endpoints mixed: {', '.join(f'{name} {count}' for name, count in endpoints.items())} arms")
    problems += [problem for arm in kept for problem in arm.problems]
    return kept, problems


def _statistics(os: FloatArray, pfs: FloatArray, pps: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Statistics by sets of weights, (sets, arms): the sample first, then the bootstrap samples."""
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
    """Weighted SD by sets of weights; NaN if the values do not vary."""
    total = weights.sum(axis=-1)
    mean = weights @ x / total
    variance = np.einsum("...k,...k->...", weights, (x - mean[:, None]) ** 2) / total
    return np.asarray(np.sqrt(np.where(variance > 1e-12 * np.max(x**2), variance, np.nan)))


def _slopes(year: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted least-squares change of y per year, by sets of weights; NaN if a set holds a single year."""
    dated = np.isfinite(year)
    if not dated.any():
        return np.full(len(weights), np.nan)
    x, y, w = year[dated] - year[dated].mean(), y[dated], weights[:, dated]
    with np.errstate(invalid="ignore"):
        r = weighted_pearson(x, y, w)
        return np.asarray(r * _spread(y, w) / _spread(x, w))


def _estimate(values: FloatArray, method: str) -> Estimate:
    """Estimate from the first value, with percentiles and SD of the other values that are finite."""
    sample = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]):
        return Estimate(None, method="not defined")
    low, high = percentiles(sample)
    return Estimate(float(values[0]), float(sample.std(ddof=1)) if len(sample) > 1 else None, low, high, LEVEL, method)
