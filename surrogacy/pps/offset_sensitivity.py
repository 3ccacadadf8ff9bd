"""Sensitivity of the regression on dilution to assumptions on follow-up and deaths without progression."""

from __future__ import annotations

from dataclasses import dataclass

from surrogacy.effects import Effects
from surrogacy.errors import FitError, UsageError
from surrogacy.pps.dilution_regression import FEWER_NODES, OffsetModel
from surrogacy.pps.expected_effects import expected_effects
from surrogacy.pps.read_summaries import ASSUMED_DIRECT_DEATH, ASSUMED_FOLLOW_UP
from surrogacy.pps.records import Record, with_limits
from surrogacy.results.estimate import Estimate
from surrogacy.trials import TrialSet


@dataclass(frozen=True)
class Assumption:
    """Assumptions for comparisons without a value in the tables.

    Parameters
    ----------
    name : str
    complete_follow_up : bool
    follow_up : (float, float)
        Administrative follow-up, in median OS of the control arm.
    direct_death : float
        Share of PFS events that are deaths.
    """

    name: str
    complete_follow_up: bool = False
    follow_up: tuple[float, float] = ASSUMED_FOLLOW_UP
    direct_death: float = ASSUMED_DIRECT_DEATH


ASSUMPTIONS = (  # one change at a time
    Assumption("as in the analysis"),
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
    assumption : str
    intercept, share, tail_at_dilution_alone : Estimate or None
        None if the model was not fitted.
    problem : str or None
        Reason why the model was not fitted.
    """

    assumption: str
    intercept: Estimate | None = None
    share: Estimate | None = None
    tail_at_dilution_alone: Estimate | None = None
    problem: str | None = None

    @property
    def record(self) -> Record:
        """Values and limits under the keys of results.json."""
        if self.intercept is None or self.share is None or self.tail_at_dilution_alone is None:
            return {"assumption": self.assumption, "problem": self.problem}
        return {
            "assumption": self.assumption,
            **with_limits("intercept", self.intercept),
            **with_limits("share", self.share),
            "tail_at_dilution_alone": self.tail_at_dilution_alone.value,
        }


def offset_sensitivity(trials: TrialSet, effects: Effects) -> tuple[OffsetScenario, ...]:
    """Fit the regression on dilution under each of `ASSUMPTIONS`.

    Parameters
    ----------
    trials : TrialSet
        Tables with the medians of the control arms.
    effects : Effects
    """
    scenarios = []
    for assumption in ASSUMPTIONS:
        try:
            expected, known = expected_effects(
                trials,
                effects,
                complete_follow_up=assumption.complete_follow_up,
                direct_death=assumption.direct_death,
                assumed_follow_up=assumption.follow_up,
            )
            offset = OffsetModel(nodes=FEWER_NODES).fit(effects.take(known), expected)
        except (FitError, UsageError) as error:
            scenarios.append(OffsetScenario(assumption.name, problem=str(error)))
        else:
            tail = offset["tail_at_dilution_alone"]
            scenarios.append(OffsetScenario(assumption.name, offset["intercept"], offset["share"], tail))
    return tuple(scenarios)
