"""Changes of the main estimates between two runs (``--add``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any, Protocol

from surrogacy.evaluation.answers import answer
from surrogacy.evaluation.placement import Placement
from surrogacy.evaluation.records import Record, estimate_values
from surrogacy.models import headline
from surrogacy.results.estimate import Estimate
from surrogacy.results.requirements import LeftOut, NotFitted, remedies
from surrogacy.results.result import Result

PREDICTED = "predicted_final"
SMALL_SHIFT = 0.25
"""Shift, as a share of the half-width of the interval before, below which a change is called small."""


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
    set, model : str
    k_before, k_after : int or None
        Comparisons in the fit.
    left_out_before, left_out_after : tuple of str
        Comparisons without a quantity that the model needs.
    reason, remedy : str
        Reason why comparisons are left out of the later run, or the model was not fitted, and the remedy.
    estimate : str
        Name of the estimate, or `PREDICTED`, the final hazard ratio predicted for a trial in focus.
    before, after : float or None
        None if the model was not fitted or gave no value.
    before_low, before_high, after_low, after_high : float or None
        Interval limits; None without an interval.
    subject : str
        Comparison whose final effect is predicted; empty for an estimate.
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
    before_low: float | None = None
    before_high: float | None = None
    after_low: float | None = None
    after_high: float | None = None
    subject: str = ""

    @property
    def shift_ratio(self) -> float | None:
        """Absolute shift as a share of the half-width of the interval before; hazard ratios on the log scale.

        None without an interval before, or without an estimate in one of the runs.

        Examples
        --------
        >>> change = Change("all", "m", 9, 10, (), (), "", "", "slope", 0.5, 0.6, 0.1, 0.9)
        >>> round(change.shift_ratio, 2)
        0.25
        """
        before, after, low, high = self.before, self.after, self.before_low, self.before_high
        if before is None or after is None or low is None or high is None:
            return None
        if self.estimate == PREDICTED:
            before, after, low, high = (log(value) for value in (before, after, low, high))
        return 2 * abs(after - before) / (high - low) if high > low else None

    @property
    def record(self) -> Record:
        """Fields under the names of results.json."""
        return {**vars(self), "shift_ratio": self.shift_ratio}


@dataclass(frozen=True)
class SetChange:
    """Change of the estimates to quote for a set.

    Parameters
    ----------
    set : str
    added : tuple of str
        Added comparisons in the set.
    absent : mapping of str to str
        Other added comparisons, and the reason why they are not in the set.
    quoted : tuple of Change
        Weighted r, the main estimates of the quoted model, and its predictions; empty without an added comparison.
    """

    set: str
    added: tuple[str, ...]
    absent: Mapping[str, str]
    quoted: tuple[Change, ...]

    @property
    def largest(self) -> Change | None:
        """Estimate that shifts most in relation to its interval; None if no estimate has an interval before."""
        measured = [change for change in self.quoted if change.shift_ratio is not None]
        return max(measured, key=lambda change: change.shift_ratio or 0.0, default=None)

    @property
    def small(self) -> bool | None:
        """True if no estimate shifts by `SMALL_SHIFT` of the half-width of its interval before; None if unknown."""
        ratio = None if self.largest is None else self.largest.shift_ratio
        return None if ratio is None else ratio < SMALL_SHIFT

    @property
    def record(self) -> dict[str, Any]:
        """Fields under the names of results.json."""
        largest = self.largest
        return {
            "set": self.set,
            "added": list(self.added),
            "absent": dict(self.absent),
            "small": self.small,
            "largest_shift": None if largest is None else largest.estimate,
            "largest_shift_ratio": None if largest is None else largest.shift_ratio,
            "limit": SMALL_SHIFT,
            "rule": "small: every estimate shifts by less than this share of the half-width of its interval before",
        }


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
                before_value, before_low, before_high = _with_limits(results[0], name)
                after_value, after_low, after_high = _with_limits(results[1], name)
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
                        before=before_value,
                        before_low=before_low,
                        before_high=before_high,
                        after=after_value,
                        after_low=after_low,
                        after_high=after_high,
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


def _with_limits(result: Result | None, name: str) -> tuple[float | None, float | None, float | None]:
    """Return an estimate and the limits of its interval; a threshold effect has no interval."""
    value = None if result is None else estimate_values(result.estimates).get(name)
    estimate = Estimate(None) if result is None else result.estimate(name)
    return None if value is None else float(value), estimate.low, estimate.high


def prediction_changes(before: Sequence[Placement], after: Sequence[Placement]) -> list[Change]:
    """Compare the final effects that the lines predict for trials in focus in two runs.

    Parameters
    ----------
    before, after : sequence of Placement
        Of lines fitted without the trial; the first data cut of each comparison and set is compared.
    """
    earlier = _first_placements(before)
    return [
        Change(
            set=placement.set,
            model=placement.model,
            k_before=old.k,
            k_after=placement.k,
            left_out_before=(),
            left_out_after=(),
            reason="",
            remedy="",
            estimate=PREDICTED,
            before=old.predicted,
            after=placement.predicted,
            before_low=old.low_95,
            before_high=old.high_95,
            after_low=placement.low_95,
            after_high=placement.high_95,
            subject=placement.comparison,
        )
        for key, placement in _first_placements(after).items()
        if (old := earlier.get(key)) is not None
    ]


def _first_placements(placements: Sequence[Placement]) -> dict[tuple[str, str, str], Placement]:
    first: dict[tuple[str, str, str], Placement] = {}
    for placement in placements:
        if placement.fitted != "with it":
            first.setdefault((placement.set, placement.model, placement.comparison), placement)
    return first


def set_change(
    fitted: FittedSet, rows: Sequence[Change], added: tuple[str, ...], absent: Mapping[str, str]
) -> SetChange:
    """Return the change of the estimates to quote for a set.

    Parameters
    ----------
    fitted : FittedSet
        Set of the later run.
    rows : sequence of Change
    added : tuple of str
        Added comparisons in the set.
    absent : mapping of str to str
        Added comparisons that are not in the set, and the reasons.
    """
    reply = answer(fitted.results)
    by_model: dict[str, list[Change]] = {}
    for row in rows:
        if row.set == fitted.name:
            by_model.setdefault(row.model, []).append(row)
    quoted = [] if reply is None else by_model.pop(reply.quoted.model, [])
    chosen = quoted + [row for changed in by_model.values() for row in changed if row.estimate == "r"]
    chosen.sort(key=lambda row: row.estimate != "r")
    return SetChange(fitted.name, added, absent, tuple(chosen) if added else ())
