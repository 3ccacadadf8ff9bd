"""Refits with and without the comparisons that report only one endpoint.

They assume that the other effect is missing at random, given the reported one.

References
----------
Kirkham, Riley, Williamson (2012), doi:10.1002/sim.5356.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from surrogacy.effects import Effects
from surrogacy.errors import FitError
from surrogacy.evaluation.records import Record, interval_limits
from surrogacy.evaluation.refits import WITH_LIMITS, Refit, attempt, summarise, without_extras
from surrogacy.models import Model
from surrogacy.trials import TrialSet
from surrogacy.trials.analysis_set import OneEndpoint, Pairing, Source


@dataclass(frozen=True)
class OneEndpointRefit:
    """Refit with or without the comparisons that report only one endpoint.

    Parameters
    ----------
    refit : Refit
        Its value is ``exclude`` or ``include``.
    surrogate_alone, final_alone : int
        Numbers of comparisons with only the surrogate effect, and with only the final effect.
    """

    refit: Refit
    surrogate_alone: int
    final_alone: int

    @property
    def record(self) -> Record:
        """Values for results.json and for the table."""
        refit = self.refit
        record: Record = {"one_endpoint": refit.value, "k": refit.k, "trials": refit.trials}
        record |= {"surrogate_alone": self.surrogate_alone, "final_alone": self.final_alone}
        if refit.problem:
            return record | {"problem": refit.problem}
        return record | refit.values | interval_limits(refit.estimates, WITH_LIMITS)


def pairs_with_one_endpoint(
    trials: TrialSet, source: Source, pairing: Pairing, name: str = ""
) -> dict[OneEndpoint, Effects]:
    """Return the effects without and with the comparisons that report only one endpoint; empty if there are none.

    Parameters
    ----------
    trials : TrialSet
    source : str or mapping
        Name of an analysis set, or a selection of rows of ``trials``.
    pairing : Pairing
    name : str
        Name of a set that is not a file.
    """
    effects = {
        choice: trials.analysis_set_with_flow(source, replace(pairing, one_endpoint=choice), name).effects
        for choice in get_args(OneEndpoint)
    }
    return {} if effects["include"].complete.all() else effects


def vary_one_endpoint(model: Model, versions: dict[OneEndpoint, Effects]) -> list[OneEndpointRefit]:
    """Refit without and with the comparisons that report only one endpoint.

    Parameters
    ----------
    model : Model
        A bivariate model.
    versions : dict of {"exclude", "include"} to Effects
        Output of `pairs_with_one_endpoint`.

    Examples
    --------
    >>> import surrogacy
    >>> from surrogacy.models import BivariateBayes
    >>> from surrogacy.trials import Pairing
    >>> versions = pairs_with_one_endpoint(surrogacy.read_trials(), "advanced", Pairing())
    >>> [entry.refit.value for entry in vary_one_endpoint(BivariateBayes(), versions)]
    ['exclude', 'include']
    """
    lean = without_extras(model)
    return [
        OneEndpointRefit(
            summarise(model, "one_endpoint", choice, effects, attempt(lean.fit, effects, FitError)),
            *_alone(effects),
        )
        for choice, effects in versions.items()
    ]


def _alone(effects: Effects) -> tuple[int, int]:
    """Numbers of comparisons with only the surrogate effect, and with only the final effect."""
    missing: Sequence[int] = np.isnan(effects.log_hr).sum(axis=0).tolist()
    return missing[1], missing[0]
