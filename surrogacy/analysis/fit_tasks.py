"""Tasks of a run of fits. Each is a function of its arguments alone, so that any process can compute it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from typing import NamedTuple, cast

from surrogacy.analysis.fit_run import Failure, SetFit, SetVerdict
from surrogacy.analysis.settings import FitSettings
from surrogacy.effects import Effects
from surrogacy.errors import FitError, SurrogacyError, UsageError
from surrogacy.evaluation import refits
from surrogacy.evaluation.changes import Change, prediction_changes
from surrogacy.evaluation.criteria import Style, all_verdicts, daniels_hughes, iqwig_threshold, iqwig_trial
from surrogacy.evaluation.cross_validation import cross_validate
from surrogacy.evaluation.differences import Difference, compare_sets
from surrogacy.evaluation.grades import SurrogateEffect
from surrogacy.evaluation.influence import delete_one, regression_diagnostics
from surrogacy.evaluation.interval_methods import INTERVAL_METHODS, TRUE, all_intervals
from surrogacy.evaluation.meta_regressions import meta_regression_variants
from surrogacy.evaluation.one_endpoint import pairs_with_one_endpoint, vary_one_endpoint
from surrogacy.evaluation.placement import Focus, Placement, place, shown_placements
from surrogacy.evaluation.records import Record
from surrogacy.evaluation.sensitivity import vary_one_choice
from surrogacy.evaluation.subgroups import by_factor, levels_of
from surrogacy.evaluation.threshold_targets import with_threshold_targets
from surrogacy.models import Capability, Model
from surrogacy.models.bivariate_bayes import BivariateBayes
from surrogacy.models.correlation import WeightedPearson
from surrogacy.models.meta_regression import MetaRegression
from surrogacy.models.regression import WeightedRegression
from surrogacy.pps.decomposition import Decomposition, decompose
from surrogacy.pps.gap_scenarios import DilutionRange, by_structure, dilution_range
from surrogacy.pps.read_summaries import read_inputs
from surrogacy.pps.shared_patients import correlated_effects, shared_patients
from surrogacy.results.labels import Weights
from surrogacy.results.requirements import MissingDataError, NotFitted, fitting_error, refusal, split_by_requirements
from surrogacy.results.result import Result
from surrogacy.trials import AnalysisSet, TrialSet

FACTORS = ("line", "class", "masking", "region", "stage", "surrogate", "era")
LATER_ERA = 2019  # immunotherapy, and the years after the table of Llovet 2019


def has_line(result: Result) -> bool:
    """Return whether a model predicts trials; its line is missing only if the surrogate effects hardly differ."""
    return result.line is not None or "slope" in result.estimates


def fit_model(paired: AnalysisSet, model: Model, required: bool, seed: int) -> SetFit:
    """Fit a model to a set, with the intervals of its thresholds and the sensitivity of its posterior to the prior.

    Raises
    ------
    UsageError
        If the tables lack a quantity that a required model needs.
    """
    effects, fit = paired.effects, SetFit(paired)
    try:
        result = model.fit(effects)
    except MissingDataError as error:
        if required:
            raise refusal(model.name, effects, error) from error
        return replace(fit, not_fitted=(NotFitted(model.name, error.reason, error.remedy, error.left_out),))
    except FitError as error:
        return replace(fit, failures=(Failure(model.name, str(error)),))
    if Capability.PRIORS in model.capabilities and not fit.large:
        other_priors = refits.prior_sensitivity(cast(BivariateBayes, model), effects)
        fit = replace(fit, prior_sensitivity=labelled(fit, model, map(refits.prior_record, other_priors)))
    if Capability.POWER_SCALING in model.capabilities:
        from surrogacy.models.sampled.nuts import Sampled
        from surrogacy.models.sampled.prior_posterior_checks import complete

        result, scaling = complete(cast(Sampled, model), result)
        fit = replace(fit, power_scaling=labelled(fit, model, [row.record for row in scaling]))
    return replace(fit, results=(result if fit.large else with_threshold_targets(model, result, seed=seed),))


def labelled(
    fit: SetFit, model: Model, records: Iterable[Mapping[str, bool | int | float | str | None]]
) -> tuple[Record, ...]:
    """Add the names of set and model to records."""
    return tuple({"set": fit.name, "model": model.name, **record} for record in records)


def evaluate_model(paired: AnalysisSet, model: Model, result: Result, trials: TrialSet) -> SetFit:
    """Refit a model over the within-trial correlation and without each trial.

    Profile intervals take seconds and are left to `vary_refits`.
    """
    fit, effects = SetFit(paired), result.effects
    if Capability.WITHIN_TRIAL_CORRELATIONS in model.capabilities:
        shared = correlated_effects(trials, effects)
        grid = refits.rho_within_grid(model, effects, shared_patients=None if shared is effects else shared)
        fit = replace(fit, rho_within_grid=labelled(fit, model, map(refits.rho_within_record, grid)))
    if Capability.REFITS in model.capabilities:
        left_out = refits.without_each_trial(model, effects)
        without = map(refits.left_out_record, refits.leave_one_out(model, effects, left_out))
        fit = replace(fit, leave_one_out=labelled(fit, model, without))
        if has_line(result):
            fit = replace(fit, cross_validation=(cross_validate(model, effects, left_out),))
        if Capability.PROFILE_INTERVALS not in model.capabilities:
            fit = replace(fit, influences=tuple(delete_one(model, effects, left_out)))
    if Capability.META_REGRESSION_VARIANTS in model.capabilities:
        variants = meta_regression_variants(cast(MetaRegression, model), effects)
        fit = replace(fit, meta_regressions=labelled(fit, model, [variant.record for variant in variants]))
    if Capability.REGRESSION_DIAGNOSTICS in model.capabilities:
        diagnostics = regression_diagnostics(effects, cast(WeightedRegression, model))
        fit = replace(fit, influence=labelled(fit, model, map(asdict, diagnostics)))
    return fit


def vary_assumptions(paired: AnalysisSet, models: Sequence[Model], settings: FitSettings, trials: TrialSet) -> SetFit:
    """Refit with and without the comparisons that report one endpoint; list the correlations from shared patients."""
    fit, pairing = SetFit(paired), settings.resolved_pairing(trials)
    versions = pairs_with_one_endpoint(trials, settings.source(fit.name), pairing, settings.table_name)
    if settings.shared_patients:
        versions = {choice: correlated_effects(trials, effects) for choice, effects in versions.items()}
    entries = tuple(entry for model in models for entry in vary_one_endpoint(model, versions))
    return replace(fit, one_endpoint=entries, shared_patients=shared_patients(trials, paired.effects) if models else ())


def vary_refits(paired: AnalysisSet, model: Model) -> SetFit:
    """Refit a model without each trial, with profile intervals."""
    fit, effects = SetFit(paired), split_by_requirements(paired.effects, model.requires).effects
    return replace(fit, influences=tuple(delete_one(model, effects)))


def vary_choices(paired: AnalysisSet, model: Model, settings: FitSettings, trials: TrialSet) -> SetFit:
    """Refit a model with one choice of the pairing varied at a time."""
    fit = SetFit(paired)
    choices = vary_one_choice(
        model,
        trials,
        settings.source(fit.name),
        pairing=settings.resolved_pairing(trials),
        shared_patients=partial(correlated_effects, trials),
        by_default=settings.shared_patients,
    )
    return replace(fit, choices=labelled(fit, model, map(refits.choice_record, choices)))


def vary_subgroups(paired: AnalysisSet, model: Model) -> SetFit:
    """Refit a model in each level of each factor that divides the set."""
    fit, effects = SetFit(paired), paired.effects
    known = [factor for factor in FACTORS if ("year" if factor == "era" else factor) in effects.covariates]
    dividing = [factor for factor in known if len(levels_of(effects, factor, LATER_ERA)) > 1]
    subgroups = [refit for factor in dividing for refit in by_factor(model, effects, factor, LATER_ERA)]
    return replace(fit, subgroups=labelled(fit, model, map(refits.subgroup_record, subgroups)))


def vary_intervals(paired: AnalysisSet, bivariate: Model | None, weights: Weights, seed: int) -> SetFit:
    """Compute every published interval of the association that the set and its models allow."""
    fit, effects = SetFit(paired), paired.effects
    weighted = fitting_error(WeightedPearson(weights), effects) is None
    methods = [
        name
        for name, method in INTERVAL_METHODS.items()
        if (bivariate is not None if method.correlates == TRUE else weighted)
    ]
    try:
        intervals = all_intervals(
            effects, bivariate, weights=weights if weighted else "none", recipes=methods, seed=seed
        )
    except SurrogacyError as error:
        return replace(fit, interval_methods=({"set": fit.name, "problem": str(error)},))
    return replace(fit, interval_methods=tuple({"set": fit.name, **vars(interval)} for interval in intervals))


def sample_model(model: Model, sets: Sequence[Effects], seed: int) -> list[Result]:
    """Sample the posterior of an exact model on every set by NUTS; it is compiled once."""
    from surrogacy.models.sampled.agreement import sample_twins

    return sample_twins(model, sets, seed=seed)


class Placed(NamedTuple):
    """Comparison in focus: its placement within every line, and changes of its prediction by added rows."""

    focus: Focus
    placements: list[Placement]
    changes: list[Change]


class Gap(NamedTuple):
    """Decomposition of the gap between the effects of a comparison in focus; None if the tables do not allow it."""

    decomposition: Decomposition | None
    dilution_range: DilutionRange | None


def place_comparison(
    focus: Focus,
    models: Sequence[Model],
    sets: Sequence[tuple[Effects, Sequence[Result]]],
    sets_without_added: Sequence[tuple[Effects, Sequence[Result]]] = (),
) -> Placed:
    """Place a comparison within every line, with and without added rows."""
    placements = place(focus, models, sets)
    shown = {placement.model for placement in shown_placements(placements)}
    before = place(focus, [model for model in models if model.name in shown], sets_without_added)
    return Placed(focus, placements, prediction_changes(before, placements))


def decompose_gap(focus: Focus, trials: TrialSet) -> Gap:
    """Decompose the gap between the effects of a comparison, with constant hazards and with other structures."""
    decomposition, structures = None, None
    with suppress(UsageError):  # the tables lack a quantity that it needs
        inputs = read_inputs(trials, focus.comparison)
        decomposition = decompose(inputs)
        structures = dilution_range(by_structure(inputs, main=decomposition.calibration), decomposition.calibration)
    return Gap(decomposition, structures)


def compare_pair(
    smaller: Effects, larger: Effects, weights: Weights, equivalent_slope: float | None, seed: int
) -> Difference | None:
    """Compare the association of two sets.

    Returns
    -------
    Difference or None
        None if a set has fewer than three comparisons; the fit of that set reports this.
    """
    posterior = all(fitting_error(BivariateBayes(), effects) is None for effects in (smaller, larger))
    try:
        return compare_sets(
            smaller, larger, weights=weights, posterior=posterior, equivalent_slope=equivalent_slope, seed=seed
        )
    except FitError:
        return None


def apply_criteria(results: Sequence[Result], trials: Sequence[SurrogateEffect], style: Style) -> list[SetVerdict]:
    """Apply the published criteria to every result, and compare every trial in focus with its threshold effect.

    A model without a trial-level R2 is judged by its line alone, and a trial then by the correlation of the set.
    """
    verdicts = []
    for result in results:
        correlation = None
        if "r2_trial" in result.estimates:
            of_set = all_verdicts(result, style=style)
        else:
            of_set = [iqwig_threshold(result, style=style), *daniels_hughes(result, style=style)]
            same_set = (each for each in results if each.effects.name == result.effects.name)
            correlation = next((each for each in same_set if "r" in each.estimates), None)
        of_trials = [iqwig_trial(result, trial, correlation=correlation, style=style) for trial in trials]
        verdicts += [SetVerdict(result.effects.name, each) for each in (*of_set, *of_trials)]
    return verdicts
