"""Parts of the captions of several figures: the data, the intervals that are drawn, and what limits the result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import surrogacy
from surrogacy.results.endpoint_names import surrogate_names, with_article
from surrogacy.results.format import with_interval
from surrogacy.results.result import Result
from surrogacy.trials import TrialSet


def comparisons_of(result: Result) -> str:
    """Return the number of comparisons, trials and patients, and the name of the set."""
    effects = result.effects
    size = effects.n_patients
    patients = f", {size:,.0f} patients" if size == size else ""
    return f"{result.size} comparisons from {len(effects.trials)} trials{patients} (set {effects.name})"


def caveats_of(result: Result) -> str:
    """Return the caveats of a result as sentences."""
    return sentences("Caveat", result.problems)


def sentences(name: str, problems: Iterable[str]) -> str:
    """Return caveats as sentences that follow a caption."""
    return "".join(f" {name}: {problem}." for problem in problems)


def surrogates_of(result: Result) -> str:
    """Return the surrogate endpoints in running text."""
    return ", ".join(map(with_article, surrogate_names(result.effects)))


def intervals_drawn(result: Result, words: str) -> str:
    """Return a sentence on the intervals that are drawn, and on comparisons that are drawn without one."""
    effects = result.effects
    labels = [label for label, known in zip(effects.labels, effects.has_standard_errors, strict=True) if not known]
    if len(labels) == len(effects):
        return "No intervals are drawn: the standard errors are not known."
    return f"{words} Without an interval, as the standard error is not known: {', '.join(labels)}." if labels else words


def association(result: Result) -> str:
    """Return R², or the residual SD of a model that has no R²."""
    name, words = ("r2_trial", "trial-level R²") if "r2_trial" in result.estimates else ("sigma_cond", "residual SD")
    return f"{words} {with_interval(result[name])} ({result[name].method})"


def versions(trials: TrialSet, kind: Literal["data", "table"] = "data") -> str:
    """Return the version of the data, or the name of a user's table, and the version of the package."""
    return f"  ({kind} {trials.data_version}, version {surrogacy.__version__})"


def source(trials: TrialSet, kind: Literal["data", "table"]) -> str:
    """Return program and data with their versions, to stand in a sentence."""
    return f"surrogacy {surrogacy.__version__}, {kind} {trials.data_version}"
