"""Parts of the captions of several figures: the data, the intervals that are drawn, and what limits the result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import surrogacy
from surrogacy.report.section import PHRASES
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import surrogate_names, with_article
from surrogacy.results.format import with_interval
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result
from surrogacy.trials import TrialSet


def comparisons_of(result: Result) -> str:
    """Return the number of comparisons, trials and patients, and the label of the set."""
    effects = result.effects
    size = effects.n_patients
    patients = f", {size:,.0f} patients" if size == size else ""
    return f"{result.size} comparisons from {len(effects.trials)} trials{patients} ({set_label(effects.name)})"


def caption_of(
    shown: Iterable[str],
    details: Iterable[str] = (),
    problems: Iterable[str] = (),
    name: Literal["Caveat", "Note"] = "Caveat",
) -> str:
    """Return a caption: what the figure shows, and in a second paragraph the details and caveats.

    Parameters
    ----------
    shown, details : iterable of str
        Sentences; empty ones are left out.
    problems : iterable of str
        Caveats or notes, without a full stop.
    name : {"Caveat", "Note"}

    Examples
    --------
    >>> caption_of(["Effects of six trials."], problems=["boundary solution"]).splitlines()
    ['Effects of six trials.', '', 'Caveat: boundary solution.']
    """
    several = tuple(problems)
    caveats = f"{name}{'s' if len(several) > 1 else ''}: {'; '.join(several)}." if several else ""
    paragraphs = (" ".join(filter(None, sentences)) for sentences in (shown, (*details, caveats)))
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def model_in_words(name: str) -> str:
    """Return the name of a model as a noun phrase for a sentence."""
    words: str = PHRASES["models"].get(name) or model_label(name)
    return words


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
    """Return R² with its interval, or the residual SD of a model that has no R²."""
    name, words = association_name(result)
    return f"{words} {with_interval(result[name])}"


def association_method(result: Result) -> str:
    """Return the method of the interval of R² or of the residual SD."""
    name, words = association_name(result)
    return f"{words}: {result[name].method.replace('R2', 'R²')}"


def association_name(result: Result) -> tuple[str, str]:
    """Return the estimate that measures the association, and its name in a sentence."""
    return ("r2_trial", "trial-level R²") if "r2_trial" in result.estimates else ("sigma_cond", "residual SD")


def versions(trials: TrialSet, kind: Literal["data", "table"] = "data") -> str:
    """Return the version of the data, or the name of a user's table, and the version of the package."""
    return f"  ({kind} {trials.data_version}, version {surrogacy.__version__})"


def source(trials: TrialSet, kind: Literal["data", "table"]) -> str:
    """Return program and data with their versions, to stand in a sentence."""
    return f"surrogacy {surrogacy.__version__}, {kind} {trials.data_version}"
