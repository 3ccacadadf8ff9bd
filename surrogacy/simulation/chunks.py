"""Simulation of a chunk: the data sets of a scenario, and the intervals of every procedure of its topic."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol

from surrogacy.simulation.data_sets import SimulatedSets, draw_sets
from surrogacy.simulation.performance import Outcome
from surrogacy.simulation.scenarios import Scenario

# Module of each topic in this folder, which is imported when the topic is simulated.
TOPICS = {
    "models": "model_intervals",
    "correlation": "correlation_intervals",
    "prediction": "prediction_intervals",
    "threshold": "threshold_intervals",
    "meta-regression": "meta_regression",
    "two-sets": "setting_differences",
}


class Topic(Protocol):
    """Module of a topic."""

    def outcomes(self, sets: SimulatedSets) -> Iterable[Outcome]:
        """Compute the intervals of every procedure, and compare them with the true values."""
        ...


def simulate_chunk(scenario: Scenario, seed: int) -> tuple[Outcome, ...]:
    """Draw the data sets of a scenario, and apply every procedure of its topic.

    It is a pure function of its arguments: the result does not depend on other chunks or on the order of chunks.

    Parameters
    ----------
    scenario : Scenario
    seed : int
        Number of the chunk.

    Returns
    -------
    tuple of Outcome
        One per procedure and target, each with a row per data set.
    """
    topic: Topic = import_module(f"surrogacy.simulation.{TOPICS[scenario.topic]}")
    return tuple(topic.outcomes(draw_sets(scenario, seed)))
