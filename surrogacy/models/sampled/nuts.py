"""Common parts of the sampled models: priors as random variables, a run of NUTS and its summaries.

A model is compiled once and can be refitted to other data (`compile_model`, `refit`), because compiling takes seconds
and sampling twenty trials a tenth of a second. Numba's fast mathematics is switched off: with it the draws for one seed
depend on the state of the compilation cache.

References
----------
Hoffman, Gelman (2014), The No-U-Turn Sampler, J Mach Learn Res 15, 1593-1623.
Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), R-hat and effective sample size, doi:10.1214/20-BA1221.
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import nutpie
import pymc as pm
import xarray as xr
from pytensor.configdefaults import config

from surrogacy.arrays import FloatArray
from surrogacy.effects import Effects, unit_variance
from surrogacy.errors import FitError, UsageError
from surrogacy.models import Capability
from surrogacy.models.exact.bivariate_posterior import QUANTITIES
from surrogacy.models.priors import Beta, HalfNormal, HalfStudentT, Normal, Uniform
from surrogacy.models.sampled.blocks import Arrays, data_of, layouts
from surrogacy.models.sampled.diagnostics import diagnose
from surrogacy.models.sampled.draws import SampledPosterior
from surrogacy.models.settings import Setting, check_new_n, priors_in_words
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.levels import LEVEL, confidence_level, settle_level
from surrogacy.results.requirements import Requirement, UsablePart, usable_part
from surrogacy.results.result import Result
from surrogacy.stats.lines import NEEDS_PATIENTS, data_range
from surrogacy.stats.mixture_line import MixtureLine
from surrogacy.stats.thresholds import threshold_caveats

LINE_DRAWS = 4000  # sufficient for a band; the time for quantiles of the mixture is proportional to it
# Both are ratios with tau_surrogate in the denominator: no finite variance under a prior with positive density at 0.
NO_VARIANCE = ("slope", "intercept")

Prior = HalfNormal | HalfStudentT | Uniform | Beta | Normal
NewTrialLine = tuple[FloatArray, FloatArray, FloatArray]  # intercept, slope and residual SD, draw by draw


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Compile without Numba's fast mathematics, so that the result for a seed does not depend on cached code."""
    with config.change_flags(numba__fastmath=False):
        yield


def random_variable(name: str, prior: Prior, **keywords: Any) -> Any:
    """Add a variable with a prior of `surrogacy.models.priors` to the PyMC model of the current context.

    A Beta on (low, high) becomes ``<name>_unit`` on (0, 1) and its linear transformation ``name``. ``keywords`` are
    those of PyMC (``dims``).
    """
    match prior:
        case HalfNormal(scale):
            return pm.HalfNormal(name, sigma=scale, **keywords)
        case HalfStudentT(scale, degrees):
            return pm.HalfStudentT(name, nu=degrees, sigma=scale, **keywords)
        case Uniform(low, high):
            return pm.Uniform(name, low, high, **keywords)
        case Normal(mean, sd):
            return pm.Normal(name, mean, sd, **keywords)
        case Beta(a, b, low, high):
            unit = pm.Beta(f"{name}_unit", a, b, **keywords)
            return pm.Deterministic(name, low + (high - low) * unit, dims=keywords.get("dims"))
    raise UsageError(f"{name}: the prior {prior} cannot be sampled")


def compile_model(model: pm.Model) -> Any:
    """Compile a model for nutpie; its ``pm.Data`` can be replaced later (see `refit`)."""
    with exact_arithmetic():
        return nutpie.compile_pymc_model(model)


def run(
    compiled: Any,
    *,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = 0,
    target_accept: float = 0.95,
    progress: bool | None = None,
) -> xr.DataTree:
    """Sample a compiled model.

    Parameters
    ----------
    compiled
        Result of `compile_model`.
    draws, tune : int
        Draws per chain that are kept, and discarded.
    chains, seed : int
        Number of chains, and the seed of all of them.
    target_accept : float
        Target acceptance probability.
    progress : bool, optional
        Whether to show progress; default: on a terminal only.

    Returns
    -------
    DataTree
        With the groups posterior and sample_stats.
    """
    tree: xr.DataTree = nutpie.sample(
        compiled,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=min(chains, os.cpu_count() or 1),
        seed=seed,
        target_accept=target_accept,
        save_warmup=False,
        progress_bar=sys.stderr.isatty() if progress is None else progress,
    )
    return tree


