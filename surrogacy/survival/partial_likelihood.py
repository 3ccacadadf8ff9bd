"""Partial likelihood of a large trial: censoring, risk sets, events and the score of the log hazard ratio.

    U(b) = int pi G_E f_E (1 - r) - (1 - pi) G_C f_C r dt,   r = 1 / (1 + (1 - pi) G_C S_C / (pi e^b G_E S_E))
    V(b) = int (pi G_E f_E + (1 - pi) G_C f_C) r (1 - r) dt

for S, f the survival and density of the endpoint in the control (C) and experimental (E) arm, G the survival of the
censoring times, pi the share of patients in E. U and V are per patient. U(b) = 0 at the limit of the Cox estimate; U(0)
is the numerator of the log-rank statistic.

References
----------
Struthers, Kalbfleisch (1986), doi:10.1093/biomet/73.2.363; R package PWEALL, ``ovbeta`` (same definition).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.survival.hazards import MAX_CUMULATIVE_HAZARD, Transitions, panels
from surrogacy.survival.illness_death import IllnessDeath

Endpoint = Literal["os", "pfs"]
MAX_LOG_HR = 60.0
MAX_NEWTON_STEPS = 200


@dataclass(frozen=True)
class Censoring:
    """Distribution of the follow-up from entry to the data cut, with losses to follow-up.

    Parameters
    ----------
    shortest, longest : float
        Follow-up of the last and of the first patient to enter, months; uniform in between.
    loss : float or (float, float)
        Hazard of loss to follow-up per month: one value for both arms, or (control, experimental).

    Raises
    ------
    UsageError
        If the follow-up or a hazard of loss is impossible.

    Examples
    --------
    >>> Censoring.accrual(accrual=18.0, follow_up=6.0).administrative(np.array([6.0, 15.0, 24.0])).tolist()
    [1.0, 0.5, 0.0]
    """

    shortest: float
    longest: float
    loss: float | tuple[float, float] = 0.0

    def __post_init__(self) -> None:
        if not (
            0.0 <= self.shortest <= self.longest
            and self.longest > 0.0
            and (self.longest < np.inf or self.shortest == np.inf)
        ):
            span = f"{self.shortest:g} to {self.longest:g} months"
            raise UsageError(
                f"follow-up from {span}: give 0 <= shortest <= longest, longest > 0, and neither infinite (or both)"
            )
        if len(self.losses) != 2 or any(not (np.isfinite(rate) and rate >= 0.0) for rate in self.losses):
            raise UsageError(
                f"loss to follow-up {self.loss}: give a hazard per month, or (control, experimental), "
                "finite and 0 or more"
            )

    @classmethod
    def accrual(cls, accrual: float, follow_up: float, loss: float | tuple[float, float] = 0.0) -> Censoring:
        """Censoring after even accrual over ``accrual`` months and ``follow_up`` further months to the data cut."""
        return cls(follow_up, accrual + follow_up, loss)

    @property
    def losses(self) -> tuple[float, float]:
        """Hazard of loss in the control and in the experimental arm."""
        return self.loss if isinstance(self.loss, tuple) else (self.loss, self.loss)

    def administrative(self, t: FloatArray) -> FloatArray:
        """Share of patients whose time from entry to the data cut is at least t."""
        if not np.isfinite(self.longest):
            return np.ones_like(t)
        if self.longest == self.shortest:
            return np.where(t <= self.longest, 1.0, 0.0)
        return np.clip((self.longest - t) / (self.longest - self.shortest), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Score:
    """Events and risk sets of m pairs of arms at n quadrature nodes, for the score of a large trial."""

    control_events: FloatArray  # (m, n), shares of all patients times the quadrature weights
    experimental_events: FloatArray
    risk_ratio: FloatArray  # (1 - pi) G_C S_C / (pi G_E S_E)

    def at(self, log_hr: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Score and information per patient at log hazard ratios of shape (m,)."""
        with np.errstate(over="ignore"):
            share = 1.0 / (1.0 + self.risk_ratio * np.exp(-log_hr)[:, None])
        events = self.control_events + self.experimental_events
        weighted = events * share
        score = self.experimental_events.sum(axis=1) - weighted.sum(axis=1)
        return score, (weighted * (1.0 - share)).sum(axis=1)

    def root(self) -> FloatArray:
        """Log hazard ratio at which the score is 0, by Newton steps with bisection outside the bracket."""
        size = len(self.risk_ratio)
        low, high = np.full(size, -MAX_LOG_HR), np.full(size, MAX_LOG_HR)
        log_hr = np.zeros(size)
        for _ in range(MAX_NEWTON_STEPS):
            score, information = self.at(log_hr)
            low, high = np.where(score > 0.0, log_hr, low), np.where(score > 0.0, high, log_hr)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                step = log_hr + score / information
            new = np.where((step > low) & (step < high), step, np.where(score == 0.0, log_hr, 0.5 * (low + high)))
            change = np.abs(new - log_hr).max()
            log_hr = new
            if change < 1e-12:
                break
        none_control, none_experimental = (
            events.sum(axis=1) == 0.0 for events in (self.control_events, self.experimental_events)
        )
        log_hr = np.where(none_control, np.inf, np.where(none_experimental, -np.inf, log_hr))
        return np.where(none_control & none_experimental, np.nan, log_hr)


