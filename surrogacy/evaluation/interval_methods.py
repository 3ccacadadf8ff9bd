"""Published recipes for the interval of a trial-level correlation and of its square, side by side.

The same trials give other limits by other recipes, and papers seldom state theirs. Those of Fisher, Wald and the
bootstrap over trials are of the correlation of the *estimated* effects (weighted Pearson); delta, atanh-t, profile and
the parametric bootstrap are of the correlation of the *true* effects (a bivariate model, which is an argument).

    fisher            tanh(atanh r -+ z / sqrt(N - 3))
    wald-n-3          R2 -+ z sqrt(4 R2 (1 - R2)^2 / (N - 3)), cut at 0 and 1
    wald-n            the same with N
    wald-untruncated  as wald-n-3, not cut
    delta             R2 -+ z SE, SE^2 = g' Cov(T) g, not cut
    atanh-t           tanh(atanh rho -+ t_{N-1} SE / (1 - rho^2))

N counts trials, also where r is weighted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from surrogacy.arrays import FloatArray, IntArray
from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.models.weights import usable_comparisons, weights_of
from surrogacy.results.labels import Weights
from surrogacy.results.levels import LEVEL, confidence_level
from surrogacy.results.result import Result
from surrogacy.stats import correlation
from surrogacy.stats.bootstrap import percentiles, resampled_r
from surrogacy.stats.correlation import Limits, atanh_t, wald_r2

Found = tuple[float | None, Limits, str]
Progress = Callable[[int, int], None]
ESTIMATED, TRUE = "estimated effects", "true effects"
FEW_TRIALS = 10  # below this a bootstrap over trials is far too narrow
ON_BOUNDARY = "the fit lies on the boundary"


class Fits(Protocol):
    """A bivariate model, as the recipes need it."""

    def fit(self, effects: Effects) -> Result:
        """Fit the model."""
        ...


def simulator(effects: Effects, mu: FloatArray, between: FloatArray) -> Callable[[np.random.Generator], Effects]:
    """Return a function that draws sets like ``effects`` from a bivariate model, ``y ~ N(mu, T + S)``.

    ``mu`` is (2,), ``between`` the (2, 2) covariance T of the true effects; standard errors and missing endpoints are
    kept, and comparisons with one control arm are drawn together.
    """
    roots: list[tuple[IntArray, FloatArray]] = []
    for members in effects.dependent_groups():
        sampling = np.block([[effects.covariance_between(i, j) for j in members] for i in members])
        # a missing endpoint has no error variance: drawn, and left out again below
        variance = np.nan_to_num(sampling) + np.kron(np.eye(len(members)), between)
        values, vectors = np.linalg.eigh(variance)
        roots.append((members, vectors * np.sqrt(np.maximum(values, 0.0))))
    missing = np.isnan(effects.log_hr)

    def draw(generator: np.random.Generator) -> Effects:
        log_hr = np.empty_like(effects.log_hr)
        for members, root in roots:
            log_hr[members] = mu + (root @ generator.standard_normal(len(root))).reshape(-1, 2)
        return replace(effects, log_hr=np.where(missing, np.nan, log_hr))

    return draw


def refitted_rho(
    model: Fits, result: Result, resamples: int = 200, seed: int = 0, progress: Progress | None = None
) -> tuple[FloatArray, int]:
    """Parametric bootstrap: rho_between of sets simulated from a fit and fitted again.

    Parameters
    ----------
    model, result
        A bivariate model (refitted without profile intervals, which percentiles do not need) and its own fit.
    resamples, seed : int
    progress : callable, optional
        Called with (done, of) after each refit.

    Returns
    -------
    rho : array
    failed : int
        Sets that gave no correlation: tau = 0, or no maximum found.

    References
    ----------
    Efron, Tibshirani (1986), doi:10.1214/ss/1177013815.
    """
    m1, m2, t1, t2, rho = _moments(result)
    between = np.array([[t1**2, rho * t1 * t2], [rho * t1 * t2, t2**2]])
    fields: Any = getattr(model, "__dataclass_fields__", {})
    lean: Fits = replace(model, interval="delta") if "interval" in fields else model  # type: ignore[type-var]
    draw = simulator(result.effects, np.array([m1, m2]), between)
    generator = np.random.default_rng(seed)
    found = np.full(resamples, np.nan)
    for i in range(resamples):
        with suppress(FitError):
            refitted = lean.fit(draw(generator))["rho_between"].value
            found[i] = np.nan if refitted is None else refitted
        if progress is not None:
            progress(i + 1, resamples)
    kept = found[np.isfinite(found)]
    return kept, resamples - len(kept)


def _moments(result: Result) -> list[float]:
    """Means, SDs and correlation of the true effects of a fit that has them."""
    names = ("mu_surrogate", "mu_final", "tau_surrogate", "tau_final", "rho_between")
    if result["rho_between"].value is None:
        raise FitError(
            f"{result.effects.name or 'these effects'}: a tau is 0, there is no correlation to simulate from"
        )
    return [float(result[name].value) for name in names]


@dataclass(frozen=True, eq=False)
class IntervalInputs:
    """Inputs of the recipes: the comparisons of the weighted correlation, and a bivariate fit to all of them."""

    effects: Effects
    weights: FloatArray
    r: float
    level: float
    resamples: int
    refits: int
    seed: int
    model: Fits | None
    fit: Result | None
    progress: Progress | None

    @property
    def trials(self) -> int:
        """Number of trials of the weighted correlation."""
        return len(self.effects.trials)

    @property
    def fitted(self) -> Result:
        """The bivariate fit; a recipe that asks for it is made only where there is one."""
        assert self.fit is not None
        return self.fit

    @property
    def boundary(self) -> str:
        """A note, where the bivariate fit lies on the boundary."""
        return ON_BOUNDARY if self.fitted.on_boundary else ""


@dataclass(frozen=True)
class IntervalMethod:
    """A way to an interval.

    ``of`` names the quantity (an interval of r is squared as well), ``correlates`` the effects that are correlated,
    estimated or true, ``source`` a DOI (empty where none could be verified); ``make`` returns value, limits and note.
    """

    of: Literal["r", "R2"]
    correlates: str
    formula: str
    source: str
    make: Callable[[IntervalInputs], Found]


@dataclass(frozen=True)
class Interval:
    """An interval by one recipe; ``low`` and ``high`` are None where the recipe gives none, and ``note`` says why."""

    recipe: str
    of: Literal["r", "R2"]
    correlates: str
    value: float | None
    low: float | None
    high: float | None
    level: float
    trials: int
    formula: str
    source: str
    note: str = ""


def _fisher(m: IntervalInputs) -> Found:
    return m.r, correlation.fisher_interval(m.r, m.trials, m.level), "" if m.trials > 3 else "Fisher z needs 4 trials"


def _wald(lost: Literal[0, 3], truncated: bool) -> Callable[[IntervalInputs], Found]:
    def make(m: IntervalInputs) -> Found:
        limits = wald_r2(m.r**2, m.trials, m.level, lost=lost, truncated=truncated)
        return m.r**2, limits, f"needs {lost + 1} trials and R2 < 1" if limits[0] is None else ""

    return make


def _bootstrap_trials(m: IntervalInputs) -> Found:
    sample = resampled_r(m.effects, m.weights, m.resamples, np.random.default_rng(m.seed))
    lost = int((~np.isfinite(sample)).sum())
    notes = [f"{m.trials} trials: too narrow"] if m.trials < FEW_TRIALS else []
    notes += [f"{lost} of {m.resamples} samples without a correlation left out"] if lost else []
    return m.r, percentiles(sample, m.level), "; ".join(notes)


def _delta(m: IntervalInputs) -> Found:
    r2 = m.fitted["r2_trial"]
    none = r2.value is None or r2.se is None
    return (
        r2.value,
        (None, None) if none else wald_r2(r2.value, m.trials, m.level, truncated=False, se=r2.se),
        m.boundary,
    )


def _atanh_t(m: IntervalInputs) -> Found:
    rho = m.fitted["rho_between"]
    none = rho.value is None or rho.se is None
    return (
        rho.value,
        (None, None) if none else atanh_t(rho.value, rho.se, len(m.fitted.effects.trials), m.level),
        m.boundary,
    )


def _profile(m: IntervalInputs) -> Found:
    rho = m.fitted["rho_between"]
    if m.fitted.settings.get("interval") != "profile" or "rho_between_delta" not in m.fitted.estimates:
        return rho.value, (None, None), m.boundary or "the model was fitted without profile intervals"
    return rho.value, (rho.low, rho.high), m.boundary


def _bootstrap_parametric(m: IntervalInputs) -> Found:
    rho = m.fitted["rho_between"]
    if rho.value is None or m.model is None:
        return rho.value, (None, None), m.boundary
    sample, failed = refitted_rho(m.model, m.fitted, m.refits, m.seed, m.progress)
    notes = [m.boundary] if m.boundary else []
    notes += (
        [f"{np.mean(np.abs(sample) > 1 - 1e-9):.0%} of {len(sample)} refits with rho = -1 or 1"] if len(sample) else []
    )
    notes += [f"{failed} of {m.refits} refits without a correlation left out"] if failed else []
    return rho.value, percentiles(sample, m.level), "; ".join(notes)


CORTINAS = "10.1016/j.csda.2003.12.003"
INTERVAL_METHODS: dict[str, IntervalMethod] = {
    "fisher": IntervalMethod(
        "r", ESTIMATED, "tanh(atanh r -+ z / sqrt(N - 3))", "10.1016/S1470-2045(14)70007-5", _fisher
    ),
    "wald-n-3": IntervalMethod(
        "R2", ESTIMATED, "R2 -+ z sqrt(4 R2 (1 - R2)^2 / (N - 3)), cut at 0 and 1", CORTINAS, _wald(3, True)
    ),
    "wald-n": IntervalMethod(
        "R2", ESTIMATED, "R2 -+ z sqrt(4 R2 (1 - R2)^2 / N), cut at 0 and 1", "10.1093/jnci/djt270", _wald(0, True)
    ),
    "wald-untruncated": IntervalMethod(
        "R2", ESTIMATED, "R2 -+ z sqrt(4 R2 (1 - R2)^2 / (N - 3))", "10.1200/JCO.2007.11.8836", _wald(3, False)
    ),
    "bootstrap-trials": IntervalMethod(
        "r", ESTIMATED, "percentiles over trials drawn with replacement", "10.1214/aos/1176344552", _bootstrap_trials
    ),
    "delta": IntervalMethod("R2", TRUE, "R2 -+ z SE, SE^2 = g' Cov(T) g", "10.1111/1467-9876.00244", _delta),
    "atanh-t": IntervalMethod("r", TRUE, "tanh(atanh rho -+ t(N - 1) SE / (1 - rho^2))", "", _atanh_t),
    "profile": IntervalMethod("r", TRUE, "2 (l_max - l(rho)) <= chi2(1)", "10.1002/sim.1040", _profile),
    "bootstrap-parametric": IntervalMethod(
        "r", TRUE, "percentiles of refits to sets drawn from the fit", "10.1214/ss/1177013815", _bootstrap_parametric
    ),
}


def all_intervals(
    effects: Effects,
    model: Fits | None = None,
    *,
    weights: Weights = "n",
    recipes: Sequence[str] | None = None,
    level: float = LEVEL,
    resamples: int = 5000,
    refits: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Interval]:
    """Intervals of r and R2 of one set by every recipe.

    Parameters
    ----------
    effects : Effects
    model : bivariate model, optional
        `BivariateRandomEffects`, with profile intervals; without it the recipes of the true effects are left out.
    weights : {"n", "events", "inverse-variance", "sqrt-n", "none"}
        Of the weighted correlation.
    recipes : sequence of str, optional
        Names in `INTERVAL_METHODS`; default: all that can be made.
    level : float
    resamples, refits, seed : int
        Of the bootstrap over trials, and of the parametric one.
    progress : callable, optional
        Called with (done, of) after each refit of the parametric bootstrap.

    Returns
    -------
    list of Interval
        A recipe for r gives two: r, and its square.

    Raises
    ------
    UsageError
        If a recipe is not known, or needs a model and has none.

    Examples
    --------
    >>> import surrogacy
    >>> effects = surrogacy.read_trials().analysis_set("llovet-2019-pfs")
    >>> [f"{found.of} {found.low:.2f} to {found.high:.2f}" for found in all_intervals(effects, recipes=["fisher"])]
    ['r 0.62 to 0.95', 'R2 0.38 to 0.90']
    """
    level = confidence_level(level)
    wanted = list(INTERVAL_METHODS if recipes is None else recipes)
    unknown = [name for name in wanted if name not in INTERVAL_METHODS]
    if unknown:
        raise UsageError(f"unknown interval {unknown[0]!r}; choose from {', '.join(INTERVAL_METHODS)}")
    if model is None and recipes is not None and any(INTERVAL_METHODS[name].correlates == TRUE for name in wanted):
        raise UsageError("intervals of the correlation of the true effects need a bivariate model")
    wanted = [name for name in wanted if model is not None or INTERVAL_METHODS[name].correlates == ESTIMATED]
    data, _ = usable_comparisons(effects, weights)
    weight, _ = weights_of(data, weights)
    r = float(correlation.weighted_pearson(data.log_hr[:, 0], data.log_hr[:, 1], weight))
    fit = None
    if model is not None and any(INTERVAL_METHODS[name].correlates == TRUE for name in wanted):
        if "level" in getattr(model, "__dataclass_fields__", {}):
            model = replace(model, level=level)  # type: ignore[type-var]
        fit = model.fit(effects)
    material = IntervalInputs(data, weight, r, level, resamples, refits, seed, model, fit, progress)
    found: list[Interval] = []
    for name in wanted:
        recipe = INTERVAL_METHODS[name]
        value, limits, note = recipe.make(material)
        trials = material.trials if recipe.correlates == ESTIMATED else len(material.fitted.effects.trials)
        made: tuple[Any, ...] = (level, trials, recipe.formula, recipe.source, note)
        found.append(Interval(name, recipe.of, recipe.correlates, value, *limits, *made))
        if recipe.of == "r":
            square = None if value is None else value**2
            found.append(Interval(name, "R2", recipe.correlates, square, *correlation.square_interval(*limits), *made))
    return found
