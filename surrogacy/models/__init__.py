"""Models of trial-level surrogacy: frozen dataclasses of settings with a method ``fit(effects)``.

Examples
--------
>>> from surrogacy.models import WeightedPearson
>>> WeightedPearson(weights="none").name
'weighted-pearson'
"""

from __future__ import annotations

from enum import Enum, auto
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.results.requirements import NeedsData
from surrogacy.results.result import Result
from surrogacy.results.suggestions import unknown_name


class RegistryEntry(NamedTuple):
    """Class of a model, and the settings that belong to its name."""

    module: str
    class_name: str
    settings: dict[str, str]


# by the name on the command line
REGISTRY: dict[str, RegistryEntry] = {
    name: RegistryEntry(f"surrogacy.models.{module}", class_name, settings)
    for name, module, class_name, settings in (
        ("weighted-pearson", "correlation", "WeightedPearson", {}),
        ("weighted-regression", "regression", "WeightedRegression", {}),
        ("bivariate-ml", "bivariate", "BivariateRandomEffects", {"method": "ml"}),
        ("bivariate-reml", "bivariate", "BivariateRandomEffects", {"method": "reml"}),
        ("bivariate-bayes", "bivariate_bayes", "BivariateBayes", {}),
        ("daniels-hughes", "daniels_hughes", "DanielsHughes", {}),
        # sampled by NUTS, because no closed form is known
        ("product-normal", "sampled.product_normal", "ProductNormal", {}),
        ("student-t", "sampled.student_t", "StudentT", {}),
        ("class-exchangeable", "sampled.class_exchangeable", "ClassExchangeable", {"exchangeability": "full"}),
        ("class-partial", "sampled.class_exchangeable", "ClassExchangeable", {"exchangeability": "partial"}),
        ("moderated", "sampled.moderated_line", "SampledModeratedLine", {}),
    )
}


class Capability(Enum):
    """Evaluation that a model allows beyond its fit."""

    REFITS = auto()
    """It is fast enough to be refitted without each trial, in each subgroup and with each choice varied."""
    WITHIN_TRIAL_CORRELATIONS = auto()
    """It is refitted over a grid of within-trial correlations."""
    PROFILE_INTERVALS = auto()
    """Its intervals are profile-likelihood intervals, which take seconds per refit."""
    INTERVAL_METHODS = auto()
    """Intervals of the correlation of the true effects are computed from it by every published method."""
    PRIORS = auto()
    """It is refitted with other priors."""
    POWER_SCALING = auto()
    """Its draws allow prior and posterior predictive checks and power scaling."""
    REGRESSION_DIAGNOSTICS = auto()
    """Leverage, residuals and Cook's distance of each comparison are defined."""


class Model(NeedsData, Protocol):
    """Model of trial-level surrogacy."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Evaluations that it allows beyond its fit."""
        ...

    def fit(self, effects: Effects) -> Result:
        """Fit the model."""
        ...


def create(name: str, **settings: Any) -> Model:
    """Create a model by its name on the command line.

    Settings that the model does not have are ignored, so that all models accept the same options.

    Raises
    ------
    UsageError
        If no model has this name.

    Examples
    --------
    >>> create("weighted-pearson", weights="none").name
    'weighted-pearson'
    """
    if name not in REGISTRY:
        raise UsageError(unknown_name(f"unknown model {name!r}", name, REGISTRY))
    entry = REGISTRY[name]
    model_class = getattr(import_module(entry.module), entry.class_name)
    known = {key: value for key, value in settings.items() if key in model_class.__dataclass_fields__}
    model: Model = model_class(**known | entry.settings)
    return model


def __getattr__(attribute: str) -> Any:
    """Import a model class on first use, so that its dependencies are loaded only then."""
    for entry in REGISTRY.values():
        if entry.class_name == attribute:
            return getattr(import_module(entry.module), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
