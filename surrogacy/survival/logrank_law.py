"""Joint large-sample law of the log-rank statistics of PFS and OS in one trial.

The hazard after progression is constant since progression, those before it are constant or Weibull with one shape.

Z_i is 1 in the experimental arm. For each endpoint, r(t) is the experimental share of the patients at risk and ``l(t) =
(1 - r) h_C + r h_E`` is the pooled hazard. To first order (Lin, Wei), the log-rank score and its variance are sums over
patients:

    U ~ sum_i int (Z_i - r) (dN_i - Y_i l dt)                                   E U / n = drift
    V ~ sum_i int r (1 - r) dN_i + int (1 - 2 r) (Z_i - r) Y_i l dt             E V / n = v
    U / sqrt(V) ~ sqrt(n) drift / sqrt(v) + n^(-1/2) sum_i (zeta_i - E zeta_i)
    zeta_i = U_i / sqrt(v) - drift V_i / (2 v^(3/2))

so each patient contributes ``zeta = int a dN + int c Y dt`` with functions a, c of time alone. With ``b(t) = int_0^t
c``, the contribution of a patient is b(t) before the event and b + a after it, so that second moments are single
integrals. For PFS (P) and OS (O) of a patient who leaves the first state by progression (h01) or death (h02):

    E zeta_P zeta_O = int G S_PFS { (b_P b_O)' + h02 [(b_P + a_P)(b_O + a_O) - b_P b_O] + h01 [(b_P + a_P)(b_O + K) -
    b_P b_O] } dt
    G K(u) = int_u G(t) exp(-h12 (t - u)) [h12 a_O + c_O] dt,  averaged over the values of h12

G is the survival of the censoring times. The numbers of patients per arm are fixed, so moments are centred within arms.
TTP censors deaths: its events are progressions alone, so that a_P is 0 in the term of h02.

References
----------
Lin, Wei (1989), doi:10.1080/01621459.1989.10478874; Schoenfeld (1981), doi:10.1093/biomet/68.1.316.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError
from surrogacy.survival import constant_hazards
from surrogacy.survival.illness_death import IllnessDeath
from surrogacy.survival.partial_likelihood import Censoring, Score
from surrogacy.survival.time_quadrature import falling_root
from surrogacy.survival.weibull_exits import WeibullExits

GRID_POINTS = 1200  # of the time grid; the error of the moments is then about 1e-5
START_POWER = 2.0  # of the grid, over a shape below 1: Weibull hazards are infinite or 0 at time 0
MAX_CUMULATIVE_HAZARD = 40.0  # survival is negligible beyond this cumulative hazard
DRIFT_ROUNDING_ERROR = 1e-9  # of a statistic per square root of the number of patients
PFS, OS = 0, 1


@dataclass(frozen=True)
class MixedArm:
    """Arm in which each patient has one of several constant hazards of death after progression.

    Parameters
    ----------
    progression, death : float
        h01 and h02 per month; with a shape p the scales of the hazards ``h p t^(p-1)``.
    post_progression : tuple of float
        Values of h12 per month.
    shares : tuple of float
        Shares of the progressed patients with each of these hazards; they sum to 1.
    shape : float
        Weibull shape p of the hazards before progression; 1: constant.

    Examples
    --------
    >>> arm = MixedArm(progression=0.1, death=0.01, post_progression=(0.05, 0.1), shares=(0.7, 0.3))
    >>> round(arm.median_os, 2)
    19.34
    """

    progression: float
    death: float
    post_progression: tuple[float, ...]
    shares: tuple[float, ...] = (1.0,)
    shape: float = 1.0

    def overall(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share alive at increasing times t close to each other, and density of the time of death."""
        h12 = np.array(self.post_progression)[:, None]
        h01, h02, p, one = (np.full_like(h12, value) for value in (self.progression, self.death, self.shape, 1.0))
        if self.shape == 1.0:
            parts = constant_hazards.overall(t.reshape(1, -1), h01, h02, h12)
        else:
            parts = WeibullExits(h01, h02, h12, p, p, one, forward=False).overall_along(t.reshape(1, -1))
        alive, density = ((np.array(self.shares) @ part).reshape(t.shape) for part in parts)
        return alive, density

    @property
    def median_os(self) -> float:
        """Median OS, months."""
        hazards = self.progression, self.death, np.array(self.post_progression)
        model = IllnessDeath(*hazards, (self.shape, self.shape, 1.0), "reset")
        pfs = model.quantile_pfs(0.5)[0]
        # at this time at most a quarter have no PFS event, and a quarter of the others are alive
        latest = 2.0 ** (1.0 / self.shape) * pfs + 2.0 * np.log(2.0) / min(self.post_progression)
        shares = np.array(self.shares)
        return float(falling_root(lambda t: shares @ model.survival_os(t) - 0.5, np.array(pfs), np.array(latest)))

    def free_of_progression(self, t: FloatArray, *, censors_deaths: bool = False) -> tuple[FloatArray, FloatArray]:
        """Share alive without progression at t, and density of the time of the PFS event, or of progression alone."""
        alive = constant_hazards.survival_pfs(t**self.shape, self.progression, self.death)
        progression, death = self.exits(t)
        return alive, (progression if censors_deaths else progression + death) * alive

    def exits(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Hazards of progression and of death without progression at t."""
        growth = self.shape * t ** (self.shape - 1.0)
        return self.progression * growth, self.death * growth

    @property
    def fastest(self) -> float:
        """Reciprocal of the shortest time scale."""
        return float(max((self.progression + self.death) ** (1.0 / self.shape), *self.post_progression))

    def horizon(self, loss: float) -> float:
        """Months after which survival is negligible, with a hazard of loss to follow-up."""
        if self.shape == 1.0:
            return MAX_CUMULATIVE_HAZARD / (min(self.progression + self.death, *self.post_progression) + loss)
        free = (MAX_CUMULATIVE_HAZARD / (self.progression + self.death)) ** (1.0 / self.shape)
        return float(max(free, MAX_CUMULATIVE_HAZARD / min(self.post_progression)))

    def sample(self, trials: int, size: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """(trials, size) times of PFS and OS, months."""
        lam = self.progression + self.death
        pfs = rng.exponential(1.0 / lam, (trials, size)) ** (1.0 / self.shape)
        hazard = np.asarray(self.post_progression)[rng.choice(len(self.shares), (trials, size), p=self.shares)]
        progressed = rng.random((trials, size)) * lam < self.progression
        return pfs, pfs + np.where(progressed, rng.exponential(size=(trials, size)) / hazard, 0.0)


@dataclass(frozen=True, eq=False)
class LogRankPair:
    """Large-sample normal law of the log-rank statistics of PFS and OS; negative values favour the experimental arm.

    Parameters
    ----------
    drift : (2,) array
        Mean of each statistic divided by the square root of the number of patients.
    covariance : (2, 2) array
        Of the two statistics; the variances are close to 1, but not equal to 1 under an effect.
    events : (2,) array
        Expected events per patient.
    log_hr : (2,) array
        Large-sample limits of the Cox estimates.

    Examples
    --------
    >>> law = logrank_pair(MixedArm(0.1, 0.0, (0.05,)), MixedArm(0.07, 0.0, (0.05,)), Censoring(6.0, 24.0), 0.5)
    >>> law.power(300, alpha=0.05).round(3).tolist()
    [0.724, 0.201]
    """

    drift: FloatArray
    covariance: FloatArray
    events: FloatArray
    log_hr: FloatArray

    @property
    def spread(self) -> FloatArray:
        """(2,) standard deviations of the statistics."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def correlation(self) -> float:
        """Correlation of the two statistics."""
        return float(self.covariance[0, 1] / self.spread.prod())

    def power(self, n: float, alpha: float) -> FloatArray:
        """(2,) power of a test in favour of the experimental arm, ``Phi((-z - sqrt(n) drift) / spread)``."""
        return np.asarray(ndtr((ndtri(alpha / 2.0) - np.sqrt(n) * self.drift) / self.spread))

    def os_power_given_pfs_statistic(self, statistic: FloatArray, n: float, alpha: float) -> FloatArray:
        """Probability of a significant OS conditional on PFS statistics, by the conditional normal law."""
        mean, spread, rho = np.sqrt(n) * self.drift, self.spread, self.correlation
        expected = mean[OS] + rho * spread[OS] * (statistic - mean[PFS]) / spread[PFS]
        return np.asarray(ndtr((ndtri(alpha / 2.0) - expected) / (spread[OS] * np.sqrt(max(1.0 - rho**2, 1e-12)))))

    def os_power_given_significant_pfs(self, n: float, alpha: float) -> float:
        """Probability of a significant OS given a significant PFS, averaged over the tail of the PFS statistic."""
        nodes, weights = np.polynomial.legendre.leggauss(64)
        tail = self.power(n, alpha)[PFS] * (nodes + 1.0) / 2.0
        statistic = np.sqrt(n) * self.drift[PFS] + self.spread[PFS] * ndtri(np.maximum(tail, 1e-300))
        return float(weights @ self.os_power_given_pfs_statistic(statistic, n, alpha) / 2.0)

    def median_p(self, n: float) -> FloatArray:
        """(2,) medians of the two-sided p-values: ``p = 2 Phi(-x)`` with ``P(|statistic| < x) = 1/2``."""
        mean = np.abs(np.sqrt(n) * self.drift)
        low, high = np.zeros(2), mean + 2.0 * self.spread
        for _ in range(60):
            x = 0.5 * (low + high)
            below = ndtr((x - mean) / self.spread) - ndtr((-x - mean) / self.spread) < 0.5
            low, high = np.where(below, x, low), np.where(below, high, x)
        return np.asarray(2.0 * ndtr(-0.5 * (low + high)))

    def sample_size(self, power: float, alpha: float) -> FloatArray:
        """(2,) patients for this power of each endpoint, ``((z_alpha/2 + spread z_power) / drift)^2``.

        Infinite where the mean statistic does not favour the experimental arm.
        """
        needed = np.maximum(-ndtri(alpha / 2.0) + self.spread * ndtri(power), 0.0)
        return np.asarray(
            np.where(
                self.drift < -DRIFT_ROUNDING_ERROR,
                (needed / np.minimum(self.drift, -DRIFT_ROUNDING_ERROR)) ** 2,
                np.inf,
            )
        )


@dataclass(frozen=True, eq=False)
class _Endpoint:
    """Survival and event density of one endpoint by arm, and the functions a, c and b of the module, at the grid."""

    alive: FloatArray  # (2, n): control, experimental
    density: FloatArray
    a: FloatArray
    c: FloatArray
    b: FloatArray


def logrank_pair(
    control: MixedArm,
    experimental: MixedArm,
    censoring: Censoring,
    experimental_share: float,
    *,
    censors_deaths: bool = False,
    points: int = GRID_POINTS,
) -> LogRankPair:
    """Joint law of the log-rank statistics of PFS, or TTP, and OS.

    Parameters
    ----------
    control, experimental : MixedArm
    censoring : Censoring
        Of both endpoints; a patient is censored for both at the same time.
    experimental_share : float
        Share of the patients in the experimental arm, in (0, 1).
    censors_deaths : bool
        True for TTP, whose events are progressions alone, False for PFS.
    points : int
        Points of the time grid.

    Returns
    -------
    LogRankPair

    Raises
    ------
    UsageError
        If no events are expected within the follow-up.

    Examples
    --------
    >>> arms = MixedArm(0.1, 0.0, (0.05,)), MixedArm(0.07, 0.0, (0.05,))
    >>> law = logrank_pair(*arms, Censoring(6.0, 24.0), experimental_share=0.5)
    >>> round(law.correlation, 3), np.exp(law.log_hr).round(3).tolist()
    (0.439, [0.7, 0.771])
    """
    arms = (control, experimental)
    t = _grid(arms, censoring, points)
    followed = censoring.administrative(t) * np.exp(-np.outer(censoring.losses, t))
    shares = np.array([1.0 - experimental_share, experimental_share])
    curves = [
        np.array(list(curve))
        for arm in arms
        for curve in (arm.free_of_progression(t, censors_deaths=censors_deaths), arm.overall(t))
    ]
    endpoints, drift, events, log_hr = [], [], [], []
    for which in (PFS, OS):
        alive, density = np.stack([curves[which], curves[2 + which]], axis=1)
        endpoint, drifts, count, limit = _endpoint(t, alive, density, followed, shares)
        endpoints.append(endpoint)
        drift.append(drifts)
        events.append(count)
        log_hr.append(limit)
    covariance = np.zeros((2, 2))
    for i, arm in enumerate(arms):
        pair = endpoints[PFS], endpoints[OS]
        covariance += shares[i] * _arm_covariance(t, arm, followed[i], pair, i, 0.0 if censors_deaths else 1.0)
    return LogRankPair(np.array(drift), covariance, np.array(events), np.array(log_hr))


def _grid(arms: tuple[MixedArm, MixedArm], censoring: Censoring, points: int) -> FloatArray:
    """Grid of times from 0 to the end of follow-up, linear at first and logarithmic later, to resolve every rate."""
    end = min(censoring.longest, max(arm.horizon(min(censoring.losses)) for arm in arms))
    stretch = np.log1p(max(arm.fastest for arm in arms) * end)
    t = end * np.sinh(stretch * np.linspace(0.0, 1.0, points)) / np.sinh(stretch)
    if any(arm.shape != 1.0 for arm in arms):
        t = (end * (t / end) ** (START_POWER / min(1.0, *(arm.shape for arm in arms))))[1:]
    return np.union1d(t, censoring.shortest) if 0.0 < censoring.shortest < end else t


def _endpoint(
    t: FloatArray, alive: FloatArray, density: FloatArray, followed: FloatArray, shares: FloatArray
) -> tuple[_Endpoint, float, float, float]:
    """Functions of one endpoint, drift of its statistic, events per patient, and limit of the Cox log hazard ratio."""
    at_risk = shares[:, None] * followed * alive
    steps = np.diff(t)
    weights = 0.5 * (np.append(steps, 0.0) + np.append(0.0, steps))  # of the trapezoidal rule
    expected = shares[:, None] * followed * density * weights
    events = float(expected.sum())
    if not events > 0.0:
        raise UsageError("no events are expected in this follow-up: lengthen accrual or follow-up")
    anyone = at_risk.sum(axis=0) > 0.0  # at the end of follow-up nobody is at risk
    with np.errstate(divide="ignore", over="ignore"):  # infinite where only controls are at risk
        risk_ratio = np.where(anyone, at_risk[0], shares[0]) / np.where(anyone, at_risk[1], shares[1])
    partial = Score(expected[:1], expected[1:], risk_ratio[None])
    score, v = (float(value[0]) for value in partial.at(np.zeros(1)))
    r = 1.0 / (1.0 + risk_ratio)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazards = np.where(alive > 0.0, density / alive, 0.0)
    pooled = (1.0 - r) * hazards[0] + r * hazards[1]
    arm = np.array([[0.0], [1.0]])
    half = score / (2.0 * v**1.5)
    a = (arm - r) / np.sqrt(v) - half * r * (1.0 - r)
    c = -pooled * (arm - r) * (1.0 / np.sqrt(v) + half * (1.0 - 2.0 * r))
    b = np.concatenate([np.zeros((2, 1)), np.cumsum(0.5 * steps * (c[:, 1:] + c[:, :-1]), axis=1)], axis=1)
    return _Endpoint(alive, density, a, c, b), score / np.sqrt(v), events, float(partial.root()[0])


def _arm_covariance(
    t: FloatArray, arm: MixedArm, followed: FloatArray, pair: tuple[_Endpoint, _Endpoint], i: int, at_death: float
) -> FloatArray:
    """(2, 2) covariance of the contributions of one patient of arm i to the two statistics.

    A death without progression is ``at_death`` events of the first endpoint: 1 of PFS, 0 of TTP.
    """
    pfs, os = pair
    mean = np.empty(2)
    second = np.empty((2, 2))
    for k, e in enumerate((pfs, os)):
        mean[k] = np.trapezoid(followed * (e.c[i] * e.alive[i] + e.a[i] * e.density[i]), t)
        twice = 2.0 * e.b[i] * (e.c[i] * e.alive[i] + e.a[i] * e.density[i]) + e.a[i] ** 2 * e.density[i]
        second[k, k] = np.trapezoid(followed * twice, t)
    later = np.zeros_like(t)  # G K: contribution to OS after progression
    for h12, share in zip(arm.post_progression, arm.shares, strict=True):
        later += share * constant_hazards.discounted(t, followed * (h12 * os.a[i] + os.c[i]), h12)
    both = pfs.b[i] * os.b[i]
    after_pfs = pfs.b[i] + pfs.a[i]
    grows = pfs.b[i] * os.c[i] + pfs.c[i] * os.b[i]
    progression, death = arm.exits(t)
    by_death = death * ((pfs.b[i] + at_death * pfs.a[i]) * (os.b[i] + os.a[i]) - both)
    by_progression = progression * (after_pfs * os.b[i] - both)
    cross = followed * (grows + by_death + by_progression) + progression * after_pfs * later
    second[0, 1] = second[1, 0] = np.trapezoid(pfs.alive[i] * cross, t)
    return second - np.outer(mean, mean)
