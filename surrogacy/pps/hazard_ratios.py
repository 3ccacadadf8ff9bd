"""Effect measures for overall survival when hazards are not proportional: each is another estimand, and carries its name.

With S, f, h the survival, density and hazard of the endpoint in the control (C) and experimental (E) arm, pi the share of
patients in E, G the survival of the censoring times:

    hazard ratio at t       h_E(t) / h_C(t)
    average (alpha)         int h_E (S_E S_C)^alpha dt / int h_C (S_E S_C)^alpha dt                     Kalbfleisch, Prentice
    Cox limit exp(b)        int pi G_E f_E (1 - r) - (1 - pi) G_C f_C r dt = 0,   r = 1 / (1 + (1 - pi) G_C S_C / (pi e^b G_E S_E))

The last is what the Cox estimate tends to in a large trial; it depends on the censoring.

References
----------
Kalbfleisch, Prentice (1981), doi:10.1093/biomet/68.1.105; Struthers, Kalbfleisch (1986), doi:10.1093/biomet/73.2.363.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from surrogacy.effects import FloatArray
from surrogacy.errors import UsageError
from surrogacy.pps.illness_death import IllnessDeath
from surrogacy.pps.numerics import graded_rule, log_units
from surrogacy.pps.transitions import Transitions

Endpoint = Literal["os", "pfs"]
AT_ONCE = 512  # pairs of arms in one block: the arrays stay in the processor's cache
LARGEST_LOG_HR = 60.0
VERY_EARLY = 1e-9  # of the time scale of the fastest transition: where a limit at 0 is taken


@dataclass(frozen=True)
class Censoring:
    """When follow-up ends: at the data cut for patients who entered evenly over the accrual, earlier for those lost.

    Parameters
    ----------
    shortest, longest : float
        Follow-up, months, of the last and of the first patient to enter; uniform in between.
    loss : float or (float, float)
        Hazard of loss to follow-up per month, of both arms, or of the control and of the experimental arm.
    """

    shortest: float
    longest: float
    loss: float | tuple[float, float] = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.shortest <= self.longest or not self.longest > 0.0:
            raise UsageError(
                f"follow-up from {self.shortest:g} to {self.longest:g} months: give 0 <= shortest <= longest, longest > 0"
            )
        if any(not (np.isfinite(rate) and rate >= 0.0) for rate in self.losses):
            raise UsageError(f"loss to follow-up {self.loss}: give hazards per month, finite and 0 or more")

    @classmethod
    def accrual(cls, accrual: float, follow_up: float, loss: float | tuple[float, float] = 0.0) -> Censoring:
        """Even accrual over ``accrual`` months, then ``follow_up`` months to the data cut."""
        return cls(follow_up, accrual + follow_up, loss)

    @property
    def losses(self) -> tuple[float, float]:
        """Hazard of loss in the control and in the experimental arm."""
        return self.loss if isinstance(self.loss, tuple) else (self.loss, self.loss)

    def administrative(self, t: FloatArray) -> FloatArray:
        """Share of patients whose follow-up would reach t if none were lost."""
        if not np.isfinite(self.longest):
            return np.ones_like(t)
        if self.longest == self.shortest:
            return np.where(t <= self.longest, 1.0, 0.0)
        return np.clip((self.longest - t) / (self.longest - self.shortest), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class _Score:
    """Events and risk sets of pairs of arms at quadrature nodes: what the partial likelihood of a large trial is made of."""

    control_events: FloatArray  # (m, n), shares of all patients, weighted
    experimental_events: FloatArray
    risk_ratio: FloatArray  # (1 - pi) G_C S_C / (pi G_E S_E)

    def at(self, log_hr: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Score and information per patient at log hazard ratios of shape (m,)."""
        share = 1.0 / (1.0 + self.risk_ratio * np.exp(-log_hr)[:, None])
        events = self.control_events + self.experimental_events
        weighted = events * share
        score = self.experimental_events.sum(axis=1) - weighted.sum(axis=1)
        return score, (weighted * (1.0 - share)).sum(axis=1)

    def root(self) -> FloatArray:
        """Log hazard ratio at which the score is 0: Newton's steps, halved wherever they leave the bracket."""
        size = len(self.risk_ratio)
        low, high = np.full(size, -LARGEST_LOG_HR), np.full(size, LARGEST_LOG_HR)
        log_hr = np.zeros(size)
        for _ in range(100):
            score, information = self.at(log_hr)
            low, high = np.where(score > 0.0, log_hr, low), np.where(score > 0.0, high, log_hr)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                step = log_hr + score / information
            new = np.where((step > low) & (step < high), step, np.where(score == 0.0, log_hr, 0.5 * (low + high)))
            change = np.abs(new - log_hr).max()
            log_hr = new
            if change < 1e-12:
                break
        return log_hr


