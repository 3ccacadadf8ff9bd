"""Results of a run that fill items of checklists. Every value was computed before; nothing is computed again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from surrogacy.evaluation.criteria_text import wordings
from surrogacy.evaluation.new_trial_prediction import NewTrialPrediction
from surrogacy.report.paper import checklist_data
from surrogacy.report.paper.checklists import Finding
from surrogacy.report.paper.run_facts import RunFacts
from surrogacy.report.paper.run_sentences import target_in_words
from surrogacy.report.paper.set_facts import SetFacts
from surrogacy.report.typography import with_minus_signs
from surrogacy.results.endpoint_names import final_name
from surrogacy.results.estimate import Estimate
from surrogacy.results.format import number, percent, uncapitalised, with_interval
from surrogacy.results.labels import estimate_label, model_label
from surrogacy.results.result import Result


def _quoted(facts: RunFacts) -> Iterator[tuple[SetFacts, Result]]:
    for entry in facts.sets:
        if entry.answer is not None:
            yield entry, entry.answer.quoted


def _estimates(facts: RunFacts, names: tuple[str, ...], where: str) -> Finding:
    """Return estimates of the quoted model of every set with their intervals."""
    words, numbers = {}, {}
    for entry, result in _quoted(facts):
        known = {name: each for name in names if isinstance(each := result.estimates.get(name), Estimate)}
        labels = [
            f"{uncapitalised(estimate_label(name, final_name(result.effects)))} {with_interval(each)}"
            for name, each in known.items()
        ]
        if known:
            words[entry.label] = f"{', '.join(labels)} ({model_label(result.model)}{entry.remarks})"
            numbers[entry.fit.name] = {
                f"{name}{suffix}": value
                for name, each in known.items()
                for suffix, value in (("", each.value), ("_low", each.low), ("_high", each.high))
            }
    return Finding.by_set("auto", words, where, numbers)


def _association(facts: RunFacts) -> Finding:
    has_r2 = all("r2_trial" in result.estimates for _, result in _quoted(facts))
    return _estimates(facts, ("r2_trial",) if has_r2 else ("r2_trial", "r", "sigma_cond"), "tables/models.csv")


def _line(facts: RunFacts) -> Finding:
    return _estimates(facts, ("intercept", "slope"), "tables/models.csv")


def _threshold(facts: RunFacts) -> Finding:
    words, numbers = {}, {}
    for entry, result in _quoted(facts):
        ste = result.threshold_effect("ste_prediction")
        if ste is not None:
            words[entry.label] = f"{entry.threshold} ({entry.threshold_basis}{entry.remarks})"
            numbers[entry.fit.name] = {"hr": ste.hr, "status": ste.status, "level": ste.level, **ste.limits_record}
    return Finding.by_set("auto", words, "tables/models.csv", numbers)


def _cross_validation(facts: RunFacts) -> Finding:
    words, numbers = {}, {}
    for entry in facts.sets:
        if (scores := entry.cross_validation) is not None:
            inside, total = scores.coverage
            words[entry.label] = f"{inside} of {total} observed effects inside the 95% prediction interval"
            numbers[entry.fit.name] = {"inside": inside, "predicted": total}
    return Finding.by_set("auto", words, "tables/cross_validation.csv", numbers)


def _multiplier(facts: RunFacts) -> Finding:
    words, numbers = {}, {}
    for entry in facts.sets:
        if (scores := entry.cross_validation) is not None:
            value = scores.baker_kramer_multiplier
            words[entry.label] = f"{number(value)} ({model_label(scores.model)})"
            numbers[entry.fit.name] = {"multiplier": value}
    return Finding.by_set("auto", words, "tables/cross_validation.csv", numbers)


def _priors(facts: RunFacts) -> Finding:
    stated = "; ".join(f"{model.label}: {model.priors}" for model in facts.models if model.priors)
    if not stated:
        return Finding("n/a", "No model of this run has a prior.")
    tried = f". Repeated with: {'; '.join(facts.priors_tried)}" if facts.priors_tried else ""
    return Finding("auto", f"{stated}{tried}", "tables/priors.csv" if tried else "methods.md")


def _convergence(facts: RunFacts) -> Finding:
    failed = [
        f"{entry.label}: {model_label(each.model)}"
        for entry in facts.sets
        for each in entry.fit.results
        if not each.converged
    ]
    if failed:
        return Finding("auto", f"Diagnostics failed: {'; '.join(failed)}", "tables/models.csv")
    errors = {
        entry.label: f"a quantile changes by at most {number(error.value, 3)} posterior SDs on a coarser grid"
        for entry, result in _quoted(facts)
        if isinstance(error := result.estimates.get("grid_error"), Estimate)
    }
    if facts.sampled:
        return Finding(
            "auto", "The diagnostics of all sampled posteriors are within their limits.", "tables/models.csv"
        )
    return (
        Finding.by_set("auto", errors, "tables/models.csv") if errors else Finding("n/a", "No posterior was sampled.")
    )


def _prediction(facts: RunFacts) -> Finding:
    if facts.predictions:
        return Finding("auto", "; ".join(facts.predictions), "results.json, key predictions")
    if facts.placements:
        return Finding("auto", ". ".join(facts.placements), "tables/placement.csv")
    return Finding("missing", "No trial was predicted (--predict HR LOW HIGH, or --focus TRIAL).")


def _predictions(facts: RunFacts) -> Iterator[tuple[SetFacts, NewTrialPrediction]]:
    """Yield the predictions for a new trial by the quoted models, with their sets."""
    quoted = {(entry.fit.name, result.model): entry for entry, result in _quoted(facts)}
    for each in facts.run.predictions:
        if (each.set, each.model) in quoted:
            yield quoted[each.set, each.model], each


def _harm_probability(facts: RunFacts) -> Finding:
    words = {
        f"{entry.label}, {target_in_words(each.target)}": (
            f"{percent(1 - each.p_below_1)} probability of a value above 1 ({model_label(each.model)}{entry.remarks})"
        )
        for entry, each in _predictions(facts)
    }
    missing = Finding("missing", "No new trial was predicted (--predict HR LOW HIGH).")
    return Finding.by_set("auto", words, "results.json, key predictions") if words else missing


def _verdicts(facts: RunFacts, scheme: str, items: tuple[str, ...], models: Mapping[str, str]) -> Finding:
    """Return the words of published schemes about one model of each set."""
    name = wordings().schemes[scheme].name
    words: dict[str, str] = {}
    numbers: dict[str, dict[str, float | str | None]] = {}
    for each in facts.run.criteria:
        verdict = each.verdict
        if verdict.scheme == name and verdict.item in items and verdict.model == models.get(each.set):
            label = next(entry.label for entry in facts.sets if entry.fit.name == each.set)
            words[label] = f"{words[label]} {verdict.words}" if label in words else verdict.words
            numbers.setdefault(each.set, {}).update(
                {f"{verdict.item}_{quantity}": value for quantity, value in verdict.numbers.items()}
            )
    return Finding.by_set("auto", words, "tables/verdicts.csv", numbers)


def _quoted_models(facts: RunFacts) -> dict[str, str]:
    return {entry.fit.name: result.model for entry, result in _quoted(facts)}


def _correlation_models(facts: RunFacts) -> dict[str, str]:
    """Return the weighted correlation of each set, to which IQWiG's limits refer; else the quoted model."""
    correlated = {
        entry.fit.name: each.model for entry in facts.sets for each in entry.fit.results if "r" in each.estimates
    }
    return _quoted_models(facts) | correlated


