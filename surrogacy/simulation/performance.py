"""Performance of interval procedures: coverage with its Monte Carlo error, width, bias and failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from surrogacy.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Outcome:
    """Intervals of a procedure for a target in ``b`` data sets.

    Parameters
    ----------
    procedure, target : str
        Words for the document.
    coverage : (b,) array
        1 if the interval contains the true value, 0 if not, or the probability of the new value within the interval
        (prediction); NaN if there is no interval.
    width : (b,) array
        Infinite for an unbounded interval, NaN if there is no interval.
    error : (b,) array
        Point estimate minus true value; NaN without an estimate, or where bias is not defined (prediction).
    """

    procedure: str
    target: str
    coverage: FloatArray
    width: FloatArray
    error: FloatArray


@dataclass(frozen=True)
class Performance:
    """Performance of a procedure in a scenario.

    Parameters
    ----------
    procedure, target : str
    data_sets : int
    coverage, coverage_error : float
        Mean coverage of the data sets with an interval, and its Monte Carlo standard error.
    mean_width, median_width : float
        Of the data sets with an interval; the mean may be infinite.
    bias, bias_error : float
        Mean error of the point estimate, and its Monte Carlo standard error; NaN without estimates.
    failures : float
        Share of data sets without an interval.
    """

    procedure: str
    target: str
    data_sets: int
    coverage: float
    coverage_error: float
    mean_width: float
    median_width: float
    bias: float
    bias_error: float
    failures: float


def interval_outcome(
    procedure: str,
    target: str,
    limits: tuple[FloatArray, FloatArray],
    truth: float | FloatArray,
    estimate: FloatArray | None = None,
) -> Outcome:
    """Compare intervals with the true value.

    Parameters
    ----------
    procedure, target : str
    limits : tuple of (b,) arrays
        Lower and upper limits; NaN if there is no interval.
    truth : float or (b,) array
    estimate : (b,) array, optional

    Examples
    --------
    >>> limits = np.array([0.1, np.nan]), np.array([0.5, np.nan])
    >>> interval_outcome("Wald", "slope", limits, 0.3).coverage
    array([ 1., nan])
    """
    low, high = limits
    missing = np.isnan(low) | np.isnan(high)
    coverage = np.where(missing, np.nan, (low <= truth) & (truth <= high))
    error = np.full(len(low), np.nan) if estimate is None else estimate - truth
    return Outcome(procedure, target, coverage, np.where(missing, np.nan, high - low), np.asarray(error))


def summarise(chunks: Iterable[Sequence[Outcome]]) -> tuple[Performance, ...]:
    """Summarise the chunks of a scenario, procedure by procedure in the order of the first chunk.

    Examples
    --------
    >>> outcome = Outcome("Wald", "slope", np.array([1.0, 0.0, 1.0, np.nan]), np.ones(4), np.zeros(4))
    >>> performance = summarise([[outcome], [outcome]])[0]
    >>> round(performance.coverage, 3), round(performance.failures, 2), performance.data_sets
    (0.667, 0.25, 8)
    """
    return tuple(_performance(parts) for parts in zip(*chunks, strict=True))


def _performance(parts: Sequence[Outcome]) -> Performance:
    coverage, width, error = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("coverage", "width", "error")
    )
    present = ~np.isnan(coverage)
    mean, monte_carlo = _mean(coverage[present])
    bias, bias_error = _mean(error[~np.isnan(error)])
    widths = width[present]
    return Performance(
        parts[0].procedure,
        parts[0].target,
        len(coverage),
        mean,
        monte_carlo,
        float(widths.mean()) if len(widths) else float("nan"),
        float(np.median(widths)) if len(widths) else float("nan"),
        bias,
        bias_error,
        float(1.0 - present.mean()),
    )


def _mean(values: FloatArray) -> tuple[float, float]:
    """Mean and its standard error; NaN without values."""
    if len(values) < 2:
        return float("nan"), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