def _as_censoring(censoring: Censoring | tuple[float, float] | None) -> Censoring:
    if censoring is None:
        return Censoring(np.inf, np.inf)
    return censoring if isinstance(censoring, Censoring) else Censoring(*censoring)


def _experimental_share(allocation: tuple[float, float]) -> float:
    control, experimental = allocation
    if not (control > 0 and experimental > 0 and np.isfinite(control + experimental)):
        raise UsageError(
            f"allocation {allocation}: give patients (or a ratio) of the control and of the experimental arm, both positive"
        )
    return experimental / (control + experimental)


def _pairs(control: IllnessDeath, experimental: IllnessDeath) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(control.arms, experimental.arms)
    except ValueError:
        raise UsageError(
            f"{control.arms[0]} control and {experimental.arms[0]} experimental arms: give as many of each, or a single one"
        ) from None


def _pair_values(control: IllnessDeath, experimental: IllnessDeath, values: FloatArray) -> Any:
    return values if _pairs(control, experimental) else float(values[0])


def _panels(
    arms: tuple[Transitions, Transitions], size: int, last: FloatArray | float, edges: list[float]
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Times and weights, (m, n), for an integral over (0, last), broken at ``edges``."""
    last = np.broadcast_to(last, (size,))
    fastest = np.maximum(arms[0].fastest(), arms[1].fastest())
    start = np.zeros(size)
    for edge in [*sorted({edge for edge in edges if edge > 0.0}), np.inf]:
        stop = np.minimum(edge, last)
        length = stop - start
        if length.max() > 0.0:
            s, _, weight = graded_rule(log_units(float((fastest * length).max())))
            yield start[:, None] + length[:, None] * s, length[:, None] * weight
        start = stop


def _blocks(
    control: IllnessDeath, experimental: IllnessDeath
) -> Iterator[tuple[tuple[Transitions, Transitions], int, list[float]]]:
    """Transitions of a block of pairs, their number, and the times at which a hazard jumps."""
    pairs = int(np.prod(_pairs(control, experimental)))
    for first in range(0, pairs, AT_ONCE):
        block = slice(first, min(first + AT_ONCE, pairs))
        arms = control.transitions.take(block), experimental.transitions.take(block)
        yield arms, block.stop - block.start, [*arms[0].kinks(), *arms[1].kinks()]


def _nothing_left(arms: tuple[Transitions, Transitions]) -> FloatArray:
    return np.asarray(np.maximum(arms[0].horizon(), arms[1].horizon()))


def _scores(
    control: IllnessDeath, experimental: IllnessDeath, censoring: Censoring, share: float, endpoint: Endpoint
) -> Iterator[_Score]:
    """Score of the partial likelihood, for a block of pairs at a time."""
    for arms, size, kinks in _blocks(control, experimental):
        last = np.minimum(_nothing_left(arms), censoring.longest)
        parts = []
        for t, weight in _panels(arms, size, last, [censoring.shortest, *kinks]):
            kept = censoring.administrative(t) * weight
            columns = []
            for arm, patients, loss in zip(arms, (1.0 - share, share), censoring.losses, strict=True):
                alive, dying = arm.overall(t) if endpoint == "os" else (arm.survival_pfs(t), arm.density_pfs(t))
                there = patients * (np.exp(-loss * t) if loss else 1.0)
                columns += [there * kept * dying, there * alive]
            parts.append((columns[0], columns[2], columns[1], columns[3]))
        control_events, experimental_events, at_risk_control, at_risk_experimental = (
            np.concatenate(part, axis=1) for part in zip(*parts, strict=True)
        )
        with np.errstate(divide="ignore"):
            yield _Score(control_events, experimental_events, at_risk_control / at_risk_experimental)


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
        One arm each, or m each (a single arm is set against each of m).
    censoring : Censoring, (float, float) or None
        None: everyone followed to the event. A pair: shortest and longest administrative follow-up, months, uniform in between.
    allocation : (float, float)
        Patients of the control and of the experimental arm (only their ratio matters).
    endpoint : {"os", "pfs"}

    Returns
    -------
    float or (m,) array
        Experimental against control.
    """
    scores = _scores(control, experimental, _as_censoring(censoring), _experimental_share(allocation), endpoint)
    return _pair_values(control, experimental, np.exp(np.concatenate([score.root() for score in scores])))


def hazard_ratio_over_time(
    control: IllnessDeath, experimental: IllnessDeath, t: npt.ArrayLike, endpoint: Endpoint = "os"
) -> FloatArray:
    """Ratio of the hazards at times t (months); at t = 0 its limit.

    Returns
    -------
    array
        Shape of the arms, then that of t. With constant hazards it goes from the ratio of the deaths without progression
        to that of the slower of the two ways out, and never is constant in between.
    """
    _pairs(control, experimental)
    times = np.asarray(t, dtype=np.float64)

    def ratio(at: FloatArray) -> FloatArray:
        values = [arm.hazard_os(at) if endpoint == "os" else arm.hazard_pfs(at) for arm in (experimental, control)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(values[0] / values[1])

    found = ratio(times)
    if not (times == 0.0).any():
        return found
    just_after = VERY_EARLY / max(float(arm.transitions.fastest().max()) for arm in (control, experimental))
    return np.where(np.isnan(found), ratio(np.where(times == 0.0, just_after, times)), found)


def average_hazard_ratio(
    control: IllnessDeath, experimental: IllnessDeath, alpha: float = 0.5, upper: float = 100.0, endpoint: Endpoint = "os"
) -> Any:
    """Average hazard ratio of Kalbfleisch and Prentice: hazards weighted by ``(S_E S_C)^alpha``.

    Parameters
    ----------
    control, experimental : IllnessDeath
        One arm each, or m each.
    alpha : float
        0 or more; 0.5 makes it, under proportional hazards and without censoring, akin to the Cox estimate; 0 is the ratio of
        cumulative hazards.
    upper : float
        Months to integrate to.
    endpoint : {"os", "pfs"}

    Returns
    -------
    float or (m,) array
        Experimental against control.

    References
    ----------
    Kalbfleisch, Prentice (1981), doi:10.1093/biomet/68.1.105.
    """
    if not (alpha >= 0.0 and np.isfinite(alpha)):
        raise UsageError(f"alpha = {alpha}: give a finite number of 0 or more (0.5 is usual)")
    if not upper > 0.0 or (np.isinf(upper) and alpha == 0.0):
        raise UsageError(f"upper = {upper} months: give a positive time (finite if alpha is 0)")
    values = []
    for arms, size, kinks in _blocks(control, experimental):
        last = np.minimum(_nothing_left(arms) / alpha, upper) if alpha else upper
        totals = np.zeros((2, size))
        for t, weight in _panels(arms, size, last, kinks):
            alive = [arm.overall(t)[0] if endpoint == "os" else arm.survival_pfs(t) for arm in arms]
            hazards = [arm.hazard_os(t) if endpoint == "os" else arm.hazard_pfs(t) for arm in arms]
            weighted = weight * alive[0] ** alpha * alive[1] ** alpha
            totals += [(weighted * hazard).sum(axis=1) for hazard in hazards]
        values.append(totals[1] / totals[0])
    return _pair_values(control, experimental, np.concatenate(values))


def expected_events(
    control: IllnessDeath,
    experimental: IllnessDeath,
    patients: tuple[float, float],
    censoring: Censoring | tuple[float, float] | None = None,
    endpoint: Endpoint = "os",
) -> tuple[Any, Any]:
    """Expected numbers of events in the control and in the experimental arm.

    Parameters
    ----------
    patients : (float, float)
        Of the control and of the experimental arm.
    """
    scores = list(_scores(control, experimental, _as_censoring(censoring), _experimental_share(patients), endpoint))
    events = [
        sum(patients) * np.concatenate([counts.sum(axis=1) for counts in of_arm])
        for of_arm in ([score.control_events for score in scores], [score.experimental_events for score in scores])
    ]
    return _pair_values(control, experimental, events[0]), _pair_values(control, experimental, events[1])


def logrank_drift(
    control: IllnessDeath,
    experimental: IllnessDeath,
    patients: tuple[float, float],
    censoring: Censoring | tuple[float, float] | None = None,
    endpoint: Endpoint = "os",
) -> Any:
    """Expected standardised log-rank statistic; below 0 if the experimental arm does better.

    ``sqrt(n) U(0) / sqrt(V(0))``: the mean score of the Cox model at HR 1, and the variance the test takes it to have.

    Parameters
    ----------
    patients : (float, float)
        Of the control and of the experimental arm.

    Returns
    -------
    float or (m,) array
    """
    values = []
    for score in _scores(control, experimental, _as_censoring(censoring), _experimental_share(patients), endpoint):
        drift, information = score.at(np.zeros(len(score.risk_ratio)))
        values.append(np.sqrt(sum(patients) / information) * drift)
    return _pair_values(control, experimental, np.concatenate(values))


def logrank_power(
    control: IllnessDeath,
    experimental: IllnessDeath,
    patients: tuple[float, float],
    censoring: Censoring | tuple[float, float] | None = None,
    alpha: float = 0.05,
    endpoint: Endpoint = "os",
) -> Any:
    """Chance of a significant log-rank test in favour of the experimental arm, ``Phi(-drift - z)``.

    Parameters
    ----------
    patients : (float, float)
        Of the control and of the experimental arm.
    alpha : float
        Two-sided level.

    Returns
    -------
    float or (m,) array
    """
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"alpha = {alpha}: give the two-sided level of the test, between 0 and 1")
    power = ndtr(-np.asarray(logrank_drift(control, experimental, patients, censoring, endpoint)) + ndtri(alpha / 2.0))
    return _pair_values(control, experimental, np.atleast_1d(power))


def median_ratio(control: IllnessDeath, experimental: IllnessDeath, endpoint: Endpoint = "os") -> Any:
    """Median of the experimental arm over that of the control arm."""
    _pairs(control, experimental)
    medians = [arm.quantile_os(0.5) if endpoint == "os" else arm.quantile_pfs(0.5) for arm in (control, experimental)]
    return _pair_values(control, experimental, np.atleast_1d(medians[1] / medians[0]))


def restricted_mean_difference(control: IllnessDeath, experimental: IllnessDeath, tau: float, endpoint: Endpoint = "os") -> Any:
    """Mean time to the event within ``tau`` months, experimental less control."""
    _pairs(control, experimental)
    means = [
        arm.restricted_mean_os(tau) if endpoint == "os" else arm.restricted_mean_pfs(tau) for arm in (control, experimental)
    ]
    return _pair_values(control, experimental, np.atleast_1d(means[1] - means[0]))
