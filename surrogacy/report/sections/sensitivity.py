"""Sensitivity: within-trial correlation, prior, meta-regressions, other choices, subgroups, formula of intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.refits import SHARED_PATIENTS, Refit
from surrogacy.report.captions import caption_of, model_in_words
from surrogacy.report.section import Drawing, Note, Record, Section, Table, drawing, phrase, table, text
from surrogacy.results.analysis_sets import set_label
from surrogacy.results.endpoint_names import final_name, surrogate_names, with_article
from surrogacy.results.estimate import TRUE_EFFECT, Estimate, ThresholdEffect
from surrogacy.results.format import ABSENT, number, percent, value_and_interval, with_interval
from surrogacy.results.labels import (
    CHOICE_VALUES,
    CHOICES,
    INTERVAL_METHODS,
    PRIOR_SETS,
    SURROGATE_ERRORS,
    VARIANCE_ESTIMATORS,
    model_label,
)

# Results of a search for a threshold that is not one within the data.
NOT_DEFINED = "not-defined"  # no line, or no numbers of patients
OTHER_THRESHOLDS = {
    NOT_DEFINED: "not defined",
    "none": "none",
    "two-sided": "two-sided",
    "outside-data": "outside the data",
    "benefit-without-surrogate-effect": "benefit without a surrogate effect",
}

ONE_ENDPOINT = {"exclude": "excluded", "include": "included"}


def section(run: FitRun) -> Section:
    """Return how far the results depend on assumptions and choices."""
    sets = run.sets
    grid = [record for fit in sets for record in fit.rho_within_grid]
    priors = [record for fit in sets for record in fit.prior_sensitivity]
    meta_regressions = [record for fit in sets for record in fit.meta_regressions]
    choices = [record for fit in sets for record in fit.choices]
    subgroups = [record for fit in sets for record in fit.subgroups]
    intervals = [record for fit in sets for record in fit.interval_methods]
    one_endpoint = [
        {"set": fit.name, "model": entry.refit.model, **entry.record} for fit in sets for entry in fit.one_endpoint
    ]
    correlations = [{"set": fit.name, **entry.record} for fit in sets for entry in fit.shared_patients]
    return Section(
        key="sensitivity",
        by_set={
            fit.name: (*_grid_line(fit), *_one_endpoint_line(fit), *_prior_line(fit), *_meta_regression_line(fit))
            for fit in sets
        },
        tables=(
            *table("rho_within", grid, labels=CHOICE_VALUES),
            *table("shared_patients", correlations),
            *table("one_endpoint", one_endpoint, labels=ONE_ENDPOINT),
            *_prior_table(priors),
            *_meta_regression_table(meta_regressions),
            *table("choices", choices, labels=CHOICES | CHOICE_VALUES),
            *table("subgroups", subgroups),
            *table("intervals", intervals),
        ),
        record={
            "rho_within_grid": grid,
            "shared_patients": correlations,
            "one_endpoint": one_endpoint,
            "prior_sensitivity": priors,
            "meta_regressions": meta_regressions,
            "choices": choices,
            "subgroups": subgroups,
            "intervals": intervals,
        },
    )


def _grid_line(fit: SetFit) -> Iterator[Note]:
    if not fit.rho_within_grid:
        return
    model = fit.rho_within_grid[-1]["model"]
    records = [record for record in fit.rho_within_grid if record["model"] == model]
    cells = ", ".join(f"{_r2_and_slope(record)} ({_rho_within_words(record)})" for record in records)
    note = "; * boundary" if any(record.get("boundary") for record in records) else ""
    yield Note(f"R²/slope of the {model_label(str(model))} (within-trial correlation): {cells}{note}")
    computed = [entry.correlation for entry in fit.shared_patients if entry.correlation is not None]
    if computed:
        others = [entry.label for entry in fit.shared_patients if entry.correlation is None]
        yield Note(
            text(
                "shared_patients_line",
                median=number(np.median(computed)),
                low=number(min(computed)),
                high=number(max(computed)),
                k=len(computed),
                others=text("shared_patients_others", names=", ".join(others)) if others else "",
            )
        )


def _rho_within_words(record: Record) -> str:
    return CHOICE_VALUES.get(record["rho_within"]) or f"{record['rho_within']:g}"


def _one_endpoint_line(fit: SetFit) -> Iterator[Note]:
    """Return the last bivariate model with and without the comparisons that report one endpoint."""
    if not fit.one_endpoint or any(entry.refit.problem for entry in fit.one_endpoint):
        return
    without, included = fit.one_endpoint[-2:]
    yield Note(
        text(
            "one_endpoint_line",
            model=model_label(included.refit.model),
            count=included.refit.k - without.refit.k,
            final=with_article(final_name(fit.effects)),
            final_alone=included.final_alone,
            surrogate_alone=included.surrogate_alone,
            included=_main_estimates(included.refit),
            without=_main_estimates(without.refit),
        )
    )


def _main_estimates(refit: Refit) -> str:
    """Return R² and slope with their intervals, and the threshold."""
    shown = [
        f"{words} {with_interval(estimate)}"
        for name, words in (("r2_trial", "R²"), ("slope", "slope"))
        if isinstance(estimate := refit.estimates.get(name), Estimate)
    ]
    threshold = refit.estimates.get("ste_prediction")
    if isinstance(threshold, ThresholdEffect):
        shown.append(f"threshold {'none' if threshold.hr is None else threshold.value_words}")
    return ", ".join(shown)


def _r2_and_slope(record: Record) -> str:
    if "problem" in record:
        return "failed"
    return f"{number(record['r2_trial'])}{'*' if record['boundary'] else ''}/{number(record['slope'])}"


def _prior_line(fit: SetFit) -> Iterator[Note]:
    records: list[Record] = [record for record in fit.prior_sensitivity if "problem" not in record]
    if not records:
        return
    low, high = (choose(records, key=lambda record: record["r2_trial"]) for choose in (min, max))
    default = records[0]
    yield Note(
        text(
            "prior_line",
            low=number(low["r2_trial"]),
            low_prior=PRIOR_SETS[str(low["prior"])],
            high=number(high["r2_trial"]),
            high_prior=PRIOR_SETS[str(high["prior"])],
            overlap=percent(default["prior_overlap"]),
            before=number(default["r2_trial_prior"]),
            after=number(default["r2_trial"]),
        )
    )


def _prior_table(records: Sequence[Record]) -> tuple[Table, ...]:
    """Return the results with other priors."""
    fields: dict[str, Callable[[Record], str]] = {
        "r2_trial": partial(_prior_interval, "r2_trial"),
        "slope": partial(_prior_interval, "slope"),
        "ste": partial(_threshold_words, "ste_prediction"),
        "ste_80": partial(_threshold_words, "ste_prediction_80"),
        "slope_positive": lambda record: number(record["p_slope_positive"]),
        "overlap": lambda record: percent(record["prior_overlap"]),
        "prior_r2": lambda record: number(record["r2_trial_prior"]),
    }
    rows = []
    for record in records:
        failed = {"r2_trial": f"not fitted: {record['problem']}"} if "problem" in record else {}
        texts = failed or {name: text(record) for name, text in fields.items()}
        rows.append({**record, **{f"shown_{name}": texts.get(name, "") for name in fields}})
    return table("priors", rows, labels=PRIOR_SETS, print_only=[f"shown_{name}" for name in fields])


def _prior_interval(name: str, record: Record) -> str:
    return value_and_interval(record[name], record[f"{name}_low"], record[f"{name}_high"])


def _residual_sd(record: Record) -> str:
    """Return the residual SD of a meta-regression, whose interval is empty if the effects scatter too little."""
    if record["sigma_cond"] is not None and record["sigma_cond_high"] is None:
        return f"{number(record['sigma_cond'])} (empty)"
    return _prior_interval("sigma_cond", record)


def _threshold_words(name: str, record: Record) -> str:
    status, hr = record[f"{name}_status"], record[name]
    value = "none" if hr is None else number(hr)
    return value if status in ("none", "exists") else f"{value} ({status})"


def _meta_regression_line(fit: SetFit) -> Iterator[Note]:
    """Return the range of the thresholds over the estimators and interval methods."""
    result = fit.result("meta-regression")
    if result is None:
        return
    records = [record for record in fit.meta_regressions if "problem" not in record]
    ignored = [record for record in records if record["surrogate_errors"] == "ignored"]
    propagated = [record for record in records if record["surrogate_errors"] == "propagated"]
    explained = result.estimate("r2_heterogeneity").value
    words = {"surrogate": "/".join(surrogate_names(fit.effects)), "final": final_name(fit.effects)}
    yield Note(
        text(
            "meta_regression_line",
            explained=text("meta_regression_no_heterogeneity", **words)
            if explained is None
            else text("meta_regression_explained", share=percent(explained), **words),
            ignored=_thresholds_in_words(ignored, "ste_95_true_effect"),
            ignored_80=_thresholds_in_words(ignored, "ste_80_true_effect"),
            mean_size=_thresholds_in_words(ignored, "ste_95_mean_size"),
            propagated=_thresholds_in_words(propagated, "ste_95_true_effect"),
            **words,
        )
    )


def _thresholds_in_words(records: Sequence[Record], name: str) -> str:
    """Return the range of the thresholds within the data, and what the other fits have instead."""
    statuses = [str(record.get(f"{name}_status", NOT_DEFINED)) for record in records]
    pairs = zip(records, statuses, strict=True)
    values = sorted({number(record[name]) for record, status in pairs if status == "exists"})
    words = [values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"] if values else []
    return " or ".join([*words, *dict.fromkeys(OTHER_THRESHOLDS[status] for status in statuses if status != "exists")])


def threshold_in_words(record: Record, name: str) -> str:
    """Return the threshold of a refit, or what it has instead."""
    status = str(record.get(f"{name}_status", NOT_DEFINED))
    if record.get(name) is None:
        return OTHER_THRESHOLDS.get(status, OTHER_THRESHOLDS[NOT_DEFINED])
    return number(record[name]) if status == "exists" else f"{number(record[name])} ({OTHER_THRESHOLDS[status]})"


def _meta_regression_table(records: Sequence[Record]) -> tuple[Table, ...]:
    """Return slope, residual SD and thresholds by every estimator and interval method."""
    rows = []
    for record in records:
        settings = {
            "shown_tau2": VARIANCE_ESTIMATORS[str(record["tau2"])],
            "shown_interval": INTERVAL_METHODS[str(record["interval"])].partition(",")[0],
            "shown_errors": SURROGATE_ERRORS[str(record["surrogate_errors"])],
        }
        if "problem" in record:
            rows.append({**record, **settings, "shown_slope": f"not fitted: {record['problem']}"})
            continue
        shown = {"shown_slope": _prior_interval("slope", record), "shown_sigma_cond": _residual_sd(record)}
        shown |= {
            f"shown_{name}": threshold_in_words(record, name)
            for name in (f"ste_{level}_{target}" for target in ("true_effect", "mean_size") for level in (95, 80))
        }
        rows.append({**record, **settings, **shown})
    return table(
        "meta_regressions", rows, print_only=[key for key in (rows[0] if rows else ()) if key.startswith("shown_")]
    )


def sensitivity_drawings(sets: Sequence[SetFit]) -> Iterator[Drawing]:
    """Return the figures of a set by prior, and by every other choice."""
    for fit in sets:
        if fit.prior_sensitivity and not fit.omitted:
            yield _by_prior(fit)
        if fit.choices:
            yield _by_choice(fit)


def _by_prior(fit: SetFit) -> Drawing:
    records, name = fit.prior_sensitivity, set_label(fit.name)
    result = fit.result(str(records[0]["model"]))
    threshold = None if result is None else result.threshold_effect("ste_prediction")
    new_trial = TRUE_EFFECT if threshold is None else threshold.new_trial
    caption = caption_of(
        [text("prior_caption", set=name, overlap=_overlap(records[0]), new_trial=new_trial)],
        [text("prior_details")],
        () if result is None else result.problems,
    )
    unverified = any(result.unverified for result in fit.results)
    alternative = phrase("alternative_texts", "prior_sensitivity", set=name, **_range_of_r2(records))
    title = f"priors-{fit.name}"
    return drawing("prior_sensitivity", title, caption, records, unverified=unverified, alternative=alternative)


def _by_choice(fit: SetFit) -> Drawing:
    model, name = fit.choices[-1]["model"], set_label(fit.name)
    records = tuple(record for record in fit.choices if record["model"] == model)
    result = fit.result(str(model))
    with_shared = any(record["value"] == SHARED_PATIENTS for record in records)
    caption = caption_of(
        [text("choices_caption", set=name, model=model_in_words(str(model)))],
        [text("choices_details", shared_patients=text("choices_shared_patients") if with_shared else "")],
        () if result is None else result.problems,
    )
    alternative = phrase("alternative_texts", "choices", set=name, **_range_of_r2(records))
    return drawing("choices", f"choices-{fit.name}", caption, records, alternative=alternative)


def _range_of_r2(records: Sequence[Record]) -> dict[str, str]:
    """Return R² of the first refit, the smallest and the largest, in words."""
    values = [record["r2_trial"] for record in records if record.get("r2_trial") is not None]
    if not values:
        return dict.fromkeys(("base", "low", "high"), ABSENT)
    first = records[0].get("r2_trial")
    base = ABSENT if first is None else number(first)
    return {"base": base, "low": number(min(values)), "high": number(max(values))}


def _overlap(default: Record) -> str:
    if "prior_overlap" not in default:
        return ""
    return text(
        "overlap",
        overlap=percent(default["prior_overlap"]),
        before=number(default["r2_trial_prior"]),
        after=number(default["r2_trial"]),
    )
