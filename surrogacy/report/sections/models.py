"""Models: what each of them estimates on every set, and what limits it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.threshold_targets import MEAN_SIZE, TRUE
from surrogacy.report.section import BLANK, Cell, Detail, Grid, Heading, Note, Record, Section, Table, table, text
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import Estimate, ThresholdEffect, probability_words
from surrogacy.results.format import ABSENT, interval, number, settings_in_words, with_interval
from surrogacy.results.labels import SYMBOLS, estimate_label, model_label
from surrogacy.results.result import Result

QUOTED = "ste_prediction"
ASSOCIATIONS = ("r", "r2_trial", "sigma_cond")  # measures of the association, of which the first is printed


def section(run: FitRun) -> Section:
    """Return the estimates of every model on every set."""
    sets = run.sets
    return Section(
        key="models",
        by_set={fit.name: _block(fit) for fit in sets},
        caveats={fit.name: (*_remedies(fit), *_warnings(fit), BLANK) for fit in sets},
        tables=_table(sets),
        record={
            "fits": [result.record for fit in sets for result in fit.results],
            "failures": _failures(sets),
        },
    )


def _block(fit: SetFit) -> tuple[Detail, ...]:
    """Return name, size and models of a set."""
    effects = fit.effects
    size = effects.n_patients
    patients = f", {size:,.0f} patients" if size == size else ""
    left_out = sum(not entry.included for entry in fit.flow)
    flow = f"; {left_out} more without a usable pair (see the flow)" if left_out else ""
    remark = f"  {len(effects)} comparisons, {len(effects.trials)} trials{patients}{flow}"
    targets = _targets(fit)
    rows: list[tuple[str | Cell, ...]] = [
        (
            _model_cell(result),
            _association_cell(result),
            _slope_cell(result),
            *(_threshold_cell(result, name) for name in targets),
        )
        for result in fit.results
    ]
    blank = ("",) * (1 + len(targets))
    rows += [(model_label(model), Cell(f"not fitted: {reason}", style="red"), *blank) for model, reason in fit.failures]
    rows += [
        (model_label(entry.model), Cell(f"not fitted: {entry.reason}", style="yellow"), *blank)
        for entry in fit.not_fitted
    ]
    headings = ("Model", "Association (95% interval)", "Slope (95% interval)", *map(text, targets.values()))
    grid = Grid(headings, tuple(rows))
    both = any(TRUE in result.estimates for result in fit.results)
    return Heading(fit.name, remark), grid, *((Note(text("threshold_targets")), BLANK) if both else ())


def _targets(fit: SetFit) -> dict[str, str]:
    """Return the thresholds of a set by name, with their headings; one for another size only if that was asked for."""
    if not any(TRUE in result.estimates for result in fit.results):  # a large set has no intervals of thresholds
        return {QUOTED: "threshold_quoted"}
    both = {TRUE: "threshold_true", MEAN_SIZE: "threshold_mean_size"}
    other = any(QUOTED in result.estimates and _quoted_target(result) == QUOTED for result in fit.results)
    return both | ({QUOTED: "threshold_stated_size"} if other else {})


def _quoted_target(result: Result) -> str:
    """Return the name of the threshold for the target of the quoted one; its own name for a stated size."""
    quoted: ThresholdEffect = result[QUOTED]
    sizes = {name: threshold.new_trial for name in (TRUE, MEAN_SIZE) if (threshold := result.threshold_effect(name))}
    return next((name for name, size in sizes.items() if size == quoted.new_trial), QUOTED)


def _model_cell(result: Result) -> Cell:
    fitted = f"; {result.size} comparisons" if result.left_out else ""
    return Cell(model_label(result.model), f"{settings_in_words(result)}{fitted}")


def _association_cell(result: Result) -> Cell:
    name = next((name for name in ASSOCIATIONS if name in result.estimates), None)
    if name is None:
        return Cell(ABSENT)
    method, rho = result[name].method.partition(";")[0], result.estimate("rho_between")
    if rho.value is not None:
        method = f"between-trial correlation {number(rho.value)}; {rho.method.partition(';')[0]}"
    if "r_bootstrap" in result.estimates:
        bootstrap: Estimate = result["r_bootstrap"]
        method += f"; bootstrap {interval(bootstrap.low, bootstrap.high)}"
    return Cell(f"{SYMBOLS[name]} {with_interval(result[name])}", method)


def _slope_cell(result: Result) -> Cell:
    if "slope" not in result.estimates or result["slope"].value is None:
        return Cell(ABSENT)
    return Cell(with_interval(result["slope"]), result["slope"].method.partition(";")[0])


def _threshold_cell(result: Result, name: str) -> Cell:
    """Return a threshold; that of the quoted target with those by the other bands."""
    threshold = result.threshold_effect(name)
    if threshold is None:
        return Cell(ABSENT)
    if not threshold.is_defined:
        return Cell(ABSENT, threshold.value_words.strip("– ()"))
    details = [threshold.band_words if name == TRUE else f"{threshold.band_words}, {threshold.new_trial}"]
    details += [uncertainty_method(threshold)] if threshold.uncertainty is not None else []
    if _quoted_target(result) == name:
        details.append(f"band of the mean: {_threshold_beside(result['ste_confidence'])}")
        if "ste_prediction_80" in result.estimates:
            details.append(f"80% band: {_threshold_beside(result['ste_prediction_80'])}")
    return Cell(f"{threshold.value_words}{threshold.uncertainty_words}", "; ".join(details))


def uncertainty_method(threshold: ThresholdEffect) -> str:
    """Return the method of the interval of a threshold, with the probability that it exists if it has no value."""
    if threshold.uncertainty is None:
        return ""
    if threshold.hr is None:
        exists = probability_words(threshold.uncertainty.exists)
        return f"exists with probability {exists} ({threshold.uncertainty.method})"
    words = "interval" if threshold.uncertainty.low is not None else "probability"
    return f"{words}: {threshold.uncertainty.method}"


def _threshold_beside(threshold: ThresholdEffect) -> str:
    """Return the threshold by a band that is printed beside the main one."""
    if threshold.status == "benefit-without-surrogate-effect":
        return "none, benefit at a surrogate HR of 1"
    if threshold.band == "confidence":
        return "none" if threshold.hr is None else number(threshold.hr)
    return threshold.value_words


def _remedies(fit: SetFit) -> Iterator[Note]:
    """Return what would let the models be fitted that were not."""
    for remedy in dict.fromkeys(entry.remedy for entry in fit.not_fitted):
        models = [model_label(entry.model) for entry in fit.not_fitted if entry.remedy == remedy]
        yield Note(f"to fit {' and '.join(models)}: {remedy}", warning=True)


def _warnings(fit: SetFit) -> Iterator[Note]:
    """Return every caveat once, with the models that it concerns unless these are all."""
    models: dict[str, list[str]] = {}
    for result in fit.results:
        for problem in result.problems:
            models.setdefault(problem, []).append(model_label(result.model))
    for problem, names in models.items():
        where = "" if len(names) == len(fit.results) else f"{', '.join(names)}: "
        yield Note(f"! {where}{problem}", warning=True)


def _table(sets: Sequence[SetFit]) -> tuple[Table, ...]:
    """Return every estimate of every model."""
    records = [_estimate_row(fit, result, name) for fit in sets for result in fit.results for name in result.estimates]
    return table("models", records, print_only=("set_size", "label", "shown"), remarks=_all_caveats(sets))


def _estimate_row(fit: SetFit, result: Result, name: str) -> Record:
    estimate = result.estimates[name]
    if isinstance(estimate, ThresholdEffect):
        shown = f"{estimate.value_words}{estimate.uncertainty_words}"
        method = "; ".join(filter(None, (estimate.status, estimate.band_and_size, uncertainty_method(estimate))))
        values: Record = {"value": estimate.hr, "level": estimate.level, "kind": method, **_limits(estimate)}
    else:
        shown, values = with_interval(estimate), estimate.record
    return {
        "set": fit.name,
        "k": len(result.effects),
        "trials": len(result.effects.trials),
        "model": result.model,
        "estimate": name,
        **values,
        "settings": settings_in_words(result),
        "problems": "; ".join(result.problems),
        "left_out": len(result.left_out),
        "set_size": f"{fit.name} (k = {result.size})",
        "label": estimate_label(name, final_name(result.effects)),
        "shown": shown,
    }


def _limits(threshold: ThresholdEffect) -> Record:
    """Return the limits of a threshold and the probability that it exists; empty if they were not computed."""
    uncertainty = threshold.uncertainty
    if uncertainty is None:
        return {}
    return {"low": uncertainty.low, "high": uncertainty.high, "exists": uncertainty.exists}


def _all_caveats(sets: Sequence[SetFit]) -> str:
    """Return every caveat once, with the sets and models that it concerns."""
    where: dict[str, dict[str, None]] = {}
    for fit in sets:
        for result in fit.results:
            for problem in result.problems:
                shared = problem in fit.effects.problems
                where.setdefault(problem, {})[fit.name if shared else f"{fit.name}, {model_label(result.model)}"] = None
        for model, reason in _not_fitted(fit):
            where.setdefault(f"not fitted: {reason}", {})[f"{fit.name}, {model_label(model)}"] = None
    return " ".join(f"[{'; '.join(labels)}] {problem}." for problem, labels in where.items())


def _not_fitted(fit: SetFit) -> Iterable[tuple[str, str]]:
    lacking = ((entry.model, f"{entry.reason}. Remedy: {entry.remedy}") for entry in fit.not_fitted)
    return (*fit.failures, *lacking)


def _failures(sets: Sequence[SetFit]) -> list[Record]:
    """Return the models without a fit; ``left_out`` holds what the tables lack if that is the reason."""
    left_out = {(fit.name, entry.model): entry.left_out for fit in sets for entry in fit.not_fitted}
    failed = [(fit.name, model, reason, False) for fit in sets for model, reason in fit.failures]
    lacking = [
        (fit.name, entry.model, f"{entry.reason}. Remedy: {entry.remedy}", True)
        for fit in sets
        for entry in fit.not_fitted
    ]
    return [
        {
            "set": name,
            "model": model,
            "problem": problem,
            "missing_data": missing,
            "left_out": [member.record for member in (left_out[name, model] if missing else ())],
        }
        for name, model, problem, missing in (*failed, *lacking)
    ]
