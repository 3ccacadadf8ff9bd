"""Effect measures under non-proportional hazards: hazard ratio over time, its average, and limit of the Cox estimate.

S, f and h are the survival, density and hazard of the endpoint in the control (C) and experimental (E) arm, pi is the
share of patients in E, and G is the survival of the censoring times:

    hazard ratio at t       h_E(t) / h_C(t)
    average (alpha)         int h_E (S_E S_C)^alpha dt / int h_C (S_E S_C)^alpha dt          Kalbfleisch, Prentice
    Cox limit exp(b)        int pi G_E f_E (1 - r) - (1 - pi) G_C f_C r dt = 0
                            r = 1 / (1 + (1 - pi) G_C S_C / (pi e^b G_E S_E))

The Cox estimate of a large trial tends to exp(b), which depends on the censoring.

References
----------
Kalbfleisch, Prentice (1981), doi:10.1093/biomet/68.1.105; Struthers, Kalbfleisch (1986), doi:10.1093/biomet/73.2.363.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.survival.hazards import panels
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.survival.partial_likelihood import (
    Censoring,
    Endpoint,
    as_censoring,
    blocks,
    check_endpoint,
    common_pairs,
    experimental_share,
    nothing_left,
    pair_values,
    scores,
)

__all__ = [
    "Censoring",
    "Endpoint",
    "average_hazard_ratio",
    "cox_hazard_ratio",
    "expected_events",
    "hazard_ratio_over_time",
]

EARLY_FRACTION = 1e-9  # of the time scale of the fastest transition: stands for time 0 in a limit


def cox_hazard_ratio(
    control: IllnessDeath,
    experimental: IllnessDeath,
    censoring: Censoring | tuple[float, float] | None = None,
    allocation: tuple[float, float] = (1.0, 1.0),
    endpoint: Endpoint = "os",
) -> Any:
    """Large-sample limit of the Cox estimate of the hazard ratio.

    Parameters
    ----------
    control, experimental : IllnessDeath
        One arm each, or m each; a single arm is compared with each of m arms.
    censoring : Censoring, (float, float) or None
        None: complete follow-up. A pair: shortest and longest administrative follow-up, months, uniform in between.
    allocation : (float, float)
        Patients in the control and in the experimental arm; only their ratio matters.
    endpoint : {"os", "pfs"}

    Returns
    -------
    float or (m,) array
        Experimental over control.

    Examples
    --------
    >>> control, experimental = (IllnessDeath.from_pfs(m, 0.1, 0.06) for m in (6.0, 9.0))
    >>> round(cox_hazard_ratio(control, experimental, censoring=(6.0, 24.0)), 3)
    0.75
    """
    pairs = scores(control, experimental, as_censoring(censoring), experimental_share(allocation), endpoint)
    return pair_values(control, experimental, np.exp(np.concatenate([score.root() for score in pairs])))


def hazard_ratio_over_time(
    control: IllnessDeath, experimental: IllnessDeath, t: npt.ArrayLike, endpoint: Endpoint = "os"
) -> FloatArray:
    """Hazard ratio at times t (months); at t = 0 its limit.

    Returns
    -------
    array
        Of the shape of the arms, then that of t. With constant transition hazards it moves from the ratio of the
        hazards of death without progression to the ratio of the ``min(h01 + h02, h12)`` of the two arms.

    Examples
    --------
    >>> control, experimental = (IllnessDeath.from_pfs(m, 0.1, 0.06) for m in (6.0, 9.0))
    >>> hazard_ratio_over_time(control, experimental, [0.0, 12.0, 24.0]).round(3).tolist()
    [0.667, 0.771, 0.821]
    """
    check_endpoint(endpoint)
    common_pairs(control, experimental)
    times = np.asarray(t, dtype=np.float64)

    def ratio(at: FloatArray) -> FloatArray:
        values = [arm.hazard_os(at) if endpoint == "os" else arm.hazard_pfs(at) for arm in (experimental, control)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(values[0] / values[1])

    ratios = ratio(times)
    if not (times == 0.0).any():
        return ratios
    just_after = EARLY_FRACTION / max(float(arm.transitions.fastest().max()) for arm in (control, experimental))
    return np.where(np.isnan(ratios), ratio(np.where(times == 0.0, just_after, times)), ratios)


def average_hazard_ratio(
    control: IllnessDeath,
    experimental: IllnessDeath,
    alpha: float = 0.5,
    upper: float = 100.0,
    endpoint: Endpoint = "os",
) -> Any:
    """Average hazard ratio of Kalbfleisch and Prentice, with hazards weighted by ``(S_E S_C)^alpha``.

    Parameters
    ----------
    control, experimental : IllnessDeath
        One arm each, or m each.
    alpha : float
        0 or more. At 0.5 the average is close to the Cox estimate under proportional hazards and without censoring; at
        0 it is the ratio of the cumulative hazards.
    upper : float
        Upper limit of the integral, months.
    endpoint : {"os", "pfs"}

    Returns
    -------
    float or (m,) array
        Experimental over control.

    References
    ----------
    Kalbfleisch, Prentice (1981), doi:10.1093/biomet/68.1.105.

    Examples
    --------
    >>> control, experimental = (IllnessDeath.from_pfs(m, 0.1, 0.06) for m in (6.0, 9.0))
    >>> round(average_hazard_ratio(control, experimental), 3)
    0.808
    """
    check_endpoint(endpoint)
    if not (alpha >= 0.0 and np.isfinite(alpha)):
        raise UsageError(f"alpha = {alpha}: give a finite number of 0 or more (0.5 is usual)")
    if not upper > 0.0 or (np.isinf(upper) and alpha == 0.0):
        raise UsageError(f"upper = {upper} months: give a positive time (finite if alpha is 0)")
    values = []
    for arms, size, kinks in blocks(control, experimental):
        last = np.minimum(nothing_left(arms, endpoint) / alpha, upper) if alpha else upper
        totals = np.zeros((2, size))
        for t, weight in panels(arms, size, last, kinks):
            alive = [arm.overall(t)[0] if endpoint == "os" else arm.survival_pfs(t) for arm in arms]
            hazards = [arm.hazard_os(t) if endpoint == "os" else arm.hazard_pfs(t) for arm in arms]
            weighted = weight * alive[0] ** alpha * alive[1] ** alpha
            totals += [(weighted * hazard).sum(axis=1) for hazard in hazards]
        with np.errstate(divide="ignore", invalid="ignore"):  # infinite if the control arm has no event
            values.append(totals[1] / totals[0])
    return pair_values(control, experimental, np.concatenate(values))


def expected_events(
    control: IllnessDeath,
    experimental: IllnessDeath,
    patients: tuple[float, float],
    censoring: Censoring | tuple[float, float] | None = None,
    endpoint: Endpoint = "os",
) -> tuple[Any, Any]:
    """Expected numbers of events in the control and in the experimental arm.

    The other arguments are those of `cox_hazard_ratio`.

    Parameters
    ----------
    patients : (float, float)
        Numbers in the control and in the experimental arm.

    Examples
    --------
    >>> control, experimental = (IllnessDeath.from_pfs(m, 0.1, 0.06) for m in (6.0, 9.0))
    >>> [round(events, 1) for events in expected_events(control, experimental, (100, 100), (6.0, 24.0))]
    [38.5, 31.0]
    """
    pairs = list(scores(control, experimental, as_censoring(censoring), experimental_share(patients), endpoint))
    events = [
        sum(patients) * np.concatenate([counts.sum(axis=1) for counts in of_arm])
        for of_arm in ([score.control_events for score in pairs], [score.experimental_events for score in pairs])
    ]
    return pair_values(control, experimental, events[0]), pair_values(control, experimental, events[1])
