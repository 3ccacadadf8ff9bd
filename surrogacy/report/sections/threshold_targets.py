"""Thresholds of every model for both targets, with their intervals and the probability that they exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial

from surrogacy.analysis.fit_run import FitRun, SetFit
from surrogacy.evaluation.threshold_targets import MEAN_SIZE, TRUE
from surrogacy.report.section import BLANK, Cell, Detail, Grid, Note, Record, Section, table, text
from surrogacy.results.estimate import ThresholdEffect, probability_words
from surrogacy.results.format import ABSENT, number
from surrogacy.results.labels import model_label
from surrogacy.results.result import Result

STATED = "ste_prediction"
LABELS = {"true-effect": "true effect", "mean-size": "trial of mean size", "stated-size": "trial of the stated size"}
FORMATS = {"n": partial(number, digits=0)}
TARGETS = {TRUE: "true-effect", MEAN_SIZE: "mean-size", STATED: "stated-size"}


def section(run: FitRun) -> Section:
    """Return the table of the thresholds; they are part of the estimates in results.json."""
    remarks = "".join(map(_same_size, run.sets))
    return Section(
        key="thresholds",
        details=(Note(text("thresholds_note")), BLANK) if any(map(targets_block, run.sets)) else (),
        tables=table(
            "thresholds", [*_rows(run.sets)], labels=LABELS, formats=FORMATS, print_only=("shown",), remarks=remarks
        ),
    )


def targets_block(fit: SetFit) -> tuple[Detail, ...]:
    """Return the thresholds of a set, one row per model and one column per target; empty without intervals."""
    results = [result for result in fit.results if TRUE in result.estimates]
    if not results:
        return ()
    names = (TRUE, MEAN_SIZE, *((STATED,) if any(map(_has_stated_size, results)) else ()))
    sizes = dict.fromkeys(number(size, 0) for result in results if (size := result[MEAN_SIZE].new_n))
    headings = [
        text("thresholds_true"),
        text("thresholds_mean_size", size=f" (n = {' or '.join(sizes)})" if sizes else ""),
    ]
    headings += [text("thresholds_stated_size")] * (len(names) - 2)
    rows: list[tuple[str | Cell, ...]] = [
        (model_label(result.model), *(_cell(result[name]) for name in names), _method(result)) for result in results
    ]
    grid = Grid((text("thresholds_model"), *headings, text("thresholds_interval")), tuple(rows), compact=True)
    return grid, BLANK


def _same_size(fit: SetFit) -> str:
    """Return the thresholds of regression and likelihood model at the same size; empty if one of them has none."""
    regression, bivariate = (fit.result(name) for name in ("weighted-regression", "bivariate-reml"))
    if regression is None or bivariate is None or not all(TRUE in fit.estimates for fit in (regression, bivariate)):
        return ""
    compared = regression[MEAN_SIZE], bivariate[MEAN_SIZE], bivariate[TRUE]
    if any(threshold.hr is None for threshold in compared) or compared[0].new_n is None:
        return ""
    values = dict(zip(("regression", "bivariate", "true"), (number(each.hr) for each in compared), strict=True))
    models = {"regression_model": model_label(regression.model), "bivariate_model": model_label(bivariate.model)}
    return text("thresholds_same_size", set=fit.name, n=number(compared[0].new_n, 0), **values, **models)


def _has_stated_size(result: Result) -> bool:
    """Return whether the quoted threshold is for a size that the user stated."""
    quoted: ThresholdEffect = result[STATED]
    return quoted.new_trial not in (result[TRUE].new_trial, result[MEAN_SIZE].new_trial)


def _cell(threshold: ThresholdEffect) -> Cell:
    """Return a threshold; below it, the probability that there is one if it has no value."""
    if not threshold.is_defined:
        return Cell(threshold.value_words)
    uncertainty = threshold.uncertainty
    if threshold.hr is None and uncertainty is not None:
        exists = probability_words(uncertainty.exists)
        words = "thresholds_without_effect" if threshold.crossing is not None else "thresholds_none"
        return Cell(text(words, exists=exists))
    return Cell(f"{threshold.value_words}{threshold.uncertainty_words}")


def _method(result: Result) -> str:
    """Return the method of the intervals of a result."""
    thresholds: list[ThresholdEffect] = [result[name] for name in (TRUE, MEAN_SIZE)]
    methods = dict.fromkeys(each.uncertainty.method for each in thresholds if each.uncertainty is not None)
    return next(iter(methods), ABSENT)


def _rows(sets: Sequence[SetFit]) -> Iterator[Record]:
    """Return a row per set, model and target."""
    for fit in sets:
        for result in fit.results:
            if TRUE not in result.estimates:
                continue
            for name, target in TARGETS.items():
                if name != STATED or _has_stated_size(result):
                    yield _row(fit, result, target, result[name])


def _row(fit: SetFit, result: Result, target: str, threshold: ThresholdEffect) -> Record:
    uncertainty = threshold.uncertainty
    described: Record = {}
    if uncertainty is not None:
        described = asdict(uncertainty)
        del described["level"]
    return {
        "set": fit.name,
        "model": result.model,
        "target": target,
        "n": threshold.new_n,
        "hr": threshold.hr,
        "status": threshold.status,
        **described,
        "shown": _cell(threshold).text,
    }
