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
    """Class of a model, the settings that belong to its name, and its main estimates, the association first."""

    module: str
    class_name: str
    settings: dict[str, str]
    headline: tuple[str, ...]


LINE = "slope", "ste_prediction"
# By the name on the command line. The first one that was fitted is quoted: models that allow for the sampling errors of
# both effects precede regression and correlation, and exact posteriors precede likelihoods, which have boundary
# solutions. Models without a closed form, sampled by NUTS, come last.
REGISTRY: dict[str, RegistryEntry] = {
    name: RegistryEntry(f"surrogacy.models.{module}", class_name, settings, headline)
    for name, module, class_name, settings, headline in (
        ("bivariate-bayes", "bivariate_bayes", "BivariateBayes", {}, ("r2_trial", *LINE)),
        (
            "bivariate-reml",
            "bivariate",
            "BivariateRandomEffects",
            {"method": "reml"},
            ("r2_trial", "rho_between", *LINE),
        ),
        ("bivariate-ml", "bivariate", "BivariateRandomEffects", {"method": "ml"}, ("r2_trial", "rho_between", *LINE)),
        ("daniels-hughes", "daniels_hughes", "DanielsHughes", {}, ("sigma_cond", *LINE)),
        ("meta-regression", "meta_regression", "MetaRegression", {}, ("sigma_cond", *LINE)),
        ("weighted-regression", "regression", "WeightedRegression", {}, ("r2_trial", *LINE)),
        ("weighted-pearson", "correlation", "WeightedPearson", {}, ("r",)),
        ("product-normal", "sampled.product_normal", "ProductNormal", {}, ("r2_trial", *LINE)),
        ("student-t", "sampled.student_t", "StudentT", {}, ("r2_trial", *LINE)),
        ("class-exchangeable", "sampled.class_exchangeable", "ClassExchangeable", {"exchangeability": "full"}, LINE),
        ("class-partial", "sampled.class_exchangeable", "ClassExchangeable", {"exchangeability": "partial"}, LINE),
        ("moderated", "sampled.moderated_line", "SampledModeratedLine", {}, LINE),
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
    META_REGRESSION_VARIANTS = auto()
    """Its results by every estimator and interval method are compared."""
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


def rank(name: str) -> int:
    """Return the place of a model in the order in which results are quoted; a model of a user comes last."""
    return list(REGISTRY).index(name) if name in REGISTRY else len(REGISTRY)


def headline(name: str) -> tuple[str, ...]:
    """Return the main estimates of a model, the association first; none for a model of a user."""
    return REGISTRY[name].headline if name in REGISTRY else ()


def __getattr__(attribute: str) -> Any:
    """Import a model class on first use, so that its dependencies are loaded only then."""
    for entry in REGISTRY.values():
        if entry.class_name == attribute:
            return getattr(import_module(entry.module), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