def _iqwig_correlation(facts: RunFacts) -> Finding:
    return _verdicts(facts, "iqwig", ("correlation",), _correlation_models(facts))


def _iqwig_needed_r(facts: RunFacts) -> Finding:
    return _verdicts(facts, "iqwig", ("needed_r",), _correlation_models(facts))


def _iqwig_threshold(facts: RunFacts) -> Finding:
    return _verdicts(facts, "iqwig", ("threshold",), _quoted_models(facts))


def _iqwig_trial(facts: RunFacts) -> Finding:
    finding = _verdicts(facts, "iqwig", ("trial",), _quoted_models(facts))
    return finding if finding.status == "auto" else Finding("missing", "No trial is in focus (--focus TRIAL).")


def _daniels_hughes(facts: RunFacts) -> Finding:
    return _verdicts(facts, "daniels-hughes", ("intercept", "slope", "sigma_cond"), _quoted_models(facts))


def _bses3_r2(facts: RunFacts) -> Finding:
    """Return the limits of the scheme for R², after R² with its interval."""
    limits = _verdicts(facts, "bses3", ("r2_trial",), _quoted_models(facts))
    if limits.status != "auto":
        return limits
    return Finding("auto", f"{_association(facts).value}. {limits.value}", limits.where, limits.numbers)


FACTS = {
    function.__name__.removeprefix("_"): function
    for function in (
        _association,
        _line,
        _threshold,
        _cross_validation,
        _multiplier,
        _priors,
        _convergence,
        _prediction,
        _harm_probability,
        _iqwig_correlation,
        _iqwig_needed_r,
        _iqwig_threshold,
        _iqwig_trial,
        _daniels_hughes,
        _bses3_r2,
    )
}


def run_findings(facts: RunFacts) -> dict[str, Finding]:
    """Return the findings of a run by the names that ``checklists.toml`` uses."""
    findings = {name: function(facts) for name, function in (checklist_data.FACTS | FACTS).items()}
    return {name: replace(each, value=_with_signs(each.value)) for name, each in findings.items()}


def _with_signs(words: str) -> str:
    """Return words with minus signs and R²."""
    return with_minus_signs(re.sub(r"\bR2\b", "R²", words))