def sample(model: pm.Model, **settings: Any) -> xr.DataTree:
    """Compile a model and sample it; see `run` for the settings."""
    return run(compile_model(model), **settings)


def refit(compiled: Any, data: Arrays, **settings: Any) -> xr.DataTree:
    """Sample a compiled model with other values of its ``pm.Data``, of any length; see `run` for the settings.

    Raises
    ------
    UsageError
        If the model has no ``pm.Data`` with one of the names.
    """
    try:
        return run(compiled.with_data(**data), **settings)
    except KeyError as error:
        raise UsageError(f"the compiled model has no data named {error.args[0]}") from error


def estimates_of(
    draws: Mapping[str, FloatArray], level: float = LEVEL, no_variance: Sequence[str] = NO_VARIANCE
) -> dict[str, Estimate]:
    """Posterior medians, equal-tailed intervals and posterior SDs from (chain, draw) arrays.

    Quantities in ``no_variance`` have no finite posterior SD; theirs is None.
    """
    level = confidence_level(level)
    estimates = {}
    for name, values in draws.items():
        low, median, high = map(float, np.quantile(values, (0.5 - level / 2, 0.5, 0.5 + level / 2)))
        sd = None if name.split("[")[0] in no_variance else float(values.std(ddof=1))
        kind = f"posterior median, equal-tailed; {values.size} draws of NUTS"
        estimates[name] = Estimate(median, sd, low, high, level, kind)
    return estimates


