"""Facts on data and design of a run that fill items of checklists."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from surrogacy.report.paper.checklists import NOT_RUN, Finding
from surrogacy.report.paper.paper_text import EVIDENCE_WORDS
from surrogacy.report.paper.run_facts import RunFacts
from surrogacy.results.endpoint_names import surrogate_names
from surrogacy.results.format import listed


def _size(facts: RunFacts) -> Finding:
    return Finding.by_set("data", {entry.label: entry.size for entry in facts.sets}, "tables/effects.csv")


def _selection(facts: RunFacts) -> Finding:
    words = {}
    for entry in facts.sets:
        flow = entry.fit.flow
        included = sum(each.included for each in flow)
        words[entry.label] = (
            f"{len(flow)} comparisons considered, {included} in the fit, {len(flow) - included} excluded"
        )
    return Finding.by_set("data", words, "tables/flow.csv")


def _data_type(facts: RunFacts) -> Finding:
    return Finding("data", "Aggregate data: published hazard ratios and their intervals.", "tables/effects.csv")


def _evidence(facts: RunFacts) -> Finding:
    words = "; ".join(f"{EVIDENCE_WORDS[name]}: {count} hazard ratios" for name, count in facts.evidence)
    return Finding("data", words, "tables/effects.csv") if words else Finding("missing", "The table names no evidence.")


def _surrogate_definition(facts: RunFacts) -> Finding:
    table = facts.run.trials.effects
    used = {name for entry in facts.sets for name in entry.fit.effects.covariates.get("surrogate_effect", ())}
    rows = table[table["effect_id"].isin(used)]
    counts = Counter(zip(rows["endpoint"], rows["criteria"], rows["review"], strict=True))
    words = [
        f"{endpoint}, criteria {_reported(criteria)}, review {_reported(review)}: {count}"
        for (endpoint, criteria, review), count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return (
        Finding("data", "; ".join(words), "trial tables, effects.csv")
        if words
        else Finding("missing", "Not in the table.")
    )


def _reported(cell: str) -> str:
    return "not reported" if cell in ("", "NR") else re.sub(r"(?<=RECIST)(?=\d)", " ", cell)


def _final_endpoint(facts: RunFacts) -> Finding:
    return Finding("data", facts.final, "tables/effects.csv")


def _endpoints(facts: RunFacts) -> Finding:
    words = {each.label: f"{listed(surrogate_names(each.fit.effects))} for {each.final}" for each in facts.sets}
    return Finding.by_set("data", words, "tables/effects.csv")


def _effect_measure(facts: RunFacts) -> Finding:
    return Finding("auto", "Log hazard ratio; below 0 favours the experimental arm.", "methods.md")


def _dependence(facts: RunFacts) -> Finding:
    choice = {"cov": "their covariance is modelled", "first": "the first is kept", "combine": "they are combined"}
    shared = (
        f"{facts.sharing} share a control arm" if facts.sharing else "no comparisons in the fit share a control arm"
    )
    words = "Unit: randomised comparison. Comparisons with a common control arm: "
    return Finding("auto", f"{words}{choice[facts.run.settings.pairing.shared_control]}; {shared}.", "methods.md")


def _individual_level(facts: RunFacts) -> Finding:
    return Finding("n/a", "It cannot be estimated from aggregate data.")


def _models(facts: RunFacts) -> Finding:
    words = []
    for model in facts.models:
        settings = "; ".join(filter(None, (model.weights, f"priors: {model.priors}" if model.priors else "")))
        words.append(f"{model.label} ({settings})" if settings else model.label)
    return Finding("auto", "; ".join(words), "methods.md") if words else NOT_RUN


def _within_trial(facts: RunFacts) -> Finding:
    source = "derived from the shared patients" if facts.shared_patients_derived else "assumed"
    words = {
        entry.label: f"within-trial correlation {f'{entry.within} ({source})' if entry.within else 'as reported'}; "
        f"reported in {entry.within_reported} of {len(entry.fit.effects)} comparisons"
        for entry in facts.sets
    }
    return Finding.by_set("auto", words, "tables/rho_within.csv" if facts.correlations_tried else "methods.md")


def _sensitivity(facts: RunFacts) -> Finding:
    words = " ".join(facts.sensitivity_analyses)
    return Finding("auto", words, "tables/") if words else Finding("missing", "No sensitivity analysis was run.")


def _software(facts: RunFacts) -> Finding:
    libraries = ", ".join(f"{name} {version}" for name, version in facts.libraries.items())
    return Finding(
        "auto", f"surrogacy {facts.version}, data {facts.data_version}, Python {facts.python}, {libraries}", "run.json"
    )


def _effects(facts: RunFacts) -> Finding:
    words = {
        each.label: f"{len(each.fit.effects)} comparisons with both hazard ratios"
        for each in facts.sets
        if not each.one_endpoint
    }
    words |= {
        each.label: f"{len(each.fit.effects)} comparisons, {each.one_endpoint} with one endpoint"
        for each in facts.sets
        if each.one_endpoint
    }
    return Finding.by_set("data", words, "tables/effects.csv")


def _plot(facts: RunFacts) -> Finding:
    lines = any(result.line is not None for entry in facts.sets for result in entry.fit.results)
    return (
        Finding("auto", "A bubble plot of the effects with line and bands is available for every set.", "figures/")
        if lines
        else NOT_RUN
    )


def _final_direction(facts: RunFacts) -> Finding:
    words = {}
    for entry in facts.sets:
        final = entry.fit.effects.log_hr[:, 1]
        known = final[np.isfinite(final)]
        words[entry.label] = f"{int((known > 0).sum())} of {len(known)} hazard ratios for {entry.final} above 1"
    return Finding.by_set("data", words, "tables/effects.csv")


def _later_treatment(facts: RunFacts) -> Finding:
    names = {name for entry in facts.sets for name in entry.fit.effects.comparison}
    trials, arms = facts.run.trials.trials, facts.run.trials.arms
    rows = trials[trials["comparison"].isin(names)]
    crossover = int((rows["crossover"].astype(str) != "").sum())
    later = arms[
        arms["comparison"].isin(names) & (arms["post_therapy_pct"].notna() | arms["post_systemic_pct"].notna())
    ]
    known = later["comparison"].nunique()
    return Finding(
        "data",
        f"Of {len(names)} comparisons, the tables report crossover in {crossover} and later treatment in {known}.",
        "trial tables, trials.csv and arms.csv",
    )


def _post_progression(facts: RunFacts) -> Finding:
    if not facts.run.decompositions:
        return Finding("missing", "No trial in focus was decomposed (surrogacy pps).")
    return Finding("auto", " ".join(facts.decomposition_sentences), "results.json, key pps_comparisons")


FACTS = {
    function.__name__.removeprefix("_"): function
    for function in (
        _size,
        _selection,
        _data_type,
        _evidence,
        _surrogate_definition,
        _final_endpoint,
        _endpoints,
        _effect_measure,
        _dependence,
        _individual_level,
        _models,
        _within_trial,
        _sensitivity,
        _software,
        _effects,
        _plot,
        _final_direction,
        _later_treatment,
        _post_progression,
    )
}
