"""Tables of a run: numbers for CSV, words for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from surrogacy.analysis.fit_run import Run, SetFit
from surrogacy.evaluation.placement import POSITIONS
from surrogacy.results.endpoint_names import common_final_name, endpoint_of, final_name
from surrogacy.results.estimate import ThresholdEffect
from surrogacy.results.format import number, settings_in_words, with_interval

NAMES = {
    "r": "Weighted Pearson r",
    "r_bootstrap": "Weighted Pearson r, bootstrap",
    "spearman": "Spearman r",
    "r2_trial": "R² (trial level)",
    "rho_between": "ρ between trials",
    "mu_surrogate": "Mean log HR, surrogate",
    "mu_final": "Mean log HR, {final}",
    "tau_surrogate": "τ, surrogate",
    "tau_final": "τ, {final}",
    "intercept": "Intercept",
    "slope": "Slope",
    "sigma_cond": "Conditional SD of log HR({final})",
    "sigma_resid": "Residual SD of log HR({final})",
    "loglik": "Log-likelihood",
    "ste_prediction": "STE (HR), prediction band",
    "ste_confidence": "STE (HR), confidence band",
    "ste_prediction_80": "STE (HR), 80% prediction band",
    "ste_confidence_80": "STE (HR), 80% confidence band",
    "p_slope_positive": "P(slope > 0)",
    "prior_overlap": "Overlap of prior and posterior of R²",
    "r2_trial_prior": "R² (trial level), prior",
    "log_marginal_likelihood": "Log marginal likelihood",
    "grid_error": "Error of the quadrature (posterior SDs)",
    "rho_within": "ρ within trials",
}


@dataclass(frozen=True, eq=False)
class ReportTable:
    """A table in two forms.

    Parameters
    ----------
    name : str
        File name.
    title, note : str
        Heading and footnote.
    numbers : DataFrame
        For CSV.
    words : DataFrame
        For print.
    """

    name: str
    title: str
    note: str
    numbers: pd.DataFrame
    words: pd.DataFrame


def names_for(final: str) -> dict[str, str]:
    """Return the printed names of all estimates, with the name of the final endpoint."""
    return {name: words.replace("{final}", final) for name, words in NAMES.items()}


def estimate_name(name: str, final: str) -> str:
    """Return the printed name of an estimate."""
    names = names_for(final)
    if name.endswith("_delta"):
        return names.get(name.removesuffix("_delta"), name) + ", delta method"
    return names.get(name, name)


def models_table(analyses: Sequence[SetFit]) -> ReportTable:
    """Every estimate of every model."""
    numbers, words = [], []
    for one in analyses:
        for result in one.results:
            about = {
                "set": one.name,
                "k": len(result.effects),
                "trials": len(result.effects.trials),
                "model": result.model,
            }
            problems = "; ".join(result.problems)
            for name, estimate in result.estimates.items():
                record: dict[str, Any] = {**about, "estimate": name}
                if isinstance(estimate, ThresholdEffect):
                    shown, made = estimate.value_words, f"{estimate.status}; {estimate.made}"
                    record |= {"value": estimate.hr, "level": estimate.level, "kind": made}
                else:
                    shown, made = with_interval(estimate), estimate.method
                    record |= estimate.record
                numbers.append(
                    {
                        **record,
                        "settings": settings_in_words(result),
                        "problems": problems,
                        "left_out": len(result.left_out),
                    }
                )
                words.append(
                    {
                        "Set": f"{one.name} (k = {result.size})",
                        "Model": result.model,
                        "Settings": settings_in_words(result),
                        "Quantity": estimate_name(name, final_name(result.effects)),
                        "Estimate (95% interval)": shown,
                        "How": made,
                    }
                )
    return ReportTable(
        "models",
        "Models",
        f"Intervals are two-sided at 95% unless stated. {_all_problems(analyses)}",
        pd.DataFrame(numbers),
        pd.DataFrame(words),
    )


def _all_problems(analyses: Sequence[SetFit]) -> str:
    """Every caveat once, with the sets and models it belongs to."""
    where: dict[str, list[str]] = {}
    for one in analyses:
        for result in one.results:
            for problem in result.problems:
                shared = problem in one.effects.problems
                label = one.name if shared else f"{one.name}, {result.model}"
                where.setdefault(problem, [])
                if label not in where[problem]:
                    where[problem].append(label)
        for model, text in (
            *one.failures,
            *((entry.model, f"{entry.reason}. Remedy: {entry.remedy}") for entry in one.not_fitted),
        ):
            where.setdefault(f"not fitted: {text}", []).append(f"{one.name}, {model}")
    return " ".join(f"[{'; '.join(labels)}] {problem}." for problem, labels in where.items())


def effects_table(analyses: Sequence[SetFit]) -> ReportTable:
    """Both hazard ratios of every comparison, as fitted."""
    numbers, words = [], []
    for one in analyses:
        effects = one.effects
        for i, comparison in enumerate(effects.comparison):
            factor = {name: values[i] for name, values in effects.described_columns.items()}
            record: dict[str, Any] = {
                "set": one.name,
                "comparison": comparison,
                "trial": effects.trial[i],
                "n": effects.n[i],
                **factor,
                "rho_within": effects.rho_within[i],
            }
            shown = {"Set": one.name, "Comparison": effects.labels[i], "n": number(effects.n[i], 0)}
            for column, side in enumerate(("surrogate", "final")):
                log_hr, se = effects.log_hr[i, column], effects.se[i, column]
                low, high = (np.exp(limit[i, column]) for limit in effects.limits)
                record |= {f"log_hr_{side}": log_hr, f"se_{side}": se, f"hr_{side}": np.exp(log_hr)}
                interval = f" ({number(low)} to {number(high)})" if np.isfinite(se) else " (no interval)"
                dagger = " †" if effects.unverified[i, column] else ""
                shown |= {
                    f"{'Surrogate' if side == 'surrogate' else 'Final'}": endpoint_of(effects, i, side),
                    f"HR ({side}, 95% CI)": f"{number(np.exp(log_hr))}{interval}{dagger}",
                }
            numbers.append(record)
            words.append(shown)
    note = (
        "Limits are recomputed at 95% from the standard errors that were fitted, whatever the level of the printed interval. "
        "† the hazard ratio or its limits were not read in any source."
    )
    if not all(one.effects.has_standard_errors.all() for one in analyses):
        note += " No interval: nothing in the table gives a standard error."
    return ReportTable("effects", "Hazard ratios as fitted", note, pd.DataFrame(numbers), pd.DataFrame(words))


def records_table(
    name: str,
    title: str,
    note: str,
    records: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    labels: Mapping[str, str],
    digits: int = 2,
) -> ReportTable:
    """A table from flat records (grid, leave-one-out): every number for CSV, the named columns rounded for print."""
    numbers = pd.DataFrame(list(records))
    shown = [column for column in columns if column in numbers and numbers[column].notna().any()]
    words = pd.DataFrame(
        {
            columns[column]: [
                number(value, digits)
                if isinstance(value, float)
                else labels.get(str(value), str(value))
                if value is not None
                else "–"
                for value in numbers[column].astype(object).where(numbers[column].notna(), None)
            ]
            for column in shown
        }
    )
    for column in ("boundary", "beyond_data"):
        if column in shown:
            words[columns[column]] = ["yes" if value is True else "" for value in numbers[column]]
    return ReportTable(name, title, note, numbers, words)


def prior_table(records: Sequence[Mapping[str, Any]]) -> ReportTable:
    """What other priors would have made of the same data."""
    note = (
        "Exact posteriors of the bivariate model; each row differs from the default priors in what it names. Posterior medians "
        "with equal-tailed 95% intervals. Overlap: area that prior and posterior of R² have in common; at 100% the data have "
        "changed nothing of it. Prior R²: its prior median. STE: prediction band of the true effect of a new trial."
    )
    words = []
    for record in records:
        row = {"Set": record["set"], "Prior": record["prior"]}
        if "problem" in record:
            words.append(row | {"R² (trial level)": f"not fitted: {record['problem']}"})
            continue
        for name, heading in (("r2_trial", "R² (trial level)"), ("slope", "Slope")):
            low, high = number(record[f"{name}_low"]), number(record[f"{name}_high"])
            row[heading] = f"{number(record[name])} ({low} to {high})"
        for name, heading in (("ste_prediction", "STE, 95%"), ("ste_prediction_80", "STE, 80%")):
            status, hr = record[f"{name}_status"], record[name]
            value = "none" if hr is None else number(hr)
            row[heading] = value if status in ("none", "exists") else f"{value} ({status})"
        row |= {"P(slope > 0)": number(record["p_slope_positive"]), "Overlap": f"{record['prior_overlap']:.0%}"}
        words.append(row | {"Prior R²": number(record["r2_trial_prior"])})
    return ReportTable(
        "priors", "Sensitivity to the prior", note, pd.DataFrame(records), pd.DataFrame(words).fillna("")
    )


def placement_table(run: Run) -> ReportTable:
    """The comparisons in focus: predictions, residuals and the parts of their variance."""
    final = common_final_name(focus.effects for focus in run.focuses) if run.focuses else "final"
    note = (
        f"Predictive distribution of the observed {final} hazard ratio given the observed surrogate hazard ratio. Fitted 'with it': the trial "
        "is in the data; 'without it': refitted on the others; 'of other trials': a set that does not hold it. Parts of the variance "
        f"(log scale) sum to it: error of the surrogate effect, parameters of the line, sigma_cond, sampling error of the {final} effect, "
        "covariance of the two errors; a regression knows parameters and residual only."
    )
    note += "".join(f" Not placed: {entry['label']} ({entry['why']})." for entry in run.not_placed)
    columns = {
        "label": "Comparison",
        "set": "Set",
        "model": "Model",
        "fitted": "Fitted",
        "k": "k",
        "cut": "Data cut",
        "rho_within": "ρ within",
        "hr_surrogate": "HR (surrogate)",
        "predicted": "Predicted HR",
        "low_95": "95% low",
        "high_95": "95% high",
        "low_80": "80% low",
        "high_80": "80% high",
        "hr_final": "Observed HR",
        "residual": "Residual (log)",
        "percentile": "Percentile",
        "p_at_or_above": "P(at or above)",
        "position": "Observed HR lies",
        "variance": "Variance",
        "variance_surrogate_error": "… surrogate",
        "variance_parameters": "… parameters",
        "variance_sigma_cond": "… sigma_cond",
        "variance_sampling": "… sampling",
        "variance_covariance": "… covariance",
        "variance_residual": "… residual",
    }
    labels = " and ".join(focus.label for focus in run.focuses)
    return records_table("placement", f"{labels} against the lines", note, run.placement, columns, POSITIONS, digits=3)


def shrunken_records(one: SetFit) -> list[dict[str, Any]]:
    """Observed and true effects of every comparison, by the exact posterior."""
    found = [(result, result.posterior.true_effects()) for result in one.results if result.posterior is not None]
    records = []
    for result, (mean, covariance) in ((result, effects) for result, effects in found if effects is not None):
        for i, comparison in enumerate(result.effects.comparison):
            record: dict[str, Any] = {"set": one.name, "comparison": comparison}
            for column, side in enumerate(("surrogate", "final")):
                record |= {
                    f"hr_{side}": float(np.exp(result.effects.log_hr[i, column])),
                    f"hr_{side}_true": float(np.exp(mean[i, column])),
                    f"log_hr_{side}_true": float(mean[i, column]),
                    f"sd_{side}_true": float(covariance[i, column, column] ** 0.5),
                }
            records.append(record | {"covariance_true": float(covariance[i, 0, 1])})
    return records


def flow_table(run: Run) -> ReportTable:
    """Every comparison: in which fit it is, or why not."""
    table = run.trials.trials
    rows = [
        {"set": one.name, "comparison": entry["comparison"], "in_fit": bool(entry["in_fit"]), "why": entry["why"]}
        for one in run.analyses
        for entry in one.flow
    ]
    considered = {row["comparison"] for row in rows}
    for comparison, stage in zip(table["comparison"], table["stage"], strict=True):
        if comparison not in considered:
            why = f"{stage} stage: in no set of this run"
            rows.append({"set": "", "comparison": comparison, "in_fit": False, "why": why})
    frame = pd.DataFrame(rows, columns=["set", "comparison", "in_fit", "why"])
    names = dict(zip(table["comparison"], table["label"], strict=True))
    words = frame.assign(
        comparison=[names[name] for name in frame["comparison"]],
        in_fit=["in the fit" if ok else "not in the fit" for ok in frame["in_fit"]],
    )
    words.columns = pd.Index(["Set", "Comparison", "Fit", "Why not"])
    return ReportTable("flow", "Flow of comparisons", "", frame, words)


def result_tables(run: Run) -> list[ReportTable]:
    """Tables of the results themselves."""
    analyses = run.analyses
    grid = [record for one in analyses for record in one.rho_within_grid]
    out = [record for one in analyses for record in one.leave_one_out]
    tables = [models_table(analyses), effects_table(analyses)]
    final = common_final_name(one.effects for one in analyses)
    names = names_for(final)
    if grid:
        note = (
            "Refits over the within-trial correlation of the two log hazard ratios where it is assumed; 0 is usually the most "
            "flattering choice. R² intervals by the delta method; none on the boundary."
        )
        columns = {
            "set": "Set",
            "model": "Model",
            "rho_within": "ρ within",
            "rho_between": "ρ between",
            "r2_trial": "R² (trial level)",
            "r2_trial_low": "95% low",
            "r2_trial_high": "95% high",
            "slope": "Slope",
            "intercept": "Intercept",
            "sigma_cond": "Conditional SD",
            "ste_prediction": "STE (HR)",
            "ste_prediction_status": "STE status",
            "boundary": "Boundary",
            "problem": "Not fitted",
        }
        tables.append(
            records_table("rho_within", "Sensitivity to the within-trial correlation", note, grid, columns, {})
        )
    if out:
        note = "Every trial left out in turn, with all its comparisons."
        columns = {
            "set": "Set",
            "model": "Model",
            "left_out": "Left out",
            "k": "k",
            "r": "r",
            "rho_between": "ρ between",
            "r2_trial": "R² (trial level)",
            "slope": "Slope",
            "intercept": "Intercept",
            "ste_prediction": "STE (HR)",
            "ste_prediction_status": "STE status",
            "boundary": "Boundary",
            "problem": "Not fitted",
        }
        labels = {
            trial: label for one in analyses for trial, label in zip(one.effects.trial, one.effects.labels, strict=True)
        }
        tables.append(records_table("leave_one_out", "Leave-one-trial-out", note, out, columns, labels))
    priors = [record for one in analyses for record in one.prior_sensitivity]
    if priors:
        tables.append(prior_table(priors))
    if run.placement:
        tables.append(placement_table(run))
    if run.predictions:
        note = (
            f"Predictive distribution of the {final} hazard ratio of a new trial from its observed surrogate hazard ratio; errors of that "
            "effect and of the line are in the intervals. Target: the true effect, or what a trial of a size will observe."
        )
        columns = {
            "set": "Set",
            "model": "Model",
            "k": "k",
            "target": "Target",
            "hr_surrogate": "HR (surrogate)",
            "predicted": "Predicted HR",
            "low_95": "95% low",
            "high_95": "95% high",
            "low_80": "80% low",
            "high_80": "80% high",
            "p_below_1": "P(HR < 1)",
            "beyond_data": "Beyond the data",
        }
        tables.append(records_table("predictions", "Prediction for a new trial", note, run.predictions, columns, {}))
    nuts = [record for one in analyses for record in one.nuts]
    if nuts:
        note = (
            "The same model and priors twice: by quadrature, and sampled by NUTS (PyMC). Difference in Monte Carlo standard errors of the "
            "sampled quantile; beyond 4 one of the two would be wrong."
        )
        columns = {
            "set": "Set",
            "model": "Model",
            "estimate": "Quantity",
            "summary": "Summary",
            "exact": "Exact",
            "sampled": "NUTS",
            "monte_carlo_error": "Monte Carlo error",
            "difference": "Difference",
        }
        words = {"low": "lower limit", "value": "median", "high": "upper limit", **names}
        tables.append(records_table("nuts", "Exact and sampled posterior", note, nuts, columns, words, digits=4))
    scaling = [record for one in analyses for record in one.power_scaling]
    if scaling:
        note = (
            "How far the posterior moves when prior or likelihood is raised to a power near 1 (Kallioinen 2024, "
            "doi:10.1007/s11222-023-10366-5); above 0.05 it matters."
        )
        columns = {
            "set": "Set",
            "model": "Model",
            "variable": "Quantity",
            "prior": "Prior",
            "likelihood": "Likelihood",
            "diagnosis": "Diagnosis",
        }
        tables.append(
            records_table("power_scaling", "Sensitivity to power scaling", note, scaling, columns, names, digits=3)
        )
    shrunken = [record for one in analyses for record in shrunken_records(one)]
    if shrunken:
        note = (
            "Posterior means of the true effects of every comparison (bivariate-bayes; SDs on the log scale in the CSV): each is drawn towards the mean of "
            "its endpoint, and towards what the other endpoint predicts."
        )
        columns = {
            "set": "Set",
            "comparison": "Comparison",
            "hr_surrogate": "HR (surrogate), observed",
            "hr_surrogate_true": "HR (surrogate), true",
            "hr_final": "HR (final), observed",
            "hr_final_true": "HR (final), true",
        }
        labels = {
            name: label
            for one in analyses
            for name, label in zip(one.effects.comparison, one.effects.labels, strict=True)
        }
        tables.append(records_table("true_effects", "True effects", note, shrunken, columns, labels))
    return tables
