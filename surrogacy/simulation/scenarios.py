"""Scenarios of the coverage simulations.

Sizes, standard errors and true effects resemble the curated sets: the median trial has 400 patients; the SD of the log
number of patients is 0.55 (0.48 to 0.67 in the sets), so that Kish's effective number is about 0.78 times the number of
trials; ``n SE^2`` is 6 for the surrogate and 7 for the final endpoint (5.5 to 6.0 and 5.8 to 10.6); standard errors
scatter by 10% about that value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from surrogacy.arrays import FloatArray
from surrogacy.errors import UsageError

NUMBERS_OF_TRIALS = (6, 9, 16, 45)
RANK_NODES = 7  # quadrature nodes of each of five log-normal factors


@dataclass(frozen=True)
class Scenario:
    """Distribution from which data sets are drawn, and the topic that is examined with them.

    Parameters
    ----------
    topic : str
        Group of procedures, see `surrogacy.simulation.chunks`.
    name : str
        Words for the document.
    k : int
        Number of comparisons.
    mean : tuple of float
        Means of the true log hazard ratios, surrogate then final.
    tau : tuple of float
        SDs of the true log hazard ratios.
    rho : float
        Their correlation.
    patients : float
        Median number of patients.
    size_spread : float
        SD of the log number of patients; 0 for equal sizes.
    unit_variance : tuple of float
        Sampling variances of a trial of one patient.
    se_spread : float
        SD of the log standard error about the value that follows from the number of patients.
    rho_within : float
        True within-trial correlation.
    rho_assumed : float
        Within-trial correlation that the models assume.
    shared_arms : int
        Trials that have two of the comparisons, with a common control arm of half of the patients of each; the other
        trials have one comparison.
    data_sets : int
        Data sets per chunk.

    Raises
    ------
    UsageError
        If a value is impossible.
    """

    topic: str
    name: str
    k: int
    mean: tuple[float, float] = (-0.35, -0.12)
    tau: tuple[float, float] = (0.25, 0.15)
    rho: float = 0.8
    patients: float = 400.0
    size_spread: float = 0.55
    unit_variance: tuple[float, float] = (6.0, 7.0)
    se_spread: float = 0.1
    rho_within: float = 0.5
    rho_assumed: float = 0.5
    shared_arms: int = 0
    data_sets: int = 500

    def __post_init__(self) -> None:
        checks = {
            "k": (self.k >= 3, "at least 3"),
            "tau": (min(self.tau) >= 0, "0 or more"),
            "rho": (abs(self.rho) <= 1, "from -1 to 1"),
            "patients": (self.patients > 0, "above 0"),
            "size_spread": (self.size_spread >= 0, "0 or more"),
            "unit_variance": (min(self.unit_variance) >= 0, "0 or more"),
            "se_spread": (self.se_spread >= 0, "0 or more"),
            "rho_within": (abs(self.rho_within) < 1, "between -1 and 1"),
            "rho_assumed": (abs(self.rho_assumed) < 1, "between -1 and 1"),
            "shared_arms": (0 <= 2 * self.shared_arms <= self.k, f"from 0 to {self.k // 2}, half of k"),
            "data_sets": (self.data_sets >= 1, "at least 1"),
        }
        for name, (possible, words) in checks.items():
            if not possible:
                raise UsageError(f"{self.name}: {name} = {getattr(self, name)!r} must be {words}")

    @property
    def trials(self) -> tuple[str, ...]:
        """Trial of each comparison; the comparisons of a trial with two of them are neighbours."""
        return tuple(str(i // 2 if i < 2 * self.shared_arms else i) for i in range(self.k))

    @property
    def control_groups(self) -> tuple[str, ...]:
        """Shared control arm of each comparison; empty if it is not shared."""
        return tuple(name if i < 2 * self.shared_arms else "" for i, name in enumerate(self.trials))

    @property
    def between(self) -> FloatArray:
        """(2, 2) covariance of the true effects."""
        t1, t2 = self.tau
        return np.array([[t1**2, self.rho * t1 * t2], [self.rho * t1 * t2, t2**2]])

    @property
    def slope(self) -> float:
        """Slope of the line of the true effects."""
        return self.rho * self.tau[1] / self.tau[0]

    @property
    def intercept(self) -> float:
        """Intercept of the line of the true effects."""
        return self.mean[1] - self.slope * self.mean[0]

    @property
    def sigma(self) -> float:
        """Residual SD of the true final effects about the line."""
        return self.tau[1] * float(np.sqrt(1.0 - self.rho**2))

    @property
    def mean_patients(self) -> float:
        """Expected number of patients."""
        return self.patients * float(np.exp(self.size_spread**2 / 2))

    @property
    def covariance_of_estimates(self) -> FloatArray:
        """(2, 2) covariance of the estimated effects, weighted by n.

        It is the limit for many trials: the sampling variances are weighted by n, and ``n SE^2`` does not depend on n.
        """
        v1, v2 = (variance * float(np.exp(2 * self.se_spread**2)) for variance in self.unit_variance)
        cross = np.sqrt(np.prod(self.unit_variance)) * np.exp(self.se_spread**2) * self.rho_within
        return np.asarray(self.between + np.array([[v1, cross], [cross, v2]]) / self.mean_patients)

    @property
    def correlation_of_estimates(self) -> float:
        """Correlation of the estimated effects that a correlation weighted by n estimates."""
        covariance = self.covariance_of_estimates
        return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))

    @property
    def rank_correlation_of_estimates(self) -> float:
        """Spearman correlation of the estimated effects, in the limit for many trials.

        ``6 / pi E asin(c_i / sqrt((v1_i + v1_j) (v2_i + v2_l)))`` for three trials i, j and l, whose estimates have the
        variances v1 and v2 and the covariance c; without sampling errors it is ``6 / pi asin(rho / 2)``.
        """
        nodes, weights = hermegauss(RANK_NODES)
        size, error1, error2, other1, other2 = np.meshgrid(*[nodes] * 5, indexing="ij", sparse=True)
        (t11, t12), (_, t22) = self.between
        u1, u2 = (variance / self.patients for variance in self.unit_variance)
        spread = np.hypot(self.size_spread, 2 * self.se_spread)  # SD of the log variance of another trial

        def pair(tau: float, unit: float, error: FloatArray, other: FloatArray) -> FloatArray:
            sampling = np.exp(2 * self.se_spread * error - self.size_spread * size) + np.exp(spread * other)
            return np.asarray(2 * tau + unit * sampling)

        cross = (
            self.rho_within * np.sqrt(u1 * u2) * np.exp(self.se_spread * (error1 + error2) - self.size_spread * size)
        )
        sines = (t12 + cross) / np.sqrt(pair(t11, u1, error1, other1) * pair(t22, u2, error2, other2))
        mass = weights / weights.sum()
        return float(6 / np.pi * np.einsum("abcde,a,b,c,d,e->", np.arcsin(sines), *[mass] * 5, optimize=True))


TYPICAL = Scenario("", "typical", 16)
SETTINGS = (
    TYPICAL,
    replace(TYPICAL, name="weak correlation", rho=0.5),
    replace(TYPICAL, name="strong correlation", rho=0.95),
    replace(TYPICAL, name="within-trial correlation 0.2, assumed 0.5", rho_within=0.2),
    replace(TYPICAL, name="shared control arms", shared_arms=2),
    replace(TYPICAL, name="equal sizes", size_spread=0.0),
    replace(TYPICAL, name="no sampling errors", unit_variance=(0.0, 0.0)),
    replace(
        TYPICAL,
        name="standard errors 0.15",
        mean=(-0.3, -0.1),
        tau=(0.3, 0.2),
        size_spread=0.0,
        unit_variance=(9.0, 9.0),
        se_spread=0.0,
    ),
)
# Settings of each topic, by name; every topic has the typical one.
SETTINGS_OF_TOPIC = {
    "models": ("typical", "weak correlation", "within-trial correlation 0.2, assumed 0.5", "shared control arms"),
    "correlation": ("typical", "weak correlation", "strong correlation", "equal sizes", "no sampling errors"),
    "prediction": (
        "standard errors 0.15",
        "typical",
        "weak correlation",
        "within-trial correlation 0.2, assumed 0.5",
    ),
    "threshold": ("typical", "weak correlation"),
    "meta-regression": ("typical", "weak correlation"),
    "two-sets": ("typical", "weak correlation"),
}
# Data sets per chunk of topics whose models take long.
DATA_SETS = {"models": 100}


def scenarios(topic: str) -> tuple[Scenario, ...]:
    """Return the scenarios of a topic: every setting with 6, 9, 16 and 45 trials.

    Raises
    ------
    UsageError
        If there is no such topic.

    Examples
    --------
    >>> [scenario.k for scenario in scenarios("threshold") if scenario.name == "typical"]
    [6, 9, 16, 45]
    """
    if topic not in SETTINGS_OF_TOPIC:
        raise UsageError(f"topic must be one of {', '.join(SETTINGS_OF_TOPIC)}; got {topic!r}")
    chosen = [setting for setting in SETTINGS if setting.name in SETTINGS_OF_TOPIC[topic]]
    data_sets = DATA_SETS.get(topic, TYPICAL.data_sets)
    return tuple(
        replace(setting, topic=topic, k=k, data_sets=data_sets) for setting in chosen for k in NUMBERS_OF_TRIALS
    )
