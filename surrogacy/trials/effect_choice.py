"""Choice of the two hazard ratios of a comparison among those that the tables report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

import numpy as np

from surrogacy.arrays import FloatArray
from surrogacy.errors import DataError, UsageError
from surrogacy.results.endpoint_names import endpoint_label
from surrogacy.trials.analysis_set import OneEndpoint, Pairing, SurrogateOnly
from surrogacy.trials.columns import EVIDENCE
from surrogacy.trials.frames import ReportedEffect
from surrogacy.trials.rows import Row, fault
from surrogacy.trials.standard_errors import standard_error


@dataclass(frozen=True, slots=True)
class EffectChoice:
    """Row of the trial table by position, and its hazard ratios with sufficient evidence.

    Parameters
    ----------
    place : int
    surrogate, final : ReportedEffect or None
        None without a hazard ratio of sufficient evidence.
    reason : str
        Reason why the comparison has no pair; empty if it has one.
    predicted : bool
        Whether the tables report no final effect, so that it can only be predicted from the surrogate effect.
    """

    place: int
    surrogate: ReportedEffect | None = None
    final: ReportedEffect | None = None
    reason: str = ""
    predicted: bool = False

    @property
    def single(self) -> ReportedEffect | None:
        """Hazard ratio of a comparison with one endpoint, if it has a standard error."""
        effect = self.surrogate or self.final
        return effect if self.reason and effect is not None and standard_error(effect) is not None else None

    def is_fitted(self, one_endpoint: OneEndpoint) -> bool:
        """Return whether the comparison is part of the effects of a set."""
        return not self.reason or (one_endpoint == "include" and self.single is not None)

    def flow_reason(self, one_endpoint: OneEndpoint) -> str:
        """Return the reason for the exclusion, or for the missing half of a comparison with one endpoint."""
        if self.single is not None and self.is_fitted(one_endpoint):
            return f"{self.reason}: {endpoint_label(self.single.endpoint)} alone"
        return f"{self.reason}: predicted, not fitted" if self.predicted else self.reason


def preferred_effects(effects: Sequence[ReportedEffect]) -> dict[str, dict[str, ReportedEffect]]:
    """Return the preferred hazard ratios by comparison and endpoint."""
    preferred: dict[str, dict[str, ReportedEffect]] = {}
    for effect in effects:
        if effect.preferred and not math.isnan(effect.hr):
            preferred.setdefault(effect.comparison, {})[effect.endpoint] = effect
    return preferred


def choose_effects(
    place: int, effects: Mapping[str, ReportedEffect], pairing: Pairing, *, added_here: bool
) -> EffectChoice:
    """Choose the hazard ratios of a comparison, and state why it has no pair.

    Parameters
    ----------
    place : int
        Position of the comparison in the trial table.
    effects : mapping of endpoint to ReportedEffect
        Preferred hazard ratios of the comparison.
    pairing : Pairing
    added_here : bool
        Whether a user added the comparison.

    Raises
    ------
    DataError
        If the evidence of an added row is weaker than `Pairing.min_evidence`.
    """
    finals, surrogates = (
        [effects[name] for name in names if name in effects] for names in (pairing.final, pairing.surrogates)
    )
    if not finals:
        return _without_final(place, surrogates, pairing, added_here=added_here)
    if not surrogates:
        reason = f"no hazard ratio of {', '.join(map(endpoint_label, pairing.surrogates))}"
        return EffectChoice(place, final=_best(finals, pairing, added_here=False)[0], reason=reason)
    final, refused = _best(finals, pairing, added_here=added_here)
    if final is None:
        return EffectChoice(place, surrogate=_best(surrogates, pairing, added_here=False)[0], reason=refused)
    surrogate, refused = _best(surrogates, pairing, added_here=added_here)
    return EffectChoice(place, surrogate, final, refused)


def _without_final(
    place: int, surrogates: Sequence[ReportedEffect], pairing: Pairing, *, added_here: bool
) -> EffectChoice:
    """Return the surrogate hazard ratio of a comparison without a final effect, if a prediction can be made from it."""
    missing = f"no {' or '.join(map(endpoint_label, pairing.final))} effect"
    if not surrogates:
        names = ", ".join(map(endpoint_label, pairing.surrogates))
        return EffectChoice(place, reason=f"{missing}, and no hazard ratio of {names}")
    surrogate, refused = _best(surrogates, pairing, added_here=added_here)
    if surrogate is None:
        return EffectChoice(place, reason=f"{missing}, and the {refused}")
    if standard_error(surrogate) is None:
        label = endpoint_label(surrogate.endpoint)
        return EffectChoice(place, reason=f"{missing}, and no standard error of {label}: neither fitted nor predicted")
    return EffectChoice(place, surrogate, reason=missing, predicted=True)


def _best(
    candidates: Sequence[ReportedEffect], pairing: Pairing, *, added_here: bool
) -> tuple[ReportedEffect | None, str]:
    """Return the first usable hazard ratio, if possible with a standard error, or the reasons against all of them."""
    reasons = [_refusal(effect, pairing.min_evidence, added_here=added_here) for effect in candidates]
    kept = [effect for effect, reason in zip(candidates, reasons, strict=True) if not reason]
    if not kept:
        return None, "; ".join(reasons)
    with_error = (effect for effect in kept if standard_error(effect) is not None)
    return (kept[0] if len(kept) == 1 else next(with_error, kept[0])), ""


def _refusal(effect: ReportedEffect, min_evidence: str, *, added_here: bool) -> str:
    """Return the reason why a hazard ratio cannot be used; empty if it can."""
    if effect.evidence and EVIDENCE.index(effect.evidence) > EVIDENCE.index(min_evidence):
        if added_here and effect.file and effect.analysis == "added":
            rule = f"the evidence is {effect.evidence}, but at least {min_evidence} is required"
            fix = f"verify the number, or pass --min-evidence {effect.evidence}"
            row = replace(place_of(effect), cells={"comparison": effect.comparison, "evidence": effect.evidence})
            raise DataError([fault("W113", row, "evidence", rule, fix, severity="error")])
        return f"{effect.endpoint} hazard ratio is {effect.evidence}"
    # models that need no standard error can use a user's row without one; the shipped sets never include such rows
    if not added_here and standard_error(effect) is None:
        return f"{effect.endpoint} hazard ratio without limits, exact p or events"
    return ""


def place_of(effect: ReportedEffect) -> Row:
    """Return where a hazard ratio stands, for faults."""
    return Row(effect.file, effect.file_line, {"comparison": effect.comparison, "endpoint": effect.endpoint})


def analysed_patients(
    of_comparisons: FloatArray, column: Literal["n_exp", "n_ctl"], sides: Mapping[str, Sequence[ReportedEffect | None]]
) -> FloatArray:
    """Return the patients of an arm who were analysed for both endpoints: the smaller of the two numbers.

    A hazard ratio without a number of its own has that of the comparison.

    Parameters
    ----------
    of_comparisons : (k,) array
        Patients of the arm in each comparison.
    column : {"n_exp", "n_ctl"}
        The arm.
    sides : mapping of endpoint to sequence of ReportedEffect or None
        Hazard ratios of the k comparisons, by endpoint.
    """
    stated = [
        [math.nan if effect is None else getattr(effect, column) for effect in chosen] for chosen in sides.values()
    ]
    analysed = np.where(np.isnan(stated), of_comparisons, stated)
    return np.asarray(analysed.min(axis=0), dtype=np.float64)


def refuse_no_pairs(
    effects: Sequence[ReportedEffect], pairing: Pairing, surrogate_only: Sequence[SurrogateOnly], name: str
) -> NoReturn:
    """Refuse a selection without a pair; a user's comparisons without a final effect can be added to the curated ones.

    Parameters
    ----------
    surrogate_only : sequence of SurrogateOnly
        Those of a table that is fitted alone.
    """
    where = name or "the selection"
    if surrogate_only:
        final = " or ".join(map(endpoint_label, pairing.final))
        raise UsageError(
            f"{where}: no comparison has both effects ({len(surrogate_only)} without {final}), so that there is "
            f"nothing to fit; to predict {final} by the curated trials, pass the table with --add instead of --pairs"
        )
    available = ", ".join(map(endpoint_label, dict.fromkeys(effect.endpoint for effect in effects)))
    raise UsageError(
        f"{where}: no comparison has both effects at evidence {pairing.min_evidence} or better; "
        f"endpoints of the tables: {available}"
    )