def as_censoring(censoring: Censoring | tuple[float, float] | None) -> Censoring:
    """Return a Censoring from None (complete follow-up) or a pair (shortest and longest administrative follow-up).

    Examples
    --------
    >>> as_censoring((6.0, 24.0))
    Censoring(shortest=6.0, longest=24.0, loss=0.0)
    """
    if censoring is None:
        return Censoring(np.inf, np.inf)
    if isinstance(censoring, Censoring):
        return censoring
    if len(censoring) != 2:
        raise UsageError(
            f"censoring = {censoring}: give (shortest, longest) follow-up in months, a Censoring, or None for complete"
        )
    return Censoring(*censoring)


def experimental_share(allocation: tuple[float, float]) -> float:
    """Share pi of the patients in the experimental arm.

    Examples
    --------
    >>> round(experimental_share((1.0, 2.0)), 3)
    0.667
    """
    control, experimental = allocation if len(allocation) == 2 else (0.0, 0.0)
    if not (control > 0 and experimental > 0 and np.isfinite(control + experimental)):
        raise UsageError(
            f"allocation {allocation}: give patients (or a ratio) of the control and of the experimental arm, "
            "both positive"
        )
    return experimental / (control + experimental)


def check_endpoint(endpoint: Endpoint) -> None:
    """Raise a UsageError unless the endpoint is ``os`` or ``pfs``."""
    if endpoint not in ("os", "pfs"):
        raise UsageError(f"endpoint = {endpoint!r}: give 'os' or 'pfs'")


def common_pairs(control: IllnessDeath, experimental: IllnessDeath) -> tuple[int, ...]:
    """Shape of the pairs of arms, () or (m,)."""
    try:
        return np.broadcast_shapes(control.arms, experimental.arms)
    except ValueError:
        raise UsageError(
            f"{control.arms[0]} control and {experimental.arms[0]} experimental arms: "
            "give equal numbers of both, or a single arm"
        ) from None


def pair_values(control: IllnessDeath, experimental: IllnessDeath, values: FloatArray) -> Any:
    """Return a float for a single pair, else the array."""
    return values if common_pairs(control, experimental) else float(values[0])


def blocks(
    control: IllnessDeath, experimental: IllnessDeath
) -> Iterator[tuple[tuple[Transitions, Transitions], int, list[float]]]:
    """Transitions of a block of pairs, number of pairs, and times at which quadrature stops."""
    pairs = int(np.prod(common_pairs(control, experimental)))
    step = min(control.transitions.pairs_at_once, experimental.transitions.pairs_at_once)
    for first in range(0, pairs, step):
        block = slice(first, min(first + step, pairs))
        arms = control.transitions.take(block), experimental.transitions.take(block)
        yield arms, block.stop - block.start, [*arms[0].kinks(), *arms[1].kinks()]


def _progression_free(arm: Transitions, t: FloatArray) -> tuple[FloatArray, FloatArray]:
    alive = arm.survival_pfs(t)
    return alive, alive * arm.hazard_pfs(t)


def nothing_left(arms: tuple[Transitions, Transitions], endpoint: Endpoint) -> FloatArray:
    """Times after which no event remains in either arm."""
    return np.asarray(np.maximum(*(arm.horizon() if endpoint == "os" else arm.horizon_pfs() for arm in arms)))


def scores(
    control: IllnessDeath, experimental: IllnessDeath, censoring: Censoring, share: float, endpoint: Endpoint
) -> Iterator[Score]:
    """Yield the score of the partial likelihood for one block of pairs after another."""
    check_endpoint(endpoint)
    for arms, size, kinks in blocks(control, experimental):
        last = np.minimum(nothing_left(arms, endpoint), censoring.longest)
        if min(censoring.losses) > 0.0:
            last = np.minimum(last, MAX_CUMULATIVE_HAZARD / min(censoring.losses))
        parts = []
        for t, weight in panels(arms, size, last, [censoring.shortest, *kinks], max(censoring.losses)):
            kept = censoring.administrative(t) * weight
            columns = []
            for arm, patients, loss in zip(arms, (1.0 - share, share), censoring.losses, strict=True):
                alive, dying = arm.overall_along(t) if endpoint == "os" else _progression_free(arm, t)
                there = patients * (np.exp(-loss * t) if loss else 1.0)
                columns += [there * kept * dying, there * alive]
            parts.append((columns[0], columns[2], columns[1], columns[3]))
        control_events, experimental_events, at_risk_control, at_risk_experimental = (
            np.concatenate(part, axis=1) for part in zip(*parts, strict=True)
        )
        with np.errstate(divide="ignore", over="ignore"):  # the experimental arm may have no patients left
            yield Score(control_events, experimental_events, at_risk_control / at_risk_experimental)
