"""Simulation of trials with PFS and OS, patient by patient, and their log-rank tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from surrogacy.arrays import FloatArray
from surrogacy.survival.estimators import logrank
from surrogacy.survival.logrank_law import MixedArm
from surrogacy.survival.partial_likelihood import Censoring

PATIENTS_AT_ONCE = 200_000


@dataclass(frozen=True, eq=False)
class SimulatedTrials:
    """Log-rank tests of simulated trials; columns PFS, OS.

    Parameters
    ----------
    statistic : (trials, 2) array
        Standardised log-rank statistic; negative values favour the experimental arm.
    events : (trials, 2) array
    """

    statistic: FloatArray
    events: FloatArray

    @property
    def p(self) -> FloatArray:
        """(trials, 2) two-sided p-values."""
        return np.asarray(2.0 * ndtr(-np.abs(self.statistic)))

    def significant(self, alpha: float) -> FloatArray:
        """(trials, 2) indicators, 1 where p < alpha in favour of the experimental arm."""
        return np.asarray((self.p < alpha) & (self.statistic < 0.0), dtype=np.float64)


def simulate_trials(
    control: MixedArm,
    experimental: MixedArm,
    patients: tuple[int, int],
    censoring: Censoring,
    trials: int,
    seed: int = 0,
    step: Callable[[int], None] | None = None,
) -> SimulatedTrials:
    """Simulate trials and test both endpoints of each.

    Parameters
    ----------
    control, experimental : MixedArm
    patients : (int, int)
        Numbers in the control and in the experimental arm.
    censoring : Censoring
    trials : int
    seed : int
        The same seed gives the same trials.
    step : callable, optional
        Called after each batch with the number of trials in it, for a progress bar.

    Returns
    -------
    SimulatedTrials

    Examples
    --------
    >>> arms = MixedArm(0.1, 0.0, (0.05,)), MixedArm(0.07, 0.0, (0.05,))
    >>> trials = simulate_trials(*arms, patients=(50, 50), censoring=Censoring(6.0, 24.0), trials=4, seed=1)
    >>> trials.events.shape
    (4, 2)
    """
    rng = np.random.default_rng(seed)
    size = sum(patients)
    batch = max(1, PATIENTS_AT_ONCE // size)
    in_experimental = np.repeat([0.0, 1.0], patients)
    loss = np.repeat(censoring.losses, patients)
    statistic, events = np.empty((trials, 2)), np.empty((trials, 2))
    for start in range(0, trials, batch):
        count = min(batch, trials - start)
        parts = [arm.sample(count, n, rng) for arm, n in zip((control, experimental), patients, strict=True)]
        followed = np.full((count, size), np.inf)
        if np.isfinite(censoring.longest):
            followed = rng.uniform(censoring.shortest, censoring.longest, (count, size))
        if loss.any():
            with np.errstate(divide="ignore"):
                followed = np.minimum(followed, rng.exponential(size=(count, size)) / loss)
        for which in (0, 1):
            time = np.concatenate([part[which] for part in parts], axis=1)
            event = (time <= followed).astype(np.float64)
            score, variance = logrank(np.minimum(time, followed), event, in_experimental)
            # a trial without information has a statistic of 0
            statistic[start : start + count, which] = score / np.sqrt(np.where(variance > 0.0, variance, np.inf))
            events[start : start + count, which] = event.sum(axis=1)
        if step is not None:
            step(count)
    return SimulatedTrials(statistic, events)
