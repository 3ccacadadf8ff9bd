"""Sensitivity of the regression on dilution to the structure of the hazards, follow-up, deaths and TTP.

The regression is repeated with one change at a time: another structure of the hazards, which applies to every
comparison; another value for comparisons without follow-up or counts of deaths in the tables; without the comparisons
that report only TTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.pps.dilution_regression import FEWER_NODES, OffsetModel
from surrogacy.pps.expected_effects import expected_effects
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, ASSUMED_FOLLOW_UP
from surrogacy.pps.records import Record, with_limits
from surrogacy.pps.structure import ALTERNATIVES, DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.results.endpoint_names import SURROGATE, endpoint_of
from surrogacy.results.estimate import Estimate
from surrogacy.trials import TrialSet


class AssumptionKind(StrEnum):
    """Kind of an assumption of the regression on dilution."""

    ANALYSIS = "analysis"
    STRUCTURE = "structure"  # of the hazards of every comparison
    VALUE = "value"  # of comparisons without a value in the tables
    ENDPOINT = "endpoint"  # without the comparisons that report only TTP


class DilutionConclusion(StrEnum):
    """Conclusion on dilution alone (share 1) over all structures of the hazards and other assumptions."""

    EXCLUDED = "excluded"  # every interval excludes 1, on the same side
    DEPENDS = "depends-on-assumptions"  # some intervals exclude 1
    NOT_SHOWN = "not-shown"  # every interval includes 1; this does not show that the share is 1


@dataclass(frozen=True)
class Assumption:
    """Assumptions of one regression on dilution.

    Parameters
    ----------
    name : str
    kind : AssumptionKind
    complete_follow_up : bool
    follow_up : (float, float)
        Administrative follow-up of comparisons without follow-up in the tables, in median OS of the control arm.
    direct_death : float
        Share of PFS events that are deaths, of comparisons without counts in the tables.
    structure : TransitionStructure or None
        None: that of the analysis.
    with_ttp : bool
        False: comparisons that report only TTP are left out.
    """

    name: str
    kind: AssumptionKind = AssumptionKind.VALUE
    complete_follow_up: bool = False
    follow_up: tuple[float, float] = ASSUMED_FOLLOW_UP
    direct_death: float = ASSUMED_DIRECT_DEATH
    structure: TransitionStructure | None = None
    with_ttp: bool = True


STRUCTURES = (DEFAULT_STRUCTURE, *ALTERNATIVES)
ASSUMPTIONS = (  # one change at a time
    Assumption("as in the analysis", AssumptionKind.ANALYSIS),
    *(
        Assumption(structure.label or structure.words, AssumptionKind.STRUCTURE, structure=structure)
        for structure in STRUCTURES
    ),
    Assumption("without comparisons that report only TTP", AssumptionKind.ENDPOINT, with_ttp=False),
    Assumption("complete follow-up", complete_follow_up=True),
    Assumption("follow-up 0.5 to 1.5 control median OS", follow_up=(0.5, 1.5)),
    Assumption("follow-up 0.3 to 1 control median OS", follow_up=(0.3, 1.0)),
    Assumption("no deaths without progression", direct_death=0.0),
    Assumption("30% of PFS events deaths", direct_death=0.3),
)


@dataclass(frozen=True)
class OffsetScenario:
    """Regression on dilution under one assumption.

    Parameters
    ----------
    assumption : Assumption
    structure : TransitionStructure
    comparisons : int or None
    intercept, share, tail_at_dilution_alone : Estimate or None
        None if the model was not fitted.
    problem : str or None
        Reason why the model was not fitted.
    """

    assumption: Assumption
    structure: TransitionStructure
    comparisons: int | None = None
    intercept: Estimate | None = None
    share: Estimate | None = None
    tail_at_dilution_alone: Estimate | None = None
    problem: str | None = None

    @property
    def record(self) -> Record:
        """Values and limits under the keys of results.json."""
        about: Record = {
            "assumption": self.assumption.name,
            "kind": self.assumption.kind.value,
            "hr_direct_death": self.structure.hr_direct_death,
            "shape": self.structure.shape,
        }
        if self.intercept is None or self.share is None or self.tail_at_dilution_alone is None:
            return {**about, "problem": self.problem}
        return {
            **about,
            "k": self.comparisons,
            **with_limits("intercept", self.intercept),
            **with_limits("share", self.share),
            "tail_at_dilution_alone": self.tail_at_dilution_alone.value,
        }


def offset_sensitivity(
    trials: TrialSet,
    effects: Effects,
    structure: TransitionStructure = DEFAULT_STRUCTURE,
    assumptions: Sequence[Assumption] = ASSUMPTIONS,
) -> tuple[OffsetScenario, ...]:
    """Fit the regression on dilution under each assumption.

    Parameters
    ----------
    trials : TrialSet
        Tables with the medians of the control arms.
    effects : Effects
    structure : TransitionStructure
        Structure of the analysis; an assumption with the same structure is left out.
    assumptions : sequence of Assumption
    """
    return tuple(
        _scenario(trials, effects, assumption, assumption.structure or structure)
        for assumption in assumptions
        if assumption.structure != structure
    )


def _scenario(
    trials: TrialSet, effects: Effects, assumption: Assumption, structure: TransitionStructure
) -> OffsetScenario:
    if not assumption.with_ttp:
        effects = effects.take(np.array([endpoint_of(effects, i, SURROGATE) != "TTP" for i in range(len(effects))]))
    try:
        expected, known = expected_effects(
            trials,
            effects,
            complete_follow_up=assumption.complete_follow_up,
            direct_death=assumption.direct_death,
            assumed_follow_up=assumption.follow_up,
            structure=structure,
        )
        estimates = OffsetModel(nodes=FEWER_NODES).posterior(effects.take(known), expected).estimates
    except (FitError, UsageError) as error:
        return OffsetScenario(assumption, structure, problem=str(error))
    tail = estimates["tail_at_dilution_alone"]
    return OffsetScenario(assumption, structure, len(expected), estimates["intercept"], estimates["share"], tail)


def conclusion_on_dilution(share: Estimate, scenarios: Sequence[OffsetScenario]) -> DilutionConclusion:
    """Conclude from the interval of the share in the analysis and under every other assumption.

    Parameters
    ----------
    share : Estimate
        Share in the analysis.
    scenarios : sequence of OffsetScenario
        Those without a result do not count.

    Examples
    --------
    >>> conclusion_on_dilution(Estimate(0.95, low=0.7, high=1.2), ()).value
    'not-shown'
    """
    shares = [share, *(scenario.share for scenario in scenarios)]
    sides = {0 if not of.excludes(1.0) else 1 if (of.value or 0.0) > 1.0 else -1 for of in shares if of is not None}
    if sides == {0}:
        return DilutionConclusion.NOT_SHOWN
    return DilutionConclusion.EXCLUDED if len(sides) == 1 else DilutionConclusion.DEPENDS


def of_kind(scenarios: Sequence[OffsetScenario], *kinds: AssumptionKind) -> tuple[OffsetScenario, ...]:
    """Return the scenarios with an assumption of these kinds."""
    return tuple(scenario for scenario in scenarios if scenario.assumption.kind in kinds)
