"""Sensitivity analyses that a run contains, in words."""

from __future__ import annotations

from collections.abc import Sequence

from surrogacy.analysis.fit_run import SetFit
from surrogacy.evaluation.refits import SHARED_PATIENTS
from surrogacy.results.format import listed
from surrogacy.results.labels import PRIOR_SETS, model_label


def correlations_tried(sets: Sequence[SetFit]) -> tuple[str, ...]:
    """Return the within-trial correlations with which models were refitted."""
    values = dict.fromkeys(record["rho_within"] for fit in sets for record in fit.rho_within_grid)
    numbers = tuple(f"{value:g}" for value in values if value != SHARED_PATIENTS)
    derived = ("the correlation that follows from the shared patients",)
    return numbers + derived if SHARED_PATIENTS in values else numbers


def refitted_models(sets: Sequence[SetFit]) -> tuple[str, ...]:
    """Return the labels of the models that were refitted with other within-trial correlations."""
    return tuple(dict.fromkeys(model_label(str(record["model"])) for fit in sets for record in fit.rho_within_grid))


def shared_patients_tried(sets: Sequence[SetFit]) -> bool:
    """Return whether a model was refitted with the correlation that follows from the shared patients."""
    return any(record["rho_within"] == SHARED_PATIENTS for fit in sets for record in fit.rho_within_grid)


def priors_tried(sets: Sequence[SetFit]) -> tuple[str, ...]:
    """Return the priors with which Bayesian models were refitted."""
    names = dict.fromkeys(str(record["prior"]) for fit in sets for record in fit.prior_sensitivity)
    labels = (PRIOR_SETS.get(name, name) for name in names if name != "default")
    return tuple(label.replace("corr.", "correlation") for label in labels)


def subgroup_factors(sets: Sequence[SetFit]) -> str:
    """Return the factors that divided the sets into subgroups."""
    return listed(list(dict.fromkeys(str(record["factor"]) for fit in sets for record in fit.subgroups)))


def sensitivity_analyses(sets: Sequence[SetFit], *, external: bool) -> tuple[str, ...]:
    """Return a sentence per sensitivity analysis that was run.

    Parameters
    ----------
    sets : sequence of SetFit
    external : bool
        Whether each set was predicted from another one.
    """
    correlations, priors, factors = listed(correlations_tried(sets)), priors_tried(sets), subgroup_factors(sets)
    analyses = {
        f"Within-trial correlation: {correlations}.": correlations,
        f"Priors: {'; '.join(priors)}.": priors,
        "Each trial left out in turn.": any(fit.leave_one_out for fit in sets),
        "Models with and without the comparisons that report one endpoint.": any(fit.one_endpoint for fit in sets),
        "Meta-regression with other estimators of the between-trial variance, other intervals, and the sampling errors "
        "of the surrogate effects propagated.": any(fit.meta_regressions for fit in sets),
        "Each choice of the data (endpoints, data cut, evidence, shared control arms, weights) varied in turn.": any(
            fit.choices for fit in sets
        ),
        f"Subgroups by {factors}.": factors,
        "Intervals of the association by other published methods.": any(fit.interval_methods for fit in sets),
        "Each set predicted from another set.": external,
        "Power scaling of prior and likelihood.": any(fit.power_scaling for fit in sets),
        "Exact posteriors compared with sampled ones.": any(fit.agreement for fit in sets),
    }
    return tuple(sentence for sentence, run in analyses.items() if run)