def line_of(
    effects: Effects, intercept: FloatArray, slope: FloatArray, sigma: FloatArray, new_n: float | None = None
) -> MixtureLine:
    """Surrogacy line for a new trial from (draws,) arrays, thinned to about `LINE_DRAWS` posterior draws."""
    variance = unit_variance(effects)
    if new_n is not None and np.isnan(variance):
        raise UsageError(NEEDS_PATIENTS)
    thin = slice(None, None, max(1, intercept.size // LINE_DRAWS))
    nodes = intercept[thin].size
    medians = float(np.median(intercept)), float(np.median(slope))
    draws = np.full(nodes, 1 / nodes), intercept[thin], np.zeros(nodes), slope[thin], sigma[thin]
    return MixtureLine(*medians, *draws, variance, new_n, data_range(effects))


@dataclass(frozen=True, kw_only=True)
class Sampled(ABC):
    """Settings and steps common to the sampled models.

    Parameters
    ----------
    draws, tune, chains, seed : int
    target_accept : float
        Settings of the sampler, see `run`.
    new_n : float, optional
        Number of patients of the new trial that predictions are made for; default: predict its true effect.
    level : float
        Level of the intervals.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = 0
    target_accept: float = 0.95
    new_n: float | None = None
    level: float = LEVEL

    # scalar variables of the PyMC model that are reported
    reported: ClassVar[tuple[str, ...]] = QUANTITIES
    requires: ClassVar[frozenset[Requirement]] = frozenset({Requirement.STANDARD_ERRORS})
    fewest: ClassVar[int] = 3
    # whether a compiled model can be refitted to other data: not if every comparison has its own parameter
    refittable: ClassVar[bool] = True
    by_comparison: ClassVar[bool] = False  # whether means and covariances of the true effects vary over comparisons

    def __post_init__(self) -> None:
        settle_level(self)
        check_new_n(self.new_n)
        if min(self.draws, self.tune, self.chains) < 1:
            raise UsageError("draws, tune and chains must be at least 1")
        if not 0 < self.target_accept < 1:
            raise UsageError(f"target_accept must lie between 0 and 1; got {self.target_accept:g}")
        for field in fields(self):
            prior, lowest = getattr(self, field.name), -1.0 if field.name.startswith("rho") else 0.0
            if isinstance(prior, Uniform | Beta) and (prior.low < lowest or (lowest < 0 and prior.high > 1)):
                raise UsageError(f"prior of {field.name}: {prior} extends beyond the range of the parameter")

    @property
    @abstractmethod
    def name(self) -> str:
        """Name on the command line."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Evaluations that it allows beyond its fit."""
        refits = {Capability.REFITS} if self.refittable else set()
        return frozenset(refits | {Capability.POWER_SCALING})

    def data(self, effects: Effects) -> Arrays:
        """Arrays of the model's ``pm.Data``."""
        return data_of(layouts(effects), by_comparison=self.by_comparison)

    @abstractmethod
    def build(self, effects: Effects) -> pm.Model:
        """PyMC model of these effects."""

    def check(self, effects: Effects) -> None:
        """Refuse effects that the model cannot be fitted to.

        Raises
        ------
        FitError
        """
        if len(effects) < 3 or np.any((~np.isnan(effects.log_hr)).sum(axis=0) < 2):
            raise FitError(f"{effects.name or 'these effects'}: {len(effects)} comparisons; a bivariate model needs 3")

    @property
    def no_variance(self) -> tuple[str, ...]:
        """Quantities without a finite posterior variance; empty if the slope itself has a prior."""
        return NO_VARIANCE

    @property
    def sampler(self) -> dict[str, float]:
        """Keywords of `run`."""
        return {name: getattr(self, name) for name in ("draws", "tune", "chains", "seed", "target_accept")}

    @property
    def record(self) -> dict[str, Setting]:
        """Settings for the record, with the priors in words."""
        record: dict[str, Setting] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            record |= priors_in_words(self, [field.name]) if isinstance(value, Prior) else {field.name: value}
        return record

    def fit(self, effects: Effects) -> Result:
        """Sample and summarise.

        Raises
        ------
        FitError
            If the model cannot be fitted to these effects.
        MissingDataError
            If fewer than three comparisons have standard errors.
        """
        part = usable_part(effects, self.requires, self.fewest)
        self.check(part.effects)
        return self._result_of(part, sample(self.build(part.effects), **self.sampler))

    def fit_many(self, data: Sequence[Effects]) -> list[Result]:
        """Fit many data sets; a compiled model serves all data sets with the same layout.

        Models with a latent variable per comparison, or with a parameter per level of a covariate, are compiled for
        each data set, which takes some seconds.
        """
        compiled: dict[tuple[str, ...], Any] = {}
        results = []
        for effects in data:
            part = usable_part(effects, self.requires, self.fewest)
            self.check(part.effects)
            arrays = self.data(part.effects)
            shape = tuple(sorted(arrays))
            if shape not in compiled or not self.refittable:
                compiled[shape] = compile_model(self.build(part.effects))
            results.append(self._result_of(part, refit(compiled[shape], arrays, **self.sampler)))
        return results

    def _result_of(self, part: UsablePart, tree: xr.DataTree) -> Result:
        """Result of a run, with the comparisons that are left out."""
        result = self.result(part.effects, tree)
        caveats = result.caveats + part.caveats
        return replace(result, caveats=caveats, requires=self.requires, left_out=part.left_out)

    def result(self, effects: Effects, tree: xr.DataTree) -> Result:
        """Result of a run."""
        failed = diagnose(tree)
        estimates: dict[str, Estimate | ThresholdEffect] = {}
        estimates |= estimates_of(self.quantities(tree), self.level, self.no_variance)
        line, new_trial = None, self.new_trial(tree)
        if new_trial is not None:
            intercept, slope, sigma = (values.ravel() for values in new_trial)
            line = line_of(effects, intercept, slope, sigma, self.new_n)
            estimates |= line.thresholds(self.level)
        caveats = effects.caveats + failed + threshold_caveats(estimates, effects)
        posterior = SampledPosterior(tree)
        result = Result(self.name, self.record, effects, estimates, line, posterior, caveats=caveats)
        return replace(result, converged=not failed)

    def new_trial(self, tree: xr.DataTree) -> NewTrialLine | None:
        """Line of a new trial, draw by draw; None if the model does not have a single line."""
        intercept, slope, sigma = (np.asarray(tree["posterior"][name]) for name in ("intercept", "slope", "sigma_cond"))
        return intercept, slope, sigma

    def quantities(self, tree: xr.DataTree) -> dict[str, FloatArray]:
        """(chain, draw) arrays of the reported quantities."""
        return {name: np.asarray(tree["posterior"][name]) for name in self.reported}
