"""Planning of a trial whose PFS effect reaches OS through post-progression survival (Broglio, Berry).

PFS is exponential with the medians of the design; a share ``direct_death`` of the PFS events are deaths. The time from
progression to death is exponential with the median PPS of the arm and independent of the time of progression. A random
share ``crossover`` of the control patients who progress has the post-progression hazard of the experimental arm, so
that crossover changes nothing if PPS is equal in both arms. Patients enter evenly over the accrual period, are followed
for ``follow_up`` months after the last entry, and are lost to follow-up at a constant hazard.

``Plan.estimates`` holds large-sample formulas (`surrogacy.survival.logrank_law`), ``Plan.simulated`` the results of
simulated trials. The method of each estimate states which.

References
----------
Broglio, Berry (2009), doi:10.1093/jnci/djp369; Morita, Sakamaki, Yin (2015), doi:10.1093/jnci/djv133.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.special import ndtri

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.results.estimate import Estimate
from surrogacy.results.levels import LEVEL
from surrogacy.survival.logrank_law import OS, PFS, LogRankPair
from surrogacy.survival.simulation import SimulatedTrials, simulate_trials
from surrogacy.survival.trial_design import Design

Endpoint = Literal["pfs", "os"]
ENDPOINTS: tuple[Endpoint, Endpoint] = ("pfs", "os")

COX_LIMIT = "formula: large-sample limit of the Cox estimate"
NORMAL_LAW = "formula: normal distribution of the log-rank statistic"
JOINT_LAW = "formula: joint normal distribution of the two log-rank statistics"
EXPECTATION = "formula: expectation"
MODEL_MEDIAN = "formula: median of the illness-death model"


@dataclass(frozen=True)
class Plan:
    """Expected effects, power and sample size of a trial design.

    Parameters
    ----------
    design : Design
    patients : (int, int)
        Numbers in the control and in the experimental arm.
    power : float
        Power of the sample sizes ``n_pfs``, ``n_os`` and ``n_os_pps_only``.
    estimates : mapping of str to Estimate
        ``hr_pfs hr_os hr_os_pps_only`` hazard ratios; ``events_pfs events_os``; ``power_pfs power_os
        power_os_pps_only`` probabilities of a two-sided p < alpha in favour of the experimental arm;
        ``power_os_given_pfs`` power of OS given a significant PFS; ``correlation`` of the two log-rank statistics;
        ``median_p_pfs median_p_os`` two-sided; ``n_pfs n_os n_os_pps_only`` total sample sizes (infinite if no number
        gives the power); ``median_os_control median_os_experimental``, months, implied by PFS and PPS.
    simulated : mapping of str to Estimate
        Estimates of the same names from simulated trials, with Monte Carlo errors and intervals.
    problems : tuple of str
        Caveats.
    """

    design: Design
    patients: tuple[int, int]
    power: float
    estimates: Mapping[str, Estimate]
    simulated: Mapping[str, Estimate] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    @property
    def from_median_os(self) -> bool:
        """Test that PPS is derived from the median OS of the control arm."""
        return self.design.pps_from_median_os

    @property
    def n(self) -> int:
        """Total number of patients."""
        return sum(self.patients)

    def power_os_given_p_pfs(self, p: float) -> float:
        """Probability of a significant OS given the two-sided p of PFS in favour of the experimental arm.

        Raises
        ------
        UsageError
            If p is not between 0 and 1.
        """
        if not 0 < p < 1:
            raise UsageError(f"p_PFS {p:g}: give a two-sided p-value between 0 and 1")
        law = self.design.statistics
        return float(law.os_power_given_pfs_statistic(np.asarray(ndtri(p / 2.0)), self.n, self.design.alpha))


def plan(
    design: Design,
    *,
    n: int | None = None,
    power: float = 0.8,
    power_for: Endpoint = "pfs",
    simulations: int = 0,
    seed: int = 0,
    step: Callable[[int], None] | None = None,
) -> Plan:
    """Plan a trial in which PFS and OS are tested with the log-rank test.

    Parameters
    ----------
    design : Design
        Assumptions; `Design.from_summaries` takes a PFS hazard ratio or a median OS instead of medians.
    n : int, optional
        Total number of patients. Default: the number that gives the endpoint `power_for` the power `power`.
    power : float
        Wanted power.
    power_for : {"pfs", "os"}
    simulations : int
        Number of simulated trials in addition to the formulas; 0 for none.
    seed : int
    step : callable, optional
        Called after each batch with the number of trials in it, for a progress bar.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        If a value is impossible, or no number of patients gives the power.

    Examples
    --------
    >>> trial = plan(Design(pfs=(6.0, 9.0), pps=(24.0, 24.0)))
    >>> trial.n, round(trial["hr_os"].value, 2), round(trial["power_os"].value, 2)
    (265, 0.77, 0.14)
    """
    alpha = design.alpha
    if not alpha / 2 < power < 1:
        raise UsageError(f"power {power:g}: give a probability between alpha / 2 and 1, such as 0.8")
    if power_for not in ENDPOINTS:
        raise UsageError(f"power_for {power_for!r}: choose pfs or os")
    if simulations < 0:
        raise UsageError(f"simulations {simulations}: give 0 or more trials")
    law, reverse = design.statistics, design.only_pps_differs.statistics
    sizes = _whole(law.sample_size(power, alpha))
    wanted = sizes[ENDPOINTS.index(power_for)] if n is None else float(n)
    if not np.isfinite(wanted):
        raise UsageError(
            f"no number of patients gives {power_for.upper()} a power of {power:g}: its expected hazard ratio is "
            f"{np.exp(law.log_hr[ENDPOINTS.index(power_for)]):.3f}; change pfs, hr_pfs or pps, or give n"
        )
    experimental = round(wanted * design.experimental_share)
    patients = int(wanted) - experimental, experimental
    if min(patients) < 2:
        raise UsageError(f"n {wanted:g} with allocation {design.allocation}: each arm needs at least 2 patients")
    estimates = _by_formula(law, reverse, float(sum(patients)), power, alpha)
    for arm, median in zip(("control", "experimental"), design.median_os, strict=True):
        estimates[f"median_os_{arm}"] = Estimate(median, method=MODEL_MEDIAN)
    trials = simulate_trials(*design.arms, patients, design.censoring, simulations, seed, step) if simulations else None
    simulated = {} if trials is None else _by_simulation(trials, alpha)
    problems = _problems(design, law, float(sum(patients)))
    return Plan(design, patients, power, estimates, simulated, problems)


def _whole(patients: FloatArray) -> FloatArray:
    """Round up, with a tolerance for rounding error."""
    return np.asarray(np.ceil(patients * (1.0 - 1e-12)))


def _by_formula(law: LogRankPair, reverse: LogRankPair, n: float, power: float, alpha: float) -> dict[str, Estimate]:
    """Estimates by formula; `reverse` is the law of the design in which only PPS differs."""
    values: dict[str, tuple[float, str]] = {}
    for which, name in enumerate(ENDPOINTS):
        values |= {
            f"hr_{name}": (np.exp(law.log_hr[which]), COX_LIMIT),
            f"events_{name}": (n * law.events[which], EXPECTATION),
            f"power_{name}": (law.power(n, alpha)[which], NORMAL_LAW),
            f"median_p_{name}": (law.median_p(n)[which], NORMAL_LAW),
            f"n_{name}": (_whole(law.sample_size(power, alpha))[which], NORMAL_LAW),
        }
    values |= {
        "correlation": (law.correlation, JOINT_LAW),
        "power_os_given_pfs": (law.os_power_given_significant_pfs(n, alpha), JOINT_LAW),
        "hr_os_pps_only": (np.exp(reverse.log_hr[OS]), COX_LIMIT),
        "power_os_pps_only": (reverse.power(n, alpha)[OS], NORMAL_LAW),
        "n_os_pps_only": (_whole(reverse.sample_size(power, alpha))[OS], NORMAL_LAW),
    }
    return {name: Estimate(float(value), method=method) for name, (value, method) in values.items()}


def _by_simulation(trials: SimulatedTrials, alpha: float) -> dict[str, Estimate]:
    """Estimates from simulated trials, with Monte Carlo errors."""
    count = len(trials.statistic)
    method = f"simulation: {count} trials, Monte Carlo error"
    z = float(ndtri(0.5 + LEVEL / 2.0))
    significant = trials.significant(alpha)
    estimates: dict[str, Estimate] = {}

    def mean(values: FloatArray) -> Estimate:
        if len(values) < 2:
            return Estimate(None, method=method)
        value, se = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
        return Estimate(value, se, value - z * se, value + z * se, LEVEL, method)

    def proportion(hits: FloatArray) -> Estimate:
        if not len(hits):
            return Estimate(None, method=method)
        value = float(hits.mean())
        se = float(np.sqrt(value * (1.0 - value) / len(hits))) if 0 < value < 1 else None
        return Estimate(value, se, *_wilson(value, len(hits), z), LEVEL, f"{method}, Wilson interval")

    for which, name in enumerate(ENDPOINTS):
        estimates[f"events_{name}"] = mean(trials.events[:, which])
        estimates[f"power_{name}"] = proportion(significant[:, which])
        # limits of a median are order statistics with binomial ranks
        ranks = np.clip(0.5 + np.array([-z, z]) * 0.5 / np.sqrt(count), 0.0, 1.0)
        median, low, high = map(float, np.quantile(trials.p[:, which], [0.5, *ranks]))
        estimates[f"median_p_{name}"] = Estimate(median, None, low, high, LEVEL, method)
    estimates["power_os_given_pfs"] = proportion(significant[significant[:, PFS] == 1.0, OS])
    if count > 3:
        rho = float(np.atleast_2d(np.corrcoef(trials.statistic, rowvar=False))[0, 1])
        half, centre = z / np.sqrt(count - 3), np.arctanh(rho)
        limits = float(np.tanh(centre - half)), float(np.tanh(centre + half))
        estimates["correlation"] = Estimate(rho, float((1.0 - rho**2) / np.sqrt(count)), *limits, LEVEL, method)
    return estimates


def _wilson(share: float, count: int, z: float) -> tuple[float, float]:
    """Wilson (1927) limits of a proportion, doi:10.2307/2276774; also defined for a share of 0 or 1."""
    centre = share + z**2 / (2.0 * count)
    half = z * float(np.sqrt(share * (1.0 - share) / count + z**2 / (4.0 * count**2)))
    low, high = ((centre + side * half) / (1.0 + z**2 / count) for side in (-1.0, 1.0))
    return max(low, 0.0), min(high, 1.0)


def _problems(design: Design, law: LogRankPair, n: float) -> tuple[str, ...]:
    """Caveats of the design and of the formulas."""
    problems = []
    if design.pps[0] != design.pps[1]:
        problems.append(
            "post-progression survival is a comparison of the patients who progressed: "
            "a difference is an assumption, not a randomised effect"
        )
    if design.crossover and design.pps[0] == design.pps[1]:
        problems.append("crossover changes nothing in this design: both arms have the same post-progression survival")
    few = [name.upper() for name, events in zip(ENDPOINTS, n * law.events, strict=True) if events < 30]
    if few:
        problems.append(
            f"fewer than 30 events expected ({', '.join(few)}): the formulas hold for large trials; simulate as well"
        )
    return tuple(problems)
