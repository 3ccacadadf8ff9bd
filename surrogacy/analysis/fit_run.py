"""One run: every model on every set, how far each result can be trusted, and the flow of comparisons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from surrogacy.analysis import fit_stages
from surrogacy.analysis.fit_stages import Robustness
from surrogacy.effects import Effects
from surrogacy.errors import FitError, SurrogacyError, UsageError
from surrogacy.evaluation import refits
from surrogacy.evaluation.changes import changes
from surrogacy.evaluation.criteria import Style
from surrogacy.evaluation.differences import Difference
from surrogacy.evaluation.external_validation import External
from surrogacy.evaluation.new_trial_prediction import predict_new
from surrogacy.evaluation.placement import (
    Focus,
    Placement,
    focus_comparisons,
    place,
    placement_record,
    require_focus,
)
from surrogacy.models import Model
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.pps.decomposition import Decomposition, decompose
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.results.labels import Weights
from surrogacy.results.requirements import MissingDataError, NotFitted, refusal, refuse_unfittable
from surrogacy.results.result import Result
from surrogacy.trials import AnalysisSet, TrialSet, read_pairs, read_trials
from surrogacy.trials.columns import SURROGATES
from surrogacy.trials.pairing import known_endpoints
from surrogacy.trials.shared_control import SharedControl

# Beyond this many comparisons a single one hardly matters, refits of each take hours, and figures of each cannot be read.
LARGE_SET = 1000
OMITTED_WHEN_LARGE = (
    "leave-one-out, cross-validation, influence, the grid over the within-trial correlation, sensitivity to the prior, "
    "and every figure but the bubble plot"
)


@dataclass(frozen=True, eq=False)
class SetFit:
    """What was found on one set.

    Parameters
    ----------
    name : str
    effects : Effects
    flow : tuple of dict
        Comparisons considered, and why some are not in the fit.
    results : tuple of Result
    failures : tuple of (model, message)
        Models that could not be fitted.
    not_fitted : tuple of NotFitted
        Models that were not fitted because the tables lack what they need.
    rho_within_grid, leave_one_out, prior_sensitivity : tuple of dict
    nuts : tuple of dict
        Summaries of exact posteriors beside those of NUTS.
    power_scaling : tuple of dict
        Sensitivity of sampled posteriors to their prior and their likelihood.
    sampled : tuple of Result
        What NUTS made of the exact models.
    robustness : Robustness
        Cross-validation, influence, and under ``--sensitivity`` every choice varied.
    """

    name: str
    effects: Effects
    flow: tuple[dict[str, Any], ...]
    results: tuple[Result, ...]
    failures: tuple[tuple[str, str], ...]
    not_fitted: tuple[NotFitted, ...] = ()
    rho_within_grid: tuple[dict[str, Any], ...] = ()
    leave_one_out: tuple[dict[str, Any], ...] = ()
    prior_sensitivity: tuple[dict[str, Any], ...] = ()
    nuts: tuple[dict[str, Any], ...] = ()
    power_scaling: tuple[dict[str, Any], ...] = ()
    sampled: tuple[Result, ...] = ()
    robustness: Robustness = field(default_factory=Robustness)

    @property
    def omitted(self) -> str:
        """Outputs that a set of this size goes without, in words; empty for most sets."""
        size = len(self.effects)
        return (
            f"{size:,} comparisons, more than {LARGE_SET:,}: without {OMITTED_WHEN_LARGE}" if size > LARGE_SET else ""
        )

    def result(self, model: str) -> Result | None:
        """Return the result of a model by name, if it was fitted."""
        return next((result for result in self.results if result.model == model), None)


@dataclass(frozen=True)
class FitSettings:
    """What a run is asked for.

    Parameters
    ----------
    sets : tuple of str
        Analysis sets; not used with ``pairs``.
    trials, add, pairs : Path or None
        Other tables, extra rows, or one table to be fitted alone.
    endpoints : tuple of str
        Surrogates in order of preference; default: those of the shipped tables, with ``pairs`` those of its table.
    rho_within : float
    min_evidence : str
    shared_control : {"cov", "first", "combine"}
    """

    sets: tuple[str, ...] = ()
    trials: Path | None = None
    add: Path | None = None
    pairs: Path | None = None
    endpoints: tuple[str, ...] = ()
    rho_within: float = 0.5
    min_evidence: str = "secondary"
    shared_control: SharedControl = "cov"

    def read(self) -> TrialSet:
        """Read and check the tables."""
        return read_pairs(self.pairs) if self.pairs else read_trials(self.trials, self.add)

    def surrogates(self, trials: TrialSet) -> tuple[str, ...]:
        """Surrogates in order of preference."""
        return self.endpoints or (SURROGATES if self.pairs is None else trials.surrogates)

    def pair(self, trials: TrialSet) -> list[AnalysisSet]:
        """Pair the effects of every set."""
        how = self.surrogates(trials), self.rho_within, self.min_evidence, self.shared_control
        if self.pairs is None:
            return [trials.paired_set(name, *how) for name in dict.fromkeys(self.sets)]
        return [trials.paired_rule({}, *how, name=self.pairs.stem)]

    def pair_known(self, trials: TrialSet) -> list[AnalysisSet]:
        """Pair the effects of those sets that the tables hold and that have a pair, for a check of the tables."""
        sets = [replace(self, sets=(name,)) for name in dict.fromkeys(self.sets) if name in trials.sets]
        pairs: list[AnalysisSet] = []
        for one in sets if self.pairs is None else [self]:
            with suppress(SurrogacyError):
                pairs += one.pair(trials)
        return pairs


@dataclass(frozen=True, eq=False)
class Run:
    """A run: the tables, what was found on every set and between sets, what the added rows changed, where the trial in focus stands."""

    trials: TrialSet
    models: tuple[Model, ...]
    analyses: tuple[SetFit, ...]
    changes: tuple[dict[str, Any], ...] = ()
    focuses: tuple[Focus, ...] = ()
    not_placed: tuple[dict[str, str], ...] = ()
    placements: tuple[Placement, ...] = ()
    predictions: tuple[dict[str, Any], ...] = ()
    differences: tuple[Difference, ...] = ()
    external: tuple[External, ...] = ()
    verdicts: tuple[dict[str, Any], ...] = ()
    decompositions: tuple[Decomposition, ...] = ()

    @property
    def placement(self) -> list[dict[str, Any]]:
        """Records of the placements."""
        return list(map(placement_record, self.placements))

    @property
    def sampled(self) -> list[Result]:
        """Results whose draws can be written: sampled models, and what NUTS made of the exact ones."""
        found = [result for one in self.analyses for result in (*one.results, *one.sampled)]
        return [result for result in found if hasattr(result.draws, "to_netcdf")]


def fit_all(
    request: FitSettings,
    trials: TrialSet,
    models: Sequence[Model],
    ready: Callable[[SetFit], None] = lambda _: None,
    sets: Sequence[AnalysisSet] | None = None,
    required: Collection[str] = (),
) -> Run:
    """Fit every model to every set; with added rows, also without them, to tell what they change.

    Parameters
    ----------
    request : FitSettings
    trials : TrialSet
        What ``request.read()`` gave.
    models : sequence of Model
    ready : callable
        Called with each set as soon as it is fitted, so that its figures can be begun.
    sets : sequence of AnalysisSet, optional
        The pairs that ``request.pair(trials)`` gave, where they are there already.
    required : collection of str
        Models that must be fitted; another one is passed over if the tables lack what it needs.

    Raises
    ------
    DataError, UsageError
        If a set does not exist, an added row is not verified enough, or the tables lack what a required model needs.
    """
    analyses = []
    pairs = request.pair(trials) if sets is None else sets
    refuse_unfittable([paired.effects for paired in pairs], models, required)
    for paired in pairs:
        analyses.append(fit_set(paired, models, required))
        ready(analyses[-1])
    if request.add is None:
        return Run(trials, tuple(models), tuple(analyses))
    without = replace(request, add=None)
    earlier = without.read()
    without = replace(without, endpoints=known_endpoints(request.endpoints, tuple(earlier.effects["endpoint"])))
    before = [fit_set(paired, models) for paired in without.pair(earlier)]
    return Run(trials, tuple(models), tuple(analyses), tuple(asdict(change) for change in changes(before, analyses)))


def examine_all(run: Run, step: Callable[[], None] = lambda: None) -> Run:
    """Add the grid over rho_within, leave-one-trial-out and influence to every set; ``step`` is called after each model."""
    return replace(run, analyses=tuple(examine(one, run.models, step) for one in run.analyses))


def vary_all(
    run: Run, request: FitSettings, weights: Weights, seed: int, step: Callable[[], None] = lambda: None
) -> Run:
    """Vary every choice on every set, and predict each set from every other (``--sensitivity``)."""
    pairing = fit_stages.pairing_of(
        request.surrogates(run.trials), request.rho_within, request.min_evidence, request.shared_control
    )
    analyses = []
    for one in run.analyses:
        models = [model for model in refittable(run.models) if one.result(model.name) is not None]
        source: str | dict[str, Any] = {} if request.pairs else one.name
        varied = fit_stages.vary(one.robustness, one.effects, models, run.trials, source, pairing, weights, seed, step)
        analyses.append(replace(one, robustness=varied))
    elsewhere = fit_stages.predicted_elsewhere([(one.effects, one.results) for one in analyses], refittable(run.models))
    return replace(run, analyses=tuple(analyses), external=elsewhere)


def refittable(models: Iterable[Model]) -> list[Model]:
    """Models that can be fitted again and again: a sampled one is compiled anew for every data set."""
    return [model for model in models if getattr(model, "refittable", True)]


def compare_and_judge(run: Run, weights: Weights, seed: int, style: Style) -> Run:
    """Compare the sets of a run with one another, and say what published schemes would make of every result."""
    return replace(
        run,
        differences=fit_stages.differences([one.effects for one in run.analyses], weights, seed),
        verdicts=fit_stages.judge([one.results for one in run.analyses], run.focuses, style),
    )


def place_focus(run: Run, trial: str, *, required: bool = False) -> Run:
    """Place every comparison of a trial within every line of a run, and against those of sets that do not hold it.

    Parameters
    ----------
    run : Run
    trial : str
        Name of a trial or comparison; see `surrogacy.evaluation.placement.focus_comparisons`.
    required : bool
        Whether a trial that is in no set is an error.

    Raises
    ------
    UsageError
        If no set of the run has both effects of the trial.
    """
    sets = [(one.effects, one.results) for one in run.analyses]
    focuses = focus_comparisons(run.trials, [effects for effects, _ in sets], trial)
    if not focuses:
        if required:
            require_focus([effects for effects, _ in sets], trial)
        return run
    placements = tuple(placement for focus in focuses for placement in place(focus, run.models, sets))
    attempts = (_decomposition(run.trials, focus) for focus in focuses)
    return replace(
        run,
        focuses=focuses,
        not_placed=tuple(_not_placed(run, trial, focuses)),
        placements=placements,
        decompositions=tuple(one for one in attempts if one is not None),
    )


def _not_placed(run: Run, trial: str, focuses: Sequence[Focus]) -> list[dict[str, str]]:
    """Comparisons of the trial in focus that no set of the run holds with both effects, and the reason."""
    table, placed = run.trials.trials, {focus.comparison for focus in focuses}
    reasons = {entry["comparison"]: str(entry["why"]) for one in run.analyses for entry in one.flow}
    rows = table.loc[(table["trial"] == trial) & ~table["comparison"].isin(placed), ["comparison", "label"]]
    return [
        {"comparison": str(name), "label": str(label), "why": reasons.get(str(name)) or "in no set of this run"}
        for name, label in zip(rows["comparison"], rows["label"], strict=True)
    ]


def _decomposition(trials: TrialSet, focus: Focus) -> Decomposition | None:
    """Decompose the gap of a comparison in focus; None where the tables do not hold what that needs."""
    try:
        return decompose(read_inputs(trials, focus.comparison))
    except UsageError:
        return None


def predict(run: Run, hr: tuple[float, float, float], rho_within: float, new_n: float | None) -> Run:
    """Predict the final effect of a new trial by every line of a run (``--predict``)."""
    sets = [(one.effects, one.results) for one in run.analyses]
    return replace(run, predictions=tuple(map(asdict, predict_new(sets, hr, rho_within, new_n))))


def compare_with_nuts(run: Run, seed: int = 0, step: Callable[[], None] = lambda: None) -> Run:
    """Sample every exact posterior of a run too, and set the two side by side; what disagrees is a problem of the result.

    Raises
    ------
    UsageError
        If no model of the run has both.
    """
    from surrogacy.models.sampled import agreement

    exact = [model for model in run.models if agreement.sampled_twin(model) is not None]
    if not exact:
        raise UsageError("--nuts needs a model that is exact and can be sampled too: bivariate-bayes or daniels-hughes")
    analyses = list(run.analyses)
    for model in exact:
        places = [i for i, one in enumerate(analyses) if one.result(model.name) is not None]
        data = [analyses[i].effects for i in places]
        for i, sampled in zip(places, agreement.sample_twins(model, data, seed=seed), strict=True):
            one = analyses[i]
            result = one.result(model.name)
            assert result is not None  # of these places
            records = agreement.agreement(result, sampled)
            judged = replace(
                result,
                problems=result.problems + agreement.disagreements(records, sampled),
                converged=result.converged and not agreement.differ(records),
            )
            label = {"set": one.name, "model": model.name}
            analyses[i] = replace(
                one,
                results=tuple(judged if other is result else other for other in one.results),
                nuts=one.nuts + tuple(label | record for record in records),
                sampled=(*one.sampled, sampled),
            )
            step()
    return replace(run, analyses=tuple(analyses))


def fit_set(paired: AnalysisSet, models: Iterable[Model], required: Collection[str] = ()) -> SetFit:
    """Fit the models, with the sensitivity to the prior where it is exact; one that fails does not stop the others.

    Raises
    ------
    UsageError
        If the tables lack what a required model needs.
    """
    effects = paired.effects
    results, failures, not_fitted, scaling = [], [], [], []
    priors: list[dict[str, Any]] = []
    for model in models:
        try:
            results.append(model.fit(effects))
        except MissingDataError as error:
            if model.name in required:
                raise refusal(model.name, effects, error) from error
            not_fitted.append(NotFitted(model.name, error.reason, error.remedy, error.left_out))
            continue
        except FitError as error:
            failures.append((model.name, str(error)))
            continue
        label = {"set": effects.name, "model": model.name}
        if isinstance(model, BivariateBayes) and len(effects) <= LARGE_SET:
            priors += [{**label, **refits.prior_record(refit)} for refit in refits.prior_sensitivity(model, effects)]
        elif hasattr(
            model, "build"
        ):  # sampled: the priors and replicated data beside the draws, and how far the prior pulls
            from surrogacy.models.sampled.prior_posterior_checks import complete

            results[-1], records = complete(model, results[-1])  # type: ignore[arg-type]
            scaling += [label | record for record in records]
    found = SetFit(effects.name, effects, paired.flow, tuple(results), tuple(failures), tuple(not_fitted))
    return replace(found, prior_sensitivity=tuple(priors), power_scaling=tuple(scaling))


def examine(found: SetFit, models: Iterable[Model], step: Callable[[], None]) -> SetFit:
    """Add the grid over rho_within, leave-one-trial-out and influence to a fitted set."""
    grid: list[dict[str, Any]] = []
    out: list[dict[str, Any]] = []
    robust = found.robustness
    for model in models if not found.omitted else ():
        result = found.result(model.name)
        if result is not None:
            label = {"set": found.name, "model": model.name}
            if model.name.startswith("bivariate"):
                varied = refits.rho_within_grid(model, result.effects)
                grid += [label | refits.rho_within_record(refit) for refit in varied]
            if refittable([model]):
                left_out = refits.without_each_trial(model, result.effects)
                without = refits.leave_one_out(model, result.effects, left_out)
                out += [label | refits.left_out_record(refit) for refit in without]
                robust = fit_stages.from_left_out(robust, model, result, left_out, label)
        step()
    return replace(found, rho_within_grid=tuple(grid), leave_one_out=tuple(out), robustness=robust)
