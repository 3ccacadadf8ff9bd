"""Facts of a run of fits in words and numbers, as the templates of methods, results and abstract use them."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata

import surrogacy
from surrogacy.analysis.fit_run import FitRun
from surrogacy.effects import Provenance
from surrogacy.evaluation.placement import Placement, shown_placements
from surrogacy.evaluation.refits import SHARED_PATIENTS
from surrogacy.report.paper.set_facts import ModelFacts, SetFacts
from surrogacy.report.sections.answers import answers_of
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import surrogate_names, with_article
from surrogacy.results.format import listed, number
from surrogacy.results.labels import (
    POSITIONS,
    PRIOR_SETS,
    model_label,
)
from surrogacy.results.result import Result

LIBRARIES = ("numpy", "scipy", "statsmodels", "pymc")


@dataclass(frozen=True, eq=False)
class RunFacts:
    """Run of fits, as a text describes it.

    Parameters
    ----------
    run : FitRun
        Complete run.
    sets : tuple of SetFacts
    models : tuple of ModelFacts
        Models that were fitted to a set, the quoted one first.
    """

    run: FitRun
    sets: tuple[SetFacts, ...]
    models: tuple[ModelFacts, ...]

    @classmethod
    def of(cls, run: FitRun) -> RunFacts:
        """Return the facts of a complete run."""
        answers = answers_of(run)
        results: dict[str, list[Result]] = {}
        for fit in run.sets:
            for result in fit.results:
                results.setdefault(result.model, []).append(result)
        quoted = {reply.quoted.model for reply in answers.values()}
        models = [ModelFacts.of(fits) for fits in results.values()]
        sets = tuple(SetFacts(fit, answers.get(fit.name)) for fit in run.sets)
        return cls(run, sets, tuple(sorted(models, key=lambda model: model.name not in quoted)))

    @property
    def quoted_models(self) -> frozenset[str]:
        """Names of the models whose results are quoted."""
        return frozenset(entry.answer.quoted.model for entry in self.sets if entry.answer is not None)

    @property
    def surrogates(self) -> str:
        """Surrogate endpoints of all sets."""
        names = dict.fromkeys(name for entry in self.sets for name in surrogate_names(entry.fit.effects))
        return listed(list(map(with_article, names)))

    @property
    def final(self) -> str:
        """Final endpoints of all sets."""
        return listed(list(dict.fromkeys(with_article(entry.final) for entry in self.sets)))

    @property
    def preference(self) -> str:
        """Surrogate endpoints in the order of preference."""
        return ", ".join(self.run.settings.surrogates(self.run.trials))

    @property
    def standard_errors(self) -> tuple[tuple[str, int], ...]:
        """Derivations of the standard errors with the numbers of hazard ratios, the most frequent first."""
        return _counted(flag.se_method for flag in self._provenance())

    @property
    def evidence(self) -> tuple[tuple[str, int], ...]:
        """Levels of evidence with the numbers of hazard ratios, the most frequent first."""
        return _counted(flag.evidence for flag in self._provenance())

    def _provenance(self) -> list[Provenance]:
        flags: dict[tuple[str, str], Provenance] = {}
        for entry in self.sets:
            effects = entry.fit.effects
            for side, column in zip(("surrogate", "final"), effects.provenance.T.tolist(), strict=True):
                names = effects.covariates.get(f"{side}_effect", effects.comparison)
                flags |= {(side, name): Provenance(value) for name, value in zip(names, column, strict=True) if value}
        return list(flags.values())

    @property
    def sharing(self) -> str:
        """Comparisons that share a control arm in any set."""
        return listed(list(dict.fromkeys(label for entry in self.sets for label in entry.sharing)))

    @property
    def correlations_tried(self) -> str:
        """Within-trial correlations with which the models were refitted."""
        records = (record for entry in self.sets for record in entry.fit.rho_within_grid)
        values = dict.fromkeys(record["rho_within"] for record in records)
        numbers = [f"{value:g}" for value in values if value != SHARED_PATIENTS]
        words = [*numbers, "the correlation that follows from the shared patients"]
        return listed(words if SHARED_PATIENTS in values else numbers)

    @property
    def priors_tried(self) -> str:
        """Priors with which Bayesian models were refitted."""
        names = dict.fromkeys(str(record["prior"]) for entry in self.sets for record in entry.fit.prior_sensitivity)
        return "; ".join(PRIOR_SETS.get(name, name) for name in names if name != "default")

    @property
    def choices_tried(self) -> bool:
        """True if every choice of the pairing was varied."""
        return any(entry.fit.choices for entry in self.sets)

    @property
    def subgroups(self) -> str:
        """Factors that divided the sets into subgroups."""
        factors = dict.fromkeys(str(record["factor"]) for entry in self.sets for record in entry.fit.subgroups)
        return listed(list(factors))

    @property
    def left_out(self) -> bool:
        """True if each trial was left out in turn."""
        return any(entry.fit.leave_one_out for entry in self.sets)

    @property
    def cross_validated(self) -> bool:
        """True if each trial was predicted from the others."""
        return any(entry.fit.cross_validation for entry in self.sets)

    @property
    def one_endpoint_compared(self) -> bool:
        """True if models were refitted with and without comparisons that report one endpoint."""
        return any(entry.fit.one_endpoint for entry in self.sets)

    @property
    def sampled(self) -> bool:
        """True if a posterior was sampled."""
        return bool(self.run.sampled)

    @property
    def threshold_bases(self) -> str:
        """Bands of the thresholds that are quoted."""
        return "; ".join(dict.fromkeys(filter(None, (entry.threshold_basis for entry in self.sets))))

    @property
    def threshold_intervals(self) -> str:
        """Methods of the intervals of the thresholds that are quoted."""
        thresholds = (entry.answer.threshold for entry in self.sets if entry.answer is not None)
        found = (each.uncertainty.method for each in thresholds if each is not None and each.uncertainty is not None)
        return "; ".join(dict.fromkeys(found))

    @property
    def comparisons_of_sets(self) -> tuple[str, ...]:
        """Pairs of sets whose associations were compared."""
        return tuple(" and ".join(map(set_label, entry.names)) for entry in self.run.differences)

    @property
    def placements(self) -> tuple[str, ...]:
        """Sentences on the trials in focus, by lines fitted without them: of their own sets if there are any."""
        shown = shown_placements(self.run.placements)
        inside = [entry for entry in shown if entry.fitted == "without it"]
        return tuple(map(_placement_sentence, inside or [entry for entry in shown if entry.fitted != "with it"]))

    @property
    def focus_labels(self) -> tuple[str, ...]:
        """Trials in focus that were placed."""
        return tuple(dict.fromkeys(entry.label for entry in self.run.placements))

    @property
    def criteria(self) -> tuple[str, ...]:
        """Published schemes that were applied, with their versions."""
        schemes = dict.fromkeys((entry.verdict.scheme, entry.verdict.version) for entry in self.run.criteria)
        return tuple(f"{scheme} (version {version})" for scheme, version in schemes)

    @property
    def data_version(self) -> str:
        """Version of the trial tables."""
        return self.run.trials.data_version.removeprefix("trials-")

    @property
    def version(self) -> str:
        """Version of the package."""
        return surrogacy.__version__

    @property
    def python(self) -> str:
        """Version of Python."""
        return platform.python_version()

    @property
    def libraries(self) -> dict[str, str]:
        """Versions of the libraries that computed results."""
        used = {"statsmodels": any(model.name == "weighted-regression" for model in self.models), "pymc": self.sampled}
        return {name: metadata.version(name) for name in LIBRARIES if used.get(name, True)}


def _placement_sentence(entry: Placement) -> str:
    span = f"{number(entry.low_95)} to {number(entry.high_95)}"
    return (
        f"{entry.label} ({entry.cut} data cut, surrogate hazard ratio {number(entry.hr_surrogate)}): predicted hazard "
        f"ratio {number(entry.predicted)} (95% prediction interval {span}), observed {number(entry.hr_final)}, "
        f"{POSITIONS[entry.position]} ({model_label(entry.model)}, {set_label(entry.set)}, without the trial)"
    )


def _counted(words: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(filter(None, words)).most_common())
