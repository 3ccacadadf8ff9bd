"""Survival estimators, vectorised over simulated trials."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray


def kaplan_meier_median(time: FloatArray, event: npt.NDArray[np.bool_]) -> FloatArray:
    """Kaplan-Meier medians of many samples.

    Parameters
    ----------
    time, event : (samples, n) arrays
        Without ties between an event and another time.

    Returns
    -------
    (samples,) array
        First time at which the estimate is at most 1/2; infinite if there is none.

    Examples
    --------
    >>> time = np.array([[1.0, 2.0, 3.0, 4.0]])
    >>> kaplan_meier_median(time, np.array([[True, False, True, True]])).tolist()
    [3.0]
    """
    order = np.argsort(time, axis=1)
    time, died = np.take_along_axis(time, order, axis=1), np.take_along_axis(event, order, axis=1)
    at_risk = np.arange(time.shape[1], 0, -1)
    below = np.cumprod(1.0 - died / at_risk, axis=1) <= 0.5 + 1e-12
    first = below.argmax(axis=1)
    reached = below.any(axis=1)
    return np.where(reached, time[np.arange(len(time)), first], np.inf)


def cox_log_hazard_ratio(time: FloatArray, event: npt.NDArray[np.bool_], experimental: FloatArray) -> FloatArray:
    """Cox estimates of many two-arm trials, by Newton's method.

    Parameters
    ----------
    time, event : (trials, n) arrays
        Without ties between events.
    experimental : (n,) array
        1 in the experimental arm, 0 in the control arm.

    Returns
    -------
    (trials,) array
        Log hazard ratios; infinite where the likelihood has no maximum, which happens if an arm has no event while
        both arms are at risk.

    Examples
    --------
    >>> time = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    >>> cox_log_hazard_ratio(time, time > 0, np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])).round(3).tolist()
    [-0.632]
    """
    order = np.argsort(time, axis=1)
    died = np.take_along_axis(event, order, axis=1)
    arm = experimental[order]
    risk_experimental = np.cumsum(arm[:, ::-1], axis=1)[:, ::-1]
    with np.errstate(divide="ignore"):
        # patients at risk, control over experimental
        odds = (np.arange(time.shape[1], 0, -1) - risk_experimental) / risk_experimental
    observed = (died * arm).sum(axis=1)
    total = died.sum(axis=1)
    estimable = (observed > 0) & (observed < total)
    log_hr = np.zeros(len(time))
    for _ in range(30):
        share = 1.0 / (1.0 + odds * np.exp(-log_hr)[:, None])
        expected = died * share
        information = (expected * (1.0 - share)).sum(axis=1)
        step = np.where(
            estimable, (observed - expected.sum(axis=1)) / np.where(information > 0, information, np.inf), 0.0
        )
        log_hr += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    # steps towards an infinite maximum stay near 1; the information is 0 without events while both arms are at risk
    converged = estimable & (np.abs(step) < 1e-6) & (information > 0)
    upwards = np.where(estimable, log_hr > 0, observed > 0)
    return np.where(converged, log_hr, np.where(upwards, np.inf, -np.inf))


def logrank(time: FloatArray, event: FloatArray, experimental: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log-rank score and variance of many trials, ``sum (Z - r)`` and ``sum r (1 - r)`` over the events.

    Parameters
    ----------
    time : (trials, n) array
        Without ties between events.
    event, experimental : (trials, n) arrays
        1 for an event and for the experimental arm, else 0.

    Returns
    -------
    score, variance : (trials,) arrays
        ``r`` is the experimental share of the patients at risk.

    Examples
    --------
    >>> time = np.array([[1.0, 2.0, 3.0, 4.0]])
    >>> score, variance = logrank(time, np.ones((1, 4)), np.array([0.0, 1.0, 0.0, 1.0]))
    >>> score.round(3).tolist(), variance.round(3).tolist()
    ([-0.667], [0.722])
    """
    order = np.argsort(time, axis=1)
    event, arm = (
        np.take_along_axis(np.broadcast_to(values, time.shape), order, axis=1) for values in (event, experimental)
    )
    at_risk = np.arange(time.shape[1], 0, -1)
    r = np.cumsum(arm[:, ::-1], axis=1)[:, ::-1] / at_risk
    return (event * (arm - r)).sum(axis=1), (event * r * (1.0 - r)).sum(axis=1)
