"""Settings of a run, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from surrogacy.errors import UsageError
from surrogacy.evaluation.criteria import Style
from surrogacy.evaluation.new_trial import NewTrial, check_size
from surrogacy.evaluation.setting_differences import check_equivalent_slope
from surrogacy.models import REGISTRY, Model, create
from surrogacy.pps.decomposition import FEWEST_RESAMPLES
from surrogacy.pps.shared_patients import set_with_shared_patients
from surrogacy.pps.structure import DEFAULT_STRUCTURE, TransitionStructure
from surrogacy.results.labels import Weights
from surrogacy.results.suggestions import unknown_name
from surrogacy.trials import AnalysisSet, TrialSet, read_pairs, read_trials
from surrogacy.trials.analysis_set import Pairing, Source, known_endpoints
from surrogacy.trials.columns import SURROGATES

REGRESSION = "weighted-regression"
DEFAULT_PAIRING = Pairing(surrogates=())


@dataclass(frozen=True)
class FitSettings:
    """Settings of a run that fits models.

    Parameters
    ----------
    sets : tuple of str
        Analysis sets; not used with ``pairs_table``.
    models : tuple of str
        Names, as on the command line.
    required_models : tuple of str
        Models that must be fitted; any other model is skipped if the tables lack a quantity that it needs.
    tables, added, pairs_table : Path or None
        Folder with other tables, a file with extra rows, and a table that is fitted alone.
    pairing : Pairing
        Hazard ratios to pair; without ``surrogates``, those of the shipped tables or of ``pairs_table``.
    shared_patients : bool
        Whether the within-trial correlation follows from the patients of each trial, where none is reported.
    weights : str
        Weights of correlation and regression.
    new_n : float or None
        Patients of the new trial in prediction bands; infinite = its true effect.
    seed : int
    focus : str or None
        Trial or comparison to be placed.
    focus_required : bool
        Whether it is an error if no set includes it.
    new_trial : NewTrial or None
        Trial whose final effect is to be predicted.
    sensitivity, nuts : bool
        Whether to run the sensitivity analyses, and to sample the exact models as well.
    equivalent_slope : float or None
        Largest difference of the slopes of two sets that is equivalent to none.
    criteria_style : {"neutral", "verdict"}
    show : tuple of {"confidence", "ste", "intervals", "equation"}
        What the bubble plots show besides the trials, the line and its prediction band.
    sets_named : bool
        Whether the user named the sets; a check skips a default set that has no pair.

    Raises
    ------
    UsageError
        If a value is impossible or a model is not known.
    """

    sets: tuple[str, ...]
    models: tuple[str, ...]
    required_models: tuple[str, ...] = ()
    tables: Path | None = None
    added: Path | None = None
    pairs_table: Path | None = None
    pairing: Pairing = DEFAULT_PAIRING
    shared_patients: bool = False
    weights: Weights = "n"
    new_n: float | None = None
    seed: int = 0
    focus: str | None = None
    focus_required: bool = False
    new_trial: NewTrial | None = None
    sensitivity: bool = False
    nuts: bool = False
    equivalent_slope: float | None = None
    criteria_style: Style = "neutral"
    show: tuple[str, ...] = ()
    sets_named: bool = False

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_size(self.new_n)
        check_equivalent_slope(self.equivalent_slope)
        for name in (*self.models, *self.required_models):
            if name not in REGISTRY:
                raise UsageError(unknown_name(f"unknown model {name!r}", name, REGISTRY))
        if self.pairs_table is not None and (self.tables is not None or self.added is not None):
            raise UsageError(
                f"{self.pairs_table} is fitted alone; leave out the other tables and the added rows, or add the table "
                "to the shipped ones as added rows"
            )

    @cached_property
    def fitted_models(self) -> tuple[Model, ...]:
        """Models with the settings of the run.

        A weighted regression cannot predict a true effect (``new_n`` infinite). Unless it is required, it keeps its
        default, a trial of mean size. Slope and R2 do not depend on the size.
        """
        sizes = {name: None if self.default_size and name == REGRESSION else self.new_n for name in self.models}
        return tuple(create(name, weights=self.weights, new_n=n, seed=self.seed) for name, n in sizes.items())

    @property
    def source_kind(self) -> Literal["data", "table"]:
        """``table`` if a user's table is fitted alone, otherwise ``data``."""
        return "data" if self.pairs_table is None else "table"

    @property
    def default_size(self) -> bool:
        """Return whether the weighted regression keeps its default size of a new trial."""
        return REGRESSION in self.models and self.new_n == np.inf and REGRESSION not in self.required_models

    def read(self) -> TrialSet:
        """Read and check the tables."""
        return read_pairs(self.pairs_table) if self.pairs_table else read_trials(self.tables, self.added)

    def surrogates(self, trials: TrialSet) -> tuple[str, ...]:
        """Surrogate endpoints in order of preference."""
        return self.pairing.surrogates or (SURROGATES if self.pairs_table is None else trials.surrogates)

    def pair(self, trials: TrialSet) -> list[AnalysisSet]:
        """Pair the effects of every set."""
        pairing = self.resolved_pairing(trials)
        sources = [self.source(name) for name in dict.fromkeys(self.sets if self.pairs_table is None else ("",))]
        sets = [trials.analysis_set_with_flow(source, pairing, self.table_name) for source in sources]
        return [set_with_shared_patients(trials, paired) for paired in sets] if self.shared_patients else sets

    def source(self, name: str) -> Source:
        """Return the source of the effects of a set: its name, or every row of a table that is fitted alone."""
        return name if self.pairs_table is None else {}

    @property
    def table_name(self) -> str:
        """Name of the set of a table that is fitted alone; empty for the sets of the trial tables."""
        return "" if self.pairs_table is None else self.pairs_table.stem

    def resolved_pairing(self, trials: TrialSet) -> Pairing:
        """Pairing with the surrogates of the tables if none are named."""
        return replace(self.pairing, surrogates=self.surrogates(trials))

    def pair_without_added(self, trials: TrialSet) -> list[AnalysisSet]:
        """Pair the effects of every set without the added rows and the endpoints that only these have."""
        earlier = trials.without_added()
        endpoints = known_endpoints(self.pairing.surrogates, tuple(earlier.effects["endpoint"]))
        return replace(self, pairing=replace(self.pairing, surrogates=endpoints)).pair(earlier)


