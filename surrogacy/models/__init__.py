"""Models of trial-level surrogacy; each is a frozen dataclass of settings with ``fit(effects)``."""

from __future__ import annotations

from enum import Enum, auto
from importlib import import_module
from typing import Any, Protocol

from surrogacy.effects import Effects
from surrogacy.errors import UsageError
from surrogacy.results.requirements import Requirement
from surrogacy.results.result import Result

# name on the command line -> where the class is, and the settings that make the name
REGISTRY: dict[str, tuple[str, str, dict[str, Any]]] = {
    "weighted-pearson": ("surrogacy.models.correlation", "WeightedPearson", {}),
    "weighted-regression": ("surrogacy.models.regression", "WeightedRegression", {}),
    "bivariate-ml": ("surrogacy.models.bivariate", "BivariateRandomEffects", {"method": "ml"}),
    "bivariate-reml": ("surrogacy.models.bivariate", "BivariateRandomEffects", {"method": "reml"}),
    "bivariate-bayes": ("surrogacy.models.bivariate_bayes", "BivariateBayes", {}),
    "daniels-hughes": ("surrogacy.models.daniels_hughes", "DanielsHughes", {}),
    # sampled by NUTS: nothing in closed form is known
    "product-normal": ("surrogacy.models.sampled.product_normal", "ProductNormal", {}),
    "student-t": ("surrogacy.models.sampled.student_t", "StudentT", {}),
    "class-exchangeable": (
        "surrogacy.models.sampled.class_exchangeable",
        "ClassExchangeable",
        {"exchangeability": "full"},
    ),
    "class-partial": (
        "surrogacy.models.sampled.class_exchangeable",
        "ClassExchangeable",
        {"exchangeability": "partial"},
    ),
    "moderated": ("surrogacy.models.sampled.moderated_line", "SampledModeratedLine", {}),
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


class Model(Protocol):
    """Model of trial-level surrogacy."""

    @property
    def name(self) -> str:
        """Name on the command line."""
        ...

    @property
    def requires(self) -> frozenset[Requirement]:
        """Quantities that it needs from each comparison; others are left out of the fit and named in the result."""
        ...

    @property
    def fewest(self) -> int:
        """Number of comparisons without which it cannot be fitted."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Evaluations that it allows beyond its fit."""
        ...

    def fit(self, effects: Effects) -> Result:
        """Fit the model."""
        ...


def create(name: str, **settings: Any) -> Model:
    """Make a model by its command-line name.

    Settings that the model does not have are left out, so that one set of options serves all models.

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
        raise UsageError(f"unknown model {name!r}; choose from {', '.join(REGISTRY)}")
    module, attribute, fixed = REGISTRY[name]
    model = getattr(import_module(module), attribute)
    known = {key: value for key, value in settings.items() if key in model.__dataclass_fields__}
    instance: Model = model(**{**known, **fixed})
    return instance


def __getattr__(attribute: str) -> Any:
    """Import a model class when it is first asked for, so that its dependencies load only then."""
    for module, class_name, _ in REGISTRY.values():
        if class_name == attribute:
            return getattr(import_module(module), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
