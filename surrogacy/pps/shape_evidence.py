"""Evidence of the trials on the Weibull shape of the exits from the progression-free state.

If the hazards of both arms are proportional and Weibull with shape p, the ratio of the medians is HR^(-1/p):

    log(median_E / median_C) = b (-log HR),   b = 1 / p

b is the weighted least squares slope through the origin over comparisons, with weights 1 / SE(log HR)^2. Its interval
consists of percentiles of a bootstrap over trials, because comparisons of one trial may share a control arm. The
sampling error of log HR does not attenuate b: the covariance of an efficient estimate with another estimate of the same
parameter is the variance of the efficient one (Hausman), so that the errors of both sides have the ratio b.

The slope is an average over trials. All trials are assumed to have one shape. A median that is assessed every six or
eight weeks is rounded up to an assessment, which the interval does not take into account.

References
----------
Hausman (1978), doi:10.2307/1913827. Ratio of medians and hazard ratio in 106 comparisons: doi:10.1016/
j.jclinepi.2014.05.017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.errors import FitError
from surrogacy.pps.records import Record, with_limits
from surrogacy.pps.table_rows import ArmRow, typed_tables
from surrogacy.pps.trial_summary import PROGRESSION_ENDPOINTS
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL
from surrogacy.stats.bootstrap import percentiles
from surrogacy.trials import TrialSet
from surrogacy.trials.columns import VERIFIED
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.standard_errors import standard_error

RESAMPLES = 4000
FEWEST_TRIALS = 4
METHOD = "percentiles of a bootstrap over trials"


@dataclass(frozen=True)
class MedianRatio:
    """Ratio of the median times to progression of a comparison, and its hazard ratio.

    Parameters
    ----------
    comparison, trial, endpoint : str
    log_ratio : float
        Log of the median of the experimental arm over that of the control arm.
    log_hr, se : float
        Log hazard ratio of the same endpoint, and its standard error.
    """

    comparison: str
    trial: str
    endpoint: str
    log_ratio: float
    log_hr: float
    se: float


@dataclass(frozen=True)
class ShapeEvidence:
    """Regression of log ratios of medians on -log hazard ratios.

    Parameters
    ----------
    slope : Estimate
        1 / p.
    comparisons, trials : int
    ttp : int
        Comparisons whose endpoint is TTP.
    """

    slope: Estimate
    comparisons: int
    trials: int
    ttp: int

    @property
    def shape(self) -> Estimate:
        """Shape p with its limits, the reciprocals of those of the slope."""
        value, low, high = (
            1.0 / limit if limit else None for limit in (self.slope.value, self.slope.high, self.slope.low)
        )
        return Estimate(value, low=low, high=high, level=self.slope.level, method=METHOD)

    @property
    def record(self) -> Record:
        """Values and limits under the keys of results.json."""
        return {
            **with_limits("slope", self.slope),
            **with_limits("shape", self.shape),
            "k": self.comparisons,
            "trials": self.trials,
            "ttp": self.ttp,
        }


def median_ratios(trials: TrialSet) -> tuple[MedianRatio, ...]:
    """Return the comparisons with verified medians of both arms and hazard ratio of one progression endpoint.

    Parameters
    ----------
    trials : TrialSet

    Examples
    --------
    >>> import surrogacy
    >>> tactics = next(row for row in median_ratios(surrogacy.read_trials()) if row.comparison == "tactics")
    >>> round(tactics.log_ratio, 2), round(-tactics.log_hr, 2)
    (0.52, 0.41)
    """
    tables = typed_tables(trials)
    ratios = []
    for name, trial in tables.trials.items():
        arms = {row.arm: row for row in tables.arms_of.get(name, ()) if _has_median(row)}
        if set(arms) != {"ctl", "exp"} or arms["ctl"].pfs_endpoint != arms["exp"].pfs_endpoint:
            continue
        endpoint = arms["ctl"].pfs_endpoint
        effect = next((row for row in tables.effects_of.get(name, ()) if _is_usable(row, endpoint)), None)
        error = None if effect is None else standard_error(effect)
        if effect is None or error is None:
            continue
        log_ratio = float(np.log(arms["exp"].median_pfs / arms["ctl"].median_pfs))
        ratios.append(MedianRatio(name, trial.trial, endpoint, log_ratio, float(np.log(effect.hr)), error.value))
    return tuple(ratios)


def _has_median(row: ArmRow) -> bool:
    return row.median_pfs > 0 and row.pfs_endpoint in PROGRESSION_ENDPOINTS and row.evidence in ("", *VERIFIED)


def _is_usable(row: ReportedEffect, endpoint: str) -> bool:
    return row.preferred and row.endpoint == endpoint and row.hr > 0 and row.evidence in ("", *VERIFIED)


def shape_evidence(ratios: Sequence[MedianRatio], resamples: int = RESAMPLES, seed: int = 0) -> ShapeEvidence:
    """Regress log ratios of medians on -log hazard ratios.

    Parameters
    ----------
    ratios : sequence of MedianRatio
    resamples : int
        Bootstrap samples of trials.
    seed : int

    Raises
    ------
    FitError
        With fewer than four trials, or if every hazard ratio is 1.

    Examples
    --------
    >>> rows = [MedianRatio(str(i), str(i), "PFS", -1.25 * x, x, 0.1) for i, x in enumerate((-0.6, -0.4, -0.2, 0.1))]
    >>> evidence = shape_evidence(rows)
    >>> round(evidence.slope.value, 6), round(evidence.shape.value, 6)
    (1.25, 0.8)
    """
    names = list(dict.fromkeys(row.trial for row in ratios))
    if len(names) < FEWEST_TRIALS:
        raise FitError(f"{len(names)} trials with median ratios and hazard ratios; the slope needs {FEWEST_TRIALS}")
    y, x, se = np.array([(row.log_ratio, -row.log_hr, row.se) for row in ratios]).T
    if not x.any():
        raise FitError("every hazard ratio of progression is 1; no slope exists")
    of_trial = np.array([names.index(row.trial) for row in ratios])
    products, squares = (np.bincount(of_trial, term / se**2) for term in (x * y, x * x))
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
    with np.errstate(invalid="ignore"):
        sample = (counts @ products) / (counts @ squares)
    low, high = percentiles(sample)
    value = float(products.sum() / squares.sum())
    slope = Estimate(value, float(np.nanstd(sample)), low, high, LEVEL, METHOD)
    return ShapeEvidence(slope, len(ratios), len(names), sum(row.endpoint == "TTP" for row in ratios))