@dataclass(frozen=True)
class PpsSettings:
    """Settings of a run on post-progression survival.

    Parameters
    ----------
    set_name : str
        Analysis set of the trial-level analyses.
    tables, added : Path or None
        Folder with other tables, and a file with extra rows.
    focus : str or None
        Comparison to be decomposed by every data cut and calibration.
    direct_death : float or None
        Share of its PFS events that are deaths without progression; default: as counted in the tables, else an
        assumption that the output states.
    structure : TransitionStructure
        Effect on deaths without progression, and shape of the hazards before progression, in every analysis.
    resamples : int
        Simulated trials for the intervals of the trial in focus.
    seed : int

    Raises
    ------
    UsageError
        If a value is impossible.
    """

    set_name: str = "all"
    tables: Path | None = None
    added: Path | None = None
    focus: str | None = "tactics"
    direct_death: float | None = None
    structure: TransitionStructure = DEFAULT_STRUCTURE
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.resamples < FEWEST_RESAMPLES:
            raise UsageError(f"--resamples {self.resamples}: give at least {FEWEST_RESAMPLES}, the intervals need them")

    def read(self) -> TrialSet:
        """Read and check the tables."""
        return read_trials(self.tables, self.added)


def check_seed(seed: int) -> None:
    """Refuse a negative seed.

    Raises
    ------
    UsageError
    """
    if seed < 0:
        raise UsageError(f"--seed {seed}: give a whole number, 0 or more")
