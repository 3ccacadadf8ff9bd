"""Changes of the main estimates between two runs (``--add``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from surrogacy.evaluation.records import estimate_values
from surrogacy.models import headline
from surrogacy.results.requirements import LeftOut, NotFitted, remedies
from surrogacy.results.result import Result


class FittedSet(Protocol):
    """Results of the models on a set."""

    @property
    def name(self) -> str:
        """Name of the set."""
        ...

    @property
    def results(self) -> tuple[Result, ...]:
        """Results, one per model."""
        ...

    @property
    def not_fitted(self) -> tuple[NotFitted, ...]:
        """Models that were not fitted because too few comparisons have the quantities they need."""
        ...


@dataclass(frozen=True)
class Change:
    """Main estimate of a model on a set in two runs, with the comparisons of the fits.

    Parameters
    ----------
    set, model, estimate : str
    before, after : float or None
        None if the model was not fitted or gave no value.
    k_before, k_after : int or None
        Comparisons in the fit.
    left_out_before, left_out_after : tuple of str
        Comparisons without a quantity that the model needs.
    reason, remedy : str
        Reason why comparisons are left out of the later run, or the model was not fitted, and the remedy.
    """

    set: str
    model: str
    k_before: int | None
    k_after: int | None
    left_out_before: tuple[str, ...]
    left_out_after: tuple[str, ...]
    reason: str
    remedy: str
    estimate: str
    before: float | None
    after: float | None


def changes(before: Sequence[FittedSet], after: Sequence[FittedSet]) -> list[Change]:
    """Compare the main estimates of two runs.

    Parameters
    ----------
    before, after : sequence of FittedSet

    Returns
    -------
    list of Change
        One per set, model and estimate of the later run.
    """
    old = {fitted.name: fitted for fitted in before}
    entries = []
    for fitted in after:
        earlier = old.get(fitted.name)
        for model in [*(result.model for result in fitted.results), *(entry.model for entry in fitted.not_fitted)]:
            results = _result(earlier, model), _result(fitted, model)
            omissions = _omissions(earlier, model), _omissions(fitted, model)
            for name in headline(model):
                entries.append(
                    Change(
                        set=fitted.name,
                        model=model,
                        k_before=_size(results[0]),
                        k_after=_size(results[1]),
                        left_out_before=tuple(entry.comparison for entry in omissions[0]),
                        left_out_after=tuple(entry.comparison for entry in omissions[1]),
                        reason="; ".join(dict.fromkeys(entry.reason for entry in omissions[1])),
                        remedy=remedies(omissions[1]),
                        estimate=name,
                        before=_headline(results[0], name),
                        after=_headline(results[1], name),
                    )
                )
    return entries


def _result(fitted: FittedSet | None, model: str) -> Result | None:
    results = () if fitted is None else fitted.results
    return {result.model: result for result in results}.get(model)


def _omissions(fitted: FittedSet | None, model: str) -> tuple[LeftOut, ...]:
    """Comparisons that a model leaves out, also if it was not fitted."""
    result = _result(fitted, model)
    if result is not None:
        return result.left_out
    entries = () if fitted is None else fitted.not_fitted
    return {entry.model: entry.left_out for entry in entries}.get(model, ())


def _size(result: Result | None) -> int | None:
    return None if result is None else len(result.effects)


def _headline(result: Result | None, name: str) -> float | None:
    value = None if result is None else estimate_values(result.estimates).get(name)
    return None if value is None else float(value)
