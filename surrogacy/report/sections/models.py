"""Models: what each of them estimates on every set, and what limits it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.report.section import BLANK, Cell, Detail, Grid, Heading, Note, Record, Section, Table, table, text
from surrogacy.report.sections.threshold_targets import targets_block
from surrogacy.results.endpoint_names import comparisons_in_words, final_name
from surrogacy.results.estimate import Estimate, ThresholdEffect
from surrogacy.results.format import ABSENT, interval, listed, number, settings_in_words, with_interval
from surrogacy.results.labels import SYMBOLS, estimate_label, model_label
from surrogacy.results.result import Result

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
    flow = f"; {left_out} more without a usable pair (see tables/flow)" if left_out else ""
    remark = f"  {comparisons_in_words(effects)}, {len(effects.trials)} trials{patients}{flow}"
    rows: list[tuple[str | Cell, ...]] = [
        (_model_cell(result), _association_cell(result), _slope_cell(result), _threshold_cell(result))
        for result in fit.results
    ]
    rows += [(model_label(model), Cell(f"not fitted: {reason}", style="red"), "", "") for model, reason in fit.failures]
    rows += [
        (model_label(entry.model), Cell(f"not fitted: {entry.reason}", style="yellow"), "", "")
        for entry in fit.not_fitted
    ]
    headings = ("Model", "Association (95% interval)", "Slope (95% interval)", "STE (HR)")
    return Heading(fit.name, remark), Grid(headings, tuple(rows)), *targets_block(fit)


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


def _threshold_cell(result: Result) -> Cell:
    if "ste_prediction" not in result.estimates:
        return Cell(ABSENT)
    prediction: ThresholdEffect = result["ste_prediction"]
    method = f"; {prediction.method}" if prediction.method else ""
    detail = f"{prediction.band_and_size}{method}; band of the mean: {_threshold_beside(result['ste_confidence'])}"
    if "ste_prediction_80" in result.estimates:
        detail += f"; 80% band: {_threshold_beside(result['ste_prediction_80'])}"
    if result.line is not None and not result.line.scatter_known:
        detail += f"; {text('only_sizes_of_set')}"
    return Cell(prediction.value_words, detail)


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
        yield Note(f"to fit {listed(models)}: {remedy}", warning=True)


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
        shown, method = f"{estimate.value_words}{estimate.uncertainty_words}", estimate.method_words
        values: Record = {"value": estimate.hr, "level": estimate.level, "kind": method, **estimate.limits_record}
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


def _all_caveats(sets: Sequence[SetFit]) -> str:
    """Return a paragraph per caveat, with the sets and models that it concerns."""
    where: dict[str, dict[str, None]] = {}
    for fit in sets:
        for result in fit.results:
            for problem in result.problems:
                shared = problem in fit.effects.problems
                where.setdefault(problem, {})[fit.name if shared else f"{fit.name}, {model_label(result.model)}"] = None
        for model, reason in _not_fitted(fit):
            where.setdefault(f"not fitted: {reason}", {})[f"{fit.name}, {model_label(model)}"] = None
    return "".join(f"\n\n[{'; '.join(labels)}] {problem}." for problem, labels in where.items())


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
            "problem": reason,
            "missing_data": missing,
            "left_out": [member.record for member in (left_out[name, model] if missing else ())],
        }
        for name, model, reason, missing in (*failed, *lacking)
    ]
