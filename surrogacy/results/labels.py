"""Labels of weights, estimates, models and endpoints, for screen, figure and table alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.endpoint_names import final_name

Weights = Literal["n", "events", "inverse-variance", "sqrt-n", "none"]


@dataclass(frozen=True, eq=False)
class ComparisonWeights:
    """Weights of the comparisons in a correlation or a regression.

    Parameters
    ----------
    name : {"n", "events", "inverse-variance", "sqrt-n", "none"}
    values : (k,) array
    """

    name: Weights
    values: FloatArray

    @classmethod
    def by_patients(cls, effects: Effects) -> ComparisonWeights:
        """Weights by the number of patients; equal ones where a comparison does not state it."""
        known = bool(np.isfinite(effects.n).all())
        return cls("n", effects.n) if known else cls("none", np.ones(len(effects)))


WORDS: dict[Weights, str] = {
    "n": "number of patients",
    "events": "{final} events",
    "inverse-variance": "1 / variance of log HR({final})",
    "sqrt-n": "square root of the number of patients",
    "none": "unweighted",
}


IN_WORDS: dict[str, str] = {weights: words.format(final="OS") for weights, words in WORDS.items()}


def weights_in_words(weights: Weights, effects: Effects) -> str:
    """Return the weights in words, with the name of the final endpoint of the set."""
    return WORDS[weights].format(final=final_name(effects))
