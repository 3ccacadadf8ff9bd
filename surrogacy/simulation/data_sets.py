"""Simulated data sets of a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.models.likelihood.batch import BatchMaximum, maximise_many
from surrogacy.simulation.scenarios import Scenario


@dataclass(frozen=True, eq=False)
class SimulatedSets:
    """``b`` data sets of a scenario.

    Parameters
    ----------
    scenario : Scenario
    seed : int
        Seed of the chunk.
    n : (b, k) array
        Patients per trial.
    log_hr, se : (b, k, 2) arrays
        Estimates and their standard errors.
    """

    scenario: Scenario
    seed: int
    n: FloatArray
    log_hr: FloatArray
    se: FloatArray

    def __len__(self) -> int:
        return len(self.log_hr)

    @property
    def rho_assumed(self) -> FloatArray:
        """(b, k) within-trial correlations that the models assume."""
        return np.full(self.n.shape, self.scenario.rho_assumed)

    @cached_property
    def template(self) -> Effects:
        """Comparisons of every data set, with the values of the first."""
        return self.effects(0)

    @cached_property
    def maxima(self) -> BatchMaximum:
        """REML estimates of the bivariate model."""
        return maximise_many(self.template, self.log_hr, "reml", se=self.se, rho_within=self.rho_assumed)

    def effects(self, i: int) -> Effects:
        """Return data set ``i`` for a model."""
        scenario = self.scenario
        return Effects.from_arrays(
            self.log_hr[i],
            self.se[i],
            scenario.rho_assumed,
            self.n[i],
            scenario.trials,
            control_group=scenario.control_groups,
            name="simulated",
        )

    def generator(self, number: int) -> np.random.Generator:
        """Return the generator of the random numbers of a procedure, each with a different number."""
        return np.random.default_rng([self.seed, self.scenario.k, number])


def draw_sets(scenario: Scenario, seed: int) -> SimulatedSets:
    """Draw the data sets of a chunk.

    The data sets depend on the seed and the scenario, but not on its topic, so that all topics examine the same sets.

    Examples
    --------
    >>> from surrogacy.simulation.scenarios import scenarios
    >>> draw_sets(scenarios("correlation")[0], 1).log_hr.shape
    (500, 6, 2)
    """
    generator = np.random.default_rng([seed, scenario.k])
    shape = scenario.data_sets, scenario.k
    sizes = scenario.patients * np.exp(scenario.size_spread * generator.standard_normal(shape))
    n = np.maximum(np.round(sizes), 1.0)
    noise = np.exp(scenario.se_spread * generator.standard_normal((*shape, 2)))
    pairs = 2 * scenario.shared_arms
    for values in (n, noise):  # the two comparisons of a trial are of equal size
        values[:, 1:pairs:2] = values[:, 0:pairs:2]
    se = np.sqrt(np.array(scenario.unit_variance) / n[..., None]) * noise
    true = np.array(scenario.mean) + generator.standard_normal((*shape, 2)) @ _root(scenario.between).T
    within = np.array([[1.0, scenario.rho_within], [scenario.rho_within, 1.0]])
    errors = generator.standard_normal((*shape, 2)) @ _root(within).T
    if pairs:
        # the common control arm contributes half of the sampling variance of each comparison
        control = generator.standard_normal((scenario.data_sets, scenario.shared_arms, 2)) @ _root(within).T
        errors[:, :pairs] = (errors[:, :pairs] + np.repeat(control, 2, axis=1)) / np.sqrt(2)
    return SimulatedSets(scenario, seed, n, true + se * errors, se)


def _root(covariance: FloatArray) -> FloatArray:
    """Square root of a covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
