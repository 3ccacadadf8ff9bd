"""Labels of estimates, models, endpoints, weights, choices and columns, worded once in ``labels.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects
from surrogacy.results.endpoint_names import LABELS, SURROGATE, final_name

Weights = Literal["n", "events", "inverse-variance", "sqrt-n", "none"]


@dataclass(frozen=True)
class Label:
    """Name of a quantity, model or endpoint for readers, with its definition.

    Parameters
    ----------
    text : str
        Label in tables and figures. ``{surrogate}`` and ``{final}`` stand for the endpoints of a set.
    definition : str
        One sentence, for the glossary.
    unit : str
        Unit of the value; empty for a number without a unit.

    Examples
    --------
    >>> ESTIMATES["tau_final"].name("OS"), ESTIMATES["tau_final"].unit
    ('SD of the true OS effects', 'log HR')
    """

    text: str
    definition: str
    unit: str = ""

    @property
    def with_unit(self) -> str:
        """The label with its unit, for a table of several quantities."""
        return f"{self.text}, {self.unit}" if self.unit else self.text

    def name(self, final: str, surrogate: str = LABELS[SURROGATE]) -> str:
        """Return the label with the names of the endpoints."""
        return _with_endpoints(self.text, final, surrogate)

    def describe(self, final: str, surrogate: str = LABELS[SURROGATE]) -> str:
        """Return the definition with the names of the endpoints."""
        text = _with_endpoints(self.definition, final, surrogate)
        return text[:1].upper() + text[1:]


def _with_endpoints(text: str, final: str, surrogate: str) -> str:
    return text.replace("{final}", final).replace("{surrogate}", surrogate)


_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _labels(group: str) -> dict[str, Label]:
    return {name: Label(**entry) for name, entry in _DATA[group].items()}


def _texts(labels: Mapping[str, Label]) -> dict[str, str]:
    return {name: label.text for name, label in labels.items()}


ESTIMATES = _labels("estimates")
MODELS = _labels("models")
ENDPOINTS = _labels("endpoints")
WEIGHTS = _labels("weights")
# Groups of the glossary, in its order.
GLOSSARY: dict[str, dict[str, Label]] = {
    "Endpoints": ENDPOINTS,
    "Estimates of the models": ESTIMATES,
    "Models": MODELS,
    "Weights": WEIGHTS,
    "Medians of arms": _labels("arm_estimates"),
    "Parts of the gap between PFS and OS": _labels("gap_parts"),
    "Hazard ratios of a decomposition": _labels("os_hazard_ratios"),
    "Planning a trial": _labels("planning"),
}
ARM_ESTIMATES = {name: label.with_unit for name, label in GLOSSARY["Medians of arms"].items()}
GAP_PARTS = _texts(GLOSSARY["Parts of the gap between PFS and OS"])
OS_HAZARD_RATIOS = _texts(GLOSSARY["Hazard ratios of a decomposition"])
SYMBOLS: dict[str, str] = _DATA["symbols"]
SUMMARIES: dict[str, str] = _DATA["summaries"]
CHOICES: dict[str, str] = _DATA["choices"]
CHOICE_VALUES: dict[str, str] = _DATA["choice_values"]
EVIDENCE_WORDS: dict[str, str] = _DATA["evidence"]
PARAMETERS: dict[str, str] = _DATA["parameters"]
PRIOR_SETS: dict[str, str] = _DATA["prior_sets"]
PRIOR_GROUPS: dict[str, dict[str, str]] = _DATA["prior_groups"]
CLASSES: dict[str, str] = _DATA["classes"]
CLASS_GROUPS: dict[str, list[str]] = _DATA["class_groups"]
POSITIONS: dict[str, str] = _DATA["positions"]
PPS_DEFINITIONS: dict[str, str] = _DATA["pps_definitions"]
MODERATORS: dict[str, str] = _DATA["moderators"]
VARIANCE_ESTIMATORS: dict[str, str] = _DATA["variance_estimators"]
INTERVAL_METHODS: dict[str, str] = _DATA["interval_methods"]
SURROGATE_ERRORS: dict[str, str] = _DATA["surrogate_errors"]
ASSUMPTION_KINDS: dict[str, str] = _DATA["assumption_kinds"]
HEADINGS: dict[str, str] = _DATA["headings"]


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
        """Weights by the number of patients; equal weights if a comparison does not state it."""
        known = bool(np.isfinite(effects.n).all())
        return cls("n", effects.n) if known else cls("none", np.ones(len(effects)))


def weights_in_words(weights: Weights, effects: Effects) -> str:
    """Return the weights in words, with the name of the final endpoint of the set."""
    return WEIGHTS[weights].name(final_name(effects))


def estimate_labels(final: str) -> dict[str, str]:
    """Return the labels of all estimates, with the name of the final endpoint."""
    return {name: label.name(final) for name, label in ESTIMATES.items()}


def estimate_label(name: str, final: str) -> str:
    """Return the label of an estimate, with its level or method.

    Parameters
    ----------
    name : str
        Key of the estimate: ``slope``, ``slope_delta`` (delta method) or ``slope[ici]`` (of one level).
    final : str
        Name of the final endpoint.

    Examples
    --------
    >>> estimate_label("r2_trial_delta", "OS"), estimate_label("slope[ici]", "OS")
    ('Trial-level R², delta method', 'Slope: ICI')
    """
    quantity, _, level = name.removesuffix("_delta").removesuffix("]").partition("[")
    label = ESTIMATES[quantity].name(final) if quantity in ESTIMATES else quantity
    if level:
        label = f"{label}: {CLASSES.get(level, level)}"
    return f"{label}, delta method" if name.endswith("_delta") else label


def model_label(name: str) -> str:
    """Return the name of a model for readers; a model that is not part of the package keeps its own.

    Examples
    --------
    >>> model_label("bivariate-reml")
    'bivariate REML'
    """
    return MODELS[name].text if name in MODELS else name.replace("-", " ")


def choice_heading(name: str) -> str:
    """Return the label of a choice as a heading."""
    return CHOICES[name].capitalize()
