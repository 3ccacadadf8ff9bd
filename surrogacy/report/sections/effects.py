"""Effects: hazard ratios as fitted, true effects, and the comparisons that are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.arrays import FloatArray
from surrogacy.effects import SIDES
from surrogacy.report.section import Record, Section, Table, table
from surrogacy.results.endpoint_names import endpoint_of
from surrogacy.results.format import ABSENT, number, value_and_interval
from surrogacy.results.result import Result

NO_INTERVAL = " No interval: nothing in the table gives a standard error."


def section(run: FitRun) -> Section:
    """Return the effects of every set, and the flow of comparisons."""
    return Section(
        key="effects",
        tables=(
            *_effects_table(run.sets),
            *_true_effects_table(run.sets),
            *_left_out_table(run.sets),
            *_flow_table(run),
        ),
        record={"flow": _flow_record(run)},
    )


def comparison_labels(sets: Sequence[SetFit]) -> dict[str, str]:
    """Return the labels of comparisons by identifier."""
    return {name: label for fit in sets for name, label in zip(fit.effects.comparison, fit.effects.labels, strict=True)}


def trial_labels(sets: Sequence[SetFit]) -> dict[str, str]:
    """Return the labels of trials by identifier."""
    return {name: label for fit in sets for name, label in zip(fit.effects.trial, fit.effects.labels, strict=True)}


def _effects_table(sets: Sequence[SetFit]) -> tuple[Table, ...]:
    """Return both hazard ratios of every comparison, as fitted."""
    complete = all(fit.effects.has_standard_errors.all() for fit in sets)
    return table(
        "effects",
        [record for fit in sets for record in _effects_rows(fit)],
        formats={"n": partial(number, digits=0)},
        print_only=("label", *(f"{part}_{side}" for part in ("name", "shown") for side in SIDES)),
        remarks="" if complete else NO_INTERVAL,
    )


def _effects_rows(fit: SetFit) -> Iterator[Record]:
    effects = fit.effects
    limits = [np.exp(limit) for limit in effects.limits]
    columns, unverified = effects.described_columns, effects.unverified
    for i, comparison in enumerate(effects.comparison):
        factors = {name: values[i] for name, values in columns.items()}
        record = {"set": fit.name, "comparison": comparison, "trial": effects.trial[i], "n": effects.n[i], **factors}
        record |= {"rho_within": effects.rho_within[i], "label": effects.labels[i]}
        for column, side in enumerate(SIDES):
            log_hr, se = effects.log_hr[i, column], effects.se[i, column]
            shown = f"{number(np.exp(log_hr))} (no interval)" if np.isfinite(log_hr) else ABSENT
            if np.isfinite(se):
                shown = value_and_interval(np.exp(log_hr), *(limit[i, column] for limit in limits))
            record |= {
                f"log_hr_{side}": log_hr,
                f"se_{side}": se,
                f"hr_{side}": np.exp(log_hr),
                f"name_{side}": endpoint_of(effects, i, side),
                f"shown_{side}": f"{shown} †" if unverified[i, column] else shown,
            }
        yield record


def _true_effects_table(sets: Sequence[SetFit]) -> tuple[Table, ...]:
    """Return observed and true effects of every comparison, by the exact posterior."""
    records = [record for fit in sets for record in _true_effects_rows(fit)]
    return table("true_effects", records, labels=comparison_labels(sets))


def _true_effects_rows(fit: SetFit) -> Iterator[Record]:
    for result in fit.results:
        true_effects = None if result.posterior is None else result.posterior.true_effects()
        if true_effects is not None:
            yield from _true_effects_of(fit.name, result, *true_effects)


def _true_effects_of(name: str, result: Result, mean: FloatArray, covariance: FloatArray) -> Iterator[Record]:
    for i, comparison in enumerate(result.effects.comparison):
        numbers: dict[str, float] = {}
        for column, side in enumerate(SIDES):
            numbers |= {
                f"hr_{side}": float(np.exp(result.effects.log_hr[i, column])),
                f"hr_{side}_true": float(np.exp(mean[i, column])),
                f"log_hr_{side}_true": float(mean[i, column]),
                f"sd_{side}_true": float(covariance[i, column, column] ** 0.5),
            }
        covariance_true = float(covariance[i, 0, 1])
        yield {"set": name, "comparison": comparison, **numbers, "covariance_true": covariance_true}


def _left_out_table(sets: Sequence[SetFit]) -> tuple[Table, ...]:
    """Return the comparisons that a model leaves out because they lack what it needs."""
    records = [
        {
            "set": fit.name,
            "model": model,
            "comparison": entry.comparison,
            "reason": entry.reason,
            "remedy": entry.remedy,
        }
        for fit in sets
        for model, left_out in (
            *((result.model, result.left_out) for result in fit.results),
            *((entry.model, entry.left_out) for entry in fit.not_fitted),
        )
        for entry in left_out
    ]
    return table("left_out", records, labels=comparison_labels(sets))


def _in_no_set(run: FitRun) -> dict[str, str]:
    """Return the comparisons that no set of the run considers, and why."""
    table = run.trials.trials
    considered = {entry.comparison for fit in run.sets for entry in fit.flow}
    stages = zip(table["comparison"], table["stage"], strict=True)
    return {name: f"{stage} stage: in no set of this run" for name, stage in stages if name not in considered}


def _flow_table(run: FitRun) -> tuple[Table, ...]:
    """Return every comparison: in which fit it is, or why not."""
    rows = [(fit.name, entry.comparison, entry.included, entry.reason) for fit in run.sets for entry in fit.flow]
    rows += [("", comparison, False, why) for comparison, why in _in_no_set(run).items()]
    labels = dict(zip(run.trials.trials["comparison"], run.trials.trials["label"], strict=True))
    records = [dict(zip(("set", "comparison", "in_fit", "why"), row, strict=True)) for row in rows]
    formats = {"in_fit": lambda fitted: "in the fit" if fitted else "not in the fit"}
    return table("flow", records, labels=labels, formats=formats)


def _flow_record(run: FitRun) -> Record:
    """Return where every comparison of the table went."""
    sets = {
        fit.name: {
            "in_fit": sorted(entry.comparison for entry in fit.flow if entry.included),
            "not_in_fit": {entry.comparison: entry.reason for entry in fit.flow if not entry.included},
        }
        for fit in run.sets
    }
    return {"comparisons": len(run.trials.trials), "sets": sets, "in_no_set": _in_no_set(run)}
