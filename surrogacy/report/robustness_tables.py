"""Tables of how far results can be trusted: cross-validation, influence, differences, verdicts, choices, subgroups, intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from surrogacy.analysis.fit_run import Run, SetFit
from surrogacy.evaluation.cross_validation import Predictions
from surrogacy.evaluation.differences import POWER_NOTE, Difference
from surrogacy.report.tables import ReportTable, names_for, records_table
from surrogacy.results.endpoint_names import common_final_name, with_article

QUANTITIES = {"z": "Fisher z", "r": "Weighted Pearson r", "r_bootstrap": "Weighted Pearson r, bootstrap"}
VARIED = {
    "base": "as in this run",
    "rho_within": "ρ within",
    "weights": "weights",
    "endpoints": "endpoints",
    "data_cut": "data cut",
    "ci_level": "confidence levels",
    "min_evidence": "weakest evidence",
    "shared_control": "shared control arms",
}
NO_DATA = (
    "P(smaller in the first): exact posteriors. Beside it the same probability if the first set held no trial, which "
    "is the prior against the posterior of the second set, and the odds ratio of the two: 1 means that the trials of "
    "the first set change nothing."
)
DETECTABLE = (
    "Detectable: smallest true difference of r, weaker in the first set, that these numbers of trials would find with "
    "80% power (Fisher z; r of the second as observed)."
)
OF_A_FIT = {
    "k": "k",
    "trials": "Trials",
    "r": "r",
    "r_low": "95% low",
    "r_high": "95% high",
    "rho_between": "ρ between",
    "r2_trial": "R² (trial level)",
    "r2_trial_low": "R² 95% low",
    "r2_trial_high": "R² 95% high",
    "slope": "Slope",
    "slope_low": "Slope 95% low",
    "slope_high": "Slope 95% high",
    "ste_prediction": "STE (HR)",
    "ste_prediction_status": "STE status",
    "boundary": "Boundary",
    "problem": "Not fitted",
}


def robustness_tables(run: Run) -> list[ReportTable]:
    """All that a run has of them."""
    analyses = run.analyses
    labels = {
        name: label for one in analyses for name, label in zip(one.effects.comparison, one.effects.labels, strict=True)
    }
    labels |= {
        trial: label for one in analyses for trial, label in zip(one.effects.trial, one.effects.labels, strict=True)
    }
    within = [(one.name, found) for one in analyses for found in one.robustness.cross_validation]
    final = common_final_name(one.effects for one in analyses)
    title = f"Leave-one-trial-out prediction of {with_article(final)}"
    tables = [*cross_validation_tables("cross_validation", title, within, "", final)]
    elsewhere = [(f"{found.training} -> {found.test}", found) for found in run.external]
    note = "Fitted to one set, and every comparison of the other predicted whose trial is not in the first."
    title = f"Prediction of {with_article(final)} in another set"
    tables += cross_validation_tables("external_validation", title, elsewhere, note, final)
    tables += influence_tables(analyses, labels)
    if run.differences:
        tables.append(differences_table(run.differences, final))
    if run.verdicts:
        tables.append(verdicts_table(run.verdicts))
    return tables + sensitivity_tables(analyses)


def cross_validation_tables(
    name: str, title: str, found: Sequence[tuple[str, Predictions]], note: str, final: str
) -> list[ReportTable]:
    """A row a model, and a row a comparison."""
    if not found:
        return []
    summaries = [{"set": where, **one.summary()} for where, one in found]
    for record in summaries:
        k = record["k"]
        for share, count in (("coverage", "covered"), ("coverage_80", "covered_80"), ("sign_agreement", "same_sign")):
            record[share] = f"{record[count]} of {k}"
    columns = {
        "set": "Set",
        "model": "Model",
        "coverage": "Within the 95% interval",
        "coverage_80": "Within the 80% interval",
        "outside": "Outside 95%",
        "sign_agreement": "Same side of 1",
        "mean_width": "Mean width (log)",
        "rmse": "RMSE (log)",
        "baker_kramer_multiplier": "SE multiplier",
        "calibration_intercept": "Calibration intercept",
        "calibration_slope": "Calibration slope",
        "not_predicted": "Not predicted",
    }
    of_models = (
        f"Observed {final} log hazard ratio against its prediction from the surrogate effect of the trial and the other trials; intervals hold the sampling "
        f"error of the observed {final} effect. SE multiplier: width of the prediction over that of the trial's own {final} interval (Baker, Kramer 2013, "
        "doi:10.1093/jnci/djs527). Calibration: observed on predicted, ideally 0 and 1; with few trials, and predictions that hardly "
        "differ, it says little."
    )
    records: list[dict[str, Any]] = [
        {"set": where, "model": one.model, **record} for where, one in found for record in one.records
    ]
    for record in records:
        for key in ("surrogate", "observed", "predicted", "low", "high", "low_80", "high_80"):
            value = record.get(key)
            if isinstance(value, float):
                record[f"hr_{key}"] = exp(value)
    of_records = {
        "set": "Set",
        "model": "Model",
        "label": "Comparison",
        "k": "k of the fit",
        "hr_surrogate": "HR (surrogate)",
        "hr_predicted": "Predicted HR",
        "hr_low": "95% low",
        "hr_high": "95% high",
        "hr_observed": "Observed HR",
        "covered": "Within 95%",
        "percentile": "Percentile",
        "boundary": "Boundary",
        "problem": "Not predicted",
    }
    detail = f"{title}, by comparison"
    words = {"True": "yes", "False": "no"}
    return [
        records_table(name, title, f"{note} {of_models}".strip(), summaries, columns, {}),
        records_table(f"{name}_trials", detail, note, records, of_records, words),
    ]


def influence_tables(analyses: Sequence[SetFit], labels: Mapping[str, str]) -> list[ReportTable]:
    """What the regression owes to each comparison, and which conclusions hang on one trial."""
    diagnostics = [record for one in analyses for record in one.robustness.diagnostics]
    carried = [
        {"set": one.name, "conclusion": sentence} for one in analyses for sentence in one.robustness.carried(labels)
    ]
    changes = [record for one in analyses for record in one.robustness.delete_one if record["left_out"]]
    tables = []
    if diagnostics:
        columns = {
            "set": "Set",
            "label": "Comparison",
            "weight": "Weight",
            "residual": "Residual (log)",
            "external": "Studentised residual",
            "hat": "Hat",
            "cooks_distance": "Cook's distance",
            "dffits": "DFFITS",
            "dfbetas_intercept": "DFBETAS, intercept",
            "dfbetas_slope": "DFBETAS, slope",
        }
        note = "Weighted regression; each row tells what dropping this one comparison would do (Belsley, Kuh, Welsch 1980)."
        tables.append(
            records_table("influence", "Influence on the weighted regression", note, diagnostics, columns, labels)
        )
    if changes:
        columns = {
            "set": "Set",
            "model": "Model",
            "left_out": "Without",
            "k": "k",
            "r": "r",
            "r_change": "Change",
            "rho_between": "ρ between",
            "rho_between_change": "Change of ρ",
            "slope": "Slope",
            "slope_change": "Change of slope",
            "ste_prediction": "STE (HR)",
            "ste_prediction_change": "Change of STE",
            "ste_prediction_status": "STE status",
            "slope_sign": "Slope by its interval",
            "problem": "Not fitted",
        }
        note = "Without each trial, with all its comparisons; changes are without it less with it."
        if carried:
            note += " Conclusions that another set of trials would not give: " + "; ".join(
                f"[{record['set']}] {record['conclusion']}" for record in carried
            )
        tables.append(records_table("delete_one", "What single trials change", f"{note}.", changes, columns, labels))
    return tables


def differences_table(found: Sequence[Difference], final: str) -> ReportTable:
    """Difference in association between two sets, a row a quantity."""
    records = [
        {
            "first": one.names[0],
            "second": one.names[1],
            "k_first": one.trials[0],
            "k_second": one.trials[1],
            "quantity": name,
            "value_first": contrast.first,
            "value_second": contrast.second,
            "difference": contrast.difference.value,
            "low": contrast.difference.low,
            "high": contrast.difference.high,
            "level": contrast.difference.level,
            "kind": contrast.difference.kind,
            "p": contrast.p,
            "probability_first_smaller": contrast.probability_first_smaller,
            "probability_no_data": contrast.probability_no_data,
            "odds_ratio_no_data": contrast.odds_ratio_no_data,
            "power": None,
            "power_note": POWER_NOTE,
            "trials_needed": one.trials_needed,
            "detectable": one.detectable,
            "detectable_difference": one.detectable_difference if name == "r" else None,
            "weights": one.weights,
            "problems": "; ".join(one.problems),
        }
        for one in found
        for name, contrast in one.contrasts.items()
    ]
    columns = {
        "first": "Set",
        "k_first": "Trials",
        "second": "Against",
        "k_second": "Trials of it",
        "quantity": "Quantity",
        "value_first": "In the first",
        "value_second": "In the other",
        "difference": "Difference",
        "low": "95% low",
        "high": "95% high",
        "kind": "How",
        "p": "p",
        "probability_first_smaller": "P(smaller in the first)",
        "probability_no_data": "The same if the first held no trial",
        "odds_ratio_no_data": "Odds ratio",
        "detectable_difference": "Detectable with 80% power",
    }
    sentences = [f"{one.names[0]} against {one.names[1]}: {one.sentence}" for one in found]
    note = " ".join([NO_DATA, DETECTABLE, *sentences])
    return records_table(
        "differences", "Is the association weaker?", note, records, columns, QUANTITIES | names_for(final)
    )


def verdicts_table(records: Sequence[Mapping[str, Any]]) -> ReportTable:
    """What published schemes would say of every result."""
    flat = [
        {key: value for key, value in record.items() if key not in ("numbers", "problems")}
        | {f"number_{key}": value for key, value in record["numbers"].items()}
        | {"problems": "; ".join(record["problems"])}
        for record in records
    ]
    columns = {
        "set": "Set",
        "model": "Model",
        "scheme": "Scheme",
        "item": "Item",
        "value": "Value",
        "words": "In words",
        "status": "Status",
        "source": "Source",
    }
    note = (
        "Thresholds are those of the schemes, not of this package. Status `doubtful`: the fit lies on the boundary or failed its diagnostics, or the "
        "statement rests on an extrapolation or on the trial that it is about; `not gradable`: aggregate data cannot "
        "answer. Sources of the limits: "
    )
    note += " ".join(
        f"[{scheme}] {limits}" for scheme, limits in {record["scheme"]: record["limits"] for record in flat}.items()
    )
    return records_table("verdicts", "Published schemes", note, flat, columns, {})


def sensitivity_tables(analyses: Sequence[SetFit]) -> list[ReportTable]:
    """What ``--sensitivity`` adds: choices, subgroups, intervals."""
    tables = []
    choices = [record for one in analyses for record in one.robustness.choices]
    if choices:
        columns = {"set": "Set", "model": "Model", "varied": "Varied", "value": "To", **OF_A_FIT}
        note = (
            "One choice varied at a time, the others as in this run. A historical set lists its hazard ratios, so that endpoints, data cuts and evidence "
            "change nothing in it. The rows share their trials: they are no independent confirmations."
        )
        tables.append(records_table("choices", "Sensitivity to every choice", note, choices, columns, VARIED))
    subgroups = [record for one in analyses for record in one.robustness.subgroups]
    if subgroups:
        columns = {"set": "Set", "model": "Model", "factor": "Factor", "level": "Level", **OF_A_FIT}
        note = "Refits in each level of a factor. Levels side by side are no test of a difference; few comparisons in most of them."
        tables.append(records_table("subgroups", "Subgroups", note, subgroups, columns, {}))
    intervals = [record for one in analyses for record in one.robustness.intervals]
    if intervals:
        columns = {
            "set": "Set",
            "recipe": "Interval",
            "of": "Of",
            "correlates": "Correlation of",
            "trials": "Trials",
            "value": "Estimate",
            "low": "95% low",
            "high": "95% high",
            "formula": "Formula",
            "source": "DOI",
            "note": "Note",
            "problem": "Not made",
        }
        note = "The same data by every published recipe for an interval of r or R²; N the number of trials."
        tables.append(records_table("intervals", "Intervals of r and R²", note, intervals, columns, {}))
    return tables
